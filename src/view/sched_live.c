/* SPDX-License-Identifier: MIT */
#include "view/sched_live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"

#define BAR_WIDTH 32u            /* the picture is 80 columns wide */
#define TASKS_LEAST 3u

static int by_delay(const void *a, const void *b)
{
	const struct live_task *x = &((const struct live_task_counts *)a)->counts;
	const struct live_task *y = &((const struct live_task_counts *)b)->counts;

	if (x->delay_ns != y->delay_ns)
		return x->delay_ns > y->delay_ns ? -1 : 1;
	return x->run_ns > y->run_ns ? -1 : x->run_ns < y->run_ns;
}

static void subtract_task(struct live_task *now, const struct live_task *before)
{
	/* a number that was used again counts from 0 */
	if (before->switches > now->switches || before->run_ns > now->run_ns)
		return;
	now->run_ns -= before->run_ns;
	now->switches -= before->switches;
	now->delays -= before->delays;
	now->delay_ns -= before->delay_ns;
}

void sched_live_subtract(struct live_snapshot *now, const struct live_snapshot *before)
{
	unsigned long long *to = (void *)&now->totals;
	const unsigned long long *from = (const void *)&before->totals;
	struct map64 by_tid = { 0 };
	uint32_t nr = 0;

	for (size_t i = 0; i < sizeof(now->totals) / sizeof(*to); i++)
		to[i] -= from[i];
	for (uint32_t i = 0; i < before->nr_tasks; i++)
		*map64_put(&by_tid, before->tasks[i].tid, NULL) = i;
	for (uint32_t i = 0; i < now->nr_tasks; i++) {
		struct live_task_counts task = now->tasks[i];
		const uint64_t *slot = map64_find(&by_tid, task.tid);

		/* of one that had ended, the sums were forgotten: it is another */
		if (slot && !before->tasks[*slot].counts.dead)
			subtract_task(&task.counts, &before->tasks[*slot].counts);
		if (task.counts.switches || task.counts.run_ns)
			now->tasks[nr++] = task;
	}
	now->nr_tasks = nr;
	map64_release(&by_tid);
	if (nr)
		qsort(now->tasks, nr, sizeof(*now->tasks), by_delay);
}

/* --- text ----------------------------------------------------------------------------------- */

static unsigned long long in_buckets(const unsigned long long *log2_us, unsigned from, unsigned nr)
{
	unsigned long long sum = 0;

	for (unsigned i = from; i < from + nr && i < LIVE_LOG2; i++)
		sum += log2_us[i];
	return sum;
}

/*
 * From the first bucket that has any to the last, two or more in a line where `room` lines (0:
 * any number) are too few. Returns the number of lines, the heading's included.
 */
static unsigned write_hist(const struct live_totals *t, unsigned room, FILE *out)
{
	const unsigned long long *woken = t->log2_us[LIVE_WOKEN], *thrown = t->log2_us[LIVE_THROWN];
	unsigned first = LIVE_LOG2, last = 0, step = 1, lines = 1;
	unsigned long long most = 1;

	for (unsigned i = 0; i < LIVE_LOG2; i++) {
		last = woken[i] + thrown[i] ? i : last;
		first = woken[i] + thrown[i] && i < first ? i : first;
	}
	while (room && first <= last && (last - first) / step + 1 > room)
		step++;
	fprintf(out, "%10s -> %-10s : %8s %8s  distribution\n", "usecs", "", "woken", "thrown");
	for (unsigned i = first; i <= last; i += step) {
		unsigned long long n = in_buckets(woken, i, step) + in_buckets(thrown, i, step);

		most = n > most ? n : most;
	}
	for (unsigned i = first; i <= last; i += step, lines++) {
		unsigned long long w = in_buckets(woken, i, step), n = w + in_buckets(thrown, i, step);
		unsigned bar = (unsigned)(n * BAR_WIDTH / most);

		fprintf(out, "%10llu -> %-10llu : %8llu %8llu |", i ? 1ull << i : 0, (1ull << (i + step)) - 1, w,
			n - w);
		for (unsigned b = 0; b < BAR_WIDTH; b++)
			fputc(b < bar ? '*' : ' ', out);
		fputs("|\n", out);
	}
	return lines;
}

static double average_ms(unsigned long long total_ns, unsigned long long nr)
{
	return nr ? (double)total_ns / 1e6 / (double)nr : 0;
}

/* How many tasks are shown: of a screen's rows, what those above and below leave. */
static uint32_t tasks_to_show(const struct live_interval *v, unsigned hist_lines)
{
	const struct live_totals *t = &v->totals;
	/* two of sums, two blank, the heading, how many more there are, and where the cursor stands */
	unsigned used = 7 + hist_lines + (t->unseen != 0) + (t->no_room != 0);
	uint32_t nr = v->top < v->nr_tasks ? v->top : v->nr_tasks;

	if (!v->screen_rows)
		return nr;
	if (v->screen_rows < used + TASKS_LEAST)
		return nr < TASKS_LEAST ? nr : TASKS_LEAST;
	return nr < v->screen_rows - used ? nr : v->screen_rows - used;
}

