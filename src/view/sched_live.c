/* SPDX-License-Identifier: MIT */
#include "view/sched_live.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"

#define BAR_WIDTH 40u

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

static void write_hist(const struct live_totals *t, FILE *out)
{
	unsigned long long most = 1;
	unsigned last = 0;

	for (unsigned i = 0; i < LIVE_LOG2; i++) {
		unsigned long long n = t->log2_us[LIVE_WOKEN][i] + t->log2_us[LIVE_THROWN][i];

		last = n ? i : last;
		most = n > most ? n : most;
	}
	fprintf(out, "%12s -> %-10s : %9s %9s  distribution\n", "usecs", "", "woken", "thrown");
	for (unsigned i = 0; i <= last; i++) {
		unsigned long long n = t->log2_us[LIVE_WOKEN][i] + t->log2_us[LIVE_THROWN][i];
		unsigned bar = (unsigned)(n * BAR_WIDTH / most);

		fprintf(out, "%12llu -> %-10llu : %9llu %9llu |", i ? 1ull << i : 0, (2ull << i) - 1,
			t->log2_us[LIVE_WOKEN][i], t->log2_us[LIVE_THROWN][i]);
		for (unsigned b = 0; b < BAR_WIDTH; b++)
			fputc(b < bar ? '*' : ' ', out);
		fputs("|\n", out);
	}
}

static double average_ms(unsigned long long total_ns, unsigned long long nr)
{
	return nr ? (double)total_ns / 1e6 / (double)nr : 0;
}

void sched_live_text(const struct live_interval *v, FILE *out)
{
	const struct live_totals *t = &v->totals;
	double span = v->to_s > v->from_s ? v->to_s - v->from_s : 1e-9;

	fprintf(out, "%.3f s to %.3f s: %llu switches (%.0f/s; the kernel counted %" PRIu64 "), %llu wake-ups\n",
		v->from_s, v->to_s, t->switches, (double)t->switches / span, v->kernel_switches, t->wakeups);
	fprintf(out, "delay: %llu woken, average %.3f ms; %llu thrown out, average %.3f ms\n\n",
		t->delays[LIVE_WOKEN], average_ms(t->delay_ns[LIVE_WOKEN], t->delays[LIVE_WOKEN]),
		t->delays[LIVE_THROWN], average_ms(t->delay_ns[LIVE_THROWN], t->delays[LIVE_THROWN]));
	write_hist(t, out);
	fprintf(out, "\n%8s %8s %-16s %12s %9s %12s %10s %10s\n", "pid", "tid", "comm", "run ms", "switches",
		"delay ms", "avg ms", "max ms");
	for (uint32_t i = 0; i < v->nr_tasks && i < v->top; i++) {
		const struct live_task *c = &v->tasks[i].counts;
		struct str comm = STR_INIT;
		char text[LIVE_COMM + 1];

		memcpy(text, c->comm, LIVE_COMM);
		text[LIVE_COMM] = '\0';
		str_add_safe(&comm, text);
		fprintf(out, "%8u %8u %-16s %12.3f %9llu %12.3f %10.3f %10.3f\n", c->tgid, v->tasks[i].tid, comm.p,
			(double)c->run_ns / 1e6, c->switches, (double)c->delay_ns / 1e6,
			average_ms(c->delay_ns, c->delays), (double)c->max_ns / 1e6);
		str_release(&comm);
	}
	if (v->nr_tasks > v->top)
		fprintf(out, "%8s %u tasks more\n", "", v->nr_tasks - v->top);
	if (t->unseen)
		fprintf(out, "Unseen: %llu more switches, which the kernel counted but let no program see\n", t->unseen);
	if (t->no_room)
		fprintf(out, "Lost: %llu times a task found no place in the table of %d; switches and histograms "
			"have them, rows do not\n", t->no_room, LIVE_TASKS);
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
