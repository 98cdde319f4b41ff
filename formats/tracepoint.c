/* SPDX-License-Identifier: MIT */
#include "formats/tracepoint.h"

#include <errno.h>
#include <event-parse.h>
#include <stdlib.h>
#include <string.h>
#include <trace-seq.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "formats/perf_data_priv.h"
#include "formats/tracepoint_check.h"

#define SYSTEMS_MAX 10000u
#define EVENTS_MAX 100000u
#define FORMAT_BYTES_MAX (1u << 20)

/*
 * libtraceevent adds a 16-bit offset out of the sample to the start of its bytes and
 * reads a string or an array there, wherever that is. So it gets a copy with zeros
 * behind it, as far as such an offset, the field's own and an array can reach.
 */
#define RAW_ROOM (1u << 16)
#define RAW_REACH (2 * RAW_ROOM + 8 * TRACEPOINT_LENGTH_MAX + RAW_ROOM)

struct tracepoints {
	struct tep_handle *tep;
	uint8_t *raw;                    /* RAW_REACH bytes, zero from raw_used on */
	size_t raw_used;
	struct trace_seq seq;            /* of print, once begun */
	bool has_seq;
	struct arena arena;
	struct map64 names;              /* id -> const char * */
	struct map64 fields_only;        /* ids of events whose print format is not known */
};

/* A NUL-terminated name inside the section. */
static const char *get_name(struct region *r)
{
	const char *s = (const char *)r->at;
	size_t room = (size_t)(r->end - r->at), len = strnlen(s, room);

	if (r->bad || len == room) {
		r->bad = true;
		return NULL;
	}
	r->at += len + 1;
	return s;
}

/* A piece that its 64-bit size stands before. */
static const char *get_piece(struct region *r, uint64_t *size)
{
	*size = region_u64(r);
	return (const char *)region_bytes(r, *size);
}

/*
 * A kernel may print an event in words that nobody here knows; its fields are known all the
 * same, and the event is printed by them. Returns false if there is no print format to drop.
 */
static bool drop_print_format(char *text)
{
	static const char head[] = "\nprint fmt:", none[] = " \"\"\n";
	char *at = strstr(text, head);

	if (!at || strlen(at) < sizeof(head) + sizeof(none))
		return false;
	memcpy(at + sizeof(head) - 1, none, sizeof(none));
	return true;
}

/* Remember that the event is printed by its fields. */
static void mark_fields_only(struct tracepoints *t, const char *text)
{
	const char *id = strstr(text, "\nID:");

	if (id)
		map64_put(&t->fields_only, strtoul(id + 4, NULL, 10), NULL);
}

static void parse_format(struct tracepoints *t, const char *text, uint64_t size, const char *system)
{
	/* libtraceevent wants its text to end in NUL */
	bool whole, known;
	char *copy;

	if (!size || size > FORMAT_BYTES_MAX)
		return;
	copy = mem_strndup(text, size);
	whole = tracepoint_check(copy);
	known = whole || (drop_print_format(copy) && tracepoint_check(copy));
	if (!known)
		log_debug("the format of an event of '%s' is damaged", system);
	else if (tep_parse_event(t->tep, copy, strlen(copy), system) != 0)
		log_debug("the format of an event of '%s' is not understood", system);
	else if (!whole)
		mark_fields_only(t, copy);
	free(copy);
}

static void parse_kallsyms(struct tracepoints *t, const char *text, size_t size)
{
	char *copy = mem_strndup(text, size), *line, *next;

	for (line = copy; line && *line; line = next) {
		unsigned long long addr;
		char *name, *module;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		addr = strtoull(line, &name, 16);
		if (name[0] != ' ' || !name[1] || name[2] != ' ')
			continue;
		name += 3;
		module = strchr(name, '\t');
		if (module)
			*module++ = '\0';
		if (module && *module == '[')
			module[strcspn(module, "]")] = '\0', module++;
		tep_register_function(t->tep, name, addr, module);
	}
	free(copy);
}

