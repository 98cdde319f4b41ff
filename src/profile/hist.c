/* SPDX-License-Identifier: MIT */
/* Rows: see sort.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/sort.h"

/* --- rows ------------------------------------------------------------------------- */

struct builder {
	struct hists *h;
	struct tuple_table keys;         /* (group, frame part) -> row */
	bool by_sym, by_off, by_dso, by_sym_size, by_map_size, by_line, by_file;
};

static uint64_t frame_part(const struct builder *b, uint32_t frame)
{
	const struct profile_frame *f = &b->h->profile->frames[frame];

	if (b->by_sym || b->by_off)
		return b->h->syms[frame];
	if (b->by_dso)
		return f->module ? f->module->index + 1 : 0;
	return 0;
}

/* What else is equal in one row: sizes, lines. */
static uint64_t size_part(const struct builder *b, uint32_t frame)
{
	const struct profile_frame *f = &b->h->profile->frames[frame];

	uint64_t part = hash_mix(b->by_sym_size ? f->sym_bytes : 0, b->by_map_size ? f->map_bytes : 0);

	/* equal texts are one pointer */
	if (b->by_line)
		part = hash_mix(part, (uint64_t)(uintptr_t)profile_line(b->h->profile, frame));
	if (b->by_file)
		part = hash_mix(part, (uint64_t)(uintptr_t)profile_file(b->h->profile, frame));
	return part;
}

static uint32_t row_of(struct builder *b, uint32_t group, uint32_t frame)
{
	uint32_t row = tuple_id(&b->keys, group, frame_part(b, frame), size_part(b, frame));
	struct hists *h = b->h;

	if (row == h->nr) {
		/* tuple_id grows by doubling, and so does this */
		if (!(h->nr & (h->nr - 1)))
			h->v = mem_realloc_array(h->v, h->nr ? (size_t)h->nr * 2 : 1, sizeof(*h->v));
		h->v[h->nr++] = (struct hist){ .group = group, .frame = frame };
	}
	return row;
}

static void add_self(struct builder *b)
{
	struct hists *h = b->h;
	struct call_tree *tree = &h->tree;

	h->entry_hist = mem_realloc_array(NULL, tree->nr_entries + 1, sizeof(*h->entry_hist));
	for (size_t i = 0; i < tree->nr_entries; i++) {
		const struct profile_entry *e = &h->profile->entries[tree->entries[i]];
		uint32_t row = row_of(b, tree->entry_group[i], e->leaf);
		struct hist *hist = &h->v[row];

		h->entry_hist[i] = row;
		hist->samples += e->samples;
		hist->period += e->period;
		hist->period_kernel += e->period_kernel;
		hist->period_user += e->period_user;
		hist->period_guest_kernel += e->period_guest_kernel;
		hist->period_guest_user += e->period_guest_user;
		if (h->profile->stacks[e->stack].nr > hist->depth)
			hist->depth = h->profile->stacks[e->stack].nr;
	}
}

static bool passes_through(const struct builder *b, const struct profile_entry *e)
{
	const struct profile_stack *stack = &b->h->profile->stacks[e->stack];
	uint64_t part = frame_part(b, e->leaf);

	for (uint32_t i = 0; i < stack->nr; i++)
		if (frame_part(b, stack->frames[i]) == part)
			return true;
	return false;
}

/* Depth of the deepest node below each, counted from it: 1 for a leaf. */
static uint32_t *node_heights(const struct stack_tree *tree)
{
	uint32_t *height = mem_zalloc(tree->nr * sizeof(*height));

	for (uint32_t i = tree->nr; i-- > 1;) {
		uint32_t parent = tree->nodes[i].parent;

		height[i]++;
		if (height[i] > height[parent])
			height[parent] = height[i];
	}
	return height;
}

/*
 * Walk the tree in depth; `inside[row]` counts how many nodes of a row are open on
 * the way to the current one.
 */
