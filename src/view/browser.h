/* SPDX-License-Identifier: MIT */
/*
 * browser: the rows of a report as a list to move about in, whose call chains unfold.
 *
 *	rows (report_rows), sorted      items: what is in the list now
 *	  - row 1                    ->   row 1
 *	      chains (profile/chain)        60.00% main      a branch: may be folded
 *	  + row 2                             start          goes on without one
 *	                                    40.00% f
 *	                                  row 2
 *
 * Nothing here knows of terminals or keys.  What is unfolded and where the cursor stands
 * is remembered by what is shown (a hash of the row's keys and of the names on the way),
 * so that it survives when the rows are made anew from a profile that has gone on.
 *
 * The profile is borrowed from browser_load to the next one.
 */
#ifndef VIEW_BROWSER_H
#define VIEW_BROWSER_H

#include "view/canvas.h"
#include "view/report.h"

struct browser;

enum item_kind { ITEM_ROW, ITEM_BRANCH, ITEM_FRAME };

struct item {
	enum item_kind kind;
	uint32_t row;                    /* of the hists */
	uint32_t sym;                    /* of a branch or frame: label in the hists */
	unsigned depth;                  /* 0: a row */
	uint64_t key;
	uint64_t period, samples;        /* of a branch */
	bool has_more, is_open;          /* there is something below it; it is shown */
};

struct browser *browser_new(void);
void browser_free(struct browser *browser);

/*
 * Make the rows of an event of a profile, or of the events whose table it begins. The cursor stays on its item if that is still
 * there (but at the top if it stood there), else where it was.
 */
void browser_load(struct browser *browser, const struct report_options *view,
		  const struct profile *profile, uint32_t event);
/* How many events stand side by side in it, if view->groups asks for that; and append their names. */
uint32_t browser_events(const struct browser *browser);
void browser_add_event_names(const struct browser *browser, struct str *out);

const struct hists *browser_hists(const struct browser *browser);
size_t browser_count(const struct browser *browser);     /* items */
const struct item *browser_item(const struct browser *browser, size_t index);
/* The one under the cursor; NULL in an empty list. */
const struct item *browser_current(const struct browser *browser);
/* A frame of what an item shows: of the row's, or of the function in the chain. NULL for NULL. */
const struct profile_frame *browser_frame(const struct browser *browser, const struct item *item);

/* Move by so many items, down or up; and so that the cursor is among `height` items from the top. */
void browser_move(struct browser *browser, long by);
void browser_scroll(struct browser *browser, unsigned height);
size_t browser_cursor(const struct browser *browser);
size_t browser_top(const struct browser *browser);       /* the first item on the screen */

/*
 * Unfold or fold the current item; false if there is nothing below it. A frame stands for
 * the branch it belongs to.
 */
bool browser_toggle(struct browser *browser);
/* All below the current row, or if it is unfolded, fold it; false as above. */
bool browser_toggle_all(struct browser *browser);
/* All rows, as far as a screen is of use for that; returns how many rows were left folded. */
uint32_t browser_unfold_rows(struct browser *browser);
void browser_fold_rows(struct browser *browser);

/*
 * Draw the columns' titles and items from browser_top on into lines y.. of the canvas, the
 * first `skip` columns left out. `titles`: with titles in the first line.
 */
void browser_draw(struct browser *browser, struct canvas *canvas, unsigned y, unsigned height,
		  unsigned skip, bool titles);

#endif
