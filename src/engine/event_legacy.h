/* SPDX-License-Identifier: MIT */
/*
 * event_legacy: the names that the kernel's fixed event types have.
 *
 * Hardware, software and cache events (linux/perf_event.h, enum perf_type_id)
 * under all the spellings that perf takes, and the values that are no kernel
 * event at all (enum event_tool).  Pure tables.
 */
#ifndef ENGINE_EVENT_LEGACY_H
#define ENGINE_EVENT_LEGACY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_legacy {
	const char *name, *alias;        /* alias may be NULL */
	uint32_t type;                   /* PERF_TYPE_HARDWARE, _SOFTWARE, EVENT_LEGACY_TOOL */
	uint64_t config;                 /* or the enum event_tool */
	const char *what;                /* one line for `sonde list` */
};

#define EVENT_LEGACY_TOOL UINT32_MAX

/* Walk the table in the order of its display; NULL ends it. */
const struct event_legacy *event_legacy_at(size_t i);

/* Find hardware, software and tool events by exact name or alias. */
const struct event_legacy *event_legacy_find(const char *name, size_t len);

/*
 * Parse a cache event's name in any spelling ("LLC-load-misses", "l1d-miss").
 * Fills the config of PERF_TYPE_HW_CACHE and returns true.
 */
bool event_legacy_cache(const char *name, size_t len, uint64_t *config);

/* The i-th cache event with its customary name in buf; false at the end. */
bool event_legacy_cache_at(size_t i, char buf[64], uint64_t *config);

#endif
