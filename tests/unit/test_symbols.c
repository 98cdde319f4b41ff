/* SPDX-License-Identifier: MIT */
/* symbols: programs of every shape, against nm, objdump, readelf and the running program. */
#include "programs.h"

#include <sys/stat.h>

#include "base/log.h"

static const char program_c[] =
	"#include <stdio.h>\n"
	"#include <stdlib.h>\n"
	"#include <string.h>\n"
	"#include <unistd.h>\n"
	"static volatile long sink;\n"
	"__attribute__((cold, noinline)) void fail_hard(long x) { sink += x; puts(\"x\"); }\n"
	"__attribute__((noinline)) long split(long x)\n"
	"{\n"
	"	for (long i = 0; i < x; i++) {\n"
	"		sink += i;\n"
	"		if (__builtin_expect(sink == 12345, 0)) { fail_hard(x); fail_hard(i); abort(); }\n"
	"	}\n"
	"	return sink;\n"
	"}\n"
	"__attribute__((noinline)) static long local_one(long x) { return split(x) * 3; }\n"
	"__attribute__((noinline)) long strong(long x) { return local_one(x) + 1; }\n"
	"__attribute__((weak, alias(\"strong\"))) long weak_alias(long);\n"
	"static long impl(long x) { return x + 7; }\n"
	"static void *choose(void) { return (void *)impl; }\n"
	"long chosen(long) __attribute__((ifunc(\"choose\")));\n"
	"__asm__(\".text\\n\"\n"
	"	\".globl asm_unsized\\n\"\n"
	"	\"asm_unsized:\\n\"\n"
	"	\"	nop\\n	nop\\n	ret\\n\"\n"
	"	\".globl asm_next\\n\"\n"
	"	\".type asm_next, @function\\n\"\n"
	"	\"asm_next:\\n\"\n"
	"	\"	nop\\n	ret\\n\"\n"
	"	\".size asm_next, . - asm_next\\n\");\n"
	"int main(void)\n"
	"{\n"
	"	char line[512];\n"
	"	unsigned long start, end, off;\n"
	"	FILE *f = fopen(\"/proc/self/maps\", \"r\");\n"
	"	if (chosen(1) != 8 || strong(2) == -1 || getpid() < 0)\n"
	"		return 1;\n"
	"	while (f && fgets(line, sizeof(line), f))\n"
	"		if (sscanf(line, \"%lx-%lx %*s %lx\", &start, &end, &off) == 3 &&\n"
	"		    (unsigned long)main >= start && (unsigned long)main < end)\n"
	"			printf(\"%lx %lx %lx\\n\", (unsigned long)main, start, off);\n"
	"	return 0;\n"
	"}\n";

static const struct {
	const char *name, *flags;
} shapes[] = {
	{ "pie", "-O2 -pie -fPIE" },
	{ "no-pie", "-O2 -no-pie -fno-pie" },
	{ "static", "-O2 -static -no-pie -fno-pie" },
	{ "static-pie", "-O2 -static-pie -fPIE" },
	{ "o0", "-O0 -pie -fPIE" },
	{ "now", "-O2 -pie -fPIE -Wl,-z,now" },
	{ "lazy", "-O2 -pie -fPIE -Wl,-z,lazy" },
	{ "ibt", "-O2 -pie -fPIE -fcf-protection=full -Wl,-z,ibtplt,-z,lazy" },
	{ "one-segment", "-O2 -pie -fPIE -Wl,-z,noseparate-code" },
	{ "lto", "-O2 -flto -no-pie" },
	{ "sections", "-O2 -pie -fPIE -ffunction-sections -Wl,--gc-sections" },
	{ "gz", "-O2 -g -gz -pie -fPIE" },
};
#define NR_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void build(size_t i)
{
	write_file("program.c", program_c);
	assert_int_equal(run("gcc %s -o %s program.c", shapes[i].flags, shapes[i].name), 0);
}

static struct module *open_program(struct module_set *set, const char *name)
{
	return module_intern(set, MODULE_FILE, path_of(name), NULL, 0);
}

