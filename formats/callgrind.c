/* SPDX-License-Identifier: MIT */
/*
 * callgrind: a call graph with costs, as KCachegrind and callgrind_annotate read it
 * (Valgrind's manual, "Callgrind Format Specification").
 *
 * Stacks become functions with what they cost themselves, and arcs from caller to
 * callee with what was seen below. An arc that a stack has twice, by recursion, is
 * counted once for it; how many calls there were is not known, so each arc says one.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "formats/export.h"

struct arc {
	uint32_t caller, callee;
	uint32_t cost;           /* place in costs, times the number of events */
	size_t last;             /* the sample that it was counted for, plus 1 */
};

struct call_graph {
	const struct export_source *source;
	uint64_t *self;          /* [frame][event] */
	struct arc *arcs;
	uint64_t *costs;         /* [arc][event] */
	uint32_t nr_arcs, cap;
	struct map64 ids;        /* caller and callee -> arc */
};

static struct arc *arc_of(struct call_graph *g, uint32_t caller, uint32_t callee)
{
	uint32_t nr_events = g->source->nr_events;
	uint64_t *id;
	bool added;

	id = map64_put(&g->ids, (uint64_t)caller << 32 | callee, &added);
	if (added) {
		if (g->nr_arcs == g->cap) {
			g->cap = g->cap ? g->cap * 2 : 256;
			g->arcs = mem_realloc_array(g->arcs, g->cap, sizeof(*g->arcs));
			g->costs = mem_realloc_array(g->costs, (size_t)g->cap * nr_events,
						     sizeof(*g->costs));
		}
		g->arcs[g->nr_arcs] = (struct arc){ caller, callee, g->nr_arcs, 0 };
		memset(&g->costs[(size_t)g->nr_arcs * nr_events], 0, nr_events * sizeof(*g->costs));
		*id = g->nr_arcs++;
	}
	return &g->arcs[*id];
}

static void add_sample(struct call_graph *g, size_t nr, const struct export_sample *sample)
{
	uint64_t weight = export_weight(g->source, sample);
	uint32_t nr_events = g->source->nr_events;

	if (!sample->nr_frames)
		return;
	g->self[(size_t)sample->frames[0] * nr_events + sample->event] += weight;
	for (uint32_t i = 0; i + 1 < sample->nr_frames; i++) {
		struct arc *arc = arc_of(g, sample->frames[i + 1], sample->frames[i]);

		if (arc->last == nr + 1)
			continue;
		arc->last = nr + 1;
		g->costs[(size_t)arc->cost * nr_events + sample->event] += weight;
	}
}

static int compare_arcs(const void *a, const void *b)
{
	const struct arc *x = a, *y = b;

	if (x->caller != y->caller)
		return x->caller < y->caller ? -1 : 1;
	return x->callee < y->callee ? -1 : x->callee > y->callee;
}

/* A name ends with its line, and "(1)" at its head would be taken for a number of its own. */
static void add_name(struct str *s, const char *key, const char *name)
{
	struct str safe = STR_INIT;

	str_add_safe(&safe, name && *name ? name : "???");
	str_addf(s, "%s=%s%s\n", key, safe.p[0] == '(' ? " " : "", safe.p);
	str_release(&safe);
}

static void add_place(const struct export_source *source, struct str *s, const char *prefix,
		      uint32_t i, uint32_t *line)
{
	struct export_module module = { "???", NULL, 0 };
	struct export_frame frame;
	char key[8];

	source->frame(source, i, &frame);
	if (frame.module != EXPORT_NONE)
		source->module(source, frame.module, &module);
	snprintf(key, sizeof(key), "%sob", prefix);
	add_name(s, key, module.path);
	/* the callee's file has a key of its own: cfi */
	snprintf(key, sizeof(key), "%s", *prefix ? "cfi" : "fl");
	add_name(s, key, frame.file);
	snprintf(key, sizeof(key), "%sfn", prefix);
	add_name(s, key, frame.name);
	*line = frame.line;
}

static void add_costs(struct str *s, uint32_t line, const uint64_t *costs, uint32_t nr)
{
	str_addf(s, "%" PRIu32, line);
	for (uint32_t i = 0; i < nr; i++)
		str_addf(s, " %" PRIu64, costs[i]);
	str_addc(s, '\n');
}

static void write_function(struct call_graph *g, uint32_t frame, uint32_t *arc, struct str *s)
{
	uint32_t nr = g->source->nr_events, line, callee_line;

	add_place(g->source, s, "", frame, &line);
	add_costs(s, line, &g->self[(size_t)frame * nr], nr);
	for (; *arc < g->nr_arcs && g->arcs[*arc].caller == frame; ++*arc) {
		add_place(g->source, s, "c", g->arcs[*arc].callee, &callee_line);
		str_addf(s, "calls=1 %" PRIu32 "\n", callee_line);
		add_costs(s, line, &g->costs[(size_t)g->arcs[*arc].cost * nr], nr);
	}
	str_addc(s, '\n');
}

static void add_head(const struct export_source *source, struct str *s)
{
	struct export_event event;

	str_add(s, "# callgrind format\nversion: 1\ncreator: sonde\ncmd: ");
	str_add_safe(s, source->title);
	str_add(s, "\npositions: line\nevents:");
	for (uint32_t i = 0; i < source->nr_events; i++) {
		source->event(source, i, &event);
		str_addc(s, ' ');
		for (const char *p = event.name; *p; p++)
			str_addc(s, (unsigned char)*p <= ' ' || *p == '=' || *p == ',' ? '_' : *p);
	}
	str_addc(s, '\n');
}

int callgrind_write(const struct export_source *source, FILE *out, struct err *err)
{
	size_t cells = (size_t)source->nr_frames * source->nr_events;
	struct call_graph g = { .source = source };
	struct str s = STR_INIT;
	uint64_t *totals;
	uint32_t arc = 0;

	g.self = mem_zalloc((cells + 1) * sizeof(*g.self));
	totals = mem_zalloc((source->nr_events + 1) * sizeof(*totals));
	for (size_t i = 0; i < source->nr_samples; i++) {
		struct export_sample sample;

		source->sample(source, i, &sample);
		add_sample(&g, i, &sample);
		totals[sample.event] += export_weight(source, &sample);
	}
	if (g.nr_arcs)
		qsort(g.arcs, g.nr_arcs, sizeof(*g.arcs), compare_arcs);
	add_head(source, &s);
	str_add(&s, "summary:");
	for (uint32_t i = 0; i < source->nr_events; i++)
		str_addf(&s, " %" PRIu64, totals[i]);
	str_add(&s, "\n\n");
	for (uint32_t i = 0; i < source->nr_frames; i++) {
		fwrite(s.p, 1, s.len, out);
		str_clear(&s);
		write_function(&g, i, &arc, &s);
	}
	fwrite(s.p, 1, s.len, out);
	str_release(&s);
	free(totals);
	free(g.self);
	free(g.arcs);
	free(g.costs);
	map64_release(&g.ids);
	return export_end(out, err);
}