static void walk_children(struct builder *b, const uint32_t *height)
{
	struct hists *h = b->h;
	const struct stack_node *nodes = h->tree.nodes.nodes;
	uint32_t *inside = mem_zalloc((h->nr + 1) * sizeof(*inside));
	uint32_t at = nodes[STACK_TREE_ROOT].first_child;

	while (at != STACK_TREE_NONE) {
		uint32_t row = h->node_hist[at];

		if (row != UINT32_MAX && inside[row]++ == 0) {
			h->node_first[at] = true;
			h->v[row].children += nodes[at].total_period;
			if (height[at] > h->v[row].depth)
				h->v[row].depth = height[at];
		}
		if (nodes[at].first_child != STACK_TREE_NONE) {
			at = nodes[at].first_child;
			continue;
		}
		for (;;) {
			if (h->node_hist[at] != UINT32_MAX)
				inside[h->node_hist[at]]--;
			if (nodes[at].next_sibling != STACK_TREE_NONE)
				break;
			at = nodes[at].parent;
			if (at == STACK_TREE_ROOT)
				break;
		}
		at = nodes[at].next_sibling;
	}
	free(inside);
}

/*
 * A caller in no mapping is no function: what a walk along frame pointers took from
 * the stack of code that has none. It is drawn in chains and has no row of its own.
 */
static bool is_nowhere(const struct builder *b, uint32_t frame)
{
	const struct profile_frame *f = &b->h->profile->frames[frame];

	return (b->by_sym || b->by_off || b->by_dso) && !f->name &&
	       (!f->module || b->h->options.named_only);
}

static void add_children(struct builder *b)
{
	struct hists *h = b->h;
	const struct stack_tree *tree = &h->tree.nodes;
	uint32_t *group = mem_zalloc(tree->nr * sizeof(*group)), *height = node_heights(tree);

	h->node_hist = mem_realloc_array(NULL, tree->nr, sizeof(*h->node_hist));
	h->node_first = mem_zalloc(tree->nr * sizeof(*h->node_first));
	h->node_hist[STACK_TREE_ROOT] = UINT32_MAX;
	for (uint32_t i = 1; i < tree->nr; i++) {
		const struct stack_node *node = &tree->nodes[i];
		bool is_group = node->parent == STACK_TREE_ROOT;

		group[i] = is_group ? node->label : group[node->parent];
		h->node_hist[i] = is_group || is_nowhere(b, h->sym_frame[node->label]) ?
					  UINT32_MAX :
					  row_of(b, group[i], h->sym_frame[node->label]);
	}
	walk_children(b, height);
	/* a sampled address that its own chain does not show */
	for (size_t i = 0; i < h->tree.nr_entries; i++) {
		const struct profile_entry *e = &h->profile->entries[h->tree.entries[i]];

		if (is_nowhere(b, e->leaf) || !passes_through(b, e))
			h->v[h->entry_hist[i]].children += e->period;
	}
	free(group);
	free(height);
}

static bool by_address(const struct sort_spec *spec)
{
	return sort_has(spec, COLUMN_SYMOFF) || sort_has(spec, COLUMN_ADDR) || sort_has(spec, COLUMN_ADDR_TO);
}

static bool by_line(const struct sort_spec *spec)
{
	return sort_has(spec, COLUMN_LINE) || sort_has(spec, COLUMN_LINE_TO);
}

/* A function is as many as it has lines (or files) in the profile. */
static void part_by_line(struct hists *h)
{
	bool lines = by_line(&h->spec), files = sort_has(&h->spec, COLUMN_FILE);
	struct tuple_table table = { 0 };

	for (uint32_t i = 0; i < h->profile->nr_frames; i++) {
		const char *line = lines ? profile_line(h->profile, i) : NULL;
		const char *file = files ? profile_file(h->profile, i) : NULL;

		h->syms[i] = tuple_id(&table, h->syms[i], (uintptr_t)line, (uintptr_t)file);
	}
	h->nr_syms = table.nr;
	tuple_table_release(&table);
}

