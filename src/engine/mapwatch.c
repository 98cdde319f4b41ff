/* SPDX-License-Identifier: MIT */
#include "engine/mapwatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define RING_PAGES 4
/* More descriptors than this are not worth it: who watches so many threads came late anyway. */
#define FDS_MOST 256
#define REST_NS 2000000
/* So many looks one right behind the other, and we are busy; so many that find nothing, and not. */
#define BUSY_LOOKS 8
#define CALM_LOOKS 25

enum mode { CALM, BUSY, NR_MODES };

/* The same events twice: those of one mode are on. */
struct watches {
	struct ring *rings;              /* per CPU; page NULL: none */
	int *fds;
	size_t nr_fds;
};

struct mapwatch {
	struct watches of[NR_MODES];
	size_t nr_cpus;
	enum mode mode;
	bool can_be_busy;
	unsigned looks;                  /* towards the other mode */
	struct timespec last;            /* when we looked last */
	uint8_t record[UINT16_MAX + 1];
};

/* The tracking event's sight, and nothing but its mappings of code. */
static struct perf_event_attr watch_attr(const struct perf_event_attr *tracking, enum mode mode)
{
	return (struct perf_event_attr){
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.size = sizeof(struct perf_event_attr),
		.mmap = 1,
		.mmap2 = tracking->mmap2,
		.build_id = tracking->build_id,
		.inherit = tracking->inherit,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.disabled = mode != CALM,
		.watermark = 1,
		.wakeup_watermark = mode == CALM ? 1 : UINT32_MAX,
	};
}

static int open_cpu(struct watches *w, const struct counters *c, size_t cpu, enum mode mode)
{
	struct perf_event_attr attr = watch_attr(&c->events->v[c->events->nr - 1].attr, mode);
	uint64_t bytes = RING_PAGES * (uint64_t)sysconf(_SC_PAGESIZE);

	for (size_t t = 0; t < c->per_ring; t++) {
		struct ring *ring = &w->rings[cpu];
		long fd = syscall(SYS_perf_event_open, &attr, counters_thread(c, cpu, t)->tid, c->cpus.v[cpu], -1,
				  PERF_FLAG_FD_CLOEXEC);
		int ret;

		if (fd < 0 && (errno == ESRCH || errno == ENODEV))
			continue;
		if (fd < 0)
			return -errno;
		w->fds[w->nr_fds++] = (int)fd;
		if (!ring->page)
			ret = ring_open(ring, (int)fd, c->cpus.v[cpu], bytes, false);
		else
			ret = ioctl((int)fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd) < 0 ? -errno : 0;
		if (ret < 0)
			return ret;
	}
	return 0;
}

static void close_mode(struct mapwatch *w, enum mode mode)
{
	struct watches *of = &w->of[mode];

	for (size_t cpu = 0; cpu < w->nr_cpus && of->rings; cpu++)
		ring_close(&of->rings[cpu]);
	for (size_t i = 0; i < of->nr_fds; i++)
		close(of->fds[i]);
	free(of->rings);
	free(of->fds);
	*of = (struct watches){ 0 };
}

static int open_mode(struct mapwatch *w, const struct counters *c, enum mode mode)
{
	struct watches *of = &w->of[mode];
	int ret = 0;

	of->rings = mem_zalloc((c->cpus.nr + 1) * sizeof(*of->rings));
	of->fds = mem_realloc_array(NULL, c->cpus.nr * c->per_ring + 1, sizeof(*of->fds));
	for (size_t cpu = 0; cpu < w->nr_cpus && ret == 0; cpu++)
		ret = open_cpu(of, c, cpu, mode);
	if (ret < 0)
		close_mode(w, mode);
	return ret;
}

struct mapwatch *mapwatch_new(const struct counters *c)
{
	struct mapwatch *w;
	int ret;

