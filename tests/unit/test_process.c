/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/mem.h"
#include "profile/process.h"
#include "profile/resolve.h"
#include "tests/unit/records.h"

#define USER PERF_RECORD_MISC_USER
#define KERNEL PERF_RECORD_MISC_KERNEL
#define EXEC PERF_RECORD_MISC_COMM_EXEC
#define FORK_EXEC (1u << 13)

/* A story told in records, and the table made from it. */
struct story {
	struct event_set events;
	struct str bytes;
	struct module_set *modules;
	struct process_table *table;
};

static int setup(void **state)
{
	struct story *s = mem_zalloc(sizeof(*s));

	s->events.v = mem_zalloc(sizeof(*s->events.v));
	s->events.nr = 1;
	s->events.v[0].attr = test_attr();
	s->events.v[0].name = mem_strdup("cpu-clock");
	event_set_index(&s->events, NULL);
	s->bytes = (struct str)STR_INIT;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct story *s = *state;

	process_table_free(s->table);
	module_set_free(s->modules);
	event_set_release(&s->events);
	str_release(&s->bytes);
	free(s);
	return 0;
}

static const struct process_table *told(struct story *s)
{
	struct decoder d;

	s->modules = module_set_new(NULL);
	s->table = process_table_new(s->modules);
	decoder_init(&d, &s->events, false);
	for (size_t at = 0; at < s->bytes.len;) {
		struct record r;

		assert_int_equal(record_decode(&d, (uint8_t *)s->bytes.p + at, &r, NULL), 0);
		process_table_add(s->table, &r);
		at += r.size;
	}
	decoder_release(&d);
	process_table_freeze(s->table);
	return s->table;
}

static void fork_(struct str *b, uint32_t parent, uint32_t child, uint64_t t)
{
	put_task(b, PERF_RECORD_FORK, 0, child, parent, child, parent, t, 7);
}

static void assert_map(const struct process_table *t, uint32_t pid, uint64_t addr, uint64_t time_ns,
		       const char *name)
{
	const struct mapping *m = image_find(process_image(t, pid, time_ns), addr, time_ns);

	if (!name) {
		assert_null(m);
		return;
	}
	assert_non_null(m);
	assert_string_equal(m->filename, name);
}

static void assert_comm(const struct process_table *t, uint32_t pid, uint32_t tid, uint64_t time_ns,
			const char *name)
{
	char buf[16];

	assert_string_equal(process_comm_str(t, process_comm(t, pid, tid, time_ns), buf), name);
}

/* A shell forks at 100; the child runs as the shell, and from 200 on as ls. */
static void fork_then_exec(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_comm(&s->bytes, USER, 1, 1, "sh", 0, 7);
	put_mmap(&s->bytes, USER, 1, 0x1000, 0x1000, 0, "/bin/sh", 0, 7);
	fork_(&s->bytes, 1, 2, 100);
	put_comm(&s->bytes, USER | EXEC, 2, 2, "ls", 200, 7);
	put_mmap(&s->bytes, USER, 2, 0x5000, 0x1000, 0, "/bin/ls", 201, 7);
	t = told(s);
	assert_map(t, 2, 0x1800, 150, "/bin/sh");
	assert_comm(t, 2, 2, 150, "sh");
	assert_map(t, 2, 0x1800, 250, NULL);
	assert_map(t, 2, 0x5800, 250, "/bin/ls");
	assert_comm(t, 2, 2, 250, "ls");
	assert_map(t, 1, 0x1800, 250, "/bin/sh");
	assert_int_equal(image_ppid(process_image(t, 2, 250)), 1);
}

