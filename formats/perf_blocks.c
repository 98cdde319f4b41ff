/* SPDX-License-Identifier: MIT */
/*
 * perf_blocks: the data section as blocks of whole records.
 *
 *	file     |rec|rec|rec|COMPRESSED|COMPRESSED|rec|AUXTRACE|payload....|rec|##|rec|
 *	blocks   [ borrowed  ][ owned: what was in them    ][ b.     ]          [b.]   [b.]
 *
 * A block ends when it is full, at a compressed record, behind a record that has a
 * payload, and before damage (##), which is noted and stepped over.
 *
 * To find the records of a large file is to touch all of it. Scouts, each a thread, go
 * ahead from places where records can be recognised:
 *
 *	file     |rec|rec|rec|rec|rec|rec|rec|rec|rec|rec|rec|rec|rec|rec|rec|
 *	         |---- the reader ------>|---- scout 0 ----->|-- scout 1 -->##
 *
 * What a scout found counts when the reader comes to stand exactly where it began; the
 * reader goes on where it ended. So the blocks hold what they would without scouts.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/mem.h"
#include "formats/perf_data_priv.h"

#define BLOCK_BYTES ((size_t)1 << 20)
#define TYPE_LIMIT 256u          /* no recorder has a type as high as this */
#define SURE_RECORDS 4           /* recognised in a row, they are not chance */
#define DAMAGES_MAX 1000u

#define SCOUTS_MAX 15u
#define SCOUT_BYTES ((uint64_t)8 << 20)  /* less is not worth a thread */
#define GUESS_BYTES ((size_t)1 << 20)    /* how far a place for a scout is looked for */
#define OTHERS_MAX ((size_t)1 << 20)     /* a scout keeps no more */

/* What pass_records says of a block beside its bounds. */
struct contents {
	VEC(uint32_t) others;
	uint32_t nr_samples;
	uint64_t payload;        /* bytes behind the block that are no records */
};

/* A block that a scout found; its others are in the scout's, from `first` on. */
struct found {
	const uint8_t *from, *end;
	uint64_t payload;
	size_t first;
	uint32_t nr_others, nr_samples;
};

struct scout {
	const struct blocks *blocks;
	pthread_t thread;
	bool started;
	const uint8_t *from, *stop;      /* it goes on until it stands at `stop` or behind it */
	VEC(struct found) found;
	VEC(uint32_t) others;
	size_t next;                     /* of found, to be given out */
};

struct blocks {
	const struct perf_data *data;
	const uint8_t *start, *at, *end;
	uint64_t start_off;      /* of `start` in its file */
	size_t next_part;
	uint64_t seq;
	ZSTD_DStream *zstd;
	bool zstd_failed;
	ZSTD_inBuffer in;        /* of the compressed record that is being opened */
	const uint8_t *in_record;
	bool in_more;            /* it has more to give */
	uint8_t *rest;           /* decompressed bytes of a record that is not whole yet */
	size_t rest_size, rest_cap;
	VEC(struct damage) damages;
	VEC(struct block) list;  /* the borrowed ones so far */
	struct contents contents;        /* of the block that was given out last */
	bool any_owned;
	struct scout scouts[SCOUTS_MAX];
	unsigned nr_scouts, next_scout;
	struct scout *following;         /* whose blocks are given out now */
};

struct blocks *blocks_new(const struct perf_data *data)
{
	struct blocks *b = mem_zalloc(sizeof(*b));
	struct region r = perf_data_region(data, data->data_off, data->data_size, NULL);

	b->data = data;
	b->start_off = data->data_off;
	b->start = b->at = r.at;
	b->end = r.end;
	return b;
}

static void scout_end(struct scout *s)
{
	if (s->started)
		pthread_join(s->thread, NULL);
	s->started = false;
	vec_release(&s->found);
	vec_release(&s->others);
}

void blocks_free(struct blocks *b)
{
	if (!b)
		return;
	for (unsigned i = 0; i < b->nr_scouts; i++)
		scout_end(&b->scouts[i]);
	ZSTD_freeDStream(b->zstd);
	free(b->rest);
	vec_release(&b->damages);
	vec_release(&b->list);
	vec_release(&b->contents.others);
	free(b);
}

