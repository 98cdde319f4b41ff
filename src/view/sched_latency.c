/* SPDX-License-Identifier: MIT */
/*
 * sched latency: the table of perf sched latency, and to its right what perf does not tell.
 * On a terminal that is too narrow for it, as many columns without perf's words as there
 * is room for, what matters most first.
 */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "view/sched.h"

#define NAME_WIDTH 24            /* perf's */
#define BAR_WIDTH 40u

/* What was added up while rows were written. */
struct totals { uint64_t runtime_ns, switches, unknown; };

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static void add_name(struct str *s, const struct latency_row *row, bool by_task)
{
	if (*row->comm)
		str_add_safe(s, row->comm);
	else
		str_addf(s, ":%u", row->tid);
	if (row->nr_tasks > 1 && !by_task)
		str_addf(s, ":(%u)", row->nr_tasks);
	else
		str_addf(s, ":%u", row->tid);
}

/* --- text ----------------------------------------------------------------------------------- */

static void rule(unsigned width, FILE *out)
{
	fputc(' ', out);
	for (unsigned i = 0; i < width; i++)
		fputc('-', out);
	fputc('\n', out);
}

static const char *which_name(enum latency_which which)
{
	return which == LATENCY_WAKE ? "from wake-up to running" :
	       which == LATENCY_PREEMPT ? "from preemption to running" :
					  "from wake-up or preemption to running";
}

static void write_row(const struct sched_latency_view *v, const struct latency_row *row, FILE *out)
{
	const struct dist *d = latency_dist(row, v->which);
	struct str s = STR_INIT;

	str_add(&s, "  ");
	add_name(&s, row, v->by_task);
	while (s.len < NAME_WIDTH)
		str_addc(&s, ' ');
	str_addf(&s, "|%11.3f ms |%9" PRIu64 " | avg:%8.3f ms | max:%8.3f ms | max start: ",
		 ms(latency_runtime(row)), row->switches, ms(dist_average(d)), ms(d->max_ns));
	sched_add_time(&s, d->max_from_ns, 12);
	str_add(&s, " s | max end: ");
	sched_add_time(&s, d->max_to_ns, 12);
	str_addf(&s, " s |%8.3f |%8.3f |%8.3f |", ms(dist_percentile(d, 50)), ms(dist_percentile(d, 95)),
		 ms(dist_percentile(d, 99)));
	str_addf(&s, "%8" PRIu64 " %8.3f %8.3f |%8" PRIu64 " %8.3f %8.3f |\n", row->wake.nr,
		 ms(dist_average(&row->wake)), ms(row->wake.max_ns), row->preempt.nr,
		 ms(dist_average(&row->preempt)), ms(row->preempt.max_ns));
	fwrite(s.p, 1, s.len, out);
	str_release(&s);
}

static const char heading[] =
	"  Task                  |   Runtime ms  | Switches | Avg delay ms    | Max delay ms    "
	"| Max delay start           | Max delay end          |  p50 ms |  p95 ms |  p99 ms "
	"|  Woken   avg ms   max ms | Thrown   avg ms   max ms |\n";

#define FULL_WIDTH (sizeof(heading) - 2)

/* --- the same on a narrow terminal ------------------------------------------------------------ */

static void add_value(struct str *s, uint64_t ns)
{
	str_addf(s, "|%9.3f", ms(ns));
}

static void add_basics(struct str *s, const struct latency_row *row, const struct dist *d)
{
	str_addf(s, "|%12.3f|%9" PRIu64, ms(latency_runtime(row)), row->switches);
	add_value(s, dist_average(d));
	add_value(s, d->max_ns);
	add_value(s, dist_percentile(d, 99));
}

static void add_percentiles(struct str *s, const struct latency_row *row, const struct dist *d)
{
	(void)row;
	add_value(s, dist_percentile(d, 50));
	add_value(s, dist_percentile(d, 95));
}

static void add_start(struct str *s, const struct latency_row *row, const struct dist *d)
{
	(void)row;
	str_addc(s, '|');
	sched_add_time(s, d->max_from_ns, 14);
}

static void add_end(struct str *s, const struct latency_row *row, const struct dist *d)
{
	(void)row;
	str_addc(s, '|');
	sched_add_time(s, d->max_to_ns, 14);
}

static void add_apart(struct str *s, const struct dist *d)
{
	str_addf(s, "|%8" PRIu64 " %8.3f %8.3f", d->nr, ms(dist_average(d)), ms(d->max_ns));
}

static void add_woken(struct str *s, const struct latency_row *row, const struct dist *d)
{
	(void)d;
	add_apart(s, &row->wake);
}

static void add_thrown(struct str *s, const struct latency_row *row, const struct dist *d)
{
	(void)d;
	add_apart(s, &row->preempt);
}

/* What matters most first; each has its columns after the name. */
static const struct part {
	const char *heading;
	void (*add)(struct str *s, const struct latency_row *row, const struct dist *d);
} parts[] = {
	{ "|  Runtime ms| Switches|   Avg ms|   Max ms|   p99 ms", add_basics },
	{ "|   p50 ms|   p95 ms", add_percentiles },
	{ "|   Max start s", add_start },
	{ "|     Max end s", add_end },
	{ "|   Woken   avg ms   max ms", add_woken },
	{ "|  Thrown   avg ms   max ms", add_thrown },
};

