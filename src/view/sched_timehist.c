/* SPDX-License-Identifier: MIT */
/* sched timehist: a line for each time that a task leaves a CPU, as perf sched timehist has it. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "sched/select.h"
#include "view/sched.h"

#define NAME_WIDTH 30u           /* perf's */
#define LEAST_NAME 15u
#define LINE_WIDTH 88u           /* with that, and nothing asked for */
#define STACK_DEFAULT 5u

/* What the summary says of a task. */
struct totals {
	uint64_t runs, run_ns, min_ns, max_ns;
	double mean, squares;            /* Welford's */
	uint64_t sleep_ns, iowait_ns, preempt_ns, delay_ns;
	uint64_t migrations;
};

struct sched_timehist {
	struct sched_timehist_options o;
	unsigned name_width;
	VEC(struct totals) tasks;        /* by the model's index */
	struct str line;
	uint64_t first_ns, last_ns;      /* of the window */
	uint64_t switches;
};

/* Names give way where a terminal is too narrow for the line. */
static unsigned name_width(const struct sched_timehist_options *o)
{
	unsigned line = LINE_WIDTH + (o->cpu_visual ? o->nr_cpus + 2 : 0) + (o->show_prio ? 7 : 0) +
			(o->state ? 7 : 0);

	if (!o->width || line <= o->width)
		return NAME_WIDTH;
	return line - o->width < NAME_WIDTH - LEAST_NAME ? NAME_WIDTH - (line - o->width) : LEAST_NAME;
}

struct sched_timehist *sched_timehist_new(const struct sched_timehist_options *options)
{
	struct sched_timehist *h = mem_zalloc(sizeof(*h));

	h->o = *options;
	h->name_width = name_width(options);
	h->line = (struct str)STR_INIT;
	if (!h->o.max_stack)
		h->o.max_stack = STACK_DEFAULT;
	if (h->o.max_stack > SCHED_STACK_MAX)
		h->o.max_stack = SCHED_STACK_MAX;
	return h;
}

void sched_timehist_free(struct sched_timehist *h)
{
	if (!h)
		return;
	vec_release(&h->tasks);
	str_release(&h->line);
	free(h);
}

static struct totals *totals_of(struct sched_timehist *h, const struct sched_task *task)
{
	while (h->tasks.nr <= task->index)
		memset(vec_push(&h->tasks), 0, sizeof(struct totals));
	return &h->tasks.v[task->index];
}

/* --- which ---------------------------------------------------------------------------------- */

static bool task_passes(const struct sched_timehist *h, const struct sched_task *t)
{
	const struct profile_query *q = h->o.filter;
	bool idle = t->idle_cpu != SCHED_NONE;

	if (h->o.idle_only != idle && h->o.idle_only)
		return false;
	if (h->o.nr_prios && (idle || !select_number(h->o.prios, h->o.nr_prios, (uint32_t)t->prio)))
		return false;
	/* idle is process 0, on every CPU */
	if (idle)
		return !q->comms && (!q->nr_pids || select_number(q->pids, q->nr_pids, 0)) &&
		       (!q->nr_tids || select_number(q->tids, q->nr_tids, 0));
	return select_task(q, t);
}

static const struct time_range *range_at(const struct sched_timehist *h, uint64_t from_ns,
					 uint64_t to_ns)
{
	static const struct time_range all = { 0, UINT64_MAX };
	const struct profile_query *q = h->o.filter;

	for (uint32_t i = 0; i < q->nr_times; i++)
		if (to_ns >= q->times[i].from_ns && from_ns <= q->times[i].to_ns)
			return &q->times[i];
	return q->nr_times ? NULL : &all;
}

/* --- lines ---------------------------------------------------------------------------------- */

static void pad_to(struct str *s, size_t from, size_t width)
{
	while (s->len - from < width)
		str_addc(s, ' ');
}

static void add_start(struct sched_timehist *h, uint64_t time_ns, uint32_t cpu,
		      const struct sched_task *task, uint32_t mark_cpu, char mark)
{
	struct str *s = &h->line;
	size_t from;

	str_clear(s);
	sched_add_time(s, time_ns, 15);
	str_add(s, " [");
	str_add_dec(s, cpu, 4, '0');
	str_add(s, "] ");
	if (h->o.cpu_visual) {
		/* perf's lines of migrations stand further right */
		str_add(s, mark == 'm' ? "  " : " ");
		for (uint32_t i = 0; i < h->o.nr_cpus; i++)
			str_addc(s, i == mark_cpu ? mark : ' ');
		str_add(s, mark == 'm' ? "  " : " ");
	}
	str_addc(s, ' ');
	from = s->len;
	sched_add_task(s, task);
	pad_to(s, from, h->name_width);
	str_addc(s, ' ');
	if (h->o.show_prio) {
		if (task->prio >= 0)
			str_addf(s, "%6d ", task->prio);
		else
			str_add(s, "     - ");
	}
}

