/* SPDX-License-Identifier: MIT */
/* A process table that goes on: see process_table_thaw. */
#include <string.h>

#include "profile/process_priv.h"

void process_table_keep(struct process_table *t)
{
	t->lasting = true;
}

size_t process_table_remembers(const struct process_table *t)
{
	return t->nr_changes;
}

/* Of a task, or of the latest that had its number: the last that was told of it. */
struct last { uint64_t time_ns; bool ended; };

struct ends {
	struct map64 by_tid;             /* -> index */
	VEC(struct last) v;
};

static bool is_alive(const struct ends *ends, uint32_t task, uint64_t before_ns)
{
	const uint64_t *at = map64_find(&ends->by_tid, task);

	return !at || !ends->v.v[*at].ended || ends->v.v[*at].time_ns >= before_ns;
}

static void find_ends(const struct process_table *t, struct ends *ends)
{
	for (size_t i = 0; i < t->nr_changes; i++) {
		const struct change *c = change_at(t, i);
		struct last *last;
		uint64_t *at;
		bool added;

		if (c->kind == CHANGE_MAP)
			continue;
		at = map64_put(&ends->by_tid, c->tid, &added);
		if (added) {
			*at = ends->v.nr;
			*vec_push(&ends->v) = (struct last){ 0 };
		}
		last = &ends->v.v[*at];
		if (c->time_ns >= last->time_ns)
			*last = (struct last){ c->time_ns, c->kind == CHANGE_EXIT };
	}
}

/* Processes whose mappings those alive were forked with. */
static void find_parents(const struct process_table *t, const struct ends *ends, uint64_t before_ns,
			 struct map64 *parents)
{
	for (size_t i = 0; i < t->images.nr; i++) {
		bool added = is_alive(ends, t->images.v[i]->pid, before_ns);

		for (const struct image *p = t->images.v[i]->parent; p && added; p = p->parent)
			map64_put(parents, p->pid, &added);
	}
}

/* Whether what is told of a task that ended is still of use. */
static bool is_useful(const struct change *c, const struct ends *ends, const struct map64 *parents,
		      uint64_t before_ns)
{
	uint32_t task = c->kind == CHANGE_MAP ? c->pid : c->tid;

	return c->time_ns >= before_ns || task == UINT32_MAX || is_alive(ends, task, before_ns) ||
	       (task == c->pid && map64_find(parents, c->pid));
}

static void forget(struct process_table *t, uint64_t before_ns)
{
	struct map64 parents = { 0 };
	struct ends ends = { 0 };
	size_t kept = 0;

	find_ends(t, &ends);
	find_parents(t, &ends, before_ns, &parents);
	for (size_t i = 0; i < t->nr_changes; i++)
		if (is_useful(change_at(t, i), &ends, &parents, before_ns))
			*change_at(t, kept++) = *change_at(t, i);
	process_changes_cut(t, kept);
	map64_release(&ends.by_tid);
	vec_release(&ends.v);
	map64_release(&parents);
}

size_t process_table_names(const struct process_table *t)
{
	return t->strings.nr;
}

static bool has_comm(const struct change *c)
{
	return c->kind == CHANGE_COMM || (c->kind == CHANGE_FORK && c->has_comm);
}

void process_table_renew_names(struct process_table *t, uint32_t *comms, size_t nr)
{
	struct intern old = t->strings;

	intern_init(&t->strings);
	for (size_t i = 0; i < t->nr_changes; i++) {
		struct change *c = change_at(t, i);

		if (has_comm(c))
			c->comm = intern_id(&t->strings, intern_str(&old, c->comm));
		else if (c->kind == CHANGE_MAP)
			c->map.filename = intern_str(&t->strings, intern_id(&t->strings, c->map.filename));
	}
	for (size_t i = 0; i < nr; i++)
		if (!(comms[i] & PROCESS_COMM_TID))
			comms[i] = intern_id(&t->strings, intern_str(&old, comms[i]));
	vec_release(&t->files);
	intern_release(&old);
}

void process_table_mark_modules(struct process_table *t, bool *used)
{
	for (size_t i = 0; i < t->nr_changes; i++)
		if (change_at(t, i)->kind == CHANGE_MAP)
			used[change_at(t, i)->map.module->index] = true;
	/* what it knows of others will not be asked for: they are about to go */
	vec_release(&t->files);
}

void process_table_thaw(struct process_table *t, uint64_t before_ns)
{
	if (t->frozen)
		forget(t, before_ns);
	process_table_dissolve(t);
	arena_init(&t->arena);
	t->kernel = t->nobody;
	t->kernel_text = NULL;
	t->frozen = false;
}
