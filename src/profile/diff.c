/* SPDX-License-Identifier: MIT */
#include "profile/diff.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "profile/filter.h"

#define NONE UINT32_MAX
#define WORDS_MAX (SORT_COLUMNS_MAX + 1)  /* of a row's identity: key texts and path */

struct builder_event {
	struct diff_event pub;
	struct map64 ids;                /* hash of a row's words -> row */
	VEC(uint32_t) words;             /* nr_words of each row */
	VEC(struct tally) tallies;       /* nr_files of each row */
	char *base;                      /* name without modifiers */
};

struct diff_priv {
	struct arena arena;
	struct intern texts;
	unsigned nr_words;
	VEC(struct builder_event) events;
	VEC(struct diff_event) out;
};

bool diff_of_amounts(const struct diff_options *o)
{
	return o->absolute || o->compute == DIFF_RATIO || o->compute == DIFF_WDIFF;
}

unsigned diff_dims(const struct diff_options *o)
{
	unsigned by = sort_dims(&o->spec);

	if (o->by_path || o->children)
		by |= PROFILE_BY_STACK;
	if (o->filter && o->filter->comms)
		by |= PROFILE_BY_COMM;
	if (o->filter && o->filter->nr_pids)
		by |= PROFILE_BY_PID;
	if (o->filter && o->filter->nr_tids)
		by |= PROFILE_BY_TID;
	return by;
}

struct diff *diff_new(const struct diff_options *options, unsigned nr_files)
{
	struct diff *d = mem_zalloc(sizeof(*d));

	d->options = *options;
	d->nr_files = nr_files;
	for (unsigned i = 0; i < options->spec.nr_output; i++)
		if (column_is_key(options->spec.output[i]))
			d->keys[d->nr_keys++] = options->spec.output[i];
	d->priv = mem_zalloc(sizeof(*d->priv));
	d->priv->nr_words = d->nr_keys + options->by_path;
	arena_init(&d->priv->arena);
	intern_init(&d->priv->texts);
	return d;
}

void diff_free(struct diff *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->priv->events.nr; i++) {
		struct builder_event *e = &d->priv->events.v[i];

		map64_release(&e->ids);
		vec_release(&e->words);
		vec_release(&e->tallies);
		free(e->base);
	}
	vec_release(&d->priv->events);
	vec_release(&d->priv->out);
	intern_release(&d->priv->texts);
	arena_release(&d->priv->arena);
	free(d->priv);
	free(d);
}

/* --- events ---------------------------------------------------------------------------- */

/* "cycles:Pu" -> "cycles"; the colon in "sched:sched_switch" is part of the name. */
static char *without_modifiers(const char *name)
{
	const char *colon = strrchr(name, ':');

	if (colon && colon[1] && !colon[1 + strspn(colon + 1, "ukhGHIpPSDeWb")])
		return mem_strndup(name, (size_t)(colon - name));
	return mem_strdup(name);
}

static struct builder_event *find_event(struct diff *d, unsigned file, const char *name)
{
	struct diff_priv *p = d->priv;
	char *base = without_modifiers(name);
	struct builder_event *found = NULL;

	for (size_t i = 0; i < p->events.nr && !found; i++)
		if (strcmp(p->events.v[i].pub.name, name) == 0)
			found = &p->events.v[i];
	for (size_t i = 0; i < p->events.nr && !found && file; i++)
		if (strcmp(p->events.v[i].base, base) == 0 && !p->events.v[i].pub.totals[file].samples)
			found = &p->events.v[i];
	if (found) {
		free(base);
		return found;
	}
	found = vec_push(&p->events);
	*found = (struct builder_event){ .base = base };
	found->pub.name = arena_strdup(&p->arena, name);
	found->pub.totals = arena_zalloc(&p->arena, d->nr_files * sizeof(*found->pub.totals));
	return found;
}

/* --- rows ---------------------------------------------------------------------------------- */

static bool all_digits(const char *s, const char *end)
{
	if (s == end)
		return false;
	for (; s < end; s++)
		if (*s < '0' || *s > '9')
			return false;
	return true;
}

/*
 * Length of a name without what compilers add to copies of a function: gcc's .isra.N,
 * .part.N, .constprop.N, .cold, .lto_priv.N, LLVM's .llvm.N, several in a row.
 */
