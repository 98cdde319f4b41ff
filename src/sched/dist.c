/* SPDX-License-Identifier: MIT */
#include "sched/dist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SUB_BITS 6
#define SUB (1u << SUB_BITS)
#define NR_BUCKETS ((64 - SUB_BITS + 1) * SUB)
#define SPAN_GROWS 32u           /* buckets more than needed, at either end */

/* A cell of a list: bucket above, count below. */
#define COUNT_BITS 20
#define COUNT_MAX ((1u << COUNT_BITS) - 1)
#define LIST_MAX 128u            /* a new one costs a move of those behind it */
#define LIST_GROWS 6u            /* with malloc's own word, 32 bytes */

static uint32_t bucket_of(uint64_t ns)
{
	unsigned exponent;

	if (ns < SUB)
		return (uint32_t)ns;
	exponent = 63 - (unsigned)__builtin_clzll(ns);
	return (exponent - SUB_BITS + 1) * SUB + (uint32_t)(ns >> (exponent - SUB_BITS) & (SUB - 1));
}

static uint64_t bucket_start(uint32_t bucket)
{
	return bucket < SUB ? bucket : (uint64_t)(SUB + bucket % SUB) << (bucket / SUB - 1);
}

static uint64_t bucket_middle(uint32_t bucket)
{
	unsigned shift = bucket < SUB ? 0 : bucket / SUB - 1;

	return bucket_start(bucket) + (shift ? 1ull << (shift - 1) : 0);
}

/* --- cells ---------------------------------------------------------------------------------- */

static uint32_t cell_bucket(const struct dist *d, uint32_t i)
{
	return d->is_span ? d->low + i : d->cells[i] >> COUNT_BITS;
}

static uint32_t cell_count(const struct dist *d, uint32_t i)
{
	return d->is_span ? d->cells[i] : d->cells[i] & COUNT_MAX;
}

/* Make the span hold buckets from low to high. */
static void widen_span(struct dist *d, uint32_t low, uint32_t high)
{
	uint32_t end = d->low + d->nr_cells, *cells;

	if (low >= d->low && high < end)
		return;
	low = low >= d->low ? d->low : low > SPAN_GROWS ? low - SPAN_GROWS : 0;
	if (high >= end)
		end = high + SPAN_GROWS < NR_BUCKETS ? high + SPAN_GROWS : NR_BUCKETS;
	cells = mem_zalloc((end - low) * sizeof(*cells));
	memcpy(cells + (d->low - low), d->cells, d->nr_cells * sizeof(*cells));
	free(d->cells);
	d->cells = cells;
	d->low = (uint16_t)low;
	d->nr_cells = d->cap = (uint16_t)(end - low);
}

static void list_to_span(struct dist *d)
{
	uint32_t *list = d->cells, low = list[0] >> COUNT_BITS;
	uint32_t nr = d->nr_cells, high = list[nr - 1] >> COUNT_BITS;

	d->is_span = true;
	d->low = (uint16_t)low;
	d->nr_cells = d->cap = (uint16_t)(high - low + 1);
	d->cells = mem_zalloc(d->nr_cells * sizeof(*d->cells));
	for (uint32_t i = 0; i < nr; i++)
		d->cells[(list[i] >> COUNT_BITS) - low] = list[i] & COUNT_MAX;
	free(list);
}

