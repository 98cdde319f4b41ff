/* SPDX-License-Identifier: MIT */
/*
 * Recordings of kernels of different ages and machines, and damaged ones, through stream and
 * model. What has to come out was worked out by hand from the events that each test writes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdlib.h>

#include "sched/latency.h"
#include "sched/model.h"
#include "sched/stream.h"
#include "tests/unit/records.h"
#include "tests/unit/sched_file.h"

#define MS UINT64_C(1000000)

/* --- one event after the other ---------------------------------------------------------------- */

struct reading {
	char path[32];
	struct perf_data *data;
	struct stream *stream;
};

static void reading_begin(struct reading *r, const struct sched_form *f, const struct str *records)
{
	struct err err = ERR_INIT;
	struct str file = STR_INIT;

	sf_file(&file, f, records);
	write_temp(r->path, file.p, file.len);
	str_release(&file);
	if (perf_data_open(&r->data, r->path, &err) < 0 || stream_new(&r->stream, r->data, &err) < 0)
		fail_msg("%s: %s", f->kernel, err.msg);
}

static void reading_end(struct reading *r)
{
	stream_free(r->stream);
	perf_data_close(r->data);
	unlink(r->path);
}

static void is_switch(struct reading *r, uint64_t time_ns, const char *prev, uint32_t prev_tid, char state,
		      bool preempted, const char *next, uint32_t next_tid)
{
	struct sched_event e;

	assert_int_equal(stream_next(r->stream, &e, NULL), 1);
	assert_int_equal(e.kind, SCHED_SWITCH);
	assert_int_equal(e.time_ns, time_ns);
	assert_int_equal(e.cpu, 1);
	assert_int_equal(e.tid, prev_tid);
	assert_int_equal(e.prev, prev_tid);
	assert_string_equal(e.prev_comm, prev);
	assert_int_equal(e.prev_prio, 120);
	assert_int_equal(e.state, state);
	assert_int_equal(e.preempted, preempted);
	assert_int_equal(e.task, next_tid);
	assert_string_equal(e.comm, next);
	assert_int_equal(e.prio, 118);
}

static void every_kernel_s_events_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SCHED_FORMS; i++) {
		const struct sched_form *f = &sched_forms[i];
		struct stream_account account;
		struct str records = STR_INIT;
		struct reading r = { 0 };
		struct sched_event e;

		print_message("%s\n", f->kernel);
		sf_switch(&records, f, 1 * MS, 1, "work", 4000000, f->preempted, "sh", 20);
		sf_wakeup(&records, f, 2 * MS, 1, 20, "a_name_of_15_ch", 30);
		sf_switch(&records, f, 3 * MS, 1, "sh", 20, 1, "a_name_of_15_ch", 30);
		sf_switch(&records, f, 4 * MS, 1, "a_name_of_15_ch", 30, 2, "swapper/1", 0);
		sf_round(&records, f);
		reading_begin(&r, f, &records);
		is_switch(&r, 1 * MS, "work", 4000000, f->tells_states ? 'R' : '?', f->tells_preempted, "sh", 20);
		assert_int_equal(stream_next(r.stream, &e, NULL), 1);
		assert_int_equal(e.kind, SCHED_WAKEUP);
		assert_int_equal(e.tid, 20);
		assert_int_equal(e.task, 30);
		assert_int_equal(e.prio, 120);
		assert_string_equal(e.comm, "a_name_of_15_ch");
		is_switch(&r, 3 * MS, "sh", 20, f->tells_states ? 'S' : '?', false, "a_name_of_15_ch", 30);
		is_switch(&r, 4 * MS, "a_name_of_15_ch", 30, f->tells_states ? 'D' : '?', false, "swapper/1", 0);
		assert_int_equal(stream_next(r.stream, &e, NULL), 0);
		account = stream_account(r.stream);
		assert_int_equal(account.bad_samples, 0);
		assert_int_equal(account.unknown_states, f->tells_states ? 0 : 3);
		assert_true(stream_has(r.stream, SCHED_WAKEUP) && !stream_has(r.stream, SCHED_WAKING));
		reading_end(&r);
		str_release(&records);
	}
}

/* --- figures for what is known, and counts of what is not ------------------------------------- */

struct result {
	struct latency_row row;                  /* of the task asked for */
	uint64_t delay_ns, max_ns, nr;
	struct sched_account account;
	struct stream_account stream;
};

static void run_file(const char *path, const char *comm, struct result *out)
{
	struct profile_query filter = { 0 };
	const struct latency_row *rows;
	struct perf_data *data;
	struct stream *stream;
	struct latency *latency = latency_new(&filter, false);
	struct sched_model *model = model_new(&latency_ops, latency);
	struct err err = ERR_INIT;
	struct sched_event e;
	uint32_t nr;

	memset(out, 0, sizeof(*out));
	if (perf_data_open(&data, path, &err) < 0 || stream_new(&stream, data, &err) < 0)
		fail_msg("%s", err.msg);
	while (stream_next(stream, &e, NULL) > 0)
		model_event(model, &e);
	model_end(model);
	assert_int_equal(latency_rows(latency, true, NULL, LATENCY_ALL, &rows, &nr, &err), 0);
	for (uint32_t i = 0; i < nr; i++) {
		if (strcmp(rows[i].comm, comm) != 0)
			continue;
		out->row = rows[i];
		out->nr = rows[i].all.nr;
		out->delay_ns = rows[i].all.total_ns;
		out->max_ns = rows[i].all.max_ns;
	}
	out->account = *model_account(model);
	out->stream = stream_account(stream);
	latency_free(latency);
	model_free(model);
	stream_free(stream);
	perf_data_close(data);
}