/* Lines of `0xADDR : "FORMAT"`. */
static void parse_printk(struct tracepoints *t, const char *text, size_t size)
{
	char *copy = mem_strndup(text, size), *line, *next;

	for (line = copy; line && *line; line = next) {
		unsigned long long addr;
		char *colon, *format;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		colon = strstr(line, " : ");
		if (!colon)
			continue;
		addr = strtoull(line, NULL, 16);
		format = colon + 3;
		/* libtraceevent 1.7 looks for \n" at the end without asking how long it is */
		if (*format == '"' && strlen(format) > 3)
			tep_register_print_string(t->tep, format, addr);
	}
	free(copy);
}

static void parse_systems(struct tracepoints *t, struct region *r)
{
	uint32_t nr = region_u32(r);

	for (uint32_t i = 0; i < nr && nr < SYSTEMS_MAX && !r->bad; i++) {
		const char *system = get_name(r);
		uint32_t events = region_u32(r);

		for (uint32_t j = 0; j < events && events < EVENTS_MAX && !r->bad; j++) {
			uint64_t size;
			const char *text = get_piece(r, &size);

			if (text)
				parse_format(t, text, size, system);
		}
	}
}

static int parse(struct tracepoints *t, struct region r, struct err *err)
{
	static const uint8_t magic[] = { 0x17, 0x08, 0x44, 't', 'r', 'a', 'c', 'i', 'n', 'g' };
	const uint8_t *head = region_bytes(&r, sizeof(magic)), *order, *long_size;
	uint64_t size;
	uint32_t nr;
	const char *text;

	if (!head || memcmp(head, magic, sizeof(magic)) != 0 || !get_name(&r))
		return err_set(err, EBADMSG, "the descriptions of tracepoints are damaged: no magic");
	order = region_bytes(&r, 1);
	long_size = region_bytes(&r, 1);
	if (!order || !long_size)
		return err_set(err, EBADMSG, "the descriptions of tracepoints are cut off");
	/* this part states its own byte order */
	r.swap = *order != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	tep_set_file_bigendian(t->tep, *order ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN);
	tep_set_local_bigendian(t->tep, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? TEP_BIG_ENDIAN :
										  TEP_LITTLE_ENDIAN);
	tep_set_long_size(t->tep, *long_size);
	tep_set_page_size(t->tep, (int)region_u32(&r));
	for (int i = 0; i < 2; i++) { /* header_page, header_event: of the ring, not of events */
		get_name(&r);
		get_piece(&r, &size);
	}
	nr = region_u32(&r);
	for (uint32_t i = 0; i < nr && nr < EVENTS_MAX && !r.bad; i++) {
		text = get_piece(&r, &size);
		if (text)
			parse_format(t, text, size, "ftrace");
	}
	parse_systems(t, &r);
	size = region_u32(&r);
	text = (const char *)region_bytes(&r, size);
	if (text)
		parse_kallsyms(t, text, size);
	size = region_u32(&r);
	text = (const char *)region_bytes(&r, size);
	if (text)
		parse_printk(t, text, size);
	return 0;
}

int tracepoints_new(struct tracepoints **out, const struct perf_data *data, struct err *err)
{
	struct tracepoints *t;
	struct region r;
	int ret;

	*out = NULL;
	if (!data->tracing_data)
		return 0;
	r = (struct region){ data->tracing_data, data->tracing_data + data->tracing_data_size,
			     data->swap, false };
	/* or it would warn on standard error by itself */
	tep_set_loglevel(TEP_LOG_NONE);
	t = mem_zalloc(sizeof(*t));
	arena_init(&t->arena);
	t->tep = tep_alloc();
	if (!t->tep)
		mem_fail(sizeof(*t));
	ret = parse(t, r, err);
	if (ret < 0)
		tracepoints_free(t);
	else
		*out = t;
	return ret;
}

void tracepoints_free(struct tracepoints *t)
{
	if (!t)
		return;
	tep_free(t->tep);
	map64_release(&t->names);
	map64_release(&t->fields_only);
	arena_release(&t->arena);
	if (t->has_seq)
		trace_seq_destroy(&t->seq);
	free(t->raw);
	free(t);
}

