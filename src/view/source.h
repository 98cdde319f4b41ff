/* SPDX-License-Identifier: MIT */
/*
 * source: lines of source files, found where they are now.
 *
 *	0. in the module's debug information, if the compiler embedded it
 *	1. as the compiler wrote the path; or with `prefix` before it, after the first
 *	   prefix_strip folders are taken off
 *	2. below source_dir: the whole path, then ever less of its front: a/b/c.c, b/c.c, c.c
 *	3. from a debuginfod server, where one is to be asked (symbols/debuginfod.h)
 *
 * A file is read once.  One that is missing, too large or not text costs one remark
 * (base/log) and has no lines.  Paths come from files: only regular files are opened.
 */
#ifndef VIEW_SOURCE_H
#define VIEW_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct module;
struct sources;

struct sources_options {
	const char *prefix;              /* NULL: none */
	unsigned prefix_strip;
	const char *source_dir;          /* NULL: none */
};

struct sources *sources_new(const struct sources_options *options);
void sources_free(struct sources *sources);

/* The module that the files asked for from here on are of: it may have them embedded. */
void sources_set_module(struct sources *sources, struct module *module);

/* Line `line`, from 1, without its end; NULL if there is none. Borrowed; not ended by NUL. */
const char *sources_line(struct sources *sources, const char *file, uint32_t line, size_t *len);

/* How many lines the file has; 0 if it cannot be had. */
uint32_t sources_count(struct sources *sources, const char *file);

#endif
