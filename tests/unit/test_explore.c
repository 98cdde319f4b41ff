/* SPDX-License-Identifier: MIT */
/* The screen of report and top, without a terminal: view/canvas, browser, pager, explore. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "symbols/module_priv.h"
#include "tests/unit/folded_profile.h"
#include "view/explore.h"
#include "view/pager.h"

/* 10 samples: 6 through main;f, 4 through main;g, and 2 of another command in the kernel. */
static const char three_ways[] =
	"w;start;main;f;deep 4\n"
	"w;start;main;f 2\n"
	"w;start;main;g 4\n"
	"v;start;sys_[k] 2\n"
	"w;start;main;g 1*7 @1\n";

static struct report_options view_of(const char *sort, bool chains)
{
	struct sort_wish wish = { .sort = sort, .children = chains };
	struct report_options view = { .children = chains };
	struct err err = ERR_INIT;

	callgraph_defaults(&view.callgraph);
	if (!chains)
		view.callgraph.mode = CALLGRAPH_HIDDEN;
	assert_int_equal(sort_parse(&view.spec, &wish, &err), 0);
	return view;
}

static const char *line_of(const struct canvas *c, unsigned y)
{
	static struct str s = STR_INIT;

	str_clear(&s);
	canvas_text(c, y, 0, c->width, false, &s);
	while (s.len && s.p[s.len - 1] == ' ')
		s.p[--s.len] = '\0';
	return s.p;
}

static bool shows(struct explore *x, const char *text)
{
	struct canvas c;
	bool found = false;

	canvas_init(&c);
	canvas_resize(&c, 24, 100);
	explore_draw(x, &c);
	for (unsigned y = 0; y < c.height; y++)
		found |= strstr(line_of(&c, y), text) != NULL;
	canvas_release(&c);
	return found;
}

static void type(struct explore *x, const char *text)
{
	for (; *text; text++)
		assert_true(explore_key(x, (unsigned char)*text));
}

/* --- canvas ------------------------------------------------------------------------------ */

static void put_takes_the_columns_that_characters_have(void **state)
{
	struct canvas c;

	(void)state;
	canvas_init(&c);
	canvas_resize(&c, 1, 10);
	/* two wide ones, an e with a combining acute, a Latin letter */
	assert_int_equal(canvas_put(&c, 0, 0, 10, 0, "\xe6\xbc\xa2\xe5\xad\x97" "e\xcc\x81" "z", 0), 6);
	assert_true(canvas_cell(&c, 0, 1)->is_tail);
	assert_int_equal(canvas_cell(&c, 0, 4)->cp, 'e');
	assert_int_equal(canvas_cell(&c, 0, 4)->marks[0], 0x301);
	assert_int_equal(canvas_cell(&c, 0, 5)->cp, 'z');
	assert_string_equal(line_of(&c, 0), "\xe6\xbc\xa2\xe5\xad\x97" "e\xcc\x81" "z");
	canvas_release(&c);
}

static void half_of_a_wide_character_is_not_shown(void **state)
{
	struct canvas c;

	(void)state;
	canvas_init(&c);
	canvas_resize(&c, 1, 4);
	canvas_put(&c, 0, 0, 4, 0, "ab\xe6\xbc\xa2\xe5\xad\x97", 0);
	/* the second one has no room: the last column tells */
	assert_string_equal(line_of(&c, 0), "ab \xe2\x80\xa6");
	canvas_resize(&c, 1, 3);
	canvas_put(&c, 0, 0, 3, 0, "ab\xe6\xbc\xa2", 0);
	assert_string_equal(line_of(&c, 0), "ab\xe2\x80\xa6");
	/* written over, the other half goes as well */
	canvas_resize(&c, 1, 4);
	canvas_put(&c, 0, 0, 4, 0, "\xe6\xbc\xa2z", 0);
	canvas_put(&c, 0, 1, 4, 0, "x", 0);
	assert_string_equal(line_of(&c, 0), " xz");
	canvas_release(&c);
}