/* A sample in the kernel's exec, after the COMM and before the first mapping. */
static void within_exec(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 1, 0x1000, 0x1000, 0, "/bin/sh", 0, 7);
	put_comm(&s->bytes, USER | EXEC, 1, 1, "ls", 200, 7);
	put_mmap(&s->bytes, USER, 1, 0x5000, 0x1000, 0, "/bin/ls", 210, 7);
	put_mmap(&s->bytes, USER, 1, 0x7000, 0x1000, 0, "[vdso]", 214, 7);
	put_mmap(&s->bytes, USER, 1, 0x9000, 0x1000, 0, "/lib/libc", 300, 7);
	t = told(s);
	assert_map(t, 1, 0x1000, 205, "/bin/sh");
	assert_map(t, 1, 0x1000, 212, "/bin/sh");
	assert_comm(t, 1, 1, 205, "ls");
	assert_map(t, 1, 0x1000, 215, "/bin/sh");
	assert_map(t, 1, 0x1000, 305, NULL);
	assert_map(t, 1, 0x5000, 215, "/bin/ls");
}

/* What the parent maps after the fork is not the child's. */
static void fork_is_a_snapshot(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 1, 0x1000, 0x1000, 0, "/old", 10, 7);
	fork_(&s->bytes, 1, 2, 100);
	put_mmap(&s->bytes, USER, 1, 0x1000, 0x1000, 0, "/new", 200, 7);
	t = told(s);
	assert_map(t, 1, 0x1000, 300, "/new");
	assert_map(t, 1, 0x1000, 150, "/old");
	assert_map(t, 2, 0x1000, 300, "/old");
}

/* The file is not in the order of time: per-CPU rings are written one after the other. */
static void records_out_of_order(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 2, 0x5000, 0x1000, 0, "/bin/ls", 201, 7);
	put_comm(&s->bytes, USER | EXEC, 2, 2, "ls", 200, 7);
	fork_(&s->bytes, 1, 2, 100);
	put_mmap(&s->bytes, USER, 1, 0x1000, 0x1000, 0, "/bin/sh", 50, 7);
	t = told(s);
	assert_map(t, 2, 0x1800, 150, "/bin/sh");
	assert_map(t, 2, 0x5800, 250, "/bin/ls");
}

/* A sample older than the mapping it lies in: the mapping comes later in its round. */
static void late_mapping(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 1, 0x1000, 0x1000, 0, "/a", 100, 7);
	t = told(s);
	assert_map(t, 1, 0x1000, 99, "/a");
	assert_int_equal(image_epoch(process_image(t, 1, 99), 99),
			 image_epoch(process_image(t, 1, 101), 101));
}

/* dlclose and dlopen at one address: two epochs, and only then. */
static void remapped_range(void **state)
{
	struct story *s = *state;
	const struct process_table *t;
	const struct image *image;

	put_mmap(&s->bytes, USER, 1, 0x1000, 0x1000, 0, "/main", 0, 7);
	put_mmap(&s->bytes, USER, 1, 0x8000, 0x2000, 0, "/a.so", 100, 7);
	put_mmap(&s->bytes, USER, 1, 0x9000, 0x2000, 0, "/b.so", 200, 7);
	t = told(s);
	image = process_image(t, 1, 0);
	assert_map(t, 1, 0x9000, 150, "/a.so");
	assert_map(t, 1, 0x9000, 250, "/b.so");
	assert_map(t, 1, 0x8fff, 250, "/a.so");
	assert_map(t, 1, 0xafff, 250, "/b.so");
	assert_map(t, 1, 0xb000, 250, NULL);
	assert_int_equal(image_epoch(image, 150), 0);
	assert_int_equal(image_epoch(image, 199), 0);
	assert_int_equal(image_epoch(image, 200), 1);
}

/*
 *	t 100   |------- a.so --------|
 *	t 200        |-- b.so --|
 *	t 300           |c|
 */
static void mapping_over_parts_of_older_ones(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 1, 0x8000, 0x6000, 0, "/a.so", 100, 7);
	put_mmap(&s->bytes, USER, 1, 0x9000, 0x3000, 0, "/b.so", 200, 7);
	put_mmap(&s->bytes, USER, 1, 0xa000, 0x1000, 0, "/c.so", 300, 7);
	t = told(s);
	for (uint64_t addr = 0x8000; addr < 0xe000; addr += 0x800) {
		bool in_b = addr >= 0x9000 && addr < 0xc000, in_c = addr >= 0xa000 && addr < 0xb000;

		assert_map(t, 1, addr, 150, "/a.so");
		assert_map(t, 1, addr, 250, in_b ? "/b.so" : "/a.so");
		assert_map(t, 1, addr, 350, in_c ? "/c.so" : in_b ? "/b.so" : "/a.so");
	}
	assert_map(t, 1, 0xe000, 350, NULL);
	assert_map(t, 1, 0x7fff, 350, NULL);
}

