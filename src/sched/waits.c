/* SPDX-License-Identifier: MIT */
#include "sched/waits.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "sched/select.h"

#define INTERRUPT UINT32_MAX     /* in a pair: no task */

struct slot {
	struct waits_row row;
	uint32_t nr_links;               /* the chain behind its last wake-up */
	struct wait_link links[WAITS_CHAIN];
	uint32_t stack;                  /* where it left last */
};

struct pair { uint32_t task, other; bool behind; uint64_t nr, ns; };

struct waits {
	const struct profile_query *filter;
	waits_stack *stack;
	void *arg;
	VEC(struct slot *) slots;        /* by the model's index */
	VEC(struct pair) pairs;
	struct map64 pair_ids, path_ids;
	VEC(struct wait_path) paths;
	VEC(struct waits_row) rows;
	VEC(struct wait_other) others;
};

enum wait_kind wait_kind_of(char state)
{
	switch (state) {
	case 'S':
		return WAIT_SLEEP;
	case 'D':
		return WAIT_BLOCKED;
	case 'I':
		return WAIT_IDLE;
	case 'T':
	case 't':
		return WAIT_STOPPED;
	default:
		return WAIT_OTHER;
	}
}

struct waits *waits_new(const struct profile_query *filter, waits_stack *stack, void *arg)
{
	struct waits *w = mem_zalloc(sizeof(*w));

	w->filter = filter;
	w->stack = stack;
	w->arg = arg;
	return w;
}

void waits_free(struct waits *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->slots.nr; i++)
		free(w->slots.v[i]);
	vec_release(&w->slots);
	vec_release(&w->pairs);
	map64_release(&w->pair_ids);
	map64_release(&w->path_ids);
	vec_release(&w->paths);
	vec_release(&w->rows);
	vec_release(&w->others);
	free(w);
}

static struct slot *slot_of(struct waits *w, const struct sched_task *task)
{
	struct slot *slot;

	while (w->slots.nr <= task->index)
		*vec_push(&w->slots) = NULL;
	slot = w->slots.v[task->index];
	if (!slot) {
		slot = w->slots.v[task->index] = mem_zalloc(sizeof(*slot));
		slot->row.task = task;
	}
	return slot;
}

/* --- counting --------------------------------------------------------------------------- */

static void spend(struct waits *w, struct slot *slot, enum wait_kind kind, uint64_t from_ns,
		  uint64_t to_ns)
{
	uint64_t ns = select_within(w->filter, from_ns, to_ns);

	slot->row.ns[kind] += ns;
	slot->row.wall_ns += ns;
}

static void count_pair(struct waits *w, uint32_t task, uint32_t other, bool behind, uint64_t ns)
{
	bool added;
	uint64_t *id = map64_put(&w->pair_ids, hash_mix((uint64_t)task << 32 | other, behind + 1u), &added);
	struct pair *pair;

	if (added) {
		*id = w->pairs.nr;
		*vec_push(&w->pairs) = (struct pair){ .task = task, .other = other, .behind = behind };
	}
	pair = &w->pairs.v[*id];
	pair->nr++;
	pair->ns += ns;
}

static void on_slice(void *arg, const struct sched_slice *s)
{
	struct waits *w = arg;
	struct slot *slot;

	if (s->task->idle_cpu != SCHED_NONE)
		return;
	slot = slot_of(w, s->task);
	if (s->from_ns)
		spend(w, slot, s->doubtful ? WAIT_UNKNOWN : WAIT_RUN, s->from_ns, s->to_ns);
	if (w->stack && s->event)
		slot->stack = w->stack(w->arg, s->event->sample);
}

