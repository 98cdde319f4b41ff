/* SPDX-License-Identifier: MIT */
/* sonde diff: what changed between recordings, and what of it is noise. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/query.h"
#include "cmd/values.h"
#include "view/account.h"
#include "view/diff.h"

struct diff_command {
	struct query_options query;
	struct diff_options options;
	struct diff_view view;
	const char *sort, *by, *compute, *order, *percentage, *limit, *level;
	bool graph, json, csv, modules;
	const char *files[DIFF_FILES_MAX];
	unsigned nr_files;
};

/* --- what follows from several options ---------------------------------------------------- */

static int parse_compute(struct diff_command *c, struct err *err)
{
	const char *what = c->compute ? c->compute : "delta-abs", *weights;
	struct diff_options *o = &c->options;
	char *end;

	if (strcmp(what, "delta-abs") == 0) {
		o->compute = DIFF_DELTA_ABS;
	} else if (strcmp(what, "delta") == 0) {
		o->compute = DIFF_DELTA;
	} else if (strcmp(what, "ratio") == 0) {
		o->compute = DIFF_RATIO;
	} else if (str_starts(what, "wdiff:")) {
		weights = what + strlen("wdiff:");
		o->compute = DIFF_WDIFF;
		o->weight_a = strtod(weights, &end);
		if (end == weights || *end != ',')
			goto wrong;
		weights = end + 1;
		o->weight_b = strtod(weights, &end);
		if (end == weights || *end || !(o->weight_a > 0) || !(o->weight_b > 0) ||
		    o->weight_a > 1e9 || o->weight_b > 1e9)
			goto wrong;
	} else if (strcmp(what, "cycles") == 0) {
		return err_set(err, EOPNOTSUPP, "-c cycles: cycles of basic blocks are not compared; "
			       "there are delta-abs, delta, ratio and wdiff:W1,W2");
	} else {
		goto wrong;
	}
	return 0;
wrong:
	return err_set(err, EINVAL, "-c takes delta-abs, delta, ratio or wdiff:W1,W2 with weights "
		       "above 0, not '%s'", what);
}

static int parse_level(struct diff_command *c, struct err *err)
{
	double level = 95;
	int r = value_percent(c->level, "--level", 100, &level, err);

	if (!r && !(level >= 50 && level < 100))
		return err_set(err, EINVAL, "--level takes a percentage from 50 to below 100, not '%s'",
			       c->level);
	c->options.level = level / 100;
	return r;
}

static int parse_order(struct diff_command *c, struct err *err)
{
	uint64_t n = 1;

	if (c->order && (str_u64(c->order, &n) < 0 || n >= c->nr_files))
		return err_set(err, EINVAL, "-o takes the number of a recording, 0 to %u, not '%s'",
			       c->nr_files - 1, c->order);
	c->options.order = (unsigned)n;
	return 0;
}

static int parse_keys(struct diff_command *c, struct err *err)
{
	struct sort_wish wish = { .sort = c->sort ? c->sort : "dso,sym" };
	struct sort_spec *spec = &c->options.spec;
	unsigned keys = 0;
	int r;

	c->options.by_path = c->graph;
	if (c->by && strcmp(c->by, "path") == 0)
		c->options.by_path = true;
	else if (c->by && strcmp(c->by, "symbol") != 0 && strcmp(c->by, "sym") != 0)
		return err_set(err, EINVAL, "--by takes symbol or path, not '%s'; -s takes the keys of "
			       "rows", c->by);
	if (c->options.by_path && c->options.children)
		return err_set(err, EINVAL, "--children is about functions: it does not go with %s", c->graph ?
			       "-g" : "--by path");
	/* a path names all there is of its own; -s puts keys before it */
	if (c->options.by_path && !c->sort)
		return 0;
	if (c->sort && c->sort[0] == '+')
		return err_set(err, EINVAL, "-s %s: here -s names all keys; without it they are dso,sym",
			       c->sort);
	r = sort_parse(spec, &wish, err);
	for (unsigned i = 0; !r && i < spec->nr_output; i++) {
		keys += column_is_key(spec->output[i]);
		if (spec->output[i] > COLUMN_SYM)
			return err_set(err, EOPNOTSUPP, "-s %s: rows of a comparison cannot be told apart by "
				       "%s; there are comm, pid, tid, tgid, cpu, dso, sym", c->sort,
				       column_name(spec->output[i]));
	}
	if (!r && !keys)
		return err_set(err, EINVAL, "-s %s: no key that rows could be told apart by; there are "
			       "comm, pid, tid, tgid, cpu, dso, sym", c->sort);
	return r;
}

