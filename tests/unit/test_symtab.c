/* SPDX-License-Identifier: MIT */
/* symtab: one case for each rule in its header, worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "symbols/symtab.h"

struct line {
	uint64_t start, size;
	const char *name;
	unsigned flags;
};

static struct symtab *table(unsigned options, const struct line *lines)
{
	struct symtab *tab = symtab_new(options);

	for (; lines->name; lines++)
		symtab_add_name(tab, lines->start, lines->size, lines->name, lines->flags);
	symtab_finish(tab);
	return tab;
}

/* The name at an address, "" for none. */
static const char *at(const struct symtab *tab, uint64_t addr)
{
	struct symtab_hit hit;

	if (!symtab_find(tab, addr, &hit))
		return "";
	assert_true(hit.start <= addr && addr < hit.end);
	return hit.name;
}

static void test_nested(void **state)
{
	static const struct line lines[] = {
		{ 100, 100, "outer", SYMTAB_GLOBAL },
		{ 120, 20, "inner", SYMTAB_GLOBAL },
		{ 190, 30, "over", SYMTAB_GLOBAL },     /* starts in outer, ends behind it */
		{ 300, 10, "far", SYMTAB_GLOBAL },
		{ 0 },
	};
	struct symtab *tab = table(0, lines);

	(void)state;
	assert_string_equal(at(tab, 99), "");
	assert_string_equal(at(tab, 100), "outer");
	assert_string_equal(at(tab, 119), "outer");
	assert_string_equal(at(tab, 120), "inner");
	assert_string_equal(at(tab, 139), "inner");
	assert_string_equal(at(tab, 140), "outer");
	assert_string_equal(at(tab, 190), "over");
	assert_string_equal(at(tab, 219), "over");
	assert_string_equal(at(tab, 220), "");
	assert_string_equal(at(tab, 299), "");
	assert_string_equal(at(tab, 309), "far");
	assert_string_equal(at(tab, 310), "");
	assert_string_equal(at(tab, UINT64_MAX), "");
	symtab_free(tab);
}

static void test_unsized(void **state)
{
	static const struct line lines[] = {
		{ 100, 50, "sized", SYMTAB_LOCAL },
		{ 110, 1000, "label", SYMTAB_GLOBAL | SYMTAB_UNSIZED },
		{ 150, 1000, "first", SYMTAB_GLOBAL | SYMTAB_UNSIZED },
		{ 170, 1000, "second", SYMTAB_GLOBAL | SYMTAB_UNSIZED },
		{ 200, 10, "end", SYMTAB_LOCAL },
		{ 300, 40, "last", SYMTAB_GLOBAL | SYMTAB_UNSIZED },
		{ 0 },
	};
	struct symtab *tab = table(0, lines);

	(void)state;
	assert_string_equal(at(tab, 110), "sized");
	assert_string_equal(at(tab, 149), "sized");
	assert_string_equal(at(tab, 150), "first");
	assert_string_equal(at(tab, 169), "first");
	assert_string_equal(at(tab, 170), "second");
	assert_string_equal(at(tab, 199), "second");
	assert_string_equal(at(tab, 205), "end");
	assert_string_equal(at(tab, 210), "");
	assert_string_equal(at(tab, 339), "last");
	assert_string_equal(at(tab, 340), "");
	symtab_free(tab);
}

/* Each pair differs in the one point only, with the loser first and then last. */
static void test_aliases(void **state)
{
	static const struct {
		const char *winner, *loser;
		unsigned winner_flags, loser_flags;
	} pairs[] = {
		{ "__l", "glob", SYMTAB_WEAK, SYMTAB_GLOBAL | SYMTAB_UNSIZED },
		{ "__l", "glob", SYMTAB_WEAK, SYMTAB_GLOBAL | SYMTAB_UNTYPED },
		{ "__g", "wk_longer", SYMTAB_GLOBAL, SYMTAB_WEAK },
		{ "__g", "lo_longer", SYMTAB_GLOBAL, SYMTAB_LOCAL },
		{ "__l", "wk_longer", SYMTAB_LOCAL, SYMTAB_WEAK },
		{ "a", "_longer", SYMTAB_GLOBAL, SYMTAB_GLOBAL },
		{ "longer", "long", SYMTAB_GLOBAL, SYMTAB_GLOBAL },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct line win = { 64, 16, pairs[i / 2].winner, pairs[i / 2].winner_flags };
		struct line lose = { 64, 16, pairs[i / 2].loser, pairs[i / 2].loser_flags };
		struct line lines[3] = { i & 1 ? win : lose, i & 1 ? lose : win, { 0 } };
		struct symtab *tab = table(0, lines);

		assert_string_equal(at(tab, 64), win.name);
		assert_string_equal(at(tab, 79), win.name);
		symtab_free(tab);
	}
}

