/* SPDX-License-Identifier: MIT */
/*
 * firefox: the Firefox Profiler's processed profile, version 48 (firefox-devtools/profiler:
 * docs-developer/CHANGELOG-formats.md, src/types/profile.js).
 *
 * A thread of the profile is a thread of the recording, with tables of its own: strings,
 * functions, frames (here one for each function) and the tree of stacks. The samples are
 * those of the first event; what another event's samples and tracepoints' tell are markers,
 * each with the stack that led to it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "formats/export.h"

enum category { CATEGORY_OTHER, CATEGORY_USER, CATEGORY_KERNEL, CATEGORY_JIT, CATEGORY_EVENT };

struct firefox {
	const struct export_source *source;
	FILE *out;
	struct str s;
	/* of the thread that is being written */
	struct intern strings;
	struct stack_tree tree;          /* labels: places in frames */
	uint32_t *nodes;                 /* [stack of the source]: node in tree, 0: not of the thread */
	VEC(uint32_t) stacks;            /* those of the thread */
	uint32_t *places;                /* [frame of the source]: place in frames + 1 */
	VEC(uint32_t) frames;
	VEC(uint32_t) modules;           /* resources */
};

static void put(struct firefox *f)
{
	fwrite(f->s.p, 1, f->s.len, f->out);
	str_clear(&f->s);
}

/* Milliseconds, with what is below them behind a point. */
static void add_ms(struct str *s, uint64_t ns)
{
	str_addf(s, "%" PRIu64 ".%06u", ns / 1000000, (unsigned)(ns % 1000000));
}

static void add_time(struct firefox *f, const struct export_sample *sample)
{
	uint64_t from = f->source->first_ns;

	add_ms(&f->s, sample->time_ns > from ? sample->time_ns - from : 0);
}

static bool is_marker(const struct firefox *f, const struct export_sample *sample)
{
	struct export_event event;

	f->source->event(f->source, sample->event, &event);
	return sample->event || event.is_trace;
}

static enum category category_of(enum label_kind kind)
{
	switch (kind) {
	case LABEL_KERNEL: return CATEGORY_KERNEL;
	case LABEL_JIT: return CATEGORY_JIT;
	case LABEL_UNNAMED: return CATEGORY_OTHER;
	default: return CATEGORY_USER;
	}
}

/* --- what all threads share --------------------------------------------------------------------- */

/* As symbol servers have it: the first 16 bytes as a GUID, whose first fields are little-endian. */
static void add_breakpad_id(struct str *s, const struct export_module *module)
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	for (unsigned i = 0; i < 16; i++) {
		uint8_t byte = order[i] < module->build_id_size ? module->build_id[order[i]] : 0;

		str_addf(s, "%02X", byte);
	}
	str_addc(s, '0');
}

static void write_libs(struct firefox *f)
{
	struct export_module module;

	for (uint32_t i = 0; i < f->source->nr_modules; i++) {
		const char *name;

		f->source->module(f->source, i, &module);
		name = strrchr(module.path, '/');
		name = name && name[1] ? name + 1 : module.path;
		str_add(&f->s, i ? ",\n{\"arch\":\"\",\"name\":" : "\n{\"arch\":\"\",\"name\":");
		export_add_json(&f->s, name);
		str_add(&f->s, ",\"debugName\":");
		export_add_json(&f->s, name);
		str_add(&f->s, ",\"path\":");
		export_add_json(&f->s, module.path);
		str_add(&f->s, ",\"debugPath\":");
		export_add_json(&f->s, module.path);
		str_add(&f->s, ",\"breakpadId\":\"");
		add_breakpad_id(&f->s, &module);
		str_add(&f->s, "\",\"codeId\":");
		str_add(&f->s, module.build_id_size ? "\"" : "null}");
		for (unsigned b = 0; b < module.build_id_size; b++)
			str_add_hex(&f->s, module.build_id[b], 2, '0');
		if (module.build_id_size)
			str_add(&f->s, "\"}");
		put(f);
	}
}

