/* SPDX-License-Identifier: MIT */
/* symbols: stripped programs, and the names that were taken out of them. */
#include "programs.h"

static const char source[] =
	"#include <stdio.h>\n"
	"static volatile long sink;\n"
	"__attribute__((noinline)) static long one(long x) { sink += x; return x * 3; }\n"
	"__attribute__((noinline)) static long two(long x) { return one(x) + one(x + 1); }\n"
	"__attribute__((noinline)) long three(long x)\n"
	"{ for (long i = 0; i < x; i++) sink += two(i); return sink; }\n"
	"int main(int c, char **v) { (void)v; printf(\"%ld\\n\", three(c)); return 0; }\n";

static void build(const char *name, const char *flags)
{
	write_file("source.c", source);
	assert_int_equal(run("gcc -O1 -g %s -o %s source.c", flags, name), 0);
}

static struct module *open_program(struct module_set *set, const char *name)
{
	return module_intern(set, MODULE_FILE, path_of(name), NULL, 0);
}

/* One, two and three have rows of their own, which start and end where nm says. */
static void check_ranges(const char *full, const char *stripped)
{
	struct module_set *set = module_set_new(NULL);
	struct module *module = open_program(set, stripped);
	struct nm_list list;
	size_t checked = 0;

	nm_read(&list, "", full);
	for (size_t i = 0; i < list.v.nr; i++) {
		const struct nm_symbol *s = &list.v.v[i];
		struct symbol first, found;
		char want[64];

		if (strcmp(s->name, "one") != 0 && strcmp(s->name, "two") != 0 &&
		    strcmp(s->name, "three") != 0 && strcmp(s->name, "main") != 0)
			continue;
		module_symbol(module, s->addr, &first);
		module_symbol(module, s->addr + s->size - 1, &found);
		assert_non_null(first.name);
		assert_true(first.is_range && found.is_range);
		assert_ptr_equal(first.name, found.name);
		assert_int_equal(first.start, s->addr);
		assert_int_equal(first.end, s->addr + s->size);
		snprintf(want, sizeof(want), "%s+0x%lx", stripped, s->addr);
		assert_string_equal(first.name, want);
		checked++;
	}
	assert_int_equal(checked, 4);
	must_be_unnamed(module, 0, NAME_STRIPPED);
	vec_release(&list.v);
	module_set_free(set);
}

static void test_stripped(void **state)
{
	(void)state;
	need("gcc");
	need("strip");
	build("full", "-pie -fPIE -static-pie");
	assert_int_equal(run("strip -o bare full"), 0);
	check_ranges("full", "bare");
	build("fixed", "-no-pie -static");
	assert_int_equal(run("strip -o bare-fixed fixed"), 0);
	check_ranges("fixed", "bare-fixed");
}

static void check_all(const char *full, const char *stripped)
{
	struct module_set *set = module_set_new(NULL);
	struct nm_list list;

	nm_read(&list, "", full);
	assert_true(check_functions(open_program(set, stripped), &list) >= 4);
	vec_release(&list.v);
	module_set_free(set);
}

/* `one` is local, so only a debug file has its name. */
static void check_none(const char *full, const char *stripped)
{
	struct module_set *set = module_set_new(NULL);
	struct module *module = open_program(set, stripped);
	struct nm_list list;

	nm_read(&list, "", full);
	for (size_t i = 0; i < list.v.nr; i++) {
		struct symbol found;

		if (strcmp(list.v.v[i].name, "one") != 0)
			continue;
		module_symbol(module, list.v.v[i].addr, &found);
		assert_true(found.is_range);
	}
	vec_release(&list.v);
	module_set_free(set);
}

