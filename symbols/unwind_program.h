/* SPDX-License-Identifier: MIT */
/*
 * unwind_program: runs the instructions of CFI and tells what holds for which code.
 *
 * In: an FDE.  Out: stretches of code [from, to), in order, each with the state that the
 * instructions before it have made (DWARF 5, 6.4.2).  An instruction that is not known
 * ends the program: what it would have said of the rest is not guessed.
 */
#ifndef SYMBOLS_UNWIND_PROGRAM_H
#define SYMBOLS_UNWIND_PROGRAM_H

#include "arch/arch.h"
#include "symbols/cfi.h"
#include "symbols/unwind_table.h"

struct cfi_expr {
	const uint8_t *bytes;            /* in the section */
	uint32_t size;
};

struct cfi_state {
	uint8_t cfa, cfa_reg, threshold; /* as struct unwind_rule */
	int32_t offset;
	struct cfi_expr cfa_expr;
	uint64_t set;                    /* registers with a rule, a bit each */
	struct unwind_save regs[ARCH_DWARF_REGS_MAX];
	struct cfi_expr exprs[ARCH_DWARF_REGS_MAX];
};

typedef void cfi_stretch_fn(const struct cfi_state *state, uint64_t from, uint64_t to, void *arg,
			    const struct cfi_cie *cie);

struct cfi_machine;

/* `nr_regs` registers are kept track of; rules of others are read over. Never NULL. */
struct cfi_machine *cfi_machine_new(unsigned nr_regs, cfi_stretch_fn *fn, void *arg);
void cfi_machine_free(struct cfi_machine *machine);

void cfi_machine_run(struct cfi_machine *machine, struct cfi *cfi, const struct cfi_fde *fde);

#endif
