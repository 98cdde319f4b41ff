/* SPDX-License-Identifier: MIT */
/*
 * mapwatch: wakes the recorder for each new mapping.
 *
 * The rings of samples are emptied at a watermark, or twice a second. By then
 * a short program has ended, and its file may be gone.  So a side-band event of its own
 * writes each mapping of code once more, to a small ring for each CPU whose first byte
 * wakes us:
 *
 *	rings of samples    a watermark, or a tick   --> the file
 *	rings of mappings   a record in them         --> engine/keep looks at the file, and
 *	                                                 no one keeps the record
 *
 * It is a help and nothing more: where it cannot be had (descriptors, locked memory) or
 * loses records, mappings are seen a tick later, with the samples.
 *
 * Costs: for each mapping of code one more record and at most one wake-up; mapwatch_take
 * rests between two looks, so that there are at most 500 in a second.  A wake-up is an
 * interrupt that the one who maps pays for, so where programs start one after the other the
 * watch is busy: other events write the same records and wake nobody, and the caller looks
 * every two milliseconds by itself until there is nothing to see.
 *
 * One thread.
 */
#ifndef ENGINE_MAPWATCH_H
#define ENGINE_MAPWATCH_H

#include "engine/counters.h"

struct mapwatch;

/* Watch what `c` counts, once it is open. NULL: it cannot be had here. */
struct mapwatch *mapwatch_new(const struct counters *c);
void mapwatch_free(struct mapwatch *watch);

/* Let an epoll tell of new mappings, by an event whose data.ptr is the watch. */
int mapwatch_poll(struct mapwatch *watch, int epoll_fd);

/* In how many milliseconds to take what there is though nothing has told; -1: never. */
int mapwatch_wait_ms(const struct mapwatch *watch);

/* Tell of each record there is by now (valid during the call), after a rest where it is due. */
void mapwatch_take(struct mapwatch *watch, void (*tell)(void *arg, const void *record), void *arg);

#endif
