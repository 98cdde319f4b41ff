/* SPDX-License-Identifier: MIT */
/* kallsyms: lines as the kernel writes them, and lines it never wrote. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "formats/kallsyms.h"

static void test_symbols(void **state)
{
	char text[] = "0000000000000000 A fixed_percpu_data\n"
		      "ffffffff81000000 T _stext\n"
		      "ffffffffc0201010 t ext4_sync_fs\t[ext4]\n"
		      "c0008000 T stext32\n"
		      "ffffffffc0300000 t bpf_prog_6deef7357e7b4530\t[bpf]";
	struct kallsyms_line line;
	char *at = text, *end = text + strlen(text);

	(void)state;
	assert_true(kallsyms_next(&at, end, &line));
	assert_int_equal(line.addr, 0);
	assert_int_equal(line.type, 'A');
	assert_true(kallsyms_next(&at, end, &line));
	assert_true(line.addr == 0xffffffff81000000);
	assert_string_equal(line.name, "_stext");
	assert_null(line.module);
	assert_true(kallsyms_next(&at, end, &line));
	assert_int_equal(line.type, 't');
	assert_string_equal(line.name, "ext4_sync_fs");
	assert_string_equal(line.module, "ext4");
	assert_true(kallsyms_next(&at, end, &line));
	assert_int_equal(line.addr, 0xc0008000);
	assert_true(kallsyms_next(&at, end, &line));
	assert_string_equal(line.module, "bpf");
	assert_false(kallsyms_next(&at, end, &line));
	assert_false(kallsyms_next(&at, end, &line));
}

static void test_symbols_that_are_none(void **state)
{
	char text[] = "\n \nxyz T name\nffffffff81000000\nffffffff81000000 \nffffffff81000000 T\n"
		      "ffffffff81000000 T \n11112222333344445 T too_many_digits\n"
		      "ffffffff81000000 T a\t[\nffffffff81000000 T a\t[]\nffffffff81000000 T a b\n"
		      "1 T good\n";
	struct kallsyms_line line;
	char *at = text, *end = text + strlen(text);

	(void)state;
	assert_true(kallsyms_next(&at, end, &line));
	assert_string_equal(line.name, "good");
	assert_int_equal(line.addr, 1);
	assert_false(kallsyms_next(&at, end, &line));
}

static void test_modules(void **state)
{
	char text[] = "ext4 1130496 1 - Live 0xffffffffc0200000\n"
		      "mbcache 16384 1 ext4, Live 0xffffffffc01f0000 (OE)\n"
		      "bad\nbad x 1 - Live 0x10\nbad 10 1 - Live 10\n"
		      "hidden 4096 0 - Live 0x0000000000000000\n";
	struct modules_line line;
	char *at = text, *end = text + strlen(text);

	(void)state;
	assert_true(modules_next(&at, end, &line));
	assert_string_equal(line.name, "ext4");
	assert_int_equal(line.size, 1130496);
	assert_true(line.addr == 0xffffffffc0200000);
	assert_true(modules_next(&at, end, &line));
	assert_string_equal(line.name, "mbcache");
	assert_true(modules_next(&at, end, &line));
	assert_string_equal(line.name, "hidden");
	assert_int_equal(line.addr, 0);
	assert_false(modules_next(&at, end, &line));
}

static void test_read_errors(void **state)
{
	struct err err = ERR_INIT;
	size_t size;
	char *text;

	(void)state;
	assert_int_equal(kallsyms_read("/nonexistent/kallsyms", &text, &size, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "'/nonexistent/kallsyms'"));
	assert_int_equal(kallsyms_read("/dev/zero", &text, &size, &err), -EINVAL);
	assert_int_equal(kallsyms_read("/tmp", &text, &size, &err), -EINVAL);
	assert_int_equal(kallsyms_read("/proc/self/status", &text, &size, &err), 0);
	assert_int_equal(strlen(text), size);
	assert_non_null(strstr(text, "Name:"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symbols),
		cmocka_unit_test(test_symbols_that_are_none),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_read_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
