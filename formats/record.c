/* SPDX-License-Identifier: MIT */
#include "formats/record.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "formats/record_priv.h"

#define RECORD_AUX_OUTPUT_HW_ID 21               /* Linux 5.16 */

static const char *const kernel_names[] = {
	[PERF_RECORD_MMAP] = "MMAP",
	[PERF_RECORD_LOST] = "LOST",
	[PERF_RECORD_COMM] = "COMM",
	[PERF_RECORD_EXIT] = "EXIT",
	[PERF_RECORD_THROTTLE] = "THROTTLE",
	[PERF_RECORD_UNTHROTTLE] = "UNTHROTTLE",
	[PERF_RECORD_FORK] = "FORK",
	[PERF_RECORD_READ] = "READ",
	[PERF_RECORD_SAMPLE] = "SAMPLE",
	[PERF_RECORD_MMAP2] = "MMAP2",
	[PERF_RECORD_AUX] = "AUX",
	[PERF_RECORD_ITRACE_START] = "ITRACE_START",
	[PERF_RECORD_LOST_SAMPLES] = "LOST_SAMPLES",
	[PERF_RECORD_SWITCH] = "SWITCH",
	[PERF_RECORD_SWITCH_CPU_WIDE] = "SWITCH_CPU_WIDE",
	[PERF_RECORD_NAMESPACES] = "NAMESPACES",
	[PERF_RECORD_KSYMBOL] = "KSYMBOL",
	[PERF_RECORD_BPF_EVENT] = "BPF_EVENT",
	[PERF_RECORD_CGROUP] = "CGROUP",
	[PERF_RECORD_TEXT_POKE] = "TEXT_POKE",
	[RECORD_AUX_OUTPUT_HW_ID] = "AUX_OUTPUT_HW_ID",
};

static const char *const user_names[] = {
	"ATTR", "EVENT_TYPE", "TRACING_DATA", "BUILD_ID", "FINISHED_ROUND", "ID_INDEX",
	"AUXTRACE_INFO", "AUXTRACE", "AUXTRACE_ERROR", "THREAD_MAP", "CPU_MAP", "STAT_CONFIG",
	"STAT", "STAT_ROUND", "EVENT_UPDATE", "TIME_CONV", "FEATURE", "COMPRESSED",
	"FINISHED_INIT", "COMPRESSED2", "BPF_METADATA", "SCHEDSTAT_CPU", "SCHEDSTAT_DOMAIN",
};

const char *record_type_name(uint32_t type)
{
	if (type < sizeof(kernel_names) / sizeof(kernel_names[0]))
		return kernel_names[type];
	if (type >= RECORD_HEADER_ATTR && type < RECORD_USER_MAX)
		return user_names[type - RECORD_HEADER_ATTR];
	return NULL;
}

/* --- events ---------------------------------------------------------------- */

/* Words before PERF_SAMPLE_ID in a sample, or -1 when it holds no id. */
static int sample_id_pos(uint64_t type)
{
	if (type & PERF_SAMPLE_IDENTIFIER)
		return 0;
	if (!(type & PERF_SAMPLE_ID))
		return -1;
	return !!(type & PERF_SAMPLE_IP) + !!(type & PERF_SAMPLE_TID) + !!(type & PERF_SAMPLE_TIME) +
	       !!(type & PERF_SAMPLE_ADDR);
}

/* Words from the id to a side-band record's end, the id's own included, or -1. */
static int trailer_id_pos(uint64_t type)
{
	if (type & PERF_SAMPLE_IDENTIFIER)
		return 1;
	if (!(type & PERF_SAMPLE_ID))
		return -1;
	return 1 + !!(type & PERF_SAMPLE_CPU) + !!(type & PERF_SAMPLE_STREAM_ID);
}

