/* SPDX-License-Identifier: MIT */
/*
 * line: a line of text on its way to a page or a terminal.
 *
 * What is added is made safe for terminals.  With a limit, what goes beyond it is
 * dropped and the last column shows an ellipsis.  Colours take no columns.
 */
#ifndef VIEW_LINE_H
#define VIEW_LINE_H

#include <stdio.h>

#include "base/str.h"

struct line {
	struct str s;
	unsigned columns, limit;         /* limit 0: none */
	bool full;
};

void line_init(struct line *line, unsigned limit);
void line_release(struct line *line);
void line_add(struct line *line, const char *text);
/*
 * Add a cell of values that `separator` separates (str_add_cell), without blanks in front. The
 * separator is a reserved character, as in perf: in the cell it becomes '.'.
 */
void line_add_cell(struct line *line, const char *text, const char *separator);
/* Add text cut or filled to `width` columns. */
void line_add_left(struct line *line, const char *text, unsigned width);
void line_add_right(struct line *line, const char *text, unsigned width);
/* Add a terminal's control sequence. */
void line_add_color(struct line *line, const char *sequence);
/* Write it with a newline and start the next. */
void line_end(struct line *line, FILE *out);

/* Columns that `text` takes, made safe. */
unsigned line_columns(const char *text);

#endif
