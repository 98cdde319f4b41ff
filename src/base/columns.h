/* SPDX-License-Identifier: MIT */
/*
 * columns: how wide characters are on a terminal, whatever the locale.
 */
#ifndef BASE_COLUMNS_H
#define BASE_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

/* Columns of a character that can be printed: 0 (it is drawn over the one before), 1 or 2. */
unsigned columns_of(uint32_t cp);

/*
 * The character that `text`, UTF-8 made safe (str_add_safe) and not at its end, begins
 * with. Returns its bytes.
 */
size_t columns_next(const char *text, uint32_t *cp);

#endif