static void write_meta(struct firefox *f)
{
	const struct export_source *source = f->source;
	struct export_event event = { .name = "", .unit = "" };

	if (source->nr_events)
		source->event(source, 0, &event);
	str_add(&f->s, "{\"meta\":{\"interval\":");
	if (event.fixed_period && strcmp(event.unit, "nanoseconds") == 0)
		add_ms(&f->s, event.fixed_period);
	else
		str_addc(&f->s, '1');
	str_add(&f->s, ",\"startTime\":");
	add_ms(&f->s, source->started_ns);
	str_add(&f->s, ",\"processType\":0,\"stackwalk\":1,\"debug\":false,\"version\":29,"
		"\"preprocessedProfileVersion\":48,\"symbolicated\":true,\"platform\":\"Linux\",\"product\":");
	export_add_json(&f->s, source->title);
	str_add(&f->s, ",\"importedFrom\":\"sonde\",\"categories\":["
		"{\"name\":\"Other\",\"color\":\"grey\",\"subcategories\":[\"Other\"]},"
		"{\"name\":\"User\",\"color\":\"yellow\",\"subcategories\":[\"Other\"]},"
		"{\"name\":\"Kernel\",\"color\":\"orange\",\"subcategories\":[\"Other\"]},"
		"{\"name\":\"JIT\",\"color\":\"green\",\"subcategories\":[\"Other\"]},"
		"{\"name\":\"Events\",\"color\":\"lightblue\",\"subcategories\":[\"Other\"]}],\n"
		"\"markerSchema\":[{\"name\":\"event\",\"display\":[\"marker-chart\",\"marker-table\"],"
		"\"tooltipLabel\":\"{marker.name}\",\"tableLabel\":\"{marker.data.fields}\","
		"\"chartLabel\":\"{marker.data.fields}\",\"data\":[{\"key\":\"fields\",\"label\":\"Fields\","
		"\"format\":\"string\",\"searchable\":true}]}]},\n\"libs\":[");
	put(f);
	write_libs(f);
	str_add(&f->s, "],\n\"pages\":[],\"threads\":[");
	put(f);
}

/* --- a thread's tables --------------------------------------------------------------------------- */

static uint32_t place_of(struct firefox *f, uint32_t frame)
{
	if (!f->places[frame]) {
		*vec_push(&f->frames) = frame;
		f->places[frame] = (uint32_t)f->frames.nr;
	}
	return f->places[frame] - 1;
}

/* The thread's tables; of a stack the place in stackTable. */
static void lay(struct firefox *f, size_t from, size_t to)
{
	struct export_sample sample;

	for (size_t i = from; i < to; i++) {
		uint32_t node = STACK_TREE_ROOT;

		f->source->sample(f->source, i, &sample);
		if (f->nodes[sample.stack])
			continue;
		for (uint32_t k = sample.nr_frames; k-- > 0;)
			node = stack_tree_child(&f->tree, node, place_of(f, sample.frames[k]));
		f->nodes[sample.stack] = node;
		*vec_push(&f->stacks) = sample.stack;
	}
}

/* "KEY":[v,v,...] of nr values that add() appends one by one. */
static void column(struct firefox *f, const char *key, size_t nr,
		   void (*add)(struct firefox *f, uint32_t i))
{
	str_addf(&f->s, ",\"%s\":[", key);
	for (size_t i = 0; i < nr; i++) {
		if (i)
			str_addc(&f->s, ',');
		add(f, (uint32_t)i);
		if (f->s.len > 32 * 1024)
			put(f);
	}
	str_addc(&f->s, ']');
}

static struct export_frame frame_at(const struct firefox *f, uint32_t place)
{
	struct export_frame frame;

	f->source->frame(f->source, f->frames.v[place], &frame);
	return frame;
}

static void add_null(struct firefox *f, uint32_t i) { (void)i; str_add(&f->s, "null"); }
static void add_false(struct firefox *f, uint32_t i) { (void)i; str_add(&f->s, "false"); }
static void add_zero(struct firefox *f, uint32_t i) { (void)i; str_addc(&f->s, '0'); }
static void add_minus_one(struct firefox *f, uint32_t i) { (void)i; str_add(&f->s, "-1"); }
static void add_self(struct firefox *f, uint32_t i) { str_add_dec(&f->s, i, 0, ' '); }
static void add_string(struct firefox *f, const char *text) { str_add_dec(&f->s, intern_id(&f->strings, text), 0, ' '); }

static void add_category(struct firefox *f, uint32_t i)
{
	str_add_dec(&f->s, category_of(frame_at(f, i).kind), 0, ' ');
}

static void add_name(struct firefox *f, uint32_t i)
{
	add_string(f, frame_at(f, i).name);
}

static void add_file(struct firefox *f, uint32_t i)
{
	struct export_frame frame = frame_at(f, i);

	if (frame.file)
		add_string(f, frame.file);
	else
		str_add(&f->s, "null");
}

static void add_line(struct firefox *f, uint32_t i)
{
	struct export_frame frame = frame_at(f, i);

	if (frame.line)
		str_add_dec(&f->s, frame.line, 0, ' ');
	else
		str_add(&f->s, "null");
}

static void add_resource(struct firefox *f, uint32_t i)
{
	struct export_frame frame = frame_at(f, i);
	uint32_t at = 0;

	if (frame.module == EXPORT_NONE) {
		str_add(&f->s, "-1");
		return;
	}
	while (at < f->modules.nr && f->modules.v[at] != frame.module)
		at++;
	if (at == f->modules.nr)
		*vec_push(&f->modules) = frame.module;
	str_add_dec(&f->s, at, 0, ' ');
}

