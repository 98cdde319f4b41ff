/* SPDX-License-Identifier: MIT */
#include "engine/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

static int wrong(const char *text, const char *what, struct err *err)
{
	return err_set(err, EINVAL, "--control takes fd:CTL[,ACK] with descriptors or fifo:CTL[,ACK] "
		       "with named pipes, not '%s'%s%s", text, *what ? ": " : "", what);
}

/* A descriptor that is open; the command that is run shall not have it. */
static int take_fd(const char *word, int *fd)
{
	uint64_t n;

	if (str_u64(word, &n) < 0 || n > INT32_MAX)
		return -EINVAL;
	if (fcntl((int)n, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	*fd = (int)n;
	return 0;
}

/*
 * For reading and writing, so that it neither waits for its other end nor ends when that
 * goes (fifo(7)).
 */
static int open_fifo(const char *path, int *fd)
{
	struct stat st;

	*fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (*fd < 0)
		return -errno;
	if (fstat(*fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return 0;
	close(*fd);
	*fd = -1;
	return -EINVAL;
}

static int open_word(struct control *c, const char *word, int *fd, struct err *err)
{
	int r = c->is_fifo ? open_fifo(word, fd) : take_fd(word, fd);

	if (r == -EINVAL)
		return err_set(err, EINVAL, "--control: '%s' is no %s", word,
			       c->is_fifo ? "named pipe; mkfifo makes one" : "file descriptor");
	if (r < 0)
		return err_set(err, -r, "--control: cannot use %s '%s': %s",
			       c->is_fifo ? "the named pipe" : "file descriptor", word, strerror(-r));
	return 0;
}

int control_open(struct control *c, const char *text, struct err *err)
{
	char *words = mem_strdup(text), *ctl, *ack;
	int r;

	memset(c, 0, sizeof(*c));
	c->fd = c->ack_fd = -1;
	ctl = strchr(words, ':');
	c->is_fifo = str_starts(text, "fifo:");
	if (!ctl || (!c->is_fifo && !str_starts(text, "fd:")) || !ctl[1]) {
		r = wrong(text, "", err);
		goto out;
	}
	*ctl++ = '\0';
	ack = strchr(ctl, ',');
	if (ack)
		*ack++ = '\0';
	if (!*ctl || (ack && !*ack)) {
		r = wrong(text, "a part is empty", err);
		goto out;
	}
	r = open_word(c, ctl, &c->fd, err);
	if (r == 0 && ack)
		r = open_word(c, ack, &c->ack_fd, err);
	if (r < 0)
		control_close(c);
out:
	free(words);
	return r;
}

void control_close(struct control *c)
{
	if (c->is_fifo && c->fd >= 0)
		close(c->fd);
	if (c->is_fifo && c->ack_fd >= 0)
		close(c->ack_fd);
	c->fd = c->ack_fd = -1;
}

static const struct {
	const char *word;
	enum control_verb verb;
} verbs[] = {
	{ "enable", CONTROL_ENABLE }, { "disable", CONTROL_DISABLE },
	{ "snapshot", CONTROL_SNAPSHOT }, { "ping", CONTROL_PING },
	{ "stop", CONTROL_STOP }, { "evlist", CONTROL_EVLIST },
};

/* evlist's letters, as perf's: -v -g -F. */
static bool take_letters(const char *rest, struct control_command *out)
{
	for (; *rest; rest++) {
		out->verbose |= *rest == 'v';
		out->group |= *rest == 'g';
		out->freq |= *rest == 'F';
		if (!strchr("-vgF ", *rest))
			return false;
	}
	return true;
}

static char *cut_blanks(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	for (len = strlen(text); len && strchr(" \t\r", text[len - 1]); len--)
		text[len - 1] = '\0';
	return text;
}

void control_parse(char *line, struct control_command *out)
{
	char *text = cut_blanks(line), *rest;
	size_t len = strcspn(text, " ");

	*out = (struct control_command){ .verb = CONTROL_UNKNOWN, .text = text };
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strlen(verbs[i].word) == len && strncmp(verbs[i].word, text, len) == 0)
			out->verb = verbs[i].verb;
	rest = text + len + strspn(text + len, " ");
	if (!*rest)
		return;
	if (out->verb == CONTROL_ENABLE || out->verb == CONTROL_DISABLE) {
		size_t n = strlen(rest);

		/* perf's manual writes the name in quotes. */
		if (n > 1 && *rest == '\'' && rest[n - 1] == '\'') {
			rest[n - 1] = '\0';
			rest++;
		}
		out->event = rest;
	} else if (out->verb != CONTROL_EVLIST || !take_letters(rest, out)) {
		out->verb = CONTROL_UNKNOWN;
	}
}

/* Take what can be read without waiting. */
static void fill(struct control *c)
{
	while (c->len < sizeof(c->bytes) && !c->ended) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, 0) < 1)
			return;
		n = read(c->fd, c->bytes + c->len, sizeof(c->bytes) - c->len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0)
			c->ended = true;
		else
			c->len += (size_t)n;
	}
}

/* The bytes of the first line without its end, or false. perf takes NUL for an end as well. */
static bool first_line(const struct control *c, size_t *len)
{
	for (*len = 0; *len < c->len; ++*len)
		if (c->bytes[*len] == '\n' || c->bytes[*len] == '\0')
			return true;
	return false;
}

bool control_next(struct control *c, struct control_command *out)
{
	while (c->fd >= 0) {
		size_t len;

		fill(c);
		if (!first_line(c, &len)) {
			if (c->len < sizeof(c->bytes))
				return false;
			c->skip = true;
			c->len = 0;
			continue;
		}
		memcpy(c->line, c->bytes, len);
		c->line[len] = '\0';
		c->len -= len + 1;
		memmove(c->bytes, c->bytes + len + 1, c->len);
		if (c->skip) {
			c->skip = false;
			snprintf(c->line, sizeof(c->line), "(a line of over %d bytes)", CONTROL_LINE_MOST);
		}
		control_parse(c->line, out);
		if (*out->text)
			return true;
	}
	return false;
}

void control_answer(struct control *c, bool good)
{
	const char *text = good ? "ack\n" : "nack\n";
	struct pollfd p = { .fd = c->ack_fd, .events = POLLOUT };

	if (c->ack_fd < 0)
		return;
	/* a pipe that polls as writable takes a line whole (pipe(7), PIPE_BUF) */
	if (poll(&p, 1, 0) == 0) {
		if (!c->unread)
			log_info("--control: cannot answer: nobody reads the answers");
		c->unread = true;
		return;
	}
	c->unread = false;
	while (write(c->ack_fd, text, strlen(text)) < 0)
		if (errno != EINTR) {
			log_info("--control: cannot answer: %s", strerror(errno));
			return;
		}
}