#define NR_PARTS (sizeof(parts) / sizeof(parts[0]))

/* How many of the parts have room, and how wide the table is with them. */
static unsigned parts_that_fit(unsigned width, unsigned *out)
{
	unsigned n = 1, sum = NAME_WIDTH + (unsigned)strlen(parts[0].heading) + 1;

	while (n < NR_PARTS && sum + strlen(parts[n].heading) <= width)
		sum += (unsigned)strlen(parts[n++].heading);
	*out = sum;
	return n;
}

static void write_narrow_row(const struct sched_latency_view *v, const struct latency_row *row,
			     unsigned nr_parts, FILE *out)
{
	struct str s = STR_INIT;

	str_add(&s, "  ");
	add_name(&s, row, v->by_task);
	while (s.len < NAME_WIDTH)
		str_addc(&s, ' ');
	for (unsigned i = 0; i < nr_parts; i++)
		parts[i].add(&s, row, latency_dist(row, v->which));
	str_add(&s, "|\n");
	fwrite(s.p, 1, s.len, out);
	str_release(&s);
}

/* --- histograms ------------------------------------------------------------------------------ */

static void write_hist(const char *title, const struct dist *d, FILE *out)
{
	uint64_t log2_us[DIST_LOG2_MAX], most = 0;
	unsigned last = dist_log2(d, log2_us);

	fprintf(out, "\n  %s: %" PRIu64 " delays\n", title, d->nr);
	fprintf(out, "  %12s -> %-12s : %-9s %s\n", "usecs", "", "count", "distribution");
	for (unsigned i = 0; i <= last; i++)
		most = log2_us[i] > most ? log2_us[i] : most;
	for (unsigned i = 0; d->nr && i <= last; i++) {
		unsigned bar = (unsigned)(log2_us[i] * BAR_WIDTH / most);

		fprintf(out, "  %12" PRIu64 " -> %-12" PRIu64 " : %-9" PRIu64 "|", i ? (uint64_t)1 << i : 0,
			((uint64_t)2 << i) - 1, log2_us[i]);
		for (unsigned b = 0; b < BAR_WIDTH; b++)
			fputc(b < bar ? '*' : ' ', out);
		fputs("|\n", out);
	}
}

static void write_hists(const struct sched_latency_view *v, FILE *out)
{
	struct dist all = { 0 };

	for (uint32_t i = 0; i < v->nr; i++) {
		const struct dist *d = latency_dist(&v->rows[i], v->which);
		struct str title = STR_INIT;

		dist_merge(&all, d);
		if (!v->hist_rows || !d->nr)
			continue;
		add_name(&title, &v->rows[i], v->by_task);
		write_hist(title.p, d, out);
		str_release(&title);
	}
	if (v->hist_all && !v->hist_rows)
		write_hist(which_name(v->which), &all, out);
	dist_release(&all);
}

/* --- the table ------------------------------------------------------------------------------- */

static void write_table(const struct sched_latency_view *v, struct totals *sum, FILE *out)
{
	unsigned width = FULL_WIDTH, nr_parts = 0;

	if (v->width && v->width < FULL_WIDTH)
		nr_parts = parts_that_fit(v->width, &width);
	fprintf(out, "\n");
	rule(width - 1, out);
	if (nr_parts) {
		fprintf(out, "%-*s", NAME_WIDTH, "  Task");
		for (unsigned i = 0; i < nr_parts; i++)
			fputs(parts[i].heading, out);
		fputs("|\n", out);
	} else {
		fputs(heading, out);
	}
	rule(width - 1, out);
	for (uint32_t i = 0; i < v->nr; i++) {
		if (nr_parts)
			write_narrow_row(v, &v->rows[i], nr_parts, out);
		else
			write_row(v, &v->rows[i], out);
		sum->runtime_ns += latency_runtime(&v->rows[i]);
		sum->switches += v->rows[i].switches;
		sum->unknown += v->rows[i].unknown;
	}
	rule(nr_parts ? width - 1 : 113, out);
	if (nr_parts)
		fprintf(out, "%-*s|%12.3f|%9" PRIu64 "|\n", NAME_WIDTH, "  TOTAL:", ms(sum->runtime_ns),
			sum->switches);
	else
		fprintf(out, "  TOTAL:                |%11.3f ms |%9" PRIu64 " |\n", ms(sum->runtime_ns),
			sum->switches);
	rule(nr_parts ? 47 : 51, out);
	fprintf(out, "  avg, max, p50, p95, p99: %s\n", which_name(v->which));
	if (nr_parts)
		fprintf(out, "  -w shows all columns in perf's layout, %u wide\n", (unsigned)FULL_WIDTH);
}

