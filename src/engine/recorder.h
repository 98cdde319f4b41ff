/* SPDX-License-Identifier: MIT */
/*
 * recorder: a recording from its beginning to its end.
 *
 *	fork command -> open counters -> open file -> write what is there (synth)
 *	   -> switch on, let the command go -> drain rings ... -> switch off, close
 *
 * Nothing is written before the events are open, so that a typo costs no
 * recording.  Bytes go from the rings to the file in one write; on the way only
 * record headers are looked at (to count), and MMAP2 records (for build-ids).
 *
 * It ends when the command ends, when all watched tasks have ended, at the size
 * limit, on SIGINT, SIGTERM or SIGHUP, or when the output can take no more.
 * One recording per process at a time.
 */
#ifndef ENGINE_RECORDER_H
#define ENGINE_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/attr.h"
#include "engine/event.h"
#include "engine/target.h"

struct recorder_options {
	struct attr_options attr;        /* per_cpu, command, delayed, nr_events are set here */
	struct target target;
	const char *output;              /* "-" for standard output */
	const char *version;             /* Sonde's, for the file's header */
	char *const *argv;               /* the command line from "record" on, for the same */
	char **command;                  /* NULL: none */
	bool default_event;              /* events[0] was nobody's wish */
	uint64_t ring_bytes;             /* of each CPU's ring; 0: as the machine allows */
	unsigned delay_ms;
	int compress_level;              /* 0: none */
	uint64_t max_bytes;              /* 0: no limit */
	bool no_build_ids;
	bool no_copies;                  /* keep.h: copy nothing to the cache */
	int realtime;                    /* SCHED_FIFO priority to empty rings at; 0: as we are */
};

struct recorder_result {
	bool written;                    /* there is a file with what the numbers below say */
	uint64_t bytes, samples;
	uint64_t lost_records;           /* by PERF_RECORD_LOST */
	uint64_t lost_samples;           /* by PERF_FORMAT_LOST, 0 where not counted */
	uint64_t throttled;              /* PERF_RECORD_THROTTLE */
	bool command_failed;             /* the command could not be run */
	int exit_status;                 /* of the command as a shell gives it; 0 without one */
};

/*
 * Record. `events` are completed (a side-band event may be added) and as opened
 * afterwards. On failure result->written tells whether a file was left.
 */
int recorder_run(const struct recorder_options *options, struct event_list *events,
		 struct recorder_result *result, struct err *err);

/* Bytes of ring per CPU when none are asked for; `stacks`: samples hold copies of stacks. */
uint64_t recorder_default_ring(uint32_t nr_cpus, bool stacks);

#endif
