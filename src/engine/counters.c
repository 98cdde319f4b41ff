/* SPDX-License-Identifier: MIT */
#include "engine/counters.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/cgroup.h"
#include "formats/attr_text.h"

/* `cgroup`: NULL, or the tasks of this one, where `tid` is -1. */
static int open_event(const struct perf_event_attr *attr, const struct cgroup *cgroup, pid_t tid, int cpu,
		      int group_fd)
{
	struct perf_event_attr copy = *attr;
	unsigned long flags = PERF_FLAG_FD_CLOEXEC | (cgroup ? PERF_FLAG_PID_CGROUP : 0);
	long fd = syscall(SYS_perf_event_open, &copy, cgroup ? cgroup->fd : tid, cpu, group_fd, flags);

	return fd < 0 ? -errno : (int)fd;
}

/* The event's PMU may belong to some of the CPUs only (uncore, hybrid). */
static bool event_on_cpu(const struct event *event, int cpu)
{
	cpu_vec cpus = { 0 };
	bool on = false;

	if (cpu < 0 || !event->cpus || !*event->cpus || cpu_list_parse(event->cpus, &cpus) < 0)
		on = true;
	for (size_t i = 0; i < cpus.nr; i++)
		on |= cpus.v[i] == cpu;
	vec_release(&cpus);
	return on;
}

static void say_attr(const struct event *event)
{
	struct str text = STR_INIT;

	attr_text_add(&text, &event->attr, " ", "\n");
	log_debug("perf_event_attr of '%s':", event->name);
	for (char *line = text.p, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		log_debug("  %s", line + strspn(line, " "));
	}
	str_release(&text);
}

struct refusal {
	uint32_t event;
	int code, cpu;
	pid_t tid;
};

/* Open one event everywhere. Returns 0, or -1 with the refusal filled. */
static int open_everywhere(struct counters *c, uint32_t index, struct refusal *no)
{
	const struct event *event = &c->events->v[index];
	bool member = event->leader != index;

	for (size_t cpu = 0; cpu < c->cpus.nr; cpu++) {
		if (!event_on_cpu(event, c->cpus.v[cpu]))
			continue;
		for (size_t t = 0; t < c->per_ring; t++) {
			pid_t tid = counters_thread(c, cpu, t)->tid;
			int group = member ? *counters_fd(c, event->leader, cpu, t) : -1;
			int fd;

			if (member && group < 0)
				continue;
			fd = open_event(&event->attr, event->cgroup, tid, c->cpus.v[cpu], group);
			/* The thread ended, or the CPU went away: go on without. */
			if (fd == -ESRCH || (fd == -ENODEV && tid == -1 && cpu))
				continue;
			if (fd < 0) {
				*no = (struct refusal){ index, -fd, c->cpus.v[cpu], tid };
				return -1;
			}
			*counters_fd(c, index, cpu, t) = fd;
		}
	}
	return 0;
}

static void close_fds(struct counters *c)
{
	size_t nr = c->events->nr * c->cpus.nr * c->per_ring;

	for (size_t i = 0; i < c->cpus.nr && c->rings; i++)
		ring_close(&c->rings[i]);
	for (size_t i = 0; i < c->cpus.nr && c->holders; i++)
		if (c->holders[i] >= 0)
			close(c->holders[i]);
	for (size_t i = 0; i < c->cpus.nr && c->owners; i++)
		if (c->owners[i] >= 0)
			close(c->owners[i]);
	free(c->holders);
	c->holders = NULL;
	for (size_t i = 0; i < nr && c->fds; i++) {
		if (c->fds[i] >= 0)
			close(c->fds[i]);
		c->fds[i] = -1;
	}
}

static bool nothing_open(const struct counters *c)
{
	size_t nr = c->events->nr * c->cpus.nr * c->per_ring;

	for (size_t i = 0; i < nr; i++)
		if (c->fds[i] >= 0)
			return false;
	return true;
}

