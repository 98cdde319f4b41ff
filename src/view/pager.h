/* SPDX-License-Identifier: MIT */
/*
 * pager: lines of text to move about and to search in: an annotated function, help, a header.
 *
 * Lines that begin with a number are drawn in its heat, as a percentage, if that is wanted.
 */
#ifndef VIEW_PAGER_H
#define VIEW_PAGER_H

#include "view/canvas.h"

struct pager;

/* `text` is taken over. `heat`: lines begin with percentages, and the hottest is where it begins. */
struct pager *pager_new(const char *title, struct str *text, bool heat);
void pager_free(struct pager *pager);

const char *pager_title(const struct pager *pager);
size_t pager_count(const struct pager *pager);
size_t pager_cursor(const struct pager *pager);
const char *pager_line(const struct pager *pager, size_t index);
void pager_move(struct pager *pager, long by);
/* To the hottest line that is not hotter than the current one (which is passed over); or again to the first. */
void pager_next_hot(struct pager *pager);
void pager_hottest(struct pager *pager);
/* To the next line after the current one that has `text` in it, from the top again; false: none. */
bool pager_search(struct pager *pager, const char *text);
void pager_draw(struct pager *pager, struct canvas *canvas, unsigned y, unsigned height, unsigned skip);

#endif
