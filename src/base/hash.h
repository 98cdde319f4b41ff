/* SPDX-License-Identifier: MIT */
/*
 * hash: xxh3 of bytes, and two tables made on it.
 *
 * `struct map64` maps a 64-bit key to a 64-bit value (open addressing, linear
 * probing, grows at 3/4).  `struct intern` gives each distinct string a small
 * id, counted from 0, and the string back from the id; the pointer it returns
 * is stable until release, so equal strings may be compared by pointer.
 *
 * Not for use by two threads at once.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

uint64_t hash_bytes(const void *p, size_t n);
/* Of 128 bits: two different things with one hash are not to be expected. */
struct hash128 { uint64_t lo, hi; };
struct hash128 hash_bytes128(const void *p, size_t n);

/* One folded 64x64 multiply, as in wyhash: cheap and mixes all bits. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15ull) *
			      (b ^ 0xd6e8feb86659fd93ull);

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

struct map64_slot { uint64_t key, value; };      /* key 0: free */

struct map64 {
	struct map64_slot *slots;        /* cap of them, and one for the key 0 */
	size_t cap, nr;
	bool has_zero;
};

void map64_release(struct map64 *map);               /* zero-initialised is empty */

/* Forget all, and keep the room. */
void map64_clear(struct map64 *map);

/* Each one that is in the map: for (size_t i = 0; (s = map64_next(map, &i));) */
static inline const struct map64_slot *map64_next(const struct map64 *map, size_t *i)
{
	for (; *i < map->cap; (*i)++)
		if (map->slots[*i].key)
			return &map->slots[(*i)++];
	return (*i)++ == map->cap && map->has_zero ? &map->slots[map->cap] : NULL;
}

/* Point at the value for `key`, or NULL. Valid until the next put. */
uint64_t *map64_find(const struct map64 *map, uint64_t key);

/* Point at the value for `key`, made 0 if new; *added (may be NULL) tells. */
uint64_t *map64_put(struct map64 *map, uint64_t key, bool *added);

struct intern {
	struct arena arena;
	const char **strings;         /* id -> string */
	uint32_t nr, cap;
	uint32_t *slots;              /* id + 1, or 0 */
	uint64_t *hashes;             /* id -> hash */
	uint32_t nr_slots;
};

void intern_init(struct intern *table);
void intern_release(struct intern *table);
uint32_t intern_id(struct intern *table, const char *s);
uint32_t intern_idn(struct intern *table, const char *s, size_t n);
const char *intern_str(const struct intern *table, uint32_t id);

#endif
