/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CHUNK_BYTES ((size_t)256 * 1024)
#define POPULATE_FROM (4 * CHUNK_BYTES)
#define HUGE_FROM (16 * CHUNK_BYTES)
#define HUGE_CHUNK_BYTES (MEM_HUGE_BYTES - 64)   /* with what malloc and the chunk need before it */
#define ALIGN_BYTES alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next;
	max_align_t data[];
};

void arena_init(struct arena *arena)
{
	memset(arena, 0, sizeof(*arena));
}

void arena_release(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks;

	while (chunk) {
		struct arena_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	arena_init(arena);
}

void arena_take(struct arena *arena, struct arena *from)
{
	struct arena_chunk **last = &arena->chunks;

	while (*last)
		last = &(*last)->next;
	*last = from->chunks;
	arena->total += from->total;
	arena_init(from);
}

static void *chunk_add(struct arena *arena, size_t bytes)
{
	struct arena_chunk *chunk = mem_alloc(sizeof(*chunk) + bytes);

	/* what has grown this far will fill one more */
	if (bytes == HUGE_CHUNK_BYTES)
		mem_huge(chunk, MEM_HUGE_BYTES);
	else if (bytes == CHUNK_BYTES && arena->total >= POPULATE_FROM)
		mem_populate(chunk, bytes);
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->total += sizeof(*chunk) + bytes;
	return chunk->data;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t bytes = (size + ALIGN_BYTES - 1) & ~(ALIGN_BYTES - 1);
	void *p;

	if (bytes < size || bytes > SIZE_MAX / 2)
		mem_fail(size);
	/* A large object gets a chunk of its own; the open chunk stays open. */
	if (bytes > CHUNK_BYTES / 4)
		return chunk_add(arena, bytes);
	if (!arena->next || (size_t)(arena->end - arena->next) < bytes) {
		size_t room = arena->total < HUGE_FROM ? CHUNK_BYTES : HUGE_CHUNK_BYTES;

		arena->next = chunk_add(arena, room);
		arena->end = arena->next + room;
	}
	p = arena->next;
	arena->next += bytes;
	return p;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
	return memset(arena_alloc(arena, size), 0, size);
}

void *arena_dup(struct arena *arena, const void *src, size_t size)
{
	void *p = arena_alloc(arena, size);

	if (size)
		memcpy(p, src, size);
	return p;
}

char *arena_strndup(struct arena *arena, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = arena_alloc(arena, len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return arena_dup(arena, s, strlen(s) + 1);
}
