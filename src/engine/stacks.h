/* SPDX-License-Identifier: MIT */
/*
 * stacks: samples with a copy of the user stack, made small before they are written.
 *
 *	as the kernel writes it   | ... | chain: kernel part | ... | regs | size | stack ....... | live | ... |
 *	cut                       | ... | chain: kernel part | ... | regs | live | stack | live | ... |
 *	unwound                   | ... | chain: kernel, user part | ... | none | 0 | ... |
 *
 * The kernel reserves all of the asked size for each sample, however little of it it could
 * fill.  An unwound sample has the kernel's form too: registers of no ABI and a stack of
 * no bytes are what a kernel thread's sample has.  So both kinds stand in one file under
 * one attr, and perf reads either.  Why a stack is not whole stands in the stack's place:
 * 8 bytes that are none of them live, which is nothing to unwind for who does not know them.
 *
 * A sample is written with its stack (to be unwound when it is read) where that is the
 * only way to lose nothing: in haste, while a file's table is not made yet, and where no
 * mapping is known at a return address.
 *
 * Threads: all calls by one.
 */
#ifndef ENGINE_STACKS_H
#define ENGINE_STACKS_H

#include "formats/record.h"
#include "symbols/unwind.h"

struct stacks;

struct stacks_tally {
	uint64_t unwound[UNWIND_STOP_COUNT];     /* samples, by how their walk ended */
	uint64_t kept;                   /* samples written with their stack although to be unwound */
};

/*
 * `events` (indexed) and `arch` are borrowed. With `room` samples are unwound, and it tells
 * whether a round may wait for a table (engine/live_code.h); NULL: only cut. -EAGAIN when
 * there is no thread to be had.
 */
int stacks_new(struct stacks **out, const struct event_set *events, const struct arch *arch,
	       bool (*room)(void *arg), void *arg, struct err *err);
void stacks_free(struct stacks *stacks);

/* A MMAP2 record that ends with its name, ahead of its round (engine/mapwatch.h). */
void stacks_expect(struct stacks *stacks, const void *bytes);
/* Take a side-band record of this round, whole, at `bytes`. */
void stacks_take(struct stacks *stacks, const uint8_t *bytes);
/* All side-band records of the round were taken; its samples follow. */
void stacks_settle(struct stacks *stacks);
void stacks_sweep(struct stacks *stacks);

/*
 * Write the record at `bytes` to `out`, which has room for 64 KB, as it is to stand in the
 * file. Returns its size there.
 */
size_t stacks_rewrite(struct stacks *stacks, const uint8_t *bytes, bool in_haste, uint8_t *out);

const struct stacks_tally *stacks_told(const struct stacks *stacks);

#endif
