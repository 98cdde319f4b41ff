/* SPDX-License-Identifier: MIT */
/* Rows, chains and the report's text, from profiles made by hand; layouts are perf 6.1's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>

#include "tests/unit/folded_profile.h"
#include "view/report.h"
#include "view/report_data.h"

static const char burner[] =
	"w;main;burn 6\n"
	"w;main;c;c;burn 3\n"
	"w;main;sys_[k] 1\n";

static struct report_options options(const char *sort, const char *fields, bool children,
				     const char *graph)
{
	struct report_options o = { .children = children };
	struct sort_wish wish = { .sort = sort, .fields = fields, .children = children };
	struct err err = ERR_INIT;

	callgraph_defaults(&o.callgraph);
	o.callgraph.order = children ? TREE_CALLERS_FIRST : TREE_LEAF_FIRST;
	if (callgraph_parse(&o.callgraph, graph, &err) < 0 || sort_parse(&o.spec, &wish, &err) < 0)
		fail_msg("%s", err.msg);
	return o;
}

static char *report(const char *folded, uint32_t nr_events, const struct report_options *o)
{
	struct profile *p = folded_profile(folded, nr_events);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	report_write(o, p, out);
	fclose(out);
	folded_profile_free(p);
	assert_null(strstr(text, "nan"));
	return text;
}

static void check(const char *folded, const struct report_options *o, const char *expected)
{
	char *text = report(folded, 2, o);

	assert_string_equal(text, expected);
	free(text);
}

/* --- whole pages ------------------------------------------------------------------------- */

static void children_are_drawn_from_their_callers(void **state)
{
	struct report_options o = options(NULL, NULL, true, "graph");

	(void)state;
	check(burner, &o,
	      "#\n# Total Lost Samples: 0\n#\n"
	      "# Samples: 10  of event 'cycles'\n"
	      "# Event count (approx.): 10\n"
	      "#\n"
	      "# Children      Self  Command  Shared Object      Symbol\n"
	      "# ........  ........  .......  .................  ........\n"
	      "#\n"
	      "   100.00%     0.00%  w        app                [.] main\n"
	      "            |\n"
	      "            ---main\n"
	      "               |          \n"
	      "               |--60.00%--burn\n"
	      "               |          \n"
	      "               |--30.00%--c\n"
	      "               |          c\n"
	      "               |          burn\n"
	      "               |          \n"
	      "                --10.00%--sys\n"
	      "\n"
	      "    90.00%    90.00%  w        app                [.] burn\n"
	      "            |\n"
	      "            ---main\n"
	      "               |          \n"
	      "               |--60.00%--burn\n"
	      "               |          \n"
	      "                --30.00%--c\n"
	      "                          c\n"
	      "                          burn\n"
	      "\n"
	      "    30.00%     0.00%  w        app                [.] c\n"
	      "            |\n"
	      "            ---c\n"
	      "               c\n"
	      "               burn\n"
	      "\n"
	      "    10.00%    10.00%  w        [kernel.kallsyms]  [k] sys\n"
	      "            |\n"
	      "            ---main\n"
	      "               sys\n"
	      "\n"
	      "\n\n"
	      "#\n");
}

static void without_children_chains_lead_to_the_callers(void **state)
{
	struct report_options o = options(NULL, NULL, false, "graph");

	(void)state;
	o.quiet = true;
	check(burner, &o,
	      "    90.00%  w        app                [.] burn\n"
	      "            |\n"
	      "            ---burn\n"
	      "               |          \n"
	      "               |--60.00%--main\n"
	      "               |          \n"
	      "                --30.00%--c\n"
	      "                          c\n"
	      "                          main\n"
	      "\n"
	      "    10.00%  w        [kernel.kallsyms]  [k] sys\n"
	      "            |\n"
	      "            ---sys\n"
	      "               main\n"
	      "\n"
	      "\n\n");
}

static void sorted_by_symbol_the_symbol_is_not_repeated(void **state)
{
	struct report_options o = options("sym", NULL, false, "graph,20");

	(void)state;
	o.quiet = true;
	check(burner, &o,
	      "    90.00%  [.] burn\n"
	      "            |          \n"
	      "            |--60.00%--main\n"
	      "            |          \n"
	      "             --30.00%--c\n"
	      "                       c\n"
	      "                       main\n"
	      "\n"
	      "    10.00%  [k] sys\n"
	      "\n\n");
}

