/* SPDX-License-Identifier: MIT */
/*
 * waits: where the wall time of each task went, and who ended its waits.  A view of the model.
 *
 *	|-- running --|-- asleep, state S ----|-- ready --|-- running --|-- ready (thrown out) --|
 *	                                      ^ woken by    ^ came behind whoever left the CPU
 *
 * A chain of wakers goes back from a wake-up: the task was woken by W, which had been woken
 * by V, and so on, as far as these fall into the wait.  It ends with an interrupt (a timer,
 * a device) or with a task that was awake all along.
 */
#ifndef SCHED_WAITS_H
#define SCHED_WAITS_H

#include "profile/profile.h"
#include "sched/model.h"

#define WAITS_CHAIN 8u           /* links of a chain kept */
#define WAITS_LONGEST 3u         /* waits kept for each task */

enum wait_kind {
	WAIT_RUN,
	WAIT_WOKEN,              /* ready after a wake-up */
	WAIT_THROWN,             /* ready after it was thrown out */
	WAIT_SLEEP,              /* S */
	WAIT_BLOCKED,            /* D */
	WAIT_IDLE,               /* I: a kernel thread without work */
	WAIT_STOPPED,            /* T, t */
	WAIT_OTHER,              /* P and what is newer */
	WAIT_UNKNOWN,            /* off a CPU, no one knows how */
	WAIT_NR_KINDS,
};

/* A sort of sleep by its letter. */
enum wait_kind wait_kind_of(char state);

struct wait_link {
	const struct sched_task *waker;  /* NULL: not known */
	uint64_t time_ns;
	bool interrupt;
};

struct wait {
	uint64_t from_ns, to_ns;         /* to_ns: woken */
	char state;
	uint32_t nr_links;
	struct wait_link links[WAITS_CHAIN];
};

/* One that woke this task, or that had the CPU before it. */
struct wait_other {
	const struct sched_task *task;   /* NULL: an interrupt, or not known */
	bool interrupt;
	uint64_t nr, ns;                 /* of sleep that it ended, or of delay */
};

struct waits_row {
	const struct sched_task *task;
	uint64_t ns[WAIT_NR_KINDS], wall_ns, iowait_ns;
	struct wait longest[WAITS_LONGEST];      /* the longest first; to_ns 0: none */
	struct wait_other *wakers, *behind;      /* the most time first */
	uint32_t nr_wakers, nr_behind;
};

/* A path of the wake-up flame graph: who slept where, and who ended it where. */
struct wait_path {
	char comm[SCHED_COMM_MAX], waker[SCHED_COMM_MAX];
	bool interrupt;
	char state;
	uint32_t stack, waker_stack;     /* as `stack` gave them; 0: none */
	uint64_t ns, nr;
};

/* Give the stack of a sample a number, 0 if it has none. */
typedef uint32_t waits_stack(void *arg, const struct sample *sample);

struct waits;

/* `filter` (tasks and times) is borrowed. With `stack` paths are kept. */
struct waits *waits_new(const struct profile_query *filter, waits_stack *stack, void *arg);
void waits_free(struct waits *waits);
extern const struct sched_ops waits_ops;

/* Once all events are in: the rows by delay, the most first. Borrowed. */
const struct waits_row *waits_rows(struct waits *waits, const struct sched_model *model, uint32_t *nr);
const struct wait_path *waits_paths(struct waits *waits, uint32_t *nr);

#endif
