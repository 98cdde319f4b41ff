/* SPDX-License-Identifier: MIT */
/*
 * reads: samples that carry counter values (PERF_SAMPLE_READ), as samples of what counted.
 *
 * With `-e '{a,b}:S'` only the leader samples; each of its samples holds the values of
 * all members.  It stands for one sample of each member, with what the member counted
 * since its last value as period, and for none of those that did not move:
 *
 *	file     sample of a {a 100, b 3}   sample of a {a 210, b 3}   sample of a {a 300, b 9}
 *	is       a 100, b 3                 a 110                      a 90, b 6
 *
 * Values of one id only grow, and stand in one ring, so the file's order is their order
 * of time.  To count on several threads all the same, the first pass notes for each block
 * the last values before it of the ids that occur in it (struct read_carries): any block
 * can then be counted by itself.
 *
 * An event that children inherit is read per thread (since Linux 6.12), so that an id
 * has a value for each thread.
 */
#ifndef PROFILE_READS_H
#define PROFILE_READS_H

#include "base/hash.h"
#include "base/vec.h"
#include "formats/perf_data.h"

/* The last value of each id. Zero-initialised is empty. */
struct reads {
	struct map64 last;
};

void reads_release(struct reads *reads);

/* Does some event of the recording sample values? */
bool reads_any(const struct event_set *events);

/* Is this a sample that stands for others than itself? */
static inline bool reads_is_split(const struct sample *sample)
{
	return (sample->event->attr.sample_type & PERF_SAMPLE_READ) != 0;
}

/*
 * Make of `sample` the next one that it stands for, its event, id and period set: true, or
 * false when there is none left. *at starts at 0. Samples without values are themselves.
 */
bool reads_next(struct reads *reads, const struct event_set *events, struct sample *sample,
		uint32_t *at);

struct read_carry { uint64_t key, value; };

/* What the first pass notes. Zero-initialised is empty. */
struct read_carries {
	struct map64 last;               /* value of each id so far */
	struct map64 in_block;           /* ids noted for the block that is walked */
	VEC(struct read_carry) carries;
	VEC(size_t) first;               /* of each block, by its seq */
};

void read_carries_release(struct read_carries *carries);

/* A block begins; they come in the order of the file. Then its samples that hold values. */
void read_carries_block(struct read_carries *carries, const struct block *block);
void read_carries_add(struct read_carries *carries, const struct event_set *events,
		      const struct sample *sample);

/* Set `reads` to what it would be before the block. */
void reads_start(struct reads *reads, const struct read_carries *carries, const struct block *block);

#endif
