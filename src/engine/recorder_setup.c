/* SPDX-License-Identifier: MIT */
/* A recording's beginning: see recorder.h for the order of things. */
#include "engine/recorder_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/cgroup.h"
#include "engine/host.h"
#include "engine/rights.h"
#include "engine/synth.h"
#include "engine/tracefs.h"
#include "engine/tracing.h"

uint64_t recorder_default_ring(uint32_t nr_cpus, bool stacks)
{
	const uint64_t least = 512u << 10, in_all = 128u << 20;
	/*
	 * A sample with its stack is up to 64 KB: at 999 Hz half of 32 MB is a quarter of a second,
	 * which is how long a busy machine may keep us waiting. A write to a busy disk may take
	 * seconds: 2 MB, filled in three of them by what a compile maps and forks, were too little.
	 */
	const uint64_t most = stacks ? 32u << 20 : 8u << 20;
	int64_t kb = read_number("/proc/sys/kernel/perf_event_mlock_kb", 516);
	uint64_t bytes = least;

	/* Without privilege: what mmap gives before it counts against ulimit -l. */
	if (geteuid() != 0) {
		while (bytes > (uint64_t)sysconf(_SC_PAGESIZE) &&
		       bytes + (uint64_t)sysconf(_SC_PAGESIZE) > (uint64_t)kb << 10)
			bytes /= 2;
		return bytes;
	}
	for (bytes = most; bytes > least && bytes * nr_cpus > in_all;)
		bytes /= 2;
	return bytes;
}

/* --- before: events ----------------------------------------------------------- */

/*
 * Side-band records have an event of their own unless one event of a command
 * does: sampling starts later than they have to, is switched off and on, and on a
 * crowded PMU an event that is not scheduled reports no mappings either.
 */
static void add_tracking_event(struct recorder *r, bool command)
{
	struct event_list *l = r->events;

	if (l->nr == 1 && command && !r->o->duty.delayed && !r->o->control)
		return;
	if (l->nr == l->cap) {
		l->cap = l->nr + 1;
		l->v = mem_realloc_array(l->v, l->cap, sizeof(*l->v));
	}
	attr_make_dummy(&l->v[l->nr]);
	l->v[l->nr].leader = l->nr;
	l->nr++;
}

static int configure_events(struct recorder *r, struct attr_options *attr, struct err *err)
{
	struct event_list *l = r->events;
	bool cpu = false;
	int ret = 0;

	attr->nr_events = l->nr;
	add_tracking_event(r, attr->command);
	/* Where one event samples no record needs to say which it is of: 8 bytes less in each. */
	r->nr_described = attr->nr_events == 1 && !attr->identifier ? 1 : l->nr;
	for (uint32_t i = 0; i < l->nr; i++)
		cpu |= l->v[i].attr.type == PERF_TYPE_TRACEPOINT;
	/* All records of a file end alike, whatever event's ring they came through. */
	attr->sample_cpu |= cpu || attr->raw;
	for (uint32_t i = 0; i < l->nr && ret == 0; i++) {
		const struct event *e = &l->v[i];

		ret = attr_configure(&l->v[i], attr, i == l->nr - 1,
				     e->leader != i ? &l->v[e->leader] : NULL, err);
	}
	return ret;
}

int recorder_open_counters(struct recorder *r, struct err *err)
{
	const struct recorder_options *o = r->o;
	struct attr_options attr = o->attr;
	struct fallback fallback = { .default_event = o->default_event };
	thread_vec threads = { 0 };
	cpu_vec cpus = { 0 };
	struct utsname uts;
	uint64_t ring_bytes = o->ring_bytes;
	int ret;

	attr.command = o->command && target_is_none(&o->target);
	attr.per_cpu = target_is_cpus(&o->target);
	attr.delayed = o->duty.delayed;
	attr.overwrite = o->overwrite;
	fallback.per_cpu = attr.per_cpu && !target_is_tasks(&o->target);
	if (uname(&uts) == 0) {
		attr.user_regs = attr_user_regs(uts.machine);
		if (!attr.user_regs && attr_has_stacks(&attr))
			return err_set(err, ENOTSUP, "--call-graph %s does not know the registers of "
				       "%s; try --call-graph fp",
				       attr.callgraph == CALLGRAPH_DWARF ? "dwarf" : "unwind",
				       uts.machine);
	}
	ret = o->target.per_thread ? 0 : target_cpus(&o->target, &cpus, err);
	if (ret == 0 && attr.command)
		*vec_push(&threads) = (struct thread_id){ r->workload.pid, r->workload.pid };
	else if (ret == 0)
		ret = target_threads(&o->target, &threads, err);
	for (size_t i = 0; i < threads.nr && ret == 0 && o->target.per_thread; i++)
		*vec_push(&cpus) = -1;
	if (ret == 0) {
		if (!ring_bytes)
			ring_bytes = recorder_default_ring((uint32_t)cpus.nr,
							   attr_has_stacks(&attr));
		attr.wakeup_bytes = ring_wakeup_bytes(ring_bytes);
		ret = configure_events(r, &attr, err);
	}
	if (ret == 0) {
		ret = counters_open(&r->counters, r->events, &cpus, &threads, &fallback, ring_bytes,
				    o->ring_bytes != 0, err);
	}
	vec_release(&threads);
	vec_release(&cpus);
	/* As opened: the side-band event stands last. */
	r->has_build_ids = r->events->nr && r->events->v[r->events->nr - 1].attr.build_id;
	if (ret == 0 && o->need_build_ids && !r->has_build_ids)
		return err_set(err, ENOTSUP, "--buildid-mmap cannot be had: this kernel does not write build-ids "
			       "into MMAP2 records (Linux 5.12 does); without it they are looked up");
	return ret == 0 ? counters_filter(&r->counters, err) : ret;
}

