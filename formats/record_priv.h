/* SPDX-License-Identifier: MIT */
/*
 * record_priv: what record.c (entry points), record_sample.c and record_sideband.c
 * share: a cursor over the body of one record.  Not for others.
 */
#ifndef FORMATS_RECORD_PRIV_H
#define FORMATS_RECORD_PRIV_H

#include <byteswap.h>
#include <string.h>

#include "formats/record.h"

#define NONE32 UINT32_MAX
#define SCRATCH_WORDS (65536 / 8 + 8)

/*
 * Reading behind the end sets `bad` and gives 0 from then on, so that a decoder
 * reads straight through and looks at `bad` once.
 */
struct cursor {
	const uint8_t *at, *end;
	bool swap, bad;
};

static inline bool cursor_has(struct cursor *c, uint64_t n)
{
	if (!c->bad && (uint64_t)(c->end - c->at) >= n)
		return true;
	c->bad = true;
	return false;
}

static inline uint16_t get16(struct cursor *c)
{
	uint16_t v;

	if (!cursor_has(c, 2))
		return 0;
	memcpy(&v, c->at, 2);
	c->at += 2;
	return c->swap ? bswap_16(v) : v;
}

static inline uint32_t get32(struct cursor *c)
{
	uint32_t v;

	if (!cursor_has(c, 4))
		return 0;
	memcpy(&v, c->at, 4);
	c->at += 4;
	return c->swap ? bswap_32(v) : v;
}

static inline uint64_t get64(struct cursor *c)
{
	uint64_t v;

	if (!cursor_has(c, 8))
		return 0;
	memcpy(&v, c->at, 8);
	c->at += 8;
	return c->swap ? bswap_64(v) : v;
}

static inline const void *get_bytes(struct cursor *c, uint64_t n)
{
	const void *p = c->at;

	if (!cursor_has(c, n))
		return NULL;
	c->at += n;
	return p;
}

static inline unsigned count_bits(uint64_t mask)
{
	return (unsigned)__builtin_popcountll(mask);
}

/* `nr` words, in place or swapped into the decoder's scratch. NULL with c->bad set if they do not fit. */
const u64_una *get_words(struct decoder *d, struct cursor *c, uint64_t nr);

/* Values of a PERF_SAMPLE_READ or a READ record, all of them, in the decoder's memory. */
const struct read_value *get_read(struct decoder *d, struct cursor *c, uint64_t format,
				  uint32_t *nr_values, uint64_t *enabled, uint64_t *running);

/* The event a sample's body is of: by its id, or the only one. NULL: not in the set. */
const struct event_desc *sample_event(struct decoder *d, const struct cursor *c);

/* The body of a SAMPLE. 0, or -ENOENT with err set; c->bad tells whether it fitted. */
int decode_sample(struct decoder *d, struct cursor *c, struct record *out, struct err *err);

/* Take the sample_id off the record's end, if the recording's records have one. */
void take_trailer(struct decoder *d, struct cursor *c, struct record_id *id);

/* The body of any other record. False if its type has none that is known. */
bool decode_sideband(struct decoder *d, struct cursor *c, struct record *out);

#endif
