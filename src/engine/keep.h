/* SPDX-License-Identifier: MIT */
/*
 * keep: what a report will need and would not find again.
 *
 *	mapping first seen --> does its path, for us, lead to that file?
 *	   yes: hold it open (O_PATH); at the end, if the path leads elsewhere by
 *	        then (it was replaced or deleted), copy it
 *	   no:  another mount namespace, another root, already deleted: copy it now,
 *	        by /proc/PID/map_files or /proc/PID/root
 *	executable anonymous memory --> a JIT: note every tick how far its
 *	        /tmp/perf-PID.map has grown, and copy it at the end with marks of time,
 *	        if it has grown, the process has ended or it is another user's
 *	jit-PID.dump mapped --> hold it, copy it at the end if its path leads elsewhere
 *
 * Copies go to the cache (symbols/cache.h), which is bounded; binaries under their
 * build-id, or, where they have none (Go), like the JIT's files under the time of the
 * recording's first sample.  A file that is found by its path is not copied.
 *
 * What is held open keeps its file system from being unmounted until the recording ends;
 * record -N holds nothing.
 *
 * One thread.
 */
#ifndef ENGINE_KEEP_H
#define ENGINE_KEEP_H

#include <stdint.h>

#include "engine/buildids.h"

struct keep;

struct keep *keep_new(void);
void keep_free(struct keep *keep);

/* Look at a whole MMAP or MMAP2 record, soon after the mapping was made. */
void keep_note(struct keep *keep, const void *record);

/* All samples up to last_ns have been seen: what JITs write from now on is newer. */
void keep_tick(struct keep *keep, uint64_t last_ns);

/*
 * The recording's end. What was replaced gets its build-id stated in `ids`, which may be
 * NULL. first_ns is the time of the first sample.
 */
void keep_finish(struct keep *keep, uint64_t first_ns, struct buildids *ids);

#endif
