/* SPDX-License-Identifier: MIT */
#include "profile/resolve.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/cpus.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"

#define LINES_MAX 64             /* functions inlined into one another that are shown */
#define JOBS_MAX 64
#define JOB_PLACES 64            /* what a thread takes at once */

/*
 * What a place depends on.  An address in a file means the same in whatever process and
 * wherever it is mapped; one in other memory only in its space and epoch; one in no
 * mapping is itself, and the kernel's are the same for all.
 */
struct place_key {
	uint64_t of;                     /* the module's pointer, or space and epoch */
	uint64_t at;                     /* file offset or run address, of the byte that is looked up */
	enum { OF_KERNEL, OF_NOTHING, OF_FILE, OF_MEMORY } kind;
	bool is_return, not_code;
};

struct cached {
	struct place place;
	struct place_key key;
};

struct resolver {
	const struct process_table *table;
	struct arena arena;
	struct map64 cache;              /* hash of the key -> struct cached * */
	VEC(struct place *) fresh;       /* places without lines */
	struct arena job_arenas[JOBS_MAX];
	bool joins_unmapped;
};

struct resolver *resolver_new(const struct process_table *table)
{
	struct resolver *r = mem_zalloc(sizeof(*r));

	r->table = table;
	arena_init(&r->arena);
	for (int i = 0; i < JOBS_MAX; i++)
		arena_init(&r->job_arenas[i]);
	return r;
}

