/* SPDX-License-Identifier: MIT */
/*
 * diff: the rows of several recordings, matched by name.
 *
 *	profile A --diff_add-.
 *	profile B --diff_add-+-> per event: rows with a tally of each file
 *	profile C --diff_add-'        --diff_finish--> differences to A, sorted
 *
 * A row is what reads the same: the texts of its keys (binary's base name, symbol, ...)
 * or its call path. Addresses and build-ids play no part, so that differently built
 * programs can be compared. Events are matched by name, modifiers left out where
 * they differ.
 *
 * Profiles are only read; they may be freed as soon as they were added.
 */
#ifndef PROFILE_DIFF_H
#define PROFILE_DIFF_H

#include "profile/significance.h"
#include "profile/sort.h"

#define DIFF_FILES_MAX 16

enum diff_compute { DIFF_DELTA_ABS, DIFF_DELTA, DIFF_RATIO, DIFF_WDIFF };

struct diff_options {
	struct sort_spec spec;           /* its keys tell rows apart */
	bool by_path;                    /* and the names of their frames */
	bool children;                   /* a row has the samples that pass through it; not by_path */
	bool join_clones;                /* f.isra.0, f.part.1, f.llvm.7 are f */
	enum diff_compute compute;
	double weight_a, weight_b;       /* DIFF_WDIFF: B * weight_b - A * weight_a */
	bool absolute;                   /* amounts and not shares; always of RATIO and WDIFF */
	bool relative;                   /* shares of what passes the filter */
	double level;                    /* of intervals and of judge(): 0.95 */
	unsigned order;                  /* sort by this file's difference; 0: by A's tally */
	const struct profile_query *filter;      /* see filter_entry; NULL: none */
};

struct diff_row {
	const char *const *keys;         /* a text per key column */
	const char *path;                /* names, root first, DIFF_PATH_MARK between; NULL without by_path */
	struct tally *tallies;           /* one per file */
	struct difference *differences;  /* one per file; of file 0 unused */
};

#define DIFF_PATH_MARK '\x1f'

struct diff_event {
	const char *name;                /* file 0's */
	struct tally *totals;            /* one per file; samples 0: the file has it not */
	struct diff_row *rows;
	uint32_t nr_rows;
};

struct diff {
	struct diff_options options;
	unsigned nr_files;
	enum column keys[SORT_COLUMNS_MAX];
	unsigned nr_keys;
	const struct diff_event *events; /* that file 0 and one other at least have */
	uint32_t nr_events;
	struct diff_priv *priv;
};

/* The profile_dim bits that the rows need. */
unsigned diff_dims(const struct diff_options *options);

struct diff *diff_new(const struct diff_options *options, unsigned nr_files);
void diff_free(struct diff *diff);

/* Count in the profile of file `index`; in order, 0 is the baseline. */
void diff_add(struct diff *diff, unsigned index, const struct profile *profile);

/* Compute, judge and sort. Of events that only some files have, log_note tells. */
void diff_finish(struct diff *diff);

/* Does a difference measure amounts (true) or shares? */
bool diff_of_amounts(const struct diff_options *options);

#endif
