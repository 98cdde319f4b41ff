/* SPDX-License-Identifier: MIT */
/*
 * text: a profile of stacks that are text (perf_data.text) and not records.
 *
 * Functions have names and no addresses, so that nothing is looked up: each distinct (binary,
 * name, kind) is a place with a made-up address.  Filters and dimensions are those of a
 * recording; what text does not tell (data addresses, cgroups, lines) is unknown.
 */
#ifndef PROFILE_TEXT_H
#define PROFILE_TEXT_H

#include "profile/count.h"
#include "profile/resolve.h"

/* A function of a stack. */
struct text_place {
	struct place place;
	bool is_inline;
};

/* profile.c's: count in a stack, leaf first. */
void profile_add_stack(struct profile *profile, const struct raw_entry *raw, struct text_place *const *stack,
		       uint32_t nr);

/* A copy of a name that lives as long as the profile. */
const char *profile_keep_name(struct profile *profile, const char *name, size_t len);

/*
 * Count the text of profile->data; the profile has its modules and processes, and its
 * totals and account are filled. `extras` may be NULL.
 */
void text_count(struct profile *profile, const struct profile_query *query, struct extras *extras);

#endif