static void test_alias_ties_and_lengths(void **state)
{
	static const struct line tie[] = {
		{ 8, 8, "abc", SYMTAB_GLOBAL }, { 8, 8, "xyz", SYMTAB_GLOBAL }, { 0 },
	};
	static const struct line longer[] = {
		{ 8, 8, "best", SYMTAB_GLOBAL }, { 8, 32, "loser", SYMTAB_WEAK }, { 0 },
	};
	static const struct line last[] = {
		{ 8, 64, "_text", SYMTAB_GLOBAL | SYMTAB_UNSIZED },
		{ 8, 64, "__weak", SYMTAB_WEAK | SYMTAB_UNSIZED },
		{ 16, 64, "next", SYMTAB_GLOBAL | SYMTAB_UNSIZED },
		{ 0 },
	};
	struct symtab *tab = table(0, tie);

	(void)state;
	assert_string_equal(at(tab, 8), "abc");
	symtab_free(tab);

	/* Where the better name ends, the longer symbol still is one. */
	tab = table(0, longer);
	assert_string_equal(at(tab, 15), "best");
	assert_string_equal(at(tab, 16), "loser");
	assert_string_equal(at(tab, 39), "loser");
	assert_string_equal(at(tab, 40), "");
	symtab_free(tab);

	tab = table(SYMTAB_LAST_WINS, last);
	assert_string_equal(at(tab, 8), "__weak");
	assert_string_equal(at(tab, 15), "__weak");
	symtab_free(tab);
}

static void test_ends_of_the_world(void **state)
{
	struct symtab *tab = symtab_new(0);
	struct symtab_hit hit;

	(void)state;
	assert_false(symtab_add_name(tab, 5, 0, "empty", SYMTAB_GLOBAL));
	assert_false(symtab_add_name(tab, 5, 1, "", SYMTAB_GLOBAL));
	assert_true(symtab_add_name(tab, UINT64_MAX - 10, 100, "top", SYMTAB_GLOBAL));
	assert_true(symtab_add_name(tab, 0x5010, UINT64_MAX, "open",
				    SYMTAB_GLOBAL | SYMTAB_UNSIZED));
	symtab_finish(tab);
	assert_true(symtab_find(tab, UINT64_MAX - 1, &hit));
	assert_int_equal(hit.end, UINT64_MAX);
	assert_true(symtab_find(tab, 0x5010, &hit));
	symtab_free(tab);

	tab = symtab_new(0);
	symtab_add_name(tab, 0x5010, UINT64_MAX, "open",
			SYMTAB_GLOBAL | SYMTAB_UNSIZED | SYMTAB_OPEN);
	symtab_end_last(tab, 4096);
	symtab_finish(tab);
	assert_true(symtab_find(tab, 0x6fff, &hit));
	assert_false(symtab_find(tab, 0x7000, &hit));
	symtab_free(tab);

	tab = symtab_new(0);
	symtab_finish(tab);
	assert_false(symtab_find(tab, 0, &hit));
	symtab_free(tab);
}

static void test_string_tables(void **state)
{
	static const char strings[] = "\0first\0second";
	struct symtab *tab = symtab_new(0);
	int number = symtab_add_strings(tab, strings, 10);   /* cut inside "second" */

	(void)state;
	assert_true(symtab_add(tab, 1, 1, number, 1, 0));
	assert_false(symtab_add(tab, 2, 1, number, 0, 0));
	assert_false(symtab_add(tab, 3, 1, number, 7, 0));
	assert_false(symtab_add(tab, 4, 1, number, 1000, 0));
	assert_false(symtab_add(tab, 5, 1, number + 1, 1, 0));
	assert_false(symtab_add(tab, 6, 1, -1, 1, 0));
	symtab_finish(tab);
	assert_int_equal(symtab_count(tab), 1);
	assert_string_equal(at(tab, 1), "first");
	symtab_free(tab);
}

/* Against a table that is looked through from front to back, for 200 random sets. */
static void test_random_against_linear(void **state)
{
	(void)state;
	srand(20240607);
	for (int round = 0; round < 200; round++) {
		struct line lines[33] = { 0 };
		char names[32][8];
		struct symtab *tab;
		int n = rand() % 32;

		for (int i = 0; i < n; i++) {
			/* distinct starts, so that rule 1 alone decides */
			lines[i].start = (uint64_t)(i * 37 % 32) * 4;
			lines[i].size = (uint64_t)(1 + rand() % 60);
			snprintf(names[i], sizeof(names[i]), "s%d", i);
			lines[i].name = names[i];
			lines[i].flags = SYMTAB_GLOBAL;
		}
		tab = table(0, lines);
		for (uint64_t addr = 0; addr < 220; addr++) {
			const char *want = "";
			uint64_t best = 0;

			for (int i = 0; i < n; i++) {
				if (addr - lines[i].start < lines[i].size &&
				    lines[i].start >= best) {
					best = lines[i].start;
					want = lines[i].name;
				}
			}
			assert_string_equal(at(tab, addr), want);
		}
		symtab_free(tab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_unsized),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_alias_ties_and_lengths),
		cmocka_unit_test(test_ends_of_the_world),
		cmocka_unit_test(test_string_tables),
		cmocka_unit_test(test_random_against_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
