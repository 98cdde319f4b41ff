/* SPDX-License-Identifier: MIT */
#include "profile/branches.h"

#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/hash.h"
#include "base/vec.h"
#include "profile/filter.h"
#include "profile/resolve.h"

#define CYCLES_SHIFT 4           /* struct perf_branch_entry: mispred, predicted, in_tx, abort */
#define CYCLES_MASK 0xffffu
#define BLOCK_BYTES_MAX 65536u   /* longer ones are two that do not belong together */

struct reader {
	const struct profile *profile;
	const struct profile_query *query;
	const struct arch *arch;
	struct resolver *resolver;
	struct map64 ids;
	VEC(struct branch_block) blocks;
};

static const struct place *place_of(struct reader *r, const struct sample *s, uint64_t addr)
{
	const struct image *image = process_image(r->profile->processes, s->pid, s->time_ns);

	return resolve(r->resolver, image, addr, s->time_ns, r->arch->is_kernel_addr(addr), false);
}

static void add_block(struct reader *r, struct module *module, uint64_t start, uint64_t end,
		      uint64_t cycles)
{
	uint64_t key = hash_mix((uint64_t)module->index, hash_mix(start, end));
	bool added;
	uint64_t *slot = map64_put(&r->ids, key, &added);
	struct branch_block *b;

	if (added) {
		*slot = r->blocks.nr;
		*vec_push(&r->blocks) = (struct branch_block){ module, start, end, 0, 0 };
	}
	b = &r->blocks.v[*slot];
	b->count++;
	b->cycles += cycles;
}

/* Entries stand newest first. */
static void read_stack(struct reader *r, const struct sample *s)
{
	for (uint64_t i = 0; i + 1 < s->nr_branches; i++) {
		uint64_t from = s->branches[i * 3], to = s->branches[(i + 1) * 3 + 1];
		uint64_t cycles = s->branches[i * 3 + 2] >> CYCLES_SHIFT & CYCLES_MASK;
		const struct place *place;
		struct module *module;
		uint64_t start;

		if (!cycles || to > from || from - to > BLOCK_BYTES_MAX)
			continue;
		place = place_of(r, s, to);
		module = place->module;
		start = place->elf_addr;
		place = place_of(r, s, from);
		if (module && place->module == module && place->elf_addr - start == from - to)
			add_block(r, module, start, place->elf_addr, cycles);
	}
}

static void read_block(struct reader *r, struct decoder *decoder, const struct block *block,
		       struct record *record)
{
	bool swap = r->profile->data->swap;
	const uint8_t *bytes;
	size_t at = 0;

	while ((bytes = block_record(block, swap, &at))) {
		if (record_header(bytes, swap).type != PERF_RECORD_SAMPLE ||
		    record_decode(decoder, bytes, record, NULL) < 0)
			continue;
		if (record->sample.nr_branches && filter_sample(r->query, &record->sample))
			read_stack(r, &record->sample);
	}
}

static int by_end(const void *x, const void *y)
{
	const struct branch_block *a = x, *b = y;

	if (a->module->index != b->module->index)
		return a->module->index < b->module->index ? -1 : 1;
	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return (a->start > b->start) - (a->start < b->start);
}

int branches_load(struct branches *out, const struct profile *profile,
		  const struct profile_query *query, struct err *err)
{
	const struct perf_data *data = profile->data;
	struct reader r = { .profile = profile, .query = query,
			    .arch = arch_find(data->arch ? data->arch : arch_host()->name) };
	struct record *record;
	struct decoder decoder;
	struct blocks *blocks;
	struct block block;
	bool any = false;
	int e;

	*out = (struct branches){ 0 };
	for (uint32_t i = 0; i < data->events.nr; i++)
		any |= (data->events.v[i].attr.sample_type & PERF_SAMPLE_BRANCH_STACK) != 0;
	if (!any)
		return 0;
	r.resolver = resolver_new(profile->processes);
	record = mem_zalloc(sizeof(*record));
	decoder_init(&decoder, &data->events, data->swap);
	blocks = blocks_new(data);
	while ((e = blocks_next(blocks, &block, err)) > 0) {
		read_block(&r, &decoder, &block, record);
		block_release(&block);
	}
	blocks_free(blocks);
	decoder_release(&decoder);
	free(record);
	resolver_free(r.resolver);
	map64_release(&r.ids);
	if (r.blocks.nr)
		qsort(r.blocks.v, r.blocks.nr, sizeof(*r.blocks.v), by_end);
	out->v = r.blocks.v;
	out->nr = r.blocks.nr;
	if (e < 0)
		branches_release(out);
	return e;
}

void branches_release(struct branches *b)
{
	free(b->v);
	*b = (struct branches){ 0 };
}

static size_t first_at(const struct branches *b, uint32_t module, uint64_t end)
{
	size_t lo = 0, hi = b->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct branch_block *m = &b->v[mid];

		if (m->module->index < module || (m->module->index == module && m->end < end))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct branch_block *branches_find(const struct branches *b, const struct module *module,
					 uint64_t start, uint64_t end, size_t *nr)
{
	size_t from = first_at(b, module->index, start);

	*nr = first_at(b, module->index, end) - from;
	return b->v + from;
}