/* Open all events, falling back as long as there is something to fall back to. */
static int open_all(struct counters *c, struct fallback *fallback, struct err *err)
{
	for (;;) {
		struct refusal no = { 0 };
		uint32_t i;
		int r;

		for (i = 0; i < c->events->nr; i++)
			if (open_everywhere(c, i, &no) < 0)
				break;
		if (i == c->events->nr)
			break;
		close_fds(c);
		r = fallback_try(fallback, c->events, no.event, no.code, no.tid, no.cpu, err);
		if (r < 0) {
			say_attr(&c->events->v[no.event]);
			return r;
		}
	}
	if (nothing_open(c))
		return err_set(err, ESRCH, "cannot record: %s",
			       c->threads.v[0].tid > 0 ? "the watched processes have ended already"
						       : "no event fits any of these CPUs");
	return 0;
}

/* Give each CPU one ring. Returns 0 or a negative errno of mmap or ioctl. */
static int map_rings(struct counters *c)
{
	size_t per_cpu = c->per_ring;

	for (size_t cpu = 0; cpu < c->cpus.nr; cpu++) {
		struct ring *ring = &c->rings[cpu];

		for (size_t i = 0; i < c->events->nr * per_cpu; i++) {
			int fd = *counters_fd(c, i / per_cpu, cpu, i % per_cpu), r;

			if (fd < 0)
				continue;
			if (!ring->page)
				r = ring_open(ring, fd, c->cpus.v[cpu], c->ring_bytes,
					      c->events->v[i / per_cpu].attr.write_backward);
			else
				r = ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd) < 0 ? -errno : 0;
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* What wakes us has to fit a ring that has become smaller. */
static void set_watermarks(struct counters *c)
{
	for (size_t i = 0; i < c->events->nr; i++) {
		struct perf_event_attr *attr = &c->events->v[i].attr;

		if (attr->watermark && !attr->write_backward)
			attr->wakeup_watermark = ring_wakeup_bytes(c->ring_bytes);
	}
}

static int ring_error(const struct counters *c, int code, struct err *err)
{
	if (code == EPERM)
		return err_set(err, code, "cannot map rings of even %" PRIu64 " KB: the limit for "
			       "locked memory is used up; raise 'ulimit -l' or "
			       "/proc/sys/kernel/perf_event_mlock_kb", c->ring_bytes >> 10);
	if (code == ENOMEM || code == EINVAL)
		return err_set(err, code, "cannot map rings of %" PRIu64 " KB (%s); try a smaller -m",
			       c->ring_bytes >> 10, strerror(code));
	return err_set(err, code, "cannot map the rings: %s", strerror(code));
}

int counters_open(struct counters *c, struct event_list *events, cpu_vec *cpus,
		  thread_vec *threads, struct fallback *fallback, uint64_t ring_bytes,
		  bool ring_asked, struct err *err)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE), first_bytes = ring_bytes;
	size_t nr;
	int r;

	memset(c, 0, sizeof(*c));
	c->events = events;
	c->cpus = *cpus;
	c->threads = *threads;
	memset(cpus, 0, sizeof(*cpus));
	memset(threads, 0, sizeof(*threads));
	c->ring_bytes = ring_bytes;
	c->per_ring = counters_per_thread(c) ? 1 : c->threads.nr;
	nr = events->nr * c->cpus.nr * c->per_ring;
	fallback->nr_fds = nr;
	c->fds = mem_realloc_array(NULL, nr, sizeof(*c->fds));
	for (size_t i = 0; i < nr; i++)
		c->fds[i] = -1;
	c->rings = mem_zalloc((c->cpus.nr + 1) * sizeof(*c->rings));
	c->wishes = mem_zalloc(events->nr + 1);
	r = open_all(c, fallback, err);
	while (r == 0 && ring_bytes) {
		r = map_rings(c);
		/* EPERM is the limit of locked memory (perf_event_open(2), perf_event_mlock_kb). */
		if (r != -EPERM || c->ring_bytes <= page_size) {
			if (r < 0)
				r = ring_error(c, -r, err);
			break;
		}
		c->ring_bytes /= 2;
		set_watermarks(c);
		close_fds(c);
		r = open_all(c, fallback, err);
	}
	if (r < 0) {
		counters_close(c);
		return r;
	}
	if (c->ring_bytes < first_bytes)
		(ring_asked ? log_note : log_info)(
			"locked memory allows rings of %" PRIu64 " KB, not %" PRIu64 " KB: more samples "
			"may be lost; 'ulimit -l' or perf_event_mlock_kb raises that",
			c->ring_bytes >> 10, first_bytes >> 10);
	fallback_say(fallback);
	for (uint32_t i = 0; i < events->nr; i++)
		say_attr(&events->v[i]);
	return 0;
}

