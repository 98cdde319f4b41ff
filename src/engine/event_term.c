/* SPDX-License-Identifier: MIT */
/*
 * PMU/term=value,.../: formats and aliases out of sysfs, and the terms that every
 * PMU takes (config, name, period, ...).
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/event_legacy.h"
#include "engine/event_parse.h"

#define OPEN_TERMS_MAX 8

/* One PMU's event while its terms are read. */
struct builder {
	struct event_parser *p;
	struct pmu *pmu;
	struct event *event;
	bool in_alias, named;
	char *open[OPEN_TERMS_MAX];      /* alias terms "x=?" that the user has to fill */
	int nr_open;
};

static bool span_is(struct span s, const char *text)
{
	return strlen(text) == s.len && strncmp(s.at, text, s.len) == 0;
}

static char *span_dup(struct span s)
{
	return mem_strndup(s.at, s.len);
}

/* Decimal or 0x; a leading 0 is no octal here. */
static bool span_number(struct span s, uint64_t *out)
{
	char text[32], *end;
	int base = s.len > 2 && s.at[0] == '0' && (s.at[1] | 32) == 'x' ? 16 : 10;

	if (!s.len || s.len >= sizeof(text) || !isdigit((unsigned char)s.at[0]))
		return false;
	memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	errno = 0;
	*out = strtoull(text, &end, base);
	return !*end && errno != ERANGE;
}

static int need_number(struct span key, struct span value, uint64_t *out, struct err *err)
{
	if (span_number(value, out))
		return 0;
	return err_set(err, EINVAL, "term '%.*s' takes a number, not '%.*s'", (int)key.len, key.at,
		       (int)value.len, value.at);
}

/* Terms that mean the same for every PMU. 1: taken, 0: not one of them. */
static int common_term(struct builder *b, struct span key, struct span value, bool has_value,
		       struct err *err)
{
	static const char *const numbers[] = { "config", "config1", "config2", "period", "freq",
					       "time", "stack-size", "max-stack", NULL };
	static const char *const texts[] = { "name", "call-graph", "branch_type", NULL };
	static const char *const flags[] = { "inherit", "no-inherit", "percore", NULL };
	struct event *event = b->event;
	uint64_t n = 0;
	char *text;
	int i;

	for (i = 0; numbers[i] && !span_is(key, numbers[i]); i++)
		;
	if (numbers[i]) {
		int r = need_number(key, value, &n, err);

		if (r < 0)
			return r;
		if (i >= 5 && n > (i == 5 ? 1 : i == 6 ? 65528 : 65535))
			return err_set(err, ERANGE, "term '%s' is too large with %" PRIu64,
				       numbers[i], n);
	}
	switch (numbers[i] ? i : -1) {
	case 0:
		event->attr.config = n;
		return 1;
	case 1:
		event->attr.config1 = n;
		return 1;
	case 2:
		event->attr.config2 = n;
		return 1;
	case 3:
		event->has_period = true;
		event->attr.sample_period = n;
		event->attr.freq = 0;
		return 1;
	case 4:
		event->has_freq = true;
		event->attr.sample_freq = n;
		event->attr.freq = 1;
		return 1;
	case 5:
		event->time = (int)n;
		return 1;
	case 6:
		event->stack_size = (uint32_t)n;
		return 1;
	case 7:
		event->max_stack = (int)n;
		return 1;
	}
	for (i = 0; flags[i]; i++) {
		if (!span_is(key, flags[i]) || has_value)
			continue;
		if (i == 2)
			event->percore = true;
		else
			event->inherit = i == 0;
		return 1;
	}
	for (i = 0; texts[i] && !span_is(key, texts[i]); i++)
		;
	if (!texts[i])
		return 0;
	if (!value.len)
		return err_set(err, EINVAL, "term '%s' needs a value", texts[i]);
	text = span_dup(value);
	if (i == 0) {
		free(event->name);
		event->name = text;
		b->named = true;
	} else if (i == 1) {
		free(event->call_graph);
		event->call_graph = text;
	} else {
		free(event->branch_type);
		event->branch_type = text;
	}
	return 1;
}

