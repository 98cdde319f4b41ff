/* SPDX-License-Identifier: MIT */
/*
 * --threads: a crew that empties the rings, each of it into a file of its own.
 *
 *	ring 0 --.
 *	ring 1 --+-- hand 0 --> data.0      sums: samples, losses, times   |  locked once for
 *	ring 2 --.                                                         |  each piece written
 *	ring 3 --+-- hand 1 --> data.1      notes: buildids, keep          |  for each mapping
 *	               |
 *	               '-- news (a round with something in it, a failure) --> the recorder
 *
 * A hand waits, looks and writes as the recorder does where it is alone (recorder_drain.c).
 * The recorder has signals, commands, steps of time, new mappings and larger rings, and the
 * file "data": what is there at the beginning and what was lost in the end.  It hears of the
 * end of tasks by the news, since that wakes those who wait for a ring.
 *
 * A hand's rings, writer and stacks are its own while its thread runs, but for when its lock
 * is held by the recorder (larger rings); before and afterwards they are the recorder's.
 */
#include "engine/recorder_priv.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/masks.h"

struct hand {
	struct crew *crew;
	struct drainer d;
	const struct mask *mask;
	size_t *rings, nr_rings;
	pthread_t thread;
	bool runs, has_lock;
	int epoll_fd;
	unsigned idle_rounds;
	pthread_mutex_t lock;            /* held for a round */
	struct err err;                  /* of its first failure; whole once `code` is not 0 */
	atomic_int code;
	_Atomic uint64_t bytes;          /* written so far */
};

struct crew {
	struct masks masks;
	struct hand *v;
	size_t nr;
	int over_fd, news_fd;            /* eventfds: to all hands; from any */
	atomic_bool over;
	pthread_barrier_t ready;
};

/* --- a hand's thread ------------------------------------------------------------------- */

static void tell(int fd)
{
	const uint64_t one = 1;

	/* it fails where nobody has read 2^64 - 2 of them */
	if (write(fd, &one, sizeof(one)) < 0)
		log_debug("eventfd: %s", strerror(errno));
}

static int last_cpu(const cpu_vec *cpus)
{
	int last = 0;

	for (size_t i = 0; i < cpus->nr; i++)
		if (cpus->v[i] > last)
			last = cpus->v[i];
	return last;
}

/* Run where the mask says. Groups are ours to choose, so one may be out of our reach. */
static int go_to_place(const struct hand *h, struct err *err)
{
	const cpu_vec *on = &h->mask->on;
	size_t size = CPU_ALLOC_SIZE(last_cpu(on) + 1);
	cpu_set_t *set = mem_zalloc(size);
	int code;

	for (size_t i = 0; i < on->nr; i++)
		CPU_SET_S((size_t)on->v[i], size, set);
	code = sched_setaffinity(0, size, set) < 0 ? errno : 0;
	free(set);
	if (!code)
		return 0;
	if (h->crew->masks.kind == MASKS_GIVEN)
		return err_set(err, code, "--threads: thread %zu cannot run on any CPU of its mask (CPU %d%s): "
			       "%s", (size_t)(h - h->crew->v), on->v[0], on->nr > 1 ? " and others" : "",
			       strerror(code));
	log_info("the thread that empties the ring of CPU %d cannot run there: %s", on->v[0],
		 strerror(code));
	return 0;
}

static int empty_ring(struct hand *h, struct ring *ring, size_t index, struct err *err)
{
	return h->d.stacks ? recorder_rewrite_ring(&h->d, ring, err) :
			     recorder_drain_ring(&h->d, ring, index, err);
}

/* Each ring once; 1 if there was anything. */
static int round_of(struct hand *h, struct err *err)
{
	struct ring *rings = h->d.r->counters.rings;
	int ret = 0, any = 0;

	for (size_t i = 0; i < h->nr_rings && ret >= 0; i++) {
		ret = empty_ring(h, &rings[h->rings[i]], h->rings[i], err);
		any |= ret > 0;
	}
	if (ret >= 0 && any)
		ret = perf_write_flush(h->d.writer, err);
	atomic_store(&h->bytes, perf_write_bytes(h->d.writer));
	return ret < 0 ? ret : any;
}

static void fail(struct hand *h, int code, const struct err *err)
{
	if (err)
		h->err = *err;
	atomic_store(&h->code, code);
}

/* A round, by its own thread or the recorder's. After a failure there is none any more. */
static int take_turn(struct hand *h)
{
	struct err err = ERR_INIT;
	int ret;

	pthread_mutex_lock(&h->lock);
	ret = atomic_load(&h->code);
	if (ret == 0) {
		ret = round_of(h, &err);
		if (ret < 0)
			fail(h, ret, &err);
	}
	pthread_mutex_unlock(&h->lock);
	return ret;
}

