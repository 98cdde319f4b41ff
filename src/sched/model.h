/* SPDX-License-Identifier: MIT */
/*
 * model: tasks and CPUs, as the scheduler's events tell of them.
 *
 * In: struct sched_event in the order of time.  Out: calls to whoever looks on (latency,
 * timehist, map, waits, timeline are all views of this one model).
 *
 *	            waking                    switch in                switch out, R
 *	 SLEEPING ----------> READY (woken) ------------> RUNNING ---------------> READY (thrown out)
 *	     ^                                               |                        |
 *	     '------------- switch out, S D T I ... ---------'      <--- switch in ---'
 *
 * A delay begins where a task becomes READY and ends where it is RUNNING.  It begins with
 * sched_wakeup (the task stands in a run queue), or with sched_waking (its waker's decision)
 * where no wake-up was recorded.  Who woke it stands in sched_waking: the wake-up may be
 * noted by another CPU.  A task may be woken while it is still on its way out (its waker
 * sees it asleep before the switch is noted): then it was ready from its wake-up or, without
 * one, from its switch on.
 *
 * What is not known is not guessed: where a task was never seen before, where events were
 * lost in between, or where a clock stepped back, there is no figure but a count.
 *
 * A tid that is used again is another task.  Memory grows with tasks, not with events; for
 * who asks to forget tasks that are gone, with those that are there at the same time.
 */
#ifndef SCHED_MODEL_H
#define SCHED_MODEL_H

#include "sched/event.h"

enum sched_state {
	SCHED_UNKNOWN,
	SCHED_RUNNING,
	SCHED_READY,
	SCHED_SLEEPING,
};

/* Why a task was ready, or not known to be. */
enum sched_reason {
	SCHED_BY_NOTHING,        /* not known */
	SCHED_BY_WAKE,
	SCHED_BY_PREEMPTION,     /* it left while it could have run: thrown out, or it yielded */
};

struct sched_task {
	uint32_t index;                  /* 0, 1, 2, ... in the order seen; model_task(index) */
	uint32_t tid, pid;               /* pid SCHED_NONE: not known */
	uint32_t parent_pid;             /* SCHED_NONE: not known */
	uint32_t idle_cpu;               /* SCHED_NONE for all but the idle tasks */
	char comm[SCHED_COMM_MAX];       /* its last name */
	int32_t prio;                    /* the last seen, as the kernel counts; -1: none */
	enum sched_state state;
	enum sched_reason reason;        /* READY, RUNNING */
	uint32_t cpu;                    /* where it ran last, or runs */
	uint64_t since_ns;               /* in this state; READY: from when it could run */
	uint64_t out_ns;                 /* when it last left a CPU; 0: not seen */
	char out_state;                  /* as what */
	uint64_t early_ns;               /* sched_waking while it ran, or on its way out; 0: none */
	uint64_t waking_ns;              /* the first sign of the wake-up that made it READY, or 0 */
	uint64_t delay_ns;               /* RUNNING, with a reason: how long it had waited for it */
	uint64_t gaps;                   /* of the model, when it came into this state */
	bool expects_wakeup;             /* READY by its sched_waking alone so far */
	bool fresh;                      /* was made and has done nothing since */
	bool exiting, dead, is_gone;
	uint64_t first_ns, last_ns;      /* seen from, to */
	/* The last wake-up. */
	struct sched_task *waker;        /* NULL: not known */
	bool by_interrupt;
};

/* A task left a CPU. */
struct sched_slice {
	const struct sched_task *task, *next;    /* as they are before this switch */
	uint32_t cpu;
	uint64_t from_ns, to_ns;         /* from_ns 0: it is not known when it came */
	bool doubtful;                   /* events of this CPU are missing in between */
	uint64_t slept_ns;               /* time between leaving a CPU before and from_ns; 0: not known */
	char slept_state;                /* as what it had left before */
	uint64_t delay_ns;               /* of that: it could have run. See reason */
	uint64_t waking_delay_ns;        /* woken: since its sched_waking, which perf's timehist shows */
	enum sched_reason reason;
	char state;                      /* as what it leaves now */
	bool preempted;
	bool open;                       /* it was still running at the end of the recording */
	const struct sched_event *event; /* NULL if open */
};

