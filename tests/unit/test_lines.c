/* SPDX-License-Identifier: MIT */
/*
 * Lines and inlined functions of programs of every shape, built here: at every byte of
 * every function they are what `addr2line -afi` says.  Where they are not, eu-addr2line or
 * llvm-addr2line, which read DWARF by code of their own, have to say what we say, of the
 * whole chain.  Where binutils 2.40 and we differ:
 *  - A function without a linker's name in DWARF (a lambda, a template of one, what is
 *    local to its file) gets the name of the ELF symbol, be it inlined or not.  That alone
 *    is let pass, if all else agrees.
 *  - In DWARF 5 a file of the line table may be taken for the one before it: the source
 *    file stands for its header.
 *  - Without debug information the file's name comes from a symbol, as in "assert.o:?".
 *  - Where clang's inlined functions have many ranges the innermost may be left out.
 * And where elfutils 0.188 and we differ:
 *  - Where two inlined functions of one caller share addresses, it names both.
 *  - It cannot read clang's DWARF 5 (indexed addresses).
 * Split programs: inlined functions are not found in .dwo and .dwp by either, so the
 * answer is that for the same program built whole, whose code is the same.  So it is for
 * a stripped program whose debug information is elsewhere.
 */
#include <sys/stat.h>

#include "tests/unit/programs.h"

#define FRAMES 64

static const char cxx_source[] =
	"#include <algorithm>\n"
	"#include <map>\n"
	"#include <string>\n"
	"#include <vector>\n"
	"#include <cstdio>\n"
	"template <class T> struct box {\n"
	"	T v;\n"
	"	T get() const { T s{}; for (int i = 0; i < 9; i++) s += v * i ^ (s >> 3); return s; }\n"
	"};\n"
	"namespace in { namespace side {\n"
	"template <class T> static inline T twice(const box<T> &b) { return b.get() + b.get() * 3; }\n"
	"} }\n"
	"static inline long deep(std::vector<long> &v)\n"
	"{\n"
	"	long s = 0;\n"
	"	for (auto x : v) { box<long> b{x}; s += in::side::twice(b); }\n"
	"	return s;\n"
	"}\n"
	"__attribute__((noinline)) long work(std::vector<long> &v)\n"
	"{\n"
	"	std::sort(v.begin(), v.end(), [](long a, long b) { return a * 79 % 101 < b * 79 % 101; });\n"
	"	return deep(v);\n"
	"}\n"
	"__attribute__((noinline)) long words(int n)\n"
	"{\n"
	"	std::map<std::string, int> m;\n"
	"	long s = 0;\n"
	"	for (int i = 0; i < n; i++) m[std::to_string(i % 97)] += i;\n"
	"	if (n == 77) throw std::string(\"cold\");\n"
	"	for (auto &k : m) s += k.second;\n"
	"	return s;\n"
	"}\n"
	"int main()\n"
	"{\n"
	"	std::vector<long> v;\n"
	"	for (int i = 0; i < 20; i++) v.push_back(i * 31 % 97);\n"
	"	printf(\"%ld\\n\", work(v) + words(50));\n"
	"}\n";

static const char c_source[] =
	"static inline int sq(int a)\n"
	"{\n"
	"	for (int i = 0; i < (a & 7); i++)\n"
	"		a *= 3;\n"
	"	return a;\n"
	"}\n"
	"static inline int sum(int a, int b) { return sq(a) + sq(b); }\n"
	"int v;\n"
	"__attribute__((cold, noinline)) void rare(int a) { v = sum(a, v); }\n"
	"__attribute__((noinline)) int work(int a)\n"
	"{\n"
	"	if (__builtin_expect(a == 12345, 0)) {\n"
	"		v *= sum(a, 3);\n"
	"		rare(a);\n"
	"	}\n"
	"	return sum(a, v) + sq(7 + a);\n"
	"}\n"
	"#ifdef IFUNC\n"
	"static int one(int a) { return sq(a); }\n"
	"static int (*pick(void))(int) { return one; }\n"
	"int chosen(int) __attribute__((ifunc(\"pick\")));\n"
	"#else\n"
	"int chosen(int a) { return sum(a, a); }\n"
	"#endif\n"
	"int main(void) { return work(v) + chosen(v); }\n"
	"#ifdef START\n"
	"void _start(void) { main(); }\n"
	"#endif\n";