static void number_symbols(struct hists *h)
{
	h->syms = profile_symbols(h->profile, h->options.by_addr, &h->nr_syms);
	if (by_address(&h->spec)) {
		/* frames are apart by address then */
		h->nr_syms = h->profile->nr_frames;
		for (uint32_t i = 0; i < h->nr_syms; i++)
			h->syms[i] = i;
	}
	if (by_line(&h->spec) || sort_has(&h->spec, COLUMN_FILE))
		part_by_line(h);
	h->sym_frame = mem_zalloc((h->nr_syms + 1) * sizeof(*h->sym_frame));
	for (uint32_t i = h->profile->nr_frames; i-- > 0;)
		h->sym_frame[h->syms[i]] = i;
}

/* --- order -------------------------------------------------------------------------- */

static int compare_paths(const struct hists *h, const struct hist *a, const struct hist *b)
{
	const struct module *m = h->profile->frames[a->frame].module;
	const struct module *n = h->profile->frames[b->frame].module;

	return strcmp(m ? m->path : "[unknown]", n ? n->path : "[unknown]");
}

static int compare_rows(const void *x, const void *y, void *arg)
{
	const struct hists *h = arg;
	const struct hist *a = &h->v[*(const uint32_t *)x], *b = &h->v[*(const uint32_t *)y];
	int r = 0;

	for (unsigned i = 0; !r && i < h->spec.nr_order; i++)
		r = hist_compare(h, a, b, h->spec.order[i]);
	/* what the keys do not tell apart: equal names in different places */
	if (!r)
		r = compare_paths(h, a, b);
	if (!r) {
		uint64_t p = h->profile->frames[a->frame].sym_start;
		uint64_t q = h->profile->frames[b->frame].sym_start;

		r = (p > q) - (p < q);
	}
	return r ? r : (a > b) - (a < b);
}

static struct builder builder_of(struct hists *h)
{
	const struct sort_spec *spec = &h->spec;

	return (struct builder){
		.h = h, .by_sym = sort_has(spec, COLUMN_SYM) || sort_has(spec, COLUMN_SYM_TO),
		.by_off = by_address(spec),
		.by_dso = sort_has(spec, COLUMN_DSO) || sort_has(spec, COLUMN_DSO_TO),
		.by_sym_size = sort_has(spec, COLUMN_SYM_SIZE),
		.by_map_size = sort_has(spec, COLUMN_DSO_SIZE),
		.by_line = by_line(spec), .by_file = sort_has(spec, COLUMN_FILE),
	};
}

void hists_build(struct hists *h, const struct profile *profile, const struct sort_spec *spec,
		 const struct hists_options *options)
{
	struct builder b;

	*h = (struct hists){ .profile = profile, .spec = *spec, .options = *options };
	b = builder_of(h);
	number_symbols(h);
	call_tree_build(&h->tree, profile, options->event, h->syms, sort_dims(spec),
			options->order, options->filter, options->filter_arg);
	add_self(&b);
	if (options->children)
		add_children(&b);
	tuple_table_release(&b.keys);
	h->total = profile->totals[options->event].period;
	h->sorted = mem_realloc_array(NULL, h->nr + 1, sizeof(*h->sorted));
	for (uint32_t i = 0; i < h->nr; i++)
		h->sorted[i] = i;
	qsort_r(h->sorted, h->nr, sizeof(*h->sorted), compare_rows, h);
}

/* --- several events ------------------------------------------------------------------- */

struct joint {
	struct hists *first;
	const struct hist **rows;        /* [row * nr + event] */
	uint32_t nr, by;
};

