/* SPDX-License-Identifier: MIT */
/*
 * live: samples as they come, a small recording at a time.
 *
 *	rings --a thread of its own--> a file in memory --live_take--> struct perf_data
 *	                                    ^ the next one
 *
 * Each is a recording like any other, with the events and the host's features; the first
 * one has what was there before (engine/synth.h).  A record is in exactly one of them.
 *
 * The thread empties the rings while the caller names and draws.  If the caller does not
 * take what there is, the file stops growing at some size, the rings fill up and the kernel
 * counts what is lost.
 */
#ifndef ENGINE_LIVE_H
#define ENGINE_LIVE_H

#include "engine/recorder.h"
#include "formats/perf_data.h"

struct live;

/*
 * Open the events and begin. Of the options attr, target, version, argv, default_event,
 * ring_bytes and realtime count. `options` and `events`, which are changed as in
 * recorder_run, must outlive it. *out is NULL on failure.
 */
int live_open(struct live **out, const struct recorder_options *options, struct event_list *events,
	      struct err *err);
void live_close(struct live *live);

/* What came since the last time (or the beginning); the caller closes it. */
int live_take(struct live *live, struct perf_data **out, struct err *err);

/* Whether all of the tasks that are watched have ended. */
bool live_ended(const struct live *live);

#endif