static uint64_t addr_of(const struct nm_list *list, const char *name)
{
	for (size_t i = 0; i < list->v.nr; i++)
		if (strcmp(list->v.v[i].name, name) == 0)
			return list->v.v[i].addr;
	fail_msg("nm does not know %s", name);
	return 0;
}

static void test_functions_of_every_shape(void **state)
{
	struct symbol_options plain = { .no_demangle = true };

	(void)state;
	need("gcc");
	need("nm");
	for (size_t i = 0; i < NR_SHAPES; i++) {
		struct module_set *set = module_set_new(&plain);
		struct nm_list list;

		build(i);
		nm_read(&list, "", shapes[i].name);
		assert_true(check_functions(open_program(set, shapes[i].name), &list) >= 6);
		vec_release(&list.v);
		module_set_free(set);
	}
}

/* The program itself tells where main runs; the mapping and the headers must lead back. */
static void test_run_address_to_elf_address(void **state)
{
	(void)state;
	need("gcc");
	for (size_t i = 0; i < NR_SHAPES; i++) {
		struct module_set *set = module_set_new(NULL);
		unsigned long ip, start, off;
		struct module *module;
		struct nm_list list;
		char *out;

		build(i);
		out = output_of("./%s | tail -1", shapes[i].name);
		assert_int_equal(sscanf(out, "%lx %lx %lx", &ip, &start, &off), 3);
		nm_read(&list, "", shapes[i].name);
		module = open_program(set, shapes[i].name);
		assert_int_equal(module_elf_addr(module, ip - start + off), addr_of(&list, "main"));
		must_be(module, module_elf_addr(module, ip - start + off), "main");
		assert_true(module->is_64bit == (sizeof(long) == 8));
		vec_release(&list.v);
		free(out);
		module_set_free(set);
	}
}

