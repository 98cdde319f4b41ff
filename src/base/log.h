/* SPDX-License-Identifier: MIT */
/*
 * log: remarks that are not errors, on their way to whoever speaks.
 *
 * A library that falls back, shrinks a buffer or skips a record says so with
 * log_note; it does not know who listens.  src/cmd installs the sink (standard
 * error, quiet under -q); tests install their own to look at what was said.
 * Without a sink remarks are dropped.
 *
 * One remark is one whole line, without the newline.  Threads: any.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
	LOG_NOTE,        /* a fall-back or a loss the user must know of */
	LOG_INFO,        /* shown with -v */
	LOG_DEBUG,       /* shown with -v -v */
};

typedef void log_sink(enum log_level level, const char *line, void *arg);

void log_set_sink(log_sink *sink, void *arg);
void log_set_level(enum log_level most);             /* default LOG_NOTE */

void log_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
