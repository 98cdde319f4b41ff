/* SPDX-License-Identifier: MIT */
/* What the recorder notes of times, also where the clock (-k realtime) is set back meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "engine/recorder_priv.h"

#define SECOND 1000000000ull

struct story {
	uint64_t words[64];
	size_t nr;
};

static void put(struct story *s, uint32_t type, const uint64_t *words, size_t nr)
{
	struct perf_event_header header = { .type = type, .size = (uint16_t)(8 + 8 * nr) };

	memcpy(&s->words[s->nr++], &header, sizeof(header));
	memcpy(&s->words[s->nr], words, nr * sizeof(*words));
	s->nr += nr;
}

/* IP | TID | TIME */
static void put_sample(struct story *s, uint64_t time_ns)
{
	put(s, PERF_RECORD_SAMPLE, (const uint64_t[]){ 0x1000, 7, time_ns }, 3);
}

/* id, how many; pid and tid, time */
static void put_lost(struct story *s, uint64_t lost, uint64_t time_ns)
{
	put(s, PERF_RECORD_LOST, (const uint64_t[]){ 1, lost, 7, time_ns }, 4);
}

struct remarks {
	unsigned nr;
	char last[512];
};

static void note(enum log_level level, const char *line, void *arg)
{
	struct remarks *r = arg;

	if (level != LOG_NOTE)
		return;
	r->nr++;
	snprintf(r->last, sizeof(r->last), "%s", line);
}

static void read_story(struct recorder *r, struct ring *ring, const struct story *s)
{
	struct drainer d = recorder_drainer(r);

	recorder_count(&d, ring, (const uint8_t *)s->words, 8 * s->nr);
}

static void a_clock_that_goes_on(void **state)
{
	struct recorder_options o = { .attr = { .use_clockid = true, .clockid = CLOCK_REALTIME } };
	struct recorder_result result = { 0 };
	struct recorder r = { .o = &o, .result = &result, .time_offset = 24 };
	struct ring ring = { 0 };
	struct remarks remarks = { 0 };
	struct story s = { 0 };

	(void)state;
	log_set_sink(note, &remarks);
	put_sample(&s, 100 * SECOND);
	put_sample(&s, 102 * SECOND);
	put_sample(&s, 102 * SECOND - 500);      /* of an interrupt within */
	put_lost(&s, 9, 105 * SECOND);
	put_sample(&s, 106 * SECOND);
	read_story(&r, &ring, &s);
	assert_int_equal(r.first_ns, 100 * SECOND);
	assert_int_equal(r.last_ns, 106 * SECOND);
	assert_int_equal(r.lost_to_ns, 105 * SECOND);
	assert_true(r.lost_from_ns == 102 * SECOND || r.lost_from_ns == 102 * SECOND - 500);
	assert_int_equal(result.lost_records, 9);
	assert_int_equal(remarks.nr, 0);
	log_set_sink(NULL, NULL);
}

/* An hour back, and a loss after it: it began after the step, not in the hour to come. */
static void a_clock_that_is_set_back(void **state)
{
	struct recorder_options o = { .attr = { .use_clockid = true, .clockid = CLOCK_REALTIME } };
	struct recorder_result result = { 0 };
	struct recorder r = { .o = &o, .result = &result, .time_offset = 24 };
	struct ring ring = { 0 };
	struct remarks remarks = { 0 };
	struct story s = { 0 }, more = { 0 };

	(void)state;
	log_set_sink(note, &remarks);
	put_sample(&s, 5000 * SECOND);
	put_sample(&s, 5001 * SECOND);
	put_sample(&s, 1402 * SECOND);
	read_story(&r, &ring, &s);
	assert_int_equal(remarks.nr, 1);
	assert_non_null(strstr(remarks.last, "3599.000 s"));
	put_lost(&more, 3, 1404 * SECOND);
	put_sample(&more, 1405 * SECOND);
	read_story(&r, &ring, &more);
	assert_int_equal(remarks.nr, 1);
	assert_int_equal(r.lost_from_ns, 1402 * SECOND);
	assert_int_equal(r.lost_to_ns, 1404 * SECOND);
	assert_int_equal(r.first_ns, 1402 * SECOND);
	assert_int_equal(r.last_ns, 5001 * SECOND);
	log_set_sink(NULL, NULL);
}

/* Between two rounds. */
static void a_step_that_no_round_saw(void **state)
{
	struct recorder_options o = { .attr = { .use_clockid = true, .clockid = CLOCK_REALTIME } };
	struct recorder_result result = { 0 };
	struct recorder r = { .o = &o, .result = &result, .time_offset = 24 };
	struct ring ring = { 0 };
	struct remarks remarks = { 0 };
	struct story s = { 0 }, more = { 0 };

	(void)state;
	log_set_sink(note, &remarks);
	put_sample(&s, 5000 * SECOND);
	read_story(&r, &ring, &s);
	assert_int_equal(remarks.nr, 0);
	put_sample(&more, 4000 * SECOND);
	put_sample(&more, 4001 * SECOND);
	read_story(&r, &ring, &more);
	assert_int_equal(remarks.nr, 1);
	assert_non_null(strstr(remarks.last, "1000.000 s"));
	/* a clock that nobody can set is not blamed */
	o.attr.clockid = CLOCK_MONOTONIC;
	r.said_step = false;
	read_story(&r, &ring, &s);
	read_story(&r, &ring, &more);
	assert_int_equal(remarks.nr, 1);
	log_set_sink(NULL, NULL);
}

/* The step comes while records are lost: no loss lasts from later to earlier. */
static void a_loss_across_the_step(void **state)
{
	struct recorder_options o = { .attr = { .use_clockid = true, .clockid = CLOCK_REALTIME } };
	struct recorder_result result = { 0 };
	struct recorder r = { .o = &o, .result = &result, .time_offset = 24 };
	struct ring ring = { 0 };
	struct story s = { 0 };

	(void)state;
	put_sample(&s, 5000 * SECOND);
	put_lost(&s, 3, 1404 * SECOND);
	put_sample(&s, 1405 * SECOND);
	read_story(&r, &ring, &s);
	assert_int_equal(r.lost_from_ns, 1404 * SECOND);
	assert_int_equal(r.lost_to_ns, 1404 * SECOND);
	assert_int_equal(ring.last_ns, 1405 * SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_goes_on),
		cmocka_unit_test(a_clock_that_is_set_back),
		cmocka_unit_test(a_step_that_no_round_saw),
		cmocka_unit_test(a_loss_across_the_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
