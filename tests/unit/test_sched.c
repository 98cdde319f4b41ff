/* SPDX-License-Identifier: MIT */
/* The scheduler's model on events written by hand; the answers were worked out on paper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "sched/dist.h"
#include "sched/latency.h"
#include "sched/model.h"

#define US 1000u

/* --- writing events ------------------------------------------------------------------------- */

static struct sched_event at(enum sched_kind kind, uint64_t us, uint32_t cpu)
{
	return (struct sched_event){ .kind = kind, .time_ns = us * US, .cpu = cpu, .pid = SCHED_NONE,
				     .tid = SCHED_NONE, .task_pid = SCHED_NONE,
				     .parent_pid = SCHED_NONE, .prio = 120, .prev_prio = 120 };
}

static struct sched_event sw(uint64_t us, uint32_t cpu, uint32_t prev, char state, uint32_t next)
{
	struct sched_event e = at(SCHED_SWITCH, us, cpu);

	e.tid = e.prev = prev;
	e.pid = prev;
	e.state = state;
	e.task = next;
	return e;
}

static struct sched_event wake(enum sched_kind kind, uint64_t us, uint32_t cpu, uint32_t by, uint32_t task)
{
	struct sched_event e = at(kind, us, cpu);

	e.tid = e.pid = by;
	e.task = task;
	return e;
}

static struct sched_event about(enum sched_kind kind, uint64_t us, uint32_t cpu, uint32_t task,
				uint64_t amount)
{
	struct sched_event e = at(kind, us, cpu);

	e.task = task;
	e.amount = amount;
	return e;
}

/* --- looking on ------------------------------------------------------------------------------ */

#define MOST 32

struct seen {
	struct { uint32_t tid, index, cpu, by; uint64_t from, to, slept, delay; char was; bool doubtful, open; }
		slices[MOST];
	struct { uint32_t tid, cpu; uint64_t time, delay; enum sched_reason reason; bool first; } starts[MOST];
	struct { uint32_t tid, by; uint64_t slept; char state; bool asleep, early, interrupt; } wakes[MOST];
	unsigned nr_slices, nr_starts, nr_wakes, nr_gone;
	struct sched_account account;
};

static void on_slice(void *arg, const struct sched_slice *s)
{
	struct seen *seen = arg;
	unsigned n = seen->nr_slices++;

	assert_true(n < MOST);
	seen->slices[n].tid = s->task->tid;
	seen->slices[n].index = s->task->index;
	seen->slices[n].cpu = s->cpu;
	seen->slices[n].from = s->from_ns / US;
	seen->slices[n].to = s->to_ns / US;
	seen->slices[n].slept = s->slept_ns / US;
	seen->slices[n].delay = s->delay_ns / US;
	seen->slices[n].was = s->slept_state;
	seen->slices[n].doubtful = s->doubtful;
	seen->slices[n].open = s->open;
}

static void on_start(void *arg, const struct sched_start *s)
{
	struct seen *seen = arg;
	unsigned n = seen->nr_starts++;

	assert_true(n < MOST);
	seen->starts[n].tid = s->task->tid;
	seen->starts[n].cpu = s->cpu;
	seen->starts[n].time = s->time_ns / US;
	seen->starts[n].reason = s->reason;
	seen->starts[n].first = s->first;
	seen->starts[n].delay = s->reason ? (s->time_ns - s->ready_ns) / US : 999999;
}

static void on_wake(void *arg, const struct sched_wake *w)
{
	struct seen *seen = arg;
	unsigned n = seen->nr_wakes++;

	assert_true(n < MOST);
	seen->wakes[n].tid = w->task->tid;
	seen->wakes[n].by = w->waker ? w->waker->tid : SCHED_NONE;
	seen->wakes[n].slept = w->slept_ns / US;
	seen->wakes[n].state = w->slept_state;
	seen->wakes[n].asleep = w->asleep;
	seen->wakes[n].early = w->early;
	seen->wakes[n].interrupt = w->interrupt;
}

static void on_gone(void *arg, const struct sched_task *task)
{
	(void)task;
	((struct seen *)arg)->nr_gone++;
}

static const struct sched_ops ops = {
	.slice = on_slice, .start = on_start, .wake = on_wake, .gone = on_gone,
};

