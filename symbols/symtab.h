/* SPDX-License-Identifier: MIT */
/*
 * symtab: names over a range of addresses, found by binary search.
 *
 * In: symbols in any order, overlapping, nested, with and without sizes, many at
 * one address.  Out: for an address, the one symbol that names it.
 *
 *	added      |--- outer ------------------|      |- unsized ...
 *	               |- inner -|                         |- next -|
 *	segments   |out|- inner -|--- outer ----| none |-uns|- next -| none
 *
 * Which symbol wins (fixed; tests/unit/test_symtab.c has a case for each line):
 *  1. the one that starts last before the address, and still covers it;
 *  2. a symbol without a size ends at the next symbol, or with its section, and
 *     one that starts inside a sized symbol is a label and names nothing;
 *  3. of several with the same start: sized over unsized, typed over untyped,
 *     global over local over weak, fewer leading underscores, the longer name,
 *     the one added first.  (perf's order.  That local goes before weak is not
 *     pretty, __GI___libc_open for open64, but the text of both compares equal.)
 *  With SYMTAB_LAST_WINS rule 3 is: the one added last.  kallsyms has no sizes,
 *  and perf's fix-up of ends leaves only the last alias a size.
 *
 * Names are borrowed from string tables, which the caller keeps alive, or copied
 * (symtab_add_name).  A name is demangled when it is first asked for.
 *
 * Threads: one builds; after symtab_finish any number may look up.
 */
#ifndef SYMBOLS_SYMTAB_H
#define SYMBOLS_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum symtab_bind {
	SYMTAB_WEAK,
	SYMTAB_LOCAL,
	SYMTAB_GLOBAL,
};

enum symtab_flag {
	SYMTAB_BIND_MASK = 3,
	SYMTAB_UNTYPED = 4,      /* STT_NOTYPE */
	SYMTAB_UNSIZED = 8,      /* `size` is the most it can be */
	SYMTAB_OPEN = 16,        /* unsized, and nothing tells how far it can go */
};

enum symtab_option {
	SYMTAB_LAST_WINS = 1,
	SYMTAB_NO_DEMANGLE = 2,
};

struct symtab;

/* A symbol that was found. name is as it stands in the string table. */
struct symtab_hit {
	uint64_t start, end;
	const char *name;
	uint32_t index;
	bool unsized;
};

struct symtab *symtab_new(unsigned options);
void symtab_free(struct symtab *tab);

/*
 * Use `size` bytes at `base` for names from now on, borrowed. Names that are not
 * ended inside them are refused. Returns the table's number, or -1 when there are
 * too many or it is larger than 4 GB.
 */
int symtab_add_strings(struct symtab *tab, const char *base, size_t size);

/*
 * Add [start, start + size), named by the string at `name` of table `strings`.
 * `flags` is an enum symtab_bind with enum symtab_flag's. Empty names and empty
 * ranges are left out, and none goes round the end of addresses: returns whether
 * it was added.
 */
bool symtab_add(struct symtab *tab, uint64_t start, uint64_t size, int strings, uint64_t name,
		unsigned flags);

/* The same with a name that is copied. */
bool symtab_add_name(struct symtab *tab, uint64_t start, uint64_t size, const char *name,
		     unsigned flags);

/* Let the last symbol, if it is SYMTAB_OPEN, end with its page and one more. Before finish. */
void symtab_end_last(struct symtab *tab, uint64_t page);

/* Start of a symbol of this name; false if none. Before finish, which drops aliases. */
bool symtab_find_name(const struct symtab *tab, const char *name, uint64_t *start);

/* Sort and link; then look-ups may begin, and nothing can be added any more. */
void symtab_finish(struct symtab *tab);

/*
 * Put a finished table into an index (number, up to 65535, tells tables of one index apart); the
 * draft borrows until symtab_saved. And back: look-ups read the index, which has to
 * outlive the table. NULL if it has none of that number, or a damaged one.
 */
struct index;
struct index_draft;
void symtab_save(struct symtab *tab, struct index_draft *draft, unsigned number);
void symtab_saved(struct symtab *tab);
struct symtab *symtab_load(const struct index *index, unsigned number, unsigned options);

uint32_t symtab_count(const struct symtab *tab);
bool symtab_find(const struct symtab *tab, uint64_t addr, struct symtab_hit *out);

/* The name to show for a hit: demangled where it can be. Lives as long as the table. */
const char *symtab_name(struct symtab *tab, const struct symtab_hit *hit);

#endif
