/* SPDX-License-Identifier: MIT */
/* profile_priv: what profile.c, profile_live.c and naming.c (raw entries -> entries) share. Not for others. */
#ifndef PROFILE_PROFILE_PRIV_H
#define PROFILE_PROFILE_PRIV_H

#include "profile/count.h"
#include "profile/lines.h"
#include "profile/named.h"
#include "profile/recording.h"

#define FRAMES_MAX (65536 / 8)

struct profile_priv {
	struct arena arena;              /* names of text */
	struct recording recording;
	struct profile_query query;
	struct named named;
	VEC(uint64_t) extra_values;      /* nr_extras for each set */
	struct map64 extra_ids, module_frames;
	struct lines *lines;
	struct raw_table counted;        /* kept for replaying */
	VEC(uint32_t) entry_of;          /* [entry of counted]: of entries, or NONE32 */
	/* of profile_fade: what it cut off, in parts of a sample; when to look for what is not used */
	unsigned fade_rest, fade_of;
	size_t due_frames, due_stacks, due_sets, due_names, due_modules;
	struct resolver *text_resolver;  /* while text is counted: it has nothing to resolve */
	char comm_text[16];
};

/* Name what was counted and add it to priv->named. */
void naming_all(struct profile *p, const struct raw_table *table);

/*
 * A raw entry as one whose leaf and stack (nr frames, leaf first) are named: what is asked
 * of parents and callees is done, and the rest is laid into `named`. By one thread if the
 * profile has extras. Returns its place among the entries.
 */
uint32_t naming_add(struct profile *p, struct named *named, struct resolver *resolver,
		    const struct raw_entry *raw, uint32_t leaf, const uint32_t *frames, uint32_t nr);

/* The number of a set of extras' values; each distinct one is kept once. */
uint32_t profile_put_set(struct profile *p, const uint64_t *values);
/* Of all frames of a module, or of a line, the one that was first asked for here. */
uint32_t profile_first_frame(struct profile *p, uint32_t frame, bool of_line);

/* Name and add what was counted, which is used up. */
void profile_take(struct profile *p, struct count_result *counted);
/* Let readers see frames, stacks and entries where they lie now. */
void profile_publish(struct profile *p);

#endif
