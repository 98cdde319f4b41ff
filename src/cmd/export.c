/* SPDX-License-Identifier: MIT */
/* sonde export: a recording as a file for other viewers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/outfile.h"
#include "cmd/query.h"
#include "view/account.h"
#include "view/export.h"
#include "view/fold.h"

enum form { FORM_PPROF, FORM_FIREFOX, FORM_SPEEDSCOPE, FORM_CHROME, FORM_PERFETTO, FORM_CALLGRIND,
	    FORM_JSON, FORM_CSV, FORM_FOLDED, NR_FORMS };

struct export_command {
	struct query_options query;
	bool forms[NR_FORMS];
	bool period, tasks, cpus, reverse;
	const char *event, *output;
};

static const struct {
	const char *name;
	int (*write)(const struct export_source *source, FILE *out, struct err *err);
	bool binary, one_event;
	bool times;                      /* a place in time for each sample */
} forms[NR_FORMS] = {
	[FORM_PPROF] = { "pprof", pprof_write, true, false, false },
	[FORM_FIREFOX] = { "firefox", firefox_write, false, false, true },
	[FORM_SPEEDSCOPE] = { "speedscope", speedscope_write, false, false, false },
	[FORM_CHROME] = { "chrome", chrome_trace_write, false, false, true },
	[FORM_PERFETTO] = { "perfetto", perfetto_write, true, false, true },
	[FORM_CALLGRIND] = { "callgrind", callgrind_write, false, false, false },
	[FORM_JSON] = { "json", export_json_write, false, false, false },
	[FORM_CSV] = { "csv", export_csv_write, false, false, false },
	[FORM_FOLDED] = { "folded", NULL, false, true, false },
};

/* The form that was asked for, or NR_FORMS with a message. */
static enum form form_of(const struct export_command *c, struct err *err)
{
	enum form form = NR_FORMS;

	for (enum form i = 0; i < NR_FORMS; i++) {
		if (!c->forms[i])
			continue;
		if (form != NR_FORMS) {
			err_set(err, EINVAL, "--%s and --%s are two forms; one at a time", forms[form].name,
				forms[i].name);
			return NR_FORMS;
		}
		form = i;
	}
	if (form == NR_FORMS)
		err_set(err, EINVAL, "which form? --pprof, --firefox, --speedscope, --chrome, --perfetto, "
			"--callgrind, --json, --csv or --folded");
	return form;
}

static int write_folded(const struct export_command *c, const struct profile *profile,
			uint32_t event, FILE *out, struct err *err)
{
	struct fold_options options = { .event = event, .leaf_first = c->reverse, .pid = c->tasks,
					.tid = c->tasks, .mark_kernel = true, .mark_jit = true,
					.mark_inline = true };
	struct label_table labels;
	struct stack_tree tree;
	int r;

	stack_tree_init(&tree);
	label_table_init(&labels);
	fold_profile(&tree, &labels, profile, &options);
	r = folded_write(&tree, &labels, c->period ? STACK_PERIOD : STACK_SAMPLES, out, err);
	stack_tree_release(&tree);
	label_table_release(&labels);
	return r;
}

static int choose_event(const struct export_command *c, enum form form, const struct profile *profile,
			uint32_t *event, struct err *err)
{
	if (c->event)
		return fold_named_event(profile, c->event, event, err);
	*event = forms[form].one_event ? fold_default_event(profile) : FOLD_ALL_EVENTS;
	return 0;
}

static int write_out(const struct export_command *c, enum form form, const struct profile *profile,
		     struct err *err)
{
	const char *path = c->output ? c->output : "-";
	struct export_view view;
	struct outfile file;
	uint32_t event;
	int r = choose_event(c, form, profile, &event, err);

	if (!r)
		r = outfile_open(&file, path, err);
	if (r < 0)
		return r;
	if (form == FORM_FOLDED) {
		r = write_folded(c, profile, event, file.out, err);
	} else {
		export_view_init(&view, profile, event, c->period ? STACK_PERIOD : STACK_SAMPLES);
		if (forms[form].times)
			r = export_view_moments(&view, err);
		if (!r)
			r = forms[form].write(&view.source, file.out, err);
		export_view_release(&view);
	}
	return outfile_end(&file, r, err);
}

static void note_times(const struct perf_data *data)
{
	for (uint32_t i = 0; i < data->events.nr; i++)
		if (data->events.v[i].attr.sample_type & PERF_SAMPLE_TIME)
			return;
	log_note("the recording does not tell when its samples were taken: all stand at its beginning");
}

