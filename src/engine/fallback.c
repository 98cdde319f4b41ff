/* SPDX-License-Identifier: MIT */
#include "engine/fallback.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/rights.h"
#include "engine/target.h"

/*
 * Bits that older kernels do not know, newest first: a kernel that lacks one
 * lacks all above it.  What the user asked for is not dropped but told.
 */
static const struct lately {
	const char *what;                /* for -v */
	const char *asked;               /* the option that wants it; NULL: we do */
	uint64_t sample_type, branch_type, read_format;
	enum { BIT_NONE, BIT_BUILD_ID, BIT_CGROUP, BIT_KSYMBOL, BIT_BPF, BIT_NAMESPACES,
	       BIT_CLOCKID, BIT_COMM_EXEC, BIT_MMAP2, BIT_EXCLUDE_GUEST } bit;
} lately[] = {
	{ "lost samples by event (Linux 6.0)", .read_format = PERF_FORMAT_LOST },
	{ "build-ids in MMAP2 (Linux 5.12)", .bit = BIT_BUILD_ID },
	{ "split weights (Linux 5.12)", .sample_type = PERF_SAMPLE_WEIGHT_STRUCT },
	{ "code page sizes (Linux 5.11)", "--code-page-size",
	  .sample_type = PERF_SAMPLE_CODE_PAGE_SIZE },
	{ "data page sizes (Linux 5.11)", "--data-page-size",
	  .sample_type = PERF_SAMPLE_DATA_PAGE_SIZE },
	{ "cgroups (Linux 5.7)", "--all-cgroups", .sample_type = PERF_SAMPLE_CGROUP,
	  .bit = BIT_CGROUP },
	{ "branch record indices (Linux 5.7)", .branch_type = PERF_SAMPLE_BRANCH_HW_INDEX },
	{ "BPF programs (Linux 5.1)", .bit = BIT_BPF },
	{ "kernel symbols that come and go (Linux 5.1)", .bit = BIT_KSYMBOL },
	{ "physical addresses (Linux 4.14)", "--phys-data",
	  .sample_type = PERF_SAMPLE_PHYS_ADDR },
	{ "namespaces (Linux 4.12)", "--namespaces", .bit = BIT_NAMESPACES },
	{ "a choice of clocks (Linux 4.1)", "--clockid", .bit = BIT_CLOCKID },
	{ "registers at the interrupt (Linux 3.19)", "-I", .sample_type = PERF_SAMPLE_REGS_INTR },
	{ "the mark of exec in COMM (Linux 3.16)", .bit = BIT_COMM_EXEC },
	{ "MMAP2 (Linux 3.12)", .bit = BIT_MMAP2 },
	{ "keeping guests out", .bit = BIT_EXCLUDE_GUEST },
};

#define NR_LATELY (sizeof(lately) / sizeof(*lately))

static bool has_bit(const struct perf_event_attr *attr, int bit)
{
	switch (bit) {
	case BIT_BUILD_ID: return attr->build_id;
	case BIT_CGROUP: return attr->cgroup;
	case BIT_KSYMBOL: return attr->ksymbol;
	case BIT_BPF: return attr->bpf_event;
	case BIT_NAMESPACES: return attr->namespaces;
	case BIT_CLOCKID: return attr->use_clockid;
	case BIT_COMM_EXEC: return attr->comm_exec;
	case BIT_MMAP2: return attr->mmap2;
	case BIT_EXCLUDE_GUEST: return attr->exclude_guest;
	default: return false;
	}
}

static void drop_bit(struct perf_event_attr *attr, int bit)
{
	switch (bit) {
	case BIT_BUILD_ID: attr->build_id = 0; break;
	case BIT_CGROUP: attr->cgroup = 0; break;
	case BIT_KSYMBOL: attr->ksymbol = 0; break;
	case BIT_BPF: attr->bpf_event = 0; break;
	case BIT_NAMESPACES: attr->namespaces = 0; break;
	case BIT_CLOCKID: attr->use_clockid = 0; attr->clockid = 0; break;
	case BIT_COMM_EXEC: attr->comm_exec = 0; break;
	case BIT_MMAP2: attr->mmap2 = 0; break;
	case BIT_EXCLUDE_GUEST: attr->exclude_guest = 0; break;
	}
}

