/* SPDX-License-Identifier: MIT */
#define XXH_INLINE_ALL
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

uint64_t hash_bytes(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}

struct hash128 hash_bytes128(const void *p, size_t n)
{
	XXH128_hash_t h = XXH3_128bits(p, n);

	return (struct hash128){ h.low64, h.high64 };
}

void map64_release(struct map64 *map)
{
	free(map->slots);
	memset(map, 0, sizeof(*map));
}

void map64_clear(struct map64 *map)
{
	if (map->nr)
		memset(map->slots, 0, (map->cap + 1) * sizeof(*map->slots));
	map->nr = 0;
	map->has_zero = false;
}

/* Of a key that is not 0. */
static inline struct map64_slot *slot_of(const struct map64 *map, uint64_t key)
{
	size_t i = hash_mix(key, key >> 32) & (map->cap - 1);

	while (map->slots[i].key && map->slots[i].key != key)
		i = (i + 1) & (map->cap - 1);
	return &map->slots[i];
}

uint64_t *map64_find(const struct map64 *map, uint64_t key)
{
	struct map64_slot *slot;

	if (!map->nr)
		return NULL;
	if (!key)
		return map->has_zero ? &map->slots[map->cap].value : NULL;
	slot = slot_of(map, key);
	return slot->key ? &slot->value : NULL;
}

static void map64_grow(struct map64 *map)
{
	struct map64 bigger = { .cap = map->cap ? map->cap * 2 : 16, .nr = map->nr,
				.has_zero = map->has_zero };

	bigger.slots = mem_zalloc_dense((bigger.cap + 1) * sizeof(*bigger.slots));
	for (size_t i = 0; i < map->cap; i++)
		if (map->slots[i].key)
			*slot_of(&bigger, map->slots[i].key) = map->slots[i];
	if (map->cap)
		bigger.slots[bigger.cap] = map->slots[map->cap];
	free(map->slots);
	*map = bigger;
}

uint64_t *map64_put(struct map64 *map, uint64_t key, bool *added)
{
	struct map64_slot *slot;
	bool is_new;

	if (map->nr * 4 >= map->cap * 3)
		map64_grow(map);
	slot = key ? slot_of(map, key) : &map->slots[map->cap];
	is_new = key ? !slot->key : !map->has_zero;
	if (added)
		*added = is_new;
	if (is_new) {
		map->has_zero |= !key;
		slot->key = key;
		slot->value = 0;
		map->nr++;
	}
	return &slot->value;
}

void intern_init(struct intern *table)
{
	memset(table, 0, sizeof(*table));
	arena_init(&table->arena);
}

void intern_release(struct intern *table)
{
	arena_release(&table->arena);
	free(table->strings);
	free(table->hashes);
	free(table->slots);
	intern_init(table);
}

static void intern_grow(struct intern *table)
{
	table->nr_slots = table->nr_slots ? table->nr_slots * 2 : 64;
	free(table->slots);
	table->slots = mem_zalloc(table->nr_slots * sizeof(*table->slots));
	for (uint32_t id = 0; id < table->nr; id++) {
		uint32_t i = (uint32_t)table->hashes[id] & (table->nr_slots - 1);

		while (table->slots[i])
			i = (i + 1) & (table->nr_slots - 1);
		table->slots[i] = id + 1;
	}
}

uint32_t intern_idn(struct intern *table, const char *s, size_t n)
{
	uint64_t hash = hash_bytes(s, n);
	uint32_t i, id;

	if (table->nr * 2 >= table->nr_slots)
		intern_grow(table);
	i = (uint32_t)hash & (table->nr_slots - 1);
	for (; table->slots[i]; i = (i + 1) & (table->nr_slots - 1)) {
		id = table->slots[i] - 1;
		if (table->hashes[id] == hash && strncmp(table->strings[id], s, n) == 0 &&
		    table->strings[id][n] == '\0')
			return id;
	}
	id = table->nr++;
	if (id >= table->cap) {
		table->cap = table->cap ? table->cap * 2 : 32;
		table->strings = mem_realloc_array(table->strings, table->cap,
						   sizeof(*table->strings));
		table->hashes = mem_realloc_array(table->hashes, table->cap,
						  sizeof(*table->hashes));
	}
	table->strings[id] = arena_strndup(&table->arena, s, n);
	table->hashes[id] = hash;
	table->slots[i] = id + 1;
	return id;
}

uint32_t intern_id(struct intern *table, const char *s)
{
	return intern_idn(table, s, strlen(s));
}

const char *intern_str(const struct intern *table, uint32_t id)
{
	return id < table->nr ? table->strings[id] : "";
}
