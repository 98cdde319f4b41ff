/* SPDX-License-Identifier: MIT */
/* Folded names as stackcollapse-perf.pl's documentation and defaults have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "formats/folded.h"
#include "tests/unit/folded_profile.h"
#include "view/fold.h"
#include "view/frame_text.h"

static void check(const char *folded, const struct fold_options *o, enum stack_value value,
		  const char *expected)
{
	struct profile *p = folded_profile(folded, 2);
	struct stack_tree tree;
	struct label_table labels;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	stack_tree_init(&tree);
	label_table_init(&labels);
	fold_profile(&tree, &labels, p, o);
	assert_int_equal(folded_write(&tree, &labels, value, out, NULL), 0);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	stack_tree_release(&tree);
	label_table_release(&labels);
	folded_profile_free(p);
}

static void the_command_comes_first(void **state)
{
	struct fold_options o = { .event = 0 };

	(void)state;
	check("my prog;main;f 2*7\nmy prog;main 1*7\nv;main;sys_[k] 1\nv;x 9 @1\n", &o, STACK_SAMPLES,
	      "my_prog;main 1\nmy_prog;main;f 2\nv;main;sys 1\n");
	check("my prog;main;f 2*7\nmy prog;main 1*7\n", &o, STACK_PERIOD,
	      "my_prog;main 7\nmy_prog;main;f 14\n");
}

static void callers_in_no_mapping_become_one(void **state)
{
	struct fold_options o = { .join_unknown = true };

	(void)state;
	check("w;[unknown];[unknown];[unknown];g;[unknown];f 3\nw;[unknown];g;[unknown];f 1\n", &o,
	      STACK_SAMPLES, "w;[unknown];g;[unknown];f 4\n");
	/* unnamed code in a module stays as it is */
	check("w;[lib];[lib];f 1\n", &o, STACK_SAMPLES, "w;[lib];[lib];f 1\n");
	o.join_unknown = false;
	check("w;[unknown];[unknown];f 3\n", &o, STACK_SAMPLES, "w;[unknown];[unknown];f 3\n");
}

static void options_add_to_names(void **state)
{
	struct fold_options o = { .mark_kernel = true, .pid = true };

	(void)state;
	check("w;main;sys_[k] 1\n", &o, STACK_SAMPLES, "w-100;main;sys_[k] 1\n");
	o = (struct fold_options){ .tid = true };
	check("w;main;sys_[k] 1\n", &o, STACK_SAMPLES, "w-100/100;main;sys 1\n");
	o = (struct fold_options){ .event = FOLD_ALL_EVENTS, .by_event = true };
	check("w;f 1\nw;f 2 @1\n", &o, STACK_SAMPLES, "cycles;w;f 1\nfaults;w;f 2\n");
	o = (struct fold_options){ .leaf_first = true };
	check("w;main;f 1\n", &o, STACK_SAMPLES, "f;main;w 1\n");
}

static void unnamed_frames_have_their_binary_s_name(void **state)
{
	struct fold_options o = { 0 };

	(void)state;
	check("w;main;[lib] 2\nw;[unknown];f 1\n", &o, STACK_SAMPLES,
	      "w;[unknown];f 1\nw;main;[lib] 2\n");
}

static void names_are_tidied(void **state)
{
	static const struct { const char *name, *tidy; } names[] = {
		{ "f", "f" },
		{ "std::vector<int>::push_back(int const&)", "std::vector<int>::push_back" },
		{ "(anonymous namespace)::f(int)", "(anonymous namespace)::f" },
		{ "a::(anonymous namespace)::f()", "a::(anonymous namespace)::f" },
		{ "net/http.(*Client).Do", "net/http.(*Client).Do" },
		{ "RegExp:[&<>\"']", "RegExp:[&<>]" },
		{ "Lcom/x;.run", "Lcom/x:.run" },
		{ "()", "[unnamed]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct profile_frame f = { .name = names[i].name };
		struct str s = STR_INIT;

		frame_add_folded(&s, &f, true, false);
		assert_string_equal(s.p, names[i].tidy);
		str_release(&s);
	}
}

static void an_event_is_found_by_its_name(void **state)
{
	struct profile *p = folded_profile("w;f 2 @1\n", 2);

	(void)state;
	assert_int_equal(fold_default_event(p), 1);
	assert_int_equal(fold_find_event(p, "faults"), 1);
	assert_int_equal(fold_find_event(p, "cycles"), 0);
	assert_int_equal(fold_find_event(p, "cyc"), FOLD_ALL_EVENTS);
	free(p->data->events.v[0].name);
	p->data->events.v[0].name = mem_strdup("cycles:u");
	assert_int_equal(fold_find_event(p, "cycles"), 0);
	folded_profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_comes_first),
		cmocka_unit_test(callers_in_no_mapping_become_one),
		cmocka_unit_test(options_add_to_names),
		cmocka_unit_test(unnamed_frames_have_their_binary_s_name),
		cmocka_unit_test(names_are_tidied),
		cmocka_unit_test(an_event_is_found_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