static int unknown_term(struct builder *b, struct span key, struct err *err)
{
	static const char *const common[] = { "config", "config1", "config2", "name", "period",
					      "freq", "time", "call-graph", "stack-size",
					      "max-stack", "branch_type", "inherit", "no-inherit",
					      "percore" };
	char *word = span_dup(key);
	const char **names, *near;
	struct str list = STR_INIT;
	uint32_t n = 0;

	pmu_formats_load(b->pmu);
	pmu_aliases_load(b->pmu);
	names = mem_realloc_array(NULL, b->pmu->nr_formats + b->pmu->nr_aliases + 15,
				  sizeof(*names));
	for (uint32_t i = 0; i < b->pmu->nr_formats; i++) {
		names[n++] = b->pmu->formats[i].name;
		str_addf(&list, "%s%s", i ? ", " : "", b->pmu->formats[i].name);
	}
	for (uint32_t i = 0; i < b->pmu->nr_aliases; i++)
		names[n++] = b->pmu->aliases[i].name;
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		names[n++] = common[i];
	names[n] = NULL;
	near = str_nearest(word, names);
	if (near)
		err_set(err, EINVAL, "PMU '%s' has no term or event '%s'; did you mean '%s'?",
			b->pmu->name, word, near);
	else
		err_set(err, EINVAL, "PMU '%s' has no term or event '%s'; its terms are %s; "
			"`sonde list pmu` shows its events", b->pmu->name, word,
			list.len ? list.p : "config, config1 and config2");
	free(names);
	free(word);
	str_release(&list);
	return -EINVAL;
}

static int parse_terms(struct builder *b, struct span terms, struct err *err);

static int expand_alias(struct builder *b, const struct pmu_alias *alias, struct err *err)
{
	/* Reading the terms may look up another alias and move this one. */
	char *terms = mem_strdup(alias->terms);
	struct event *event = b->event;
	int r;

	event->scale = alias->scale;
	event->snapshot = alias->snapshot;
	event->per_pkg = alias->per_pkg;
	if (alias->unit) {
		free(event->unit);
		event->unit = mem_strdup(alias->unit);
	}
	b->in_alias = true;
	r = parse_terms(b, (struct span){ terms, strlen(terms) }, err);
	b->in_alias = false;
	free(terms);
	return r;
}

/* cpu/cycles/, cpu_core/LLC-loads/, cpu/r1a8/: general names inside a CPU's PMU. 1 or 0. */
static int general_name(struct builder *b, struct span key)
{
	const struct event_legacy *legacy = event_legacy_find(key.at, key.len);
	struct perf_event_attr *attr = &b->event->attr;
	uint64_t config;

	if (!b->pmu->core)
		return 0;
	if (event_raw(key, &config)) {
		attr->config = config;
		return 1;
	}
	if (legacy && legacy->type == PERF_TYPE_HARDWARE) {
		attr->type = PERF_TYPE_HARDWARE;
		attr->config = legacy->config;
	} else if (event_legacy_cache(key.at, key.len, &config)) {
		attr->type = PERF_TYPE_HW_CACHE;
		attr->config = config;
	} else {
		return 0;
	}
	if (b->pmu->has_cpus)
		attr->config |= (uint64_t)b->pmu->type << 32;
	return 1;
}

static void close_term(struct builder *b, struct span key)
{
	for (int i = 0; i < b->nr_open; i++) {
		if (!span_is(key, b->open[i]))
			continue;
		free(b->open[i]);
		b->open[i] = b->open[--b->nr_open];
		return;
	}
}

static int one_term(struct builder *b, struct span key, struct span value, bool has_value,
		    struct err *err)
{
	const struct pmu_format *format;
	const struct pmu_alias *alias;
	uint64_t n = 1;
	int r;

