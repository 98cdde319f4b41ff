/* SPDX-License-Identifier: MIT */
/* Sorting by runs against a plain insertion, which is stable by its nature. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/sort_runs.h"

struct thing { uint32_t key, place; };

static bool is_before(const struct thing *a, const struct thing *b)
{
	return a->key < b->key;
}

SORT_RUNS(sort_things, struct thing, is_before)

static void insert(struct thing *v, size_t nr)
{
	for (size_t i = 1; i < nr; i++) {
		struct thing thing = v[i];
		size_t at = i;

		for (; at && v[at - 1].key > thing.key; at--)
			v[at] = v[at - 1];
		v[at] = thing;
	}
}

/* Keys below `keys`, in runs of about `length`. */
static void check(size_t nr, uint32_t keys, uint32_t length, uint32_t *seed)
{
	struct thing *v = mem_zalloc(nr * sizeof(*v) + 1), *expected;

	for (size_t i = 0; i < nr; i++) {
		*seed = *seed * 1664525 + 1013904223;
		v[i].key = *seed >> 8 < (1u << 24) / length || !i ? (*seed >> 4) % keys :
								  v[i - 1].key + (*seed >> 30);
		v[i].place = (uint32_t)i;
	}
	expected = mem_dup(v, nr * sizeof(*v));
	insert(expected, nr);
	v = sort_things(v, nr);
	assert_memory_equal(v, expected, nr * sizeof(*v));
	free(v);
	free(expected);
}

static void test_against_insertion(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (size_t nr = 1; nr < 200; nr++)
		for (uint32_t length = 1; length < 64; length *= 4) {
			check(nr, 1000000, length, &seed);
			check(nr, 5, length, &seed);
		}
}

static void test_nothing(void **state)
{
	(void)state;
	assert_null(sort_things(NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_insertion),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
