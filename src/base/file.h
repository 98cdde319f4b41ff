/* SPDX-License-Identifier: MIT */
/*
 * file: whole small text files, as sysfs, procfs and tracefs have them.
 *
 * One open, as few reads as it takes, one close; no stdio.  Threads: any.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * Read at most size - 1 bytes of the file into buf, end them with NUL and cut
 * one final newline off. Returns the length or a negative errno (buf is then "").
 */
ssize_t file_read_small(const char *path, char *buf, size_t size);

/* The same below an open folder. */
ssize_t file_read_small_at(int dir_fd, const char *path, char *buf, size_t size);

/*
 * A new file without a name, for what is too big for memory: in TMPDIR or /tmp, or in memory
 * where neither takes one. Its descriptor, or a negative errno.
 */
int file_temporary(void);

/*
 * A stream of a descriptor, which is closed where there can be none (the errno of either
 * failure stays); fd -1, of an open that failed: NULL, with its errno.
 */
FILE *file_of(int fd, const char *mode);

/* Read the whole file, at most `most` bytes, into memory that the caller frees; NULL: errno. */
char *file_read_all(const char *path, size_t most, size_t *len);

#endif
