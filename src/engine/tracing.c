/* SPDX-License-Identifier: MIT */
#include "engine/tracing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/vec.h"
#include "formats/perf_write.h"

#define FILE_MOST (4u << 20)

/* Append a whole file of tracefs, whose size stat does not tell. */
static int add_file(const char *tracefs, const char *name, struct str *out, struct err *err)
{
	char chunk[8192];
	struct str path = STR_INIT;
	size_t start = out->len;
	ssize_t n;
	int fd, r = 0;

	str_addf(&path, "%s/%s", tracefs, name);
	fd = open(path.p, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		r = err_set(err, errno, "cannot read '%s': %s", path.p, strerror(errno));
		str_release(&path);
		return r;
	}
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 && out->len - start < FILE_MOST)
		str_addn(out, chunk, (size_t)n);
	if (n < 0)
		r = err_set(err, errno, "cannot read '%s': %s", path.p, strerror(errno));
	close(fd);
	str_release(&path);
	return r;
}

static int add_sized(const char *tracefs, const char *name, bool wide, bool optional,
		     struct str *out, struct err *err)
{
	struct str text = STR_INIT;
	int r = add_file(tracefs, name, &text, optional ? NULL : err);

	if (r == 0 || optional) {
		if (wide)
			perf_put_u64(out, text.len);
		else
			perf_put_u32(out, (uint32_t)text.len);
		str_addn(out, text.p, text.len);
		r = 0;
	}
	str_release(&text);
	return r;
}

/* "sched:sched_switch:u" -> "sched", "sched_switch". */
struct point {
	char *system, *name;
};

typedef VEC(struct point) point_vec;

static void collect(const struct event_list *events, point_vec *points)
{
	for (uint32_t i = 0; i < events->nr; i++) {
		const struct event *e = &events->v[i];
		const char *colon = strchr(e->name, ':');
		bool known = false;
		struct point p;

		if (e->attr.type != PERF_TYPE_TRACEPOINT || !colon)
			continue;
		p.system = mem_strndup(e->name, (size_t)(colon - e->name));
		p.name = mem_strndup(colon + 1, strcspn(colon + 1, ":"));
		for (size_t j = 0; j < points->nr; j++)
			known |= strcmp(points->v[j].system, p.system) == 0 &&
				 strcmp(points->v[j].name, p.name) == 0;
		if (known) {
			free(p.system);
			free(p.name);
		} else {
			*vec_push(points) = p;
		}
	}
}

static int by_system(const void *a, const void *b)
{
	const struct point *p = a, *q = b;
	int r = strcmp(p->system, q->system);

	return r ? r : strcmp(p->name, q->name);
}

static int add_formats(const point_vec *points, const char *tracefs, struct str *out,
		       struct err *err)
{
	uint32_t systems = 0;
	int r = 0;

	for (size_t i = 0; i < points->nr; i++)
		systems += i == 0 || strcmp(points->v[i].system, points->v[i - 1].system) != 0;
	perf_put_u32(out, systems);
	for (size_t i = 0, n; i < points->nr && r == 0; i += n) {
		const char *system = points->v[i].system;

		for (n = 1; i + n < points->nr && strcmp(points->v[i + n].system, system) == 0; n++)
			;
		str_addn(out, system, strlen(system) + 1);
		perf_put_u32(out, (uint32_t)n);
		for (size_t j = i; j < i + n && r == 0; j++) {
			struct str path = STR_INIT;

			str_addf(&path, "events/%s/%s/format", system, points->v[j].name);
			r = add_sized(tracefs, path.p, true, false, out, err);
			str_release(&path);
		}
	}
	return r;
}

int tracing_data(const struct event_list *events, const char *tracefs, struct str *out,
		 struct err *err)
{
	static const char magic[] = "\027\010\104tracing0.6";  /* with its NUL */
	const uint32_t one = 1;
	point_vec points = { 0 };
	int r = 0;

	collect(events, &points);
	if (!points.nr)
		return 0;
	qsort(points.v, points.nr, sizeof(*points.v), by_system);
	str_addn(out, magic, sizeof(magic));
	str_addc(out, *(const char *)&one ? 0 : 1);
	str_addc(out, (char)sizeof(long));
	perf_put_u32(out, (uint32_t)sysconf(_SC_PAGESIZE));
	str_addn(out, "header_page", 12);
	r = add_sized(tracefs, "events/header_page", true, false, out, err);
	if (r == 0) {
		str_addn(out, "header_event", 13);
		r = add_sized(tracefs, "events/header_event", true, false, out, err);
	}
	perf_put_u32(out, 0);
	if (r == 0)
		r = add_formats(&points, tracefs, out, err);
	perf_put_u32(out, 0);
	if (r == 0)
		r = add_sized(tracefs, "printk_formats", false, true, out, err);
	if (r == 0)
		r = add_sized(tracefs, "saved_cmdlines", true, true, out, err);
	for (size_t i = 0; i < points.nr; i++) {
		free(points.v[i].system);
		free(points.v[i].name);
	}
	vec_release(&points);
	return r;
}
