/* SPDX-License-Identifier: MIT */
#include "view/browser.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "view/cursor.h"
#include "view/report_priv.h"

#define HOT_PERCENT 5.0
#define WARM_PERCENT 0.5
#define MEASURED_ROWS 1000u      /* columns are as wide as the first rows need */
#define UNFOLDED_ROWS 200u       /* by browser_unfold_rows */
#define DEPTH_MAX 200u           /* of branches inside one another */
#define INDENT 3u

struct browser {
	struct report_options view;      /* a copy */
	struct section section;          /* rows, widths */
	struct chains *chains;           /* NULL: none are shown */
	bool loaded;
	VEC(struct item) items;
	struct map64 open;               /* keys of what is unfolded */
	bool unfold_all;                 /* while a row is listed: all that it has */
	size_t cursor, top;
};

struct browser *browser_new(void)
{
	return mem_zalloc(sizeof(struct browser));
}

static void unload(struct browser *b)
{
	if (!b->loaded)
		return;
	chains_free(b->chains);
	b->chains = NULL;
	section_release(&b->section);
	line_release(&b->section.line);
	b->loaded = false;
}

void browser_free(struct browser *b)
{
	if (!b)
		return;
	unload(b);
	vec_release(&b->items);
	map64_release(&b->open);
	free(b);
}

/* --- keys ----------------------------------------------------------------------------- */

static uint64_t row_key(const struct browser *b, const struct hist *hist)
{
	const struct sort_spec *spec = &b->view.spec;
	struct str text = STR_INIT;
	uint64_t key;

	for (unsigned c = 0; c < spec->nr_output; c++) {
		if (!column_is_key(spec->output[c]))
			continue;
		hist_add_key(&text, &b->section.h, hist, spec->output[c], true);
		str_addc(&text, '\n');
	}
	key = hash_bytes(text.p, text.len);
	str_release(&text);
	return key;
}

static uint64_t chain_key(const struct browser *b, uint64_t above, uint32_t sym)
{
	const struct hists *h = &b->section.h;
	const struct module *module = h->profile->frames[h->sym_frame[sym]].module;
	struct str text = STR_INIT;
	uint64_t key;

	/* every program has a main */
	str_addf(&text, "%s\n", module ? module->path : "");
	callgraph_add_name(&text, h, sym);
	key = hash_mix(above, hash_bytes(text.p, text.len));
	str_release(&text);
	return key;
}

static bool is_open(const struct browser *b, uint64_t key)
{
	const uint64_t *open = map64_find(&b->open, key);

	return open && *open;
}

static void set_open(struct browser *b, uint64_t key, bool open)
{
	*map64_put(&b->open, key, NULL) = open;
}

/* --- items ---------------------------------------------------------------------------- */

static struct item *push(struct browser *b, enum item_kind kind, uint32_t row, unsigned depth, uint64_t key)
{
	struct item *item = vec_push(&b->items);

	*item = (struct item){ .kind = kind, .row = row, .depth = depth, .key = key };
	return item;
}

/* A chain goes on without a branch as long as nothing else comes off or ends. */
static const struct chain *next_in_line(const struct chain *chain)
{
	return chain->nr_all == 1 && chain->nr == 1 && !chain->self_samples ? chain->children[0] : NULL;
}

/* What follows a chain in line; returns the last of them. *key goes along. */
static const struct chain *push_line(struct browser *b, uint32_t row, const struct chain *chain,
				     unsigned depth, uint64_t *key)
{
	const struct chain *next;

	for (; (next = next_in_line(chain)); chain = next) {
		*key = chain_key(b, *key, next->sym);
		push(b, ITEM_FRAME, row, depth, *key)->sym = next->sym;
	}
	return chain;
}

