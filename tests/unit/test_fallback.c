/* SPDX-License-Identifier: MIT */
/* fallback: what each errno of perf_event_open leads to, and what is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/fallback.h"

static char said[1024];
static int times_said;

static void hear(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	if (level != LOG_NOTE)
		return;
	strncpy(said, line, sizeof(said) - 1);
	times_said++;
}

static struct event events[2];
static struct event_list list = { events, 2, 2 };
static struct err err;
static const char *name = "thing";

static int setup(void **state)
{
	(void)state;
	memset(events, 0, sizeof(events));
	memset(&err, 0, sizeof(err));
	said[0] = '\0';
	times_said = 0;
	for (uint32_t i = 0; i < 2; i++) {
		events[i].name = mem_strdup(name);
		events[i].pmu = mem_strdup("cpu");
		events[i].leader = i;
		events[i].attr.read_format = PERF_FORMAT_ID | PERF_FORMAT_LOST;
		events[i].attr.sample_type = 7;
	}
	log_set_sink(hear, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		free(events[i].name);
		free(events[i].pmu);
	}
	return 0;
}

static int try(struct fallback *f, int code)
{
	return fallback_try(f, &list, 0, code, -1, 0, &err);
}

/* P: one step less precise for each refusal, silently; then the default's stand-in. */
static void test_precise_then_clock(void **state)
{
	static const int codes[] = { EOPNOTSUPP, EINVAL, ENOENT };
	struct fallback f = { .default_event = true };

	(void)state;
	events[0].precise_max = true;
	events[0].attr.precise_ip = 3;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(try(&f, codes[i]), 1);
		assert_int_equal(events[0].attr.precise_ip, 2 - i);
	}
	assert_int_equal(times_said, 0);
	assert_int_equal(try(&f, ENOENT), 1);
	assert_int_equal(times_said, 1);
	assert_non_null(strstr(said, "cpu-clock"));
	assert_int_equal(events[0].attr.type, PERF_TYPE_SOFTWARE);
	assert_int_equal(events[0].attr.config, PERF_COUNT_SW_CPU_CLOCK);
	assert_string_equal(events[0].name, "cpu-clock");
	/* Once: cpu-clock itself has nothing to stand in for it. */
	assert_int_equal(try(&f, ENOENT), -ENOENT);
}

static void test_named_event_stays(void **state)
{
	struct fallback f = { 0 };

	(void)state;
	assert_int_equal(try(&f, EOPNOTSUPP), -EOPNOTSUPP);
	assert_int_equal(events[0].attr.type, PERF_TYPE_HARDWARE);
	assert_int_equal(times_said, 0);
	assert_non_null(strstr(err.msg, "'thing'"));
	assert_non_null(strstr(err.msg, "cpu-clock"));
}

/* Newest attr bits go first, from all events alike; what was asked for stays. */
static void test_older_kernels(void **state)
{
	struct fallback f = { 0 };

	(void)state;
	events[1].attr.build_id = events[1].attr.ksymbol = events[1].attr.mmap2 = 1;
	events[0].attr.build_id = 1;
	events[0].attr.sample_type |= PERF_SAMPLE_WEIGHT_STRUCT | PERF_SAMPLE_PHYS_ADDR;
	assert_int_equal(try(&f, EINVAL), 1);
	assert_int_equal(events[0].attr.read_format, PERF_FORMAT_ID);
	assert_int_equal(events[1].attr.read_format, PERF_FORMAT_ID);
	assert_int_equal(events[0].attr.build_id, 1);
	assert_int_equal(try(&f, EINVAL), 1);
	assert_int_equal(events[0].attr.build_id, 0);
	assert_int_equal(events[1].attr.build_id, 0);
	assert_int_equal(try(&f, EINVAL), 1);
	assert_int_equal(events[0].attr.sample_type, 7 | PERF_SAMPLE_WEIGHT | PERF_SAMPLE_PHYS_ADDR);
	assert_int_equal(try(&f, EINVAL), -EINVAL);
	assert_non_null(strstr(err.msg, "--phys-data"));
	assert_int_equal(events[1].attr.ksymbol, 1);
}

static void test_weak_group(void **state)
{
	struct fallback f = { 0 };

	(void)state;
	events[0].weak = events[1].weak = true;
	events[0].attr.disabled = 1;
	events[1].leader = 0;
	assert_int_equal(fallback_try(&f, &list, 1, EINVAL, -1, 0, &err), 1);
	assert_int_equal(events[1].leader, 1);
	assert_int_equal(events[1].attr.disabled, 1);
	assert_int_equal(times_said, 1);
}

static void test_reads_and_children(void **state)
{
	struct fallback f = { 0 };

	(void)state;
	events[0].attr.sample_type |= PERF_SAMPLE_READ;
	events[0].attr.build_id = events[0].attr.exclude_guest = 1;
	events[0].attr.inherit = events[1].attr.inherit = 1;
	assert_int_equal(try(&f, EINVAL), 1);
	assert_false(events[0].attr.inherit || events[1].attr.inherit);
	assert_non_null(strstr(said, "start"));
	/* nothing that an older kernel has is given up for it */
	assert_int_equal(events[0].attr.read_format, PERF_FORMAT_ID | PERF_FORMAT_LOST);
	assert_true(events[0].attr.build_id && events[0].attr.exclude_guest);
	assert_int_equal(try(&f, EINVAL), 1);
	assert_int_equal(events[0].attr.read_format, PERF_FORMAT_ID);
}

static void test_no_way(void **state)
{
	static const struct {
		int code;
		const char *says;
	} cases[] = { { ENOSYS, "no perf_event_open" }, { EBUSY, "another profiler" },
		      { ENOSPC, "breakpoints" }, { EIO, "'thing'" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fallback f = { 0 };

		assert_int_equal(try(&f, cases[i].code), -cases[i].code);
		assert_non_null(strstr(err.msg, cases[i].says));
	}
}

static void test_branches_have_no_stand_in(void **state)
{
	struct fallback f = { .default_event = true };

	(void)state;
	events[0].attr.branch_sample_type = PERF_SAMPLE_BRANCH_ANY;
	assert_int_equal(try(&f, ENOENT), -ENOENT);
	assert_non_null(strstr(err.msg, "branch"));
	assert_int_equal(times_said, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_precise_then_clock),
		TEST(test_named_event_stays),
		TEST(test_older_kernels),
		TEST(test_weak_group),
		TEST(test_reads_and_children),
		TEST(test_no_way),
		TEST(test_branches_have_no_stand_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
