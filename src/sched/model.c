/* SPDX-License-Identifier: MIT */
#include "sched/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"

#define TIDS_MAX 4194304u         /* PID_MAX_LIMIT, include/linux/threads.h */
#define CPUS_MAX 65536u          /* a higher number is damage */
#define NO_TASK UINT32_MAX       /* the index of none */

struct cpu {
	struct sched_task *current;      /* NULL: not known */
	struct sched_task *idle;
	uint64_t since_ns;               /* the switch that brought it */
	bool gap;                        /* events were lost since */
};

#define BLOCK_TIDS 512u

struct tid_block {
	struct sched_task *task[BLOCK_TIDS];     /* who has the tid now, or NULL */
};

struct sched_model {
	const struct sched_ops *ops;
	void *arg;
	struct arena arena;
	VEC(struct sched_task *) tasks;
	VEC(struct sched_task *) unused; /* of them, those that were forgotten */
	struct sched_task *forgotten;    /* holds their tids */
	VEC(struct cpu) cpus;
	struct tid_block *by_tid[TIDS_MAX / BLOCK_TIDS];
	struct map64 by_odd_tid;         /* -> index of the same, of higher ones: damage */
	uint64_t gaps;                   /* times that events were lost, on any CPU */
	struct sched_account account;
};

struct sched_model *model_new(const struct sched_ops *ops, void *arg)
{
	struct sched_model *m = mem_zalloc(sizeof(*m));

	m->ops = ops;
	m->arg = arg;
	m->forgotten = arena_zalloc(&m->arena, sizeof(*m->forgotten));
	m->forgotten->dead = true;
	m->forgotten->index = NO_TASK;
	return m;
}

void model_free(struct sched_model *m)
{
	if (!m)
		return;
	vec_release(&m->tasks);
	vec_release(&m->unused);
	vec_release(&m->cpus);
	map64_release(&m->by_odd_tid);
	arena_release(&m->arena);
	free(m);
}

/* --- tasks and CPUs --------------------------------------------------------------------- */

static struct sched_task *add_task(struct sched_model *m, uint32_t tid, uint64_t time_ns)
{
	struct sched_task *t;
	uint32_t index = (uint32_t)m->tasks.nr;

	if (m->unused.nr) {
		t = m->unused.v[--m->unused.nr];
		index = t->index;
	} else {
		t = *vec_push(&m->tasks) = arena_alloc(&m->arena, sizeof(*t));
	}
	memset(t, 0, sizeof(*t));
	t->index = index;
	t->tid = tid;
	t->pid = t->parent_pid = t->idle_cpu = t->cpu = SCHED_NONE;
	t->prio = -1;
	t->first_ns = t->last_ns = time_ns;
	return t;
}

static bool is_cpu(uint32_t cpu)
{
	return cpu < CPUS_MAX;
}

/* One that is_cpu; there from then on. */
static struct cpu *cpu_at(struct sched_model *m, uint32_t cpu)
{
	while (m->cpus.nr <= cpu) {
		struct cpu *c = vec_push(&m->cpus);

		memset(c, 0, sizeof(*c));
		m->account.nr_cpus = (uint32_t)m->cpus.nr;
	}
	return &m->cpus.v[cpu];
}

static struct sched_task *idle_task(struct sched_model *m, uint32_t cpu)
{
	struct cpu *c = cpu_at(m, cpu);

	if (!c->idle) {
		c->idle = add_task(m, 0, 0);
		c->idle->idle_cpu = cpu;
		c->idle->pid = 0;
		strcpy(c->idle->comm, "swapper");
	}
	return c->idle;
}

static struct sched_task *holder(const struct sched_model *m, uint32_t tid)
{
	const uint64_t *slot;

	if (tid < TIDS_MAX) {
		const struct tid_block *block = m->by_tid[tid / BLOCK_TIDS];

		return block ? block->task[tid % BLOCK_TIDS] : NULL;
	}
	slot = map64_find(&m->by_odd_tid, tid);
	return !slot ? NULL : *slot == NO_TASK ? m->forgotten : m->tasks.v[*slot];
}

