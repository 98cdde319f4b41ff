/* SPDX-License-Identifier: MIT */
/* sonde sched map: who ran where, a line for each switch. And sched script, which is script. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/sched.h"
#include "view/sched.h"

struct map_command {
	struct sched_session session;
	struct sched_map_options options;
	const char *cpus, *color_cpus, *color_pids, *names;
};

/* Columns that stay empty: no such CPU. */
static void say_missing_cpus(const struct map_command *c)
{
	uint32_t there = model_account(c->session.model)->nr_cpus;

	for (uint32_t i = 0; i < c->options.nr_cpus; i++)
		if (c->options.cpus[i] >= there) {
			log_note("nothing in '%s' is of CPU %u", c->session.data->path, c->options.cpus[i]);
			return;
		}
}

static int map(struct map_command *c, struct err *err)
{
	struct sched_map_options *o = &c->options;
	struct arena *arena = &c->session.query.arena;
	struct sched_map *view;
	int r = query_numbers(arena, c->cpus, "--cpus", true, &o->cpus, &o->nr_cpus, err);

	if (r == 0)
		r = query_numbers(arena, c->color_cpus, "--color-cpus", true, &o->color_cpus,
				  &o->nr_color_cpus, err);
	if (r == 0)
		r = query_numbers(arena, c->color_pids, "--color-pids", false, &o->color_pids,
				  &o->nr_color_pids, err);
	if (r == 0)
		r = query_names(arena, c->names, &o->names, err);
	if (r == 0 && o->names && !*o->names)
		r = err_set(err, EINVAL, "--task-name takes names of tasks, not '%s'", c->names);
	if (r == 0)
		r = sched_session_open(&c->session, err);
	if (r < 0)
		return r;
	o->out = stdout;
	o->nr_online = c->session.data->nr_cpus_online <= 4096 ? c->session.data->nr_cpus_online : 0;
	o->color = isatty(STDOUT_FILENO);
	view = sched_map_new(o);
	r = sched_session_run(&c->session, &sched_map_ops, view, err);
	if (r == 0)
		r = sched_flush(err);
	if (r == 0) {
		if (o->names && !sched_map_lines(view))
			log_note("no task in '%s' is called %s%s", c->session.data->path, c->names,
				 o->part_of_name ? " or has that in its name" : "; --fuzzy-name takes a part of "
				 "a name");
		say_missing_cpus(c);
		sched_session_say(&c->session);
	}
	sched_map_free(view);
	return r;
}

static int run_map(int argc, char **argv)
{
	struct map_command c = { 0 };
	const struct opt opts[] = {
		OPT_SECTION("Columns"),
		OPT_SWITCH(0, "compact", &c.options.compact, "columns for CPUs as they are met, and not for all"),
		OPT_STRING(0, "cpus", &c.cpus, "LIST", "columns for these CPUs"),
		OPT_STRING(0, "color-cpus", &c.color_cpus, "LIST", "these CPUs in colour, on a terminal"),
		OPT_STRING(0, "color-pids", &c.color_pids, "PID[,PID...]", "these tasks in colour, on a terminal"),
		OPT_STRING(0, "task-name", &c.names, "COMM[,COMM...]", "only lines on which tasks of these names "
			   "come or go; the others are -"),
		OPT_SWITCH(0, "fuzzy-name", &c.options.part_of_name, "with --task-name: COMM is a part of the name"),
		SCHED_INPUT_OPTIONS(&c.session),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status;

	sched_session_init(&c.session);
	status = cmd_options(&cmd_sched_map, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);
	if (status >= 0)
		return status;
	if (words)
		sched_no_words(argv[0], &err);
	else if (c.options.part_of_name && !c.names)
		err_set(&err, EINVAL, "--fuzzy-name is about --task-name, which was not given");
	if (err.code) {
		cmd_error("sched map", &err);
		return EXIT_USAGE;
	}
	status = map(&c, &err) < 0;
	if (status)
		cmd_error("sched map", &err);
	sched_session_close(&c.session);
	return status;
}

const struct command cmd_sched_map = {
	.name = "sched map",
	.summary = "who ran where: a line for each switch, a column for each CPU",
	.usage = "[options]",
	.run = run_map,
	.confine = CONFINE_READ,
};

/* The recording's events one by one: sonde script with the input named before. */
static int run_script(int argc, char **argv)
{
	static char name[] = "script", input[] = "-i";
	char **words = mem_zalloc(((size_t)argc + 3) * sizeof(*words));
	char *path = sched_common.input ? mem_strdup(sched_common.input) : NULL;
	int n = 0, status;

	words[n++] = name;
	if (path) {
		words[n++] = input;
		words[n++] = path;
	}
	for (int i = 1; i < argc; i++)
		words[n++] = argv[i];
	status = cmd_script.run(n, words);
	free(words);
	free(path);
	return status;
}

const struct command cmd_sched_script = {
	.name = "sched script",
	.summary = "the events one by one, as sonde script prints them",
	.usage = "[options]",
	.run = run_script,
	.confine = CONFINE_READ,
};
