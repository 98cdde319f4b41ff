/* SPDX-License-Identifier: MIT */
#include "profile/reads.h"

#include <string.h>

void reads_release(struct reads *reads)
{
	map64_release(&reads->last);
}

bool reads_any(const struct event_set *events)
{
	for (uint32_t i = 0; i < events->nr; i++)
		if (events->v[i].attr.sample_type & PERF_SAMPLE_READ)
			return true;
	return false;
}

/* Where the last value of an id is kept; `event` is the id's own. */
static uint64_t key_of(const struct event_desc *event, uint64_t id, uint32_t tid)
{
	bool per_thread = event->attr.inherit && (event->attr.sample_type & PERF_SAMPLE_TID);

	return per_thread ? hash_mix(id, tid) : id;
}

bool reads_next(struct reads *reads, const struct event_set *events, struct sample *s, uint32_t *at)
{
	/* a value without an id can only be the event's own, and then has no last one to go by */
	if (!reads_is_split(s) || !(s->read_format & PERF_FORMAT_ID))
		return (*at)++ == 0;
	while (*at < s->nr_values) {
		const struct read_value *v = &s->values[(*at)++];
		const struct event_desc *event = event_set_find(events, v->id);
		uint64_t *last, period;

		if (!event)
			continue;
		last = map64_put(&reads->last, key_of(event, v->id, s->tid), NULL);
		period = v->value - *last;
		*last = v->value;
		if (!period)
			continue;
		s->event = event;
		s->id = v->id;
		s->period = period;
		return true;
	}
	return false;
}

void read_carries_release(struct read_carries *c)
{
	map64_release(&c->last);
	map64_release(&c->in_block);
	vec_release(&c->carries);
	vec_release(&c->first);
}

void read_carries_block(struct read_carries *c, const struct block *block)
{
	while (c->first.nr <= block->seq)
		*vec_push(&c->first) = c->carries.nr;
	map64_release(&c->in_block);
}

void read_carries_add(struct read_carries *c, const struct event_set *events,
		      const struct sample *s)
{
	for (uint32_t i = 0; i < s->nr_values; i++) {
		const struct event_desc *event = event_set_find(events, s->values[i].id);
		uint64_t key, *last;
		bool added;

		if (!event)
			continue;
		key = key_of(event, s->values[i].id, s->tid);
		last = map64_put(&c->last, key, NULL);
		map64_put(&c->in_block, key, &added);
		if (added && *last)
			*vec_push(&c->carries) = (struct read_carry){ key, *last };
		*last = s->values[i].value;
	}
}

void reads_start(struct reads *reads, const struct read_carries *c, const struct block *block)
{
	size_t from, to;

	map64_release(&reads->last);
	if (block->seq >= c->first.nr)
		return;
	from = c->first.v[block->seq];
	to = block->seq + 1 < c->first.nr ? c->first.v[block->seq + 1] : c->carries.nr;
	for (size_t i = from; i < to; i++)
		*map64_put(&reads->last, c->carries.v[i].key, NULL) = c->carries.v[i].value;
}