void sched_latency_text(const struct sched_latency_view *v, FILE *out)
{
	struct totals sum = { 0 };

	write_table(v, &sum, out);
	if (sum.unknown)
		fprintf(out, "  INFO: of %" PRIu64 " switches the delay is not known: first seen then, or "
			"see below\n", sum.unknown);
	sched_account_write(v->account, v->stream, "  INFO: ", out);
	write_hists(v, out);
	fprintf(out, "\n");
}

/* --- CSV and JSON ----------------------------------------------------------------------------- */

static void csv_dist(struct str *s, const struct dist *d)
{
	str_addf(s, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
		 ",%" PRIu64 ",%" PRIu64, d->nr, dist_average(d), dist_percentile(d, 50),
		 dist_percentile(d, 95), dist_percentile(d, 99), d->max_ns, d->max_from_ns, d->max_to_ns);
}

void sched_latency_csv(const struct sched_latency_view *v, FILE *out)
{
	static const char *const groups[] = { "delay", "wake", "preempt" };

	fputs("comm,pid,tid,tasks,runtime_ns,on_cpu_ns,switches,unknown_delays", out);
	for (unsigned i = 0; i < 3; i++)
		fprintf(out, ",%s_nr,%s_avg_ns,%s_p50_ns,%s_p95_ns,%s_p99_ns,%s_max_ns,%s_max_start_ns,"
			"%s_max_end_ns", groups[i], groups[i], groups[i], groups[i], groups[i], groups[i],
			groups[i], groups[i]);
	fputc('\n', out);
	for (uint32_t i = 0; i < v->nr; i++) {
		const struct latency_row *row = &v->rows[i];
		bool one = row->nr_tasks == 1;
		struct str s = STR_INIT;

		if (*row->comm)
			str_add_csv(&s, row->comm);
		else
			str_addf(&s, ":%u", row->tid);
		str_addc(&s, ',');
		if (one && row->pid != SCHED_NONE)
			str_addf(&s, "%u", row->pid);
		str_addc(&s, ',');
		if (one)
			str_addf(&s, "%u", row->tid);
		str_addf(&s, ",%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, row->nr_tasks,
			 latency_runtime(row), row->on_cpu_ns, row->switches, row->unknown);
		csv_dist(&s, &row->all);
		csv_dist(&s, &row->wake);
		csv_dist(&s, &row->preempt);
		fprintf(out, "%s\n", s.p);
		str_release(&s);
	}
}

static void json_dist(struct str *s, const char *name, const struct dist *d, bool hist)
{
	uint64_t log2_us[DIST_LOG2_MAX];
	unsigned last;

	str_addf(s, ", \"%s\": {\"nr\": %" PRIu64 ", \"total_ns\": %" PRIu64 ", \"avg_ns\": %" PRIu64
		 ", \"p50_ns\": %" PRIu64 ", \"p95_ns\": %" PRIu64 ", \"p99_ns\": %" PRIu64
		 ", \"max_ns\": %" PRIu64 ", \"max_start_ns\": %" PRIu64 ", \"max_end_ns\": %" PRIu64,
		 name, d->nr, d->total_ns, dist_average(d), dist_percentile(d, 50),
		 dist_percentile(d, 95), dist_percentile(d, 99), d->max_ns, d->max_from_ns, d->max_to_ns);
	if (hist) {
		last = dist_log2(d, log2_us);
		str_add(s, ", \"log2_us\": [");
		for (unsigned i = 0; d->nr && i <= last; i++)
			str_addf(s, "%s%" PRIu64, i ? ", " : "", log2_us[i]);
		str_addc(s, ']');
	}
	str_addc(s, '}');
}

void sched_latency_json(const struct sched_latency_view *v, FILE *out)
{
	struct str s = STR_INIT;

	str_add(&s, "{\"schema\": \"sonde-sched-latency-1\", \"account\": {");
	sched_account_json(v->account, v->stream, &s);
	str_add(&s, "}, \"tasks\": [");
	for (uint32_t i = 0; i < v->nr; i++) {
		const struct latency_row *row = &v->rows[i];

		str_addf(&s, "%s\n  {\"comm\": \"", i ? "," : "");
		str_add_json(&s, row->comm);
		str_addf(&s, "\", \"tasks\": %u", row->nr_tasks);
		if (row->nr_tasks == 1 && row->pid != SCHED_NONE)
			str_addf(&s, ", \"pid\": %u", row->pid);
		if (row->nr_tasks == 1)
			str_addf(&s, ", \"tid\": %u", row->tid);
		str_addf(&s, ", \"runtime_ns\": %" PRIu64 ", \"on_cpu_ns\": %" PRIu64 ", \"switches\": %"
			 PRIu64 ", \"unknown_delays\": %" PRIu64, latency_runtime(row), row->on_cpu_ns,
			 row->switches, row->unknown);
		json_dist(&s, "delay", &row->all, v->hist_all);
		json_dist(&s, "wake", &row->wake, v->hist_all);
		json_dist(&s, "preempt", &row->preempt, v->hist_all);
		str_addc(&s, '}');
		fwrite(s.p, 1, s.len, out);
		str_clear(&s);
	}
	fprintf(out, "%s\n]}\n", s.p);
	str_release(&s);
}