static void lay_out(struct event_desc *event)
{
	static const struct { uint64_t bit; size_t field; } words[] = {
		{ PERF_SAMPLE_IDENTIFIER, 0 },
		{ PERF_SAMPLE_IP, offsetof(struct event_desc, at_ip) },
		{ PERF_SAMPLE_TID, offsetof(struct event_desc, at_tid) },
		{ PERF_SAMPLE_TIME, offsetof(struct event_desc, at_time) },
		{ PERF_SAMPLE_ADDR, 0 }, { PERF_SAMPLE_ID, 0 }, { PERF_SAMPLE_STREAM_ID, 0 },
		{ PERF_SAMPLE_CPU, offsetof(struct event_desc, at_cpu) },
		{ PERF_SAMPLE_PERIOD, offsetof(struct event_desc, at_period) },
	};
	uint64_t type = event->attr.sample_type;

	event->at_ip = event->at_tid = event->at_time = event->at_cpu = event->at_period = -1;
	event->head_words = 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!(type & words[i].bit))
			continue;
		if (words[i].field)
			*((int8_t *)event + words[i].field) = (int8_t)event->head_words;
		event->head_words++;
	}
	event->is_plain = !(type & (PERF_SAMPLE_READ | PERF_SAMPLE_STACK_USER));
}

int event_set_index(struct event_set *set, struct err *err)
{
	if (!set->by_id)
		set->by_id = mem_zalloc(sizeof(*set->by_id));
	map64_release(set->by_id);
	set->id_pos = set->is_pos = -1;
	set->sample_id_all = set->build_ids = false;
	for (uint32_t i = 0; i < set->nr; i++) {
		struct event_desc *event = &set->v[i];
		int pos = sample_id_pos(event->attr.sample_type);
		int is_pos = trailer_id_pos(event->attr.sample_type);

		if (i && (pos != set->id_pos || is_pos != set->is_pos))
			return err_set(err, EBADMSG,
				       "events '%s' and '%s' of the recording have their ids in different places, so that samples cannot be told apart",
				       set->v[0].name, event->name);
		set->id_pos = pos;
		set->is_pos = is_pos;
		set->sample_id_all |= event->attr.sample_id_all;
		set->build_ids |= event->attr.build_id;
		event->index = i;
		lay_out(event);
		for (uint32_t j = 0; j < event->nr_ids; j++)
			*map64_put(set->by_id, event->ids[j], NULL) = i;
	}
	return 0;
}

void event_set_release(struct event_set *set)
{
	for (uint32_t i = 0; i < set->nr; i++) {
		free(set->v[i].name);
		free(set->v[i].ids);
		free(set->v[i].unit);
	}
	free(set->v);
	if (set->by_id)
		map64_release(set->by_id);
	free(set->by_id);
	memset(set, 0, sizeof(*set));
}

const struct event_desc *event_set_find(const struct event_set *set, uint64_t id)
{
	uint64_t *index = set->by_id ? map64_find(set->by_id, id) : NULL;

	return index ? &set->v[*index] : NULL;
}

/* --- decoding ---------------------------------------------------------------- */

void decoder_init(struct decoder *decoder, const struct event_set *events, bool swap)
{
	memset(decoder, 0, sizeof(*decoder));
	decoder->events = events;
	decoder->swap = swap;
	if (swap)
		decoder->scratch = mem_alloc(SCRATCH_WORDS * sizeof(uint64_t));
}

void decoder_release(struct decoder *decoder)
{
	free(decoder->scratch);
	free(decoder->text);
	free(decoder->values);
	memset(decoder, 0, sizeof(*decoder));
}

int record_decode(struct decoder *decoder, const uint8_t *bytes, struct record *out,
		  struct err *err)
{
	struct perf_event_header h = record_header(bytes, decoder->swap);
	struct cursor c = { bytes + sizeof(h), bytes + h.size, decoder->swap, false };
	int r = 0;

