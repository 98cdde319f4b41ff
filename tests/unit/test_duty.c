/* SPDX-License-Identifier: MIT */
/* duty: the steps of -D's ranges, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "engine/duty.h"

static void steps(const char *text, size_t nr, const int64_t *at)
{
	struct err err = ERR_INIT;
	struct duty duty = { 0 };

	assert_int_equal(duty_parse(&duty, text, &err), 0);
	assert_int_equal(duty.steps.nr, nr);
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(duty.steps.v[i].at_ms, at[i]);
		assert_int_equal(duty.steps.v[i].on, i % 2 == 0);
	}
	duty_release(&duty);
}

static void ranges(void **state)
{
	(void)state;
	steps("500", 1, (int64_t[]){ 500 });
	steps("10-20", 2, (int64_t[]){ 10, 20 });
	steps("0-20,30-40,50-2000", 6, (int64_t[]){ 0, 20, 30, 40, 50, 2000 });
}

static void without_a_step(void **state)
{
	struct err err = ERR_INIT;
	struct duty duty = { 0 };

	(void)state;
	assert_int_equal(duty_parse(&duty, "-1", &err), 0);
	assert_true(duty.delayed);
	assert_int_equal(duty.steps.nr, 0);
	assert_int_equal(duty_parse(&duty, "0", &err), 0);
	assert_false(duty.delayed);
	assert_int_equal(duty.steps.nr, 0);
}

static void wrong(void **state)
{
	static const char *const texts[] = { "", "x", "-2", "10-", "-10-20", "10-20,", "10-20-30", "20-10",
					     "10-10", "10-20,20-30", "30-40,10-20", "10-20,30", "1.5",
					     "0x10", "99999999999", "10-20;30-40" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct err err = ERR_INIT;
		struct duty duty = { 0 };

		assert_int_equal(duty_parse(&duty, texts[i], &err), -EINVAL);
		assert_non_null(strstr(err.msg, "-D takes"));
		assert_int_equal(duty.steps.nr, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(without_a_step),
		cmocka_unit_test(wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