static void hold(struct sched_model *m, uint32_t tid, struct sched_task *t)
{
	struct tid_block **block;

	if (tid >= TIDS_MAX) {
		*map64_put(&m->by_odd_tid, tid, NULL) = t->index;
		return;
	}
	block = &m->by_tid[tid / BLOCK_TIDS];
	if (!*block)
		*block = arena_zalloc(&m->arena, sizeof(**block));
	(*block)->task[tid % BLOCK_TIDS] = t;
}

/* No event tells more of it. */
static void gone(struct sched_model *m, struct sched_task *t)
{
	if (t->is_gone || t == m->forgotten)
		return;
	t->is_gone = true;
	if (m->ops->gone)
		m->ops->gone(m->arg, t);
	/* one that runs is some CPU's current */
	if (!m->ops->forget || t->state == SCHED_RUNNING)
		return;
	if (holder(m, t->tid) == t)
		hold(m, t->tid, m->forgotten);
	*vec_push(&m->unused) = t;
}

/* The task with this tid, of a CPU if it is idle's; made if it is the first of it. */
static struct sched_task *task_of(struct sched_model *m, uint32_t tid, uint32_t cpu, uint64_t time_ns)
{
	struct sched_task *t;

	if (!tid)
		return idle_task(m, cpu);
	t = holder(m, tid);
	if (t && t->dead) {
		/* its fork was not seen */
		m->account.reused++;
		gone(m, t);
		t = NULL;
	}
	if (!t) {
		t = add_task(m, tid, time_ns);
		hold(m, tid, t);
	}
	if (time_ns > t->last_ns)
		t->last_ns = time_ns;
	if (!t->first_ns)
		t->first_ns = time_ns;
	return t;
}

/* A task that was just made: what had the number before is another. */
static struct sched_task *new_task(struct sched_model *m, uint32_t tid, uint64_t time_ns)
{
	struct sched_task *t = holder(m, tid);

	if (t) {
		/* told twice: by the tracepoint and by the side-band */
		if (t->fresh)
			return t;
		/* events of another CPU may have come first where clocks differ by little */
		if (!t->dead && !t->exiting && t->state != SCHED_UNKNOWN && t->first_ns + 1000000 > time_ns)
			return t;
		m->account.reused++;
		gone(m, t);
	}
	t = add_task(m, tid, time_ns);
	t->fresh = true;
	hold(m, tid, t);
	return t;
}

static void name(struct sched_task *t, const char *comm)
{
	size_t n = strnlen(comm, SCHED_COMM_MAX - 1);

	if (!n || t->idle_cpu != SCHED_NONE)
		return;
	memcpy(t->comm, comm, n);
	memset(t->comm + n, 0, SCHED_COMM_MAX - n);
}

/* --- what happens ----------------------------------------------------------------------- */

static uint64_t span(struct sched_model *m, uint64_t from_ns, uint64_t to_ns)
{
	if (to_ns >= from_ns)
		return to_ns - from_ns;
	m->account.backwards++;
	return 0;
}

static void slice_ends(struct sched_model *m, struct cpu *c, struct sched_task *t,
		       struct sched_slice *s)
{
	bool known = c->current == t && c->since_ns;

	if (c->current && c->current != t) {
		/* the switch that brought t was not seen, nor when the other left */
		m->account.mismatches++;
		if (c->current->state == SCHED_RUNNING && c->current->cpu == s->cpu)
			c->current->state = SCHED_UNKNOWN;
	}
	if (known && s->to_ns < c->since_ns) {
		m->account.backwards++;
		known = false;
	}
	if (known) {
		s->from_ns = c->since_ns;
		s->doubtful = c->gap;
	}
	if (known && s->doubtful) {
		m->account.doubtful_slices++;
		m->account.doubtful_ns += s->to_ns - s->from_ns;
	}
	s->reason = known ? t->reason : SCHED_BY_NOTHING;
	if (known && t->out_ns && t->out_ns <= s->from_ns) {
		s->slept_ns = s->from_ns - t->out_ns;
		s->slept_state = t->out_state;
	}
	if (s->reason != SCHED_BY_NOTHING)
		s->delay_ns = t->delay_ns;
	if (s->reason == SCHED_BY_WAKE && t->waking_ns && t->waking_ns <= s->from_ns)
		s->waking_delay_ns = s->from_ns - t->waking_ns;
}

