/* SPDX-License-Identifier: MIT */
#include "engine/masks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/topology.h"

void masks_release(struct masks *m)
{
	for (size_t i = 0; i < m->nr; i++) {
		vec_release(&m->v[i].cpus);
		vec_release(&m->v[i].on);
	}
	vec_release(m);
	m->kind = MASKS_NONE;
}

static bool has_cpu(const cpu_vec *cpus, int cpu)
{
	for (size_t i = 0; i < cpus->nr; i++)
		if (cpus->v[i] == cpu)
			return true;
	return false;
}

/* --- the text ------------------------------------------------------------------------ */

static enum masks_kind kind_of(const char *spec)
{
	static const struct {
		const char *name;
		enum masks_kind kind;
	} kinds[] = {
		{ "", MASKS_CPU }, { "cpu", MASKS_CPU }, { "core", MASKS_CORE },
		{ "package", MASKS_PACKAGE }, { "numa", MASKS_NUMA },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(spec, kinds[i].name) == 0)
			return kinds[i].kind;
	return MASKS_GIVEN;
}

/* One mask, "CPUS/CPUS". */
static int parse_mask(struct mask *mask, char *text)
{
	char *slash = strchr(text, '/');

	if (!slash)
		return -EINVAL;
	*slash = '\0';
	return cpu_list_parse(text, &mask->cpus) < 0 ? -EINVAL : cpu_list_parse(slash + 1, &mask->on);
}

/* A CPU that two lists name, or -1. */
static int common_cpu(const cpu_vec *a, const cpu_vec *b)
{
	for (size_t i = 0; i < b->nr; i++)
		if (has_cpu(a, b->v[i]))
			return b->v[i];
	return -1;
}

static int check_apart(const struct masks *m, const char *spec, struct err *err)
{
	const struct mask *last = &m->v[m->nr - 1];

	for (size_t i = 0; i + 1 < m->nr; i++) {
		int cpu = common_cpu(&m->v[i].cpus, &last->cpus);

		if (cpu >= 0)
			return err_set(err, EINVAL, "--threads=%s: the ring of CPU %d can be emptied by "
				       "one thread only", spec, cpu);
		cpu = common_cpu(&m->v[i].on, &last->on);
		if (cpu >= 0)
			return err_set(err, EINVAL, "--threads=%s: two threads are to run on CPU %d; give "
				       "each CPUs of its own", spec, cpu);
	}
	return 0;
}

int masks_parse(struct masks *m, const char *spec, struct err *err)
{
	char *text, *at, *part;
	int r = 0;

	masks_release(m);
	m->kind = kind_of(spec ? spec : "");
	if (m->kind != MASKS_GIVEN)
		return 0;
	text = at = mem_strdup(spec);
	while (r == 0 && (part = strsep(&at, ":"))) {
		struct mask *mask = vec_push(m);

		memset(mask, 0, sizeof(*mask));
		if (parse_mask(mask, part) < 0)
			r = err_set(err, EINVAL, "--threads takes cpu, core, package, numa or masks such as "
				    "0-3/0-3:4-7/4-7 (CPUs to empty/CPUs to run on), not '%s'", spec);
		else
			r = check_apart(m, spec, err);
	}
	free(text);
	if (r < 0)
		masks_release(m);
	return r;
}

/* --- for the CPUs that are watched ------------------------------------------------------ */

static void settle_groups(const struct masks *m, const cpu_vec *watched, const char *sysfs,
			  struct masks *out)
{
	static const enum topology_level levels[] = {
		[MASKS_CPU] = TOPOLOGY_CPU, [MASKS_CORE] = TOPOLOGY_CORE,
		[MASKS_PACKAGE] = TOPOLOGY_SOCKET, [MASKS_NUMA] = TOPOLOGY_NODE,
	};
	struct topology_place *places = mem_zalloc((watched->nr + 1) * sizeof(*places));

	for (size_t i = 0; i < watched->nr; i++) {
		struct topology_place place;
		size_t at = 0;

		topology_find(sysfs, watched->v[i], levels[m->kind], 0, &place);
		while (at < out->nr && topology_compare(&places[at], &place) != 0)
			at++;
		if (at == out->nr) {
			places[at] = place;
			memset(vec_push(out), 0, sizeof(*out->v));
		}
		*vec_push(&out->v[at].cpus) = watched->v[i];
		*vec_push(&out->v[at].on) = watched->v[i];
	}
	free(places);
}

static int settle_given(const struct masks *m, const cpu_vec *watched, struct masks *out,
			struct err *err)
{
	bool found;

	for (size_t i = 0; i < m->nr; i++) {
		struct mask *mask = vec_push(out);

		memset(mask, 0, sizeof(*mask));
		for (size_t j = 0; j < m->v[i].cpus.nr; j++)
			if (has_cpu(watched, m->v[i].cpus.v[j]))
				*vec_push(&mask->cpus) = m->v[i].cpus.v[j];
		for (size_t j = 0; j < m->v[i].on.nr; j++)
			*vec_push(&mask->on) = m->v[i].on.v[j];
		if (!mask->cpus.nr)
			return err_set(err, EINVAL, "--threads: mask %zu names none of the CPUs that are "
				       "watched", i + 1);
	}
	for (size_t i = 0; i < watched->nr; i++) {
		found = false;
		for (size_t j = 0; j < m->nr && !found; j++)
			found = has_cpu(&m->v[j].cpus, watched->v[i]);
		if (!found)
			return err_set(err, EINVAL, "--threads: no mask names CPU %d, whose ring nobody would "
				       "empty; -C watches fewer CPUs", watched->v[i]);
	}
	return 0;
}

int masks_settle(const struct masks *m, const cpu_vec *watched, const char *sysfs,
		 struct masks *out, struct err *err)
{
	int r = 0;

	memset(out, 0, sizeof(*out));
	out->kind = m->kind;
	if (m->kind == MASKS_GIVEN)
		r = settle_given(m, watched, out, err);
	else if (m->kind != MASKS_NONE)
		settle_groups(m, watched, sysfs, out);
	if (r < 0)
		masks_release(out);
	return r;
}
