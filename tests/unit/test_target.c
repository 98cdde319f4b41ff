/* SPDX-License-Identifier: MIT */
/* target: lists of CPUs, threads of processes, and which of two kinds holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/target.h"

static void test_cpu_lists(void **state)
{
	static const char *const wrong[] = { "", "a", "0-", "3-1", "-1", "0 1", "99999", "1,,2", "0," };
	cpu_vec cpus = { 0 };

	(void)state;
	assert_int_equal(cpu_list_parse("0-2,7,1", &cpus), 0);
	assert_int_equal(cpus.nr, 4);
	assert_int_equal(cpus.v[0], 0);
	assert_int_equal(cpus.v[2], 2);
	assert_int_equal(cpus.v[3], 7);
	/* onto what is there */
	assert_int_equal(cpu_list_parse("8,6-7,0-3", &cpus), 0);
	assert_int_equal(cpus.nr, 7);
	assert_int_equal(cpus.v[4], 8);
	assert_int_equal(cpus.v[5], 6);
	assert_int_equal(cpus.v[6], 3);
	vec_release(&cpus);
	assert_int_equal(cpu_list_parse("0-65535,0-65535", &cpus), 0);
	assert_int_equal(cpus.nr, 65536);
	assert_int_equal(cpus.v[65535], 65535);
	vec_release(&cpus);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(cpu_list_parse(wrong[i], &cpus), -EINVAL);
		vec_release(&cpus);
	}
}

static int hold[2];

static void *wait_for_end(void *arg)
{
	char c;

	(void)!read(hold[0], &c, 1);
	return arg;
}

/* All threads of a process, each once. */
static void test_threads(void **state)
{
	struct target target = { 0 };
	thread_vec threads = { 0 };
	struct err err = ERR_INIT;
	pthread_t pool[20];
	char pid[32];

	(void)state;
	assert_int_equal(pipe(hold), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(pthread_create(&pool[i], NULL, wait_for_end, NULL), 0);
	snprintf(pid, sizeof(pid), "%d,%d", getpid(), getpid());
	target.pids = pid;
	assert_int_equal(target_threads(&target, &threads, &err), 0);
	assert_int_equal(threads.nr, 21);
	for (size_t i = 0; i < threads.nr; i++)
		assert_int_equal(threads.v[i].pid, getpid());
	close(hold[1]);
	for (int i = 0; i < 20; i++)
		pthread_join(pool[i], NULL);
	vec_release(&threads);
}

static void test_no_such_thing(void **state)
{
	static const struct {
		struct target target;
		int code;
		const char *says;
	} cases[] = {
		{ { .pids = "4194305" }, -ESRCH, "4194305" },
		{ { .tids = "4194305" }, -ESRCH, "4194305" },
		{ { .pids = "12x" }, -EINVAL, "'12x'" },
		{ { .pids = "-1" }, -EINVAL, "'-1'" },
		{ { .pids = "0" }, -EINVAL, "'0'" },
		{ { .pids = "" }, -EINVAL, "'' is not a list of process ids" },
		{ { .tids = "" }, -EINVAL, "'' is not a list of thread ids" },
		{ { .user = "no-such-user" }, -EINVAL, "'no-such-user'" },
		{ { .user = "4000000000" }, -ESRCH, "'4000000000'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		thread_vec threads = { 0 };
		struct err err = ERR_INIT;

		assert_int_equal(target_threads(&cases[i].target, &threads, &err), cases[i].code);
		assert_non_null(strstr(err.msg, cases[i].says));
		vec_release(&threads);
	}
}

/* As perf: a process goes before a user, a CPU list and the whole system. */
static void test_narrower_holds(void **state)
{
	struct target t = { .pids = "1", .cpus = "0", .user = "root", .all_cpus = true };

	(void)state;
	target_settle(&t);
	assert_true(target_is_tasks(&t));
	assert_false(target_is_cpus(&t));
	assert_null(t.user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu_lists),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_no_such_thing),
		cmocka_unit_test(test_narrower_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
