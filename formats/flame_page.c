/* SPDX-License-Identifier: MIT */
#include "formats/flame_page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "formats/stack_tree.h"

/* The files of formats/page as they are, from the top of the tree, where make runs. */
#define EMBED(name, path)					\
	__asm__(".section .rodata\n"				\
		".global " #name "\n" #name ":\n"		\
		".incbin \"" path "\"\n"			\
		".byte 0\n"					\
		".previous\n");					\
	extern const char name[]

EMBED(flame_page_style, "formats/page/flame.css");
EMBED(flame_page_script, "formats/page/flame.js");
EMBED(flame_page_body, "formats/page/flame.html");

#define MOST_NODES 400000
#define MOST_ROWS 400000
#define LEAST_BUCKETS 100        /* rather than coarser times, CPUs are no longer kept apart */
#define OTHERS " (others)"

static const char *const color_names[] = { "kind", "module", "package", "self", "change" };
static const char *const view_names[] = { "flame", "icicle", "inverted", "table" };

int flame_page_colors_parse(const char *name, enum flame_page_colors *out, struct err *err)
{
	/* a comparison is coloured by change without being asked */
	for (unsigned i = 0; i < FLAME_PAGE_CHANGE; i++) {
		if (strcmp(name, color_names[i]) == 0) {
			*out = (enum flame_page_colors)i;
			return 0;
		}
	}
	return err_set(err, EINVAL, "--colors '%s': a page is coloured by kind, module, package or self; an SVG "
		       "picture (--svg) has kind, hot, mem, io and grey", name);
}

struct row {
	uint32_t node, event, task, cpu, file, bucket;
	uint64_t samples, period;
};

struct page {
	const struct export_source *source;
	const struct flame_page_options *options;
	FILE *out;
	struct stack_tree tree;          /* labels: of boxes */
	struct intern boxes;             /* "NAME\nMODULE\nKIND": what looks alike is one */
	uint32_t *box_of;                /* [frame] */
	struct row *rows;
	size_t nr_rows;
	struct intern strings, tasks, cpus;
	uint32_t nr_buckets;
	uint64_t bucket_ns;
	struct str data;                 /* bytes that base64 has not written yet */
};

/* --- the tree and its rows ---------------------------------------------------------------- */

static uint32_t box_id(struct page *p, const char *name, const char *module, enum label_kind kind)
{
	struct str s = STR_INIT;
	uint32_t id;

	str_addf(&s, "%s\n%s\n%c", name, module, (char)kind);
	id = intern_id(&p->boxes, s.p);
	str_release(&s);
	return id;
}

static void make_boxes(struct page *p)
{
	const struct export_source *source = p->source;

	p->box_of = mem_zalloc((source->nr_frames + 1) * sizeof(*p->box_of));
	for (uint32_t i = 0; i < source->nr_frames; i++) {
		struct export_module module = { "", NULL, 0 };
		struct export_frame frame;

		source->frame(source, i, &frame);
		if (frame.module != EXPORT_NONE)
			source->module(source, frame.module, &module);
		p->box_of[i] = box_id(p, frame.name, module.path, frame.kind);
	}
}

static uint32_t task_of(struct page *p, const struct export_sample *sample)
{
	struct str s = STR_INIT;
	uint32_t id;

	str_add(&s, sample->comm ? sample->comm : "");
	if (sample->tid != EXPORT_NONE)
		str_addf(&s, " %d/%d", (int)sample->pid, (int)sample->tid);
	id = intern_id(&p->tasks, s.p);
	str_release(&s);
	return id;
}

/* What a walk along frame pointers picks up in code that keeps other things there. */
static bool *find_nowhere(const struct export_source *source)
{
	bool *nowhere = mem_zalloc(source->nr_frames + 1);
	struct export_frame frame;

	for (uint32_t i = 0; i < source->nr_frames; i++) {
		source->frame(source, i, &frame);
		nowhere[i] = frame.module == EXPORT_NONE && frame.kind == LABEL_UNNAMED;
	}
	return nowhere;
}

/* The sample's node, below its command; callers in no mapping, one after the other, are one. */
static uint32_t lay_sample(struct page *p, const struct export_sample *sample, const bool *nowhere)
{
	uint32_t node = STACK_TREE_ROOT;
	bool before = false;

	if (sample->comm)
		node = stack_tree_child(&p->tree, node, box_id(p, sample->comm, "", LABEL_TASK));
	for (uint32_t f = sample->nr_frames; f-- > 0;) {
		bool now = nowhere[sample->frames[f]];

		if (!now || !before)
			node = stack_tree_child(&p->tree, node, p->box_of[sample->frames[f]]);
		before = now;
	}
	return node;
}