/* The same twice, so that LTO and dwz have something to share. */
static const char other_source[] =
	"#include <vector>\n"
	"#include <string>\n"
	"__attribute__((noinline)) std::string names(const std::vector<std::string> &v)\n"
	"{\n"
	"	std::string all;\n"
	"	for (auto &s : v) all += s + \",\";\n"
	"	return all;\n"
	"}\n";

static int setup(void **state)
{
	if (programs_setup(state) < 0)
		return -1;
	write_file("a.cc", cxx_source);
	write_file("b.cc", other_source);
	write_file("c.c", c_source);
	setenv("XDG_CACHE_HOME", path_of("cache"), 1);
	return mkdir(path_of("cache"), 0700);
}

/* --- what addr2line says ------------------------------------------------------------ */

struct answer { const char *name, *file; uint32_t line; };

/* "FILE:LINE" or "FILE:LINE:COLUMN", "??:0", "FILE:?" */
static void take_place(char *text, struct answer *out)
{
	char *last = strrchr(text, ':'), *before;

	assert_non_null(last);
	*last = '\0';
	before = strrchr(text, ':');
	if (before && before[1] && strspn(before + 1, "0123456789") == strlen(before + 1)) {
		*before = '\0';
		last = before;
	}
	out->file = text;
	out->line = (uint32_t)strtoul(last + 1, NULL, 10);
}

/* The next address's frames out of an addr2line's text, which is cut up. */
static uint32_t next_answer(char **text, uint64_t *addr, struct answer *out)
{
	char *line = strsep(text, "\n"), *more;
	uint32_t nr = 0;

	if (!line || strncmp(line, "0x", 2) != 0)
		return 0;
	*addr = strtoull(line, NULL, 16);
	while (*text && **text && strncmp(*text, "0x", 2) != 0) {
		struct answer *a = &out[nr < FRAMES ? nr++ : nr];

		a->name = line = strsep(text, "\n");
		more = strstr(line, " inlined at ");
		if (more)
			*more = '\0';
		line = strsep(text, "\n");
		assert_non_null(line);
		take_place(line, a);
	}
	return nr;
}

static bool same_text(const char *ours, const char *theirs)
{
	return strcmp(ours ? ours : "??", theirs) == 0;
}

/* Ours at an address, as addr2line has it: without debug information the symbol and no line. */
static uint32_t our_answer(struct module *module, uint64_t addr, struct source_frame *out)
{
	uint32_t n = module_lines(module, addr, out, FRAMES);
	struct symbol symbol;

	module_symbol(module, addr, &symbol);
	if (!n)
		out[n++] = (struct source_frame){ 0 };
	if (!out[n - 1].name)
		out[n - 1].name = symbol.name;
	return n;
}

/* All symbols of the program that is checked: aliases are as good as one another. */
static struct nm_list symbols;

/* `by_symbol`: theirs may be an ELF symbol where ours is another name. */
static bool agrees(struct module *module, uint64_t addr, const struct answer *theirs, uint32_t nr,
		   bool by_symbol)
{
	struct source_frame ours[FRAMES];
	uint32_t n = our_answer(module, addr, ours);
	struct symbol symbol;

	module_symbol(module, addr, &symbol);
	if (n != nr)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		bool name = same_text(ours[i].name, theirs[i].name) ||
			    (by_symbol && symbol.name && nm_has(&symbols, symbol.start, theirs[i].name));

		if (!name || ours[i].line != theirs[i].line ||
		    (!same_text(ours[i].file, theirs[i].file) && theirs[i].line))
			return false;
	}
	return true;
}

