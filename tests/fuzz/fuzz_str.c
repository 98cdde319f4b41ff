/* SPDX-License-Identifier: MIT */
/* Text of others made safe for terminals, XML and JSON; globs; numbers. Two strings, a NUL between. */
#include "base/str.h"
#include "symbols/demangle.h"
#include "tests/fuzz/fuzz.h"

static void check_safe(const char *text)
{
	struct str s = STR_INIT;

	str_add_safe(&s, text);
	fuzz_assert(strlen(s.p) == s.len && s.len <= 4 * strlen(text));
	for (const unsigned char *p = (const unsigned char *)s.p; *p; p++) {
		fuzz_assert(*p >= 0x20 && *p != 0x7f);
		/* C1 controls, as UTF-8 has them: C2 80 to C2 9F */
		fuzz_assert(*p != 0xc2 || p[1] >= 0xa0);
	}
	str_release(&s);
}

static void check_xml(const char *text)
{
	struct str s = STR_INIT;

	str_add_xml(&s, text);
	fuzz_assert(strlen(s.p) == s.len && s.len <= 8 * strlen(text));
	fuzz_assert(!strpbrk(s.p, "<>\"'"));
	for (const unsigned char *p = (const unsigned char *)s.p; *p; p++)
		fuzz_assert(*p >= 0x20 || *p == '\t' || *p == '\n' || *p == '\r');
	str_release(&s);
}

static void check_json(const char *text)
{
	struct str s = STR_INIT;

	str_add_json(&s, text);
	fuzz_assert(strlen(s.p) == s.len && s.len <= 6 * strlen(text));
	for (const unsigned char *p = (const unsigned char *)s.p; *p; p++) {
		fuzz_assert(*p >= 0x20 && *p != '"');
		if (*p == '\\') {
			fuzz_assert(p[1] && strchr("\"\\/bfnrtu", p[1]));
			p++;
		}
	}
	str_release(&s);
}

static void check_numbers(const char *text)
{
	char buf[32];
	uint64_t n;
	bool suffix;

	if (str_u64(text, &n) == 0)
		fuzz_assert(strlen(str_commas(n, buf)) <= 26);
	if (str_size(text, &n, &suffix) == 0)
		fuzz_assert(*text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *at = bytes, *end = bytes + size;
	char *a = fuzz_string(&at, end), *b = fuzz_string(&at, end), *name;

	if (a) {
		const char *names[] = { b ? b : "cycles", "instructions", NULL };

		check_safe(a);
		check_xml(a);
		check_json(a);
		check_numbers(a);
		name = demangle(a);
		free(name);
		str_glob(a, b ? b : a);
		str_nearest(a, names);
		fuzz_assert(str_distance(a, a) == 0);
		fuzz_assert(!str_is_glob(a) || strpbrk(a, "*?["));
	}
	free(a);
	free(b);
	return 0;
}