static void *work(void *arg)
{
	struct hand *h = arg;
	struct crew *crew = h->crew;
	struct err err = ERR_INIT;
	int ret = go_to_place(h, &err);
	bool over = false;

	if (ret == 0)
		ret = recorder_raise_priority(h->d.r, &err);
	if (ret < 0)
		fail(h, ret, &err);
	recorder_need_less(h->d.r);
	pthread_barrier_wait(&crew->ready);
	while (ret >= 0 && !over) {
		struct epoll_event events[16];
		int n = epoll_wait(h->epoll_fd, events, 16, recorder_tick_ms(h->idle_rounds));

		over = atomic_load(&crew->over);
		ret = take_turn(h);
		h->idle_rounds = ret ? 0 : h->idle_rounds + 1;
		if (ret || n > 0)
			tell(crew->news_fd);
	}
	return NULL;
}

/* --- before ---------------------------------------------------------------------------- */

static int cannot(const char *what, int code, struct err *err)
{
	return err_set(err, code, "--threads: cannot %s: %s%s", what, strerror(code),
		       code == EMFILE ? "; raise 'ulimit -n'" : "");
}

/* Its rings, and what wakes it: those and the end. */
static int watch_rings(struct hand *h, struct err *err)
{
	const struct counters *c = &h->d.r->counters;
	struct epoll_event event = { .events = EPOLLIN };

	h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (h->epoll_fd < 0 || epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, h->crew->over_fd, &event) < 0)
		return cannot("wait for rings", errno, err);
	h->rings = mem_zalloc((c->cpus.nr + 1) * sizeof(*h->rings));
	event.events = EPOLLIN | EPOLLET;        /* see watch() of recorder.c */
	for (size_t i = 0; i < c->cpus.nr; i++) {
		bool ours = false;

		for (size_t j = 0; j < h->mask->cpus.nr; j++)
			ours |= h->mask->cpus.v[j] == c->cpus.v[i];
		if (!ours)
			continue;
		h->rings[h->nr_rings++] = i;
		if (c->rings[i].page &&
		    epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, c->rings[i].fd, &event) < 0)
			return cannot("wait for rings", errno, err);
	}
	return 0;
}

static int open_part(struct hand *h, struct err *err)
{
	struct recorder *r = h->d.r;
	int fd = output_add_part(&r->output, err);
	struct str path = STR_INIT;

	if (fd < 0)
		return fd;
	str_addf(&path, "%s/data.%u", r->o->output, r->output.nr_parts - 1);
	h->d.writer = perf_write_new_part(fd, path.p);
	str_release(&path);
	return recorder_compress(r, h->d.writer, err);
}

static int open_hand(struct recorder *r, size_t index, struct err *err)
{
	struct hand *h = &r->crew->v[index];
	int ret;

	h->crew = r->crew;
	h->d.r = r;
	h->mask = &r->crew->masks.v[index];
	h->d.record = mem_alloc(UINT16_MAX + 1);
	h->d.batch = mem_alloc(RECORDER_BATCH_BYTES);
	pthread_mutex_init(&h->lock, NULL);
	h->has_lock = true;
	ret = watch_rings(h, err);
	return ret < 0 ? ret : open_part(h, err);
}

int recorder_open_crew(struct recorder *r, struct err *err)
{
	struct crew *crew = mem_zalloc(sizeof(*crew));
	int ret = masks_settle(&r->o->threads, &r->counters.cpus, NULL, &crew->masks, err);

	if (ret < 0) {
		free(crew);
		return ret;
	}
	pthread_barrier_init(&crew->ready, NULL, 2);
	crew->over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	crew->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	crew->nr = crew->masks.nr;
	crew->v = mem_zalloc((crew->nr + 1) * sizeof(*crew->v));
	for (size_t i = 0; i < crew->nr; i++)
		crew->v[i].epoll_fd = -1;
	r->crew = crew;
	return crew->over_fd < 0 || crew->news_fd < 0 ? cannot("wake threads", errno, err) : 0;
}

int recorder_open_parts(struct recorder *r, struct err *err)
{
	int ret = 0;

	for (size_t i = 0; i < r->crew->nr && ret == 0; i++)
		ret = open_hand(r, i, err);
	return ret;
}

int recorder_start_crew(struct recorder *r, struct err *err)
{
	struct crew *crew = r->crew;
	int ret = 0;

	for (size_t i = 0; i < crew->nr && ret == 0; i++) {
		struct hand *h = &crew->v[i];

		if (r->set.nr)           /* samples with stacks */
			ret = stacks_new(&h->d.stacks, &r->set, arch_host(), NULL, NULL, err);
		if (ret < 0)
			break;
		ret = -pthread_create(&h->thread, NULL, work, h);
		if (ret < 0)
			return cannot("start a thread", -ret, err);
		h->runs = true;
		pthread_barrier_wait(&crew->ready);
		ret = atomic_load(&h->code);
		if (ret < 0 && err)
			*err = h->err;
	}
	return ret;
}