static void end_line(struct sched_timehist *h)
{
	str_addc(&h->line, '\n');
	fwrite(h->line.p, 1, h->line.len, h->o.out);
}

static void add_stack(struct sched_timehist *h, const struct sample *sample)
{
	const char *names[SCHED_STACK_MAX];
	uint32_t nr = sched_stack_names(h->o.stacks, sample, names, h->o.max_stack);

	str_add(&h->line, "  ");
	for (uint32_t i = 0; i < nr; i++) {
		str_add(&h->line, i ? " <- " : " ");
		str_add_safe(&h->line, names[i]);
	}
}

static void write_slice(struct sched_timehist *h, const struct sched_slice *l, uint64_t run_ns)
{
	bool idle = l->task->idle_cpu != SCHED_NONE;
	struct str *s = &h->line;
	size_t from;

	add_start(h, l->to_ns, l->cpu, l->task, l->cpu, idle ? 'i' : 's');
	sched_add_ms(s, l->from_ns ? l->slept_ns : 0, 10);
	str_addc(s, ' ');
	sched_add_ms(s, l->from_ns ? l->waking_delay_ns : 0, 10);
	str_addc(s, ' ');
	sched_add_ms(s, run_ns, 10);
	str_addc(s, ' ');
	if (h->o.state)
		str_addf(s, " %5c ", idle ? 'I' : l->state);
	if (h->o.next) {
		str_addc(s, ' ');
		from = s->len;
		str_add(s, "next: ");
		sched_add_comm(s, l->next);
		if (l->next->idle_cpu != SCHED_NONE)
			str_addf(s, "/%u", l->cpu);
		str_addf(s, "[%u]", l->next->tid);
		pad_to(s, from, NAME_WIDTH);
	} else if (h->o.wakeups) {
		from = s->len;
		pad_to(s, from, 2 + NAME_WIDTH);
	}
	if (h->o.stacks && !idle)
		add_stack(h, l->event->sample);
	end_line(h);
}

static void count_slice(struct totals *t, const struct sched_slice *l, uint64_t run_ns)
{
	double delta = (double)run_ns - t->mean;

	t->runs++;
	t->run_ns += run_ns;
	if (t->runs == 1 || run_ns < t->min_ns)
		t->min_ns = run_ns;
	if (run_ns > t->max_ns)
		t->max_ns = run_ns;
	t->mean += delta / (double)t->runs;
	t->squares += delta * ((double)run_ns - t->mean);
	if (l->slept_state == 'R')
		t->preempt_ns += l->slept_ns;
	else if (l->slept_state == 'D')
		t->iowait_ns += l->slept_ns;
	else
		t->sleep_ns += l->slept_ns;
	t->delay_ns += l->waking_delay_ns;
}

static void on_slice(void *arg, const struct sched_slice *l)
{
	struct sched_timehist *h = arg;
	const struct time_range *range = range_at(h, l->from_ns ? l->from_ns : l->to_ns, l->to_ns);
	uint64_t from = l->from_ns, to = l->to_ns;

	if (!range || l->open)
		return;
	if (from && from < range->from_ns)
		from = range->from_ns;
	if (to > range->to_ns)
		to = range->to_ns;
	if (!h->first_ns || to < h->first_ns)
		h->first_ns = to;
	if (to > h->last_ns)
		h->last_ns = to;
	if (!task_passes(h, l->task) || !select_cpu(h->o.filter, l->cpu))
		return;
	h->switches++;
	count_slice(totals_of(h, l->task), l, from ? to - from : 0);
	if (!h->o.summary_only)
		write_slice(h, l, from ? to - from : 0);
}

static void write_about(struct sched_timehist *h, const struct sched_event *e, const char *what,
			const struct sched_task *by, const struct sched_task *task, uint32_t mark_cpu,
			char mark)
{
	add_start(h, e->time_ns, e->cpu, by, mark_cpu, mark);
	str_addf(&h->line, "%33s %s: ", "", what);
	sched_add_task(&h->line, task);
}

