/* SPDX-License-Identifier: MIT */
#include "formats/stack_tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define SLOTS_MIN 1024u

void stack_tree_init(struct stack_tree *tree)
{
	*tree = (struct stack_tree){ .cap = SLOTS_MIN / 2, .nr_slots = SLOTS_MIN };
	tree->nodes = mem_realloc_array(NULL, tree->cap, sizeof(*tree->nodes));
	tree->slots = mem_zalloc(tree->nr_slots * sizeof(*tree->slots));
	tree->nodes[tree->nr++] = (struct stack_node){
		.label = STACK_TREE_NONE, .parent = STACK_TREE_NONE,
		.first_child = STACK_TREE_NONE, .next_sibling = STACK_TREE_NONE,
	};
}

void stack_tree_release(struct stack_tree *tree)
{
	free(tree->nodes);
	free(tree->slots);
	*tree = (struct stack_tree){ 0 };
}

static uint32_t slot_of(const struct stack_tree *tree, uint32_t parent, uint32_t label)
{
	return (uint32_t)hash_mix(parent, label) & (tree->nr_slots - 1);
}

static void grow(struct stack_tree *tree)
{
	uint32_t mask;

	assert(tree->cap <= UINT32_MAX / 4);
	tree->cap *= 2;
	tree->nodes = mem_realloc_array(tree->nodes, tree->cap, sizeof(*tree->nodes));
	free(tree->slots);
	tree->nr_slots *= 2;
	tree->slots = mem_zalloc((size_t)tree->nr_slots * sizeof(*tree->slots));
	mask = tree->nr_slots - 1;
	for (uint32_t i = 1; i < tree->nr; i++) {
		uint32_t at = slot_of(tree, tree->nodes[i].parent, tree->nodes[i].label);

		while (tree->slots[at])
			at = (at + 1) & mask;
		tree->slots[at] = i;
	}
}

uint32_t stack_tree_child(struct stack_tree *tree, uint32_t parent, uint32_t label)
{
	uint32_t at = slot_of(tree, parent, label), i;

	for (; (i = tree->slots[at]); at = (at + 1) & (tree->nr_slots - 1))
		if (tree->nodes[i].parent == parent && tree->nodes[i].label == label)
			return i;
	if (tree->nr == tree->cap) {
		grow(tree);
		for (at = slot_of(tree, parent, label); tree->slots[at];)
			at = (at + 1) & (tree->nr_slots - 1);
	}
	i = tree->nr++;
	tree->slots[at] = i;
	tree->nodes[i] = (struct stack_node){
		.label = label, .parent = parent,
		.first_child = STACK_TREE_NONE, .next_sibling = STACK_TREE_NONE,
	};
	return i;
}

void stack_tree_add(struct stack_tree *tree, uint32_t node, uint64_t samples, uint64_t period)
{
	tree->nodes[node].self_samples += samples;
	tree->nodes[node].self_period += period;
}

void stack_tree_sum(struct stack_tree *tree)
{
	for (uint32_t i = 0; i < tree->nr; i++) {
		struct stack_node *node = &tree->nodes[i];

		node->total_samples = node->self_samples;
		node->total_period = node->self_period;
		node->first_child = node->next_sibling = STACK_TREE_NONE;
	}
	for (uint32_t i = tree->nr; i-- > 1;) {
		struct stack_node *node = &tree->nodes[i], *parent = &tree->nodes[node->parent];

		parent->total_samples += node->total_samples;
		parent->total_period += node->total_period;
		node->next_sibling = parent->first_child;
		parent->first_child = i;
	}
}

struct order {
	const struct stack_node *nodes;
	stack_tree_cmp *compare;
	void *arg;
};

static int by_compare(const void *a, const void *b, void *arg)
{
	const uint32_t *x = a, *y = b;
	const struct order *order = arg;
	int r = order->compare(&order->nodes[*x], &order->nodes[*y], order->arg);

	return r ? r : (*x > *y) - (*x < *y);
}

void stack_tree_sort(struct stack_tree *tree, stack_tree_cmp *compare, void *arg)
{
	struct order order = { tree->nodes, compare, arg };
	uint32_t *children = mem_realloc_array(NULL, tree->nr, sizeof(*children));

	for (uint32_t i = 0; i < tree->nr; i++) {
		struct stack_node *node = &tree->nodes[i];
		size_t n = 0;

		for (uint32_t c = node->first_child; c != STACK_TREE_NONE;
		     c = tree->nodes[c].next_sibling)
			children[n++] = c;
		if (n < 2)
			continue;
		qsort_r(children, n, sizeof(*children), by_compare, &order);
		node->first_child = children[0];
		for (size_t k = 0; k < n; k++)
			tree->nodes[children[k]].next_sibling =
				k + 1 < n ? children[k + 1] : STACK_TREE_NONE;
	}
	free(children);
}

/* A label is interned as its kind's letter and, behind it, its name. */

void label_table_init(struct label_table *table)
{
	intern_init(&table->names);
}

void label_table_release(struct label_table *table)
{
	intern_release(&table->names);
}

uint32_t label_id(struct label_table *table, const char *name, enum label_kind kind)
{
	struct str s = STR_INIT;
	uint32_t id;

	str_addc(&s, (char)kind);
	str_add(&s, name);
	id = intern_idn(&table->names, s.p, s.len);
	str_release(&s);
	return id;
}

const char *label_name(const struct label_table *table, uint32_t label)
{
	return intern_str(&table->names, label) + 1;
}

enum label_kind label_kind(const struct label_table *table, uint32_t label)
{
	return (enum label_kind)intern_str(&table->names, label)[0];
}

int label_compare(const struct stack_node *a, const struct stack_node *b, void *arg)
{
	const struct label_table *table = arg;
	int r = strcmp(label_name(table, a->label), label_name(table, b->label));

	if (!r)
		r = (int)label_kind(table, a->label) - (int)label_kind(table, b->label);
	return r;
}
