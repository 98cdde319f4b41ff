/* SPDX-License-Identifier: MIT */
/*
 * sonde: the table of commands and what holds for all of them.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"

static int run_help(int argc, char **argv);

static const struct command cmd_help = {
	.name = "help",
	.summary = "show this, or the help of a command",
	.usage = "[CMD]",
	.run = run_help,
};

/* In the order in which they are met. */
static const struct command *const commands[] = {
	&cmd_record,
	&cmd_top,
	&cmd_report,
	&cmd_annotate,
	&cmd_diff,
	&cmd_stat,
	&cmd_list,
	&cmd_doctor,
	&cmd_script,
	&cmd_sched,
	&cmd_fold,
	&cmd_flame,
	&cmd_export,
	&cmd_evlist,
	&cmd_buildid_list,
	&cmd_pack,
	&cmd_cache,
	&cmd_help,
	&cmd_version,
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_commands(FILE *out)
{
	fprintf(out, "Sonde finds out where programs spend their time.\n\n"
		     "usage: sonde CMD [options] [ARG...]\n\n");
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!commands[i]->hidden)
			fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "\nsonde CMD -h lists a command's options, man sonde-CMD explains them.\n"
		     "A first look:\n\n"
		     "  sonde record -g CMD      sample a command\n"
		     "  sonde report             where its time went\n"
		     "  sonde flame -ag sleep 5  draw the whole system\n");
}

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[NR_COMMANDS + 1], *near;
	struct err err = ERR_INIT;
	size_t n = 0;

	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!commands[i]->hidden)
			names[n++] = commands[i]->name;
	names[n] = NULL;
	near = str_nearest(name, names);
	if (near)
		err_set(&err, EINVAL, "there is no command '%s'; did you mean '%s'?", name, near);
	else
		err_set(&err, EINVAL, "there is no command '%s'; sonde help lists them", name);
	cmd_error(NULL, &err);
	return EXIT_USAGE;
}

static int run_help(int argc, char **argv)
{
	static const struct opt opts[] = { OPT_END };
	const struct command *command;
	char help[] = "-h", *words[3];
	int nr_words, status;

	status = cmd_options(&cmd_help, opts, 0, argc, argv, &nr_words);
	if (status >= 0)
		return status;
	if (!nr_words) {
		print_commands(stdout);
		return 0;
	}
	command = command_find(argv[0]);
	if (!command)
		return unknown_command(argv[0]);
	words[0] = argv[0];
	words[1] = help;
	words[2] = NULL;
	return command->run(2, words);
}

/* For completion: a name a line. */
static int list_commands(void)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!commands[i]->hidden)
			printf("%s\t%s\n", commands[i]->name, commands[i]->summary);
	return 0;
}

static int run(int argc, char **argv)
{
	static char version[] = "version", help[] = "help";
	const struct command *command;
	struct err err = ERR_INIT;

	if (argc < 2) {
		print_commands(stdout);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--list-commands") == 0)
		return list_commands();
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)
		argv[1] = help;
	if (strcmp(argv[1], "-v") == 0 || strcmp(argv[1], "--version") == 0)
		argv[1] = version;
	if (argv[1][0] == '-') {
		err_set(&err, EINVAL, "unknown option '%s'; a command comes first, and sonde help lists them",
			argv[1]);
		cmd_error(NULL, &err);
		return EXIT_USAGE;
	}
	command = command_find(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	secure_confine(command->confine);
	return command->run(argc - 1, argv + 1);
}

/* The first thing that cannot be had may be memory, so nothing is allocated here. */
static void out_of_memory(size_t size)
{
	char line[96];
	int n = snprintf(line, sizeof(line), "sonde: out of memory (%zu bytes were asked for)\n",
			 size);

	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		_exit(1);
	_exit(1);
}

/*
 * What was printed counts only when it arrived: a full disk behind `> file` is a
 * failure of the command. A reader that went away (| head) is not; SIGPIPE has
 * ended the process by then.
 */
static int finish_output(int status)
{
	struct err err = ERR_INIT;
	int code = 0;

	if (fflush(stdout) != 0)
		code = errno;
	else if (!ferror(stdout))
		return status;
	if (status)
		return status;           /* the command has said so */
	if (!code) {
		/* An earlier write failed, and its errno is gone; another one fails alike. */
		clearerr(stdout);
		code = fputc('\n', stdout) == EOF || fflush(stdout) ? errno : EIO;
	}
	err_set(&err, code, "cannot write to standard output: %s", strerror(code));
	cmd_error(NULL, &err);
	return 1;
}

/*
 * Large tables come and go: each has pages of its own, which are given back when it goes
 * and moved, not copied, when it grows. glibc would raise its limit for that with the first
 * one that is freed, and keep the next ones (mallopt(3), M_MMAP_THRESHOLD).
 */
#define OWN_PAGES_BYTES (256 * 1024)

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;

	mallopt(M_MMAP_THRESHOLD, OWN_PAGES_BYTES);
	mem_on_failure(out_of_memory);
	cmd_quiet(false);
	if (secure_start(&err) < 0) {
		cmd_error(NULL, &err);
		return 1;
	}
	/* Some parents (Python, cron) leave it ignored, and then `| head` ends in errors. */
	signal(SIGPIPE, SIG_DFL);
	return finish_output(run(argc, argv));
}