/*
 * No record tells of an munmap: a range belongs to what was there last until something
 * else comes over it, of whatever size, and each byte goes by itself.
 */
static void unmapped_and_reused_range(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 1, 0x8000, 0x4000, 0, "/a.so", 100, 7);
	put_mmap(&s->bytes, USER, 1, 0x7000, 0x2000, 0, "/b.so", 200, 7);   /* over its first page */
	put_mmap(&s->bytes, USER, 1, 0xb000, 0x3000, 0, "/c.so", 300, 7);   /* over its last */
	put_mmap(&s->bytes, USER, 1, 0x8000, 0x4000, 0, "/a.so", 400, 7);   /* and back again */
	t = told(s);
	assert_map(t, 1, 0x8800, 150, "/a.so");
	assert_map(t, 1, 0x8800, 250, "/b.so");
	assert_map(t, 1, 0x9000, 250, "/a.so");
	assert_map(t, 1, 0xb800, 250, "/a.so");
	assert_map(t, 1, 0xb800, 350, "/c.so");
	assert_map(t, 1, 0xa800, 350, "/a.so");
	assert_map(t, 1, 0x8800, 450, "/a.so");
	assert_map(t, 1, 0xb800, 450, "/a.so");
	assert_map(t, 1, 0x7800, 450, "/b.so");
	assert_map(t, 1, 0xd800, 450, "/c.so");
}

/*
 * Within a round a sample may be older than the mapping that it lies in. Where something
 * was mapped before, that is meant; elsewhere what comes next is.
 */
static void late_mapping_over_an_old_one(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 1, 0x8000, 0x1000, 0, "/old.so", 50, 7);
	put_mmap(&s->bytes, USER, 1, 0x8000, 0x2000, 0, "/new.so", 100, 7);
	put_mmap(&s->bytes, USER, 1, 0x9000, 0x1000, 0, "/newer.so", 200, 7);
	t = told(s);
	assert_map(t, 1, 0x8800, 99, "/old.so");
	assert_map(t, 1, 0x9800, 99, "/new.so");         /* the first that comes, not the last */
	assert_map(t, 1, 0x9800, 199, "/new.so");
	assert_map(t, 1, 0x9800, 200, "/newer.so");
}

/* The same mapping told twice (mprotect) is no new epoch. */
static void same_mapping_again(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 1, 0x8000, 0x2000, 0, "/a.so", 100, 7);
	put_mmap(&s->bytes, USER, 1, 0x8000, 0x2000, 0, "/a.so", 200, 7);
	put_mmap(&s->bytes, USER, 1, 0x9000, 0x1000, 0x1000, "/a.so", 300, 7);
	t = told(s);
	assert_int_equal(image_epoch(process_image(t, 1, 400), 400), 0);
	assert_map(t, 1, 0x9800, 400, "/a.so");
}

/* A pid that ended and came back is another process. */
static void pid_reuse(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	fork_(&s->bytes, 1, 9, 100);
	put_comm(&s->bytes, USER | EXEC, 9, 9, "first", 110, 7);
	put_mmap(&s->bytes, USER, 9, 0x1000, 0x1000, 0, "/first", 111, 7);
	put_task(&s->bytes, PERF_RECORD_EXIT, 0, 9, 1, 9, 1, 200, 7);
	fork_(&s->bytes, 1, 9, 300);
	put_comm(&s->bytes, USER | EXEC, 9, 9, "second", 310, 7);
	put_mmap(&s->bytes, USER, 9, 0x1000, 0x1000, 0, "/second", 311, 7);
	t = told(s);
	assert_map(t, 9, 0x1000, 150, "/first");
	assert_map(t, 9, 0x1000, 350, "/second");
	assert_comm(t, 9, 9, 150, "first");
	assert_comm(t, 9, 9, 350, "second");
	/* the last instants of the first one, after its EXIT was written */
	assert_map(t, 9, 0x1000, 205, "/first");
}

