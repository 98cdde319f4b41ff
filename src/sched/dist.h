/* SPDX-License-Identifier: MIT */
/*
 * dist: how times are distributed, in little memory whatever their number.
 *
 * Exact are number, sum and maximum, with when it began and ended.  Percentiles come from
 * buckets that are 1/64 of a power of two wide, so that they are off by 0.8 % at most.  The
 * powers of two of microseconds, for pictures of text, are exact sums of buckets: 1000 in
 * binary is 1111101000, and six bits after the first tell all that is not zero.
 *
 * Few different times are kept as a list of the buckets that are in use, four bytes each: a
 * task that ran ten times takes 40.  More take the whole span from the least to the greatest.
 */
#ifndef SCHED_DIST_H
#define SCHED_DIST_H

#include <stdbool.h>
#include <stdint.h>

#define DIST_LOG2_MAX 32

struct dist {
	uint64_t nr, total_ns, max_ns;
	uint64_t max_from_ns, max_to_ns;
	uint32_t *cells;                 /* sorted buckets with their counts, or a span's counts */
	uint16_t nr_cells, cap;
	uint16_t low;                    /* of a span: the first one's bucket */
	bool is_span;
};

void dist_release(struct dist *dist);    /* zero-initialised is empty */
void dist_add(struct dist *dist, uint64_t from_ns, uint64_t to_ns);
void dist_merge(struct dist *to, const struct dist *from);
/* Give back the room for more. */
void dist_trim(struct dist *dist);

uint64_t dist_average(const struct dist *dist);
/* The least value that `percent` of all do not exceed (nearest rank); 0 of nothing. */
uint64_t dist_percentile(const struct dist *dist, double percent);
/* How many: [0] below 2 us, [n] from 2^n us on. Returns the last that is not 0, or 0. */
unsigned dist_log2(const struct dist *dist, uint64_t out[DIST_LOG2_MAX]);

#endif
