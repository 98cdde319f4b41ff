/* SPDX-License-Identifier: MIT */
/* What the files of recorder share; nobody else includes this. */
#ifndef ENGINE_RECORDER_PRIV_H
#define ENGINE_RECORDER_PRIV_H

#include <pthread.h>
#include <signal.h>

#include "base/hash.h"
#include "engine/buildids.h"
#include "engine/counters.h"
#include "engine/keep.h"
#include "engine/mapwatch.h"
#include "engine/output.h"
#include "engine/recorder.h"
#include "engine/stacks.h"
#include "engine/tap.h"
#include "engine/workload.h"
#include "formats/perf_write.h"

struct recorder {
	const struct recorder_options *o;
	struct event_list *events;
	uint32_t nr_described;           /* of events, in the file; without the side-band event: 1 */
	struct recorder_result *result;
	struct counters counters;
	struct workload workload;
	struct output output;
	struct perf_write *writer;
	struct buildids *buildids;
	struct keep *keep;               /* NULL: keep nothing */
	struct mapwatch *mapwatch;       /* NULL: mappings are seen with the samples */
	int epoll_fd, signal_fd;
	int hotplug_fd;                  /* CPUs that come and go; -1: not told */
	sigset_t old_mask;
	bool masked, stop, has_time;
	bool is_over;                    /* nothing is sampled any more */
	uint64_t first_ns, last_ns;      /* of this file's samples */
	uint64_t end_ns;                 /* of any record of this file */
	uint64_t start_ns;               /* of the recording's */
	uint64_t lost_from_ns, lost_to_ns;
	uint32_t time_offset;            /* of the time in a SAMPLE */
	uint32_t time_from_end;          /* of the time in all others */
	uint32_t pid_offset;             /* of the pid */
	uint32_t self;                   /* pid whose samples are left out; 0: none are */
	struct map64 spared;             /* ids of events whose samples are left in all the same */
	bool has_build_ids;              /* MMAP2 records were asked to have them */
	bool renames;                    /* there are records with ids that stand in no file */
	bool follow;                     /* note who is forked, for the files to come */
	bool said_step;                  /* that the clock was set back */
	bool said_hidden;                /* what has no names for want of rights */
	struct map64 kin;                /* pids that were forked by those watched */
	uint8_t *record;                 /* room for one */
	struct stacks *stacks;           /* of samples that are rewritten; else NULL */
	struct event_set set;            /* what stacks reads them by */
	uint8_t *batch;                  /* rewritten records on their way to the file */
	struct affinity *affinity;       /* NULL: rings are emptied from anywhere */
	struct crew *crew;               /* --threads: who empties the rings; NULL: we do */
	pthread_mutex_t sums, notes;     /* with a crew: of what is counted; of buildids and keep */
	struct tap *tap;                 /* NULL: all samples come through perf_event_open */
	uint8_t *tapped;                 /* its records on their way to the file */
	struct ring *tap_rings;          /* per CPU: what was taken from its rings; no memory */
	size_t next_step;                /* of o->duty */
	int64_t started_ms, stop_at_ms;  /* -1: not yet, not planned */
	int64_t file_at_ms;              /* when this file was begun */
	bool want_snapshot, control_gone, grown;
	unsigned idle_rounds;            /* in which nothing came, one after the other */
	uint64_t bytes_before;           /* in the files that are closed */
	uint64_t *lost_before;           /* of each counter: what earlier files tell */
	struct { char **v; size_t nr, cap; } names;      /* of closed files, oldest first */
	uint64_t *positions;             /* --overwrite: where in a ring records begin */
	size_t positions_cap;
	uint64_t *heads;                 /* --overwrite: of each ring at the last dump */
	int signals;                     /* INT, TERM, HUP so far */
};

/*
 * Who empties rings, and what that takes: the recorder, or with --threads each of the crew.
 * What is here is one thread's; what is r's is locked where there is a crew.
 */
struct drainer {
	struct recorder *r;
	struct perf_write *writer;
	struct stacks *stacks;
	uint8_t *record, *batch;
};

static inline struct drainer recorder_drainer(struct recorder *r)
{
	return (struct drainer){ r, r->writer, r->stacks, r->record, r->batch };
}

static inline void recorder_lock(const struct recorder *r, pthread_mutex_t *lock)
{
	if (r->crew)
		pthread_mutex_lock(lock);
}

static inline void recorder_unlock(const struct recorder *r, pthread_mutex_t *lock)
{
	if (r->crew)
		pthread_mutex_unlock(lock);
}

/* recorder_setup.c: open the events, open the file and write what is known, describe what is there. */
int recorder_open_counters(struct recorder *r, struct err *err);
int recorder_open_writer(struct recorder *r, struct err *err);
int recorder_synthesize(struct recorder *r, struct err *err);
/* The same for a file that begins in the middle. */
int recorder_synthesize_again(struct recorder *r, struct err *err);
/* The pieces of open_writer: what describes tracepoints, and a file on an open fd, the writer's. */
int recorder_read_tracing(struct recorder *r, struct str *out, struct err *err);
int recorder_compress(const struct recorder *r, struct perf_write *writer, struct err *err);
int recorder_start_writer(struct recorder *r, int fd, bool is_pipe, const char *path,
			  const struct str *tracing, struct err *err);

/* Rewritten records are written so many bytes at a time. */
#define RECORDER_BATCH_BYTES (512u << 10)

/* recorder_stacks.c: what samples with a copy of the stack need. */
int recorder_open_stacks(struct recorder *r, struct err *err);
void recorder_close_stacks(struct recorder *r);
/* Write what all rings hold now; 1 if there was anything. */
int recorder_drain_stacks(struct recorder *r, struct err *err);
/*
 * The same of one ring, for stacks that are only cut, and for records that are to have other ids;
 * 1 if there was anything.
 */