static size_t without_clone(const char *name, size_t len)
{
	static const char *const marks[] = { "isra", "part", "constprop", "cold", "lto_priv",
					     "llvm", NULL };
	const char *end = name + len, *dot, *word;

	for (;;) {
		bool known = false;

		dot = memrchr(name, '.', (size_t)(end - name));
		if (!dot || dot == name)
			break;
		word = dot + 1;
		if (all_digits(word, end)) {
			const char *before = memrchr(name, '.', (size_t)(dot - name));

			if (!before || before == name)
				break;
			word = before + 1;
			end = dot;
			dot = before;
		}
		for (unsigned i = 0; marks[i] && !known; i++)
			known = strlen(marks[i]) == (size_t)(end - word) &&
				strncmp(word, marks[i], (size_t)(end - word)) == 0;
		if (!known)
			break;
		len = (size_t)(dot - name);
		end = dot;
	}
	return len;
}

static void cut_clone(struct str *s, size_t from)
{
	size_t len = without_clone(s->p + from, s->len - from);

	s->len = from + len;
	s->p[s->len] = '\0';
}

static uint32_t key_text(struct diff *d, const struct hists *h, const struct hist *hist,
			 enum column column)
{
	struct str s = STR_INIT;
	uint32_t id;

	hist_add_key(&s, h, hist, column, false);
	if (column == COLUMN_SYM && d->options.join_clones && h->profile->frames[hist->frame].name)
		cut_clone(&s, 0);
	id = intern_id(&d->priv->texts, s.p);
	str_release(&s);
	return id;
}

static void add_frame(struct diff *d, struct str *s, const struct profile_frame *f)
{
	size_t from = s->len;

	if (!f->name) {
		str_addf(s, "[%s]", f->module ? f->module->short_name : "unknown");
		return;
	}
	str_add(s, f->name);
	if (d->options.join_clones)
		cut_clone(s, from);
	if (f->is_inline)
		str_add(s, " (inlined)");
}

static uint32_t path_text(struct diff *d, const struct profile *profile,
			  const struct profile_stack *stack)
{
	struct str s = STR_INIT;
	uint32_t id;

	for (uint32_t i = stack->nr; i-- > 0;) {
		add_frame(d, &s, &profile->frames[stack->frames[i]]);
		if (i)
			str_addc(&s, DIFF_PATH_MARK);
	}
	id = intern_id(&d->priv->texts, s.p);
	str_release(&s);
	return id;
}

/* The row with these words; the hash is checked against the words, and moved on if they differ. */
static uint32_t row_of(struct diff *d, struct builder_event *e, const uint32_t *words)
{
	size_t nr = d->priv->nr_words;
	uint64_t key = hash_bytes(words, nr * sizeof(*words));
	bool added;

	for (;; key++) {
		uint64_t *slot = map64_put(&e->ids, key, &added);

		if (!added) {
			if (memcmp(&e->words.v[*slot * nr], words, nr * sizeof(*words)) == 0)
				return (uint32_t)*slot;
			continue;
		}
		*slot = e->pub.nr_rows++;
		for (size_t i = 0; i < nr; i++)
			*vec_push(&e->words) = words[i];
		for (unsigned i = 0; i < d->nr_files; i++)
			*vec_push(&e->tallies) = (struct tally){ 0 };
		return (uint32_t)*slot;
	}
}

static void tally_add(struct tally *t, const struct profile_entry *e)
{
	t->samples += e->samples;
	t->period += e->period;
	t->squares += e->squares;
}

static void add_totals(struct tally *total, const struct diff *d, const struct profile *profile,
		       uint32_t event)
{
	for (size_t i = 0; i < profile->nr_entries; i++) {
		const struct profile_entry *e = &profile->entries[i];

		if (e->event != event)
			continue;
		if (d->options.relative && d->options.filter &&
		    !filter_entry(profile, e, d->options.filter))
			continue;
		tally_add(total, e);
	}
}

/* What one event of one recording is while it is counted in. */
struct adding {
	struct diff *d;
	struct builder_event *e;
	struct hists h;
	uint32_t *key_ids;               /* of each of h's rows */
	uint32_t *paths;                 /* of each stack; NONE until it is asked for */
	unsigned file;
};

