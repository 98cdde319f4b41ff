/* SPDX-License-Identifier: MIT */
#include "view/pager.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "view/cursor.h"

#define HOT_PERCENT 5.0
#define WARM_PERCENT 0.5

struct pager {
	char *title, *text;
	VEC(char *) lines;               /* in text */
	bool heat;
	size_t cursor, top;
};

struct pager *pager_new(const char *title, struct str *text, bool heat)
{
	struct pager *p = mem_zalloc(sizeof(*p));
	char *rest, *line;

	p->title = mem_strdup(title);
	rest = p->text = text->len ? str_take(text) : mem_strdup("");
	while ((line = strsep(&rest, "\n")))
		if (rest || *line)
			*vec_push(&p->lines) = line;
	p->heat = heat;
	if (heat)
		pager_hottest(p);
	return p;
}

void pager_free(struct pager *p)
{
	if (!p)
		return;
	vec_release(&p->lines);
	free(p->title);
	free(p->text);
	free(p);
}

const char *pager_title(const struct pager *p)
{
	return p->title;
}

size_t pager_count(const struct pager *p)
{
	return p->lines.nr;
}

size_t pager_cursor(const struct pager *p)
{
	return p->cursor;
}

const char *pager_line(const struct pager *p, size_t index)
{
	return index < p->lines.nr ? p->lines.v[index] : NULL;
}

void pager_move(struct pager *p, long by)
{
	p->cursor = cursor_moved(p->cursor, p->lines.nr, by);
}

/* The number a line begins with; -1: none. */
static double heat_of(const struct pager *p, size_t i)
{
	char *end;
	double n = strtod(p->lines.v[i], &end);

	return p->heat && end != p->lines.v[i] && (*end == ' ' || !*end) && n >= 0 && n <= 100 ? n : -1;
}

void pager_hottest(struct pager *p)
{
	double most = 0;

	for (size_t i = 0; i < p->lines.nr; i++) {
		if (heat_of(p, i) > most) {
			most = heat_of(p, i);
			p->cursor = i;
		}
	}
}

void pager_next_hot(struct pager *p)
{
	double now = p->cursor < p->lines.nr ? heat_of(p, p->cursor) : -1, best = 0;
	size_t at = SIZE_MAX;

	for (size_t i = 0; i < p->lines.nr; i++) {
		double n = heat_of(p, i);

		/* of equal ones, those further down come later */
		if (n > best && now >= 0 && (n < now || (n == now && i > p->cursor))) {
			best = n;
			at = i;
		}
	}
	if (at == SIZE_MAX)
		pager_hottest(p);
	else
		p->cursor = at;
}

bool pager_search(struct pager *p, const char *text)
{
	for (size_t n = 1; n <= p->lines.nr; n++) {
		size_t i = (p->cursor + n) % p->lines.nr;

		if (strstr(p->lines.v[i], text)) {
			p->cursor = i;
			return true;
		}
	}
	return false;
}

void pager_draw(struct pager *p, struct canvas *c, unsigned y, unsigned height, unsigned skip)
{
	/* a step moves on by a line, a jump puts what it leads to into the middle */
	if (p->top > p->cursor)
		p->top = p->top == p->cursor + 1 ? p->cursor : p->cursor - (p->cursor < height / 2 ? p->cursor :
									    height / 2);
	else if (height && p->cursor - p->top > height)
		p->top = p->cursor - height / 2;
	else if (height && p->cursor - p->top == height)
		p->top++;
	if (p->top + height > p->lines.nr)
		p->top = p->lines.nr > height ? p->lines.nr - height : 0;
	for (size_t i = p->top; i < p->lines.nr && i < p->top + height; i++, y++) {
		double heat = heat_of(p, i);

		canvas_put(c, y, 0, c->width, skip, p->lines.v[i],
			   heat >= HOT_PERCENT ? STYLE_HOT : heat >= WARM_PERCENT ? STYLE_WARM : STYLE_PLAIN);
		if (i == p->cursor)
			canvas_add_style(c, y, STYLE_BAR);
	}
}
