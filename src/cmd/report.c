/* SPDX-License-Identifier: MIT */
/* sonde report: where the time went, as a table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/query.h"
#include "cmd/report_priv.h"
#include "formats/tracepoint.h"
#include "profile/count.h"
#include "profile/order.h"
#include "view/dump.h"
#include "view/header.h"
#include "view/report.h"
#include "view/report_data.h"
#include "view/tasks.h"

static int take_graph(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct report *r = opt->value;

	r->graph_given = true;
	if (unset) {
		r->view.callgraph.mode = CALLGRAPH_HIDDEN;
		return 0;
	}
	return arg ? callgraph_parse(&r->view.callgraph, arg, err) : 0;
}

static int take_demangle(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct report *r = opt->value;

	(void)arg;
	(void)err;
	r->query.no_demangle = unset;
	return 0;
}

static bool is_field(const char *word, void *arg)
{
	return extras_has_field(arg, word);
}

static bool all_tracepoints(const struct perf_data *data)
{
	for (uint32_t i = 0; i < data->events.nr; i++)
		if (data->events.v[i].attr.type != PERF_TYPE_TRACEPOINT)
			return false;
	return data->events.nr != 0;
}

static uint64_t all_sampled(const struct perf_data *data)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < data->events.nr; i++)
		bits |= data->events.v[i].attr.sample_type;
	return bits;
}

static bool any_sampled(const struct perf_data *data, uint64_t bits)
{
	return (all_sampled(data) & bits) != 0;
}

/* Branches are what rows are of where they were recorded, but for stacks made of them. */
static bool shows_branches(const struct perf_data *data)
{
	bool plain = false;

	for (uint32_t i = 0; i < data->events.nr; i++) {
		const struct perf_event_attr *attr = &data->events.v[i].attr;

		if (attr->sample_type & PERF_SAMPLE_STACK_USER)
			return false;
		plain |= (attr->sample_type & PERF_SAMPLE_BRANCH_STACK) &&
			 !(attr->branch_sample_type & PERF_SAMPLE_BRANCH_CALL_STACK);
	}
	return plain;
}

/* Which kind of rows, by what was recorded. */
static int settle_mode(struct report *r, const struct perf_data *data, struct err *err)
{
	/* --no-branch-stack clears it */
	if (r->branches && !r->branches_given)
		r->branches = !r->memory && shows_branches(data);
	if (r->branches && r->memory)
		return err_set(err, EINVAL, "-b and --mem-mode are two kinds of rows; take one");
	if (r->branches && !any_sampled(data, PERF_SAMPLE_BRANCH_STACK))
		return err_set(err, EINVAL, "-b: no branches were recorded; record -b records them");
	if (r->memory && !any_sampled(data, PERF_SAMPLE_DATA_SRC))
		return err_set(err, EINVAL, "--mem-mode: no sources of data were recorded; record -d -W with an "
			       "event of memory accesses records them");
	r->wish.branches = r->branches;
	r->wish.memory = r->memory;
	return 0;
}

/* -s trace_fields stands for the fields of all tracepoints of the recording. */
static int expand_fields(struct report *r, const struct perf_data *data, struct err *err)
{
	const char *sort = r->wish.sort, *at = sort ? strstr(sort, "trace_fields") : NULL;
	struct tracepoints *points;
	struct str keys = STR_INIT;
	size_t before;
	int e;

	if (!at)
		return 0;
	e = tracepoints_new(&points, data, err);
	if (e < 0)
		return e;
	str_addn(&keys, sort, (size_t)(at - sort));
	before = keys.len;
	for (uint32_t i = 0; i < data->events.nr; i++) {
		if (data->events.v[i].attr.type != PERF_TYPE_TRACEPOINT)
			continue;
		str_add(&keys, keys.len > before ? "," : "");
		tracepoint_add_fields(points, &keys, data->events.v[i].attr.config);
	}
	if (keys.len == before)
		e = err_set(err, EINVAL, "-s: the key 'trace_fields' needs tracepoints, and the recording has "
			    "none");
	str_add(&keys, at + strlen("trace_fields"));
	r->wish.sort = arena_strdup(&r->query.arena, keys.p);
	str_release(&keys);
	tracepoints_free(points);
	return e;
}

