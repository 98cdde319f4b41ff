/* SPDX-License-Identifier: MIT */
/*
 * sched_live: run-queue delays and task times counted by a BPF program in the kernel.
 *
 * Nothing is recorded and nothing can be lost: the program sees each switch and adds up;
 * from time to time its sums are read.
 */
#ifndef BPF_SCHED_LIVE_H
#define BPF_SCHED_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "bpf/sched_live_types.h"

struct sched_live;

struct live_task_counts {
	uint32_t tid;
	struct live_task counts;
};

/* Sums over all CPUs since the beginning. */
struct live_snapshot {
	struct live_totals totals;
	uint64_t kernel_switches;        /* the kernel's own count: ctxt of /proc/stat, proc(5) */
	struct live_task_counts *tasks;
	uint32_t nr_tasks;
};

/* Whether this build has the program in it. */
bool sched_live_is_built(void);

/*
 * Load and attach. Errors say what is missing, and what to do instead: -ENOSYS, a build
 * without it; -EPERM, -EACCES; -ENOTSUP, a kernel without BTF or BPF.
 */
int sched_live_open(struct sched_live **out, struct err *err);
void sched_live_close(struct sched_live *live);

/*
 * Read, and begin the next epoch: max_ns of a task is that of the epoch before. Tasks that
 * have ended are told once more and forgotten.
 */
int sched_live_read(struct sched_live *live, struct live_snapshot *out, struct err *err);
void live_snapshot_release(struct live_snapshot *snapshot);

#endif
