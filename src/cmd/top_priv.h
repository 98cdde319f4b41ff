/* SPDX-License-Identifier: MIT */
/* top_priv: what sonde top was asked for and what it knows, between its files. */
#ifndef CMD_TOP_PRIV_H
#define CMD_TOP_PRIV_H

#include <regex.h>

#include "cmd/query.h"
#include "cmd/sampling.h"
#include "engine/live.h"
#include "view/annotate.h"
#include "view/report.h"

struct top {
	struct sampling s;
	struct query_options query;
	struct report_options view;
	struct annotate_options annotate;
	struct sources_options sources;
	struct sort_wish wish;
	const char *delay_text, *limit, *percentage, *widths, *ignore_callees, *syntax, *symbol;
	double delay_s;
	unsigned entries;
	bool children, children_given, zero, stdio, tui, ignore_vmlinux, source, groups, groups_given;
	regex_t callees;
	struct extra extras[EXTRAS_MAX];

	struct live *live;
	struct profile *profile;         /* NULL until top_begin */
	/* of the latest interval */
	uint64_t samples, lost;
	double seconds, kernel_percent;
	uint64_t taken_ns;               /* CLOCK_MONOTONIC at its end */
};

/* Open the events; count what comes from now on. */
int top_begin(struct top *t, struct err *err);
/* Let fade what there is (or, with -z, clear it) and count what came since the last time. */
int top_step(struct top *t, struct err *err);
void top_end(struct top *t);

/* "4027 samples/s  kernel 86.3%  lost 0  [4000 Hz cpu-clock]  (all, 2 CPUs)" */
void top_add_head(const struct top *t, struct str *out);

/* The screen; until its user leaves it. */
int top_screen(struct top *t, struct err *err);

#endif
