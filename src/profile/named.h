/* SPDX-License-Identifier: MIT */
/*
 * named: frames, stacks and entries, each distinct one once, numbered as they come.
 *
 * In: places of chains.  Out: the tables that a profile shows.  A struct named belongs to
 * one thread; what several threads have named is merged, and is then numbered as if
 * one thread had named all of it, the first one's part first.
 */
#ifndef PROFILE_NAMED_H
#define PROFILE_NAMED_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/vec.h"
#include "profile/profile.h"
#include "profile/resolve.h"

struct named {
	struct arena arena;              /* what stacks point to */
	VEC(struct profile_frame) frames;
	VEC(struct profile_stack) stacks;
	VEC(struct profile_entry) entries;
	struct map64 frame_ids, stack_ids, entry_ids;
	bool by_addr;                    /* each address is a frame of its own */
	bool join_unmapped;              /* what is in no mapping is one frame */
};

void named_init(struct named *named, const struct profile_query *query);
void named_release(struct named *named);

/* The number of a frame. */
uint32_t named_put_frame(struct named *named, const struct profile_frame *frame);
/* That of a place's frame; the place remembers it. */
uint32_t named_frame(struct named *named, struct place *place);
/* That of a function that was inlined there: one for each name in a module. */
uint32_t named_inline_frame(struct named *named, const struct place *place, const char *name);
/* That of a stack, leaf first; copied. */
uint32_t named_stack(struct named *named, const uint32_t *frames, uint32_t nr);
/* Add the counts to the entry of the same dimensions. Returns its place. */
uint32_t named_add(struct named *named, const struct profile_entry *entry);

/* The entries have changed. */
void named_renew_entries(struct named *named);

/* Add `from`, which is empty then. Sets of extras are not renumbered. */
void named_merge(struct named *into, struct named *from);

#endif