struct counts { size_t addresses, inlined, doubts; };

static bool is_own(const char *name)
{
	static const char *const own[] = { "main", "work", "work.cold", "rare", "chosen" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(name, own[i]) == 0)
			return true;
	return false;
}

/*
 * Write the addresses of all functions to the file "addresses"; of the library in a static
 * program not all, behind the program's own.
 */
static void write_addresses(const char *reference)
{
	FILE *own = fopen(path_of("own"), "w"), *rest = fopen(path_of("rest"), "w");

	assert_true(own && rest);
	vec_release(&symbols.v);
	nm_read(&symbols, "--defined-only", reference);
	for (size_t i = 0; i < symbols.v.nr; i++)
		if (nm_is_function(&symbols.v.v[i]))
			for (uint64_t at = 0; at < symbols.v.v[i].size && at < 4096; at++)
				fprintf(is_own(symbols.v.v[i].name) ? own : rest, "%lx\n",
					symbols.v.v[i].addr + at);
	fclose(own);
	fclose(rest);
	assert_int_equal(run("{ sort -u own; sort -u rest; } | awk '!seen[$0]++' | "
			     "head -n 10000 >addresses"), 0);
}

/* Ask one of them about the addresses in a file; those where it differs go to another. Returns how many. */
static size_t ask(const char *who, const char *reference, struct module *module, const char *from,
		  const char *to, struct counts *counts)
{
	struct answer theirs[FRAMES + 1];
	struct source_frame ours[FRAMES];
	uint64_t addr = 0;
	size_t doubts = 0;
	char *text, *rest;
	FILE *f = fopen(path_of(to), "w");
	uint32_t nr;

	assert_non_null(f);
	text = rest = output_of("%s -afi -e %s <%s | sed 's/ (discriminator [0-9]*)$//'", who,
				reference, from);
	while ((nr = next_answer(&rest, &addr, theirs))) {
		if (counts) {
			counts->addresses++;
			counts->inlined += module_lines(module, addr, ours, FRAMES) > 1;
		}
		if (agrees(module, addr, theirs, nr, counts))
			continue;
		doubts++;
		fprintf(f, "0x%lx\n", addr);
	}
	fclose(f);
	free(text);
	return doubts;
}

static bool same_frames(struct module *a, struct module *b, uint64_t addr)
{
	struct source_frame of_a[FRAMES], of_b[FRAMES];
	uint32_t n = module_lines(a, addr, of_a, FRAMES);

	if (module_lines(b, addr, of_b, FRAMES) != n)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (of_a[i].line != of_b[i].line ||
		    !same_text(of_a[i].name, of_b[i].name ? of_b[i].name : "??") ||
		    !same_text(of_a[i].file, of_b[i].file ? of_b[i].file : "??"))
			return false;
	return true;
}

/* What comes out of the index is what went in, and so it stays when more is added. */
static void check_index(struct module_set *set, const char *program)
{
	struct symbol_options options = { .no_demangle = true };
	struct module_set *again = module_set_new(&options);
	struct module *a = module_intern(set, MODULE_FILE, path_of(program), NULL, 0);
	struct module *b = module_intern(again, MODULE_FILE, path_of(program), NULL, 0);
	size_t nr = 0;

	module_set_keep(set);
	for (size_t i = 0; i < symbols.v.nr; i++)
		for (uint64_t at = 0; at < symbols.v.v[i].size && at < 512; at++, nr++)
			if (!same_frames(a, b, symbols.v.v[i].addr + at))
				fail_msg("%s: other lines in the index at 0x%lx", program,
					 symbols.v.v[i].addr + at);
	assert_true(nr > 100);
	module_set_free(again);
}

/*
 * Every byte of every function of `program` is what addr2line says of `reference`, which
 * has the same code.
 */
