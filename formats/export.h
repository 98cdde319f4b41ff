/* SPDX-License-Identifier: MIT */
/*
 * export: a profile as files that other viewers open.
 *
 * The writers here know nothing of recordings: they are given an export_source, which
 * hands out events, frames and samples one after the other, and write as they go. No
 * writer keeps the profile; what one keeps (texts it has numbered, arcs of a call
 * graph) grows with distinct functions, not with samples.
 *
 *	writer       form                          for
 *	pprof        profile.proto, gzip           go tool pprof, Grafana Pyroscope, Parca
 *	speedscope   JSON                          speedscope.app
 *	callgrind    text                          KCachegrind, callgrind_annotate
 *	json         JSON of our own, version 1    programs; see doc/sonde-export.md
 *	csv          a line for each stack         spreadsheets
 *	firefox      JSON, processed profile       profiler.firefox.com
 *	chrome       JSON, trace events            chrome://tracing
 *	perfetto     Trace, protobuf               ui.perfetto.dev, trace_processor
 *
 * The last three have a place in time for each sample: the source must have times.
 *
 * All return 0, or a negative errno when `out` has failed; the total of all samples is
 * the same in each.
 */
#ifndef FORMATS_EXPORT_H
#define FORMATS_EXPORT_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"
#include "formats/folded.h"

#define EXPORT_NONE UINT32_MAX

struct export_event {
	const char *name;
	const char *unit;                /* of its period: "nanoseconds", "count", ... */
	uint64_t fixed_period;           /* 0: it was sampled by frequency */
	bool is_trace;                   /* a tracepoint: what it tells is the sample's trace */
};

struct export_module {
	const char *path;
	const uint8_t *build_id;
	uint8_t build_id_size;
};

struct export_frame {
	const char *name;                /* never NULL */
	const char *file;                /* source file, or NULL */
	uint32_t line;                   /* 0: not known */
	uint32_t module;                 /* EXPORT_NONE: in no mapping */
	uint64_t elf_addr, bytes;        /* of the function in its file; bytes 0: not known */
	enum label_kind kind;
};

/* How often one stack was seen in one task. */
struct export_sample {
	const uint32_t *frames;          /* leaf first */
	uint32_t nr_frames;
	uint32_t stack;                  /* below nr_stacks: the same frames; of a source with times */
	uint32_t event;
	const char *comm;                /* NULL: not kept apart */
	uint32_t pid, tid, cpu;          /* EXPORT_NONE: not kept apart */
	uint32_t bucket;                 /* of time, from 0; 0 where times are not kept apart */
	uint32_t file;                   /* of a comparison: 0 or 1; else 0 */
	uint64_t samples, period;
	uint64_t time_ns;                /* on the recording's clock; 0 where the source has no times */
	const char *trace;               /* a tracepoint's fields as text, or NULL */
};

/*
 * Indices run from 0. Strings and arrays that are handed out live as long as the source;
 * frame and sample are filled anew by each call.
 */
struct export_source {
	const void *of;
	uint32_t nr_events, nr_modules, nr_frames, nr_stacks;
	size_t nr_samples;
	void (*event)(const struct export_source *s, uint32_t i, struct export_event *out);
	void (*module)(const struct export_source *s, uint32_t i, struct export_module *out);
	void (*frame)(const struct export_source *s, uint32_t i, struct export_frame *out);
	void (*sample)(const struct export_source *s, size_t i, struct export_sample *out);
	const char *title;               /* "perf record ... on host"; never NULL */
	uint64_t started_ns, lasted_ns;  /* Unix time, duration; 0: not known */
	uint64_t first_ns;               /* of the samples, on the recording's clock */
	bool has_times;                  /* then the samples are in order of pid, tid and time */
	uint64_t lost;                   /* samples that the recorder lost */
	enum stack_value value;          /* what is weighed where a format has one number */
};

int pprof_write(const struct export_source *source, FILE *out, struct err *err);
int speedscope_write(const struct export_source *source, FILE *out, struct err *err);
int callgrind_write(const struct export_source *source, FILE *out, struct err *err);
int export_json_write(const struct export_source *source, FILE *out, struct err *err);
int export_csv_write(const struct export_source *source, FILE *out, struct err *err);
int firefox_write(const struct export_source *source, FILE *out, struct err *err);
int chrome_trace_write(const struct export_source *source, FILE *out, struct err *err);
int perfetto_write(const struct export_source *source, FILE *out, struct err *err);

/* The samples' or the periods' number of one, as the source's value says. */
static inline uint64_t export_weight(const struct export_source *source,
				     const struct export_sample *sample)
{
	return source->value == STACK_PERIOD ? sample->period : sample->samples;
}

/* Flush `out` and say what became of it. */
int export_end(FILE *out, struct err *err);

/* Append "text" with its quotes, escaped for JSON; null for NULL. */
void export_add_json(struct str *s, const char *text);

#endif