static void test_debuglink(void **state)
{
	static const char *const ids[] = { "-Wl,--build-id=sha1", "-Wl,--build-id=none" };

	(void)state;
	need("gcc");
	need("objcopy");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(run("rm -rf .debug linked*"), 0);
		build("linked-full", ids[i]);
		assert_int_equal(run("objcopy --only-keep-debug linked-full linked.dbg && "
				     "strip -o linked linked-full && "
				     "objcopy --add-gnu-debuglink=linked.dbg linked"), 0);
		check_all("linked-full", "linked");
		assert_int_equal(run("mkdir .debug && mv linked.dbg .debug"), 0);
		check_all("linked-full", "linked");

		/* another program's debug file under that name must not give names */
		write_file("other.c", "int one(void) { return 1; } int main(void) { return one(); }");
		assert_int_equal(run("gcc -g -Wl,--build-id other.c -o other && "
				     "objcopy --only-keep-debug other .debug/linked.dbg"), 0);
		check_none("linked-full", "linked");
	}
}

static void test_build_id_directory(void **state)
{
	struct symbol_options options = { .symfs = program_dir };
	struct module_set *set = module_set_new(&options);
	struct nm_list list;
	char *id;

	(void)state;
	need("gcc");
	need("objcopy");
	build("kept-full", "-Wl,--build-id=sha1");
	id = output_of("readelf -n kept-full | sed -n 's/.*Build ID: //p' | tr -d '\\n'");
	assert_int_equal(run("mkdir -p usr/lib/debug/.build-id/%.2s && objcopy --only-keep-debug "
			     "kept-full usr/lib/debug/.build-id/%.2s/%s.debug && "
			     "strip -o kept kept-full", id, id, id + 2), 0);
	nm_read(&list, "", "kept-full");
	assert_true(check_functions(module_intern(set, MODULE_FILE, "/kept", NULL, 0), &list) >= 4);
	vec_release(&list.v);
	free(id);
	module_set_free(set);
}

/* As distributions make it: functions that .dynsym lacks, in an xz-packed file of their own. */
static void test_mini_debug_info(void **state)
{
	(void)state;
	need("gcc");
	need("objcopy");
	need("xz");
	build("mini-full", "-rdynamic");
	assert_int_equal(run("objcopy --only-keep-debug mini-full mini.dbg && "
			     "strip --strip-debug --remove-section=.comment mini.dbg -o mini.part && "
			     "xz -kf mini.part && strip -o mini mini-full && "
			     "objcopy --add-section .gnu_debugdata=mini.part.xz mini"), 0);
	check_all("mini-full", "mini");

	/* cut or damaged, it is as if it were not there */
	assert_int_equal(run("head -c 200 mini.part.xz > cut.xz && strip -o cut mini-full && "
			     "objcopy --add-section .gnu_debugdata=cut.xz cut"), 0);
	check_none("mini-full", "cut");
}

/* Any byte may be wrong: no crash, no endless loop; the sanitizers look for the rest. */
static void test_damaged_files(void **state)
{
	unsigned char *good, *bad;
	long size;
	FILE *f;

	(void)state;
	need("gcc");
	build("good", "-Wl,-z,lazy");
	f = fopen(path_of("good"), "rb");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	good = malloc((size_t)size);
	bad = malloc((size_t)size);
	assert_int_equal(fread(good, 1, (size_t)size, f), size);
	fclose(f);
	srand(7);
	for (int round = 0; round < 400; round++) {
		struct module_set *set = module_set_new(NULL);
		long kept = round % 4 ? size : rand() % size;
		struct symbol found;
		struct module *module;

		memcpy(bad, good, (size_t)size);
		for (int i = 0; i < 1 + round / 8; i++) {
			/* headers are at the front, section headers at the end */
			long at = round & 1 ? rand() % 1024 : size - 1 - rand() % 8192;

			bad[at < 0 ? 0 : at] = (unsigned char)rand();
		}
		f = fopen(path_of("bad"), "wb");
		assert_int_equal(fwrite(bad, 1, (size_t)kept, f), kept);
		fclose(f);
		module = open_program(set, "bad");
		for (uint64_t off = 0; off < 0x5000; off += 0x35)
			module_symbol(module, module_elf_addr(module, off), &found);
		module_set_free(set);
	}
	free(good);
	free(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stripped),
		cmocka_unit_test(test_debuglink),
		cmocka_unit_test(test_build_id_directory),
		cmocka_unit_test(test_mini_debug_info),
		cmocka_unit_test(test_damaged_files),
	};

	return cmocka_run_group_tests(tests, programs_setup, programs_teardown);
}