/* A task begins to run. */
struct sched_start {
	const struct sched_task *task;
	const struct sched_task *before; /* who leaves this CPU for it */
	uint32_t cpu;
	uint64_t time_ns;
	uint64_t ready_ns;               /* with a reason: since when it could have run */
	enum sched_reason reason;        /* SCHED_BY_NOTHING: there is no figure */
	bool first;                      /* ... since nothing was heard of it before */
	uint64_t out_ns;                 /* when it had left a CPU; 0: not seen */
	char out_state;
	const struct sched_event *event;
};

/* A task can run again. */
struct sched_wake {
	const struct sched_task *task, *waker;   /* waker NULL: not known */
	bool interrupt;                  /* in an interrupt while waker ran */
	bool asleep;                     /* slept_ns is known */
	bool early;                      /* it was on its way out: nothing slept */
	uint64_t slept_ns;
	char slept_state;
	const struct sched_event *event;
};

/* What the figures lack. */
struct sched_account {
	uint64_t events[SCHED_NR_KINDS];
	uint64_t lost_records, lost_events;
	uint64_t mismatches;             /* a CPU's switches that do not follow each other */
	uint64_t backwards;              /* times that go back */
	uint64_t doubtful_slices, doubtful_ns;   /* slices with a loss in between, not counted */
	uint64_t doubtful_delays;        /* the same of delays */
	uint64_t unknown_delays;         /* a wake-up was not seen */
	uint64_t first_starts;           /* tasks of which nothing was known when they came */
	uint64_t reused;                 /* tids that were used again */
	uint64_t first_ns, last_ns;
	uint32_t nr_cpus;                /* CPUs seen: the highest and one */
};

struct sched_model;

/* Any of them may be NULL. Everything pointed at is valid during the call. */
struct sched_ops {
	/* Each, after it counted. */
	void (*event)(void *arg, const struct sched_model *model, const struct sched_event *event);
	void (*slice)(void *arg, const struct sched_slice *slice);
	void (*start)(void *arg, const struct sched_start *start);
	void (*wake)(void *arg, const struct sched_wake *wake);
	/* `by`, who ran where it was decided, may be NULL. */
	void (*migrate)(void *arg, const struct sched_task *task, const struct sched_task *by,
			const struct sched_event *event);
	void (*stat)(void *arg, const struct sched_task *task, const struct sched_event *event);
	/* The task has left its CPU for the last time, or another has its tid: no event tells more of it. */
	void (*gone)(void *arg, const struct sched_task *task);
	/*
	 * After gone, a task's struct and index are another's. Then wakers are not told (NULL): they
	 * may be gone before those whom they woke.
	 */
	bool forget;
};

/* Ops and arg are borrowed. Never NULL. */
struct sched_model *model_new(const struct sched_ops *ops, void *arg);
void model_free(struct sched_model *model);

void model_event(struct sched_model *model, const struct sched_event *event);
/* No more events come: slices that are open end here. */
void model_end(struct sched_model *model);

uint32_t model_nr_tasks(const struct sched_model *model);
const struct sched_task *model_task(const struct sched_model *model, uint32_t index);
/* The task that has this tid now (0: idle's of that CPU), or NULL. */
const struct sched_task *model_find(const struct sched_model *model, uint32_t tid, uint32_t cpu);
/*
 * Who ran where an event was noted, or NULL: a task that ends has given back its tid (-1 in
 * its samples) before it leaves the CPU for the last time.
 */
const struct sched_task *model_waker(const struct sched_model *model, const struct sched_event *event);
/* Who runs on a CPU now, or NULL where it is not known. */
const struct sched_task *model_current(const struct sched_model *model, uint32_t cpu);
const struct sched_account *model_account(const struct sched_model *model);

#endif
