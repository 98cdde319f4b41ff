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
	VEC(struct latency_row) tasks;
	VEC(uint32_t) unused;                    /* of them, indices of those that were merged */
	VEC(uint32_t) row_of;                    /* by the model's index: index + 1 in tasks, or 0 */
	uint32_t nr_seen;
	bool merge;
	struct map64 ended_by_name;
	VEC(struct latency_row) ended;           /* of tasks that have ended, by name */
	struct latency_row *rows;                /* of names */
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
	free_rows(l);
	for (size_t i = 0; i < l->tasks.nr; i++)
		release_dists(&l->tasks.v[i]);
	vec_release(&l->tasks);
	vec_release(&l->unused);
	vec_release(&l->row_of);
	for (size_t i = 0; i < l->ended.nr; i++)
		release_dists(&l->ended.v[i]);
	vec_release(&l->ended);
	map64_release(&l->ended_by_name);
	free(l);
}

uint64_t latency_runtime(const struct latency_row *row)
{
	return row->nr_charges ? row->charged_ns : row->on_cpu_ns;
}

/* --- counting --------------------------------------------------------------------------- */

static struct latency_row *new_row(struct latency *l)
{
	uint32_t index = (uint32_t)l->tasks.nr;

	if (l->unused.nr)
		index = l->unused.v[--l->unused.nr];
	else
		vec_push(&l->tasks);
	memset(&l->tasks.v[index], 0, sizeof(*l->tasks.v));
	l->tasks.v[index].serial = l->nr_seen++;
	l->tasks.v[index].nr_tasks = 1;
	return &l->tasks.v[index];
}

static struct latency_row *row_of(struct latency *l, const struct sched_task *task)
{
	struct latency_row *row;

	while (l->row_of.nr <= task->index)
		*vec_push(&l->row_of) = 0;
	if (l->row_of.v[task->index])
		return &l->tasks.v[l->row_of.v[task->index] - 1];
	row = new_row(l);
	row->task = task;
	l->row_of.v[task->index] = (uint32_t)(row - l->tasks.v) + 1;
	return row;
}

/* Who it is of. */
static void name_row(struct latency_row *row, const struct sched_task *task)
{
	memcpy(row->comm, task->comm, sizeof(row->comm));
	row->tid = task->tid;
	row->pid = task->pid;
}

