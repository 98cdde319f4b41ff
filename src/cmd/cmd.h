/* SPDX-License-Identifier: MIT */
/*
 * cmd: the subcommands.
 *
 * To add one:
 *   1. src/cmd/NAME.c with `const struct command cmd_NAME`, its option table and
 *      its run function (argv[0] is the subcommand's name; the return value is
 *      the exit status).
 *   2. a line here and one in main.c's table.
 *   3. doc/sonde-NAME.md, a line in README.md, tests.
 *
 * Only this room prints to standard error and exits.  Exit statuses: 0 success;
 * 1 the work failed; 129 wrong usage; for a command that is run under sonde its
 * own status (127 not found, 126 not executable, 128+N ended by signal N).
 */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include <stdio.h>

#include "base/err.h"
#include "base/opt.h"
#include "cmd/secure.h"

struct command {
	const char *name;
	const char *summary;     /* one line of `sonde help`, no capital, no full stop */
	const char *usage;       /* "[options] [--] [CMD [ARG...]]" */
	int (*run)(int argc, char **argv);
	bool hidden;
	enum confine confine;    /* before it runs */
};

extern const struct command cmd_record;
extern const struct command cmd_stat;
extern const struct command cmd_list;
extern const struct command cmd_doctor;
extern const struct command cmd_top;
extern const struct command cmd_report;
extern const struct command cmd_annotate;
extern const struct command cmd_diff;
extern const struct command cmd_script;
extern const struct command cmd_sched;
extern const struct command cmd_fold;
extern const struct command cmd_flame;
extern const struct command cmd_export;
extern const struct command cmd_evlist;
extern const struct command cmd_buildid_list;
extern const struct command cmd_pack;
extern const struct command cmd_cache;
extern const struct command cmd_version;

#define EXIT_USAGE 129

/* "sonde NAME: MESSAGE" on standard error, names made safe for a terminal. */
void cmd_error(const char *command, const struct err *err);

/* "sonde: LINE" on standard error, for the fall-backs; silent with -q. */
void cmd_quiet(bool quiet);

/* Columns of the terminal that `out` writes to, or `otherwise` where it is none. */
int cmd_columns(FILE *out, int otherwise);
int cmd_lines(FILE *out, int otherwise);

/*
 * Print text, which begins in `column`, broken at blanks so that no line is wider than
 * `width`; lines after the first begin in `indent`. Ends with a newline.
 */
void cmd_wrap(FILE *out, const char *text, int column, int indent, int width);

/* Run sonde record for another command: under its name, without a word on the file written. */
int cmd_record_for(const char *name, int argc, char **argv);

/*
 * Between these two, work that takes over half a second says on standard error how far it
 * is, if that is a terminal. The end erases it, and is to come before any output.
 */
void cmd_progress_begin(bool quiet);
void cmd_progress_end(void);

/*
 * Parse with base/opt; prints help (-h, --help), the option list
 * (--list-options, for completion) or the error itself. Returns -1 to go on, or
 * the exit status to return.
 */
int cmd_options(const struct command *command, const struct opt *opts, unsigned flags, int argc,
		char **argv, int *nr_words);

#endif
