/* SPDX-License-Identifier: MIT */
#include "profile/user_stack.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

#define CHAIN_MAX (65536 / 8)

/* enum perf_sample_regs_abi of linux/perf_event.h */
#define ABI_32 1

struct user_stack {
	const struct process_table *table;
	const struct arch *arch, *arch_32;
	struct unwinder *unwinder, *unwinder_32; /* made when needed */
	bool swap;
	const struct image *image;       /* of the walk */
	uint64_t time_ns;
	uint64_t words[CHAIN_MAX];
};

struct user_stack *user_stack_new(const struct process_table *table, const struct arch *arch,
				  bool swap)
{
	struct user_stack *s = mem_zalloc(sizeof(*s));

	s->table = table;
	s->arch = arch;
	s->arch_32 = arch == &arch_x86_64 ? &arch_i386 : arch->is_64bit ? &arch_arm : arch;
	s->swap = swap;
	return s;
}

void user_stack_free(struct user_stack *s)
{
	if (!s)
		return;
	unwinder_free(s->unwinder);
	unwinder_free(s->unwinder_32);
	free(s);
}

bool user_stack_wanted(const struct event_desc *event)
{
	uint64_t both = PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;

	return (event->attr.sample_type & both) == both;
}

bool user_stack_told(const struct sample *sample, enum unwind_stop *stop)
{
	uint64_t mark;

	if (sample->user_mask || sample->stack_live || !user_stack_wanted(sample->event))
		return false;
	if (!sample->stack_size) {
		/* who leaves a stack to be unwound later has no user part in the chain */
		for (uint64_t i = 0; i < sample->nr_ips; i++) {
			*stop = UNWIND_END;
			if (sample->ips[i] == (uint64_t)PERF_CONTEXT_USER)
				return true;
		}
		return false;
	}
	if (sample->stack_size != UNWIND_STOP_MARK_BYTES)
		return false;
	memcpy(&mark, sample->stack, sizeof(mark));
	*stop = (enum unwind_stop)(mark & 0xff);
	return (mark & ~0xffull) == UNWIND_STOP_MARK && (mark & 0xff) < UNWIND_STOP_COUNT;
}

/* --- what the walk asks for -------------------------------------------------------------- */

static const struct mapping *mapping_at(const struct user_stack *s, uint64_t addr, uint64_t *elf_addr)
{
	const struct mapping *map = image_find(s->image, addr, s->time_ns);

	if (map)
		*elf_addr = module_elf_addr(map->module, addr - map->start + map->pgoff);
	return map;
}

static void code_at(void *arg, uint64_t addr, struct unwind_code *out)
{
	uint64_t elf_addr;
	const struct mapping *map = mapping_at(arg, addr, &elf_addr);

	*out = (struct unwind_code){ 0 };
	if (!map)
		return;
	/* A file without a word of protection is of an old recording, of code alone. */
	out->executable = !map->prot || (map->prot & PROT_EXEC);
	if (!out->executable)
		return;
	out->table = module_unwind_table(map->module);
	out->bias = addr - elf_addr;
}

static bool read_at(void *arg, uint64_t addr, void *out, size_t size)
{
	uint64_t elf_addr;
	const struct mapping *map = mapping_at(arg, addr, &elf_addr);

	return map && module_read(map->module, elf_addr, out, size);
}

/* --- chains ------------------------------------------------------------------------------ */

static struct unwinder *unwinder_for(struct user_stack *s, const struct sample *sample,
				     const struct arch **arch)
{
	bool narrow = sample->user_abi == ABI_32 && s->arch->is_64bit;
	struct unwinder **unwinder = narrow ? &s->unwinder_32 : &s->unwinder;

	*arch = narrow ? s->arch_32 : s->arch;
	if (!*unwinder && (*arch)->nr_dwarf_regs)
		*unwinder = unwinder_new(*arch);
	return *unwinder;
}

/* How many words at the start of a recorded chain are not of user space. */
static uint32_t other_part(const struct sample *sample)
{
	uint32_t nr = sample->nr_ips < CHAIN_MAX / 2 ? (uint32_t)sample->nr_ips : CHAIN_MAX / 2;

	for (uint32_t i = 0; i < nr; i++)
		if (sample->ips[i] == (uint64_t)PERF_CONTEXT_USER)
			return i;
	/* without a mark a chain is of the mode that was sampled */
	if (nr && sample->ips[0] < (uint64_t)PERF_CONTEXT_MAX &&
	    sample->cpumode == PERF_RECORD_MISC_USER)
		return 0;
	return nr;
}

/* What of a stack of the asked size fits into a record of 64 KB, whatever else is in it. */
static uint64_t fitting(uint32_t asked)
{
	const uint32_t most = 65536 - 8192;

	return asked < most ? asked : most;
}

static uint32_t walk(struct user_stack *s, const struct sample *sample, const struct image *image,
		     uint32_t at, struct user_chain *out)
{
	const struct arch *arch;
	struct unwinder *unwinder = unwinder_for(s, sample, &arch);
	struct unwind_source source = {
		.space = (uint64_t)image_space(image) << 32 | image_epoch(image, sample->time_ns),
		.stack = sample->stack, .stack_size = sample->stack_live,
		.code = code_at, .read = read_at, .arg = s,
	};
	struct unwind_regs regs;
	uint32_t nr;

	if (!unwinder || !unwind_take_regs(arch, sample->user_mask, sample->user_regs, &regs))
		return 0;
	s->image = image;
	s->time_ns = sample->time_ns;
	source.stack_start = regs.v[arch->dwarf_sp];
	/* Recorders may write no more than there was; a record may have had no room for all. */
	source.is_cut = sample->stack_live + 8 > sample->stack_size &&
			sample->stack_live + 8 > fitting(sample->event->attr.sample_stack_user);
	out->stop = unwind_walk(unwinder, &source, &regs, s->words + at, CHAIN_MAX - at, &nr);
	return nr;
}

void user_stack_chain(struct user_stack *s, const struct sample *sample, const struct image *image,
		      struct user_chain *out)
{
	uint32_t head, recorded, nr;

	*out = (struct user_chain){ .ips = sample->ips, .nr = (uint32_t)sample->nr_ips,
				    .unwound_from = (uint32_t)sample->nr_ips };
	out->has_stop = user_stack_told(sample, &out->stop);
	if (out->has_stop || !sample->stack_size || !sample->user_mask || s->swap)
		return;
	head = other_part(sample);
	recorded = out->nr - head;
	nr = walk(s, sample, image, head, out);
	if (!nr)
		return;
	out->unwound = out->has_stop = true;
	/* frame pointers may have come further than tables that end too early */
	if (out->stop != UNWIND_END && recorded > nr)
		return;
	if (head)
		memcpy(s->words, sample->ips, (size_t)head * 8);
	out->ips = (const u64_una *)s->words;
	out->nr = head + nr;
	out->unwound_from = head;
}
