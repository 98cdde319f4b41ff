/* SPDX-License-Identifier: MIT */
#include "cmd/sampling.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "engine/frames.h"

#define DEFAULT_FREQ 4000
#define MAX_RATE "/proc/sys/kernel/perf_event_max_sample_rate"

static int64_t max_rate(void)
{
	return read_number(MAX_RATE, 0);
}

int sampling_take_event(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct sampling *s = opt->value;

	if (unset)
		return err_set(err, EINVAL, "there is no --no-event");
	return event_parse(&s->events, arg, NULL, err);
}

int sampling_take_filter(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct sampling *s = opt->value;

	if (unset)
		return err_set(err, EINVAL, "there is no --no-filter");
	if (!s->events.nr)
		return err_set(err, EINVAL, "--filter '%s' stands before any -e; it belongs behind the "
			       "tracepoint that it filters", arg);
	return event_filter(&s->events, arg, NULL, err);
}

int sampling_take_freq(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct sampling *s = opt->value;
	int64_t most = max_rate();
	uint64_t freq;

	if (unset)
		return err_set(err, EINVAL, "there is no --no-freq");
	if (strcmp(arg, "max") == 0) {
		if (most <= 0)
			return err_set(err, EINVAL, "-F max: cannot read " MAX_RATE);
		freq = (uint64_t)most;
	} else if (str_u64(arg, &freq) < 0 || !freq) {
		return err_set(err, EINVAL, "-F takes samples per second, such as 99, or max, not '%s'",
			       arg);
	}
	if (most > 0 && freq > (uint64_t)most)
		return err_set(err, EINVAL, "-F %" PRIu64 " is above this machine's limit of %" PRId64
			       " samples per second (sysctl kernel.perf_event_max_sample_rate); "
			       "try -F max", freq, most);
	s->o.attr.freq = freq;
	s->given_freq = true;
	return 0;
}

int sampling_take_callgraph(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct sampling *s = opt->value;

	if (unset) {
		s->o.attr.callgraph = CALLGRAPH_NONE;
		return 0;
	}
	return attr_parse_callgraph(arg, &s->o.attr, err);
}

int sampling_take_branches(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct sampling *s = opt->value;

	if (unset)
		return err_set(err, EINVAL, "there is no --no-branch-filter");
	return attr_parse_branches(arg, &s->o.attr, err);
}

/* -m: pages, or a size with a unit; the kernel takes powers of two. */
int sampling_take_ring(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct sampling *s = opt->value;
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE), n, bytes;
	bool is_size;

	if (unset || strchr(arg, ','))
		return err_set(err, EINVAL, "-m takes one size: AUX areas (the part behind a comma) are "
			       "not recorded");
	if (str_size(arg, &n, &is_size) < 0 || !n || n > 1ull << 32)
		return err_set(err, EINVAL, "-m takes a number of pages or a size such as 4M, not '%s'",
			       arg);
	n = is_size ? n : n * page_size;
	for (bytes = page_size; bytes < n; bytes *= 2)
		;
	if (bytes != n)
		log_note("rings have to be a power of two: -m %s is taken as %" PRIu64 " KB", arg,
			 bytes >> 10);
	s->o.ring_bytes = bytes;
	return 0;
}

int sampling_take_realtime(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct sampling *s = opt->value;
	uint64_t priority = 0;

	if (!unset && (str_u64(arg, &priority) < 0 || priority < 1 || priority > 99))
		return err_set(err, EINVAL, "-r takes a priority from 1 to 99, not '%s'", arg);
	s->o.realtime = (int)priority;
	return 0;
}

int sampling_settle(struct sampling *s, struct err *err)
{
	struct recorder_options *o = &s->o;
	int64_t most = max_rate();

	if (s->given_freq && s->given_period)
		return err_set(err, EINVAL, "-F and -c exclude each other; give one of them");
	if (s->given_period && !s->period)
		return err_set(err, EINVAL, "-c 0 would never sample; give 1 or more");
	o->attr.period = s->given_period ? s->period : 0;
	o->attr.default_freq = DEFAULT_FREQ;
	if (most > 0 && most < DEFAULT_FREQ) {
		o->attr.default_freq = (uint64_t)most;
		if (!s->given_freq && !s->given_period)
			log_note("sampling at %" PRId64 " Hz, this machine's limit "
				 "(kernel.perf_event_max_sample_rate)", most);
	}
	if (s->graph && o->attr.callgraph == CALLGRAPH_NONE)
		o->attr.callgraph = CALLGRAPH_FP;
	if (s->any_branch && !o->attr.branch_type)
		o->attr.branch_type = PERF_SAMPLE_BRANCH_ANY;
	o->attr.inherit = !s->no_inherit;
	return 0;
}

int sampling_choose(struct sampling *s, struct err *err)
{
	struct recorder_options *o = &s->o;

	target_settle(&o->target);
	/* Nothing named: everything, until Ctrl-C. */
	if (!o->command && target_is_none(&o->target))
		o->target.all_cpus = true;
	if (o->attr.callgraph == CALLGRAPH_AUTO)
		o->attr.callgraph = frames_choose(&o->target, o->command);
	o->default_event = !s->events.nr;
	return o->default_event ? event_parse(&s->events, "cycles:P", NULL, err) : 0;
}
