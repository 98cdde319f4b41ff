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
	uint64_t time_ns, seq;
	const uint8_t *bytes;
	struct held *held;
};

struct ordered {
	const struct perf_data *data;
	struct blocks *blocks;
	struct decoder decoder;
	VEC(struct ref) refs;    /* sorted up to nr_ready, given out up to at */
	size_t at, nr_ready;
	uint64_t seq, newest_ns, limit_ns;
	struct held *last;       /* whose record was given out last */
	bool ended, unsorted, place_rounds;
};

struct ordered *ordered_new(const struct perf_data *data)
{
	struct ordered *o = mem_zalloc(sizeof(*o));

	o->data = data;
	o->blocks = blocks_new(data);
	decoder_init(&o->decoder, &data->events, data->swap);
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
	blocks_free(o->blocks);
	decoder_release(&o->decoder);
	free(o);
}

static int by_time(const void *a, const void *b)
{
	const struct ref *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* The common case: one CPU's ring, or a round in which they did not overlap. */
static bool is_sorted(const struct ref *v, size_t nr)
{
	for (size_t i = 1; i < nr; i++)
		if (by_time(&v[i - 1], &v[i]) > 0)
			return false;
	return true;
}

/* Sort what is kept; what is not newer than limit_ns is ready. */
static void make_ready(struct ordered *o, uint64_t limit_ns)
{
	if (o->at)
		memmove(o->refs.v, o->refs.v + o->at,
			(o->refs.nr - o->at) * sizeof(*o->refs.v));
	o->refs.nr -= o->at;
	o->at = 0;
	if (!is_sorted(o->refs.v, o->refs.nr))
		qsort(o->refs.v, o->refs.nr, sizeof(*o->refs.v), by_time);
	o->nr_ready = o->refs.nr;
	while (o->nr_ready && o->refs.v[o->nr_ready - 1].time_ns > limit_ns)
		o->nr_ready--;
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
		time_ns = o->unsorted ? 0 : record_time(&o->decoder, bytes);
		if (record_header(bytes, o->data->swap).type == RECORD_FINISHED_ROUND) {
			limit = o->limit_ns;
			o->limit_ns = o->newest_ns;
			round = true;
			if (o->place_rounds)
				time_ns = o->newest_ns;
		}
		held->waiting++;
		*vec_push(&o->refs) = (struct ref){ time_ns, o->seq++, bytes, held };
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
		*file_off = ref->held->block.owned ?
				    ref->held->block.file_off :
				    ref->held->block.file_off +
					    (uint64_t)(ref->bytes - ref->held->block.bytes);
	return 1;
}

const struct damage *ordered_damages(const struct ordered *o, uint32_t *nr)
{
	return blocks_damages(o->blocks, nr);
}