/* --- meanwhile ------------------------------------------------------------------------- */

int recorder_watch_crew(struct recorder *r, struct err *err)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, r->crew->news_fd, &event) < 0)
		return cannot("wait for threads", errno, err);
	return 0;
}

int recorder_hear_crew(struct recorder *r, struct err *err)
{
	struct crew *crew = r->crew;
	uint64_t news, last_ns, bytes = perf_write_bytes(r->writer);

	if (read(crew->news_fd, &news, sizeof(news)) != (ssize_t)sizeof(news))
		return 0;
	for (size_t i = 0; i < crew->nr; i++) {
		int code = atomic_load(&crew->v[i].code);

		if (code < 0) {
			if (err)
				*err = crew->v[i].err;
			return code;
		}
		bytes += atomic_load(&crew->v[i].bytes);
	}
	recorder_lock(r, &r->sums);
	last_ns = r->last_ns;
	recorder_unlock(r, &r->sums);
	recorder_lock(r, &r->notes);
	if (r->keep)
		keep_tick(r->keep, last_ns);
	recorder_unlock(r, &r->notes);
	recorder_mind_size(r, bytes);
	return 0;
}

int recorder_drain_crew(struct recorder *r, struct err *err)
{
	int ret = 0;

	for (size_t i = 0; i < r->crew->nr && ret >= 0; i++) {
		ret = take_turn(&r->crew->v[i]);
		if (ret < 0 && err)
			*err = r->crew->v[i].err;
	}
	return ret < 0 ? ret : 0;
}

void recorder_hold_crew(struct recorder *r)
{
	for (size_t i = 0; r->crew && i < r->crew->nr; i++)
		pthread_mutex_lock(&r->crew->v[i].lock);
}

void recorder_release_crew(struct recorder *r)
{
	for (size_t i = 0; r->crew && i < r->crew->nr; i++)
		pthread_mutex_unlock(&r->crew->v[i].lock);
}

static struct hand *whose_ring(struct crew *crew, size_t index)
{
	struct hand *h = crew->v;

	for (;; h++)
		for (size_t i = 0; i < h->nr_rings; i++)
			if (h->rings[i] == index)
				return h;
}

int recorder_crew_drain(struct recorder *r, struct ring *held, size_t index, struct err *err)
{
	struct hand *h = whose_ring(r->crew, index);
	int ret = atomic_load(&h->code);

	if (ret < 0 || !held->page)
		return 0;
	ret = empty_ring(h, held, index, err);
	if (ret < 0)
		fail(h, ret, err);
	return ret;
}

/* --- after ----------------------------------------------------------------------------- */

/* Close its file; the first failure of all is told. */
static int finish_part(struct recorder *r, struct hand *h, int before, struct err *err)
{
	int ret = atomic_load(&h->code), finished;

	if (ret < 0 && before == 0 && err)
		*err = h->err;
	finished = perf_write_finish(h->d.writer, before == 0 && ret == 0 ? err : NULL);
	perf_write_adopt(r->writer, h->d.writer);
	r->bytes_before += perf_write_bytes(h->d.writer);
	perf_write_free(h->d.writer);
	h->d.writer = NULL;
	return before ? before : ret ? ret : finished;
}

int recorder_end_crew(struct recorder *r, struct err *err)
{
	struct crew *crew = r->crew;
	int ret = 0;

	atomic_store(&crew->over, true);
	tell(crew->over_fd);
	for (size_t i = 0; i < crew->nr; i++) {
		if (crew->v[i].runs)
			pthread_join(crew->v[i].thread, NULL);
		crew->v[i].runs = false;
	}
	for (size_t i = 0; i < crew->nr; i++)
		if (crew->v[i].d.writer)
			ret = finish_part(r, &crew->v[i], ret, err);
	return ret;
}

void recorder_close_crew(struct recorder *r)
{
	struct crew *crew = r->crew;

	if (!crew)
		return;
	if (r->writer)
		recorder_end_crew(r, NULL);
	for (size_t i = 0; i < crew->nr; i++) {
		struct hand *h = &crew->v[i];

		stacks_free(h->d.stacks);
		free(h->d.record);
		free(h->d.batch);
		free(h->rings);
		if (h->epoll_fd >= 0)
			close(h->epoll_fd);
		if (h->has_lock)
			pthread_mutex_destroy(&h->lock);
	}
	if (crew->over_fd >= 0)
		close(crew->over_fd);
	if (crew->news_fd >= 0)
		close(crew->news_fd);
	pthread_barrier_destroy(&crew->ready);
	masks_release(&crew->masks);
	free(crew->v);
	free(crew);
	r->crew = NULL;
}
