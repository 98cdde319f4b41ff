/* SPDX-License-Identifier: MIT */
/*
 * flame_draw: a recording as a page or an SVG picture.
 */
#ifndef CMD_FLAME_DRAW_H
#define CMD_FLAME_DRAW_H

#include "cmd/query.h"
#include "formats/flame_page.h"
#include "formats/svg.h"
#include "view/fold.h"

struct flame_picture {
	struct query_options query;
	struct fold_options fold;
	struct svg_options svg;
	struct str subtitle;             /* init it with STR_INIT, and release it */
	const char *folded, *output, *event;
	enum flame_page_view view;       /* what the page shows first */
	enum flame_page_colors colors;
	const char *before, *after;      /* of a comparison: two recordings, or NULL */
	bool svg_wanted, reverse, open;
};

/* Where it goes: -o's file or a name for the kind of picture. */
const char *flame_output(const struct flame_picture *picture);

int flame_draw(struct flame_picture *picture, struct err *err);

#endif