void counters_close(struct counters *c)
{
	if (c->fds)
		close_fds(c);
	free(c->fds);
	free(c->rings);
	free(c->silent);
	free(c->wishes);
	free(c->ids);
	free(c->lost);
	free(c->owners);
	map64_release(&c->first_ids);
	vec_release(&c->cpus);
	vec_release(&c->threads);
	memset(c, 0, sizeof(*c));
}

/*
 * An event that samples nothing and belongs to this process: a ring that is mapped by it can
 * be exchanged without any event that writes to it being closed.
 */
static int open_holder(const struct counters *c, size_t cpu, uint64_t bytes)
{
	const struct perf_event_attr *first = &c->events->v[0].attr;
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TIME,
		.disabled = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		/* rings of two clocks are not to be mixed (perf_event_set_output) */
		.use_clockid = first->use_clockid,
		.clockid = first->clockid,
		.watermark = 1,
		.wakeup_watermark = ring_wakeup_bytes(bytes),
	};

	return open_event(&attr, NULL, 0, c->cpus.v[cpu], -1);
}

/* All events of the CPU but the ring's owner, whose fd is `owner`, write there from now on. */
static int redirect(const struct counters *c, size_t cpu, int owner, int to)
{
	int r = 0;

	for (size_t i = 0; i < c->events->nr * c->per_ring; i++) {
		int fd = *counters_fd(c, i / c->per_ring, cpu, i % c->per_ring);

		if (fd >= 0 && fd != owner && ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, to) < 0)
			r = -errno;
	}
	return r;
}

static void copy_ring(const struct ring *from, struct ring *to)
{
	const size_t page_size = (size_t)sysconf(_SC_PAGESIZE);

	*to = *from;
	to->page = mem_alloc(page_size);
	to->data = mem_alloc(from->bytes);
	memcpy(to->page, from->page, page_size);
	memcpy(to->data, from->data, from->bytes);
}

int counters_grow(struct counters *c, size_t cpu, uint64_t bytes, struct ring *held)
{
	struct ring *ring = &c->rings[cpu], larger;
	int owner = ring->fd, holder, r;

	/* Once for each ring: one that has been exchanged has no owner among the events. */
	if (!ring->page || (c->holders && c->holders[cpu] >= 0))
		return -EBUSY;
	holder = open_holder(c, cpu, bytes);
	if (holder < 0)
		return holder;
	r = ring_open(&larger, holder, ring->cpu, bytes, false);
	if (r == 0)
		r = redirect(c, cpu, owner, holder);
	if (r < 0) {
		redirect(c, cpu, owner, owner);
		ring_close(&larger);
		close(holder);
		return r;
	}
	ioctl(owner, PERF_EVENT_IOC_DISABLE, 0);
	/* Who is still writing to the old ring has done so when this returns. */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	copy_ring(ring, held);
	ring_close(ring);
	r = ioctl(owner, PERF_EVENT_IOC_SET_OUTPUT, holder) < 0 ? -errno : 0;
	ioctl(owner, PERF_EVENT_IOC_ENABLE, 0);
	if (!c->holders) {
		c->holders = mem_alloc(c->cpus.nr * sizeof(*c->holders));
		memset(c->holders, -1, c->cpus.nr * sizeof(*c->holders));
	}
	c->holders[cpu] = holder;
	*ring = larger;
	/* Whoever polls goes on with the event that was there. */
	ring->fd = owner;
	return r;
}

