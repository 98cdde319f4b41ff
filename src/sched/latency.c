/* SPDX-License-Identifier: MIT */
#include "sched/latency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "sched/select.h"

#define KEYS_MAX 8

typedef int compare_fn(const struct latency_row *a, const struct latency_row *b,
		       enum latency_which which);

struct latency {
	const struct profile_query *filter;
	VEC(struct latency_row) tasks;           /* by the model's index */
	bool merge;
	struct map64 ended_by_name;
	VEC(struct latency_row) ended;           /* of tasks that have ended, by name */
	struct latency_row *rows;
	uint32_t nr_rows;
};

static const struct profile_query everything;

struct latency *latency_new(const struct profile_query *filter, bool merge)
{
	struct latency *l = mem_zalloc(sizeof(*l));

	l->filter = filter ? filter : &everything;
	l->merge = merge;
	return l;
}

static void release_dists(struct latency_row *row)
{
	dist_release(&row->wake);
	dist_release(&row->preempt);
	dist_release(&row->all);
}

static void free_rows(struct latency *l)
{
	for (uint32_t i = 0; i < l->nr_rows; i++)
		release_dists(&l->rows[i]);
	free(l->rows);
	l->rows = NULL;
	l->nr_rows = 0;
}

void latency_free(struct latency *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->tasks.nr; i++)
		release_dists(&l->tasks.v[i]);
	vec_release(&l->tasks);
	for (size_t i = 0; i < l->ended.nr; i++)
		release_dists(&l->ended.v[i]);
	vec_release(&l->ended);
	map64_release(&l->ended_by_name);
	free_rows(l);
	free(l);
}

uint64_t latency_runtime(const struct latency_row *row)
{
	return row->nr_charges ? row->charged_ns : row->on_cpu_ns;
}

/* --- counting --------------------------------------------------------------------------- */

static struct latency_row *row_of(struct latency *l, const struct sched_task *task)
{
	while (l->tasks.nr <= task->index) {
		struct latency_row *row = vec_push(&l->tasks);

		memset(row, 0, sizeof(*row));
	}
	l->tasks.v[task->index].task = task;
	l->tasks.v[task->index].nr_tasks = 1;
	return &l->tasks.v[task->index];
}

static void add_row(struct latency_row *to, const struct latency_row *from)
{
	to->nr_tasks += from->nr_tasks;
	to->on_cpu_ns += from->on_cpu_ns;
	/* of a task that the kernel did not charge (none seen), what switches say */
	to->charged_ns += latency_runtime(from);
	to->nr_charges += from->nr_charges;
	to->switches += from->switches;
	to->unknown += from->unknown;
	dist_merge(&to->wake, &from->wake);
	dist_merge(&to->preempt, &from->preempt);
}

/* The task has left for good: its counts go to those of its name. */
static void end_task(struct latency *l, const struct sched_task *task)
{
	struct latency_row *row = row_of(l, task), *to;
	uint64_t *slot;
	bool added;

	if (!*task->comm)
		return;
	if (select_task(l->filter, task) && (row->switches || latency_runtime(row))) {
		slot = map64_put(&l->ended_by_name, hash_bytes(task->comm, strlen(task->comm)), &added);
		if (added) {
			*slot = l->ended.nr;
			memset(vec_push(&l->ended), 0, sizeof(struct latency_row));
			l->ended.v[*slot].task = task;
		}
		to = &l->ended.v[*slot];
		add_row(to, row);
	}
	release_dists(row);
	memset(row, 0, sizeof(*row));
}

static void on_slice(void *arg, const struct sched_slice *s)
{
	struct latency *l = arg;

	if (s->task->idle_cpu != SCHED_NONE || !s->from_ns || s->doubtful || s->open ||
	    !select_cpu(l->filter, s->cpu))
		return;
	row_of(l, s->task)->on_cpu_ns += select_within(l->filter, s->from_ns, s->to_ns);
}

static void on_leaving(void *arg, const struct sched_slice *s)
{
	struct latency *l = arg;

	on_slice(arg, s);
	if (l->merge && s->task->idle_cpu == SCHED_NONE && (s->state == 'Z' || s->state == 'X'))
		end_task(l, s->task);
}

static void on_start(void *arg, const struct sched_start *s)
{
	struct latency *l = arg;
	struct latency_row *row;

	if (s->task->idle_cpu != SCHED_NONE || !select_cpu(l->filter, s->cpu) ||
	    !select_time(l->filter, s->time_ns))
		return;
	row = row_of(l, s->task);
	row->switches++;
	if (s->reason == SCHED_BY_WAKE)
		dist_add(&row->wake, s->ready_ns, s->time_ns);
	else if (s->reason == SCHED_BY_PREEMPTION)
		dist_add(&row->preempt, s->ready_ns, s->time_ns);
	else
		row->unknown++;
}

static void on_stat(void *arg, const struct sched_task *task, const struct sched_event *e)
{
	struct latency *l = arg;
	struct latency_row *row;

	if (e->kind != SCHED_STAT_RUNTIME || task->idle_cpu != SCHED_NONE ||
	    !select_cpu(l->filter, e->cpu) || !select_time(l->filter, e->time_ns))
		return;
	row = row_of(l, task);
	row->charged_ns += e->amount;
	row->nr_charges++;
}

const struct sched_ops latency_ops = { .slice = on_leaving, .start = on_start, .stat = on_stat };

/* --- rows ------------------------------------------------------------------------------- */

const struct dist *latency_dist(const struct latency_row *row, enum latency_which which)
{
	return which == LATENCY_WAKE ? &row->wake : which == LATENCY_PREEMPT ? &row->preempt : &row->all;
}