	decoder->scratch_used = 0;
	out->type = h.type;
	out->misc = h.misc;
	out->size = h.size;
	out->bytes = bytes;
	out->id = (struct record_id){ .pid = NONE32, .tid = NONE32, .cpu = NONE32 };
	if (h.size < sizeof(h))
		return err_set(err, EBADMSG, "record of %u bytes, less than its own header", h.size);
	if (h.type == PERF_RECORD_SAMPLE) {
		r = decode_sample(decoder, &c, out, err);
	} else if (!decode_sideband(decoder, &c, out) && h.type < RECORD_HEADER_ATTR) {
		take_trailer(decoder, &c, &out->id);
	}
	if (!r && c.bad)
		r = err_set(err, EBADMSG, "%s record of %u bytes: its fields go past its end",
			    record_type_name(h.type), h.size);
	return r;
}

/* The event of a sample with so many words, or NULL. */
static inline const struct event_desc *brief_event(const struct event_set *set,
						   const u64_una *words, uint64_t room)
{
	if (set->nr == 1 || (set->nr && set->id_pos < 0))
		return set->v;
	return set->id_pos >= 0 && (uint64_t)set->id_pos < room ?
		       event_set_find(set, words[set->id_pos]) : NULL;
}

static int decode_all(struct decoder *decoder, const uint8_t *bytes, struct sample *out)
{
	struct record record;
	int r = record_decode(decoder, bytes, &record, NULL);

	if (!r)
		*out = record.sample;
	return r;
}

int record_decode_brief(struct decoder *decoder, const uint8_t *bytes, struct sample *out)
{
	struct perf_event_header h = record_header(bytes, decoder->swap);
	const u64_una *words = (const u64_una *)(bytes + sizeof(h));
	uint64_t room = (uint64_t)(h.size - sizeof(h)) / 8;
	const struct event_desc *event = decoder->swap ? NULL :
					 brief_event(decoder->events, words, room);

	if (!event || !event->is_plain)
		return decode_all(decoder, bytes, out);
	if (room < event->head_words)
		return -EBADMSG;
	out->event = event;
	out->cpumode = h.misc & PERF_RECORD_MISC_CPUMODE_MASK;
	out->ip = event->at_ip >= 0 ? words[event->at_ip] : 0;
	out->pid = event->at_tid >= 0 ? (uint32_t)words[event->at_tid] : NONE32;
	out->tid = event->at_tid >= 0 ? (uint32_t)(words[event->at_tid] >> 32) : NONE32;
	out->time_ns = event->at_time >= 0 ? words[event->at_time] : 0;
	out->cpu = event->at_cpu >= 0 ? (uint32_t)words[event->at_cpu] : NONE32;
	out->period = event->at_period >= 0 ? words[event->at_period] :
		      event->attr.freq ? 1 : event->attr.sample_period;
	out->nr_ips = out->stack_size = 0;
	out->ips = NULL;
	if (event->attr.sample_type & PERF_SAMPLE_CALLCHAIN) {
		words += event->head_words;
		room -= event->head_words;
		if (!room || words[0] > room - 1)
			return -EBADMSG;
		out->nr_ips = words[0];
		out->ips = words + 1;
	}
	return 0;
}

uint64_t record_time(struct decoder *decoder, const uint8_t *bytes)
{
	struct perf_event_header h = record_header(bytes, decoder->swap);
	struct cursor c = { bytes + sizeof(h), bytes + h.size, decoder->swap, false };
	struct record_id id = { .time_ns = 0 };
	const struct event_desc *event;
	uint64_t type;

	if (h.type >= RECORD_HEADER_ATTR || h.size < sizeof(h))
		return 0;
	if (h.type != PERF_RECORD_SAMPLE) {
		take_trailer(decoder, &c, &id);
		return id.time_ns;
	}
	event = sample_event(decoder, &c);
	type = event ? event->attr.sample_type : 0;
	if (!(type & PERF_SAMPLE_TIME))
		return 0;
	get_bytes(&c, 8 * count_bits(type & (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP |
					     PERF_SAMPLE_TID)));
	return get64(&c);
}
