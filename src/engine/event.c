/* SPDX-License-Identifier: MIT */
#include "engine/event.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/event_legacy.h"
#include "engine/event_parse.h"
#include "engine/pfm.h"

static void event_release(struct event *event)
{
	free(event->name);
	free(event->pmu);
	free(event->unit);
	free(event->cpus);
	free(event->filter);
	free(event->event_text);
	free(event->call_graph);
	free(event->branch_type);
}

static void list_cut(struct event_list *list, uint32_t nr)
{
	while (list->nr > nr)
		event_release(&list->v[--list->nr]);
}

void event_list_release(struct event_list *list)
{
	list_cut(list, 0);
	free(list->v);
	list->v = NULL;
	list->cap = 0;
}

struct event *event_add(struct event_parser *p, struct span text, const char *pmu)
{
	struct event_list *list = p->list;
	struct event *event;

	if (list->nr == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 8;
		list->v = mem_realloc_array(list->v, list->cap, sizeof(*list->v));
	}
	event = &list->v[list->nr];
	memset(event, 0, sizeof(*event));
	event->attr.size = sizeof(event->attr);
	event->attr.exclude_guest = 1;
	event->name = mem_strndup(text.at, text.len);
	event->event_text = mem_strndup(text.at, text.len);
	event->pmu = mem_strdup(pmu);
	event->scale = 1.0;
	event->leader = list->nr++;
	event->piece = p->piece;
	event->time = event->inherit = -1;
	return event;
}

bool event_is_modifiers(struct span mods)
{
	if (!mods.len)
		return false;
	for (size_t i = 0; i < mods.len; i++)
		if (!strchr("ukhHGpPSDWeI", mods.at[i]))
			return false;
	return true;
}

/*
 * The first of u, k, h turns the other two off, the next only adds itself; so
 * do G and H.  A group's modifiers come on top of its members' (perf-list(1)).
 */
static int apply_letter(struct event *event, char letter)
{
	struct perf_event_attr *attr = &event->attr;

	if (strchr("ukh", letter)) {
		if (!attr->exclude_user && !attr->exclude_kernel && !attr->exclude_hv)
			attr->exclude_user = attr->exclude_kernel = attr->exclude_hv = 1;
		event->modifiers_given = true;
	}
	switch (letter) {
	case 'u':
		attr->exclude_user = 0;
		break;
	case 'k':
		attr->exclude_kernel = 0;
		break;
	case 'h':
		attr->exclude_hv = 0;
		break;
	case 'H':
	case 'G':
		if (!event->host_guest_given)
			attr->exclude_host = attr->exclude_guest = 1;
		event->host_guest_given = true;
		if (letter == 'H')
			attr->exclude_host = 0;
		else
			attr->exclude_guest = 0;
		break;
	case 'I':
		attr->exclude_idle = 1;
		break;
	case 'p':
		if (++event->precise > 3)
			return -EINVAL;
		attr->precise_ip = event->precise & 3;
		break;
	case 'P':
		event->precise_max = true;
		break;
	case 'S':
		event->sample_read = true;
		break;
	case 'D':
		event->pinned = true;
		attr->pinned = 1;
		break;
	case 'W':
		event->weak = true;
		break;
	case 'e':
		event->exclusive = true;
		attr->exclusive = 1;
		break;
	}
	return 0;
}

int event_apply_modifiers(struct event_parser *p, uint32_t from, struct span mods, struct err *err)
{
	for (size_t i = 0; i < mods.len; i++) {
		char letter = mods.at[i];

		if (!event_is_modifiers((struct span){ mods.at + i, 1 }))
			return err_set(err, EINVAL,
				       "'%c' in ':%.*s' is no modifier; they are u k h H G I p P S "
				       "D W e", letter, (int)mods.len, mods.at);
		for (uint32_t e = from; e < p->list->nr; e++) {
			struct event *event = &p->list->v[e];

			/* A group is pinned or exclusive as a whole: its leader says so. */
			if (strchr("De", letter) && event->leader != e)
				continue;
			if (apply_letter(event, letter) < 0)
				return err_set(err, EINVAL,
					       "':%.*s' asks for more than 'ppp'; precision goes "
					       "from 0 to 3", (int)mods.len, mods.at);
		}
	}
	return 0;
}

