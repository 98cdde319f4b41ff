/* SPDX-License-Identifier: MIT */
#include "formats/svg.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define PAD 10.0                 /* left and right of the boxes */
#define BOX_HEIGHT 16
#define FONT_PX 12
#define CHAR_PX 7.25             /* of a monospace font of 12 pixels, a little more than 0.6 em */
#define HEAD_PX 60               /* title, subtitle and buttons */
#define FOOT_PX 36               /* the line that tells of the box under the pointer */
#define WIDTH_DEFAULT 1200

/* A box to be drawn: a node with its place. */
struct box {
	uint32_t node;
	uint32_t depth;
	double x;                /* from 0 to 1 */
};

struct picture {
	const struct stack_tree *tree;
	const struct label_table *labels;
	const struct svg_options *options;
	struct box *boxes;
	uint32_t nr_boxes, cap_boxes, depth;
	uint64_t total;
	double width, inner;     /* pixels */
	double most;             /* of real changes, the largest */
	unsigned height;
};

static const char *const color_names[] = { "kind", "hot", "mem", "io", "grey", NULL };

int svg_colors_parse(const char *name, enum svg_colors *out, struct err *err)
{
	for (unsigned i = 0; color_names[i]; i++) {
		if (strcmp(name, color_names[i]) == 0) {
			*out = (enum svg_colors)i;
			return 0;
		}
	}
	return err_set(err, EINVAL, "no colours '%s'; there are kind, hot, mem, io, grey", name);
}

/* --- colours ------------------------------------------------------------------ */

/* Where a name's colour lies in its range, 0 to 1: of the name alone, so it is the same everywhere. */
static double name_shade(const char *name, unsigned which)
{
	uint64_t h = hash_mix(hash_bytes(name, strlen(name)), which);

	return (double)(h >> 40) / (double)(1u << 24);
}

struct range { uint8_t r, dr, g, dg, b, db; };

static const struct range ranges_kind[] = {
	[0] = { 222, 32, 95, 125, 30, 50 },       /* user: red to yellow */
	[1] = { 125, 45, 140, 45, 195, 45 },      /* kernel: slate blue */
	[2] = { 90, 60, 180, 45, 190, 50 },       /* inline: aqua */
	[3] = { 110, 50, 185, 45, 90, 40 },       /* jit: green */
	[4] = { 190, 15, 190, 15, 190, 15 },      /* unnamed: grey */
	[5] = { 215, 15, 208, 15, 195, 15 },      /* a task: sand */
};

static unsigned kind_index(enum label_kind kind)
{
	switch (kind) {
	case LABEL_KERNEL: return 1;
	case LABEL_INLINE: return 2;
	case LABEL_JIT: return 3;
	case LABEL_UNNAMED: return 4;
	case LABEL_TASK: return 5;
	default: return 0;
	}
}

static void box_color(enum svg_colors colors, const char *name, enum label_kind kind,
		      char buf[16])
{
	static const struct range others[] = {
		[SVG_COLORS_HOT] = { 205, 50, 20, 205, 10, 50 },
		[SVG_COLORS_MEM] = { 90, 60, 170, 60, 80, 50 },
		[SVG_COLORS_IO] = { 90, 70, 130, 70, 200, 50 },
		[SVG_COLORS_GREY] = { 160, 0, 160, 0, 160, 0 },
	};
	struct range c = colors == SVG_COLORS_KIND ? ranges_kind[kind_index(kind)] : others[colors];
	double hue = name_shade(name, 1), light = name_shade(name, 2);

	if (colors == SVG_COLORS_GREY)
		c = (struct range){ 160, 60, 160, 60, 160, 60 };
	if (colors == SVG_COLORS_GREY || kind == LABEL_UNNAMED)
		hue = light;
	snprintf(buf, 16, "#%02x%02x%02x", (unsigned)(c.r + c.dr * light),
		 (unsigned)(c.g + c.dg * hue), (unsigned)(c.b + c.db * light));
}

/* --- layout ------------------------------------------------------------------- */

static uint64_t value_of(const struct picture *p, uint32_t node)
{
	return stack_total(&p->tree->nodes[node], p->options->value);
}

static double share(const struct picture *p, uint32_t node)
{
	return p->total ? (double)value_of(p, node) / (double)p->total : 0;
}

