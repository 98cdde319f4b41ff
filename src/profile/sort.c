/* SPDX-License-Identifier: MIT */
#include "profile/sort.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct {
	const char *name, *alias;
	unsigned dims;
} columns[COLUMN_COUNT] = {
	[COLUMN_CHILDREN] = { "overhead_children", NULL, 0 },
	[COLUMN_OVERHEAD] = { "overhead", NULL, 0 },
	[COLUMN_SYS] = { "overhead_sys", NULL, 0 },
	[COLUMN_USER] = { "overhead_us", NULL, 0 },
	[COLUMN_SAMPLES] = { "sample", "samples", 0 },
	[COLUMN_PERIOD] = { "period", NULL, 0 },
	[COLUMN_COMM] = { "comm", NULL, PROFILE_BY_COMM },
	/* perf's key pid is the thread's number, and the last name it had */
	[COLUMN_PID] = { "pid", NULL, PROFILE_BY_PID | PROFILE_BY_TID },
	[COLUMN_TID] = { "tid", NULL, PROFILE_BY_PID | PROFILE_BY_TID },
	[COLUMN_TGID] = { "tgid", NULL, PROFILE_BY_PID },
	[COLUMN_CPU] = { "cpu", NULL, PROFILE_BY_CPU },
	[COLUMN_DSO] = { "dso", NULL, 0 },
	[COLUMN_SYM] = { "symbol", "sym", 0 },
};

/* Keys of perf report 6.1 that are not known here. */
static const char *const foreign[] = {
	"overhead_guest_sys", "overhead_guest_us", "parent", "socket", "srcline", "srcfile",
	"local_weight", "weight", "transaction", "trace", "symbol_size", "dso_size", "cgroup",
	"cgroup_id", "ipc_null", "time", "code_page_size", "local_ins_lat", "ins_lat",
	"local_p_stage_cyc", "p_stage_cyc", "addr", "dso_from", "dso_to", "symbol_from",
	"symbol_to", "mispredict", "abort", "in_tx", "cycles", "srcline_from", "srcline_to",
	"ipc_lbr", "addr_from", "addr_to", "symbol_daddr", "dso_daddr", "locked", "tlb", "mem",
	"snoop", "dcacheline", "symbol_iaddr", "phys_daddr", "data_page_size", "blocked", "symoff",
	"node", NULL
};

bool column_is_key(enum column column)
{
	return column >= COLUMN_COMM;
}

const char *column_name(enum column column)
{
	return columns[column].name;
}

static bool has(const enum column *list, unsigned nr, enum column column)
{
	for (unsigned i = 0; i < nr; i++)
		if (list[i] == column)
			return true;
	return false;
}

bool sort_has(const struct sort_spec *spec, enum column column)
{
	return has(spec->output, spec->nr_output, column) ||
	       has(spec->order, spec->nr_order, column);
}

static void drop(enum column *list, unsigned *nr, enum column column)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < *nr; i++)
		if (list[i] != column)
			list[kept++] = list[i];
	*nr = kept;
}

void sort_hide(struct sort_spec *spec, enum column column)
{
	drop(spec->output, &spec->nr_output, column);
}

unsigned sort_dims(const struct sort_spec *spec)
{
	unsigned dims = 0;

	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		if (sort_has(spec, (enum column)c))
			dims |= columns[c].dims;
	return dims;
}