/* What the recording decides: without chains there are no children, and no chains to draw. */
static int settle_chains(struct report *r, const struct perf_data *data, struct err *err)
{
	struct callgraph_options *graph = &r->view.callgraph;
	bool chains;
	int e = settle_mode(r, data, err);

	if (e < 0)
		return e;
	chains = !r->branches && !r->memory && any_sampled(data, PERF_SAMPLE_CALLCHAIN);
	r->view.children = r->children && chains && !r->view.hierarchy;
	r->view.groups = r->groups && !r->view.hierarchy;
	r->view.group_all = r->groups_given;
	if (!chains)
		graph->mode = CALLGRAPH_HIDDEN;
	if (r->inverted) {
		graph->order = TREE_CALLERS_FIRST;
		graph->order_given = true;
	}
	if (!graph->order_given)
		graph->order = r->view.children ? TREE_CALLERS_FIRST : TREE_LEAF_FIRST;
	/* on a screen the table is the point; perf's screen opens chains at a key, too */
	if (r->height && graph->mode != CALLGRAPH_HIDDEN) {
		graph->mode = CALLGRAPH_HIDDEN;
		r->view.chains_hidden = true;
	}
	r->wish.children = r->view.children;
	r->wish.is_field = is_field;
	r->wish.is_field_arg = (void *)(uintptr_t)data;
	if (!r->wish.sort && !r->wish.fields && !r->parent && all_tracepoints(data))
		r->wish.sort = "trace";
	e = expand_fields(r, data, err);
	if (!e)
		e = sort_parse(&r->view.spec, &r->wish, err);
	if (!e && !r->memory)
		e = sort_check(&r->view.spec, all_sampled(data), err);
	return e;
}

static void set_filters(struct report *r, struct profile_query *query)
{
	struct profile_query *filter = &r->view.filter;

	/* samples that these leave out still count in what percentages are of */
	*filter = (struct profile_query){
		.comms = query->comms, .dsos = query->dsos, .syms = query->syms,
		.pids = query->pids, .nr_pids = query->nr_pids,
		.tids = query->tids, .nr_tids = query->nr_tids,
	};
	query->comms = query->dsos = query->syms = NULL;
	query->pids = query->tids = NULL;
	query->nr_pids = query->nr_tids = 0;
}

/* --- what is said of the records instead of rows ---------------------------------------------- */

static int show_tasks(const struct report *r, const struct perf_data *data, struct err *err)
{
	struct tasks *tasks;
	int e = tasks_load(&tasks, data, err);

	if (e < 0)
		return e;
	tasks_write(tasks, r->mmaps, stdout);
	tasks_free(tasks);
	return 0;
}

static int show_stats(const struct perf_data *data, struct err *err)
{
	struct symbol_options symbols = { 0 };
	struct profile_query all = { .by = 0 };
	struct count_result counted;
	struct recording rec;
	uint64_t *samples;
	int e = recording_load(&rec, data, &symbols, err);

	if (e < 0)
		return e;
	e = count_samples(&rec, &all, &counted, err);
	if (!e) {
		samples = mem_zalloc((data->events.nr + 1) * sizeof(*samples));
		for (uint32_t i = 0; i < data->events.nr; i++)
			samples[i] = counted.totals[i].samples;
		stats_write(&rec, samples, stdout);
		free(samples);
		raw_table_release(&counted.table);
		free(counted.totals);
	}
	recording_release(&rec);
	return e;
}

static int show_records(const struct perf_data *data, struct err *err)
{
	struct symbol_options symbols = { 0 };
	struct recording recording;
	struct ordered *records;
	struct record record;
	struct dump *dump;
	uint64_t off;
	int r = recording_load(&recording, data, &symbols, err);

	if (r < 0)
		return r;
	dump = dump_new(&recording);
	records = ordered_new(data);
	while ((r = ordered_next(records, &record, &off, err)) > 0 && !ferror(stdout))
		dump_write(dump, &record, off, stdout);
	ordered_free(records);
	dump_free(dump);
	recording_release(&recording);
	return r;
}

static int show_threads(const struct report *r, const struct perf_data *data, struct err *err)
{
	struct thread_counts counts;
	int e = thread_counts_load(&counts, data, err);

	if (e < 0)
		return e;
	if (counts.nr)
		thread_counts_write(&counts, data, r->raw_counts, stdout);
	else
		log_note("-T: no thread's counts are in the recording; record -s writes them when a thread "
			 "ends");
	thread_counts_release(&counts);
	return 0;
}

static int finish_output(int e, struct err *err)
{
	if (fflush(stdout) && errno != EPIPE && !e)
		e = err_set(err, errno, "cannot write standard output: %s", strerror(errno));
	return e;
}

