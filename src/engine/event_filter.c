/* SPDX-License-Identifier: MIT */
/*
 * Tracepoint filters, checked before the kernel sees them: it would only say
 * EINVAL.  Grammar and rules: Documentation/trace/events.rst, "Event filtering",
 * and parse_pred() in kernel/trace/trace_events_filter.c (Linux 4.17 to 6.18).
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/event.h"
#include "engine/tracefs.h"

#define DEPTH_MAX 32

struct filter_parser {
	const char *text, *s;
	const char *event;
	const struct tracefs_format *format;
	struct err *err;
	int depth;
};

static int wrong(struct filter_parser *p, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "the filter ... is wrong:", the filter, a caret with the reason, the fields. */
static int wrong(struct filter_parser *p, const char *at, const char *fmt, ...)
{
	struct str msg = STR_INIT;
	va_list ap;

	str_addf(&msg, "the filter for '%s' is wrong:\n  %s\n  %*s^ ", p->event, p->text,
		 (int)(at - p->text), "");
	va_start(ap, fmt);
	str_addvf(&msg, fmt, ap);
	va_end(ap);
	str_add(&msg, "\n  fields:");
	/* The event's own fields first; common_* stand first in the file. */
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < p->format->nr; i++)
			if (str_starts(p->format->v[i].name, "common_") == (pass == 1))
				str_addf(&msg, " %s%s", p->format->v[i].name,
					 p->format->v[i].is_string ? "(text)" : "");
	str_add(&msg, " CPU COMM(text)");
	err_set(p->err, EINVAL, "%s", msg.p);
	str_release(&msg);
	return -EINVAL;
}

static void skip_space(struct filter_parser *p)
{
	p->s += strspn(p->s, " \t\n");
}

enum field_kind { FIELD_NUMBER, FIELD_TEXT, FIELD_CPUS };

static int find_field(struct filter_parser *p, enum field_kind *kind)
{
	const char *at = p->s, *names[512], *near;
	size_t len = 0;
	char *word;
	uint32_t n = 0;

	while (isalnum((unsigned char)at[len]) || at[len] == '_')
		len++;
	if (!len)
		return wrong(p, at, "a field's name is expected here");
	p->s += len;
	for (uint32_t i = 0; i < p->format->nr; i++) {
		const struct tracefs_field *field = &p->format->v[i];

		if (strlen(field->name) == len && strncmp(field->name, at, len) == 0) {
			*kind = field->is_string ? FIELD_TEXT :
				strstr(field->type, "cpumask_t") ? FIELD_CPUS : FIELD_NUMBER;
			return 0;
		}
		if (n < 508)
			names[n++] = field->name;
	}
	word = mem_strndup(at, len);
	/* Fields every event has: trace_define_generic_fields(), trace_events.c */
	if (strcmp(word, "comm") == 0 || strcmp(word, "COMM") == 0)
		*kind = FIELD_TEXT;
	else if (strcmp(word, "cpu") == 0 || strcmp(word, "CPU") == 0)
		*kind = FIELD_NUMBER;
	else
		goto unknown;
	free(word);
	return 0;
unknown:
	names[n++] = "COMM";
	names[n++] = "CPU";
	names[n] = NULL;
	near = str_nearest(word, names);
	if (near)
		wrong(p, at, "there is no field '%s'; did you mean '%s'?", word, near);
	else
		wrong(p, at, "there is no field '%s'", word);
	free(word);
	return -EINVAL;
}

/* ".function" and ".ustring" behind a field's name; *function is set by the first. */
static int take_suffix(struct filter_parser *p, enum field_kind *kind, bool *function)
{
	const char *at = p->s;

	if (*at != '.')
		return 0;
	if (str_starts(at, ".function") && !isalnum((unsigned char)at[9])) {
		p->s += 9;
		*function = true;
		return 0;
	}
	if (str_starts(at, ".ustring") && !isalnum((unsigned char)at[8])) {
		p->s += 8;
		*kind = FIELD_TEXT;
		return 0;
	}
	return wrong(p, at, "only .function and .ustring may stand here");
}

static const char *take_operator(struct filter_parser *p)
{
	static const char *const ops[] = { "==", "!=", "<=", ">=", "~", "<", ">", "&" };

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!str_starts(p->s, ops[i]) || str_starts(p->s, "&&"))
			continue;
		p->s += strlen(ops[i]);
		return ops[i];
	}
	return NULL;
}

static int take_text(struct filter_parser *p)
{
	const char *at = p->s, *end = strchr(at + 1, *at);

	if (!end)
		return wrong(p, at, "the closing quote is missing");
	/* MAX_FILTER_STR_VAL */
	if (end - at - 1 >= 256)
		return wrong(p, at, "the kernel takes texts of at most 255 characters");
	p->s = end + 1;
	return 0;
}

