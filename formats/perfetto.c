/* SPDX-License-Identifier: MIT */
/*
 * perfetto: a Trace of perfetto.dev (protos/perfetto/trace of google/perfetto), packet by packet.
 *
 *	sequence 1      a TrackDescriptor for each process and thread; of tracepoints, TrackEvents
 *	sequence 2...   one for each event: what it is called, then a PerfSample for each sample
 *
 * A sequence numbers (interns) its own functions, modules, frames and call stacks, each in
 * the packet of the first sample that needs it. A sample has no weight there: those that
 * fell on the same nanosecond are as many packets.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "formats/export.h"
#include "formats/protobuf.h"

/* Field numbers. */
enum { TRACE_PACKET = 1 };
enum { PACKET_TIMESTAMP = 8, PACKET_SEQUENCE = 10, PACKET_TRACK_EVENT = 11, PACKET_INTERNED = 12,
       PACKET_SEQUENCE_FLAGS = 13, PACKET_DEFAULTS = 59, PACKET_TRACK = 60, PACKET_PERF_SAMPLE = 66 };
enum { FLAG_CLEARED = 1, FLAG_NEEDS_STATE = 2 };         /* of sequence_flags */
enum { DEFAULTS_PERF_SAMPLE = 12, PERF_DEFAULTS_TIMEBASE = 1, TIMEBASE_PERIOD = 1, TIMEBASE_NAME = 10 };
enum { INTERNED_FUNCTIONS = 5, INTERNED_FRAMES, INTERNED_STACKS, INTERNED_BUILD_IDS = 16, INTERNED_PATHS,
       INTERNED_MAPPINGS = 19 };
enum { STRING_IID = 1, STRING_STR };
enum { MAPPING_IID = 1, MAPPING_BUILD_ID, MAPPING_PATH = 7 };
enum { FRAME_IID = 1, FRAME_FUNCTION, FRAME_MAPPING, FRAME_REL_PC };
enum { STACK_IID = 1, STACK_FRAMES };
enum { SAMPLE_CPU = 1, SAMPLE_PID, SAMPLE_TID, SAMPLE_STACK, SAMPLE_MODE };
enum { MODE_KERNEL = 1, MODE_USER };
enum { TRACK_UUID = 1, TRACK_PROCESS = 3, TRACK_THREAD };
enum { PROCESS_PID = 1, PROCESS_NAME = 6 };
enum { THREAD_PID = 1, THREAD_TID, THREAD_NAME = 5 };
enum { EVENT_ANNOTATION = 4, EVENT_TYPE = 9, EVENT_TRACK = 11, EVENT_CATEGORY = 22, EVENT_NAME = 23 };
enum { ANNOTATION_STRING = 6, ANNOTATION_NAME = 10 };
enum { TYPE_INSTANT = 3 };

struct perfetto {
	const struct export_source *source;
	FILE *out;
	struct str packet, part, piece, small;   /* the inner ones are built in the later ones */
	struct str interned;
	bool *has_frame, *has_module;    /* of the event whose sequence is being written */
	struct map64 stacks;             /* hash of the frames -> number */
};

static void end_packet(struct perfetto *p, uint64_t sequence, unsigned flags)
{
	protobuf_number(&p->packet, PACKET_SEQUENCE, sequence);
	protobuf_number(&p->packet, PACKET_SEQUENCE_FLAGS, flags);
	str_clear(&p->part);
	protobuf_part(&p->part, TRACE_PACKET, &p->packet);
	fwrite(p->part.p, 1, p->part.len, p->out);
	str_clear(&p->part);
}

/* --- tasks, and what tracepoints told --------------------------------------------------------- */

static uint64_t id_of(uint32_t id)
{
	return id == EXPORT_NONE ? 0 : (uint64_t)(int64_t)(int32_t)id;
}

/* Of its thread, or of its process. */
static uint64_t track_of(const struct export_sample *sample, bool thread)
{
	return hash_mix((uint64_t)sample->pid << 32 | (thread ? sample->tid : 0), thread) | 1;
}