static void play(struct seen *seen, const struct sched_event *events, size_t nr)
{
	struct sched_model *m = model_new(&ops, seen);

	memset(seen, 0, sizeof(*seen));
	for (size_t i = 0; i < nr; i++)
		model_event(m, &events[i]);
	model_end(m);
	seen->account = *model_account(m);
	model_free(m);
}

#define PLAY(seen, ...)                                                              \
	do {                                                                         \
		const struct sched_event events_[] = { __VA_ARGS__ };                \
		play(seen, events_, sizeof(events_) / sizeof(events_[0]));           \
	} while (0)

/* The n-th start, idle's left out. */
static void check_start(const struct seen *s, unsigned n, uint32_t tid, enum sched_reason reason,
			uint64_t delay)
{
	for (unsigned i = 0; i < s->nr_starts; i++) {
		if (!s->starts[i].tid || n--)
			continue;
		assert_int_equal(s->starts[i].tid, tid);
		assert_int_equal(s->starts[i].reason, reason);
		assert_int_equal(s->starts[i].delay, delay);
		return;
	}
	fail_msg("there are too few starts");
}

/* --- delays --------------------------------------------------------------------------------- */

static void a_delay_is_from_wake_up_to_switch(void **state)
{
	struct seen s;

	(void)state;
	PLAY(&s, sw(100, 0, 7, 'S', 0),                         /* 7 goes to sleep at 100 */
	     wake(SCHED_WAKING, 150, 1, 9, 7), wake(SCHED_WAKEUP, 153, 1, 9, 7),
	     sw(160, 0, 0, 'R', 7),                             /* 7 runs after 7 us */
	     sw(200, 0, 7, 'S', 0));
	check_start(&s, 0, 7, SCHED_BY_WAKE, 7);
	assert_int_equal(s.nr_wakes, 1);
	assert_int_equal(s.wakes[0].by, 9);
	assert_int_equal(s.wakes[0].slept, 50);
	assert_int_equal(s.wakes[0].state, 'S');
	/* idle 100..160; 7 from 160 to 200, off for 60 before that; first slice of 7 not known */
	assert_int_equal(s.slices[0].from, 0);
	assert_int_equal(s.slices[1].tid, 0);
	assert_int_equal(s.slices[1].from, 100);
	assert_int_equal(s.slices[1].to, 160);
	assert_int_equal(s.slices[2].from, 160);
	assert_int_equal(s.slices[2].to, 200);
	assert_int_equal(s.slices[2].slept, 60);
	assert_int_equal(s.slices[2].delay, 7);
	assert_int_equal(s.account.unknown_delays, 0);
}

static void without_sched_wakeup_it_is_from_sched_waking(void **state)
{
	struct seen s;

	(void)state;
	PLAY(&s, sw(100, 0, 7, 'S', 0), wake(SCHED_WAKING, 150, 1, 9, 7), sw(160, 0, 0, 'R', 7));
	check_start(&s, 0, 7, SCHED_BY_WAKE, 10);
}

static void being_thrown_out_is_a_delay_too(void **state)
{
	struct seen s;

	(void)state;
	PLAY(&s, sw(100, 0, 7, 'R', 8), sw(104, 0, 8, 'R', 7), sw(110, 0, 7, 'R', 8));
	check_start(&s, 0, 8, SCHED_BY_NOTHING, 999999);        /* never seen before */
	check_start(&s, 1, 7, SCHED_BY_PREEMPTION, 4);
	check_start(&s, 2, 8, SCHED_BY_PREEMPTION, 6);
	assert_int_equal(s.account.first_starts, 1);
	assert_int_equal(s.nr_wakes, 0);
}

static void a_task_woken_on_its_way_out_is_ready_from_its_switch_on(void **state)
{
	struct seen s;

	(void)state;
	/* its waker on the other CPU saw it asleep at 98; it left at 100 and came back at 103 */
	PLAY(&s, sw(90, 0, 0, 'R', 7), wake(SCHED_WAKING, 98, 1, 9, 7), sw(100, 0, 7, 'S', 0),
	     sw(103, 0, 0, 'R', 7));
	check_start(&s, 1, 7, SCHED_BY_WAKE, 3);
	/* with its sched_wakeup at 101: from there */
	PLAY(&s, sw(90, 0, 0, 'R', 7), wake(SCHED_WAKING, 98, 1, 9, 7), sw(100, 0, 7, 'S', 0),
	     wake(SCHED_WAKEUP, 101, 0, 0, 7), sw(103, 0, 0, 'R', 7));
	check_start(&s, 1, 7, SCHED_BY_WAKE, 2);
	assert_int_equal(s.wakes[0].by, 9);
	assert_true(s.wakes[0].early);
}