static void write_task(const struct live_task_counts *task, FILE *out)
{
	const struct live_task *c = &task->counts;
	struct str comm = STR_INIT;
	char text[LIVE_COMM + 1];

	memcpy(text, c->comm, LIVE_COMM);
	text[LIVE_COMM] = '\0';
	str_add_safe(&comm, text);
	fprintf(out, "%7u %7u %-15s %10.3f %8llu %10.3f %8.3f %8.3f\n", c->tgid, task->tid, comm.p,
		(double)c->run_ns / 1e6, c->switches, (double)c->delay_ns / 1e6,
		average_ms(c->delay_ns, c->delays), (double)c->max_ns / 1e6);
	str_release(&comm);
}

void sched_live_text(const struct live_interval *v, FILE *out)
{
	const struct live_totals *t = &v->totals;
	double span = v->to_s > v->from_s ? v->to_s - v->from_s : 1e-9;
	uint32_t shown;

	fprintf(out, "%.3f s to %.3f s: %llu switches (%.0f/s; the kernel counted %" PRIu64 ")\n",
		v->from_s, v->to_s, t->switches, (double)t->switches / span, v->kernel_switches);
	fprintf(out, "%llu wake-ups; delay: %llu woken %.3f ms, %llu thrown out %.3f ms on average\n\n",
		t->wakeups, t->delays[LIVE_WOKEN], average_ms(t->delay_ns[LIVE_WOKEN], t->delays[LIVE_WOKEN]),
		t->delays[LIVE_THROWN], average_ms(t->delay_ns[LIVE_THROWN], t->delays[LIVE_THROWN]));
	shown = tasks_to_show(v, write_hist(t, v->screen_rows / 2, out));
	fprintf(out, "\n%7s %7s %-15s %10s %8s %10s %8s %8s\n", "pid", "tid", "comm", "run ms", "switches",
		"delay ms", "avg ms", "max ms");
	for (uint32_t i = 0; i < shown; i++)
		write_task(&v->tasks[i], out);
	if (v->nr_tasks > shown)
		fprintf(out, "%7s %u tasks more\n", "", v->nr_tasks - shown);
	if (t->unseen)
		fprintf(out, "Unseen: %llu more switches, of processes that this kernel hides: in no row\n", t->unseen);
	if (t->no_room)
		fprintf(out, "Lost: %llu times a task found no place in the table of %d; switches and histograms "
			"have them, rows do not\n", t->no_room, LIVE_TASKS);
	if (!v->screen_rows)
		fputc('\n', out);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_hist(struct str *s, const char *name, const unsigned long long *log2)
{
	unsigned last = 0;

	for (unsigned i = 0; i < LIVE_LOG2; i++)
		last = log2[i] ? i : last;
	str_addf(s, ", \"%s_log2_us\": [", name);
	for (unsigned i = 0; i <= last; i++)
		str_addf(s, "%s%llu", i ? ", " : "", log2[i]);
	str_addc(s, ']');
}

void sched_live_json(const struct live_interval *v, FILE *out)
{
	const struct live_totals *t = &v->totals;
	struct str s = STR_INIT;

	str_addf(&s, "{\"schema\": \"sonde-sched-live-1\", \"from_s\": %.6f, \"to_s\": %.6f, \"switches\": %llu, "
		 "\"kernel_switches\": %" PRIu64 ", \"wakeups\": %llu, \"unseen\": %llu, \"no_room\": %llu", v->from_s, v->to_s,
		 t->switches, v->kernel_switches, t->wakeups, t->unseen, t->no_room);
	str_addf(&s, ", \"woken_delays\": %llu, \"woken_delay_ns\": %llu, \"thrown_delays\": %llu, "
		 "\"thrown_delay_ns\": %llu", t->delays[LIVE_WOKEN], t->delay_ns[LIVE_WOKEN],
		 t->delays[LIVE_THROWN], t->delay_ns[LIVE_THROWN]);
	json_hist(&s, "woken", t->log2_us[LIVE_WOKEN]);
	json_hist(&s, "thrown", t->log2_us[LIVE_THROWN]);
	str_add(&s, ", \"tasks\": [");
	for (uint32_t i = 0; i < v->nr_tasks; i++) {
		const struct live_task *c = &v->tasks[i].counts;
		char text[LIVE_COMM + 1];

		memcpy(text, c->comm, LIVE_COMM);
		text[LIVE_COMM] = '\0';
		str_addf(&s, "%s{\"comm\": \"", i ? ", " : "");
		str_add_json(&s, text);
		str_addf(&s, "\", \"pid\": %u, \"tid\": %u, \"run_ns\": %llu, \"switches\": %llu, \"delays\": %llu, "
			 "\"delay_ns\": %llu, \"max_ns\": %llu}", c->tgid, v->tasks[i].tid, c->run_ns, c->switches,
			 c->delays, c->delay_ns, c->max_ns);
	}
	str_add(&s, "]}\n");
	fwrite(s.p, 1, s.len, out);
	str_release(&s);
}
