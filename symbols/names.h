/* SPDX-License-Identifier: MIT */
/*
 * names: the symbol tables of a binary, parsed once and then found in the index.
 *
 * In: the binary, and the files with more of its names.  Out: finished tables, read
 * from the cache's index of the binary's build-id (symbols/index.h) if there is one of
 * just these files, else parsed and, for tables worth it, written there.
 *
 * A binary without build-id is parsed each time.
 */
#ifndef SYMBOLS_NAMES_H
#define SYMBOLS_NAMES_H

#include "symbols/elf_file.h"
#include "symbols/ranges.h"
#include "symbols/symtab.h"

struct index;

struct names {
	struct symtab *symbols, *plt;
	struct elf_file *mini;           /* opened at need, and if there is no `debug` */
	struct index *index, *ranges_index;      /* what the tables are read from, or NULL */
};

/*
 * Fill the tables from `file` and its debug file (may be NULL), both borrowed for as long
 * as the names live. `options` are enum symtab_option.
 */
void names_open(struct names *names, struct elf_file *file, struct elf_file *debug,
		unsigned options);
void names_release(struct names *names);

/* The extents of the file's functions; the caller frees them before the names. */
struct ranges *names_ranges(struct names *names, struct elf_file *file);

#endif
