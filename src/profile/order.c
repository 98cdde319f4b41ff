/* SPDX-License-Identifier: MIT */
#include "profile/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"

struct held {
	struct block block;
	size_t waiting;          /* records of it that were not given out yet */
};

struct ref {
	uint64_t time_ns;
	const uint8_t *bytes;
	struct held *held;
};

struct ordered {
	const struct perf_data *data;
	struct blocks *blocks;
	struct decoder decoder;
	VEC(struct ref) refs;    /* sorted up to nr_ready, given out up to at */
	size_t at, nr_ready;
	VEC(struct ref) spare;   /* of merging */
	VEC(size_t) runs;
	uint32_t time_at;        /* in a sample; 0: it has to be decoded */
	uint64_t newest_ns, limit_ns;
	struct held *last;       /* whose record was given out last */
	bool ended, unsorted, place_rounds;
};

/*
 * Where in a sample its time stands, if that is the same for all events that have samples;
 * 0 if it is not.
 */
static uint32_t find_time(const struct perf_data *data)
{
	int at = -1;

	for (uint32_t i = 0; i < data->events.nr; i++) {
		const struct event_desc *e = &data->events.v[i];

		if (e->attr.type == PERF_TYPE_SOFTWARE && e->attr.config == PERF_COUNT_SW_DUMMY)
			continue;
		if (e->at_time < 0 || (at >= 0 && at != e->at_time))
			return 0;
		at = e->at_time;
	}
	return data->swap || at < 0 ? 0 : (uint32_t)sizeof(struct perf_event_header) + (uint32_t)at * 8;
}

struct ordered *ordered_new(const struct perf_data *data)
{
	struct ordered *o = mem_zalloc(sizeof(*o));

	o->data = data;
	o->blocks = blocks_new(data);
	decoder_init(&o->decoder, &data->events, data->swap);
	o->time_at = find_time(data);
	return o;
}

struct ordered *ordered_new_unsorted(const struct perf_data *data)
{
	struct ordered *o = ordered_new(data);

	o->unsorted = true;
	return o;
}

void ordered_place_rounds(struct ordered *o)
{
	o->place_rounds = true;
}

static void held_put(struct held *held)
{
	if (held && --held->waiting == 0) {
		block_release(&held->block);
		free(held);
	}
}

void ordered_free(struct ordered *o)
{
	if (!o)
		return;
	held_put(o->last);
	for (size_t i = o->at; i < o->refs.nr; i++)
		held_put(o->refs.v[i].held);
	vec_release(&o->refs);
	vec_release(&o->spare);
	vec_release(&o->runs);
	blocks_free(o->blocks);
	decoder_release(&o->decoder);
	free(o);
}

/*
 * Merge two sorted pieces that follow each other, v[0..mid) and v[mid..nr); on equal times
 * the first goes first. Only what stands behind the other's beginning has to move.
 */
static void merge(struct ordered *o, struct ref *v, size_t mid, size_t nr)
{
	size_t a = 0, b = mid, left, at = 0;
	struct ref *first;

	while (a < mid && v[a].time_ns <= v[mid].time_ns)
		a++;
	left = mid - a;
	o->spare.nr = 0;
	vec_reserve(&o->spare, left);
	first = o->spare.v;
	memcpy(first, v + a, left * sizeof(*v));
	while (at < left && b < nr)
		v[a++] = v[b].time_ns < first[at].time_ns ? v[b++] : first[at++];
	memcpy(v + a, first + at, (left - at) * sizeof(*v));
}

/*
 * A round is a few pieces, one of each ring, each in order by itself: find where they begin
 * and merge them, neighbours first. (A clock that steps back only makes more pieces.)
 */
static void sort(struct ordered *o)
{
	struct ref *v = o->refs.v;
	size_t nr;

	o->runs.nr = 0;
	for (size_t i = 0; i < o->refs.nr; i++)
		if (!i || v[i].time_ns < v[i - 1].time_ns)
			*vec_push(&o->runs) = i;
	for (nr = o->runs.nr; nr > 1; nr = (nr + 1) / 2) {
		for (size_t i = 0; i + 1 < nr; i += 2) {
			size_t from = o->runs.v[i], mid = o->runs.v[i + 1];
			size_t to = i + 2 < nr ? o->runs.v[i + 2] : o->refs.nr;

			merge(o, v + from, mid - from, to - from);
			o->runs.v[i / 2] = from;
		}
		if (nr % 2)
			o->runs.v[nr / 2] = o->runs.v[nr - 1];
	}
}

