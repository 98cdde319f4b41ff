/* SPDX-License-Identifier: MIT */
/*
 * chain: the call chains behind one row.
 *
 * What perf appends to a row, it appends as this: for a sample that ended in the
 * row, its whole chain; for a sample that only passed through it (children), the
 * chain from the row's first frame on.  "First" is as the tree's order goes: from
 * the root with callers first, from the leaf else.
 *
 * The chains of a row are cut out of the call tree: the ends of its own samples are
 * marked up to the root with their weights; from there, and from the nodes where the
 * row stands first (there with what is not marked), both trees are laid over one
 * another from the top.  What weighs less than the threshold is not gone into, so
 * the work is in what will be shown.
 */
#ifndef PROFILE_CHAIN_H
#define PROFILE_CHAIN_H

#include "base/arena.h"
#include "profile/sort.h"

struct chain {
	uint32_t sym;                    /* label: h->sym_frame[sym] is a frame of it */
	uint32_t nr_all;                 /* children, those under the threshold too */
	uint32_t nr;                     /* children shown */
	struct chain **children;         /* the heaviest first */
	uint64_t self, total;            /* period */
	uint64_t self_samples, total_samples;
};

struct chain_options {
	bool relative;                   /* the threshold is of the parent's children (fractal) */
	double min_percent;
};

struct chains;

/* Prepare for the rows of `hists`, which must outlive it. */
struct chains *chains_new(const struct hists *hists);
void chains_free(struct chains *chains);

/*
 * The chains of row `row` below a root that is no frame itself. Borrowed until the
 * next call.
 */
const struct chain *chains_build(struct chains *chains, uint32_t row,
				 const struct chain_options *options);

#endif
