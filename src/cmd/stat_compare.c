/* SPDX-License-Identifier: MIT */
/*
 * --compare 'CMD A' --with 'CMD B': A B A B ..., then each counter's medians.
 *
 * In turn, so that what changes meanwhile (heat, other load) meets both alike.
 */
#include <errno.h>

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "cmd/stat.h"

#define RUNS_DEFAULT 10

struct side {
	struct stat_session session;
	char *argv[4];
	int failed;              /* runs that ended with another status than 0 */
};

static void side_init(struct side *side, const struct stat_session *from, const char *command)
{
	static char sh[] = "sh", dash_c[] = "-c";

	memset(side, 0, sizeof(*side));
	side->session.o = from->o;
	side->session.out = from->out;
	side->session.control_fd = side->session.ack_fd = -1;
	side->argv[0] = sh;
	side->argv[1] = dash_c;
	/* The shell makes way for the command where it is a single one. */
	side->argv[2] = mem_strdup(command);
}

static int run_side(struct stat_session *s, struct side *side, struct err *err)
{
	int r, status;

	side->session.o->argv = side->argv;
	r = stat_run_once(&side->session, err);
	s->interrupted |= side->session.interrupted;
	if (r < 0)
		return r;
	status = stat_finished_status(&side->session);
	if (status == 126 || status == 127) {
		s->exec_status = status;
		return err_set(err, ENOENT, "cannot run '%s': the shell ended with status %d",
			       side->argv[2], status);
	}
	side->failed += status != 0;
	return 0;
}

static double *column(const struct side *side, size_t line, uint32_t runs)
{
	size_t nr = side->session.lines.nr;
	double *v = mem_realloc_array(NULL, runs ? runs : 1, sizeof(*v));

	for (uint32_t i = 0; i < runs; i++)
		v[i] = side->session.history.v[i * nr + line];
	return v;
}

static const char *verdict(const struct stat_ratio *r, char buf[64])
{
	double percent = (r->ratio - 1) * 100;

	switch (r->verdict) {
	case STAT_MORE:
		snprintf(buf, 64, "B has %.1f %% more", percent);
		return buf;
	case STAT_LESS:
		snprintf(buf, 64, "B has %.1f %% less", -percent);
		return buf;
	case STAT_SAME:
		return "no difference that is real";
	default:
		return "too little to tell";
	}
}

static void json_row(struct stat_session *s, const char *name, const char *unit,
		     const struct stat_ratio *r)
{
	static const char *const words[] = { [STAT_SAME] = "same", [STAT_LESS] = "less",
					     [STAT_MORE] = "more", [STAT_FEW] = "unclear" };
	struct str line = STR_INIT;

	str_add(&line, "{\"event\" : \"");
	str_add_json(&line, name);
	str_add(&line, "\", \"unit\" : \"");
	str_add_json(&line, unit);
	str_addf(&line, "\", \"median-a\" : %f, \"median-b\" : %f, ", r->median_a, r->median_b);
	if (r->has_ratio)
		str_addf(&line, "\"ratio\" : %f, \"ratio-low\" : %f, \"ratio-high\" : %f, ", r->ratio,
			 r->low, r->high);
	str_addf(&line, "\"verdict\" : \"%s\"}", words[r->verdict]);
	fprintf(s->out, "%s\n", line.p);
	str_release(&line);
}

static void print_row(struct stat_session *s, const char *name, const char *unit, int digits,
		      const struct stat_ratio *r)
{
	const char *sep = s->o->separator;
	struct str line = STR_INIT, ratio = STR_INIT;
	char a[64], b[64], text[64];
	bool commas = s->o->big_num && !sep;

	if (s->o->json) {
		json_row(s, name, unit, r);
		return;
	}
	stat_number(r->median_a, digits, commas, a);
	stat_number(r->median_b, digits, commas, b);
	if (r->has_ratio && !sep)
		str_addf(&ratio, "%.4f [%.4f, %.4f]", r->ratio, r->low, r->high);
	else if (r->has_ratio)
		str_addf(&ratio, "%.6f%s%.6f%s%.6f", r->ratio, sep, r->low, sep, r->high);
	else if (sep)
		str_addf(&ratio, "%s%s", sep, sep);
	if (sep)
		str_addf(&line, "%s%s%s%s%s%s%s%s%s%s%s", a, sep, b, sep, unit, sep, name, sep,
			 ratio.p, sep, verdict(r, text));
	else
		str_addf(&line, "%18s %18s %-4s %-24s %-26s  %s", a, b, unit, name, ratio.p,
			 verdict(r, text));
	fprintf(s->out, "%s\n", line.p);
	str_release(&line);
	str_release(&ratio);
}

