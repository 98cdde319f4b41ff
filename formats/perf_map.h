/* SPDX-License-Identifier: MIT */
/*
 * perf_map: the text of /tmp/perf-PID.map, by which a JIT tells its names.
 *
 *	START SIZE NAME      in hex, with or without 0x; the name goes to the line's end
 *	# TIME               of our own copies only: what follows was not there before
 *	                     TIME (ns, the recording's clock) -- see engine/jitmaps.h
 *
 * (Linux tools/perf/Documentation/jit-interface.txt.)  Lines that are neither are
 * passed over: the last one may be half written.
 */
#ifndef FORMATS_PERF_MAP_H
#define FORMATS_PERF_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct perf_map_line {
	uint64_t start, size;            /* size is not 0, and start + size goes not round */
	const char *name;                /* in the text; never empty */
	uint64_t from_ns;                /* of the last mark; 0 before the first */
};

struct perf_map {
	char *at, *end;
	uint64_t from_ns;
	uint64_t nr_bad;                 /* lines passed over */
};

/* Over `size` bytes that are changed by it (NULs for newlines); text[size] has to be a NUL. */
void perf_map_init(struct perf_map *map, char *text, size_t size);
bool perf_map_next(struct perf_map *map, struct perf_map_line *out);

#endif
