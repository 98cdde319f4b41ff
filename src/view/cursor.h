/* SPDX-License-Identifier: MIT */
/* cursor: the line of a list that keys act on. */
#ifndef VIEW_CURSOR_H
#define VIEW_CURSOR_H

#include <stddef.h>

/* Where it is after `by` lines (below 0: up), no further than the ends of a list of `nr`. */
static inline size_t cursor_moved(size_t cursor, size_t nr, long by)
{
	size_t last = nr ? nr - 1 : 0;

	if (by < 0)
		return (size_t)-by > cursor ? 0 : cursor - (size_t)-by;
	return (size_t)by > last - cursor ? last : cursor + (size_t)by;
}

#endif
