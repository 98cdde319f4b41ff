/* SPDX-License-Identifier: MIT */
#include "view/callgraph.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/vec.h"
#include "view/frame_text.h"
#include "view/line.h"

#define MARGIN 12
#define DEPTH_MAX 200            /* of branches that are drawn inside one another */

void callgraph_defaults(struct callgraph_options *o)
{
	*o = (struct callgraph_options){ .mode = CALLGRAPH_GRAPH, .min_percent = 0.5 };
}

/* --- -g ----------------------------------------------------------------------------- */

static bool is_prefix(const char *word, const char *of)
{
	return str_starts(of, word);
}

static int parse_word(struct callgraph_options *o, const char *word, struct err *err)
{
	static const char *const modes[] = { "none", "graph", "fractal", "flat", "folded" };

	for (unsigned m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
		if (is_prefix(word, modes[m])) {
			o->mode = (enum callgraph_style)m;
			return 0;
		}
	}
	if (is_prefix(word, "caller")) {
		o->order = TREE_CALLERS_FIRST;
		o->order_given = true;
	} else if (is_prefix(word, "callee")) {
		o->order = TREE_LEAF_FIRST;
		o->order_given = true;
	} else if (is_prefix(word, "percent")) {
		o->value = CALLGRAPH_PERCENT;
	} else if (is_prefix(word, "period")) {
		o->value = CALLGRAPH_PERIOD;
	} else if (is_prefix(word, "count")) {
		o->value = CALLGRAPH_COUNT;
	} else if (is_prefix(word, "address") || is_prefix(word, "branch")) {
		return err_set(err, EOPNOTSUPP, "-g '%s' is not supported; chains are kept apart by "
			       "function", word);
	} else if (!is_prefix(word, "function")) {
		return err_set(err, EINVAL, "-g takes graph, fractal, flat, folded or none; caller or "
			       "callee; percent, period or count; a threshold; not '%s'", word);
	}
	return 0;
}

int callgraph_parse(struct callgraph_options *o, const char *text, struct err *err)
{
	char *copy = mem_strdup(text), *rest = copy, *word, *end;
	unsigned numbers = 0;
	int r = 0;

	while (!r && (word = strsep(&rest, ", "))) {
		double n = strtod(word, &end);

		if (!*word)
			continue;
		if (end == word || *end) {
			r = parse_word(o, word, err);
		} else if (!(n >= 0) || n > 1e9 || (!numbers && n > 100)) {
			r = err_set(err, EINVAL, "-g: the threshold is in percent, 0 to 100, not '%s'", word);
		} else if (!numbers++) {
			o->min_percent = n;
		} else {
			o->print_limit = (unsigned)n;
		}
	}
	free(copy);
	return r;
}

/* --- drawing -------------------------------------------------------------------------- */

struct drawing {
	const struct callgraph_page *page;
	const struct callgraph_options *options;
	const struct hists *h;
	struct line line;
	bool open[DEPTH_MAX + 1];        /* which of the levels still have a pipe */
	unsigned margin;
};

void callgraph_add_name(struct str *s, const struct hists *h, uint32_t sym)
{
	const struct profile_frame *f = &h->profile->frames[h->sym_frame[sym]];

	if (f->name)
		str_add(s, f->name);
	else if (h->options.by_addr)
		str_addf(s, "%#" PRIx64, f->run_addr);
	else
		frame_add_folded(s, f, false, false);
	if (f->is_inline)
		str_add(s, " (inlined)");
}

static void add_name(struct drawing *d, uint32_t sym)
{
	struct str s = STR_INIT;

	callgraph_add_name(&s, d->h, sym);
	line_add(&d->line, s.p);
	str_release(&s);
}

static void end_line(struct drawing *d)
{
	line_end(&d->line, d->page->out);
}

static void add_value(struct drawing *d, uint64_t period, uint64_t samples, uint64_t of)
{
	char buf[64];

	if (d->options->value == CALLGRAPH_PERIOD)
		snprintf(buf, sizeof(buf), "%" PRIu64, period);
	else if (d->options->value == CALLGRAPH_COUNT)
		snprintf(buf, sizeof(buf), "%" PRIu64, samples);
	else
		snprintf(buf, sizeof(buf), "%.2f%%", of ? 100.0 * (double)period / (double)of : 0.0);
	line_add(&d->line, buf);
}

