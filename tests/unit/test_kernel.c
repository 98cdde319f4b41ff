/* SPDX-License-Identifier: MIT */
/* kernel and vdso: against /proc/kallsyms read by hand, made-up kallsyms, nm, and perf. */
#include "programs.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/auxv.h>

#include "base/log.h"

static void quiet(enum log_level level, const char *line, void *arg)
{
	(void)level;
	(void)line;
	(void)arg;
}

/* The running kernel: what is the name of every 61st address? Aliases: the last line is perf's. */
static void test_against_kallsyms(void **state)
{
	struct module_set *set = module_set_new(NULL);
	struct module *kernel = module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]_text", NULL,
					      0);
	unsigned long addr, last_addr = 0;
	char line[1024], name[512], last[512] = "", type;
	FILE *f = fopen("/proc/kallsyms", "r");
	size_t n = 0, checked = 0;

	(void)state;
	if (!f || !fgets(line, sizeof(line), f) || strncmp(line, "0000000000000000 T", 18) == 0) {
		print_message("skip: /proc/kallsyms hides addresses\n");
		if (f)
			fclose(f);
		module_set_free(set);
		skip();
	}
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %c %511s", &addr, &type, name) != 3 || strchr(line, '[') ||
		    !strchr("TtWwDdBb", type) || !addr)
			continue;
		if (addr != last_addr && last_addr && n++ % 61 == 0) {
			must_be(kernel, last_addr, last);
			must_be(kernel, last_addr + (addr - last_addr) / 2, last);
			must_be(kernel, addr - 1, last);
			checked++;
		}
		last_addr = addr;
		strcpy(last, name);
	}
	fclose(f);
	assert_true(checked > 100);
	must_be_unnamed(kernel, 0x1000, NAME_KERNEL_ADDR);
	module_set_free(set);
}

/* The same with names out of the index that a first look leaves. */
static void test_kept_kallsyms(void **state)
{
	setenv("XDG_CACHE_HOME", path_of("cache"), 1);
	test_against_kallsyms(state);
	if (run("test -s /sys/kernel/notes") == 0)
		assert_int_equal(run("ls cache/sonde/index/*-ksym >/dev/null"), 0);
	test_against_kallsyms(state);
	assert_int_equal(run("for f in cache/sonde/index/*-ksym; do truncate -s -9 $f; done"), 0);
	test_against_kallsyms(state);
	unsetenv("XDG_CACHE_HOME");
}

static const char kallsyms[] =
	"0000000000000000 A fixed_percpu_data\n"
	"ffffffff81000000 T _stext\n"
	"ffffffff81000000 T _text\n"
	"ffffffff81000100 t helper\n"
	"ffffffff81000180 r read_only_is_no_end\n"
	"ffffffff81000200 W weak_one\n"
	"ffffffff81000300 T the_end\n"
	"ffffffffc0200000 t first\t[some_mod]\n"
	"ffffffffc0200010 t second\t[some_mod]\n"
	"ffffffffc0300000 t unsized_mod\t[other]\n"
	"ffffffffc0400010 t ftrace_trampoline\t[__builtin__ftrace]\n";
static const char modules[] = "some_mod 16384 0 - Live 0xffffffffc0200000\n";

static struct module_set *made_up(const char *text, struct symbol_options *options)
{
	static char kallsyms_path[256], modules_path[256];

	write_file("kallsyms", text);
	write_file("modules", modules);
	strcpy(kallsyms_path, path_of("kallsyms"));
	strcpy(modules_path, path_of("modules"));
	options->kallsyms = kallsyms_path;
	options->modules = modules_path;
	return module_set_new(options);
}