	if (c->cpus.nr * c->per_ring > FDS_MOST)
		return NULL;
	w = mem_zalloc(sizeof(*w));
	w->nr_cpus = c->cpus.nr;
	ret = open_mode(w, c, CALM);
	if (ret == 0) {
		w->can_be_busy = open_mode(w, c, BUSY) == 0;
		return w;
	}
	log_debug("mappings are seen with the samples only: %s", strerror(-ret));
	mapwatch_free(w);
	return NULL;
}

void mapwatch_free(struct mapwatch *w)
{
	if (!w)
		return;
	close_mode(w, CALM);
	close_mode(w, BUSY);
	free(w);
}

int mapwatch_poll(struct mapwatch *w, int epoll_fd)
{
	struct ring *rings = w->of[CALM].rings;

	for (size_t cpu = 0; cpu < w->nr_cpus; cpu++) {
		/* by edge: an event whose task has ended hangs up for ever */
		struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = w };

		if (rings[cpu].page && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, rings[cpu].fd, &event) < 0)
			return -errno;
	}
	return 0;
}

static int64_t since_last_ns(const struct mapwatch *w, struct timespec *now)
{
	clock_gettime(CLOCK_MONOTONIC, now);
	return (now->tv_sec - w->last.tv_sec) * 1000000000ll + now->tv_nsec - w->last.tv_nsec;
}

int mapwatch_wait_ms(const struct mapwatch *w)
{
	struct timespec now;
	int64_t left;

	if (w->mode != BUSY)
		return -1;
	left = REST_NS - since_last_ns(w, &now);
	return left > 0 ? (int)((left + 999999) / 1000000) : 0;
}

/* Returns whether there was anything. */
static bool take_ring(struct mapwatch *w, struct ring *ring,
		      void (*tell)(void *arg, const void *record), void *arg)
{
	struct iovec pieces[2];
	int unused;
	uint64_t left = ring_peek(ring, pieces, &unused), at = 0;

	while (at < left) {
		const struct perf_event_header *header = ring_header(ring, at);

		if (header->size < sizeof(*header) || header->size > left - at)
			break;
		if (header->type == PERF_RECORD_MMAP || header->type == PERF_RECORD_MMAP2) {
			ring_copy(ring, at, w->record, header->size);
			tell(arg, w->record);
		}
		at += header->size;
	}
	ring_consume(ring, left);
	return left > 0;
}

/* Returns whether the last look is long enough ago; a rest is taken where that is near. */
static bool rest(struct mapwatch *w)
{
	struct timespec now, left = { 0 };
	int64_t since;
	bool rested = true;

	since = since_last_ns(w, &now);
	if (since < REST_NS) {
		left.tv_nsec = REST_NS - since;
		nanosleep(&left, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		rested = false;
	}
	w->last = now;
	return rested;
}

static void switch_all(const struct watches *of, unsigned long request)
{
	for (size_t i = 0; i < of->nr_fds; i++)
		ioctl(of->fds[i], request, 0);
}

/* No mapping comes between: for a moment both are on. */
static void change_mode(struct mapwatch *w, enum mode mode)
{
	switch_all(&w->of[mode], PERF_EVENT_IOC_ENABLE);
	switch_all(&w->of[w->mode], PERF_EVENT_IOC_DISABLE);
	w->mode = mode;
	w->looks = 0;
}

void mapwatch_take(struct mapwatch *w, void (*tell)(void *arg, const void *record), void *arg)
{
	bool rested = rest(w), any = false;

	for (int mode = CALM; mode < NR_MODES; mode++)
		for (size_t cpu = 0; cpu < w->nr_cpus && w->of[mode].rings; cpu++)
			if (w->of[mode].rings[cpu].page)
				any |= take_ring(w, &w->of[mode].rings[cpu], tell, arg);
	if (w->mode == CALM)
		w->looks = rested ? 0 : w->looks + 1;
	else
		w->looks = any ? 0 : w->looks + 1;
	if (w->mode == CALM && w->can_be_busy && w->looks >= BUSY_LOOKS)
		change_mode(w, BUSY);
	else if (w->mode == BUSY && w->looks >= CALM_LOOKS)
		change_mode(w, CALM);
}
