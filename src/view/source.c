/* SPDX-License-Identifier: MIT */
#include "view/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "symbols/debuginfod.h"
#include "symbols/symbols.h"

#define SOURCE_MAX (64 << 20)

struct source {
	char *text;
	size_t len;
	uint32_t *starts, nr;
};

struct sources {
	struct sources_options options;
	struct module *module;           /* NULL: none */
	struct intern paths;
	VEC(struct source) files;        /* by the path's id */
};

struct sources *sources_new(const struct sources_options *options)
{
	struct sources *s = mem_zalloc(sizeof(*s));

	s->options = *options;
	intern_init(&s->paths);
	return s;
}

void sources_free(struct sources *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->files.nr; i++) {
		free(s->files.v[i].text);
		free(s->files.v[i].starts);
	}
	vec_release(&s->files);
	intern_release(&s->paths);
	free(s);
}

void sources_set_module(struct sources *s, struct module *module)
{
	if (s)
		s->module = module;
}

/* 0, or a negative errno: -EFBIG, -EISDIR for what is no regular file. */
static int read_text(const char *path, struct source *out)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), e = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		e = -EISDIR;
	else if (st.st_size > SOURCE_MAX)
		e = -EFBIG;
	if (e) {
		close(fd);
		return e;
	}
	out->text = mem_alloc((size_t)st.st_size + 1);
	while (out->len < (size_t)st.st_size) {
		n = read(fd, out->text + out->len, (size_t)st.st_size - out->len);
		if (n <= 0)
			break;
		out->len += (size_t)n;
	}
	close(fd);
	return 0;
}

static void split(struct source *s)
{
	VEC(uint32_t) starts = { 0 };

	for (size_t at = 0; at < s->len;) {
		const char *end = memchr(s->text + at, '\n', s->len - at);

		*vec_push(&starts) = (uint32_t)at;
		at = end ? (size_t)(end - s->text) + 1 : s->len;
	}
	s->starts = starts.v;
	s->nr = (uint32_t)starts.nr;
}

static int try_at(const char *dir, const char *path, struct source *out)
{
	struct str full = STR_INIT;
	int e;

	str_add(&full, dir);
	if (full.len && *path != '/')
		str_addc(&full, '/');
	str_add(&full, path);
	e = read_text(full.p, out);
	str_release(&full);
	return e;
}

/* The path without its first n folders: "/a/b/c.c" less one is "/b/c.c". */
static const char *strip(const char *path, unsigned n)
{
	for (; n && *path == '/'; n--) {
		const char *next = strchr(path + 1, '/');

		if (!next)
			break;
		path = next;
	}
	return path;
}

static int try_server(const struct module *module, const char *path, struct source *out)
{
	char *fetched = debuginfod_source(module->build_id, module->build_id_size, path);
	int e = fetched ? read_text(fetched, out) : -ENOENT;

	free(fetched);
	return e;
}

static int find(const struct sources *s, const char *path, struct source *out)
{
	const struct sources_options *o = &s->options;
	const char *embedded = s->module ? module_source(s->module, path) : NULL;
	int e;

	if (embedded) {
		out->text = mem_strdup(embedded);
		out->len = strlen(embedded);
		return 0;
	}
	if (o->prefix && *path == '/')
		e = try_at(o->prefix, strip(path, o->prefix_strip), out);
	else
		e = read_text(path, out);
	for (const char *part = path; e < 0 && e != -EFBIG && o->source_dir && part && *part;) {
		e = try_at(o->source_dir, part, out);
		part = strchr(part + 1, '/');
		while (part && *part == '/')
			part++;
	}
	if (e < 0 && e != -EFBIG && s->module && try_server(s->module, path, out) == 0)
		e = 0;
	return e;
}

static struct source *get(struct sources *s, const char *path)
{
	uint32_t id = intern_id(&s->paths, path);
	struct source *f;
	int e;

	if (id < s->files.nr)
		return &s->files.v[id];
	f = vec_push(&s->files);
	*f = (struct source){ 0 };
	e = find(s, path, f);
	if (e == -EFBIG)
		log_note("source file '%s' is larger than 64 MB: its lines are not shown", path);
	else if (e == -EISDIR)
		log_note("source file '%s' is no file: its lines are not shown", path);
	else if (e < 0)
		log_note("source file '%s' cannot be read (%s): its lines are not shown; --source-dir DIR "
			 "looks below DIR", path, strerror(-e));
	else if (memchr(f->text, '\0', f->len))
		log_note("source file '%s' is not text: its lines are not shown", path);
	else
		split(f);
	return f;
}

const char *sources_line(struct sources *s, const char *path, uint32_t line, size_t *len)
{
	const struct source *f = get(s, path);
	size_t from, to;

	if (!line || line > f->nr)
		return NULL;
	from = f->starts[line - 1];
	to = line < f->nr ? f->starts[line] : f->len;
	while (to > from && (f->text[to - 1] == '\n' || f->text[to - 1] == '\r'))
		to--;
	*len = to - from;
	return f->text + from;
}

uint32_t sources_count(struct sources *s, const char *path)
{
	return get(s, path)->nr;
}
