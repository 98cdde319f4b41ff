/* SPDX-License-Identifier: MIT */
/*
 * order: the records of a recording in the order of time.
 *
 * The file holds pieces of per-CPU rings, each in order by itself.  The recorder
 * writes a FINISHED_ROUND after it has emptied every ring once: no record of a
 * later round is older than the newest of the round before the last.
 *
 *	round n      round n+1    | FINISHED_ROUND: all up to n's newest time may go
 *	... 7 9 8 12 | 10 14 11 13 |    -> 7 8 9 10 11 12   kept: 13 14
 *
 * So only about two rounds are kept at a time.  A recording without rounds is
 * sorted whole.  Equal times keep the order of the file; records without a time
 * (made up by the recorder before the first sample) come first.
 */
#ifndef PROFILE_ORDER_H
#define PROFILE_ORDER_H

#include "formats/perf_data.h"

struct ordered;

/* `data` is borrowed. Never NULL. */
struct ordered *ordered_new(const struct perf_data *data);
/* The same in the order of the file. */
struct ordered *ordered_new_unsorted(const struct perf_data *data);
/* Rounds have no time and come first; with this, each behind the newest that it finishes. */
void ordered_place_rounds(struct ordered *ordered);
void ordered_free(struct ordered *ordered);

/*
 * The next record: 1, or 0 at the end, or a negative errno. *out borrows until
 * the next call. Records that contradict themselves are passed over (recording.h
 * counts them). *file_off (may be NULL) is where it stands.
 */
int ordered_next(struct ordered *ordered, struct record *out, uint64_t *file_off, struct err *err);

/* The same, not decoded: the record's bytes, for those who look at few of its words. */
int ordered_next_raw(struct ordered *ordered, const uint8_t **bytes, uint64_t *file_off,
		     struct err *err);

/* What was passed over in this reading so far; borrowed. */
const struct damage *ordered_damages(const struct ordered *ordered, uint32_t *nr);

#endif
