/* SPDX-License-Identifier: MIT */
/* Lines and inlined functions of the kernel and its modules, against addr2line of their files. */
#include "programs.h"

#define FRAMES 16
#define RUN_START 0xffffffffc0400000
#define MODULE "/lib/modules/9.9/kernel/sonde_test.ko"

static const char source[] =
	"static inline __attribute__((always_inline)) int twice(int x) { return x * 2 + 1; }\n"
	"static inline __attribute__((always_inline)) int most(int x)\n"
	"{\n"
	"	return twice(x) * twice(x + 3);\n"
	"}\n"
	"int f(int x)\n"
	"{\n"
	"	return most(x) ^ 5;\n"
	"}\n"
	"__attribute__((section(\".text.unlikely\"), aligned(64))) int cold(int x)\n"
	"{\n"
	"	return most(x) - 1;\n"
	"}\n"
	"int g(int x) { return twice(x); }\n"
	"void _start(void) { f(g(3)); cold(1); }\n";

static bool make_files(void)
{
	write_file("m.c", source);
	if (run("mkdir -p .%s && gcc -g -O1 -fno-pic -fno-pie -ffreestanding "
		"-fno-asynchronous-unwind-tables -c m.c -o m.o && "
		"ld -r --build-id m.o -o whole.ko && cp whole.ko .%s && objcopy -g whole.ko bare.ko && "
		"gcc -nostdlib -static -Wl,--build-id -Wl,--defsym=_text=_start -o vmlinux m.o",
		"/lib/modules/9.9/kernel", MODULE) == 0)
		return true;
	print_message("skip: gcc and ld cannot make a relocatable object\n");
	return false;
}

static int id_of(const char *file, uint8_t id[20])
{
	int size = build_id_read(path_of(file), id);

	assert_true(size > 0);
	return size;
}

/* Every byte of the functions in one section, as addr2line tells it and as we do. */
static size_t compare(struct module *module, const char *file, const char *functions,
		      const char *section, uint64_t moved)
{
	struct str ours = STR_INIT;
	struct nm_list list;
	char *theirs;
	size_t n = 0;
	FILE *f = fopen(path_of("addresses"), "w");

	assert_non_null(f);
	nm_read(&list, "--defined-only", file);
	for (size_t i = 0; i < list.v.nr; i++) {
		const struct nm_symbol *s = &list.v.v[i];

		if (!nm_is_function(s) || !strstr(functions, s->name))
			continue;
		for (uint64_t at = s->addr; at < s->addr + s->size; at++, n++) {
			struct source_frame out[FRAMES];
			uint32_t nr = module_lines(module, at + moved, out, FRAMES);

			fprintf(f, "0x%lx\n", at);
			str_addf(&ours, "%lx\n", at);
			for (uint32_t j = 0; j < nr; j++)
				str_addf(&ours, "%s\n%s:%u\n", out[j].name, out[j].file, out[j].line);
		}
	}
	fclose(f);
	vec_release(&list.v);
	theirs = output_of("addr2line -afi %s -e %s <addresses | sed 's/ (discriminator [0-9]*)$//; "
			   "s/^0x0*\\([0-9a-f]\\)/\\1/'", section, file);
	assert_string_equal(ours.p, theirs);
	free(theirs);
	str_release(&ours);
	return n;
}

static struct module_set *module_at(struct module **out, const char *path, const uint8_t *id, int size)
{
	static struct symbol_options options;
	struct module_set *set;

	options = (struct symbol_options){ .symfs = program_dir, .no_demangle = true };
	set = module_set_new(&options);
	*out = module_intern(set, MODULE_KMOD, path, id, (uint8_t)size);
	module_set_run_start(*out, RUN_START);
	return set;
}