/* --- before: the file --------------------------------------------------------- */

/*
 * In a time namespace the kernel's own clocks, which samples bear, are not those we read
 * (time_namespaces(7)): what ours are ahead.
 */
static void take_namespace_off(clockid_t id, struct timespec *ts)
{
	const char *name = id == CLOCK_BOOTTIME ? "boottime" : "monotonic";
	char line[128], word[16];
	long long s, ns;
	FILE *file;

	if (id != CLOCK_BOOTTIME && id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_RAW)
		return;
	file = fopen("/proc/self/timens_offsets", "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%15s %lld %lld", word, &s, &ns) != 3 || strcmp(word, name) != 0)
			continue;
		ts->tv_sec -= (time_t)s;
		ts->tv_nsec -= (long)ns;
		if (ts->tv_nsec < 0) {
			ts->tv_nsec += 1000000000;
			ts->tv_sec--;
		}
	}
	if (file)
		fclose(file);
}

static void set_clock_features(struct recorder *r)
{
	struct timespec res, mono, wall;
	clockid_t id = r->o->attr.clockid;
	struct str s = STR_INIT;

	if (!r->o->attr.use_clockid || clock_getres(id, &res) < 0)
		return;
	perf_put_u64(&s, (uint64_t)res.tv_sec * 1000000000u + (uint64_t)res.tv_nsec);
	perf_write_feature(r->writer, FEATURE_CLOCKID, s.p, s.len);
	str_clear(&s);
	clock_gettime(id, &mono);
	take_namespace_off(id, &mono);
	clock_gettime(CLOCK_REALTIME, &wall);
	perf_put_u32(&s, 1);             /* version of this section */
	perf_put_u32(&s, (uint32_t)id);
	perf_put_u64(&s, (uint64_t)wall.tv_sec * 1000000000u + (uint64_t)wall.tv_nsec);
	perf_put_u64(&s, (uint64_t)mono.tv_sec * 1000000000u + (uint64_t)mono.tv_nsec);
	perf_write_feature(r->writer, FEATURE_CLOCK_DATA, s.p, s.len);
	str_release(&s);
}

static void set_group_feature(struct recorder *r)
{
	struct str s = STR_INIT, groups = STR_INIT;
	uint32_t nr = 0;

	for (uint32_t i = 0; i < r->events->nr; i++) {
		uint32_t members = 0;

		for (uint32_t j = 0; j < r->events->nr; j++)
			members += r->events->v[j].leader == i;
		if (members < 2)
			continue;
		perf_put_string(&groups, "{anon_group}");
		perf_put_u32(&groups, i);
		perf_put_u32(&groups, members);
		nr++;
	}
	perf_put_u32(&s, nr);
	str_addn(&s, groups.p, groups.len);
	if (nr)
		perf_write_feature(r->writer, FEATURE_GROUP_DESC, s.p, s.len);
	str_release(&groups);
	str_release(&s);
}

int recorder_read_tracing(struct recorder *r, struct str *out, struct err *err)
{
	const char *tracefs;
	bool any = false;

	for (uint32_t i = 0; i < r->events->nr; i++)
		any |= r->events->v[i].attr.type == PERF_TYPE_TRACEPOINT;
	if (!any)
		return 0;
	tracefs = tracefs_dir(NULL, err);
	if (!tracefs)
		return -ENOENT;
	return tracing_data(r->events, tracefs, out, err);
}

