/* SPDX-License-Identifier: MIT */
#include "view/explore_priv.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SKIP_STEP 8u
#define TYPED_MAX 200u

struct explore *explore_new(const struct report_options *view, const struct explore_calls *calls, bool live)
{
	struct explore *x = mem_zalloc(sizeof(*x));

	x->view = x->base = *view;
	x->calls = *calls;
	x->live = live;
	x->browser = browser_new();
	x->typed = x->message = (struct str)STR_INIT;
	x->page = 1;
	x->wants_source = true;
	return x;
}

void explore_free(struct explore *x)
{
	if (!x)
		return;
	browser_free(x->browser);
	pager_free(x->pager);
	zoom_release(x);
	vec_release(&x->picks);
	str_release(&x->typed);
	str_release(&x->message);
	free(x->searched);
	free(x);
}

void explore_say(struct explore *x, const char *fmt, ...)
{
	va_list ap;

	str_clear(&x->message);
	va_start(ap, fmt);
	str_addvf(&x->message, fmt, ap);
	va_end(ap);
}

void explore_reload(struct explore *x)
{
	zoom_apply(x);
	browser_load(x->browser, &x->view, x->profile, x->event);
}

/* Whether there is a table that the event begins, and how many samples are in it. */
static bool begins_table(const struct explore *x, uint32_t event, uint64_t *samples)
{
	uint32_t *events = mem_alloc((x->profile->data->events.nr + 1) * sizeof(*events));
	uint32_t nr = report_table(&x->view, x->profile, event, events);

	*samples = 0;
	for (uint32_t i = 0; i < nr; i++)
		*samples += x->profile->totals[events[i]].samples;
	free(events);
	return *samples;
}

/* Of several tables the first one, until one was chosen. */
static void choose_event(struct explore *x)
{
	uint32_t nr = x->profile->data->events.nr;
	uint64_t samples;

	if (x->chose_event)
		return;
	for (x->event = 0; x->event < nr && !begins_table(x, x->event, &samples);)
		x->event++;
	if (x->event == nr)
		x->event = 0;
}

void explore_show(struct explore *x, const struct profile *profile)
{
	x->profile = profile;
	choose_event(x);
	explore_reload(x);
	x->loaded = true;
}

/* --- texts ------------------------------------------------------------------------------- */

void explore_text(struct explore *x, enum explore_mode mode, const char *title, struct str *text)
{
	pager_free(x->pager);
	x->pager = pager_new(title, text, mode == MODE_ANNOTATE);
	x->mode = mode;
	x->skip = 0;
}

static void leave_text(struct explore *x)
{
	pager_free(x->pager);
	x->pager = NULL;
	x->mode = MODE_LIST;
	x->skip = 0;
}

static void show_help(struct explore *x)
{
	struct str s = STR_INIT;

	str_add(&s, "Columns\n"
		"  Overhead, Self               the share of the samples in this function itself\n"
		"  Children                     and in what it called; without it there are no call chains\n"
		"  [k] [.]                      code of the kernel, of user space\n"
		"Moving\n"
		"  Up Down PgUp PgDn Home End   the bar\n"
		"  Left Right                   what is too wide for the screen\n"
		"Call chains\n"
		"  Enter +                      unfold or fold; without chains Enter annotates\n"
		"  e                            all of this row\n"
		"  E C                          all rows, none\n"
		"What is shown\n"
		"  a                            the instructions of this function\n"
		"  d                            only this binary; again: all of them\n"
		"  t                            only this thread or command; again: all\n"
		"  k                            only the kernel\n"
		"  K U                          without the kernel, without user space\n"
		"  /                            only functions with a text in their name\n"
		"  Esc                          take off the last of these filters\n"
		"  Tab Shift-Tab n              the next event, the one before, choose one\n"
		"  < >                          sort by the column to the left, to the right\n"
		"  0 1 2 ...                    of events side by side, sort by this one\n"
		"  F                            percentages of what is shown, of all\n"
		"  L                            no rows below so many percent\n"
		"  H V                          column titles; whole paths and addresses\n");
	if (x->live)
		str_add(&s, "Live\n"
			"  f Space                      stand still, go on\n"
			"  z                            forget at each look, let fade\n"
			"  i                            what was lost, what has no name, and why\n");
	else
		str_add(&s, "The recording\n"
			"  i                            its header; what was lost, what has no name, and why\n");
	str_add(&s, "In a listing\n"
		"  Tab H                        the next hottest line, the hottest\n"
		"  s                            with or without source lines\n"
		"  / n                          search, search on\n"
		"  q Esc                        back\n"
		"q or Ctrl-C leaves.\n");
	explore_text(x, MODE_TEXT, "Keys", &s);
}

