/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/hotplug.h"

/* The kernel's form: action@path, and variables, each with its NUL (kobject_uevent_env). */
#define UEVENT(head) head "\0ACTION=x\0DEVPATH=/devices/system/cpu/cpu1\0SUBSYSTEM=cpu\0SEQNUM=7"

static bool parse(const char *text, size_t size, struct hotplug_change *change)
{
	*change = (struct hotplug_change){ -1, false };
	return hotplug_parse(text, size, change);
}

static void test_cpus_come_and_go(void **state)
{
	static const char off[] = UEVENT("offline@/devices/system/cpu/cpu1");
	static const char on[] = UEVENT("online@/devices/system/cpu/cpu127");
	struct hotplug_change change;

	(void)state;
	assert_true(parse(off, sizeof(off), &change));
	assert_int_equal(change.cpu, 1);
	assert_false(change.online);
	assert_true(parse(on, sizeof(on), &change));
	assert_int_equal(change.cpu, 127);
	assert_true(change.online);
}

static void test_other_things_come_and_go(void **state)
{
	static const char *const others[] = {
		"online@/devices/system/memory/memory32", "add@/devices/system/cpu/cpu1",
		"online@/devices/system/cpu/cpu", "online@/devices/system/cpu/cpu1/cache",
		"online@/devices/system/cpu/cpu-1", "online@/devices/system/cpu/cpu 1",
		"online@/devices/system/cpu/cpu99999999999999999999", "online", "", "@",
		"libudev",
	};
	struct hotplug_change change;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(parse(others[i], strlen(others[i]) + 1, &change));
}

static void test_text_without_an_end(void **state)
{
	static const char text[] = "online@/devices/system/cpu/cpu12";
	struct hotplug_change change;

	(void)state;
	for (size_t size = 0; size < sizeof(text); size++)
		assert_false(parse(text, size, &change));
	assert_true(parse(text, sizeof(text), &change));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpus_come_and_go),
		cmocka_unit_test(test_other_things_come_and_go),
		cmocka_unit_test(test_text_without_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