static int write_events(struct recorder *r, struct err *err)
{
	uint32_t nr = r->nr_described;
	struct perf_write_event *events = mem_zalloc(nr * sizeof(*events));
	struct perf_event_attr *attrs = mem_zalloc(nr * sizeof(*attrs));
	uint64_t **ids = mem_zalloc(nr * sizeof(*ids));
	int ret;

	for (uint32_t i = 0; i < nr; i++) {
		const struct event *e = &r->events->v[i];

		ids[i] = counters_ids(&r->counters, i, &events[i].nr_ids);
		events[i].ids = ids[i];
		/* The user's part of the chain will be there: those who read it shall believe it. */
		attrs[i] = e->attr;
		if (r->o->attr.callgraph == CALLGRAPH_UNWIND &&
		    (e->attr.sample_type & PERF_SAMPLE_STACK_USER))
			attrs[i].exclude_callchain_user = 0;
		events[i].attr = &attrs[i];
		events[i].name = e->name;
		events[i].unit = e->unit;
		events[i].scale = e->scale ? e->scale : 1.0;
	}
	ret = perf_write_start(r->writer, events, nr, err);
	for (uint32_t i = 0; i < nr; i++)
		free(ids[i]);
	free(ids);
	free(attrs);
	free(events);
	return ret;
}

int recorder_compress(const struct recorder *r, struct perf_write *writer, struct err *err)
{
	const uint64_t ring = r->counters.ring_bytes, least = RECORDER_BATCH_BYTES;

	if (!r->o->compress_level)
		return 0;
	return perf_write_compress(writer, r->o->compress_level, ring > least ? ring : least, err);
}

int recorder_start_writer(struct recorder *r, int fd, bool is_pipe, const char *path,
			  const struct str *tracing, struct err *err)
{
	const struct recorder_options *o = r->o;
	int ret;

	r->writer = perf_write_new(fd, is_pipe, path);
	if (tracing->len)
		perf_write_feature(r->writer, FEATURE_TRACING_DATA, tracing->p, tracing->len);
	ret = recorder_compress(r, r->writer, err);
	if (ret < 0)
		return ret;
	if (r->crew)
		perf_write_expect_parts(r->writer);
	host_features(r->writer, o->version, o->argv);
	set_group_feature(r);
	set_clock_features(r);
	if (o->attr.branch_type)
		perf_write_feature(r->writer, FEATURE_BRANCH_STACK, "", 0);
	return write_events(r, err);
}

int recorder_open_writer(struct recorder *r, struct err *err)
{
	const char *path = strcmp(r->o->output, "-") == 0 ? "standard output" : r->o->output;
	const bool threads = r->o->threads.kind != MASKS_NONE;
	struct str tracing = STR_INIT;
	int ret = recorder_read_tracing(r, &tracing, err);

	if (ret == 0 && threads)
		ret = recorder_open_crew(r, err);
	if (ret == 0)
		ret = (threads ? output_open_parts : output_open)(&r->output, r->o->output, err);
	if (ret == 0) {
		ret = recorder_start_writer(r, r->output.fd, r->output.is_pipe, path, &tracing, err);
		if (ret == 0 && threads)
			ret = recorder_open_parts(r, err);
		r->result->written = ret == 0;
		if (ret == 0 && r->o->compress_level && !threads)
			perf_write_threaded(r->writer);
	}
	str_release(&tracing);
	return ret;
}

/* --- before: what is there already -------------------------------------------- */

static int take_synthesized(void *arg, const void *record, size_t size, struct err *err)
{
	struct recorder *r = arg;

	if (r->keep)
		keep_note(r->keep, record);
	if (r->stacks)
		stacks_take(r->stacks, record);
	return perf_write_records(r->writer, record, size, err);
}

/* The unwinder has known these all along, but not where the rings were not looked into. */
static int take_synthesized_again(void *arg, const void *record, size_t size, struct err *err)
{
	struct recorder *r = arg;

	if (r->keep)
		keep_note(r->keep, record);
	if (r->stacks && r->o->overwrite)
		stacks_take(r->stacks, record);
	return perf_write_records(r->writer, record, size, err);
}

static int write_marker(struct recorder *r, uint32_t type, struct err *err)
{
	struct perf_event_header header = { .type = type, .size = sizeof(header) };

	return perf_write_records(r->writer, &header, sizeof(header), err);
}

