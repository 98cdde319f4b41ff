/* SPDX-License-Identifier: MIT */
/*
 * perf_data_priv: what perf_data.c (open, header, attrs), perf_features.c (feature
 * sections), perf_blocks.c (the data section) and perf_rewrite.c (a copy with more in it)
 * share.  Not for others.
 */
#ifndef FORMATS_PERF_DATA_PRIV_H
#define FORMATS_PERF_DATA_PRIV_H

#include "base/arena.h"
#include "base/vec.h"
#include "formats/perf_data.h"

/* A file of a recording in directory format beside the first: records and nothing else. */
struct data_part {
	const uint8_t *map;
	uint64_t size;
};

struct perf_data_priv {
	struct arena arena;              /* strings of features */
	const uint8_t *map;              /* the whole file */
	uint64_t map_size;
	VEC(struct data_part) parts;     /* data.0, data.1, ... */
	VEC(struct damage) damages;
	VEC(struct build_id_entry) build_ids;
};

/* Bounds-checked reading of a region in the file's byte order. */
struct region {
	const uint8_t *at, *end;
	bool swap, bad;
};

uint16_t region_u16(struct region *r);
uint32_t region_u32(struct region *r);
uint64_t region_u64(struct region *r);
const uint8_t *region_bytes(struct region *r, uint64_t n);
/* A feature string: u32 room, then that many bytes with a NUL in them. Arena copy, or NULL. */
const char *region_string(struct region *r, struct arena *arena);

/* [off, off+size) of the file, cut to what is there; *cut (may be NULL) tells. */
struct region perf_data_region(const struct perf_data *data, uint64_t off, uint64_t size,
			       bool *cut);

/* Decode `size` bytes of an attr in the file's order; unknown tail ignored. */
void perf_data_decode_attr(const struct perf_data *data, const uint8_t *bytes, uint64_t size,
			   struct perf_event_attr *attr);

/* Add an event with no name yet; the caller fills ids. */
struct event_desc *perf_data_add_event(struct perf_data *data, const struct perf_event_attr *attr);

/* Take in one feature section, damaged ones in part. */
void perf_data_feature(struct perf_data *data, unsigned feature, struct region r,
		       uint64_t file_off);

/* Names for events of the EVENT_DESC section, matched by ids. */
void perf_data_add_damage(struct perf_data *data, uint64_t off, uint64_t skipped,
			  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Size of the bytes that follow the record at `bytes` without being a record
 * themselves (AUXTRACE, TRACING_DATA of a pipe); `room` bytes are there.
 */
uint64_t record_payload(const uint8_t *bytes, uint64_t room, bool swap);

#endif