static void push_branches(struct browser *b, uint32_t row, const struct chain *parent, unsigned depth,
			  uint64_t above)
{
	if (depth > DEPTH_MAX)
		return;
	for (uint32_t i = 0; i < parent->nr; i++) {
		const struct chain *chain = parent->children[i];
		uint64_t key = chain_key(b, above, chain->sym);
		struct item *item = push(b, ITEM_BRANCH, row, depth, key);

		item->sym = chain->sym;
		item->period = chain->total;
		item->samples = chain->total_samples;
		item->has_more = chain->nr != 0;
		if (b->unfold_all && item->has_more)
			set_open(b, key, true);
		item->is_open = item->has_more && is_open(b, key);
		if (!item->is_open)
			continue;
		chain = push_line(b, row, chain, depth + 1, &key);
		push_branches(b, row, chain, depth + 1, key);
	}
}

/* What all samples of a row share is listed without a value. */
static void push_chains(struct browser *b, uint32_t row, uint64_t key)
{
	struct chain_options cut = { .relative = b->view.callgraph.mode == CALLGRAPH_FRACTAL,
				     .min_percent = b->view.callgraph.min_percent };
	const struct chain *root = chains_build(b->chains, row, &cut), *first;

	if (root->nr == 1 && root->children[0]->total == root->total) {
		first = root->children[0];
		key = chain_key(b, key, first->sym);
		if (!b->view.spec.sym_first)
			push(b, ITEM_FRAME, row, 1, key)->sym = first->sym;
		root = push_line(b, row, first, 1, &key);
	}
	push_branches(b, row, root, 1, key);
}

static void push_row(struct browser *b, uint32_t row)
{
	const struct hist *hist = &b->section.h.v[row];
	uint64_t key = row_key(b, hist);
	struct item *item = push(b, ITEM_ROW, row, 0, key);

	/* chains are of the first event: a row of another one alone has none */
	item->has_more = b->chains && (hist->samples || hist->children) &&
			 hist->depth > (b->view.spec.sym_first ? 1u : 0u);
	item->is_open = item->has_more && is_open(b, key);
	if (item->is_open)
		push_chains(b, row, key);
}

static void list_items(struct browser *b)
{
	const struct hists *h = &b->section.h;

	b->items.nr = 0;
	for (uint32_t i = 0; i < h->nr; i++)
		if (section_shows(&b->section, &h->v[h->sorted[i]]))
			push_row(b, h->sorted[i]);
}

/* After the list was made anew: to the item with that key, or stay. */
static void find_cursor(struct browser *b, uint64_t key, bool have)
{
	size_t above = b->cursor - b->top;

	for (size_t i = 0; have && i < b->items.nr; i++) {
		if (b->items.v[i].key != key)
			continue;
		b->cursor = i;
		b->top = i > above ? i - above : 0;
		return;
	}
	if (b->cursor >= b->items.nr)
		b->cursor = b->items.nr ? b->items.nr - 1 : 0;
}

static void relist(struct browser *b)
{
	bool have = b->cursor < b->items.nr;
	uint64_t key = have ? b->items.v[b->cursor].key : 0;

	list_items(b);
	find_cursor(b, key, have);
}

static void load_events(struct browser *b, const struct profile *profile, uint32_t event)
{
	uint32_t *events = mem_alloc((profile->data->events.nr + 1) * sizeof(*events));
	uint32_t nr = report_table(&b->view, profile, event, events);

	if (!nr)
		events[nr++] = event;
	section_load(&b->section, &b->view, profile, events, nr);
	free(events);
}

void browser_load(struct browser *b, const struct report_options *view, const struct profile *profile,
		  uint32_t event)
{
	bool have = b->cursor > 0 && b->cursor < b->items.nr;
	uint64_t key = have ? b->items.v[b->cursor].key : 0;
	struct section *s = &b->section;

	unload(b);
	b->view = *view;
	b->view.color = false;
	b->view.separator = NULL;
	*s = (struct section){ .options = &b->view, .max_rows = MEASURED_ROWS };
	line_init(&s->line, 0);
	load_events(b, profile, event);
	if (view->callgraph.mode != CALLGRAPH_HIDDEN && profile->has_chains)
		b->chains = chains_new(&s->h);
	b->loaded = true;
	section_measure(s);
	section_squeeze(s);
	list_items(b);
	find_cursor(b, key, have);
}

