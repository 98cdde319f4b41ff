/* SPDX-License-Identifier: MIT */
/*
 * pprof: profile.proto of github.com/google/pprof, compressed by gzip.
 *
 * The message is written field by field (formats/protobuf.h). Repeated fields may come in
 * any order, so a location is written when the first sample needs it, and the strings, which all
 * others name by number, at the end.
 *
 * A location is an address: a function, with those that were inlined into it before it.
 * Each event is two sample types: how many samples, and what they stand for.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "formats/export.h"
#include "formats/protobuf.h"

/* Field numbers of profile.proto. */
enum { PROFILE_SAMPLE_TYPE = 1, PROFILE_SAMPLE, PROFILE_MAPPING, PROFILE_LOCATION, PROFILE_FUNCTION,
       PROFILE_STRING_TABLE, PROFILE_TIME_NANOS = 9, PROFILE_DURATION_NANOS, PROFILE_PERIOD_TYPE,
       PROFILE_PERIOD, PROFILE_COMMENT };
enum { VALUE_TYPE_TYPE = 1, VALUE_TYPE_UNIT };
enum { SAMPLE_LOCATION_ID = 1, SAMPLE_VALUE, SAMPLE_LABEL };
enum { LABEL_KEY = 1, LABEL_STR, LABEL_NUM };
enum { MAPPING_ID = 1, MAPPING_START, MAPPING_LIMIT, MAPPING_OFFSET, MAPPING_FILENAME, MAPPING_BUILD_ID,
       MAPPING_HAS_FUNCTIONS, MAPPING_HAS_FILENAMES, MAPPING_HAS_LINES, MAPPING_HAS_INLINES };
enum { LOCATION_ID = 1, LOCATION_MAPPING, LOCATION_ADDRESS, LOCATION_LINE };
enum { LINE_FUNCTION = 1, LINE_LINE };
enum { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM_NAME, FUNCTION_FILENAME };

#define FLUSH_BYTES (64 * 1024)

struct pprof {
	const struct export_source *source;
	FILE *out;
	z_stream gzip;
	bool failed;
	struct str message, part, piece; /* of the profile; of one field; of a field in that */
	struct intern strings;
	struct map64 chains;     /* frames of a location so far, one more -> chain's number */
	uint32_t nr_chains;
	bool *located;           /* [chain]: its location is written */
	uint32_t cap_located;
	uint64_t *limits;        /* [module]: behind the last function seen */
	bool has_lines;
};

/* --- gzip --------------------------------------------------------------------------------- */

static void squeeze(struct pprof *p, int flush)
{
	uint8_t buffer[16 * 1024];

	p->gzip.next_in = (uint8_t *)p->message.p;
	p->gzip.avail_in = (uInt)p->message.len;
	do {
		p->gzip.next_out = buffer;
		p->gzip.avail_out = sizeof(buffer);
		if (deflate(&p->gzip, flush) == Z_STREAM_ERROR)
			p->failed = true;
		fwrite(buffer, 1, sizeof(buffer) - p->gzip.avail_out, p->out);
	} while (!p->failed && !p->gzip.avail_out);
	str_clear(&p->message);
}

/* --- fields ------------------------------------------------------------------------------- */

static void end_field(struct pprof *p, unsigned field)
{
	protobuf_part(&p->message, field, &p->part);
	if (p->message.len >= FLUSH_BYTES)
		squeeze(p, Z_NO_FLUSH);
}

static uint64_t string_id(struct pprof *p, const char *text)
{
	return text ? intern_id(&p->strings, text) : 0;
}

/* --- the profile's fields ----------------------------------------------------------------- */

static void add_value_type(struct pprof *p, unsigned field, const char *type, const char *unit)
{
	protobuf_number(&p->part, VALUE_TYPE_TYPE, string_id(p, type));
	protobuf_number(&p->part, VALUE_TYPE_UNIT, string_id(p, unit));
	end_field(p, field);
}

