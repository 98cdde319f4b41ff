/* SPDX-License-Identifier: MIT */
/* What was lost, and where that is told. */
#include "engine/recorder_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* LOST_SAMPLES for what a counter says it lost, with its id, its CPU (-1: unknown), and until when. */
static int write_lost(struct recorder *r, size_t event, uint64_t id, int cpu, uint64_t lost,
		      struct err *err)
{
	uint64_t type = r->events->v[event].attr.sample_type;
	struct {
		struct perf_event_header header;
		uint64_t words[8];
	} d = { .header = { .type = PERF_RECORD_LOST_SAMPLES } };
	const struct {
		uint64_t bit, word;
	} trailer[] = {
		{ PERF_SAMPLE_TID, 0 },
		{ PERF_SAMPLE_TIME, r->end_ns },   /* the last in order of time as well */
		{ PERF_SAMPLE_ID, id },
		{ PERF_SAMPLE_STREAM_ID, id },
		{ PERF_SAMPLE_CPU, (uint32_t)cpu },
		{ PERF_SAMPLE_IDENTIFIER, id },
	};
	size_t nr = 0;

	d.words[nr++] = lost;
	for (size_t i = 0; i < sizeof(trailer) / sizeof(*trailer); i++)
		if (type & trailer[i].bit)
			d.words[nr++] = trailer[i].word;
	d.header.size = (uint16_t)(sizeof(d.header) + nr * sizeof(*d.words));
	return perf_write_records(r->writer, &d, d.header.size, err);
}

/* Those of an event stand together. */
static void remember(struct recorder_result *result, const char *event, int cpu, pid_t tid, uint64_t lost)
{
	size_t at = result->nr_losses;

	for (size_t i = 0; i < result->nr_losses; i++) {
		struct recorder_loss *known = &result->losses[i];

		if (strcmp(known->event, event) != 0)
			continue;
		at = i + 1;
		if (known->cpu != cpu || known->tid != tid)
			continue;
		known->lost += lost;
		return;
	}
	result->losses = mem_realloc_array(result->losses, result->nr_losses + 1,
					   sizeof(*result->losses));
	memmove(&result->losses[at + 1], &result->losses[at],
		(result->nr_losses++ - at) * sizeof(*result->losses));
	result->losses[at] = (struct recorder_loss){ mem_strdup(event), cpu, tid, lost };
}

/*
 * What no LOST record told of, since there was no room for it any more: from when on?
 * `ring` is that of the events that are tapped, or of the others.
 */
static void note_last_losses(struct recorder *r, size_t cpu, const struct ring *ring, bool tapped)
{
	const struct counters *c = &r->counters;
	uint64_t lost = 0;

	for (size_t e = 0; e < r->events->nr; e++)
		if (tap_takes(r->tap, e) == tapped)
			lost += r->lost_before[e * c->cpus.nr + cpu];
	if (!c->rings[cpu].page || lost <= ring->lost)
		return;
	r->result->lost_to_end = true;
	if (!r->lost_from_ns || ring->last_ns < r->lost_from_ns)
		r->lost_from_ns = ring->last_ns;
}

static int tell(struct recorder *r, size_t event, uint64_t id, int cpu, pid_t tid, uint64_t lost,
		struct err *err)
{
	if (!lost)
		return 0;
	r->result->lost_samples += lost;
	remember(r->result, r->events->v[event].name, cpu, tid, lost);
	return write_lost(r, event, id, cpu, lost, err);
}

/*
 * Of a CPU, and the events that are tapped or the others. The LOST record comes with the next
 * record that finds room, maybe in the next file: what has none yet is left for that, as the
 * reader of each file takes the larger sum of both kinds of record.
 */
static int write_lost_of_ring(struct recorder *r, size_t cpu, const struct ring *ring, bool tapped,
			      struct err *err)
{
	struct counters *c = &r->counters;
	uint64_t *lost = mem_zalloc(r->events->nr * sizeof(*lost)), later = 0;
	pid_t tid = counters_per_thread(c) ? counters_thread(c, cpu, 0)->tid : 0;
	int ret = 0;

	for (size_t e = 0; e < r->events->nr; e++) {
		if (tap_takes(r->tap, e) == tapped)
			lost[e] = recorder_lost_of(r, e, cpu);
		later += lost[e];
	}
	later = r->is_over || !c->rings[cpu].page || later < ring->lost ? 0 : later - ring->lost;
	for (size_t e = 0; e < r->events->nr && ret == 0; e++) {
		uint64_t *before = &r->lost_before[e * c->cpus.nr + cpu], since = 0, left;

		if (tap_takes(r->tap, e) == tapped)
			since = lost[e] - *before;
		left = since < later ? since : later;
		later -= left;
		*before += since - left;
		ret = tell(r, e, counters_id(c, e, cpu), c->cpus.v[cpu], tid, since - left, err);
	}
	free(lost);
	return ret;
}

