/* SPDX-License-Identifier: MIT */
/* jit: names of code that comes, moves and is overwritten; whose files are believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "formats/jitdump.h"
#include "formats/perf_map.h"
#include "profile/process.h"
#include "profile/resolve.h"
#include "symbols/jit.h"
#include "symbols/jit_file.h"
#include "tests/unit/records.h"

/* --- perf map ------------------------------------------------------------------ */

static void test_map_lines(void **state)
{
	char text[] = "1000 10 foo\n"
		      "0x2000 0X20 Ljava/lang/String;::hash Code\n"      /* JDK 25 writes 0x */
		      "garbage\n"
		      "3000 0 empty\n"
		      "ffffffffffffffff 2 around\n"
		      "4000 8\n"
		      "# 77\n"
		      "5000\t8\tLazyCompile:*f /a b.js:1\r\n"
		      "6000 1g bad\n"
		      "7000 8 half";
	struct perf_map_line line;
	struct perf_map map;

	(void)state;
	perf_map_init(&map, text, strlen(text));
	assert_true(perf_map_next(&map, &line));
	assert_int_equal(line.start, 0x1000);
	assert_int_equal(line.size, 0x10);
	assert_string_equal(line.name, "foo");
	assert_int_equal(line.from_ns, 0);
	assert_true(perf_map_next(&map, &line));
	assert_int_equal(line.start, 0x2000);
	assert_int_equal(line.size, 0x20);
	assert_string_equal(line.name, "Ljava/lang/String;::hash Code");
	assert_true(perf_map_next(&map, &line));
	assert_string_equal(line.name, "LazyCompile:*f /a b.js:1");
	assert_int_equal(line.from_ns, 77);
	assert_true(perf_map_next(&map, &line));
	assert_string_equal(line.name, "half");
	assert_false(perf_map_next(&map, &line));
	assert_int_equal(map.nr_bad, 5);
}

static void expect(const struct jit *jit, uint64_t addr, uint64_t time_ns, const char *name)
{
	const struct jit_code *code = jit_find(jit, addr, time_ns);

	if (!name) {
		assert_null(code);
		return;
	}
	assert_non_null(code);
	assert_string_equal(code->name, name);
}

static struct jit *of_map(const char *text)
{
	struct jit *jit = jit_new();

	jit_add_map(jit, mem_strdup(text), strlen(text));
	jit_finish(jit);
	return jit;
}

static void test_later_line_wins(void **state)
{
	struct jit *jit = of_map("1000 100 old\n2000 100 other\n1080 100 new\n1000 10 newest\n"
				 "8000 10 a\n8000 10 b\n");
	size_t nr;

	(void)state;
	expect(jit, 0xfff, 5, NULL);
	expect(jit, 0x1000, 5, "newest");
	expect(jit, 0x1010, 5, "old");
	expect(jit, 0x1080, 5, "new");
	expect(jit, 0x117f, 5, "new");
	expect(jit, 0x1180, 5, NULL);
	expect(jit, 0x20ff, 5, "other");
	expect(jit, 0x8008, 5, "b");
	jit_changes(jit, &nr);
	assert_int_equal(nr, 0);         /* there are no times: one meaning */
	jit_free(jit);
}