/* A thread that ended does not end its process, and its number is another's afterwards. */
static void tid_reuse(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_comm(&s->bytes, USER, 5, 5, "server", 0, 7);
	put_comm(&s->bytes, USER, 50, 50, "other", 0, 7);
	put_mmap(&s->bytes, USER, 5, 0x1000, 0x1000, 0, "/server", 0, 7);
	put_mmap(&s->bytes, USER, 50, 0x1000, 0x1000, 0, "/other", 0, 7);
	put_task(&s->bytes, PERF_RECORD_FORK, 0, 5, 5, 6, 5, 100, 7);
	put_comm(&s->bytes, USER, 5, 6, "worker", 110, 7);
	put_task(&s->bytes, PERF_RECORD_EXIT, 0, 5, 5, 6, 5, 200, 7);
	put_task(&s->bytes, PERF_RECORD_FORK, 0, 50, 50, 6, 50, 300, 7);
	put_mmap(&s->bytes, USER, 5, 0x5000, 0x1000, 0, "/plugin", 400, 7);
	t = told(s);
	assert_comm(t, 5, 6, 150, "worker");
	assert_comm(t, 50, 6, 350, "other");
	assert_map(t, 5, 0x1000, 450, "/server");
	assert_map(t, 5, 0x5000, 450, "/plugin");
	assert_map(t, 50, 0x1000, 350, "/other");
	assert_ptr_equal(process_image(t, 5, 150), process_image(t, 5, 450));
}

/*
 * A number first of a thread, then of a process: its EXIT as a thread leaves the process
 * that it was in alone, and the new one begins without what the old one had mapped.
 */
static void tid_becomes_pid(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_comm(&s->bytes, USER, 5, 5, "server", 0, 7);
	put_mmap(&s->bytes, USER, 5, 0x1000, 0x1000, 0, "/server", 0, 7);
	put_task(&s->bytes, PERF_RECORD_FORK, 0, 5, 5, 6, 5, 100, 7);
	put_task(&s->bytes, PERF_RECORD_EXIT, 0, 5, 5, 6, 5, 200, 7);
	put_task(&s->bytes, PERF_RECORD_FORK, 0, 6, 1, 6, 1, 300, 7);
	put_comm(&s->bytes, USER | EXEC, 6, 6, "tool", 310, 7);
	put_mmap(&s->bytes, USER, 6, 0x8000, 0x1000, 0, "/tool", 311, 7);
	t = told(s);
	assert_comm(t, 5, 6, 150, "server");
	assert_comm(t, 6, 6, 350, "tool");
	assert_map(t, 6, 0x8000, 350, "/tool");
	assert_map(t, 6, 0x1000, 350, NULL);
	assert_map(t, 5, 0x1000, 350, "/server");
}

/*
 * vfork: until its exec the child runs in the parent's memory, and its exec takes nothing
 * from the parent, which goes on where it stood.
 */
static void vfork_and_exec(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_comm(&s->bytes, USER, 1, 1, "make", 0, 7);
	put_mmap(&s->bytes, USER, 1, 0x1000, 0x1000, 0, "/bin/make", 0, 7);
	fork_(&s->bytes, 1, 2, 100);
	put_comm(&s->bytes, USER | EXEC, 2, 2, "cc", 120, 7);
	put_mmap(&s->bytes, USER, 2, 0x1000, 0x1000, 0, "/bin/cc", 121, 7);
	put_mmap(&s->bytes, USER, 1, 0x5000, 0x1000, 0, "/lib/late", 130, 7);
	put_task(&s->bytes, PERF_RECORD_EXIT, 0, 2, 1, 2, 1, 200, 7);
	t = told(s);
	assert_map(t, 2, 0x1000, 110, "/bin/make");
	assert_comm(t, 2, 2, 110, "make");
	assert_map(t, 2, 0x1000, 150, "/bin/cc");
	assert_map(t, 1, 0x1000, 150, "/bin/make");
	assert_map(t, 1, 0x5000, 150, "/lib/late");
	assert_map(t, 2, 0x5000, 150, NULL);
	assert_comm(t, 1, 1, 250, "make");
}