/* Call ioctl on each fd of an event; the first error, or 0. */
static int event_ioctl(const struct counters *c, size_t event, unsigned long request,
		       unsigned long arg)
{
	size_t nr = c->cpus.nr * c->per_ring;

	for (size_t i = 0; i < nr; i++) {
		int fd = c->fds[event * nr + i];

		if (fd >= 0 && ioctl(fd, request, arg) < 0)
			return -errno;
	}
	return 0;
}

static int set_filter(const struct event *event, int fd)
{
	return event->filter && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, event->filter) < 0 ? -errno : 0;
}

static bool is_silent(const struct counters *c, size_t event)
{
	return c->silent && c->silent[event];
}

/* --- a CPU that is back --------------------------------------------------------------- */

/* What the files of the first events tell, before one of them is closed. */
static void keep_ids(struct counters *c)
{
	size_t nr = c->events->nr * c->cpus.nr * c->per_ring;

	if (c->ids)
		return;
	c->ids = mem_zalloc(nr * sizeof(*c->ids));
	c->lost = mem_zalloc(nr * sizeof(*c->lost));
	c->owners = mem_alloc(c->cpus.nr * sizeof(*c->owners));
	memset(c->owners, -1, c->cpus.nr * sizeof(*c->owners));
	for (size_t i = 0; i < nr; i++)
		if (c->fds[i] >= 0 && ioctl(c->fds[i], PERF_EVENT_IOC_ID, &c->ids[i]) < 0)
			c->ids[i] = 0;
}

/* Close one that counts nothing any more. The ring's owner stays, for those to come write to it. */
static void retire(struct counters *c, size_t event, size_t cpu)
{
	int *fd = counters_fd(c, event, cpu, 0);

	c->lost[fd - c->fds] = counters_lost(c, event, cpu, 0);
	if (*fd == c->rings[cpu].fd)
		c->owners[cpu] = *fd;
	else if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int open_again(struct counters *c, size_t index, size_t cpu)
{
	const struct event *event = &c->events->v[index];
	int *slot = counters_fd(c, index, cpu, 0), group = -1, fd, r;
	uint64_t id;

	if (event->leader != index)
		group = *counters_fd(c, event->leader, cpu, 0);
	if (event->leader != index && group < 0)
		return -ENODEV;
	fd = open_event(&event->attr, event->cgroup, -1, c->cpus.v[cpu], group);
	if (fd < 0)
		return fd;
	r = set_filter(event, fd);
	if (r == 0 && (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, c->rings[cpu].fd) < 0 ||
		       ioctl(fd, PERF_EVENT_IOC_ID, &id) < 0))
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	*map64_put(&c->first_ids, id, NULL) = c->ids[slot - c->fds];
	*slot = fd;
	return 0;
}

