/* SPDX-License-Identifier: MIT */
/*
 * Rows of several recordings matched by name, and their tables, from profiles made by hand.
 * Intervals are those of Newcombe's method 10, written again in Python.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#include "base/log.h"
#include "tests/unit/folded_profile.h"
#include "view/diff.h"

/* 100 and 200 samples; f grows from 10 to 40 %, g shrinks from 60 to 30, h is new. */
static const char before[] = "w;main;f 10\nw;main;g 60\nw;sys_[k] 30\n";
static const char after[] = "w;main;g 60\nw;main;f 80\nw;sys_[k] 58\nw;h 2\n";

static struct diff_options options(const char *sort)
{
	struct diff_options o = { .level = 0.95, .order = 1 };
	struct sort_wish wish = { .sort = sort };
	struct err err = ERR_INIT;

	if (sort && sort_parse(&o.spec, &wish, &err) < 0)
		fail_msg("%s", err.msg);
	return o;
}

static struct diff *compare(const struct diff_options *o, unsigned nr, const char *const *folded,
			    uint32_t nr_events)
{
	struct diff *d = diff_new(o, nr);

	for (unsigned i = 0; i < nr; i++) {
		struct profile *p = folded_profile(folded[i], nr_events);

		diff_add(d, i, p);
		folded_profile_free(p);
	}
	diff_finish(d);
	return d;
}

static const struct diff_row *row(const struct diff *d, unsigned key, const char *text)
{
	for (uint32_t i = 0; i < d->events[0].nr_rows; i++)
		if (strcmp(d->events[0].rows[i].keys[key], text) == 0)
			return &d->events[0].rows[i];
	fail_msg("no row %s", text);
	return NULL;
}

typedef void writer(const struct diff_view *view, const struct diff *diff, FILE *out);

static void check(writer *write, struct diff_view view, const struct diff_options *o, unsigned nr,
		  const char *const *folded, const char *expected)
{
	static const char *const names[] = { "old", "new", "third" };
	struct diff *d = compare(o, nr, folded, 2);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	view.files = names;
	write(&view, d, out);
	fclose(out);
	diff_free(d);
	assert_string_equal(text, expected);
	free(text);
}

static const char *const two[] = { before, after };

static void text_has_baseline_and_delta_sorted_by_size(void **state)
{
	struct diff_options o = options("dso,sym");

	(void)state;
	check(diff_write_text, (struct diff_view){ 0 }, &o, 2, two,
	      "# Event 'cycles'\n"
	      "#\n"
	      "# Data files:\n"
	      "#  [0] old (Baseline): 100 samples\n"
	      "#  [1] new: 200 samples\n"
	      "#\n"
	      "# +- 95 % interval of each row   ~ noise: within what chance makes of 4 rows\n"
	      "#\n"
	      "# Baseline  Delta Abs     +-  Ratio  ~  Shared Object      Symbol\n"
	      "# ........  .........  .....  .....  .  .................  .......\n"
	      "#\n"
	      "    60.00%    -30.00%  11.86  0.500     app                [.] g\n"
	      "    10.00%    +30.00%   9.90  4.000     app                [.] f\n"
	      "    30.00%     -1.00%  11.23  0.967  ~  [kernel.kallsyms]  [k] sys\n"
	      "               +1.00%   3.77    new  ~  app                [.] h\n");
}

static void ties_go_to_the_larger_baseline_and_order_0_is_the_baseline(void **state)
{
	struct diff_options o = options("sym");

	(void)state;
	o.order = 0;
	check(diff_write_text, (struct diff_view){ .separator = ";", .quiet = true }, &o, 2, two,
	      "60.00;-30.00;11.86;0.500;;[.] g\n"
	      "30.00;-1.00;11.23;0.967;~;[k] sys\n"
	      "10.00;+30.00;9.90;4.000;;[.] f\n"
	      ";+1.00;3.77;new;~;[.] h\n");
	o.order = 1;
	o.compute = DIFF_DELTA;
	check(diff_write_text, (struct diff_view){ .separator = ";", .quiet = true, .baseline_only = true },
	      &o, 2, two,
	      "10.00;+30.00;9.90;4.000;;[.] f\n"
	      "30.00;-1.00;11.23;0.967;~;[k] sys\n"
	      "60.00;-30.00;11.86;0.500;;[.] g\n");
}

