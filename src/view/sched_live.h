/* SPDX-License-Identifier: MIT */
/* sched_live: what the kernel counted in an interval, as text or JSON. */
#ifndef VIEW_SCHED_LIVE_H
#define VIEW_SCHED_LIVE_H

#include <stdio.h>

#include "bpf/sched_live.h"

struct live_interval {
	double from_s, to_s;             /* since the beginning */
	uint64_t kernel_switches;        /* of /proc/stat, over nearly the same span */
	struct live_totals totals;       /* of the interval */
	const struct live_task_counts *tasks;    /* likewise, the most delay first */
	uint32_t nr_tasks;
	uint32_t top;                    /* tasks to show, at most */
	unsigned screen_rows;            /* of the terminal it has to fit; 0: none */
};

void sched_live_text(const struct live_interval *interval, FILE *out);
/* One object a line. */
void sched_live_json(const struct live_interval *interval, FILE *out);

/*
 * What happened between two snapshots: totals and tasks, sorted by delay. Tasks of which
 * nothing happened are left out. `now`'s list is changed to that.
 */
void sched_live_subtract(struct live_snapshot *now, const struct live_snapshot *before);

#endif
