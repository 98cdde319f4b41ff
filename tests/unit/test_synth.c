/* SPDX-License-Identifier: MIT */
/*
 * synth: records out of a /proc made by hand. Layouts as in linux/perf_event.h,
 * offsets counted by hand: COMM pid 8 tid 12 comm 16; FORK pid 8 ppid 12 tid 16
 * ptid 20 time 24; MMAP2 pid 8 tid 12 addr 16 len 24 pgoff 32 maj 40 min 44 ino 48
 * generation 56 prot 64 flags 68 filename 72; MMAP addr 16 len 24 pgoff 32 name 40.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "engine/synth.h"

static char root[] = "/tmp/test_synth.XXXXXX";

static void put_file(const char *name, const char *text)
{
	struct str path = STR_INIT;
	FILE *file;

	str_addf(&path, "%s/%s", root, name);
	for (char *at = path.p + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(path.p, 0700);
		*at = '/';
	}
	file = fopen(path.p, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	str_release(&path);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

struct taken {
	struct str bytes;
	size_t at[64];
	int nr;
};

static int take(void *arg, const void *record, size_t size, struct err *err)
{
	struct taken *t = arg;

	(void)err;
	assert_int_equal(size % 8, 0);
	t->at[t->nr++] = t->bytes.len;
	str_addn(&t->bytes, record, size);
	return 0;
}

static uint64_t word(const struct taken *t, int i, size_t offset, size_t size)
{
	uint64_t v = 0;

	memcpy(&v, t->bytes.p + t->at[i] + offset, size);
	return v;
}

#define U16(i, o) word(&t, i, o, 2)
#define U32(i, o) word(&t, i, o, 4)
#define U64(i, o) word(&t, i, o, 8)
#define TEXT(i, o) (t.bytes.p + t.at[i] + (o))

static void test_process(void **state)
{
	static const struct thread_id threads[] = { { 70, 70 }, { 70, 71 }, { 70, 72 } };
	struct taken t = { .bytes = STR_INIT };
	struct synth s = { .sink = take, .arg = &t, .buildids = buildids_new(), .proc = root,
			   .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU };
	struct err err = ERR_INIT;

	(void)state;
	put_file("70/task/70/status", "Name:\tmain name\nState:\tS\nTgid:\t70\nPid:\t70\nPPid:\t3\n");
	put_file("70/task/71/status", "Name:\tworkerworker123\nTgid:\t70\nPid:\t71\nPPid:\t3\n");
	/* Thread 72 has ended since it was listed. */
	put_file("70/task/71/maps",
		 "55d000000000-55d000001000 r--p 00000000 fe:01 1234 /no such/my prog\n"
		 "55d000001000-55d000003000 r-xp 00001000 fe:01 1234     /no such/my prog\n"
		 "7f0000000000-7f0000001000 rwxs 00000000 00:00 0 \n"
		 "garbage\n"
		 "7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0    [vdso]\n"
		 "7fff00000000-7fff00001000 r-xp 00002000 fe:01 9 /odd\\012name (deleted)\n");
	assert_int_equal(synth_threads(&s, threads, 3, &err), 0);
	assert_int_equal(t.nr, 2 + 2 + 4);

	assert_int_equal(U32(0, 0), PERF_RECORD_FORK);
	assert_int_equal(U32(0, 8), 70);
	assert_int_equal(U32(0, 12), 3);
	assert_int_equal(U32(0, 16), 70);
	assert_int_equal(U16(0, 6), 8 + 24 + 3 * 8);
	assert_int_equal(U64(0, 32 + 8), 0);             /* the trailer's time */
	assert_int_equal(U32(1, 0), PERF_RECORD_COMM);
	assert_string_equal(TEXT(1, 16), "main name");
	assert_int_equal(U16(1, 6), 8 + 8 + 16 + 24);
	/* A thread's parent is its process. */
	assert_int_equal(U32(2, 12), 70);
	assert_int_equal(U32(2, 16), 71);
	assert_string_equal(TEXT(3, 16), "workerworker123");

	assert_int_equal(U32(4, 0), PERF_RECORD_MMAP2);
	assert_int_equal(U16(4, 4), PERF_RECORD_MISC_USER);
	assert_int_equal(U32(4, 8), 70);
	assert_int_equal(U64(4, 16), 0x55d000001000);
	assert_int_equal(U64(4, 24), 0x2000);
	assert_int_equal(U64(4, 32), 0x1000);
	assert_int_equal(U32(4, 40), 0xfe);
	assert_int_equal(U32(4, 44), 1);
	assert_int_equal(U64(4, 48), 1234);
	assert_int_equal(U32(4, 64), 1 | 4);             /* PROT_READ | PROT_EXEC */
	assert_int_equal(U32(4, 68), 2);                 /* MAP_PRIVATE */
	assert_string_equal(TEXT(4, 72), "/no such/my prog");
	assert_int_equal(U16(4, 6), 72 + 24 + 24);
	assert_string_equal(TEXT(5, 72), "//anon");
	assert_int_equal(U32(5, 68), 1);                 /* MAP_SHARED */
	assert_string_equal(TEXT(6, 72), "[vdso]");
	assert_string_equal(TEXT(7, 72), "/odd\nname (deleted)");
	buildids_free(s.buildids);
	str_release(&t.bytes);
}