/* Where it is loaded now, whatever was kept of it when it was loaded elsewhere. */
static void must_have_lines_elsewhere(const char *path, const uint8_t *id, int size)
{
	struct module *module;
	struct module_set *set = module_at(&module, path, id, size);

	module_set_run_start(module, RUN_START + 0x51000);
	assert_true(compare(module, "whole.ko", "f g", "-j .text", RUN_START + 0x51000) > 10);
	module_set_free(set);
}

static void must_have_lines(const char *path, const uint8_t *id, int size)
{
	struct module *module;
	struct module_set *set = module_at(&module, path, id, size);

	assert_true(compare(module, "whole.ko", "f g", "-j .text", RUN_START) > 10);
#if defined(__x86_64__)
	{
		struct nm_list list;
		uint64_t text = 0;

		/* .text.unlikely stands behind .text, at the next multiple of 64 */
		nm_read(&list, "--defined-only", "whole.ko");
		for (size_t i = 0; i < list.v.nr; i++)
			if (strcmp(list.v.v[i].name, "cold") != 0 &&
			    list.v.v[i].addr + list.v.v[i].size > text)
				text = list.v.v[i].addr + list.v.v[i].size;
		vec_release(&list.v);
		text = (text + 63) & ~63ull;
		assert_true(compare(module, "whole.ko", "cold", "-j .text.unlikely", RUN_START + text) > 5);
	}
#endif
	module_set_free(set);
}

static void must_have_none(const char *path, const uint8_t *id, int size)
{
	struct module *module;
	struct module_set *set = module_at(&module, path, id, size);
	struct source_frame out[FRAMES];

	for (uint64_t at = 0; at < 64; at++)
		assert_int_equal(module_lines(module, RUN_START + at, out, FRAMES), 0);
	module_set_free(set);
}

static void test_module(void **state)
{
	uint8_t id[20];
	int size;

	(void)state;
	need("addr2line");
	if (!make_files())
		skip();
	size = id_of("whole.ko", id);
	must_have_lines(MODULE, id, size);
	must_have_lines_elsewhere(MODULE, id, size);
	/* its sections compressed */
	assert_int_equal(run("objcopy --compress-debug-sections=zlib whole.ko .%s", MODULE), 0);
	must_have_lines(MODULE, id, size);
	/* another build of it */
	id[3] ^= 1;
	must_have_none(MODULE, id, size);
	/* not told which build */
	must_have_none(MODULE, NULL, 0);
}

static void test_packed_module(void **state)
{
	static const struct { const char *tool, *suffix; } packers[] = {
		{ "xz", ".xz" }, { "gzip", ".gz" }, { "zstd", ".zst" },
	};
	uint8_t id[20];
	char path[128];
	int size;

	(void)state;
	need("addr2line");
	if (!make_files())
		skip();
	size = id_of("whole.ko", id);
	assert_int_equal(run("rm .%s", MODULE), 0);
	for (size_t i = 0; i < sizeof(packers) / sizeof(packers[0]); i++) {
		if (run("command -v %s >/dev/null", packers[i].tool) != 0) {
			print_message("%s is not installed: left out\n", packers[i].tool);
			continue;
		}
		snprintf(path, sizeof(path), "%s%s", MODULE, packers[i].suffix);
		assert_int_equal(run("%s -c whole.ko >.%s", packers[i].tool, path), 0);
		must_have_lines(path, id, size);
		/* cut short */
		assert_int_equal(run("%s -c whole.ko | head -c 1000 >.%s", packers[i].tool, path), 0);
		must_have_none(path, id, size);
		/* and without its lines, which a debug package has */
		assert_int_equal(run("%s -c bare.ko >.%s && mkdir -p ./usr/lib/debug/lib/modules/9.9/kernel && "
				     "cp whole.ko ./usr/lib/debug%s", packers[i].tool, path, MODULE), 0);
		must_have_lines(path, id, size);
		assert_int_equal(run("rm -r usr .%s", path), 0);
	}
}

