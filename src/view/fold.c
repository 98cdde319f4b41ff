/* SPDX-License-Identifier: MIT */
#include "view/fold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "view/frame_text.h"

unsigned fold_dims(const struct fold_options *o)
{
	unsigned by = PROFILE_BY_STACK;

	if (!o->no_comm)
		by |= PROFILE_BY_COMM;
	if (o->pid || o->tid)
		by |= PROFILE_BY_PID;
	if (o->tid)
		by |= PROFILE_BY_TID;
	if (o->addrs)
		by |= PROFILE_BY_ADDR;
	return by;
}

static void add_mark(struct str *s, const struct profile_frame *f, const struct fold_options *o)
{
	enum label_kind kind = frame_kind(f);

	if (kind == LABEL_INLINE && o->mark_inline)
		str_add(s, "_[i]");
	else if (kind == LABEL_KERNEL && o->mark_kernel && f->module)
		str_add(s, "_[k]");
	else if (kind == LABEL_JIT && o->mark_jit)
		str_add(s, "_[j]");
}

static uint32_t *frame_labels(struct label_table *labels, const struct profile *profile,
			      const struct fold_options *o)
{
	uint32_t *ids = mem_realloc_array(NULL, profile->nr_frames + 1, sizeof(*ids));
	struct str s = STR_INIT;

	for (uint32_t i = 0; i < profile->nr_frames; i++) {
		const struct profile_frame *f = &profile->frames[i];

		str_clear(&s);
		frame_add_folded(&s, f, !o->untidy, o->addrs);
		add_mark(&s, f, o);
		ids[i] = label_id(labels, s.p, frame_kind(f));
	}
	str_release(&s);
	return ids;
}

/* Blanks separate the count in folded text; a command's become underscores, as stackcollapse does. */
static uint32_t task_label(struct label_table *labels, const struct profile *profile,
			   const struct profile_entry *e, const struct fold_options *o)
{
	struct str s = STR_INIT;
	uint32_t id;

	str_add(&s, profile_comm(profile, e->comm));
	for (char *p = s.p; p < s.p + s.len; p++)
		if (*p == ' ')
			*p = '_';
	if (o->tid)
		str_addf(&s, "-%d/%d", (int)e->pid, (int)e->tid);
	else if (o->pid)
		str_addf(&s, "-%d", (int)e->pid);
	id = label_id(labels, s.p, LABEL_TASK);
	str_release(&s);
	return id;
}

/* What a walk along frame pointers picks up in code that keeps other things there. */
static bool is_nowhere(const struct profile *profile, uint32_t frame)
{
	return !profile->frames[frame].module && !profile->frames[frame].name;
}

static uint32_t lay_frames(struct stack_tree *tree, uint32_t node, const struct profile *profile,
			   const struct profile_stack *stack, const uint32_t *ids,
			   const struct fold_options *o)
{
	bool nowhere = false;

	for (uint32_t i = 0; i < stack->nr; i++) {
		uint32_t frame = stack->frames[o->leaf_first ? i : stack->nr - 1 - i];
		bool again = nowhere;

		nowhere = o->join_unknown && is_nowhere(profile, frame);
		if (!nowhere || !again)
			node = stack_tree_child(tree, node, ids[frame]);
	}
	return node;
}

static void lay_entry(struct stack_tree *tree, struct label_table *labels,
		      const struct profile *profile, const struct profile_entry *e,
		      const uint32_t *ids, const struct fold_options *o)
{
	const char *event = profile->data->events.v[e->event].name;
	uint32_t node = STACK_TREE_ROOT;

	if (o->by_event)
		node = stack_tree_child(tree, node, label_id(labels, event, LABEL_TASK));
	if (!o->no_comm && !o->leaf_first)
		node = stack_tree_child(tree, node, task_label(labels, profile, e, o));
	node = lay_frames(tree, node, profile, &profile->stacks[e->stack], ids, o);
	if (!o->no_comm && o->leaf_first)
		node = stack_tree_child(tree, node, task_label(labels, profile, e, o));
	stack_tree_add(tree, node, e->samples, e->period);
}

void fold_profile(struct stack_tree *tree, struct label_table *labels,
		  const struct profile *profile, const struct fold_options *o)
{
	uint32_t *ids = frame_labels(labels, profile, o);

	for (size_t i = 0; i < profile->nr_entries; i++)
		if (o->event == FOLD_ALL_EVENTS || profile->entries[i].event == o->event)
			lay_entry(tree, labels, profile, &profile->entries[i], ids, o);
	free(ids);
	stack_tree_sum(tree);
	stack_tree_sort(tree, label_compare, labels);
}

uint32_t fold_default_event(const struct profile *profile)
{
	for (uint32_t i = 0; i < profile->data->events.nr; i++)
		if (profile->totals[i].samples)
			return i;
	return 0;
}

uint32_t fold_find_event(const struct profile *profile, const char *name)
{
	const struct event_set *set = &profile->data->events;
	size_t len = strlen(name);

	for (uint32_t i = 0; i < set->nr; i++)
		if (strcmp(set->v[i].name, name) == 0)
			return i;
	for (uint32_t i = 0; i < set->nr; i++)
		if (strncmp(set->v[i].name, name, len) == 0 && set->v[i].name[len] == ':')
			return i;
	return FOLD_ALL_EVENTS;
}

int fold_named_event(const struct profile *profile, const char *name, uint32_t *event,
		     struct err *err)
{
	*event = fold_find_event(profile, name);
	if (*event != FOLD_ALL_EVENTS)
		return 0;
	return err_set(err, ENOENT, "the recording has no event '%s'; sonde report --header-only lists "
		       "its events", name);
}
