/* SPDX-License-Identifier: MIT */
/*
 * --affinity: a ring is emptied where it was filled, by a thread that goes from ring to ring.
 * Its data are in that CPU's caches, or at least in that node's memory.
 */
#include "engine/recorder_priv.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/topology.h"

struct affinity {
	size_t mask_bytes;
	cpu_set_t *home, *now;           /* where we began; where we are */
	struct topology_place *places;   /* of each ring's CPU */
};

static size_t last_cpu(const struct counters *c)
{
	size_t last = CPU_SETSIZE - 1;

	for (size_t i = 0; i < c->cpus.nr; i++)
		if (c->cpus.v[i] > 0 && (size_t)c->cpus.v[i] > last)
			last = (size_t)c->cpus.v[i];
	return last;
}

void recorder_open_affinity(struct recorder *r)
{
	const struct counters *c = &r->counters;
	struct affinity *a;

	if (r->o->affinity == AFFINITY_ANY)
		return;
	a = r->affinity = mem_zalloc(sizeof(*a));
	a->mask_bytes = CPU_ALLOC_SIZE(last_cpu(c) + 1);
	a->home = mem_zalloc(a->mask_bytes);
	a->now = mem_zalloc(a->mask_bytes);
	a->places = mem_zalloc((c->cpus.nr + 1) * sizeof(*a->places));
	sched_getaffinity(0, a->mask_bytes, a->home);
	for (size_t i = 0; i < c->cpus.nr; i++)
		topology_find(NULL, c->cpus.v[i], TOPOLOGY_NODE, 0, &a->places[i]);
}

/* The ring's CPU, or all of its node's that are watched. */
static void fill_mask(const struct recorder *r, size_t ring, cpu_set_t *mask)
{
	const struct affinity *a = r->affinity;
	const struct counters *c = &r->counters;

	CPU_ZERO_S(a->mask_bytes, mask);
	for (size_t i = 0; i < c->cpus.nr; i++)
		if (i == ring || (r->o->affinity == AFFINITY_NODE &&
				  a->places[i].node == a->places[ring].node))
			CPU_SET_S((size_t)c->cpus.v[i], a->mask_bytes, mask);
}

void recorder_go_to(struct recorder *r, size_t ring)
{
	struct affinity *a = r->affinity;
	cpu_set_t *mask;

	if (!a || r->counters.cpus.v[ring] < 0)
		return;
	mask = mem_alloc(a->mask_bytes);
	fill_mask(r, ring, mask);
	if (CPU_EQUAL_S(a->mask_bytes, mask, a->now)) {
		free(mask);
		return;
	}
	/* A CPU that is off by now, or not ours to run on: from where we are it works as well. */
	if (sched_setaffinity(0, a->mask_bytes, mask) < 0)
		log_debug("cannot go to CPU %d: %s", r->counters.cpus.v[ring], strerror(errno));
	else
		memcpy(a->now, mask, a->mask_bytes);
	free(mask);
}

void recorder_close_affinity(struct recorder *r)
{
	struct affinity *a = r->affinity;

	if (!a)
		return;
	sched_setaffinity(0, a->mask_bytes, a->home);
	free(a->home);
	free(a->now);
	free(a->places);
	free(a);
	r->affinity = NULL;
}
