/* SPDX-License-Identifier: MIT */
/* What sonde top counts. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "cmd/top_priv.h"

/* How much of what was counted is left after each look: perf top's decay. */
#define FADE_PART 7
#define FADE_OF 8
/* What ended so long before the last look's latest sample will not be sampled in this one. */
#define FORGET_AFTER_NS (2ull * 1000000000)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static struct profile_query query_of(struct top *t)
{
	struct profile_query q = {
		.symbols = { .vmlinux = t->query.vmlinux, .kallsyms = t->query.kallsyms, .jit_code = true },
		.max_stack = t->query.max_stack,
		/* annotation wants addresses; without chains they cost little */
		.by = report_dims(&t->view) | PROFILE_BY_ADDR,
		.nr_extras = report_extras(&t->view, t->extras),
		.extra_list = t->extras,
		.ignore_callees = t->ignore_callees ? &t->callees : NULL,
		.branches = t->wish.branches,
		.lasting = true,
	};

	/* the screen filters by threads, whatever the keys are */
	q.by |= PROFILE_BY_COMM | PROFILE_BY_TID | PROFILE_BY_PID;
	if (t->ignore_callees)
		q.by |= PROFILE_BY_STACK;
	return q;
}

int top_begin(struct top *t, struct err *err)
{
	struct profile_query query = query_of(t);
	struct perf_data *data;
	int r = live_open(&t->live, &t->s.o, &t->s.events, err);

	if (!r)
		r = live_take(t->live, &data, err);
	if (!r)
		r = profile_load(&t->profile, data, &query, err);
	t->taken_ns = now_ns();
	return r;
}

static uint64_t lost(const struct profile_account *a)
{
	return a->lost_events > a->lost_samples ? a->lost_events : a->lost_samples;
}

static uint64_t kernel_period(const struct profile *p, uint64_t *all)
{
	uint64_t kernel = 0;

	*all = 0;
	for (size_t i = 0; i < p->nr_entries; i++) {
		kernel += p->entries[i].period_kernel;
		*all += p->entries[i].period;
	}
	return kernel;
}

int top_step(struct top *t, struct err *err)
{
	struct profile_account before = t->profile->account;
	uint64_t last = before.last_ns, now, kernel, all;
	struct perf_data *data;
	int r = live_take(t->live, &data, err);

	if (r < 0)
		return r;
	profile_fade(t->profile, t->zero ? 0 : FADE_PART, FADE_OF);
	r = profile_add(t->profile, data, last > FORGET_AFTER_NS ? last - FORGET_AFTER_NS : 0, err);
	if (r < 0)
		return r;
	now = now_ns();
	t->seconds = (double)(now - t->taken_ns) / 1e9;
	t->taken_ns = now;
	t->samples = t->profile->account.samples - before.samples;
	t->lost = lost(&t->profile->account);
	kernel = kernel_period(t->profile, &all);
	t->kernel_percent = all ? 100.0 * (double)kernel / (double)all : 0;
	return 0;
}

void top_end(struct top *t)
{
	live_close(t->live);
	profile_free(t->profile);
}

static void add_event(const struct top *t, struct str *out)
{
	const struct event *e = &t->s.events.v[0];

	str_addc(out, '[');
	if (e->attr.freq)
		str_addf(out, "%" PRIu64 " Hz ", (uint64_t)e->attr.sample_freq);
	else
		str_addf(out, "each %" PRIu64 " of ", (uint64_t)e->attr.sample_period);
	str_add(out, e->name);
	/* the last one carries what is no sample */
	if (t->s.events.nr > 2)
		str_addf(out, " and %u more", t->s.events.nr - 2);
	str_addc(out, ']');
}

void top_add_head(const struct top *t, struct str *out)
{
	const struct target *target = &t->s.o.target;

	str_addf(out, "%.0f samples/s  kernel %.1f%%  lost %" PRIu64 "  ",
		 t->seconds > 0 ? (double)t->samples / t->seconds : 0, t->kernel_percent, t->lost);
	add_event(t, out);
	if (target->pids)
		str_addf(out, "  (process %s)", target->pids);
	else if (target->tids)
		str_addf(out, "  (thread %s)", target->tids);
	else if (target->user)
		str_addf(out, "  (user %s)", target->user);
	else if (target->cpus)
		str_addf(out, "  (CPUs %s)", target->cpus);
	else
		str_add(out, "  (all)");
}
