/* SPDX-License-Identifier: MIT */
/*
 * tree: the call tree over the entries of a profile.
 *
 *	root - group - frame - frame - ...
 *
 * In: a profile, one of its events, a label for each of its frames, and the dimensions
 * that keep trees apart (a group: command, thread, CPU).  Out: a stack_tree whose
 * first level are groups and whose other levels are frames, from the root of the
 * stacks (callers first) or from the leaves, and for each entry the node where it
 * ends.
 */
#ifndef PROFILE_TREE_H
#define PROFILE_TREE_H

#include "formats/stack_tree.h"
#include "profile/profile.h"

/* Tuples of three words, each given a number from 0. */
struct tuple { uint64_t w[3]; };

struct tuple_table {
	struct tuple *v;
	uint32_t *slots, nr, cap, nr_slots;
};

uint32_t tuple_id(struct tuple_table *table, uint64_t a, uint64_t b, uint64_t c);
void tuple_table_release(struct tuple_table *table);   /* zero-initialised is empty */

/*
 * Number the symbols behind the frames: sym[frame] is equal for the addresses of
 * one function. Of inlined functions the name decides. What has no name is one for
 * each module, or, `by_addr`, for each address. The caller frees; *nr is their number.
 */
uint32_t *profile_symbols(const struct profile *profile, bool by_addr, uint32_t *nr);

/*
 * What a group keeps apart, of enum profile_dim's COMM, PID, TID, CPU; ~0 for what it
 * does not, but for comm, which is one that was seen in it. extra is a set of extras:
 * all that the profile has are kept apart.
 */
struct group { uint32_t comm, pid, tid, cpu, extra; };

enum tree_order { TREE_CALLERS_FIRST, TREE_LEAF_FIRST };

struct call_tree {
	struct stack_tree nodes;         /* labels: group's number on the first level, then label[frame] */
	struct group *groups;
	uint32_t nr_groups;
	uint32_t *entries;               /* the event's entries, indices into profile->entries */
	uint32_t *ends, *entry_group;    /* of each: its node, its group */
	size_t nr_entries;
	enum tree_order order;
};

/* Says whether an entry is to be in the tree. */
typedef bool entry_filter(const struct profile *profile, const struct profile_entry *entry,
			  const void *arg);

/* Lay the event's entries over one another; totals are summed. `filter` may be NULL. */
void call_tree_build(struct call_tree *tree, const struct profile *profile, uint32_t event,
		     const uint32_t *labels, unsigned group_by, enum tree_order order,
		     entry_filter *filter, const void *arg);
void call_tree_release(struct call_tree *tree);

#endif
