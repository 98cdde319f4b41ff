/* SPDX-License-Identifier: MIT */
/*
 * sched: the subcommands of sonde sched.  Private to src/cmd/sched*.c.
 *
 * To add one: src/cmd/sched_NAME.c with `const struct command cmd_sched_NAME` ("sched NAME"),
 * a line here and one in sched.c's table, its part of doc/sonde-sched.md, tests.
 */
#ifndef CMD_SCHED_H
#define CMD_SCHED_H

#include "cmd/cmd.h"
#include "cmd/query.h"
#include "sched/latency.h"
#include "sched/model.h"
#include "sched/stream.h"

extern const struct command cmd_sched_record;
extern const struct command cmd_sched_latency;
extern const struct command cmd_sched_timehist;
extern const struct command cmd_sched_map;
extern const struct command cmd_sched_script;
extern const struct command cmd_sched_waits;
extern const struct command cmd_sched_timeline;
extern const struct command cmd_sched_live;

/* What stands before the subcommand: sonde sched -i FILE latency. */
struct sched_common {
	const char *input;
	int verbose;
	bool force, quiet;
};
extern struct sched_common sched_common;

/* A recording on its way through the model. */
struct sched_session {
	struct query_options query;
	struct profile_query filter;
	struct perf_data *data;
	struct stream *stream;
	struct sched_model *model;
};

#define SCHED_TASK_OPTIONS(q) \
	OPT_STRING('p', "pid", &(q)->pids, "PID[,PID...]", "only these processes"), \
	OPT_STRING('t', "tid", &(q)->tids, "TID[,TID...]", "only these threads"), \
	OPT_STRING(0, "comm", &(q)->comms, "COMM[,COMM...]", "only tasks of these names")

#define SCHED_INPUT_OPTIONS(s) \
	OPT_SECTION("Input"), \
	QUERY_INPUT_OPTIONS(&(s)->query), \
	OPT_SWITCH('q', "quiet", &(s)->query.quiet, "say nothing of fall-backs on standard error"), \
	OPT_COUNT('v', "verbose", &(s)->query.verbose, "say more")

/* Fill the options that stood before the subcommand in; call before cmd_options. */
void sched_session_init(struct sched_session *session);

/* Open the recording, begin the stream. On failure nothing is left open. */
int sched_session_open(struct sched_session *session, struct err *err);
/* Feed a model with all of it, its end included. The model stays until close. */
int sched_session_run(struct sched_session *session, const struct sched_ops *ops, void *arg,
		      struct err *err);
/* What the figures lack, on standard error; nothing with -q. */
void sched_session_say(const struct sched_session *session);
/* Nothing came out: remark which options may be why, if any was given. */
void sched_say_nothing(const struct sched_session *session);
void sched_session_close(struct sched_session *session);

/* Words that are left are one too many: say so. Returns -EINVAL. */
int sched_no_words(const char *word, struct err *err);
/* Flush standard output; a broken pipe is no error. */
int sched_flush(struct err *err);

#endif