int recorder_write_lost(struct recorder *r, struct err *err)
{
	struct counters *c = &r->counters;
	int ret = 0;

	if (!r->lost_before)
		r->lost_before = mem_zalloc(r->events->nr * c->cpus.nr * sizeof(*r->lost_before));
	for (size_t cpu = 0; cpu < c->cpus.nr && ret == 0; cpu++) {
		ret = write_lost_of_ring(r, cpu, &c->rings[cpu], false, err);
		if (ret == 0 && r->tap)
			ret = write_lost_of_ring(r, cpu, &r->tap_rings[cpu], true, err);
	}
	for (size_t e = 0; e < r->events->nr && ret == 0 && r->tap; e++)
		ret = tell(r, e, counters_id(c, e, 0), -1, 0, tap_missed(r->tap, e), err);
	for (size_t cpu = 0; cpu < c->cpus.nr && r->is_over; cpu++) {
		note_last_losses(r, cpu, &c->rings[cpu], false);
		if (r->tap)
			note_last_losses(r, cpu, &r->tap_rings[cpu], true);
	}
	return ret;
}

/* --- larger rings ----------------------------------------------------------------- */

/* All told, of locked memory and of the machine's. */
#define GROWN_MOST (256u << 20)
#define GROWTH 8

static uint64_t grown_size(const struct recorder *r)
{
	uint64_t bytes = r->counters.ring_bytes * GROWTH;
	uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 32;

	while (bytes > r->counters.ring_bytes &&
	       (bytes * r->counters.cpus.nr > GROWN_MOST || bytes * r->counters.cpus.nr > memory))
		bytes /= 2;
	return bytes;
}

/* A larger ring for each CPU, or -errno when the first is refused; held[] is what they held. */
static int grow_all(struct recorder *r, uint64_t bytes, struct ring *held)
{
	struct counters *c = &r->counters;
	int ret = 0, grown = 0;

	for (size_t i = 0; i < c->cpus.nr && ret == 0; i++) {
		if (!c->rings[i].page)
			continue;
		ret = counters_grow(c, i, bytes, &held[i]);
		grown += ret == 0;
	}
	return grown ? 0 : ret;
}

/* Write what was held, by the way that everything goes. */
static int drain_held(struct recorder *r, struct ring *held, struct err *err)
{
	struct counters *c = &r->counters;
	struct ring *rings = c->rings;
	int ret = 0;

	for (size_t i = 0; i < c->cpus.nr && r->crew && ret >= 0; i++)
		ret = recorder_crew_drain(r, &held[i], i, err);
	if (!r->crew) {
		c->rings = held;
		ret = recorder_drain(r, err);
		c->rings = rings;
	}
	for (size_t i = 0; i < c->cpus.nr; i++) {
		if (held[i].page) {
			rings[i].last_ns = held[i].last_ns;
			rings[i].lost = held[i].lost;
		}
		free(held[i].page);
		free(held[i].data);
	}
	return ret < 0 ? ret : 0;
}

static bool has_lost(struct recorder *r)
{
	bool lost;

	recorder_lock(r, &r->sums);
	lost = r->result->lost_records > 0;
	recorder_unlock(r, &r->sums);
	return lost;
}

/*
 * A size that was asked for stays; and what was switched off is not to be switched on. A thread's
 * ring cannot be exchanged: only events of that thread can own it (perf_event_set_output).
 */
bool recorder_may_grow(const struct recorder *r)
{
	const struct recorder_options *o = r->o;

	return !r->grown && !o->ring_bytes && !o->overwrite && !o->control && !o->duty.delayed &&
	       !r->tap && !o->target.per_thread;
}

int recorder_grow(struct recorder *r, struct err *err)
{
	uint64_t before = r->counters.ring_bytes, bytes = grown_size(r);
	struct ring *held;
	int ret = -ENOMEM;

	if (!recorder_may_grow(r) || !has_lost(r))
		return 0;
	r->grown = true;
	recorder_hold_crew(r);
	held = mem_zalloc(r->counters.cpus.nr * sizeof(*held));
	while (bytes > before && (ret = grow_all(r, bytes, held)) == -EPERM)
		bytes /= 2;
	if (ret == 0) {
		r->counters.ring_bytes = bytes;
		log_note("samples were lost: the rings have grown from %" PRIu64 " to %" PRIu64 " KB each",
			 before >> 10, bytes >> 10);
		ret = drain_held(r, held, err);
	} else {
		log_note("samples are lost, and the rings of %" PRIu64 " KB cannot grow (%s); 'ulimit -l', "
			 "/proc/sys/kernel/perf_event_mlock_kb and -m set their size", before >> 10,
			 ret == -EPERM ? "the limit of locked memory" : strerror(-ret));
		ret = 0;
	}
	recorder_release_crew(r);
	free(held);
	return ret;
}

void recorder_result_release(struct recorder_result *result)
{
	for (size_t i = 0; i < result->nr_losses; i++)
		free(result->losses[i].event);
	free(result->losses);
	free(result->path);
	memset(result, 0, sizeof(*result));
}
