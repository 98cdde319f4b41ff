/* SPDX-License-Identifier: MIT */
#include "profile/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"

struct weight { uint64_t period, samples; };

/* A node of the call tree that takes part in a chain: with its marked weight, or with the rest. */
struct spot {
	uint32_t node;
	bool marked;
};

/* A chain to be continued, and the spots that it stands for: spots[from..to). */
struct task {
	struct chain *chain;
	size_t from, to;
};

/* Items of each row, as ranges of one array. */
struct index { uint32_t *start, *items; };

struct chains {
	const struct hists *h;
	struct index entries, firsts;
	struct weight *mark;             /* of each node; zero between calls */
	uint32_t *mark_child, *mark_next;        /* the marked nodes, as a tree of their own */
	VEC(uint32_t) touched;
	struct arena arena;
	struct chain_options options;
	uint64_t min_hit;                /* threshold when it is not relative */
	VEC(struct spot) spots;
	VEC(struct task) tasks;
};

/* Counting sort of 0..nr-1 by row; ~0 belongs nowhere. */
static struct index index_make(const uint32_t *rows, const bool *keep, size_t nr, uint32_t nr_rows)
{
	struct index x;

	x.start = mem_zalloc(((size_t)nr_rows + 2) * sizeof(*x.start));
	x.items = mem_realloc_array(NULL, nr + 1, sizeof(*x.items));
	for (size_t i = 0; i < nr; i++)
		if (rows[i] != UINT32_MAX && (!keep || keep[i]))
			x.start[rows[i] + 2]++;
	for (uint32_t r = 2; r <= nr_rows; r++)
		x.start[r] += x.start[r - 1];
	for (size_t i = 0; i < nr; i++)
		if (rows[i] != UINT32_MAX && (!keep || keep[i]))
			x.items[x.start[rows[i] + 1]++] = (uint32_t)i;
	return x;
}

struct chains *chains_new(const struct hists *h)
{
	struct chains *c = mem_zalloc(sizeof(*c));
	size_t nr = h->tree.nodes.nr;

	c->h = h;
	arena_init(&c->arena);
	c->entries = index_make(h->entry_hist, NULL, h->tree.nr_entries, h->nr);
	if (h->options.children)
		c->firsts = index_make(h->node_hist, h->node_first, nr, h->nr);
	c->mark = mem_zalloc(nr * sizeof(*c->mark));
	c->mark_child = mem_realloc_array(NULL, nr, sizeof(*c->mark_child));
	c->mark_next = mem_realloc_array(NULL, nr, sizeof(*c->mark_next));
	return c;
}

void chains_free(struct chains *c)
{
	if (!c)
		return;
	free(c->entries.start);
	free(c->entries.items);
	free(c->firsts.start);
	free(c->firsts.items);
	free(c->mark);
	free(c->mark_child);
	free(c->mark_next);
	vec_release(&c->touched);
	vec_release(&c->spots);
	vec_release(&c->tasks);
	arena_release(&c->arena);
	free(c);
}

/* Add an entry's weight to the nodes from its end to the root. */
static void mark_up(struct chains *c, uint32_t end, const struct profile_entry *e)
{
	const struct stack_node *nodes = c->h->tree.nodes.nodes;
	uint32_t below = STACK_TREE_NONE;

	if (!e->period && !e->samples)
		return;
	for (uint32_t at = end; at != STACK_TREE_NONE; below = at, at = nodes[at].parent) {
		bool fresh = !c->mark[at].samples && !c->mark[at].period;

		if (fresh) {
			c->mark_child[at] = STACK_TREE_NONE;
			*vec_push(&c->touched) = at;
		}
		/* a node that is new hangs itself in below its parent: one step later */
		if (below != STACK_TREE_NONE && c->mark_next[below] == below) {
			c->mark_next[below] = c->mark_child[at];
			c->mark_child[at] = below;
		}
		if (fresh)
			c->mark_next[at] = at;
		c->mark[at].period += e->period;
		c->mark[at].samples += e->samples;
	}
}

static void mark_clear(struct chains *c)
{
	for (size_t i = 0; i < c->touched.nr; i++)
		c->mark[c->touched.v[i]] = (struct weight){ 0, 0 };
	c->touched.nr = 0;
}

static struct weight spot_total(const struct chains *c, struct spot spot)
{
	const struct stack_node *node = &c->h->tree.nodes.nodes[spot.node];
	struct weight mark = c->mark[spot.node];

	if (spot.marked)
		return mark;
	return (struct weight){ node->total_period - mark.period,
				node->total_samples - mark.samples };
}

/* A child of a chain while it is put together. */
struct draft {
	uint32_t sym, count;
	struct weight total;
	size_t first;                    /* of its spots, when they are laid out */
};

struct drafts {
	VEC(struct draft) v;
	VEC(struct spot) spots;
	VEC(uint32_t) draft_of;          /* of each spot */
	struct map64 by_sym;
};

static void draft_spot(struct chains *c, struct drafts *d, struct spot spot)
{
	struct weight w = spot_total(c, spot);
	uint32_t sym = c->h->tree.nodes.nodes[spot.node].label;
	struct draft *draft;
	uint64_t *place;
	bool added;

	if (!w.samples && !w.period)
		return;
	place = map64_put(&d->by_sym, sym, &added);
	if (added) {
		*place = d->v.nr;
		*vec_push(&d->v) = (struct draft){ .sym = sym };
	}
	*vec_push(&d->draft_of) = (uint32_t)*place;
	*vec_push(&d->spots) = spot;
	draft = &d->v.v[*place];
	draft->count++;
	draft->total.period += w.period;
	draft->total.samples += w.samples;
}

