/* SPDX-License-Identifier: MIT */
/* sonde report: where the time went, as a table. */
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/query.h"
#include "profile/count.h"
#include "view/header.h"
#include "view/report.h"
#include "view/report_data.h"
#include "view/tasks.h"

struct report {
	struct query_options query;
	struct report_options view;
	struct sort_wish wish;
	const char *percentage, *color, *limit, *parent, *quantum, *widths, *socket;
	bool late_keys, usage;
	regex_t parent_pattern;
	struct extra extras[EXTRAS_MAX];
	bool stdio, inverted, header, header_only, children, json, csv;
	bool stats, tasks, mmaps, threads;
};

static int take_graph(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct report *r = opt->value;

	if (unset) {
		r->view.callgraph.mode = CALLGRAPH_NONE;
		return 0;
	}
	return arg ? callgraph_parse(&r->view.callgraph, arg, err) : 0;
}

static int refuse_screen(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)arg;
	(void)unset;
	return err_set(err, EOPNOTSUPP, "--%s: there is no such screen here; the report is text, as with "
		       "--stdio", opt->long_name);
}

/* --- what follows from several options ---------------------------------------------------- */

static int parse_limit(struct report *r, struct err *err)
{
	char *end;

	if (!r->limit)
		return 0;
	r->view.percent_limit = strtod(r->limit, &end);
	if (end == r->limit || *end || !(r->view.percent_limit >= 0))
		return err_set(err, EINVAL, "--percent-limit takes a percentage, not '%s'", r->limit);
	r->view.callgraph.min_percent = r->view.percent_limit;
	return 0;
}

static int parse_percentage(struct report *r, struct err *err)
{
	if (!r->percentage || strcmp(r->percentage, "absolute") == 0)
		return 0;
	if (strcmp(r->percentage, "relative") != 0)
		return err_set(err, EINVAL, "--percentage takes relative or absolute, not '%s'",
			       r->percentage);
	r->view.relative = true;
	return 0;
}

static int parse_color(struct report *r, struct err *err)
{
	const char *when = r->color ? r->color : "auto", *term = getenv("TERM");

	if (strcmp(when, "always") == 0)
		r->view.color = true;
	else if (strcmp(when, "auto") == 0)
		r->view.color = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 &&
				!getenv("NO_COLOR");
	else if (strcmp(when, "never") != 0)
		return err_set(err, EINVAL, "--stdio-color takes always, never or auto, not '%s'", when);
	return 0;
}

static unsigned terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col >= 40 ? size.ws_col : 40;
}

/* "100ms" -> nanoseconds; perf's units. */
static int parse_quantum(struct report *r, struct err *err)
{
	static const struct { const char *unit; uint64_t ns; } units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
	};
	char *end = NULL;
	unsigned long long n;

	r->view.time_quantum_ns = 100000000;
	if (!r->quantum)
		return 0;
	errno = 0;
	n = strtoull(r->quantum, &end, 10);
	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end == r->quantum || errno || r->quantum[0] == '-' || strcmp(end, units[i].unit) != 0)
			continue;
		if (!n || n > UINT64_MAX / units[i].ns)
			break;
		r->view.time_quantum_ns = n * units[i].ns;
		return 0;
	}
	return err_set(err, EINVAL, "--time-quantum takes a number with ns, us, ms or s, as in 10ms, not "
		       "'%s'", r->quantum);
}

static int parse_lists(struct report *r, struct err *err)
{
	uint32_t nr = 0;
	int e = query_numbers(&r->query.arena, r->widths, "-w", false, &r->view.widths,
			      &r->view.nr_widths, err);

	for (uint32_t i = 0; !e && i < r->view.nr_widths; i++)
		if (r->view.widths[i] > 1000)
			e = err_set(err, EINVAL, "-w: a column of %u is wider than any screen",
				    r->view.widths[i]);
	if (!e)
		e = query_numbers(&r->query.arena, r->socket, "--socket-filter", false, &r->view.sockets,
				  &nr, err);
	if (!e && nr > 1)
		e = err_set(err, EINVAL, "--socket-filter takes one socket, not '%s'", r->socket);
	return e;
}

