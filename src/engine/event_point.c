/* SPDX-License-Identifier: MIT */
/* Events that are a place: tracepoints and breakpoints. */
#include <ctype.h>
#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "engine/event_parse.h"
#include "engine/tracefs.h"

struct tracepoint_walk {
	struct event_parser *p;
	struct span text;
	const char *tracefs;
	const char *mods;
	struct err *err;
	uint32_t closed;         /* tracepoints whose id may not be read */
};

static int add_tracepoint(const char *system, const char *name, void *arg)
{
	struct tracepoint_walk *walk = arg;
	struct str shown = STR_INIT;
	struct event *event;
	uint64_t id;
	int r = tracefs_id(walk->tracefs, system, name, &id, walk->err);

	/* ftrace:function and its kind have a folder and no id. */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	event = event_add(walk->p, walk->text, "tracepoint");
	event->attr.type = PERF_TYPE_TRACEPOINT;
	event->attr.config = id;
	str_addf(&shown, "%s:%s%s%s", system, name, walk->mods[0] ? ":" : "", walk->mods);
	free(event->name);
	event->name = str_take(&shown);
	return 0;
}

struct near_names {
	const char *system;
	char **v;
	size_t nr, cap;
};

static int collect_name(const char *system, const char *name, void *arg)
{
	struct near_names *names = arg;

	*vec_push(names) = mem_strdup(system && !names->system ? system : name);
	return 0;
}

static int no_tracepoint(const char *tracefs, const char *system, const char *name,
			 struct err *err)
{
	struct near_names names = { .system = system };
	const char *near;

	if (str_is_glob(system) || str_is_glob(name))
		return err_set(err, ENOENT, "no tracepoint matches '%s:%s'; `sonde list tracepoint` "
			       "shows what there is", system, name);
	tracefs_each(tracefs, system, "*", collect_name, &names, NULL);
	*vec_push(&names) = NULL;
	near = str_nearest(name, (const char *const *)names.v);
	if (near)
		err_set(err, ENOENT, "there is no tracepoint '%s:%s'; did you mean '%s:%s'?",
			system, name, system, near);
	else if (names.nr > 1)
		err_set(err, ENOENT, "there is no tracepoint '%s:%s'; `sonde list '%s:*'` shows "
			"what there is", system, name, system);
	for (size_t i = 0; i < names.nr; i++)
		free(names.v[i]);
	/* An unknown system: the caller says what else the text could have meant. */
	if (names.nr == 1)
		err_set(err, ENXIO, "there is no tracepoint '%s:%s'", system, name);
	near = names.nr > 1 ? "" : NULL;
	vec_release(&names);
	return near ? -ENOENT : 0;
}

/* 1 added, 0 not a tracepoint's name, or an error. */
int event_parse_tracepoint(struct event_parser *p, struct span text, struct err *err)
{
	char *copy = mem_strndup(text.at, text.len), *name = strchr(copy, ':'), *mods;
	struct tracepoint_walk walk = { .p = p, .text = text, .err = err };
	uint32_t from = p->list->nr;
	int r = -EINVAL;

	if (!name) {
		r = 0;
		goto out;
	}
	*name++ = '\0';
	mods = strchr(name, ':');
	if (mods)
		*mods++ = '\0';
	walk.mods = mods ? mods : "";
	if (!copy[0] || !name[0]) {
		r = 0;
		goto out;
	}
	walk.tracefs = tracefs_dir(p->env->tracefs, err);
	if (!walk.tracefs)
		goto out;
	if (str_is_glob(copy) || str_is_glob(name))
		r = tracefs_each(walk.tracefs, copy, name, add_tracepoint, &walk, err);
	else
		r = add_tracepoint(copy, name, &walk);
	if (r == 0 && p->list->nr == from)
		r = no_tracepoint(walk.tracefs, copy, name, err);
	else if (r == 0)
		r = event_apply_modifiers(p, from, (struct span){ walk.mods, strlen(walk.mods) },
					  err);
	if (r == 0 && p->list->nr > from)
		r = 1;
out:
	free(copy);
	return r;
}

/* A number in hexadecimal with 0x, or decimal; *s moves behind it. */
static bool take_number(const char **s, uint64_t *out)
{
	char *end;
	bool hex = (*s)[0] == '0' && ((*s)[1] | 32) == 'x';

	if (!isdigit((unsigned char)**s))
		return false;
	errno = 0;
	*out = strtoull(*s, &end, hex ? 16 : 10);
	*s = end;
	return errno != ERANGE;
}

/* "rw" -> HW_BREAKPOINT_RW; 0 when a letter is none of r, w, x or comes twice. */
static uint32_t breakpoint_access(const char *s, size_t len)
{
	uint32_t type = 0;

	for (size_t i = 0; i < len; i++) {
		uint32_t bit = s[i] == 'r' ? HW_BREAKPOINT_R : s[i] == 'w' ? HW_BREAKPOINT_W :
			       s[i] == 'x' ? HW_BREAKPOINT_X : 0;

		if (!bit || type & bit)
			return 0;
		type |= bit;
	}
	return type;
}

static int parse_breakpoint(const char *text, struct perf_event_attr *attr, const char **mods,
			    struct err *err)
{
	const char *s = text + strlen("mem:");
	uint64_t addr, len = 0;
	uint32_t access = HW_BREAKPOINT_RW;

	*mods = "";
	if (!take_number(&s, &addr))
		return err_set(err, EINVAL, "'%s': an address (0x...) has to stand behind 'mem:'",
			       text);
	if (*s == '/') {
		s++;
		if (!take_number(&s, &len) || !len || len > 8 || (len & (len - 1)))
			return err_set(err, EINVAL, "'%s': a breakpoint is 1, 2, 4 or 8 bytes long",
				       text);
	}
	if (*s == ':') {
		size_t n = strcspn(s + 1, ":");
		uint32_t given = breakpoint_access(s + 1, n);

		if (given) {
			access = given;
			s += n + 1;
		}
	}
	if (*s == ':') {
		*mods = s + 1;
		s += strlen(s);
		if (!event_is_modifiers((struct span){ *mods, strlen(*mods) }))
			return err_set(err, EINVAL, "'%s': the access is made of r, w and x", text);
	}
	if (*s)
		return err_set(err, EINVAL, "'%s' is no breakpoint; the form is "
			       "mem:ADDR[/LEN][:ACCESS]", text);
	if (!len)
		len = access & HW_BREAKPOINT_X ? sizeof(long) : HW_BREAKPOINT_LEN_4;
	attr->type = PERF_TYPE_BREAKPOINT;
	attr->bp_addr = addr;
	attr->bp_len = len;
	attr->bp_type = access;
	return 0;
}

int event_parse_breakpoint(struct event_parser *p, struct span text, struct err *err)
{
	char *copy = mem_strndup(text.at, text.len);
	uint32_t from = p->list->nr;
	const char *mods;
	int r = parse_breakpoint(copy, &event_add(p, text, "breakpoint")->attr, &mods, err);

	if (r == 0)
		r = event_apply_modifiers(p, from, (struct span){ mods, strlen(mods) }, err);
	free(copy);
	return r;
}
