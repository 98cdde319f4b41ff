/* SPDX-License-Identifier: MIT */
#include "profile/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"

static uint32_t tuple_slot(const struct tuple_table *table, const struct tuple *t)
{
	uint64_t h = hash_mix(hash_mix(t->w[0], t->w[1]), t->w[2]);

	return (uint32_t)h & (table->nr_slots - 1);
}

static void tuple_grow(struct tuple_table *table)
{
	table->cap = table->cap ? table->cap * 2 : 64;
	table->v = mem_realloc_array(table->v, table->cap, sizeof(*table->v));
	table->nr_slots = table->cap * 2;
	free(table->slots);
	table->slots = mem_zalloc((size_t)table->nr_slots * sizeof(*table->slots));
	for (uint32_t i = 0; i < table->nr; i++) {
		uint32_t at = tuple_slot(table, &table->v[i]);

		while (table->slots[at])
			at = (at + 1) & (table->nr_slots - 1);
		table->slots[at] = i + 1;
	}
}

uint32_t tuple_id(struct tuple_table *table, uint64_t a, uint64_t b, uint64_t c)
{
	struct tuple t = { { a, b, c } };
	uint32_t at, i;

	if (table->nr == table->cap)
		tuple_grow(table);
	for (at = tuple_slot(table, &t); (i = table->slots[at]);
	     at = (at + 1) & (table->nr_slots - 1))
		if (memcmp(&table->v[i - 1], &t, sizeof(t)) == 0)
			return i - 1;
	table->v[table->nr] = t;
	table->slots[at] = ++table->nr;
	return table->nr - 1;
}

void tuple_table_release(struct tuple_table *table)
{
	free(table->v);
	free(table->slots);
	*table = (struct tuple_table){ 0 };
}

uint32_t *profile_symbols(const struct profile *profile, bool by_addr, uint32_t *nr)
{
	uint32_t *syms = mem_realloc_array(NULL, profile->nr_frames + 1, sizeof(*syms));
	struct tuple_table table = { 0 };

	for (uint32_t i = 0; i < profile->nr_frames; i++) {
		const struct profile_frame *f = &profile->frames[i];
		uint64_t where = f->sym_start, kind = 0;

		if (!f->name) {
			where = !by_addr ? 0 : f->module ? f->elf_addr : f->run_addr;
			kind = 1;
		} else if (f->is_inline) {
			/* Two inlined functions may start at one address. */
			where = hash_bytes(f->name, strlen(f->name));
			kind = 2;
		}
		syms[i] = tuple_id(&table, (uintptr_t)f->module, where, kind);
	}
	*nr = table.nr;
	tuple_table_release(&table);
	return syms;
}

static uint32_t group_of(struct tuple_table *table, const struct profile_entry *e, unsigned by)
{
	uint64_t comm = by & PROFILE_BY_COMM ? e->comm : ~0u;
	uint64_t pid = by & PROFILE_BY_PID ? e->pid : ~0u;
	uint64_t tid = by & PROFILE_BY_TID ? e->tid : ~0u;
	uint64_t cpu = by & PROFILE_BY_CPU ? e->cpu : ~0u;

	return tuple_id(table, comm << 32 | pid, tid << 32 | cpu, e->extra);
}

static struct group group_make(const struct profile_entry *e, unsigned by)
{
	return (struct group){
		.comm = e->comm,
		.pid = by & PROFILE_BY_PID ? e->pid : ~0u,
		.tid = by & PROFILE_BY_TID ? e->tid : ~0u,
		.cpu = by & PROFILE_BY_CPU ? e->cpu : ~0u,
		.extra = e->extra,
	};
}

static uint32_t lay(struct stack_tree *tree, uint32_t node, const struct profile_stack *stack,
		    const uint32_t *labels, enum tree_order order)
{
	if (order == TREE_LEAF_FIRST)
		for (uint32_t i = 0; i < stack->nr; i++)
			node = stack_tree_child(tree, node, labels[stack->frames[i]]);
	else
		for (uint32_t i = stack->nr; i-- > 0;)
			node = stack_tree_child(tree, node, labels[stack->frames[i]]);
	return node;
}

void call_tree_build(struct call_tree *tree, const struct profile *profile, uint32_t event,
		     const uint32_t *labels, unsigned group_by, enum tree_order order,
		     entry_filter *filter, const void *arg)
{
	struct tuple_table groups = { 0 };
	VEC(struct group) vec = { 0 };
	size_t n = 0;

	*tree = (struct call_tree){ .order = order };
	stack_tree_init(&tree->nodes);
	for (size_t i = 0; i < profile->nr_entries; i++)
		n += profile->entries[i].event == event;
	tree->entries = mem_realloc_array(NULL, n + 1, sizeof(*tree->entries));
	tree->ends = mem_realloc_array(NULL, n + 1, sizeof(*tree->ends));
	tree->entry_group = mem_realloc_array(NULL, n + 1, sizeof(*tree->entry_group));
	for (size_t i = 0; i < profile->nr_entries; i++) {
		const struct profile_entry *e = &profile->entries[i];
		uint32_t group, node;

		if (e->event != event || (filter && !filter(profile, e, arg)))
			continue;
		group = group_of(&groups, e, group_by);
		if (group == vec.nr)
			*vec_push(&vec) = group_make(e, group_by);
		node = stack_tree_child(&tree->nodes, STACK_TREE_ROOT, group);
		node = lay(&tree->nodes, node, &profile->stacks[e->stack], labels, order);
		stack_tree_add(&tree->nodes, node, e->samples, e->period);
		tree->entries[tree->nr_entries] = (uint32_t)i;
		tree->entry_group[tree->nr_entries] = group;
		tree->ends[tree->nr_entries++] = node;
	}
	tree->nr_groups = groups.nr;
	tree->groups = vec.v;
	tuple_table_release(&groups);
	stack_tree_sum(&tree->nodes);
}

void call_tree_release(struct call_tree *tree)
{
	stack_tree_release(&tree->nodes);
	free(tree->groups);
	free(tree->entries);
	free(tree->ends);
	free(tree->entry_group);
	*tree = (struct call_tree){ 0 };
}
