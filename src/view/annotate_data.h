/* SPDX-License-Identifier: MIT */
/*
 * annotate_data: annotated functions for programs (JSON) and for a browser (HTML).
 *
 * Both are written function by function: a head, any number of functions, a foot.
 *
 * JSON (doc/sonde-annotate.md describes it; ANNOTATE_JSON_VERSION grows when what is
 * there changes its meaning, and not when something is added):
 *
 *	{ "schema": "sonde-annotate", "version": 1,
 *	  "functions": [ { "symbol": "divide", "module": "/tmp/app", "start": "0x1790", ...
 *	      "events": [ { "event": "cpu-clock", "samples": 749, "period": 187250000 } ],
 *	      "instructions": [ { "address": "0x17a4", "bytes": "f7f1", "text": "div %ecx",
 *	                          "file": "t.cc", "line": 10, "inlined": [...],
 *	                          "counts": [ { "samples": 634, "period": 1, "percent": 84.65 } ] } ] } ],
 *	  "missing": 0, "below_limit": 3 }
 *
 * The page is one file with its style and script inside, and refuses all network by its
 * own policy: functions on the left, source and instructions side by side, each with a
 * column of heat; what was made from one source line lights up together.
 */
#ifndef VIEW_ANNOTATE_DATA_H
#define VIEW_ANNOTATE_DATA_H

#include "view/annotate.h"

#define ANNOTATE_JSON_VERSION 1

/* `nr` counts the functions from 0. */
void annotate_json_head(FILE *out);
void annotate_json_function(const struct annotation *a, uint32_t nr, FILE *out);
void annotate_json_foot(uint32_t missing, uint32_t below_limit, FILE *out);

void annotate_html_head(const char *title, FILE *out);
void annotate_html_function(const struct annotate_options *options, struct sources *sources,
			    const struct annotation *a, uint32_t nr, FILE *out);
/* `notes`: lines of text to stand at the end, or "". */
void annotate_html_foot(const char *notes, FILE *out);

#endif