static uint32_t cpu_of(struct page *p, const struct export_sample *sample)
{
	char text[16] = "";

	if (sample->cpu != EXPORT_NONE)
		snprintf(text, sizeof(text), "%" PRIu32, sample->cpu);
	return intern_id(&p->cpus, text);
}

static void lay_samples(struct page *p)
{
	const struct export_source *source = p->source;
	bool *nowhere = find_nowhere(source);

	p->rows = mem_realloc_array(NULL, source->nr_samples + 1, sizeof(*p->rows));
	for (size_t i = 0; i < source->nr_samples; i++) {
		struct export_sample sample;
		uint32_t node;

		source->sample(source, i, &sample);
		node = lay_sample(p, &sample, nowhere);
		stack_tree_add(&p->tree, node, sample.samples, sample.period);
		p->rows[p->nr_rows++] = (struct row){
			node, sample.event, task_of(p, &sample), cpu_of(p, &sample), sample.file,
			sample.bucket < p->options->nr_buckets ? sample.bucket : 0,
			sample.samples, sample.period,
		};
	}
	free(nowhere);
	stack_tree_sum(&p->tree);
}

/* How few samples a node has to have, so that no more than `most` of them are left. */
static uint64_t least_samples(const struct stack_tree *tree, uint32_t most)
{
	uint64_t least = 1;
	uint32_t nr = tree->nr;

	while (nr > most) {
		least += least / 4 + 1;
		nr = 0;
		for (uint32_t i = 1; i < tree->nr; i++)
			nr += tree->nodes[i].total_samples >= least;
	}
	return least;
}

/* Nodes with fewer samples than that become one child, "merged", of the node they hang on. */
static void merge_small(struct page *p)
{
	uint32_t most = p->options->most_nodes ? p->options->most_nodes : MOST_NODES;
	struct stack_tree small;
	uint32_t label, *to;
	uint64_t least;

	if (p->tree.nr <= most)
		return;
	label = box_id(p, "(small ones, merged)", "", LABEL_UNNAMED);
	least = least_samples(&p->tree, most);
	stack_tree_init(&small);
	to = mem_zalloc(p->tree.nr * sizeof(*to));
	for (uint32_t i = 1; i < p->tree.nr; i++) {
		const struct stack_node *n = &p->tree.nodes[i];
		uint32_t parent = to[n->parent];

		if (parent && small.nodes[parent].label == label)
			to[i] = parent;
		else
			to[i] = stack_tree_child(&small, parent, n->total_samples < least ? label : n->label);
	}
	for (size_t i = 0; i < p->nr_rows; i++)
		p->rows[i].node = to[p->rows[i].node];
	free(to);
	stack_tree_release(&p->tree);
	p->tree = small;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	const uint32_t xs[] = { x->node, x->event, x->task, x->cpu, x->file, x->bucket };
	const uint32_t ys[] = { y->node, y->event, y->task, y->cpu, y->file, y->bucket };

	for (unsigned i = 0; i < sizeof(xs) / sizeof(xs[0]); i++)
		if (xs[i] != ys[i])
			return xs[i] < ys[i] ? -1 : 1;
	return 0;
}

static void join_rows(struct page *p)
{
	size_t nr = 0;

	qsort(p->rows, p->nr_rows, sizeof(*p->rows), compare_rows);
	for (size_t i = 0; i < p->nr_rows; i++) {
		if (nr && compare_rows(&p->rows[nr - 1], &p->rows[i]) == 0) {
			p->rows[nr - 1].samples += p->rows[i].samples;
			p->rows[nr - 1].period += p->rows[i].period;
		} else {
			p->rows[nr++] = p->rows[i];
		}
	}
	p->nr_rows = nr;
}

static void coarser_times(struct page *p)
{
	for (size_t i = 0; i < p->nr_rows; i++)
		p->rows[i].bucket /= 2;
	p->nr_buckets = (p->nr_buckets + 1) / 2;
	p->bucket_ns *= 2;
}

static void one_cpu(struct page *p)
{
	for (size_t i = 0; i < p->nr_rows; i++)
		p->rows[i].cpu = 0;
	intern_release(&p->cpus);
}

struct task_sum { uint32_t task; uint64_t samples; };

static int compare_sums(const void *a, const void *b)
{
	const struct task_sum *x = a, *y = b;

	if (x->samples != y->samples)
		return x->samples > y->samples ? -1 : 1;
	return (x->task > y->task) - (x->task < y->task);
}

static bool is_others(const char *task)
{
	size_t len = strlen(task), end = strlen(OTHERS);

	return len >= end && strcmp(task + len - end, OTHERS) == 0;
}

