/* SPDX-License-Identifier: MIT */
/* Speedscope's JSON, JSON of our own and CSV: text from the first sample to the last. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "formats/export.h"

int export_end(FILE *out, struct err *err)
{
	int failure;

	errno = 0;
	if (fflush(out) == 0 && !ferror(out))
		return 0;
	failure = errno ? errno : EIO;
	return err_set(err, failure, "cannot write: %s", strerror(failure));
}

void export_add_json(struct str *s, const char *text)
{
	if (!text) {
		str_add(s, "null");
		return;
	}
	str_addc(s, '"');
	str_add_json(s, text);
	str_addc(s, '"');
}

static void put(struct str *s, FILE *out)
{
	fwrite(s->p, 1, s->len, out);
	str_clear(s);
}

static void add_id(struct str *s, uint32_t id)
{
	if (id == EXPORT_NONE)
		str_add(s, "null");
	else
		str_add_dec(s, id, 0, ' ');
}

static void put_stack(struct str *s, const struct export_sample *sample, FILE *out)
{
	str_addc(s, '[');
	for (uint32_t i = sample->nr_frames; i-- > 0;) {
		str_add_dec(s, sample->frames[i], 0, ' ');
		if (i)
			str_addc(s, ',');
	}
	str_addc(s, ']');
	put(s, out);
}

/* --- speedscope ------------------------------------------------------------------------- */

/*
 * The form: https://www.speedscope.app/file-format-schema.json. A profile for each
 * event, "sampled": stacks as lists of frame numbers, root first, and their weights.
 * Time is not kept: equal stacks stand together, which the "left heavy" view shows anyway.
 */
static uint64_t speedscope_event(const struct export_source *source, uint32_t event, bool weights,
				 struct str *s, FILE *out)
{
	struct export_sample sample;
	uint64_t total = 0;
	bool first = true;

	for (size_t i = 0; i < source->nr_samples; i++) {
		source->sample(source, i, &sample);
		if (sample.event != event)
			continue;
		if (!first)
			str_addc(s, ',');
		first = false;
		if (weights)
			str_add_dec(s, export_weight(source, &sample), 0, ' ');
		else
			put_stack(s, &sample, out);
		total += export_weight(source, &sample);
	}
	put(s, out);
	return total;
}

static const char *speedscope_unit(const struct export_source *source,
				   const struct export_event *event)
{
	return source->value == STACK_PERIOD && strcmp(event->unit, "nanoseconds") == 0 ?
	       "nanoseconds" : "none";
}

static bool has_samples(const struct export_source *source, uint32_t event)
{
	struct export_sample sample;

	for (size_t i = 0; i < source->nr_samples; i++) {
		source->sample(source, i, &sample);
		if (sample.event == event)
			return true;
	}
	return false;
}

static void speedscope_frames(const struct export_source *source, struct str *s, FILE *out)
{
	struct export_frame frame;

	for (uint32_t i = 0; i < source->nr_frames; i++) {
		source->frame(source, i, &frame);
		str_add(s, i ? ",\n{\"name\":" : "\n{\"name\":");
		export_add_json(s, frame.name);
		if (frame.file) {
			str_add(s, ",\"file\":");
			export_add_json(s, frame.file);
			if (frame.line)
				str_addf(s, ",\"line\":%" PRIu32, frame.line);
		}
		str_addc(s, '}');
		put(s, out);
	}
}

int speedscope_write(const struct export_source *source, FILE *out, struct err *err)
{
	struct str s = STR_INIT;
	bool first = true;

	str_add(&s, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n\"name\":");
	export_add_json(&s, source->title);
	str_add(&s, ",\"exporter\":\"sonde\",\"activeProfileIndex\":0,\n\"shared\":{\"frames\":[");
	speedscope_frames(source, &s, out);
	str_add(&s, "]},\n\"profiles\":[");
	for (uint32_t i = 0; i < source->nr_events; i++) {
		struct export_event event;
		uint64_t total;

		/* one profile at least: viewers refuse a file without any */
		if (!has_samples(source, i) && !(first && i + 1 == source->nr_events))
			continue;
		source->event(source, i, &event);
		str_add(&s, first ? "\n{\"type\":\"sampled\",\"name\":" : ",\n{\"type\":\"sampled\",\"name\":");
		first = false;
		export_add_json(&s, event.name);
		str_addf(&s, ",\"unit\":\"%s\",\"samples\":[", speedscope_unit(source, &event));
		put(&s, out);
		speedscope_event(source, i, false, &s, out);
		str_add(&s, "],\n\"weights\":[");
		total = speedscope_event(source, i, true, &s, out);
		str_addf(&s, "],\"startValue\":0,\"endValue\":%" PRIu64 "}", total);
	}
	str_add(&s, "]}\n");
	put(&s, out);
	str_release(&s);
	return export_end(out, err);
}

/* --- our own ------------------------------------------------------------------------------ */

static const char *kind_text(enum label_kind kind)
{
	switch (kind) {
	case LABEL_KERNEL: return "kernel";
	case LABEL_INLINE: return "inlined";
	case LABEL_JIT: return "jit";
	case LABEL_UNNAMED: return "unnamed";
	default: return "user";
	}
}

