/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "profile/order.h"
#include "profile/profile.h"
#include "tests/unit/records.h"

#define USER PERF_RECORD_MISC_USER
#define COPIES 40000u

static struct perf_data *open_records(const struct str *data, unsigned nr_events)
{
	struct str file = STR_INIT;
	struct perf_data *d = NULL;
	struct err err = ERR_INIT;
	char path[32];

	put_file(&file, nr_events, data, data->len);
	write_temp(path, file.p, file.len);
	if (perf_data_open(&d, path, &err) < 0)
		fail_msg("%s", err.msg);
	unlink(path);
	str_release(&file);
	return d;
}

/*
 * Two commands, two events and three stacks, the same `copies` times over:
 *	a: event 7, main <- f      period 10, and main alone, period 1
 *	b: event 8, main <- g      period 100
 */
static void story(struct str *data, unsigned copies)
{
	const uint64_t f[] = { PERF_CONTEXT_USER, 0x1010, 0x1001 };
	const uint64_t m[] = { PERF_CONTEXT_USER, 0x1001 };
	const uint64_t g[] = { PERF_CONTEXT_USER, 0x1020, 0x1001 };

	put_comm(data, USER, 1, 1, "a", 1, 7);
	put_comm(data, USER, 2, 2, "b", 1, 7);
	put_mmap(data, USER, 1, 0x1000, 0x1000, 0, "/no/such/file", 1, 7);
	put_mmap(data, USER, 2, 0x1000, 0x1000, 0, "/no/such/file", 1, 7);
	for (unsigned i = 0; i < copies; i++) {
		put_sample(data, USER, 0x1010, 1, 1, 10 + 3 * i, 7, 0, 10, 3, f);
		put_sample(data, USER, 0x1001, 1, 1, 11 + 3 * i, 7, 1, 1, 2, m);
		put_sample(data, USER, 0x1020, 2, 2, 12 + 3 * i, 8, 0, 100, 3, g);
	}
}

static struct profile *load(const struct str *data, const struct profile_query *query)
{
	struct profile *p = NULL;
	struct err err = ERR_INIT;

	if (profile_load(&p, open_records(data, 2), query, &err) < 0)
		fail_msg("%s", err.msg);
	return p;
}

static uint64_t sum(const struct profile *p, const char *comm, uint32_t event, uint64_t *samples)
{
	uint64_t period = 0;

	*samples = 0;
	for (size_t i = 0; i < p->nr_entries; i++) {
		const struct profile_entry *e = &p->entries[i];

		if (e->event == event && strcmp(profile_comm(p, e->comm), comm) == 0) {
			period += e->period;
			*samples += e->samples;
		}
	}
	return period;
}

static void counts(unsigned copies, unsigned jobs)
{
	struct profile_query q = { .by = PROFILE_BY_COMM | PROFILE_BY_STACK, .jobs = jobs };
	struct str data = STR_INIT;
	struct profile *p;
	uint64_t n;

	story(&data, copies);
	p = load(&data, &q);
	assert_int_equal(p->totals[0].samples, 2 * copies);
	assert_int_equal(p->totals[0].period, 11 * copies);
	assert_int_equal(p->totals[1].period, 100 * copies);
	assert_int_equal(sum(p, "a", 0, &n), 11 * copies);
	assert_int_equal(n, 2 * copies);
	assert_int_equal(sum(p, "b", 1, &n), 100 * copies);
	assert_int_equal(n, copies);
	assert_int_equal(sum(p, "b", 0, &n), 0);
	assert_int_equal(p->account.samples, 3 * copies);
	assert_int_equal(p->account.unnamed[NAME_NO_FILE], 3 * copies);
	assert_true(p->has_chains);
	profile_free(p);
	str_release(&data);
}

static void counts_in_one_thread(void **state)
{
	(void)state;
	counts(3, 1);
}

/* Several blocks and threads: the sums are those of one. */
static void counts_in_threads(void **state)
{
	(void)state;
	counts(COPIES, 4);
}

static void filters(void **state)
{
	const char *comms[] = { "a", NULL };
	const uint32_t cpus[] = { 1 };
	const struct time_range times[] = { { 10, 12 } };
	struct profile_query q = { .by = PROFILE_BY_COMM, .comms = comms };
	struct str data = STR_INIT;
	struct profile *p;

	(void)state;
	story(&data, 5);
	p = load(&data, &q);
	assert_int_equal(p->totals[0].samples, 10);
	assert_int_equal(p->totals[1].samples, 0);
	assert_int_equal(p->account.filtered, 5);
	profile_free(p);
	q = (struct profile_query){ .cpus = cpus, .nr_cpus = 1 };
	p = load(&data, &q);
	assert_int_equal(p->totals[0].period, 5);
	profile_free(p);
	q = (struct profile_query){ .times = times, .nr_times = 1 };
	p = load(&data, &q);
	assert_int_equal(p->totals[0].period, 11);
	assert_int_equal(p->totals[1].period, 100);
	profile_free(p);
	str_release(&data);
}

static void without_samples(void **state)
{
	struct profile_query q = { .by = PROFILE_BY_STACK };
	struct str data = STR_INIT;
	struct profile *p;

	(void)state;
	put_comm(&data, USER, 1, 1, "a", 1, 7);
	p = load(&data, &q);
	assert_int_equal(p->nr_entries, 0);
	assert_int_equal(p->account.samples, 0);
	profile_free(p);
	str_release(&data);
}

static void expect_times(const struct str *data, const uint64_t *times, unsigned nr)
{
	struct perf_data *d = open_records(data, 1);
	struct ordered *o = ordered_new(d);
	struct record r;
	unsigned n = 0;

	while (ordered_next(o, &r, NULL, NULL) > 0) {
		if (r.type != PERF_RECORD_SAMPLE)
			continue;
		assert_true(n < nr);
		assert_int_equal(r.id.time_ns, times[n]);
		n++;
	}
	assert_int_equal(n, nr);
	ordered_free(o);
	perf_data_close(d);
}

static void samples_at(struct str *data, const uint64_t *times, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		put_sample(data, USER, 1, 1, 1, times[i], 7, 0, 1, 0, NULL);
}

/* Two rounds of two rings each, as drawn in order.h. */
static void in_time_by_rounds(void **state)
{
	const uint64_t first[] = { 7, 9, 8, 12 }, second[] = { 10, 14, 11, 13 };
	const uint64_t sorted[] = { 7, 8, 9, 10, 11, 12, 13, 14 };
	struct str data = STR_INIT;

	(void)state;
	samples_at(&data, first, 4);
	put_round(&data);
	samples_at(&data, second, 4);
	put_round(&data);
	expect_times(&data, sorted, 8);
	str_release(&data);
}

static void in_time_without_rounds(void **state)
{
	const uint64_t times[] = { 5, 1, 4, 2, 3 }, sorted[] = { 1, 2, 3, 4, 5 };
	struct str data = STR_INIT;

	(void)state;
	samples_at(&data, times, 5);
	expect_times(&data, sorted, 5);
	str_release(&data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_in_one_thread),
		cmocka_unit_test(counts_in_threads),
		cmocka_unit_test(filters),
		cmocka_unit_test(without_samples),
		cmocka_unit_test(in_time_by_rounds),
		cmocka_unit_test(in_time_without_rounds),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