/* "COMM PID/TID" -> "COMM (others)", which stays what it is. */
static uint32_t other_task(struct intern *tasks, const char *task)
{
	const char *space = strrchr(task, ' ');
	struct str s = STR_INIT;
	uint32_t id;

	str_add(&s, task);
	if (space && !is_others(task)) {
		s.len = (size_t)(space - task);
		s.p[s.len] = '\0';
		str_add(&s, OTHERS);
	}
	id = intern_id(tasks, s.p);
	str_release(&s);
	return id;
}

/* The `keep` tasks with most samples stay; of the others those of one command become one. */
static void join_tasks(struct page *p, uint32_t keep)
{
	uint32_t nr = p->tasks.nr, *to = mem_zalloc((nr + 1) * sizeof(*to));
	struct task_sum *sums = mem_zalloc((nr + 1) * sizeof(*sums));
	struct intern tasks;

	for (uint32_t i = 0; i < nr; i++)
		sums[i].task = i;
	for (size_t i = 0; i < p->nr_rows; i++)
		if (!is_others(intern_str(&p->tasks, p->rows[i].task)))
			sums[p->rows[i].task].samples += p->rows[i].samples;
	qsort(sums, nr, sizeof(*sums), compare_sums);
	intern_init(&tasks);
	for (uint32_t i = 0; i < nr; i++) {
		const char *name = intern_str(&p->tasks, sums[i].task);

		to[sums[i].task] = i < keep ? intern_id(&tasks, name) : other_task(&tasks, name);
	}
	for (size_t i = 0; i < p->nr_rows; i++)
		p->rows[i].task = to[p->rows[i].task];
	intern_release(&p->tasks);
	p->tasks = tasks;
	free(sums);
	free(to);
}

/*
 * A page that opens at once has room for so much: times become coarser, then CPUs are one,
 * then tasks of few samples one for each command, then times coarser still.
 */
static void thin_rows(struct page *p)
{
	uint32_t most = p->options->most_rows ? p->options->most_rows : MOST_ROWS, keep = p->tasks.nr;

	join_rows(p);
	while (p->nr_rows > most) {
		if (p->nr_buckets > LEAST_BUCKETS)
			coarser_times(p);
		else if (p->cpus.nr > 1)
			one_cpu(p);
		else if (keep)
			join_tasks(p, keep /= 2);
		else if (p->nr_buckets > 1)
			coarser_times(p);
		else
			break;
		join_rows(p);
	}
}

/* --- writing ------------------------------------------------------------------------------ */

/* RFC 4648; all but the last call give a multiple of three bytes. */
static void write_base64(struct page *p, bool last)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *b = (const uint8_t *)p->data.p;
	size_t n = p->data.len, whole = last ? n : n - n % 3, i;

	for (i = 0; i < whole; i += 3) {
		uint32_t v = (uint32_t)b[i] << 16 | (i + 1 < n ? (uint32_t)b[i + 1] << 8 : 0) |
			     (i + 2 < n ? b[i + 2] : 0);
		char four[4] = { digits[v >> 18], digits[v >> 12 & 63],
				 i + 1 < n ? digits[v >> 6 & 63] : '=', i + 2 < n ? digits[v & 63] : '=' };

		fwrite(four, 1, 4, p->out);
	}
	if (whole < n)
		memmove(p->data.p, p->data.p + whole, n - whole);
	p->data.len = n - whole;
}

static void put_number(struct page *p, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		str_addc(&p->data, (char)(n | 0x80));
	str_addc(&p->data, (char)n);
	if (p->data.len > 48 * 1024)
		write_base64(p, false);
}

static void write_data(struct page *p)
{
	uint32_t last = 0;

	for (uint32_t i = 1; i < p->tree.nr; i++) {
		put_number(p, i - p->tree.nodes[i].parent);
		put_number(p, p->tree.nodes[i].label);
	}
	for (size_t i = 0; i < p->nr_rows; i++) {
		const struct row *row = &p->rows[i];

		/* sorted, so the difference is not negative; its sign is kept all the same */
		put_number(p, (uint64_t)(row->node - last) * 2);
		last = row->node;
		put_number(p, row->event);
		put_number(p, row->task);
		put_number(p, row->cpu);
		put_number(p, row->file);
		put_number(p, row->bucket);
		put_number(p, row->samples);
		put_number(p, row->period);
	}
	write_base64(p, true);
}

static unsigned kind_number(enum label_kind kind)
{
	static const char kinds[] = { LABEL_TASK, LABEL_USER, LABEL_KERNEL, LABEL_INLINE, LABEL_JIT };

	for (unsigned i = 0; i < sizeof(kinds); i++)
		if (kinds[i] == (char)kind)
			return i;
	return sizeof(kinds);
}

