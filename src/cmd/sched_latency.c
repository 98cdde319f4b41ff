/* SPDX-License-Identifier: MIT */
/* sonde sched latency: how long tasks waited for a CPU. */
#include <errno.h>
#include <string.h>

#include "cmd/sched.h"
#include "view/sched.h"

struct latency_command {
	struct sched_session session;
	struct sched_latency_view view;
	const char *sort, *which, *hist;
	bool json, csv, hist_all, wide;
};

static int take_which(struct latency_command *c, struct err *err)
{
	static const char *const names[] = { "all", "wakeup", "preempt" };

	for (unsigned i = 0; c->which && i < 3; i++) {
		if (strcmp(names[i], c->which) == 0) {
			c->view.which = (enum latency_which)i;
			return 0;
		}
	}
	if (c->which)
		return err_set(err, EINVAL, "--delay takes all, wakeup or preempt, not '%s'", c->which);
	return 0;
}

static int settle(struct latency_command *c, struct err *err)
{
	if (c->json && c->csv)
		return err_set(err, EINVAL, "-j and --csv exclude each other; give one of them");
	if (c->hist && strcmp(c->hist, "task") != 0 && strcmp(c->hist, "all") != 0)
		return err_set(err, EINVAL, "--hist takes all or task, not '%s'", c->hist);
	c->view.hist_rows = c->hist && strcmp(c->hist, "task") == 0;
	c->view.hist_all = c->hist_all || c->hist;
	c->view.width = c->wide ? 0 : (unsigned)cmd_columns(stdout, 0);
	if (c->sort && latency_check_sort(c->sort, err) < 0)
		return -EINVAL;
	return take_which(c, err);
}

static int take_hist(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	const char **hist = opt->value;

	(void)err;
	*hist = unset ? NULL : arg ? arg : "all";
	return 0;
}

static int latency(struct latency_command *c, struct err *err)
{
	struct sched_latency_view *v = &c->view;
	struct stream_account stream;
	struct latency *latency;
	int r = sched_session_open(&c->session, err);

	if (r < 0)
		return r;
	latency = latency_new(&c->session.filter, !v->by_task);
	r = sched_session_run(&c->session, &latency_ops, latency, err);
	if (r == 0)
		r = latency_rows(latency, v->by_task, c->sort, v->which, &v->rows, &v->nr, err);
	if (r == 0) {
		stream = stream_account(c->session.stream);
		v->stream = &stream;
		v->account = model_account(c->session.model);
		if (c->json)
			sched_latency_json(v, stdout);
		else if (c->csv)
			sched_latency_csv(v, stdout);
		else
			sched_latency_text(v, stdout);
		if (!v->nr)
			sched_say_nothing(&c->session);
		r = sched_flush(err);
	}
	latency_free(latency);
	return r;
}

static int run(int argc, char **argv)
{
	struct latency_command c = { .view = { .which = LATENCY_ALL } };
	const struct opt opts[] = {
		OPT_SECTION("Rows"),
		OPT_SWITCH('p', "pids", &c.view.by_task, "a row for each task, and not for each name"),
		OPT_STRING('s', "sort", &c.sort, "KEY[,KEY...]", LATENCY_KEYS " (avg,max,switch,runtime)"),
		OPT_STRING(0, "delay", &c.which, "all|wakeup|preempt", "which delays avg, max, p50, p95 and p99 "
			   "are of: from wake-up or preemption (all), or of one of them"),
		OPT_SECTION("Which events"),
		OPT_STRING('C', "CPU", &c.session.query.cpus, "LIST", "only what ran on these CPUs, as in 0-3,8"),
		OPT_STRING(0, "time", &c.session.query.time, "FROM,TO", "only a span: seconds, either may be "
			   "missing; or parts of the recording as in 10%/2 or 0%-20%"),
		OPT_STRING(0, "pid", &c.session.query.pids, "PID[,PID...]", "only these processes"),
		OPT_STRING(0, "tid", &c.session.query.tids, "TID[,TID...]", "only these threads"),
		OPT_STRING(0, "comm", &c.session.query.comms, "COMM[,COMM...]", "only tasks of these names"),
		OPT_SECTION("Output"),
		OPT_CALL(0, "hist", &c.hist, "all|task", "histograms in powers of two: of all (the default), or "
			 "one for each row", take_hist, OPT_ARG_OPTIONAL),
		OPT_SWITCH('w', "wide", &c.wide, "all columns, though the terminal is too narrow for them"),
		OPT_SWITCH('j', "json", &c.json, "as JSON"),
		OPT_SWITCH(0, "csv", &c.csv, "as CSV with a heading"),
		SCHED_INPUT_OPTIONS(&c.session),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status;

	sched_session_init(&c.session);
	status = cmd_options(&cmd_sched_latency, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);
	if (status >= 0)
		return status;
	if ((words && sched_no_words(argv[0], &err) < 0) || settle(&c, &err) < 0) {
		cmd_error("sched latency", &err);
		return EXIT_USAGE;
	}
	status = latency(&c, &err) < 0;
	if (status)
		cmd_error("sched latency", &err);
	sched_session_close(&c.session);
	return status;
}

const struct command cmd_sched_latency = {
	.name = "sched latency",
	.summary = "run time, and delay from wake-up to running, by task",
	.usage = "[options]",
	.run = run,
	.confine = CONFINE_READ,
};
