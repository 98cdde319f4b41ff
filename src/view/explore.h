/* SPDX-License-Identifier: MIT */
/*
 * explore: the screen of sonde report and sonde top, without a terminal: keys in, a canvas out.
 *
 *	keys --> explore_key --> browser, pager, prompts, lists
 *	                              '--> explore_draw --> canvas
 *
 *	| Samples: 4K of event 'cycles', ...                     | what is seen, and through which filters
 *	|   Overhead  Command  Shared Object  Symbol             |
 *	| +   98.53%  w        w              [.] burn           |
 *	| ? help  q quit  Enter unfold ...                       | keys, a message, a prompt
 *
 * It may be driven by who made the profile (report) or by who renews it (top).
 */
#ifndef VIEW_EXPLORE_H
#define VIEW_EXPLORE_H

#include "view/browser.h"

/* Keys that are no characters. */
enum explore_key {
	KEY_OF_UP = 0x110000, KEY_OF_DOWN, KEY_OF_LEFT, KEY_OF_RIGHT, KEY_OF_PAGE_UP, KEY_OF_PAGE_DOWN,
	KEY_OF_HOME, KEY_OF_END, KEY_OF_BACKSPACE, KEY_OF_BACK_TAB, KEY_OF_F1, KEY_OF_NONE,
};
#define KEY_OF_ESCAPE 27u
#define KEY_OF_ENTER '\n'
#define KEY_OF_TAB '\t'

/* What it asks of its owner. Each may be NULL: then there is no such thing. */
struct explore_calls {
	void *arg;
	/* The function behind a frame as text, a percentage before each instruction. */
	int (*annotate)(void *arg, const struct profile *profile, const struct profile_frame *frame,
			uint32_t event, bool source, struct str *out, struct err *err);
	/* What is known of the recording. */
	void (*about)(void *arg, struct str *out);
	/* Go on or stand still; forget at each look or let fade. */
	void (*freeze)(void *arg, bool frozen);
	void (*zero)(void *arg, bool zero);
	/* Append a line on how it goes. */
	void (*state)(void *arg, struct str *out);
};

struct explore;

/* `view`: as the options have it; filters and order change from there. */
struct explore *explore_new(const struct report_options *view, const struct explore_calls *calls, bool live);
void explore_free(struct explore *explore);

/* Show this profile from now on, which is borrowed until the next call. */
void explore_show(struct explore *explore, const struct profile *profile);

/* A key: a character (Unicode), or one of enum explore_key. False: leave the screen. */
bool explore_key(struct explore *explore, uint32_t key);

/* Say something in the last line, until the next key. */
void explore_say(struct explore *explore, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void explore_draw(struct explore *explore, struct canvas *canvas);

#endif