/* The folders of debug files, and what stands in them has no code of its own. */
static void test_debug_file(void **state)
{
	uint8_t id[20];
	char name[64];
	int size;

	(void)state;
	need("addr2line");
	if (!make_files())
		skip();
	size = id_of("whole.ko", id);
	assert_int_equal(run("objcopy --only-keep-debug whole.ko only.debug && cp bare.ko .%s", MODULE), 0);
	must_have_none(MODULE, id, size);
	snprintf(name, sizeof(name), "usr/lib/debug/.build-id/%02x", id[0]);
	assert_int_equal(run("mkdir -p %s && cp only.debug %s/$(%s).debug", name, name,
			     "readelf -n whole.ko | sed -n 's/.*Build ID: ..//p'"), 0);
	must_have_lines(MODULE, id, size);
	/* also of a module whose file the recording does not name */
	must_have_lines("[sonde_test]", id, size);
	assert_int_equal(run("rm -r usr && mkdir .%s.d && mkdir ./lib/modules/9.9/kernel/.debug && "
			     "cp only.debug ./lib/modules/9.9/kernel/.debug/linked && "
			     "cd ./lib/modules/9.9/kernel/.debug && "
			     "objcopy --add-gnu-debuglink=linked ../sonde_test.ko", MODULE), 0);
	must_have_lines(MODULE, id, size);
	assert_int_equal(run("rm -r ./lib"), 0);
}

/* Names out of kallsyms, and lines of the vmlinux that has the recording's build-id. */
static void test_kernel(void **state)
{
	const uint64_t moved = 0x12000000;
	struct symbol_options options = { .symfs = program_dir, .os_release = "9.9",
					  .no_demangle = true };
	struct source_frame out[FRAMES];
	struct module_set *set;
	struct module *kernel;
	char kallsyms[256];
	uint8_t id[20];
	char *ref;
	int size;

	(void)state;
	need("addr2line");
	if (!make_files())
		skip();
	size = id_of("vmlinux", id);
	assert_int_equal(run("mkdir -p boot && cp vmlinux boot/vmlinux-9.9 && nm vmlinux | "
			     "while read a t n; do printf '%%016x %%s %%s\\n' $((0x$a + %lu)) $t $n; "
			     "done >kallsyms", (unsigned long)moved), 0);
	snprintf(kallsyms, sizeof(kallsyms), "%s/kallsyms", program_dir);
	ref = output_of("nm vmlinux | awk '$3 == \"_text\" { print $1 }'");
	options.kallsyms = kallsyms;
	for (int by_kallsyms = 1; by_kallsyms >= 0; by_kallsyms--) {
		options.kallsyms = by_kallsyms ? kallsyms : NULL;
		set = module_set_new(&options);
		kernel = module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]_text", id, (uint8_t)size);
		module_set_kernel_ref(set, "_text", strtoul(ref, NULL, 16) + moved);
		assert_true(compare(kernel, "vmlinux", "f g cold", "", moved) > 20);
		module_set_free(set);
	}
	/* it is not known where it ran: no lines rather than wrong ones */
	set = module_set_new(&options);
	kernel = module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]_text", id, (uint8_t)size);
	assert_int_equal(module_lines(kernel, strtoul(ref, NULL, 16) + moved, out, FRAMES), 0);
	module_set_free(set);
	/* of another build */
	id[0] ^= 1;
	set = module_set_new(&options);
	kernel = module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]_text", id, (uint8_t)size);
	module_set_kernel_ref(set, "_text", strtoul(ref, NULL, 16) + moved);
	assert_int_equal(module_lines(kernel, strtoul(ref, NULL, 16) + moved, out, FRAMES), 0);
	module_set_free(set);
	free(ref);
}

/* With a cache of one's own. */
static int setup(void **state)
{
	return programs_setup(state) || setenv("XDG_CACHE_HOME", program_dir, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_module),
		cmocka_unit_test(test_packed_module),
		cmocka_unit_test(test_debug_file),
		cmocka_unit_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, setup, programs_teardown);
}
