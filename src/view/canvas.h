/* SPDX-License-Identifier: MIT */
/*
 * canvas: a screen as a grid of cells, before it is shown.
 *
 * Texts are made safe for terminals on their way in; a character takes the columns that
 * it has (base/columns.h), one that is half outside is left out, and what only changes how
 * others are drawn (directions, joiners) is dropped.  What is put outside is not there.
 */
#ifndef VIEW_CANVAS_H
#define VIEW_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum canvas_style {
	STYLE_PLAIN, STYLE_HOT, STYLE_WARM, STYLE_DIM, STYLE_BOLD, STYLE_TITLE, STYLE_KEY,
	STYLE_COUNT,
	STYLE_BAR = 16,                  /* added: the line that keys act on */
};

#define CELL_MARKS 2             /* combining characters that are kept */

struct cell {
	uint32_t cp, marks[CELL_MARKS];
	uint8_t style;
	bool is_tail;                    /* the right half of the one before */
};

struct canvas {
	unsigned height, width;
	struct cell *cells;
};

void canvas_init(struct canvas *c);      /* of no size */
void canvas_release(struct canvas *c);
/* Make it that large, and blank. */
void canvas_resize(struct canvas *c, unsigned height, unsigned width);

/*
 * Put text from column x on, without its first `skip` columns, up to column `end` (or the
 * right edge, if that comes first); what is cut off at the right shows as an ellipsis.
 * Returns the column behind it.
 */
unsigned canvas_put(struct canvas *c, unsigned y, unsigned x, unsigned end, unsigned skip,
		    const char *text, unsigned style);
/* Give a row's cells from x to the edge a style, or add to it. */
void canvas_style(struct canvas *c, unsigned y, unsigned x, unsigned style);
void canvas_add_style(struct canvas *c, unsigned y, unsigned style);

static inline const struct cell *canvas_cell(const struct canvas *c, unsigned y, unsigned x)
{
	return &c->cells[(size_t)y * c->width + x];
}

/* Append cells of a row, UTF-8; with `ascii`, a '?' for each column of others. */
void canvas_text(const struct canvas *c, unsigned y, unsigned from, unsigned to, bool ascii,
		 struct str *out);

#endif