/* Where a bucket stands in the list, or has to. */
static uint32_t list_place(const struct dist *d, uint32_t bucket)
{
	uint32_t from = 0, to = d->nr_cells;

	while (from < to) {
		uint32_t middle = (from + to) / 2;

		if (d->cells[middle] >> COUNT_BITS < bucket)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* False if it is no more for a list. */
static bool list_add(struct dist *d, uint32_t bucket, uint32_t n)
{
	uint32_t at = list_place(d, bucket);

	if (n > COUNT_MAX)
		return false;
	if (at < d->nr_cells && d->cells[at] >> COUNT_BITS == bucket) {
		if ((d->cells[at] & COUNT_MAX) + n > COUNT_MAX)
			return false;
		d->cells[at] += n;
		return true;
	}
	if (d->nr_cells == LIST_MAX)
		return false;
	if (d->nr_cells == d->cap) {
		d->cap = (uint16_t)(d->cap + (d->cap ? d->cap / 4u + 8 : LIST_GROWS));
		d->cells = mem_realloc_array(d->cells, d->cap, sizeof(*d->cells));
	}
	memmove(d->cells + at + 1, d->cells + at, (d->nr_cells - at) * sizeof(*d->cells));
	d->cells[at] = bucket << COUNT_BITS | n;
	d->nr_cells++;
	return true;
}

static void count(struct dist *d, uint32_t bucket, uint32_t n)
{
	if (!d->is_span) {
		if (list_add(d, bucket, n))
			return;
		if (!d->nr_cells)
			list_add(d, bucket, 0);
		list_to_span(d);
	}
	widen_span(d, bucket, bucket);
	d->cells[bucket - d->low] += n;
}

/* --- from outside ----------------------------------------------------------------------------- */

void dist_release(struct dist *d)
{
	free(d->cells);
	memset(d, 0, sizeof(*d));
}

void dist_add(struct dist *d, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t ns = to_ns - from_ns;

	count(d, bucket_of(ns), 1);
	d->total_ns += ns;
	if (!d->nr++ || ns > d->max_ns) {
		d->max_ns = ns;
		d->max_from_ns = from_ns;
		d->max_to_ns = to_ns;
	}
}

void dist_merge(struct dist *to, const struct dist *from)
{
	if (!from->nr)
		return;
	if (to->is_span)
		widen_span(to, cell_bucket(from, 0), cell_bucket(from, from->nr_cells - 1u));
	for (uint32_t i = 0; i < from->nr_cells; i++)
		if (cell_count(from, i))
			count(to, cell_bucket(from, i), cell_count(from, i));
	if (!to->nr || from->max_ns > to->max_ns) {
		to->max_ns = from->max_ns;
		to->max_from_ns = from->max_from_ns;
		to->max_to_ns = from->max_to_ns;
	}
	to->nr += from->nr;
	to->total_ns += from->total_ns;
}

void dist_trim(struct dist *d)
{
	if (d->is_span || d->nr_cells == d->cap)
		return;
	d->cells = mem_realloc_array(d->cells, d->nr_cells, sizeof(*d->cells));
	d->cap = d->nr_cells;
}

uint64_t dist_average(const struct dist *d)
{
	return d->nr ? d->total_ns / d->nr : 0;
}

uint64_t dist_percentile(const struct dist *d, double percent)
{
	uint64_t rank = (uint64_t)ceil((double)d->nr * percent / 100), seen = 0, value;

	if (!d->nr)
		return 0;
	if (!rank)
		rank = 1;
	for (uint32_t i = 0; i < d->nr_cells; i++) {
		seen += cell_count(d, i);
		if (seen < rank)
			continue;
		value = bucket_middle(cell_bucket(d, i));
		return value < d->max_ns ? value : d->max_ns;
	}
	return d->max_ns;
}

static unsigned log2_of(uint64_t ns)
{
	uint64_t us = ns / 1000;
	unsigned n = us < 2 ? 0 : 63 - (unsigned)__builtin_clzll(us);

	return n < DIST_LOG2_MAX ? n : DIST_LOG2_MAX - 1;
}

unsigned dist_log2(const struct dist *d, uint64_t out[DIST_LOG2_MAX])
{
	unsigned last = 0;

	memset(out, 0, DIST_LOG2_MAX * sizeof(*out));
	for (uint32_t i = 0; i < d->nr_cells; i++) {
		unsigned n = log2_of(bucket_start(cell_bucket(d, i)));

		out[n] += cell_count(d, i);
		if (out[n])
			last = n;
	}
	return last;
}
