/* SPDX-License-Identifier: MIT */
/*
 * callgraph: the call chains below a row of the report, in perf report's drawings.
 *
 *	graph, fractal        flat              folded
 *	  |                      60.00%           60.00% main;burn
 *	  ---main                     main        40.00% main;b;burn
 *	     |                        burn
 *	     |--60.00%--burn
 *	     |
 *	      --40.00%--b
 */
#ifndef VIEW_CALLGRAPH_H
#define VIEW_CALLGRAPH_H

#include <stdio.h>

#include "base/err.h"
#include "profile/chain.h"

enum callgraph_style {
	CALLGRAPH_HIDDEN, CALLGRAPH_GRAPH, CALLGRAPH_FRACTAL, CALLGRAPH_FLAT, CALLGRAPH_FOLDED,
};
enum callgraph_value { CALLGRAPH_PERCENT, CALLGRAPH_PERIOD, CALLGRAPH_COUNT };

struct callgraph_options {
	enum callgraph_style mode;
	enum callgraph_value value;
	enum tree_order order;
	bool order_given;
	double min_percent;
	unsigned print_limit;            /* children of a node that are drawn; 0: all */
};

/* "graph", 0.5 %, all, percent. */
void callgraph_defaults(struct callgraph_options *options);

/* Parse -g's argument: words and numbers between commas, as in perf report. */
int callgraph_parse(struct callgraph_options *options, const char *text, struct err *err);

struct callgraph_page {
	FILE *out;
	const char *separator;           /* of folded frames; NULL: ";" */
	unsigned width;                  /* cut lines to that many columns; 0: do not */
	bool skip_first;                 /* the row's own symbol is not repeated */
	bool hide_unnamed;
};

/* Draw the chains of one row of `hists`. */
void callgraph_write(const struct callgraph_page *page, const struct callgraph_options *options,
		     const struct hists *hists, const struct chain *root);

/* A chain that samples of a row end with: its symbols from the first to the last. */
struct callgraph_path {
	const uint32_t *syms;
	uint32_t nr;
	uint64_t period, samples;
};
typedef void callgraph_path_fn(const struct callgraph_path *path, void *arg);

/* Those that reach the threshold, the heaviest first. */
void callgraph_paths(const struct callgraph_options *options, const struct hists *hists,
		     const struct chain *root, callgraph_path_fn *fn, void *arg);

/* Append how a symbol is called in a chain. */
void callgraph_add_name(struct str *s, const struct hists *hists, uint32_t sym);

#endif
