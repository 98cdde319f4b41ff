/* SPDX-License-Identifier: MIT */
/*
 * tracepoint: the raw bytes of a tracepoint sample -> fields and text.
 *
 * A recording with tracepoints carries the descriptions of its events (and the
 * printk strings and kallsyms they point at) in one section, in the layout of
 * trace.dat version 6's head (trace-cmd's trace.dat(5)).  libtraceevent parses
 * and prints; this file hands it bounded pieces of the section.
 *
 * Not for use by two threads at once.
 */
#ifndef FORMATS_TRACEPOINT_H
#define FORMATS_TRACEPOINT_H

#include "base/str.h"
#include "formats/perf_data.h"

struct tracepoints;

/*
 * Parse the section of `data`. *out is NULL where there is none. Damaged parts
 * are left out: events described in them print as raw bytes.
 */
int tracepoints_new(struct tracepoints **out, const struct perf_data *data, struct err *err);
void tracepoints_free(struct tracepoints *t);

/*
 * Append what the event's print format makes of the raw bytes, as perf script
 * does. Returns false if the event is not described.
 */
bool tracepoint_print(struct tracepoints *t, struct str *out, const struct sample *sample);
/* The same by the fields alone: " NAME=VALUE" for each. */
bool tracepoint_print_fields(struct tracepoints *t, struct str *out, const struct sample *sample);

/* "system:name" for an event id, or NULL; borrowed. */
const char *tracepoint_name(struct tracepoints *t, uint64_t id);

/* Append the names of the event's own fields, commas between. false: it is not described. */
bool tracepoint_add_fields(struct tracepoints *t, struct str *out, uint64_t id);

/* Where a field stands in the raw bytes. size 0: nowhere. */
struct tracepoint_field {
	uint32_t offset, size;
	bool string;
	bool dynamic, relative;          /* it is a word that tells where the bytes are */
	uint32_t index;                  /* of the event's fields; behind them the common ones */
	uint64_t id;                     /* the event's */
};

/* Find a field of an event by its name, common ones (common_pid) too. */
bool tracepoint_field_find(struct tracepoints *t, uint64_t id, const char *name,
			   struct tracepoint_field *out);

/* The field's bytes in a sample's, or NULL if they do not hold it. From any thread. */
const void *tracepoint_field_bytes(const struct tracepoint_field *field, const void *raw,
				   uint32_t raw_size, bool swap, uint32_t *size);

/* Append what these bytes of the field are in words. */
void tracepoint_field_add(struct tracepoints *t, struct str *out,
			  const struct tracepoint_field *field, const void *bytes, uint32_t size);

#endif
