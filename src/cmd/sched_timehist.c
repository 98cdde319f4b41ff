/* SPDX-License-Identifier: MIT */
/* sonde sched timehist: each time that a task left a CPU. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cmd/sched.h"
#include "profile/recording.h"
#include "view/sched.h"

struct timehist_command {
	struct sched_session session;
	struct sched_timehist_options options;
	const char *prios;
	bool call_graph, call_graph_given, with_summary;
};

static int settle(struct timehist_command *c, struct err *err)
{
	struct sched_timehist_options *o = &c->options;

	const struct { bool given; const char *name; } of_lines[] = {
		{ o->next, "-n" }, { o->wakeups, "-w" }, { o->cpu_visual, "-V" },
		{ o->show_prio, "--show-prio" }, { c->session.query.max_stack, "--max-stack" },
		{ c->call_graph && c->call_graph_given, "-g" },
	};

	o->summary = o->summary_only || c->with_summary;
	if (c->with_summary)
		o->summary_only = false;
	for (size_t i = 0; o->summary_only && i < sizeof(of_lines) / sizeof(of_lines[0]); i++)
		if (of_lines[i].given)
			return err_set(err, EINVAL, "%s is about lines, and with -s there are none; -S has "
				       "lines and the summary", of_lines[i].name);
	if (o->idle_only && o->nr_prios)
		return err_set(err, EINVAL, "-I and --prio exclude each other: idle has no priority");
	return 0;
}

static int timehist(struct timehist_command *c, struct err *err)
{
	struct sched_session *s = &c->session;
	struct sched_timehist_options *o = &c->options;
	struct recording recording;
	struct sched_timehist *view;
	bool chains;
	int r = query_numbers(&s->query.arena, c->prios, "--prio", true, &o->prios, &o->nr_prios, err);

	if (r == 0)
		r = sched_session_open(s, err);
	if (r < 0)
		return r;
	if (c->call_graph && c->call_graph_given && !stream_has_stacks(s->stream))
		log_note("'%s' holds no call chains; sonde sched record -g records them", s->data->path);
	chains = c->call_graph && !o->summary_only && stream_has_stacks(s->stream);
	if (chains)
		r = recording_load(&recording, s->data, &s->filter.symbols, err);
	if (r < 0)
		return r;
	o->stacks = chains ? sched_stacks_new(&recording) : NULL;
	o->filter = &s->filter;
	o->has_waking = stream_has(s->stream, SCHED_WAKING);
	/* one more than there are: so are perf's columns */
	o->nr_cpus = (s->data->nr_cpus_online - 1 < 4096 ? s->data->nr_cpus_online : 1) + 1;
	o->max_stack = s->query.max_stack;
	o->width = (unsigned)cmd_columns(stdout, 0);
	o->out = stdout;
	view = sched_timehist_new(o);
	sched_timehist_heading(view);
	r = sched_session_run(s, &sched_timehist_ops, view, err);
	if (r == 0 && o->summary)
		sched_timehist_summary(view, s->model);
	if (r == 0)
		r = sched_flush(err);
	if (r == 0 && !sched_timehist_shown(view))
		sched_say_nothing(s);
	if (r == 0)
		sched_session_say(s);
	sched_timehist_free(view);
	sched_stacks_free(o->stacks);
	if (chains)
		recording_release(&recording);
	return r;
}

static int run(int argc, char **argv)
{
	struct timehist_command c = { .call_graph = true };
	struct sched_timehist_options *o = &c.options;
	struct query_options *q = &c.session.query;
	const struct opt opts[] = {
		OPT_SECTION("Lines"),
		OPT_SWITCH('M', "migrations", &o->migrations, "lines for migrations"),
		OPT_SWITCH('w', "wakeups", &o->wakeups, "lines for wake-ups"),
		OPT_SWITCH('I', "idle-hist", &o->idle_only, "idle's lines alone"),
		OPT_SWITCH('s', "summary", &o->summary_only, "no lines but a summary by task"),
		OPT_SWITCH('S', "with-summary", &c.with_summary, "lines, and the summary behind them"),
		OPT_SECTION("Columns"),
		OPT_SWITCH('V', "cpu-visual", &o->cpu_visual, "a column for each CPU"),
		OPT_SWITCH('n', "next", &o->next, "who came next"),
		OPT_SWITCH(0, "state", &o->state, "the state in which a task left; in summaries, sums by state"),
		OPT_SWITCH(0, "show-prio", &o->show_prio, "the task's priority, as the kernel counts"),
		OPT_SWITCH_GIVEN('g', "call-graph", &c.call_graph, &c.call_graph_given, "where a task left, if stacks were recorded (the default)"),
		OPT_UINT(0, "max-stack", &q->max_stack, "N", "at most N functions of a stack (5)"),
		OPT_REFUSE(0, "pre-migrations", "the time in the queue of another CPU is part of sch delay; -M shows "
			   "when it moved"),
		OPT_SECTION("Which events"),
		OPT_STRING('C', "cpu", &q->cpus, "LIST", "only on these CPUs, as in 0-3,8"),
		OPT_STRING(0, "time", &q->time, "FROM,TO", "only a span: seconds, either may be missing; or parts "
			   "of the recording as in 10%/2 or 0%-20%"),
		SCHED_TASK_OPTIONS(q),
		OPT_STRING(0, "prio", &c.prios, "LIST", "only tasks of these priorities, as the kernel counts"),
		OPT_SECTION("Symbols"),
		QUERY_SYMBOL_OPTIONS(q),
		SCHED_INPUT_OPTIONS(&c.session),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status;

	sched_session_init(&c.session);
	status = cmd_options(&cmd_sched_timehist, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);
	if (status >= 0)
		return status;
	if ((words && sched_no_words(argv[0], &err) < 0) || settle(&c, &err) < 0) {
		cmd_error("sched timehist", &err);
		return EXIT_USAGE;
	}
	status = timehist(&c, &err) < 0;
	if (status)
		cmd_error("sched timehist", &err);
	sched_session_close(&c.session);
	return status;
}

const struct command cmd_sched_timehist = {
	.name = "sched timehist",
	.summary = "each time that a task left a CPU: wait, delay and run time",
	.usage = "[options]",
	.run = run,
	.confine = CONFINE_READ,
};