static void test_made_up_kernel(void **state)
{
	struct symbol_options options = { 0 };
	struct module_set *set = made_up(kallsyms, &options);
	struct module *kernel = module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]", NULL, 0);
	struct module *mod = module_intern(set, MODULE_KMOD, "/lib/modules/6/some-mod.ko.xz", NULL,
					   0);
	struct module *other = module_intern(set, MODULE_KMOD, "[other]", NULL, 0);
	struct module *gone = module_intern(set, MODULE_KMOD, "[gone]", NULL, 0);
	struct module *guest = module_intern(set, MODULE_KERNEL, "[guest.kernel.kallsyms.1]", NULL,
					     0);

	(void)state;
	must_be(kernel, 0xffffffff81000000, "_text");
	must_be(kernel, 0xffffffff810001ff, "helper");
	must_be(kernel, 0xffffffff81000200, "weak_one");
	must_be(kernel, 0xffffffff81001fff, "the_end");          /* its page and one more */
	must_be_unnamed(kernel, 0xffffffff81002000, NAME_KERNEL_ADDR);
	must_be_unnamed(kernel, 0xffffffff80ffffff, NAME_KERNEL_ADDR);
	must_be(kernel, 0xffffffffc0400012, "ftrace_trampoline");
	must_be(mod, 0xffffffffc0200000, "first");
	must_be(mod, 0xffffffffc0203fff, "second");              /* /proc/modules knows the size */
	must_be_unnamed(mod, 0xffffffffc0204000, NAME_NO_SYMBOL);
	must_be(other, 0xffffffffc0300fff, "unsized_mod");
	must_be_unnamed(gone, 0xffffffffc0200000, NAME_NO_FILE);
	must_be_unnamed(guest, 0xffffffff81000000, NAME_KERNEL_OTHER);
	module_set_free(set);
}

static void test_another_boot(void **state)
{
	struct symbol_options options = { 0 };
	struct module_set *set = made_up(kallsyms, &options);
	struct module *kernel = module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]", NULL, 0);
	struct module *mod = module_intern(set, MODULE_KMOD, "[some_mod]", NULL, 0);
	struct symbol found;

	(void)state;
	module_set_kernel_ref(set, "_stext", 0xffffffff9a000000);
	must_be(kernel, 0xffffffff9a000108, "helper");
	module_symbol(kernel, 0xffffffff9a000108, &found);
	assert_int_equal(found.start, 0xffffffff9a000100);
	assert_int_equal(found.end, 0xffffffff9a000200);
	must_be_unnamed(kernel, 0xffffffff81000108, NAME_KERNEL_ADDR);
	must_be_unnamed(mod, 0xffffffffc0200000, NAME_NO_FILE);
	module_set_free(set);
}

static void test_hidden(void **state)
{
	struct symbol_options options = { 0 };
	struct module_set *set = made_up("0000000000000000 T _text\n0000000000000000 t a\n",
					 &options);

	(void)state;
	must_be_unnamed(module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]", NULL, 0),
			0xffffffff81000000, NAME_KERNEL_HIDDEN);
	module_set_free(set);

	log_set_sink(quiet, NULL);
	options.kallsyms = "/nonexistent";
	set = module_set_new(&options);
	must_be_unnamed(module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]", NULL, 0),
			0xffffffff81000000, NAME_KERNEL_HIDDEN);
	module_set_free(set);
	log_set_sink(NULL, NULL);
}

static void test_another_kernel(void **state)
{
	struct symbol_options options = { .os_release = "3.4.0-of-old" };
	struct module_set *set = module_set_new(&options);
	uint8_t id[20];

	(void)state;
	must_be_unnamed(module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]", NULL, 0),
			0xffffffff81000000, NAME_KERNEL_OTHER);
	module_set_free(set);

	if (build_id_read(NULL, id) <= 0) {
		print_message("skip: the running kernel has no build-id\n");
		skip();
	}
	id[3] ^= 1;
	set = module_set_new(NULL);
	must_be_unnamed(module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]", id, 20),
			0xffffffff81000000, NAME_KERNEL_OTHER);
	module_set_free(set);
}

/* Words of GNU notes, by hand: namesz, descsz, type, name, desc, padded to 4. */
static void test_notes(void **state)
{
	static const uint32_t notes[] = {
		4, 16, 1, 0x00554e47, 1, 2, 3, 4,                /* NT_GNU_ABI_TAG */
		5, 3, 6, 0x756e694c, 0x78, 0x00ccbbaa,           /* "Linu", "x\0" */
		4, 4, 3, 0x00554e47, 0x04030201,                 /* NT_GNU_BUILD_ID */
	};
	uint32_t swapped[sizeof(notes) / 4];
	uint8_t id[20] = { 0 };

	(void)state;
	assert_int_equal(build_id_from_notes(notes, sizeof(notes), false, id), 4);
	assert_memory_equal(id, "\1\2\3\4", 4);
	for (size_t cut = 0; cut < sizeof(notes); cut++)
		assert_int_equal(build_id_from_notes(notes, cut, false, id), 0);
	memcpy(swapped, notes, sizeof(notes));
	for (size_t i = 14; i < 17; i++)
		swapped[i] = __builtin_bswap32(notes[i]);
	assert_int_equal(build_id_from_notes(swapped + 14, 20, true, id), 4);
	assert_int_equal(build_id_from_notes(swapped + 14, 20, false, id), 0);
}