static void add_module(struct firefox *f, uint32_t i)
{
	str_add_dec(&f->s, f->modules.v[i], 0, ' ');
}

static void add_module_name(struct firefox *f, uint32_t i)
{
	struct export_module module;
	const char *name;

	f->source->module(f->source, f->modules.v[i], &module);
	name = strrchr(module.path, '/');
	add_string(f, name && name[1] ? name + 1 : module.path);
}

static void add_library_type(struct firefox *f, uint32_t i) { (void)i; str_addc(&f->s, '1'); }

static void add_prefix(struct firefox *f, uint32_t i)
{
	uint32_t parent = f->tree.nodes[i + 1].parent;

	if (parent == STACK_TREE_ROOT)
		str_add(&f->s, "null");
	else
		str_add_dec(&f->s, parent - 1, 0, ' ');
}

static void add_stack_frame(struct firefox *f, uint32_t i)
{
	str_add_dec(&f->s, f->tree.nodes[i + 1].label, 0, ' ');
}

static void add_stack_category(struct firefox *f, uint32_t i)
{
	add_category(f, f->tree.nodes[i + 1].label);
}

static void write_tables(struct firefox *f)
{
	size_t frames = f->frames.nr, stacks = f->tree.nr - 1;

	str_addf(&f->s, ",\n\"stackTable\":{\"length\":%zu", stacks);
	column(f, "prefix", stacks, add_prefix);
	column(f, "frame", stacks, add_stack_frame);
	column(f, "category", stacks, add_stack_category);
	column(f, "subcategory", stacks, add_zero);
	str_addf(&f->s, "},\n\"frameTable\":{\"length\":%zu", frames);
	column(f, "address", frames, add_minus_one);
	column(f, "inlineDepth", frames, add_zero);
	column(f, "category", frames, add_category);
	column(f, "subcategory", frames, add_zero);
	column(f, "func", frames, add_self);
	column(f, "nativeSymbol", frames, add_null);
	column(f, "innerWindowID", frames, add_null);
	column(f, "implementation", frames, add_null);
	column(f, "line", frames, add_line);
	column(f, "column", frames, add_null);
	str_addf(&f->s, "},\n\"funcTable\":{\"length\":%zu", frames);
	column(f, "name", frames, add_name);
	column(f, "isJS", frames, add_false);
	column(f, "relevantForJS", frames, add_false);
	column(f, "resource", frames, add_resource);
	column(f, "fileName", frames, add_file);
	column(f, "lineNumber", frames, add_null);
	column(f, "columnNumber", frames, add_null);
	str_addf(&f->s, "},\n\"resourceTable\":{\"length\":%zu", f->modules.nr);
	column(f, "lib", f->modules.nr, add_module);
	column(f, "name", f->modules.nr, add_module_name);
	column(f, "host", f->modules.nr, add_null);
	column(f, "type", f->modules.nr, add_library_type);
	str_add(&f->s, "},\n\"nativeSymbols\":{\"length\":0,\"libIndex\":[],\"address\":[],\"name\":[],"
		"\"functionSize\":[]}");
	put(f);
}

/* --- samples and markers --------------------------------------------------------------------------- */

enum cell { CELL_TIME, CELL_STACK, CELL_WEIGHT, CELL_DATA, CELL_NAME, CELL_NULL, CELL_ZERO, CELL_CATEGORY };

static void add_data(struct firefox *f, const struct export_sample *sample, uint32_t stack)
{
	str_addf(&f->s, "{\"type\":\"event\",\"cause\":{\"tid\":%d,\"time\":", (int)sample->tid);
	add_time(f, sample);
	str_addf(&f->s, ",\"stack\":%" PRIu32 "},\"fields\":", stack);
	export_add_json(&f->s, sample->trace ? sample->trace : "");
	str_addc(&f->s, '}');
}

static void add_cell(struct firefox *f, enum cell cell, const struct export_sample *sample, uint32_t stack)
{
	struct export_event event;

	switch (cell) {
	case CELL_TIME: add_time(f, sample); break;
	case CELL_STACK: str_add_dec(&f->s, stack, 0, ' '); break;
	case CELL_WEIGHT: str_add_dec(&f->s, export_weight(f->source, sample), 0, ' '); break;
	case CELL_DATA: add_data(f, sample, stack); break;
	case CELL_NAME:
		f->source->event(f->source, sample->event, &event);
		add_string(f, event.name);
		break;
	case CELL_NULL: str_add(&f->s, "null"); break;
	case CELL_ZERO: str_addc(&f->s, '0'); break;
	case CELL_CATEGORY: str_add_dec(&f->s, CATEGORY_EVENT, 0, ' '); break;
	}
}