static int parse_output(struct diff_command *c, struct err *err)
{
	const char *separator = c->view.separator;
	int r = value_relative(c->percentage, &c->options.relative, err);

	if (r)
		return r;
	if (separator && (!*separator || strcmp(separator, ".") == 0))
		return err_set(err, EINVAL, "-t '%s': the separator cannot be %s", separator,
			       *separator ? "'.', which takes its place inside names" : "empty");
	if (separator && strcmp(separator, "\\t") == 0)
		c->view.separator = "\t";
	if (c->query.time && !*c->query.time)
		return err_set(err, EINVAL, "--time takes FROM,TO in seconds or parts as in 10%%/2, not ''");
	if (c->modules && c->query.vmlinux)
		return err_set(err, EINVAL, VALUE_MODULES_AND_VMLINUX);
	if (c->json + c->csv + (separator != NULL) > 1)
		return err_set(err, EINVAL, "one of --json, --csv and -t at a time");
	if (c->query.verbose)
		c->view.samples = c->view.period = true;
	c->view.quiet = c->query.quiet;
	return 0;
}

/* As perf diff: two names, or one to compare perf.data.old with, or none. */
static int take_files(struct diff_command *c, char **words, int nr, struct err *err)
{
	unsigned streams = 0;

	if (nr > DIFF_FILES_MAX)
		return err_set(err, E2BIG, "%d recordings are too many; %d can be compared at a time", nr,
			       DIFF_FILES_MAX);
	c->files[0] = "perf.data.old";
	c->files[1] = nr == 1 ? words[0] : "perf.data";
	c->nr_files = nr > 2 ? (unsigned)nr : 2;
	for (int i = 0; nr > 1 && i < nr; i++)
		c->files[i] = words[i];
	for (unsigned i = 0; i < c->nr_files; i++)
		streams += strcmp(c->files[i], "-") == 0;
	if (streams > 1)
		return err_set(err, EINVAL, "standard input is one recording; the others need names");
	return 0;
}

static int settle(struct diff_command *c, struct err *err)
{
	int r = parse_compute(c, err);

	if (!r)
		r = parse_level(c, err);
	if (!r)
		r = parse_order(c, err);
	if (!r)
		r = parse_keys(c, err);
	if (!r)
		r = value_percent(c->limit, "--percent-limit", 100, &c->view.percent_limit, err);
	return r ? r : parse_output(c, err);
}