static void test_added(void **state)
{
	struct module_set *set = module_set_new(NULL);
	struct module *bpf = module_intern(set, MODULE_BPF, "bpf_prog_12", NULL, 0);
	struct symbol found;

	(void)state;
	module_add_symbol(bpf, "bpf_prog_old", 0x1000, 0x100);
	module_add_symbol(bpf, "bpf_prog_12", 0x1080, 0x100);
	module_add_symbol(bpf, "wraps", UINT64_MAX - 1, 0x100);
	must_be(bpf, 0x107f, "bpf_prog_old");
	must_be(bpf, 0x1080, "bpf_prog_12");
	module_symbol(bpf, 0x117f, &found);
	assert_int_equal(found.start, 0x1080);
	assert_int_equal(found.end, 0x1180);
	must_be_unnamed(bpf, 0x1180, NAME_KERNEL_ADDR);
	must_be_unnamed(bpf, UINT64_MAX - 1, NAME_KERNEL_ADDR);
	module_set_free(set);
}

/* Our own vdso, written to a file for nm. */
static void test_vdso(void **state)
{
	const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
	struct symbol_options release = { .os_release = "3.4.0-of-old" };
	struct module_set *set = module_set_new(NULL);
	struct module *vdso = module_intern(set, MODULE_VDSO, "[vdso]", NULL, 0);
	const ElfW(Ehdr) *ehdr = (const void *)base;
	struct nm_list list;
	uint8_t wrong[20] = { 1 };
	FILE *f;

	(void)state;
	need("nm");
	if (!base) {
		print_message("skip: there is no vdso\n");
		skip();
	}
	f = fopen(path_of("vdso"), "wb");
	fwrite(base, 1, ehdr->e_shoff + (size_t)ehdr->e_shnum * ehdr->e_shentsize, f);
	fclose(f);
	nm_read(&list, "-D", "vdso");
	assert_true(check_functions(vdso, &list) >= 3);
	for (size_t i = 0; i < list.v.nr; i++)
		assert_int_equal(module_elf_addr(vdso, list.v.v[i].addr), list.v.v[i].addr);
	must_be_unnamed(module_intern(set, MODULE_VDSO, "[vdso]", wrong, 20), 0x1000,
			NAME_FILE_CHANGED);
	module_set_free(set);
	set = module_set_new(&release);
	must_be_unnamed(module_intern(set, MODULE_VDSO, "[vdso]", NULL, 0), 0x1000,
			NAME_FILE_CHANGED);
	module_set_free(set);
	vec_release(&list.v);
}

/* A mapping as perf script --show-mmap-events prints it. */
struct mapped {
	unsigned long pid, start, len, off;
	char path[256];
};

static size_t read_mappings(const char *text, struct mapped *maps, size_t max)
{
	size_t n = 0;

	for (const char *l = text; l && n < max; l = strchr(l, '\n')) {
		const char *at = strstr(l += *l == '\n', "PERF_RECORD_MMAP");
		struct mapped *m = &maps[n];

		if (!at || at > strchrnul(l, '\n'))
			continue;
		at += strlen("PERF_RECORD_MMAP");
		at += *at == '2';
		if (sscanf(at, " %ld/%*d: [%lx(%lx) @ %lx%*[^]]]: %*s %255[^\n]", (long *)&m->pid,
			   &m->start, &m->len, &m->off, m->path) == 5)
			n++;
	}
	return n;
}

/*
 * Every sample of a live recording has the name perf 6.1 gives it.  Known
 * differences, where perf has none or a wrong one: extents of stripped functions,
 * and PLT entries before perf 6.3.
 */
