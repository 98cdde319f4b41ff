/* SPDX-License-Identifier: MIT */
/*
 * output: open the file that a recording goes to, with care.
 *
 * perf.data holds what other processes do, and is often written by root in a
 * folder where others may write:
 *	- a new file, mode 0600, never an existing one opened (O_EXCL, O_NOFOLLOW);
 *	- the previous file stays as NAME.old;
 *	- a symbolic link is followed only if it belongs to us or to root;
 *	- under sudo the file is given to the user who called sudo.
 * Pipes and devices are written to as they are.
 */
#ifndef ENGINE_OUTPUT_H
#define ENGINE_OUTPUT_H

#include <stdbool.h>

#include "base/err.h"

struct output {
	int fd;
	bool is_pipe;                    /* cannot be written at an offset */
	char *path;                      /* as given: for messages */
	char *file;                      /* where it really is; NULL: nothing was made */
	bool kept_old;                   /* file.old is the one that was there before */
};

/* Whether output_open would be likely to succeed, without touching anything. */
int output_check(const char *path, struct err *err);

/* "-" is standard output. */
int output_open(struct output *out, const char *path, struct err *err);

/*
 * Under sudo: give a file that was just made to the user who called it. One that
 * cannot be given away stays root's, which is no error.
 */
void output_give_to_caller(int fd);

/*
 * The file is complete: give it the name NAME.YYYYMMDDhhmmsscc of this moment, or the
 * next one that is free. *name (caller frees) is the whole of it, as `path` was given.
 */
int output_stamp(struct output *out, char **name, struct err *err);

/* Undo: remove the file, and put the previous one back. The fd is not closed. */
void output_abandon(struct output *out);
void output_release(struct output *out);         /* frees names; does not close */

#endif