	r = common_term(b, key, value, has_value, err);
	if (r)
		return r < 0 ? r : 0;
	if (!has_value && !b->in_alias) {
		alias = pmu_alias_find(b->pmu, key.at, key.len);
		if (alias)
			return expand_alias(b, alias, err);
	}
	format = pmu_format_find(b->pmu, key.at, key.len);
	if (!format)
		return !has_value && general_name(b, key) ? 0 : unknown_term(b, key, err);
	if (b->in_alias && has_value && span_is(value, "?")) {
		if (b->nr_open == OPEN_TERMS_MAX)
			return err_set(err, E2BIG, "PMU '%s' has an event with more than %d open "
				       "terms", b->pmu->name, OPEN_TERMS_MAX);
		b->open[b->nr_open++] = span_dup(key);
		return 0;
	}
	r = has_value ? need_number(key, value, &n, err) : 0;
	if (r < 0)
		return r;
	close_term(b, key);
	return pmu_format_store(b->pmu, format, n, &b->event->attr, err);
}

/* "a=1,b,name='x,y'" */
static int parse_terms(struct builder *b, struct span terms, struct err *err)
{
	const char *s = terms.at, *end = terms.at + terms.len;

	while (s < end) {
		struct span key, value = { "", 0 };
		bool has_value = false;
		int r;

		s += *s == ' ';
		key.at = s;
		while (s < end && *s != ',' && *s != '=')
			s++;
		key.len = (size_t)(s - key.at);
		if (!key.len)
			return err_set(err, EINVAL, "a term is missing before '%.*s'",
				       (int)(end - s), s);
		if (s < end && *s == '=') {
			bool quoted = ++s < end && *s == '\'';

			has_value = true;
			value.at = s += quoted;
			while (s < end && (quoted ? *s != '\'' : *s != ','))
				s++;
			value.len = (size_t)(s - value.at);
			if (quoted && s == end)
				return err_set(err, EINVAL, "the closing quote of '%.*s' is "
					       "missing", (int)key.len, key.at);
			s += quoted;
		}
		if (s < end && *s != ',')
			return err_set(err, EINVAL, "a comma is missing before '%.*s'",
				       (int)(end - s), s);
		s += s < end;
		r = one_term(b, key, value, has_value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_for_pmu(struct event_parser *p, struct pmu *pmu, struct span text,
		       struct span terms, struct err *err)
{
	struct builder b = { .p = p, .pmu = pmu };
	int r;

	b.event = event_add(p, text, pmu->name);
	b.event->attr.type = pmu->type;
	b.event->cpus = pmu->cpus ? mem_strdup(pmu->cpus) : NULL;
	b.event->core_pmu = pmu->core;
	if (!pmu->core)
		b.event->attr.exclude_guest = 0;
	r = parse_terms(&b, terms, err);
	if (r == 0 && b.nr_open)
		r = err_set(err, EINVAL, "this event of PMU '%s' needs a value for '%s'; add "
			    "'%s=N'", pmu->name, b.open[0], b.open[0]);
	while (b.nr_open)
		free(b.open[--b.nr_open]);
	return r;
}

static int no_pmu(struct event_parser *p, const char *name, struct err *err)
{
	struct str list = STR_INIT;
	const char **names, *near;
	uint32_t n = 0;

	pmu_set_scan(p->pmus);
	names = mem_realloc_array(NULL, p->pmus->nr + 1, sizeof(*names));
	for (uint32_t i = 0; i < p->pmus->nr; i++) {
		if (p->pmus->v[i]->absent)
			continue;
		str_addf(&list, "%s%s", n ? ", " : "", p->pmus->v[i]->name);
		names[n++] = p->pmus->v[i]->name;
	}
	names[n] = NULL;
	near = str_nearest(name, names);
	if (near)
		err_set(err, ENODEV, "this machine has no PMU '%s'; did you mean '%s'?", name,
			near);
	else
		err_set(err, ENODEV, "this machine has no PMU '%s'; it has %s", name,
			list.len ? list.p : "none");
	free(names);
	str_release(&list);
	return -ENODEV;
}

/*
 * "cpu" where the CPU's PMU has another name, or where there is none at all: then
 * the event is understood as x86's and it is for the kernel to say that it is not
 * supported, so that stat can go on with the others.
 */
static struct pmu *stand_in(struct event_parser *p, const char *name)
{
	struct pmu *pmu, **v;

	if (strcmp(name, "cpu") != 0)
		return NULL;
	if (pmu_set_hybrid(p->pmus))
		return pmu_set_hybrid(p->pmus) == 1 ? pmu_set_core(p->pmus, 0) : NULL;
	pmu = mem_zalloc(sizeof(*pmu));
	pmu->name = mem_strdup(name);
	pmu->type = PERF_TYPE_RAW;
	pmu->absent = pmu->core = true;
	v = mem_realloc_array(p->pmus->v, p->pmus->nr + 1, sizeof(*v));
	p->pmus->v = v;
	p->pmus->cap = p->pmus->nr + 1;
	v[p->pmus->nr++] = pmu;
	return pmu;
}

static int parse_for_pmus(struct event_parser *p, const char *name, struct span text,
			  struct span terms, struct err *err)
{
	struct pmu *pmu = str_is_glob(name) ? NULL : pmu_set_find(p->pmus, name);
	uint32_t matches = 0;

	if (!pmu)
		pmu = stand_in(p, name);
	if (pmu)
		return add_for_pmu(p, pmu, text, terms, err);
	pmu_set_scan(p->pmus);
	for (uint32_t i = 0; i < p->pmus->nr; i++) {
		int r;

		if (!pmu_matches(p->pmus->v[i], name))
			continue;
		matches++;
		r = add_for_pmu(p, p->pmus->v[i], text, terms, err);
		if (r < 0)
			return r;
	}
	return matches ? 0 : no_pmu(p, name, err);
}

/* The slash that closes the terms, outside of quotes, or NULL. */
static const char *closing_slash(const char *s, const char *end)
{
	bool quoted = false;

	for (; s < end; s++) {
		if (*s == '\'')
			quoted = !quoted;
		else if (*s == '/' && !quoted)
			return s;
	}
	return NULL;
}

int event_parse_pmu(struct event_parser *p, struct span text, struct err *err)
{
	const char *end = text.at + text.len;
	const char *first = memchr(text.at, '/', text.len);
	const char *second = closing_slash(first + 1, end);
	uint32_t from = p->list->nr;
	struct span mods;
	char *name;
	int r;

	if (first == text.at)
		return err_set(err, EINVAL, "a PMU's name is missing before '/'");
	if (!second)
		return err_set(err, EINVAL, "the closing '/' of '%.*s' is missing", (int)text.len,
			       text.at);
	mods.at = second + 1;
	mods.at += mods.at < end && *mods.at == ':';
	mods.len = (size_t)(end - mods.at);
	name = mem_strndup(text.at, (size_t)(first - text.at));
	r = parse_for_pmus(p, name, text,
			   (struct span){ first + 1, (size_t)(second - first - 1) }, err);
	free(name);
	return r < 0 ? r : event_apply_modifiers(p, from, mods, err);
}

int event_parse_alias(struct event_parser *p, struct span text, struct span name, struct err *err)
{
	uint32_t kinds, before = p->list->nr;

	/* The CPU's own first; then it need not read what all the others are. */
	kinds = pmu_set_hybrid(p->pmus);
	for (int pass = 0; pass < 2; pass++) {
		if (pass)
			pmu_set_scan(p->pmus);
		for (uint32_t i = 0; i < (pass ? p->pmus->nr : kinds); i++) {
			struct pmu *pmu = pass ? p->pmus->v[i] : pmu_set_core(p->pmus, i);
			int r;

			if (!pmu || pmu->core == !!pass ||
			    !pmu_alias_find(pmu, name.at, name.len))
				continue;
			r = add_for_pmu(p, pmu, text, name, err);
			if (r < 0)
				return r;
		}
		if (p->list->nr > before)
			return 1;
	}
	return 0;
}
