/* SPDX-License-Identifier: MIT */
/*
 * control: commands that come while a recording runs (--control).
 *
 *	fd:CTL[,ACK]      descriptors that were inherited
 *	fifo:CTL[,ACK]    named pipes that are there already
 *
 *	their end --> "enable\n" "disable cycles\n" "ping\n" ... --> control_next
 *	        <-- "ack\n", or "nack\n" for what is no command <-- control_answer
 *
 * perf record's commands in perf record's words.  perf answers "ack" to everything; here
 * a word that is not known gets "nack", so that who waits for an answer has one.
 *
 * One thread.
 */
#ifndef ENGINE_CONTROL_H
#define ENGINE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum control_verb {
	CONTROL_ENABLE,
	CONTROL_DISABLE,
	CONTROL_SNAPSHOT,
	CONTROL_PING,
	CONTROL_STOP,
	CONTROL_EVLIST,
	CONTROL_UNKNOWN,
};

struct control_command {
	enum control_verb verb;
	const char *text;                /* the whole line; the control's, until the next one */
	const char *event;               /* enable, disable: of this name only; NULL: all */
	bool verbose, freq, group;       /* evlist -v -F -g */
};

#define CONTROL_LINE_MOST 4096

struct control {
	int fd, ack_fd;                  /* -1: none */
	bool is_fifo;                    /* then both are ours to close */
	bool ended, skip;                /* nobody writes any more; in a line that is too long */
	bool unread;                     /* the last answer found no room */
	size_t len;                      /* of `bytes` */
	char bytes[CONTROL_LINE_MOST];
	char line[CONTROL_LINE_MOST];
};

/* Open what --control names. -EINVAL and others with a message; nothing is open then. */
int control_open(struct control *c, const char *text, struct err *err);
void control_close(struct control *c);

/* The next command that has come whole. False: there is none now. Never waits. */
bool control_next(struct control *c, struct control_command *out);

/*
 * Say that the command was carried out, or that it was none. Never waits: an answer for which
 * there is no room, since nobody reads them, is left out with a remark.
 */
void control_answer(struct control *c, bool good);

/* One line, without its end, into a command; pointers are into `line`, which is changed. */
void control_parse(char *line, struct control_command *out);

#endif
