/* SPDX-License-Identifier: MIT */
/*
 * stack_tree: many stacks, laid over one another from one end.
 *
 * In: paths of labels with counts.  Out: a tree whose every node is a label under
 * its parent, once, with the counts that end there (self) and below (total).
 *
 *	a;b;c 2            0 (root)
 *	a;b 1      ->      '-- a  self 0  total 7
 *	a;d 4                  |-- b  self 1  total 3
 *	                       |   '-- c  self 2  total 2
 *	                       '-- d  self 4  total 4
 *
 * What a label means is the caller's: a name of a struct label_table, a symbol's
 * number.  Which end of the stacks is the root is the caller's too.
 *
 * A node is always made after its parent, so that a loop over the indices from
 * the first to the last meets parents first, and no walk here needs recursion.
 * Not for use by two threads at once.
 */
#ifndef FORMATS_STACK_TREE_H
#define FORMATS_STACK_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

#define STACK_TREE_ROOT 0u
#define STACK_TREE_NONE UINT32_MAX

struct stack_node {
	uint32_t label, parent;
	uint32_t first_child, next_sibling;      /* STACK_TREE_NONE; set by stack_tree_sum */
	uint64_t self_samples, self_period;
	uint64_t total_samples, total_period;    /* set by stack_tree_sum */
};

struct stack_tree {
	struct stack_node *nodes;                /* nodes[0] is the root */
	uint32_t nr, cap;
	uint32_t *slots;                         /* node's index, or 0: free */
	uint32_t nr_slots;
};

void stack_tree_init(struct stack_tree *tree);
void stack_tree_release(struct stack_tree *tree);

/* The child of `parent` with that label; made when there is none. */
uint32_t stack_tree_child(struct stack_tree *tree, uint32_t parent, uint32_t label);

void stack_tree_add(struct stack_tree *tree, uint32_t node, uint64_t samples, uint64_t period);

/* Compute the totals and link the children, in the order in which they were made. */
void stack_tree_sum(struct stack_tree *tree);

/*
 * Order the children of every node (after stack_tree_sum). `compare` is given
 * two nodes and says which comes first, as in qsort.
 */
typedef int stack_tree_cmp(const struct stack_node *a, const struct stack_node *b, void *arg);
void stack_tree_sort(struct stack_tree *tree, stack_tree_cmp *compare, void *arg);

/* What runs in a frame, for colours and annotations. */
enum label_kind {
	LABEL_USER = 'u',
	LABEL_KERNEL = 'k',
	LABEL_INLINE = 'i',
	LABEL_JIT = 'j',
	LABEL_UNNAMED = '?',
	LABEL_TASK = 'c',        /* a command's or an event's name, not a function */
};

/* Labels that are a name and a kind. */
struct label_table { struct intern names; };

void label_table_init(struct label_table *table);
void label_table_release(struct label_table *table);
uint32_t label_id(struct label_table *table, const char *name, enum label_kind kind);
const char *label_name(const struct label_table *table, uint32_t label);
enum label_kind label_kind(const struct label_table *table, uint32_t label);

/* stack_tree_cmp by name, then kind; `arg` is the struct label_table. */
int label_compare(const struct stack_node *a, const struct stack_node *b, void *arg);

#endif
