/* SPDX-License-Identifier: MIT */
/*
 * who: what the process table says of a sample's thread, kept for its next samples.
 *
 * Most samples are of a thread that had one a moment ago, and of the same image, name and
 * epoch. A slot per thread remembers these and the span of time for which they hold.
 *
 * A struct who_cache belongs to one thread; zero-initialised is empty.
 */
#ifndef PROFILE_WHO_H
#define PROFILE_WHO_H

#include "profile/process.h"

struct who {
	uint32_t pid, tid, comm, space, epoch;
	const struct image *image;       /* NULL: nothing is kept here */
	uint64_t from_ns, to_ns;         /* the times for which this holds, to_ns exclusive */
	uint64_t hash;                   /* the caller's; 0 when what it belongs to is new */
};

#define WHO_SLOTS 256u

struct who_cache { struct who v[WHO_SLOTS]; };

/* Fill a slot anew. Use who_of. */
void who_find(struct who *who, const struct process_table *processes, uint32_t pid, uint32_t tid,
	      uint64_t time_ns);

/* Valid until the next call. */
static inline struct who *who_of(struct who_cache *cache, const struct process_table *processes,
				 uint32_t pid, uint32_t tid, uint64_t time_ns)
{
	struct who *who = &cache->v[tid % WHO_SLOTS];

	if (!who->image || who->tid != tid || who->pid != pid || time_ns < who->from_ns ||
	    time_ns >= who->to_ns)
		who_find(who, processes, pid, tid, time_ns);
	return who;
}

#endif