static bool uses(const struct perf_event_attr *attr, const struct lately *l)
{
	return (attr->sample_type & l->sample_type) || (attr->read_format & l->read_format) ||
	       (attr->branch_sample_type & l->branch_type) || has_bit(attr, l->bit);
}

static void drop(struct perf_event_attr *attr, const struct lately *l)
{
	if (attr->sample_type & l->sample_type & PERF_SAMPLE_WEIGHT_STRUCT)
		attr->sample_type |= PERF_SAMPLE_WEIGHT;
	attr->sample_type &= ~l->sample_type;
	attr->read_format &= ~l->read_format;
	attr->branch_sample_type &= ~l->branch_type;
	drop_bit(attr, l->bit);
}

/* 1: dropped the newest of what is still used; 0: nothing left to drop. */
static int drop_newest(struct fallback *f, struct event_list *events, uint32_t index)
{
	for (; f->dropped < NR_LATELY; f->dropped++) {
		const struct lately *l = &lately[f->dropped];

		if (l->asked || !uses(&events->v[index].attr, l))
			continue;
		for (uint32_t i = 0; i < events->nr; i++)
			drop(&events->v[i].attr, l);
		log_info("trying without %s", l->what);
		f->dropped++;
		return 1;
	}
	return 0;
}

static const char *asked_for(const struct perf_event_attr *attr)
{
	for (size_t i = 0; i < NR_LATELY; i++)
		if (lately[i].asked && uses(attr, &lately[i]))
			return lately[i].asked;
	return NULL;
}

static bool is_hardware(const struct perf_event_attr *attr)
{
	return attr->type == PERF_TYPE_HARDWARE || attr->type == PERF_TYPE_HW_CACHE ||
	       attr->type == PERF_TYPE_RAW;
}

/* CPU PMUs are the ones that name their CPUs or have capabilities. */
static bool machine_has_pmu(void)
{
	static const char devices[] = "/sys/bus/event_source/devices";
	struct dirent *entry;
	DIR *dir = opendir(devices);
	bool found = false;

	while (dir && (entry = readdir(dir)) && !found)
		found = strcmp(entry->d_name, "cpu") == 0 || str_starts(entry->d_name, "cpu_") ||
			str_starts(entry->d_name, "cpum_") || str_starts(entry->d_name, "armv") ||
			str_starts(entry->d_name, "apple_");
	if (dir)
		closedir(dir);
	return found;
}

static void rename_event(struct event *event, char *name)
{
	free(event->name);
	event->name = name;
}

static void to_cpu_clock(struct event *event)
{
	event->attr.type = PERF_TYPE_SOFTWARE;
	event->attr.config = PERF_COUNT_SW_CPU_CLOCK;
	event->attr.config1 = event->attr.config2 = 0;
	event->attr.precise_ip = 0;
	event->precise_max = false;
	rename_event(event, mem_strdup(event->attr.exclude_kernel ? "cpu-clock:u" : "cpu-clock"));
	free(event->pmu);
	event->pmu = mem_strdup("software");
}

static int not_here(struct fallback *f, struct event *event, uint32_t index, int code,
		    struct err *err)
{
	struct perf_event_attr *attr = &event->attr;
	bool pmu = machine_has_pmu();

