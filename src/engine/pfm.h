/* SPDX-License-Identifier: MIT */
/*
 * pfm: the names that processor manuals give to events, by libpfm4.
 *
 * MEM_LOAD_RETIRED:L3_MISS, RETIRED_UOPS, L1D_CACHE_REFILL, with unit masks and
 * modifiers.  The library (libpfm.so.4) is loaded when the first name needs it, so
 * that a run without such names does not pay for it; a build without its header,
 * or a machine without the library, just does not know these names.  One thread.
 */
#ifndef ENGINE_PFM_H
#define ENGINE_PFM_H

#include <linux/perf_event.h>
#include <stdbool.h>

#include "base/err.h"

/* "libpfm4 4.13", or NULL when the build or the machine has none. */
const char *pfm_version(void);

/*
 * Encode a name. Returns 1 with type, config* and exclude_* of attr set and the
 * PMU's name in *pmu (caller frees); 0 when no PMU of this machine has the event;
 * -EINVAL and a message when the event is known and its unit masks are wrong.
 */
int pfm_parse(const char *text, struct perf_event_attr *attr, char **pmu, struct err *err);

/* One event or unit mask of a PMU that this machine has. */
struct pfm_entry {
	const char *pmu, *name, *desc;
	const char *umask;       /* NULL for the event itself */
	bool is_default;         /* a unit mask that is taken when none is given */
};

/* Call fn for each until it returns non-zero, and return that. */
int pfm_each(int (*fn)(const struct pfm_entry *entry, void *arg), void *arg);
int pfm_each_name(int (*fn)(const char *name, void *arg), void *arg);

#endif
