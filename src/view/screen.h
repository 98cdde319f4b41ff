/* SPDX-License-Identifier: MIT */
/*
 * screen: the terminal as a whole, by ncursesw, which is opened when it is wanted.
 *
 * There is one.  While it is open, nothing else may write to the terminal.  Ctrl-Z and
 * fg work; of SIGINT, SIGTERM and SIGHUP the next screen_key tells.
 */
#ifndef VIEW_SCREEN_H
#define VIEW_SCREEN_H

#include "base/err.h"
#include "view/canvas.h"
#include "view/explore.h"

/* Whether standard input and output are a terminal that a screen can be drawn on. */
bool screen_possible(void);

/* Whether it can be opened, as far as that can be told without opening it. */
int screen_check(struct err *err);

/*
 * Whether a command is to open it: where it was asked for, if it can be, and elsewhere where
 * it can be and nothing asks for text. Of a library that is missing a remark tells.
 */
int screen_choose(bool asked, bool text, bool *chosen, struct err *err);

/* Take the terminal. Errors: ncursesw is not installed, or does not know the terminal. */
int screen_open(struct err *err);
/* Give it back as it was. */
void screen_close(void);

/* Make the canvas as large as the terminal is now; show it. */
void screen_fit(struct canvas *canvas);
void screen_show(const struct canvas *canvas);

/*
 * Wait so long for a key; KEY_OF_NONE if there was none, or the terminal has another size
 * now. 3 (Ctrl-C) for a signal that wants us to end.
 */
uint32_t screen_key(int timeout_ms);

#endif
