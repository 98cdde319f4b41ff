/* SPDX-License-Identifier: MIT */
/*
 * programs: small programs that a test builds at run time, and what nm says of
 * them.  For tests of symbols only; included once per test program.
 */
#ifndef TESTS_PROGRAMS_H
#define TESTS_PROGRAMS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/vec.h"
#include "symbols/symbols.h"

static char program_dir[64];

static inline int programs_setup(void **state)
{
	(void)state;
	snprintf(program_dir, sizeof(program_dir), "/tmp/sonde-symbols-XXXXXX");
	return mkdtemp(program_dir) ? 0 : -1;
}

static inline int programs_teardown(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", program_dir);
	return system(cmd);
}

/* Run a shell command in the folder of programs: its exit status. */
static inline int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline int run(const char *fmt, ...)
{
	struct str cmd = STR_INIT;
	va_list ap;
	int ret;

	str_addf(&cmd, "cd '%s' && { ", program_dir);
	va_start(ap, fmt);
	str_addvf(&cmd, fmt, ap);
	va_end(ap);
	str_add(&cmd, "; }");
	ret = system(cmd.p);
	str_release(&cmd);
	return ret;
}

/* What a shell command prints; the caller frees it. */
static inline char *output_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline char *output_of(const char *fmt, ...)
{
	struct str cmd = STR_INIT, out = STR_INIT;
	char buf[65536];
	size_t n;
	va_list ap;
	FILE *pipe;

	str_addf(&cmd, "cd '%s' && { ", program_dir);
	va_start(ap, fmt);
	str_addvf(&cmd, fmt, ap);
	va_end(ap);
	str_add(&cmd, "; }");
	pipe = popen(cmd.p, "r");
	assert_non_null(pipe);
	while ((n = fread(buf, 1, sizeof(buf), pipe)) > 0)
		str_addn(&out, buf, n);
	pclose(pipe);
	str_release(&cmd);
	return str_take(&out);
}

static inline void need(const char *tool)
{
	if (run("command -v %s >/dev/null", tool) != 0) {
		print_message("skip: %s is not installed\n", tool);
		skip();
	}
}

static inline void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", program_dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static inline const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", program_dir, name);
	return path;
}

/* A line of nm -S. */
struct nm_symbol {
	uint64_t addr, size;
	char type, name[256];
};

struct nm_list {
	VEC(struct nm_symbol) v;
};

static inline void nm_read(struct nm_list *list, const char *options, const char *file)
{
	char *text = output_of("nm -S %s %s 2>/dev/null", options, file), *save = NULL;

	memset(list, 0, sizeof(*list));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct nm_symbol s = { 0 };
		unsigned long addr, size;

		if (sscanf(line, "%lx %lx %c %255[^\n]", &addr, &size, &s.type, s.name) != 4)
			continue;
		s.addr = addr;
		s.size = size;
		*vec_push(&list->v) = s;
	}
	free(text);
}

static inline bool nm_is_function(const struct nm_symbol *s)
{
	return s->size && strchr("tTwWi", s->type);
}

/* Whether nm knows a symbol of this name that starts here; versions ("@@V") are left out. */
static inline bool nm_has(const struct nm_list *list, uint64_t addr, const char *name)
{
	for (size_t i = 0; i < list->v.nr; i++) {
		size_t len = strcspn(list->v.v[i].name, "@");

		if (list->v.v[i].addr == addr && strncmp(list->v.v[i].name, name, len) == 0 &&
		    (!name[len] || name[len] == '@'))
			return true;
	}
	return false;
}

/* Every function that nm lists is named at its start, middle and last byte. How many. */
static inline size_t check_functions(struct module *module, const struct nm_list *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->v.nr; i++) {
		const struct nm_symbol *s = &list->v.v[i];
		uint64_t at[3] = { s->addr, s->addr + s->size / 2, s->addr + s->size - 1 };

		if (!nm_is_function(s))
			continue;
		n++;
		for (int j = 0; j < 3; j++) {
			struct symbol found;

			module_symbol(module, at[j], &found);
			if (!found.name || found.is_range || !nm_has(list, found.start, found.name) ||
			    at[j] >= found.end)
				fail_msg("%s: %lx: nm says %s (%lx+%lx), but it is %s (%lx-%lx)",
					 module->path, at[j], s->name, s->addr, s->size,
					 found.name ? found.name : name_reason_text(found.reason),
					 found.start, found.end);
		}
	}
	return n;
}

static inline void must_be(struct module *module, uint64_t addr, const char *name)
{
	struct symbol found;

	module_symbol(module, addr, &found);
	if (!found.name || strcmp(found.name, name) != 0)
		fail_msg("%s: %lx: %s expected, but it is %s", module->path, addr, name,
			 found.name ? found.name : name_reason_text(found.reason));
}

static inline void must_be_unnamed(struct module *module, uint64_t addr, enum name_reason reason)
{
	struct symbol found;

	module_symbol(module, addr, &found);
	assert_null(found.name);
	if (found.reason != reason)
		fail_msg("%s: %lx: \"%s\" expected, but it is \"%s\"", module->path, addr,
			 name_reason_text(reason), name_reason_text(found.reason));
}

#endif