int recorder_rewrite_ring(struct drainer *d, struct ring *ring, struct err *err);
/*
 * Write a record to `to`, which has room for 64 KB, as it is to be in the file. Returns its size
 * there; 0: it is left out, and if it is one of our own counted in *own.
 */
size_t recorder_put(struct drainer *d, const uint8_t *record, bool in_haste, uint8_t *to, uint64_t *own);
/* Tell how unwinding went. */
void recorder_tell_stacks(const struct recorder *r);

/* recorder.c: where in a sample what is looked at stands, once the events are open. */
void recorder_find_offsets(struct recorder *r);

/* recorder_cpus.c: open anew what CPUs that were offline have lost. */
void recorder_follow_cpus(struct recorder *r);
/* A record with the ids of the file: itself, or a copy in d->record, which it may be in already. */
const uint8_t *recorder_named(struct drainer *d, const uint8_t *record);

/* recorder_affinity.c: run where `ring` is filled, where --affinity says so. */
void recorder_open_affinity(struct recorder *r);
void recorder_go_to(struct recorder *r, size_t ring);
void recorder_close_affinity(struct recorder *r);

/*
 * recorder_crew.c, --threads: find what the masks are for the CPUs that are counted; make the
 * crew's files, once the first is open; let it begin (its threads run when this returns); let it
 * end, when nothing more is sampled. That tells of the first failure of any of them, and the
 * crew's files are closed then.
 */
int recorder_open_crew(struct recorder *r, struct err *err);
int recorder_open_parts(struct recorder *r, struct err *err);
int recorder_start_crew(struct recorder *r, struct err *err);
int recorder_end_crew(struct recorder *r, struct err *err);
void recorder_close_crew(struct recorder *r);
/* Wake the epoll when there is something to look at, and look at it: a failure, the size. */
int recorder_watch_crew(struct recorder *r, struct err *err);
int recorder_hear_crew(struct recorder *r, struct err *err);
/* A round of all rings, now. */
int recorder_drain_crew(struct recorder *r, struct err *err);
/* Nobody empties rings in between. */
void recorder_hold_crew(struct recorder *r);
void recorder_release_crew(struct recorder *r);
/* Write what a ring held, by who empties it; only while they are held. */
int recorder_crew_drain(struct recorder *r, struct ring *held, size_t index, struct err *err);
/* recorder_tap.c: some of the events from rings of their own, where that can be had. */
void recorder_open_tap(struct recorder *r);
int recorder_watch_tap(struct recorder *r, struct err *err);
void recorder_close_tap(struct recorder *r);
/* Switch all that samples on or off. */
void recorder_switch(struct recorder *r, bool on);
/* Write what its rings hold now; 1 if there was anything. */
int recorder_drain_tap(struct recorder *r, struct err *err);
/* Of an event on a CPU, since the recording's start. */
uint64_t recorder_lost_of(struct recorder *r, size_t event, size_t cpu);

/* recorder_losses.c: LOST_SAMPLES records for what the counters say they lost. */
int recorder_write_lost(struct recorder *r, struct err *err);

/* recorder_files.c: close the file; with a next one, begin it. */
int recorder_close_file(struct recorder *r, bool good, struct err *err);
int recorder_next_file(struct recorder *r, struct err *err);
/* Whether it is time for the next one. */
bool recorder_file_is_full(const struct recorder *r);
/* Until when nothing needs to be done for it; INT64_MAX: for ever. */
int64_t recorder_file_until_ms(const struct recorder *r);

/* recorder_latest.c: write what the rings of --overwrite hold that was not written yet. */
int recorder_dump(struct recorder *r, struct err *err);

/* recorder_commands.c: do what has come through --control. */
int recorder_obey(struct recorder *r, struct err *err);
/* SIGUSR2, "snapshot": the next file, or what the rings hold. */
int recorder_snapshot(struct recorder *r, struct err *err);

/* recorder.c */
int64_t recorder_now_ms(void);
/* Let the calling thread have the priority that was asked for. */
int recorder_raise_priority(const struct recorder *r, struct err *err);
/* Give up the capabilities that are not needed any more when all is open and described. */
void recorder_need_less(const struct recorder *r);
/* How long to wait for a ring at most, after so many looks that found nothing; -1: for ever. */
int recorder_tick_ms(unsigned idle_rounds);

/* Whether rings may become larger yet. */
bool recorder_may_grow(const struct recorder *r);
/* Larger rings when the first loss has been seen. */
int recorder_grow(struct recorder *r, struct err *err);

/* recorder_drain.c: write what all rings hold now, a round. */
int recorder_drain(struct recorder *r, struct err *err);
/* Write what one ring holds now; 1 if there was anything. */
int recorder_drain_ring(struct drainer *d, struct ring *ring, size_t index, struct err *err);
/* Stop when so many bytes are what --max-size allows. */
void recorder_mind_size(struct recorder *r, uint64_t bytes);
/* Count the whole records in `size` bytes of a ring's that are in the file. */
void recorder_count(struct drainer *d, struct ring *ring, const uint8_t *bytes, uint64_t size);
/*
 * Linux (6.18 at least) marks an MMAP2 record as one with a build-id for all events when
 * some other recorder's event has asked for it: the mark stays in the record that
 * perf_event_mmap_output gives to one event after the other.  perf 6.1 aborts at what is then
 * read as a build-id's size.  Take it back where it was not asked for.
 */
void recorder_mend(const struct recorder *r, struct perf_event_header *header);
/* Whether a record is a sample of the recorder itself that is to be left out. */
bool recorder_is_own(const struct recorder *r, const uint8_t *record);

#endif
