/* SPDX-License-Identifier: MIT */
/* Rows to text: expected values worked out by hand, layouts as perf stat 6.1 prints them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/event.h"
#include "view/stat.h"

static struct event_list parse(const char *text)
{
	struct event_env none = { "/nonexistent", "/nonexistent" };
	struct event_list list = { 0 };
	struct err err = ERR_INIT;

	if (event_parse(&list, text, &none, &err) < 0)
		fail_msg("%s", err.msg);
	return list;
}

static struct stat_row row(const struct event *event, double count)
{
	struct stat_row r = {
		.event = event, .name = event->name, .state = STAT_COUNTED,
		.value = stat_scale(event, count), .running_ns = 1000000, .enabled_ns = 1000000,
	};

	return r;
}

/* Print rows into a string. */
static char *print(const struct stat_row *rows, uint32_t nr, const struct stat_style *style)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	stat_print_rows(out, rows, nr, style);
	fclose(out);
	return text;
}

static void expect(const struct stat_row *rows, uint32_t nr, const struct stat_style *style,
		   const char *want)
{
	char *got = print(rows, nr, style);

	assert_string_equal(got, want);
	free(got);
}

static void means_and_deviations(void **state)
{
	/* 100, 200, 300, 400: mean 250, sum of squares 50000, /3 /4 = 4166.67, root 64.5497 */
	static const double v[] = { 100, 200, 300, 400 };
	double mean, deviation;

	(void)state;
	stat_mean(v, 4, &mean, &deviation);
	assert_true(mean == 250);
	assert_true(deviation > 64.54972 && deviation < 64.54973);
	stat_mean(v, 1, &mean, &deviation);
	assert_true(mean == 100 && deviation == 0);
	stat_mean(v, 0, &mean, &deviation);
	assert_true(mean == 0 && deviation == 0);
	/* Large equal values: nothing is lost in squares. */
	stat_mean((double[]){ 1e15 + 1, 1e15 + 2, 1e15 + 3 }, 3, &mean, &deviation);
	assert_true(mean == 1e15 + 2);
	assert_true(deviation > 0.57734 && deviation < 0.57736);
}

static void numbers_have_commas(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(stat_number(0, 0, true, buf), "0");
	assert_string_equal(stat_number(999, 0, true, buf), "999");
	assert_string_equal(stat_number(1000, 0, true, buf), "1,000");
	assert_string_equal(stat_number(1234567.891, 2, true, buf), "1,234,567.89");
	assert_string_equal(stat_number(-1234567, 0, true, buf), "-1,234,567");
	assert_string_equal(stat_number(1234567, 0, false, buf), "1234567");
	assert_string_equal(stat_number(12345.678, 3, true, buf), "12,345.678");
}

static void derives_what_perf_shows(void **state)
{
	struct event_list list = parse("task-clock,context-switches,cycles,instructions,branches,"
				       "branch-misses,L1-dcache-loads,L1-dcache-load-misses,"
				       "cycles:u,instructions:u");
	/* 2 s of running in 1 s: 2 CPUs; 3e9 cycles in 2e9 ns: 1.5 GHz; and so on. */
	static const double counts[] = { 2e9, 4000, 3e9, 6e9, 1e9, 2.5e7, 4e9, 1e8, 1e9, 3e9 };
	static const struct stat_derived want[] = {
		{ 2, "CPUs utilized", 3, false }, { 2, "K/sec", 3, false }, { 1.5, "GHz", 3, false },
		{ 2, "insn per cycle", 2, false }, { 500, "M/sec", 3, false },
		{ 2.5, "of all branches", 2, true }, { 2, "G/sec", 3, false },
		{ 2.5, "of all L1-dcache accesses", 2, true }, { 0.5, "GHz", 3, false },
		{ 3, "insn per cycle", 2, false },
	};
	struct stat_row rows[10];

	(void)state;
	for (int i = 0; i < 10; i++)
		rows[i] = row(&list.v[i], counts[i]);
	stat_derive(rows, 10, 1e9);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(rows[i].nr_derived, 1);
		assert_string_equal(rows[i].derived[0].unit, want[i].unit);
		assert_true(rows[i].derived[0].value > want[i].value * 0.999999 &&
			    rows[i].derived[0].value < want[i].value * 1.000001);
		assert_int_equal(rows[i].derived[0].percent, want[i].percent);
		assert_int_equal(rows[i].derived[0].digits, want[i].digits);
	}
	event_list_release(&list);
}