/* Forks of forks: each sees its forebears as they were when it was made. */
static void grandchildren(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 1, 0x1000, 0x1000, 0, "/one", 10, 7);
	fork_(&s->bytes, 1, 2, 100);
	put_mmap(&s->bytes, USER, 1, 0x2000, 0x1000, 0, "/one-later", 150, 7);
	put_mmap(&s->bytes, USER, 2, 0x3000, 0x1000, 0, "/two", 150, 7);
	fork_(&s->bytes, 2, 3, 200);
	put_mmap(&s->bytes, USER, 2, 0x4000, 0x1000, 0, "/two-later", 250, 7);
	put_mmap(&s->bytes, USER, 3, 0x1000, 0x1000, 0, "/three", 300, 7);
	t = told(s);
	assert_map(t, 3, 0x1000, 250, "/one");
	assert_map(t, 3, 0x1000, 350, "/three");
	assert_map(t, 3, 0x3000, 350, "/two");
	assert_map(t, 3, 0x2000, 350, NULL);
	assert_map(t, 3, 0x4000, 350, NULL);
	assert_map(t, 2, 0x1000, 350, "/one");
	assert_map(t, 2, 0x4000, 350, "/two-later");
}

/* The FORK was lost: the exited pid appears again by its mapping alone. */
static void missing_fork(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 9, 0x1000, 0x1000, 0, "/first", 50, 7);
	put_task(&s->bytes, PERF_RECORD_EXIT, 0, 9, 1, 9, 1, 200, 7);
	put_mmap(&s->bytes, USER, 9, 0x5000, 0x1000, 0, "/second", 300, 7);
	t = told(s);
	assert_map(t, 9, 0x1000, 400, NULL);
	assert_map(t, 9, 0x5000, 400, "/second");
	assert_map(t, 9, 0x1000, 100, "/first");
}

/* Threads share the mappings of their process and have names of their own. */
static void threads(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_comm(&s->bytes, USER, 5, 5, "server", 0, 7);
	put_mmap(&s->bytes, USER, 5, 0x1000, 0x1000, 0, "/server", 0, 7);
	put_task(&s->bytes, PERF_RECORD_FORK, 0, 5, 5, 6, 5, 100, 7);
	put_comm(&s->bytes, USER, 5, 6, "worker", 150, 7);
	t = told(s);
	assert_map(t, 5, 0x1000, 200, "/server");
	assert_comm(t, 5, 6, 120, "server");
	assert_comm(t, 5, 6, 200, "worker");
	assert_comm(t, 5, 5, 200, "server");
	/* a thread whose FORK was lost has the process's name */
	assert_comm(t, 5, 77, 200, "server");
	assert_comm(t, 88, 88, 200, ":88");
	/* a thread that has given its number back, as perf shows it */
	assert_comm(t, 5, UINT32_MAX, 200, ":-1");
	assert_comm(t, 0, 0, 200, "swapper");
}

/* Tasks that ran before are told with the fork's exec bit: they have their own mappings. */
static void synthesized_tasks(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 1, 0x1000, 0x1000, 0, "/init", 0, 7);
	put_task(&s->bytes, PERF_RECORD_FORK, FORK_EXEC, 2, 1, 2, 1, 0, 7);
	put_comm(&s->bytes, USER, 2, 2, "daemon", 0, 7);
	put_mmap(&s->bytes, USER, 2, 0x5000, 0x1000, 0, "/daemon", 0, 7);
	t = told(s);
	assert_map(t, 2, 0x5000, 100, "/daemon");
	assert_map(t, 2, 0x1000, 100, NULL);
	assert_comm(t, 2, 2, 100, "daemon");
}