static void show_about(struct explore *x)
{
	struct str s = STR_INIT;

	if (!x->calls.about) {
		explore_say(x, "There is no recording to tell about");
		return;
	}
	x->calls.about(x->calls.arg, &s);
	explore_text(x, MODE_TEXT, x->live ? "What is missing" : "The recording", &s);
}

/* Of the table that the event begins. */
static void add_event_names(const struct explore *x, uint32_t event, struct str *s)
{
	const struct event_set *set = &x->profile->data->events;
	uint32_t *events = mem_alloc((set->nr + 1) * sizeof(*events));
	uint32_t nr = report_table(&x->view, x->profile, event, events);

	for (uint32_t i = 0; i < nr; i++) {
		str_add(s, i ? ", " : "");
		str_add_safe(s, set->v[events[i]].name);
	}
	free(events);
}

static void list_events(struct explore *x)
{
	const struct event_set *set = &x->profile->data->events;
	struct str s = STR_INIT;

	x->picks.nr = 0;
	for (uint32_t i = 0; i < set->nr; i++) {
		uint64_t samples;

		if (!begins_table(x, i, &samples))
			continue;
		str_addf(&s, "%10" PRIu64 " samples  ", samples);
		add_event_names(x, i, &s);
		str_addc(&s, '\n');
		*vec_push(&x->picks) = i;
	}
	explore_text(x, MODE_PICK_EVENT, "Which event?", &s);
}

static void annotate_copy(struct explore *x)
{
	struct str text = STR_INIT, title = STR_INIT;
	struct err err = ERR_INIT;

	if (x->calls.annotate(x->calls.arg, x->profile, &x->annotated, x->event, x->wants_source, &text,
			      &err) < 0) {
		explore_say(x, "%s", err.msg);
		str_release(&text);
		return;
	}
	str_addf(&title, "%s  %s", x->annotated.name, x->annotated.module->path);
	explore_text(x, MODE_ANNOTATE, title.p, &text);
	str_release(&title);
}

static void annotate(struct explore *x)
{
	const struct profile_frame *f = browser_frame(x->browser, browser_current(x->browser));

	if (!f)
		return;
	if (!x->calls.annotate)
		explore_say(x, "Functions cannot be annotated here");
	else if (!sort_has(&x->view.spec, COLUMN_SYM) && browser_current(x->browser)->kind == ITEM_ROW)
		explore_say(x, "Rows are not of functions: add the key sym to -s to annotate one");
	else if (!f->name || !f->module)
		explore_say(x, "This has no name, so where it begins and ends is not known");
	else {
		x->annotated = *f;
		x->annotated.module->is_held = true;
		annotate_copy(x);
	}
}

/* --- changes of the list ------------------------------------------------------------------ */

static void next_event(struct explore *x, int step)
{
	uint32_t nr = x->profile->data->events.nr, event = x->event;
	uint64_t samples;

	for (uint32_t i = 0; i < nr; i++) {
		event = (event + (step > 0 ? 1 : nr - 1)) % nr;
		if (event == x->event || !begins_table(x, event, &samples))
			continue;
		x->event = event;
		x->chose_event = true;
		explore_reload(x);
		return;
	}
	explore_say(x, "There is no other event with samples");
}

static void sort_by_event(struct explore *x, unsigned event)
{
	if (event >= browser_events(x->browser)) {
		explore_say(x, browser_events(x->browser) > 1 ? "There are not so many events side by side" :
								 "There is one event; ? lists the keys");
		return;
	}
	x->view.group_sort = event;
	explore_reload(x);
}

/* Let the column at `step` from the one that rows are sorted by be the first to sort by. */
static void sort_by(struct explore *x, int step)
{
	struct sort_spec *spec = &x->view.spec;
	unsigned at = 0, to = 0;

	while (at + 1 < spec->nr_output && spec->output[at] != spec->order[0])
		at++;
	if (step < 0 ? at == 0 : at + 1 >= spec->nr_output)
		return;
	at = (unsigned)((int)at + step);
	while (to < spec->nr_order && spec->order[to] != spec->output[at])
		to++;
	if (to == spec->nr_order && spec->nr_order == SORT_COLUMNS_MAX)
		return;
	spec->nr_order += to == spec->nr_order;
	memmove(&spec->order[1], &spec->order[0], to * sizeof(spec->order[0]));
	spec->order[0] = spec->output[at];
	explore_reload(x);
	explore_say(x, "Sorted by %s", sort_column_name(spec, spec->order[0]));
}

