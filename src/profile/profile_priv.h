/* SPDX-License-Identifier: MIT */
/* profile_priv: what profile.c and profile_live.c share. Not for others. */
#ifndef PROFILE_PROFILE_PRIV_H
#define PROFILE_PROFILE_PRIV_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/vec.h"
#include "profile/count.h"
#include "profile/lines.h"
#include "profile/profile.h"
#include "profile/recording.h"

struct profile_priv {
	struct arena arena;
	struct recording recording;
	struct profile_query query;
	VEC(struct profile_frame) frames;
	VEC(struct profile_stack) stacks;
	VEC(struct profile_entry) entries;
	struct map64 frame_ids, stack_ids, entry_ids, module_frames;
	VEC(uint64_t) extra_values;      /* nr_extras for each set */
	struct map64 extra_ids;
	struct lines *lines;
	struct raw_table counted;        /* kept for replaying */
	VEC(uint32_t) entry_of;          /* [entry of counted]: of entries, or NONE32 */
	/* of profile_fade: what it cut off, in parts of a sample; when to look for what is not used */
	unsigned fade_rest, fade_of;
	size_t due_frames, due_stacks, due_sets, due_names, due_modules;
	struct resolver *text_resolver;  /* while text is counted: it has nothing to resolve */
	char comm_text[16];
};

/* The number of a frame, of a stack, of a set of extras' values; each distinct one is kept once. */
uint32_t profile_put_frame(struct profile *p, const struct profile_frame *frame);
uint32_t profile_put_stack(struct profile *p, const uint32_t *frames, uint32_t nr);
uint32_t profile_put_set(struct profile *p, const uint64_t *values);
/* Of all frames of a module, or of a line, the one that was first asked for here. */
uint32_t profile_first_frame(struct profile *p, uint32_t frame, bool of_line);
uint64_t profile_entry_key(const struct profile_entry *entry);

/* Name and add what was counted, which is used up. */
void profile_take(struct profile *p, struct count_result *counted);
/* Let readers see frames, stacks and entries where they lie now. */
void profile_publish(struct profile *p);

#endif
