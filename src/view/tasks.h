/* SPDX-License-Identifier: MIT */
/*
 * tasks: the threads of a recording as a family tree, what they had mapped, what they
 * counted, and how many records of which kind there are: perf report's --tasks, --mmaps,
 * -T and --stats.
 */
#ifndef VIEW_TASKS_H
#define VIEW_TASKS_H

#include <stdio.h>

#include "profile/recording.h"
#include "profile/tasks.h"

void tasks_write(const struct tasks *tasks, bool maps, FILE *out);
/* A line for each thread, or, `raw`, for each thread and event. */
void thread_counts_write(const struct thread_counts *counts, const struct perf_data *data, bool raw,
			 FILE *out);

/* `samples` is the number of samples of each event. */
void stats_write(const struct recording *recording, const uint64_t *samples, FILE *out);

#endif
