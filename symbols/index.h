/* SPDX-License-Identifier: MIT */
/*
 * index: tables made from a binary, kept on disk so that they are made once.
 *
 *	header | sections: { tag, bytes per element, offset, bytes } ... | tables
 *
 * One file in the cache per build-id and `kind` ("syms": names and function extents;
 * other kinds are whose maker wants one), so makers do not wait for each other.  It
 * is mapped, not read: a look-up touches the pages it needs.  Numbers are in the
 * host's byte order; a file of the other one, of another version or of another
 * length than its header says is as good as none.
 *
 * The fingerprint is the maker's: a hash over everything besides the build-id that
 * the tables depend on (the version of what is in them, which debug file was used:
 * index_hash_file).  With another one the index is not opened and made anew.
 *
 * The header is checked, and that each section lies in the file, is aligned to 8 and
 * holds whole elements.  What is in the elements is not: who looks something up
 * checks the numbers it finds (an index or offset against its table's size).
 *
 * Threads: any, once opened.
 */
#ifndef SYMBOLS_INDEX_H
#define SYMBOLS_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "symbols/cache.h"

#define INDEX_VERSION 1
#define INDEX_TAG(a, b, c, d) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | \
			       (uint32_t)(d) << 24)
#define INDEX_SYMS INDEX_TAG('s', 'y', 'm', 's')
#define INDEX_SECTIONS_MAX 1024

struct index;

/* The index in the cache, or NULL. size is the build-id's: 2 to 20. */
struct index *index_open(const uint8_t *build_id, uint8_t size, uint32_t kind,
			 uint64_t fingerprint);
/* The same over bytes, borrowed and aligned to 8: for tests. */
struct index *index_open_memory(const void *bytes, size_t nr_bytes, const uint8_t *build_id,
				uint8_t size, uint32_t kind, uint64_t fingerprint);
void index_close(struct index *index);

/*
 * A section's elements and how many they are; NULL if there is none of that tag, or
 * its elements are of another size. Lives as long as the index.
 */
const void *index_section(const struct index *index, uint32_t tag, size_t element_size,
			  size_t *nr);

/* An index to be written: tables are borrowed until index_write. */
struct index_draft {
	uint8_t build_id[20], build_id_size;
	uint32_t kind, nr;
	uint64_t fingerprint;
	struct {
		uint32_t tag;
		size_t element_size, nr;
		const void *elements;
	} sections[INDEX_SECTIONS_MAX];
};

void index_add(struct index_draft *draft, uint32_t tag, size_t element_size, const void *elements,
	       size_t nr);
/* Into the cache; 0 or a negative errno, which need not worry anyone. */
int index_write(const struct index_draft *draft);

/*
 * The same piece by piece, for what need not be in memory at once: the draft says how large
 * the sections are (their `elements` are not looked at), index_put takes all their bytes one
 * behind the other. After a failure of index_put or index_end nothing is left to drop.
 */
struct index_writer {
	const struct index_draft *draft;
	struct cache_draft file;
	uint32_t section;                /* that is being written */
	uint64_t left;                   /* bytes of it to come */
};

int index_begin(struct index_writer *writer, const struct index_draft *draft);
int index_put(struct index_writer *writer, const void *bytes, size_t size);
int index_end(struct index_writer *writer);
void index_drop(struct index_writer *writer);

/* Mix in what tells whether the file at `path` is still the same, or that there is none. */
uint64_t index_hash_file(uint64_t seed, const char *path);

/* For tables of a file and its debug file (NULL: none), and a version of their own. */
struct elf_file;
uint64_t index_fingerprint(const struct elf_file *file, const struct elf_file *debug,
			   uint64_t version);

#endif
