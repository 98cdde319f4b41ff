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

struct mapwatch {
	struct ring *rings;              /* per CPU; page NULL: none */
	int *fds;
	size_t nr_cpus, nr_fds;
	struct timespec last;            /* when we looked last */
	uint8_t record[UINT16_MAX + 1];
};

/* The tracking event's sight, and nothing but its mappings of code. */
static struct perf_event_attr watch_attr(const struct perf_event_attr *tracking)
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
		.watermark = 1,
		.wakeup_watermark = 1,
	};
}

static int open_cpu(struct mapwatch *w, const struct counters *c, size_t cpu)
{
	struct perf_event_attr attr = watch_attr(&c->events->v[c->events->nr - 1].attr);
	uint64_t bytes = RING_PAGES * (uint64_t)sysconf(_SC_PAGESIZE);

	for (size_t t = 0; t < c->threads.nr; t++) {
		struct ring *ring = &w->rings[cpu];
		long fd = syscall(SYS_perf_event_open, &attr, c->threads.v[t].tid, c->cpus.v[cpu], -1,
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

struct mapwatch *mapwatch_new(const struct counters *c)
{
	size_t most = c->cpus.nr * c->threads.nr;
	struct mapwatch *w;
	int ret = 0;

	if (most > FDS_MOST)
		return NULL;
	w = mem_zalloc(sizeof(*w));
	w->nr_cpus = c->cpus.nr;
	w->rings = mem_zalloc((c->cpus.nr + 1) * sizeof(*w->rings));
	w->fds = mem_realloc_array(NULL, most + 1, sizeof(*w->fds));
	for (size_t cpu = 0; cpu < w->nr_cpus && ret == 0; cpu++)
		ret = open_cpu(w, c, cpu);
	if (ret == 0)
		return w;
	log_debug("mappings are seen with the samples only: %s", strerror(-ret));
	mapwatch_free(w);
	return NULL;
}

void mapwatch_free(struct mapwatch *w)
{
	if (!w)
		return;
	for (size_t cpu = 0; cpu < w->nr_cpus; cpu++)
		ring_close(&w->rings[cpu]);
	for (size_t i = 0; i < w->nr_fds; i++)
		close(w->fds[i]);
	free(w->rings);
	free(w->fds);
	free(w);
}

int mapwatch_poll(struct mapwatch *w, int epoll_fd)
{
	for (size_t cpu = 0; cpu < w->nr_cpus; cpu++) {
		/* by edge: an event whose task has ended hangs up for ever */
		struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = w };

		if (w->rings[cpu].page &&
		    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, w->rings[cpu].fd, &event) < 0)
			return -errno;
	}
	return 0;
}

static void take_ring(struct mapwatch *w, struct ring *ring,
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
}

static void rest(struct mapwatch *w)
{
	struct timespec now, left = { 0 };
	int64_t since;

	clock_gettime(CLOCK_MONOTONIC, &now);
	since = (now.tv_sec - w->last.tv_sec) * 1000000000ll + now.tv_nsec - w->last.tv_nsec;
	if (since < REST_NS) {
		left.tv_nsec = REST_NS - since;
		nanosleep(&left, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
	}
	w->last = now;
}

void mapwatch_take(struct mapwatch *w, void (*tell)(void *arg, const void *record), void *arg)
{
	rest(w);
	for (size_t cpu = 0; cpu < w->nr_cpus; cpu++)
		if (w->rings[cpu].page)
			take_ring(w, &w->rings[cpu], tell, arg);
}
