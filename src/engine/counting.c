/* SPDX-License-Identifier: MIT */
#include "engine/counting.h"

#include <errno.h>
#include <signal.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/pmu.h"
#include "engine/rights.h"
#include "engine/target.h"

/* So many tracepoints make closing them noticeable: 20 to 40 ms each. */
#define LATER_AT_LEAST 3

/* What opening one event came to. */
enum outcome { OPENED, SKIPPED, UNGROUP, FATAL };

struct opener {
	struct counting *c;
	const struct counting_spec *spec;
	struct err *err;
	uint64_t wanted;                 /* files that the whole takes, about */
};

static int open_event(struct perf_event_attr *attr, pid_t pid, int cpu, int group,
		      unsigned long flags)
{
	return (int)syscall(SYS_perf_event_open, attr, pid, cpu, group, flags);
}

static struct counting_cell *cell_add(struct counting *c)
{
	if (c->nr_cells == c->cap_cells) {
		c->cap_cells = c->cap_cells ? c->cap_cells * 2 : 16;
		c->cells = mem_realloc_array(c->cells, c->cap_cells, sizeof(*c->cells));
	}
	memset(&c->cells[c->nr_cells], 0, sizeof(*c->cells));
	c->cells[c->nr_cells].fd = -1;
	return &c->cells[c->nr_cells++];
}

/* Only the CPUs of the PMU's mask, and of those the ones that are watched. */
static bool mask_has(const char *mask, int cpu)
{
	cpu_vec cpus = { 0 };
	bool found = false;

	if (cpu_list_parse(mask, &cpus) < 0)
		return true;
	for (size_t i = 0; i < cpus.nr && !found; i++)
		found = cpus.v[i] == cpu;
	vec_release(&cpus);
	return found;
}

/* Lay out the event's cells: who is to be opened for it. */
static void plan_cells(struct opener *o, struct counting_event *ce)
{
	const struct counting_spec *spec = o->spec;
	const struct event *event = ce->event;
	const int *cpus = spec->cpus;
	uint32_t nr_cpus = spec->nr_cpus;

	ce->first = o->c->nr_cells;
	if (event->tool)
		goto out;
	if (!cpus && event->cpus && !event->core_pmu) {
		cpus = spec->all_cpus;
		nr_cpus = spec->nr_all_cpus;
		ce->whole_cpus = true;
	}
	for (uint32_t i = 0; cpus && i < nr_cpus; i++) {
		struct counting_cell *cell;

		if (event->cpus && !mask_has(event->cpus, cpus[i]))
			continue;
		cell = cell_add(o->c);
		cell->cpu = cpus[i];
		cell->thread = -1;
	}
	for (uint32_t i = 0; !cpus && i < spec->nr_tids; i++) {
		struct counting_cell *cell = cell_add(o->c);

		cell->cpu = -1;
		cell->thread = (int32_t)i;
	}
out:
	ce->nr = o->c->nr_cells - ce->first;
}

static struct counting_cell *leader_cell(struct opener *o, const struct counting_event *leader,
					 const struct counting_cell *cell)
{
	for (uint32_t i = 0; i < leader->nr; i++) {
		struct counting_cell *other = &o->c->cells[leader->first + i];

		if (other->cpu == cell->cpu && other->thread == cell->thread)
			return other;
	}
	return NULL;
}

static void set_attr(const struct opener *o, const struct counting_event *ce, bool leads,
		     struct perf_event_attr *attr)
{
	*attr = ce->event->attr;
	attr->sample_period = 0;
	attr->freq = 0;
	attr->sample_type = 0;
	attr->read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
	attr->inherit = o->spec->inherit && !o->spec->cpus && !ce->whole_cpus;
	if (ce->event->inherit == 0)
		attr->inherit = 0;
	if (leads) {
		/* What counts CPUs has no exec to wait for. */
		attr->disabled = !(ce->whole_cpus && o->spec->enable_on_exec);
		attr->enable_on_exec = o->spec->enable_on_exec && !ce->whole_cpus;
	}
	if (ce->user_only)
		attr->exclude_kernel = attr->exclude_hv = 1;
	if (o->c->exclude_guest_refused && !ce->event->host_guest_given)
		attr->exclude_guest = 0;
}

static void close_cells(struct opener *o, const struct counting_event *ce)
{
	for (uint32_t i = 0; i < ce->nr; i++) {
		struct counting_cell *cell = &o->c->cells[ce->first + i];

		if (cell->fd >= 0)
			close(cell->fd);
		cell->fd = -1;
	}
}

