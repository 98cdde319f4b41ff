/* SPDX-License-Identifier: MIT */
#include "view/flame_diff.h"

#include <stdlib.h>

#include "base/mem.h"
#include "profile/significance.h"

#define LEVEL 0.95

/* The samples below each node so far, which the tree then forgets. */
static uint64_t *take_totals(struct stack_tree *tree)
{
	uint64_t *totals = mem_zalloc((tree->nr + 1) * sizeof(*totals));

	for (uint32_t i = 0; i < tree->nr; i++) {
		totals[i] = tree->nodes[i].total_samples;
		tree->nodes[i].self_samples = tree->nodes[i].self_period = 0;
	}
	return totals;
}

static struct tally tally_of(uint64_t samples)
{
	return (struct tally){ .samples = samples, .period = samples, .squares = (double)samples };
}

static void compare_nodes(struct flame_diff *d, const uint64_t *first, uint32_t nr_first)
{
	struct difference *differences = mem_zalloc(d->tree.nr * sizeof(*differences));
	struct difference **family = mem_zalloc(d->tree.nr * sizeof(*family));
	struct tally all_before = tally_of(d->before), all_after = tally_of(d->after);
	double z = significance_z(LEVEL);

	d->changes = mem_zalloc(d->tree.nr * sizeof(*d->changes));
	for (uint32_t i = 1; d->before && d->after && i < d->tree.nr; i++) {
		struct tally a = tally_of(i < nr_first ? first[i] : 0), b = tally_of(d->tree.nodes[i].total_samples);

		compare_shares(&differences[i], &a, &all_before, &b, &all_after, z);
		family[i - 1] = &differences[i];
		d->changes[i].before = (double)a.samples / (double)d->before;
		d->changes[i].delta = differences[i].delta;
	}
	if (d->before && d->after && d->tree.nr > 1)
		judge(family, d->tree.nr - 1, LEVEL);
	for (uint32_t i = 1; i < d->tree.nr; i++) {
		d->changes[i].real = differences[i].real;
		d->nr_real += differences[i].real;
	}
	if (d->before)
		d->changes[STACK_TREE_ROOT].before = 1;
	free(differences);
	free(family);
}

void flame_diff_init(struct flame_diff *d, const struct profile *first, const struct fold_options *before,
		     const struct profile *second, const struct fold_options *after)
{
	uint64_t *totals;
	uint32_t nr_first;

	*d = (struct flame_diff){ .nr_real = 0 };
	stack_tree_init(&d->tree);
	label_table_init(&d->labels);
	fold_profile(&d->tree, &d->labels, first, before);
	totals = take_totals(&d->tree);
	nr_first = d->tree.nr;
	fold_profile(&d->tree, &d->labels, second, after);
	d->before = totals[STACK_TREE_ROOT];
	d->after = d->tree.nodes[STACK_TREE_ROOT].total_samples;
	compare_nodes(d, totals, nr_first);
	free(totals);
}

void flame_diff_release(struct flame_diff *d)
{
	stack_tree_release(&d->tree);
	label_table_release(&d->labels);
	free(d->changes);
}