static void task_leaves(struct sched_model *m, struct cpu *c, const struct sched_event *e,
			struct sched_task *t, struct sched_task *next)
{
	struct sched_slice s = { .task = t, .next = next, .cpu = e->cpu, .to_ns = e->time_ns,
				 .state = e->state, .preempted = e->preempted, .event = e };

	slice_ends(m, c, t, &s);
	if (m->ops->slice)
		m->ops->slice(m->arg, &s);
	t->fresh = false;
	t->prio = e->prev_prio;
	t->cpu = e->cpu;
	t->out_ns = t->since_ns = e->time_ns;
	t->out_state = e->state;
	t->gaps = m->gaps;
	if (e->state == 'R') {
		t->state = SCHED_READY;
		t->reason = SCHED_BY_PREEMPTION;
		t->early_ns = 0;
	} else {
		t->state = SCHED_SLEEPING;
		t->reason = SCHED_BY_NOTHING;
		if (t->idle_cpu == SCHED_NONE && (e->state == 'X' || e->state == 'Z' || e->state == 'x'))
			t->dead = true;
	}
}

/* Another CPU thinks that this task runs there: its switch was lost. */
static void leave_elsewhere(struct sched_model *m, struct sched_task *t, uint32_t cpu)
{
	struct cpu *other;

	if (t->state != SCHED_RUNNING || t->cpu == cpu || t->cpu == SCHED_NONE)
		return;
	other = cpu_at(m, t->cpu);
	if (other->current == t) {
		m->account.mismatches++;
		other->current = NULL;
	}
}

/* Since when could it run, and why? */
static void settle_delay(struct sched_model *m, struct sched_task *t, struct sched_start *s)
{
	s->out_ns = t->out_ns;
	s->out_state = t->out_state;
	if (t->idle_cpu != SCHED_NONE)
		return;
	if (t->state == SCHED_SLEEPING && t->early_ns) {
		t->reason = SCHED_BY_WAKE;       /* woken on its way out */
		t->waking_ns = t->since_ns;
		t->state = SCHED_READY;
	}
	s->first = t->state == SCHED_UNKNOWN;
	if (t->state != SCHED_READY) {
		/* it came without having been ready: its wake-up or its last switch is missing */
		if (s->first && !t->out_ns)
			m->account.first_starts++;
		else
			m->account.unknown_delays++;
		return;
	}
	if (t->gaps != m->gaps) {
		m->account.doubtful_delays++;
		return;
	}
	if (s->time_ns < t->since_ns) {
		m->account.backwards++;
		return;
	}
	s->reason = t->reason;
	s->ready_ns = t->since_ns;
}

static void task_starts(struct sched_model *m, struct cpu *c, const struct sched_event *e,
			struct sched_task *t, const struct sched_task *before)
{
	struct sched_start s = { .task = t, .before = before, .cpu = e->cpu, .time_ns = e->time_ns, .event = e };

	leave_elsewhere(m, t, e->cpu);
	settle_delay(m, t, &s);
	if (m->ops->start)
		m->ops->start(m->arg, &s);
	t->state = SCHED_RUNNING;
	t->reason = s.reason;
	t->fresh = false;
	t->since_ns = e->time_ns;
	t->cpu = e->cpu;
	t->prio = e->prio;
	t->early_ns = 0;
	t->expects_wakeup = false;
	t->delay_ns = s.reason != SCHED_BY_NOTHING ? s.time_ns - s.ready_ns : 0;
	c->current = t;
	c->since_ns = e->time_ns;
	c->gap = false;
}

static void on_switch(struct sched_model *m, const struct sched_event *e)
{
	struct sched_task *prev, *next;
	struct cpu *c;

	if (!is_cpu(e->cpu))
		return;
	prev = task_of(m, e->prev, e->cpu, e->time_ns);
	if (e->pid != SCHED_NONE && e->tid == e->prev)
		prev->pid = e->pid;
	name(prev, e->prev_comm);
	/* after prev: it may have been the last of its number */
	next = task_of(m, e->task, e->cpu, e->time_ns);
	name(next, e->comm);
	c = cpu_at(m, e->cpu);
	leave_elsewhere(m, prev, e->cpu);
	task_leaves(m, c, e, prev, next);
	task_starts(m, c, e, next, prev);
	if (prev->dead && prev != next)
		gone(m, prev);
}