const struct block *blocks_list(const struct blocks *b, size_t *nr)
{
	*nr = b->list.nr;
	return b->any_owned ? NULL : b->list.v;
}

const struct damage *blocks_damages(const struct blocks *b, uint32_t *nr)
{
	*nr = (uint32_t)b->damages.nr;
	return b->damages.v;
}

void block_release(struct block *block)
{
	free(block->owned);
	block->owned = NULL;
}

const uint8_t *block_record(const struct block *block, bool swap, size_t *at)
{
	const uint8_t *bytes = block->bytes + *at;

	if (*at >= block->size)
		return NULL;
	*at += record_header(bytes, swap).size;
	return bytes;
}

static uint64_t file_off(const struct blocks *b, const uint8_t *p)
{
	return b->start_off + (uint64_t)(p - b->start);
}

static void __attribute__((format(printf, 4, 5)))
add_damage(struct blocks *b, uint64_t off, uint64_t skipped, const char *fmt, ...)
{
	struct damage *d;
	va_list ap;

	if (b->damages.nr >= DAMAGES_MAX)
		return;
	d = vec_push(&b->damages);
	d->file_off = off;
	d->skipped_bytes = skipped;
	va_start(ap, fmt);
	vsnprintf(d->what, sizeof(d->what), fmt, ap);
	va_end(ap);
}

uint64_t record_payload(const uint8_t *bytes, uint64_t room, bool swap)
{
	struct perf_event_header h = record_header(bytes, swap);
	struct region r = { bytes + 8, bytes + h.size, swap, false };
	uint64_t size = 0;

	if (h.type == RECORD_AUXTRACE)
		size = region_u64(&r);
	else if (h.type == RECORD_HEADER_TRACING_DATA)
		size = ((uint64_t)region_u32(&r) + 7) & ~7ull;
	return size < room - h.size ? size : room - h.size;
}

/* Can a record stand here? Checks only what every record has to have. */
static bool is_record(const struct blocks *b, const uint8_t *p)
{
	struct perf_event_header h;

	if (b->end - p < (ptrdiff_t)sizeof(h))
		return false;
	h = record_header(p, b->data->swap);
	return h.size >= sizeof(h) && h.size <= b->end - p && h.type && h.type < TYPE_LIMIT;
}

/* A few records of known types in a row, or up to the very end. */
static bool is_sure(const struct blocks *b, const uint8_t *p)
{
	for (int i = 0; i < SURE_RECORDS; i++) {
		struct perf_event_header h;

		if (p == b->end && i)
			return true;
		if (!is_record(b, p))
			return false;
		h = record_header(p, b->data->swap);
		if (!record_type_name(h.type) || h.size % 8)
			return false;
		p += h.size + record_payload(p, (uint64_t)(b->end - p), b->data->swap);
	}
	return true;
}

/* Note the damage at b->at and go to the next place with records. */
static void step_over(struct blocks *b)
{
	const uint8_t *from = b->at, *p = from + 8;
	struct perf_event_header h = { 0 };

	if (b->end - from >= (ptrdiff_t)sizeof(h))
		h = record_header(from, b->data->swap);
	while (b->end - p >= 8 && !is_sure(b, p))
		p += 8;
	if (b->end - p < 8)
		p = b->end;
	if (h.size > b->end - from && p == b->end && h.type && h.type < TYPE_LIMIT)
		add_damage(b, file_off(b, from), (uint64_t)(p - from),
			   "the last record is cut off: %u bytes, %td are there", h.size,
			   b->end - from);
	else if (b->end - from < (ptrdiff_t)sizeof(h))
		add_damage(b, file_off(b, from), (uint64_t)(p - from),
			   "%td bytes at the end, less than a record's header", b->end - from);
	else
		add_damage(b, file_off(b, from), (uint64_t)(p - from),
			   "not a record: type %u, size %u", h.type, h.size);
	b->at = p;
}

/* --- compression -------------------------------------------------------------- */

static bool is_compressed(uint32_t type)
{
	return type == RECORD_COMPRESSED || type == RECORD_COMPRESSED2;
}

