/* SPDX-License-Identifier: MIT */
/* The family tree of a recording's threads, from records made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/records.h"
#include "view/tasks.h"

#define USER PERF_RECORD_MISC_USER

static char *list(const struct str *data, bool maps)
{
	struct str file = STR_INIT;
	struct perf_data *d = NULL;
	struct tasks *tasks = NULL;
	struct err err = ERR_INIT;
	char path[32], *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	put_file(&file, 1, data, data->len);
	write_temp(path, file.p, file.len);
	if (perf_data_open(&d, path, &err) < 0 || tasks_load(&tasks, d, &err) < 0)
		fail_msg("%s", err.msg);
	unlink(path);
	str_release(&file);
	tasks_write(tasks, maps, out);
	fclose(out);
	tasks_free(tasks);
	perf_data_close(d);
	return text;
}

static void check(const struct str *data, bool maps, const char *expected)
{
	char *text = list(data, maps);

	assert_string_equal(text, expected);
	free(text);
}

static void children_stand_below_who_made_them(void **state)
{
	struct str data = STR_INIT;

	(void)state;
	put_comm(&data, USER, 10, 10, "sh", 1, 7);
	put_task(&data, PERF_RECORD_FORK, 0, 12, 10, 12, 10, 2, 7);
	put_task(&data, PERF_RECORD_FORK, 0, 11, 10, 11, 10, 3, 7);
	put_task(&data, PERF_RECORD_FORK, 0, 12, 12, 13, 12, 4, 7);
	put_comm(&data, USER | PERF_RECORD_MISC_COMM_EXEC, 11, 11, "a\033b", 5, 7);
	put_sample(&data, USER, 1, 20, 21, 6, 7, 0, 1, 0, NULL);
	check(&data, false,
	      "#      pid      tid     ppid  comm\n"
	      "         0        0       -1 |swapper\n"
	      "        10       10       -1 |sh\n"
	      "        11       11       10 | a\\x1bb\n"
	      "        12       12       10 | sh\n"
	      "        12       13       12 |  sh\n"
	      "        20       20       -1 |:20\n"
	      "        20       21       -1 |:21\n");
	str_release(&data);
}

static void a_number_used_again_is_the_last_that_had_it(void **state)
{
	struct str data = STR_INIT;

	(void)state;
	put_comm(&data, USER, 10, 10, "one", 1, 7);
	put_comm(&data, USER, 11, 11, "two", 1, 7);
	put_task(&data, PERF_RECORD_FORK, 0, 12, 10, 12, 10, 2, 7);
	put_task(&data, PERF_RECORD_EXIT, 0, 12, 10, 12, 10, 3, 7);
	put_task(&data, PERF_RECORD_FORK, 0, 12, 11, 12, 11, 4, 7);
	check(&data, false,
	      "#      pid      tid     ppid  comm\n"
	      "         0        0       -1 |swapper\n"
	      "        10       10       -1 |one\n"
	      "        11       11       -1 |two\n"
	      "        12       12       11 | two\n");
	str_release(&data);
}

/* A damaged recording may say so; each is listed once all the same. */
static void who_made_each_other_are_listed_once(void **state)
{
	struct str data = STR_INIT;

	(void)state;
	put_task(&data, PERF_RECORD_FORK, 0, 5, 6, 5, 6, 1, 7);
	put_task(&data, PERF_RECORD_FORK, 0, 6, 5, 6, 5, 2, 7);
	put_task(&data, PERF_RECORD_FORK, 0, 7, 7, 7, 7, 3, 7);
	check(&data, false,
	      "#      pid      tid     ppid  comm\n"
	      "         0        0       -1 |swapper\n"
	      "         7        7        7 |:7\n"
	      "         5        5        6 |:5\n"
	      "         6        6        5 | :6\n");
	str_release(&data);
}

static void maps_are_cut_by_later_ones_and_go_with_an_exec(void **state)
{
	struct str data = STR_INIT;

	(void)state;
	put_comm(&data, USER, 10, 10, "m", 1, 7);
	put_mmap(&data, USER, 10, 0x10000, 0x9000, 0x1000, "/a", 2, 7);
	put_task(&data, PERF_RECORD_FORK, 0, 11, 10, 11, 10, 3, 7);
	put_mmap(&data, USER, 10, 0x12000, 0x2000, 0, "/b", 4, 7);      /* in the midst of it */
	put_mmap(&data, USER, 10, 0x18000, 0x2000, 0, "/c", 5, 7);      /* over its end */
	put_mmap(&data, USER, 10, 0xf000, 0x2000, 0, "/d", 6, 7);       /* over its start */
	put_comm(&data, USER | PERF_RECORD_MISC_COMM_EXEC, 11, 11, "n", 7, 7);
	put_mmap(&data, USER, 11, 0x40000, 0x1000, 0, "/e", 8, 7);
	check(&data, true,
	      "#      pid      tid     ppid  comm\n"
	      "         0        0       -1 |swapper\n"
	      "        10       10       -1 |m\n"
	      "                                f000-11000 r-xp 00000000 4711 /d\n"
	      "                                11000-12000 r-xp 00002000 4711 /a\n"
	      "                                12000-14000 r-xp 00000000 4711 /b\n"
	      "                                14000-18000 r-xp 00005000 4711 /a\n"
	      "                                18000-1a000 r-xp 00000000 4711 /c\n"
	      "        11       11       10 | n\n"
	      "                                 40000-41000 r-xp 00000000 4711 /e\n");
	str_release(&data);
}

static void a_deep_family_is_walked(void **state)
{
	struct str data = STR_INIT;
	char *text;

	(void)state;
	for (uint32_t i = 2; i < 30000; i++)
		put_task(&data, PERF_RECORD_FORK, 0, i, i - 1, i, i - 1, i, 7);
	text = list(&data, false);
	assert_non_null(strstr(text, "     29999    29999    29998 |"));
	free(text);
	str_release(&data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_stand_below_who_made_them),
		cmocka_unit_test(a_number_used_again_is_the_last_that_had_it),
		cmocka_unit_test(who_made_each_other_are_listed_once),
		cmocka_unit_test(maps_are_cut_by_later_ones_and_go_with_an_exec),
		cmocka_unit_test(a_deep_family_is_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
