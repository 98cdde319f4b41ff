/* SPDX-License-Identifier: MIT */
/*
 * counters: events, opened on threads and CPUs.
 *
 * In: configured events (engine/attr), threads and CPUs (engine/target).  Out: one
 * file descriptor and id for each event x CPU x thread, and for sampling one ring
 * per CPU that all of that CPU's events write to (PERF_EVENT_IOC_SET_OUTPUT):
 *
 *	            CPU 0                CPU 1
 *	event 0     fd ---> ring 0       fd ---> ring 1
 *	event 1     fd -----^            fd -----^
 *	side-band   fd -----^            fd -----^
 *
 * Rings for threads (--per-thread): there is a "CPU" -1 for each thread, any CPU that it
 * runs on, and its events write to a ring of its own.
 *
 * A CPU that goes offline or a thread that ends meanwhile leaves a hole (fd -1);
 * only when nothing at all could be opened is that an error.  What the kernel
 * refuses goes through engine/fallback, which may change the events' attrs.
 *
 * Events on a CPU do not outlive its being offline: when it is back others are opened,
 * which write to the ring that is there.  What they write has their own ids, and no file
 * knows these; counters_first_id tells whose place they took.
 */
#ifndef ENGINE_COUNTERS_H
#define ENGINE_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "engine/event.h"
#include "engine/fallback.h"
#include "engine/ring.h"
#include "engine/target.h"

struct counters {
	struct event_list *events;       /* borrowed; attrs as they were opened */
	cpu_vec cpus;
	thread_vec threads;
	size_t per_ring;                 /* threads whose events write to one ring: all, or 1 */
	int *fds;                        /* see counters_fd; -1: not open */
	struct ring *rings;              /* per CPU; page NULL: none */
	uint64_t ring_bytes;             /* of each; 0: counting only */
	int *holders;                    /* per CPU; of rings that were grown; -1, NULL: none */
	bool *silent;                    /* per event; never switched on (engine/tap); NULL: none */
	signed char *wishes;             /* per event; 1, -1: switched on, off; 0: as it was opened */
	/* once a CPU came back; NULL: none did */
	uint64_t *ids;                   /* like fds; of those that were opened first; 0: none */
	uint64_t *lost;                  /* like fds; by those that are closed */
	int *owners;                     /* per CPU; the event whose ring it is, if it was replaced; -1 */
	struct map64 first_ids;          /* of an event that was opened later: whose place it took */
};

/*
 * Take over `cpus` and `threads` and open everything, with rings of `ring_bytes`
 * (0: none).  CPUs that are -1, as many as threads, make a ring for each thread.  A ring that does not fit the locked-memory limit is halved until it
 * does; that is said if `ring_asked`.  Not thread-safe; on failure nothing is open.
 */
int counters_open(struct counters *c, struct event_list *events, cpu_vec *cpus,
		  thread_vec *threads, struct fallback *fallback, uint64_t ring_bytes,
		  bool ring_asked, struct err *err);
void counters_close(struct counters *c);

static inline int *counters_fd(const struct counters *c, size_t event, size_t cpu, size_t thread)
{
	return &c->fds[(event * c->cpus.nr + cpu) * c->per_ring + thread];
}

/* Whether each thread has a ring; then counters_thread(c, i, 0) is that of ring i. */
static inline bool counters_per_thread(const struct counters *c)
{
	return c->cpus.nr && c->cpus.v[0] < 0;
}

static inline const struct thread_id *counters_thread(const struct counters *c, size_t cpu, size_t thread)
{
	return &c->threads.v[counters_per_thread(c) ? cpu : thread];
}

/*
 * Give a CPU a ring of `bytes` while samples come. What its ring held is then in *held
 * (data in memory that the caller frees, page as well), a ring for reading. Returns 0, or
 * a negative errno, -EPERM where locked memory does not allow it; then nothing has changed.
 * The event that owned the ring is off for the time of a copy.
 */
int counters_grow(struct counters *c, size_t cpu, uint64_t bytes, struct ring *held);

/*
 * Open what is watched of a CPU anew, after it was offline. Returns 0 or a negative errno
 * of perf_event_open or ioctl: of some events there is nothing from that CPU any more then.
 * Not of tasks: their events go with them, and wait for the CPU.
 */
int counters_reopen(struct counters *c, size_t cpu);

/* The id in the file for one that stands in a record; mostly the same. */
static inline uint64_t counters_first_id(const struct counters *c, uint64_t id)
{
	const uint64_t *first = c->first_ids.nr ? map64_find(&c->first_ids, id) : NULL;

	return first ? *first : id;
}

/* Set the tracepoint filters. -EINVAL names the event and quotes the filter. */
int counters_filter(struct counters *c, struct err *err);

/* Switch all that is not a group's member on or off. */
void counters_enable(struct counters *c);
void counters_disable(struct counters *c);

/*
 * The same for what samples, or for the events called `name`; side-band records go on.
 * False when there is no such event.
 */
bool counters_switch(struct counters *c, const char *name, bool on);

/* The ids of one event, of those opened first (new array, caller frees; NULL and 0 if none). */
uint64_t *counters_ids(const struct counters *c, size_t event, uint32_t *nr);

/* The id of one of an event's counters on a CPU; 0: there is none. */
uint64_t counters_id(const struct counters *c, size_t event, size_t cpu);

/* Samples that one counter lost by PERF_FORMAT_LOST; 0 where that is not counted. */
uint64_t counters_lost(const struct counters *c, size_t event, size_t cpu, size_t thread);

/* Whether every watched task has ended (always false for CPUs). */
bool counters_tasks_ended(const struct counters *c);

#endif