void resolver_join_unmapped(struct resolver *r)
{
	r->joins_unmapped = true;
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	map64_release(&r->cache);
	vec_release(&r->fresh);
	for (int i = 0; i < JOBS_MAX; i++)
		arena_release(&r->job_arenas[i]);
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

/* The name is looked up at `at` of the module; out has all else. */
static void find_symbol(const struct image *image, uint64_t at, uint64_t time_ns, struct place *out)
{
	const struct mapping *map = out->map;

	module_symbol_at(map->module, at, time_ns, &out->symbol);
	if (!out->symbol.name && !out->kernel && image_jit(image) && module_is_jit(map->module))
		module_symbol_at(image_jit(image), at, time_ns, &out->symbol);
	if (!out->symbol.name && map->prot && !(map->prot & PROT_EXEC) && !out->kernel)
		out->symbol.reason = NAME_NOT_CODE;
	if (out->kernel && out->is_return && is_padding(&out->symbol))
		module_symbol(map->module, at + 1, &out->symbol);
}

static void look_up(struct resolver *r, const struct image *image, const struct mapping *map,
		    uint64_t addr, uint64_t time_ns, bool is_kernel, bool is_return, struct place *out)
{
	uint64_t at = is_return ? addr - 1 : addr;

	memset(out, 0, sizeof(*out));
	out->run_addr = out->elf_addr = addr;
	out->kernel = is_kernel;
	out->is_return = is_return;
	out->map = is_kernel ? process_kernel_find(r->table, at, time_ns) : map;
	if (!out->map) {
		out->symbol.reason = !is_kernel ? NAME_NO_MAP :
				     process_knows_kernel(r->table) ? NAME_KERNEL_ADDR :
								      NAME_KERNEL_HIDDEN;
		return;
	}
	out->module = out->map->module;
	if (!in_run_space(out->module))
		at = module_elf_addr(out->module, at - out->map->start + out->map->pgoff);
	out->elf_addr = is_return ? at + 1 : at;
	find_symbol(image, at, time_ns, out);
}

static struct place_key key_of(const struct resolver *r, const struct image *image,
			       const struct mapping *map, uint64_t at, uint64_t time_ns,
			       bool is_kernel, bool is_return)
{
	struct place_key key = { .at = at, .kind = OF_KERNEL, .is_return = is_return };

	if (is_kernel)
		return key;
	if (!map) {
		struct place_key nothing = { .kind = OF_NOTHING };

		key.kind = OF_NOTHING;
		return r->joins_unmapped ? nothing : key;
	}
	if (in_run_space(map->module)) {
		key.kind = OF_MEMORY;
		key.of = (uint64_t)image_space(image) << 32 | image_epoch(image, time_ns);
		return key;
	}
	key.kind = OF_FILE;
	key.of = (uintptr_t)map->module;
	key.at = at - map->start + map->pgoff;
	key.not_code = map->prot && !(map->prot & PROT_EXEC);
	return key;
}

static bool is_same(const struct place_key *a, const struct place_key *b)
{
	return a->at == b->at && a->of == b->of && a->kind == b->kind &&
	       a->is_return == b->is_return && a->not_code == b->not_code;
}

struct place *resolve(struct resolver *r, const struct image *image, uint64_t addr,
			    uint64_t time_ns, bool is_kernel, bool is_return)
{
	uint64_t at = is_return && addr ? addr - 1 : addr, *slot;
	const struct mapping *map = is_kernel ? NULL : image_find(image, at, time_ns);
	struct place_key key = key_of(r, image, map, at, time_ns, is_kernel, is_return && addr);
	struct cached *c;
	bool added;

	slot = map64_put(&r->cache, hash_mix(key.at, key.of << 4 | (uint64_t)key.kind << 2 |
						     key.not_code << 1 | key.is_return), &added);
	if (!added) {
		c = (struct cached *)(uintptr_t)*slot;
		if (is_same(&c->key, &key))
			return &c->place;
		/* two keys with one hash: rare enough to look up each time */
	}
	c = arena_alloc(&r->arena, sizeof(*c));
	if (added)
		*slot = (uint64_t)(uintptr_t)c;
	c->key = key;
	look_up(r, image, map, addr, time_ns, is_kernel, key.is_return, &c->place);
	*vec_push(&r->fresh) = &c->place;
	return &c->place;
}

/* --- lines ------------------------------------------------------------------------ */

static void find_lines(struct arena *arena, struct place *place)
{
	struct source_frame found[LINES_MAX];
	uint64_t at = place->is_return ? place->elf_addr - 1 : place->elf_addr;

	place->has_lines = true;
	place->nr_lines = place->module ? module_lines(place->module, at, found, LINES_MAX) : 0;
	if (place->nr_lines)
		place->lines = arena_dup(arena, found, place->nr_lines * sizeof(*found));
}

uint32_t place_lines(struct resolver *r, struct place *place)
{
	if (!place->has_lines)
		find_lines(&r->arena, place);
	return place->nr_lines;
}

struct line_jobs {
	struct resolver *resolver;
	atomic_size_t next;
	atomic_uint arenas;
};

static void *line_job(void *arg)
{
	struct line_jobs *jobs = arg;
	struct resolver *r = jobs->resolver;
	struct arena *arena = &r->job_arenas[atomic_fetch_add(&jobs->arenas, 1)];
	size_t from;

	while ((from = atomic_fetch_add(&jobs->next, JOB_PLACES)) < r->fresh.nr)
		for (size_t i = from; i < r->fresh.nr && i < from + JOB_PLACES; i++)
			find_lines(arena, r->fresh.v[i]);
	return NULL;
}

/* Neighbours lie in one unit of debug information, which one thread should read. */
static int compare_places(const void *pa, const void *pb)
{
	const struct place *a = *(struct place *const *)pa, *b = *(struct place *const *)pb;

	if (a->module != b->module)
		return a->module->index < b->module->index ? -1 : 1;
	return (a->elf_addr > b->elf_addr) - (a->elf_addr < b->elf_addr);
}

void resolver_lines(struct resolver *r, unsigned jobs)
{
	struct line_jobs shared = { .resolver = r };
	pthread_t threads[JOBS_MAX];
	unsigned started = 0, wanted = cpus_threads(jobs, JOBS_MAX);
	size_t nr = 0;

	for (size_t i = 0; i < r->fresh.nr; i++)
		if (r->fresh.v[i]->module && !r->fresh.v[i]->has_lines)
			r->fresh.v[nr++] = r->fresh.v[i];
	r->fresh.nr = nr;
	if (nr)
		qsort(r->fresh.v, nr, sizeof(*r->fresh.v), compare_places);
	/* this thread is one of them */
	while (started + 1 < wanted && started + 1 < nr / JOB_PLACES &&
	       pthread_create(&threads[started], NULL, line_job, &shared) == 0)
		started++;
	line_job(&shared);
	while (started)
		pthread_join(threads[--started], NULL);
	r->fresh.nr = 0;
}

/* --- chains ----------------------------------------------------------------------- */

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
