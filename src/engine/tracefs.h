/* SPDX-License-Identifier: MIT */
/*
 * tracefs: where it is, and which tracepoints it has.
 *
 * The default place is looked for once: /sys/kernel/tracing, then
 * /sys/kernel/debug/tracing; where neither has events and this process may,
 * tracefs is mounted on the first (and a remark says so).  One thread.
 */
#ifndef ENGINE_TRACEFS_H
#define ENGINE_TRACEFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * The folder of tracefs, or NULL and a message with the command that would give
 * it. `given` is what an event_env names, or NULL; it is returned as it is.
 */
const char *tracefs_dir(const char *given, struct err *err);

/* The same without mounting anything: NULL if it is not to be had right now. */
const char *tracefs_dir_quiet(void);

/* The command that opens it to the user's group; caller frees. */
char *tracefs_grant(void);

/* Read the id of one tracepoint. -ENOENT, -EACCES, ... with a message. */
int tracefs_id(const char *tracefs, const char *system, const char *name, uint64_t *id,
	       struct err *err);

/*
 * Call fn for each tracepoint whose system and name match the globs, sorted.
 * Stops at the first non-zero return and returns it. Ftrace's own entries (id
 * file missing) are passed over. -errno with a message when the folder cannot be
 * read.
 */
int tracefs_each(const char *tracefs, const char *system_glob, const char *name_glob,
		 int (*fn)(const char *system, const char *name, void *arg), void *arg,
		 struct err *err);

/* One field of a tracepoint, out of its `format` file. */
struct tracefs_field {
	char *name, *type;       /* "comm", "char[16]" */
	unsigned offset, size;
	bool is_signed, is_string, is_dynamic, is_array;
};

struct tracefs_format {
	struct tracefs_field *v;
	uint32_t nr;
	char *print;             /* the text behind "print fmt: ", or NULL */
};

int tracefs_format_read(const char *tracefs, const char *system, const char *name,
			struct tracefs_format *format, struct err *err);

/* Parse the text of a format file; lines that are no fields are passed over. */
void tracefs_format_parse(const char *text, struct tracefs_format *format);
void tracefs_format_release(struct tracefs_format *format);

#endif