static void write_track(struct perfetto *p, const struct export_sample *sample, bool thread)
{
	const char *name = sample->comm ? sample->comm : "";

	protobuf_field(&p->piece, THREAD_PID, id_of(sample->pid));
	if (thread)
		protobuf_field(&p->piece, THREAD_TID, id_of(sample->tid));
	protobuf_text(&p->piece, thread ? THREAD_NAME : PROCESS_NAME, name);
	protobuf_number(&p->part, TRACK_UUID, track_of(sample, thread));
	protobuf_part(&p->part, thread ? TRACK_THREAD : TRACK_PROCESS, &p->piece);
	protobuf_part(&p->packet, PACKET_TRACK, &p->part);
	end_packet(p, 1, 0);
}

static void write_instant(struct perfetto *p, const struct export_sample *sample,
			  const struct export_event *event)
{
	protobuf_number(&p->packet, PACKET_TIMESTAMP, sample->time_ns);
	protobuf_text(&p->piece, ANNOTATION_NAME, "fields");
	protobuf_text(&p->piece, ANNOTATION_STRING, sample->trace ? sample->trace : "");
	protobuf_part(&p->part, EVENT_ANNOTATION, &p->piece);
	protobuf_number(&p->part, EVENT_TYPE, TYPE_INSTANT);
	protobuf_number(&p->part, EVENT_TRACK, track_of(sample, true));
	protobuf_text(&p->part, EVENT_CATEGORY, "tracepoint");
	protobuf_text(&p->part, EVENT_NAME, event->name);
	protobuf_part(&p->packet, PACKET_TRACK_EVENT, &p->part);
	end_packet(p, 1, 0);
}

static void write_tasks(struct perfetto *p)
{
	struct export_sample sample, last = { .pid = EXPORT_NONE, .tid = EXPORT_NONE };
	struct export_event event;

	for (size_t i = 0; i < p->source->nr_samples; i++) {
		p->source->sample(p->source, i, &sample);
		p->source->event(p->source, sample.event, &event);
		if (!i || sample.pid != last.pid)
			write_track(p, &sample, false);
		if (!i || sample.pid != last.pid || sample.tid != last.tid)
			write_track(p, &sample, true);
		for (uint64_t n = 0; event.is_trace && n < sample.samples; n++)
			write_instant(p, &sample, &event);
		last = sample;
	}
}

/* --- samples ------------------------------------------------------------------------------------ */

static void add_string(struct perfetto *p, unsigned field, uint64_t iid, const char *text)
{
	protobuf_number(&p->small, STRING_IID, iid);
	protobuf_text(&p->small, STRING_STR, text);
	protobuf_part(&p->interned, field, &p->small);
}

static void add_module(struct perfetto *p, uint32_t i)
{
	struct export_module module;
	struct str id = STR_INIT;

	if (p->has_module[i])
		return;
	p->has_module[i] = true;
	p->source->module(p->source, i, &module);
	for (unsigned b = 0; b < module.build_id_size; b++)
		str_add_hex(&id, module.build_id[b], 2, '0');
	add_string(p, INTERNED_PATHS, i + 1, module.path);
	add_string(p, INTERNED_BUILD_IDS, i + 1, id.p);
	protobuf_number(&p->small, MAPPING_IID, i + 1);
	protobuf_number(&p->small, MAPPING_BUILD_ID, i + 1);
	protobuf_number(&p->small, MAPPING_PATH, i + 1);
	protobuf_part(&p->interned, INTERNED_MAPPINGS, &p->small);
	str_release(&id);
}

static void add_frame(struct perfetto *p, uint32_t i)
{
	struct export_frame frame;

	if (p->has_frame[i])
		return;
	p->has_frame[i] = true;
	p->source->frame(p->source, i, &frame);
	if (frame.module != EXPORT_NONE)
		add_module(p, frame.module);
	add_string(p, INTERNED_FUNCTIONS, i + 1, frame.name);
	protobuf_number(&p->small, FRAME_IID, i + 1);
	protobuf_number(&p->small, FRAME_FUNCTION, i + 1);
	if (frame.module != EXPORT_NONE) {
		protobuf_number(&p->small, FRAME_MAPPING, frame.module + 1);
		/* a frame in a mapping must have a place in it, be it 0 */
		protobuf_field(&p->small, FRAME_REL_PC, frame.elf_addr);
	}
	protobuf_part(&p->interned, INTERNED_FRAMES, &p->small);
}