/* Three numbers each: name, module, kind. */
static void add_boxes(struct page *p, struct str *s)
{
	for (uint32_t i = 0; i < p->boxes.nr; i++) {
		const char *name = intern_str(&p->boxes, i), *kind = strrchr(name, '\n') + 1, *module = kind - 1;

		while (module[-1] != '\n')
			module--;
		str_addf(s, "%s%u,%u,%u", i ? "," : "",
			 intern_idn(&p->strings, name, (size_t)(module - 1 - name)),
			 intern_idn(&p->strings, module, (size_t)(kind - 1 - module)),
			 kind_number((enum label_kind)*kind));
	}
}

static void add_strings(struct str *s, const char *key, const struct intern *table)
{
	str_addf(s, ",\n\"%s\":[", key);
	for (uint32_t i = 0; i < table->nr; i++) {
		if (i)
			str_add(s, ",\n");
		export_add_json(s, intern_str(table, i));
	}
	str_addc(s, ']');
}

static void add_meta(struct page *p, struct str *s)
{
	const struct flame_page_options *o = p->options;

	str_add(s, "{\"title\":");
	export_add_json(s, o->title ? o->title : p->source->title);
	str_add(s, ",\"sub\":");
	export_add_json(s, o->sub ? o->sub : "");
	str_add(s, ",\"account\":");
	export_add_json(s, o->account ? o->account : "");
	str_add(s, ",\"command\":");
	export_add_json(s, p->source->title);
	str_addf(s, ",\"started_ms\":%" PRIu64 ",\"lasted_ms\":%" PRIu64, p->source->started_ns / 1000000,
		 p->source->lasted_ns / 1000000);
	if (o->files[0]) {
		str_add(s, ",\"files\":[");
		export_add_json(s, o->files[0]);
		str_addc(s, ',');
		export_add_json(s, o->files[1]);
		str_addc(s, ']');
	}
	str_addf(s, ",\"view\":\"%s\",\"colors\":\"%s\"", view_names[o->view], color_names[o->colors]);
	str_addf(s, ",\"event\":%u,\"period\":%s,\"nr_nodes\":%u,\"nr_rows\":%zu,\"nr_buckets\":%u,"
		 "\"bucket_ns\":%" PRIu64 ",\n\"events\":[", o->event,
		 p->source->value == STACK_PERIOD ? "true" : "false", p->tree.nr, p->nr_rows,
		 p->nr_buckets, p->bucket_ns);
	for (uint32_t i = 0; i < p->source->nr_events; i++) {
		struct export_event event;

		p->source->event(p->source, i, &event);
		str_add(s, i ? ",{\"name\":" : "{\"name\":");
		export_add_json(s, event.name);
		str_add(s, ",\"unit\":");
		export_add_json(s, event.unit);
		str_addc(s, '}');
	}
	str_add(s, "],\n\"boxes\":[");
	add_boxes(p, s);
	str_addc(s, ']');
	add_strings(s, "tasks", &p->tasks);
	add_strings(s, "cpus", &p->cpus);
	add_strings(s, "strings", &p->strings);
	str_addc(s, '}');
}

int flame_page_write(const struct export_source *source, const struct flame_page_options *options,
		     FILE *out, struct err *err)
{
	struct page p = { .source = source, .options = options, .out = out, .data = STR_INIT };
	struct str s = STR_INIT;

	stack_tree_init(&p.tree);
	intern_init(&p.boxes);
	intern_init(&p.strings);
	intern_init(&p.tasks);
	intern_init(&p.cpus);
	p.nr_buckets = options->nr_buckets;
	p.bucket_ns = options->bucket_ns;
	make_boxes(&p);
	lay_samples(&p);
	merge_small(&p);
	thin_rows(&p);
	str_add(&s, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		    "script-src 'unsafe-inline'; style-src 'unsafe-inline'\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
	str_add_xml(&s, options->title ? options->title : source->title);
	str_add(&s, "</title>\n<style>\n");
	str_add(&s, flame_page_style);
	str_add(&s, "</style></head><body>\n");
	str_add(&s, flame_page_body);
	str_add(&s, "<script type=\"application/json\" id=\"meta\">");
	add_meta(&p, &s);
	str_add(&s, "</script>\n<script type=\"application/octet-stream\" id=\"data\">");
	fwrite(s.p, 1, s.len, out);
	write_data(&p);
	fputs("</script>\n<script>\n", out);
	fputs(flame_page_script, out);
	fputs("</script>\n</body></html>\n", out);
	str_release(&s);
	str_release(&p.data);
	free(p.rows);
	free(p.box_of);
	stack_tree_release(&p.tree);
	intern_release(&p.boxes);
	intern_release(&p.strings);
	intern_release(&p.tasks);
	intern_release(&p.cpus);
	return export_end(out, err);
}