/* -p takes a pattern of its own; the key parent alone has perf's, for system calls and faults. */
static int parse_parent(struct report *r, struct err *err)
{
	const char *text = r->parent ? r->parent : "^sys_|^do_page_fault";
	char why[128];
	int e = regcomp(&r->parent_pattern, text, REG_EXTENDED | REG_NOSUB);

	if (e) {
		regerror(e, &r->parent_pattern, why, sizeof(why));
		memset(&r->parent_pattern, 0, sizeof(r->parent_pattern));
		return err_set(err, EINVAL, "-p '%s' is not a regular expression: %s", text, why);
	}
	r->wish.parent = r->parent != NULL;
	return 0;
}

static int settle(struct report *r, struct err *err)
{
	struct sort_spec checked;
	int e = parse_parent(r, err);

	/* what is no key may be a field of the recording's tracepoints */
	if (!e) {
		e = sort_parse(&checked, &r->wish, err);
		r->late_keys = e == -EINVAL && (r->wish.sort || r->wish.fields);
		if (r->late_keys)
			e = 0;
	}
	if (!e)
		e = parse_quantum(r, err);
	if (!e)
		e = parse_lists(r, err);
	if (!e)
		e = parse_limit(r, err);

	if (!e)
		e = parse_percentage(r, err);
	if (!e)
		e = parse_color(r, err);
	if (!e && r->view.separator && (!*r->view.separator || strcmp(r->view.separator, ".") == 0))
		e = err_set(err, EINVAL, "-t '%s': the separator cannot be %s", r->view.separator,
			    *r->view.separator ? "'.', which takes its place inside names" : "empty");
	if (!e && r->view.separator && strcmp(r->view.separator, "\\t") == 0)
		r->view.separator = "\t";
	r->view.width = r->view.separator ? 0 : terminal_width();
	if (!e && r->json + r->csv + (r->view.separator != NULL) > 1)
		e = err_set(err, EINVAL, "only one of -j, --csv and -t can be");
	if (!e && (r->json || r->csv) && (r->header || r->header_only))
		e = err_set(err, EINVAL, "%s has no header in text: leave out --header", r->json ? "-j" :
			    "--csv");
	if (!e && r->stats && (r->tasks || r->mmaps))
		e = err_set(err, EINVAL, "--tasks and --mmaps do not go with --stats");
	if (!e && (r->json || r->csv) && (r->stats || r->tasks || r->mmaps || r->threads))
		e = err_set(err, EINVAL, "%s has rows alone: it does not go with --stats, --tasks, --mmaps "
			    "and -T", r->json ? "-j" : "--csv");
	r->view.quiet = r->query.quiet;
	r->view.full = r->query.verbose > 0;
	return e;
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

/* What the recording decides: without chains there are no children, and no chains to draw. */
static int settle_chains(struct report *r, const struct perf_data *data, struct err *err)
{
	struct callgraph_options *graph = &r->view.callgraph;
	bool chains = false;

	for (uint32_t i = 0; i < data->events.nr; i++)
		chains |= (data->events.v[i].attr.sample_type & PERF_SAMPLE_CALLCHAIN) != 0;
	r->view.children = r->children && chains;
	if (!chains)
		graph->mode = CALLGRAPH_NONE;
	if (r->inverted) {
		graph->order = TREE_CALLERS_FIRST;
		graph->order_given = true;
	}
	if (!graph->order_given)
		graph->order = r->view.children ? TREE_CALLERS_FIRST : TREE_LEAF_FIRST;
	r->wish.children = r->view.children;
	r->wish.is_field = is_field;
	r->wish.is_field_arg = (void *)(uintptr_t)data;
	if (!r->wish.sort && !r->wish.fields && !r->parent && all_tracepoints(data))
		r->wish.sort = "trace";
	return sort_parse(&r->view.spec, &r->wish, err);
}

static void set_filters(struct report *r, struct profile_query *query)
{
	struct report_options *v = &r->view;

	/* samples that these leave out still count in what percentages are of */
	v->comms = query->comms;
	v->dsos = query->dsos;
	v->syms = query->syms;
	v->pids = query->pids;
	v->nr_pids = query->nr_pids;
	v->tids = query->tids;
	v->nr_tids = query->nr_tids;
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

static int show_threads(const struct perf_data *data, struct err *err)
{
	struct thread_counts counts;
	int e = thread_counts_load(&counts, data, err);

	if (e < 0)
		return e;
	if (counts.nr)
		thread_counts_write(&counts, data, stdout);
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
	int e = query_open(&r->query, &query, &data, err);

	if (e < 0)
		return e;
	if (r->stats || r->tasks || r->mmaps) {
		e = r->stats ? show_stats(data, err) : show_tasks(r, data, err);
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
	else if (!r->query.quiet && !r->json && !r->csv)
		fputs("# To display the perf.data header info, please use --header/--header-only "
		      "options.\n#\n", stdout);
	if (r->header_only) {
		perf_data_close(data);
		return e;
	}
	set_filters(r, &query);
	query.by = report_dims(&r->view);
	query.nr_extras = report_extras(&r->view, r->extras);
	query.extra_list = r->extras;
	query.parent = &r->parent_pattern;
	query.named_only = r->view.named_only;
	if (r->view.exclude_other || sort_has(&r->view.spec, COLUMN_PARENT))
		query.by |= PROFILE_BY_STACK;
	else
		query.parent = NULL;
	cmd_progress_begin(r->query.quiet);
	e = profile_load(&profile, data, &query, err);
	cmd_progress_end();
	if (e < 0)
		return e;
	if (r->json)
		report_json(&r->view, profile, stdout);
	else if (r->csv)
		report_csv(&r->view, profile, stdout);
	else
		report_write(&r->view, profile, stdout);
	if (r->threads)
		e = show_threads(profile->data, err);
	profile_free(profile);
	return finish_output(e, err);
}

static int run(int argc, char **argv)
{
	static char buffer[1 << 16];
	struct report r = { .children = true };
	const struct opt opts[] = {
		OPT_SECTION("Input"),
		QUERY_INPUT_OPTIONS(&r.query),
		OPT_SECTION("Rows and columns"),
		OPT_STRING('s', "sort", &r.wish.sort, "KEY[,KEY...]", "rows are told apart by these: comm, "
			   "pid, tid, tgid, cpu, socket, node, dso, sym, symoff, parent, cgroup, time, weight, "
			   "local_weight, trace, a tracepoint's fields (comm,dso,sym); +KEY adds one"),
		OPT_STRING('p', "parent", &r.parent, "REGEX", "the key parent, too: the first caller whose "
			   "name REGEX matches"),
		OPT_SWITCH('x', "exclude-other", &r.view.exclude_other, "only samples with such a parent"),
		OPT_STRING(0, "time-quantum", &r.quantum, "N(ns|us|ms|s)", "how fine the key time is (100ms)"),
		OPT_STRING('F', "fields", &r.wish.fields, "KEY[,KEY...]", "columns: the keys of -s, and "
			   "overhead, overhead_children, overhead_sys, overhead_us, sample, period; +KEY "
			   "adds one"),
		OPT_SWITCH('n', "show-nr-samples", &r.wish.samples, "a column with the number of samples"),
		OPT_SWITCH(0, "show-total-period", &r.wish.period, "a column with the sum of periods"),
		OPT_SWITCH(0, "show-cpu-utilization", &r.wish.cpu_utilization,
			   "columns for the kernel's and the user's part"),
		OPT_STRING(0, "percent-limit", &r.limit, "PERCENT", "no rows and chains below PERCENT"),
		OPT_STRING(0, "percentage", &r.percentage, "relative|absolute", "percentages of what "
			   "passes the filters, or of all (absolute)"),
		OPT_STRING('w', "column-widths", &r.widths, "N[,N...]", "columns of these widths, 0 for as wide "
			   "as need be"),
		OPT_STRING('t', "field-separator", &r.view.separator, "SEP", "SEP between columns, no "
			   "filling; inside of names it becomes '.'"),
		OPT_SECTION("Call chains"),
		OPT_SWITCH(0, "children", &r.children, "add to each function what it called, and sort by "
			   "that (on, where chains were recorded)"),
		OPT_CALL('g', "call-graph", &r, "MODE,PERCENT,LIMIT,ORDER,VALUE", "graph, fractal, flat, "
			 "folded or none; no branches under PERCENT (0.5), no more than LIMIT; caller or "
			 "callee first; values as percent, period or count", take_graph, OPT_ARG_NEXT),
		OPT_SWITCH('G', "inverted", &r.inverted, "callers first, as -g caller"),
		OPT_UINT(0, "max-stack", &r.query.max_stack, "N", "at most N frames from the leaf"),
		OPT_SECTION("Which samples"),
		OPT_STRING('c', "comms", &r.query.comms, "COMM[,COMM...]", "only of these commands"),
		OPT_STRING('d', "dsos", &r.query.dsos, "DSO[,DSO...]", "only in these binaries"),
		OPT_STRING('S', "symbols", &r.query.syms, "SYM[,SYM...]", "only in these functions"),
		OPT_STRING(0, "symbol-filter", &r.view.sym_part, "TEXT", "only in functions with TEXT in "
			   "their name"),
		OPT_SWITCH('U', "hide-unresolved", &r.view.named_only, "only code that has a name"),
		OPT_STRING(0, "socket-filter", &r.socket, "N", "only samples of this processor socket"),
		QUERY_TASK_OPTIONS(&r.query),
		QUERY_WHEN_OPTIONS(&r.query),
		OPT_SECTION("Output"),
		OPT_SWITCH(0, "stdio", &r.stdio, "as text, which is the only way"),
		OPT_CALL(0, "tui", &r, NULL, "refused: there is no such screen", refuse_screen, OPT_ARG_NONE),
		OPT_CALL(0, "gtk", &r, NULL, "refused: there is no such screen", refuse_screen, OPT_ARG_NONE),
		OPT_SWITCH('j', "json", &r.json, "as JSON, for programs"),
		OPT_SWITCH(0, "csv", &r.csv, "as CSV: a header line, then a line for each row"),
		OPT_STRING(0, "stdio-color", &r.color, "WHEN", "colours always, never or auto: on a "
			   "terminal (auto)"),
		OPT_SWITCH(0, "header", &r.header, "the recording's header first"),
		OPT_SWITCH(0, "header-only", &r.header_only, "the recording's header and nothing else"),
		OPT_SWITCH('I', "show-info", &r.header, "the same as --header"),
		OPT_SWITCH(0, "stats", &r.stats, "how many records of which kind there are, and no rows"),
		OPT_SWITCH(0, "tasks", &r.tasks, "the threads as a family tree, and no rows"),
		OPT_SWITCH(0, "mmaps", &r.mmaps, "the same with what they had mapped"),
		OPT_SWITCH('T', "threads", &r.threads, "at the end what each thread counted (of record -s)"),
		OPT_SWITCH('q', "quiet", &r.query.quiet, "rows alone"),
		OPT_COUNT('v', "verbose", &r.query.verbose, "whole paths, addresses, build-ids"),
		OPT_SECTION("Symbols"),
		QUERY_SYMBOL_OPTIONS(&r.query),
		QUERY_JOBS_OPTION(&r.query, 0),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status;

	callgraph_defaults(&r.view.callgraph);
	status = cmd_options(&cmd_report, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);
	if (status >= 0)
		return status;
	if (words) {
		/* perf takes one word for a filter on symbols */
		if (words > 1 || r.view.sym_part) {
			err_set(&err, EINVAL, "'%s' is one word too many; the recording is given with -i",
				argv[words - 1]);
			cmd_error("report", &err);
			return EXIT_USAGE;
		}
		r.view.sym_part = argv[0];
	}
	if (settle(&r, &err) < 0) {
		cmd_error("report", &err);
		return EXIT_USAGE;
	}
	cmd_quiet(r.query.quiet);
	if (words && (access(argv[0], F_OK) == 0 || str_ends(argv[0], ".data")))
		log_note("'%s' is looked for in the symbols' names; a recording is given with -i", argv[0]);
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	status = report(&r, &err) < 0;
	if (status) {
		fflush(stdout);
		cmd_error("report", &err);
		if (r.usage)
			status = EXIT_USAGE;
	}
	regfree(&r.parent_pattern);
	query_release(&r.query);
	return status;
}

const struct command cmd_report = {
	.name = "report",
	.summary = "show where a recording's time went",
	.usage = "[options]",
	.run = run,
};