static void hide(struct explore *x, bool *what, const bool *other)
{
	if (!*what && *other) {
		explore_say(x, "Nothing would be left");
		return;
	}
	*what = !*what;
	explore_reload(x);
}

static void freeze(struct explore *x)
{
	x->frozen = !x->frozen;
	if (x->calls.freeze)
		x->calls.freeze(x->calls.arg, x->frozen);
}

static void change_view(struct explore *x, uint32_t key)
{
	switch (key) {
	case 'K':
		hide(x, &x->view.hide_kernel, &x->view.hide_user);
		break;
	case 'U':
		hide(x, &x->view.hide_user, &x->view.hide_kernel);
		break;
	case 'F':
		x->view.relative = !x->view.relative;
		explore_reload(x);
		explore_say(x, "Percentages are of %s", x->view.relative ? "what is shown" : "all samples");
		break;
	case 'V':
		x->view.full = !x->view.full;
		explore_reload(x);
		break;
	case 'H':
		x->no_titles = !x->no_titles;
		break;
	case 'f':
	case ' ':
		if (x->live)
			freeze(x);
		break;
	case 'z':
		if (!x->live)
			break;
		x->zero = !x->zero;
		x->calls.zero(x->calls.arg, x->zero);
		explore_say(x, "%s", x->zero ? "Each look forgets the one before" : "What was fades");
		break;
	default:
		explore_say(x, "? lists the keys");
		break;
	}
}

static void unfold_rows(struct explore *x)
{
	uint32_t left = browser_unfold_rows(x->browser);

	if (left)
		explore_say(x, "%" PRIu32 " rows further down are left folded", left);
}

static bool list_key(struct explore *x, uint32_t key)
{
	long page = x->page > 1 ? (long)x->page - 1 : 1;

	switch (key) {
	case 'q': case 'Q': case 3:
		return false;
	case KEY_OF_UP: browser_move(x->browser, -1); break;
	case KEY_OF_DOWN: browser_move(x->browser, 1); break;
	case KEY_OF_PAGE_UP: browser_move(x->browser, -page); break;
	case KEY_OF_PAGE_DOWN: browser_move(x->browser, page); break;
	case KEY_OF_HOME: browser_move(x->browser, INT32_MIN); break;
	case KEY_OF_END: browser_move(x->browser, INT32_MAX); break;
	case KEY_OF_LEFT: x->skip -= x->skip < SKIP_STEP ? x->skip : SKIP_STEP; break;
	case KEY_OF_RIGHT: x->skip += SKIP_STEP; break;
	case KEY_OF_ENTER: case '\r':
		if (!browser_toggle(x->browser))
			annotate(x);
		break;
	case '+': case '-':
		browser_toggle(x->browser);
		break;
	case 'e': browser_toggle_all(x->browser); break;
	case 'E': unfold_rows(x); break;
	case 'C': browser_fold_rows(x->browser); break;
	case 'a': annotate(x); break;
	case 'd': zoom_dso(x); break;
	case 't': zoom_task(x); break;
	case 'k': zoom_kernel(x); break;
	case '/': x->prompt = PROMPT_FILTER; break;
	case 'L': x->prompt = PROMPT_LIMIT; break;
	case KEY_OF_ESCAPE:
		if (!zoom_out(x))
			explore_say(x, "q leaves");
		break;
	case KEY_OF_TAB: next_event(x, 1); break;
	case KEY_OF_BACK_TAB: next_event(x, -1); break;
	case 'n': list_events(x); break;
	case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9': sort_by_event(x, key - '0'); break;
	case '<': sort_by(x, -1); break;
	case '>': sort_by(x, 1); break;
	case 'i': show_about(x); break;
	case '?': case 'h': case KEY_OF_F1: show_help(x); break;
	default: change_view(x, key); break;
	}
	return true;
}

/* --- other modes --------------------------------------------------------------------------- */

static void pick(struct explore *x)
{
	size_t at = pager_cursor(x->pager);

	if (x->mode == MODE_PICK_TASK) {
		zoom_pick_task(x);
	} else if (at < x->picks.nr) {
		x->event = x->picks.v[at];
		x->chose_event = true;
		explore_reload(x);
	}
	leave_text(x);
}

static void search(struct explore *x)
{
	if (x->searched && !pager_search(x->pager, x->searched))
		explore_say(x, "'%s' is not there", x->searched);
}