/* EMFILE: to the hard limit, and above it where CAP_SYS_RESOURCE lets us. */
static bool raise_files(struct opener *o)
{
	struct rlimit limit, more;

	if (o->c->raised || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return false;
	o->c->raised = true;
	more.rlim_cur = more.rlim_max = o->wanted + 256;
	if (more.rlim_cur > limit.rlim_max && setrlimit(RLIMIT_NOFILE, &more) == 0)
		return true;
	if (limit.rlim_cur == limit.rlim_max)
		return false;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static int no_files(struct opener *o, const struct event *event, int code)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	return err_set(o->err, code, "cannot open event '%s': %" PRIu64 " counters (events x CPUs or "
		       "threads) are needed and %" PRIu64 " open files are allowed; raise "
		       "'ulimit -Hn', or count fewer events", event->name, o->wanted,
		       (uint64_t)limit.rlim_cur);
}

static struct denial denial_of(const struct opener *o, const struct counting_event *ce,
			       const struct perf_event_attr *attr, int32_t thread, int code)
{
	return (struct denial){ "cannot count", ce->event->name, attr,
				o->spec->cpus || ce->whole_cpus,
				thread < 0 ? -1 : o->spec->tids[thread], code };
}

/* Is this the kernel's way to say that the event is not to be had? */
static bool is_unsupported(int code)
{
	return code == ENOENT || code == EOPNOTSUPP || code == ENODEV || code == ENXIO ||
	       code == EINVAL || code == ENOSPC || code == EBUSY || code == ERANGE;
}

/*
 * These happen in the kernel: with exclude_kernel they count 0 whatever the task
 * does (perf_sw_event_sched() takes the kernel's registers), which is no answer.
 */
static bool happens_in_kernel(const struct event *event)
{
	uint64_t config = event->attr.config;

	return event->attr.type == PERF_TYPE_SOFTWARE &&
	       (config == PERF_COUNT_SW_CONTEXT_SWITCHES || config == PERF_COUNT_SW_CPU_MIGRATIONS ||
		config == PERF_COUNT_SW_CGROUP_SWITCHES);
}

/* The kernel said no to one cell. OPENED means: changed, try the cell again. */
static enum outcome answer(struct opener *o, struct counting_event *ce, bool grouped,
			   const struct denial *denial)
{
	const struct event *event = ce->event;
	int code = denial->code;

	switch (code) {
	case ESRCH:
		return SKIPPED;
	case EMFILE:
		if (raise_files(o))
			return OPENED;
		no_files(o, event, code);
		return FATAL;
	case ENFILE:
		no_files(o, event, code);
		return FATAL;
	case ENOSYS:
		err_set(o->err, code, "nothing can be counted: " RIGHTS_NO_PERF);
		return FATAL;
	case ENOMEM:
		err_set(o->err, code, "cannot count '%s': the kernel is out of memory", event->name);
		return FATAL;
	case EACCES:
	case EPERM:
		if (!event->modifiers_given && rights_only_user(denial)) {
			if (happens_in_kernel(event)) {
				ce->code = code;
				return UNGROUP;
			}
			ce->user_only = true;
			return OPENED;
		}
		rights_explain(denial, o->err);
		return FATAL;
	}
	if (code == EINVAL && event->attr.exclude_guest && !event->host_guest_given &&
	    !o->c->exclude_guest_refused) {
		o->c->exclude_guest_refused = true;
		return OPENED;
	}
	if (grouped && code == EINVAL)
		return UNGROUP;
	if (!is_unsupported(code)) {
		err_set(o->err, code, "cannot count '%s': %s", event->name, strerror(code));
		return FATAL;
	}
	ce->code = code;
	return UNGROUP;
}

static int set_filter(struct opener *o, const struct event *event, int fd)
{
	if (!event->filter || ioctl(fd, PERF_EVENT_IOC_SET_FILTER, event->filter) == 0)
		return 0;
	return err_set(o->err, errno, "the kernel refuses the filter '%s' for '%s': %s",
		       event->filter, event->name, strerror(errno));
}

/* Open all cells of one event, in the group of `leader` (NULL: on its own). */
static enum outcome open_cells(struct opener *o, struct counting_event *ce,
			       const struct counting_event *leader)
{
	struct perf_event_attr attr;

	for (uint32_t i = 0; i < ce->nr; i++) {
		struct counting_cell *cell = &o->c->cells[ce->first + i];
		struct counting_cell *lead = leader ? leader_cell(o, leader, cell) : NULL;
		bool grouped = lead && lead->fd >= 0;
		pid_t pid = ce->cgroup_fd >= 0 ? ce->cgroup_fd :
			    cell->thread < 0 ? -1 : o->spec->tids[cell->thread];
		unsigned long flags = PERF_FLAG_FD_CLOEXEC |
				      (ce->cgroup_fd >= 0 ? PERF_FLAG_PID_CGROUP : 0);
		struct denial denial;
		enum outcome outcome;

		if (leader && !grouped)
			continue;
		set_attr(o, ce, !grouped, &attr);
		cell->fd = open_event(&attr, pid, cell->cpu, grouped ? lead->fd : -1, flags);
		cell->grouped = grouped;
		if (cell->fd >= 0) {
			if (set_filter(o, ce->event, cell->fd) < 0)
				return FATAL;
			continue;
		}
		denial = denial_of(o, ce, &attr, cell->thread, errno);
		outcome = answer(o, ce, grouped, &denial);
		if (outcome == OPENED)
			i--;
		else if (outcome != SKIPPED)
			return outcome;
	}
	return OPENED;
}

/* Open one event by itself; what the kernel does not have is no failure. */
static int open_alone(struct opener *o, struct counting_event *ce)
{
	enum outcome outcome;

	ce->code = 0;
	outcome = open_cells(o, ce, NULL);
	if (outcome == FATAL)
		return -o->err->code;
	if (outcome == UNGROUP)
		close_cells(o, ce);
	return 0;
}

/*
 * Open a group, events[first..end). A leader that is not supported leaves its
 * members without one; a weak group that does not fit is taken apart. In a strict
 * group the member that does not fit is the one that is not counted.
 */
static int open_group(struct opener *o, uint32_t first, uint32_t end)
{
	struct counting_event *leader = &o->c->events[first];
	int r = open_alone(o, leader);

	for (uint32_t i = first + 1; r == 0 && i < end; i++) {
		struct counting_event *ce = &o->c->events[i];
		enum outcome outcome;

		ce->code = 0;
		if (leader->code || !leader->nr) {
			if (i == first + 1 && !leader->event->tool && leader->event->weak)
				log_info("'%s' is not supported here, so the events of its weak "
					 "group are counted on their own", leader->event->name);
			else if (i == first + 1 && !leader->event->tool)
				log_note("'%s' is not supported here, so the events of its group "
					 "are counted on their own", leader->event->name);
			r = open_alone(o, ce);
			continue;
		}
		outcome = open_cells(o, ce, leader);
		if (outcome == FATAL)
			return -o->err->code;
		if (outcome != UNGROUP)
			continue;
		close_cells(o, ce);
		if (leader->event->weak) {
			log_info("the group of '%s' does not fit; its events are counted on "
				 "their own", leader->event->name);
			for (uint32_t j = first; r == 0 && j < end; j++) {
				close_cells(o, &o->c->events[j]);
				r = open_alone(o, &o->c->events[j]);
			}
			return r;
		}
		if (!ce->code)
			ce->code = EINVAL;
	}
	return r;
}

static uint32_t group_end(const struct counting *c, uint32_t first)
{
	uint32_t end = first + 1;

	while (end < c->nr_events && c->events[end].event->leader == c->events[first].event->leader &&
	       c->events[end].cgroup_fd == c->events[first].cgroup_fd &&
	       c->events[end].event != c->events[first].event)
		end++;
	return end;
}

/* Every thread was gone before it could be counted. */
static bool all_gone(const struct counting *c)
{
	bool any = false;

	for (uint32_t i = 0; i < c->nr_events; i++) {
		const struct counting_event *ce = &c->events[i];

		for (uint32_t j = 0; j < ce->nr && !ce->code; j++) {
			if (c->cells[ce->first + j].fd >= 0)
				return false;
			any = true;
		}
	}
	return any;
}

static void say_user_only(const struct counting *c)
{
	for (uint32_t i = 0; i < c->nr_events; i++) {
		if (!c->events[i].user_only)
			continue;
		log_note("perf_event_paranoid is %" PRId64 ": counting in user space only (:u); `sudo "
			 "sysctl kernel.perf_event_paranoid=1` adds the kernel",
			 read_number(PERF_PARANOID, 2));
		return;
	}
}

int counting_open(struct counting *counting, const struct counting_spec *spec, struct err *err)
{
	struct err own = ERR_INIT;
	struct opener o = { counting, spec, &own, 0 };
	int r = 0;

	counting->nr_cells = 0;
	counting->exclude_guest_refused = false;
	for (uint32_t i = 0; i < counting->nr_events; i++)
		plan_cells(&o, &counting->events[i]);
	o.wanted = counting->nr_cells;
	for (uint32_t i = 0; r == 0 && i < counting->nr_events;) {
		uint32_t end = group_end(counting, i);

		r = open_group(&o, i, end);
		i = end;
	}
	if (r == 0 && all_gone(counting))
		r = err_set(&own, ESRCH, "the process ended before it could be counted");
	if (r < 0) {
		counting_close(counting);
		return err_set(err, own.code, "%s", own.msg);
	}
	say_user_only(counting);
	return 0;
}

static void each_fd(struct counting *c, unsigned long request)
{
	for (uint32_t i = 0; i < c->nr_cells; i++)
		if (c->cells[i].fd >= 0)
			ioctl(c->cells[i].fd, request, 0);
}

void counting_enable(struct counting *counting)
{
	counting->on = true;
	each_fd(counting, PERF_EVENT_IOC_ENABLE);
}

void counting_disable(struct counting *counting)
{
	counting->on = false;
	each_fd(counting, PERF_EVENT_IOC_DISABLE);
}

void counting_read(struct counting *counting)
{
	for (uint32_t i = 0; i < counting->nr_cells; i++) {
		struct counting_cell *cell = &counting->cells[i];
		uint64_t now[3];

		if (cell->fd < 0 || read(cell->fd, now, sizeof(now)) != sizeof(now))
			continue;
		cell->value = cell->before.value + now[0];
		cell->enabled = cell->before.enabled + now[1];
		cell->running = cell->before.running + now[2];
	}
}

static int reopen_cell(struct opener *o, struct counting_event *ce, struct counting_cell *cell)
{
	/* groups stand in order, their leaders first */
	const struct counting_event *leader = ce;
	struct counting_cell *lead = NULL;
	struct perf_event_attr attr;
	int code;

	while (leader > o->c->events && leader[-1].event->leader == ce->event->leader &&
	       leader[-1].cgroup_fd == ce->cgroup_fd)
		leader--;
	if (cell->grouped)
		lead = leader_cell(o, leader, cell);
	if (cell->grouped && (!lead || lead->fd < 0))
		return -ENODEV;
	set_attr(o, ce, !cell->grouped, &attr);
	cell->fd = open_event(&attr, ce->cgroup_fd >= 0 ? ce->cgroup_fd : -1, cell->cpu,
			      lead ? lead->fd : -1,
			      PERF_FLAG_FD_CLOEXEC | (ce->cgroup_fd >= 0 ? PERF_FLAG_PID_CGROUP : 0));
	if (cell->fd < 0) {
		code = errno;
		cell->fd = -1;
		return -code;
	}
	return set_filter(o, ce->event, cell->fd);
}

/* The cells of whole CPUs, the n-th of them on `cpu`; NULL: there are no more. */
static struct counting_cell *cell_on_cpu(struct counting *c, const struct counting_event *ce, int cpu,
					 uint32_t *i)
{
	while (*i < ce->nr) {
		struct counting_cell *cell = &c->cells[ce->first + (*i)++];

		if (cell->cpu == cpu && cell->thread < 0)
			return cell;
	}
	return NULL;
}

int counting_reopen(struct counting *counting, const struct counting_spec *spec, int cpu)
{
	struct err own = ERR_INIT;
	struct opener o = { counting, spec, &own, counting->nr_cells };
	struct counting_cell *cell;
	int ret = 0;

	counting_read(counting);
	for (uint32_t e = 0; e < counting->nr_events; e++) {
		for (uint32_t i = 0; (cell = cell_on_cpu(counting, &counting->events[e], cpu, &i));) {
			cell->before.value = cell->value;
			cell->before.enabled = cell->enabled;
			cell->before.running = cell->running;
			if (cell->fd >= 0)
				close(cell->fd);
			cell->fd = -1;
		}
	}
	for (uint32_t e = 0; e < counting->nr_events; e++) {
		struct counting_event *ce = &counting->events[e];

		for (uint32_t i = 0; !ce->code && (cell = cell_on_cpu(counting, ce, cpu, &i));) {
			int r = reopen_cell(&o, ce, cell);

			if (r < 0)
				ret = r;
		}
	}
	for (uint32_t i = 0; i < counting->nr_cells && counting->on; i++)
		if (counting->cells[i].cpu == cpu && counting->cells[i].fd >= 0)
			ioctl(counting->cells[i].fd, PERF_EVENT_IOC_ENABLE, 0);
	return ret;
}

void counting_close(struct counting *counting)
{
	for (uint32_t i = 0; i < counting->nr_cells; i++) {
		if (counting->cells[i].fd >= 0)
			close(counting->cells[i].fd);
		counting->cells[i].fd = -1;
	}
}

/* Close everything that is not a counter, so that nobody waits for this process. */
static void close_others(const struct counting *c)
{
	unsigned char *ours;
	uint32_t most = 0;

	for (uint32_t i = 0; i < c->nr_cells; i++)
		if (c->cells[i].fd >= (int)most)
			most = (uint32_t)c->cells[i].fd + 1;
	ours = mem_zalloc(most);
	for (uint32_t i = 0; i < c->nr_cells; i++)
		if (c->cells[i].fd >= 0)
			ours[c->cells[i].fd] = 1;
	for (uint32_t fd = 0; fd < most; fd++)
		if (!ours[fd])
			close((int)fd);
	free(ours);
	/* Linux 5.9; before that what lies behind them stays open until they are closed. */
	syscall(SYS_close_range, most, ~0u, 0);
}

/*
 * Until the parent is gone, whose files are closed by then (do_exit() comes to
 * exit_files() before exit_notify()): whoever closes a file last waits. No pipe,
 * since there may be no file left to be had.
 */
static void wait_for_parent(pid_t parent)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent)
		sigwaitinfo(&set, NULL);
}

