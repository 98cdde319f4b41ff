/* SPDX-License-Identifier: MIT */
/* Heads, rows and feet. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/stat.h"

/* Lines above which an interval's names are told again. */
#define HEAD_EVERY 25

static struct stat_style style_of(const struct stat_session *s)
{
	struct stat_style style = {
		.labels = s->o->labels,
		.separator = s->o->separator,
		.json = s->o->json,
		.big_num = s->o->big_num,
		.metric_only = s->o->metric_only,
		.width = (unsigned)cmd_columns(s->out, 0),
	};

	return style;
}

static bool is_text(const struct stat_session *s)
{
	return !s->o->json && !s->o->separator;
}

/* Threads that did not run at all would hide those that did. */
static uint32_t drop_idle(const struct stat_session *s, struct stat_row *rows, uint32_t nr)
{
	uint32_t out = 0;

	if (s->o->labels != STAT_LABEL_THREAD)
		return nr;
	for (uint32_t i = 0; i < nr; i++)
		if (rows[i].state != STAT_NOT_COUNTED)
			rows[out++] = rows[i];
	return out;
}

static void print_rows(struct stat_session *s, const struct stat_row *rows, uint32_t nr,
		       const struct stat_style *style, bool head)
{
	if (s->o->metric_only)
		stat_print_metrics(s->out, rows, nr, style, head);
	else
		stat_print_rows(s->out, rows, nr, style);
}

void stat_output_interval(struct stat_session *s, const struct stat_sum *sums, double at_s,
			  double wall_ns)
{
	struct stat_style style = style_of(s);
	struct stat_row *rows;
	uint32_t nr;

	if (s->o->quiet)
		return;
	rows = stat_rows(s, sums, wall_ns, false, &nr);
	nr = drop_idle(s, rows, nr);
	style.has_interval = true;
	style.interval_s = at_s;
	if (s->o->interval_clear && is_text(s))
		fputs("\033[H\033[2J", s->out);
	if ((!s->head_done || s->o->interval_clear) && !s->o->metric_only)
		stat_print_interval_head(s->out, rows, nr, &style);
	print_rows(s, rows, nr, &style, !s->head_done || s->o->interval_clear);
	s->head_done = true;
	fflush(s->out);
	free(rows);
}

static void add_command(struct str *head, char *const *argv)
{
	for (int i = 0; argv[i]; i++) {
		if (i)
			str_addc(head, ' ');
		str_add_safe(head, argv[i]);
	}
}

static void print_head(struct stat_session *s)
{
	const struct target *t = &s->o->target;
	struct str head = STR_INIT;

	str_add(&head, "\n Performance counter stats for ");
	if (t->cpus)
		str_addf(&head, "'CPU(s) %s", t->cpus);
	else if (t->all_cpus)
		str_add(&head, "'system wide");
	else if (t->pids)
		str_addf(&head, "process id '%s", t->pids);
	else if (t->tids)
		str_addf(&head, "thread id '%s", t->tids);
	else if (t->user)
		str_addf(&head, "user '%s", t->user);
	else {
		str_addc(&head, '\'');
		add_command(&head, s->o->argv);
	}
	str_addc(&head, '\'');
	if (s->seconds.nr > 1)
		str_addf(&head, " (%zu runs)", s->seconds.nr);
	fprintf(s->out, "%s:\n\n", head.p);
	str_release(&head);
}

/* --table: each run, and how far it is from the mean. */
static void print_table(struct stat_session *s, double mean, int digits)
{
	fprintf(s->out, "%9s# Table of individual measurements:\n", "");
	for (size_t i = 0; i < s->seconds.nr; i++) {
		double run = s->seconds.v[i], off = mean > 0 ? (run - mean) / mean * 100 : 0;
		int bars = (int)((off < 0 ? -off : off) / 5) + 1;

		fprintf(s->out, "%9s%.*f (%+.*f) ", "", digits, run, digits, run - mean);
		for (int j = 0; j < bars && j < 40; j++)
			fputc('#', s->out);
		fputc('\n', s->out);
	}
	fprintf(s->out, "\n%9s# Final result:\n", "");
}

/* As many digits as the deviation makes sense of. */
static int digits_for(double deviation)
{
	int digits = 2;

	for (double d = deviation; d > 0 && d < 10 && digits < 9; d *= 10)
		digits++;
	return digits;
}

