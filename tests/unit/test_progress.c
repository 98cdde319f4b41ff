/* SPDX-License-Identifier: MIT */
/* Progress: not before half a second, only on a terminal, and erased at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/progress.h"
#include "cmd/cmd.h"

/* What is written to standard error, a terminal or a pipe, when work says this twice. */
static void said(bool terminal, bool quiet, useconds_t between, char *out, size_t size)
{
	int fds[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	if (terminal ? openpty(&fds[0], &fds[1], NULL, NULL, NULL) : pipe(fds)) {
		print_message("skipped: there is no pseudo terminal to be had\n");
		skip();
	}
	dup2(fds[1], STDERR_FILENO);
	cmd_progress_begin(quiet);
	progress("counting", 1, 4);
	usleep(between);
	progress("counting", 2, 4);
	progress("counting", 3, 4);
	cmd_progress_end();
	dup2(saved, STDERR_FILENO);
	close(saved);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	n = read(fds[0], out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	close(fds[1]);
}

static void late_once_and_erased(void **state)
{
	char text[256];

	(void)state;
	setenv("TERM", "xterm", 1);
	said(true, false, 600000, text, sizeof(text));
	assert_string_equal(text, "\rcounting:  50%\033[K\r\033[K");
}

static void short_work_says_nothing(void **state)
{
	char text[256];

	(void)state;
	setenv("TERM", "xterm", 1);
	said(true, false, 1000, text, sizeof(text));
	assert_string_equal(text, "");
}

static void nothing_is_said_where_no_one_looks(void **state)
{
	char text[256];

	(void)state;
	setenv("TERM", "xterm", 1);
	said(false, false, 600000, text, sizeof(text));
	assert_string_equal(text, "");
	said(true, true, 600000, text, sizeof(text));
	assert_string_equal(text, "");
	setenv("TERM", "dumb", 1);
	said(true, false, 600000, text, sizeof(text));
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_once_and_erased),
		cmocka_unit_test(short_work_says_nothing),
		cmocka_unit_test(nothing_is_said_where_no_one_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