static uint32_t row_of_hist(struct adding *a, uint32_t hist, const struct profile_entry *entry)
{
	const struct profile *profile = a->h.profile;
	uint32_t words[WORDS_MAX], nr = a->d->nr_keys;

	memcpy(words, &a->key_ids[(size_t)hist * nr], nr * sizeof(*words));
	if (a->d->options.by_path) {
		if (a->paths[entry->stack] == NONE)
			a->paths[entry->stack] = path_text(a->d, profile, &profile->stacks[entry->stack]);
		words[nr] = a->paths[entry->stack];
	}
	return row_of(a->d, a->e, words);
}

static void add_to_row(struct adding *a, uint32_t row, const struct profile_entry *entry)
{
	tally_add(&a->e->tallies.v[(size_t)row * a->d->nr_files + a->file], entry);
}

/* To the rows of all functions of its chain, to each once. */
static void add_to_callers(struct adding *a, size_t at, const struct profile_entry *entry)
{
	const struct stack_node *nodes = a->h.tree.nodes.nodes;
	VEC(uint32_t) rows = { 0 };

	*vec_push(&rows) = row_of_hist(a, a->h.entry_hist[at], entry);
	for (uint32_t node = a->h.tree.ends[at]; node != STACK_TREE_ROOT; node = nodes[node].parent) {
		uint32_t row;
		bool new = true;

		if (a->h.node_hist[node] == UINT32_MAX)
			continue;
		row = row_of_hist(a, a->h.node_hist[node], entry);
		for (size_t i = 0; i < rows.nr; i++)
			new &= rows.v[i] != row;
		if (new)
			*vec_push(&rows) = row;
	}
	for (size_t i = 0; i < rows.nr; i++)
		add_to_row(a, rows.v[i], entry);
	vec_release(&rows);
}

static void add_event(struct diff *d, unsigned file, const struct profile *profile,
		      uint32_t event)
{
	struct hists_options ho = { .event = event, .order = TREE_CALLERS_FIRST,
				    .children = d->options.children,
				    .filter = d->options.filter ? filter_entry : NULL,
				    .filter_arg = d->options.filter };
	struct adding a = { .d = d, .file = file };

	a.e = find_event(d, file, profile->data->events.v[event].name);
	hists_build(&a.h, profile, &d->options.spec, &ho);
	a.key_ids = mem_realloc_array(NULL, (size_t)a.h.nr * d->nr_keys + 1, sizeof(*a.key_ids));
	for (uint32_t i = 0; i < a.h.nr; i++)
		for (unsigned k = 0; k < d->nr_keys; k++)
			a.key_ids[(size_t)i * d->nr_keys + k] = key_text(d, &a.h, &a.h.v[i], d->keys[k]);
	a.paths = mem_realloc_array(NULL, (size_t)profile->nr_stacks + 1, sizeof(*a.paths));
	memset(a.paths, 0xff, ((size_t)profile->nr_stacks + 1) * sizeof(*a.paths));
	for (size_t i = 0; i < a.h.tree.nr_entries; i++) {
		const struct profile_entry *entry = &profile->entries[a.h.tree.entries[i]];

		if (d->options.children)
			add_to_callers(&a, i, entry);
		else
			add_to_row(&a, row_of_hist(&a, a.h.entry_hist[i], entry), entry);
	}
	add_totals(&a.e->pub.totals[file], d, profile, event);
	free(a.paths);
	free(a.key_ids);
	hists_release(&a.h);
}

void diff_add(struct diff *d, unsigned index, const struct profile *profile)
{
	for (uint32_t i = 0; i < profile->data->events.nr; i++)
		if (profile->totals[i].samples)
			add_event(d, index, profile, i);
}

/* --- differences, in order ------------------------------------------------------------------- */

static void compute(struct diff *d, struct diff_event *e, struct diff_row *row, unsigned file,
		    double z)
{
	const struct diff_options *o = &d->options;
	double scale_a = 1, scale_b = 1;

	if (o->compute == DIFF_WDIFF) {
		scale_a = o->weight_a;
		scale_b = o->weight_b;
	}
	if (diff_of_amounts(o))
		compare_amounts(&row->differences[file], &row->tallies[0], &e->totals[0], scale_a,
				&row->tallies[file], &e->totals[file], scale_b, z);
	else
		compare_shares(&row->differences[file], &row->tallies[0], &e->totals[0],
			       &row->tallies[file], &e->totals[file], z);
}

