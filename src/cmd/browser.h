/* SPDX-License-Identifier: MIT */
/*
 * browser: show a file in the user's browser.
 *
 * $BROWSER, or else xdg-open. No shell is asked: the variable's first entry (they stand
 * with ':' between, each a program with arguments; "%s" is where the file goes, or else
 * the end) is split at blanks.  Under sudo the browser runs as the user who called it.
 */
#ifndef CMD_BROWSER_H
#define CMD_BROWSER_H

#include "base/err.h"

/* Is there a browser to ask? -ENOENT with a message if not. To be asked before long work. */
int browser_check(struct err *err);

/* Start it and go on: what it does with the file is its own matter. */
int browser_open(const char *path, struct err *err);

#endif
