/* SPDX-License-Identifier: MIT */
/* Which descriptions of tracepoints may reach libtraceevent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/str.h"
#include "formats/tracepoint_check.h"

#define COMMON \
	"name: %s\nID: 7\nformat:\n" \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n" \
	"\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n" \
	"\tfield:__data_loc char[] name;\toffset:24;\tsize:4;\tsigned:0;\n" \
	"\tfield:const char * p;\toffset:32;\tsize:8;\tsigned:0;\n" \
	"\tfield:unsigned long args[6];\toffset:40;\tsize:48;\tsigned:0;\n" \
	"\tfield:%s n;\toffset:%s;\tsize:8;\tsigned:0;\n\n" \
	"print fmt: %s\n"

static bool check(const char *name, const char *type, const char *offset, const char *fmt)
{
	struct str text = STR_INIT;
	bool ok;

	str_addf(&text, COMMON, name, type, offset, fmt);
	ok = tracepoint_check(text.p);
	str_release(&text);
	return ok;
}

/* Each is the form of some tracepoint of Linux 6.12. */
static void what_kernels_write_passes(void **state)
{
	static const char *const fmts[] = {
		"\"comm=%s n=%d\", REC->comm, REC->n",
		"\"%s\" \"%s\", __get_str(name), REC->comm",
		"\"two\nlines %d\", REC->n",
		"\"%s\", (REC->n & ((((0x00000000 | 0x00000001) + 1) << 1) - 1)) ? "
		"__print_flags(REC->n & 7, \"|\", { 0x00000001, \"S\" }, { 0x00000002, \"D\" }) : \"R\"",
		"\"%s\", __print_symbolic(REC->n, { 0, \"x\" \"y\" }, { -1, ((void *)0) })",
		"\"%s\", __print_hex(REC->args, 6)",
		"\"%s\", __print_array(__get_dynamic_array(name), __get_dynamic_array_len(name) / 4, 4)",
		"\"%pS %llu.%06llu\", (void *)REC->p, REC->n / 1000, (unsigned long long)REC->n % (1000)",
		"\"%lx %d %c\", REC->args[3], !REC->n ? 1 : ~REC->n, 'x'",
		"\"dev %d:%d\", ((unsigned int) ((REC->n) >> 20)), ((unsigned int) ((REC->n) & ((1U << 20) - 1)))",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fmts) / sizeof(fmts[0]); i++)
		if (!check("e", "u64", "88", fmts[i]))
			fail_msg("refused: %s", fmts[i]);
	assert_true(check("e", "struct foo", "88", "\"\""));
	assert_true(check("e", "enum a", "88", "\"\""));
}

static void what_libtraceevent_cannot_take_is_refused(void **state)
{
	static const char *const fmts[] = {
		"\"%d\", REC->other",                           /* no such field */
		"\"%s\", __get_str(other)",
		"\"%d\", 7 / (REC->n - 3)",                     /* may be 0 */
		"\"%d\", 7 % 0",
		"\"%d\", 7 / 2 * REC->n",                       /* it reads 7 / (2 * n) */
		"\"%d\", REC->n +",
		"\"%d\", (REC->n",
		"\"%d\", REC->n)",
		"\"%d",
		"REC->n",
		"\"%s\", __print_flags(REC->n, |, { 1, \"a\" })",
		"\"%s\", __print_symbolic(REC->n, 1, \"a\")",
		"\"%s\", __print_symbolic(REC->n, { 1, \"a\" }",
		"\"%d\", { const char *x = f(p); x; }",
		"\"%d\", REC->n \x01",
	};
	struct str deep = STR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(fmts) / sizeof(fmts[0]); i++)
		if (check("e", "u64", "88", fmts[i]))
			fail_msg("passed: %s", fmts[i]);
	assert_false(check("", "u64", "88", "\"\""));
	assert_false(check("e", "", "88", "\"\""));
	assert_false(check("e", "u64", "-1", "\"\""));
	assert_false(check("e", "u64", "4294967296", "\"\""));
	assert_false(check("e", "u64[\xb8]", "88", "\"\""));
	str_add(&deep, "\"%d\", ");
	for (int i = 0; i < 100000; i++)
		str_addc(&deep, '(');
	assert_false(check("e", "u64", "88", deep.p));
	str_release(&deep);
}

/* A print format out of a file must not make libc pad for minutes. */
static void wide_conversions_are_refused(void **state)
{
	static const char *const fine[] = {
		"\"\"", "\"%\"", "\"%%\"", "\"100%%9999\"", "\"comm=%s pid=%d\"", "\"%#016llx %08x\"",
		"\"name %.*s valid %#x\"", "\"%999d\"", "\"%.999s\"", "\"% 64s\"", "\"12345 %d 12345\"",
		"\"%d\" \"12345\"",
	};
	static const char *const wide[] = {
		"\"%*pbl\"", "\"%-*s\"", "\"%*.*s\"", "\"%.*d\"", "\"%1000d\"", "\"%.1000x\"", "\"%l99999x\"",
		"\"%d %2000000000c\"", "\"%%%9999d\"", "\"%-*\"", "\"%.*\"", "\"%50\" \"00d\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		if (!check("e", "u64", "88", fine[i]))
			fail_msg("refused: %s", fine[i]);
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		if (check("e", "u64", "88", wide[i]))
			fail_msg("passes: %s", wide[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_kernels_write_passes),
		cmocka_unit_test(what_libtraceevent_cannot_take_is_refused),
		cmocka_unit_test(wide_conversions_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