static void json_events(const struct export_source *source, struct str *s)
{
	struct export_event event;

	for (uint32_t i = 0; i < source->nr_events; i++) {
		source->event(source, i, &event);
		str_add(s, i ? ",\n{\"name\":" : "\n{\"name\":");
		export_add_json(s, event.name);
		str_add(s, ",\"unit\":");
		export_add_json(s, event.unit);
		if (event.fixed_period)
			str_addf(s, ",\"fixed_period\":%" PRIu64, event.fixed_period);
		str_addc(s, '}');
	}
}

static void json_modules(const struct export_source *source, struct str *s)
{
	struct export_module module;

	for (uint32_t i = 0; i < source->nr_modules; i++) {
		source->module(source, i, &module);
		str_add(s, i ? ",\n{\"path\":" : "\n{\"path\":");
		export_add_json(s, module.path);
		if (module.build_id_size) {
			str_add(s, ",\"build_id\":\"");
			for (unsigned b = 0; b < module.build_id_size; b++)
				str_add_hex(s, module.build_id[b], 2, '0');
			str_addc(s, '"');
		}
		str_addc(s, '}');
	}
}

static void json_frame(const struct export_frame *frame, struct str *s)
{
	str_add(s, "{\"name\":");
	export_add_json(s, frame->name);
	str_add(s, ",\"module\":");
	add_id(s, frame->module);
	str_addf(s, ",\"kind\":\"%s\"", kind_text(frame->kind));
	if (frame->file) {
		str_add(s, ",\"file\":");
		export_add_json(s, frame->file);
		str_addf(s, ",\"line\":%" PRIu32, frame->line);
	}
	str_addc(s, '}');
}

static void json_sample(const struct export_sample *sample, struct str *s, FILE *out)
{
	str_addf(s, "{\"event\":%" PRIu32 ",\"samples\":%" PRIu64 ",\"period\":%" PRIu64,
		 sample->event, sample->samples, sample->period);
	if (sample->comm) {
		str_add(s, ",\"comm\":");
		export_add_json(s, sample->comm);
	}
	if (sample->pid != EXPORT_NONE)
		str_addf(s, ",\"pid\":%d", (int)sample->pid);
	if (sample->tid != EXPORT_NONE)
		str_addf(s, ",\"tid\":%d", (int)sample->tid);
	if (sample->cpu != EXPORT_NONE)
		str_addf(s, ",\"cpu\":%" PRIu32, sample->cpu);
	str_add(s, ",\"stack\":");
	put_stack(s, sample, out);
	str_addc(s, '}');
}

int export_json_write(const struct export_source *source, FILE *out, struct err *err)
{
	struct str s = STR_INIT;

	str_add(&s, "{\"schema\":\"sonde-profile\",\"version\":1,\n\"title\":");
	export_add_json(&s, source->title);
	str_addf(&s, ",\"started_ns\":%" PRIu64 ",\"lasted_ns\":%" PRIu64 ",\"lost\":%" PRIu64
		 ",\n\"events\":[", source->started_ns, source->lasted_ns, source->lost);
	json_events(source, &s);
	str_add(&s, "],\n\"modules\":[");
	json_modules(source, &s);
	str_add(&s, "],\n\"frames\":[");
	for (uint32_t i = 0; i < source->nr_frames; i++) {
		struct export_frame frame;

		source->frame(source, i, &frame);
		str_add(&s, i ? ",\n" : "\n");
		json_frame(&frame, &s);
		put(&s, out);
	}
	str_add(&s, "],\n\"samples\":[");
	for (size_t i = 0; i < source->nr_samples; i++) {
		struct export_sample sample;

		source->sample(source, i, &sample);
		str_add(&s, i ? ",\n" : "\n");
		json_sample(&sample, &s, out);
	}
	str_add(&s, "]}\n");
	put(&s, out);
	str_release(&s);
	return export_end(out, err);
}

/* --- CSV: RFC 4180 ------------------------------------------------------------------------ */

static void csv_id(struct str *s, uint32_t id)
{
	if (id != EXPORT_NONE)
		str_addf(s, "%d", (int)id);
	str_addc(s, ',');
}

static void csv_stack(const struct export_source *source, const struct export_sample *sample,
		      struct str *s)
{
	struct str stack = STR_INIT;
	struct export_frame frame;

	for (uint32_t i = sample->nr_frames; i-- > 0;) {
		size_t at = stack.len;

		source->frame(source, sample->frames[i], &frame);
		str_add(&stack, frame.name);
		for (; at < stack.len; at++)
			if (stack.p[at] == ';')
				stack.p[at] = ':';
		if (i)
			str_addc(&stack, ';');
	}
	str_add_csv(s, stack.p);
	str_release(&stack);
}

int export_csv_write(const struct export_source *source, FILE *out, struct err *err)
{
	struct str s = STR_INIT;

	fputs("event,comm,pid,tid,cpu,samples,period,stack\r\n", out);
	for (size_t i = 0; i < source->nr_samples; i++) {
		struct export_sample sample;
		struct export_event event;

		source->sample(source, i, &sample);
		source->event(source, sample.event, &event);
		str_add_csv(&s, event.name);
		str_addc(&s, ',');
		if (sample.comm)
			str_add_csv(&s, sample.comm);
		str_addc(&s, ',');
		csv_id(&s, sample.pid);
		csv_id(&s, sample.tid);
		csv_id(&s, sample.cpu);
		str_addf(&s, "%" PRIu64 ",%" PRIu64 ",", sample.samples, sample.period);
		csv_stack(source, &sample, &s);
		str_add(&s, "\r\n");
		put(&s, out);
	}
	str_release(&s);
	return export_end(out, err);
}