static void test_against_perf(void **state)
{
	static struct mapped maps[4096];
	struct module_set *set = module_set_new(NULL);
	char *text, *save = NULL;
	size_t nr_maps, checked = 0;

	(void)state;
	need("perf");
	need("gcc");
	write_file("burn.c",
		   "#include <stdio.h>\n#include <string.h>\n#include <sys/mman.h>\n"
		   "#include <fcntl.h>\n#include <time.h>\n#include <unistd.h>\n#include <stdlib.h>\n"
		   "static int cmp(const void *a, const void *b) { return *(int *)a - *(int *)b; }\n"
		   "int main(void) {\n"
		   "	char b[4096]; static int v[2000]; struct timespec t;\n"
		   "	for (int k = 0; k < 1500; k++) {\n"
		   "		int f = open(\"/proc/self/stat\", O_RDONLY);\n"
		   "		if (read(f, b, 4096) < 0) return 1;\n"
		   "		close(f);\n"
		   "		void *p = mmap(0, 65536, 3, 0x22, -1, 0); memset(p, 1, 65536);\n"
		   "		munmap(p, 65536);\n"
		   "		for (int i = 0; i < 2000; i++) v[i] = i * 7919 % 2003 + k;\n"
		   "		qsort(v, 2000, 4, cmp);\n"
		   "		for (int i = 0; i < 100; i++) clock_gettime(CLOCK_MONOTONIC, &t);\n"
		   "		snprintf(b, 100, \"%f\", k * 1.5);\n"
		   "	}\n"
		   "	return 0; }\n");
	assert_int_equal(run("gcc -O1 -g -o burn burn.c"), 0);
	if (run("perf record -q -e cpu-clock -F 5000 -o perf.data ./burn >/dev/null 2>&1") != 0) {
		print_message("skip: perf record does not work here\n");
		module_set_free(set);
		skip();
	}
	text = output_of("perf script -i perf.data --show-mmap-events -F comm,ip 2>/dev/null");
	nr_maps = read_mappings(text, maps, sizeof(maps) / sizeof(maps[0]));
	assert_true(nr_maps > 3);
	free(text);
	text = output_of("perf script -i perf.data -F pid,ip,sym,symoff 2>/dev/null");
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		unsigned long pid, ip;
		char want[512], got[600];
		struct mapped *m = NULL;
		struct symbol found;
		struct module *module;
		uint64_t addr;

		if (sscanf(l, "%lu %lx %511[^\n]", &pid, &ip, want) != 3)
			continue;
		for (size_t i = 0; i < nr_maps; i++)
			if ((maps[i].pid == pid || maps[i].pid == (unsigned long)-1) &&
			    ip - maps[i].start < maps[i].len)
				m = &maps[i];
		if (!m)
			continue;
		module = module_intern(set, module_kind_of(m->path, m->pid != pid), m->path, NULL,
				       0);
		addr = module->kind == MODULE_KERNEL ? ip
						     : module_elf_addr(module, ip - m->start + m->off);
		module_symbol(module, addr, &found);
		if (found.is_range || (found.name && strstr(found.name, "@plt")))
			continue;
		snprintf(got, sizeof(got), "%s+0x%lx", found.name ? found.name : "?",
			 addr - found.start);
		if (!found.name)
			strcpy(got, "[unknown]");
		if (strcmp(got, want) != 0)
			fail_msg("%s: %lx: perf says %s, but it is %s", m->path, ip, want, got);
		checked++;
	}
	free(text);
	print_message("%zu samples agree with perf\n", checked);
	assert_true(checked > 100);
	module_set_free(set);
}

/* What nm says of a symbol. */
static uint64_t nm(const char *file, const char *name)
{
	unsigned long long addr = 0;
	struct str cmd = STR_INIT;
	FILE *out;

	str_addf(&cmd, "nm %s/%s | awk '$3 == \"%s\" { print $1 }'", program_dir, file, name);
	out = popen(cmd.p, "r");
	assert_non_null(out);
	if (fscanf(out, "%llx", &addr) != 1)
		fail_msg("nm does not know %s of %s", name, file);
	pclose(out);
	str_release(&cmd);
	return addr;
}

