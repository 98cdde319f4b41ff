/* SPDX-License-Identifier: MIT */
/* explore_priv: the state of an explorer, between the files that work on it. */
#ifndef VIEW_EXPLORE_PRIV_H
#define VIEW_EXPLORE_PRIV_H

#include "base/vec.h"
#include "view/explore.h"
#include "view/pager.h"

enum zoom_kind { ZOOM_DSO, ZOOM_COMM, ZOOM_TID, ZOOM_NAME };

/* A filter that was set by a key; the latest is taken off first. */
struct zoom {
	enum zoom_kind kind;
	char *text;                      /* the module's path, the command, a part of the name */
	uint32_t tid;
};

enum explore_mode { MODE_LIST, MODE_TEXT, MODE_ANNOTATE, MODE_PICK_EVENT, MODE_PICK_TASK };
enum explore_prompt { PROMPT_NONE, PROMPT_FILTER, PROMPT_LIMIT, PROMPT_SEARCH };

struct explore {
	struct report_options view;      /* with what keys changed */
	struct report_options base;      /* as it was asked for */
	struct explore_calls calls;
	const struct profile *profile;
	struct browser *browser;
	uint32_t event;
	bool live, frozen, zero, loaded, chose_event;

	VEC(struct zoom) zooms;
	const char *one_dso[2], *one_comm[2];
	uint32_t one_tid;

	enum explore_mode mode;
	struct pager *pager;             /* in all modes but the list */
	VEC(uint32_t) picks;             /* what its lines stand for: events, or tid and comm */
	struct profile_frame annotated;  /* a copy */
	bool source, wants_source;
	char *searched;

	enum explore_prompt prompt;
	struct str typed;
	struct str message;
	unsigned skip;                   /* columns that are scrolled out at the left */
	unsigned page;                   /* lines of the list, as last drawn */
	bool no_titles;
};

/* explore.c: make the rows anew, after something about them changed. */
void explore_reload(struct explore *x);
/* Show text in a pager; `text` is taken over. */
void explore_text(struct explore *x, enum explore_mode mode, const char *title, struct str *text);

/* explore_zoom.c: filters. */
void zoom_apply(struct explore *x);
void zoom_in(struct explore *x, enum zoom_kind kind, const char *text, uint32_t tid);
bool zoom_out(struct explore *x);        /* false: there is nothing to take off */
void zoom_dso(struct explore *x);        /* of the current item */
void zoom_kernel(struct explore *x);
void zoom_task(struct explore *x);       /* its thread or command, or a list to choose from */
void zoom_pick_task(struct explore *x);
void zoom_add_text(const struct explore *x, struct str *out);
void zoom_release(struct explore *x);

#endif