static void a_wake_up_of_one_that_runs_changes_nothing(void **state)
{
	struct seen s;

	(void)state;
	/* woken at 95 while it ran, and it did run on; asleep from 100, woken again at 140 */
	PLAY(&s, sw(90, 0, 0, 'R', 7), wake(SCHED_WAKING, 95, 1, 9, 7), wake(SCHED_WAKEUP, 96, 1, 9, 7),
	     sw(100, 0, 7, 'S', 0), wake(SCHED_WAKING, 140, 1, 5, 7), wake(SCHED_WAKEUP, 141, 1, 5, 7),
	     sw(150, 0, 0, 'R', 7));
	check_start(&s, 1, 7, SCHED_BY_WAKE, 9);
	assert_int_equal(s.nr_wakes, 1);
	assert_int_equal(s.wakes[0].by, 5);
	assert_int_equal(s.wakes[0].slept, 40);
}

static void a_new_task_waits_from_its_first_wake_up(void **state)
{
	struct seen s;

	(void)state;
	PLAY(&s, about(SCHED_FORK, 100, 0, 12, 0), wake(SCHED_WAKEUP_NEW, 102, 0, 7, 12),
	     sw(112, 1, 0, 'R', 12));
	check_start(&s, 0, 12, SCHED_BY_WAKE, 10);
	assert_int_equal(s.wakes[0].asleep, 0);
}

static void interrupts_are_told_from_those_who_only_ran(void **state)
{
	struct sched_event timer = wake(SCHED_WAKING, 150, 0, 9, 7);
	struct seen s;

	(void)state;
	timer.interrupt = true;
	PLAY(&s, sw(100, 0, 7, 'D', 9), timer, sw(160, 0, 9, 'R', 7));
	assert_true(s.wakes[0].interrupt);
	assert_int_equal(s.wakes[0].state, 'D');
}

/* Whether its event says so or not; one that ran was it itself. */
static void an_idle_cpu_wakes_by_interrupt(void **state)
{
	struct seen s;

	(void)state;
	PLAY(&s, sw(100, 0, 7, 'S', 0), wake(SCHED_WAKEUP, 150, 0, 0, 7), sw(160, 0, 0, 'R', 7));
	assert_true(s.wakes[0].interrupt);
	PLAY(&s, sw(100, 0, 7, 'S', 9), wake(SCHED_WAKEUP, 150, 0, 9, 7), sw(160, 0, 9, 'R', 7));
	assert_false(s.wakes[0].interrupt);
	/* what was queued by another CPU for one that idles */
	PLAY(&s, sw(100, 0, 7, 'S', 0), wake(SCHED_WAKING, 150, 1, 9, 7), wake(SCHED_WAKEUP, 153, 0, 0, 7),
	     sw(160, 0, 0, 'R', 7));
	assert_false(s.wakes[0].interrupt);
	assert_int_equal(s.wakes[0].by, 9);
}

/* --- what is not known ------------------------------------------------------------------------- */

static void a_missing_wake_up_gives_no_delay(void **state)
{
	struct seen s;

	(void)state;
	PLAY(&s, sw(100, 0, 7, 'S', 0), sw(160, 0, 0, 'R', 7));
	check_start(&s, 0, 7, SCHED_BY_NOTHING, 999999);
	assert_int_equal(s.account.unknown_delays, 1);
	assert_int_equal(s.account.first_starts, 0);
}