int counters_reopen(struct counters *c, size_t cpu)
{
	int ret = 0;

	/* One that was not there when the rest was opened has no place in what is written. */
	if (!c->rings[cpu].page || c->threads.v[0].tid >= 0)
		return -ENODEV;
	keep_ids(c);
	/* those that are silent stand for what comes another way, and by them it comes */
	for (size_t i = c->events->nr; i-- > 0;)
		if (!is_silent(c, i))
			retire(c, i, cpu);
	for (size_t i = 0; i < c->events->nr; i++) {
		bool was_open = c->ids[counters_fd(c, i, cpu, 0) - c->fds] != 0;
		int r = was_open && !is_silent(c, i) ? open_again(c, i, cpu) : 0;

		if (r < 0)
			ret = r;
	}
	for (size_t i = 0; i < c->events->nr; i++) {
		int fd = *counters_fd(c, i, cpu, 0);

		if (fd >= 0 && c->wishes[i] && !is_silent(c, i))
			ioctl(fd, c->wishes[i] > 0 ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
	}
	return ret;
}

/* --- all of them ---------------------------------------------------------------------- */

int counters_filter(struct counters *c, struct err *err)
{
	for (size_t i = 0; i < c->events->nr; i++) {
		const struct event *event = &c->events->v[i];
		int r;

		if (!event->filter)
			continue;
		r = event_ioctl(c, i, PERF_EVENT_IOC_SET_FILTER,
				(unsigned long)(uintptr_t)event->filter);
		if (r < 0)
			return err_set(err, -r, "cannot filter event '%s' by '%s': %s%s", event->name,
				       event->filter, r == -EINVAL ? "not a valid filter" : strerror(-r),
				       r == -EINVAL ? "; its fields are in the tracepoint's format file"
						    : "");
	}
	return 0;
}

static void switch_event(struct counters *c, size_t event, bool on)
{
	if (is_silent(c, event))
		return;
	event_ioctl(c, event, on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
	c->wishes[event] = on ? 1 : -1;
}

static void switch_all(struct counters *c, bool on)
{
	for (size_t i = 0; i < c->events->nr; i++)
		if (c->events->v[i].leader == i)
			switch_event(c, i, on);
}

void counters_enable(struct counters *c)
{
	switch_all(c, true);
}

void counters_disable(struct counters *c)
{
	switch_all(c, false);
}

static bool is_called(const struct event *event, const char *name)
{
	return strcmp(event->name, name) == 0 ||
	       (event->event_text && strcmp(event->event_text, name) == 0);
}

bool counters_switch(struct counters *c, const char *name, bool on)
{
	bool any = false;

	for (size_t i = 0; i < c->events->nr; i++) {
		const struct event *e = &c->events->v[i];

		/* Side-band records go on: what is mapped meanwhile is mapped afterwards. */
		if (e->attr.type == PERF_TYPE_SOFTWARE && e->attr.config == PERF_COUNT_SW_DUMMY)
			continue;
		if (name ? !is_called(e, name) : e->leader != i)
			continue;
		switch_event(c, i, on);
		any = true;
	}
	return any;
}

uint64_t *counters_ids(const struct counters *c, size_t event, uint32_t *nr)
{
	size_t most = c->cpus.nr * c->per_ring;
	uint64_t *ids = mem_realloc_array(NULL, most, sizeof(*ids));

	*nr = 0;
	for (size_t i = 0; i < most; i++) {
		int fd = c->fds[event * most + i];

		if (c->ids)
			ids[*nr] = c->ids[event * most + i];
		else if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_ID, &ids[*nr]) < 0)
			ids[*nr] = 0;
		*nr += ids[*nr] != 0;
	}
	return ids;
}

uint64_t counters_id(const struct counters *c, size_t event, size_t cpu)
{
	uint64_t id;

	for (size_t t = 0; t < c->per_ring; t++) {
		const int *fd = counters_fd(c, event, cpu, t);

		if (c->ids && c->ids[fd - c->fds])
			return c->ids[fd - c->fds];
		if (*fd >= 0 && ioctl(*fd, PERF_EVENT_IOC_ID, &id) == 0)
			return id;
	}
	return 0;
}

uint64_t counters_lost(const struct counters *c, size_t event, size_t cpu, size_t thread)
{
	uint64_t format = c->events->v[event].attr.read_format;
	const int *fd = counters_fd(c, event, cpu, thread);
	uint64_t words[8], before = c->lost ? c->lost[fd - c->fds] : 0;
	size_t at = 1;

	/* A group's values are read through its leader, in one go: not worth it here. */
	if (*fd < 0 || !(format & PERF_FORMAT_LOST) || (format & PERF_FORMAT_GROUP))
		return before;
	at += !!(format & PERF_FORMAT_TOTAL_TIME_ENABLED);
	at += !!(format & PERF_FORMAT_TOTAL_TIME_RUNNING);
	at += !!(format & PERF_FORMAT_ID);
	if (read(*fd, words, sizeof(words)) < (ssize_t)((at + 1) * sizeof(*words)))
		return before;
	return before + words[at];
}

bool counters_tasks_ended(const struct counters *c)
{
	if (!c->threads.nr || c->threads.v[0].tid < 0)
		return false;
	for (size_t t = 0; t < c->per_ring; t++) {
		for (size_t cpu = 0; cpu < c->cpus.nr; cpu++) {
			struct pollfd p = { .fd = *counters_fd(c, 0, cpu, t), .events = POLLIN };

			if (p.fd >= 0 && (poll(&p, 1, 0) < 1 || !(p.revents & POLLHUP)))
				return false;
		}
	}
	return true;
}
