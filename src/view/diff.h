/* SPDX-License-Identifier: MIT */
/*
 * diff: the differences between recordings as a table, CSV or JSON.
 *
 *	Baseline     Delta       +-  Ratio     Shared Object  Symbol
 *	  49.67%    -1.67%     2.83  0.966  ~  app            [.] burn
 *
 * Baseline and Delta stand where perf diff has them. "~" marks noise: what judge()
 * does not call real.
 */
#ifndef VIEW_DIFF_H
#define VIEW_DIFF_H

#include <stdio.h>

#include "profile/diff.h"

struct diff_view {
	const char *const *files;        /* names, one per file */
	const char *separator;           /* -t; NULL: columns are filled */
	unsigned width;                  /* of the terminal; 0: any */
	double percent_limit;            /* rows below it in all files are left out */
	bool baseline_only;              /* no rows that the baseline has not */
	bool real_only;                  /* no noise */
	bool samples, period, formula;   /* more columns */
	bool quiet;                      /* rows alone */
};

void diff_write_text(const struct diff_view *view, const struct diff *diff, FILE *out);

/* A heading and a line a row (RFC 4180); numbers are not rounded for the eye. */
void diff_write_csv(const struct diff_view *view, const struct diff *diff, FILE *out);

/* One object; "version" grows when a member changes its meaning. */
void diff_write_json(const struct diff_view *view, const struct diff *diff, FILE *out);

/* Is a row to be shown? */
bool diff_shows(const struct diff_view *view, const struct diff *diff,
		const struct diff_event *event, const struct diff_row *row);

#endif