	if (attr->branch_sample_type)
		return err_set(err, code,
			       "cannot open event '%s': branch records (-b, -j, --call-graph lbr) need "
			       "a hardware PMU that has them%s", event->name,
			       pmu ? "" : ", and this machine has no PMU at all");
	if (f->default_event && index == 0 && is_hardware(attr)) {
		log_note("no hardware PMU for 'cycles' (%s): sampling event 'cpu-clock' instead",
			 strerror(code));
		to_cpu_clock(event);
		f->default_event = false;
		return 1;
	}
	if (is_hardware(attr) && !pmu)
		return err_set(err, code,
			       "cannot open event '%s': this machine has no hardware PMU; "
			       "try -e cpu-clock", event->name);
	if (event->precise && attr->precise_ip)
		return err_set(err, code,
			       "cannot open event '%s': the PMU cannot sample it that precisely; "
			       "try fewer p", event->name);
	return err_set(err, code, "cannot open event '%s': the PMU cannot sample it (%s); "
		       "try -e cycles or -e cpu-clock", event->name, strerror(code));
}

static bool can_drop_kernel(const struct event_list *events)
{
	bool any = false;

	for (uint32_t i = 0; i < events->nr; i++) {
		const struct event *e = &events->v[i];

		if (e->attr.type == PERF_TYPE_TRACEPOINT)
			return false;
		if (!e->attr.exclude_kernel && e->modifiers_given)
			return false;
		any |= !e->attr.exclude_kernel;
	}
	return any;
}

static void drop_kernel(struct event_list *events)
{
	for (uint32_t i = 0; i < events->nr; i++) {
		struct event *e = &events->v[i];
		struct str name = STR_INIT;

		if (e->attr.exclude_kernel)
			continue;
		e->attr.exclude_kernel = 1;
		e->attr.exclude_hv = 1;
		if (e->attr.type == PERF_TYPE_SOFTWARE && e->attr.config == PERF_COUNT_SW_DUMMY)
			continue;
		str_addf(&name, "%s%s", e->name, strchr(e->name, ':') ? "u" : ":u");
		rename_event(e, str_take(&name));
	}
}

static int not_allowed(struct event_list *events, struct fallback *f, uint32_t index, int code,
		       pid_t tid, struct err *err)
{
	struct event *event = &events->v[index];
	struct denial denial = { "cannot open event", event->name, &event->attr, f->per_cpu, tid,
				 code };

	if (f->user_only || !rights_only_user(&denial) || !can_drop_kernel(events))
		return rights_explain(&denial, err);
	f->user_only = read_number(PERF_PARANOID, 2);
	drop_kernel(events);
	return 1;
}

static int too_many(struct fallback *f, const struct event *event, int code, struct err *err)
{
	struct rlimit old, lim;
	uint64_t want = f->nr_fds + 256;

	if (getrlimit(RLIMIT_NOFILE, &old) < 0)
		return err_set(err, code, "cannot open event '%s': %s", event->name, strerror(code));
	lim = old;
	if (!f->raised && code == EMFILE) {
		f->raised = true;
		if (lim.rlim_max < want) {
			/* CAP_SYS_RESOURCE may lift the hard limit too. */
			struct rlimit more = { want, want };

			if (setrlimit(RLIMIT_NOFILE, &more) == 0) {
				log_note("raised RLIMIT_NOFILE from %" PRIu64 " to %" PRIu64,
					 (uint64_t)old.rlim_cur, want);
				return 1;
			}
		}
		if (lim.rlim_cur < lim.rlim_max) {
			lim.rlim_cur = lim.rlim_max;
			if (setrlimit(RLIMIT_NOFILE, &lim) == 0) {
				log_note("raised RLIMIT_NOFILE from %" PRIu64 " to %" PRIu64,
					 (uint64_t)old.rlim_cur, (uint64_t)lim.rlim_cur);
				return 1;
			}
		}
	}
	return err_set(err, code,
		       "cannot open event '%s': %" PRIu64 " counters (events x CPUs x threads) are "
		       "needed and %" PRIu64 " open files are allowed; raise 'ulimit -Hn', or watch "
		       "fewer threads (-t) or CPUs (-C)", event->name, f->nr_fds,
		       (uint64_t)lim.rlim_cur);
}