static struct counts check(const char *program, const char *reference, const char *prefix)
{
	struct symbol_options options = { .no_demangle = true };
	struct module_set *set = module_set_new(&options);
	struct module *module = module_intern(set, MODULE_FILE, path_of(program), NULL, 0);
	struct counts counts = { 0 };
	size_t doubts;
	char who[64];

	write_addresses(reference);
	snprintf(who, sizeof(who), "%saddr2line", prefix);
	counts.doubts = doubts = ask(who, reference, module, "addresses", "doubts", &counts);
	if (doubts) {
		need("eu-addr2line");
		need("llvm-addr2line");
		doubts = ask("eu-addr2line", reference, module, "doubts", "doubts2", NULL);
	}
	if (doubts)
		doubts = ask("llvm-addr2line", reference, module, "doubts2", "doubts3", NULL);
	check_index(set, program);
	module_set_free(set);
	print_message("%s: %zu addresses, %zu in inlined functions, %zu where addr2line differs\n",
		      program, counts.addresses, counts.inlined, counts.doubts);
	if (doubts) {
		run("head -n 3 doubts3 | tee /dev/stderr | llvm-addr2line -afi -e %s >&2", reference);
		fail_msg("%s: nobody says so of %zu addresses", program, doubts);
	}
	assert_true(counts.addresses > 100);
	return counts;
}

static void check_inlines(const char *program, const char *reference)
{
	struct counts counts = check(program, reference, "");

	assert_true(counts.inlined * 10 > counts.addresses);
}

static void must_build(const char *flags, int status)
{
	if (status != 0) {
		print_message("skip: g++ %s does not work here\n", flags);
		skip();
	}
}

/* What was compiled with the same flags before is linked again; `link` is for that alone. */
static void build_linked(const char *program, const char *flags, const char *link)
{
	must_build(flags, run("o=$(echo 'o %s' | tr ' /' '__') && "
			      "{ [ -e \"$o\" ] || { rm -rf new && mkdir new && "
			      "g++ -O2 -g %s -c -o new/a.o a.cc && g++ -O2 -g %s -c -o new/b.o b.cc && "
			      "mv new \"$o\"; } && "
			      "g++ -O2 -g %s %s -o %s \"$o\"/a.o \"$o\"/b.o; } 2>build.log",
			      flags, flags, flags, flags, link, program));
}

static void build(const char *program, const char *flags)
{
	build_linked(program, flags, "");
}

/* With .dwo files of its own beside it. */
static void build_split(const char *program, const char *flags)
{
	must_build(flags, run("g++ -O2 -g %s -gsplit-dwarf -o %s a.cc b.cc 2>build.log", flags, program));
}

static void build_c(const char *program, const char *flags)
{
	if (run("gcc -O2 -g %s -o %s c.c 2>build.log", flags, program) != 0) {
		print_message("skip: gcc %s does not work here\n", flags);
		skip();
	}
}

/* --- the programs ------------------------------------------------------------------- */

static void test_versions(void **state)
{
	char flags[32], name[32];

	(void)state;
	for (int version = 2; version <= 5; version++) {
		snprintf(flags, sizeof(flags), "-gdwarf-%d", version);
		snprintf(name, sizeof(name), "v%d", version);
		build(name, flags);
		check_inlines(name, name);
	}
	build("offsets64", "-gdwarf-5 -gdwarf64");
	/* binutils 2.40 does not read it */
	check_inlines("offsets64", "v5");
}

static void test_levels(void **state)
{
	(void)state;
	build("one", "-g1");
	check_inlines("one", "one");
	build("size", "-Os");
	check_inlines("size", "size");
	build("none", "-g0");
	assert_int_equal(check("none", "none", "").inlined, 0);
}