static int export(struct export_command *c, enum form form, struct err *err)
{
	struct profile_query query;
	struct perf_data *data;
	struct profile *profile;
	int r;

	c->query.stacks_too = true;
	r = query_open(&c->query, &query, &data, err);
	if (r < 0)
		return r;
	query.by = PROFILE_BY_STACK | PROFILE_BY_COMM;
	if (c->tasks)
		query.by |= PROFILE_BY_PID | PROFILE_BY_TID;
	if (c->cpus)
		query.by |= PROFILE_BY_CPU;
	if (forms[form].times) {
		query.by |= PROFILE_BY_PID | PROFILE_BY_TID | PROFILE_BY_CPU;
		query.replaying = true;
		note_times(data);
	}
	cmd_progress_begin(c->query.quiet);
	r = profile_load(&profile, data, &query, err);
	cmd_progress_end();
	if (r < 0)
		return r;
	r = write_out(c, form, profile, err);
	if (!r && !c->query.quiet)
		account_write(&profile->account, "sonde: ", ACCOUNT_LOSSES, stderr);
	profile_free(profile);
	return r;
}

static int usage(const struct err *err)
{
	cmd_error("export", err);
	return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	struct export_command c = { .period = false };
	const struct opt opts[] = {
		OPT_SECTION("Form"),
		OPT_SWITCH(0, "pprof", &c.forms[FORM_PPROF], "profile.proto, gzip: for go tool pprof and others"),
		OPT_SWITCH(0, "firefox", &c.forms[FORM_FIREFOX], "JSON for profiler.firefox.com: threads, "
			   "stacks, markers"),
		OPT_SWITCH(0, "speedscope", &c.forms[FORM_SPEEDSCOPE], "JSON for speedscope.app"),
		OPT_SWITCH(0, "chrome", &c.forms[FORM_CHROME], "JSON of trace events for chrome://tracing"),
		OPT_SWITCH(0, "perfetto", &c.forms[FORM_PERFETTO], "a trace for ui.perfetto.dev"),
		OPT_SWITCH(0, "callgrind", &c.forms[FORM_CALLGRIND], "for KCachegrind and callgrind_annotate"),
		OPT_SWITCH(0, "json", &c.forms[FORM_JSON], "JSON of sonde's own, for programs"),
		OPT_SWITCH(0, "csv", &c.forms[FORM_CSV], "a line for each stack, for spreadsheets"),
		OPT_SWITCH(0, "folded", &c.forms[FORM_FOLDED], "folded stacks with all annotations"),
		OPT_SWITCH(0, "reverse", &c.reverse, "folded stacks from the leaf to the root"),
		OPT_SECTION("Output"),
		OPT_STRING('o', "output", &c.output, "FILE", "write to FILE (standard output)"),
		OPT_SWITCH(0, "period", &c.period, "weigh samples by their period where a form has one "
			   "number; without it they are counted"),
		OPT_SWITCH(0, "tasks", &c.tasks, "keep processes and threads apart"),
		OPT_SWITCH(0, "cpus", &c.cpus, "keep CPUs apart"),
		OPT_SWITCH('q', "quiet", &c.query.quiet, "say nothing of losses on standard error"),
		OPT_SECTION("Input"),
		QUERY_INPUT_OPTIONS(&c.query),
		OPT_STRING('e', "event", &c.event, "NAME", "this event alone (folded: the first that has samples)"),
		OPT_STRING(0, "comm", &c.query.comms, "COMM[,COMM...]", "only samples of these commands"),
		OPT_STRING(0, "dso", &c.query.dsos, "DSO[,DSO...]", "only samples in these binaries"),
		QUERY_TASK_OPTIONS(&c.query),
		QUERY_WHEN_OPTIONS(&c.query),
		OPT_UINT(0, "max-stack", &c.query.max_stack, "N", "at most N frames from the leaf"),
		OPT_SECTION("Symbols"),
		QUERY_SYMBOL_OPTIONS(&c.query),
		QUERY_JOBS_OPTION(&c.query, 'j'),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status = cmd_options(&cmd_export, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);
	enum form form;

	if (status >= 0)
		return status;
	if (words) {
		err_set(&err, EINVAL, "'%s' is one word too many; the recording is given with -i", argv[0]);
		return usage(&err);
	}
	form = form_of(&c, &err);
	if (form == NR_FORMS)
		return usage(&err);
	if (c.reverse && form != FORM_FOLDED) {
		err_set(&err, EINVAL, "--reverse is for --folded; other viewers turn stacks over themselves");
		return usage(&err);
	}
	if (c.cpus && form == FORM_FOLDED) {
		err_set(&err, EINVAL, "folded stacks have no place for CPUs; -C LIST chooses some");
		return usage(&err);
	}
	if (forms[form].binary && !c.output && isatty(STDOUT_FILENO)) {
		err_set(&err, EINVAL, "--%s is not for a terminal; send it to a file or pipe, or use "
			"-o FILE", forms[form].name);
		return usage(&err);
	}
	cmd_quiet(c.query.quiet);
	status = export(&c, form, &err) < 0;
	if (status)
		cmd_error("export", &err);
	query_release(&c.query);
	return status;
}

const struct command cmd_export = {
	.name = "export",
	.summary = "write a recording for other viewers",
	.usage = "--pprof|--speedscope|--callgrind|... [options]",
	.run = run,
	.confine = CONFINE_READ,
};