/* Amounts: 10 -> 80, 60 -> 60, 30 -> 58; with ratios, none of g's doubling of the whole. */
static void amounts_are_not_normalised(void **state)
{
	struct diff_options o = options("sym");
	struct diff *d;

	(void)state;
	o.compute = DIFF_RATIO;
	d = compare(&o, 2, two, 1);
	assert_true(row(d, 0, "[.] f")->differences[1].ratio == 8);
	assert_true(row(d, 0, "[.] f")->differences[1].real);
	assert_true(row(d, 0, "[.] g")->differences[1].ratio == 1);
	assert_false(row(d, 0, "[.] g")->differences[1].real);
	assert_true(row(d, 0, "[k] sys")->differences[1].real);
	assert_string_equal(d->events[0].rows[0].keys[0], "[.] f");
	assert_string_equal(d->events[0].rows[3].keys[0], "[.] h");
	diff_free(d);
	o.compute = DIFF_WDIFF;
	o.weight_a = 2;
	o.weight_b = 3;
	d = compare(&o, 2, two, 1);
	/* 80 * 3 - 10 * 2 and 60 * 3 - 60 * 2 */
	assert_true(row(d, 0, "[.] f")->differences[1].delta == 220);
	assert_true(row(d, 0, "[.] g")->differences[1].delta == 60);
	diff_free(d);
}

static void paths_are_rows_of_their_own(void **state)
{
	const char *const folded[] = { "w;main;a;x 30\nw;main;b;x 30\n", "w;main;a;x 59\nw;main;b;x 1\n" };
	struct diff_options o = options(NULL);

	(void)state;
	o.by_path = true;
	check(diff_write_text, (struct diff_view){ .separator = ",", .quiet = true }, &o, 2, folded,
	      "50.00,+48.33,14.22,1.967,,x <- a <- main\n"
	      "50.00,-48.33,14.22,0.033,,x <- b <- main\n");
	check(diff_write_csv, (struct diff_view){ .real_only = true, .baseline_only = true }, &o, 2,
	      (const char *const[]){ "w;x 1\n", "w;x 1\n" },
	      "event,baseline_percent,baseline_samples,baseline_period,1_percent,1_samples,1_period,"
	      "1_delta_percent,1_low,1_high,1_ratio,1_p,1_noise,path\n");
}

static void copies_of_a_function_are_joined_when_asked(void **state)
{
	const char *const folded[] = { "w;f.isra.0 5\nw;g.part.0.cold 5\nw;h.x 1\n",
				       "w;f 5\nw;g 5\nw;f.constprop.1.llvm.77 1\n" };
	struct diff_options o = options("sym");
	struct diff *d = compare(&o, 2, folded, 1);

	(void)state;
	assert_int_equal(d->events[0].nr_rows, 6);
	diff_free(d);
	o.join_clones = true;
	d = compare(&o, 2, folded, 1);
	assert_int_equal(d->events[0].nr_rows, 3);
	assert_int_equal(row(d, 0, "[.] f")->tallies[0].samples, 5);
	assert_int_equal(row(d, 0, "[.] f")->tallies[1].samples, 6);
	assert_int_equal(row(d, 0, "[.] g")->tallies[0].samples, 5);
	assert_int_equal(row(d, 0, "[.] h.x")->tallies[0].samples, 1);
	diff_free(d);
}

/* The filter takes rows away; --percentage relative makes 100 % of the rest. */
static void filters_leave_the_whole_unless_relative(void **state)
{
	const char *const folded[] = { "w;f 10\nv;f 30\n", "w;f 10\nv;f 10\n" };
	static const char *comms[] = { "w", NULL };
	struct profile_query filter = { .comms = comms };
	struct diff_options o = options("comm");
	struct diff *d;

	(void)state;
	o.filter = &filter;
	d = compare(&o, 2, folded, 1);
	assert_int_equal(d->events[0].nr_rows, 1);
	assert_int_equal(d->events[0].totals[0].samples, 40);
	assert_true(fabs(row(d, 0, "w")->differences[1].delta - 0.25) < 1e-12);
	diff_free(d);
	o.relative = true;
	d = compare(&o, 2, folded, 1);
	assert_int_equal(d->events[0].totals[0].samples, 10);
	assert_true(fabs(row(d, 0, "w")->differences[1].delta) < 1e-12);
	diff_free(d);
}

