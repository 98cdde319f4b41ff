/* SPDX-License-Identifier: MIT */
/*
 * unwind: from the registers and a copy of the stack to the calls that led there.
 *
 *	registers -> rule for the code at ip -> CFA, return address, saved registers
 *	    ^                                                 |
 *	    '------------------ the caller's registers <------'      ... and why it stopped
 *
 * In: the registers of one moment, a memory reader and a way to ask what code is mapped
 * at an address.  Out: the words of a user call chain as the kernel would have written
 * them: PERF_CONTEXT_USER, the instruction, then return addresses.  A further
 * PERF_CONTEXT_USER stands before an address that no call returns to, because a signal
 * came there, so that whoever names the chain need not know how it was made.
 *
 * The return address minus one, by which rules are looked up, is taken here and nowhere
 * else.  What could be found is kept whatever the walk stopped at.
 *
 * Threads: a struct unwinder belongs to one.  Nothing is allocated in a walk.
 */
#ifndef SYMBOLS_UNWIND_H
#define SYMBOLS_UNWIND_H

#include "arch/arch.h"
#include "symbols/unwind_table.h"

/* The first is a whole stack; all others left callers out. The numbers stand in files. */
enum unwind_stop {
	UNWIND_END,              /* the outermost frame: no return address, or the entry point */
	UNWIND_SHORT,            /* goes on above the copied part of the stack */
	UNWIND_OTHER_STACK,      /* goes on in memory that was not copied at all */
	UNWIND_NO_TABLE,         /* nothing tells how to leave this code */
	UNWIND_NOT_CODE,         /* the return address is not executable */
	UNWIND_LOOP,             /* a frame came a second time */
	UNWIND_LOST,             /* a needed register was not sampled or not saved */
	UNWIND_LIMIT,            /* more frames than there is room for */
	UNWIND_GONE,             /* there was no stack any more: an exec, or the end */
	UNWIND_STOP_COUNT,
};

/*
 * A stack that was unwound while it was recorded left its sample. Where it was not whole, 8
 * bytes stand in its place, none of them live: this, and in the low byte why it ended.
 */
#define UNWIND_STOP_MARK 0x646e6f732b776e00ull
#define UNWIND_STOP_MARK_BYTES 8

/* One sentence each: what it is, and what to do about it. */
const char *unwind_stop_text(enum unwind_stop stop);
const char *unwind_stop_advice(enum unwind_stop stop);

/* By DWARF's numbers; a bit of `known` for each that has a value. */
struct unwind_regs {
	uint64_t v[ARCH_DWARF_REGS_MAX];
	uint64_t known;
};

/* What stands at an address of the process. */
struct unwind_code {
	bool executable;
	const struct unwind_table *table;        /* NULL: none */
	uint64_t bias;                           /* run_addr - elf_addr; any value modulo 2^64 */
};

struct unwind_source {
	/* Equal for walks in which `code` says the same of every address: results are kept. */
	uint64_t space;
	/* A copy of [stack_start, stack_start + stack_size). */
	const uint8_t *stack;
	uint64_t stack_start, stack_size;
	bool is_cut;                             /* there was more than was to be copied */
	void (*code)(void *arg, uint64_t run_addr, struct unwind_code *out);
	/* Memory that does not change, such as code and constants. False: not to be had. */
	bool (*read)(void *arg, uint64_t run_addr, void *out, size_t size);
	void *arg;
};

struct unwinder;

/* `arch` of the process, whose dwarf_regs must be known (nr_dwarf_regs not 0). */
struct unwinder *unwinder_new(const struct arch *arch);
void unwinder_free(struct unwinder *unwinder);

/*
 * Walk. At most `max` words (2 at least) are written to `words`, *nr of them. `regs` is
 * left as the last step made it.
 */
enum unwind_stop unwind_walk(struct unwinder *unwinder, const struct unwind_source *source,
			     struct unwind_regs *regs, uint64_t *words, uint32_t max, uint32_t *nr);

/*
 * The registers that perf has sampled (`mask`'s bits, lowest first, at `values`) by DWARF's
 * numbers. False if the instruction or the stack pointer is not among them.
 */
bool unwind_take_regs(const struct arch *arch, uint64_t mask, const void *values,
		      struct unwind_regs *out);

#endif
