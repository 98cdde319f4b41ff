/* SPDX-License-Identifier: MIT */
/*
 * jit_file: where the files of a JIT are, and whether to believe them.
 *
 * perf-PID.map, the first of:
 *	1. our copy of the end of the recording (cache: maps/PID-TIME.map)
 *	2. SYMFS/tmp/perf-PID.map, /tmp/perf-PID.map
 *	3. /proc/PID/root/tmp/perf-NSPID.map, if PID runs here in another namespace
 * jit-PID.dump likewise: the copy, the recorded path below SYMFS, the path, /proc/PID/root.
 *
 * Anybody may write to /tmp.  So a file there is read only if it is a regular file,
 * its name is not a symbolic link, it has no second name (a hard link would do the
 * same), not everybody may write to it, and it belongs to root, to who reads it or to the
 * user that the process runs as.  Of a process that has ended nobody knows who that was:
 * then root believes any owner, as one who records others' programs with perf has to, and
 * a remark names the file and its owner.
 * Within /proc/PID/root links are followed no further than that root.
 */
#ifndef SYMBOLS_JIT_FILE_H
#define SYMBOLS_JIT_FILE_H

#include <stdint.h>

#include "symbols/jit.h"
#include "symbols/symbols.h"

struct jit_origin {
	uint32_t pid;                    /* as recorded */
	const char *symfs;               /* or NULL */
	uint64_t recording_ns;           /* the recording's first sample: names our copies; 0: none */
};

/* Add what is found of the map; NAME_OK, or why there is none. */
enum name_reason jit_file_map(struct jit *jit, const struct jit_origin *origin);

/* Add the dump that was mapped from `path`; mapped_ns as jit_add_dump. */
enum name_reason jit_file_dump(struct jit *jit, const struct jit_origin *origin, const char *path,
			       uint64_t mapped_ns);

/*
 * A number that changes when the file, which either of these would read (dump NULL: the map),
 * is another one or has other contents; 0: there is none.
 */
uint64_t jit_file_stamp(const struct jit_origin *origin, const char *dump);

/* "PID-TIME.map", "PID-TIME.dump": the names of copies in the cache. */
void jit_file_copy_name(char name[64], uint32_t pid, uint64_t recording_ns, const char *what);

/* "/tmp/perf-PID.map" of a process in the eyes of its own PID namespace, by /proc/PID/status. */
uint32_t jit_file_own_pid(uint32_t pid);

/*
 * Open a file with the care described above, as one of that process (0: of none that could be
 * here). A descriptor or a negative errno: -EPERM, -ELOOP, -EINVAL are refusals. In the second
 * form `path` is that of the process's root; the third is for binaries, which may belong to
 * anybody and be anything: the caller checks what it got.
 */
int jit_file_open(const char *path, uint32_t pid);
int jit_file_open_in(uint32_t pid, const char *path);
int jit_file_open_binary(uint32_t pid, const char *path);

#endif