static int find_column(const char *word, const char *option, enum column *out, struct err *err)
{
	const char *names[2 * COLUMN_COUNT + 1], *near;
	unsigned n = 0;

	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
		names[n++] = columns[c].name;
		if (columns[c].alias)
			names[n++] = columns[c].alias;
		if (strcmp(word, columns[c].name) == 0 ||
		    (columns[c].alias && strcmp(word, columns[c].alias) == 0)) {
			*out = (enum column)c;
			return 0;
		}
	}
	names[n] = NULL;
	for (unsigned i = 0; foreign[i]; i++)
		if (strcmp(word, foreign[i]) == 0)
			return err_set(err, EOPNOTSUPP, "%s: the key '%s' is not supported yet; there are "
				       "comm, pid, tid, tgid, cpu, dso, sym, overhead, overhead_children, "
				       "overhead_sys, overhead_us, sample, period", option, word);
	near = str_nearest(word, names);
	if (near)
		return err_set(err, EINVAL, "%s: no key '%s'; did you mean '%s'?", option, word, near);
	return err_set(err, EINVAL, "%s: no key '%s'; there are comm, pid, tid, tgid, cpu, dso, sym, "
		       "overhead, overhead_children, overhead_sys, overhead_us, sample, period", option,
		       word);
}

static void push(enum column *list, unsigned *nr, enum column column)
{
	if (!has(list, *nr, column))
		list[(*nr)++] = column;
}

/* Append the keys of "a,b c" to a list; each column stands in it once. */
static int parse_list(const char *text, const char *option, enum column *list, unsigned *nr,
		      struct err *err)
{
	char *copy = mem_strdup(text), *rest = copy, *word;
	enum column column = COLUMN_OVERHEAD;
	int r = 0;

	while (!r && (word = strsep(&rest, ", "))) {
		if (!*word)
			continue;
		r = find_column(word, option, &column, err);
		if (!r)
			push(list, nr, column);
	}
	free(copy);
	return r;
}

/* The counts that come first where -F does not say otherwise. */
static void push_counts(struct sort_spec *spec, const struct sort_wish *wish)
{
	if (wish->children)
		push(spec->output, &spec->nr_output, COLUMN_CHILDREN);
	push(spec->output, &spec->nr_output, COLUMN_OVERHEAD);
	if (wish->cpu_utilization) {
		push(spec->output, &spec->nr_output, COLUMN_SYS);
		push(spec->output, &spec->nr_output, COLUMN_USER);
	}
	if (wish->samples)
		push(spec->output, &spec->nr_output, COLUMN_SAMPLES);
	if (wish->period)
		push(spec->output, &spec->nr_output, COLUMN_PERIOD);
}

/*
 * As perf has it: without -F, counts and then the keys of -s, rows in the order of
 * Children, Overhead and the keys; with -F alone, its columns, rows in their order;
 * with both, -F says what is shown and -s how rows are told apart; -F +X adds.
 */
int sort_parse(struct sort_spec *spec, const struct sort_wish *wish, struct err *err)
{
	const char *fields = wish->fields, *sort = wish->sort;
	enum column keys[SORT_COLUMNS_MAX];
	unsigned nr_keys = 0;
	bool add = fields && fields[0] == '+', add_sort = sort && sort[0] == '+';
	int r = 0;

	*spec = (struct sort_spec){ 0 };
	if (!sort || add_sort)
		r = fields && !add && !sort ? 0 : parse_list("comm,dso,sym", "-s", keys, &nr_keys, err);
	if (!r && sort)
		r = parse_list(sort + add_sort, "-s", keys, &nr_keys, err);
	if (!r && fields && !add) {
		r = parse_list(fields, "-F", spec->output, &spec->nr_output, err);
		if (!wish->children)
			drop(spec->output, &spec->nr_output, COLUMN_CHILDREN);
	}
	if (r < 0)
		return r;
	if (!fields || add)
		push_counts(spec, wish);
	if (add)
		r = parse_list(fields + 1, "-F", spec->output, &spec->nr_output, err);
	for (unsigned i = 0; i < nr_keys; i++)
		if (!fields || add || sort)
			push(spec->output, &spec->nr_output, keys[i]);
	if (!fields || sort) {
		if (wish->children)
			push(spec->order, &spec->nr_order, COLUMN_CHILDREN);
		push(spec->order, &spec->nr_order, COLUMN_OVERHEAD);
	}
	for (unsigned i = 0; i < nr_keys; i++)
		push(spec->order, &spec->nr_order, keys[i]);
	for (unsigned i = 0; i < spec->nr_output; i++)
		push(spec->order, &spec->nr_order, spec->output[i]);
	spec->comm_first = !fields && nr_keys && keys[0] == COLUMN_COMM;
	spec->sym_first = !fields && nr_keys && keys[0] == COLUMN_SYM;
	if (!r && !spec->nr_output)
		r = err_set(err, EINVAL, "no columns are left to show: give keys to -s or -F");
	return r;
}