static void run_records(const struct sched_form *f, const struct str *records, const char *comm,
			struct result *out)
{
	struct str file = STR_INIT;
	char path[32];

	sf_file(&file, f, records);
	write_temp(path, file.p, file.len);
	run_file(path, comm, out);
	unlink(path);
	str_release(&file);
}

/* "cat" sleeps, is woken after 1 ms and comes 1 ms later; each round takes 4 ms. */
static void put_rounds(struct str *records, const struct sched_form *f, uint64_t from_ns, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++, from_ns += 4 * MS) {
		sf_switch(records, f, from_ns, 1, "cat", 30, 1, "sh", 20);
		sf_wakeup(records, f, from_ns + 1 * MS, 1, 20, "cat", 30);
		sf_switch(records, f, from_ns + 2 * MS, 1, "sh", 20, f->preempted, "cat", 30);
	}
}

static void delays_are_the_same_whatever_kernel_wrote_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SCHED_FORMS; i++) {
		struct str records = STR_INIT;
		struct result got;

		put_rounds(&records, &sched_forms[i], 1 * MS, 10);
		run_records(&sched_forms[i], &records, "cat", &got);
		/* ten times 1 ms, whether or not it is known how the other one left */
		assert_int_equal(got.nr, 10);
		assert_int_equal(got.delay_ns, 10 * MS);
		assert_int_equal(got.row.switches, 10);
		/* the first 1 ms is before its first switch in, the last is open: 9 times 2 ms */
		assert_int_equal(got.row.on_cpu_ns, 18 * MS);
		/* "sh" was thrown out ten times and came back nine: known only with a state */
		run_records(&sched_forms[i], &records, "sh", &got);
		assert_int_equal(got.nr, sched_forms[i].tells_states ? 9 : 0);
		assert_int_equal(got.delay_ns, sched_forms[i].tells_states ? 18 * MS : 0);
		assert_int_equal(got.stream.unknown_states, sched_forms[i].tells_states ? 0 : 20);
		assert_int_equal(got.account.unknown_delays, sched_forms[i].tells_states ? 0 : 9);
		str_release(&records);
	}
}

static void what_was_lost_makes_no_figure_and_is_counted(void **state)
{
	const struct sched_form *f = &sched_forms[2];
	struct str records = STR_INIT;
	struct result got;

	(void)state;
	put_rounds(&records, f, 1 * MS, 5);
	/* asleep, woken, and 7 events are missing before it comes */
	sf_switch(&records, f, 21 * MS, 1, "cat", 30, 1, "sh", 20);
	sf_wakeup(&records, f, 22 * MS, 1, 20, "cat", 30);
	sf_lost(&records, f, 23 * MS, 1, 7);
	sf_switch(&records, f, 24 * MS, 1, "sh", 20, 0, "cat", 30);
	put_rounds(&records, f, 25 * MS, 5);
	run_records(f, &records, "cat", &got);
	assert_int_equal(got.account.lost_events, 7);
	assert_int_equal(got.nr, 10);
	assert_int_equal(got.delay_ns, 10 * MS);
	assert_int_equal(got.account.doubtful_delays, 1);
	str_release(&records);
}

/* Over 4 MB of what is of no account: what stands before it has been let go by its end. */
static void put_far(struct str *records, const struct sched_form *f, uint64_t time_ns)
{
	for (unsigned i = 0; i < 60000; i++) {
		sf_wakeup(records, f, time_ns, 0, 99, "other", 98);
		if (i % 10000 == 0)
			sf_round(records, f);
	}
}

static void a_clock_that_steps_back_makes_no_figure_and_is_counted(void **state)
{
	const struct sched_form *f = &sched_forms[2];
	struct str records = STR_INIT;
	struct result got;

	(void)state;
	put_rounds(&records, f, 101 * MS, 5);
	put_far(&records, f, 125 * MS);
	put_rounds(&records, f, 51 * MS, 5);
	put_rounds(&records, f, 201 * MS, 5);
	run_records(f, &records, "cat", &got);
	assert_true(got.account.backwards > 0);
	/* no delay is longer than the 1 ms that each was, and none is made up */
	assert_int_equal(got.max_ns, 1 * MS);
	assert_true(got.nr <= 15 && got.delay_ns == got.nr * MS);
	str_release(&records);
}