static bool text_key(struct explore *x, uint32_t key)
{
	long page = x->page > 1 ? (long)x->page - 1 : 1;
	bool picks = x->mode == MODE_PICK_EVENT || x->mode == MODE_PICK_TASK;

	switch (key) {
	case 3:
		return false;
	case 'q': case 'Q': case KEY_OF_ESCAPE:
		leave_text(x);
		break;
	case KEY_OF_UP: pager_move(x->pager, -1); break;
	case KEY_OF_DOWN: pager_move(x->pager, 1); break;
	case KEY_OF_PAGE_UP: pager_move(x->pager, -page); break;
	case KEY_OF_PAGE_DOWN: case ' ': pager_move(x->pager, page); break;
	case KEY_OF_HOME: pager_move(x->pager, INT32_MIN); break;
	case KEY_OF_END: pager_move(x->pager, INT32_MAX); break;
	case KEY_OF_LEFT: x->skip -= x->skip < SKIP_STEP ? x->skip : SKIP_STEP; break;
	case KEY_OF_RIGHT: x->skip += SKIP_STEP; break;
	case KEY_OF_ENTER: case '\r':
		if (picks)
			pick(x);
		break;
	case KEY_OF_TAB: pager_next_hot(x->pager); break;
	case 'H': pager_hottest(x->pager); break;
	case '/': x->prompt = PROMPT_SEARCH; break;
	case 'n': search(x); break;
	case 's':
		if (x->mode == MODE_ANNOTATE) {
			x->wants_source = !x->wants_source;
			annotate_copy(x);
		}
		break;
	default:
		explore_say(x, "q goes back");
		break;
	}
	return true;
}

static void set_limit(struct explore *x)
{
	char *end;
	double limit = strtod(x->typed.p, &end);

	if (end == x->typed.p || *end || !(limit >= 0) || limit > 100) {
		explore_say(x, "'%s' is not a percentage", x->typed.p);
		return;
	}
	x->view.percent_limit = limit;
	explore_reload(x);
}

static void finish_prompt(struct explore *x, enum explore_prompt prompt)
{
	switch (prompt) {
	case PROMPT_FILTER:
		if (x->typed.len)
			zoom_in(x, ZOOM_NAME, x->typed.p, 0);
		break;
	case PROMPT_LIMIT:
		set_limit(x);
		break;
	case PROMPT_SEARCH:
		if (x->typed.len) {
			free(x->searched);
			x->searched = mem_strdup(x->typed.p);
		}
		search(x);
		break;
	case PROMPT_NONE:
		break;
	}
}