/* What a row is, for all events alike: (task, CPU and extras; frame). */
static uint32_t identity(struct tuple_table *table, const struct builder *b, const struct hist *hist)
{
	const struct group *g = &b->h->tree.groups[hist->group];
	unsigned by = sort_dims(&b->h->spec);
	uint64_t comm = by & PROFILE_BY_COMM ? g->comm : ~0u;
	uint64_t task = hash_mix(comm << 32 | g->pid, (uint64_t)g->tid << 32 | g->cpu);

	return tuple_id(table, task, hash_mix(g->extra, size_part(b, hist->frame)),
			frame_part(b, hist->frame));
}

/* A row of another event that `h` has none for: the same without counts. */
static void add_empty(struct hists *h, const struct hists *of, const struct hist *hist)
{
	struct call_tree *tree = &h->tree;

	tree->groups = mem_realloc_array(tree->groups, (size_t)tree->nr_groups + 1, sizeof(*tree->groups));
	tree->groups[tree->nr_groups] = of->tree.groups[hist->group];
	h->v = mem_realloc_array(h->v, (size_t)h->nr + 1, sizeof(*h->v));
	h->v[h->nr++] = (struct hist){ .group = tree->nr_groups++, .frame = hist->frame,
				       .depth = hist->depth };
}

static int compare_values(const struct joint *j, uint32_t x, uint32_t y, enum column column)
{
	for (uint32_t i = 0; i < j->nr; i++) {
		uint32_t m = i == 0 ? j->by : i <= j->by ? i - 1 : i;
		const struct hist *a = j->rows[(size_t)x * j->nr + m], *b = j->rows[(size_t)y * j->nr + m];
		uint64_t p = a ? hist_value(a, column) : 0, q = b ? hist_value(b, column) : 0;

		if (p != q)
			return p < q ? 1 : -1;
	}
	return 0;
}

static int compare_joint(const void *x, const void *y, void *arg)
{
	const struct joint *j = arg;
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
	const struct sort_spec *spec = &j->first->spec;
	int r = 0;

	for (unsigned i = 0; !r && i < spec->nr_order; i++)
		r = column_is_key(spec->order[i]) ?
			    hist_compare(j->first, &j->first->v[a], &j->first->v[b], spec->order[i]) :
			    compare_values(j, a, b, spec->order[i]);
	return r ? r : compare_rows(x, y, j->first);
}

const struct hist **hists_join(struct hists *const *hists, uint32_t nr, uint32_t by)
{
	struct joint j = { .first = hists[0], .nr = nr, .by = by < nr ? by : 0 };
	struct tuple_table table = { 0 };

	for (uint32_t m = 0; m < nr; m++) {
		struct builder b = builder_of(hists[m]);

		for (uint32_t i = 0; i < hists[m]->nr; i++) {
			uint32_t id = identity(&table, &b, &hists[m]->v[i]);

			if (m && id >= j.first->nr)
				add_empty(j.first, hists[m], &hists[m]->v[i]);
		}
	}
	j.rows = mem_zalloc(((size_t)j.first->nr * nr + 1) * sizeof(*j.rows));
	for (uint32_t m = 0; m < nr; m++) {
		struct builder b = builder_of(hists[m]);

		for (uint32_t i = 0; i < hists[m]->nr; i++)
			j.rows[(size_t)identity(&table, &b, &hists[m]->v[i]) * nr + m] = &hists[m]->v[i];
	}
	tuple_table_release(&table);
	j.first->sorted = mem_realloc_array(j.first->sorted, (size_t)j.first->nr + 1,
					    sizeof(*j.first->sorted));
	for (uint32_t i = 0; i < j.first->nr; i++)
		j.first->sorted[i] = i;
	qsort_r(j.first->sorted, j.first->nr, sizeof(*j.first->sorted), compare_joint, &j);
	return j.rows;
}

void hists_release(struct hists *h)
{
	call_tree_release(&h->tree);
	free(h->v);
	free(h->sorted);
	free(h->syms);
	free(h->sym_frame);
	free(h->entry_hist);
	free(h->node_hist);
	free(h->node_first);
	*h = (struct hists){ 0 };
}