/* The cases that give nan and inf elsewhere: no time, no divisor. */
static void leaves_out_what_has_no_divisor(void **state)
{
	struct event_list list = parse("task-clock,cycles,instructions,branch-misses,branches");
	struct stat_row rows[5];
	char *text;

	(void)state;
	for (int i = 0; i < 5; i++)
		rows[i] = row(&list.v[i], 0);
	stat_derive(rows, 5, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(rows[i].nr_derived, 0);
	rows[1].state = STAT_NOT_SUPPORTED;
	rows[2] = row(&list.v[2], 5);
	stat_derive(rows, 5, 1e9);
	assert_int_equal(rows[0].nr_derived, 1);
	assert_int_equal(rows[2].nr_derived, 0);
	text = print(rows, 5, &(struct stat_style){ 0 });
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf"));
	free(text);
	event_list_release(&list);
}

/* Other groups' rows and other modifiers are no divisors. */
static void ratios_stay_in_their_group(void **state)
{
	struct event_list list = parse("cycles:u,instructions:k,cycles,instructions");
	struct stat_row rows[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		rows[i] = row(&list.v[i], 1000);
	rows[3].group = 1;
	stat_derive(rows, 4, 1e9);
	assert_int_equal(rows[1].nr_derived, 0);
	assert_int_equal(rows[3].nr_derived, 0);
	event_list_release(&list);
}

static void text_is_laid_out_as_perfs(void **state)
{
	struct event_list list = parse("task-clock,context-switches,cycles,page-faults");
	struct stat_row rows[4];
	struct stat_style style = { .big_num = true };

	(void)state;
	rows[0] = row(&list.v[0], 1234560000);
	rows[1] = row(&list.v[1], 12345);
	rows[2] = row(&list.v[2], 0);
	rows[2].state = STAT_NOT_SUPPORTED;
	rows[3] = row(&list.v[3], 77);
	rows[3].state = STAT_NOT_COUNTED;
	stat_derive(rows, 4, 2469120000.0);
	expect(rows, 4, &style,
	       "          1,234.56 msec task-clock                       #    0.500 CPUs utilized\n"
	       "            12,345      context-switches                 #   10.000 K/sec\n"
	       "   <not supported>      cycles\n"
	       "     <not counted>      page-faults\n");
	rows[1].nr_derived = 0;
	rows[1].label = "S0-D0-C1";
	rows[1].members = 2;
	style.labels = STAT_LABEL_CORE;
	style.has_interval = true;
	style.interval_s = 1.5;
	expect(&rows[1], 1, &style,
	       "     1.500000000 S0-D0-C1           2             12,345      context-switches\n");
	rows[1].label = "CPU7";
	rows[1].members = 0;
	style.labels = STAT_LABEL_CPU;
	style.has_interval = false;
	expect(&rows[1], 1, &style, "CPU7                   12,345      context-switches\n");
	rows[1].label = "a-b\x1b-12";
	style.labels = STAT_LABEL_THREAD;
	expect(&rows[1], 1, &style, "         a-b\\x1b-12                   12,345      "
	       "context-switches\n");
	event_list_release(&list);
}

/* perf's layout takes 81 columns for the first row, and 102 with its deviation. */
static void text_fits_a_narrow_terminal(void **state)
{
	struct event_list list = parse("task-clock,context-switches,cycles");
	struct stat_row rows[3];
	struct stat_style style = { .big_num = true, .width = 81 };

	(void)state;
	rows[0] = row(&list.v[0], 1234560000);
	rows[1] = row(&list.v[1], 12345);
	rows[2] = row(&list.v[2], 0);
	rows[2].state = STAT_NOT_SUPPORTED;
	stat_derive(rows, 3, 2469120000.0);
	expect(rows, 2, &style,
	       "          1,234.56 msec task-clock                       #    0.500 CPUs utilized\n"
	       "            12,345      context-switches                 #   10.000 K/sec\n");
	style.width = 80;
	expect(rows, 3, &style,
	       "          1,234.56 msec task-clock       #    0.500 CPUs utilized\n"
	       "            12,345      context-switches #   10.000 K/sec\n"
	       "   <not supported>      cycles\n");
	for (int i = 0; i < 2; i++) {
		rows[i].has_noise = true;
		rows[i].noise = 1.5;
	}
	expect(rows, 2, &style,
	       "          1,234.56 msec task-clock       #    0.500 CPUs utilized ( +-  1.50% )\n"
	       "            12,345      context-switches #   10.000 K/sec         ( +-  1.50% )\n");
	event_list_release(&list);
}

static void shows_noise_and_scaling(void **state)
{
	struct event_list list = parse("page-faults");
	struct stat_row r = row(&list.v[0], 100);
	struct stat_style style = { 0 };

	(void)state;
	r.has_noise = true;
	r.noise = 1.5;
	expect(&r, 1, &style, "               100      page-faults"
	       "                                                          ( +-  1.50% )\n");
	r.has_noise = false;
	r.running_ns = 250000;
	expect(&r, 1, &style, "               100      page-faults"
	       "                                                          (25.00%)\n");
	event_list_release(&list);
}

static void separated_values(void **state)
{
	struct event_list list = parse("task-clock,cpu/event=1,umask=2/,page-faults");
	struct stat_row rows[3];
	struct stat_style style = { .separator = "," };

	(void)state;
	rows[0] = row(&list.v[0], 500000);
	rows[1] = row(&list.v[1], 5);
	rows[2] = row(&list.v[2], 42);
	rows[2].has_noise = true;
	rows[2].noise = 2;
	rows[2].cgroup = "a,b";
	rows[1].label = "=f(1)-7\x1b";
	rows[0].label = "-bash-9";
	rows[2].label = "@f(1)\n";
	stat_derive(rows, 1, 1000000);
	expect(rows, 3, &style,
	       "-bash-9,0.50,msec,task-clock,1000000,100.00,0.500,CPUs utilized\n"
	       "'=f(1)-7\\x1b,5,,\"cpu/event=1,umask=2/\",1000000,100.00,,\n"
	       "'@f(1)_,42,,page-faults,a_b,2.00%,1000000,100.00,,\n");
	event_list_release(&list);
}

static void json_rows(void **state)
{
	struct event_list list = parse("page-faults,cycles");
	struct stat_row rows[2];
	struct stat_style style = { .json = true, .labels = STAT_LABEL_CPU };

	(void)state;
	rows[0] = row(&list.v[0], 42);
	rows[0].label = "CPU3";
	rows[0].cgroup = "x\"y";
	rows[1] = row(&list.v[1], 0);
	rows[1].state = STAT_NOT_SUPPORTED;
	rows[1].running_ns = rows[1].enabled_ns = 0;
	expect(rows, 2, &style,
	       "{\"cpu\" : \"3\", \"counter-value\" : \"42.000000\", \"unit\" : \"\", \"event\" : "
	       "\"page-faults\", \"cgroup\" : \"x\\\"y\", \"event-runtime\" : 1000000, "
	       "\"pcnt-running\" : 100.00, \"metric-value\" : 0.000000, \"metric-unit\" : \"\"}\n"
	       "{\"counter-value\" : \"\\u003cnot supported>\", \"unit\" : \"\", \"event\" : "
	       "\"cycles\", \"event-runtime\" : 0, \"pcnt-running\" : 100.00, \"metric-value\" : "
	       "0.000000, \"metric-unit\" : \"\"}\n");
	event_list_release(&list);
}

struct values {
	const char *names[8];
	double v[8];
};

static bool look(void *arg, const char *name, double *value)
{
	const struct values *values = arg;

	for (int i = 0; i < 8 && values->names[i]; i++) {
		if (strcmp(values->names[i], name) != 0)
			continue;
		*value = values->v[i];
		return true;
	}
	return false;
}

static void computes_metrics(void **state)
{
	struct values v = { { "instructions", "cycles", "cache-misses", "slots", "topdown-retiring",
			      "topdown-bad-spec", "topdown-fe-bound", "topdown-be-bound" },
			    { 3000, 1500, 6, 100, 30, 10, 20, 40 } };
	static const struct {
		const char *name;
		double want;
	} cases[] = {
		{ "IPC", 2 }, { "CPI", 0.5 }, { "cache_mpki", 2 }, { "retiring", 30 },
		{ "bad_speculation", 10 }, { "frontend_bound", 20 }, { "backend_bound", 40 },
	};
	double got;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct stat_metric *m = stat_metric_find(cases[i].name,
							       strlen(cases[i].name));

		assert_non_null(m);
		assert_true(stat_metric_compute(m, look, &v, &got));
		assert_true(got > cases[i].want - 1e-9 && got < cases[i].want + 1e-9);
	}
	/* A missing event and a divisor of 0 give no value. */
	assert_false(stat_metric_compute(stat_metric_find("branch_miss_rate", 16), look, &v, &got));
	v.v[1] = 0;
	assert_false(stat_metric_compute(stat_metric_find("IPC", 3), look, &v, &got));
}

static void metrics_are_well_formed(void **state)
{
	const struct stat_metric *m;

	(void)state;
	for (uint32_t i = 0; (m = stat_metric_at(i)); i++) {
		char *text = stat_metric_events(m, true);

		assert_true(text[0] == '{');
		assert_non_null(strstr(text, "}:W"));
		assert_non_null(m->what);
		assert_non_null(m->group);
		/* All but topdown's are events that any machine's parser knows. */
		if (strcmp(m->group, "topdown") != 0) {
			struct event_list list = parse(text);

			assert_true(list.nr >= 2);
			event_list_release(&list);
		}
		free(text);
	}
	m = stat_metric_find("retiring", 8);
	assert_non_null(m);
	{
		char *text = stat_metric_events(m, true);

		assert_string_equal(text, "{slots,topdown-retiring,topdown-bad-spec,"
				    "topdown-fe-bound,topdown-be-bound}:W");
		free(text);
	}
}

static void compares(void **state)
{
	static const double a[] = { 10, 11, 12, 10, 11, 12, 10, 11, 12, 11 };
	static const double b[] = { 20, 22, 24, 20, 22, 24, 20, 22, 24, 22 };
	static const double wide[] = { 5, 20, 8, 15, 11, 30, 2, 11, 9, 12 };
	static const double zero[10] = { 0 };
	struct stat_ratio r;

	(void)state;
	stat_compare(a, b, 10, &r);
	assert_true(r.median_a == 11 && r.median_b == 22 && r.ratio == 2);
	assert_int_equal(r.verdict, STAT_MORE);
	/* No resample can leave the range of the data: 20/12 to 24/10. */
	assert_true(r.low >= 20.0 / 12 && r.low <= 2 && r.high >= 2 && r.high <= 2.4);
	stat_compare(b, a, 10, &r);
	assert_int_equal(r.verdict, STAT_LESS);
	stat_compare(a, a, 10, &r);
	assert_int_equal(r.verdict, STAT_SAME);
	assert_true(r.low <= 1 && r.high >= 1);
	stat_compare(a, wide, 10, &r);
	assert_int_equal(r.verdict, STAT_SAME);
	stat_compare(a, b, 3, &r);
	assert_int_equal(r.verdict, STAT_FEW);
	stat_compare(zero, zero, 10, &r);
	assert_false(r.has_ratio);
	assert_int_equal(r.verdict, STAT_SAME);
	stat_compare(zero, b, 10, &r);
	assert_false(r.has_ratio);
	stat_compare(a, b, 0, &r);
	assert_int_equal(r.verdict, STAT_FEW);
}

/*
 * The share of intervals that hold the true ratio, over many pairs of samples
 * from one distribution: near 95 of 100 (percentile intervals of medians of 10
 * are a little wide).
 */
static void interval_covers(void **state)
{
	uint32_t seed = 1, held = 0, real = 0;

	(void)state;
	for (int trial = 0; trial < 200; trial++) {
		double a[10], b[10];
		struct stat_ratio r;

		for (int i = 0; i < 10; i++) {
			/* A sum of three uniform draws is bell-shaped enough. */
			double sum[2] = { 0, 0 };

			for (int j = 0; j < 6; j++) {
				seed = seed * 1664525 + 1013904223;
				sum[j & 1] += (seed >> 8) / 16777216.0;
			}
			a[i] = 100 + sum[0];
			b[i] = 100 + sum[1];
		}
		stat_compare(a, b, 10, &r);
		held += r.low <= 1 && r.high >= 1;
		real += r.verdict == STAT_MORE || r.verdict == STAT_LESS;
	}
	assert_true(held >= 182);
	assert_true(real <= 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(means_and_deviations), cmocka_unit_test(numbers_have_commas),
		cmocka_unit_test(derives_what_perf_shows),
		cmocka_unit_test(leaves_out_what_has_no_divisor),
		cmocka_unit_test(ratios_stay_in_their_group),
		cmocka_unit_test(text_is_laid_out_as_perfs),
		cmocka_unit_test(text_fits_a_narrow_terminal), cmocka_unit_test(shows_noise_and_scaling),
		cmocka_unit_test(separated_values), cmocka_unit_test(json_rows),
		cmocka_unit_test(computes_metrics), cmocka_unit_test(metrics_are_well_formed),
		cmocka_unit_test(compares), cmocka_unit_test(interval_covers),
	};

	return cmocka_run_group_tests_name("stat", tests, NULL, NULL);
}