/* The number of the sample's stack in this sequence. */
static uint64_t stack_of(struct perfetto *p, const struct export_sample *sample)
{
	uint64_t hash = hash_bytes(sample->frames, sample->nr_frames * sizeof(*sample->frames)), *iid;
	bool added;

	iid = map64_put(&p->stacks, hash, &added);
	if (!added)
		return *iid;
	*iid = p->stacks.nr;
	for (uint32_t i = 0; i < sample->nr_frames; i++)
		add_frame(p, sample->frames[i]);
	protobuf_number(&p->small, STACK_IID, *iid);
	for (uint32_t i = sample->nr_frames; i-- > 0;)
		protobuf_number(&p->small, STACK_FRAMES, (uint64_t)sample->frames[i] + 1);
	protobuf_part(&p->interned, INTERNED_STACKS, &p->small);
	return *iid;
}

static void write_sample(struct perfetto *p, const struct export_sample *sample, uint64_t sequence)
{
	struct export_frame leaf;
	uint64_t stack = stack_of(p, sample);

	p->source->frame(p->source, sample->frames[0], &leaf);
	for (uint64_t n = 0; n < sample->samples; n++) {
		protobuf_number(&p->packet, PACKET_TIMESTAMP, sample->time_ns);
		if (p->interned.len)
			protobuf_part(&p->packet, PACKET_INTERNED, &p->interned);
		if (sample->cpu != EXPORT_NONE)
			protobuf_field(&p->piece, SAMPLE_CPU, sample->cpu);
		protobuf_field(&p->piece, SAMPLE_PID, id_of(sample->pid));
		protobuf_field(&p->piece, SAMPLE_TID, id_of(sample->tid));
		protobuf_number(&p->piece, SAMPLE_STACK, stack);
		protobuf_number(&p->piece, SAMPLE_MODE, leaf.kind == LABEL_KERNEL ? MODE_KERNEL : MODE_USER);
		protobuf_part(&p->packet, PACKET_PERF_SAMPLE, &p->piece);
		end_packet(p, sequence, FLAG_NEEDS_STATE);
	}
}

static void write_defaults(struct perfetto *p, uint32_t i)
{
	struct export_event event;

	p->source->event(p->source, i, &event);
	protobuf_number(&p->small, TIMEBASE_PERIOD, event.fixed_period);
	protobuf_text(&p->small, TIMEBASE_NAME, event.name);
	protobuf_part(&p->piece, PERF_DEFAULTS_TIMEBASE, &p->small);
	protobuf_part(&p->part, DEFAULTS_PERF_SAMPLE, &p->piece);
	protobuf_part(&p->packet, PACKET_DEFAULTS, &p->part);
	end_packet(p, i + 2, FLAG_CLEARED);
}

static void write_event(struct perfetto *p, uint32_t event)
{
	struct export_sample sample;

	p->has_frame = mem_zalloc(p->source->nr_frames + 1);
	p->has_module = mem_zalloc(p->source->nr_modules + 1);
	write_defaults(p, event);
	for (size_t i = 0; i < p->source->nr_samples; i++) {
		p->source->sample(p->source, i, &sample);
		if (sample.event == event)
			write_sample(p, &sample, event + 2);
	}
	free(p->has_frame);
	free(p->has_module);
	map64_release(&p->stacks);
}

int perfetto_write(const struct export_source *source, FILE *out, struct err *err)
{
	struct perfetto p = { .source = source, .out = out, .packet = STR_INIT, .part = STR_INIT,
			      .piece = STR_INIT, .small = STR_INIT, .interned = STR_INIT };

	write_tasks(&p);
	for (uint32_t i = 0; i < source->nr_events; i++)
		write_event(&p, i);
	str_release(&p.packet);
	str_release(&p.part);
	str_release(&p.piece);
	str_release(&p.small);
	str_release(&p.interned);
	return export_end(out, err);
}