static void wakes(struct sched_model *m, struct sched_task *t, const struct sched_event *e)
{
	struct sched_wake w = { .task = t, .waker = t->waker, .interrupt = t->by_interrupt, .event = e };

	if (t->state == SCHED_SLEEPING && t->out_ns) {
		w.early = t->early_ns != 0 && e->kind != SCHED_WAKING;
		w.slept_ns = span(m, t->out_ns, e->time_ns);
		w.asleep = t->gaps == m->gaps;
		w.slept_state = t->out_state;
	}
	if (m->ops->wake)
		m->ops->wake(m->arg, &w);
	t->state = SCHED_READY;
	t->reason = SCHED_BY_WAKE;
	t->since_ns = t->waking_ns = e->time_ns;
	t->gaps = m->gaps;
	t->early_ns = 0;
	t->fresh = false;
}

static void note_waker(struct sched_model *m, struct sched_task *t, const struct sched_event *e)
{
	struct cpu *c = cpu_at(m, e->cpu);

	t->waker = NULL;
	t->by_interrupt = e->interrupt;
	if (e->tid == SCHED_NONE)
		t->waker = c->current;           /* see model_waker */
	else
		t->waker = task_of(m, e->tid, e->cpu, e->time_ns);
	if (t->waker && t->waker->pid == SCHED_NONE && e->tid != SCHED_NONE)
		t->waker->pid = e->pid;
	/* an idle task wakes nobody of itself: there, what the event does not tell is plain */
	t->by_interrupt |= t->waker && t->waker->idle_cpu != SCHED_NONE;
	if (m->ops->forget)
		t->waker = NULL;
}

/* It is ready: by a waking whose wake-up this is, or because it was thrown out. */
static void wakes_again(struct sched_model *m, struct sched_task *t, const struct sched_event *e)
{
	if (e->kind != SCHED_WAKING && t->expects_wakeup) {
		/* only now it stands in a run queue */
		t->since_ns = e->time_ns;
		t->expects_wakeup = false;
	} else if (e->kind == SCHED_WAKING && t->reason == SCHED_BY_WAKE && m->gaps) {
		/* a second waking: it ran and slept again in between, unseen */
		m->account.doubtful_delays++;
		t->state = SCHED_UNKNOWN;
		note_waker(m, t, e);
		wakes(m, t, e);
		t->expects_wakeup = true;
	}
}

static void on_wake(struct sched_model *m, const struct sched_event *e)
{
	struct sched_task *t;

	if (!e->task || !is_cpu(e->cpu))
		return;
	t = task_of(m, e->task, e->cpu, e->time_ns);
	name(t, e->comm);
	if (t->idle_cpu == SCHED_NONE && t->prio < 0)
		t->prio = e->prio;
	switch (t->state) {
	case SCHED_RUNNING:
		/* it runs on, or it is on its way out, which is seen when it leaves */
		if (e->kind == SCHED_WAKING && !t->early_ns) {
			t->early_ns = e->time_ns;
			note_waker(m, t, e);
		}
		break;
	case SCHED_READY:
		wakes_again(m, t, e);
		break;
	case SCHED_SLEEPING:
	case SCHED_UNKNOWN:
		/* who decided to wake it stands in its sched_waking, if that was seen */
		if (e->kind == SCHED_WAKING || !t->early_ns)
			note_waker(m, t, e);
		wakes(m, t, e);
		t->expects_wakeup = e->kind == SCHED_WAKING;
		break;
	}
}

static void on_fork(struct sched_model *m, const struct sched_event *e)
{
	struct sched_task *t;

	if (!e->task)
		return;
	t = new_task(m, e->task, e->time_ns);
	name(t, e->comm);
	if (e->task_pid != SCHED_NONE)
		t->pid = e->task_pid;
	if (e->parent_pid != SCHED_NONE)
		t->parent_pid = e->parent_pid;
}

static void on_name(struct sched_model *m, const struct sched_event *e)
{
	struct sched_task *t;

	if (!e->task)
		return;
	t = task_of(m, e->task, SCHED_NONE, e->time_ns);
	name(t, e->comm);
	if (e->task_pid != SCHED_NONE)
		t->pid = e->task_pid;
	if (e->parent_pid != SCHED_NONE)
		t->parent_pid = e->parent_pid;
}