static void print_foot(struct stat_session *s)
{
	double mean, deviation, user, system_time, unused;
	size_t runs = s->seconds.nr;

	stat_mean(s->seconds.v, (uint32_t)runs, &mean, &deviation);
	fputc('\n', s->out);
	if (runs == 1) {
		fprintf(s->out, " %17.9f seconds time elapsed\n", mean);
	} else {
		int digits = digits_for(deviation);

		if (s->o->table)
			print_table(s, mean, digits);
		fprintf(s->out, " %17.*f +- %.*f seconds time elapsed  ( +-%6.2f%% )\n", digits, mean,
			digits, deviation, mean > 0 ? 100 * deviation / mean : 0);
	}
	if (s->o->argv && !s->cpus.nr && !s->threads.nr) {
		stat_mean(s->user_seconds.v, (uint32_t)runs, &user, &unused);
		stat_mean(s->system_seconds.v, (uint32_t)runs, &system_time, &unused);
		fprintf(s->out, "\n %17.9f seconds user\n %17.9f seconds sys\n", user, system_time);
	}
	fputc('\n', s->out);
}

/* Events of one cause share a line. */
struct cause {
	const char *state, *why;
	struct str names;
	uint32_t nr;
};

static void add_cause(struct cause *causes, size_t *nr, size_t most, const char *state,
		      const char *why, const char *name)
{
	size_t i = 0;

	while (i < *nr && (strcmp(causes[i].why, why) != 0 || strcmp(causes[i].state, state) != 0))
		i++;
	if (i == most)
		return;
	if (i == *nr) {
		causes[i] = (struct cause){ state, why, STR_INIT, 0 };
		++*nr;
	}
	if (causes[i].nr++ < 4) {
		str_add(&causes[i].names, causes[i].nr > 1 ? ", " : "");
		str_add_safe(&causes[i].names, name);
	}
}

static const char *not_counted_reason(const struct stat_session *s, const struct stat_row *row)
{
	if (row->enabled_ns)
		return "other events had the PMU's counters all the time; count fewer at once, or "
		       "longer";
	if (row->event->tool)
		return "no time was measured";
	if (s->disabled || s->o->delay_ms)
		return "it was not switched on before the end (-D, --control)";
	if (row->cgroup)
		return "no task of the cgroup ran";
	return "the task did not run";
}

static void print_reasons(struct stat_session *s, const struct stat_row *rows, uint32_t nr)
{
	int width = cmd_columns(s->out, INT_MAX);
	struct str line = STR_INIT;
	struct cause causes[16];
	size_t nr_causes = 0;

	for (size_t l = 0; l < s->lines.nr; l++) {
		const struct counting_event *ce = &s->counting.events[s->lines.v[l].first];

		if (ce->code)
			add_cause(causes, &nr_causes, 16, "<not supported>", counting_reason(ce),
				  ce->event->name);
		else if (ce->whole_cpus)
			add_cause(causes, &nr_causes, 16, "the whole machine",
				  "this PMU cannot follow a task", ce->event->name);
	}
	for (uint32_t i = 0; i < nr; i++)
		if (rows[i].state == STAT_NOT_COUNTED)
			add_cause(causes, &nr_causes, 16, "<not counted>",
				  not_counted_reason(s, &rows[i]), rows[i].name);
	for (size_t i = 0; i < nr_causes; i++) {
		struct cause *c = &causes[i];

		str_clear(&line);
		str_addf(&line, "%s: %s", c->state, c->names.p);
		if (c->nr > 4)
			str_addf(&line, " and %u more", c->nr - 4);
		str_addf(&line, ": %s", c->why);
		fputc(' ', s->out);
		cmd_wrap(s->out, line.p, 1, 3, width);
		str_release(&c->names);
	}
	str_release(&line);
	if (nr_causes)
		fputc('\n', s->out);
}

void stat_output_final(struct stat_session *s, const struct stat_sum *sums, double wall_ns)
{
	struct stat_style style = style_of(s);
	bool text = is_text(s), many = s->seconds.nr > 1;
	struct stat_row *rows;
	uint32_t nr, all;

	if (s->o->quiet)
		return;
	style.summary = s->o->summary && !s->o->no_csv_summary;
	rows = stat_rows(s, sums, wall_ns, many, &all);
	nr = drop_idle(s, rows, all);
	if (text)
		print_head(s);
	print_rows(s, rows, nr, &style, true);
	if (text) {
		print_foot(s);
		if (nr < all)
			fprintf(s->out, " %u counts of threads that did not run are not shown\n\n",
				all - nr);
		print_reasons(s, rows, nr);
	}
	fflush(s->out);
	free(rows);
}

void stat_output_verbose(struct stat_session *s)
{
	for (uint32_t i = 0; i < s->counting.nr_events; i++) {
		const struct counting_event *ce = &s->counting.events[i];
		uint64_t value = 0, enabled = 0, running = 0;

		for (uint32_t j = 0; j < ce->nr; j++) {
			value += s->counting.cells[ce->first + j].value;
			enabled += s->counting.cells[ce->first + j].enabled;
			running += s->counting.cells[ce->first + j].running;
		}
		fprintf(stderr, "%s: %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", ce->event->name, value,
			enabled, running);
	}
}
