/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the program in the kernel and its reader share. Fixed-size types alone. */
#ifndef BPF_SCHED_LIVE_TYPES_H
#define BPF_SCHED_LIVE_TYPES_H

#define LIVE_LOG2 32             /* [0]: below 2 us, [n]: from 2^n us on */
#define LIVE_TASKS 32768
#define LIVE_COMM 16

enum live_reason { LIVE_WOKEN, LIVE_THROWN, LIVE_NR_REASONS };

/* Of each CPU; sums since the beginning. */
struct live_totals {
	unsigned long long switches;     /* sched_switch: every one */
	/*
	 * Switches that no tracepoint told of: who leaves is not who came last. Some kernels
	 * hide what the first processes do.
	 */
	unsigned long long unseen;
	unsigned long long came;         /* tid and one of who came last on this CPU: no sum */
	unsigned long long wakeups;      /* sched_wakeup, sched_wakeup_new */
	unsigned long long no_room;      /* of these, those whose task found no place in the table */
	unsigned long long delays[LIVE_NR_REASONS];
	unsigned long long delay_ns[LIVE_NR_REASONS];
	unsigned long long log2_us[LIVE_NR_REASONS][LIVE_LOG2];
};

/* Of each task, by tid; sums since it was first seen. */
struct live_task {
	unsigned long long ready_ns;     /* since when it is ready; 0: it is not */
	unsigned long long in_ns;        /* since when it runs; 0: it does not */
	unsigned long long run_ns, switches;
	unsigned long long delays, delay_ns;
	unsigned long long max_ns;       /* of the delays that ended in this epoch */
	unsigned int epoch, reason;
	unsigned int tgid, dead;
	char comm[LIVE_COMM];
};

#endif