static void box_push(struct picture *p, uint32_t node, uint32_t depth, double x)
{
	if (p->nr_boxes == p->cap_boxes) {
		p->cap_boxes = p->cap_boxes ? p->cap_boxes * 2 : 256;
		p->boxes = mem_realloc_array(p->boxes, p->cap_boxes, sizeof(*p->boxes));
	}
	p->boxes[p->nr_boxes++] = (struct box){ node, depth, x };
	if (depth + 1 > p->depth)
		p->depth = depth + 1;
}

/*
 * Children stand side by side over their parent from its left edge on. Boxes are
 * laid breadth first: the list of boxes is its own queue.
 */
static void layout(struct picture *p)
{
	const struct stack_node *nodes = p->tree->nodes;

	box_push(p, STACK_TREE_ROOT, 0, 0);
	for (uint32_t i = 0; i < p->nr_boxes; i++) {
		struct box box = p->boxes[i];
		double x = box.x;

		for (uint32_t c = nodes[box.node].first_child; c != STACK_TREE_NONE;
		     c = nodes[c].next_sibling) {
			double w = share(p, c);

			if (w > 0 && w * p->inner >= p->options->min_width)
				box_push(p, c, box.depth + 1, x);
			x += w;
		}
	}
}

/* --- text --------------------------------------------------------------------- */

/* Append as much of `name` as fits in `px`, with ".." for the rest; nothing if under 3 letters do. */
static void add_cut(struct str *s, const char *name, double px)
{
	size_t room = px > 0 ? (size_t)(px / CHAR_PX) : 0, letters = 0, end = 0, cut = 0;
	char *piece;

	if (room < 3)
		return;
	for (; name[end]; end++) {
		if (((unsigned char)name[end] & 0xc0) == 0x80)
			continue;
		if (letters == room - 2)
			cut = end;
		if (++letters > room)
			break;
	}
	if (letters <= room) {
		str_add_xml(s, name);
		return;
	}
	piece = mem_strndup(name, cut);
	str_add_xml(s, piece);
	str_add(s, "..");
	free(piece);
}

static void add_number(struct str *s, uint64_t n)
{
	char buf[32];

	str_add(s, str_commas(n, buf));
}

/* Red grew, blue shrank, the more the stronger; what chance may have made is grey. */
static void change_color(const struct picture *p, const struct svg_change *change, char buf[16])
{
	double part = p->most > 0 ? fabs(change->delta) / p->most : 0;
	unsigned strong = (unsigned)(225 - 165 * part);

	if (!change->real)
		snprintf(buf, 16, "#dedbd3");
	else if (change->delta > 0)
		snprintf(buf, 16, "#%02x%02x%02x", 240u, strong, strong);
	else
		snprintf(buf, 16, "#%02x%02x%02x", strong, strong + 15, 245u);
}

static void find_most(struct picture *p)
{
	const struct svg_change *changes = p->options->changes;

	for (uint32_t i = 0; changes && i < p->nr_boxes; i++)
		if (changes[p->boxes[i].node].real && fabs(changes[p->boxes[i].node].delta) > p->most)
			p->most = fabs(changes[p->boxes[i].node].delta);
}

static void add_box(struct str *s, const struct picture *p, const struct box *box)
{
	const struct svg_options *o = p->options;
	bool is_root = box->node == STACK_TREE_ROOT;
	uint32_t label = p->tree->nodes[box->node].label;
	const char *name = is_root ? o->root_name ? o->root_name : "all" : label_name(p->labels, label);
	enum label_kind kind = is_root ? LABEL_TASK : label_kind(p->labels, label);
	double w = share(p, box->node) * p->inner, x = PAD + box->x * p->inner;
	unsigned row = o->inverted ? box->depth : p->depth - 1 - box->depth;
	unsigned y = HEAD_PX + row * BOX_HEIGHT;
	char color[16];

	if (o->changes)
		change_color(p, &o->changes[box->node], color);
	else
		box_color(o->colors, name, kind, color);
	str_add(s, "<g class=\"f\"><title>");
	str_add_xml(s, name);
	str_add(s, kind == LABEL_INLINE ? " [inlined] (" : " (");
	add_number(s, value_of(p, box->node));
	str_addc(s, ' ');
	str_add_xml(s, o->unit ? o->unit : "samples");
	str_addf(s, ", %.2f%%", 100 * share(p, box->node));
	if (o->changes)
		str_addf(s, "; %.2f%% before, %+.2f points%s", 100 * o->changes[box->node].before,
			 100 * o->changes[box->node].delta, o->changes[box->node].real ? "" : ", noise");
	str_addf(s, ")</title><rect x=\"%.3f\" y=\"%u\" width=\"%.3f\" height=\"%u\" "
		 "fill=\"%s\"/><text x=\"%.3f\" y=\"%u\">", x, y, w,
		 BOX_HEIGHT - 1, color, x + 3, y + BOX_HEIGHT - 4);
	add_cut(s, name, w - 6);
	str_add(s, "</text></g>\n");
}

