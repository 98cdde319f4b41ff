/* SPDX-License-Identifier: MIT */
/*
 * latency: how long tasks waited for a CPU, and how long they had one.  A view of the model.
 *
 * Rows are tasks, or tasks merged by their last name.  The filter's CPUs and spans of time
 * choose among events (a delay counts where and when it ends, a slice is cut to the span);
 * its pids, tids and names choose among rows.
 */
#ifndef SCHED_LATENCY_H
#define SCHED_LATENCY_H

#include "profile/profile.h"
#include "sched/dist.h"
#include "sched/model.h"

struct latency_row {
	char comm[SCHED_COMM_MAX];       /* the last name, or "" */
	uint32_t tid, pid;               /* of one of them; pid SCHED_NONE: not known */
	uint32_t nr_tasks;
	uint32_t serial;                 /* by when they began to be counted */
	const struct sched_task *task;   /* while it lives and is counted, or NULL */
	uint64_t on_cpu_ns;              /* by switches; without doubtful slices */
	uint64_t charged_ns;             /* by sched_stat_runtime */
	uint64_t nr_charges;
	uint64_t switches;               /* times that it was given a CPU */
	uint64_t unknown;                /* of them, those of which the delay is not known */
	struct dist wake, preempt;       /* delays from a wake-up, and from being thrown out */
	struct dist all;                 /* both; made by latency_rows */
};

/* Run time as perf has it: the kernel's charges if there were any, else by switches. */
uint64_t latency_runtime(const struct latency_row *row);

struct latency;

/*
 * `filter` is borrowed; NULL: everything.
 *
 * Memory grows with the tasks that live at the same time, and with rows: names with `merge`
 * (rows by name alone: a task that has ended takes no more), else tasks.
 */
struct latency *latency_new(const struct profile_query *filter, bool merge);
void latency_free(struct latency *latency);

/* For model_new, with the latency as its arg. */
extern const struct sched_ops latency_ops;

enum latency_which { LATENCY_ALL, LATENCY_WAKE, LATENCY_PREEMPT };
const struct dist *latency_dist(const struct latency_row *row, enum latency_which which);

/*
 * Once all events are in: the rows, sorted by keys from LATENCY_KEYS ("avg,max"), the largest
 * first. Idle tasks and those that never ran are left out. Borrowed until it is asked again; the
 * model has to be there still. -EINVAL for a key that there is not.
 */
#define LATENCY_KEYS "avg, max, switch, runtime, p50, p95, p99, pid"
int latency_check_sort(const char *sort, struct err *err);
int latency_rows(struct latency *latency, bool by_task, const char *sort, enum latency_which which,
		 const struct latency_row **rows, uint32_t *nr, struct err *err);

#endif
