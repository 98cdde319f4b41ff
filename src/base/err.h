/* SPDX-License-Identifier: MIT */
/*
 * err: how a function says what went wrong.
 *
 * Every function that can fail returns 0 or a negative errno and takes a
 * `struct err *` as its last parameter.  On failure it holds one whole
 * sentence without a final newline: what failed with the subject quoted, the
 * cause, and what to try.  On success it is untouched.  NULL is allowed where
 * the caller does not want the message.
 *
 * Libraries describe errors; only src/cmd prints them or exits.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

struct err {
	int code;        /* positive errno, 0 when nothing failed */
	char msg[1024];
};

#define ERR_INIT { 0, "" }

/* Fill *err (if not NULL) with a message and return -code. */
int err_set(struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "prefix: " before the message that *err already holds; returns -err->code. */
int err_prefix(struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
