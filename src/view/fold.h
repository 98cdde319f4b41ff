/* SPDX-License-Identifier: MIT */
/*
 * fold: a profile as one tree of names, for folded text and flame graphs.
 *
 *	command [- pid [/ tid]] - caller - callee - ...
 */
#ifndef VIEW_FOLD_H
#define VIEW_FOLD_H

#include "formats/stack_tree.h"
#include "profile/profile.h"

#define FOLD_ALL_EVENTS UINT32_MAX

struct fold_options {
	uint32_t event;          /* index, or FOLD_ALL_EVENTS */
	bool by_event;           /* the event's name comes before the command's */
	bool pid, tid;           /* "comm-PID", "comm-PID/TID" */
	bool mark_kernel;        /* "_[k]" behind kernel functions */
	bool mark_jit;           /* "_[j]" behind JIT code */
	bool mark_inline;        /* "_[i]" behind inlined functions */
	bool addrs;              /* unnamed frames carry their address */
	bool untidy;             /* names as they are, with arguments */
	bool no_comm;            /* frames only */
	bool join_unknown;       /* callers in no mapping, one after the other, become one frame */
	bool leaf_first;         /* the tree's root is the stacks' leaf */
};

/* The profile_dim bits that the options need. */
unsigned fold_dims(const struct fold_options *options);

/* Add to the tree and sum and sort it. `tree` and `labels` were initialised by the caller. */
void fold_profile(struct stack_tree *tree, struct label_table *labels,
		  const struct profile *profile, const struct fold_options *options);

/* The event that is meant when none is named: the first with samples; else 0. */
uint32_t fold_default_event(const struct profile *profile);

/* Index of the event with that name (or its name without modifiers), or FOLD_ALL_EVENTS. */
uint32_t fold_find_event(const struct profile *profile, const char *name);

/* The same for a name that a user gave: -ENOENT, with a message, if there is none. */
int fold_named_event(const struct profile *profile, const char *name, uint32_t *event,
		     struct err *err);

#endif