/* A group marked W is wanted together but taken apart rather than not at all. */
static int break_weak_group(struct event_list *events, uint32_t leader)
{
	if (!events->v[leader].weak)
		return 0;
	log_note("the group of '%s' does not fit the PMU: its events are taken one by one",
		 events->v[leader].name);
	events->v[leader].weak = false;
	for (uint32_t i = 0; i < events->nr; i++) {
		struct event *e = &events->v[i];

		if (e->leader != leader || i == leader)
			continue;
		e->leader = i;
		e->attr.disabled = events->v[leader].attr.disabled;
		e->attr.enable_on_exec = events->v[leader].attr.enable_on_exec;
	}
	return 1;
}

/* Before Linux 6.12 what is read with a sample cannot be inherited. */
static int stop_inheriting_reads(struct event_list *events, uint32_t index)
{
	const struct perf_event_attr *attr = &events->v[index].attr;

	if (!attr->inherit || !(attr->sample_type & PERF_SAMPLE_READ))
		return 0;
	log_note("this kernel cannot read groups (S) in what the watched tasks start: only they "
		 "themselves are sampled");
	for (uint32_t i = 0; i < events->nr; i++)
		events->v[i].attr.inherit = 0;
	return 1;
}

static int not_valid(struct fallback *f, struct event_list *events, uint32_t index, int code,
		     int cpu, struct err *err)
{
	const struct event *event = &events->v[index];
	const char *asked = asked_for(&event->attr);
	int64_t max_rate = read_number("/proc/sys/kernel/perf_event_max_sample_rate", 0);

	if (event->leader != index && break_weak_group(events, event->leader))
		return 1;
	/* from the newest to the oldest: all that drop_newest knows is older than Linux 6.12 */
	if (stop_inheriting_reads(events, index) || drop_newest(f, events, index))
		return 1;
	if (event->attr.freq && max_rate && (int64_t)event->attr.sample_freq > max_rate)
		return err_set(err, code, "cannot open event '%s' at %" PRIu64 " Hz: the kernel's "
			       "limit is %" PRId64 " Hz; try -F max", event->name,
			       (uint64_t)event->attr.sample_freq, max_rate);
	if (asked)
		return err_set(err, code, "cannot open event '%s': neither this kernel nor this event "
			       "may have what %s asks for", event->name, asked);
	return err_set(err, code, "cannot open event '%s' on CPU %d: the kernel or the PMU does not take "
		       "this combination (%s); -vv shows the attributes", event->name, cpu,
		       strerror(code));
}

void fallback_say(const struct fallback *f)
{
	if (f->user_only)
		log_note("perf_event_paranoid is %" PRId64 ": recording user space only; `sudo sysctl "
			 "kernel.perf_event_paranoid=1` adds the kernel", f->user_only);
}

int fallback_try(struct fallback *f, struct event_list *events, uint32_t index, int code,
		 pid_t tid, int cpu, struct err *err)
{
	struct event *event = &events->v[index];

	if (event->precise_max && event->attr.precise_ip &&
	    (code == EINVAL || code == EOPNOTSUPP || code == ENOENT || code == ENODEV)) {
		event->attr.precise_ip--;
		return 1;
	}
	switch (code) {
	case ENOENT:
	case EOPNOTSUPP:
	case ENODEV:
		return not_here(f, event, index, code, err);
	case EINVAL:
	case E2BIG:
		return not_valid(f, events, index, code, cpu, err);
	case EACCES:
	case EPERM:
		return not_allowed(events, f, index, code, tid, err);
	case EMFILE:
	case ENFILE:
		return too_many(f, event, code, err);
	case ENOSYS:
		return err_set(err, code, "cannot open event '%s': " RIGHTS_NO_PERF, event->name);
	case EBUSY:
		return err_set(err, code, "cannot open event '%s': another profiler holds the counter",
			       event->name);
	case ENOSPC:
		return err_set(err, code, "cannot open event '%s': all hardware breakpoints are in use",
			       event->name);
	default:
		return err_set(err, code, "cannot open event '%s': %s", event->name, strerror(code));
	}
}