static void what_drives_a_terminal_is_shown(void **state)
{
	struct canvas c;

	(void)state;
	canvas_init(&c);
	canvas_resize(&c, 1, 40);
	canvas_put(&c, 0, 0, 40, 0, "a\x1b[2Jb\x9b" "c\td", 0);
	assert_string_equal(line_of(&c, 0), "a\\x1b[2Jb\\x9bc\\x09d");
	/* so is what turns the direction around */
	canvas_resize(&c, 1, 40);
	canvas_put(&c, 0, 0, 40, 0, "a\xe2\x80\xae" "b", 0);
	assert_string_equal(line_of(&c, 0), "a\\xe2\\x80\\xaeb");
	canvas_release(&c);
}

static void skipped_columns_and_ascii(void **state)
{
	struct str s = STR_INIT;
	struct canvas c;

	(void)state;
	canvas_init(&c);
	canvas_resize(&c, 1, 8);
	canvas_put(&c, 0, 0, 8, 3, "abcdef", 0);
	assert_string_equal(line_of(&c, 0), "def");
	canvas_resize(&c, 1, 8);
	canvas_put(&c, 0, 0, 8, 0, "\xe6\xbc\xa2" "b\xc3\xa9", 0);
	canvas_text(&c, 0, 0, 4, true, &s);
	assert_string_equal(s.p, "??b?");
	str_release(&s);
	canvas_release(&c);
}

/* --- browser ------------------------------------------------------------------------------ */

static void rows_unfold_into_branches(void **state)
{
	struct profile *p = folded_profile(three_ways, 2);
	struct report_options view = view_of("sym", true);
	struct browser *b = browser_new();
	size_t rows;

	(void)state;
	browser_load(b, &view, p, 0);
	rows = browser_count(b);
	/* start, main, f, deep, g, sys */
	assert_int_equal(rows, 6);
	assert_string_equal(browser_frame(b, browser_item(b, 0))->name, "start");
	assert_string_equal(browser_frame(b, browser_item(b, 1))->name, "main");
	browser_move(b, 1);
	assert_true(browser_toggle(b));
	/* main's own name is the row's; below it f and g, f the heavier one */
	assert_int_equal(browser_count(b), rows + 2);
	assert_int_equal(browser_item(b, 2)->kind, ITEM_BRANCH);
	assert_string_equal(browser_frame(b, browser_item(b, 2))->name, "f");
	assert_int_equal(browser_item(b, 2)->period, 6);
	assert_true(browser_item(b, 2)->has_more);
	assert_string_equal(browser_frame(b, browser_item(b, 3))->name, "g");
	assert_int_equal(browser_item(b, 3)->period, 4);
	assert_false(browser_item(b, 3)->has_more);
	browser_move(b, 1);
	assert_true(browser_toggle(b));
	/* two samples end in f, so deep is a branch of its own */
	assert_int_equal(browser_count(b), rows + 3);
	assert_string_equal(browser_frame(b, browser_item(b, 3))->name, "deep");
	assert_int_equal(browser_item(b, 3)->period, 4);
	browser_move(b, -1);
	assert_true(browser_toggle(b));
	assert_int_equal(browser_count(b), rows);
	/* and what was unfolded below is so again */
	assert_true(browser_toggle(b));
	assert_int_equal(browser_count(b), rows + 3);
	browser_fold_rows(b);
	assert_int_equal(browser_count(b), rows);
	assert_int_equal(browser_unfold_rows(b), 0);
	assert_true(browser_count(b) > rows + 3);
	browser_free(b);
	folded_profile_free(p);
}