/* Those who are watched and live, by the FORK records that came. */
static int synthesize_kin(struct recorder *r, const struct synth *s, struct err *err)
{
	const struct map64_slot *slot;
	struct map64 alive = { 0 };
	int ret = 0;

	for (size_t i = 0; ret == 0 && (slot = map64_next(&r->kin, &i));) {
		thread_vec threads = { 0 };

		if (task_threads((pid_t)slot->key, &threads) == 0) {
			map64_put(&alive, slot->key, NULL);
			ret = synth_threads(s, threads.v, threads.nr, err);
		}
		vec_release(&threads);
	}
	map64_release(&r->kin);
	r->kin = alive;
	return ret;
}

static bool samples_kernel(const struct recorder *r)
{
	for (uint32_t i = 0; i + 1 < r->events->nr || i == 0; i++)
		if (!r->events->v[i].attr.exclude_kernel)
			return true;
	return false;
}

/* What will have no names for want of rights. Once: a switched output asks again. */
static void say_hidden(struct recorder *r, uint32_t closed, bool kernel_hidden)
{
	char grant[96];

	if (r->said_hidden)
		return;
	r->said_hidden = true;
	/* with the capability it is a security module that keeps them closed, which no grant opens */
	if (closed && !rights_hold(CAP_SYS_PTRACE))
		log_note("other users' processes (%" PRIu32 ") do not show what they have mapped: their code "
			 "will have no names; `sudo setcap cap_perfmon,cap_sys_ptrace+ep "
			 "$(command -v sonde)` lets sonde look", closed);
	if (kernel_hidden && samples_kernel(r)) {
		rights_kallsyms_grant(grant);
		log_note("the kernel hides its addresses (/proc/kallsyms): its code will have no names; `%s` "
			 "shows them", grant);
	}
}

static int synthesize_tasks(struct recorder *r, const struct synth *s, bool again, struct err *err)
{
	const struct target *target = &r->o->target;

	if (r->o->without & WITHOUT_TASKS)
		return 0;
	if (target_is_cpus(target) || (again && r->o->overwrite))
		return synth_all_tasks(s, err);
	if (again)
		return synthesize_kin(r, s, err);
	if (target_is_tasks(target))
		return synth_threads(s, r->counters.threads.v, r->counters.threads.nr, err);
	return 0;
}

static int synthesize_cgroups(struct recorder *r, const struct synth *s, struct err *err)
{
	char mount[1024];

	if (r->o->without & WITHOUT_CGROUPS || !(r->o->attr.cgroups || r->o->with_cgroups) ||
	    !cgroup_mount(mount, sizeof(mount)))
		return 0;
	return synth_cgroups(s, mount, err);
}

static int synthesize(struct recorder *r, bool again, struct err *err)
{
	uint32_t closed = 0, late = 0;
	bool kernel_hidden = false;
	const struct perf_event_attr *tracking = &r->events->v[r->events->nr - 1].attr;
	struct synth s = {
		.sink = again ? take_synthesized_again : take_synthesized,
		.arg = r,
		.buildids = r->buildids,
		.sample_type = r->events->v[0].attr.sample_type,
		.mmap_data = tracking->mmap_data,
		.build_ids = tracking->build_id,
		.proc = "/proc",
		.closed = &closed,
		.kernel_hidden = &kernel_hidden,
		.no_maps = (r->o->without & WITHOUT_MAPS) != 0,
		.map_ms = r->o->map_ms,
		.cut = &late,
	};
	int ret;

	/* First what may go while we look. */
	ret = synthesize_tasks(r, &s, again, err);
	if (ret == 0)
		ret = synthesize_cgroups(r, &s, err);
	if (ret == 0)
		ret = synth_kernel(&s, err);
	if (ret == 0 && tracking->bpf_event)
		ret = synth_bpf(&s, err);
	if (late)
		log_note("--proc-map-timeout: of %" PRIu32 " processes not all that they have mapped was read "
			 "in time; code in the rest has no names", late);
	if (ret == 0)
		say_hidden(r, closed, kernel_hidden);
	return ret < 0 ? ret : write_marker(r, RECORD_FINISHED_INIT, err);
}

int recorder_synthesize(struct recorder *r, struct err *err)
{
	r->follow = (r->o->next_file.on || r->o->next_file.bytes || r->o->next_file.ms) &&
		    !r->o->overwrite && !target_is_cpus(&r->o->target);
	for (size_t i = 0; i < r->counters.threads.nr && r->follow; i++)
		map64_put(&r->kin, (uint64_t)r->counters.threads.v[i].pid, NULL);
	/* What the latest are about is looked up when they are written. */
	return r->o->overwrite ? 0 : synthesize(r, false, err);
}

int recorder_synthesize_again(struct recorder *r, struct err *err)
{
	return synthesize(r, true, err);
}