static void on_lost(struct sched_model *m, const struct sched_event *e)
{
	struct cpu *c = is_cpu(e->cpu) ? cpu_at(m, e->cpu) : NULL;

	m->account.lost_records++;
	m->account.lost_events += e->amount;
	m->gaps++;
	if (c)
		c->gap = true;
	for (size_t i = 0; !c && i < m->cpus.nr; i++)
		m->cpus.v[i].gap = true;
}

static void on_stat(struct sched_model *m, const struct sched_event *e)
{
	if (is_cpu(e->cpu) && m->ops->stat)
		m->ops->stat(m->arg, task_of(m, e->task, e->cpu, e->time_ns), e);
}

static void on_migrate(struct sched_model *m, const struct sched_event *e)
{
	struct sched_task *task, *by = NULL;

	if (!e->task || !is_cpu(e->cpu) || !m->ops->migrate)
		return;
	task = task_of(m, e->task, e->cpu, e->time_ns);
	name(task, e->comm);
	if (e->tid != SCHED_NONE)
		by = task_of(m, e->tid, e->cpu, e->time_ns);
	else if (e->cpu < m->cpus.nr)
		by = m->cpus.v[e->cpu].current;
	m->ops->migrate(m->arg, task, by, e);
}

static void note_time(struct sched_account *a, const struct sched_event *e)
{
	if (!e->time_ns || e->kind >= SCHED_NAME)
		return;
	if (!a->first_ns || e->time_ns < a->first_ns)
		a->first_ns = e->time_ns;
	if (e->time_ns > a->last_ns)
		a->last_ns = e->time_ns;
}

void model_event(struct sched_model *m, const struct sched_event *e)
{
	m->account.events[e->kind]++;
	note_time(&m->account, e);
	switch (e->kind) {
	case SCHED_SWITCH:
		on_switch(m, e);
		break;
	case SCHED_WAKING:
	case SCHED_WAKEUP:
	case SCHED_WAKEUP_NEW:
		on_wake(m, e);
		break;
	case SCHED_FORK:
		on_fork(m, e);
		break;
	case SCHED_NAME:
	case SCHED_EXEC:
		on_name(m, e);
		break;
	case SCHED_EXIT:
		if (e->task)
			task_of(m, e->task, SCHED_NONE, e->time_ns)->exiting = true;
		break;
	case SCHED_MIGRATE:
		on_migrate(m, e);
		break;
	case SCHED_STAT_RUNTIME:
	case SCHED_STAT_WAIT:
	case SCHED_STAT_SLEEP:
	case SCHED_STAT_IOWAIT:
	case SCHED_STAT_BLOCKED:
		on_stat(m, e);
		break;
	case SCHED_LOST:
		on_lost(m, e);
		break;
	case SCHED_NR_KINDS:
		break;
	}
	if (m->ops->event)
		m->ops->event(m->arg, m, e);
}

void model_end(struct sched_model *m)
{
	for (size_t i = 0; i < m->cpus.nr; i++) {
		struct cpu *c = &m->cpus.v[i];
		struct sched_slice s = { .task = c->current, .cpu = (uint32_t)i, .state = 'R',
					 .to_ns = m->account.last_ns, .open = true };

		if (!c->current || m->account.last_ns < c->since_ns)
			continue;
		slice_ends(m, c, c->current, &s);
		if (m->ops->slice)
			m->ops->slice(m->arg, &s);
	}
}

/* --- questions -------------------------------------------------------------------------- */

uint32_t model_nr_tasks(const struct sched_model *m)
{
	return (uint32_t)m->tasks.nr;
}

const struct sched_task *model_task(const struct sched_model *m, uint32_t index)
{
	return m->tasks.v[index];
}

const struct sched_task *model_find(const struct sched_model *m, uint32_t tid, uint32_t cpu)
{
	if (!tid)
		return cpu < m->cpus.nr ? m->cpus.v[cpu].idle : NULL;
	return holder(m, tid);
}

const struct sched_task *model_waker(const struct sched_model *m, const struct sched_event *e)
{
	if (e->tid == SCHED_NONE)
		return model_current(m, e->cpu);
	return model_find(m, e->tid, e->cpu);
}

const struct sched_task *model_current(const struct sched_model *m, uint32_t cpu)
{
	return cpu < m->cpus.nr ? m->cpus.v[cpu].current : NULL;
}

const struct sched_account *model_account(const struct sched_model *m)
{
	return &m->account;
}