static void the_cursor_stays_on_its_row(void **state)
{
	struct profile *p = folded_profile(three_ways, 2);
	struct profile *q = folded_profile("w;start;main;g 9\nw;start;main;f 2\n", 2);
	struct report_options view = view_of("sym", false);
	struct browser *b = browser_new();

	(void)state;
	browser_load(b, &view, p, 0);
	/* self: deep 4, g 4, f 2, sys 2 */
	assert_int_equal(browser_count(b), 4);
	while (strcmp(browser_frame(b, browser_current(b))->name, "f") != 0)
		browser_move(b, 1);
	browser_load(b, &view, q, 0);
	assert_string_equal(browser_frame(b, browser_current(b))->name, "f");
	/* at the top it stays there */
	browser_move(b, -100);
	browser_load(b, &view, p, 0);
	assert_int_equal(browser_cursor(b), 0);
	browser_move(b, 1000);
	assert_int_equal(browser_cursor(b), 3);
	browser_scroll(b, 2);
	assert_int_equal(browser_top(b), 2);
	browser_free(b);
	folded_profile_free(p);
	folded_profile_free(q);
}

/* --- explore -------------------------------------------------------------------------------- */

static int annotate(void *arg, const struct profile *p, const struct profile_frame *frame, uint32_t event,
		    bool source, struct str *out, struct err *err)
{
	(void)arg;
	(void)p;
	(void)event;
	if (strcmp(frame->name, "f") == 0)
		return err_set(err, 2, "f has no code");
	str_addf(out, "   0.00 :  push\n  75.00 :  div\n%s  25.00 :  mul\n", source ? "        source line\n" : "");
	return 0;
}

static struct explore *explorer(const struct profile *p, const char *sort, bool chains)
{
	static const struct explore_calls calls = { .annotate = annotate };
	struct report_options view = view_of(sort, chains);
	struct explore *x = explore_new(&view, &calls, false);

	explore_show(x, p);
	return x;
}

static void filters_narrow_and_are_taken_off(void **state)
{
	struct profile *p = folded_profile(three_ways, 2);
	struct explore *x = explorer(p, "comm,dso,sym", false);

	(void)state;
	assert_true(shows(x, "Samples: 12 of event 'cycles' (of 2)"));
	assert_true(shows(x, "[k] sys"));
	type(x, "/dee\n");
	assert_true(shows(x, "Filter: dee"));
	assert_true(shows(x, "deep"));
	assert_false(shows(x, "[.] g"));
	assert_true(explore_key(x, KEY_OF_ESCAPE));
	assert_true(shows(x, "[.] g"));
	type(x, "d");
	assert_true(shows(x, "DSO: app"));
	assert_false(shows(x, "[k] sys"));
	type(x, "d");
	type(x, "k");
	assert_true(shows(x, "DSO: [kernel.kallsyms]"));
	assert_false(shows(x, "deep"));
	type(x, "t");
	assert_true(shows(x, "Command: v"));
	assert_true(explore_key(x, KEY_OF_ESCAPE));
	assert_true(explore_key(x, KEY_OF_ESCAPE));
	type(x, "K");
	assert_false(shows(x, "[k] sys"));
	type(x, "U");
	assert_true(shows(x, "Nothing would be left"));
	type(x, "K/nothing has this\n");
	assert_true(shows(x, "No row passes the filters"));
	assert_true(explore_key(x, KEY_OF_ENTER));
	assert_false(explore_key(x, 'q'));
	explore_free(x);
	folded_profile_free(p);
}

static void threads_and_events_are_chosen_from_lists(void **state)
{
	struct profile *p = folded_profile(three_ways, 2);
	struct explore *x = explorer(p, "dso,sym", false);

	(void)state;
	type(x, "t");
	assert_true(shows(x, "Which thread?"));
	/* w has 10 of 12 */
	assert_true(shows(x, " 83.33%      100  w"));
	assert_true(shows(x, " 16.67%      101  v"));
	assert_true(explore_key(x, KEY_OF_DOWN));
	type(x, "\n");
	assert_true(shows(x, "Thread: v(101)"));
	assert_false(shows(x, "deep"));
	type(x, "t\t");
	assert_true(shows(x, "of event 'faults'"));
	type(x, "n\n");
	assert_true(shows(x, "of event 'cycles'"));
	explore_free(x);
	folded_profile_free(p);
}

