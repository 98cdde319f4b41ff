/* SPDX-License-Identifier: MIT */
/*
 * sort_runs: sort what stands mostly in order, by merging the runs that are there.
 *
 *	static bool is_before(const struct thing *a, const struct thing *b);
 *	SORT_RUNS(sort_things, struct thing, is_before)
 *
 *	v = sort_things(v, nr);
 *
 * What is in order already costs one look, two runs one merging. Of equal elements the first
 * stays the first. `v` is from mem_*, and may be another array afterwards, of nr elements.
 */
#ifndef BASE_SORT_RUNS_H
#define BASE_SORT_RUNS_H

#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"

#define SORT_RUNS(name, type, is_before)                                                   \
	static size_t name##_run(const type *v, size_t at, size_t nr)                      \
	{                                                                                  \
		while (++at < nr && !is_before(&v[at], &v[at - 1]))                        \
			;                                                                  \
		return at < nr ? at : nr;                                                  \
	}                                                                                  \
	static void name##_merge(type *to, const type *a, const type *mid, const type *end) \
	{                                                                                  \
		const type *b = mid;                                                       \
                                                                                           \
		while (a < mid && b < end)                                                 \
			*to++ = is_before(b, a) ? *b++ : *a++;                             \
		while (a < mid)                                                            \
			*to++ = *a++;                                                      \
		while (b < end)                                                            \
			*to++ = *b++;                                                      \
	}                                                                                  \
	static type *name(type *v, size_t nr)                                              \
	{                                                                                  \
		type *to, *other;                                                          \
                                                                                           \
		if (name##_run(v, 0, nr) >= nr)                                            \
			return v;                                                          \
		to = mem_realloc_array(NULL, nr, sizeof(*to));                             \
		do {                                                                       \
			for (size_t at = 0, mid, end; at < nr; at = end) {                 \
				mid = name##_run(v, at, nr);                               \
				end = mid < nr ? name##_run(v, mid, nr) : nr;              \
				name##_merge(to + at, v + at, v + mid, v + end);           \
			}                                                                  \
			other = v;                                                         \
			v = to;                                                            \
			to = other;                                                        \
		} while (name##_run(v, 0, nr) < nr);                                       \
		free(to);                                                                  \
		return v;                                                                  \
	}

#endif
