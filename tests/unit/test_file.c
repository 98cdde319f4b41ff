/* SPDX-License-Identifier: MIT */
/* file: streams of descriptors; cpus: how many threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/file.h"

/* fdopen(3) fails with EINVAL where the descriptor's mode does not permit the stream's. */
static void a_stream_that_cannot_be_closes_its_descriptor(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	errno = 0;
	assert_null(file_of(fd, "w"));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
}

static void an_open_that_failed_keeps_its_errno(void **state)
{
	(void)state;
	errno = EACCES;
	assert_null(file_of(-1, "w"));
	assert_int_equal(errno, EACCES);
}

static void a_stream_reads(void **state)
{
	FILE *file = file_of(open("/proc/self/comm", O_RDONLY | O_CLOEXEC), "r");

	(void)state;
	assert_non_null(file);
	assert_int_not_equal(fgetc(file), EOF);
	assert_int_equal(fclose(file), 0);
}

static void threads_are_those_that_can_run(void **state)
{
	cpu_set_t all, one;
	int first = 0;

	(void)state;
	assert_int_equal(cpus_threads(3, 8), 3);
	assert_int_equal(cpus_threads(300, 8), 8);
	assert_int_equal(cpus_threads(0, 1), 1);
	assert_true(cpus_online() >= 1);
	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(cpus_threads(0, UINT_MAX), CPU_COUNT(&all));
	while (!CPU_ISSET(first, &all))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(cpus_threads(0, UINT_MAX), 1);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_that_cannot_be_closes_its_descriptor),
		cmocka_unit_test(an_open_that_failed_keeps_its_errno),
		cmocka_unit_test(a_stream_reads),
		cmocka_unit_test(threads_are_those_that_can_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