static void compute_all(struct diff *d, struct diff_event *e)
{
	struct difference **family = mem_realloc_array(NULL, e->nr_rows + 1, sizeof(*family));
	double z = significance_z(d->options.level);

	for (unsigned file = 1; file < d->nr_files; file++) {
		size_t n = 0;

		if (!e->totals[file].samples)
			continue;
		for (uint32_t i = 0; i < e->nr_rows; i++) {
			struct diff_row *row = &e->rows[i];

			compute(d, e, row, file, z);
			/* what only a third file has is no row of these two */
			if (row->tallies[0].samples || row->tallies[file].samples)
				family[n++] = &row->differences[file];
		}
		judge(family, n, d->options.level);
	}
	free(family);
}

static double sort_value(const struct diff_options *o, const struct diff_row *row)
{
	const struct difference *x = &row->differences[o->order];

	if (!o->order)
		return (double)row->tallies[0].period;
	switch (o->compute) {
	case DIFF_DELTA:
		return x->delta;
	case DIFF_RATIO:
		/* perf's order: what has no ratio, being new, after what has one */
		return isnan(x->ratio) ? -1 : x->ratio;
	default:
		return fabs(x->delta);
	}
}

/* +30 % and -30 % are equally large, whatever the last bit of the subtraction says. */
static double sort_rank(const struct diff_options *o, const struct diff_row *row)
{
	return diff_of_amounts(o) ? sort_value(o, row) : round(sort_value(o, row) * 1e9);
}

static int compare_rows(const void *x, const void *y, void *arg)
{
	const struct diff_row *a = x, *b = y;
	const struct diff *d = arg;
	double p = sort_rank(&d->options, a), q = sort_rank(&d->options, b);
	int r = 0;

	if (p != q)
		return p < q ? 1 : -1;
	for (unsigned i = 0; i < d->nr_files; i++)
		if (a->tallies[i].period != b->tallies[i].period)
			return a->tallies[i].period < b->tallies[i].period ? 1 : -1;
	for (unsigned i = 0; i < d->nr_keys && !r; i++)
		r = strcmp(a->keys[i], b->keys[i]);
	return r || !a->path ? r : strcmp(a->path, b->path);
}

static void lay_out(struct diff *d, struct builder_event *e)
{
	struct arena *arena = &d->priv->arena;
	size_t nr_words = d->priv->nr_words;

	e->pub.rows = arena_zalloc(arena, (size_t)e->pub.nr_rows * sizeof(*e->pub.rows) + 1);
	for (uint32_t i = 0; i < e->pub.nr_rows; i++) {
		struct diff_row *row = &e->pub.rows[i];
		const char **keys = arena_alloc(arena, nr_words * sizeof(*keys) + 1);

		for (size_t k = 0; k < nr_words; k++)
			keys[k] = intern_str(&d->priv->texts, e->words.v[i * nr_words + k]);
		row->keys = keys;
		row->path = d->options.by_path ? keys[d->nr_keys] : NULL;
		row->tallies = &e->tallies.v[(size_t)i * d->nr_files];
		row->differences = arena_zalloc(arena, d->nr_files * sizeof(*row->differences));
	}
}

void diff_finish(struct diff *d)
{
	struct diff_priv *p = d->priv;

	for (size_t i = 0; i < p->events.nr; i++) {
		struct builder_event *e = &p->events.v[i];
		unsigned others = 0;

		for (unsigned f = 1; f < d->nr_files; f++)
			others += e->pub.totals[f].samples != 0;
		if (!e->pub.totals[0].samples || !others) {
			log_note("event '%s' is left out: there is nothing to compare it with",
				 e->pub.name);
			continue;
		}
		lay_out(d, e);
		compute_all(d, &e->pub);
		qsort_r(e->pub.rows, e->pub.nr_rows, sizeof(*e->pub.rows), compare_rows, d);
		*vec_push(&p->out) = e->pub;
	}
	d->events = p->out.v;
	d->nr_events = (uint32_t)p->out.nr;
}