static void draft_children(struct chains *c, struct drafts *d, struct spot spot)
{
	const struct stack_node *nodes = c->h->tree.nodes.nodes;
	uint32_t child;

	if (spot.marked) {
		for (child = c->mark_child[spot.node]; child != STACK_TREE_NONE;
		     child = c->mark_next[child])
			draft_spot(c, d, (struct spot){ child, true });
	} else {
		for (child = nodes[spot.node].first_child; child != STACK_TREE_NONE;
		     child = nodes[child].next_sibling)
			draft_spot(c, d, (struct spot){ child, false });
	}
}

static const char *sym_name(const struct hists *h, uint32_t sym)
{
	const struct profile_frame *f = &h->profile->frames[h->sym_frame[sym]];

	return f->name ? f->name : f->module ? f->module->path : "";
}

static int compare_chains(const void *x, const void *y, void *arg)
{
	const struct chain *a = *(struct chain *const *)x, *b = *(struct chain *const *)y;
	int r = (a->total < b->total) - (a->total > b->total);

	if (!r)
		r = strcmp(sym_name(arg, a->sym), sym_name(arg, b->sym));
	return r ? r : (a->sym > b->sym) - (a->sym < b->sym);
}

static uint64_t threshold(const struct chains *c, const struct drafts *d)
{
	double sum = 0, hit;

	if (!c->options.relative)
		return c->min_hit;
	for (size_t i = 0; i < d->v.nr; i++)
		sum += (double)d->v.v[i].total.period;
	hit = sum * c->options.min_percent / 100;
	/* rounded up, as perf does */
	return (uint64_t)hit < hit ? (uint64_t)hit + 1 : (uint64_t)hit;
}

/* Make the children that weigh enough, and a task for each; spots grouped by child. */
static void settle(struct chains *c, struct chain *parent, struct drafts *d)
{
	uint64_t min_hit = threshold(c, d);
	size_t base = c->spots.nr, at = base;

	parent->nr_all = (uint32_t)d->v.nr;
	parent->self = parent->total;
	parent->self_samples = parent->total_samples;
	parent->children = arena_alloc(&c->arena, (d->v.nr + 1) * sizeof(*parent->children));
	for (size_t i = 0; i < d->v.nr; i++) {
		struct draft *draft = &d->v.v[i];
		struct chain *child;

		parent->self -= draft->total.period;
		parent->self_samples -= draft->total.samples;
		draft->first = SIZE_MAX;
		if (draft->total.period < min_hit)
			continue;
		child = arena_zalloc(&c->arena, sizeof(*child));
		child->sym = draft->sym;
		child->total = draft->total.period;
		child->total_samples = draft->total.samples;
		parent->children[parent->nr++] = child;
		draft->first = at;
		*vec_push(&c->tasks) = (struct task){ child, at, at + draft->count };
		at += draft->count;
	}
	vec_reserve(&c->spots, at - base);
	c->spots.nr = at;
	for (size_t i = 0; i < d->spots.nr; i++) {
		struct draft *draft = &d->v.v[d->draft_of.v[i]];

		if (draft->first != SIZE_MAX)
			c->spots.v[draft->first++] = d->spots.v[i];
	}
	qsort_r(parent->children, parent->nr, sizeof(*parent->children), compare_chains,
		(void *)(uintptr_t)c->h);
}

static void drafts_clear(struct drafts *d)
{
	d->v.nr = d->spots.nr = d->draft_of.nr = 0;
	/* a table that one wide node has blown up is not wiped for each narrow one after it */
	if (d->by_sym.cap > 256)
		map64_release(&d->by_sym);
	else
		map64_clear(&d->by_sym);
}

static void draft_roots(struct chains *c, struct drafts *d, uint32_t row)
{
	const struct hists *h = c->h;
	uint32_t child;

	/* own samples: from the groups' nodes down */
	if (c->touched.nr)
		for (child = c->mark_child[STACK_TREE_ROOT]; child != STACK_TREE_NONE;
		     child = c->mark_next[child])
			draft_children(c, d, (struct spot){ child, true });
	if (h->options.children)
		for (uint32_t i = c->firsts.start[row]; i < c->firsts.start[row + 1]; i++)
			draft_spot(c, d, (struct spot){ c->firsts.items[i], false });
}

const struct chain *chains_build(struct chains *c, uint32_t row,
				 const struct chain_options *options)
{
	const struct hists *h = c->h;
	const struct hist *hist = &h->v[row];
	struct drafts d = { 0 };
	struct chain *root;

	arena_release(&c->arena);
	root = arena_zalloc(&c->arena, sizeof(*root));
	root->total = h->options.children ? hist->children : hist->period;
	c->options = *options;
	c->min_hit = (uint64_t)((double)h->total * options->min_percent / 100);
	c->tasks.nr = c->spots.nr = 0;
	for (uint32_t i = c->entries.start[row]; i < c->entries.start[row + 1]; i++) {
		uint32_t at = c->entries.items[i];

		mark_up(c, h->tree.ends[at], &h->profile->entries[h->tree.entries[at]]);
	}
	draft_roots(c, &d, row);
	root->total_samples = 0;
	for (size_t i = 0; i < d.v.nr; i++)
		root->total_samples += d.v.v[i].total.samples;
	settle(c, root, &d);
	while (c->tasks.nr) {
		struct task task = c->tasks.v[--c->tasks.nr];

		/* tasks are taken from the end, so spots behind this one's are done with */
		c->spots.nr = task.to;
		drafts_clear(&d);
		for (size_t i = task.from; i < task.to; i++)
			draft_children(c, &d, c->spots.v[i]);
		settle(c, task.chain, &d);
	}
	mark_clear(c);
	vec_release(&d.v);
	vec_release(&d.spots);
	vec_release(&d.draft_of);
	map64_release(&d.by_sym);
	return root;
}