/* The row for a task's counts: its own, or that of its name. */
static struct latency_row *row_for(struct latency *l, struct map64 *by_name,
				   const struct sched_task *task, bool by_task)
{
	uint64_t key = hash_bytes(task->comm, strlen(task->comm)), *slot;
	bool added = true;

	if (!by_task) {
		/* a task without a name is its own */
		slot = map64_put(by_name, *task->comm ? key : hash_mix(key, task->index + 1), &added);
		if (!added)
			return &l->rows[*slot];
		*slot = l->nr_rows;
	}
	memset(&l->rows[l->nr_rows], 0, sizeof(*l->rows));
	l->rows[l->nr_rows].task = task;
	return &l->rows[l->nr_rows++];
}

static void make_rows(struct latency *l, const struct sched_model *model, bool by_task)
{
	struct map64 by_name = { 0 };

	free_rows(l);
	l->rows = mem_realloc_array(NULL, l->tasks.nr + l->ended.nr + 1, sizeof(*l->rows));
	for (size_t i = 0; i < l->ended.nr; i++)
		add_row(row_for(l, &by_name, l->ended.v[i].task, by_task), &l->ended.v[i]);
	for (uint32_t i = 0; i < l->tasks.nr && i < model_nr_tasks(model); i++) {
		const struct latency_row *from = &l->tasks.v[i];

		if (from->task && (from->switches || latency_runtime(from)) &&
		    select_task(l->filter, from->task))
			add_row(row_for(l, &by_name, from->task, by_task), from);
	}
	for (uint32_t i = 0; i < l->nr_rows; i++) {
		dist_merge(&l->rows[i].all, &l->rows[i].wake);
		dist_merge(&l->rows[i].all, &l->rows[i].preempt);
	}
	map64_release(&by_name);
}

static int numbers(uint64_t a, uint64_t b)
{
	return a > b ? -1 : a < b;
}

static int by_average(const struct latency_row *a, const struct latency_row *b, enum latency_which w)
{
	const struct dist *x = latency_dist(a, w), *y = latency_dist(b, w);
	double left = x->nr ? (double)x->total_ns / (double)x->nr : -1;
	double right = y->nr ? (double)y->total_ns / (double)y->nr : -1;

	return left > right ? -1 : left < right;
}

static int by_max(const struct latency_row *a, const struct latency_row *b, enum latency_which w)
{
	return numbers(latency_dist(a, w)->max_ns, latency_dist(b, w)->max_ns);
}

static int by_switches(const struct latency_row *a, const struct latency_row *b, enum latency_which w)
{
	(void)w;
	return numbers(a->switches, b->switches);
}

static int by_runtime(const struct latency_row *a, const struct latency_row *b, enum latency_which w)
{
	(void)w;
	return numbers(latency_runtime(a), latency_runtime(b));
}

static int by_p50(const struct latency_row *a, const struct latency_row *b, enum latency_which w)
{
	return numbers(dist_percentile(latency_dist(a, w), 50), dist_percentile(latency_dist(b, w), 50));
}

static int by_p95(const struct latency_row *a, const struct latency_row *b, enum latency_which w)
{
	return numbers(dist_percentile(latency_dist(a, w), 95), dist_percentile(latency_dist(b, w), 95));
}

static int by_p99(const struct latency_row *a, const struct latency_row *b, enum latency_which w)
{
	return numbers(dist_percentile(latency_dist(a, w), 99), dist_percentile(latency_dist(b, w), 99));
}

static int by_tid(const struct latency_row *a, const struct latency_row *b, enum latency_which w)
{
	(void)w;
	return -numbers(a->task->tid, b->task->tid);
}

static const struct { const char *name; compare_fn *compare; } keys[] = {
	{ "avg", by_average }, { "max", by_max }, { "switch", by_switches }, { "runtime", by_runtime },
	{ "p50", by_p50 }, { "p95", by_p95 }, { "p99", by_p99 }, { "pid", by_tid },
};

struct order { compare_fn *by[KEYS_MAX]; unsigned nr; enum latency_which which; };

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct latency_row *x = a, *y = b;
	const struct order *o = arg;
	int r = 0;

	for (unsigned i = 0; i < o->nr && !r; i++)
		r = o->by[i](x, y, o->which);
	return r ? r : x->task->index < y->task->index ? -1 : x->task->index > y->task->index;
}

static int parse_keys(struct order *o, const char *text, struct err *err)
{
	const size_t nr_keys = sizeof(keys) / sizeof(keys[0]);
	size_t len, k;

	for (const char *at = text; *at; at += len + (at[len] == ',')) {
		at += strspn(at, " ");
		len = strcspn(at, ", ");
		for (k = 0; k < nr_keys; k++)
			if (strlen(keys[k].name) == len && strncmp(keys[k].name, at, len) == 0)
				break;
		if (k == nr_keys || o->nr == KEYS_MAX)
			return err_set(err, EINVAL, "-s takes %s, not '%s'", LATENCY_KEYS, text);
		o->by[o->nr++] = keys[k].compare;
	}
	return 0;
}

int latency_check_sort(const char *sort, struct err *err)
{
	struct order order = { .nr = 0 };

	return parse_keys(&order, sort, err);
}

int latency_rows(struct latency *l, const struct sched_model *model, bool by_task, const char *sort,
		 enum latency_which which, const struct latency_row **rows, uint32_t *nr,
		 struct err *err)
{
	struct order order = { .which = which };
	int r = parse_keys(&order, sort ? sort : "avg,max,switch,runtime", err);

	if (r < 0)
		return r;
	make_rows(l, model, by_task);
	if (l->nr_rows)
		qsort_r(l->rows, l->nr_rows, sizeof(*l->rows), compare_rows, &order);
	*rows = l->rows;
	*nr = l->nr_rows;
	return 0;
}