static void third_files_stand_beside(void **state)
{
	const char *const folded[] = { "w;f 10\n", "w;f 5\nw;g 5\n", "w;h 4\n" };
	struct diff_options o = options("sym");

	(void)state;
	check(diff_write_text, (struct diff_view){ .separator = ",", .samples = true }, &o, 3, folded,
	      "# Event 'cycles'\n#\n# Data files:\n"
	      "#  [0] old (Baseline): 10 samples\n#  [1] new: 10 samples\n#  [2] third: 4 samples\n"
	      "#\n# +- 95 % interval of each row   ~ noise: within what chance makes of 3 rows\n#\n"
	      "# Baseline/0,Base samples/0,Delta Abs/1,+-/1,Ratio/1,~,Samples/1,Delta Abs/2,+-/2,Ratio/2,~,"
	      "Samples/2,Symbol\n"
	      "100.00,10,-50.00,38.26,0.500,~,5,-100.00,56.30,gone,,0,[.] f\n"
	      ",0,+50.00,38.26,new,~,5,,,,,,[.] g\n"
	      ",0,,,,,,+100.00,56.30,new,,4,[.] h\n");
}

static unsigned notes;

static void count_notes(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	notes += level == LOG_NOTE && strstr(line, "'faults'") != NULL;
}

static void events_are_matched_and_lone_ones_told(void **state)
{
	const char *const folded[] = { "w;f 10\nw;f 7 @1\n", "w;f 5\nw;g 5\n" };
	struct diff_options o = options("sym");
	struct diff *d;

	(void)state;
	log_set_sink(count_notes, NULL);
	d = compare(&o, 2, folded, 2);
	log_set_sink(NULL, NULL);
	assert_int_equal(d->nr_events, 1);
	assert_string_equal(d->events[0].name, "cycles");
	assert_int_equal(notes, 1);
	diff_free(d);
}

static void modifiers_do_not_part_events(void **state)
{
	struct diff_options o = options("sym");
	struct diff *d = diff_new(&o, 2);
	static const char *const names[] = { "sched:cycles:Pu", "sched:cycles" };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct profile *p = folded_profile("w;f 3\n", 1);

		free(p->data->events.v[0].name);
		p->data->events.v[0].name = mem_strdup(names[i]);
		diff_add(d, i, p);
		folded_profile_free(p);
	}
	diff_finish(d);
	assert_int_equal(d->nr_events, 1);
	assert_int_equal(d->events[0].totals[1].samples, 3);
	diff_free(d);
}

static void json_and_csv_say_it_all(void **state)
{
	const char *const folded[] = { "w;a,\"b 1\nw;c 1\n", "w;c 2*5\n" };
	struct diff_options o = options("sym");

	(void)state;
	check(diff_write_csv, (struct diff_view){ 0 }, &o, 2, folded,
	      "event,baseline_percent,baseline_samples,baseline_period,1_percent,1_samples,1_period,"
	      "1_delta_percent,1_low,1_high,1_ratio,1_p,1_noise,symbol\n"
	      "cycles,50.000000,1,1,100.000000,2,10,50.000000,-27.257279,90.546879,2.000000,1,1,[.] c\n"
	      "cycles,50.000000,1,1,0.000000,0,0,-50.000000,-90.546879,27.257279,0.000000,1,1,"
	      "\"[.] a,\"\"b\"\n");
	o.by_path = true;
	check(diff_write_json, (struct diff_view){ .percent_limit = 60 }, &o, 2, folded,
	      "{\"schema\": \"sonde-diff\", \"version\": 1, \"files\": [\"old\", \"new\"], \"compute\": "
	      "\"delta-abs\", \"of\": \"shares\", \"children\": false, \"level\": 0.95, \"events\": [\n {\"event\": \"cycles\", "
	      "\"totals\": [{\"samples\": 2, \"period\": 2}, {\"samples\": 2, \"period\": 10}], "
	      "\"rows_compared\": 2, \"rows\": [\n  {\"files\": [{\"samples\": 1, \"period\": 1, "
	      "\"percent\": 50}, {\"samples\": 2, \"period\": 10, \"percent\": 100, \"delta\": 50, \"low\": "
	      "-27.257279, \"high\": 90.546879, \"ratio\": 2, \"p\": 1, \"noise\": true}], \"symbol\": "
	      "\"[.] c\", \"path\": [\"c\"]}]}]}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_has_baseline_and_delta_sorted_by_size),
		cmocka_unit_test(ties_go_to_the_larger_baseline_and_order_0_is_the_baseline),
		cmocka_unit_test(amounts_are_not_normalised),
		cmocka_unit_test(paths_are_rows_of_their_own),
		cmocka_unit_test(copies_of_a_function_are_joined_when_asked),
		cmocka_unit_test(filters_leave_the_whole_unless_relative),
		cmocka_unit_test(third_files_stand_beside),
		cmocka_unit_test(events_are_matched_and_lone_ones_told),
		cmocka_unit_test(modifiers_do_not_part_events),
		cmocka_unit_test(json_and_csv_say_it_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