static void a_loss_makes_doubtful_what_it_touches(void **state)
{
	struct seen s;

	(void)state;
	PLAY(&s, sw(100, 0, 0, 'R', 7), sw(100, 1, 0, 'R', 8),
	     about(SCHED_LOST, 120, 0, 0, 5),
	     sw(130, 0, 7, 'S', 0),                             /* 100..130 on CPU 0: doubtful */
	     sw(140, 1, 8, 'S', 0));                            /* CPU 1 is not touched */
	assert_int_equal(s.account.lost_events, 5);
	assert_int_equal(s.account.doubtful_slices, 1);
	assert_int_equal(s.account.doubtful_ns, 30 * US);
	assert_true(s.slices[2].doubtful);
	assert_int_equal(s.slices[2].tid, 7);
	assert_false(s.slices[3].doubtful);
	assert_int_equal(s.slices[3].from, 100);
	/* ready before a loss, running behind it: it may have run in between */
	PLAY(&s, sw(100, 0, 7, 'S', 0), wake(SCHED_WAKING, 110, 1, 9, 7),
	     about(SCHED_LOST, 120, 1, 0, 1), sw(130, 0, 0, 'R', 7));
	check_start(&s, 0, 7, SCHED_BY_NOTHING, 999999);
	assert_int_equal(s.account.doubtful_delays, 1);
}

static void switches_that_do_not_follow_are_counted(void **state)
{
	struct seen s;

	(void)state;
	/* 8 came at 100, but 9 leaves at 150: 8's leaving and 9's coming are missing */
	PLAY(&s, sw(100, 0, 7, 'S', 8), sw(150, 0, 9, 'S', 7), sw(170, 0, 7, 'S', 8));
	assert_int_equal(s.account.mismatches, 1);
	assert_int_equal(s.slices[1].tid, 9);
	assert_int_equal(s.slices[1].from, 0);
	check_start(&s, 1, 7, SCHED_BY_NOTHING, 999999);        /* its wake-up is missing */
	check_start(&s, 2, 8, SCHED_BY_NOTHING, 999999);
	assert_int_equal(s.slices[2].to - s.slices[2].from, 20);
}

static void one_that_comes_elsewhere_has_left_unseen(void **state)
{
	struct seen s;

	(void)state;
	PLAY(&s, sw(100, 0, 0, 'R', 7), sw(150, 1, 0, 'R', 7), sw(160, 1, 7, 'S', 0),
	     sw(170, 0, 0, 'R', 8));
	assert_int_equal(s.account.mismatches, 1);
	/* idle on CPU 0 at 170: since when is not known */
	assert_int_equal(s.slices[3].tid, 0);
	assert_int_equal(s.slices[3].from, 0);
	assert_int_equal(s.slices[2].to - s.slices[2].from, 10);
}

static void a_clock_that_goes_back_gives_no_figure(void **state)
{
	struct seen s;

	(void)state;
	PLAY(&s, sw(100, 0, 7, 'S', 8), wake(SCHED_WAKING, 120, 1, 9, 7), sw(110, 0, 8, 'S', 7),
	     sw(105, 0, 7, 'S', 8));
	/* ready at 120, here at 110; then from 110 to 105 */
	check_start(&s, 1, 7, SCHED_BY_NOTHING, 999999);
	assert_int_equal(s.slices[2].from, 0);
	assert_int_equal(s.account.backwards, 2);
}

static void what_runs_at_the_end_is_open(void **state)
{
	struct seen s;

	(void)state;
	PLAY(&s, sw(100, 0, 0, 'R', 7), sw(180, 1, 0, 'R', 8));
	assert_int_equal(s.nr_slices, 4);
	assert_true(s.slices[2].open);
	assert_int_equal(s.slices[2].tid, 7);
	assert_int_equal(s.slices[2].to - s.slices[2].from, 80);
}

/* --- tasks ------------------------------------------------------------------------------------- */

static void a_number_used_again_is_another_task(void **state)
{
	struct seen s;

	(void)state;
	PLAY(&s, sw(100, 0, 0, 'R', 7), sw(110, 0, 7, 'Z', 0),         /* 7 ends */
	     about(SCHED_FORK, 200, 0, 7, 0), wake(SCHED_WAKEUP_NEW, 201, 0, 9, 7),
	     sw(205, 0, 0, 'R', 7), sw(215, 0, 7, 'S', 0));
	assert_int_equal(s.account.reused, 1);
	assert_int_equal(s.nr_gone, 1);
	assert_int_not_equal(s.slices[1].index, s.slices[3].index);
	check_start(&s, 1, 7, SCHED_BY_WAKE, 4);
	/* told of by the tracepoint and by the side-band, it is one */
	PLAY(&s, about(SCHED_FORK, 200, 0, 7, 0), about(SCHED_FORK, 200, 0, 7, 0),
	     wake(SCHED_WAKEUP_NEW, 201, 0, 9, 7), sw(205, 0, 0, 'R', 7));
	assert_int_equal(s.account.reused, 0);
	/* without its fork, since that was lost */
	PLAY(&s, sw(110, 0, 7, 'X', 0), wake(SCHED_WAKING, 150, 0, 0, 7), sw(160, 0, 0, 'R', 7));
	assert_int_equal(s.account.reused, 1);
	check_start(&s, 0, 7, SCHED_BY_WAKE, 10);
}