static void fractal_is_of_the_caller_and_names_the_rest(void **state)
{
	struct report_options o = options(NULL, NULL, false, "fractal,10");

	(void)state;
	o.quiet = true;
	/* leaf f: 100; callers a 90 (a1 60, a2 30), b 6, c 4: b and c are under 10 percent */
	check("w;a1;a;f 60\nw;a2;a;f 30\nw;b;f 6\nw;c;f 4\n", &o,
	      "   100.00%  w        app            [.] f\n"
	      "            |\n"
	      "            ---f\n"
	      "               |          \n"
	      "               |--90.00%--a\n"
	      "               |          |          \n"
	      "               |          |--66.67%--a1\n"
	      "               |          |          \n"
	      "               |           --33.33%--a2\n"
	      "                --10.00%--[...]\n"
	      "\n"
	      "\n\n");
}

static void folded_and_flat_chains_are_lines(void **state)
{
	struct report_options o = options(NULL, NULL, false, "folded,count");

	(void)state;
	o.quiet = true;
	check(burner, &o,
	      "    90.00%  w        app                [.] burn\n"
	      "6 burn;main\n"
	      "3 burn;c;c;main\n"
	      "    10.00%  w        [kernel.kallsyms]  [k] sys\n"
	      "1 sys;main\n"
	      "\n\n");
	o = options(NULL, NULL, false, "flat,caller,15");
	o.quiet = true;
	check(burner, &o,
	      "    90.00%  w        app                [.] burn\n"
	      "           60.00%\n"
	      "                main\n"
	      "                burn\n"
	      "\n"
	      "           30.00%\n"
	      "                main\n"
	      "                c\n"
	      "                c\n"
	      "                burn\n"
	      "\n"
	      "    10.00%  w        [kernel.kallsyms]  [k] sys\n"
	      "\n\n");
}

static void a_separator_ends_the_filling(void **state)
{
	struct report_options o = options(NULL, "overhead,sample,period,comm,sym", false, "none");

	(void)state;
	o.separator = ",";
	o.quiet = true;
	check("a,b;f(int, int) 2*5\na,b;g 6*5\n", &o,
	      "75.00%,6,30,a.b,[.] g\n"
	      "25.00%,2,10,a.b,[.] f(int. int)\n"
	      "\n\n");
}

static void each_event_has_its_section(void **state)
{
	struct report_options o = options("comm", NULL, false, "none");
	char *text;

	(void)state;
	text = report("w;f 3\nw;g 1999*2 @1\nv;g 1*2 @1\n", 2, &o);
	assert_non_null(strstr(text, "# Samples: 3  of event 'cycles'\n"
				     "# Event count (approx.): 3\n#\n"
				     "# Overhead  Command\n# ........  .......\n#\n"
				     "   100.00%  w\n\n\n"
				     "# Samples: 2K of event 'faults'\n"
				     "# Event count (approx.): 4000\n"));
	assert_non_null(strstr(text, "    99.95%  w\n     0.05%  v\n"));
	free(text);
	/* an event without samples has none */
	text = report("w;f 3\n", 2, &o);
	assert_null(strstr(text, "faults"));
	free(text);
}

static void an_empty_recording_says_so(void **state)
{
	struct report_options o = options(NULL, NULL, true, "graph");
	char *text = report("", 1, &o);

	(void)state;
	assert_non_null(strstr(text, "# There are no samples to show.\n"));
	free(text);
}

static void a_period_of_zero_is_no_division(void **state)
{
	struct report_options o = options(NULL, NULL, true, "fractal");

	(void)state;
	o.quiet = true;
	free(report("w;main;f 3*0\nw;main;g 1*0\n", 1, &o));
	o.relative = true;
	free(report("w;main;f 3*0\n", 1, &o));
}

static void one_sample_is_all_there_is(void **state)
{
	struct report_options o = options("sym", NULL, true, "none");

	(void)state;
	o.quiet = true;
	check("w;f 1\n", &o, "   100.00%   100.00%  [.] f\n\n\n");
}

