/* SPDX-License-Identifier: MIT */
/*
 * vec: growable arrays as three plain fields.
 *
 *	struct { struct thing *v; size_t nr, cap; } things = { 0 };
 *	*vec_push(&things) = thing;
 *	for (size_t i = 0; i < things.nr; i++) use(&things.v[i]);
 *	vec_release(&things);
 *
 * Growing moves the elements, so keep indices and not pointers.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"

/* Declare a growable array of `type`, zero-initialised is empty. */
#define VEC(type) struct { type *v; size_t nr, cap; }

static inline size_t vec_room(size_t need, size_t cap)
{
	size_t twice = cap < 8 ? 8 : cap * 2;

	return need > twice ? need : twice;
}

/* Make room for `n` more elements. */
#define vec_reserve(vec, n)                                                         \
	do {                                                                        \
		if ((vec)->cap - (vec)->nr < (size_t)(n)) {                         \
			(vec)->cap = vec_room((vec)->nr + (size_t)(n), (vec)->cap); \
			(vec)->v = mem_realloc_array((vec)->v, (vec)->cap,          \
						     sizeof(*(vec)->v));            \
		}                                                                   \
	} while (0)

/* Append one element, not initialised, and point at it. */
#define vec_push(vec) ({ vec_reserve(vec, 1); &(vec)->v[(vec)->nr++]; })

/* Give back the room for more, once there will be no more. */
#define vec_trim(vec)                                                                \
	do {                                                                         \
		if ((vec)->nr < (vec)->cap && (vec)->nr) {                           \
			(vec)->v = mem_realloc_array((vec)->v, (vec)->nr,            \
						     sizeof(*(vec)->v));             \
			(vec)->cap = (vec)->nr;                                      \
		}                                                                    \
	} while (0)

#define vec_release(vec)                        \
	do {                                    \
		free((vec)->v);                 \
		(vec)->v = NULL;                \
		(vec)->nr = (vec)->cap = 0;     \
	} while (0)

#endif
