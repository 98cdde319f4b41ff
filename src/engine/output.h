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
 *
 * In directory format NAME is a folder, mode 0700, with the files "data" and data.0, data.1,
 * ... of mode 0600 (perf.data-directory-format.txt in Linux's tools/perf/Documentation). What
 * was there before is kept as NAME.old whichever of the two it was; a folder that is no
 * recording is never moved.
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
	int dir_fd;                      /* of directory format; -1: one file */
	unsigned nr_parts;               /* data.0 to data.(nr_parts - 1) */
};

/* Not open yet. */
#define OUTPUT_NONE { .fd = -1, .dir_fd = -1 }

/* Whether a file could be written there, without touching anything. */
int output_check(const char *path, struct err *err);

/* The same for output_open and, `parts`, for output_open_parts. */
int output_check_recording(const char *path, bool parts, struct err *err);

/* "-" is standard output. */
int output_open(struct output *out, const char *path, struct err *err);

/* A folder instead of a file; the fd is that of its "data". */
int output_open_parts(struct output *out, const char *path, struct err *err);

/* The next of the files data.0, data.1, ...: its fd, which is the caller's, or -errno. */
int output_add_part(struct output *out, struct err *err);

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
void output_release(struct output *out);         /* frees names; does not close the fd */

/*
 * output_parts.c, for output.c: whether there is a folder with the files of a recording in it
 * and nothing else. And its end; -ENOTDIR where there is none.
 */
bool output_is_folder(const char *file);
int output_remove_folder(const char *file);
void output_remove_parts(struct output *out);    /* it takes no descriptor to do so */
int output_create_in(int dir_fd, const char *name);      /* fd, or -errno */

#endif
