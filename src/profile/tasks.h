/* SPDX-License-Identifier: MIT */
/*
 * tasks: the threads of a recording, who made whom, and what they had mapped at the end.
 *
 * In: the side-band of a recording in the order of time.  Out: a list by tid.  A number
 * that was used again is the last thread that had it.  Unlike the process table, which
 * answers for any time, this is what was left at the end of the recording; what an exec
 * replaced is gone.
 *
 * And: the counts that a thread had when it ended (READ records of record -s).
 */
#ifndef PROFILE_TASKS_H
#define PROFILE_TASKS_H

#include "formats/perf_data.h"

struct task_map {
	uint64_t start, end, pgoff, ino;
	uint32_t prot, flags;            /* as mmap(2) */
	const char *filename;
};

struct task {
	uint32_t pid, tid;
	int32_t ppid;                    /* tid of the thread that made it; -1: not known */
	const char *comm;                /* its last name, or NULL */
	uint32_t parent;                 /* index of that thread, or UINT32_MAX */
	uint32_t depth;                  /* 0 without a parent */
	const struct task_map *maps;     /* of its process, by address */
	size_t nr_maps;
};

struct tasks {
	struct task *v;                  /* a parent right before its children, these by tid */
	uint32_t nr;
	struct tasks_priv *priv;
};

/* *out is the caller's. Damage in the recording is passed over. */
int tasks_load(struct tasks **out, const struct perf_data *data, struct err *err);
void tasks_free(struct tasks *tasks);

/* Counts of the threads that ended, by event: value[row * nr_events + event]. */
struct thread_counts {
	struct { uint32_t pid, tid; } *rows;
	uint64_t *value;
	uint32_t nr, nr_events;
};

int thread_counts_load(struct thread_counts *out, const struct perf_data *data, struct err *err);
void thread_counts_release(struct thread_counts *counts);

#endif
