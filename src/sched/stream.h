/* SPDX-License-Identifier: MIT */
/*
 * stream: a recording -> the scheduler's events, in the order of time.
 *
 *	perf_data --profile/order--> records --fields by their offsets--> struct sched_event
 *
 * Of the tracepoints, whatever of them there is, fields are found by name in the description
 * that the recording carries, once; then they are read at their offsets.  Other events and
 * records are passed over.  Memory does not grow with the number of events.
 */
#ifndef SCHED_STREAM_H
#define SCHED_STREAM_H

#include "base/err.h"
#include "formats/perf_data.h"
#include "sched/event.h"

struct stream;

/*
 * `data` is borrowed. -ENOENT with a message for a recording that has no sched_switch (what
 * such a recording is made with), or does not describe it.
 */
int stream_new(struct stream **out, const struct perf_data *data, struct err *err);
void stream_free(struct stream *stream);

/* The next event: 1, or 0 at the end, or a negative errno. Its pointers hold until the next. */
int stream_next(struct stream *stream, struct sched_event *out, struct err *err);

/* Whether a kind of event is recorded at all, happen it or not. */
bool stream_has(const struct stream *stream, enum sched_kind kind);
bool stream_has_stacks(const struct stream *stream);

/* What could not be read so far. */
struct stream_account {
	uint64_t records, bad_samples;   /* samples whose fields do not fit */
	uint64_t lost_samples;           /* LOST_SAMPLES: counted by the kernel, of no known time */
	uint64_t unknown_states;         /* switches of which nobody knows how the task left */
	const struct damage *damages;    /* at the end of the stream */
	uint32_t nr_damages;
	bool unfinished;
};
struct stream_account stream_account(const struct stream *stream);

#endif
