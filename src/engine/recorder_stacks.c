/* SPDX-License-Identifier: MIT */
/*
 * Rings with copies of stacks: each record goes through engine/stacks on its way.
 *
 *	ring 0 --.  pass 1: side-band of all rings, in order of time
 *	ring 1 --+  pass 2: samples, rewritten --> batch --> file; the ring's room is given back
 *	   ...
 *
 * Unwinding a sample is mostly less work than writing its stack.  But the stacks of one may
 * be deep, so a ring that is nearly full is emptied in haste: its samples are written with
 * their stacks and unwound when they are read.
 */
#include "engine/recorder_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* What stacks reads samples by: the events as they were opened, with their ids. */
static int make_set(struct recorder *r, struct err *err)
{
	struct event_set *set = &r->set;

	set->nr = r->nr_described;
	set->v = mem_zalloc(set->nr * sizeof(*set->v));
	for (uint32_t i = 0; i < set->nr; i++) {
		struct event_desc *e = &set->v[i];

		e->attr = r->events->v[i].attr;
		e->name = mem_strdup(r->events->v[i].name);
		e->ids = counters_ids(&r->counters, i, &e->nr_ids);
		e->index = e->leader = i;
		e->nr_members = 1;
		e->scale = 1.0;
	}
	return event_set_index(set, err);
}

/* Whether all rings can do without us for a while: no sample will be lost for it. */
static bool rings_have_room(void *arg)
{
	const struct recorder *r = arg;
	struct iovec pieces[2];
	int unused;

	for (size_t i = 0; i < r->counters.cpus.nr; i++) {
		const struct ring *ring = &r->counters.rings[i];

		if (!r->is_over && ring->page &&
		    ring_peek(ring, pieces, &unused) > ring->bytes / 8 * 5)
			return false;
	}
	return true;
}

int recorder_open_stacks(struct recorder *r, struct err *err)
{
	bool any = false;
	int ret;

	for (uint32_t i = 0; i < r->events->nr; i++)
		any |= (r->events->v[i].attr.sample_type & PERF_SAMPLE_STACK_USER) != 0;
	if (!any)
		return 0;
	ret = make_set(r, err);
	if (r->crew)                     /* each of it has its own */
		return ret;
	if (ret == 0)
		ret = stacks_new(&r->stacks, &r->set, arch_host(),
				 r->o->attr.callgraph == CALLGRAPH_UNWIND ? rings_have_room : NULL,
				 r, err);
	if (ret == 0)
		r->batch = mem_alloc(RECORDER_BATCH_BYTES);
	return ret;
}

void recorder_close_stacks(struct recorder *r)
{
	stacks_free(r->stacks);
	event_set_release(&r->set);
	free(r->batch);
}

/* The record `at` bytes into what a ring holds; copied where it goes round the ring's end. */
static const uint8_t *record_at(struct drainer *d, const struct ring *ring, uint64_t at,
				uint16_t size)
{
	uint64_t pos = (ring->page->data_tail + at) & (ring->bytes - 1);

	if (pos + size <= ring->bytes)
		return recorder_named(d, ring->data + pos);
	ring_copy(ring, at, d->record, size);
	return recorder_named(d, d->record);
}

static int damaged(const struct ring *ring, struct err *err)
{
	return err_set(err, EIO, "the ring of CPU %d is damaged", ring->cpu);
}

static bool is_whole(const struct perf_event_header *header, uint64_t left)
{
	return header->size >= sizeof(*header) && header->size <= left;
}

static int take_sideband(struct drainer *d, const struct ring *ring, uint64_t left, struct err *err)
{
	for (uint64_t at = 0; at < left;) {
		const struct perf_event_header *header = ring_header(ring, at);

		if (!is_whole(header, left - at))
			return damaged(ring, err);
		if (header->type != PERF_RECORD_SAMPLE)
			stacks_take(d->stacks, record_at(d, ring, at, header->size));
		at += header->size;
	}
	return 0;
}

static int write_batch(struct drainer *d, struct ring *ring, size_t size, struct err *err)
{
	struct iovec piece = { d->batch, size };
	int ret = size ? perf_write_ring(d->writer, &piece, 1, err) : 0;

	recorder_count(d, ring, d->batch, ret < 0 ? perf_write_kept(d->writer) : size);
	return ret;
}

