/* SPDX-License-Identifier: MIT */
/*
 * svg: a stack tree as a flame graph, one file that needs nothing else.
 *
 * A box per node, as wide as its share of the whole; the root at the foot (or at
 * the head, `inverted`).  The page carries its own script (formats/svg_script.c):
 * hover, zoom, search, keys.  Nothing is fetched from anywhere, and every name is
 * escaped: names come from files that may mean harm.
 */
#ifndef FORMATS_SVG_H
#define FORMATS_SVG_H

#include <stdio.h>

#include "base/err.h"
#include "formats/folded.h"
#include "formats/stack_tree.h"

enum svg_colors {
	SVG_COLORS_KIND,         /* warm user code, slate blue kernel, aqua inlines ... */
	SVG_COLORS_HOT,          /* warm for all */
	SVG_COLORS_MEM,          /* greens */
	SVG_COLORS_IO,           /* blues */
	SVG_COLORS_GREY,
};

/* "kind", "hot", "mem", "io", "grey"; returns 0 or -EINVAL with the list of names. */
int svg_colors_parse(const char *name, enum svg_colors *out, struct err *err);

/* Of a comparison: what a node's share of the whole was, and what became of it. */
struct svg_change {
	double before, delta;    /* in parts of 1 */
	bool real;               /* more than chance */
};

struct svg_options {
	const char *title;       /* NULL: "Flame Graph" */
	const char *subtitle;    /* NULL: none */
	const char *unit;        /* of a count, "samples" if NULL */
	const char *root_name;   /* of the box that is the whole, "all" if NULL */
	enum stack_value value;
	enum svg_colors colors;
	unsigned width;          /* pixels; 0: 1200 */
	double min_width;        /* boxes narrower than that are left out; pixels */
	bool inverted;
	const struct svg_change *changes;        /* [node]: boxes are coloured by it; or NULL */
};

/*
 * Write the picture. The tree was summed (and sorted, for a picture that is the
 * same at every run). A tree without counts gives a picture that says so.
 * Returns 0, or a negative errno when `out` has failed.
 */
int svg_write(const struct stack_tree *tree, const struct label_table *labels,
	      const struct svg_options *options, FILE *out, struct err *err);

/* The page's script and style sheet. */
extern const char svg_script[];
extern const char svg_style[];

#endif
