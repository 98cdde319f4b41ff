/* SPDX-License-Identifier: MIT */
/*
 * timeline: who ran where and when, kept as a list for pictures.  A view of the model.
 *
 * Memory grows with what is kept: at most `most` slices, of the filter's span.
 */
#ifndef SCHED_TIMELINE_H
#define SCHED_TIMELINE_H

#include "profile/profile.h"
#include "sched/model.h"

struct timeline_slice {
	uint64_t from_ns, to_ns;
	uint64_t ready_ns;               /* since when it could have run; from_ns if not known */
	uint32_t task, cpu;              /* task: the model's index */
	uint32_t waker, waker_cpu;       /* who woke it for this, or SCHED_NONE */
	char state;                      /* as what it left; '>' where it ran on */
	bool woken, interrupt;           /* ready by a wake-up; from an interrupt */
	bool doubtful;
};

struct timeline;

/* `filter` (times, CPUs, tasks) is borrowed. */
struct timeline *timeline_new(const struct profile_query *filter, uint32_t most);
void timeline_free(struct timeline *timeline);
extern const struct sched_ops timeline_ops;

/* In the order in which they ended; idle's are left out. Borrowed. */
const struct timeline_slice *timeline_slices(const struct timeline *timeline, uint32_t *nr);
/* Slices that there was no room for, and from when on they are missing. */
uint64_t timeline_dropped(const struct timeline *timeline, uint64_t *from_ns);

#endif
