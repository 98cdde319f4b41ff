/* SPDX-License-Identifier: MIT */
/* demangle: what c++filt -p, rustfilt and ddemangle say, and bounds on hostile names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "symbols/demangle.h"

static void test_names(void **state)
{
	static const char *const pairs[][2] = {
		{ "_ZNK1n1SIlE3runEl", "n::S<long>::run" },
		{ "_Z3fooIiEvT_", "foo<int>" },
		{ "_ZN3FooD1Ev", "Foo::~Foo" },
		{ "_ZTV3Foo", "vtable for Foo" },
		{ "_Z3foov@plt", "foo@plt" },
		{ "_Z3foov@@VERS_1", "foo@@VERS_1" },
		{ "_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE",
		  "core::fmt::Formatter::write_str" },
		{ "_RNvC6_123foo3bar", "123foo::bar" },
		{ "_D3foo3barFZv", "foo.bar()" },
		{ "_Dmain", "D main" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *plain = demangle(pairs[i][0]);

		assert_non_null(plain);
		assert_string_equal(plain, pairs[i][1]);
		free(plain);
	}
}

static void test_other_names_stay(void **state)
{
	static const char *const names[] = {
		"", "main", "_start", "_Z", "_R", "_D", "Z3foov", "main.main", "runtime.mallocgc",
		"_Zebra", "_Restore", "_Dracula", "_ZN3foo", "$s4main3fooyyF", "_",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(demangle(names[i]));
}

/* f<pair<int, int>, pair<it, it>, pair<that, that>, ...>: the n-th holds 2^n ints. */
static char *nested_pairs(unsigned n)
{
	struct str name = STR_INIT;

	/* S_ is f, S0_ std::pair, S1_ pair<int, int>, S2_ the next pair, ... in base 36 */
	str_add(&name, "_Z1fISt4pairIiiE");
	for (unsigned i = 1; i <= n; i++) {
		char digit = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i % 36];
		const char *tens = i >= 36 ? "1" : "";

		str_addf(&name, "S0_IS%s%c_S%s%c_E", tens, digit, tens, digit);
	}
	str_add(&name, "Evv");
	return str_take(&name);
}

static void test_exponential_names_end(void **state)
{
	char *few = nested_pairs(1), *many = nested_pairs(60), *plain;

	(void)state;
	plain = demangle(few);
	assert_string_equal(plain, "f<std::pair<int, int>, std::pair<std::pair<int, int>, "
				   "std::pair<int, int> > >");
	free(plain);
	free(few);

	alarm(20);
	assert_null(demangle(many));
	alarm(0);
	free(many);
}

static void test_long_names_stay(void **state)
{
	struct str name = STR_INIT;

	(void)state;
	str_add(&name, "_Z100000");
	for (int i = 0; i < 100000; i++)
		str_addc(&name, 'a');
	str_addc(&name, 'v');
	assert_null(demangle(name.p));
	str_release(&name);
}

static void template_arguments_are_left_out_of_brief_names(void **state)
{
	static const struct { const char *name, *brief; } names[] = {
		{ "main", "main" },
		{ "std::vector<int, std::allocator<int> >::end", "std::vector<...>::end" },
		{ "std::map<std::string, std::vector<int> >::map<std::less<int> >", "std::map<...>::map<...>" },
		{ "operator<", "operator<" },
		{ "std::operator<< <std::char_traits<char> >", "std::operator<< <...>" },
		{ "a<b>::operator-><c>", "a<...>::operator-><c>" },
		{ "f<&a::operator> >::g", "f<...>::g" },
		{ "a<(b)2>::c", "a<...>::c" },
		{ "f<decltype (a->b)>::g", "f<...>::g" },
		{ "my_operator<int>::g", "my_operator<...>::g" },
		{ "<alloc::vec::Vec<T> as core::Drop>::drop", "<alloc::vec::Vec<...> as core::Drop>::drop" },
		{ "broken<int::end", "broken<int::end" },
		{ "a>b", "a>b" },
		{ "<", "<" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct str brief = STR_INIT;

		demangle_brief(&brief, names[i].name);
		assert_string_equal(brief.p ? brief.p : "", names[i].brief);
		str_release(&brief);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_other_names_stay),
		cmocka_unit_test(test_exponential_names_end),
		cmocka_unit_test(test_long_names_stay),
		cmocka_unit_test(template_arguments_are_left_out_of_brief_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