static void rest_room(struct blocks *b, size_t more)
{
	if (b->rest_cap - b->rest_size >= more)
		return;
	b->rest_cap = b->rest_size + more > 2 * b->rest_cap ? b->rest_size + more : 2 * b->rest_cap;
	b->rest = mem_realloc_array(b->rest, b->rest_cap, 1);
}

/*
 * One zstd stream goes through all compressed records of a recording, flushed
 * at each record's end (perf's zstd_compress_stream_to_records).
 */
static void decompress_start(struct blocks *b, const uint8_t *bytes)
{
	struct perf_event_header h = record_header(bytes, b->data->swap);
	struct region r = { bytes + 8, bytes + h.size, b->data->swap, false };

	if (h.type == RECORD_COMPRESSED2) {
		uint64_t size = region_u64(&r);

		if (size < (uint64_t)(r.end - r.at))
			r.end = r.at + size;
	}
	if (!b->zstd && !b->zstd_failed) {
		b->zstd = ZSTD_createDStream();
		if (!b->zstd || ZSTD_isError(ZSTD_initDStream(b->zstd)))
			b->zstd_failed = true;
		/* a stream that asks for more than 128 MB is not perf's */
		else
			ZSTD_DCtx_setParameter(b->zstd, ZSTD_d_windowLogMax, 27);
	}
	b->in = (ZSTD_inBuffer){ r.at, (size_t)(r.end - r.at), 0 };
	b->in_record = bytes;
	b->in_more = !b->zstd_failed && r.at < r.end;
}

/*
 * Go on with the record, until it is used up or a block is full: 64 KB of it can
 * stand for gigabytes.
 */
static void decompress_more(struct blocks *b)
{
	while (b->in_more && b->rest_size < BLOCK_BYTES) {
		size_t in_before = b->in.pos, out_before = b->rest_size, n;
		ZSTD_outBuffer out;

		rest_room(b, 128 * 1024);
		out = (ZSTD_outBuffer){ b->rest, b->rest_cap, b->rest_size };
		n = ZSTD_decompressStream(b->zstd, &out, &b->in);
		b->rest_size = out.pos;
		if (ZSTD_isError(n)) {
			b->zstd_failed = true;
			add_damage(b, file_off(b, b->in_record), (uint64_t)(b->end - b->in_record),
				   "compressed data is damaged (%s); what is compressed after it is lost",
				   ZSTD_getErrorName(n));
		}
		/* the decoder may hold output back that did not fit */
		b->in_more = !b->zstd_failed && (b->in.pos < b->in.size || out.pos == out.size) &&
			     (b->in.pos > in_before || out.pos > out_before);
	}
}

/* Bytes of whole records at the start of `rest`; 0 and *bad for what is no record. */
static size_t whole_bytes(struct blocks *b, bool *bad)
{
	size_t at = 0;

	*bad = false;
	b->contents.others.nr = 0;
	b->contents.nr_samples = 0;
	while (b->rest_size - at >= sizeof(struct perf_event_header)) {
		struct perf_event_header h = record_header(b->rest + at, b->data->swap);

		if (h.size < sizeof(h) || !h.type || h.type >= TYPE_LIMIT || is_compressed(h.type)) {
			*bad = true;
			break;
		}
		if (h.size > b->rest_size - at)
			break;
		if (h.type == PERF_RECORD_SAMPLE)
			b->contents.nr_samples++;
		else
			*vec_push(&b->contents.others) = (uint32_t)at;
		at += h.size;
	}
	return at;
}

static void give_others(const struct blocks *b, struct block *out)
{
	out->others = b->contents.others.v;
	out->nr_others = (uint32_t)b->contents.others.nr;
	out->nr_samples = b->contents.nr_samples;
}

