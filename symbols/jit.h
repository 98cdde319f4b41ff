/* SPDX-License-Identifier: MIT */
/*
 * jit: names of code that was made at run time, as they were at a time.
 *
 *	perf-PID.map   A foo |  B bar |  A' baz         (text, no times)
 *	jit-PID.dump   t1 load A | t2 load B | t3 load A' | t4 move B
 *
 *	addresses      |--- A foo ---|     |-- B bar --|
 *	                     |--- A' baz ---|
 *	               at t >= t3 an address in both is baz, before that foo
 *
 * JITs use addresses again.  Of the pieces of code that cover an address, the one
 * meant is that which came last before the sample's time; where none had come yet,
 * the first that came after (clocks differ a little, and rings are read late).
 *
 * A perf map has no times: of pieces with equal times the later in the file wins.
 * Our own copy of it (engine/jitmaps.h) has marks of when it had grown to where, half
 * a second apart, and is as good as those.
 *
 * The times of a jitdump are CLOCK_MONOTONIC's.  In a recording of another clock
 * they are shifted by the difference between the time at which the process mapped
 * the dump and the dump's first time: some milliseconds may be wrong then (record
 * -k mono has them exact).
 *
 * Threads: one builds; after jit_finish any number look up.
 */
#ifndef SYMBOLS_JIT_H
#define SYMBOLS_JIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "formats/jitdump.h"

struct jit;

/* A piece of code. Pointers live as long as the jit. */
struct jit_code {
	uint64_t start, end;             /* run addresses */
	uint64_t from_ns, to_ns;         /* to_ns: when it was moved away */
	const char *name;
	const uint8_t *lines, *unwinding;        /* DEBUG_INFO and UNWINDING bytes, or NULL */
	size_t nr_line_bytes, nr_unwinding_bytes;
	uint64_t nr_lines;               /* as stated; jit_line believes only a whole table */
	uint64_t eh_frame_hdr_size, mapped_size;
	uint32_t order;                  /* in which it was told of */
	bool swap;                       /* lines are in the other byte order */
	const uint8_t *bytes;            /* the code itself, end - start of it; NULL: not kept */
	uint16_t machine;                /* of a dump's code: EM_; 0: not told */
};

struct jit *jit_new(void);
void jit_free(struct jit *jit);

/* Keep the code of dumps that are added from now on, as far as it is not too much. */
void jit_keep_code(struct jit *jit);

/*
 * Live: names outlast jit_clear, which takes all code out again, so that it can be told anew
 * from files that have grown. Before anything is added.
 */
void jit_keep_names(struct jit *jit);
void jit_clear(struct jit *jit);

/* Take a perf map's text, which becomes the jit's. text[size] is a NUL. */
void jit_add_map(struct jit *jit, char *text, size_t size);

/*
 * Take a jitdump. `mapped_ns` is when, on the recording's clock, the process mapped it;
 * 0 where the clock is CLOCK_MONOTONIC. -EBADMSG, with what could be read taken.
 */
int jit_add_dump(struct jit *jit, jitdump_read *read, void *arg, uint64_t mapped_ns,
		 struct err *err);

void jit_finish(struct jit *jit);

size_t jit_count(const struct jit *jit);

/* The code at an address at a time; NULL if none. */
const struct jit_code *jit_find(const struct jit *jit, uint64_t addr, uint64_t time_ns);

/* The times at which some address began to mean something else, in order. */
const uint64_t *jit_changes(const struct jit *jit, size_t *nr);

/* The source line of an address in a piece of code that tells it. */
bool jit_line(const struct jit_code *code, uint64_t addr, const char **file, uint32_t *line);

#endif
