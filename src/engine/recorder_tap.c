/* SPDX-License-Identifier: MIT */
/* Events that come through engine/tap instead of the rings of perf_event_open. */
#include "engine/recorder_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"

/* The last record may be being written when all is over. */
#define LAST_TRIES 1000
#define LAST_WAIT_NS 100000

static bool is_for_cgroups(const struct event_list *events)
{
	for (uint32_t i = 0; i < events->nr; i++)
		if (events->v[i].cgroup)
			return true;
	return false;
}

void recorder_open_tap(struct recorder *r)
{
	const struct recorder_options *o = r->o;
	struct err err = ERR_INIT;

	if (!o->tap)
		return;
	if (!target_is_cpus(&o->target) || o->without_self || o->control || o->overwrite ||
	    o->next_file.on || r->crew || is_for_cgroups(r->events))
		err_set(&err, ENOTSUP, "it is for whole CPUs, one file and one thread");
	else
		r->tap = tap_open(&r->counters, r->counters.ring_bytes, &err);
	if (!r->tap) {
		log_info("all events come through perf_event_open: %s", err.msg);
		return;
	}
	r->tapped = mem_alloc(RECORDER_BATCH_BYTES);
	r->tap_rings = mem_zalloc((r->counters.cpus.nr + 1) * sizeof(*r->tap_rings));
	r->counters.silent = mem_zalloc(r->events->nr * sizeof(*r->counters.silent));
	for (size_t i = 0; i < r->events->nr; i++)
		r->counters.silent[i] = tap_takes(r->tap, i);
}

int recorder_watch_tap(struct recorder *r, struct err *err)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	for (size_t i = 0; r->tap && i < r->counters.cpus.nr; i++)
		if (tap_fd(r->tap, i) >= 0 &&
		    epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, tap_fd(r->tap, i), &event) < 0)
			return err_set(err, errno, "epoll: %s", strerror(errno));
	return 0;
}

void recorder_close_tap(struct recorder *r)
{
	tap_close(r->tap);
	free(r->tapped);
	free(r->tap_rings);
	r->tap = NULL;
}

void recorder_switch(struct recorder *r, bool on)
{
	tap_switch(r->tap, on);
	counters_switch(&r->counters, NULL, on);
}

static int drain_cpu(struct recorder *r, size_t cpu, struct err *err)
{
	const struct timespec moment = { .tv_nsec = LAST_WAIT_NS };
	struct drainer d = recorder_drainer(r);
	uint64_t until = tap_written(r->tap, cpu);
	int ret = 0, any = 0;
	size_t size;

	for (int tries = 0; ret == 0 && tries < LAST_TRIES; ) {
		struct iovec piece;

		size = tap_read(r->tap, cpu, until, r->tapped, RECORDER_BATCH_BYTES);
		if (!size && (!r->is_over || tap_taken(r->tap, cpu) >= until))
			break;
		if (!size) {
			tries++;
			nanosleep(&moment, NULL);
			continue;
		}
		any = 1;
		piece = (struct iovec){ r->tapped, size };
		ret = perf_write_ring(r->writer, &piece, 1, err);
		recorder_count(&d, &r->tap_rings[cpu], r->tapped,
			       ret < 0 ? perf_write_kept(r->writer) : size);
	}
	return ret < 0 ? ret : any;
}

int recorder_drain_tap(struct recorder *r, struct err *err)
{
	int ret = 0, any = 0;

	for (size_t i = 0; i < r->counters.cpus.nr && ret >= 0; i++) {
		if (tap_fd(r->tap, i) < 0)
			continue;
		recorder_go_to(r, i);
		ret = drain_cpu(r, i, err);
		any |= ret > 0;
	}
	return ret < 0 ? ret : any;
}

uint64_t recorder_lost_of(struct recorder *r, size_t event, size_t cpu)
{
	const struct counters *c = &r->counters;
	uint64_t lost = 0;

	if (tap_takes(r->tap, event))
		return tap_lost(r->tap, event, cpu);
	for (size_t t = 0; t < c->per_ring; t++)
		lost += counters_lost(c, event, cpu, t);
	return lost;
}