/* --- for programs -------------------------------------------------------------------------- */

static char *data(const char *folded, const struct report_options *o, bool json)
{
	struct profile *p = folded_profile(folded, 2);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(json ? report_json : report_csv)(o, p, out);
	fclose(out);
	folded_profile_free(p);
	return text;
}

static void csv_quotes_what_has_to_be(void **state)
{
	struct report_options o = options(NULL, "overhead,sample,comm,sym", false, "none");
	char *text;

	(void)state;
	text = data("a,b;f(int, int) 1*5\na\"b;op\"\"\033[2J 3*5\nw;[lib] 2 @1\n", &o, false);
	assert_string_equal(text,
			    "event,overhead,sample,comm,sym,kernel,inlined\r\n"
			    "cycles,75.000000,3,\"a\"\"b\",\"op\"\"\"\"\\x1b[2J\",false,false\r\n"
			    "cycles,25.000000,1,\"a,b\",\"f(int, int)\",false,false\r\n"
			    "faults,100.000000,2,w,,false,false\r\n");
	free(text);
	text = data("", &o, false);
	assert_string_equal(text, "event,overhead,sample,comm,sym,kernel,inlined\r\n");
	free(text);
}

static void csv_s_header_has_a_name_for_each_value(void **state)
{
	struct report_options o = options("comm,pid,tid,tgid,cpu,dso,sym", NULL, true, "none");
	unsigned commas[2] = { 0, 0 }, line = 0;
	char *text;

	(void)state;
	for (int full = 0; full < 2; full++) {
		o.full = full;
		commas[0] = commas[1] = line = 0;
		text = data("w;f 1\n", &o, false);
		for (const char *p = text; *p; p++) {
			line += *p == '\n';
			commas[line & 1] += *p == ',';
		}
		assert_int_equal(line, 2);
		assert_int_equal(commas[0], commas[1]);
		assert_int_equal(commas[0], full ? 15 : 14);
		free(text);
	}
}

static void json_has_rows_and_their_chains(void **state)
{
	struct report_options o = options("comm,sym", NULL, false, "graph,20");
	char *text = data("w\033;main;burn 6*2\nw\033;main;c;burn 3*2\nw\033;\"q\" 1*2\n", &o, true);

	(void)state;
	assert_non_null(strstr(text, "{\"schema\": \"sonde-report\", \"version\": 1, "));
	assert_non_null(strstr(text,
		"\"rows\": [{\n\"period\": 18, \"samples\": 9, \"period_kernel\": 0, "
		"\"period_user\": 18, \"comm\": \"w\\u001b\", \"sym\": \"burn\", \"kernel\": false, "
		"\"inlined\": false, \"chains\": ["
		"{\"period\": 12, \"samples\": 6, \"frames\": [\"burn\", \"main\"]}, "
		"{\"period\": 6, \"samples\": 3, \"frames\": [\"burn\", \"c\", \"main\"]}]}, {\n"
		"\"period\": 2, \"samples\": 1, "));
	/* a chain under the threshold is left out */
	assert_non_null(strstr(text, "\"sym\": \"\\\"q\\\"\", \"kernel\": false, \"inlined\": false, "
			       "\"chains\": []}"));
	free(text);
}

/* --- rows ------------------------------------------------------------------------------------ */

static void build(struct hists *h, const struct profile *p, const char *sort)
{
	struct sort_spec spec;
	struct sort_wish wish = { .sort = sort, .children = true };
	struct hists_options ho = { .children = true, .depth_order = true };
	struct err err = ERR_INIT;

	if (sort_parse(&spec, &wish, &err) < 0)
		fail_msg("%s", err.msg);
	hists_build(h, p, &spec, &ho);
}

static const struct hist *row(const struct hists *h, const char *text)
{
	for (uint32_t i = 0; i < h->nr; i++) {
		const struct hist *hist = &h->v[h->sorted[i]];
		struct str s = STR_INIT;
		bool same;

		for (unsigned c = 0; c < h->spec.nr_output; c++)
			if (column_is_key(h->spec.output[c])) {
				if (s.len)
					str_addc(&s, '|');
				hist_add_key(&s, h, hist, h->spec.output[c], false);
			}
		same = strcmp(s.p, text) == 0;
		str_release(&s);
		if (same)
			return hist;
	}
	fail_msg("no row '%s'", text);
	return NULL;
}

