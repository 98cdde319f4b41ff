/* SPDX-License-Identifier: MIT */
/*
 * cache: what Sonde keeps from one run to the next, bounded.
 *
 *	$XDG_CACHE_HOME/sonde/  (or ~/.cache/sonde/)
 *	    index/BUILDID-TAG       what was parsed out of a binary (symbols/index.h)
 *	    files/BUILDID           binaries that would not be found again
 *	    maps/PID-TIME.map       what a JIT wrote, as it was at the end of a recording
 *	    limit                   how many bytes all that may take, if not the default
 *
 * Nothing in it is needed: whatever is missing, refused or damaged is made again or
 * done without.  The folder has to be the user's own and no one else may write to
 * it; symbolic links are not followed; a file of someone else is not read.  (So
 * root with an ordinary user's HOME neither reads nor litters that user's cache.)
 *
 * A file is written under a temporary name and renamed: a reader sees all of it or
 * none, and of two writers the last stays.  What was not used for longest goes when
 * there is more than the limit.
 *
 * Threads: any.
 */
#ifndef SYMBOLS_CACHE_H
#define SYMBOLS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "base/str.h"

enum cache_kind {
	CACHE_INDEX,
	CACHE_FILES,
	CACHE_MAPS,
	CACHE_KINDS,
};

#define CACHE_LIMIT_DEFAULT ((uint64_t)1 << 30)

/* "index", "files", "maps". */
const char *cache_kind_name(enum cache_kind kind);

/* Where it is, whether it exists or not; false where neither variable is set. */
bool cache_folder(struct str *out);

/*
 * Open a file of the cache for reading and note that it was used. Returns a
 * descriptor or a negative errno; *size (may be NULL) is the file's.
 */
int cache_get(enum cache_kind kind, const char *name, uint64_t *size);

/* A file on its way into the cache. */
struct cache_draft {
	int fd, dir_fd;
	enum cache_kind kind;
	char name[160], temporary[192];
};

/*
 * Begin a file of about `size` bytes; write to draft->fd, then keep or drop it. A
 * negative errno, with nothing to drop, where there is no cache, it is switched off
 * (limit 0), or the file would take more than a quarter of it.
 */
int cache_begin(struct cache_draft *draft, enum cache_kind kind, const char *name, uint64_t size);
int cache_keep(struct cache_draft *draft);
void cache_drop(struct cache_draft *draft);

/* Copy what `fd` holds, from its beginning. 0 also where it is there already. */
int cache_copy(enum cache_kind kind, const char *name, int fd);
bool cache_has(enum cache_kind kind, const char *name);

struct cache_entry {
	enum cache_kind kind;
	const char *name;
	uint64_t bytes;
	struct timespec used;
};

/* Tell of each file, the last used first. 0, also where there is no cache, or a negative errno. */
int cache_list(void (*tell)(const struct cache_entry *entry, void *arg), void *arg,
	       struct err *err);

/* Delete all files; *nr and *bytes (may be NULL) are what was freed. */
int cache_purge(uint64_t *nr, uint64_t *bytes, struct err *err);

uint64_t cache_limit(void);
/* Set the limit (0 switches the cache off) and delete what is too much. */
int cache_set_limit(uint64_t bytes, struct err *err);

/* "abcdef01..." into name, which has room for 41; size at most 20. */
void cache_build_id_name(char name[41], const uint8_t *build_id, uint8_t size);

#endif
