/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/query.h"

#define S 1000000000ull

static const struct perf_data from_10_to_20_s = {
	.first_sample_ns = 10 * S, .last_sample_ns = 20 * S,
};

static void times_are_spans(void **state)
{
	static const struct { const char *text; uint64_t from, to; } good[] = {
		{ "12.5,13", 12 * S + S / 2, 13 * S },
		{ "12", 12 * S, UINT64_MAX },            /* as perf: from there on */
		{ "12.25", 12 * S + S / 4, UINT64_MAX },
		{ "12.000000001,", 12 * S + 1, UINT64_MAX },
		{ ",12.1234567899", 0, 12 * S + 123456789 },
		{ "10%/1", 10 * S, 11 * S - 1 },
		{ "10%/10", 19 * S, 20 * S },
		{ "0%-20%", 10 * S, 12 * S - 1 },
		{ "50%-100%", 15 * S, 20 * S },
		{ "10%", 10 * S, 11 * S - 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct arena arena;
		const struct time_range *range = NULL;
		struct err err = ERR_INIT;
		uint32_t nr = 0;

		arena_init(&arena);
		if (query_times(&arena, good[i].text, &from_10_to_20_s, &range, &nr, &err) < 0)
			fail_msg("%s: %s", good[i].text, err.msg);
		assert_int_equal(nr, 1);
		assert_int_equal(range->from_ns, good[i].from);
		assert_int_equal(range->to_ns, good[i].to);
		arena_release(&arena);
	}
}

static void times_that_make_no_sense_are_refused(void **state)
{
	static const char *const bad[] = { "", "12x", "13,12", "a,b", "1,2,3", "10%/0", "10%/12",
					   "20%-10%", "0%-0%", "0%-101%", "-1,2", "1e3,", "nan%-10%",
					   "99999999999999999999," };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct arena arena;
		const struct time_range *range = NULL;
		struct err err = ERR_INIT;
		uint32_t nr = 0;

		arena_init(&arena);
		if (query_times(&arena, bad[i], &from_10_to_20_s, &range, &nr, &err) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
		assert_non_null(strstr(err.msg, "--time"));
		arena_release(&arena);
	}
}

static void several_spans_and_parts_of_an_unknown_whole(void **state)
{
	const struct perf_data unknown = { 0 };
	const struct time_range *range = NULL;
	struct err err = ERR_INIT;
	struct arena arena;
	uint32_t nr = 0;

	(void)state;
	arena_init(&arena);
	assert_int_equal(query_times(&arena, "1,2 3,4", &unknown, &range, &nr, &err), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(range[1].from_ns, 3 * S);
	assert_int_equal(query_times(&arena, "10%/2,50%-60%", &from_10_to_20_s, &range, &nr, &err), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(range[0].from_ns, 11 * S);
	assert_int_equal(range[1].from_ns, 15 * S);
	assert_int_equal(query_times(&arena, "10%/2", &unknown, &range, &nr, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "does not state"));
	arena_release(&arena);
}

static void numbers_are_lists(void **state)
{
	const uint32_t *v = NULL;
	struct err err = ERR_INIT;
	struct arena arena;
	uint32_t nr = 0;

	(void)state;
	arena_init(&arena);
	assert_int_equal(query_numbers(&arena, NULL, "--pid", false, &v, &nr, &err), 0);
	assert_int_equal(nr, 0);
	assert_int_equal(query_numbers(&arena, "7,42", "--pid", false, &v, &nr, &err), 0);
	assert_int_equal(nr, 2);
	assert_int_equal(v[1], 42);
	assert_int_equal(query_numbers(&arena, "0-2,5", "--cpu", true, &v, &nr, &err), 0);
	assert_int_equal(nr, 4);
	assert_int_equal(v[2], 2);
	assert_int_equal(v[3], 5);
	assert_int_equal(query_numbers(&arena, "0-2", "--pid", false, &v, &nr, &err), -EINVAL);
	assert_int_equal(query_numbers(&arena, "2-1", "--cpu", true, &v, &nr, &err), -EINVAL);
	assert_int_equal(query_numbers(&arena, "x", "--cpu", true, &v, &nr, &err), -EINVAL);
	assert_int_equal(query_numbers(&arena, "", "--cpu", true, &v, &nr, &err), -EINVAL);
	assert_int_equal(query_numbers(&arena, "0-4000000000", "--cpu", true, &v, &nr, &err), -EINVAL);
	arena_release(&arena);
}

static void names_come_from_a_list_or_a_file(void **state)
{
	char path[] = "/tmp/sonde-names-XXXXXX", list[64];
	struct err err = ERR_INIT;
	struct arena arena;
	const char **names;
	int fd = mkstemp(path);

	(void)state;
	arena_init(&arena);
	assert_int_equal(write(fd, "one\n\ntwo, and\nthree", 19), 19);
	close(fd);
	snprintf(list, sizeof(list), "zero,,file://%s,four", path);
	assert_int_equal(query_names(&arena, list, &names, &err), 0);
	assert_string_equal(names[0], "zero");
	assert_string_equal(names[1], "one");
	assert_string_equal(names[2], "two, and");
	assert_string_equal(names[3], "three");
	assert_string_equal(names[4], "four");
	assert_null(names[5]);
	unlink(path);
	assert_int_equal(query_names(&arena, list, &names, &err), -ENOENT);
	assert_non_null(strstr(err.msg, path));
	assert_int_equal(query_names(&arena, NULL, &names, &err), 0);
	assert_null(names);
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_spans),
		cmocka_unit_test(names_come_from_a_list_or_a_file),
		cmocka_unit_test(times_that_make_no_sense_are_refused),
		cmocka_unit_test(several_spans_and_parts_of_an_unknown_whole),
		cmocka_unit_test(numbers_are_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
