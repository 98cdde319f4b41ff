/* SPDX-License-Identifier: MIT */
/*
 * outfile: a file that a command writes for its user: a picture, a page, an export.
 *
 * It is written beside its place and moved there when it is whole, so that a run that
 * fails leaves what was there before. "-" is standard output; what is no regular file (a
 * pipe, /dev/stdout) is written to as it is.
 */
#ifndef CMD_OUTFILE_H
#define CMD_OUTFILE_H

#include <stdio.h>

#include "base/err.h"
#include "base/str.h"

struct outfile {
	FILE *out;
	const char *path;                /* the caller's */
	struct str temporary;            /* empty: written in place */
};

int outfile_open(struct outfile *file, const char *path, struct err *err);

/*
 * End it: close it and put it in its place, or remove it if writing has failed already
 * (r < 0). Returns 0, or r or what closing and moving failed with; the message names the
 * path.
 */
int outfile_end(struct outfile *file, int r, struct err *err);

#endif
