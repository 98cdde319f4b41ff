/* SPDX-License-Identifier: MIT */
/*
 * script_insn: the instruction at a sampled address, from the file that ran.
 *
 * Each place is read and decoded once. Where there is no code to be had (JIT, a file that
 * is not here or not the one that ran) an instruction has no bytes.
 */
#ifndef VIEW_SCRIPT_INSN_H
#define VIEW_SCRIPT_INSN_H

#include "profile/resolve.h"

#define INSN_BYTES_MAX 16

struct script_insns;

/* Never NULL. */
struct script_insns *script_insns_new(void);
void script_insns_free(struct script_insns *insns);

/* Write the instruction's bytes to out and return how many it has; 0: not known. */
unsigned script_insn(struct script_insns *insns, const struct place *place,
		     uint8_t out[INSN_BYTES_MAX]);

#endif
