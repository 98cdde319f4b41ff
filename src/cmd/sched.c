/* SPDX-License-Identifier: MIT */
/* sonde sched: who waited for a CPU, for whom and how long. */
#include "cmd/sched.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "view/sched.h"

struct sched_common sched_common;

static const struct command *const subcommands[] = {
	&cmd_sched_record,
	&cmd_sched_latency,
	&cmd_sched_timehist,
	&cmd_sched_map,
	&cmd_sched_script,
	&cmd_sched_waits,
	&cmd_sched_timeline,
	&cmd_sched_live,
};

#define NR_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static const char *short_name(const struct command *c)
{
	return strchr(c->name, ' ') + 1;
}

/* As with perf, the beginning of a name is enough where only one begins so. */
static const struct command *subcommand_find(const char *name)
{
	const struct command *found = NULL;
	size_t len = strlen(name);

	for (size_t i = 0; i < NR_SUBCOMMANDS; i++) {
		const char *own = short_name(subcommands[i]);

		if (strcmp(own, name) == 0)
			return subcommands[i];
		if (len < 3 || strncmp(own, name, len) != 0)
			continue;
		if (found)
			return NULL;
		found = subcommands[i];
	}
	return found;
}

static int unknown_subcommand(const char *name)
{
	const char *names[NR_SUBCOMMANDS + 1], *near;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < NR_SUBCOMMANDS; i++)
		names[i] = short_name(subcommands[i]);
	names[NR_SUBCOMMANDS] = NULL;
	near = str_nearest(name, names);
	if (strcmp(name, "stats") == 0)
		err_set(&err, EINVAL, "sched stats is not there: sonde does not read /proc/schedstat; "
			"sonde sched live and latency tell how long tasks waited");
	else if (strcmp(name, "replay") == 0)
		err_set(&err, EINVAL, "sched replay is not there: sonde does not play a recording's load "
			"again; sonde sched latency and timehist tell what it was");
	else if (near)
		err_set(&err, EINVAL, "there is no '%s'; did you mean '%s'?", name, near);
	else
		err_set(&err, EINVAL, "there is no '%s'; sonde sched -h lists what there is", name);
	cmd_error("sched", &err);
	return EXIT_USAGE;
}

static void print_help(const struct opt *opts)
{
	printf("usage: sonde sched [options] SUBCOMMAND [options] [ARG...]\n\n"
	       "Tell who waited for a CPU, for whom and how long.\n\n");
	for (size_t i = 0; i < NR_SUBCOMMANDS; i++)
		printf("  %-12s %s\n", short_name(subcommands[i]), subcommands[i]->summary);
	printf("\nsonde sched SUBCOMMAND -h lists its options.\n\n");
	opt_print(opts, stdout);
}

/* All options of all subcommands: what the page of sched tells of. */
static void list_options(const struct opt *opts)
{
	char name[32], flag[] = "--list-options";

	opt_print_list(opts, stdout);
	for (size_t i = 0; i < NR_SUBCOMMANDS; i++) {
		char *words[] = { name, flag, NULL };

		/* script's are on its own page */
		if (subcommands[i] == &cmd_sched_script)
			continue;
		snprintf(name, sizeof(name), "%s", short_name(subcommands[i]));
		subcommands[i]->run(2, words);
	}
}

static int run(int argc, char **argv)
{
	const struct opt opts[] = {
		OPT_SECTION("Before the subcommand"),
		OPT_STRING('i', "input", &sched_common.input, "FILE", "read FILE (perf.data)"),
		OPT_SWITCH('f', "force", &sched_common.force, "accepted: sonde does not look at the file's owner"),
		OPT_SWITCH('q', "quiet", &sched_common.quiet, "say nothing of fall-backs on standard error"),
		OPT_COUNT('v', "verbose", &sched_common.verbose, "say more"),
		OPT_REFUSE('D', "dump-raw-trace", "sonde script -D prints each record as it is"),
		OPT_END,
	};
	const struct command *command;
	struct err err = ERR_INIT;
	int words, r;

	memset(&sched_common, 0, sizeof(sched_common));
	if (argc == 2 && strcmp(argv[1], "--list-options") == 0) {
		list_options(opts);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--list-commands") == 0) {
		for (size_t i = 0; i < NR_SUBCOMMANDS; i++)
			printf("%s\t%s\n", short_name(subcommands[i]), subcommands[i]->summary);
		return 0;
	}
	r = opt_parse(opts, 0, argc, argv, &words, &err);
	if (r < 0) {
		cmd_error("sched", &err);
		return EXIT_USAGE;
	}
	if (r > 0 || !words) {
		print_help(opts);
		return r > 0 ? 0 : EXIT_USAGE;
	}
	command = subcommand_find(argv[0]);
	if (!command)
		return unknown_subcommand(argv[0]);
	secure_confine(command->confine);
	return command->run(words, argv);
}

const struct command cmd_sched = {
	.name = "sched",
	.summary = "tell who waited for a CPU, for whom and how long",
	.usage = "[options] SUBCOMMAND [options] [ARG...]",
	.run = run,
};

/* --- a recording through the model ------------------------------------------------------------ */

void sched_session_init(struct sched_session *s)
{
	memset(s, 0, sizeof(*s));
	s->query.input = sched_common.input;
	s->query.verbose = sched_common.verbose;
	s->query.quiet = sched_common.quiet;
}

int sched_session_open(struct sched_session *s, struct err *err)
{
	int r;

	cmd_quiet(s->query.quiet);
	log_set_level(s->query.verbose > 1 ? LOG_DEBUG : s->query.verbose ? LOG_INFO : LOG_NOTE);
	r = query_open(&s->query, &s->filter, &s->data, err);
	if (r < 0)
		return r;
	r = stream_new(&s->stream, s->data, err);
	if (r < 0) {
		perf_data_close(s->data);
		s->data = NULL;
	}
	return r;
}

int sched_session_run(struct sched_session *s, const struct sched_ops *ops, void *arg,
		      struct err *err)
{
	struct sched_event event;
	int r;

	s->model = model_new(ops, arg);
	cmd_progress_begin(s->query.quiet);
	while ((r = stream_next(s->stream, &event, err)) > 0)
		model_event(s->model, &event);
	cmd_progress_end();
	if (r == 0)
		model_end(s->model);
	return r;
}

void sched_session_say(const struct sched_session *s)
{
	struct stream_account stream = stream_account(s->stream);

	if (!s->query.quiet)
		sched_account_write(model_account(s->model), &stream, "sonde: ", stderr);
}

void sched_say_nothing(const struct sched_session *s)
{
	const struct { const char *value, *name; } filters[] = {
		{ s->query.cpus, "CPUs" }, { s->query.time, "time" }, { s->query.pids, "pid" },
		{ s->query.tids, "tid" }, { s->query.comms, "comm" },
	};
	struct str text = STR_INIT;

	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		if (filters[i].value)
			str_addf(&text, "%s%s %s", text.len ? ", " : "", filters[i].name, filters[i].value);
	if (text.len)
		log_note("nothing in '%s' passes what was asked for: %s", s->data->path, text.p);
	str_release(&text);
}

void sched_session_close(struct sched_session *s)
{
	model_free(s->model);
	stream_free(s->stream);
	if (s->data)
		perf_data_close(s->data);
	query_release(&s->query);
}

int sched_no_words(const char *word, struct err *err)
{
	return err_set(err, EINVAL, "'%s' is one word too many; -i names the recording", word);
}

int sched_flush(struct err *err)
{
	if (fflush(stdout) && errno != EPIPE)
		return err_set(err, errno, "cannot write standard output: %s", strerror(errno));
	return 0;
}