static void on_start(void *arg, const struct sched_start *s)
{
	struct waits *w = arg;
	struct slot *slot;

	if (s->task->idle_cpu != SCHED_NONE)
		return;
	slot = slot_of(w, s->task);
	if (s->reason == SCHED_BY_NOTHING) {
		if (s->out_ns)
			spend(w, slot, WAIT_UNKNOWN, s->out_ns, s->time_ns);
		return;
	}
	if (s->reason == SCHED_BY_WAKE && s->out_ns)
		spend(w, slot, wait_kind_of(s->out_state), s->out_ns, s->ready_ns);
	spend(w, slot, s->reason == SCHED_BY_WAKE ? WAIT_WOKEN : WAIT_THROWN, s->ready_ns, s->time_ns);
	if (s->before)
		count_pair(w, s->task->index, s->before->index, true,
			   select_within(w->filter, s->ready_ns, s->time_ns));
}

/* Keep a wait if it is among the longest. */
static void keep_longest(struct slot *slot, const struct wait *wait)
{
	struct wait *v = slot->row.longest;
	uint32_t at = WAITS_LONGEST;

	while (at && (!v[at - 1].to_ns ||
		      v[at - 1].to_ns - v[at - 1].from_ns < wait->to_ns - wait->from_ns))
		at--;
	if (at == WAITS_LONGEST)
		return;
	memmove(&v[at + 1], &v[at], (WAITS_LONGEST - 1 - at) * sizeof(*v));
	v[at] = *wait;
}

static void link_wake(struct waits *w, struct slot *slot, const struct sched_wake *wake)
{
	const struct slot *by = wake->waker && !wake->interrupt && wake->waker->idle_cpu == SCHED_NONE ?
				slot_of(w, wake->waker) : NULL;

	slot->links[0] = (struct wait_link){ wake->waker, wake->event->time_ns, wake->interrupt };
	slot->nr_links = 1;
	if (!by || by == slot)
		return;
	slot->nr_links += by->nr_links < WAITS_CHAIN ? by->nr_links : WAITS_CHAIN - 1;
	memcpy(&slot->links[1], by->links, (slot->nr_links - 1) * sizeof(slot->links[0]));
}

static void keep_path(struct waits *w, const struct slot *slot, const struct sched_wake *wake, uint64_t ns)
{
	struct wait_path path;
	uint64_t *id;
	bool added;

	/* its bytes are the key */
	memset(&path, 0, sizeof(path));
	path.state = wake->slept_state;
	path.stack = slot->stack;
	path.interrupt = wake->interrupt;
	memcpy(path.comm, wake->task->comm, sizeof(path.comm));
	if (wake->waker)
		memcpy(path.waker, wake->waker->comm, sizeof(path.waker));
	path.waker_stack = w->stack(w->arg, wake->event->sample);
	id = map64_put(&w->path_ids, hash_bytes(&path, sizeof(path)), &added);
	if (added) {
		*id = w->paths.nr;
		*vec_push(&w->paths) = path;
	}
	w->paths.v[*id].ns += ns;
	w->paths.v[*id].nr++;
}

static void on_wake(void *arg, const struct sched_wake *wake)
{
	struct waits *w = arg;
	struct slot *slot = slot_of(w, wake->task);
	struct wait wait = { .state = wake->slept_state, .to_ns = wake->event->time_ns };
	uint64_t ns;

	link_wake(w, slot, wake);
	wait.from_ns = wait.to_ns - wake->slept_ns;
	ns = wake->asleep ? select_within(w->filter, wait.from_ns, wait.to_ns) : 0;
	if (!ns)
		return;
	count_pair(w, wake->task->index, wake->interrupt || !wake->waker ? INTERRUPT : wake->waker->index,
		   false, ns);
	for (uint32_t i = 0; i < slot->nr_links && slot->links[i].time_ns >= wait.from_ns; i++)
		wait.links[wait.nr_links++] = slot->links[i];
	keep_longest(slot, &wait);
	if (w->stack && select_task(w->filter, wake->task))
		keep_path(w, slot, wake, ns);
}

static void on_stat(void *arg, const struct sched_task *task, const struct sched_event *e)
{
	if (e->kind == SCHED_STAT_IOWAIT && task->idle_cpu == SCHED_NONE)
		slot_of(arg, task)->row.iowait_ns += e->amount;
}