static void idle_is_a_task_of_each_cpu(void **state)
{
	struct seen s;

	(void)state;
	PLAY(&s, sw(100, 0, 7, 'S', 0), sw(100, 1, 8, 'S', 0), sw(130, 0, 0, 'R', 7),
	     sw(150, 1, 0, 'R', 8));
	assert_int_equal(s.slices[2].to - s.slices[2].from, 30);
	assert_int_equal(s.slices[3].to - s.slices[3].from, 50);
	assert_int_not_equal(s.slices[2].index, s.slices[3].index);
}

static void absurd_events_do_no_harm(void **state)
{
	struct seen s;

	(void)state;
	PLAY(&s, sw(100, SCHED_NONE, 7, 'S', 0), sw(1, 70000, 1, 'S', 2), wake(SCHED_WAKING, 2, SCHED_NONE, 1, 2),
	     about(SCHED_LOST, 3, SCHED_NONE, 0, UINT64_MAX), about(SCHED_EXIT, 4, 0, 0, 0),
	     about(SCHED_STAT_RUNTIME, 4, SCHED_NONE, 7, 1), about(SCHED_MIGRATE, 5, SCHED_NONE, 7, 0),
	     about(SCHED_FORK, 5, 0, 0, 0), about(SCHED_NAME, 0, 0, SCHED_NONE, 0));
	assert_int_equal(s.nr_slices, 0);
}

/* --- distributions and rows ------------------------------------------------------------------------ */

static void percentiles_are_by_rank(void **state)
{
	struct dist d = { 0 }, e = { 0 };
	uint64_t log2_us[DIST_LOG2_MAX];

	(void)state;
	for (uint64_t us = 1; us <= 1000; us++)
		dist_add(&d, 5000, 5000 + us * US);
	assert_int_equal(d.nr, 1000);
	assert_int_equal(dist_average(&d), 500500);
	assert_int_equal(d.max_ns, 1000 * US);
	assert_int_equal(d.max_to_ns, 1005000);
	/* exactly 500, 990, 1000 us; buckets are off by 1/128 at most */
	assert_in_range(dist_percentile(&d, 50), 500000 - 3950, 500000 + 3950);
	assert_in_range(dist_percentile(&d, 99), 990000 - 7750, 990000 + 7750);
	assert_int_equal(dist_percentile(&d, 100), 1000000);
	/* [0]: 1; [1]: 2,3; [3]: 8..15; [9]: 512..1000 */
	assert_int_equal(dist_log2(&d, log2_us), 9);
	assert_int_equal(log2_us[0], 1);
	assert_int_equal(log2_us[1], 2);
	assert_int_equal(log2_us[3], 8);
	assert_int_equal(log2_us[9], 489);
	dist_add(&e, 0, 7);
	dist_merge(&e, &d);
	assert_int_equal(e.nr, 1001);
	assert_int_equal(dist_percentile(&e, 0), 7);
	assert_int_equal(e.max_from_ns, 5000);
	dist_release(&d);
	dist_release(&e);
	assert_int_equal(dist_percentile(&e, 50), 0);
}

static void huge_times_have_buckets(void **state)
{
	struct dist d = { 0 };

	(void)state;
	dist_add(&d, 0, UINT64_MAX);
	dist_add(&d, 3, 3);
	assert_int_equal(dist_percentile(&d, 50), 0);
	assert_true(dist_percentile(&d, 99) > UINT64_MAX / 100 * 98);
	dist_release(&d);
}

static struct sched_event named(uint32_t tid, uint32_t pid, const char *comm)
{
	struct sched_event e = about(SCHED_NAME, 0, 0, tid, 0);