size_t recorder_put(struct drainer *d, const uint8_t *record, bool in_haste, uint8_t *to, uint64_t *own)
{
	size_t size = ((const struct perf_event_header *)(const void *)record)->size;

	if (recorder_is_own(d->r, record)) {
		++*own;
		return 0;
	}
	if (d->stacks)
		size = stacks_rewrite(d->stacks, record, in_haste, to);
	else
		memcpy(to, record, size);
	if (size)
		recorder_mend(d->r, (void *)to);
	return size;
}

static int rewrite_ring(struct drainer *d, struct ring *ring, uint64_t left, struct err *err)
{
	struct recorder *r = d->r;
	uint64_t own = 0;
	size_t size = 0;
	int ret = 0;

	while (left && ret == 0) {
		const struct perf_event_header *header = ring_header(ring, 0);
		uint16_t taken = header->size;

		if (!is_whole(header, left))
			return damaged(ring, err);
		size += recorder_put(d, record_at(d, ring, 0, taken), left > ring->bytes / 8 * 7,
				     d->batch + size, &own);
		ring_consume(ring, taken);
		left -= taken;
		if (size > RECORDER_BATCH_BYTES - UINT16_MAX - 1) {
			ret = write_batch(d, ring, size, err);
			size = 0;
		}
	}
	recorder_lock(r, &r->sums);
	r->result->own_samples += own;
	recorder_unlock(r, &r->sums);
	return ret < 0 ? ret : write_batch(d, ring, size, err);
}

int recorder_rewrite_ring(struct drainer *d, struct ring *ring, struct err *err)
{
	struct iovec pieces[2];
	uint64_t left;
	int unused, ret;

	if (!ring->page)
		return 0;
	left = ring_peek(ring, pieces, &unused);
	ret = left ? rewrite_ring(d, ring, left, err) : 0;
	return ret < 0 ? ret : left > 0;
}

int recorder_drain_stacks(struct recorder *r, struct err *err)
{
	struct drainer d = recorder_drainer(r);
	size_t nr = r->counters.cpus.nr;
	uint64_t *left = mem_zalloc(nr * sizeof(*left));
	struct iovec pieces[2];
	int unused, ret = 0;
	bool any = false;

	for (size_t i = 0; i < nr && ret == 0; i++) {
		if (!r->counters.rings[i].page)
			continue;
		left[i] = ring_peek(&r->counters.rings[i], pieces, &unused);
		ret = take_sideband(&d, &r->counters.rings[i], left[i], err);
		any |= left[i] > 0;
	}
	stacks_settle(r->stacks);
	for (size_t i = 0; i < nr && ret == 0; i++)
		if (left[i]) {
			recorder_go_to(r, i);
			ret = rewrite_ring(&d, &r->counters.rings[i], left[i], err);
		}
	stacks_sweep(r->stacks);
	free(left);
	return ret < 0 ? ret : any;
}

void recorder_tell_stacks(const struct recorder *r)
{
	const struct stacks_tally *t;
	uint64_t unwound = 0;

	if (!r->stacks || r->o->attr.callgraph != CALLGRAPH_UNWIND)
		return;
	t = stacks_told(r->stacks);
	for (unsigned i = 0; i < UNWIND_STOP_COUNT; i++)
		unwound += t->unwound[i];
	if (!unwound && !t->kept)
		return;
	log_info("%" PRIu64 " stacks unwound while recording, %.2f %% of them whole", unwound,
		 unwound ? 100.0 * (double)t->unwound[UNWIND_END] / (double)unwound : 0);
	for (unsigned i = UNWIND_END + 1; i < UNWIND_STOP_COUNT; i++)
		if (t->unwound[i])
			log_note("%" PRIu64 " stacks (%.2f %%) do not reach their root: %s", t->unwound[i],
				 100.0 * (double)t->unwound[i] / (double)unwound,
				 unwind_stop_text((enum unwind_stop)i));
	if (t->kept)
		log_note("%" PRIu64 " samples were written with their stacks, to be unwound when they are "
			 "read: the recorder was behind, or their code was not known yet", t->kept);
}