/* The samples of the first event, a cell each; or markers, as many as there were samples. */
static void cells(struct firefox *f, const char *key, enum cell cell, bool markers, size_t from, size_t to)
{
	struct export_sample sample;
	bool first = true;

	str_addf(&f->s, ",\"%s\":[", key);
	for (size_t i = from; i < to; i++) {
		f->source->sample(f->source, i, &sample);
		if (markers ? !is_marker(f, &sample) : sample.event != 0)
			continue;
		for (uint64_t n = 0; n < (markers ? sample.samples : 1); n++) {
			if (!first)
				str_addc(&f->s, ',');
			first = false;
			add_cell(f, cell, &sample, f->nodes[sample.stack] - 1);
		}
		put(f);
	}
	str_addc(&f->s, ']');
}

static void write_samples(struct firefox *f, size_t from, size_t to)
{
	struct export_sample sample;
	uint64_t samples = 0, markers = 0;

	for (size_t i = from; i < to; i++) {
		f->source->sample(f->source, i, &sample);
		samples += sample.event == 0;
		markers += is_marker(f, &sample) ? sample.samples : 0;
	}
	str_addf(&f->s, ",\n\"samples\":{\"length\":%" PRIu64 ",\"weightType\":\"samples\"", samples);
	cells(f, "stack", CELL_STACK, false, from, to);
	cells(f, "time", CELL_TIME, false, from, to);
	cells(f, "weight", CELL_WEIGHT, false, from, to);
	str_addf(&f->s, "},\n\"markers\":{\"length\":%" PRIu64, markers);
	cells(f, "name", CELL_NAME, true, from, to);
	cells(f, "startTime", CELL_TIME, true, from, to);
	cells(f, "endTime", CELL_NULL, true, from, to);
	cells(f, "phase", CELL_ZERO, true, from, to);
	cells(f, "category", CELL_CATEGORY, true, from, to);
	cells(f, "data", CELL_DATA, true, from, to);
	str_addc(&f->s, '}');
}

/* --- threads ------------------------------------------------------------------------------------------ */

static void write_head(struct firefox *f, const struct export_sample *first, const struct export_sample *last)
{
	str_add(&f->s, "{\"processType\":\"default\",\"processStartupTime\":0,\"processShutdownTime\":null,"
		"\"registerTime\":0,\"unregisterTime\":null,\"pausedRanges\":[],\"name\":");
	export_add_json(&f->s, last->comm ? last->comm : "");
	str_addf(&f->s, ",\"isMainThread\":%s,\"pid\":\"%d\",\"tid\":%d",
		 first->pid == first->tid ? "true" : "false", (int)first->pid, (int)first->tid);
}

static void add_strings(struct firefox *f, uint32_t i)
{
	export_add_json(&f->s, intern_str(&f->strings, i));
}

static void write_thread(struct firefox *f, size_t from, size_t to)
{
	struct export_sample first, last;

	f->source->sample(f->source, from, &first);
	f->source->sample(f->source, to - 1, &last);
	stack_tree_init(&f->tree);
	intern_init(&f->strings);
	lay(f, from, to);
	write_head(f, &first, &last);
	write_samples(f, from, to);
	write_tables(f);
	column(f, "stringArray", f->strings.nr, add_strings);
	str_addc(&f->s, '}');
	put(f);
	for (size_t i = 0; i < f->frames.nr; i++)
		f->places[f->frames.v[i]] = 0;
	for (size_t i = 0; i < f->stacks.nr; i++)
		f->nodes[f->stacks.v[i]] = 0;
	f->frames.nr = f->modules.nr = f->stacks.nr = 0;
	intern_release(&f->strings);
	stack_tree_release(&f->tree);
}

int firefox_write(const struct export_source *source, FILE *out, struct err *err)
{
	struct firefox f = { .source = source, .out = out, .s = STR_INIT };
	struct export_sample first, sample;
	size_t from = 0;

	f.places = mem_zalloc((source->nr_frames + 1) * sizeof(*f.places));
	f.nodes = mem_zalloc(((size_t)source->nr_stacks + 1) * sizeof(*f.nodes));
	write_meta(&f);
	for (size_t i = 1; i <= source->nr_samples; i++) {
		source->sample(source, from, &first);
		if (i < source->nr_samples) {
			source->sample(source, i, &sample);
			if (sample.pid == first.pid && sample.tid == first.tid)
				continue;
		}
		str_add(&f.s, from ? ",\n" : "\n");
		write_thread(&f, from, i);
		from = i;
	}
	str_add(&f.s, "]}\n");
	put(&f);
	free(f.places);
	free(f.nodes);
	vec_release(&f.stacks);
	vec_release(&f.frames);
	vec_release(&f.modules);
	str_release(&f.s);
	return export_end(out, err);
}
