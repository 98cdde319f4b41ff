/* SPDX-License-Identifier: MIT */
/*
 * flame_diff: two trees of stacks laid over one another, and what of the change is real.
 *
 * Boxes are as wide as the second's samples; what the first had is told in changes. A box's
 * share is compared as profile/significance.h says, each sample weighing one, and judge()
 * looks at all boxes together.
 */
#ifndef VIEW_FLAME_DIFF_H
#define VIEW_FLAME_DIFF_H

#include "formats/svg.h"
#include "view/fold.h"

struct flame_diff {
	struct stack_tree tree;          /* summed and sorted, with the second's counts */
	struct label_table labels;
	struct svg_change *changes;      /* [node] */
	uint64_t before, after;          /* samples */
	uint32_t nr_real;                /* nodes whose change is */
};

/* `before` and `after` say which event of which profile is meant, and how stacks are folded. */
void flame_diff_init(struct flame_diff *diff, const struct profile *first, const struct fold_options *before,
		     const struct profile *second, const struct fold_options *after);
void flame_diff_release(struct flame_diff *diff);

#endif
