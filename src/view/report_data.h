/* SPDX-License-Identifier: MIT */
/*
 * report_data: the report for programs: JSON and CSV, with the rows of the text.
 *
 * JSON (doc/sonde-report.md describes it; REPORT_JSON_VERSION grows when what is
 * there changes its meaning, and not when something is added):
 *
 *	{ "schema": "sonde-report", "version": 1,
 *	  "events": [ { "event": "cycles", "samples": 10, "period": 10, ...
 *	      "rows": [ { "children": 9, "samples": 6, "period": 6, ...
 *	                  "comm": "w", "dso": "app", ..., "sym": "burn", ...
 *	                  "chains": [ { "period": 6, "samples": 6,
 *	                                "frames": ["burn", "main"] } ] } ] } ],
 *	  "account": { ... } }
 *
 * CSV is that of RFC 4180: a header line, then a line for each row of each event.
 */
#ifndef VIEW_REPORT_DATA_H
#define VIEW_REPORT_DATA_H

#include "view/report.h"

#define REPORT_JSON_VERSION 1

void report_json(const struct report_options *options, const struct profile *profile, FILE *out);
void report_csv(const struct report_options *options, const struct profile *profile, FILE *out);

#endif