static void write_types(struct pprof *p)
{
	struct str name = STR_INIT;
	struct export_event event;

	for (uint32_t i = 0; i < p->source->nr_events; i++) {
		p->source->event(p->source, i, &event);
		str_clear(&name);
		if (p->source->nr_events > 1)
			str_addf(&name, "%s ", event.name);
		str_add(&name, "samples");
		add_value_type(p, PROFILE_SAMPLE_TYPE, name.p, "count");
		add_value_type(p, PROFILE_SAMPLE_TYPE, event.name, event.unit);
	}
	if (p->source->nr_events == 1 && event.fixed_period) {
		add_value_type(p, PROFILE_PERIOD_TYPE, event.name, event.unit);
		protobuf_number(&p->message, PROFILE_PERIOD, event.fixed_period);
	}
	str_release(&name);
}

static void write_functions(struct pprof *p)
{
	struct export_frame frame;

	for (uint32_t i = 0; i < p->source->nr_frames; i++) {
		p->source->frame(p->source, i, &frame);
		protobuf_number(&p->part, FUNCTION_ID, i + 1);
		protobuf_number(&p->part, FUNCTION_NAME, string_id(p, frame.name));
		protobuf_number(&p->part, FUNCTION_SYSTEM_NAME, string_id(p, frame.name));
		protobuf_number(&p->part, FUNCTION_FILENAME, string_id(p, frame.file));
		p->has_lines |= frame.line != 0;
		end_field(p, PROFILE_FUNCTION);
	}
}

/* frames[0..nr) are one address: all but the last were inlined. */
static void write_location(struct pprof *p, uint64_t id, const uint32_t *frames, uint32_t nr)
{
	struct export_frame frame = { .module = EXPORT_NONE };

	for (uint32_t i = 0; i < nr; i++) {
		p->source->frame(p->source, frames[i], &frame);
		protobuf_number(&p->piece, LINE_FUNCTION, frames[i] + 1);
		protobuf_number(&p->piece, LINE_LINE, frame.line);
		protobuf_part(&p->part, LOCATION_LINE, &p->piece);
	}
	protobuf_number(&p->part, LOCATION_ID, id);
	if (frame.module != EXPORT_NONE) {
		uint64_t *limit = &p->limits[frame.module], end = frame.elf_addr + frame.bytes;

		protobuf_number(&p->part, LOCATION_MAPPING, frame.module + 1);
		if (end >= frame.elf_addr && end >= *limit)
			*limit = end + 1;
	}
	protobuf_number(&p->part, LOCATION_ADDRESS, frame.elf_addr);
	end_field(p, PROFILE_LOCATION);
}

/* The number of the location that frames[0..nr) are, written when it is new. */
static uint64_t location_of(struct pprof *p, const uint32_t *frames, uint32_t nr)
{
	uint64_t chain = 0;

	for (uint32_t i = 0; i < nr; i++) {
		bool added;
		uint64_t *next = map64_put(&p->chains, chain << 32 | frames[i], &added);

		if (added)
			*next = ++p->nr_chains;
		chain = *next;
	}
	if (chain >= p->cap_located) {
		uint32_t cap = p->cap_located ? p->cap_located : 512;

		while (cap <= chain)
			cap *= 2;
		p->located = mem_realloc_array(p->located, cap, sizeof(*p->located));
		memset(p->located + p->cap_located, 0, (cap - p->cap_located) * sizeof(*p->located));
		p->cap_located = cap;
	}
	if (!p->located[chain]) {
		p->located[chain] = true;
		write_location(p, chain, frames, nr);
	}
	return chain;
}

static void add_label(struct pprof *p, const char *key, const char *text, uint32_t number)
{
	if (!text && number == EXPORT_NONE)
		return;
	protobuf_number(&p->piece, LABEL_KEY, string_id(p, key));
	if (text)
		protobuf_number(&p->piece, LABEL_STR, string_id(p, text));
	else
		protobuf_number(&p->piece, LABEL_NUM, (uint64_t)(int64_t)(int32_t)number);
	protobuf_part(&p->part, SAMPLE_LABEL, &p->piece);
}

