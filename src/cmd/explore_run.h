/* SPDX-License-Identifier: MIT */
/*
 * explore_run: an explorer (view/explore) on the terminal, and functions annotated for it.
 */
#ifndef CMD_EXPLORE_RUN_H
#define CMD_EXPLORE_RUN_H

#include "view/annotate.h"
#include "view/explore.h"

struct explore_run {
	struct explore *explore;
	/* Called each delay_s, if not NULL: look anew and explore_show. */
	int (*look)(void *arg, struct err *err);
	void *arg;
	double delay_s;
};

/* Until its user leaves; remarks (base/log) are shown on the screen meanwhile. */
int explore_run(struct explore_run *run, struct err *err);

/*
 * The function that `frame` of some profile is of, annotated by a profile that was counted
 * by address, as text.
 */
int explore_annotate(const struct annotate_options *options, const struct sources_options *sources,
		     const struct profile *by_address, const struct profile_frame *frame, uint32_t event,
		     struct str *out, struct err *err);

#endif
