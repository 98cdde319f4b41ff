/* SPDX-License-Identifier: MIT */
/* report_priv: what sonde report was asked for, between its files. */
#ifndef CMD_REPORT_PRIV_H
#define CMD_REPORT_PRIV_H

#include <regex.h>

#include "cmd/query.h"
#include "view/report.h"

struct report {
	struct query_options query;
	struct report_options view;
	struct sort_wish wish;
	const char *percentage, *color, *limit, *parent, *quantum, *widths, *socket, *ignore_callees;
	const char *pretty;
	bool late_keys, usage;
	regex_t parent_pattern, callees_pattern;
	struct extra extras[EXTRAS_MAX];
	bool stdio, inverted, header, header_only, children, inlines, json, csv;
	bool graph_given;
	unsigned height;                 /* of the terminal that a plain run may fill; 0: no such run */
	bool dump, stats, tasks, mmaps, threads, raw_counts;
	bool branches, branches_given, memory, groups, groups_given, modules, unordered, no_vmlinux;
	bool skip_empty, full_paths;
	bool tui, screen;                /* asked for; what it will be */
};

/* Check the options against one another, as far as that goes without the recording. */
int report_settle(struct report *r, struct err *err);

/* Show the profile on the screen until its user leaves it. */
int report_screen(struct report *r, const struct profile *profile, struct err *err);

/* For options of perf report that sonde report does not have: says why, as opt_fn. */
int report_refuse(const struct opt *opt, const char *arg, bool unset, struct err *err);

#endif