/* As perf: each sched_waking, or sched_wakeup where that was not recorded. */
static void on_event(void *arg, const struct sched_model *model, const struct sched_event *e)
{
	struct sched_timehist *h = arg;
	const struct sched_task idle = { .idle_cpu = e->cpu, .prio = -1 };
	const struct sched_task *waker, *task;

	if (!h->o.wakeups || h->o.summary_only ||
	    !(e->kind == (h->o.has_waking ? SCHED_WAKING : SCHED_WAKEUP) || e->kind == SCHED_WAKEUP_NEW))
		return;
	waker = model_waker(model, e);
	task = model_find(model, e->task, e->cpu);
	/* of a CPU that has not switched yet */
	if (!waker && !e->tid)
		waker = &idle;
	if (!waker || !task || !range_at(h, e->time_ns, e->time_ns) || !select_cpu(h->o.filter, e->cpu) ||
	    !(task_passes(h, waker) || task_passes(h, task)))
		return;
	write_about(h, e, "awakened", waker, task, SCHED_NONE, ' ');
	end_line(h);
}

static void on_migrate(void *arg, const struct sched_task *task, const struct sched_task *by,
		       const struct sched_event *e)
{
	struct sched_timehist *h = arg;

	if (!range_at(h, e->time_ns, e->time_ns) || !select_cpu(h->o.filter, e->cpu) || !task_passes(h, task))
		return;
	totals_of(h, task)->migrations++;
	if (!h->o.migrations || h->o.summary_only || !by)
		return;
	write_about(h, e, "migrated", by, task, e->cpu, 'm');
	str_addf(&h->line, " cpu %u => %u", e->from_cpu, e->to_cpu);
	end_line(h);
}

const struct sched_ops sched_timehist_ops = {
	.slice = on_slice, .event = on_event, .migrate = on_migrate,
};

void sched_timehist_heading(struct sched_timehist *h)
{
	static const char dashes[] = "---------";
	FILE *out = h->o.out;
	int name = (int)h->name_width, wide = h->o.cpu_visual ? (int)h->o.nr_cpus + 2 : 0;

	if (h->o.summary_only)
		return;
	fprintf(out, "%15s %6s ", "time", "cpu");
	if (h->o.cpu_visual) {
		fputc(' ', out);
		for (uint32_t i = 0; i < h->o.nr_cpus; i++)
			fprintf(out, "%x", i % 16);
		fputc(' ', out);
	}
	fprintf(out, " %-*s %s %9s  %9s  %9s%s\n", name, "task name", h->o.show_prio ? "  prio " : "",
		"wait time", "sch delay", "run time", h->o.state ? "  state" : "");
	fprintf(out, "%15s %-6s %*s %-*s %s %9s  %9s  %9s%s\n", "", "", wide, "", name, "[tid/pid]",
		h->o.show_prio ? "       " : "", "(msec)", "(msec)", "(msec)", h->o.state ? "       " : "");
	fprintf(out, "%.15s %.6s ", "---------------", dashes);
	if (h->o.cpu_visual) {
		fputc(' ', out);
		for (uint32_t i = 0; i < h->o.nr_cpus; i++)
			fputc('-', out);
		fputc(' ', out);
	}
	fprintf(out, " %.*s %s", name, "------------------------------", h->o.show_prio ? "------ " : "");
	fprintf(out, " %s  %s  %s%s\n", dashes, dashes, dashes, h->o.state ? "  -----" : "");
}

uint64_t sched_timehist_shown(const struct sched_timehist *h)
{
	return h->switches;
}

/* --- summary -------------------------------------------------------------------------------- */

/* The standard error of the mean, in percent of it. */
static double spread(const struct totals *t)
{
	double variance;

	if (t->runs < 2 || t->mean <= 0)
		return 0;
	variance = t->squares / (double)(t->runs - 1);
	return 100.0 * sqrt(variance / (double)t->runs) / t->mean;
}

static void add_field(struct str *s, uint64_t ns, unsigned width)
{
	sched_add_ms(s, ns, width);
}

