/* SPDX-License-Identifier: MIT */
/*
 * dist: how times are distributed, in little memory whatever their number.
 *
 * Exact are number, sum and maximum, with when it began and ended.  Percentiles come from
 * buckets that are 1/32 of a power of two wide, so that they are off by 1.6 % at most;
 * only the span of buckets that is in use takes memory.  Beside them stand the powers of two
 * of microseconds, for pictures of text.
 */
#ifndef SCHED_DIST_H
#define SCHED_DIST_H

#include <stdint.h>

#define DIST_LOG2_MAX 32

struct dist {
	uint64_t nr, total_ns, max_ns;
	uint64_t max_from_ns, max_to_ns;
	uint32_t *buckets;               /* of values from bucket `low` on */
	uint32_t low, nr_buckets;
	uint32_t log2_us[DIST_LOG2_MAX]; /* [0]: below 2 us, [n]: from 2^n us on */
};

void dist_release(struct dist *dist);    /* zero-initialised is empty */
void dist_add(struct dist *dist, uint64_t from_ns, uint64_t to_ns);
void dist_merge(struct dist *to, const struct dist *from);

uint64_t dist_average(const struct dist *dist);
/* The least value that `percent` of all do not exceed (nearest rank); 0 of nothing. */
uint64_t dist_percentile(const struct dist *dist, double percent);

#endif
