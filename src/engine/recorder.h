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
 * With --threads several threads empty the rings, and the recording is a folder
 * (recorder_crew.c).
 *
 * With --switch-output files follow one another, each whole in itself; with --overwrite
 * the rings are not drained but keep the latest, which is written when it is asked for.
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
#include "engine/control.h"
#include "engine/duty.h"
#include "engine/event.h"
#include "engine/masks.h"
#include "engine/target.h"

struct recorder_next_file {              /* --switch-output; when another file is begun */
	bool on;                         /* at SIGUSR2 and "snapshot" */
	uint64_t bytes, ms;              /* at this size, after this time; 0: not */
	uint64_t files;                  /* keep so many; 0: all */
};

/* --synth: what is there at the start and is not described */
enum recorder_without {
	WITHOUT_TASKS = 1,
	WITHOUT_MAPS = 2,
	WITHOUT_CGROUPS = 4,
};

enum recorder_affinity { AFFINITY_ANY, AFFINITY_NODE, AFFINITY_CPU };

struct recorder_options {
	struct attr_options attr;        /* per_cpu, command, delayed, nr_events are set here */
	struct target target;
	const char *output;              /* "-" for standard output */
	const char *version;             /* Sonde's, for the file's header */
	char *const *argv;               /* the command line from "record" on, for the same */
	char **command;                  /* NULL: none */
	bool default_event;              /* events[0] was nobody's wish */
	uint64_t ring_bytes;             /* of each CPU's ring; 0: as the machine allows */
	struct duty duty;                /* when to sample */
	struct control *control;         /* commands that come meanwhile; NULL: none. The caller's */
	void (*print)(const char *line); /* what "evlist" asks for, escaped */
	bool overwrite;                  /* keep the latest in the rings until asked */
	struct recorder_next_file next_file;
	bool stamp_name;                 /* the file's name ends in the time it was closed */
	bool with_self;                  /* where CPUs are watched: also what the recorder does */
	bool without_self;               /* not even what the scheduler tells of it */
	int compress_level;              /* 0: none */
	uint64_t max_bytes;              /* 0: no limit */
	bool no_build_ids;
	bool need_build_ids;             /* --buildid-mmap: fail where the kernel does not write them */
	unsigned without;                /* WITHOUT_ bits */
	bool with_cgroups;               /* describe control groups, without attr.cgroups as well */
	unsigned map_ms;                 /* synth.h */
	bool no_copies;                  /* keep.h: copy nothing to the cache */
	enum recorder_affinity affinity; /* where the rings are emptied */
	struct masks threads;            /* who empties the rings; NONE: one thread. The caller's */
	bool tap;                        /* engine/tap.h, where it can be had */
	int realtime;                    /* SCHED_FIFO priority to empty rings at; 0: as we are */
};

struct recorder_loss {
	char *event;
	int cpu;                         /* -1: on any, for another BPF program (engine/tap.h) */
	pid_t tid;                       /* of this thread, on any CPU (--per-thread); 0: of all */
	uint64_t lost;
};

struct recorder_result {
	bool written;                    /* there is a file with what the numbers below say */
	uint64_t bytes, samples;
	bool unsure;                     /* the output failed: some of the samples may not be there */
	uint64_t lost_records;           /* by PERF_RECORD_LOST */
	uint64_t lost_samples;           /* by PERF_FORMAT_LOST, 0 where not counted */
	struct recorder_loss *losses;    /* the same, where */
	size_t nr_losses;
	/* When: from the last sample before to the first record after, since the first sample. */
	uint64_t lost_from_ns, lost_to_ns;       /* 0, 0: not told */
	bool lost_to_end;                /* of the latest no record tells until when */
	uint64_t longest_write_ns;
	uint64_t throttled;              /* PERF_RECORD_THROTTLE */
	uint64_t own_samples;            /* of the recorder itself, which were left out */
	uint64_t files;                  /* that were written, also those removed again */
	char *path;                      /* of the last one; NULL: none */
	bool command_failed;             /* the command could not be run */
	int exit_status;                 /* of the command as a shell gives it; 0 without one */
};

/*
 * Record. `events` are completed (a side-band event may be added) and as opened
 * afterwards. On failure result->written tells whether a file was left.
 */
int recorder_run(const struct recorder_options *options, struct event_list *events,
		 struct recorder_result *result, struct err *err);

void recorder_result_release(struct recorder_result *result);

/* Bytes of ring per CPU when none are asked for; `stacks`: samples hold copies of stacks. */
uint64_t recorder_default_ring(uint32_t nr_cpus, bool stacks);

#endif
