/* SPDX-License-Identifier: MIT */
#include "view/canvas.h"

#include <stdlib.h>
#include <string.h>

#include "base/columns.h"
#include "base/mem.h"

#define ELLIPSIS 0x2026u

void canvas_init(struct canvas *c)
{
	memset(c, 0, sizeof(*c));
}

void canvas_release(struct canvas *c)
{
	free(c->cells);
	canvas_init(c);
}

void canvas_resize(struct canvas *c, unsigned height, unsigned width)
{
	size_t nr = (size_t)height * width;

	c->cells = mem_realloc_array(c->cells, nr + 1, sizeof(*c->cells));
	c->height = height;
	c->width = width;
	memset(c->cells, 0, (nr + 1) * sizeof(*c->cells));
	for (size_t i = 0; i < nr; i++)
		c->cells[i].cp = ' ';
}

static struct cell *cell_at(struct canvas *c, unsigned y, unsigned x)
{
	return &c->cells[(size_t)y * c->width + x];
}

static void set(struct canvas *c, unsigned y, unsigned x, uint32_t cp, unsigned style)
{
	struct cell *cell = cell_at(c, y, x);

	/* half of what stood there is no character any more */
	if (cell->is_tail && x)
		cell_at(c, y, x - 1)->cp = ' ';
	if (x + 1 < c->width && cell[1].is_tail)
		cell[1] = (struct cell){ .cp = ' ', .style = cell[1].style };
	*cell = (struct cell){ .cp = cp, .style = (uint8_t)style };
}

static void add_mark(struct canvas *c, unsigned y, unsigned x, uint32_t cp)
{
	struct cell *cell;
	unsigned i = 0;

	/* before the text there is nothing to draw it over */
	if (!x)
		return;
	cell = cell_at(c, y, x - 1);
	if (cell->is_tail && x > 1)
		cell--;
	while (i < CELL_MARKS && cell->marks[i])
		i++;
	if (i < CELL_MARKS)
		cell->marks[i] = cp;
}

/* Characters without a shape: they join, separate or turn around what stands beside them. */
static bool is_shapeless(uint32_t cp)
{
	return cp == 0x61c || cp == 0x180e || (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || (cp >= 0xfe00 && cp <= 0xfe0f) ||
	       (cp >= 0xfff9 && cp <= 0xfffb) || (cp >= 0xe0000 && cp <= 0xe0fff);
}

unsigned canvas_put(struct canvas *c, unsigned y, unsigned x, unsigned end, unsigned skip,
		    const char *text, unsigned style)
{
	unsigned start = x, limit = end < c->width ? end : c->width;
	struct str safe = STR_INIT;
	uint32_t cp;

	str_add_safe(&safe, text);
	for (const char *p = safe.p; *p && y < c->height;) {
		unsigned n;

		p += columns_next(p, &cp);
		if (is_shapeless(cp))
			continue;
		n = columns_of(cp);
		if (skip) {
			skip = skip > n ? skip - n : 0;
			continue;
		}
		if (!n && x > start)
			add_mark(c, y, x, cp);
		if (!n)
			continue;
		if (x + n > limit) {
			/* what is in the last column gives way */
			if (limit && limit > start)
				set(c, y, limit - 1, ELLIPSIS, style);
			x = limit;
			break;
		}
		set(c, y, x, cp, style);
		if (n == 2)
			*cell_at(c, y, x + 1) = (struct cell){ .style = (uint8_t)style, .is_tail = true };
		x += n;
	}
	str_release(&safe);
	return x;
}

void canvas_style(struct canvas *c, unsigned y, unsigned x, unsigned style)
{
	for (; y < c->height && x < c->width; x++)
		cell_at(c, y, x)->style = (uint8_t)style;
}

void canvas_add_style(struct canvas *c, unsigned y, unsigned style)
{
	for (unsigned x = 0; y < c->height && x < c->width; x++)
		cell_at(c, y, x)->style |= (uint8_t)style;
}

static void add_utf8(struct str *s, uint32_t cp)
{
	if (cp < 0x80) {
		str_addc(s, (char)cp);
	} else if (cp < 0x800) {
		str_addc(s, (char)(0xc0 | cp >> 6));
		str_addc(s, (char)(0x80 | (cp & 0x3f)));
	} else if (cp < 0x10000) {
		str_addc(s, (char)(0xe0 | cp >> 12));
		str_addc(s, (char)(0x80 | (cp >> 6 & 0x3f)));
		str_addc(s, (char)(0x80 | (cp & 0x3f)));
	} else {
		str_addc(s, (char)(0xf0 | cp >> 18));
		str_addc(s, (char)(0x80 | (cp >> 12 & 0x3f)));
		str_addc(s, (char)(0x80 | (cp >> 6 & 0x3f)));
		str_addc(s, (char)(0x80 | (cp & 0x3f)));
	}
}

void canvas_text(const struct canvas *c, unsigned y, unsigned from, unsigned to, bool ascii,
		 struct str *out)
{
	for (unsigned x = from; y < c->height && x < to && x < c->width; x++) {
		const struct cell *cell = canvas_cell(c, y, x);

		if (ascii) {
			str_addc(out, cell->is_tail || cell->cp > 0x7e ? '?' : (char)cell->cp);
			continue;
		}
		if (cell->is_tail)
			continue;
		add_utf8(out, cell->cp);
		for (unsigned i = 0; i < CELL_MARKS && cell->marks[i]; i++)
			add_utf8(out, cell->marks[i]);
	}
}