const struct sched_ops waits_ops = {
	.slice = on_slice, .start = on_start, .wake = on_wake, .stat = on_stat,
};

/* --- rows ------------------------------------------------------------------------------- */

/* What it did at the end of the recording, it did up to there. */
static void spend_rest(struct waits *w, struct slot *slot, uint64_t end_ns)
{
	const struct sched_task *t = slot->row.task;

	if (t->dead || t->since_ns > end_ns)
		return;
	if (t->state == SCHED_SLEEPING) {
		spend(w, slot, wait_kind_of(t->out_state), t->since_ns, end_ns);
	} else if (t->state == SCHED_READY) {
		if (t->reason == SCHED_BY_WAKE && t->out_ns && t->out_ns < t->since_ns)
			spend(w, slot, wait_kind_of(t->out_state), t->out_ns, t->since_ns);
		spend(w, slot, t->reason == SCHED_BY_WAKE ? WAIT_WOKEN : WAIT_THROWN, t->since_ns, end_ns);
	}
}

static int by_task_and_time(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->task != y->task)
		return x->task < y->task ? -1 : 1;
	if (x->behind != y->behind)
		return x->behind ? 1 : -1;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->other < y->other ? -1 : x->other > y->other;
}

static int by_delay(const void *a, const void *b)
{
	const struct waits_row *x = a, *y = b;
	uint64_t left = x->ns[WAIT_WOKEN] + x->ns[WAIT_THROWN];
	uint64_t right = y->ns[WAIT_WOKEN] + y->ns[WAIT_THROWN];

	if (left != right)
		return left > right ? -1 : 1;
	if (x->ns[WAIT_RUN] != y->ns[WAIT_RUN])
		return x->ns[WAIT_RUN] > y->ns[WAIT_RUN] ? -1 : 1;
	return x->task->index < y->task->index ? -1 : x->task->index > y->task->index;
}

/* Lay the pairs, which are sorted, to their rows. */
static void lay_others(struct waits *w, const struct sched_model *model)
{
	if (w->pairs.nr)
		qsort(w->pairs.v, w->pairs.nr, sizeof(*w->pairs.v), by_task_and_time);
	vec_reserve(&w->others, w->pairs.nr + 1);
	for (size_t i = 0; i < w->pairs.nr; i++) {
		const struct pair *p = &w->pairs.v[i];
		struct waits_row *row = &w->slots.v[p->task]->row;
		struct wait_other *o = vec_push(&w->others);

		o->interrupt = p->other == INTERRUPT;
		o->task = o->interrupt ? NULL : model_task(model, p->other);
		o->nr = p->nr;
		o->ns = p->ns;
		if (p->behind) {
			row->behind = row->nr_behind++ ? row->behind : o;
		} else {
			row->wakers = row->nr_wakers++ ? row->wakers : o;
		}
	}
}

const struct waits_row *waits_rows(struct waits *w, const struct sched_model *model, uint32_t *nr)
{
	uint64_t end_ns = model_account(model)->last_ns;

	lay_others(w, model);
	for (size_t i = 0; i < w->slots.nr; i++) {
		struct slot *slot = w->slots.v[i];

		if (!slot)
			continue;
		spend_rest(w, slot, end_ns);
		if (slot->row.wall_ns && slot->row.task->idle_cpu == SCHED_NONE &&
		    select_task(w->filter, slot->row.task))
			*vec_push(&w->rows) = slot->row;
	}
	if (w->rows.nr)
		qsort(w->rows.v, w->rows.nr, sizeof(*w->rows.v), by_delay);
	*nr = (uint32_t)w->rows.nr;
	return w->rows.v;
}

const struct wait_path *waits_paths(struct waits *w, uint32_t *nr)
{
	*nr = (uint32_t)w->paths.nr;
	return w->paths.v;
}