	e.task_pid = pid;
	strcpy(e.comm, comm);
	return e;
}

static void rows_merge_by_name_and_pass_filters(void **state)
{
	const struct sched_event events[] = {
		named(7, 7, "a"), named(8, 7, "a"), named(9, 9, "b"),
		sw(100, 0, 7, 'S', 9), wake(SCHED_WAKEUP, 110, 0, 9, 7), sw(120, 0, 9, 'R', 7),
		about(SCHED_STAT_RUNTIME, 120, 0, 9, 19000),
		sw(130, 0, 7, 'S', 8), sw(140, 0, 8, 'R', 9), sw(150, 0, 9, 'S', 8),
	};
	struct time_range range = { 0, 125 * US };
	struct profile_query all = { 0 }, early = { .times = &range, .nr_times = 1 };
	const struct latency_row *rows;
	uint32_t nr;

	(void)state;
	for (int round = 0; round < 2; round++) {
		struct latency *l = latency_new(round ? &early : &all, false);
		struct sched_model *m = model_new(&latency_ops, l);

		for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
			model_event(m, &events[i]);
		model_end(m);
		assert_int_equal(latency_rows(l, false, "runtime", LATENCY_ALL, &rows, &nr, NULL), 0);
		assert_int_equal(nr, 2);
		/* b: charged 19 us, on a CPU 100..120 and 140..150; thrown out at 120, back at 140 */
		assert_string_equal(rows[round ? 0 : 1].comm, "b");
		assert_int_equal(rows[round ? 0 : 1].on_cpu_ns, round ? 20 * US : 30 * US);
		assert_int_equal(latency_runtime(&rows[round ? 0 : 1]), 19000);
		assert_int_equal(rows[round ? 0 : 1].preempt.nr, round ? 0 : 1);
		if (!round) {
			/* a: 7 for 10 us after a delay of 10; 8 for 10 us, first seen; 8 after 10 again */
			assert_int_equal(rows[0].nr_tasks, 2);
			assert_int_equal(rows[0].on_cpu_ns, 20 * US);
			assert_int_equal(rows[0].switches, 3);
			assert_int_equal(rows[0].unknown, 1);
			assert_int_equal(rows[0].wake.total_ns, 10 * US);
			assert_int_equal(rows[0].preempt.total_ns, 10 * US);
			assert_int_equal(rows[0].all.nr, 2);
			assert_int_equal(rows[1].preempt.total_ns, 20 * US);
		} else {
			/* the slice of 7 from 120 on is cut at 125 */
			assert_int_equal(rows[1].on_cpu_ns, 5 * US);
		}
		assert_int_equal(latency_rows(l, true, NULL, LATENCY_WAKE, &rows, &nr, NULL), 0);
		assert_int_equal(rows[0].tid, 7);
		assert_true(latency_rows(l, true, "size", LATENCY_ALL, &rows, &nr, NULL) < 0);
		latency_free(l);
		model_free(m);
	}
}

static void those_that_ended_are_merged_as_they_go(void **state)
{
	const struct sched_event events[] = {
		named(7, 7, "a"), sw(100, 0, 0, 'R', 7), sw(110, 0, 7, 'Z', 0),
		named(8, 8, "a"), wake(SCHED_WAKEUP, 120, 0, 0, 8), sw(130, 0, 0, 'R', 8),
		sw(150, 0, 8, 'X', 0), named(9, 9, "a"), wake(SCHED_WAKEUP, 160, 0, 0, 9),
		sw(165, 0, 0, 'R', 9), sw(170, 0, 9, 'S', 0),
	};
	const struct latency_row *rows;
	uint32_t nr;

	(void)state;
	for (int merge = 0; merge < 2; merge++) {
		struct latency *l = latency_new(NULL, merge);
		struct sched_model *m = model_new(&latency_ops, l);

		for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
			model_event(m, &events[i]);
		model_end(m);
		assert_int_equal(latency_rows(l, false, NULL, LATENCY_ALL, &rows, &nr, NULL), 0);
		assert_int_equal(nr, 1);
		assert_int_equal(rows[0].nr_tasks, 3);
		assert_int_equal(rows[0].on_cpu_ns, 35 * US);
		assert_int_equal(rows[0].switches, 3);
		assert_int_equal(rows[0].unknown, 1);
		assert_int_equal(rows[0].wake.nr, 2);
		assert_int_equal(rows[0].wake.total_ns, 15 * US);
		latency_free(l);
		model_free(m);
	}
}