/* objdump's "<puts@plt>:" lines; it writes *ABS*+0x... for ifuncs, which have a name here. */
static void test_plt(void **state)
{
	size_t checked = 0;

	(void)state;
	need("gcc");
	need("objdump");
	for (size_t i = 0; i < NR_SHAPES; i++) {
		struct module_set *set = module_set_new(NULL);
		struct module *module;
		char *out, *save = NULL;

		build(i);
		module = open_program(set, shapes[i].name);
		out = output_of("objdump -d -j .plt -j .plt.sec -j .plt.got %s 2>/dev/null",
				shapes[i].name);
		for (char *l = strtok_r(out, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
			unsigned long addr;
			char name[128], want[160];

			if (sscanf(l, "%lx <%127[^@>]@plt>:", &addr, name) != 2 ||
			    !strstr(l, "@plt>:") || name[0] == '*')
				continue;
			snprintf(want, sizeof(want), "%s@plt", name);
			must_be(module, addr, want);
			must_be(module, addr + 6, want);
			checked++;
		}
		free(out);
		module_set_free(set);
	}
	assert_true(checked > 30);
}

/* Between .plt and its first entry's name, where perf stretches _init: the section's name. */
static void test_plt_head(void **state)
{
	size_t checked = 0;

	(void)state;
	need("gcc");
	need("readelf");
	for (size_t i = 0; i < NR_SHAPES; i++) {
		struct module_set *set = module_set_new(NULL);
		struct module *module;
		unsigned long addr, offset, size;
		char *out, *line;

		build(i);
		module = open_program(set, shapes[i].name);
		out = output_of("readelf -SW %s", shapes[i].name);
		line = strstr(out, "] .plt  ");
		if (line && strcmp(shapes[i].name, "static") != 0 &&
		    strcmp(shapes[i].name, "static-pie") != 0) {
			assert_int_equal(sscanf(line, "] .plt PROGBITS %lx %lx %lx", &addr, &offset,
						&size), 3);
			assert_true(size >= 32);
			must_be(module, addr, ".plt");
			must_be(module, addr + 6, ".plt");
			if (strcmp(shapes[i].name, "ibt") == 0)  /* the entries are in .plt.sec */
				must_be(module, addr + size - 1, ".plt");
			checked++;
		}
		free(out);
		module_set_free(set);
	}
	assert_true(checked > 5);
}

static void test_labels_and_aliases(void **state)
{
	struct module_set *set = module_set_new(NULL);
	struct module *module;
	struct symbol found;
	struct nm_list list;
	uint64_t next;

	(void)state;
	need("gcc");
	build(0);
	nm_read(&list, "", "pie");
	module = open_program(set, "pie");
	/* asm_unsized has no size: nm -S gives none, it ends where asm_next starts */
	next = addr_of(&list, "asm_next");
	must_be(module, next, "asm_next");
	must_be(module, next - 1, "asm_unsized");
	must_be(module, next - 3, "asm_unsized");
	must_be(module, addr_of(&list, "strong"), "strong");
	module_symbol(module, addr_of(&list, "split"), &found);
	assert_int_equal(found.start, addr_of(&list, "split"));
	must_be(module, addr_of(&list, "split.cold"), "split.cold");
	vec_release(&list.v);
	module_set_free(set);
}

static void test_shared_library(void **state)
{
	struct symbol_options plain = { .no_demangle = true };
	struct module_set *set = module_set_new(&plain);
	struct nm_list list;

	(void)state;
	need("gcc");
	write_file("lib.c", "#include <stdio.h>\n"
			    "__attribute__((visibility(\"hidden\"))) int hid(int x)\n"
			    "{ return printf(\"%d\", x); }\n"
			    "int api_old(int x) { return hid(x) + hid(x + 1); }\n"
			    "int api_new(int x) { return hid(x) - 5; }\n"
			    "__asm__(\".symver api_old, api@V1\");\n"
			    "__asm__(\".symver api_new, api@@V2\");\n");
	write_file("lib.map", "V1 { global: api; local: *; }; V2 { } V1;\n");
	assert_int_equal(run("gcc -O2 -shared -fPIC -Wl,--version-script=lib.map -o lib.so lib.c"),
			 0);
	nm_read(&list, "", "lib.so");
	assert_true(check_functions(open_program(set, "lib.so"), &list) >= 3);
	vec_release(&list.v);
	/* without .symtab only the versioned names are left, and no version in them */
	assert_int_equal(run("strip -o stripped.so lib.so"), 0);
	nm_read(&list, "-D", "stripped.so");
	assert_true(check_functions(open_program(set, "stripped.so"), &list) >= 2);
	vec_release(&list.v);
	/* a .symtab of which one symbol was kept does not hide .dynsym */
	assert_int_equal(run("strip -s -K hid -o kept.so lib.so"), 0);
	nm_read(&list, "-D", "kept.so");
	assert_true(check_functions(open_program(set, "kept.so"), &list) >= 2);
	vec_release(&list.v);
	nm_read(&list, "", "kept.so");
	assert_int_equal(check_functions(open_program(set, "kept.so"), &list), 1);
	vec_release(&list.v);
	module_set_free(set);
}

/* Names as c++filt -p writes them, which is perf's way too. */
static void test_cxx(void **state)
{
	struct module_set *set;
	struct module *module;
	struct nm_list list;
	size_t checked = 0;

	(void)state;
	need("g++");
	need("c++filt");
	set = module_set_new(NULL);
	write_file("cxx.cc",
		   "#include <cstdio>\n"
		   "namespace n {\n"
		   "template <class T> struct S {\n"
		   "	T v;\n"
		   "	__attribute__((noinline)) T run(T x) const { printf(\"%d\", (int)x); return x; }\n"
		   "	S(); ~S(); operator long() const; S &operator+=(int);\n"
		   "};\n"
		   "template <class T> S<T>::S() { puts(\"c\"); }\n"
		   "template <class T> S<T>::~S() { puts(\"d\"); }\n"
		   "template <class T> S<T>::operator long() const { return run(v); }\n"
		   "template <class T> S<T> &S<T>::operator+=(int i) { v += i; return *this; }\n"
		   "template struct S<long>; template struct S<char>;\n"
		   "}\n"
		   "namespace { __attribute__((noinline)) void hidden(int x) { printf(\"%d\", x); } }\n"
		   "int main(int c, char **) { auto l = [&](int y) { hidden(c + y); }; l(c); l(2); }\n");
	assert_int_equal(run("g++ -O1 -o cxx cxx.cc"), 0);
	nm_read(&list, "", "cxx");
	module = open_program(set, "cxx");
	for (size_t i = 0; i < list.v.nr; i++) {
		const struct nm_symbol *s = &list.v.v[i];
		struct symbol found;
		char *want;

		if (!nm_is_function(s) || strncmp(s->name, "_Z", 2) != 0)
			continue;
		want = output_of("c++filt -p '%s'", s->name);
		want[strcspn(want, "\n")] = '\0';
		module_symbol(module, s->addr + s->size / 2, &found);
		assert_string_equal(found.name, want);
		module_symbol(module, s->addr, &found);          /* and once more, from the cache */
		assert_string_equal(found.name, want);
		free(want);
		checked++;
	}
	assert_true(checked >= 10);
	vec_release(&list.v);
	module_set_free(set);
}

static void test_build_id(void **state)
{
	uint8_t id[20], other[20] = { 1, 2, 3 };
	struct module_set *set = module_set_new(NULL);
	struct module *module;
	struct nm_list list;
	char hex[41] = "", *want;
	int size;

	(void)state;
	need("gcc");
	need("readelf");
	build(0);
	want = output_of("readelf -n pie | sed -n 's/.*Build ID: //p'");
	want[strcspn(want, "\n")] = '\0';
	size = build_id_read(path_of("pie"), id);
	assert_int_equal(size, 20);
	for (int i = 0; i < size; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	assert_string_equal(hex, want);
	free(want);

	nm_read(&list, "", "pie");
	module = module_intern(set, MODULE_FILE, path_of("pie"), id, 20);
	must_be(module, addr_of(&list, "main"), "main");
	module = module_intern(set, MODULE_FILE, path_of("pie"), other, 20);
	must_be_unnamed(module, addr_of(&list, "main"), NAME_FILE_CHANGED);
	vec_release(&list.v);
	module_set_free(set);

	assert_int_equal(run("gcc -Wl,--build-id=none -o no-id program.c"), 0);
	assert_int_equal(build_id_read(path_of("no-id"), id), 0);
	assert_int_equal(run("gcc -Wl,--build-id=0xabcdef -o short-id program.c"), 0);
	assert_int_equal(build_id_read(path_of("short-id"), id), 3);
	assert_memory_equal(id, "\xab\xcd\xef", 3);
	assert_true(build_id_read(path_of("program.c"), id) < 0);
	assert_true(build_id_read(path_of("missing"), id) < 0);
	assert_true(build_id_read("/dev/zero", id) < 0);
	assert_true(build_id_read(program_dir, id) < 0);
}

static void test_files_that_are_none(void **state)
{
	struct module_set *set = module_set_new(NULL);

	(void)state;
	write_file("text", "#!/bin/sh\nexit 0\n");
	write_file("empty", "");
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	alarm(10);                       /* opening a FIFO would wait for a writer */
	must_be_unnamed(open_program(set, "text"), 0x1000, NAME_NOT_ELF);
	must_be_unnamed(open_program(set, "empty"), 0x1000, NAME_NOT_ELF);
	must_be_unnamed(open_program(set, "missing"), 0x1000, NAME_NO_FILE);
	must_be_unnamed(open_program(set, "fifo"), 0x1000, NAME_NO_FILE);
	must_be_unnamed(open_program(set, "."), 0x1000, NAME_NO_FILE);
	must_be_unnamed(module_intern(set, MODULE_FILE, "/dev/zero", NULL, 0), 0, NAME_NO_FILE);
	must_be_unnamed(module_intern(set, MODULE_ANON, "//anon", NULL, 0), 0, NAME_ANON);
	alarm(0);
	assert_int_equal(module_elf_addr(open_program(set, "missing"), 0x1234), 0x1234);
	module_set_free(set);
}

static void test_deleted_and_symfs(void **state)
{
	struct symbol_options options = { .symfs = program_dir };
	struct module_set *set = module_set_new(&options);
	struct nm_list list;
	uint8_t id[20];
	int size;

	(void)state;
	need("gcc");
	build(0);
	nm_read(&list, "", "pie");
	size = build_id_read(path_of("pie"), id);
	must_be(module_intern(set, MODULE_FILE, "/pie", NULL, 0), addr_of(&list, "main"), "main");
	/* the file now at a deleted file's path is believed only with the build-id */
	must_be_unnamed(module_intern(set, MODULE_FILE, "/pie (deleted)", NULL, 0),
			addr_of(&list, "main"), NAME_FILE_CHANGED);
	must_be(module_intern(set, MODULE_FILE, "/pie (deleted)", id, (uint8_t)size),
		addr_of(&list, "main"), "main");
	vec_release(&list.v);
	module_set_free(set);
}

static void test_intern(void **state)
{
	struct module_set *set = module_set_new(NULL);
	uint8_t a[20] = { 1 }, b[20] = { 2 };
	struct module *plain, *first, *second;

	(void)state;
	plain = module_intern(set, MODULE_FILE, "/x/y.so", NULL, 0);
	assert_string_equal(plain->short_name, "y.so");
	first = module_intern(set, MODULE_FILE, "/x/y.so", a, 20);
	assert_ptr_equal(first, plain);
	assert_int_equal(plain->build_id_size, 20);
	second = module_intern(set, MODULE_FILE, "/x/y.so", b, 20);
	assert_ptr_not_equal(second, first);
	assert_ptr_equal(module_intern(set, MODULE_FILE, "/x/y.so", a, 20), first);
	assert_ptr_not_equal(module_intern(set, MODULE_ANON, "/x/y.so", NULL, 0), first);
	assert_int_equal(module_set_count(set), 3);
	assert_ptr_equal(module_set_at(set, 1), second);
	assert_null(module_set_at(set, 3));
	assert_string_equal(module_intern(set, MODULE_KMOD, "/lib/modules/6.1/nf-tables.ko.xz",
					  NULL, 0)->short_name, "[nf_tables]");
	assert_string_equal(module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]_text", NULL,
					  0)->path, "[kernel.kallsyms]");
	module_set_free(set);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *name;
		bool is_kernel;
		enum module_kind kind;
	} cases[] = {
		{ "[kernel.kallsyms]_text", true, MODULE_KERNEL },
		{ "[guest.kernel.kallsyms.12]", true, MODULE_KERNEL },
		{ "/usr/lib/debug/boot/vmlinux-6.1", true, MODULE_KERNEL },
		{ "/lib/modules/6.1/kernel/fs/ext4/ext4.ko", true, MODULE_KMOD },
		{ "/lib/modules/6.1/kernel/fs/ext4/ext4.ko.zst", true, MODULE_KMOD },
		{ "[ext4]", true, MODULE_KMOD },
		{ "bpf_prog_6deef7357e7b4530", true, MODULE_BPF },
		{ "[vdso]", false, MODULE_VDSO },
		{ "//anon", false, MODULE_ANON },
		{ "[heap]", false, MODULE_ANON },
		{ "[stack]", false, MODULE_ANON },
		{ "[vsyscall]", false, MODULE_ANON },
		{ "/SYSV00000000", false, MODULE_ANON },
		{ "", false, MODULE_ANON },
		{ "/usr/bin/ls", false, MODULE_FILE },
		{ "/usr/lib/x.ko.so", false, MODULE_FILE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(module_kind_of(cases[i].name, cases[i].is_kernel), cases[i].kind);
	for (int i = 0; i < NAME_REASON_COUNT; i++) {
		assert_non_null(name_reason_text((enum name_reason)i));
		assert_non_null(name_reason_advice((enum name_reason)i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions_of_every_shape),
		cmocka_unit_test(test_run_address_to_elf_address),
		cmocka_unit_test(test_plt),
		cmocka_unit_test(test_plt_head),
		cmocka_unit_test(test_labels_and_aliases),
		cmocka_unit_test(test_shared_library),
		cmocka_unit_test(test_cxx),
		cmocka_unit_test(test_build_id),
		cmocka_unit_test(test_files_that_are_none),
		cmocka_unit_test(test_deleted_and_symfs),
		cmocka_unit_test(test_intern),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, programs_setup, programs_teardown);
}
