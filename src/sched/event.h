/* SPDX-License-Identifier: MIT */
/*
 * event: what the scheduler did, as plain data.
 *
 * In a recording this is a sample of a tracepoint (sched_switch, sched_waking, ...) or a
 * side-band record (FORK, COMM, EXIT, LOST); sched/stream makes one of the other.  The model
 * (sched/model.h) knows only these, so that it can be tried with events written by hand.
 */
#ifndef SCHED_EVENT_H
#define SCHED_EVENT_H

#include <stdbool.h>
#include <stdint.h>

struct sample;

#define SCHED_NONE UINT32_MAX            /* a pid, tid or CPU that is not known */
#define SCHED_COMM_MAX 16                /* TASK_COMM_LEN of the kernel */

enum sched_kind {
	SCHED_SWITCH,            /* prev leaves `cpu`, task comes */
	SCHED_WAKING,            /* task is about to be woken, by whoever runs on `cpu` */
	SCHED_WAKEUP,            /* task stands in a run queue again */
	SCHED_WAKEUP_NEW,        /* the same for the first time */
	SCHED_MIGRATE,           /* task goes from from_cpu to to_cpu */
	SCHED_FORK,              /* task was made by the one that runs */
	SCHED_EXEC,
	SCHED_EXIT,              /* task ends; it leaves the CPU later */
	SCHED_STAT_RUNTIME,      /* the kernel has charged amount_ns to task */
	SCHED_STAT_WAIT, SCHED_STAT_SLEEP, SCHED_STAT_IOWAIT, SCHED_STAT_BLOCKED,
	SCHED_NAME,              /* task of process task_pid is called comm (comm "": not told) */
	SCHED_LOST,              /* amount events of `cpu` are missing before this */
	SCHED_NR_KINDS,
};

struct sched_event {
	enum sched_kind kind;
	uint64_t time_ns;
	uint32_t cpu;                    /* where it was noted; SCHED_NONE: not told */
	uint32_t pid, tid;               /* who ran there, by the sample; SCHED_NONE: not told */
	uint32_t task;                   /* tid of whom it is about; 0 is idle */
	uint32_t task_pid;               /* its process, where told, or SCHED_NONE */
	uint32_t parent_pid;             /* FORK, NAME: its maker's process, where told, or SCHED_NONE */
	int32_t prio;
	uint32_t prev;                   /* SWITCH: tid of who leaves */
	int32_t prev_prio;
	char state;                      /* SWITCH: of prev: 'R', 'S', 'D', ..., '?' unknown */
	bool preempted;                  /* SWITCH: "R+", thrown out in the kernel */
	bool interrupt;                  /* noted in an interrupt: `tid` only happened to run */
	uint32_t from_cpu, to_cpu;       /* MIGRATE */
	uint64_t amount;                 /* STAT_...: nanoseconds; LOST: events */
	char comm[SCHED_COMM_MAX];       /* of task, or "" */
	char prev_comm[SCHED_COMM_MAX];  /* SWITCH: of prev, or "" */
	const struct sample *sample;     /* with the stack of who ran, or NULL; borrowed */
};

#endif