static void test_marks_of_time(void **state)
{
	struct jit *jit = of_map("1000 100 first\n# 500\n1000 100 second\n3000 10 late\n");
	const uint64_t *changes;
	size_t nr;

	(void)state;
	expect(jit, 0x1000, 499, "first");
	expect(jit, 0x1000, 500, "second");
	expect(jit, 0x3000, 100, "late");        /* nothing else was ever there */
	changes = jit_changes(jit, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(changes[0], 500);
	jit_free(jit);
}

/* --- jitdump --------------------------------------------------------------------- */

struct dump {
	struct str bytes;
	bool swap;
};

static void d32(struct dump *d, uint32_t v)
{
	v = d->swap ? __builtin_bswap32(v) : v;
	str_addn(&d->bytes, &v, 4);
}

static void d64(struct dump *d, uint64_t v)
{
	v = d->swap ? __builtin_bswap64(v) : v;
	str_addn(&d->bytes, &v, 8);
}

static void put_header(struct dump *d, uint64_t time)
{
	d32(d, 0x4a695444);
	d32(d, 1);
	d32(d, 40);
	d32(d, 62);
	d32(d, 0);
	d32(d, 4711);
	d64(d, time);
	d64(d, 0);
}

static void put_load(struct dump *d, uint64_t time, uint64_t addr, const char *name, uint64_t index)
{
	d32(d, JITDUMP_LOAD);
	d32(d, (uint32_t)(16 + 40 + strlen(name) + 1 + 0x100));
	d64(d, time);
	d32(d, 4711);
	d32(d, 4712);
	d64(d, addr);
	d64(d, addr);
	d64(d, 0x100);
	d64(d, index);
	str_addn(&d->bytes, name, strlen(name) + 1);
	for (int i = 0; i < 0x100; i++)
		str_addc(&d->bytes, (char)0xcc);
}

static void put_move(struct dump *d, uint64_t time, uint64_t from, uint64_t to, uint64_t index)
{
	d32(d, JITDUMP_MOVE);
	d32(d, 16 + 48);
	d64(d, time);
	d32(d, 4711);
	d32(d, 4712);
	d64(d, to);
	d64(d, from);
	d64(d, to);
	d64(d, 0x100);
	d64(d, index);
}

static void put_close(struct dump *d, uint64_t time)
{
	d32(d, JITDUMP_CLOSE);
	d32(d, 16);
	d64(d, time);
}

static void put_lines(struct dump *d, uint64_t addr, uint64_t shift)
{
	d32(d, JITDUMP_DEBUG_INFO);
	d32(d, 16 + 16 + 2 * 16 + 5 + 2);
	d64(d, 1);
	d64(d, addr);
	d64(d, 2);
	d64(d, addr + shift);
	d32(d, 10);
	d32(d, 0);
	str_addn(&d->bytes, "a.js", 5);
	d64(d, addr + shift + 0x20);
	d32(d, 12);
	d32(d, 0);
	str_addn(&d->bytes, "\xff", 2);
}

static void put_unwinding(struct dump *d)
{
	d32(d, JITDUMP_UNWINDING);
	d32(d, 16 + 24 + 16);
	d64(d, 1);
	d64(d, 12);
	d64(d, 8);
	d64(d, 12);
	str_addn(&d->bytes, "tablehdrhdr!xxxx", 16);
}

static ssize_t read_str(void *arg, void *to, size_t size, uint64_t offset)
{
	const struct str *s = arg;

	if (offset >= s->len)
		return 0;
	size = size < s->len - offset ? size : s->len - offset;
	memcpy(to, s->p + offset, size);
	return (ssize_t)size;
}

static struct jit *of_dump(struct dump *d, uint64_t mapped_ns, int expected)
{
	struct jit *jit = jit_new();

	assert_int_equal(jit_add_dump(jit, read_str, &d->bytes, mapped_ns, NULL), expected);
	jit_finish(jit);
	return jit;
}

static void test_dump(void **state)
{
	(void)state;
	for (int swap = 0; swap < 2; swap++) {
		struct dump d = { STR_INIT, swap };
		const uint64_t *changes;
		struct jit *jit;
		size_t nr;

		put_header(&d, 1000);
		put_load(&d, 1100, 0x10000, "f", 1);
		put_load(&d, 1200, 0x20000, "g", 2);
		put_load(&d, 1300, 0x10080, "h", 3);             /* over half of f */
		put_move(&d, 1400, 0x20000, 0x30000, 2);
		put_load(&d, 1500, 0x20000, "k", 4);
		put_close(&d, 1600);
		put_load(&d, 1700, 0x90000, "behind the end", 5);
		jit = of_dump(&d, 0, 0);
		expect(jit, 0x10000, 900, "f");
		expect(jit, 0x100ff, 1299, "f");
		expect(jit, 0x100ff, 1300, "h");
		expect(jit, 0x10000, 9999, "f");
		expect(jit, 0x20010, 1399, "g");
		expect(jit, 0x30010, 1450, "g");
		expect(jit, 0x20010, 1600, "k");
		expect(jit, 0x90000, 1800, NULL);
		changes = jit_changes(jit, &nr);
		assert_int_equal(nr, 3);
		assert_int_equal(changes[0], 1300);
		assert_int_equal(changes[1], 1400);
		assert_int_equal(changes[2], 1500);
		jit_free(jit);
		str_release(&d.bytes);
	}
}

/* The process mapped its dump at 51000 of the recording's clock: 50000 later than it says. */
static void test_other_clock(void **state)
{
	struct dump d = { STR_INIT, false };
	struct jit *jit;

	(void)state;
	put_header(&d, 1000);
	put_load(&d, 1100, 0x10000, "f", 1);
	put_load(&d, 1300, 0x10000, "h", 3);
	jit = of_dump(&d, 51000, 0);
	expect(jit, 0x10000, 51299, "f");
	expect(jit, 0x10000, 51300, "h");
	jit_free(jit);
	str_release(&d.bytes);
}

static void test_lines_and_unwinding(void **state)
{
	(void)state;
	/* as the text has it, and 64 further as V8 has it */
	for (uint64_t shift = 0; shift <= 64; shift += 64) {
		struct dump d = { STR_INIT, shift == 64 };
		const struct jit_code *code;
		const char *file;
		struct jit *jit;
		uint32_t line;

		put_header(&d, 1000);
		put_lines(&d, 0x10000, shift);
		put_unwinding(&d);
		put_load(&d, 1100, 0x10000, "f", 1);
		put_load(&d, 1200, 0x20000, "g", 2);
		jit = of_dump(&d, 0, 0);
		code = jit_find(jit, 0x10000, 2000);
		assert_true(jit_line(code, 0x1001f, &file, &line));
		assert_int_equal(line, 10);
		assert_string_equal(file, "a.js");
		assert_true(jit_line(code, 0x10020, &file, &line));
		assert_int_equal(line, 12);
		assert_string_equal(file, "a.js");
		assert_int_equal(code->nr_unwinding_bytes, 12);
		assert_memory_equal(code->unwinding, "tablehdrhdr!", 12);
		assert_int_equal(code->eh_frame_hdr_size, 8);
		/* they were f's, not g's */
		code = jit_find(jit, 0x20000, 2000);
		assert_false(jit_line(code, 0x20000, &file, &line));
		assert_null(code->unwinding);
		jit_free(jit);
		str_release(&d.bytes);
	}
}

/* node 20 writes names of files from memory that it gave back: no line rather than any. */
static void test_lines_written_over(void **state)
{
	struct dump d = { STR_INIT, false };
	const char *file;
	struct jit *jit;
	uint32_t line;
	size_t name;

	(void)state;
	put_header(&d, 1000);
	put_lines(&d, 0x10000, 64);
	name = 40 + 32 + 16;
	assert_memory_equal(d.bytes.p + name, "a.js", 5);
	put_load(&d, 1100, 0x10000, "f", 1);
	jit = of_dump(&d, 0, 0);
	assert_true(jit_line(jit_find(jit, 0x10000, 2000), 0x10000, &file, &line));
	jit_free(jit);
	memcpy(d.bytes.p + name, "X\2\0\0", 5);
	jit = of_dump(&d, 0, 0);
	assert_false(jit_line(jit_find(jit, 0x10000, 2000), 0x10000, &file, &line));
	jit_free(jit);
	str_release(&d.bytes);
}

/* What is whole before the cut is there; nothing else happens. */
static void test_cut_anywhere(void **state)
{
	struct dump d = { STR_INIT, false };
	size_t whole, first;

	(void)state;
	put_header(&d, 1000);
	put_load(&d, 1100, 0x10000, "f", 1);
	first = d.bytes.len - 0x100;             /* the code itself is not read */
	put_lines(&d, 0x20000, 0);
	put_unwinding(&d);
	put_move(&d, 1200, 0x10000, 0x50000, 1);
	whole = d.bytes.len;
	for (size_t cut = 0; cut < whole; cut++) {
		struct jit *jit = jit_new();

		d.bytes.len = cut;
		jit_add_dump(jit, read_str, &d.bytes, 0, NULL);
		jit_finish(jit);
		assert_int_equal(jit_count(jit), cut >= first);
		jit_free(jit);
	}
	d.bytes.len = whole;
	d.bytes.p[0] = 'x';
	jit_free(of_dump(&d, 0, -EBADMSG));
	str_release(&d.bytes);
}

/* --- in a recording ----------------------------------------------------------------- */

static char dir[] = "/tmp/test_jit.XXXXXX";

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	setenv("XDG_CACHE_HOME", dir, 1);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void write_file(const char *path, const char *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void expect_symbol(struct module *module, uint64_t addr, const char *name)
{
	struct symbol s;

	module_symbol(module, addr, &s);
	if (name)
		assert_string_equal(s.name, name);
	else
		assert_null(s.name);
}

/* A map that is not there at first, grows, and goes with its process. */
static void test_renew(void **state)
{
	struct symbol_options options = { .lasting = true };
	struct module_set *set = module_set_new(&options);
	struct module *module = module_jit_intern(set, (uint32_t)getpid());
	const char first[] = "1000 100 early\n", later[] = "1000 100 early\n2000 100 late\n";
	struct symbol early;

	(void)state;
	unlink(module->path);
	expect_symbol(module, 0x1000, NULL);
	assert_false(module_set_renew(set));
	write_file(module->path, first, strlen(first));
	/* nothing was asked for since */
	assert_false(module_set_renew(set));
	expect_symbol(module, 0x1000, NULL);
	assert_true(module_set_renew(set));
	module_symbol(module, 0x1000, &early);
	assert_string_equal(early.name, "early");
	expect_symbol(module, 0x2000, NULL);
	/* the file is as it was */
	assert_false(module_set_renew(set));
	write_file(module->path, later, strlen(later));
	expect_symbol(module, 0x2000, NULL);
	assert_true(module_set_renew(set));
	expect_symbol(module, 0x2000, "late");
	/* names that were told are where they were */
	assert_string_equal(early.name, "early");
	unlink(module->path);
	expect_symbol(module, 0x3000, NULL);
	assert_false(module_set_renew(set));
	expect_symbol(module, 0x2000, "late");
	module_set_free(set);
}

/* Code that is overwritten begins an epoch of its process, and of the child it had before. */
static void test_epochs(void **state)
{
	struct event_set events = { .v = mem_zalloc(sizeof(*events.v)), .nr = 1 };
	struct dump d = { STR_INIT, false };
	struct str story = STR_INIT;
	struct module_set *modules = module_set_new(NULL);
	struct process_table *table = process_table_new(modules);
	struct resolver *resolver;
	const struct image *image;
	struct decoder decoder;
	char path[64];

	(void)state;
	events.v[0].attr = test_attr();
	events.v[0].name = mem_strdup("cpu-clock");
	event_set_index(&events, NULL);
	snprintf(path, sizeof(path), "%s/jit-4711.dump", dir);
	put_header(&d, 1000);
	put_load(&d, 1100, 0x10000, "f", 1);
	put_load(&d, 1300, 0x10000, "h", 3);
	write_file(path, d.bytes.p, d.bytes.len);
	put_comm(&story, PERF_RECORD_MISC_USER, 2000000001, 2000000001, "jit", 0, 7);
	put_mmap(&story, PERF_RECORD_MISC_USER, 2000000001, 0x10000, 0x10000, 0, "//anon", 40, 7);
	put_mmap(&story, PERF_RECORD_MISC_USER, 2000000001, 0x70000, 0x1000, 0, path, 1000, 7);
	decoder_init(&decoder, &events, false);
	for (size_t at = 0; at < story.len;) {
		struct record r;

		assert_int_equal(record_decode(&decoder, (uint8_t *)story.p + at, &r, NULL), 0);
		process_table_add(table, &r);
		at += r.size;
	}
	process_table_freeze(table);
	image = process_image(table, 2000000001, 1200);
	assert_int_not_equal(image_epoch(image, 1299), image_epoch(image, 1300));
	assert_int_equal(image_epoch(image, 1300), image_epoch(image, 5000));
	resolver = resolver_new(table);
	assert_string_equal(resolve(resolver, image, 0x10010, 1200, false, false)->symbol.name, "f");
	assert_string_equal(resolve(resolver, image, 0x10010, 1300, false, false)->symbol.name, "h");
	assert_int_equal(resolve(resolver, image, 0x10800, 1300, false, false)->symbol.reason,
			 NAME_JIT_UNKNOWN);
	resolver_free(resolver);
	decoder_release(&decoder);
	process_table_free(table);
	module_set_free(modules);
	event_set_release(&events);
	str_release(&story);
	str_release(&d.bytes);
}

/* A worker is forked from a JIT, compiles into memory that it was forked with, and tells. */
static void test_forked(void **state)
{
	struct event_set events = { .v = mem_zalloc(sizeof(*events.v)), .nr = 1 };
	const uint32_t parent = 2000000011, child = 2000000012;
	struct module_set *modules = module_set_new(NULL);
	struct process_table *table = process_table_new(modules);
	struct str story = STR_INIT;
	struct resolver *resolver;
	const struct image *image;
	struct decoder decoder;

	(void)state;
	events.v[0].attr = test_attr();
	events.v[0].name = mem_strdup("cpu-clock");
	event_set_index(&events, NULL);
	write_file("/tmp/perf-2000000011.map", "10000 10 before\n", 16);
	write_file("/tmp/perf-2000000012.map", "10100 10 after\n", 15);
	put_comm(&story, PERF_RECORD_MISC_USER, parent, parent, "jit", 0, 7);
	put_mmap(&story, PERF_RECORD_MISC_USER, parent, 0x10000, 0x10000, 0, "//anon", 40, 7);
	put_task(&story, PERF_RECORD_FORK, 0, child, parent, child, parent, 100, 7);
	decoder_init(&decoder, &events, false);
	for (size_t at = 0; at < story.len;) {
		struct record r;

		assert_int_equal(record_decode(&decoder, (uint8_t *)story.p + at, &r, NULL), 0);
		process_table_add(table, &r);
		at += r.size;
	}
	process_table_freeze(table);
	unlink("/tmp/perf-2000000011.map");
	unlink("/tmp/perf-2000000012.map");
	resolver = resolver_new(table);
	image = process_image(table, child, 200);
	assert_string_equal(resolve(resolver, image, 0x10004, 200, false, false)->symbol.name, "before");
	assert_string_equal(resolve(resolver, image, 0x10104, 200, false, false)->symbol.name, "after");
	image = process_image(table, parent, 200);
	assert_int_equal(resolve(resolver, image, 0x10104, 200, false, false)->symbol.reason,
			 NAME_JIT_UNKNOWN);
	resolver_free(resolver);
	decoder_release(&decoder);
	process_table_free(table);
	module_set_free(modules);
	event_set_release(&events);
	str_release(&story);
}

/* --- whose files are believed --------------------------------------------------------- */

static enum name_reason look(uint32_t pid)
{
	struct module_set *set = module_set_new(NULL);
	struct symbol symbol;

	module_symbol(module_jit_intern(set, pid), 0x1000, &symbol);
	module_set_free(set);
	return symbol.reason;
}

static void test_not_believed(void **state)
{
	char map[64], target[64];

	(void)state;
	snprintf(map, sizeof(map), "/tmp/perf-%u.map", 2000000000u + (unsigned)getpid());
	snprintf(target, sizeof(target), "%s/target", dir);
	write_file(target, "1000 10 f\n", 10);
	unlink(map);
	assert_int_equal(look(2000000000u + (unsigned)getpid()), NAME_JIT_NO_MAP);
	assert_int_equal(symlink(target, map), 0);
	assert_int_equal(look(2000000000u + (unsigned)getpid()), NAME_JIT_REFUSED);
	unlink(map);
	if (link(target, map) == 0) {
		assert_int_equal(look(2000000000u + (unsigned)getpid()), NAME_JIT_REFUSED);
		unlink(map);
	}
	assert_int_equal(mkfifo(map, 0600), 0);
	assert_int_equal(look(2000000000u + (unsigned)getpid()), NAME_JIT_REFUSED);
	unlink(map);
	write_file(map, "1000 10 f\n", 10);
	assert_int_equal(look(2000000000u + (unsigned)getpid()), NAME_OK);
	if (geteuid() == 0) {
		assert_int_equal(chown(map, 12345, 12345), 0);
		assert_int_equal(seteuid(12346), 0);
		assert_int_equal(look(2000000000u + (unsigned)getpid()), NAME_JIT_REFUSED);
		assert_int_equal(seteuid(0), 0);
	}
	unlink(map);
}

struct remarks {
	unsigned nr;
	char last[1024];
};

static void note(enum log_level level, const char *line, void *arg)
{
	struct remarks *r = arg;

	if (level != LOG_NOTE)
		return;
	r->nr++;
	snprintf(r->last, sizeof(r->last), "%s", line);
}

/* Whether its map, with that owner and mode, is read. */
static enum name_reason look_at(uint32_t pid, uid_t owner, mode_t mode)
{
	enum name_reason reason;
	char map[64];

	snprintf(map, sizeof(map), "/tmp/perf-%u.map", pid);
	unlink(map);
	write_file(map, "1000 10 f\n", 10);
	assert_int_equal(chown(map, owner, owner), 0);
	assert_int_equal(chmod(map, mode), 0);
	reason = look(pid);
	unlink(map);
	return reason;
}

/* A process of another user that waits to be killed. */
static pid_t start_as(uid_t uid)
{
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (setresuid(uid, uid, uid) == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
		    write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

/* A map that a third user planted: root's report must not take it for the program's. */
static void test_owner_is_the_process_s(void **state)
{
	uint32_t ended = 2000000000u + (unsigned)getpid();
	struct remarks remarks = { 0 };
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		puts("skipped: only root can give files away");
		skip();
	}
	log_set_sink(note, &remarks);
	pid = start_as(12345);
	assert_int_equal(look_at((uint32_t)pid, 12346, 0644), NAME_JIT_REFUSED);
	assert_int_equal(look_at((uint32_t)pid, 12345, 0644), NAME_OK);
	assert_int_equal(look_at((uint32_t)pid, 12345, 0664), NAME_OK);
	assert_int_equal(look_at((uint32_t)pid, 12345, 0666), NAME_JIT_REFUSED);
	assert_int_equal(look_at((uint32_t)pid, 0, 0644), NAME_OK);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* of an ended process nobody knows: root gets the names and is told whose they are */
	assert_int_equal(remarks.nr, 0);
	assert_int_equal(look_at(ended, 0, 0644), NAME_OK);
	assert_int_equal(remarks.nr, 0);
	assert_int_equal(look_at(ended, 12346, 0666), NAME_JIT_REFUSED);
	assert_int_equal(look_at(ended, 12346, 0644), NAME_OK);
	assert_int_equal(remarks.nr, 1);
	assert_non_null(strstr(remarks.last, "/tmp/perf-2"));
	assert_non_null(strstr(remarks.last, "user 12346"));
	assert_int_equal(look_at(ended, 12346, 0644), NAME_OK);
	assert_int_equal(remarks.nr, 1);
	log_set_sink(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_lines),
		cmocka_unit_test(test_later_line_wins),
		cmocka_unit_test(test_marks_of_time),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_other_clock),
		cmocka_unit_test(test_lines_and_unwinding),
		cmocka_unit_test(test_lines_written_over),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_renew), cmocka_unit_test(test_epochs),
		cmocka_unit_test(test_forked),
		cmocka_unit_test(test_owner_is_the_process_s),
		cmocka_unit_test(test_not_believed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