/* So many tasks, one after the other: made, twenty times on a CPU after delays, and ended. */
static size_t taken_by_tasks(uint32_t nr_tasks, bool by_task)
{
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd, taken;
	struct latency *l = latency_new(NULL, !by_task);
	struct sched_model *m = model_new(&latency_ops, l);
	const struct latency_row *rows;
	uint64_t us = 1000;
	uint32_t nr;

	for (uint32_t tid = 100; tid < 100 + nr_tasks; tid++) {
		struct sched_event fork = about(SCHED_FORK, us, 0, tid, 0);

		strcpy(fork.comm, "cc1");
		model_event(m, &fork);
		for (unsigned i = 1; i <= 20; i++, us += 100) {
			struct sched_event events[] = {
				wake(i > 1 ? SCHED_WAKEUP : SCHED_WAKEUP_NEW, us, 0, 7, tid),
				sw(us + i, 0, 0, 'R', tid), sw(us + 90, 0, tid, i < 20 ? 'S' : 'Z', 0),
			};

			for (unsigned e = 0; e < 3; e++)
				model_event(m, &events[e]);
		}
	}
	model_end(m);
	assert_int_equal(latency_rows(l, by_task, NULL, LATENCY_ALL, &rows, &nr, NULL), 0);
	assert_int_equal(nr, by_task ? nr_tasks : 1);
	assert_int_equal(rows[0].nr_tasks, by_task ? 1 : nr_tasks);
	assert_int_equal(rows[0].wake.nr, by_task ? 20 : 20 * nr_tasks);
	assert_int_equal(dist_percentile(&rows[0].wake, 100), 20 * US);
	taken = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	latency_free(l);
	model_free(m);
	return taken;
}

static void a_task_that_ended_takes_its_row_alone(void **state)
{
	(void)state;
	/* of an allocator that does not tell (a sanitizer's) */
	if (mallinfo2().uordblks + mallinfo2().hblkhd == 0)
		skip();
	for (int by_task = 0; by_task < 2; by_task++) {
		size_t few = taken_by_tasks(2000, by_task), many = taken_by_tasks(20000, by_task);
		size_t each = (many - few) / 18000;

		print_message("%zu bytes for 2000 tasks, %zu for 20000: %zu each\n", few, many, each);
		/* merged, what is left is who had its tid; else a row, and 20 delays, twice */
		assert_true(many >= few && each <= (by_task ? 640 : 12));
	}
}

/* A tid comes back after the one that had it was forgotten; and one that runs is not forgotten. */
static void one_that_was_forgotten_does_not_come_back(void **state)
{
	const struct sched_event events[] = {
		named(7, 7, "a"), sw(100, 0, 0, 'R', 7), sw(110, 0, 7, 'Z', 0),
		/* its struct is another's now, and its tid too, without a fork that was seen */
		named(8, 8, "b"), wake(SCHED_WAKEUP, 120, 0, 0, 8), sw(130, 0, 0, 'R', 8),
		wake(SCHED_WAKEUP, 135, 1, 0, 7), sw(140, 1, 0, 'R', 7), sw(145, 1, 7, 'S', 0),
		/* 8's tid is given to another while it runs: its switch was lost */
		about(SCHED_FORK, 5000, 0, 8, 0), named(8, 18, "c"), wake(SCHED_WAKEUP_NEW, 5001, 1, 0, 8),
		sw(5003, 1, 0, 'R', 8), sw(5010, 1, 8, 'X', 0),
	};
	struct latency *l = latency_new(NULL, false);
	struct sched_model *m = model_new(&latency_ops, l);
	const struct latency_row *rows;
	uint32_t nr;

	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		model_event(m, &events[i]);
	model_end(m);
	assert_int_equal(model_account(m)->reused, 2);
	assert_int_equal(latency_rows(l, true, "runtime", LATENCY_ALL, &rows, &nr, NULL), 0);
	assert_int_equal(nr, 4);
	/* 10 us of the first 7; 7 of "c"; 5 of the second 7; "b" ran and was not seen to leave */
	assert_string_equal(rows[0].comm, "a");
	assert_int_equal(rows[0].on_cpu_ns, 10 * US);
	assert_string_equal(rows[1].comm, "c");
	assert_int_equal(rows[1].on_cpu_ns, 7 * US);
	assert_int_equal(rows[1].wake.total_ns, 2 * US);
	assert_string_equal(rows[2].comm, "");
	assert_int_equal(rows[2].tid, 7);
	assert_int_equal(rows[2].wake.total_ns, 5 * US);
	assert_string_equal(rows[3].comm, "b");
	assert_int_equal(rows[3].wake.total_ns, 10 * US);
	latency_free(l);
	model_free(m);
}

