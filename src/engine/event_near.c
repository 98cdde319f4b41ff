/* SPDX-License-Identifier: MIT */
/* A name that is no event's: what it was probably meant to be. Runs only to fail. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "engine/event_legacy.h"
#include "engine/event_parse.h"
#include "engine/pfm.h"
#include "engine/tracefs.h"

struct names {
	char **v;
	size_t nr, cap;
};

static void add(struct names *names, const char *name)
{
	*vec_push(names) = mem_strdup(name);
}

static int add_tracepoint(const char *system, const char *name, void *arg)
{
	struct str full = STR_INIT;
	struct names *names = arg;

	str_addf(&full, "%s:%s", system, name);
	*vec_push(names) = str_take(&full);
	return 0;
}

static int add_pfm(const char *name, void *arg)
{
	add(arg, name);
	return 0;
}

static void add_fixed(struct names *names)
{
	const struct event_legacy *legacy;
	uint64_t config;
	char name[64];

	for (size_t i = 0; (legacy = event_legacy_at(i)); i++) {
		add(names, legacy->name);
		if (legacy->alias)
			add(names, legacy->alias);
	}
	for (size_t i = 0; event_legacy_cache_at(i, name, &config); i++)
		add(names, name);
}

static void add_aliases(struct event_parser *p, struct names *names)
{
	pmu_set_scan(p->pmus);
	for (uint32_t i = 0; i < p->pmus->nr; i++) {
		struct pmu *pmu = p->pmus->v[i];

		pmu_aliases_load(pmu);
		for (uint32_t a = 0; a < pmu->nr_aliases; a++)
			add(names, pmu->aliases[a].name);
	}
}

/* The candidates: what looks like a tracepoint is compared with tracepoints. */
static void collect(struct event_parser *p, bool colon, struct names *names)
{
	const char *tracefs = p->env->tracefs ? p->env->tracefs : tracefs_dir_quiet();

	if (!colon) {
		add_fixed(names);
		add_aliases(p, names);
		pfm_each_name(add_pfm, names);
	}
	if (colon && tracefs)
		tracefs_each(tracefs, "*", "*", add_tracepoint, names, NULL);
	*vec_push(names) = NULL;
}

/* The tracepoint whose bare name this is, as in `sched_switch`. */
static const char *bare_tracepoint(struct event_parser *p, const char *word, struct names *names)
{
	const char *tracefs = p->env->tracefs ? p->env->tracefs : tracefs_dir_quiet();

	if (!tracefs || str_is_glob(word))
		return NULL;
	tracefs_each(tracefs, "*", word, add_tracepoint, names, NULL);
	return names->nr ? names->v[0] : NULL;
}

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->nr; i++)
		free(names->v[i]);
	vec_release(names);
}

int event_unknown(struct event_parser *p, struct span text, struct err *err)
{
	char *word = mem_strndup(text.at, text.len);
	bool colon = strchr(word, ':') != NULL;
	struct names names = { 0 };
	const char *near = colon ? NULL : bare_tracepoint(p, word, &names);

	if (!near) {
		names_release(&names);
		collect(p, colon, &names);
		near = str_nearest(word, (const char *const *)names.v);
	}
	if (near)
		err_set(err, ENOENT, "there is no event '%s'; did you mean '%s'?", word, near);
	else
		err_set(err, ENOENT, "there is no event '%s'; `sonde list` shows what there is%s",
			word, colon || pfm_version() ? "" : " (this build has no libpfm4 for the "
							    "names in processor manuals)");
	names_release(&names);
	free(word);
	return -ENOENT;
}