static void write_totals(struct sched_timehist *h, const struct sched_task *task,
			 const struct totals *t)
{
	struct str name = STR_INIT, *s = &h->line;

	sched_add_task(&name, task);
	str_clear(s);
	str_addf(s, "%*s", (int)NAME_WIDTH, name.p);
	if (task->parent_pid != SCHED_NONE)
		str_addf(s, "%8u", task->parent_pid);
	else
		str_addf(s, "%8s", "-1");
	str_addf(s, "%11" PRIu64, t->runs);
	add_field(s, t->run_ns, 13);
	if (h->o.state) {
		add_field(s, t->sleep_ns, 11);
		add_field(s, t->iowait_ns, 12);
		add_field(s, t->preempt_ns, 12);
		add_field(s, t->delay_ns, 12);
	} else {
		add_field(s, t->min_ns, 11);
		add_field(s, (uint64_t)t->mean, 12);
		add_field(s, t->max_ns, 12);
		str_addf(s, "%8.2f%8" PRIu64, spread(t), t->migrations);
	}
	str_release(&name);
	end_line(h);
}

static unsigned write_tasks(struct sched_timehist *h, const struct sched_model *model, bool dead)
{
	unsigned nr = 0;

	for (uint32_t i = 0; i < h->tasks.nr && i < model_nr_tasks(model); i++) {
		const struct sched_task *task = model_task(model, i);

		if (!h->tasks.v[i].runs || task->dead != dead ||
		    (task->idle_cpu != SCHED_NONE) != h->o.idle_only)
			continue;
		write_totals(h, task, &h->tasks.v[i]);
		nr++;
	}
	return nr;
}

static uint64_t write_idle(struct sched_timehist *h, const struct sched_model *model, uint64_t window_ns)
{
	uint64_t run_ns = 0;
	char name[16];

	fprintf(h->o.out, "\nIdle stats:\n");
	for (uint32_t i = 0; i < model_nr_tasks(model); i++) {
		const struct sched_task *task = model_task(model, i);
		const struct totals *t = i < h->tasks.nr ? &h->tasks.v[i] : NULL;
		uint64_t idle = t ? t->run_ns : 0;

		if (task->idle_cpu == SCHED_NONE) {
			run_ns += idle;
			continue;
		}
		snprintf(name, sizeof(name), "%u", task->idle_cpu);
		fprintf(h->o.out, "    CPU %2s idle for %6" PRIu64 ".%03" PRIu64 "  msec  (%6.2f%%)\n", name,
			idle / 1000000, idle % 1000000 / 1000,
			window_ns ? 100.0 * (double)idle / (double)window_ns : 0);
	}
	return run_ns;
}

void sched_timehist_summary(struct sched_timehist *h, const struct sched_model *model)
{
	uint64_t window_ns = h->last_ns - h->first_ns, run_ns;
	FILE *out = h->o.out;
	unsigned nr, ended;

	fprintf(out, h->o.idle_only ? "\nIdle-time summary\n" :
		h->o.state ? "\nWait-time summary\n" : "\nRuntime summary\n");
	fprintf(out, "%30s  parent%11s  %s\n", "comm", h->o.idle_only ? "sched-out" : "sched-in",
		h->o.state && !h->o.idle_only ?
			"   run-time      sleep      iowait     preempt       delay" :
			h->o.idle_only ?
			"  idle-time   min-idle    avg-idle    max-idle  stddev  migrations" :
			"   run-time    min-run     avg-run     max-run  stddev  migrations");
	fprintf(out, "%30s  %6s%11s     %s\n", "", "", "(count)", h->o.state && !h->o.idle_only ?
		"  (msec)     (msec)      (msec)      (msec)       (msec)" :
		"  (msec)     (msec)      (msec)      (msec)       %");
	for (int i = 0; i < 117; i++)
		fputc('-', out);
	fputc('\n', out);
	nr = write_tasks(h, model, false);
	if (!nr)
		fprintf(out, "<no still running tasks>\n");
	fprintf(out, "\nTerminated tasks:\n");
	ended = write_tasks(h, model, true);
	if (!ended)
		fprintf(out, "<no terminated tasks>\n");
	run_ns = write_idle(h, model, window_ns);
	fprintf(out, "\n    Total number of unique tasks: %u\n", nr + ended);
	fprintf(out, "Total number of context switches: %" PRIu64 "\n", h->switches);
	fprintf(out, "           Total run time (msec): %2" PRIu64 ".%03" PRIu64 " \n", run_ns / 1000000,
		run_ns % 1000000 / 1000);
	fprintf(out, "    Total scheduling time (msec): %2" PRIu64 ".%03" PRIu64 "  (x %u)\n",
		window_ns / 1000000, window_ns % 1000000 / 1000, model_account(model)->nr_cpus);
}
