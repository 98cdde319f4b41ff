/* SPDX-License-Identifier: MIT */
/* control: commands as they come, whole, in pieces, too long and wrong, and their answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/control.h"

static struct control_command parse(const char *text)
{
	static char line[256];
	struct control_command c;

	snprintf(line, sizeof(line), "%s", text);
	control_parse(line, &c);
	return c;
}

static void words(void **state)
{
	(void)state;
	assert_int_equal(parse("enable").verb, CONTROL_ENABLE);
	assert_null(parse("enable").event);
	assert_string_equal(parse("disable cpu-clock").event, "cpu-clock");
	assert_string_equal(parse("enable 'sched:sched_switch'").event, "sched:sched_switch");
	assert_int_equal(parse(" ping \r").verb, CONTROL_PING);
	assert_int_equal(parse("stop").verb, CONTROL_STOP);
	assert_int_equal(parse("snapshot").verb, CONTROL_SNAPSHOT);
	assert_int_equal(parse("evlist").verb, CONTROL_EVLIST);
	assert_true(parse("evlist -v").verbose);
	assert_true(parse("evlist -F").freq);
	assert_true(parse("evlist -g").group);
	assert_int_equal(parse("evlist -x").verb, CONTROL_UNKNOWN);
	assert_int_equal(parse("stop now").verb, CONTROL_UNKNOWN);
	assert_int_equal(parse("enabled").verb, CONTROL_UNKNOWN);
	assert_int_equal(parse("pin").verb, CONTROL_UNKNOWN);
}

static void put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void through_pipes(void **state)
{
	struct control_command command;
	struct err err = ERR_INIT;
	struct control c;
	int ctl[2], ack[2];
	char text[64], answer[64];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(ctl), 0);
	assert_int_equal(pipe(ack), 0);
	snprintf(text, sizeof(text), "fd:%d,%d", ctl[0], ack[1]);
	assert_int_equal(control_open(&c, text, &err), 0);
	assert_int_equal(fcntl(ctl[0], F_GETFD), FD_CLOEXEC);
	assert_false(control_next(&c, &command));
	put(ctl[1], "en");
	assert_false(control_next(&c, &command));
	put(ctl[1], "able\n\nping\ndis");
	assert_true(control_next(&c, &command));
	assert_int_equal(command.verb, CONTROL_ENABLE);
	assert_true(control_next(&c, &command));
	assert_int_equal(command.verb, CONTROL_PING);
	assert_false(control_next(&c, &command));
	put(ctl[1], "able x\nstop\n");
	assert_true(control_next(&c, &command));
	assert_int_equal(command.verb, CONTROL_DISABLE);
	assert_string_equal(command.event, "x");
	close(ctl[1]);
	assert_true(control_next(&c, &command));
	assert_int_equal(command.verb, CONTROL_STOP);
	assert_false(control_next(&c, &command));
	assert_true(c.ended);
	control_answer(&c, true);
	control_answer(&c, false);
	n = read(ack[0], answer, sizeof(answer));
	assert_int_equal(n, 9);
	assert_memory_equal(answer, "ack\nnack\n", 9);
	control_close(&c);
	/* they were not ours */
	assert_int_equal(close(ctl[0]), 0);
	assert_int_equal(close(ack[0]), 0);
	assert_int_equal(close(ack[1]), 0);
}

/* Of a pipe that nobody reads. */
static void unread_answers(void **state)
{
	struct err err = ERR_INIT;
	struct control c;
	int ctl[2], ack[2];
	char text[64], answer[8];

	(void)state;
	assert_int_equal(pipe(ctl), 0);
	assert_int_equal(pipe(ack), 0);
	snprintf(text, sizeof(text), "fd:%d,%d", ctl[0], ack[1]);
	assert_int_equal(control_open(&c, text, &err), 0);
	alarm(60);
	for (int i = 0; i < fcntl(ack[1], F_GETPIPE_SZ); i++)
		control_answer(&c, true);
	alarm(0);
	/* those that found room are whole */
	assert_int_equal(read(ack[0], answer, 4), 4);
	assert_memory_equal(answer, "ack\n", 4);
	control_close(&c);
	for (int i = 0; i < 2; i++) {
		close(ctl[i]);
		close(ack[i]);
	}
}

static void too_long(void **state)
{
	char *line = calloc(1, 3 * CONTROL_LINE_MOST + 1);
	struct control_command command;
	struct err err = ERR_INIT;
	struct control c;
	char text[64];
	int ctl[2];

	(void)state;
	assert_int_equal(pipe(ctl), 0);
	snprintf(text, sizeof(text), "fd:%d", ctl[0]);
	assert_int_equal(control_open(&c, text, &err), 0);
	memset(line, 'x', 3 * CONTROL_LINE_MOST);
	put(ctl[1], line);
	put(ctl[1], "\nping\n");
	assert_true(control_next(&c, &command));
	assert_int_equal(command.verb, CONTROL_UNKNOWN);
	assert_true(control_next(&c, &command));
	assert_int_equal(command.verb, CONTROL_PING);
	control_answer(&c, true);                /* to nobody */
	control_close(&c);
	close(ctl[0]);
	close(ctl[1]);
	free(line);
}

static void wrong(void **state)
{
	static const char *const texts[] = { "", "fd", "fd:", "fd:x", "fd:,1", "fd:-1", "fd:999999", "fd:1,",
					     "fd:1,x", "pipe:1", "fifo:", "fifo:/no/such/pipe",
					     "fifo:/dev/null", "fifo:/", "1,2" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct err err = ERR_INIT;
		struct control c;

		assert_true(control_open(&c, texts[i], &err) < 0);
		assert_non_null(strstr(err.msg, "--control"));
		assert_int_equal(c.fd, -1);
	}
}

static void named_pipes(void **state)
{
	char folder[] = "/tmp/test_control.XXXXXX", ctl[64], ack[64], text[160], answer[8];
	struct control_command command;
	struct err err = ERR_INIT;
	struct control c;
	int in, out;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(ctl, sizeof(ctl), "%s/ctl", folder);
	snprintf(ack, sizeof(ack), "%s/ack", folder);
	assert_int_equal(mkfifo(ctl, 0600), 0);
	assert_int_equal(mkfifo(ack, 0600), 0);
	snprintf(text, sizeof(text), "fifo:%s,%s", ctl, ack);
	assert_int_equal(control_open(&c, text, &err), 0);
	/* writers come and go */
	for (int i = 0; i < 2; i++) {
		assert_false(control_next(&c, &command));
		out = open(ctl, O_WRONLY);
		put(out, "ping\n");
		close(out);
		assert_true(control_next(&c, &command));
		assert_false(c.ended);
	}
	control_answer(&c, true);
	in = open(ack, O_RDONLY | O_NONBLOCK);
	assert_int_equal(read(in, answer, sizeof(answer)), 4);
	close(in);
	control_close(&c);
	unlink(ctl);
	unlink(ack);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(through_pipes),
		cmocka_unit_test(unread_answers),
		cmocka_unit_test(too_long),
		cmocka_unit_test(wrong),
		cmocka_unit_test(named_pipes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
