/* SPDX-License-Identifier: MIT */
/*
 * unwind_expr: evaluates the DWARF expressions that stand in CFI (DWARF 5, 2.5 and
 * 6.4.2): arithmetic, registers, memory, branches.
 */
#ifndef SYMBOLS_UNWIND_EXPR_H
#define SYMBOLS_UNWIND_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct unwind_regs;

struct expr_input {
	const uint8_t *bytes;
	uint32_t size;
	const struct unwind_regs *regs;
	unsigned nr_regs, word_bytes;
	bool has_first;                  /* the stack begins with `first`: a CFA */
	uint64_t first;
	bool (*read)(void *arg, uint64_t addr, void *out, size_t size);
	void *arg;
};

/* False for what is no expression of CFI, takes too long, or reads what cannot be read. */
bool unwind_expr(const struct expr_input *in, uint64_t *out);

#endif
