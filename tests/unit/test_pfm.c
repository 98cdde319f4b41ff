/* SPDX-License-Identifier: MIT */
/* Names of Intel's manual through libpfm4, which is told to take this CPU for a Skylake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/event.h"
#include "engine/pfm.h"

/*
 * Codes from the Intel SDM, volume 3B, "Performance monitoring events for Skylake":
 * MEM_LOAD_RETIRED.L3_MISS is event D1H, umask 20H; BR_INST_RETIRED.CONDITIONAL
 * C4H, 01H; UOPS_ISSUED.ANY 0EH, 01H (INV is bit 23, CMASK bits 24 to 31, EDGE 18).
 */
static const struct {
	const char *text;
	uint64_t config;
	bool user, kernel;       /* counted there */
} good[] = {
	{ "MEM_LOAD_RETIRED:L3_MISS", 0x20d1, true, true },
	{ "MEM_LOAD_RETIRED:L3_MISS:u", 0x20d1, true, false },
	{ "MEM_LOAD_RETIRED:L3_MISS:k", 0x20d1, false, true },
	{ "skl::BR_INST_RETIRED:CONDITIONAL", 0x01c4, true, true },
	{ "UOPS_ISSUED:ANY:c=1:i=1", 0x180010e, true, true },
};

static bool skylake(void)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	char *pmu = NULL;
	bool ok = pfm_parse("MEM_LOAD_RETIRED:L3_MISS", &attr, &pmu, NULL) == 1;

	free(pmu);
	if (!ok)
		print_message("skipped: no libpfm4 that knows Skylake\n");
	return ok;
}

static void encodes(void **state)
{
	(void)state;
	if (!skylake())
		skip();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct event_list list = { 0 };
		struct err err = ERR_INIT;

		if (event_parse(&list, good[i].text, NULL, &err) < 0)
			fail_msg("%s", err.msg);
		assert_int_equal(list.nr, 1);
		assert_int_equal(list.v[0].attr.type, PERF_TYPE_RAW);
		assert_int_equal(list.v[0].attr.config, good[i].config);
		assert_int_equal(list.v[0].attr.exclude_user, !good[i].user);
		assert_int_equal(list.v[0].attr.exclude_kernel, !good[i].kernel);
		assert_string_equal(list.v[0].name, good[i].text);
		assert_string_equal(list.v[0].pmu, "skl");
		event_list_release(&list);
	}
}

static void in_lists_and_groups(void **state)
{
	struct event_list list = { 0 };

	(void)state;
	if (!skylake())
		skip();
	assert_int_equal(event_parse(&list, "{UOPS_ISSUED:ANY,cycles}:u,cs", NULL, NULL), 0);
	assert_int_equal(list.nr, 3);
	assert_int_equal(list.v[0].attr.config, 0x10e);
	assert_int_equal(list.v[0].attr.exclude_kernel, 1);
	assert_int_equal(list.v[1].leader, 0);
	event_list_release(&list);
}

static void suggests(void **state)
{
	static const char *const bad[][2] = {
		{ "MEM_LOAD_RETIRED:L3_MIS", "did you mean the unit mask 'L3_MISS'?" },
		{ "MEM_LOAD_RETIREDD", "did you mean 'MEM_LOAD_RETIRED'?" },
	};
	struct event_list list = { 0 };

	(void)state;
	if (!skylake())
		skip();
	for (size_t i = 0; i < 2; i++) {
		struct err err = ERR_INIT;

		assert_true(event_parse(&list, bad[i][0], NULL, &err) < 0);
		if (!strstr(err.msg, bad[i][1]))
			fail_msg("%s", err.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes), cmocka_unit_test(in_lists_and_groups),
		cmocka_unit_test(suggests),
	};

	/* Before the library is loaded; see libpfm(3), "ENVIRONMENT VARIABLES". */
	setenv("LIBPFM_FORCE_PMU", "skl", 1);
	return cmocka_run_group_tests_name("pfm", tests, NULL, NULL);
}