/* Sort what is kept; what is not newer than limit_ns is ready. */
static void make_ready(struct ordered *o, uint64_t limit_ns)
{
	if (o->at)
		memmove(o->refs.v, o->refs.v + o->at,
			(o->refs.nr - o->at) * sizeof(*o->refs.v));
	o->refs.nr -= o->at;
	o->at = 0;
	sort(o);
	o->nr_ready = o->refs.nr;
	while (o->nr_ready && o->refs.v[o->nr_ready - 1].time_ns > limit_ns)
		o->nr_ready--;
}

static uint64_t time_of(struct ordered *o, const uint8_t *bytes, const struct perf_event_header *h)
{
	if (h->type == PERF_RECORD_SAMPLE && o->time_at && h->size >= o->time_at + 8)
		return *(const u64_una *)(const void *)(bytes + o->time_at);
	return record_time(&o->decoder, bytes);
}

/* Take one more block in. Returns 0 at the end of the file. */
static int take_block(struct ordered *o, struct err *err)
{
	struct held *held = mem_zalloc(sizeof(*held));
	const uint8_t *bytes;
	size_t at = 0;
	bool round = false;
	uint64_t limit = 0, time_ns;
	int r = blocks_next(o->blocks, &held->block, err);

	if (r <= 0) {
		free(held);
		return r;
	}
	held->waiting = 1;
	while ((bytes = block_record(&held->block, o->data->swap, &at))) {
		struct perf_event_header h = record_header(bytes, o->data->swap);

		time_ns = o->unsorted ? 0 : time_of(o, bytes, &h);
		if (h.type == RECORD_FINISHED_ROUND) {
			limit = o->limit_ns;
			o->limit_ns = o->newest_ns;
			round = true;
			if (o->place_rounds)
				time_ns = o->newest_ns;
		}
		held->waiting++;
		*vec_push(&o->refs) = (struct ref){ time_ns, bytes, held };
		if (time_ns > o->newest_ns)
			o->newest_ns = time_ns;
	}
	held_put(held);
	/* the files of a directory are not in step: all of them first */
	if (round && !o->data->is_directory)
		make_ready(o, limit);
	return 1;
}

static int next_ref(struct ordered *o, const struct ref **out, struct err *err)
{
	held_put(o->last);
	o->last = NULL;
	while (o->at == o->nr_ready) {
		int r;

		if (o->ended)
			return 0;
		r = take_block(o, err);
		if (r < 0)
			return r;
		if (!r) {
			o->ended = true;
			make_ready(o, UINT64_MAX);
		}
	}
	*out = &o->refs.v[o->at++];
	o->last = (*out)->held;
	return 1;
}

static uint64_t place_of(const struct ref *ref)
{
	const struct block *block = &ref->held->block;

	return block->owned ? block->file_off : block->file_off + (uint64_t)(ref->bytes - block->bytes);
}

int ordered_next_raw(struct ordered *o, const uint8_t **bytes, uint64_t *file_off, struct err *err)
{
	const struct ref *ref;
	int r = next_ref(o, &ref, err);

	if (r <= 0)
		return r;
	*bytes = ref->bytes;
	if (file_off)
		*file_off = place_of(ref);
	return 1;
}

int ordered_next(struct ordered *o, struct record *out, uint64_t *file_off, struct err *err)
{
	const struct ref *ref;
	int r;

	do {
		r = next_ref(o, &ref, err);
		if (r <= 0)
			return r;
	} while (record_decode(&o->decoder, ref->bytes, out, NULL) < 0);
	if (file_off)
		*file_off = place_of(ref);
	return 1;
}

const struct damage *ordered_damages(const struct ordered *o, uint32_t *nr)
{
	return blocks_damages(o->blocks, nr);
}