static void samples_cut_short_are_counted(void **state)
{
	const struct sched_form *f = &sched_forms[2];
	struct str records = STR_INIT;
	struct result got;
	uint8_t raw[80];

	(void)state;
	put_rounds(&records, f, 1 * MS, 5);
	sf_common(raw, f, SWITCH_ID, 30);
	sf_sample(&records, f, 30, 21 * MS, SWITCH_EVENT, 1, raw, 20);
	put_rounds(&records, f, 25 * MS, 5);
	run_records(f, &records, "cat", &got);
	assert_int_equal(got.stream.bad_samples, 1);
	assert_int_equal(got.nr, 10);
	str_release(&records);
}

/* Cut anywhere: a reason, or what is whole; never more than there was. */
static void a_file_without_its_end_gives_what_is_there(void **state)
{
	const struct sched_form *f = &sched_forms[2];
	struct str records = STR_INIT, file = STR_INIT;
	uint64_t most = 0, undescribed = 0;

	(void)state;
	put_rounds(&records, f, 1 * MS, 10);
	sf_file(&file, f, &records);
	for (size_t size = 0; size <= file.len; size += size + 200 < file.len ? 61 : 1) {
		struct perf_data *data = NULL;
		struct stream *stream = NULL;
		struct err err = ERR_INIT;
		struct sched_event e;
		uint64_t nr = 0;
		char path[32];

		write_temp(path, file.p, size);
		if (perf_data_open(&data, path, &err) == 0 && stream_new(&stream, data, &err) == 0)
			while (stream_next(stream, &e, NULL) > 0)
				nr++;
		else
			undescribed += strstr(err.msg, "cut short") != NULL;
		assert_true(nr <= 30);
		most = nr > most ? nr : most;
		stream_free(stream);
		if (data)
			perf_data_close(data);
		unlink(path);
	}
	assert_int_equal(most, 30);
	assert_true(undescribed > 10);
	str_release(&file);
	str_release(&records);
}

/* Forty tasks that take turns on two CPUs, all along, with delays of some different lengths. */
static void put_turns(struct str *records, const struct sched_form *f, unsigned nr)
{
	uint64_t time_ns = 1 * MS;

	for (unsigned i = 0; i < nr; i++, time_ns += 1 * MS) {
		uint32_t cpu = i % 2, task = 100 + i % 40, other = 200 + i % 2;

		sf_wakeup(records, f, time_ns, cpu, other, "turn", task);
		sf_switch(records, f, time_ns + 1000 * (1 + i % 97), cpu, "other", other, f->preempted, "turn", task);
		sf_switch(records, f, time_ns + MS / 2, cpu, "turn", task, 1, "other", other);
		if (i % 200 == 0)
			sf_round(records, f);
	}
}

/* The most that is taken of the heap while a recording is read. */
static size_t most_taken(const struct sched_form *f, unsigned nr_turns, bool by_task)
{
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, most = 0;
	struct str records = STR_INIT;
	struct latency *latency;
	struct sched_model *model;
	struct reading r = { 0 };
	const struct latency_row *rows;
	struct sched_event e;
	uint32_t nr;

	put_turns(&records, f, nr_turns);
	reading_begin(&r, f, &records);
	str_release(&records);
	latency = latency_new(NULL, !by_task);
	model = model_new(&latency_ops, latency);
	for (unsigned i = 0; stream_next(r.stream, &e, NULL) > 0; i++) {
		model_event(model, &e);
		if (i % 100 == 0 && mallinfo2().uordblks + mallinfo2().hblkhd > most)
			most = mallinfo2().uordblks + mallinfo2().hblkhd;
	}
	model_end(model);
	assert_int_equal(latency_rows(latency, by_task, NULL, LATENCY_ALL, &rows, &nr, NULL), 0);
	assert_int_equal(nr, by_task ? 42 : 2);
	assert_int_equal(model_account(model)->events[SCHED_SWITCH], 2 * nr_turns);
	if (mallinfo2().uordblks + mallinfo2().hblkhd > most)
		most = mallinfo2().uordblks + mallinfo2().hblkhd;
	latency_free(latency);
	model_free(model);
	reading_end(&r);
	return most - before;
}

static void memory_does_not_grow_with_events(void **state)
{
	const struct sched_form *f = &sched_forms[2];

	(void)state;
	/* of an allocator that does not tell (a sanitizer's) */
	if (mallinfo2().uordblks + mallinfo2().hblkhd == 0)
		skip();
	for (int by_task = 0; by_task < 2; by_task++) {
		size_t few = most_taken(f, 10000, by_task), many = most_taken(f, 100000, by_task);

		print_message("%zu bytes for 30000 events, %zu for 300000\n", few, many);
		assert_true(many <= few + few / 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kernel_s_events_are_read),
		cmocka_unit_test(delays_are_the_same_whatever_kernel_wrote_them),
		cmocka_unit_test(what_was_lost_makes_no_figure_and_is_counted),
		cmocka_unit_test(a_clock_that_steps_back_makes_no_figure_and_is_counted),
		cmocka_unit_test(samples_cut_short_are_counted),
		cmocka_unit_test(a_file_without_its_end_gives_what_is_there),
		cmocka_unit_test(memory_does_not_grow_with_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
