/* SPDX-License-Identifier: MIT */
#include "profile/resolve.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"

struct cached {
	struct place place;
	uint32_t space, epoch;
	bool is_return;
};

struct resolver {
	const struct process_table *table;
	struct arena arena;
	struct map64 cache;              /* hash of the key -> struct cached * */
	struct place spare;
};

struct resolver *resolver_new(const struct process_table *table)
{
	struct resolver *r = mem_zalloc(sizeof(*r));

	r->table = table;
	arena_init(&r->arena);
	return r;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	map64_release(&r->cache);
	arena_release(&r->arena);
	free(r);
}

/* Modules whose symbols speak in run addresses. */
static bool in_run_space(const struct module *module)
{
	return module->kind == MODULE_KERNEL || module->kind == MODULE_KMOD ||
	       module->kind == MODULE_BPF || module->kind == MODULE_ANON;
}

/*
 * The kernel pads the front of its functions and gives the padding a symbol of its
 * own (CONFIG_CALL_PADDING, Linux 6.2).  No call returns there: an address right
 * behind it is a function that was interrupted at its first instruction.
 */
static bool is_padding(const struct symbol *symbol)
{
	return symbol->name && strncmp(symbol->name, "__pfx_", 6) == 0;
}

static void look_up(struct resolver *r, const struct image *image, uint64_t addr, uint64_t time_ns,
		    bool is_kernel, bool is_return, struct place *out)
{
	uint64_t at = is_return && addr ? addr - 1 : addr;
	const struct mapping *map = is_kernel ? process_kernel_find(r->table, at, time_ns) :
						image_find(image, at, time_ns);

	memset(out, 0, sizeof(*out));
	out->run_addr = out->elf_addr = addr;
	out->kernel = is_kernel;
	out->map = map;
	if (!map) {
		out->symbol.reason = is_kernel ? NAME_KERNEL_ADDR : NAME_NO_MAP;
		return;
	}
	out->module = map->module;
	if (!in_run_space(map->module))
		at = module_elf_addr(map->module, at - map->start + map->pgoff);
	out->elf_addr = is_return && addr ? at + 1 : at;
	module_symbol_at(map->module, at, time_ns, &out->symbol);
	if (!out->symbol.name && map->prot && !(map->prot & PROT_EXEC) && !is_kernel)
		out->symbol.reason = NAME_NOT_CODE;
	if (is_kernel && is_return && is_padding(&out->symbol))
		module_symbol(map->module, at + 1, &out->symbol);
}

struct place *resolve(struct resolver *r, const struct image *image, uint64_t addr,
			    uint64_t time_ns, bool is_kernel, bool is_return)
{
	uint32_t space = is_kernel ? UINT32_MAX : image_space(image);
	uint32_t epoch = is_kernel ? 0 : image_epoch(image, time_ns);
	uint64_t key = hash_mix(addr, (uint64_t)space << 32 | epoch << 1 | is_return);
	bool added;
	uint64_t *slot = map64_put(&r->cache, key, &added);
	struct cached *c;

	if (!added) {
		c = (struct cached *)(uintptr_t)*slot;
		if (c->place.run_addr == addr && c->space == space && c->epoch == epoch &&
		    c->is_return == is_return && c->place.kernel == is_kernel)
			return &c->place;
		/* two keys with one hash: rare enough to look up each time */
		look_up(r, image, addr, time_ns, is_kernel, is_return, &r->spare);
		return &r->spare;
	}
	c = arena_alloc(&r->arena, sizeof(*c));
	*slot = (uint64_t)(uintptr_t)c;
	c->space = space;
	c->epoch = epoch;
	c->is_return = is_return;
	look_up(r, image, addr, time_ns, is_kernel, is_return, &c->place);
	return &c->place;
}

uint32_t chain_frames(const u64_una *ips, uint64_t nr, uint8_t cpumode, struct chain_frame *out,
		      uint32_t max)
{
	bool kernel = cpumode == PERF_RECORD_MISC_KERNEL;
	bool first = true, known = true;
	uint32_t n = 0;

	for (uint64_t i = 0; i < nr && n < max; i++) {
		uint64_t ip = ips[i];

		if (ip >= (uint64_t)PERF_CONTEXT_MAX) {
			/* a mark: what follows was recorded in another mode */
			known = ip == (uint64_t)PERF_CONTEXT_KERNEL ||
				ip == (uint64_t)PERF_CONTEXT_USER || ip == (uint64_t)PERF_CONTEXT_HV;
			kernel = ip == (uint64_t)PERF_CONTEXT_KERNEL;
			first = true;
			continue;
		}
		if (!known)
			continue;
		out[n++] = (struct chain_frame){ .ip = ip, .kernel = kernel, .is_return = !first };
		first = false;
	}
	return n;
}