bool event_raw(struct span name, uint64_t *config)
{
	uint64_t n = 0;

	if (name.len < 2 || name.len > 17 || name.at[0] != 'r')
		return false;
	for (size_t i = 1; i < name.len; i++) {
		unsigned char c = (unsigned char)name.at[i];

		if (!isxdigit(c))
			return false;
		n = n << 4 | (uint64_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	*config = n;
	return true;
}

/*
 * On hybrid CPUs a hardware event is one for each kind of core: the PMU's type is
 * the upper half of config (PERF_PMU_TYPE_SHIFT, Linux 5.13), for raw events it
 * is the type itself.
 */
void event_add_core(struct event_parser *p, struct span text, struct span name, uint32_t type,
		    uint64_t config)
{
	uint32_t kinds = pmu_set_hybrid(p->pmus);
	struct event *event;

	if (kinds < 2) {
		event = event_add(p, text, kinds ? pmu_set_core(p->pmus, 0)->name : "cpu");
		event->attr.type = type;
		event->attr.config = config;
		event->core_pmu = true;
		return;
	}
	for (uint32_t i = 0; i < kinds; i++) {
		struct pmu *pmu = pmu_set_core(p->pmus, i);
		struct str shown = STR_INIT;

		event = event_add(p, text, pmu->name);
		event->attr.type = type == PERF_TYPE_RAW ? pmu->type : type;
		event->attr.config = config;
		if (type != PERF_TYPE_RAW)
			event->attr.config |= (uint64_t)pmu->type << 32;
		event->core_pmu = true;
		event->cpus = pmu->cpus ? mem_strdup(pmu->cpus) : NULL;
		str_addf(&shown, "%s/%.*s/", pmu->name, (int)name.len, name.at);
		if (text.len > name.len)
			str_addn(&shown, text.at + name.len + 1, text.len - name.len - 1);
		free(event->name);
		event->name = str_take(&shown);
	}
}

/* A name without a colon: 1 when events were added, 0 when nothing has that name. */
static int parse_plain(struct event_parser *p, struct span text, struct span name,
		       struct err *err)
{
	const struct event_legacy *legacy = event_legacy_find(name.at, name.len);
	uint64_t config;

	if (legacy && legacy->type == PERF_TYPE_HARDWARE) {
		event_add_core(p, text, name, legacy->type, legacy->config);
		return 1;
	}
	if (legacy) {
		bool tool = legacy->type == EVENT_LEGACY_TOOL;
		struct event *event = event_add(p, text, tool ? "tool" : "software");

		event->attr.type = PERF_TYPE_SOFTWARE;
		event->attr.config = tool ? PERF_COUNT_SW_DUMMY : legacy->config;
		event->tool = tool ? (enum event_tool)legacy->config : EVENT_TOOL_NONE;
		return 1;
	}
	if (event_legacy_cache(name.at, name.len, &config)) {
		event_add_core(p, text, name, PERF_TYPE_HW_CACHE, config);
		return 1;
	}
	if (event_raw(name, &config)) {
		event_add_core(p, text, name, PERF_TYPE_RAW, config);
		return 1;
	}
	return event_parse_alias(p, text, name, err);
}

/* libpfm4's names look like EVENT:UMASK:MOD or PMU::EVENT. 1, 0 or an error. */
static int parse_pfm(struct event_parser *p, struct span text, struct err *err)
{
	char *name = mem_strndup(text.at, text.len), *pmu = NULL;
	struct perf_event_attr attr = { .size = sizeof(attr) };
	int r = pfm_parse(name, &attr, &pmu, err);

	if (r == 1) {
		struct event *event = event_add(p, text, pmu ? pmu : "cpu");

		event->attr.type = attr.type;
		event->attr.config = attr.config;
		event->attr.config1 = attr.config1;
		event->attr.config2 = attr.config2;
		event->attr.exclude_user = attr.exclude_user;
		event->attr.exclude_kernel = attr.exclude_kernel;
		event->attr.exclude_hv = attr.exclude_hv;
		event->attr.precise_ip = attr.precise_ip;
		event->precise = attr.precise_ip;
		event->modifiers_given = attr.exclude_user || attr.exclude_kernel;
		event->core_pmu = true;
	}
	free(pmu);
	free(name);
	return r;
}

/* One event without commas or braces. */
static int parse_one(struct event_parser *p, struct span text, struct err *err)
{
	const char *colon = memchr(text.at, ':', text.len);
	struct span name = { text.at, colon ? (size_t)(colon - text.at) : text.len };
	struct span mods = { text.at + name.len, 0 };
	uint32_t from = p->list->nr;
	int r;

	if (!text.len)
		return err_set(err, EINVAL, "an event is missing its name");
	if (text.len > 4 && strncmp(text.at, "mem:", 4) == 0)
		return event_parse_breakpoint(p, text, err);
	if (memchr(text.at, '/', text.len))
		return event_parse_pmu(p, text, err);
	if (colon)
		mods = (struct span){ colon + 1, text.len - name.len - 1 };
	if (!colon || event_is_modifiers(mods)) {
		r = parse_plain(p, text, name, err);
		if (r)
			return r < 0 ? r : event_apply_modifiers(p, from, mods, err);
	}
	if (colon && event_legacy_find(name.at, name.len))
		return event_apply_modifiers(p, from, mods.len ? mods : (struct span){ ":", 1 },
					     err);
	/* Manuals write capitals and tracepoints do not; so neither waits for the other. */
	for (int i = 0; i < 2; i++) {
		bool pfm_turn = (isupper((unsigned char)text.at[0]) != 0) == (i == 0);

		if (pfm_turn)
			r = parse_pfm(p, text, err);
		else if (colon && name.at[name.len + 1] != ':')
			r = event_parse_tracepoint(p, text, err);
		else
			r = 0;
		if (r)
			return r < 0 ? r : 0;
	}
	return event_unknown(p, text, err);
}

/* The end of the event that starts at s: a comma or brace outside of slashes and quotes. */
static const char *event_end(const char *s)
{
	bool terms = false, quoted = false;

	/* A breakpoint's slash has no second one. */
	if (str_starts(s, "mem:"))
		return s + strcspn(s, ",{}");
	for (; *s; s++) {
		if (*s == '\'' && terms)
			quoted = !quoted;
		else if (*s == '/' && !quoted)
			terms = !terms;
		else if (!terms && strchr(",{}", *s))
			break;
	}
	return s;
}

/* Modifiers behind a group's brace. */
static int parse_group_end(struct event_parser *p, uint32_t from, const char **s, struct err *err)
{
	struct span mods = { *s, 0 };

	for (uint32_t i = from; i < p->list->nr; i++) {
		struct event *event = &p->list->v[i];

		if (i > from && (event->pinned || event->exclusive))
			return err_set(err, EINVAL, "modifiers D and e are for a whole group; "
				       "write them behind its brace, not behind '%s'", event->name);
		event->leader = from;
	}
	if (**s != ':')
		return 0;
	mods.at = *s + 1;
	mods.len = strcspn(mods.at, ",{}");
	*s = mods.at + mods.len;
	if (!mods.len)
		return err_set(err, EINVAL, "modifiers are missing behind ':'");
	return event_apply_modifiers(p, from, mods, err);
}

static bool pmu_seen(const struct event_list *list, uint32_t from, uint32_t to, const char *pmu)
{
	for (uint32_t i = from; i < to; i++)
		if (strcmp(list->v[i].pmu, pmu) == 0)
			return true;
	return false;
}

/*
 * On hybrid CPUs a group of hardware events is one group for each kind of core:
 * the kernel refuses groups across PMUs.
 */
static void split_hybrid_group(struct event_parser *p, uint32_t from)
{
	struct event_list *list = p->list;
	uint32_t n = list->nr - from;
	struct event *sorted;
	uint32_t out = 0;

	if (pmu_set_hybrid(p->pmus) < 2)
		return;
	sorted = mem_realloc_array(NULL, n, sizeof(*sorted));
	for (uint32_t i = 0; i < n; i++) {
		const char *pmu = list->v[from + i].pmu;
		uint32_t leader = from + out;

		if (pmu_seen(list, from, from + i, pmu))
			continue;
		for (uint32_t j = i; j < n; j++) {
			if (strcmp(list->v[from + j].pmu, pmu) != 0)
				continue;
			sorted[out] = list->v[from + j];
			sorted[out++].leader = leader;
		}
	}
	memcpy(list->v + from, sorted, n * sizeof(*sorted));
	free(sorted);
}

static bool core_only(const struct event_list *list, uint32_t from)
{
	for (uint32_t i = from; i < list->nr; i++)
		if (!list->v[i].core_pmu)
			return false;
	return list->nr > from;
}

static int parse_group(struct event_parser *p, const char **s, struct err *err)
{
	uint32_t from = p->list->nr;
	const char *at = *s + 1;
	int r;

	p->piece++;
	for (;;) {
		const char *end;

		at += strspn(at, " \t\n");
		end = event_end(at);
		if (*end == '{')
			return err_set(err, EINVAL, "groups cannot stand inside groups");
		r = parse_one(p, (struct span){ at, (size_t)(end - at) }, err);
		if (r < 0)
			return r;
		at = end;
		if (*at == '}')
			break;
		if (!*at)
			return err_set(err, EINVAL, "the group's closing '}' is missing");
		at++;
	}
	*s = at + 1;
	r = parse_group_end(p, from, s, err);
	if (!r && core_only(p->list, from))
		split_hybrid_group(p, from);
	return r;
}

static int parse_all(struct event_parser *p, const char *text, struct err *err)
{
	const char *s = text;
	int r;

	for (;;) {
		s += strspn(s, " \t\n");
		if (*s == '{') {
			r = parse_group(p, &s, err);
		} else {
			const char *end = event_end(s);

			p->piece++;
			if (*end == '{' || *end == '}')
				return err_set(err, EINVAL, "'%c' is not expected here", *end);
			r = parse_one(p, (struct span){ s, (size_t)(end - s) }, err);
			s = end;
		}
		if (r < 0)
			return r;
		s += strspn(s, " \t\n");
		if (!*s)
			return 0;
		if (*s != ',')
			return err_set(err, EINVAL, "a comma is missing before '%s'", s);
		s++;
	}
}

int event_parse(struct event_list *list, const char *text, const struct event_env *env,
		struct err *err)
{
	static const struct event_env here;
	struct event_parser p = { .env = env ? env : &here, .list = list };
	uint32_t before = list->nr;
	struct pmu_set other;
	struct err own = ERR_INIT;
	int r;

	p.piece = before ? list->v[before - 1].piece : 0;
	p.pmus = pmu_set_here();
	if (p.env->sysfs) {
		p.pmus = &other;
		pmu_set_init(&other, p.env->sysfs);
	}
	r = parse_all(&p, text, &own);
	if (p.env->sysfs)
		pmu_set_release(&other);
	if (r < 0) {
		list_cut(list, before);
		/* The message names the part; the whole is shown where that is not enough. */
		if (strstr(own.msg, text))
			return err_set(err, own.code, "%s", own.msg);
		return err_set(err, own.code, "in event '%s': %s", text, own.msg);
	}
	return 0;
}
