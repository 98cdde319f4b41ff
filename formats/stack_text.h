/* SPDX-License-Identifier: MIT */
/*
 * stack_text: stacks that other tools wrote as text, sample by sample.
 *
 *	folded    "comm;caller;callee_[k] 12"                       12 samples
 *	script    what perf script and sonde script print:
 *		  "comm  77/78 [001] 12.345678:  250000 cpu-clock:u: "
 *		  "\t    401136 burn_a+0x6 (/bin/burn)"             one sample
 *
 * Folded text has a thread as its first name where a line has two or more, as
 * stackcollapse-perf.pl and sonde fold write it ("comm-PID/TID" tells its numbers); the
 * annotations _[k], _[i] and _[j] say what a function is.  Of script text the fields comm
 * and pid or tid are needed, in perf's order; CPU, time, period, event, symbols and
 * binaries are taken where they are.
 *
 * What is handed out points into the text.
 */
#ifndef FORMATS_STACK_TEXT_H
#define FORMATS_STACK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"
#include "formats/stack_tree.h"

enum stack_text_form { STACK_TEXT_NONE, STACK_TEXT_FOLDED, STACK_TEXT_SCRIPT };

/* A piece of the text; p NULL: it does not say. */
struct text_piece { const char *p; size_t len; };

struct stack_text_frame {
	struct text_piece name, module;
	enum label_kind kind;
};

struct stack_text_sample {
	struct text_piece event, comm;
	uint32_t pid, tid, cpu;          /* UINT32_MAX where it does not say */
	bool has_time, has_period;
	uint64_t time_ns, period;        /* of all of them together; as many as samples if it does not say */
	uint64_t samples;
	const struct stack_text_frame *frames;   /* leaf first; the reader's, until its next call */
	uint32_t nr_frames;
};

struct stack_text {
	const char *at, *end;
	enum stack_text_form form;
	uint64_t line;                   /* number of the line behind which `at` is */
	uint64_t nr_odd;                 /* lines that are none of the form's */
	VEC(struct stack_text_frame) frames;
};

/* Which form the bytes are, by the first lines that tell; NONE for what is neither. */
enum stack_text_form stack_text_recognise(const void *bytes, size_t size);

void stack_text_init(struct stack_text *text, enum stack_text_form form, const void *bytes, size_t size);
void stack_text_release(struct stack_text *text);

/* The next sample: 1, or 0 at the end. Lines that are none of the form's are counted and passed over. */
int stack_text_next(struct stack_text *text, struct stack_text_sample *out);

#endif