static bool is_wanted(const struct latency *l, const struct latency_row *row,
		      const struct sched_task *task)
{
	return (row->switches || latency_runtime(row)) && select_task(l->filter, task);
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

static void merge_ended(struct latency *l, const struct latency_row *row)
{
	bool added;
	uint64_t *slot = map64_put(&l->ended_by_name, hash_bytes(row->comm, strlen(row->comm)), &added);
	struct latency_row *to;

	if (added) {
		*slot = l->ended.nr;
		to = vec_push(&l->ended);
		memset(to, 0, sizeof(*to));
		memcpy(to->comm, row->comm, sizeof(to->comm));
		to->tid = row->tid;
		to->pid = row->pid;
		to->serial = row->serial;
	}
	add_row(&l->ended.v[*slot], row);
}

/* The task has ended: its counts go to those of its name, or are kept as small as can be. */
static void on_gone(void *arg, const struct sched_task *task)
{
	struct latency *l = arg;
	struct latency_row *row;
	uint32_t index;

	if (task->index >= l->row_of.nr || !l->row_of.v[task->index])
		return;
	index = l->row_of.v[task->index] - 1;
	row = &l->tasks.v[index];
	l->row_of.v[task->index] = 0;
	name_row(row, task);
	row->task = NULL;
	if (is_wanted(l, row, task)) {
		if (!l->merge || !*row->comm) {
			dist_trim(&row->wake);
			dist_trim(&row->preempt);
			return;
		}
		merge_ended(l, row);
	}
	release_dists(row);
	memset(row, 0, sizeof(*row));
	*vec_push(&l->unused) = index;
}

static void on_slice(void *arg, const struct sched_slice *s)
{
	struct latency *l = arg;

	if (s->task->idle_cpu != SCHED_NONE || !s->from_ns || s->doubtful || s->open ||
	    !select_cpu(l->filter, s->cpu))
		return;
	row_of(l, s->task)->on_cpu_ns += select_within(l->filter, s->from_ns, s->to_ns);
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

const struct sched_ops latency_ops = {
	.slice = on_slice, .start = on_start, .stat = on_stat, .gone = on_gone, .forget = true,
};

/* --- rows ------------------------------------------------------------------------------- */

const struct dist *latency_dist(const struct latency_row *row, enum latency_which which)
{
	return which == LATENCY_WAKE ? &row->wake : which == LATENCY_PREEMPT ? &row->preempt : &row->all;
}

static void add_to_name(struct latency *l, struct map64 *by_name, const struct latency_row *from)
{
	uint64_t key = hash_bytes(from->comm, strlen(from->comm)), *slot;
	struct latency_row *to;
	bool added;

	/* a task without a name is its own */
	slot = map64_put(by_name, *from->comm ? key : hash_mix(key, from->serial + 1), &added);
	if (added) {
		*slot = l->nr_rows++;
		to = &l->rows[*slot];
		memset(to, 0, sizeof(*to));
		memcpy(to->comm, from->comm, sizeof(to->comm));
		to->tid = from->tid;
		to->pid = from->pid;
		to->serial = from->serial;
	}
	add_row(&l->rows[*slot], from);
}

/* Name those that live, and let go what is not wanted. No more can be counted then. */
static void settle_tasks(struct latency *l)
{
	uint32_t nr = 0;

	for (size_t i = 0; i < l->tasks.nr; i++) {
		struct latency_row *row = &l->tasks.v[i];

		/* those that have ended were asked then */
		if (row->nr_tasks && (!row->task || is_wanted(l, row, row->task))) {
			if (row->task)
				name_row(row, row->task);
			row->task = NULL;
			l->tasks.v[nr++] = *row;
		} else {
			release_dists(row);
		}
	}
	l->tasks.nr = nr;
	vec_trim(&l->tasks);
}

static void make_names(struct latency *l)
{
	struct map64 by_name = { 0 };

	free_rows(l);
	l->rows = mem_realloc_array(NULL, l->tasks.nr + l->ended.nr + 1, sizeof(*l->rows));
	for (size_t i = 0; i < l->ended.nr; i++)
		add_to_name(l, &by_name, &l->ended.v[i]);
	for (size_t i = 0; i < l->tasks.nr; i++)
		add_to_name(l, &by_name, &l->tasks.v[i]);
	map64_release(&by_name);
}

static void add_both(struct latency_row *row)
{
	dist_release(&row->all);
	dist_merge(&row->all, &row->wake);
	dist_merge(&row->all, &row->preempt);
	dist_trim(&row->all);
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
	return -numbers(a->tid, b->tid);
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
	return r ? r : x->serial < y->serial ? -1 : x->serial > y->serial;
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
	if (!o->nr)
		return err_set(err, EINVAL, "-s takes %s, not '%s'", LATENCY_KEYS, text);
	return 0;
}

int latency_check_sort(const char *sort, struct err *err)
{
	struct order order = { .nr = 0 };

	return parse_keys(&order, sort, err);
}

int latency_rows(struct latency *l, bool by_task, const char *sort, enum latency_which which,
		 const struct latency_row **rows, uint32_t *nr, struct err *err)
{
	struct order order = { .which = which };
	struct latency_row *found;
	int r = parse_keys(&order, sort ? sort : "avg,max,switch,runtime", err);

	if (r < 0)
		return r;
	settle_tasks(l);
	if (!by_task)
		make_names(l);
	found = by_task ? l->tasks.v : l->rows;
	*nr = by_task ? (uint32_t)l->tasks.nr : l->nr_rows;
	for (uint32_t i = 0; i < *nr; i++)
		add_both(&found[i]);
	if (*nr)
		qsort_r(found, *nr, sizeof(*found), compare_rows, &order);
	*rows = found;
	return 0;
}