/* Two samples have callers in no mapping, and one was itself taken in none. */
static void callers_in_no_mapping_have_no_row(void **state)
{
	struct profile *p = folded_profile("w;[unknown];f 5\nw;main;[unknown];f 2\nw;main;[unknown] 1\n", 1);
	struct hists h;

	(void)state;
	build(&h, p, "sym");
	assert_int_equal(h.nr, 3);
	assert_int_equal(row(&h, "[.] f")->children, 7);
	assert_int_equal(row(&h, "[.] main")->children, 3);
	assert_int_equal(row(&h, "[.] [unknown]")->children, 1);
	assert_int_equal(row(&h, "[.] [unknown]")->period, 1);
	hists_release(&h);
	folded_profile_free(p);
}

static void recursion_counts_once(void **state)
{
	struct profile *p = folded_profile("w;a;b;a;b;a 4*10\nw;a;b 1*10\nw;a 2*10\n", 1);
	struct hists h;

	(void)state;
	build(&h, p, "sym");
	assert_int_equal(h.nr, 2);
	assert_int_equal(row(&h, "[.] a")->children, 70);
	assert_int_equal(row(&h, "[.] a")->period, 60);
	assert_int_equal(row(&h, "[.] a")->samples, 6);
	assert_int_equal(row(&h, "[.] b")->children, 50);
	assert_int_equal(row(&h, "[.] b")->period, 10);
	hists_release(&h);
	/* of a binary, too, however many of its functions stand in the stack */
	build(&h, p, "dso");
	assert_int_equal(h.nr, 1);
	assert_int_equal(row(&h, "app")->children, 70);
	assert_int_equal(row(&h, "app")->period, 70);
	hists_release(&h);
	folded_profile_free(p);
}

static void commands_are_told_apart_where_they_are_a_key(void **state)
{
	struct profile *p = folded_profile("v;main;f 1\nw;main;f 2\nw;main;g 4\n", 1);
	struct hists h;

	(void)state;
	build(&h, p, "comm,sym");
	assert_int_equal(row(&h, "v|[.] main")->children, 1);
	assert_int_equal(row(&h, "w|[.] main")->children, 6);
	assert_int_equal(row(&h, "w|[.] f")->period, 2);
	hists_release(&h);
	build(&h, p, "sym");
	assert_int_equal(row(&h, "[.] main")->children, 7);
	assert_int_equal(row(&h, "[.] f")->period, 3);
	hists_release(&h);
	/* pid is the thread's number with its name, as in perf */
	build(&h, p, "pid");
	assert_int_equal(row(&h, "    100:v")->period, 1);
	assert_int_equal(row(&h, "    101:w")->children, 6);
	hists_release(&h);
	folded_profile_free(p);
}

/* A precise event's address need not be the first of its chain. */
static void a_leaf_outside_of_its_chain_counts_once(void **state)
{
	struct profile *p = folded_profile("w;main;f 3\nw;g 1\n", 1);
	struct folded_profile *f = (struct folded_profile *)(void *)p;
	struct hists h;

	(void)state;
	f->entries.v[0].leaf = f->entries.v[1].leaf;
	build(&h, p, "sym");
	assert_int_equal(row(&h, "[.] g")->period, 4);
	assert_int_equal(row(&h, "[.] g")->children, 4);
	assert_int_equal(row(&h, "[.] f")->period, 0);
	assert_int_equal(row(&h, "[.] f")->children, 3);
	hists_release(&h);
	folded_profile_free(p);
}

static void callers_stand_above_what_they_call(void **state)
{
	struct profile *p = folded_profile("w;a;z;b 5\n", 1);
	struct str s = STR_INIT;
	struct hists h;

	(void)state;
	build(&h, p, "sym");
	for (uint32_t i = 0; i < h.nr; i++)
		hist_add_key(&s, &h, &h.v[h.sorted[i]], COLUMN_SYM, false);
	/* b's own samples bring the whole chain, so it is as deep as a; then Self decides */
	assert_string_equal(s.p, "[.] b[.] a[.] z");
	str_release(&s);
	hists_release(&h);
	folded_profile_free(p);
}