static void kernel_and_modules(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, KERNEL, UINT32_MAX, 0xffffffff81000000, 0x1000000, 0xffffffff81000000,
		 "[kernel.kallsyms]_text", 0, 7);
	put_mmap(&s->bytes, KERNEL, UINT32_MAX, 0xffffffffc0000000, 0x4000, 0, "[ext9]", 0, 7);
	t = told(s);
	assert_string_equal(process_kernel_find(t, 0xffffffff81000010, 5)->module->path,
			    "[kernel.kallsyms]");
	assert_int_equal(process_kernel_find(t, 0xffffffffc0000010, 5)->module->kind, MODULE_KMOD);
	assert_null(process_kernel_find(t, 0xffff800000000000, 5));
	/* the init text behind the recorded end */
	assert_int_equal(process_kernel_find(t, 0xffffffff83000000, 5)->module->kind, MODULE_KERNEL);
}

static void assert_module(const struct process_table *t, uint64_t addr, enum module_kind kind,
			  const char *path)
{
	const struct mapping *m = image_find(process_image(t, 1, 9), addr, 9);

	assert_non_null(m);
	assert_int_equal(m->module->kind, kind);
	assert_string_equal(m->module->path, path);
}

/* A program may be run from a memfd, where its copy is sealed; runtimes compile into some. */
static void code_in_memfds(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 1, 0x1000, 0x1000, 0, "/memfd:sealed-copy (deleted)", 0, 7);
	put_mmap(&s->bytes, USER, 1, 0x3000, 0x1000, 0, "/memfd:doublemapper (deleted)", 0, 7);
	put_mmap(&s->bytes, USER, 1, 0x5000, 0x1000, 0, "//anon", 0, 7);
	t = told(s);
	assert_module(t, 0x1000, MODULE_FILE, "/memfd:sealed-copy (deleted)");
	assert_module(t, 0x3000, MODULE_ANON, "/tmp/perf-1.map");
	assert_module(t, 0x5000, MODULE_ANON, "/tmp/perf-1.map");
}

/* vfork and exec without an exec mark (before Linux 3.16): the later mapping wins. */
static void exec_without_mark(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 1, 0x400000, 0x1000, 0, "/bin/sh", 10, 7);
	fork_(&s->bytes, 1, 2, 100);
	put_comm(&s->bytes, USER, 2, 2, "ls", 200, 7);
	put_mmap(&s->bytes, USER, 2, 0x400000, 0x1000, 0, "/bin/ls", 201, 7);
	t = told(s);
	assert_map(t, 2, 0x400000, 150, "/bin/sh");
	assert_map(t, 2, 0x400000, 300, "/bin/ls");
	assert_true(image_epoch(process_image(t, 2, 150), 150) !=
		    image_epoch(process_image(t, 2, 300), 300));
}

/*
 * Children that exec the same program at the same addresses are of one space, whenever
 * that was; another library, another order or another parent make another one.
 */
static void alike_are_of_one_space(void **state)
{
	struct story *s = *state;
	const struct process_table *t;
	uint32_t spaces[7];

	put_mmap(&s->bytes, USER, 1, 0x1000, 0x1000, 0, "/bin/sh", 0, 7);
	for (uint32_t pid = 2; pid < 7; pid++) {
		fork_(&s->bytes, 1, pid, 1000 * pid);
		if (pid == 6)
			continue;
		put_comm(&s->bytes, USER | EXEC, pid, pid, "ls", 1000 * pid + 1, 7);
		put_mmap(&s->bytes, USER, pid, 0x5000, 0x1000, pid == 4 ? 0x1000 : 0, "/bin/ls",
			 1000 * pid + (pid == 5 ? 8 : 2), 7);
		put_mmap(&s->bytes, USER, pid, 0x7000, 0x1000, 0, "/lib/libc.so",
			 1000 * pid + 7, 7);
	}
	t = told(s);
	for (uint32_t pid = 1; pid < 7; pid++)
		spaces[pid] = image_space(process_image(t, pid, 1000 * pid + 500));
	assert_int_equal(spaces[2], spaces[3]);
	assert_int_not_equal(spaces[2], spaces[4]);
	assert_int_not_equal(spaces[2], spaces[5]);
	assert_int_not_equal(spaces[2], spaces[1]);
	assert_int_not_equal(spaces[6], spaces[1]);
	/* before its exec, the second is what the first was: a fork of the shell */
	assert_int_equal(image_space(process_image(t, 2, 2000)), image_space(process_image(t, 3, 3000)));
	assert_map(t, 3, 0x5000, 3500, "/bin/ls");
	assert_map(t, 4, 0x5000, 4500, "/bin/ls");
}