static int report(struct report *r, struct err *err)
{
	struct profile_query query;
	struct perf_data *data;
	struct profile *profile;
	int e;

	r->query.no_inline = !r->inlines;
	r->query.stacks_too = !(r->dump || r->stats || r->tasks || r->mmaps || r->threads);
	e = query_open(&r->query, &query, &data, err);

	if (e < 0)
		return e;
	if (r->dump || r->stats || r->tasks || r->mmaps) {
		e = r->dump ? show_records(data, err) : r->stats ? show_stats(data, err) :
							      show_tasks(r, data, err);
		perf_data_close(data);
		return finish_output(e, err);
	}
	e = settle_chains(r, data, err);
	if (e < 0) {
		r->usage = r->late_keys;
		perf_data_close(data);
		return e;
	}
	if (r->header || r->header_only)
		header_write(data, r->query.verbose > 0, stdout);
	else if (!r->query.quiet && !r->json && !r->csv && !r->height && !r->screen)
		fputs("# To display the perf.data header info, please use --header/--header-only "
		      "options.\n#\n", stdout);
	if (r->header_only) {
		perf_data_close(data);
		return e;
	}
	set_filters(r, &query);
	query.by = report_dims(&r->view);
	/* the screen filters by threads, whatever the keys are */
	if (r->screen)
		query.by |= PROFILE_BY_COMM | PROFILE_BY_PID | PROFILE_BY_TID;
	query.nr_extras = report_extras(&r->view, r->extras);
	query.extra_list = r->extras;
	query.parent = &r->parent_pattern;
	query.ignore_callees = r->ignore_callees ? &r->callees_pattern : NULL;
	query.branches = r->branches;
	query.full_paths = r->full_paths;
	query.by_weight = r->memory;
	query.named_only = r->view.named_only;
	if (r->ignore_callees)
		query.by |= PROFILE_BY_STACK;
	if (r->view.exclude_other || sort_has(&r->view.spec, COLUMN_PARENT))
		query.by |= PROFILE_BY_STACK;
	else
		query.parent = NULL;
	cmd_progress_begin(r->query.quiet);
	e = profile_load(&profile, data, &query, err);
	cmd_progress_end();
	if (e < 0)
		return e;
	if (r->screen)
		e = report_screen(r, profile, err);
	else if (r->json)
		report_json(&r->view, profile, stdout);
	else if (r->csv)
		report_csv(&r->view, profile, stdout);
	else
		report_write(&r->view, profile, stdout);
	if (r->threads && !e)
		e = show_threads(r, profile->data, err);
	profile_free(profile);
	return finish_output(e, err);
}

/* Options of perf report that are known, so that it can be said why they are not here. */
#define REFUSED(s, l) OPT_CALL(s, l, NULL, "ARG", NULL, report_refuse, OPT_HIDDEN)
#define REFUSED_WITHOUT_ARG(s, l) OPT_CALL(s, l, NULL, NULL, NULL, report_refuse, OPT_HIDDEN | OPT_ARG_NONE)
/* perf takes one word for a filter on symbols. */
static int take_word(struct report *r, int words, char **argv, struct err *err)
{
	if (!words)
		return 0;
	if (words > 1 || r->view.sym_part)
		return err_set(err, EINVAL, "'%s' is one word too many; the recording is given with -i",
			       argv[words - 1]);
	r->view.sym_part = argv[0];
	return 0;
}

/* What the options ask for: the exit status. */
static int settle_and_report(struct report *r, int words, char **argv)
{
	static char buffer[1 << 16];
	struct err err = ERR_INIT;
	int status;

	if (take_word(r, words, argv, &err) < 0 || report_settle(r, &err) < 0) {
		cmd_error("report", &err);
		return EXIT_USAGE;
	}
	cmd_quiet(r->query.quiet);
	if (words && (access(argv[0], F_OK) == 0 || str_ends(argv[0], ".data")))
		log_note("'%s' is looked for in the symbols' names; a recording is given with -i", argv[0]);
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	status = report(r, &err) < 0;
	if (status) {
		fflush(stdout);
		cmd_error("report", &err);
		if (r->usage)
			status = EXIT_USAGE;
	}
	regfree(&r->parent_pattern);
	regfree(&r->callees_pattern);
	query_release(&r->query);
	return status;
}

static struct report ask = {
	.children = true, .inlines = true, .groups = true, .branches = true, .skip_empty = true,
};

