/* SPDX-License-Identifier: MIT */
/* A profile that goes on: what fades, and what is forgotten with it. Expected values by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "profile/profile.h"
#include "tests/unit/records.h"

#define USER PERF_RECORD_MISC_USER
#define EXEC (USER | PERF_RECORD_MISC_COMM_EXEC)
#define CHILDREN 3000u

static struct perf_data *open_records(struct str *data)
{
	struct str file = STR_INIT;
	struct perf_data *d = NULL;
	struct err err = ERR_INIT;
	char path[32];

	put_file(&file, 2, data, data->len);
	write_temp(path, file.p, file.len);
	if (perf_data_open(&d, path, &err) < 0)
		fail_msg("%s", err.msg);
	unlink(path);
	str_release(&file);
	str_release(data);
	return d;
}

static struct profile *load(struct str *data, unsigned by)
{
	struct profile_query q = { .by = by, .jobs = 1, .lasting = true };
	struct profile *p = NULL;
	struct err err = ERR_INIT;

	if (profile_load(&p, open_records(data), &q, &err) < 0)
		fail_msg("%s", err.msg);
	return p;
}

static void add(struct profile *p, struct str *data, uint64_t before_ns)
{
	struct err err = ERR_INIT;

	if (profile_add(p, open_records(data), before_ns, &err) < 0)
		fail_msg("%s", err.msg);
}

static void sample_at(struct str *data, uint64_t ip, uint32_t pid, uint64_t time_ns, uint64_t period)
{
	const uint64_t chain[] = { PERF_CONTEXT_USER, ip };

	put_sample(data, USER, ip, pid, pid, time_ns, 7, 0, period, 2, chain);
}

static void assert_entry(const struct profile *p, size_t at, uint64_t samples, uint64_t period)
{
	assert_true(at < p->nr_entries);
	assert_int_equal(p->entries[at].samples, samples);
	assert_int_equal(p->entries[at].period, period);
	assert_int_equal(p->entries[at].period_user, period);
}

static void map_of_1(struct str *data)
{
	put_comm(data, USER, 1, 1, "shell", 1, 7);
	put_mmap(data, USER, 1, 0x1000, 0x10000000, 0, "/no/such/shell", 1, 7);
}

/* 8 samples of 10, one of 100, one of 1000. */
static struct profile *three(void)
{
	struct str data = STR_INIT;

	map_of_1(&data);
	for (unsigned i = 0; i < 8; i++)
		sample_at(&data, 0x1010, 1, 10 + i, 10);
	sample_at(&data, 0x1020, 1, 30, 100);
	sample_at(&data, 0x1030, 1, 31, 1000);
	return load(&data, PROFILE_BY_ADDR);
}

/*
 * Each look leaves floor((samples * 7 + rest) / 8), what is cut off being the next one's rest,
 * which begins with 4; periods as samples:
 *
 *	look    8 samples of 10     one of 100      one of 1000
 *	1       56+4 -> 7 r 4       7+4 -> 1 r 3    7+3 -> 1 r 2
 *	2       49+2 -> 6 r 3       7+3 -> 1 r 2    7+2 -> 1 r 1
 *	3       42+1 -> 5 r 3       7+3 -> 1 r 2    7+2 -> 1 r 1
 *	4       35+1 -> 4 r 4       7+4 -> 1 r 3    7+3 -> 1 r 2
 *	5       28+2 -> 3 r 6       7+6 -> 1 r 5    7+5 -> 1 r 4
 *	6       21+4 -> 3 r 1       7+1 -> 1 r 0    7+0 -> 0
 */
static void fades_by_whole_samples(void **state)
{
	static const unsigned left[] = { 7, 6, 5, 4, 3 };
	struct profile *p = three();

	(void)state;
	for (unsigned look = 0; look < 5; look++) {
		profile_fade(p, 7, 8);
		assert_int_equal(p->nr_entries, 3);
		assert_entry(p, 0, left[look], 10 * left[look]);
		assert_entry(p, 1, 1, 100);
		assert_entry(p, 2, 1, 1000);
		assert_int_equal(p->totals[0].samples, left[look] + 2);
		assert_int_equal(p->totals[0].period, 10 * left[look] + 1100);
	}
	profile_fade(p, 7, 8);
	assert_int_equal(p->nr_entries, 2);
	assert_entry(p, 0, 3, 30);
	assert_entry(p, 1, 1, 100);
	assert_int_equal(p->totals[0].period, 130);
	profile_fade(p, 0, 8);
	assert_int_equal(p->nr_entries, 0);
	assert_int_equal(p->totals[0].samples, 0);
	profile_free(p);
}

