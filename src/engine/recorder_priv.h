/* SPDX-License-Identifier: MIT */
/* What the files of recorder share; nobody else includes this. */
#ifndef ENGINE_RECORDER_PRIV_H
#define ENGINE_RECORDER_PRIV_H

#include <signal.h>

#include "engine/buildids.h"
#include "engine/counters.h"
#include "engine/keep.h"
#include "engine/mapwatch.h"
#include "engine/output.h"
#include "engine/recorder.h"
#include "engine/stacks.h"
#include "engine/workload.h"
#include "formats/perf_write.h"

struct recorder {
	const struct recorder_options *o;
	struct event_list *events;
	struct recorder_result *result;
	struct counters counters;
	struct workload workload;
	struct output output;
	struct perf_write *writer;
	struct buildids *buildids;
	struct keep *keep;               /* NULL: keep nothing */
	struct mapwatch *mapwatch;       /* NULL: mappings are seen with the samples */
	int epoll_fd, signal_fd;
	sigset_t old_mask;
	bool masked, stop, has_time;
	uint64_t first_ns, last_ns;
	uint32_t time_offset;            /* of the time in a SAMPLE */
	uint8_t *record;                 /* room for one */
	struct stacks *stacks;           /* of samples that are rewritten; else NULL */
	struct event_set set;            /* what stacks reads them by */
	uint8_t *batch;                  /* rewritten records on their way to the file */
	int64_t enable_at_ms, stop_at_ms;        /* -1: not planned */
	int signals;                     /* INT, TERM, HUP so far */
};

/* recorder_setup.c: open the events, open the file and write what is known, describe what is there. */
int recorder_open_counters(struct recorder *r, struct err *err);
int recorder_open_writer(struct recorder *r, struct err *err);
int recorder_synthesize(struct recorder *r, struct err *err);

/* Rewritten records are written so many bytes at a time. */
#define RECORDER_BATCH_BYTES (512u << 10)

/* recorder_stacks.c: what samples with a copy of the stack need. */
int recorder_open_stacks(struct recorder *r, struct err *err);
void recorder_close_stacks(struct recorder *r);
/* Write what all rings hold now; 1 if there was anything. */
int recorder_drain_stacks(struct recorder *r, struct err *err);
/* Tell how unwinding went. */
void recorder_tell_stacks(const struct recorder *r);

/* recorder_losses.c: LOST_SAMPLES records for what the counters say they lost. */
int recorder_write_lost(struct recorder *r, struct err *err);

/* recorder_drain.c: write what all rings hold now, a round. */
int recorder_drain(struct recorder *r, struct err *err);
/* Count the whole records in `size` bytes that are in the file. */
void recorder_count(struct recorder *r, const uint8_t *bytes, uint64_t size);

#endif
