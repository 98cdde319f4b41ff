/* SPDX-License-Identifier: MIT */
/*
 * folded: stacks as lines of text, "root;caller;callee 12".
 *
 * The form that flame graph tools read and write: frames from the root to the
 * leaf with ';' between them, a space, a count.  A name holds no ';' and no
 * newline here: they are written as ':' and '_'.
 */
#ifndef FORMATS_FOLDED_H
#define FORMATS_FOLDED_H

#include <stdio.h>

#include "base/err.h"
#include "formats/stack_tree.h"

/* Which of a tree's two counts is meant. */
enum stack_value { STACK_SAMPLES, STACK_PERIOD };

/*
 * Write a tree whose labels are `labels`'s, a line for each node that has a count
 * of its own, children behind their parent in the tree's order (sort it by
 * label_compare for lines that are the same at every run).
 * Returns 0, or a negative errno when `out` has failed.
 */
int folded_write(const struct stack_tree *tree, const struct label_table *labels,
		 enum stack_value value, FILE *out, struct err *err);

/*
 * Read folded text and add it to the tree. Lines that are empty or start with
 * '#' are passed over. Annotations (_[k], _[i], _[j]) become kinds and leave the
 * name. `reverse` lays the stacks from their leaves. A line without a count is -EBADMSG, with its number in the message.
 */
int folded_read(struct stack_tree *tree, struct label_table *labels, bool reverse, FILE *in,
		struct err *err);

static inline uint64_t stack_self(const struct stack_node *node, enum stack_value value)
{
	return value == STACK_PERIOD ? node->self_period : node->self_samples;
}

static inline uint64_t stack_total(const struct stack_node *node, enum stack_value value)
{
	return value == STACK_PERIOD ? node->total_period : node->total_samples;
}

#endif
