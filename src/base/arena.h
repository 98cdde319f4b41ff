/* SPDX-License-Identifier: MIT */
/*
 * arena: many small objects that die together.
 *
 * Objects are carved off chunks and never freed one by one; arena_release frees
 * them all.  Pointers stay valid until then.  Not for use by two threads at once.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
	char *next, *end;
	size_t total;        /* bytes asked of the allocator */
};

void arena_init(struct arena *arena);
void arena_release(struct arena *arena);
/* Take over all of another arena's objects, which is empty then. */
void arena_take(struct arena *arena, struct arena *from);

/* Aligned for any type; arena_zalloc's are zeroed. Never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);
void *arena_dup(struct arena *arena, const void *p, size_t size);
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t n);

#endif