static int id_of(const char *file, uint8_t id[20])
{
	struct str path = STR_INIT;
	int size;

	str_addf(&path, "%s/%s", program_dir, file);
	size = build_id_read(path.p, id);
	str_release(&path);
	return size;
}

/* A kernel that does not run here is named by its vmlinux, moved as KASLR had moved it. */
static void test_vmlinux_found(void **state)
{
	struct symbol_options options = { .symfs = program_dir, .os_release = "9.9-sonde" };
	const uint64_t moved = 0x12000000;
	struct module_set *set;
	struct module *kernel;
	uint8_t id[20];
	uint64_t text, foo;
	int size;

	(void)state;
	if (run("mkdir -p boot && printf 'void foo(void) {} void _start(void) { foo(); }' >k.c && "
		"gcc -O0 -nostdlib -static -Wl,--build-id -Wl,--defsym=_text=_start -o "
		"boot/vmlinux-9.9-sonde k.c") != 0) {
		print_message("skip: gcc cannot link a static program\n");
		skip();
	}
	size = id_of("boot/vmlinux-9.9-sonde", id);
	assert_true(size > 0);
	text = nm("boot/vmlinux-9.9-sonde", "_text");
	foo = nm("boot/vmlinux-9.9-sonde", "foo");
	set = module_set_new(&options);
	kernel = module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]", id, (uint8_t)size);
	module_set_kernel_ref(set, "_text", text + moved);
	must_be(kernel, foo + moved + 1, "foo");
	module_set_free(set);
	/* without knowing where it ran, no names rather than wrong ones */
	set = module_set_new(&options);
	kernel = module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]", id, (uint8_t)size);
	must_be_unnamed(kernel, foo + 1, NAME_KERNEL_OTHER);
	module_set_free(set);
	/* and another build of the same release is not it */
	id[0] ^= 1;
	set = module_set_new(&options);
	kernel = module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]", id, (uint8_t)size);
	module_set_kernel_ref(set, "_text", text + moved);
	must_be_unnamed(kernel, foo + moved + 1, NAME_KERNEL_OTHER);
	module_set_free(set);
}

/* A kernel module that is not loaded here, by its file: sections one behind the other. */
static void test_module_file(void **state)
{
	struct symbol_options options = { .symfs = program_dir };
	const uint64_t start = 0xffffffffc0400000;
	struct module_set *set = module_set_new(&options);
	struct module *module;
	uint8_t id[20];
	int size;

	(void)state;
	if (run("printf '__attribute__((section(\".init.text\"))) int ini(void) { return 0; }"
		"int f(void) { return 1; } int g(void) { return 2; }"
		"__attribute__((section(\".text.unlikely\"), aligned(64))) int cold(void) { return 3; }' >m.c && "
		"gcc -O1 -fcf-protection=none -c m.c -o m.o && ld -r --build-id -o sonde_test.ko m.o") != 0) {
		print_message("skip: gcc cannot make an object\n");
		skip();
	}
	size = id_of("sonde_test.ko", id);
	if (size <= 0) {
		print_message("skip: ld -r gives no build-id\n");
		skip();
	}
	module = module_intern(set, MODULE_KMOD, "/sonde_test.ko", id, (uint8_t)size);
	module_set_run_start(module, start);
	must_be(module, start + nm("sonde_test.ko", "f"), "f");
	must_be(module, start + nm("sonde_test.ko", "g") + 1, "g");
#if defined(__x86_64__)
	{
		/* .text is some bytes long; .text.unlikely stands at the next multiple of 64 */
		must_be(module, start + 64 + nm("sonde_test.ko", "cold"), "cold");
	}
#endif
	must_be_unnamed(module, start + 4096, NAME_NO_SYMBOL);
	module_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_kallsyms),
		cmocka_unit_test(test_kept_kallsyms),
		cmocka_unit_test(test_made_up_kernel),
		cmocka_unit_test(test_another_boot),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_another_kernel),
		cmocka_unit_test(test_vmlinux_found),
		cmocka_unit_test(test_module_file),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_added),
		cmocka_unit_test(test_vdso),
		cmocka_unit_test(test_against_perf),
	};

	return cmocka_run_group_tests(tests, programs_setup, programs_teardown);
}
