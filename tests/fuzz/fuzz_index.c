/* SPDX-License-Identifier: MIT */
/*
 * An index file: its sections as names, ranges and lines. The header's hash is made right,
 * or nothing behind it would ever be reached.
 */
#include "base/hash.h"
#include "symbols/dwarf.h"
#include "symbols/index.h"
#include "symbols/ranges.h"
#include "symbols/symbols.h"
#include "symbols/symtab.h"
#include "tests/fuzz/fuzz.h"

#define FILE_BYTES_AT 32
#define HASH_AT 64
#define HEADER_BYTES 72
#define SECTION_BYTES 24

static void make_right(uint8_t *bytes, size_t size)
{
	uint32_t nr;
	uint64_t hash, all = size;

	memcpy(bytes + FILE_BYTES_AT, &all, 8);
	memcpy(&nr, bytes + 20, 4);
	if (nr > (size - HEADER_BYTES) / SECTION_BYTES)
		return;
	hash = hash_mix(hash_bytes(bytes, HASH_AT),
			hash_bytes(bytes + HEADER_BYTES, (size_t)nr * SECTION_BYTES));
	memcpy(bytes + HASH_AT, &hash, 8);
}

static void look(const struct index *index)
{
	struct symtab *tab = symtab_load(index, 0, 0);
	struct ranges *ranges = ranges_load(index);
	struct symtab_hit hit;
	uint64_t start, end;

	for (uint64_t at = 0; at < 4096; at += 61) {
		if (tab && symtab_find(tab, at, &hit))
			fuzz_assert(strlen(symtab_name(tab, &hit)) < 1 << 20);
		if (ranges && ranges_find(ranges, at, &start, &end))
			fuzz_assert(start <= at && at < end);
	}
	symtab_free(tab);
	ranges_free(ranges);
}

static void look_for_lines(struct index *index, bool no_demangle)
{
	struct dwarf *dwarf = dwarf_of_index(index, no_demangle);
	struct source_frame frames[16];

	for (uint64_t at = 0; dwarf && at < 4096; at += 61) {
		uint32_t nr = dwarf_find(dwarf, at, frames, 16);

		fuzz_assert(nr <= 16);
		for (uint32_t i = 0; i < nr; i++)
			fuzz_assert((!frames[i].name || strlen(frames[i].name) < 1 << 26) &&
				    (!frames[i].file || strlen(frames[i].file) < 1 << 20));
	}
	dwarf_free(dwarf);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint8_t id[20] = "0123456789abcdefghi";
	uint8_t *copy;
	struct index *index;

	if (size < HEADER_BYTES)
		return 0;
	copy = malloc(size);
	memcpy(copy, bytes, size);
	make_right(copy, size);
	index = index_open_memory(copy, size, id, 20, INDEX_SYMS, 7);
	if (index)
		look(index);
	index_close(index);
	for (int raw = 0; raw < 2; raw++)
		look_for_lines(index_open_memory(copy, size, id, 20, INDEX_SYMS, 7), raw);
	free(copy);
	return 0;
}