/* -d: what is not executable as well, marked so. */
static void test_data_maps(void **state)
{
	static const struct thread_id thread = { 80, 80 };
	struct taken t = { .bytes = STR_INIT };
	struct synth s = { .sink = take, .arg = &t, .buildids = buildids_new(), .proc = root,
			   .mmap_data = true };
	struct err err = ERR_INIT;

	(void)state;
	put_file("80/task/80/status", "Name:\tx\nTgid:\t80\nPPid:\t1\n");
	put_file("80/task/80/maps", "1000-2000 rw-p 00000000 00:00 0    [heap]\n");
	assert_int_equal(synth_threads(&s, &thread, 1, &err), 0);
	assert_int_equal(t.nr, 3);
	assert_int_equal(U16(2, 4), PERF_RECORD_MISC_USER | PERF_RECORD_MISC_MMAP_DATA);
	assert_int_equal(U16(2, 6), 72 + 8);
	buildids_free(s.buildids);
	str_release(&t.bytes);
}

/* --synth=task */
static void test_no_maps(void **state)
{
	static const struct thread_id thread = { 90, 90 };
	struct taken t = { .bytes = STR_INIT };
	struct synth s = { .sink = take, .arg = &t, .buildids = buildids_new(), .proc = root,
			   .no_maps = true };
	struct err err = ERR_INIT;

	(void)state;
	put_file("90/task/90/status", "Name:\tx\nTgid:\t90\nPPid:\t1\n");
	put_file("90/task/90/maps", "1000-2000 r-xp 00000000 00:00 0\n");
	assert_int_equal(synth_threads(&s, &thread, 1, &err), 0);
	assert_int_equal(t.nr, 2);
	assert_int_equal(U32(0, 0), PERF_RECORD_FORK);
	assert_int_equal(U32(1, 0), PERF_RECORD_COMM);
	buildids_free(s.buildids);
	str_release(&t.bytes);
}

/* Each mapping takes longer than all of them may. */
static int take_slowly(void *arg, const void *record, size_t size, struct err *err)
{
	const struct timespec longer = { .tv_nsec = 5000000 };
	const struct perf_event_header *header = record;

	if (header->type == PERF_RECORD_MMAP2)
		nanosleep(&longer, NULL);
	return take(arg, record, size, err);
}

static void test_timeout(void **state)
{
	static const struct thread_id thread = { 91, 91 };
	struct taken t = { .bytes = STR_INIT };
	uint32_t cut = 0;
	struct synth s = { .sink = take_slowly, .arg = &t, .buildids = buildids_new(), .proc = root,
			   .cut = &cut };
	struct err err = ERR_INIT;
	int whole;

	(void)state;
	put_file("91/task/91/status", "Name:\tx\nTgid:\t91\nPPid:\t1\n");
	put_file("91/task/91/maps", "1000-2000 r-xp 00000000 00:00 0\n"
				    "3000-4000 r-xp 00000000 00:00 0\n"
				    "5000-6000 r-xp 00000000 00:00 0\n");
	assert_int_equal(synth_threads(&s, &thread, 1, &err), 0);
	whole = t.nr;
	assert_int_equal(whole, 2 + 3);
	assert_int_equal(cut, 0);
	assert_false(U16(4, 4) & PERF_RECORD_MISC_PROC_MAP_PARSE_TIMEOUT);
	s.map_ms = 1;
	assert_int_equal(synth_threads(&s, &thread, 1, &err), 0);
	assert_int_equal(cut, 1);
	/* the first, or, where the machine was quick to it, the second was the last one */
	assert_in_range(t.nr - whole, 3, 4);
	assert_true(U16(t.nr - 1, 4) & PERF_RECORD_MISC_PROC_MAP_PARSE_TIMEOUT);
	buildids_free(s.buildids);
	str_release(&t.bytes);
}

static void test_kernel(void **state)
{
	struct taken t = { .bytes = STR_INIT };
	struct synth s = { .sink = take, .arg = &t, .buildids = buildids_new(), .proc = root };
	struct err err = ERR_INIT;

	(void)state;
	put_file("kallsyms", "ffffffff81000000 T _text\nffffffff81000040 T _stext\n"
			     "ffffffff81234000 t foo\nffffffff82200448 T _etext\n"
			     "ffffffffc0000000 t bar\t[mod]\n");
	put_file("modules", "no_such_module_here 16384 1 - Live 0xffffffffc0000000 (E)\n");
	assert_int_equal(synth_kernel(&s, &err), 0);
	assert_int_equal(t.nr, 2);
	assert_int_equal(U32(0, 0), PERF_RECORD_MMAP);
	assert_int_equal(U16(0, 4), PERF_RECORD_MISC_KERNEL);
	assert_int_equal(U32(0, 8), 0xffffffff);
	assert_int_equal(U64(0, 16), 0xffffffff81000000);
	assert_int_equal(U64(0, 24), 0x1200448);
	assert_int_equal(U64(0, 32), 0xffffffff81000000);
	assert_string_equal(TEXT(0, 40), "[kernel.kallsyms]_text");
	assert_int_equal(U64(1, 16), 0xffffffffc0000000);
	assert_int_equal(U64(1, 24), 16384);
	assert_string_equal(TEXT(1, 40), "[no_such_module_here]");
	buildids_free(s.buildids);
	str_release(&t.bytes);
}

/* kptr_restrict shows zeros: nothing may be said about where the kernel is. */
static void test_hidden_kernel(void **state)
{
	struct taken t = { .bytes = STR_INIT };
	struct synth s = { .sink = take, .arg = &t, .buildids = buildids_new(), .proc = root };
	struct err err = ERR_INIT;

	(void)state;
	put_file("kallsyms", "0000000000000000 T _text\n0000000000000000 T _stext\n");
	assert_int_equal(synth_kernel(&s, &err), 0);
	assert_int_equal(t.nr, 0);
	buildids_free(s.buildids);
	str_release(&t.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_data_maps),
		cmocka_unit_test(test_no_maps),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_hidden_kernel),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
