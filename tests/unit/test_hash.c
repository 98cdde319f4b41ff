/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/hash.h"

/* Key 0 is a key as any other, while the table grows and when it is cleared. */
static void keeps_key_zero(void **state)
{
	struct map64 map = { 0 };
	bool added;

	(void)state;
	assert_null(map64_find(&map, 0));
	*map64_put(&map, 7, &added) = 70;
	assert_true(added);
	assert_null(map64_find(&map, 0));
	*map64_put(&map, 0, &added) = 5;
	assert_true(added);
	for (uint64_t key = 100; key < 1100; key++)
		*map64_put(&map, key, NULL) = key * 2;
	assert_int_equal(map.nr, 1002);
	assert_int_equal(*map64_put(&map, 0, &added), 5);
	assert_false(added);
	assert_int_equal(*map64_find(&map, 7), 70);
	assert_int_equal(*map64_find(&map, 1099), 2198);
	assert_null(map64_find(&map, 1100));
	map64_clear(&map);
	assert_int_equal(map.nr, 0);
	assert_null(map64_find(&map, 0));
	assert_null(map64_find(&map, 7));
	assert_int_equal(*map64_put(&map, 0, &added), 0);
	assert_true(added);
	map64_release(&map);
}

static void gives_each_once(void **state)
{
	const struct map64_slot *slot;
	struct map64 map = { 0 };
	uint64_t keys = 0, values = 0;
	size_t nr = 0;

	(void)state;
	for (size_t i = 0; (slot = map64_next(&map, &i));)
		nr++;
	assert_int_equal(nr, 0);
	for (uint64_t key = 0; key < 50; key++)
		*map64_put(&map, key, NULL) = key + 1;
	for (size_t i = 0; (slot = map64_next(&map, &i)); nr++) {
		keys += slot->key;
		values += slot->value;
	}
	assert_int_equal(nr, 50);
	assert_int_equal(keys, 49 * 50 / 2);
	assert_int_equal(values, 50 * 51 / 2);
	map64_release(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_key_zero),
		cmocka_unit_test(gives_each_once),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