static void add_blanks(struct drawing *d, unsigned n)
{
	for (; n; n--)
		line_add(&d->line, " ");
}

/* A chain goes on in one line after the other as long as nothing branches off or ends. */
static const struct chain *next_in_line(const struct chain *chain)
{
	return chain->nr_all == 1 && chain->nr == 1 && !chain->self_samples ? chain->children[0]
									     : NULL;
}

static void graph_separator(struct drawing *d, unsigned depth)
{
	add_blanks(d, d->margin);
	for (unsigned i = 0; i < depth; i++)
		line_add(&d->line, d->open[i] ? "|          " : "           ");
	end_line(d);
}

static void graph_indent(struct drawing *d, unsigned depth)
{
	add_blanks(d, d->margin);
	for (unsigned i = 0; i < depth; i++)
		line_add(&d->line, d->open[i] ? "|          " : "           ");
}

/* The line on which a branch begins: the last level's blanks give way to its value. */
static void graph_branch(struct drawing *d, unsigned depth, const struct chain *chain,
			 uint64_t total)
{
	graph_indent(d, depth - 1);
	line_add(&d->line, d->open[depth - 1] ? "|--" : " --");
	add_value(d, chain->total, chain->total_samples, total);
	line_add(&d->line, "--");
}

static void graph_rest(struct drawing *d, unsigned depth, uint64_t period, uint64_t samples,
		       uint64_t total)
{
	struct chain rest = { .total = period, .total_samples = samples };

	d->open[depth - 1] = false;
	graph_branch(d, depth, &rest, total);
	line_add(&d->line, "[...]");
	end_line(d);
}

static void graph_children(struct drawing *d, const struct chain *parent, uint64_t total,
			   unsigned depth)
{
	bool relative = d->options->mode == CALLGRAPH_FRACTAL;
	unsigned limit = d->options->print_limit, nr = parent->nr;
	uint64_t rest = total, rest_samples = parent->total_samples - parent->self_samples;

	if (limit && limit < nr)
		nr = limit;
	if (depth > DEPTH_MAX && nr) {
		graph_indent(d, DEPTH_MAX);
		line_add(&d->line, "[deeper calls are left out]");
		end_line(d);
		return;
	}
	d->open[depth - 1] = true;
	for (unsigned i = 0; i < nr; i++) {
		const struct chain *chain = parent->children[i], *next;

		rest -= chain->total;
		rest_samples -= chain->total_samples;
		graph_separator(d, depth);
		if (i + 1 == parent->nr && !(relative && rest))
			d->open[depth - 1] = false;
		graph_branch(d, depth, chain, total);
		add_name(d, chain->sym);
		end_line(d);
		for (; (next = next_in_line(chain)); chain = next) {
			graph_indent(d, depth);
			add_name(d, next->sym);
			end_line(d);
		}
		graph_children(d, chain, relative ? chain->total - chain->self : total, depth + 1);
	}
	if (relative && rest && rest != total)
		graph_rest(d, depth, rest, rest_samples, total);
}

/* A frame of the stem: what all of the row's samples share. */
static void graph_stem(struct drawing *d, uint32_t sym)
{
	if (d->margin == MARGIN) {
		add_blanks(d, MARGIN);
		line_add(&d->line, "|");
		end_line(d);
		add_blanks(d, MARGIN);
		line_add(&d->line, "---");
		d->margin += 3;
	} else {
		add_blanks(d, d->margin);
	}
	add_name(d, sym);
	end_line(d);
}

static void graph_write(struct drawing *d, const struct chain *root)
{
	uint64_t total = d->options->mode == CALLGRAPH_FRACTAL ? root->total : d->h->total;
	const struct chain *chain = root->nr ? root->children[0] : NULL;
	bool skip = d->page->skip_first, any = chain != NULL;
	unsigned limit = d->options->print_limit, n = 0;

	d->margin = MARGIN;
	if (any && root->nr == 1 && chain->total == root->total) {
		for (; chain; root = chain, chain = next_in_line(chain)) {
			/* the limit holds for the stem, too, and what branches off is still drawn */
			if (!skip && (!limit || n++ < limit))
				graph_stem(d, chain->sym);
			skip = false;
		}
	}
	if (any) {
		graph_children(d, root, total, 1);
		fputc('\n', d->page->out);
	}
}