/* Open compressed records from b->at on until a block is full. Returns 1 if *out was filled. */
static int next_decompressed(struct blocks *b, struct block *out)
{
	const uint8_t *first = b->in_more ? b->in_record : b->at;
	size_t whole;
	bool bad = false;

	while (b->rest_size < BLOCK_BYTES) {
		if (!b->in_more) {
			/* rounds stand between compressed records, in the file's order */
			if (!is_record(b, b->at) ||
			    !is_compressed(record_header(b->at, b->data->swap).type))
				break;
			decompress_start(b, b->at);
			b->at += record_header(b->at, b->data->swap).size;
		}
		decompress_more(b);
	}
	whole = whole_bytes(b, &bad);
	if (bad) {
		add_damage(b, file_off(b, first), b->rest_size - whole,
			   "not a record within compressed data");
		b->rest_size = whole;
	}
	if (!whole)
		return 0;
	*out = (struct block){ .size = whole, .file_off = file_off(b, first), .seq = b->seq++ };
	give_others(b, out);
	b->any_owned = true;
	out->owned = mem_dup(b->rest, whole);
	out->bytes = out->owned;
	memmove(b->rest, b->rest + whole, b->rest_size - whole);
	b->rest_size -= whole;
	return 1;
}

/* Go on to the next file of a recording in directory format. */
static bool next_part(struct blocks *b)
{
	const struct data_part *part;

	if (b->rest_size && !b->zstd_failed)
		add_damage(b, file_off(b, b->end), b->rest_size,
			   "the last compressed record is cut off");
	b->rest_size = 0;
	while (b->next_scout < b->nr_scouts)
		scout_end(&b->scouts[b->next_scout++]);
	if (b->next_part == b->data->priv->parts.nr)
		return false;
	part = &b->data->priv->parts.v[b->next_part++];
	b->start = b->at = part->map;
	b->end = part->map + part->size;
	b->start_off = 0;
	/* each file is a stream of its own */
	ZSTD_freeDStream(b->zstd);
	b->zstd = NULL;
	b->zstd_failed = false;
	return true;
}

/* The end of the samples from `p` on, or where the block is full. */
static const uint8_t *pass_samples(const struct blocks *b, const uint8_t *p, const uint8_t *full,
				   uint32_t *nr_samples)
{
	const uint8_t *end = b->end;
	bool swap = b->data->swap;
	uint32_t nr = 0;

	while (p < full && end - p >= (ptrdiff_t)sizeof(struct perf_event_header)) {
		struct perf_event_header h = record_header(p, swap);

		if (h.type != PERF_RECORD_SAMPLE || h.size < sizeof(h) || h.size > end - p)
			break;
		nr++;
		p += h.size;
	}
	*nr_samples += nr;
	return p;
}

/* The end of the whole records from `p` on that may make up a block, none beginning at `stop`. */
static const uint8_t *pass_records(const struct blocks *b, const uint8_t *p, const uint8_t *stop,
				   struct contents *c)
{
	const uint8_t *from = p;
	const uint8_t *full = (size_t)(stop - p) > BLOCK_BYTES ? p + BLOCK_BYTES : stop;

	c->others.nr = 0;
	c->nr_samples = 0;
	c->payload = 0;
	while (!c->payload && (p = pass_samples(b, p, full, &c->nr_samples)) < full &&
	       is_record(b, p)) {
		struct perf_event_header h = record_header(p, b->data->swap);

		if (is_compressed(h.type))
			break;
		if (h.type >= RECORD_HEADER_ATTR)
			c->payload = record_payload(p, (uint64_t)(b->end - p), b->data->swap);
		*vec_push(&c->others) = (uint32_t)(p - from);
		p += h.size;
	}
	return p;
}

/* --- scouts -------------------------------------------------------------------- */

static bool is_plain_record(const struct blocks *b, const uint8_t *p)
{
	return is_record(b, p) && !is_compressed(record_header(p, b->data->swap).type);
}

static void *scout_run(void *arg)
{
	struct scout *s = arg;
	const struct blocks *b = s->blocks;
	struct contents c = { 0 };

	for (const uint8_t *p = s->from, *end;
	     p < s->stop && s->others.nr < OTHERS_MAX && is_plain_record(b, p); p = end + c.payload) {
		end = pass_records(b, p, s->stop, &c);
		*vec_push(&s->found) = (struct found){
			.from = p, .end = end, .payload = c.payload, .first = s->others.nr,
			.nr_others = (uint32_t)c.others.nr, .nr_samples = c.nr_samples,
		};
		for (size_t i = 0; i < c.others.nr; i++)
			*vec_push(&s->others) = c.others.v[i];
	}
	vec_release(&c.others);
	return NULL;
}

