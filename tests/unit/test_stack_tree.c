/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formats/folded.h"
#include "formats/stack_tree.h"

static char *written(const char *text, bool reverse, enum stack_value value)
{
	struct stack_tree tree;
	struct label_table labels;
	struct err err = ERR_INIT;
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	char *out_text = NULL;
	size_t size;
	FILE *out = open_memstream(&out_text, &size);

	stack_tree_init(&tree);
	label_table_init(&labels);
	if (folded_read(&tree, &labels, reverse, in, &err) < 0)
		fail_msg("%s", err.msg);
	stack_tree_sum(&tree);
	stack_tree_sort(&tree, label_compare, &labels);
	assert_int_equal(folded_write(&tree, &labels, value, out, &err), 0);
	fclose(in);
	fclose(out);
	stack_tree_release(&tree);
	label_table_release(&labels);
	return out_text;
}

static void totals_are_sums_of_what_lies_below(void **state)
{
	struct stack_tree t;
	uint32_t a, b, c, d;

	(void)state;
	stack_tree_init(&t);
	a = stack_tree_child(&t, STACK_TREE_ROOT, 7);
	b = stack_tree_child(&t, a, 8);
	c = stack_tree_child(&t, b, 7);
	d = stack_tree_child(&t, a, 9);
	assert_int_equal(stack_tree_child(&t, a, 8), b);
	assert_int_not_equal(c, a);
	stack_tree_add(&t, c, 2, 20);
	stack_tree_add(&t, b, 1, 10);
	stack_tree_add(&t, d, 4, 400);
	stack_tree_add(&t, d, 1, 1);
	stack_tree_sum(&t);
	assert_int_equal(t.nodes[STACK_TREE_ROOT].total_samples, 8);
	assert_int_equal(t.nodes[STACK_TREE_ROOT].total_period, 431);
	assert_int_equal(t.nodes[a].total_samples, 8);
	assert_int_equal(t.nodes[a].self_samples, 0);
	assert_int_equal(t.nodes[b].total_samples, 3);
	assert_int_equal(t.nodes[b].total_period, 30);
	/* children in the order in which they came */
	assert_int_equal(t.nodes[a].first_child, b);
	assert_int_equal(t.nodes[b].next_sibling, d);
	assert_int_equal(t.nodes[d].next_sibling, STACK_TREE_NONE);
	stack_tree_release(&t);
}

static void a_tree_grows_and_finds_its_nodes_again(void **state)
{
	struct stack_tree t;
	uint32_t deep = STACK_TREE_ROOT;

	(void)state;
	stack_tree_init(&t);
	for (uint32_t i = 0; i < 100000; i++)
		deep = stack_tree_child(&t, deep, i % 3);
	assert_int_equal(t.nr, 100001);
	stack_tree_add(&t, deep, 1, 1);
	deep = STACK_TREE_ROOT;
	for (uint32_t i = 0; i < 100000; i++)
		deep = stack_tree_child(&t, deep, i % 3);
	assert_int_equal(t.nr, 100001);
	assert_int_equal(t.nodes[deep].self_samples, 1);
	stack_tree_sum(&t);
	assert_int_equal(t.nodes[1].total_samples, 1);
	stack_tree_release(&t);
}

static void folded_text_comes_back_sorted_and_added_up(void **state)
{
	char *text = written("b;x 1\na;y 2\n# remark\n\na;x;z 3\na;y 5\r\na 4\n", false, STACK_SAMPLES);

	(void)state;
	assert_string_equal(text, "a 4\na;x;z 3\na;y 7\nb;x 1\n");
	free(text);
}

static void names_may_hold_blanks_and_annotations_become_kinds(void **state)
{
	char *text = written("a b;operator new(unsigned long) 2\nc;f_[k] 3.5\n", false, STACK_SAMPLES);

	(void)state;
	assert_string_equal(text, "a b;operator new(unsigned long) 2\nc;f 3\n");
	free(text);
}

static void stacks_can_be_laid_from_their_leaves(void **state)
{
	char *text = written("a;b;c 2\nx;c 1\n", true, STACK_PERIOD);

	(void)state;
	assert_string_equal(text, "c;b;a 2\nc;x 1\n");
	free(text);
}

static void a_line_without_a_count_is_named(void **state)
{
	static const char *const bad[] = { "a;b 1\na;b\n", "a;b 1\na;b x\n", "a;b 1\na;b -3\n",
					   "a 1\na 99999999999999999999999\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct stack_tree tree;
		struct label_table labels;
		struct err err = ERR_INIT;
		FILE *in = fmemopen((void *)(uintptr_t)bad[i], strlen(bad[i]), "r");

		stack_tree_init(&tree);
		label_table_init(&labels);
		assert_int_equal(folded_read(&tree, &labels, false, in, &err), -EBADMSG);
		assert_non_null(strstr(err.msg, "line 2"));
		fclose(in);
		stack_tree_release(&tree);
		label_table_release(&labels);
	}
}

static void a_name_cannot_break_the_lines(void **state)
{
	struct stack_tree tree;
	struct label_table labels;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	uint32_t node;

	(void)state;
	stack_tree_init(&tree);
	label_table_init(&labels);
	node = stack_tree_child(&tree, STACK_TREE_ROOT, label_id(&labels, "a;b\nc", LABEL_USER));
	stack_tree_add(&tree, node, 1, 1);
	stack_tree_sum(&tree);
	assert_int_equal(folded_write(&tree, &labels, STACK_SAMPLES, out, NULL), 0);
	fclose(out);
	assert_string_equal(text, "a:b_c 1\n");
	free(text);
	stack_tree_release(&tree);
	label_table_release(&labels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(totals_are_sums_of_what_lies_below),
		cmocka_unit_test(a_tree_grows_and_finds_its_nodes_again),
		cmocka_unit_test(folded_text_comes_back_sorted_and_added_up),
		cmocka_unit_test(names_may_hold_blanks_and_annotations_become_kinds),
		cmocka_unit_test(stacks_can_be_laid_from_their_leaves),
		cmocka_unit_test(a_line_without_a_count_is_named),
		cmocka_unit_test(a_name_cannot_break_the_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