static void write_sample(struct pprof *p, const struct export_sample *sample, struct str *ids)
{
	const struct export_source *source = p->source;
	struct export_frame frame;

	str_clear(ids);
	for (uint32_t i = 0, first = 0; i < sample->nr_frames; i++) {
		source->frame(source, sample->frames[i], &frame);
		if (frame.kind == LABEL_INLINE && i + 1 < sample->nr_frames)
			continue;
		protobuf_varint(ids, location_of(p, &sample->frames[first], i + 1 - first));
		first = i + 1;
	}
	protobuf_bytes(&p->part, SAMPLE_LOCATION_ID, ids->p, ids->len);
	for (uint32_t i = 0; i < source->nr_events; i++) {
		protobuf_varint(&p->piece, i == sample->event ? sample->samples : 0);
		protobuf_varint(&p->piece, i == sample->event ? sample->period : 0);
	}
	protobuf_part(&p->part, SAMPLE_VALUE, &p->piece);
	add_label(p, "command", sample->comm, EXPORT_NONE);
	add_label(p, "pid", NULL, sample->pid);
	add_label(p, "tid", NULL, sample->tid);
	add_label(p, "cpu", NULL, sample->cpu);
	end_field(p, PROFILE_SAMPLE);
}

static void write_mappings(struct pprof *p)
{
	struct str id = STR_INIT;

	for (uint32_t i = 0; i < p->source->nr_modules; i++) {
		struct export_module module;

		p->source->module(p->source, i, &module);
		str_clear(&id);
		for (unsigned b = 0; b < module.build_id_size; b++)
			str_add_hex(&id, module.build_id[b], 2, '0');
		protobuf_number(&p->part, MAPPING_ID, i + 1);
		protobuf_number(&p->part, MAPPING_LIMIT, p->limits[i]);
		protobuf_number(&p->part, MAPPING_FILENAME, string_id(p, module.path));
		protobuf_number(&p->part, MAPPING_BUILD_ID, string_id(p, id.p));
		protobuf_number(&p->part, MAPPING_HAS_FUNCTIONS, 1);
		protobuf_number(&p->part, MAPPING_HAS_FILENAMES, p->has_lines);
		protobuf_number(&p->part, MAPPING_HAS_LINES, p->has_lines);
		protobuf_number(&p->part, MAPPING_HAS_INLINES, p->has_lines);
		end_field(p, PROFILE_MAPPING);
	}
	str_release(&id);
}

static void write_strings(struct pprof *p)
{
	/* protobuf's strings are UTF-8; readers refuse a file with any other */
	for (uint32_t i = 0; i < p->strings.nr; i++) {
		str_add_utf8(&p->part, intern_str(&p->strings, i));
		end_field(p, PROFILE_STRING_TABLE);
	}
}

static void write_message(struct pprof *p)
{
	const struct export_source *source = p->source;
	struct str ids = STR_INIT;

	intern_id(&p->strings, "");      /* string 0 is the empty one */
	write_types(p);
	write_functions(p);
	for (size_t i = 0; i < source->nr_samples; i++) {
		struct export_sample sample;

		source->sample(source, i, &sample);
		write_sample(p, &sample, &ids);
	}
	write_mappings(p);
	protobuf_number(&p->message, PROFILE_TIME_NANOS, source->started_ns);
	protobuf_number(&p->message, PROFILE_DURATION_NANOS, source->lasted_ns);
	protobuf_number(&p->message, PROFILE_COMMENT, string_id(p, source->title));
	write_strings(p);
	str_release(&ids);
}

int pprof_write(const struct export_source *source, FILE *out, struct err *err)
{
	struct pprof p = { .source = source, .out = out, .message = STR_INIT, .part = STR_INIT,
			   .piece = STR_INIT };
	int r;

	/* 15 + 16: the largest window, with gzip's head (zlib.h) */
	if (deflateInit2(&p.gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return err_set(err, ENOMEM, "cannot compress: zlib does not start");
	intern_init(&p.strings);
	p.limits = mem_zalloc((source->nr_modules + 1) * sizeof(*p.limits));
	write_message(&p);
	squeeze(&p, Z_FINISH);
	deflateEnd(&p.gzip);
	r = p.failed ? err_set(err, EIO, "cannot compress: zlib has failed") : export_end(out, err);
	intern_release(&p.strings);
	map64_release(&p.chains);
	free(p.located);
	free(p.limits);
	str_release(&p.message);
	str_release(&p.part);
	str_release(&p.piece);
	return r;
}