static void test_kinds_of_programs(void **state)
{
	static const char *const kinds[][2] = {
		{ "pie", "-pie -fPIE" }, { "no-pie", "-no-pie -fno-PIE" },
		{ "static", "-static" }, { "static-pie", "-static-pie -fPIE" },
		{ "ifunc", "-DIFUNC" }, { "shared", "-shared -fPIC" },
		{ "parts", "-freorder-blocks-and-partition -ffunction-sections -Wl,--gc-sections" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		build_c(kinds[i][0], kinds[i][1]);
		assert_true(check(kinds[i][0], kinds[i][0], "").inlined > 100);
	}
}

static void test_compressed(void **state)
{
	(void)state;
	build_linked("gz", "-gdwarf-5", "-gz");
	check_inlines("gz", "gz");
	build_linked("gz-gnu", "-gdwarf-5", "-gz=zlib-gnu");
	/* binutils 2.40 finds not all sections that are named .zdebug_ */
	check_inlines("gz-gnu", "gz");
}

/* Sections that were opened are kept: the second look finds them, a damaged one is made anew. */
static void test_compressed_kept(void **state)
{
	static const char kept[] = "test $(ls sections/sonde/index | grep -c -- -dwrf$) = %d";

	(void)state;
	assert_int_equal(run("mkdir -m 700 sections"), 0);
	setenv("XDG_CACHE_HOME", path_of("sections"), 1);
	build_linked("kept", "-gdwarf-5", "-gz -Wl,--build-id");
	check_inlines("kept", "kept");
	assert_int_equal(run(kept, 1), 0);
	assert_int_equal(run("rm -f sections/sonde/index/*-line && "
			     "truncate -s 5000 sections/sonde/index/*-dwrf"), 0);
	check_inlines("kept", "kept");
	assert_int_equal(run("test $(stat -c %%s sections/sonde/index/*-dwrf) -gt 64000"), 0);
	assert_int_equal(run("rm -f sections/sonde/index/*-line"), 0);
	/* out of the cache, and then of the same build-id with other contents */
	check_inlines("kept", "kept");
	build_linked("kept", "-gdwarf-5 -O1",
		     "-gz -Wl,--build-id=0x$(readelf -n kept | awk '/Build ID/ { print $3 }')");
	check_inlines("kept", "kept");
	assert_int_equal(run(kept, 1), 0);
	/* nothing may be kept */
	assert_int_equal(run("rm -r sections && mkdir -p sections/sonde && chmod 700 sections/sonde && "
			     "echo 0 >sections/sonde/limit"), 0);
	check_inlines("kept", "kept");
	assert_int_not_equal(run("ls sections/sonde/index/*-dwrf 2>/dev/null"), 0);
	setenv("XDG_CACHE_HOME", path_of("cache"), 1);
}

static void test_lto(void **state)
{
	(void)state;
	build("lto", "-flto");
	check_inlines("lto", "lto");
}

static void test_other_compiler(void **state)
{
	(void)state;
	need("clang++");
	assert_int_equal(run("clang++ -O2 -g -gdwarf-5 -o clang5 a.cc b.cc"), 0);
	check_inlines("clang5", "clang5");
	assert_int_equal(run("clang++ -O2 -g -gdwarf-4 -o clang4 a.cc b.cc"), 0);
	check_inlines("clang4", "clang4");
}

static void test_split(void **state)
{
	static const char *const versions[] = { "-gdwarf-4", "-gdwarf-5", "-gdwarf-5 -gz" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		build("whole", i ? "-gdwarf-5" : "-gdwarf-4");
		build_split("split", versions[i]);
		check_inlines("split", "whole");
		/* a program without its .dwo has lines and no inlined functions */
		assert_int_equal(run("mkdir -p away && mv *.dwo away/"), 0);
		assert_true(check("split", "split", "").inlined == 0);
		/* moved together */
		assert_int_equal(run("cp split away/ && ls away/*.dwo >/dev/null"), 0);
		check_inlines("away/split", "whole");
		assert_int_equal(run("rm -rf away split"), 0);
	}
}

static void test_packed_dwo(void **state)
{
	(void)state;
	need("dwp");
	build("whole", "-gdwarf-4");
	build_split("packed", "-gdwarf-4");
	assert_int_equal(run("dwp -e packed -o packed.dwp && rm -f *.dwo"), 0);
	check_inlines("packed", "whole");
}

static void test_packed_dwo_5(void **state)
{
	(void)state;
	need("clang++");
	need("llvm-dwp");
	assert_int_equal(run("clang++ -O2 -gdwarf-5 -o whole a.cc b.cc"), 0);
	assert_int_equal(run("clang++ -O2 -gdwarf-5 -gsplit-dwarf -c a.cc && "
			     "clang++ -O2 -gdwarf-5 -gsplit-dwarf -c b.cc && "
			     "clang++ -o packed5 a.o b.o"), 0);
	check_inlines("packed5", "whole");
	assert_int_equal(run("llvm-dwp -e packed5 -o packed5.dwp && rm -f *.dwo"), 0);
	check_inlines("packed5", "whole");
}

static void test_debug_files(void **state)
{
	(void)state;
	build_linked("full", "-gdwarf-5", "-Wl,--build-id");
	assert_int_equal(run("objcopy --only-keep-debug full linked.debug && cp full linked && "
			     "strip linked && objcopy --add-gnu-debuglink=linked.debug linked"), 0);
	check_inlines("linked", "full");
	/* its names are there, its debug information elsewhere */
	assert_int_equal(run("cp full named && strip -g named && "
			     "objcopy --add-gnu-debuglink=linked.debug named"), 0);
	check_inlines("named", "full");
	/* nothing but names, packed as distributions do; no lines */
	need("xz");
	assert_int_equal(run("nm full --format=posix --defined-only | awk '$2 ~ /[tT]/ { print $1 }' | "
			     "sort >keep && objcopy -S --remove-section .gdb_index "
			     "--keep-symbols=keep full mini && xz -k mini && cp full bare && "
			     "strip bare && objcopy --add-section .gnu_debugdata=mini.xz bare"), 0);
	assert_int_equal(run("objcopy -g full plain"), 0);
	assert_int_equal(check("bare", "plain", "").inlined, 0);
}

static void check_without_sup(const char *program, const char *reference)
{
	struct symbol_options options = { .no_demangle = true };
	struct module_set *set = module_set_new(&options);
	struct module *ours = module_intern(set, MODULE_FILE, path_of(program), NULL, 0);
	struct module *whole = module_intern(set, MODULE_FILE, path_of(reference), NULL, 0);
	struct source_frame a[FRAMES], b[FRAMES];
	size_t lost = 0;

	setenv("XDG_CACHE_HOME", "/dev/null", 1);
	for (size_t i = 0; i < symbols.v.nr; i++)
		for (uint64_t at = 0; at < symbols.v.v[i].size && at < 64; at++) {
			uint64_t addr = symbols.v.v[i].addr + at;
			uint32_t n = module_lines(ours, addr, a, FRAMES);

			if (n != module_lines(whole, addr, b, FRAMES))
				continue;
			for (uint32_t j = 0; j < n; j++) {
				lost += !a[j].name && b[j].name;
				assert_true(!a[j].name || same_text(a[j].name, b[j].name));
			}
		}
	assert_true(lost > 100);
	setenv("XDG_CACHE_HOME", path_of("cache"), 1);
	module_set_free(set);
}

static void test_dwz(void **state)
{
	(void)state;
	need("dwz");
	build("before", "-gdwarf-4");
	assert_int_equal(run("cp before alone && dwz alone 2>dwz.log"), 0);
	check_inlines("alone", "before");
	assert_int_equal(run("cp before p1 && cp before p2 && dwz -m common.debug -r p1 p2 2>dwz.log && "
			     "readelf -S p1 | grep -q gnu_debugaltlink"), 0);
	check_inlines("p1", "before");
	build("before", "-gdwarf-5");
	assert_int_equal(run("cp before q1 && cp before q2 && "
			     "dwz -m common5.debug -r q1 q2 2>dwz.log"), 0);
	check_inlines("q1", "before");
}

/* DWARF 5's own way to a file that is shared, which binutils 2.40 does not follow. */
static void test_supplementary(void **state)
{
	(void)state;
	need("dwz");
	build("before", "-gdwarf-5");
	if (run("cp before s1 && cp before s2 && dwz -5 -m sup.debug -r s1 s2 2>dwz.log && "
		"readelf -S s1 | grep -q debug_sup") != 0) {
		print_message("skip: dwz does not make .debug_sup here\n");
		skip();
	}
	check_inlines("s1", "before");
	/* one of another checksum is not taken: names are missing, and none is wrong */
	build("other", "-gdwarf-5 -O1");
	assert_int_equal(run("cp other s3 && cp other s4 && "
			     "dwz -5 -m sup.debug -r s3 s4 2>dwz.log"), 0);
	check_without_sup("s1", "before");
}

/* Types in units of their own: in .debug_types before DWARF 5. */
static void test_type_units(void **state)
{
	(void)state;
	build("types4", "-gdwarf-4 -fdebug-types-section");
	assert_int_equal(run("readelf -S types4 | grep -q debug_types"), 0);
	check_inlines("types4", "types4");
	build("types5", "-gdwarf-5 -fdebug-types-section");
	/* binutils 2.40 reads such units not as we do: the same code without them */
	build("whole", "-gdwarf-5");
	check_inlines("types5", "whole");
}

static void test_another_architecture(void **state)
{
	(void)state;
	need("aarch64-linux-gnu-gcc");
	assert_int_equal(run("aarch64-linux-gnu-gcc -O2 -g -DSTART -static -nostdlib -o arm c.c"), 0);
	assert_true(check("arm", "arm", "aarch64-linux-gnu-").inlined > 100);
}

/* Kernel modules and objects are not laid out yet: their DWARF says nothing of addresses. */
static void test_objects_have_none(void **state)
{
	struct module_set *set = module_set_new(NULL);
	struct source_frame frame;

	(void)state;
	assert_int_equal(run("gcc -O2 -g -c -o object.o c.c"), 0);
	assert_int_equal(module_lines(module_intern(set, MODULE_FILE, path_of("object.o"), NULL, 0), 4,
				      &frame, 1), 0);
	module_set_free(set);
}

/* Chains are cut at their outer end, and equal strings are one. */
static void test_bounds(void **state)
{
	struct module_set *set = module_set_new(NULL);
	struct source_frame two[2], all[FRAMES];
	struct module *module;
	struct nm_list list;
	size_t seen = 0;

	(void)state;
	build("bounds", "-gdwarf-5");
	module = module_intern(set, MODULE_FILE, path_of("bounds"), NULL, 0);
	nm_read(&list, "--defined-only", "bounds");
	for (size_t i = 0; i < list.v.nr; i++) {
		for (uint64_t at = 0; nm_is_function(&list.v.v[i]) && at < list.v.v[i].size; at++) {
			uint64_t addr = list.v.v[i].addr + at;
			uint32_t n = module_lines(module, addr, all, FRAMES);

			if (n < 3)
				continue;
			seen++;
			assert_int_equal(module_lines(module, addr, two, 2), 2);
			assert_ptr_equal(two[0].name, all[0].name);
			assert_ptr_equal(two[1].file, all[1].file);
			assert_int_equal(two[1].line, all[1].line);
		}
	}
	assert_true(seen > 10);
	assert_int_equal(module_lines(module, 1, all, FRAMES), 0);
	assert_int_equal(module_lines(module, UINT64_MAX, all, FRAMES), 0);
	vec_release(&list.v);
	module_set_free(set);
}

static const struct nm_symbol *symbol_named(const char *part)
{
	for (size_t i = 0; i < symbols.v.nr; i++)
		if (nm_is_function(&symbols.v.v[i]) && strstr(symbols.v.v[i].name, part))
			return &symbols.v.v[i];
	fail_msg("no %s", part);
	return NULL;
}

/* Frames of all of a function; equal texts among them are one pointer. Returns how many. */
static uint32_t frames_of(struct module *module, const char *name, struct source_frame *out)
{
	const struct nm_symbol *symbol = symbol_named(name);
	uint32_t nr = 0;

	for (uint64_t at = 0; at < symbol->size && nr + FRAMES <= 4096; at++)
		nr += module_lines(module, symbol->addr + at, out + nr, FRAMES);
	assert_true(nr > 10);
	for (uint32_t i = 1; i < nr; i++) {
		if (out[i].file && out[i - 1].file && strcmp(out[i].file, out[i - 1].file) == 0)
			assert_ptr_equal(out[i].file, out[i - 1].file);
		if (out[i].name && out[i - 1].name && strcmp(out[i].name, out[i - 1].name) == 0)
			assert_ptr_equal(out[i].name, out[i - 1].name);
	}
	return nr;
}

static void assert_same(const struct source_frame *a, const struct source_frame *b, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++) {
		assert_true(same_text(a[i].name, b[i].name ? b[i].name : "??"));
		assert_true(same_text(a[i].file, b[i].file ? b[i].file : "??"));
		assert_int_equal(a[i].line, b[i].line);
	}
}

