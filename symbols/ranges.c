/* SPDX-License-Identifier: MIT */
#include "symbols/ranges.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/vec.h"
#include "symbols/cfi.h"
#include "symbols/index.h"

struct range {
	uint64_t start, end;
};

struct ranges {
	VEC(struct range) v;
	bool is_loaded;          /* v is an index's */
};

static void take_fde(const struct cfi_fde *fde, void *arg)
{
	struct ranges *ranges = arg;

	*vec_push(&ranges->v) = (struct range){ fde->start, fde->end };
}

static int compare_ranges(const void *pa, const void *pb)
{
	const struct range *a = pa, *b = pb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->end < b->end ? 1 : a->end > b->end ? -1 : 0;
}

/* One address, one range: the first that starts keeps what it has. */
static void sort_out(struct ranges *ranges)
{
	size_t out = 0;

	if (ranges->v.nr > 1)
		qsort(ranges->v.v, ranges->v.nr, sizeof(*ranges->v.v), compare_ranges);
	for (size_t i = 0; i < ranges->v.nr; i++)
		if (!out || ranges->v.v[i].start >= ranges->v.v[out - 1].end)
			ranges->v.v[out++] = ranges->v.v[i];
	ranges->v.nr = out;
}

struct ranges *ranges_new(struct elf_file *file)
{
	struct ranges *ranges = mem_zalloc(sizeof(*ranges));
	struct cfi cfi;

	if (cfi_init(&cfi, file, false)) {
		cfi_each(&cfi, take_fde, ranges);
		sort_out(ranges);
		cfi_release(&cfi);
	}
	return ranges;
}

void ranges_free(struct ranges *ranges)
{
	if (!ranges)
		return;
	if (!ranges->is_loaded)
		vec_release(&ranges->v);
	free(ranges);
}

#define TAG INDEX_TAG('r', 'n', 'g', 's')

void ranges_save(const struct ranges *ranges, struct index_draft *draft)
{
	index_add(draft, TAG, sizeof(*ranges->v.v), ranges->v.v, ranges->v.nr);
}

struct ranges *ranges_load(const struct index *index)
{
	size_t nr;
	const struct range *v = index_section(index, TAG, sizeof(*v), &nr);
	struct ranges *ranges;

	if (!v)
		return NULL;
	ranges = mem_zalloc(sizeof(*ranges));
	ranges->is_loaded = true;
	ranges->v.v = (struct range *)(uintptr_t)v;
	ranges->v.nr = nr;
	return ranges;
}

uint32_t ranges_count(const struct ranges *ranges)
{
	return (uint32_t)ranges->v.nr;
}

bool ranges_find(const struct ranges *ranges, uint64_t elf_addr, uint64_t *start, uint64_t *end)
{
	size_t low = 0, high = ranges->v.nr;
	const struct range *range;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ranges->v.v[mid].start <= elf_addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return false;
	range = &ranges->v.v[low - 1];
	if (elf_addr >= range->end || elf_addr < range->start)
		return false;
	*start = range->start;
	*end = range->end;
	return true;
}
