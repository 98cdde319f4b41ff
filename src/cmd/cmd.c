/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/log.h"
#include "base/str.h"

static bool quiet_remarks;

/*
 * A message may go on in lines that are indented by two (a filter with a caret
 * below it); every other line break came with a name and is shown as \x0a.
 */
static void add_lines(struct str *line, const char *text)
{
	const char *end;

	while ((end = strstr(text, "\n  "))) {
		struct str part = STR_INIT;

		str_addn(&part, text, (size_t)(end - text));
		str_add_safe(line, part.p);
		str_release(&part);
		str_addc(line, '\n');
		text = end + 1;
	}
	str_add_safe(line, text);
}

/*
 * One line on standard error, in one write where it is short enough, after what
 * stands in standard output's buffer so that both come in order on a terminal.
 */
static void say(const char *command, const char *text)
{
	struct str line = STR_INIT;

	str_add(&line, "sonde");
	if (command)
		str_addf(&line, " %s", command);
	str_add(&line, ": ");
	add_lines(&line, text);
	str_addc(&line, '\n');
	fflush(stdout);
	fwrite(line.p, 1, line.len, stderr);
	str_release(&line);
}

void cmd_error(const char *command, const struct err *err)
{
	say(command, err->msg[0] ? err->msg : strerror(err->code));
}

static void remark(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	if (level == LOG_NOTE && quiet_remarks)
		return;
	say(NULL, line);
}

void cmd_quiet(bool quiet)
{
	quiet_remarks = quiet;
	log_set_sink(remark, NULL);
}

int cmd_columns(FILE *out, int otherwise)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return otherwise;
	return size.ws_col;
}

int cmd_lines(FILE *out, int otherwise)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) < 0 || !size.ws_row)
		return otherwise;
	return size.ws_row;
}

void cmd_wrap(FILE *out, const char *text, int column, int indent, int width)
{
	struct str safe = STR_INIT;
	const char *s;

	str_add_safe(&safe, text);
	for (s = safe.p; *s; column = indent) {
		size_t room = width > column ? (size_t)(width - column) : 0, n = strlen(s);

		if (n > room) {
			for (n = room; n && s[n] != ' '; n--)
				;
			if (!n)
				n = strcspn(s, " ");
		}
		fprintf(out, "%.*s\n", (int)n, s);
		s += n;
		s += strspn(s, " ");
		if (*s)
			fprintf(out, "%*s", indent, "");
	}
	str_release(&safe);
}

static void print_help(const struct command *command, const struct opt *opts)
{
	printf("usage: sonde %s %s\n\n%c%s.\n", command->name, command->usage,
	       toupper((unsigned char)command->summary[0]), command->summary + 1);
	if (opts->kind != OPT_KIND_SECTION && opts->kind != OPT_KIND_END)
		putchar('\n');
	opt_print(opts, stdout);
}

int cmd_options(const struct command *command, const struct opt *opts, unsigned flags, int argc,
		char **argv, int *nr_words)
{
	struct err err = ERR_INIT;
	int r;

	if (argc == 2 && strcmp(argv[1], "--list-options") == 0) {
		opt_print_list(opts, stdout);
		return 0;
	}
	r = opt_parse(opts, flags, argc, argv, nr_words, &err);
	if (r == 0)
		return -1;
	if (r > 0) {
		print_help(command, opts);
		return 0;
	}
	cmd_error(command->name, &err);
	/* the option is right, but what it asks for is not for this user */
	return err.code == EACCES || err.code == EPERM ? 1 : EXIT_USAGE;
}