static unsigned terminal_width(const struct diff_view *view)
{
	struct winsize size;

	if (view->separator || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return 0;
	return size.ws_col >= 40 ? size.ws_col : 40;
}

/* --- the work ------------------------------------------------------------------------------- */

static int check_chains(const struct perf_data *data, const char *file, struct err *err)
{
	for (uint32_t i = 0; i < data->events.nr; i++)
		if (data->events.v[i].attr.sample_type & PERF_SAMPLE_CALLCHAIN)
			return 0;
	return err_set(err, EINVAL, "'%s' holds no call chains to compare; record with -g", file);
}

static int add_file(struct diff_command *c, struct diff *diff, unsigned index, const char *time,
		    struct err *err)
{
	struct query_options q = c->query;
	struct profile_query query, counted;
	struct profile *profile;
	struct perf_data *data;
	int r;

	q.input = c->files[index];
	q.time = time;
	q.stacks_too = true;
	r = query_open(&q, &query, &data, err);
	c->query.arena = q.arena;
	if (r == -ENOENT && access(c->files[index], F_OK) < 0)
		return err_set(err, ENOENT, "no file '%s'; sonde diff BASELINE RECORDING names the two",
			       c->files[index]);
	if (r < 0)
		return r;
	r = c->options.by_path || c->options.children ? check_chains(data, c->files[index], err) : 0;
	if (r < 0) {
		perf_data_close(data);
		return r;
	}
	/* What these leave out still counts in the whole; see filter_entry. */
	counted = query;
	counted.comms = counted.dsos = counted.syms = NULL;
	counted.pids = counted.tids = NULL;
	counted.nr_pids = counted.nr_tids = 0;
	diff->options.filter = &query;
	counted.by = diff_dims(&diff->options);
	r = profile_load(&profile, data, &counted, err);
	if (r < 0)
		return r;
	diff_add(diff, index, profile);
	if (!c->query.quiet) {
		char prefix[256];

		snprintf(prefix, sizeof(prefix), "sonde: %s: ", c->files[index]);
		account_write(&profile->account, prefix, ACCOUNT_LOSSES, stderr);
	}
	diff->options.filter = NULL;
	profile_free(profile);
	return 0;
}

/* --time A:B:C has a part for each recording; the last one holds for those behind it. */
static int add_files(struct diff_command *c, struct diff *diff, struct err *err)
{
	char *times = c->query.time ? arena_strdup(&c->query.arena, c->query.time) : NULL;
	const char *time = NULL;
	int r = 0;

	for (unsigned i = 0; i < c->nr_files && !r; i++) {
		if (times)
			time = strsep(&times, ":");
		r = add_file(c, diff, i, time && *time ? time : NULL, err);
	}
	if (!r && times)
		r = err_set(err, EINVAL, "--time '%s' has parts for more recordings than there are",
			    c->query.time);
	return r;
}

static int diff(struct diff_command *c, struct err *err)
{
	struct diff *diff = diff_new(&c->options, c->nr_files);
	int r = add_files(c, diff, err);

	if (r < 0)
		goto out;
	diff_finish(diff);
	c->view.files = c->files;
	c->view.width = terminal_width(&c->view);
	if (!diff->nr_events)
		r = err_set(err, ENOENT, "'%s' has no event in common with the other recordings that has "
			    "samples in both", c->files[0]);
	else if (c->json)
		diff_write_json(&c->view, diff, stdout);
	else if (c->csv)
		diff_write_csv(&c->view, diff, stdout);
	else
		diff_write_text(&c->view, diff, stdout);
out:
	diff_free(diff);
	return r;
}

static int run(int argc, char **argv)
{
	struct diff_command c = { .nr_files = 2 };
	const struct opt opts[] = {
		OPT_SECTION("Rows"),
		OPT_STRING('s', "sort", &c.sort, "KEY[,KEY...]", "rows are told apart by these: comm, "
			   "pid, tid, tgid, cpu, dso, sym (dso,sym)"),
		OPT_STRING(0, "by", &c.by, "symbol|path", "rows are functions (symbol) or whole call "
			   "paths"),
		OPT_SWITCH('g', "call-graph", &c.graph, "the same as --by path"),
		OPT_SWITCH(0, "children", &c.options.children, "a function has what it called, too"),
		OPT_SWITCH(0, "join-clones", &c.options.join_clones, "f.isra.0, f.part.1, f.cold and the "
			   "like are f"),
		OPT_SECTION("What is computed"),
		OPT_STRING('c', "compute", &c.compute, "WHAT", "delta-abs: points of difference, sorted by "
			   "size (the default); delta: sorted from most gained to most lost; ratio: "
			   "of amounts; wdiff:W1,W2: amounts, weighted"),
		OPT_SWITCH(0, "absolute", &c.options.absolute, "compare amounts (event counts), and not "
			   "shares of the whole"),
		OPT_STRING(0, "level", &c.level, "PERCENT", "level of the intervals and of what is noise "
			   "(95)"),
		OPT_STRING('o', "order", &c.order, "N", "sort by recording N's difference (1); 0: by the "
			   "baseline"),
		OPT_STRING(0, "percentage", &c.percentage, "relative|absolute", "shares of what passes the "
			   "filters, or of all (absolute)"),
		OPT_SECTION("Which samples"),
		OPT_STRING('C', "comms", &c.query.comms, "COMM[,COMM...]", "only of these commands"),
		OPT_STRING('d', "dsos", &c.query.dsos, "DSO[,DSO...]", "only in these binaries"),
		OPT_STRING('S', "symbols", &c.query.syms, "SYM[,SYM...]", "only in these functions"),
		QUERY_TASK_OPTIONS(&c.query),
		OPT_STRING(0, "cpu", &c.query.cpus, "LIST", "only samples of these CPUs, as in 0-3,8"),
		OPT_STRING(0, "time", &c.query.time, "FROM,TO[:FROM,TO...]", "only samples of a span, as "
			   "in report; with colons, one for each recording"),
		OPT_UINT(0, "max-stack", &c.query.max_stack, "N", "at most N frames from the leaf"),
		OPT_SECTION("Output"),
		OPT_SWITCH('b', "baseline-only", &c.view.baseline_only, "only rows that the baseline has"),
		OPT_SWITCH(0, "significant", &c.view.real_only, "only rows that are more than noise"),
		OPT_STRING(0, "percent-limit", &c.limit, "PERCENT", "no rows below PERCENT in all "
			   "recordings"),
		OPT_SWITCH('n', "show-nr-samples", &c.view.samples, "columns with the numbers of samples"),
		OPT_SWITCH('p', "period", &c.view.period, "columns with the sums of periods"),
		OPT_SWITCH('F', "formula", &c.view.formula, "a column with the computation"),
		OPT_STRING('t', "field-separator", &c.view.separator, "SEP", "SEP between columns, no "
			   "filling; inside of names it becomes '.'"),
		OPT_SWITCH('j', "json", &c.json, "as JSON"),
		OPT_SWITCH(0, "csv", &c.csv, "as CSV with a heading"),
		OPT_SWITCH('q', "quiet", &c.query.quiet, "rows alone"),
		OPT_COUNT('v', "verbose", &c.query.verbose, "the same as -n -p"),
		OPT_SECTION("Input"),
		OPT_SWITCH('f', "force", &c.query.force, "accepted: sonde does not look at the file's owner"),
		QUERY_SYMBOL_OPTIONS(&c.query),
		OPT_SWITCH('m', "modules", &c.modules, "kernel modules of the running kernel, as always without -k"),
		QUERY_JOBS_OPTION(&c.query, 0),
		OPT_REFUSE('D', "dump-raw-trace", "sonde script -D shows a recording's records"),
		OPT_REFUSE('i', "input", "the recordings stand behind the options: sonde diff BASELINE RECORDING"),
		OPT_REFUSE(0, "stream", "hot streams of branches are not compared; -g compares call paths"),
		OPT_REFUSE(0, "cycles-hist", "cycles of basic blocks are not compared; -c delta-abs, delta, "
			   "ratio and wdiff:W1,W2 are there"),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status = cmd_options(&cmd_diff, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);

	if (status >= 0)
		return status;
	if (take_files(&c, argv, words, &err) < 0 || settle(&c, &err) < 0) {
		cmd_error("diff", &err);
		return EXIT_USAGE;
	}
	cmd_quiet(c.query.quiet);
	status = diff(&c, &err) < 0;
	if (status) {
		fflush(stdout);
		cmd_error("diff", &err);
	}
	query_release(&c.query);
	return status;
}

const struct command cmd_diff = {
	.name = "diff",
	.summary = "show what changed between recordings, and what is noise",
	.usage = "[options] [BASELINE [RECORDING...]]",
	.run = run,
	.confine = CONFINE_READ,
};