/* --- rows ------------------------------------------------------------------------- */

struct builder {
	struct hists *h;
	struct tuple_table keys;         /* (group, frame part) -> row */
	bool by_sym, by_dso;
};

static uint64_t frame_part(const struct builder *b, uint32_t frame)
{
	const struct profile_frame *f = &b->h->profile->frames[frame];

	if (b->by_sym)
		return b->h->syms[frame];
	if (b->by_dso)
		return f->module ? f->module->index + 1 : 0;
	return 0;
}

static uint32_t row_of(struct builder *b, uint32_t group, uint32_t frame)
{
	uint32_t row = tuple_id(&b->keys, group, frame_part(b, frame), 0);
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

	return (b->by_sym || b->by_dso) && !f->module && !f->name;
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

static void number_symbols(struct hists *h)
{
	h->syms = profile_symbols(h->profile, h->options.by_addr, &h->nr_syms);
	h->sym_frame = mem_zalloc((h->nr_syms + 1) * sizeof(*h->sym_frame));
	for (uint32_t i = h->profile->nr_frames; i-- > 0;)
		h->sym_frame[h->syms[i]] = i;
}

/* --- order -------------------------------------------------------------------------- */

uint64_t hist_value(const struct hist *hist, enum column column)
{
	switch (column) {
	case COLUMN_CHILDREN: return hist->children;
	case COLUMN_OVERHEAD: return hist->period;
	case COLUMN_SYS: return hist->period_kernel;
	case COLUMN_USER: return hist->period_user;
	case COLUMN_SAMPLES: return hist->samples;
	case COLUMN_PERIOD: return hist->period;
	default: return 0;
	}
}

static const char *hist_comm(const struct hists *h, const struct hist *hist)
{
	return profile_comm(h->profile, h->tree.groups[hist->group].comm);
}

/* Behind a number stands the last name that the thread had. */
static const char *last_comm(const struct hists *h, const struct hist *hist, bool of_process)
{
	const struct group *group = &h->tree.groups[hist->group];
	uint32_t tid = of_process ? group->pid : group->tid;

	if (!h->profile->processes)
		return hist_comm(h, hist);
	return profile_comm(h->profile,
			    process_comm(h->profile->processes, group->pid, tid, UINT64_MAX));
}

static const char *hist_dso(const struct hists *h, const struct hist *hist, bool full)
{
	const struct module *m = h->profile->frames[hist->frame].module;

	return !m ? "[unknown]" : full ? m->path : m->short_name;
}

static int compare_u32(uint32_t a, uint32_t b)
{
	/* as signed numbers: -1, "not known", comes first */
	return ((int32_t)a > (int32_t)b) - ((int32_t)a < (int32_t)b);
}

static int compare_syms(const struct profile_frame *a, const struct profile_frame *b)
{
	if (!a->name || !b->name) {
		if (a->name || b->name)
			return a->name ? -1 : 1;
		return (a->elf_addr > b->elf_addr) - (a->elf_addr < b->elf_addr);
	}
	return strcmp(a->name, b->name);
}

static int compare_column(const struct hists *h, const struct hist *a, const struct hist *b,
			  enum column column)
{
	const struct group *ga = &h->tree.groups[a->group], *gb = &h->tree.groups[b->group];
	uint64_t x, y;

	switch (column) {
	case COLUMN_COMM:
		return strcmp(hist_comm(h, a), hist_comm(h, b));
	case COLUMN_PID:
	case COLUMN_TID:
		return compare_u32(ga->tid, gb->tid);
	case COLUMN_TGID:
		return compare_u32(ga->pid, gb->pid);
	case COLUMN_CPU:
		return compare_u32(ga->cpu, gb->cpu);
	case COLUMN_DSO:
		return strcmp(hist_dso(h, a, false), hist_dso(h, b, false));
	case COLUMN_SYM:
		return compare_syms(&h->profile->frames[a->frame], &h->profile->frames[b->frame]);
	default:
		x = hist_value(a, column);
		y = hist_value(b, column);
		if (x != y || column != COLUMN_CHILDREN || !h->options.depth_order)
			return (x < y) - (x > y);
		if (h->options.order == TREE_CALLERS_FIRST)
			return (a->depth < b->depth) - (a->depth > b->depth);
		return (a->depth > b->depth) - (a->depth < b->depth);
	}
}

static int compare_rows(const void *x, const void *y, void *arg)
{
	const struct hists *h = arg;
	const struct hist *a = &h->v[*(const uint32_t *)x], *b = &h->v[*(const uint32_t *)y];
	int r = 0;

	for (unsigned i = 0; !r && i < h->spec.nr_order; i++)
		r = compare_column(h, a, b, h->spec.order[i]);
	/* what the keys do not tell apart: equal names in different places */
	if (!r)
		r = strcmp(hist_dso(h, a, true), hist_dso(h, b, true));
	if (!r) {
		uint64_t p = h->profile->frames[a->frame].sym_start;
		uint64_t q = h->profile->frames[b->frame].sym_start;

		r = (p > q) - (p < q);
	}
	return r ? r : (a > b) - (a < b);
}

void hists_build(struct hists *h, const struct profile *profile, const struct sort_spec *spec,
		 const struct hists_options *options)
{
	struct builder b = { .h = h, .by_sym = sort_has(spec, COLUMN_SYM),
			     .by_dso = sort_has(spec, COLUMN_DSO) };

	*h = (struct hists){ .profile = profile, .spec = *spec, .options = *options };
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

/* "0x00007f12..." of 16 digits; zero without 0x, as printf("%#.16llx") has it. */
static void add_symbol(struct str *s, const struct hists *h, const struct hist *hist, bool full)
{
	const struct profile_frame *f = &h->profile->frames[hist->frame];

	if (full)
		str_addf(s, "%#018" PRIx64 " ", f->run_addr);
	str_addf(s, "[%c] ", f->kernel ? 'k' : '.');
	if (f->name)
		str_add(s, f->name);
	else if (h->options.by_addr)
		str_addf(s, "%#.16" PRIx64, f->module ? f->elf_addr : f->run_addr);
	else
		str_add(s, "[unknown]");
	if (f->is_inline)
		str_add(s, " (inlined)");
}

void hist_add_key(struct str *s, const struct hists *h, const struct hist *hist,
		  enum column column, bool full)
{
	const struct group *group = &h->tree.groups[hist->group];

	switch (column) {
	case COLUMN_COMM:
		str_add(s, hist_comm(h, hist));
		break;
	case COLUMN_PID:
	case COLUMN_TID:
		str_addf(s, "%7d:%s", (int)group->tid, last_comm(h, hist, false));
		break;
	case COLUMN_TGID:
		str_addf(s, "%7d:%s", (int)group->pid, last_comm(h, hist, true));
		break;
	case COLUMN_CPU:
		str_addf(s, group->cpu == UINT32_MAX ? "  ?" : "%03u", group->cpu);
		break;
	case COLUMN_DSO:
		str_add(s, hist_dso(h, hist, full));
		break;
	case COLUMN_SYM:
		add_symbol(s, h, hist, full);
		break;
	default:
		break;
	}
}