uint32_t browser_events(const struct browser *b)
{
	return b->section.nr_members;
}

void browser_add_event_names(const struct browser *b, struct str *out)
{
	section_add_event_names(&b->section, out);
}

const struct hists *browser_hists(const struct browser *b)
{
	return &b->section.h;
}

size_t browser_count(const struct browser *b)
{
	return b->items.nr;
}

const struct item *browser_item(const struct browser *b, size_t index)
{
	return index < b->items.nr ? &b->items.v[index] : NULL;
}

const struct item *browser_current(const struct browser *b)
{
	return browser_item(b, b->cursor);
}

const struct profile_frame *browser_frame(const struct browser *b, const struct item *item)
{
	const struct hists *h = &b->section.h;

	if (!item)
		return NULL;
	return &h->profile->frames[item->kind == ITEM_ROW ? h->v[item->row].frame : h->sym_frame[item->sym]];
}

/* --- moving --------------------------------------------------------------------------- */

void browser_move(struct browser *b, long by)
{
	b->cursor = cursor_moved(b->cursor, b->items.nr, by);
}

void browser_scroll(struct browser *b, unsigned height)
{
	if (b->top > b->cursor)
		b->top = b->cursor;
	if (height && b->cursor - b->top >= height)
		b->top = b->cursor - height + 1;
	/* no blank lines below while there is something above */
	if (b->top + height > b->items.nr)
		b->top = b->items.nr > height ? b->items.nr - height : 0;
}

size_t browser_cursor(const struct browser *b)
{
	return b->cursor;
}

size_t browser_top(const struct browser *b)
{
	return b->top;
}

/* --- folding -------------------------------------------------------------------------- */

/* From a frame up to what can be folded. */
static size_t foldable(const struct browser *b)
{
	size_t i = b->cursor;

	while (i > 0 && i < b->items.nr && b->items.v[i].kind == ITEM_FRAME)
		i--;
	return i;
}

bool browser_toggle(struct browser *b)
{
	size_t at = foldable(b);
	const struct item *item = browser_item(b, at);

	if (!item || !item->has_more)
		return false;
	set_open(b, item->key, !item->is_open);
	b->cursor = at;
	relist(b);
	return true;
}

static void open_row(struct browser *b, size_t at, bool open)
{
	b->cursor = at;
	set_open(b, b->items.v[at].key, open);
	relist(b);
}

bool browser_toggle_all(struct browser *b)
{
	size_t at = b->cursor;

	while (at > 0 && at < b->items.nr && b->items.v[at].kind != ITEM_ROW)
		at--;
	if (at >= b->items.nr || !b->items.v[at].has_more)
		return false;
	if (b->items.v[at].is_open) {
		open_row(b, at, false);
		return true;
	}
	/* list this row once with all that it has, which is then remembered */
	set_open(b, b->items.v[at].key, true);
	b->unfold_all = true;
	push_chains(b, b->items.v[at].row, b->items.v[at].key);
	b->unfold_all = false;
	open_row(b, at, true);
	return true;
}

uint32_t browser_unfold_rows(struct browser *b)
{
	uint32_t rows = 0, left = 0;

	b->unfold_all = true;
	for (size_t i = 0, nr = b->items.nr; i < nr; i++) {
		struct item item = b->items.v[i];

		if (item.kind != ITEM_ROW || !item.has_more)
			continue;
		if (rows++ >= UNFOLDED_ROWS) {
			left++;
			continue;
		}
		set_open(b, item.key, true);
		push_chains(b, item.row, item.key);
	}
	b->unfold_all = false;
	relist(b);
	return left;
}

void browser_fold_rows(struct browser *b)
{
	while (b->cursor && b->cursor < b->items.nr && b->items.v[b->cursor].kind != ITEM_ROW)
		b->cursor--;
	map64_release(&b->open);
	relist(b);
}

