/* SPDX-License-Identifier: MIT */
/* Samples that hold the values of a group: as perf delivers them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "profile/profile.h"
#include "tests/unit/records.h"
#include "view/script.h"

#define USER PERF_RECORD_MISC_USER
#define ROUNDS 60000u            /* some 6 MB: several blocks, several threads */

/* A sample of event 7 with the values of 7 and 8 in it. */
static void put_values(struct str *s, uint32_t tid, uint64_t time_ns, uint64_t a, uint64_t b)
{
	size_t at = begin(s, PERF_RECORD_SAMPLE, USER);

	put64(s, 0x1001);
	put32(s, 1);
	put32(s, tid);
	put64(s, time_ns);
	put64(s, 7);
	put64(s, 4000);          /* the period sampled, which is not believed */
	put64(s, 2);
	put64(s, a);
	put64(s, 7);
	put64(s, b);
	put64(s, 8);
	finish(s, at);
}

static struct perf_data *open_group(const struct str *data, bool inherit)
{
	struct perf_event_attr attrs[2];
	struct str file = STR_INIT;
	struct perf_data *d = NULL;
	struct err err = ERR_INIT;
	char path[32];

	for (int i = 0; i < 2; i++) {
		attrs[i] = test_attr();
		attrs[i].sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
				       PERF_SAMPLE_ID | PERF_SAMPLE_PERIOD | PERF_SAMPLE_READ;
		attrs[i].read_format = PERF_FORMAT_ID | PERF_FORMAT_GROUP;
		attrs[i].inherit = inherit;
		attrs[i].sample_id_all = 0;
	}
	attrs[1].config = PERF_COUNT_SW_PAGE_FAULTS;
	put_file_of(&file, attrs, 2, data, data->len);
	write_temp(path, file.p, file.len);
	if (perf_data_open(&d, path, &err) < 0)
		fail_msg("%s", err.msg);
	unlink(path);
	str_release(&file);
	return d;
}

static struct profile *load(const struct str *data, bool inherit, const struct profile_query *query)
{
	struct profile *p = NULL;
	struct err err = ERR_INIT;

	if (profile_load(&p, open_group(data, inherit), query, &err) < 0)
		fail_msg("%s", err.msg);
	return p;
}

static void members_have_what_they_counted(void **state)
{
	const struct profile_query query = { 0 };
	struct str data = STR_INIT;
	struct profile *p;

	(void)state;
	put_values(&data, 1, 1, 100, 3);
	put_values(&data, 1, 2, 210, 3);         /* the second did not move: no sample of it */
	put_values(&data, 1, 3, 300, 9);
	p = load(&data, false, &query);
	assert_int_equal(p->totals[0].samples, 3);
	assert_int_equal(p->totals[0].period, 300);
	assert_int_equal(p->totals[1].samples, 2);
	assert_int_equal(p->totals[1].period, 9);
	assert_int_equal(p->account.samples, 5);
	profile_free(p);
	str_release(&data);
}

/* What a block begins with is what the one before it ended with. */
static void blocks_are_joined(void **state)
{
	struct str data = STR_INIT;
	uint64_t a = 0, b = 0;

	(void)state;
	for (unsigned i = 1; i <= ROUNDS; i++)
		put_values(&data, 1, i, a += 10 + i % 7, b += i % 3);
	for (unsigned jobs = 1; jobs <= 4; jobs += 3) {
		const struct profile_query query = { .jobs = jobs };
		struct profile *p = load(&data, false, &query);

		assert_int_equal(p->totals[0].samples, ROUNDS);
		assert_int_equal(p->totals[0].period, a);
		assert_int_equal(p->totals[1].samples, ROUNDS / 3 * 2);
		assert_int_equal(p->totals[1].period, b);
		profile_free(p);
	}
	str_release(&data);
}

/* Inherited events are read per thread: one id, a value for each. */
static void threads_have_values_of_their_own(void **state)
{
	struct str data = STR_INIT;

	(void)state;
	for (unsigned i = 1; i <= ROUNDS; i++)
		put_values(&data, 1 + i % 2, i, i % 2 ? 1000 + i : 5 + i, 0);
	for (unsigned jobs = 1; jobs <= 4; jobs += 3) {
		const struct profile_query query = { .jobs = jobs };
		struct profile *p = load(&data, true, &query);

		assert_int_equal(p->totals[0].samples, ROUNDS);
		assert_int_equal(p->totals[0].period, 1000 + ROUNDS - 1 + 5 + ROUNDS);
		assert_int_equal(p->totals[1].samples, 0);
		profile_free(p);
	}
	str_release(&data);
}

