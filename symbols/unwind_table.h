/* SPDX-License-Identifier: MIT */
/*
 * unwind_table: a module's CFI, compiled once into something that is quick to look up.
 *
 *	rows     address -> rule, sorted          one for each stretch of code, 8 bytes
 *	rules    how to find the CFA, and which   few: most rows share them
 *	         registers were saved where
 *	saves    (register, kind, offset)
 *
 *	                 high   |  caller's frame   |
 *	            CFA ----->  +-------------------+   the stack pointer after the return
 *	                        |  return address   |   at CFA - 8 (x86_64)
 *	                        |  saved registers  |   at CFA + offset
 *	      stack pointer ->  |  locals ...       |
 *
 * Sources: .eh_frame, and where it says nothing .debug_frame, of the file or of its
 * separate debug file.  Expressions of the few shapes that compilers and linkers write
 * become kinds of their own; others are kept and evaluated at each step.
 *
 * Threads: one builds, any number look up.
 */
#ifndef SYMBOLS_UNWIND_TABLE_H
#define SYMBOLS_UNWIND_TABLE_H

#include "symbols/elf_file.h"

enum unwind_cfa {
	UNWIND_CFA_NONE,         /* no rule for this address */
	UNWIND_CFA_REG,          /* CFA = reg + offset */
	UNWIND_CFA_DEREF,        /* CFA = word at (reg + offset): a realigned stack, a signal frame */
	UNWIND_CFA_PLT,          /* CFA = reg + offset + 8 if (ip & 15) >= threshold, else without 8 */
	UNWIND_CFA_EXPR,         /* CFA = expression number `offset` */
};

enum unwind_save_kind {
	UNWIND_AT_CFA,           /* reg = word at (CFA + value) */
	UNWIND_IS_CFA,           /* reg = CFA + value */
	UNWIND_IN_REG,           /* reg = base */
	UNWIND_AT_REG,           /* reg = word at (base + value) */
	UNWIND_AT_EXPR,          /* reg = word at what expression number `value` gives */
	UNWIND_IS_EXPR,          /* reg = what expression number `value` gives */
	UNWIND_UNDEFINED,        /* reg cannot be had again; of the return address: the end */
};

struct unwind_save {
	uint8_t reg, kind, base;         /* DWARF's numbers of registers; enum unwind_save_kind */
	uint8_t zero;                    /* no padding: saves are hashed */
	int32_t value;
};

struct unwind_rule {
	uint8_t cfa;                     /* enum unwind_cfa */
	uint8_t cfa_reg;
	uint8_t threshold;               /* of UNWIND_CFA_PLT */
	uint8_t nr_saves;
	uint8_t ra_column;               /* the register that holds the return address */
	bool is_signal;                  /* what called this was interrupted and did not call */
	int32_t offset;
	uint32_t saves;                  /* the first of its */
};

struct unwind_expr {
	uint32_t at, size;               /* in the table's bytes */
};

struct unwind_table;

/* Read the CFI of `file`, and of `debug` (NULL: none). Never NULL; empty if there is none. */
struct unwind_table *unwind_table_new(struct elf_file *file, struct elf_file *debug);
/*
 * The same, from the index of the file's build-id (symbols/index.h) if it is there; and put
 * there what was made anew, if it is worth it. Keeping may run beside look-ups.
 */
struct unwind_table *unwind_table_open(struct elf_file *file, struct elf_file *debug);
void unwind_table_keep(const struct unwind_table *table, struct elf_file *file,
		       struct elf_file *debug);
/* What an index holds, for code with `nr_regs` registers; NULL: nothing sound. Takes the index. */
struct index;
struct unwind_table *unwind_table_load(struct index *index, unsigned nr_regs);
void unwind_table_free(struct unwind_table *table);

/* The rule for code at elf_addr, or NULL. */
const struct unwind_rule *unwind_table_find(const struct unwind_table *table, uint64_t elf_addr);

/* The rule's saves, nr_saves of them. */
const struct unwind_save *unwind_table_saves(const struct unwind_table *table,
					     const struct unwind_rule *rule);

/* The bytes of expression `index`; *size is their number. */
const uint8_t *unwind_table_expr(const struct unwind_table *table, int32_t index, uint32_t *size);

/* Whether elf_addr is in the first bytes of the program's entry, which nobody called. */
bool unwind_table_is_entry(const struct unwind_table *table, uint64_t elf_addr);

uint32_t unwind_table_rows(const struct unwind_table *table);
uint32_t unwind_table_rules(const struct unwind_table *table);

/*
 * How much of the code finds its CFA by the frame pointer once it is through the prologue,
 * in thousandths of its functions' bytes: near 1000 for code built with frame pointers.
 */
unsigned unwind_table_frame_pointers(const struct unwind_table *table);

#endif