static void add_typed(struct str *s, uint32_t c)
{
	char b[4];
	unsigned n = 0;

	if (c < 0x80) {
		b[n++] = (char)c;
	} else if (c < 0x800) {
		b[n++] = (char)(0xc0 | c >> 6);
		b[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		b[n++] = (char)(0xe0 | c >> 12);
		b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		b[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		b[n++] = (char)(0xf0 | c >> 18);
		b[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		b[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		b[n++] = (char)(0x80 | (c & 0x3f));
	}
	str_addn(s, b, n);
}

static bool prompt_key(struct explore *x, uint32_t key)
{
	enum explore_prompt prompt = x->prompt;

	switch (key) {
	case 3:
		return false;
	case KEY_OF_ESCAPE:
		x->prompt = PROMPT_NONE;
		str_clear(&x->typed);
		break;
	case KEY_OF_ENTER: case '\r':
		x->prompt = PROMPT_NONE;
		finish_prompt(x, prompt);
		str_clear(&x->typed);
		break;
	case KEY_OF_BACKSPACE: case 8: case 127:
		while (x->typed.len && ((unsigned char)x->typed.p[--x->typed.len] & 0xc0) == 0x80)
			;
		if (x->typed.cap)
			x->typed.p[x->typed.len] = '\0';
		break;
	default:
		if (key >= ' ' && key < KEY_OF_UP && x->typed.len < TYPED_MAX)
			add_typed(&x->typed, key);
		break;
	}
	return true;
}

bool explore_key(struct explore *x, uint32_t key)
{
	if (!x->loaded)
		return key != 'q' && key != 'Q' && key != 3;
	str_clear(&x->message);
	if (x->prompt != PROMPT_NONE)
		return prompt_key(x, key);
	return x->mode == MODE_LIST ? list_key(x, key) : text_key(x, key);
}

/* --- drawing --------------------------------------------------------------------------------- */

/* 1645 -> "1K" */
static void add_short(struct str *s, uint64_t n)
{
	static const char units[] = " KMGTPE";
	unsigned u = 0;

	for (; n >= 1000 && units[u + 1]; u++)
		n /= 1000;
	str_addf(s, "%" PRIu64, n);
	if (u)
		str_addc(s, units[u]);
}

static void add_head(const struct explore *x, struct str *s)
{
	uint64_t samples, shown = 0;
	uint32_t tables = 0;

	for (uint32_t i = 0; i < x->profile->data->events.nr; i++) {
		tables += begins_table(x, i, &samples);
		if (i == x->event)
			shown = samples;
	}
	str_add(s, "Samples: ");
	add_short(s, shown);
	str_addf(s, " of event%s '", browser_events(x->browser) > 1 ? "s" : "");
	browser_add_event_names(x->browser, s);
	str_addc(s, '\'');
	if (tables > 1)
		str_addf(s, " (of %u)", tables);
	zoom_add_text(x, s);
	if (x->view.hide_kernel)
		str_add(s, "  no kernel");
	if (x->view.hide_user)
		str_add(s, "  no user space");
	if (x->frozen)
		str_add(s, "  [standing still]");
	if (x->calls.state) {
		str_add(s, "  ");
		x->calls.state(x->calls.arg, s);
	}
}

static void add_foot(const struct explore *x, struct str *s)
{
	static const char *const prompts[] = {
		[PROMPT_FILTER] = "Functions with: ", [PROMPT_LIMIT] = "No rows below so many percent: ",
		[PROMPT_SEARCH] = "Search: ", [PROMPT_NONE] = "",
	};

	if (x->prompt != PROMPT_NONE)
		str_addf(s, "%s%s_", prompts[x->prompt], x->typed.p);
	else if (x->message.len)
		str_add(s, x->message.p);
	else if (x->mode == MODE_LIST)
		str_addf(s, "? help  q quit  %sa annotate  d binary  t thread  / filter%s",
			 x->view.callgraph.mode != CALLGRAPH_HIDDEN ? "Enter unfold  " : "",
			 x->live ? "  f freeze" : "");
	else if (x->mode == MODE_ANNOTATE)
		str_add(s, "q back  Tab next hottest  s source  / search");
	else if (x->mode == MODE_TEXT)
		str_add(s, "q back  / search");
	else
		str_add(s, "Enter choose  q back");
}

static void draw_list(struct explore *x, struct canvas *c, unsigned y, unsigned height)
{
	const struct profile *p = x->profile;

	browser_draw(x->browser, c, y, height, x->skip, !x->no_titles && height > 1);
	x->page = height > 1 && !x->no_titles ? height - 1 : height;
	if (browser_count(x->browser) || height < 2)
		return;
	if (!p->totals[x->event].samples)
		canvas_put(c, y + 1, 2, c->width, 0, x->live ? "No samples yet." : "There are no samples to show.",
			   STYLE_PLAIN);
	else
		canvas_put(c, y + 1, 2, c->width, 0, "No row passes the filters; Esc takes off the last one.",
			   STYLE_PLAIN);
}

/* "12 of 1420" at the end of the last line, if there is room. */
static void put_place(const struct explore *x, struct canvas *c, unsigned used)
{
	struct str s = STR_INIT;
	unsigned at;

	if (x->mode != MODE_LIST || x->prompt != PROMPT_NONE || !browser_count(x->browser))
		return;
	str_addf(&s, "%zu of %zu", browser_cursor(x->browser) + 1, browser_count(x->browser));
	at = c->width > s.len ? c->width - (unsigned)s.len : 0;
	if (at >= used + 2)
		canvas_put(c, c->height - 1, at, c->width, 0, s.p, STYLE_KEY);
	str_release(&s);
}

void explore_draw(struct explore *x, struct canvas *c)
{
	unsigned first = c->height > 2, last = c->height > 1, height = c->height - first - last, width;
	struct str s = STR_INIT;

	if (!c->height || !x->loaded)
		return;
	if (first) {
		if (x->mode == MODE_LIST)
			add_head(x, &s);
		else
			str_add(&s, pager_title(x->pager));
		canvas_put(c, 0, 0, c->width, 0, s.p, STYLE_BOLD);
		canvas_style(c, 0, 0, STYLE_BOLD);
		str_clear(&s);
	}
	if (x->mode == MODE_LIST) {
		draw_list(x, c, first, height);
	} else {
		pager_draw(x->pager, c, first, height, x->skip);
		x->page = height;
	}
	if (last) {
		add_foot(x, &s);
		width = canvas_put(c, c->height - 1, 0, c->width, 0, s.p, STYLE_KEY);
		canvas_style(c, c->height - 1, 0, STYLE_KEY);
		put_place(x, c, width);
	}
	str_release(&s);
}
