/* SPDX-License-Identifier: MIT */
#include "sched/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "sched/select.h"

/* What is known of a task before its next slice ends. */
struct pending {
	uint64_t ready_ns;
	uint32_t waker, waker_cpu;
	bool woken, interrupt;
};

struct timeline {
	const struct profile_query *filter;
	uint32_t most;
	VEC(struct timeline_slice) slices;
	VEC(struct pending) pending;     /* by the model's index */
	uint64_t dropped, dropped_from_ns;
};

struct timeline *timeline_new(const struct profile_query *filter, uint32_t most)
{
	struct timeline *t = mem_zalloc(sizeof(*t));

	t->filter = filter;
	t->most = most;
	return t;
}

void timeline_free(struct timeline *t)
{
	if (!t)
		return;
	vec_release(&t->slices);
	vec_release(&t->pending);
	free(t);
}

static struct pending *pending_of(struct timeline *t, const struct sched_task *task)
{
	while (t->pending.nr <= task->index)
		*vec_push(&t->pending) = (struct pending){ .waker = SCHED_NONE };
	return &t->pending.v[task->index];
}

static bool passes(const struct profile_query *q, const struct sched_slice *s)
{
	bool time = !q->nr_times;

	for (uint32_t i = 0; !time && i < q->nr_times; i++)
		time = s->to_ns >= q->times[i].from_ns && s->from_ns <= q->times[i].to_ns;
	return time && select_cpu(q, s->cpu) && select_task(q, s->task);
}

static void on_wake(void *arg, const struct sched_wake *w)
{
	struct pending *p = pending_of(arg, w->task);

	p->waker = w->waker ? w->waker->index : SCHED_NONE;
	p->waker_cpu = w->event->cpu;
	p->interrupt = w->interrupt;
}

static void on_start(void *arg, const struct sched_start *s)
{
	struct pending *p = pending_of(arg, s->task);

	p->ready_ns = s->reason == SCHED_BY_NOTHING ? 0 : s->ready_ns;
	p->woken = s->reason == SCHED_BY_WAKE;
}

static void on_slice(void *arg, const struct sched_slice *s)
{
	struct timeline *t = arg;
	struct pending *p = pending_of(t, s->task);
	struct timeline_slice *out;

	if (!s->from_ns || s->task->idle_cpu != SCHED_NONE || !passes(t->filter, s))
		return;
	if (t->slices.nr >= t->most) {
		if (!t->dropped++)
			t->dropped_from_ns = s->from_ns;
		return;
	}
	out = vec_push(&t->slices);
	*out = (struct timeline_slice){
		.from_ns = s->from_ns, .to_ns = s->to_ns, .task = s->task->index, .cpu = s->cpu,
		.ready_ns = p->ready_ns && p->ready_ns <= s->from_ns ? p->ready_ns : s->from_ns,
		.woken = p->woken, .waker = p->woken ? p->waker : SCHED_NONE, .waker_cpu = p->waker_cpu,
		.interrupt = p->interrupt, .state = s->open ? '>' : s->state, .doubtful = s->doubtful,
	};
}

const struct sched_ops timeline_ops = { .slice = on_slice, .start = on_start, .wake = on_wake };

const struct timeline_slice *timeline_slices(const struct timeline *t, uint32_t *nr)
{
	*nr = (uint32_t)t->slices.nr;
	return t->slices.v;
}

uint64_t timeline_dropped(const struct timeline *t, uint64_t *from_ns)
{
	*from_ns = t->dropped_from_ns;
	return t->dropped;
}