/* What is there is counted on, and finds the entry it had. */
static void counts_on(void **state)
{
	struct profile *p = three();
	struct str data = STR_INIT;

	(void)state;
	profile_fade(p, 7, 8);
	sample_at(&data, 0x1010, 1, 40, 10);
	sample_at(&data, 0x1040, 1, 41, 5);
	add(p, &data, 0);
	assert_int_equal(p->nr_entries, 4);
	assert_entry(p, 0, 8, 80);
	assert_entry(p, 3, 1, 5);
	assert_int_equal(p->frames[p->entries[0].leaf].elf_addr, 0x10);
	assert_int_equal(p->frames[p->entries[3].leaf].elf_addr, 0x40);
	assert_int_equal(p->totals[0].samples, 11);
	profile_free(p);
}

static void put_addresses(struct str *data)
{
	static uint64_t addr = 0x2000;

	for (unsigned i = 0; i < 10000; i++, addr += 16)
		sample_at(data, addr, 1, addr, 3);
}

/*
 * (10000 * 7 + 4) / 8 = 8750 are left, each whole, with their frames. From there on frames are
 * dropped when there are twice as many, and 1024 more: 18524.
 */
static void frames_and_stacks_go_with_entries(void **state)
{
	struct str data = STR_INIT;
	struct profile *p;
	uint64_t last = 0;

	(void)state;
	map_of_1(&data);
	put_addresses(&data);
	p = load(&data, PROFILE_BY_ADDR | PROFILE_BY_STACK);
	assert_int_equal(p->nr_frames, 10000);
	assert_int_equal(p->nr_stacks, 10000);
	profile_fade(p, 7, 8);
	assert_int_equal(p->nr_entries, 8750);
	assert_int_equal(p->nr_frames, 8750);
	assert_int_equal(p->nr_stacks, 8750);
	for (size_t i = 0; i < p->nr_entries; i++) {
		const struct profile_entry *e = &p->entries[i];
		const struct profile_stack *s = &p->stacks[e->stack];

		assert_entry(p, i, 1, 3);
		assert_int_equal(s->nr, 1);
		assert_int_equal(s->frames[0], e->leaf);
		/* the addresses that are left are in their order, and none is there twice */
		assert_true(p->frames[e->leaf].run_addr > last);
		last = p->frames[e->leaf].run_addr;
	}
	profile_fade(p, 0, 8);
	assert_int_equal(p->nr_frames, 8750);
	for (unsigned look = 0; look < 4; look++) {
		/* the first look for binaries drops them, too; then 20000 are too many, then 10000 */
		static const unsigned most[] = { 10000, 20000, 10000, 10000 }, least[] = { 10000, 0, 0, 0 };

		put_addresses(&data);
		add(p, &data, 0);
		assert_int_equal(p->nr_frames, most[look]);
		profile_fade(p, 0, 8);
		assert_int_equal(p->nr_entries, 0);
		assert_int_equal(p->nr_frames, least[look]);
		assert_int_equal(p->nr_stacks, least[look]);
	}
	profile_free(p);
}

/* Each has a name and a binary of its own, works at one address, and ends. */
static void put_children(struct str *data, uint32_t first, uint64_t time_ns)
{
	for (uint32_t i = 0; i < CHILDREN; i++, time_ns += 10) {
		uint32_t pid = first + i;
		char comm[16], path[32];

		snprintf(comm, sizeof(comm), "c%u", pid);
		snprintf(path, sizeof(path), "/no/such/%u", pid);
		put_task(data, PERF_RECORD_FORK, 0, pid, 1, pid, 1, time_ns, 7);
		put_comm(data, EXEC, pid, pid, comm, time_ns + 1, 7);
		put_mmap(data, USER, pid, 0x1000, 0x1000, 0, path, time_ns + 2, 7);
		sample_at(data, 0x1010, pid, time_ns + 3, 1);
		put_task(data, PERF_RECORD_EXIT, 0, pid, 1, pid, 1, time_ns + 4, 7);
	}
}

static unsigned modules_there(const struct profile *p)
{
	unsigned nr = 0;

	for (uint32_t i = 0; i < module_set_count(p->modules); i++)
		nr += module_set_at(p->modules, i)->path != NULL;
	return nr;
}

static size_t bigger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/*
 * A shell starts thousands of processes that end. What is told of them goes once nothing of
 * their samples is left: the shell's COMM and mapping stay, and one COMM more that came.
 */