/* --- flat, folded ---------------------------------------------------------------------- */

/* A chain that samples end with, and the way to it. */
struct path {
	const struct chain *chain;
	const struct path *up;
};

struct paths { VEC(const struct path *) v; struct arena arena; };

/* In depth without recursion: `todo` holds what is still to be looked into. */
static void collect(struct paths *paths, const struct chain *root, uint64_t min_hit)
{
	VEC(const struct path *) todo = { 0 };
	struct path *path = arena_zalloc(&paths->arena, sizeof(*path));

	path->chain = root;
	*vec_push(&todo) = path;
	while (todo.nr) {
		const struct path *at = todo.v[--todo.nr];

		if (at->up && at->chain->self && at->chain->self >= min_hit)
			*vec_push(&paths->v) = at;
		for (uint32_t i = at->chain->nr; i-- > 0;) {
			path = arena_alloc(&paths->arena, sizeof(*path));
			*path = (struct path){ at->chain->children[i], at };
			*vec_push(&todo) = path;
		}
	}
	vec_release(&todo);
}

static int by_self(const void *x, const void *y)
{
	const struct chain *a = (*(const struct path *const *)x)->chain;
	const struct chain *b = (*(const struct path *const *)y)->chain;

	return (a->self < b->self) - (a->self > b->self);
}

void callgraph_paths(const struct callgraph_options *options, const struct hists *h,
		     const struct chain *root, callgraph_path_fn *fn, void *arg)
{
	uint64_t min_hit = (uint64_t)((double)h->total * options->min_percent / 100);
	unsigned limit = options->print_limit;
	struct paths paths = { 0 };
	VEC(uint32_t) syms = { 0 };

	collect(&paths, root, min_hit);
	/* a stable order: mergesort, as glibc's qsort is one for sizes like these */
	if (paths.v.nr)
		qsort(paths.v.v, paths.v.nr, sizeof(*paths.v.v), by_self);
	for (size_t i = 0; i < paths.v.nr && (!limit || i < limit); i++) {
		const struct path *path = paths.v.v[i];
		struct callgraph_path out = { .period = path->chain->self,
					      .samples = path->chain->self_samples };

		syms.nr = 0;
		for (; path->up; path = path->up)
			*vec_push(&syms) = path->chain->sym;
		for (size_t a = 0, b = syms.nr; a + 1 < b; a++) {
			uint32_t sym = syms.v[--b];

			syms.v[b] = syms.v[a];
			syms.v[a] = sym;
		}
		out.syms = syms.v;
		out.nr = (uint32_t)syms.nr;
		fn(&out, arg);
	}
	vec_release(&syms);
	vec_release(&paths.v);
	arena_release(&paths.arena);
}

static void path_write(const struct callgraph_path *path, void *arg)
{
	struct drawing *d = arg;
	bool folded = d->options->mode == CALLGRAPH_FOLDED;

	if (!folded)
		add_blanks(d, 11);
	add_value(d, path->period, path->samples, d->h->total);
	if (folded)
		line_add(&d->line, " ");
	else
		end_line(d);
	for (uint32_t i = 0; i < path->nr; i++) {
		if (folded && i)
			line_add(&d->line, d->page->separator ? d->page->separator : ";");
		if (!folded)
			add_blanks(d, 16);
		add_name(d, path->syms[i]);
		if (!folded)
			end_line(d);
	}
	end_line(d);
}

void callgraph_write(const struct callgraph_page *page, const struct callgraph_options *options,
		     const struct hists *h, const struct chain *root)
{
	struct drawing *d = mem_zalloc(sizeof(*d));

	d->page = page;
	d->options = options;
	d->h = h;
	line_init(&d->line, page->width);
	if (options->mode == CALLGRAPH_GRAPH || options->mode == CALLGRAPH_FRACTAL)
		graph_write(d, root);
	else if (options->mode != CALLGRAPH_HIDDEN)
		callgraph_paths(options, h, root, path_write, d);
	line_release(&d->line);
	free(d);
}