static int take_value(struct filter_parser *p, enum field_kind kind, bool function)
{
	const char *at = p->s;
	char *end;

	if (*at == '"' || *at == '\'') {
		if (kind == FIELD_NUMBER && !function)
			return wrong(p, at, "this field is a number");
		return take_text(p);
	}
	if (str_starts(at, "CPUS{")) {
		size_t n = strcspn(at, "}");

		if (kind == FIELD_TEXT || !at[n])
			return wrong(p, at, kind == FIELD_TEXT ? "this field is a text" :
				     "the closing '}' is missing");
		p->s += n + 1;
		return 0;
	}
	if (kind == FIELD_TEXT)
		return wrong(p, at, "this field is a text; quote the value: \"...\"");
	if (!isdigit((unsigned char)*at) && !(*at == '-' && isdigit((unsigned char)at[1])) &&
	    !(function && isalpha((unsigned char)*at)))
		return wrong(p, at, "a number is expected here");
	errno = 0;
	if (isalpha((unsigned char)*at)) {
		p->s += strcspn(at, " \t)&|");
		return 0;
	}
	strtoull(*at == '-' ? at + 1 : at, &end, 0);
	if (errno == ERANGE)
		return wrong(p, at, "the number does not fit in 64 bits");
	if (isalnum((unsigned char)*end) || *end == '_')
		return wrong(p, end, "this is no digit");
	p->s = end;
	return 0;
}

static int parse_predicate(struct filter_parser *p)
{
	enum field_kind kind = FIELD_NUMBER;
	const char *at, *op;
	bool function = false;
	int r = find_field(p, &kind);

	if (!r)
		r = take_suffix(p, &kind, &function);
	if (r)
		return r;
	skip_space(p);
	at = p->s;
	op = take_operator(p);
	if (!op)
		return wrong(p, at, "one of == != < <= > >= & ~ is expected here");
	if (kind == FIELD_TEXT && !strchr("=!~", op[0]))
		return wrong(p, at, "a text can be compared with ==, != and ~ only");
	if (kind != FIELD_TEXT && op[0] == '~')
		return wrong(p, at, "~ is for texts and this field is a number");
	if (function && op[0] != '=' && op[0] != '!')
		return wrong(p, at, "a function can be compared with == and != only");
	skip_space(p);
	return take_value(p, kind, function);
}

static int parse_or(struct filter_parser *p);

static int parse_unary(struct filter_parser *p)
{
	int r;

	skip_space(p);
	if (*p->s == '!') {
		if (++p->depth > DEPTH_MAX)
			return wrong(p, p->s, "this is nested too deeply");
		p->s++;
		r = parse_unary(p);
		p->depth--;
		return r;
	}
	if (*p->s == '(') {
		const char *open = p->s++;

		if (++p->depth > DEPTH_MAX)
			return wrong(p, open, "this is nested too deeply");
		r = parse_or(p);
		if (r)
			return r;
		p->depth--;
		if (*p->s != ')')
			return wrong(p, open, "this parenthesis is not closed");
		p->s++;
		return 0;
	}
	return parse_predicate(p);
}

static int parse_or(struct filter_parser *p)
{
	for (;;) {
		int r = parse_unary(p);

		if (r)
			return r;
		skip_space(p);
		/* && binds more tightly; for a check of form the order is one. */
		if (!str_starts(p->s, "&&") && !str_starts(p->s, "||"))
			return 0;
		p->s += 2;
	}
}

int event_filter_check(const char *filter, const char *event_name,
		       const struct tracefs_format *format, struct err *err)
{
	struct filter_parser p = { filter, filter, event_name, format, err, 0 };
	int r = parse_or(&p);

	if (r)
		return r;
	if (*p.s == ')')
		return wrong(&p, p.s, "there is no parenthesis to close");
	if (*p.s)
		return wrong(&p, p.s, "&& or || is expected here");
	return 0;
}

static int check_event(const struct event *event, const char *filter, const char *tracefs,
		       struct err *err)
{
	char *system = mem_strdup(event->name), *name = strchr(system, ':'), *mods;
	struct tracefs_format format;
	int r;

	/* tracepoint/config=.../: by its number, or with a name of the user's */
	if (!name) {
		free(system);
		return err_set(err, EINVAL, "--filter needs a tracepoint that was given as SYSTEM:NAME: which "
			       "fields '%s' has is not known", event->name);
	}
	*name++ = '\0';
	mods = strchr(name, ':');
	if (mods)
		*mods = '\0';
	r = tracefs_format_read(tracefs, system, name, &format, err);
	if (!r) {
		r = event_filter_check(filter, event->name, &format, err);
		tracefs_format_release(&format);
	}
	free(system);
	return r;
}

int event_filter(struct event_list *list, const char *filter, const struct event_env *env,
		 struct err *err)
{
	const char *tracefs;
	uint32_t first = list->nr, piece;

	if (!list->nr)
		return err_set(err, EINVAL, "--filter has to stand behind the -e it is for");
	tracefs = tracefs_dir(env ? env->tracefs : NULL, err);
	if (!tracefs)
		return -err->code;
	piece = list->v[list->nr - 1].piece;
	while (first && list->v[first - 1].piece == piece)
		first--;
	for (uint32_t i = first; i < list->nr; i++) {
		int r;

		if (list->v[i].attr.type != PERF_TYPE_TRACEPOINT)
			return err_set(err, EINVAL, "--filter is for tracepoints; '%s' is none",
				       list->v[i].name);
		r = check_event(&list->v[i], filter, tracefs, err);
		if (r < 0)
			return r;
	}
	for (uint32_t i = first; i < list->nr; i++) {
		struct str both = STR_INIT;

		if (list->v[i].filter)
			str_addf(&both, "(%s) && (%s)", list->v[i].filter, filter);
		else
			str_add(&both, filter);
		free(list->v[i].filter);
		list->v[i].filter = str_take(&both);
	}
	return 0;
}