void counting_close_later(struct counting *counting)
{
	uint32_t tracepoints = 0;
	pid_t parent = getpid(), pid;

	for (uint32_t i = 0; i < counting->nr_events; i++)
		if (counting->events[i].event->attr.type == PERF_TYPE_TRACEPOINT &&
		    !counting->events[i].code)
			tracepoints++;
	if (tracepoints < LATER_AT_LEAST)
		return;
	pid = fork();
	if (pid != 0)
		return;
	close_others(counting);
	setsid();
	if (chdir("/") == 0)
		wait_for_parent(parent);
	_exit(0);
}

void counting_release(struct counting *counting)
{
	counting_close(counting);
	free(counting->events);
	free(counting->cells);
	memset(counting, 0, sizeof(*counting));
}

static bool is_hardware(const struct perf_event_attr *attr)
{
	uint32_t type = attr->type;

	return type == PERF_TYPE_HARDWARE || type == PERF_TYPE_HW_CACHE || type == PERF_TYPE_RAW;
}

int counting_probe_attr(struct perf_event_attr *attr, pid_t pid, int cpu)
{
	int fd;

	attr->size = sizeof(*attr);
	attr->disabled = 1;
	fd = open_event(attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int counting_probe(const struct event *event)
{
	struct perf_event_attr attr = event->attr;
	bool whole = event->cpus && !event->core_pmu;
	pid_t pid = whole ? -1 : 0;
	int cpu = whole ? atoi(event->cpus) : -1, code;

	if (event->tool)
		return 0;
	attr.sample_period = 0;
	attr.freq = 0;
	code = counting_probe_attr(&attr, pid, cpu);
	if (code == EINVAL && attr.exclude_guest) {
		attr.exclude_guest = 0;
		code = counting_probe_attr(&attr, pid, cpu);
	}
	if ((code == EACCES || code == EPERM) && !attr.exclude_kernel) {
		attr.exclude_kernel = attr.exclude_hv = 1;
		code = counting_probe_attr(&attr, pid, cpu);
	}
	return code;
}

const char *counting_reason(const struct counting_event *ce)
{
	const struct event *event = ce->event;

	if (is_hardware(&event->attr) && ce->code == ENOENT && !pmu_set_core(pmu_set_here(), 0))
		return "this machine shows no hardware PMU (most virtual machines have none); "
		       "`sonde doctor` tells more";
	switch (ce->code) {
	case ENOENT:
	case EOPNOTSUPP:
		return is_hardware(&event->attr) ? "the CPU's PMU has no such event" :
						   "the kernel or its PMU has no such event";
	case EINVAL:
		if (ce->event->leader != UINT32_MAX && !event->core_pmu && event->attr.type > 5)
			return "its PMU refuses these settings (modifiers, or a task instead of "
			       "whole CPUs: try -a)";
		return "the kernel refuses these settings, or the group has more events than "
		       "the PMU has counters";
	case ENOSPC:
		return "all breakpoint registers of the CPU are taken";
	case EBUSY:
		return "another user of the PMU has it for itself (the NMI watchdog, or a pinned "
		       "event)";
	case ENODEV:
	case ENXIO:
		return "the device is not there";
	case EACCES:
	case EPERM:
		return "it happens in the kernel, which perf_event_paranoid keeps closed to this "
		       "user; `sudo sysctl kernel.perf_event_paranoid=1` opens it";
	default:
		return strerror(ce->code);
	}
}