static void enter_annotates_where_nothing_unfolds(void **state)
{
	struct profile *p = folded_profile(three_ways, 2);
	struct explore *x = explorer(p, "sym", false);

	(void)state;
	type(x, "/g\n\n");
	assert_true(shows(x, "g  /bin/app"));
	assert_true(shows(x, "75.00 :  div"));
	assert_true(shows(x, "source line"));
	type(x, "s");
	assert_false(shows(x, "source line"));
	type(x, "q");
	assert_true(shows(x, "Filter: g"));
	assert_true(explore_key(x, KEY_OF_ESCAPE));
	type(x, "/f\na");
	assert_true(shows(x, "f has no code"));
	explore_free(x);
	folded_profile_free(p);
}

static void a_pager_goes_to_the_hottest_line(void **state)
{
	struct str text = STR_INIT;
	struct pager *p;

	(void)state;
	str_add(&text, "  10.00 : a\n  50.00 : b\n  10.00 : c\nno number\n");
	p = pager_new("t", &text, true);
	assert_int_equal(pager_count(p), 4);
	assert_int_equal(pager_cursor(p), 1);
	pager_next_hot(p);
	assert_int_equal(pager_cursor(p), 0);
	pager_next_hot(p);
	assert_int_equal(pager_cursor(p), 2);
	pager_next_hot(p);
	assert_int_equal(pager_cursor(p), 1);
	assert_true(pager_search(p, "number"));
	assert_int_equal(pager_cursor(p), 3);
	assert_false(pager_search(p, "nowhere"));
	pager_free(p);
}

static void any_size_and_any_key_will_do(void **state)
{
	static const char *const texts[] = { three_ways, "w;f 1\n", "w;sys_[k] 3\n", "w;[unknown] 2\n", "" };
	static const uint32_t keys[] = { KEY_OF_END, '\n', 'E', KEY_OF_PAGE_DOWN, KEY_OF_RIGHT, '>', 'F', 'H', 'a',
					 'q', 'd', 't', '\n', 'K', '?', KEY_OF_PAGE_DOWN, 'q', 'i', 'n', 'q', 'C',
					 'L', '9', '9', '\n', KEY_OF_ESCAPE, KEY_OF_ESCAPE, '<' };
	struct canvas c;

	(void)state;
	canvas_init(&c);
	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		struct profile *p = folded_profile(texts[t], 2);
		struct explore *x = explorer(p, "comm,dso,sym", true);

		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			for (unsigned h = 0; h < 6; h++) {
				canvas_resize(&c, h * 2, 1 + h * 9);
				explore_draw(x, &c);
			}
			explore_key(x, keys[k]);
		}
		explore_free(x);
		folded_profile_free(p);
	}
	canvas_release(&c);
}

static void an_empty_profile_says_so(void **state)
{
	struct profile *p = folded_profile("", 1);
	struct explore *x = explorer(p, "comm,dso,sym", true);

	(void)state;
	assert_true(shows(x, "There are no samples to show."));
	assert_true(shows(x, "Samples: 0 of event 'cycles'"));
	explore_free(x);
	folded_profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_takes_the_columns_that_characters_have),
		cmocka_unit_test(half_of_a_wide_character_is_not_shown),
		cmocka_unit_test(what_drives_a_terminal_is_shown),
		cmocka_unit_test(skipped_columns_and_ascii),
		cmocka_unit_test(rows_unfold_into_branches),
		cmocka_unit_test(the_cursor_stays_on_its_row),
		cmocka_unit_test(filters_narrow_and_are_taken_off),
		cmocka_unit_test(threads_and_events_are_chosen_from_lists),
		cmocka_unit_test(enter_annotates_where_nothing_unfolds),
		cmocka_unit_test(a_pager_goes_to_the_hottest_line),
		cmocka_unit_test(any_size_and_any_key_will_do),
		cmocka_unit_test(an_empty_profile_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