/* A fork of a parent that has another library by then is of another space. */
static void forked_later_is_another_space(void **state)
{
	struct story *s = *state;
	const struct process_table *t;

	put_mmap(&s->bytes, USER, 1, 0x1000, 0x1000, 0, "/server", 0, 7);
	fork_(&s->bytes, 1, 2, 100);
	fork_(&s->bytes, 1, 3, 200);
	put_mmap(&s->bytes, USER, 1, 0x8000, 0x1000, 0, "/plugin.so", 300, 7);
	fork_(&s->bytes, 1, 4, 400);
	t = told(s);
	assert_int_equal(image_space(process_image(t, 2, 500)), image_space(process_image(t, 3, 500)));
	assert_int_not_equal(image_space(process_image(t, 2, 500)),
			     image_space(process_image(t, 4, 500)));
	assert_map(t, 4, 0x8000, 500, "/plugin.so");
}

/* A recorder that may not see the kernel's addresses records no mapping of it. */
static void hidden_kernel(void **state)
{
	struct story *s = *state;
	struct resolver *resolver;
	const struct process_table *t;

	put_comm(&s->bytes, USER, 1, 1, "sh", 0, 7);
	t = told(s);
	resolver = resolver_new(t);
	assert_int_equal(resolve(resolver, process_image(t, 1, 5), 0xffffffff81000100, 5, true,
				 false)->symbol.reason, NAME_KERNEL_HIDDEN);
	resolver_free(resolver);
}

static void chains(void **state)
{
	const uint64_t ips[] = { (uint64_t)PERF_CONTEXT_KERNEL, 0xffffffff81000001, 0xffffffff81000002,
				 (uint64_t)PERF_CONTEXT_USER, 0x10, 0x20,
				 (uint64_t)PERF_CONTEXT_GUEST, 0x99 };
	struct chain_frame f[8];

	(void)state;
	assert_int_equal(chain_frames((const u64_una *)ips, 8, KERNEL, f, 8), 4);
	assert_true(f[0].kernel && !f[0].is_return);
	assert_true(f[1].kernel && f[1].is_return);
	assert_true(!f[2].kernel && !f[2].is_return && f[2].ip == 0x10);
	assert_true(!f[3].kernel && f[3].is_return);
	assert_int_equal(chain_frames((const u64_una *)ips, 8, KERNEL, f, 1), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fork_then_exec), TEST(within_exec), TEST(fork_is_a_snapshot), TEST(records_out_of_order),
		TEST(late_mapping), TEST(remapped_range), TEST(same_mapping_again), TEST(pid_reuse),
		TEST(tid_reuse), TEST(tid_becomes_pid), TEST(vfork_and_exec), TEST(grandchildren),
		TEST(mapping_over_parts_of_older_ones), TEST(unmapped_and_reused_range),
		TEST(late_mapping_over_an_old_one), TEST(missing_fork), TEST(threads), TEST(synthesized_tasks), TEST(kernel_and_modules),
		TEST(code_in_memfds), TEST(exec_without_mark), TEST(alike_are_of_one_space),
		TEST(forked_later_is_another_space), TEST(hidden_kernel), cmocka_unit_test(chains),
	};

	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