static void filtered_samples_move_the_values_too(void **state)
{
	const uint32_t tid = 2;
	const struct profile_query query = { .tids = &tid, .nr_tids = 1 };
	struct str data = STR_INIT;
	struct profile *p;

	(void)state;
	put_values(&data, 1, 1, 100, 3);
	put_values(&data, 2, 2, 210, 4);
	p = load(&data, false, &query);
	assert_int_equal(p->totals[0].period, 110);
	assert_int_equal(p->totals[1].period, 1);
	profile_free(p);
	str_release(&data);
}

/* '{sched:*,irq:*,...}:S' */
static void groups_of_any_size(void **state)
{
	enum { MEMBERS = 300 };
	static struct perf_event_attr attrs[MEMBERS];
	const struct profile_query query = { 0 };
	struct str data = STR_INIT, file = STR_INIT;
	struct perf_data *d = NULL;
	struct profile *p = NULL;
	struct err err = ERR_INIT;
	char path[32];

	(void)state;
	for (unsigned i = 0; i < MEMBERS; i++) {
		attrs[i] = test_attr();
		attrs[i].sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
				       PERF_SAMPLE_ID | PERF_SAMPLE_READ;
		attrs[i].read_format = PERF_FORMAT_ID | PERF_FORMAT_GROUP;
		attrs[i].sample_id_all = 0;
	}
	for (uint64_t n = 1; n <= 2; n++) {
		size_t at = begin(&data, PERF_RECORD_SAMPLE, USER);

		put64(&data, 0x1001);
		put32(&data, 1);
		put32(&data, 1);
		put64(&data, n);
		put64(&data, 7);
		put64(&data, MEMBERS);
		for (uint64_t i = 0; i < MEMBERS; i++) {
			put64(&data, n * (i + 1));
			put64(&data, 7 + i);
		}
		finish(&data, at);
	}
	put_file_of(&file, attrs, MEMBERS, &data, data.len);
	write_temp(path, file.p, file.len);
	if (perf_data_open(&d, path, &err) < 0 || profile_load(&p, d, &query, &err) < 0)
		fail_msg("%s", err.msg);
	unlink(path);
	for (unsigned i = 0; i < MEMBERS; i++) {
		assert_int_equal(p->totals[i].samples, 2);
		assert_int_equal(p->totals[i].period, 2 * (i + 1));
	}
	profile_free(p);
	str_release(&data);
	str_release(&file);
}

static void script_lists_every_member(void **state)
{
	struct script_options options = { .fields = "event,period,time" };
	struct str data = STR_INIT;
	struct err err = ERR_INIT;
	struct recording recording;
	struct perf_data *d;
	struct script *script;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	put_values(&data, 1, 1000, 100, 3);
	put_values(&data, 1, 2000, 210, 3);
	put_values(&data, 1, 3000, 300, 9);
	d = open_group(&data, false);
	assert_int_equal(recording_load(&recording, d, NULL, &err), 0);
	assert_int_equal(script_new(&script, &recording, &options, &err), 0);
	for (size_t at = 0; at < data.len; at += 88) {
		struct decoder decoder;
		struct record record;

		decoder_init(&decoder, &d->events, false);
		assert_int_equal(record_decode(&decoder, (const uint8_t *)data.p + at, &record, &err), 0);
		script_write(script, &record, out);
		decoder_release(&decoder);
	}
	script_flush(script, out);
	fclose(out);
	assert_string_equal(text, "    0.000001:        100   cpu-clock: \n"
				  "    0.000001:          3 page-faults: \n"
				  "    0.000002:        110   cpu-clock: \n"
				  "    0.000003:         90   cpu-clock: \n"
				  "    0.000003:          6 page-faults: \n");
	free(text);
	script_free(script);
	recording_release(&recording);
	perf_data_close(d);
	str_release(&data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_have_what_they_counted),
		cmocka_unit_test(blocks_are_joined),
		cmocka_unit_test(threads_have_values_of_their_own),
		cmocka_unit_test(filtered_samples_move_the_values_too),
		cmocka_unit_test(groups_of_any_size),
		cmocka_unit_test(script_lists_every_member),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