static void what_ended_is_forgotten(void **state)
{
	struct str data = STR_INIT;
	size_t most_names = 0, most_modules = 0;
	struct profile *p;
	char comm[16];

	(void)state;
	map_of_1(&data);
	put_children(&data, 1000, 100);
	p = load(&data, PROFILE_BY_COMM | PROFILE_BY_PID);
	assert_int_equal(p->nr_entries, CHILDREN);
	assert_int_equal(process_table_remembers(p->processes), 2 + 4 * CHILDREN);
	assert_int_equal(modules_there(p), 1 + CHILDREN);
	/* not before it is time */
	put_comm(&data, USER, 1, 1, "shell", 1000000, 7);
	add(p, &data, 100);
	assert_int_equal(process_table_remembers(p->processes), 3 + 4 * CHILDREN);
	assert_int_equal(modules_there(p), 1 + CHILDREN);
	assert_string_equal(profile_comm(p, p->entries[0].comm), "c1000");
	assert_string_equal(p->frames[p->entries[0].leaf].module->path, "/no/such/1000");
	/* and not what is still shown, even if its task is forgotten */
	put_children(&data, 10000, 2000000);
	add(p, &data, 1900000);
	assert_int_equal(process_table_remembers(p->processes), 3 + 4 * CHILDREN);
	assert_int_equal(p->nr_entries, 2 * CHILDREN);
	assert_string_equal(profile_comm(p, p->entries[CHILDREN - 1].comm), "c3999");
	assert_string_equal(p->frames[p->entries[CHILDREN - 1].leaf].module->path, "/no/such/3999");
	for (unsigned look = 0; look < 12; look++) {
		profile_fade(p, 0, 8);
		put_children(&data, 20000 + look * CHILDREN, 3000000 + look * 100000);
		add(p, &data, 2990000 + look * 100000);
		assert_int_equal(process_table_remembers(p->processes), 3 + 4 * CHILDREN);
		assert_int_equal(p->nr_entries, CHILDREN);
		snprintf(comm, sizeof(comm), "c%u", 20000 + look * CHILDREN);
		assert_string_equal(profile_comm(p, p->entries[0].comm), comm);
		most_names = bigger(most_names, process_table_names(p->processes));
		most_modules = bigger(most_modules, modules_there(p));
	}
	/*
	 * Of the three names that stay ("shell", its file, idle's "swapper") and two of each child
	 * there are at most those of two looks twice, 1024, and those of one look; of modules the
	 * shell's and those of one look. Of all looks there were 84003 and 42001.
	 */
	assert_true(most_names <= 2 * (3 + 4 * CHILDREN) + 1024 + 2 * CHILDREN);
	assert_int_equal(most_modules, 1 + CHILDREN);
	profile_free(p);
}

/* A process has its name from the thread that forked it, and the mappings of that one's process. */
static void a_child_outlives_its_parent(void **state)
{
	struct str data = STR_INIT;
	struct profile *p;

	(void)state;
	map_of_1(&data);
	put_task(&data, PERF_RECORD_FORK, 0, 1, 1, 2, 1, 10, 7);
	put_comm(&data, USER, 1, 2, "worker", 11, 7);
	put_task(&data, PERF_RECORD_FORK, 0, 50, 1, 50, 2, 12, 7);
	put_task(&data, PERF_RECORD_EXIT, 0, 1, 1, 2, 1, 13, 7);
	put_task(&data, PERF_RECORD_EXIT, 0, 1, 1, 1, 1, 14, 7);
	sample_at(&data, 0x1010, 50, 20, 1);
	p = load(&data, PROFILE_BY_COMM | PROFILE_BY_PID);
	for (unsigned look = 1; look <= 3; look++) {
		assert_int_equal(p->nr_entries, 1);
		assert_entry(p, 0, look, look);
		assert_string_equal(profile_comm(p, p->entries[0].comm), "worker");
		assert_string_equal(p->frames[p->entries[0].leaf].module->path, "/no/such/shell");
		sample_at(&data, 0x1010, 50, 100 + look, 1);
		add(p, &data, 90);
	}
	/* the thread is gone: of its process COMM, MMAP and EXIT are left, of the child FORK */
	assert_int_equal(process_table_remembers(p->processes), 4);
	put_task(&data, PERF_RECORD_EXIT, 0, 50, 1, 50, 1, 200, 7);
	add(p, &data, 190);
	add(p, &data, 300);
	add(p, &data, 300);
	assert_int_equal(process_table_remembers(p->processes), 0);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fades_by_whole_samples),
		cmocka_unit_test(counts_on),
		cmocka_unit_test(frames_and_stacks_go_with_entries),
		cmocka_unit_test(what_ended_is_forgotten),
		cmocka_unit_test(a_child_outlives_its_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
