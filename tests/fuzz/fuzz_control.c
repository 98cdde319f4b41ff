/* SPDX-License-Identifier: MIT */
/*
 * What comes through --control, in the pieces that a pipe hands over: u8 size of each, bytes.
 * Whatever is written, a command is one line, and what comes after a line is not lost with it.
 */
#include <fcntl.h>

#include "engine/control.h"
#include "tests/fuzz/fuzz.h"

static size_t take_all(struct control *c)
{
	struct control_command command;
	size_t nr = 0;

	for (; control_next(c, &command); nr++) {
		fuzz_assert(command.text[0] && strlen(command.text) < CONTROL_LINE_MOST);
		fuzz_assert(!strchr(command.text, '\n') && command.verb <= CONTROL_UNKNOWN);
		fuzz_assert(!command.event || command.verb == CONTROL_ENABLE ||
			    command.verb == CONTROL_DISABLE);
		control_answer(c, command.verb != CONTROL_UNKNOWN);
	}
	return nr;
}

/* Lines that are not blank, or so long that nobody looks. */
static size_t count_lines(const uint8_t *bytes, size_t size)
{
	size_t nr = 0;

	for (size_t from = 0, i = 0; i < size; i++) {
		if (bytes[i] != '\n' && bytes[i])
			continue;
		if (i - from < CONTROL_LINE_MOST)
			while (from < i && strchr(" \t\r", bytes[from]))
				from++;
		nr += from < i;
		from = i + 1;
	}
	return nr;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct control c = { .ack_fd = open("/dev/null", O_WRONLY | O_CLOEXEC) };
	size_t piece = size ? (size_t)bytes[0] * 64 + 1 : 1, nr = 0;
	int ends[2];

	if (!size || pipe2(ends, O_CLOEXEC) < 0) {
		close(c.ack_fd);
		return 0;
	}
	c.fd = ends[0];
	for (size_t at = 1; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		if (write(ends[1], bytes + at, n) != (ssize_t)n)
			exit(2);
		nr += take_all(&c);
	}
	close(ends[1]);
	nr += take_all(&c);
	fuzz_assert(nr == count_lines(bytes + 1, size - 1));
	close(ends[0]);
	close(c.ack_fd);
	return 0;
}
