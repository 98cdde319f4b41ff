/* SPDX-License-Identifier: MIT */
/*
 * user_stack: the call chain of a sample that has registers and a copy of the stack.
 *
 *	callchain as recorded   [KERNEL ... ]                 (perf leaves the user's part out)
 *	registers, stack             '----> unwound: [USER ip, return addresses ...]
 *	                        -----------------------------------------------------
 *	                        one chain, as if the kernel had walked both
 *
 * In: a frozen process table.  A user_stack belongs to one thread; the modules' unwind
 * tables are shared.
 */
#ifndef PROFILE_USER_STACK_H
#define PROFILE_USER_STACK_H

#include "formats/record.h"
#include "profile/process.h"
#include "symbols/unwind.h"

struct user_stack;

/* `arch` is the recording's. Never NULL. */
struct user_stack *user_stack_new(const struct process_table *table, const struct arch *arch,
				  bool swap);
void user_stack_free(struct user_stack *stack);

/* Whether samples of an event can have anything to unwind. */
bool user_stack_wanted(const struct event_desc *event);

/* Whether a sample's stack was unwound while it was recorded, and how that went. */
bool user_stack_told(const struct sample *sample, enum unwind_stop *stop);

struct user_chain {
	const u64_una *ips;              /* borrowed from the sample or the user_stack, until its next */
	uint32_t nr;
	uint32_t unwound_from;           /* ips from here on were unwound; nr: none */
	bool unwound;                    /* there was a stack, and ips are words of our own */
	bool has_stop;                   /* `stop` tells how that went, or had gone while recording */
	enum unwind_stop stop;
};

/* The whole chain of a sample of `image`; what was recorded if nothing can be unwound. */
void user_stack_chain(struct user_stack *stack, const struct sample *sample,
		      const struct image *image, struct user_chain *out);

#endif