static const struct opt options[] = {
	OPT_SECTION("Input"),
	QUERY_INPUT_OPTIONS(&ask.query),
	OPT_SECTION("Rows and columns"),
	OPT_STRING('s', "sort", &ask.wish.sort, "KEY[,KEY...]", "rows are told apart by these: comm, "
		   "pid, tid, tgid, cpu, socket, node, dso, sym, symoff, parent, cgroup, time, weight, "
		   "local_weight, trace, a tracepoint's fields (comm,dso,sym); +KEY adds one"),
	OPT_STRING('p', "parent", &ask.parent, "REGEX", "the key parent, too: the first caller whose "
		   "name REGEX matches"),
	OPT_SWITCH('x', "exclude-other", &ask.view.exclude_other, "only samples with such a parent"),
	OPT_STRING(0, "time-quantum", &ask.quantum, "N(ns|us|ms|s)", "how fine the key time is (100ms)"),
	OPT_STRING('F', "fields", &ask.wish.fields, "KEY[,KEY...]", "columns: the keys of -s, and "
		   "overhead, overhead_children, overhead_sys, overhead_us, sample, period; +KEY "
		   "adds one"),
	OPT_SWITCH('n', "show-nr-samples", &ask.wish.samples, "a column with the number of samples"),
	OPT_SWITCH(0, "show-total-period", &ask.wish.period, "a column with the sum of periods"),
	OPT_SWITCH(0, "show-cpu-utilization", &ask.wish.cpu_utilization,
		   "columns for the kernel's and the user's part"),
	OPT_STRING(0, "percent-limit", &ask.limit, "PERCENT", "no rows and chains below PERCENT"),
	OPT_STRING(0, "percentage", &ask.percentage, "relative|absolute", "percentages of what "
		   "passes the filters, or of all (absolute)"),
	OPT_STRING('w', "column-widths", &ask.widths, "N[,N...]", "columns of these widths, 0 for as wide "
		   "as need be"),
	OPT_STRING('t', "field-separator", &ask.view.separator, "SEP", "SEP between columns, no "
		   "filling; inside of names it becomes '.'"),
	OPT_SWITCH_GIVEN('b', "branch-stack", &ask.branches, &ask.branches_given, "rows of branches (on, "
			 "where they were recorded); keys: dso_from, dso_to, symbol_from, symbol_to, "
			 "addr_from, addr_to, mispredict, in_tx, abort, cycles"),
	OPT_SWITCH(0, "mem-mode", &ask.memory, "rows of memory accesses, by weight; keys: mem, tlb, "
		   "snoop, locked, blocked, symbol_daddr, dso_daddr, dcacheline, phys_daddr, "
		   "data_page_size, ins_lat, p_stage_cyc"),
	OPT_SWITCH_GIVEN(0, "group", &ask.groups, &ask.groups_given, "events side by side: those of a "
			 "group (on, where one was recorded), or with --group all"),
	OPT_UINT(0, "group-sort-idx", &ask.view.group_sort, "N", "sort by the N-th event of a group, from 0"),
	OPT_SWITCH(0, "hierarchy", &ask.view.hierarchy, "a level of rows for each key"),
	OPT_SWITCH(0, "ns", &ask.wish.nanoseconds, "the key time in nanoseconds"),
	OPT_SWITCH(0, "raw-trace", &ask.wish.raw_trace, "the key trace by the fields alone"),
	OPT_SWITCH(0, "skip-empty", &ask.skip_empty, "no table for events without samples (on)"),
	OPT_SECTION("Call chains"),
	OPT_SWITCH(0, "children", &ask.children, "add to each function what it called, and sort by "
		   "that (on, where chains were recorded)"),
	OPT_CALL('g', "call-graph", &ask, "MODE,PERCENT,LIMIT,ORDER,VALUE", "graph, fractal, flat, "
		 "folded or none; no branches under PERCENT (0.5), no more than LIMIT; caller or "
		 "callee first; values as percent, period or count", take_graph, OPT_ARG_NEXT),
	OPT_SWITCH('G', "inverted", &ask.inverted, "callers first, as -g caller"),
	OPT_STRING(0, "ignore-callees", &ask.ignore_callees, "REGEX", "chains begin at functions whose "
		   "name it matches: what these call is theirs"),
	OPT_UINT(0, "max-stack", &ask.query.max_stack, "N", "at most N frames from the leaf"),
	OPT_SWITCH(0, "inline", &ask.inlines, "frames for functions that were inlined (on, in call "
		   "chains)"),
	OPT_SECTION("Which samples"),
	OPT_STRING('c', "comms", &ask.query.comms, "COMM[,COMM...]", "only of these commands"),
	OPT_STRING('d', "dsos", &ask.query.dsos, "DSO[,DSO...]", "only in these binaries"),
	OPT_STRING('S', "symbols", &ask.query.syms, "SYM[,SYM...]", "only in these functions"),
	OPT_STRING(0, "symbol-filter", &ask.view.sym_part, "TEXT", "only in functions with TEXT in "
		   "their name"),
	OPT_SWITCH('U', "hide-unresolved", &ask.view.named_only, "only code that has a name"),
	OPT_STRING(0, "socket-filter", &ask.socket, "N", "only samples of this processor socket"),
	QUERY_TASK_OPTIONS(&ask.query),
	QUERY_WHEN_OPTIONS(&ask.query),
	OPT_SECTION("Output"),
	OPT_SWITCH(0, "stdio", &ask.stdio, "as text (on, where the output is no terminal)"),
	OPT_SWITCH(0, "tui", &ask.tui, "on a screen to look around in (on, on a terminal)"),
	OPT_CALL(0, "gtk", &ask, NULL, "refused: there is no such window", report_refuse, OPT_ARG_NONE),
	OPT_SWITCH('j', "json", &ask.json, "as JSON, for programs"),
	OPT_SWITCH(0, "csv", &ask.csv, "as CSV: a header line, then a line for each row"),
	OPT_STRING(0, "stdio-color", &ask.color, "WHEN", "colours always, never or auto: on a "
		   "terminal (auto)"),
	OPT_SWITCH(0, "header", &ask.header, "the recording's header first"),
	OPT_SWITCH(0, "header-only", &ask.header_only, "the recording's header and nothing else"),
	OPT_SWITCH('I', "show-info", &ask.header, "the same as --header"),
	OPT_SWITCH('D', "dump-raw-trace", &ask.dump, "every record as bytes and in words, in time, and "
		   "no rows"),
	OPT_SWITCH(0, "stats", &ask.stats, "how many records of which kind there are, and no rows"),
	OPT_SWITCH(0, "tasks", &ask.tasks, "the threads as a family tree, and no rows"),
	OPT_SWITCH(0, "mmaps", &ask.mmaps, "the same with what they had mapped"),
	OPT_SWITCH('T', "threads", &ask.threads, "at the end what each thread counted (of record -s)"),
	OPT_STRING(0, "pretty", &ask.pretty, "normal|raw", "how -T shows counts: as a table, or one by one"),
	OPT_SWITCH('q', "quiet", &ask.query.quiet, "rows alone"),
	OPT_COUNT('v', "verbose", &ask.query.verbose, "whole paths, addresses, build-ids"),
	OPT_SECTION("Symbols"),
	QUERY_SYMBOL_OPTIONS(&ask.query),
	OPT_SWITCH(0, "full-source-path", &ask.full_paths, "source files with their directories"),
	OPT_SWITCH('m', "modules", &ask.modules, "accepted: kernel modules are always looked at"),
	OPT_SWITCH(0, "ignore-vmlinux", &ask.no_vmlinux, "no vmlinux, even if -k names one"),
	OPT_CALL(0, "demangle", &ask, NULL, "C++ and Rust names as in the source (on)", take_demangle,
		 OPT_ARG_NONE),
	OPT_SWITCH(0, "disable-order", &ask.unordered, "accepted: samples are never sorted to be counted"),
	QUERY_JOBS_OPTION(&ask.query, 0),
	REFUSED_WITHOUT_ARG(0, "demangle-kernel"), REFUSED_WITHOUT_ARG(0, "asm-raw"), REFUSED_WITHOUT_ARG(0, "source"),
	REFUSED_WITHOUT_ARG(0, "stitch-lbr"), REFUSED_WITHOUT_ARG(0, "branch-history"),
	REFUSED_WITHOUT_ARG(0, "total-cycles"), REFUSED_WITHOUT_ARG(0, "show-ref-call-graph"),
	REFUSED_WITHOUT_ARG(0, "show-on-off-events"),
	REFUSED('M', "disassembler-style"), REFUSED(0, "objdump"), REFUSED(0, "prefix"),
	REFUSED(0, "prefix-strip"), REFUSED(0, "percent-type"), REFUSED(0, "samples"),
	REFUSED(0, "switch-on"), REFUSED(0, "switch-off"),
	OPT_CALL(0, "itrace", NULL, "OPTIONS", NULL, report_refuse, OPT_HIDDEN | OPT_ARG_OPTIONAL),
	OPT_END,
};

static int run(int argc, char **argv)
{
	int words, status;

	callgraph_defaults(&ask.view.callgraph);
	status = cmd_options(&cmd_report, options, OPT_PARSE_ANYWHERE, argc, argv, &words);
	return status >= 0 ? status : settle_and_report(&ask, words, argv);
}

const struct command cmd_report = {
	.name = "report",
	.summary = "show where a recording's time went",
	.usage = "[options]",
	.run = run,
	.confine = CONFINE_READ,
};
