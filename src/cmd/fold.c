/* SPDX-License-Identifier: MIT */
/* sonde fold: the stacks of a recording as folded text. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/outfile.h"
#include "cmd/query.h"
#include "formats/folded.h"
#include "view/account.h"
#include "view/fold.h"

struct fold {
	struct query_options query;
	struct fold_options options;
	const char *by, *event, *output;
	bool all, period;
};

static int choose_event(struct fold *f, const struct profile *profile, struct err *err)
{
	const struct event_set *events = &profile->data->events;
	struct fold_options *o = &f->options;
	bool others = false;

	if (f->event)
		return fold_named_event(profile, f->event, &o->event, err);
	o->event = f->by ? FOLD_ALL_EVENTS : fold_default_event(profile);
	for (uint32_t i = 0; !f->by && i < events->nr; i++)
		others |= i != o->event && profile->totals[i].samples;
	if (others)
		log_note("only event '%s' is folded; --by event keeps all, --event NAME takes another",
			 events->v[o->event].name);
	return 0;
}

static int write_out(struct fold *f, const struct profile *profile, struct err *err)
{
	struct stack_tree tree;
	struct label_table labels;
	struct outfile file;
	int r = outfile_open(&file, f->output ? f->output : "-", err);

	if (r < 0)
		return r;
	stack_tree_init(&tree);
	label_table_init(&labels);
	fold_profile(&tree, &labels, profile, &f->options);
	r = folded_write(&tree, &labels, f->period ? STACK_PERIOD : STACK_SAMPLES, file.out, err);
	stack_tree_release(&tree);
	label_table_release(&labels);
	return outfile_end(&file, r, err);
}

static int fold(struct fold *f, struct err *err)
{
	struct profile_query query;
	struct perf_data *data;
	struct profile *profile;
	int r;

	f->query.stacks_too = true;
	r = query_open(&f->query, &query, &data, err);
	if (r < 0)
		return r;
	query.by = fold_dims(&f->options);
	query.join_unmapped = !f->options.addrs;
	r = profile_load(&profile, data, &query, err);
	if (r < 0)
		return r;
	r = choose_event(f, profile, err);
	if (!r)
		r = write_out(f, profile, err);
	if (!r && !f->query.quiet)
		account_write(&profile->account, "sonde: ", ACCOUNT_LOSSES, stderr);
	profile_free(profile);
	return r;
}

/* As in stackcollapse-perf.pl without an argument, as in perf report with one. */
static int take_pid(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct fold *f = opt->value;

	(void)err;
	f->options.pid = !arg && !unset;
	f->query.pids = arg;
	return 0;
}

static int take_tid(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct fold *f = opt->value;

	(void)err;
	f->options.tid = !arg && !unset;
	f->query.tids = arg;
	return 0;
}

static int run(int argc, char **argv)
{
	struct fold f = { .options = { .event = FOLD_ALL_EVENTS } };
	const struct opt opts[] = {
		OPT_SECTION("Input"),
		QUERY_INPUT_OPTIONS(&f.query),
		OPT_SECTION("What to fold"),
		OPT_STRING(0, "event", &f.event, "NAME", "this event (the first one that has samples)"),
		OPT_STRING(0, "event-filter", &f.event, "NAME", "the same as --event"),
		OPT_STRING(0, "by", &f.by, "event", "all events, the event's name as the root"),
		OPT_STRING(0, "comm", &f.query.comms, "COMM[,COMM...]", "only samples of these commands"),
		OPT_STRING(0, "dso", &f.query.dsos, "DSO[,DSO...]", "only samples in these binaries"),
		QUERY_WHEN_OPTIONS(&f.query),
		OPT_UINT(0, "max-stack", &f.query.max_stack, "N", "at most N frames from the leaf"),
		OPT_SECTION("How to write it"),
		OPT_STRING('o', "output", &f.output, "FILE", "write to FILE (standard output)"),
		OPT_SWITCH(0, "period", &f.period, "weigh samples by their period; without it they are counted"),
		OPT_CALL(0, "pid", &f, "PID[,PID...]", "the command as COMM-PID; with numbers, only "
			 "these processes", take_pid, OPT_ARG_NEXT),
		OPT_CALL(0, "tid", &f, "TID[,TID...]", "the command as COMM-PID/TID; with numbers, "
			 "only these threads", take_tid, OPT_ARG_NEXT),
		OPT_SWITCH(0, "all", &f.all, "all annotations: --kernel --jit --inline"),
		OPT_SWITCH(0, "kernel", &f.options.mark_kernel, "_[k] behind kernel functions"),
		OPT_SWITCH(0, "jit", &f.options.mark_jit, "_[j] behind JIT code"),
		OPT_SWITCH(0, "inline", &f.options.mark_inline, "_[i] behind inlined functions"),
		OPT_SWITCH(0, "addrs", &f.options.addrs, "addresses in the names of unnamed frames"),
		OPT_SWITCH(0, "full-names", &f.options.untidy, "symbols with their arguments, as they are"),
		OPT_SWITCH('q', "quiet", &f.query.quiet, "say nothing of losses on standard error"),
		OPT_SECTION("Symbols"),
		QUERY_SYMBOL_OPTIONS(&f.query),
		QUERY_NO_INLINE_OPTION(&f.query),
		QUERY_JOBS_OPTION(&f.query, 'j'),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status = cmd_options(&cmd_fold, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);

	if (status >= 0)
		return status;
	if (words) {
		err_set(&err, EINVAL, "'%s' is one word too many; the recording is given with -i", argv[0]);
		cmd_error("fold", &err);
		return EXIT_USAGE;
	}
	if (f.by && strcmp(f.by, "event") != 0) {
		err_set(&err, EINVAL, "--by '%s': stacks are kept apart by event only; --pid and --tid keep "
			"processes and threads apart", f.by);
		cmd_error("fold", &err);
		return EXIT_USAGE;
	}
	f.options.by_event = f.by != NULL;
	cmd_quiet(f.query.quiet);
	if (f.all)
		f.options.mark_kernel = f.options.mark_jit = f.options.mark_inline = true;
	status = fold(&f, &err) < 0;
	if (status)
		cmd_error("fold", &err);
	query_release(&f.query);
	return status;
}

const struct command cmd_fold = {
	.name = "fold",
	.summary = "write the stacks of a recording as folded text",
	.usage = "[options]",
	.run = run,
	.confine = CONFINE_READ,
};