/* --- drawing -------------------------------------------------------------------------- */

static double percent_of(const struct browser *b, uint64_t period)
{
	return b->section.h.total ? 100.0 * (double)period / (double)b->section.h.total : 0;
}

static enum canvas_style heat(double percent)
{
	return percent >= HOT_PERCENT ? STYLE_HOT : percent >= WARM_PERCENT ? STYLE_WARM : STYLE_PLAIN;
}

static const char *fold_sign(const struct item *item)
{
	return !item->has_more ? " " : item->is_open ? "-" : "+";
}

/* The line that was made, from its column `skip` on; the numbers in front in their heat. */
static void put_line(struct browser *b, struct canvas *c, unsigned y, unsigned skip, unsigned hot_columns,
		     enum canvas_style style)
{
	struct line *line = &b->section.line;

	canvas_put(c, y, 0, c->width, skip, line->s.p, STYLE_PLAIN);
	if (hot_columns > skip)
		for (unsigned x = 0; x < hot_columns - skip && x < c->width && y < c->height; x++)
			c->cells[(size_t)y * c->width + x].style = (uint8_t)style;
	str_clear(&line->s);
	line->columns = 0;
}

static void draw_row(struct browser *b, struct canvas *c, unsigned y, unsigned skip, const struct item *item)
{
	const struct hist *hist = &b->section.h.v[item->row];
	unsigned columns = 1;

	for (unsigned i = 0; i < b->view.spec.nr_output && !column_is_key(b->view.spec.output[i]); i++)
		columns += 2 + b->section.widths[i];
	line_add(&b->section.line, fold_sign(item));
	section_add_row(&b->section, hist);
	put_line(b, c, y, skip, columns,
		 heat(percent_of(b, b->view.children ? hist->children : hist->period)));
}

static void draw_chain(struct browser *b, struct canvas *c, unsigned y, unsigned skip, const struct item *item)
{
	struct str text = STR_INIT;
	unsigned columns;

	str_addf(&text, "%*s", (int)(INDENT * item->depth), "");
	if (item->kind == ITEM_BRANCH) {
		str_addf(&text, "%s ", fold_sign(item));
		if (b->view.callgraph.value == CALLGRAPH_COUNT)
			str_addf(&text, "%" PRIu64 " ", item->samples);
		else if (b->view.callgraph.value == CALLGRAPH_PERIOD)
			str_addf(&text, "%" PRIu64 " ", item->period);
		else
			str_addf(&text, "%.2f%% ", percent_of(b, item->period));
	} else {
		str_add(&text, "  ");
	}
	columns = (unsigned)text.len;
	callgraph_add_name(&text, &b->section.h, item->sym);
	line_add(&b->section.line, text.p);
	put_line(b, c, y, skip, columns,
		 item->kind == ITEM_BRANCH ? heat(percent_of(b, item->period)) : STYLE_PLAIN);
	str_release(&text);
}

void browser_draw(struct browser *b, struct canvas *c, unsigned y, unsigned height, unsigned skip, bool titles)
{
	unsigned end = y + height;

	if (b->view.width != c->width) {
		b->view.width = c->width;
		section_measure(&b->section);
		section_squeeze(&b->section);
	}
	if (titles && height) {
		line_add(&b->section.line, "   ");
		section_add_titles(&b->section);
		put_line(b, c, y, skip, 0, STYLE_PLAIN);
		canvas_style(c, y, 0, STYLE_TITLE);
		y++;
	}
	browser_scroll(b, end > y ? end - y : 0);
	for (size_t i = b->top; i < b->items.nr && y < end; i++, y++) {
		const struct item *item = &b->items.v[i];

		if (item->kind == ITEM_ROW)
			draw_row(b, c, y, skip, item);
		else
			draw_chain(b, c, y, skip, item);
		if (i == b->cursor)
			canvas_add_style(c, y, STYLE_BAR);
	}
}