/* Units come to the index as they are read, and what is there is not read again. */
static void test_index_grows(void **state)
{
	static struct source_frame plain[2][4096], got[4096];
	static const char *const names[] = { "4workRS", "5namesRK" };
	struct symbol_options options = { 0 };
	struct module_set *set, *again;
	struct module *module;
	uint32_t nr[2];

	(void)state;
	build_linked("grows", "-gdwarf-5", "-Wl,--build-id");
	vec_release(&symbols.v);
	nm_read(&symbols, "--defined-only", "grows");
	/* as without an index */
	setenv("XDG_CACHE_HOME", "/dev/null", 1);
	set = module_set_new(&options);
	module = module_intern(set, MODULE_FILE, path_of("grows"), NULL, 0);
	for (int i = 0; i < 2; i++)
		nr[i] = frames_of(module, names[i], plain[i]);
	setenv("XDG_CACHE_HOME", path_of("cache"), 1);
	for (int i = 0; i < 2; i++) {
		again = module_set_new(&options);
		module = module_intern(again, MODULE_FILE, path_of("grows"), NULL, 0);
		for (int j = 0; j <= i; j++) {
			assert_int_equal(frames_of(module, names[j], got), nr[j]);
			assert_same(got, plain[j], nr[j]);
		}
		module_set_free(again);
	}
	/* a copy whose debug information is gone, and its place is not */
	assert_int_equal(run("cp grows gone && set -- $(readelf -SW gone | sed -n "
			     "'s/.* \\.debug_info *PROGBITS *[0-9a-f]* \\([0-9a-f]*\\) "
			     "\\([0-9a-f]*\\) .*/\\1 \\2/p') && dd if=/dev/zero of=gone bs=64K "
			     "conv=notrunc status=none oflag=seek_bytes iflag=count_bytes "
			     "seek=$((0x$1)) count=$((0x$2))"), 0);
	again = module_set_new(&options);
	module = module_intern(again, MODULE_FILE, path_of("gone"), NULL, 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(frames_of(module, names[i], got), nr[i]);
		assert_same(got, plain[i], nr[i]);
	}
	module_set_free(again);
	module_set_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_kinds_of_programs),
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_compressed_kept),
		cmocka_unit_test(test_lto),
		cmocka_unit_test(test_other_compiler),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_packed_dwo),
		cmocka_unit_test(test_packed_dwo_5),
		cmocka_unit_test(test_debug_files),
		cmocka_unit_test(test_dwz),
		cmocka_unit_test(test_supplementary),
		cmocka_unit_test(test_type_units),
		cmocka_unit_test(test_another_architecture),
		cmocka_unit_test(test_objects_have_none),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_index_grows),
	};

	return cmocka_run_group_tests(tests, setup, programs_teardown);
}
