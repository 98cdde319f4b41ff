/* SPDX-License-Identifier: MIT */
#include "view/line.h"

#include <string.h>

#include "base/columns.h"

static const char ellipsis[] = "\xe2\x80\xa6";

void line_init(struct line *line, unsigned limit)
{
	*line = (struct line){ .s = STR_INIT, .limit = limit };
}

void line_release(struct line *line)
{
	str_release(&line->s);
}

static unsigned count_columns(const char *text)
{
	unsigned n = 0;
	uint32_t cp;

	while (*text) {
		text += columns_next(text, &cp);
		n += columns_of(cp);
	}
	return n;
}

unsigned line_columns(const char *text)
{
	struct str s = STR_INIT;
	unsigned n;

	str_add_safe(&s, text);
	n = count_columns(s.p);
	str_release(&s);
	return n;
}

/* How many bytes of `text` fill at most `room` columns; *columns is how many they do. */
static size_t prefix_bytes(const char *text, unsigned room, unsigned *columns)
{
	size_t i = 0;
	uint32_t cp;

	*columns = 0;
	while (text[i]) {
		size_t n = columns_next(text + i, &cp);

		if (*columns + columns_of(cp) > room)
			break;
		*columns += columns_of(cp);
		i += n;
	}
	return i;
}

/* `text` is safe already. Takes at most `room` columns (0: as many as it needs). */
static void add_cut(struct line *line, const char *text, unsigned room)
{
	unsigned n = count_columns(text);
	size_t bytes;

	if (!room || n <= room) {
		str_add(&line->s, text);
		line->columns += n;
		return;
	}
	bytes = prefix_bytes(text, room - 1, &n);
	str_addn(&line->s, text, bytes);
	/* half of a wide character is left out, and its place is not taken */
	for (; n + 1 < room; n++)
		str_addc(&line->s, ' ');
	str_add(&line->s, ellipsis);
	line->columns += room;
}

/* Take off characters until the last column is free, and no more than that. */
static void free_last_column(struct str *s)
{
	unsigned freed = 0;
	uint32_t cp;

	while (s->len && !freed) {
		do
			s->len--;
		while (s->len && ((unsigned char)s->p[s->len] & 0xc0) == 0x80);
		columns_next(s->p + s->len, &cp);
		freed = columns_of(cp);
		s->p[s->len] = '\0';
	}
	if (freed == 2)
		str_addc(s, ' ');
}

static void add_safe(struct line *line, const char *text)
{
	unsigned left = line->limit - line->columns;

	if (line->limit && !left) {
		/* nothing fits behind the edge: the last column says that there is more */
		if (*text && !line->full) {
			free_last_column(&line->s);
			str_add(&line->s, ellipsis);
			line->full = true;
		}
		return;
	}
	if (line->limit && count_columns(text) > left)
		line->full = true;
	add_cut(line, text, line->limit ? left : 0);
}

void line_add(struct line *line, const char *text)
{
	struct str s = STR_INIT;

	str_add_safe(&s, text);
	add_safe(line, s.p);
	str_release(&s);
}

static void add_blanks(struct line *line, unsigned n)
{
	for (; n; n--)
		add_safe(line, " ");
}

void line_add_cell(struct line *line, const char *text, const char *separator)
{
	struct str cell = STR_INIT;

	str_add_cell(&cell, text + strspn(text, " "));
	for (char *p = cell.p; p < cell.p + cell.len; p++)
		if (strchr(separator, *p))
			*p = '.';
	line_add(line, cell.p);
	str_release(&cell);
}

void line_add_left(struct line *line, const char *text, unsigned width)
{
	struct line piece;
	struct str s = STR_INIT;

	str_add_safe(&s, text);
	line_init(&piece, 0);
	add_cut(&piece, s.p, width);
	add_safe(line, piece.s.p);
	if (piece.columns < width)
		add_blanks(line, width - piece.columns);
	line_release(&piece);
	str_release(&s);
}

void line_add_right(struct line *line, const char *text, unsigned width)
{
	unsigned n = line_columns(text);

	if (n < width)
		add_blanks(line, width - n);
	line_add(line, text);
}

void line_add_color(struct line *line, const char *sequence)
{
	str_add(&line->s, sequence);
}

void line_end(struct line *line, FILE *out)
{
	str_addc(&line->s, '\n');
	fwrite(line->s.p, 1, line->s.len, out);
	str_clear(&line->s);
	line->columns = 0;
	line->full = false;
}
