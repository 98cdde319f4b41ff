/* SPDX-License-Identifier: MIT */
#include "engine/live.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/hotplug.h"
#include "engine/recorder_priv.h"

#define TICK_MS 100
#define ROUND_BYTES_MAX (256u << 20)

struct live {
	struct recorder recorder;
	struct recorder_options options;
	struct recorder_result result;
	struct str tracing;
	pthread_t thread;
	pthread_mutex_t lock;            /* of the recorder, once the thread runs */
	bool started;
	atomic_bool stop;
	int wake_fd;                     /* readable: stop */
	int fd;                          /* the file that is being written; the writer has a copy */
	struct err err;                  /* why the thread writes no more */
};

static int start_file(struct live *l, struct err *err)
{
	int own;

	l->fd = memfd_create("sonde live", MFD_CLOEXEC);
	own = l->fd < 0 ? -1 : fcntl(l->fd, F_DUPFD_CLOEXEC, 3);
	if (own < 0)
		return err_set(err, errno, "cannot keep samples in memory: %s", strerror(errno));
	return recorder_start_writer(&l->recorder, own, false, "memory", &l->tracing, err);
}

/* --- the thread ----------------------------------------------------------------- */

static void drain(struct live *l)
{
	pthread_mutex_lock(&l->lock);
	recorder_follow_cpus(&l->recorder);
	if (!l->err.code && perf_write_bytes(l->recorder.writer) < ROUND_BYTES_MAX)
		recorder_drain(&l->recorder, &l->err);
	pthread_mutex_unlock(&l->lock);
}

/*
 * Rings wake us when they are filled in part; an event whose task has ended hangs up for
 * ever, so a ring that does is not looked at for the rest of a tick.
 */
static void wait_a_little(struct live *l, struct pollfd *fds, nfds_t nr)
{
	fds[0] = (struct pollfd){ .fd = l->wake_fd, .events = POLLIN };
	if (poll(fds, nr, TICK_MS) <= 0)
		return;
	for (nfds_t i = 1; i < nr; i++)
		if (fds[i].revents & POLLIN)
			return;
	if (!(fds[0].revents & POLLIN))
		poll(fds, 1, TICK_MS);
}

static void *empty_rings(void *arg)
{
	struct live *l = arg;
	const struct counters *c = &l->recorder.counters;
	struct pollfd *fds = mem_zalloc((c->cpus.nr + 2) * sizeof(*fds));
	nfds_t nr = 2;

	/* one that is negative is none for poll(2) */
	fds[1] = (struct pollfd){ .fd = l->recorder.hotplug_fd, .events = POLLIN };
	for (size_t i = 0; i < c->cpus.nr; i++)
		if (c->rings[i].page)
			fds[nr++] = (struct pollfd){ .fd = c->rings[i].fd, .events = POLLIN };
	while (!atomic_load(&l->stop)) {
		wait_a_little(l, fds, nr);
		drain(l);
	}
	free(fds);
	return NULL;
}

static int start_thread(struct live *l, struct err *err)
{
	struct sched_param param = { .sched_priority = l->options.realtime };
	int code = pthread_create(&l->thread, NULL, empty_rings, l);

	if (code)
		return err_set(err, code, "cannot start a thread to read samples: %s", strerror(code));
	l->started = true;
	code = l->options.realtime ? pthread_setschedparam(l->thread, SCHED_FIFO, &param) : 0;
	if (!code)
		return 0;
	return err_set(err, code, "cannot run at realtime priority %d: %s; it takes root or "
		       "CAP_SYS_NICE", l->options.realtime, strerror(code));
}

/* --- from outside ----------------------------------------------------------------- */

static int check_events(const struct event_list *events, struct err *err)
{
	for (uint32_t i = 0; i < events->nr; i++)
		if (events->v[i].sample_read)
			return err_set(err, EOPNOTSUPP, "event '%s': the values of its group (modifier S) "
				       "cannot be followed live; sonde record and report show them",
				       events->v[i].name);
	return 0;
}

int live_open(struct live **out, const struct recorder_options *options, struct event_list *events,
	      struct err *err)
{
	struct live *l = mem_zalloc(sizeof(*l));
	int r = check_events(events, err);

	*out = NULL;
	l->options = *options;
	l->options.no_build_ids = true;  /* the kernel writes them into the records */
	l->options.no_copies = true;
	l->options.attr.build_ids = true;
	l->tracing = (struct str)STR_INIT;
	l->fd = -1;
	l->wake_fd = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&l->lock, NULL);
	l->recorder = (struct recorder){ .o = &l->options, .events = events, .result = &l->result,
					 .epoll_fd = -1, .signal_fd = -1,
					 .hotplug_fd = hotplug_open(), .output = { .fd = -1 },
					 .started_ms = -1, .stop_at_ms = -1 };
	l->recorder.buildids = buildids_new();
	l->recorder.record = mem_alloc(UINT16_MAX + 1);
	if (!r && l->wake_fd < 0)
		r = err_set(err, errno, "eventfd: %s", strerror(errno));
	if (!r)
		r = recorder_open_counters(&l->recorder, err);
	if (!r)
		r = recorder_read_tracing(&l->recorder, &l->tracing, err);
	if (!r)
		r = start_file(l, err);
	if (!r) {
		recorder_find_offsets(&l->recorder);
		r = recorder_open_stacks(&l->recorder, err);
	}
	if (!r)
		r = recorder_synthesize(&l->recorder, err);
	if (!r) {
		counters_enable(&l->recorder.counters);
		l->recorder.started_ms = recorder_now_ms();
		r = start_thread(l, err);
	}
	if (r < 0)
		live_close(l);
	else
		*out = l;
	return r;
}

int live_take(struct live *l, struct perf_data **out, struct err *err)
{
	char path[32];
	int fd, r;

	pthread_mutex_lock(&l->lock);
	r = l->err.code ? err_set(err, l->err.code, "%s", l->err.msg) : recorder_drain(&l->recorder, err);
	if (!r)
		r = perf_write_finish(l->recorder.writer, err);
	fd = l->fd;
	if (!r) {
		perf_write_free(l->recorder.writer);
		l->recorder.writer = NULL;
		r = start_file(l, err);
		if (r < 0)
			l->err = *err;
	}
	pthread_mutex_unlock(&l->lock);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = perf_data_open(out, path, err);
	close(fd);
	return r;
}

bool live_ended(const struct live *l)
{
	return target_is_tasks(&l->options.target) && counters_tasks_ended(&l->recorder.counters);
}

void live_close(struct live *l)
{
	uint64_t one = 1;

	if (!l)
		return;
	atomic_store(&l->stop, true);
	if (l->started) {
		if (write(l->wake_fd, &one, sizeof(one)) < 0)
			atomic_store(&l->stop, true);    /* it will see that at its next tick */
		pthread_join(l->thread, NULL);
	}
	recorder_close_stacks(&l->recorder);
	counters_close(&l->recorder.counters);
	perf_write_free(l->recorder.writer);
	if (l->fd >= 0)
		close(l->fd);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	if (l->recorder.hotplug_fd >= 0)
		close(l->recorder.hotplug_fd);
	buildids_free(l->recorder.buildids);
	map64_release(&l->recorder.spared);
	map64_release(&l->recorder.kin);
	free(l->recorder.record);
	str_release(&l->tracing);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
