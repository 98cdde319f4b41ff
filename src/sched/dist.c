/* SPDX-License-Identifier: MIT */
#include "sched/dist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SUB_BITS 5
#define SUB (1u << SUB_BITS)
#define GROW 32u                 /* buckets more than needed, at either end */

static uint32_t bucket_of(uint64_t ns)
{
	unsigned exponent;

	if (ns < SUB)
		return (uint32_t)ns;
	exponent = 63 - (unsigned)__builtin_clzll(ns);
	return (exponent - SUB_BITS + 1) * SUB + (uint32_t)(ns >> (exponent - SUB_BITS) & (SUB - 1));
}

/* The middle of a bucket. */
static uint64_t bucket_value(uint32_t bucket)
{
	unsigned shift;

	if (bucket < SUB)
		return bucket;
	shift = bucket / SUB - 1;
	return ((uint64_t)(SUB + bucket % SUB) << shift) + (shift ? 1ull << (shift - 1) : 0);
}

static void make_room(struct dist *d, uint32_t low, uint32_t high)
{
	uint32_t end = d->low + d->nr_buckets, *buckets;

	if (d->nr_buckets && low >= d->low && high < end)
		return;
	if (!d->nr_buckets || low < d->low)
		low = low > GROW ? low - GROW : 0;
	else
		low = d->low;
	if (!d->nr_buckets || high >= end)
		end = high + GROW;
	buckets = mem_zalloc((end - low) * sizeof(*buckets));
	if (d->nr_buckets)
		memcpy(buckets + (d->low - low), d->buckets, d->nr_buckets * sizeof(*buckets));
	free(d->buckets);
	d->buckets = buckets;
	d->low = low;
	d->nr_buckets = end - low;
}

static unsigned log2_of(uint64_t ns)
{
	uint64_t us = ns / 1000;
	unsigned n = us < 2 ? 0 : 63 - (unsigned)__builtin_clzll(us);

	return n < DIST_LOG2_MAX ? n : DIST_LOG2_MAX - 1;
}

void dist_release(struct dist *d)
{
	free(d->buckets);
	memset(d, 0, sizeof(*d));
}

void dist_add(struct dist *d, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t ns = to_ns - from_ns;
	uint32_t bucket = bucket_of(ns);

	make_room(d, bucket, bucket);
	d->buckets[bucket - d->low]++;
	d->log2_us[log2_of(ns)]++;
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
	make_room(to, from->low, from->low + from->nr_buckets - 1);
	for (uint32_t i = 0; i < from->nr_buckets; i++)
		to->buckets[from->low + i - to->low] += from->buckets[i];
	for (unsigned i = 0; i < DIST_LOG2_MAX; i++)
		to->log2_us[i] += from->log2_us[i];
	if (!to->nr || from->max_ns > to->max_ns) {
		to->max_ns = from->max_ns;
		to->max_from_ns = from->max_from_ns;
		to->max_to_ns = from->max_to_ns;
	}
	to->nr += from->nr;
	to->total_ns += from->total_ns;
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
	for (uint32_t i = 0; i < d->nr_buckets; i++) {
		seen += d->buckets[i];
		if (seen < rank)
			continue;
		value = bucket_value(d->low + i);
		return value < d->max_ns ? value : d->max_ns;
	}
	return d->max_ns;
}
