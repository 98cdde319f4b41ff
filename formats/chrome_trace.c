/* SPDX-License-Identifier: MIT */
/*
 * chrome_trace: samples in Chrome's JSON of trace events ("Trace Event Format", the document
 * of chrome://tracing): `samples` with a weight and a place in the tree of `stackFrames`,
 * and in traceEvents the names of tasks (M) and an instant (i) for each tracepoint.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "formats/export.h"

struct chrome {
	const struct export_source *source;
	FILE *out;
	struct str s;
	struct stack_tree tree;          /* labels: frames */
	uint32_t *nodes;                 /* [stack of the source], 0: not asked for yet */
	bool first;
};

static void put(struct chrome *c)
{
	fwrite(c->s.p, 1, c->s.len, c->out);
	str_clear(&c->s);
}

static void next(struct chrome *c, const char *text)
{
	str_add(&c->s, c->first ? "\n" : ",\n");
	str_add(&c->s, text);
	c->first = false;
}

static int id_of(uint32_t id)
{
	return id == EXPORT_NONE ? 0 : (int)id;
}

/* Microseconds, with what is below them behind a point. */
static void add_time(struct chrome *c, uint64_t ns)
{
	uint64_t from = c->source->first_ns;

	ns = ns > from ? ns - from : 0;
	str_addf(&c->s, "%" PRIu64 ".%03u", ns / 1000, (unsigned)(ns % 1000));
}

/* The place of a sample's stack in the tree. */
static uint32_t node_of(struct chrome *c, const struct export_sample *sample)
{
	uint32_t *known = &c->nodes[sample->stack], node = STACK_TREE_ROOT;

	if (*known)
		return *known;
	for (uint32_t f = sample->nr_frames; f-- > 0;)
		node = stack_tree_child(&c->tree, node, sample->frames[f]);
	*known = node;
	return node;
}

static void name_task(struct chrome *c, const struct export_sample *sample, const char *what)
{
	next(c, "{\"ph\":\"M\",\"name\":");
	str_addf(&c->s, "\"%s\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":", what, id_of(sample->pid),
		 id_of(sample->tid));
	export_add_json(&c->s, sample->comm ? sample->comm : "");
	str_add(&c->s, "}}");
}

static void add_instant(struct chrome *c, const struct export_sample *sample,
			const struct export_event *event, uint32_t node)
{
	next(c, "{\"ph\":\"i\",\"s\":\"t\",\"cat\":\"tracepoint\",\"name\":");
	export_add_json(&c->s, event->name);
	str_addf(&c->s, ",\"pid\":%d,\"tid\":%d,\"ts\":", id_of(sample->pid), id_of(sample->tid));
	add_time(c, sample->time_ns);
	str_addf(&c->s, ",\"sf\":%" PRIu32 ",\"args\":{\"fields\":", node);
	export_add_json(&c->s, sample->trace ? sample->trace : "");
	str_add(&c->s, "}}");
}

static void write_events(struct chrome *c)
{
	struct export_sample sample, last = { .pid = EXPORT_NONE, .tid = EXPORT_NONE };
	struct export_event event;

	for (size_t i = 0; i < c->source->nr_samples; i++) {
		c->source->sample(c->source, i, &sample);
		c->source->event(c->source, sample.event, &event);
		if (!i || sample.pid != last.pid)
			name_task(c, &sample, "process_name");
		if (!i || sample.pid != last.pid || sample.tid != last.tid)
			name_task(c, &sample, "thread_name");
		for (uint64_t n = 0; event.is_trace && n < sample.samples; n++)
			add_instant(c, &sample, &event, node_of(c, &sample));
		last = sample;
		put(c);
	}
}

static void write_frames(struct chrome *c)
{
	c->first = true;
	for (uint32_t i = 1; i < c->tree.nr; i++) {
		struct export_module module = { "", NULL, 0 };
		struct export_frame frame;

		c->source->frame(c->source, c->tree.nodes[i].label, &frame);
		if (frame.module != EXPORT_NONE)
			c->source->module(c->source, frame.module, &module);
		next(c, "");
		str_addf(&c->s, "\"%" PRIu32 "\":{\"name\":", i);
		export_add_json(&c->s, frame.name);
		str_add(&c->s, ",\"category\":");
		export_add_json(&c->s, module.path);
		if (c->tree.nodes[i].parent != STACK_TREE_ROOT)
			str_addf(&c->s, ",\"parent\":%" PRIu32, c->tree.nodes[i].parent);
		str_addc(&c->s, '}');
		put(c);
	}
}

static void write_samples(struct chrome *c)
{
	struct export_sample sample;
	struct export_event event;

	c->first = true;
	for (size_t i = 0; i < c->source->nr_samples; i++) {
		c->source->sample(c->source, i, &sample);
		c->source->event(c->source, sample.event, &event);
		next(c, "{\"name\":");
		export_add_json(&c->s, event.name);
		str_addf(&c->s, ",\"cpu\":%d,\"tid\":%d,\"ts\":", id_of(sample.cpu), id_of(sample.tid));
		add_time(c, sample.time_ns);
		str_addf(&c->s, ",\"sf\":%" PRIu32 ",\"weight\":%" PRIu64 "}", node_of(c, &sample),
			 export_weight(c->source, &sample));
		put(c);
	}
}

int chrome_trace_write(const struct export_source *source, FILE *out, struct err *err)
{
	struct chrome c = { .source = source, .out = out, .s = STR_INIT, .first = true };

	stack_tree_init(&c.tree);
	c.nodes = mem_zalloc(((size_t)source->nr_stacks + 1) * sizeof(*c.nodes));
	str_add(&c.s, "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"title\":");
	export_add_json(&c.s, source->title);
	str_add(&c.s, "},\n\"traceEvents\":[");
	write_events(&c);
	str_add(&c.s, "],\n\"samples\":[");
	write_samples(&c);
	/* those of all samples are known by now */
	str_add(&c.s, "],\n\"stackFrames\":{");
	write_frames(&c);
	str_add(&c.s, "}}\n");
	put(&c);
	stack_tree_release(&c.tree);
	free(c.nodes);
	str_release(&c.s);
	return export_end(out, err);
}
