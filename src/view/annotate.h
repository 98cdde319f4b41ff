/* SPDX-License-Identifier: MIT */
/*
 * annotate: a function's instructions and source lines as text.
 *
 *	 Percent |	Source code & Disassembly of app for cpu-clock (749 samples, percent: local period)
 *	---------------------------------------------------------------------------------------------
 *	         : 10           s += n / i;
 *	   84.65 :   17a4:   div    %ecx
 *
 * and, as --stdio2 has it, with offsets for addresses and the jumps drawn in the margin.
 */
#ifndef VIEW_ANNOTATE_H
#define VIEW_ANNOTATE_H

#include <stdio.h>

#include "view/annotation.h"

struct annotate_options {
	struct annotation_options model;
	bool brief;                      /* --stdio2 */
	bool print_line, full_paths, asm_raw, samples, period, color;
	double min_percent;              /* instructions below it are left out */
	unsigned width;                  /* of the terminal; 0: none */
};

/* `sources` may be NULL: no source text, lines as file:line all the same. */
void annotate_write(const struct annotate_options *options, struct sources *sources,
		    const struct annotation *a, FILE *out);

/* Whether samples of this event lie behind the instruction that caused them. */
bool annotate_skids(const struct perf_event_attr *attr);

/* The last part of a path, or all of it. */
const char *annotate_path(const char *path, bool full);

#endif