static void add_head(struct str *s, const struct picture *p)
{
	const struct svg_options *o = p->options;
	double mid = p->width / 2;

	str_add(s, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n");
	str_addf(s, "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%.0f\" "
		 "height=\"%u\" viewBox=\"0 0 %.0f %u\" data-pad=\"%.0f\" data-char=\"%.2f\" "
		 "data-inverted=\"%d\" font-family=\"ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',"
		 "monospace\" font-size=\"%d\">\n", p->width, p->height, p->width, p->height, PAD,
		 CHAR_PX, o->inverted, FONT_PX);
	str_add(s, "<title>");
	str_add_xml(s, o->title ? o->title : "Flame Graph");
	str_add(s, "</title>\n<style>");
	str_add(s, svg_style);
	str_addf(s, "</style>\n<rect id=\"bg\" x=\"0\" y=\"0\" width=\"%.0f\" height=\"%u\"/>\n"
		 "<text id=\"heading\" x=\"%.1f\" y=\"24\">", p->width, p->height, mid);
	str_add_xml(s, o->title ? o->title : "Flame Graph");
	str_addf(s, "</text>\n<text id=\"sub\" x=\"%.1f\" y=\"42\">", mid);
	str_add_xml(s, o->subtitle ? o->subtitle : "");
	str_addf(s, "</text>\n"
		 "<text id=\"reset\" class=\"button\" x=\"%.0f\" y=\"24\" tabindex=\"0\" "
		 "role=\"button\">Reset zoom</text>\n"
		 "<text id=\"search\" class=\"button\" x=\"%.0f\" y=\"24\" tabindex=\"0\" "
		 "role=\"button\">Search</text>\n"
		 "<text id=\"details\" x=\"%.0f\" y=\"%u\"> </text>\n"
		 "<text id=\"matched\" x=\"%.0f\" y=\"%u\"> </text>\n",
		 PAD, p->width - PAD, PAD, p->height - FOOT_PX / 2 + 4, p->width - PAD,
		 p->height - FOOT_PX / 2 + 4);
}

/* Hand on what is ready; *failure keeps the first errno. */
static void hand_on(struct str *s, FILE *out, int *failure)
{
	errno = 0;
	if ((fwrite(s->p, 1, s->len, out) < s->len || fflush(out)) && !*failure)
		*failure = errno ? errno : EIO;
	str_clear(s);
}

int svg_write(const struct stack_tree *tree, const struct label_table *labels,
	      const struct svg_options *options, FILE *out, struct err *err)
{
	struct picture p = { .tree = tree, .labels = labels, .options = options };
	struct str s = STR_INIT;
	int failure = 0;

	p.width = options->width ? options->width : WIDTH_DEFAULT;
	p.inner = p.width > 2 * PAD ? p.width - 2 * PAD : 1;
	p.total = value_of(&p, STACK_TREE_ROOT);
	if (p.total)
		layout(&p);
	find_most(&p);
	p.height = HEAD_PX + (p.total ? p.depth : 2) * BOX_HEIGHT + FOOT_PX;
	add_head(&s, &p);
	if (!p.total)
		str_addf(&s, "<text x=\"%.0f\" y=\"%u\">No samples.</text>\n", PAD, HEAD_PX + BOX_HEIGHT);
	str_add(&s, "<g id=\"frames\">\n");
	hand_on(&s, out, &failure);
	for (uint32_t i = 0; i < p.nr_boxes; i++) {
		add_box(&s, &p, &p.boxes[i]);
		if (s.len > 1 << 16)
			hand_on(&s, out, &failure);
	}
	str_add(&s, "</g>\n<script><![CDATA[\n");
	str_add(&s, svg_script);
	str_add(&s, "]]></script>\n</svg>\n");
	hand_on(&s, out, &failure);
	str_release(&s);
	free(p.boxes);
	if (!failure)
		return 0;
	return err_set(err, failure, "cannot write: %s", strerror(failure));
}