/* The sample's bytes where reading too far meets zeros. */
static void *guarded_raw(struct tracepoints *t, const struct sample *sample)
{
	size_t size = sample->raw_size < RAW_ROOM ? sample->raw_size : RAW_ROOM;

	if (!t->raw)
		t->raw = mem_zalloc(RAW_REACH);
	if (t->raw_used > size)
		memset(t->raw + size, 0, t->raw_used - size);
	memcpy(t->raw, sample->raw, size);
	t->raw_used = size;
	return t->raw;
}

static bool print(struct tracepoints *t, struct str *out, const struct sample *sample, bool fields)
{
	struct tep_event *event = t ? tep_find_event(t->tep, (int)sample->event->attr.config) : NULL;
	struct tep_record record = {
		.cpu = (int)sample->cpu,
		.ts = sample->time_ns,
		.size = (int)sample->raw_size,
	};

	if (!event || !sample->raw)
		return false;
	if (!tracepoint_check_sample(event, sample->raw, sample->raw_size))
		return false;
	record.data = guarded_raw(t, sample);
	if (!t->has_seq)
		trace_seq_init(&t->seq);
	t->has_seq = true;
	trace_seq_reset(&t->seq);
	if (fields || map64_find(&t->fields_only, sample->event->attr.config))
		tep_print_fields(&t->seq, record.data, (int)sample->raw_size, event);
	else
		tep_print_event(t->tep, &t->seq, &record, "%s", TEP_PRINT_INFO);
	trace_seq_terminate(&t->seq);
	str_addn(out, t->seq.buffer, strlen(t->seq.buffer));
	return true;
}

bool tracepoint_print(struct tracepoints *t, struct str *out, const struct sample *sample)
{
	return print(t, out, sample, false);
}

bool tracepoint_print_fields(struct tracepoints *t, struct str *out, const struct sample *sample)
{
	return print(t, out, sample, true);
}

const char *tracepoint_name(struct tracepoints *t, uint64_t id)
{
	struct tep_event *event = t ? tep_find_event(t->tep, (int)id) : NULL;
	bool added;
	uint64_t *slot;
	struct str name = STR_INIT;

	if (!event)
		return NULL;
	slot = map64_put(&t->names, id, &added);
	if (added) {
		str_addf(&name, "%s:%s", event->system, event->name);
		*slot = (uint64_t)(uintptr_t)arena_strdup(&t->arena, name.p);
		str_release(&name);
	}
	return (const char *)(uintptr_t)*slot;
}

bool tracepoint_add_fields(struct tracepoints *t, struct str *out, uint64_t id)
{
	struct tep_event *event = t ? tep_find_event(t->tep, (int)id) : NULL;

	if (!event)
		return false;
	for (struct tep_format_field *f = event->format.fields; f; f = f->next)
		str_addf(out, "%s%s", f == event->format.fields ? "" : ",", f->name);
	return true;
}

/* --- single fields ------------------------------------------------------------------------ */

static struct tep_format_field *field_at(struct tep_event *event, const char *name, uint32_t index,
					 uint32_t *at)
{
	struct tep_format_field *lists[] = { event->format.fields, event->format.common_fields };

	*at = 0;
	for (int i = 0; i < 2; i++)
		for (struct tep_format_field *f = lists[i]; f; f = f->next, (*at)++)
			if (name ? strcmp(f->name, name) == 0 : *at == index)
				return f;
	return NULL;
}

bool tracepoint_field_find(struct tracepoints *t, uint64_t id, const char *name,
			   struct tracepoint_field *out)
{
	struct tep_event *event = t ? tep_find_event(t->tep, (int)id) : NULL;
	struct tep_format_field *f;
	uint32_t index;

	f = event ? field_at(event, name, 0, &index) : NULL;
	if (!f || f->offset < 0 || f->size <= 0)
		return false;
	*out = (struct tracepoint_field){
		.offset = (uint32_t)f->offset, .size = (uint32_t)f->size, .index = index, .id = id,
		.dynamic = f->flags & TEP_FIELD_IS_DYNAMIC,
		.relative = f->flags & TEP_FIELD_IS_RELATIVE,
		.string = f->flags & TEP_FIELD_IS_STRING,
	};
	/* the word that tells where is one of 32 bits */
	return !out->dynamic || out->size == 4;
}