static void unnamed_code_is_a_row_for_each_binary(void **state)
{
	struct profile *p = folded_profile("w;main;[lib] 2\nw;main;[unknown] 1\n", 1);
	struct hists h;

	(void)state;
	build(&h, p, "dso,sym");
	assert_int_equal(row(&h, "lib|[.] [unknown]")->period, 2);
	assert_int_equal(row(&h, "[unknown]|[.] [unknown]")->period, 1);
	hists_release(&h);
	folded_profile_free(p);
}

static void a_very_deep_stack_is_walked(void **state)
{
	struct report_options o = options(NULL, NULL, true, "graph,0");
	struct str folded = STR_INIT;
	char *text;

	(void)state;
	/* samples end at each depth, so that the drawing branches at each */
	for (int depth = 1; depth <= 600; depth++) {
		str_add(&folded, "w");
		for (int i = 0; i < depth; i++)
			str_addf(&folded, ";f%d", i);
		str_add(&folded, " 1\n");
	}
	text = report(folded.p, 1, &o);
	assert_non_null(strstr(text, "[deeper calls are left out]"));
	free(text);
	str_release(&folded);
}

/* --- filters and limits ------------------------------------------------------------------------ */

static void filters_leave_percentages_of_the_whole(void **state)
{
	struct report_options o = options("comm,sym", NULL, false, "none");
	static const char *comms[] = { "v", NULL };
	static const char *dsos[] = { "[kernel.kallsyms]", NULL };

	(void)state;
	o.quiet = true;
	o.filter.comms = comms;
	check("v;f 1\nw;f 3\n", &o, "    25.00%  [.] f\n\n\n");
	o.relative = true;
	check("v;f 1\nw;f 3\n", &o, "   100.00%  [.] f\n\n\n");
	o = options("comm,sym", NULL, false, "none");
	o.quiet = true;
	o.filter.dsos = dsos;
	check(burner, &o, "    10.00%  w        [k] sys\n\n\n");
	o.filter.dsos = NULL;
	o.sym_part = "ur";
	check(burner, &o, "    90.00%  w        [.] burn\n\n\n");
}

static void the_percent_limit_hides_rows(void **state)
{
	struct report_options o = options("sym", NULL, true, "none");

	(void)state;
	o.quiet = true;
	o.percent_limit = 30.0;
	check(burner, &o,
	      "   100.00%     0.00%  [.] main\n"
	      "    90.00%    90.00%  [.] burn\n"
	      "    30.00%     0.00%  [.] c\n"
	      "\n\n");
}

static void a_terminal_cuts_with_an_ellipsis(void **state)
{
	struct report_options o = options("comm,sym", NULL, false, "none");

	(void)state;
	o.quiet = true;
	o.width = 40;
	check("w;a_function_whose_name_does_not_fit_here 1\n", &o,
	      "   100.00%  w        [.] a_function_who\xe2\x80\xa6\n\n\n");
	o.width = 0;
	o.color = true;
	check("w;f 990\nw;g 10\nw;h 99000\n", &o,
	      "  \033[31m  99.00%\033[m  w        [.] h\n"
	      "  \033[32m   0.99%\033[m  w        [.] f\n"
	      "     0.01%  w        [.] g\n"
	      "\n\n");
}

/* --- words -------------------------------------------------------------------------------------- */

