/* SPDX-License-Identifier: MIT */
/*
 * moments: every sample of a profile with its time, for the forms that have a place for each.
 *
 *	profile_replay --> rows, 32 bytes a sample, thread by thread, in order of time
 *	               '-> what tracepoints told, as text
 *
 * Both lie in files without a name (file_temporary), so that memory grows with distinct stacks
 * only. How many rows a thread has is known from the profile's entries: each row goes at once
 * to where it belongs.
 */
#ifndef VIEW_MOMENTS_H
#define VIEW_MOMENTS_H

#include "profile/profile.h"

struct moment {
	uint64_t time_ns, period;        /* 0: the recording does not tell times */
	uint64_t text;                   /* for moments_text */
	uint32_t entry;                  /* of the profile */
	uint32_t unused;
};

struct moments {
	struct moment *v;                /* in order of pid, tid and time */
	size_t nr, room;
	char *texts;
	size_t texts_size;
};

/*
 * Of those entries whose event is wanted[event]. The profile was loaded as replaying. After
 * an error nothing is held.
 */
int moments_load(struct moments *moments, const struct profile *profile, const bool *wanted,
		 struct err *err);
void moments_release(struct moments *moments);

/* The order of tasks: by pid and tid. */
static inline int moments_compare_tasks(const struct profile_entry *x, const struct profile_entry *y)
{
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

/* A tracepoint's fields as text, or NULL. */
static inline const char *moments_text(const struct moments *moments, const struct moment *moment)
{
	return moment->text ? moments->texts + moment->text : NULL;
}

#endif