const void *tracepoint_field_bytes(const struct tracepoint_field *field, const void *raw,
				   uint32_t raw_size, bool swap, uint32_t *size)
{
	uint32_t offset = field->offset, word;

	*size = field->size;
	if (offset > raw_size || *size > raw_size - offset)
		return NULL;
	if (field->dynamic) {
		memcpy(&word, (const uint8_t *)raw + offset, 4);
		word = swap ? __builtin_bswap32(word) : word;
		*size = word >> 16;
		offset = (word & 0xffff) + (field->relative ? offset + 4 : 0);
		if (offset > raw_size || *size > raw_size - offset)
			return NULL;
	}
	return (const uint8_t *)raw + offset;
}

static void add_string(struct str *out, const uint8_t *bytes, uint32_t size)
{
	str_addn(out, bytes, strnlen((const char *)bytes, size));
}

static uint32_t raw_size_least(const struct tep_event *event)
{
	uint32_t size = 0;

	for (struct tep_format_field *f = event->format.fields; f; f = f->next)
		if (f->offset >= 0 && f->size > 0 && (uint32_t)f->offset + (uint32_t)f->size > size)
			size = (uint32_t)f->offset + (uint32_t)f->size;
	return size;
}

/* libtraceevent tells events by this common field. */
static void put_type(struct tracepoints *t, struct tep_event *event, uint8_t *raw, uint32_t size)
{
	struct tep_format_field *f = tep_find_common_field(event, "common_type");

	if (!f || f->offset < 0 || f->size <= 0 || f->size > 4 ||
	    (uint32_t)f->offset + (uint32_t)f->size > size)
		return;
	for (int i = 0; i < f->size; i++) {
		int shift = 8 * (tep_is_file_bigendian(t->tep) ? f->size - 1 - i : i);

		raw[f->offset + i] = (uint8_t)((unsigned)event->id >> shift);
	}
}

/* The event's format may have a better word than the number: "prev_state=S". As perf shows it. */
static bool add_as_printed(struct tracepoints *t, struct str *out, const char *name, uint8_t *raw,
			   uint32_t size)
{
	struct tep_record record = { .data = raw, .size = (int)size };
	size_t len = strlen(name), value;
	struct trace_seq seq;
	bool found = false;

	trace_seq_init(&seq);
	tep_print_event(t->tep, &seq, &record, "%s", TEP_PRINT_INFO);
	trace_seq_terminate(&seq);
	for (const char *at = seq.buffer; !found && (at = strstr(at, name)); at += len) {
		if (at[len] != '=' || (at != seq.buffer && at[-1] != ' '))
			continue;
		value = strcspn(at + len + 1, " ");
		str_addn(out, at + len + 1, value);
		found = value != 0;
	}
	trace_seq_destroy(&seq);
	return found;
}

void tracepoint_field_add(struct tracepoints *t, struct str *out,
			  const struct tracepoint_field *field, const void *bytes, uint32_t size)
{
	struct tep_event *event = t ? tep_find_event(t->tep, (int)field->id) : NULL;
	struct tep_format_field *f;
	struct trace_seq seq;
	uint32_t index, total;
	uint8_t *raw;

	f = event ? field_at(event, NULL, field->index, &index) : NULL;
	if (!f)
		return;
	if (f->flags & TEP_FIELD_IS_STRING) {
		add_string(out, bytes, size);
		return;
	}
	if (field->dynamic) {
		for (uint32_t i = 0; i < size; i++)
			str_addf(out, "%s%02x", i ? "," : "", ((const uint8_t *)bytes)[i]);
		return;
	}
	/* libtraceevent wants the whole sample: all else in it is zero */
	total = raw_size_least(event);
	if (total < field->offset + size)
		total = field->offset + size;
	raw = mem_zalloc(total + 8);
	put_type(t, event, raw, total);
	memcpy(raw + field->offset, bytes, size);
	trace_seq_init(&seq);
	if (!add_as_printed(t, out, f->name, raw, total)) {
		tep_print_field(&seq, raw, f);
		trace_seq_terminate(&seq);
		str_add(out, seq.buffer);
	}
	trace_seq_destroy(&seq);
	free(raw);
}