static void print_not_supported(struct stat_session *s, const struct counting_event *ce)
{
	if (s->o->json || s->o->separator)
		return;
	fprintf(s->out, "%18s %18s %-4s %s: %s\n", "<not supported>", "", "", ce->event->name,
		counting_reason(ce));
}

static void print_times(struct stat_session *s, struct side *a, struct side *b, uint32_t runs)
{
	struct stat_ratio r;

	stat_compare(a->session.seconds.v, b->session.seconds.v, runs, &r);
	print_row(s, "time elapsed", "sec", 6, &r);
	stat_compare(a->session.user_seconds.v, b->session.user_seconds.v, runs, &r);
	print_row(s, "time in user space", "sec", 6, &r);
	stat_compare(a->session.system_seconds.v, b->session.system_seconds.v, runs, &r);
	print_row(s, "time in the kernel", "sec", 6, &r);
}

static void print_counters(struct stat_session *s, struct side *a, struct side *b, uint32_t runs)
{
	for (size_t l = 0; l < a->session.lines.nr; l++) {
		const struct counting_event *ce =
			&a->session.counting.events[a->session.lines.v[l].first];
		double *x, *y;
		struct stat_ratio r;
		int digits;

		if (ce->code) {
			print_not_supported(s, ce);
			continue;
		}
		x = column(a, l, runs);
		y = column(b, l, runs);
		for (uint32_t i = 0; i < runs; i++) {
			x[i] = stat_scale(ce->event, x[i]);
			y[i] = stat_scale(ce->event, y[i]);
		}
		stat_compare(x, y, runs, &r);
		digits = strcmp(stat_unit(ce->event), "msec") == 0 || ce->event->scale != 1.0 ? 2 : 0;
		print_row(s, ce->event->name, stat_unit(ce->event), digits, &r);
		free(x);
		free(y);
	}
}

static void print_result(struct stat_session *s, struct side *a, struct side *b, uint32_t runs)
{
	struct str line = STR_INIT;

	if (!s->o->json && !s->o->separator) {
		str_add(&line, "\n Performance counter stats of\n  A: ");
		str_add_safe(&line, a->argv[2]);
		str_add(&line, "\n  B: ");
		str_add_safe(&line, b->argv[2]);
		fprintf(s->out, "%s\n in turn, %u runs each; medians, B/A with its 95 %% interval:\n\n",
			line.p, runs);
		fprintf(s->out, "%18s %18s %-4s %-24s %-26s\n", "A", "B", "", "", "B/A");
	}
	print_counters(s, a, b, runs);
	print_times(s, a, b, runs);
	if (!s->o->json && !s->o->separator) {
		if (a->failed || b->failed)
			fprintf(s->out, "\n %d runs of A and %d of B ended with a status other than 0\n",
				a->failed, b->failed);
		if (runs < 5)
			fprintf(s->out, "\n %u runs cannot tell what is real; -r 10 can\n", runs);
		fputc('\n', s->out);
	}
	fflush(s->out);
	str_release(&line);
}

static void side_release(struct side *side)
{
	struct stat_session *s = &side->session;

	stat_plan_release(s);
	vec_release(&s->all_cpus);
	vec_release(&s->tids);
	vec_release(&s->history);
	vec_release(&s->seconds);
	vec_release(&s->user_seconds);
	vec_release(&s->system_seconds);
	free(s->total);
	counting_close_later(&s->counting);
	counting_release(&s->counting);
	free(side->argv[2]);
}

int stat_compare_run(struct stat_session *s, struct err *err)
{
	struct stat_options *o = s->o;
	uint32_t runs = o->runs_given ? o->runs : RUNS_DEFAULT, done = 0;
	struct side a, b;
	int r;

	if (o->argv || target_is_tasks(&o->target) || target_is_cpus(&o->target) || o->interval_ms ||
	    o->cgroups || o->each_cgroup || o->labels || o->delay_ms || o->control || o->metric_only)
		return err_set(err, EINVAL, "--compare runs its two commands and goes with none of "
			       "another command, -p, -t, -a, -C, -I, -G, -A, --per-*, -D, "
			       "--control and --metric-only");
	if (!runs)
		return err_set(err, EINVAL, "--compare with -r 0 would never compare");
	side_init(&a, s, o->compare);
	side_init(&b, s, o->with);
	r = stat_setup(&a.session, err);
	if (r == 0)
		r = stat_setup(&b.session, err);
	b.session.unblocked = a.session.unblocked;
	for (; r == 0 && done < runs && !s->interrupted; done += r == 0) {
		r = run_side(s, &a, err);
		if (r == 0)
			r = run_side(s, &b, err);
	}
	if (r == 0)
		print_result(s, &a, &b, done);
	side_release(&a);
	side_release(&b);
	return r;
}