/* From the list of few to the span of many, with counts that a list has no room for. */
static void a_dist_grows_from_list_to_span(void **state)
{
	struct dist d = { 0 }, few = { 0 }, sum = { 0 };
	uint64_t log2_us[DIST_LOG2_MAX];

	(void)state;
	for (unsigned i = 0; i < 1048577; i++)
		dist_add(&d, 0, 50 * US);
	assert_in_range(dist_percentile(&d, 50), 49600, 50000);
	for (uint64_t us = 1000; us > 0; us--)
		dist_add(&d, 0, us * US * 1000);
	assert_int_equal(d.nr, 1049577);
	assert_int_equal(dist_log2(&d, log2_us), 19);
	assert_int_equal(log2_us[5], 1048577);           /* 32 to 63 us */
	assert_int_equal(log2_us[19], 1000 - 524);       /* from 524.288 ms on */
	dist_add(&few, 7, 9);
	dist_add(&few, 7, 7 + UINT64_C(9000000000));
	dist_merge(&sum, &few);
	dist_merge(&sum, &d);
	dist_merge(&sum, &few);
	assert_int_equal(sum.nr, 1049581);
	assert_int_equal(sum.total_ns, d.total_ns + 2 * few.total_ns);
	assert_int_equal(dist_log2(&sum, log2_us), 23);
	assert_int_equal(log2_us[0], 2);
	assert_int_equal(log2_us[5], 1048577);
	assert_int_equal(log2_us[23], 2);
	assert_int_equal(dist_percentile(&sum, 100), UINT64_C(9000000000));
	assert_int_equal(dist_percentile(&sum, 0), 2);
	dist_release(&d);
	dist_release(&few);
	dist_release(&sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delay_is_from_wake_up_to_switch),
		cmocka_unit_test(without_sched_wakeup_it_is_from_sched_waking),
		cmocka_unit_test(being_thrown_out_is_a_delay_too),
		cmocka_unit_test(a_task_woken_on_its_way_out_is_ready_from_its_switch_on),
		cmocka_unit_test(a_wake_up_of_one_that_runs_changes_nothing),
		cmocka_unit_test(a_new_task_waits_from_its_first_wake_up),
		cmocka_unit_test(interrupts_are_told_from_those_who_only_ran),
		cmocka_unit_test(an_idle_cpu_wakes_by_interrupt),
		cmocka_unit_test(a_missing_wake_up_gives_no_delay),
		cmocka_unit_test(a_loss_makes_doubtful_what_it_touches),
		cmocka_unit_test(switches_that_do_not_follow_are_counted),
		cmocka_unit_test(one_that_comes_elsewhere_has_left_unseen),
		cmocka_unit_test(a_clock_that_goes_back_gives_no_figure),
		cmocka_unit_test(what_runs_at_the_end_is_open),
		cmocka_unit_test(a_number_used_again_is_another_task),
		cmocka_unit_test(idle_is_a_task_of_each_cpu),
		cmocka_unit_test(absurd_events_do_no_harm),
		cmocka_unit_test(percentiles_are_by_rank),
		cmocka_unit_test(huge_times_have_buckets),
		cmocka_unit_test(rows_merge_by_name_and_pass_filters),
		cmocka_unit_test(those_that_ended_are_merged_as_they_go),
		cmocka_unit_test(a_task_that_ended_takes_its_row_alone),
		cmocka_unit_test(one_that_was_forgotten_does_not_come_back),
		cmocka_unit_test(a_dist_grows_from_list_to_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
