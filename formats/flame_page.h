/* SPDX-License-Identifier: MIT */
/*
 * flame_page: a profile as one HTML page to look around in: flame and icicle graph,
 * callers, callees, a table, a strip of time; choices of event, thread and span.
 *
 * The page has everything in it: style and script (formats/page/), and the profile as a
 * tree of stacks and rows of counts, which the script adds up anew for each choice. Its
 * security policy lets it load nothing. Names are escaped: they may mean harm.
 */
#ifndef FORMATS_FLAME_PAGE_H
#define FORMATS_FLAME_PAGE_H

#include "formats/export.h"

/* What the page shows first; it can do all of them. */
enum flame_page_view { FLAME_PAGE_FLAME, FLAME_PAGE_ICICLE, FLAME_PAGE_CALLERS, FLAME_PAGE_TABLE };
enum flame_page_colors { FLAME_PAGE_KIND, FLAME_PAGE_MODULE, FLAME_PAGE_PACKAGE, FLAME_PAGE_SELF,
			 FLAME_PAGE_CHANGE };

struct flame_page_options {
	const char *title;               /* NULL: the source's */
	const char *sub;                 /* behind the number of samples; NULL: nothing */
	const char *account;             /* what is missing or doubtful, lines; NULL: nothing */
	uint32_t event;                  /* shown first */
	uint32_t nr_buckets;             /* of the samples' times; 1: time is not told */
	uint64_t bucket_ns;
	const char *files[2];            /* of a comparison: samples of file 0 and of file 1; else NULL */
	enum flame_page_view view;
	enum flame_page_colors colors;
	uint32_t most_nodes;             /* more are merged, the smallest first; 0: 400,000 */
	uint32_t most_rows;              /* more are joined: coarser times, no CPUs, fewer tasks; 0: 400,000 */
};

int flame_page_colors_parse(const char *name, enum flame_page_colors *out, struct err *err);

/* Returns 0, or a negative errno when `out` has failed. */
int flame_page_write(const struct export_source *source, const struct flame_page_options *options,
		     FILE *out, struct err *err);

#endif