static void sort_keys_that_are_not_there_are_named(void **state)
{
	static const struct { const char *sort, *fields, *said; int code; } bad[] = {
		{ "comm,nosuch", NULL, "no key 'nosuch'", -EINVAL },
		{ "symbl", NULL, "did you mean 'symbol'", -EINVAL },
		{ "ipc_lbr", NULL, "is not supported", -EOPNOTSUPP },
		{ NULL, "overhead,foo", "-F: no key 'foo'", -EINVAL },
		{ NULL, ",", "no columns", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sort_wish wish = { .sort = bad[i].sort, .fields = bad[i].fields };
		struct sort_spec spec;
		struct err err = ERR_INIT;

		assert_int_equal(sort_parse(&spec, &wish, &err), bad[i].code);
		assert_non_null(strstr(err.msg, bad[i].said));
	}
}

static void columns_follow_the_options(void **state)
{
	static const struct { struct sort_wish wish; const char *output, *order; } good[] = {
		{ { 0 }, "overhead comm dso symbol ", "overhead comm dso symbol " },
		{ { .children = true, .samples = true }, "overhead_children overhead sample comm dso symbol ",
		  "overhead_children overhead comm dso symbol sample " },
		{ { .sort = "sym,pid" }, "overhead symbol pid ", "overhead symbol pid " },
		{ { .fields = "sym,sample" }, "symbol sample ", "symbol sample " },
		{ { .fields = "+period", .sort = "comm" }, "overhead period comm ", "overhead comm period " },
		{ { .sort = "+cpu" }, "overhead comm dso symbol cpu ", "overhead comm dso symbol cpu " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct str output = STR_INIT, order = STR_INIT;
		struct sort_spec spec;

		assert_int_equal(sort_parse(&spec, &good[i].wish, NULL), 0);
		for (unsigned c = 0; c < spec.nr_output; c++)
			str_addf(&output, "%s ", sort_column_name(&spec, spec.output[c]));
		for (unsigned c = 0; c < spec.nr_order; c++)
			str_addf(&order, "%s ", sort_column_name(&spec, spec.order[c]));
		assert_string_equal(output.p, good[i].output);
		assert_string_equal(order.p, good[i].order);
		str_release(&output);
		str_release(&order);
	}
}

static void the_call_graph_s_words_come_in_any_order(void **state)
{
	struct callgraph_options o;
	struct err err = ERR_INIT;

	(void)state;
	callgraph_defaults(&o);
	assert_int_equal(callgraph_parse(&o, "caller,2.5,fractal,7,count", &err), 0);
	assert_int_equal(o.mode, CALLGRAPH_FRACTAL);
	assert_int_equal(o.order, TREE_CALLERS_FIRST);
	assert_true(o.order_given);
	assert_int_equal(o.value, CALLGRAPH_COUNT);
	assert_true(o.min_percent == 2.5);
	assert_int_equal(o.print_limit, 7);
	assert_int_equal(callgraph_parse(&o, "graph,sideways", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "'sideways'"));
	assert_int_equal(callgraph_parse(&o, "101", &err), -EINVAL);
	assert_int_equal(callgraph_parse(&o, "nan", &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_are_drawn_from_their_callers),
		cmocka_unit_test(without_children_chains_lead_to_the_callers),
		cmocka_unit_test(sorted_by_symbol_the_symbol_is_not_repeated),
		cmocka_unit_test(fractal_is_of_the_caller_and_names_the_rest),
		cmocka_unit_test(folded_and_flat_chains_are_lines),
		cmocka_unit_test(a_separator_ends_the_filling),
		cmocka_unit_test(each_event_has_its_section),
		cmocka_unit_test(an_empty_recording_says_so),
		cmocka_unit_test(a_period_of_zero_is_no_division),
		cmocka_unit_test(one_sample_is_all_there_is),
		cmocka_unit_test(csv_quotes_what_has_to_be),
		cmocka_unit_test(csv_s_header_has_a_name_for_each_value),
		cmocka_unit_test(json_has_rows_and_their_chains),
		cmocka_unit_test(callers_in_no_mapping_have_no_row),
		cmocka_unit_test(recursion_counts_once),
		cmocka_unit_test(commands_are_told_apart_where_they_are_a_key),
		cmocka_unit_test(a_leaf_outside_of_its_chain_counts_once),
		cmocka_unit_test(callers_stand_above_what_they_call),
		cmocka_unit_test(unnamed_code_is_a_row_for_each_binary),
		cmocka_unit_test(a_very_deep_stack_is_walked),
		cmocka_unit_test(filters_leave_percentages_of_the_whole),
		cmocka_unit_test(the_percent_limit_hides_rows),
		cmocka_unit_test(a_terminal_cuts_with_an_ellipsis),
		cmocka_unit_test(sort_keys_that_are_not_there_are_named),
		cmocka_unit_test(columns_follow_the_options),
		cmocka_unit_test(the_call_graph_s_words_come_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