/* A place near `p` where records seem to begin, or NULL. */
static const uint8_t *guess_place(const struct blocks *b, const uint8_t *p)
{
	const uint8_t *last = p + GUESS_BYTES;

	/* records are of whole words, from the first on */
	for (p = b->start + ((p - b->start) & ~(ptrdiff_t)7); p < last && b->end - p >= 8; p += 8)
		if (is_sure(b, p))
			return p;
	return NULL;
}

void blocks_scout(struct blocks *b, unsigned jobs)
{
	uint64_t size = (uint64_t)(b->end - b->at), parts = size / SCOUT_BYTES;

	if (parts > jobs)
		parts = jobs;
	if (parts > SCOUTS_MAX + 1)
		parts = SCOUTS_MAX + 1;
	if (b->nr_scouts || parts < 2 || !is_plain_record(b, b->at))
		return;
	for (uint64_t i = 1; i < parts; i++) {
		struct scout *s = &b->scouts[b->nr_scouts];

		*s = (struct scout){ .blocks = b, .stop = b->end };
		s->from = guess_place(b, b->at + size / parts * i);
		if (!s->from)
			continue;
		if (b->nr_scouts)
			s[-1].stop = s->from;
		b->nr_scouts++;
	}
	for (unsigned i = 0; i < b->nr_scouts; i++)
		b->scouts[i].started = pthread_create(&b->scouts[i].thread, NULL, scout_run,
						      &b->scouts[i]) == 0;
}

/* Where the next scout began whom the reader has not passed. */
static const uint8_t *next_stop(struct blocks *b)
{
	while (b->next_scout < b->nr_scouts) {
		struct scout *s = &b->scouts[b->next_scout];

		if (s->started && b->at <= s->from)
			return s->from;
		scout_end(s);
		b->next_scout++;
	}
	return b->end;
}

/* Begin to follow the scout who stands here, if there is one with something to tell. */
static void meet_scout(struct blocks *b)
{
	struct scout *s;

	if (next_stop(b) != b->at)
		return;
	s = &b->scouts[b->next_scout++];
	pthread_join(s->thread, NULL);
	s->started = false;
	if (s->found.nr)
		b->following = s;
}

static void give_found(struct blocks *b, struct block *out)
{
	struct scout *s = b->following;
	const struct found *f = &s->found.v[s->next++];

	*out = (struct block){ .bytes = f->from, .size = (size_t)(f->end - f->from),
			       .file_off = file_off(b, f->from), .seq = b->seq++ };
	*vec_push(&b->list) = *out;
	out->others = s->others.v + f->first;
	out->nr_others = f->nr_others;
	out->nr_samples = f->nr_samples;
	b->at = f->end + f->payload;
	if (s->next == s->found.nr)
		b->following = NULL;
}

/* --- one after the other ------------------------------------------------------- */

int blocks_next(struct blocks *b, struct block *out, struct err *err)
{
	(void)err;
	while (b->in_more || b->at < b->end || next_part(b)) {
		const uint8_t *from = b->at, *p;

		if (b->in_more) {
			if (next_decompressed(b, out))
				return 1;
			continue;
		}
		if (b->next_scout < b->nr_scouts && !b->following)
			meet_scout(b);
		if (b->following) {
			give_found(b, out);
			return 1;
		}
		if (!is_record(b, from)) {
			step_over(b);
			continue;
		}
		if (is_compressed(record_header(from, b->data->swap).type)) {
			if (next_decompressed(b, out))
				return 1;
			continue;
		}
		p = pass_records(b, from, next_stop(b), &b->contents);
		b->at = p + b->contents.payload;
		*out = (struct block){ .bytes = from, .size = (size_t)(p - from),
				       .file_off = file_off(b, from), .seq = b->seq++ };
		*vec_push(&b->list) = *out;
		give_others(b, out);
		return 1;
	}
	return 0;
}
