/* SPDX-License-Identifier: MIT */
/* process_priv: what process.c (the table) and process_space.c share.  Not for others. */
#ifndef PROFILE_PROCESS_PRIV_H
#define PROFILE_PROCESS_PRIV_H

#include "base/hash.h"
#include "base/vec.h"
#include "profile/process.h"

struct image {
	uint32_t pid, index, space;
	uint64_t layout;                 /* hash of its mappings and its parent's */
	int32_t ppid;
	uint64_t from_ns;
	const struct image *parent;      /* whose mappings it was forked with, or NULL */
	const struct image *before;      /* what an exec replaced, or NULL */
	uint64_t settled_ns;             /* from then on nothing of it can be left on the stack */
	bool exited;
	struct module *jit;              /* see image_jit */
	VEC(struct mapping) maps;        /* when frozen: by start, then by time */
	uint64_t *max_end;               /* greatest end among maps[0..i] */
	VEC(uint64_t) epochs;            /* when each epoch after the first begins */
};

/*
 * Give the image the number of its space. `spaces` is what is known so far, empty at
 * first; it was done for parent and predecessor, and the mappings are still in time.
 */
void space_set(struct map64 *spaces, struct image *image);

#endif
