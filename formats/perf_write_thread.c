/* SPDX-License-Identifier: MIT */
/*
 * A writer with a thread of its own, for compression.
 *
 *	caller:  records, ring bytes, "flush" --> copied to the queue (at most 8 MB) --.
 *	thread:  compress, write <----------------------------------------------------'
 *
 * The caller gives a ring's room back as soon as its bytes are copied, so that the kernel
 * need not wait for the compression; where the queue is full the caller waits.  What the
 * thread cannot write is told at the next call.  The struct belongs to the thread from
 * perf_write_threaded to perf_write_join.
 */
#include "formats/perf_write_priv.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/capability.h"
#include "base/mem.h"

#define CHUNK_BYTES (256u << 10)
#define CHUNKS_MOST 32

enum job { JOB_RECORDS, JOB_RING, JOB_FLUSH };

struct chunk {
	struct chunk *next;
	enum job job;
	size_t size;
	uint8_t bytes[CHUNK_BYTES];
};

struct perf_write_thread {
	pthread_t id;
	pthread_mutex_t lock;
	pthread_cond_t more, room;
	struct chunk *first, *last, *spare;
	unsigned nr;                     /* chunks there are */
	bool end;
	int code;                        /* of the first failure, negative */
	struct err err;
	uint64_t bytes;                  /* written so far */
};

static int do_job(struct perf_write *w, const struct chunk *c, struct err *err)
{
	struct iovec piece = { (void *)(uintptr_t)c->bytes, c->size };

	switch (c->job) {
	case JOB_RECORDS:
		return perf_write_records_now(w, c->bytes, c->size, err);
	case JOB_RING:
		return perf_write_ring_now(w, &piece, 1, err);
	case JOB_FLUSH:
		return perf_write_flush_now(w, err);
	}
	return 0;
}

static void *work(void *arg)
{
	struct perf_write *w = arg;
	struct perf_write_thread *t = w->thread;

	/* it writes what it is given to a file that is open */
	capability_need(0);
	pthread_mutex_lock(&t->lock);
	while (t->first || !t->end) {
		struct chunk *c = t->first;
		struct err err = ERR_INIT;
		int r = t->code;

		if (!c) {
			pthread_cond_wait(&t->more, &t->lock);
			continue;
		}
		t->first = c->next;
		pthread_mutex_unlock(&t->lock);
		if (r == 0)
			r = do_job(w, c, &err);
		pthread_mutex_lock(&t->lock);
		if (r < 0 && t->code == 0) {
			t->code = r;
			t->err = err;
		}
		t->bytes = w->bytes;
		c->next = t->spare;
		t->spare = c;
		pthread_cond_signal(&t->room);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

void perf_write_threaded(struct perf_write *w)
{
	struct perf_write_thread *t = mem_zalloc(sizeof(*t));
	sigset_t all, before;

	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->more, NULL);
	pthread_cond_init(&t->room, NULL);
	t->bytes = w->bytes;
	w->thread = t;
	/* Signals are the caller's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&t->id, NULL, work, w) != 0) {
		free(t);
		w->thread = NULL;        /* then without */
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* A chunk to fill; waits for one. With the lock held. */
static struct chunk *take_chunk(struct perf_write_thread *t)
{
	struct chunk *c;

	while (!t->spare && t->nr >= CHUNKS_MOST)
		pthread_cond_wait(&t->room, &t->lock);
	c = t->spare;
	if (c) {
		t->spare = c->next;
	} else {
		t->nr++;
		c = mem_alloc(sizeof(*c));
	}
	c->next = NULL;
	c->size = 0;
	return c;
}

/* Queue `size` bytes (0: the job alone); 0, or what an earlier job failed with. */
static int push(struct perf_write *w, enum job job, const uint8_t *bytes, size_t size, struct err *err)
{
	struct perf_write_thread *t = w->thread;
	int r;

	pthread_mutex_lock(&t->lock);
	do {
		struct chunk *c = take_chunk(t);

		c->job = job;
		c->size = size < CHUNK_BYTES ? size : CHUNK_BYTES;
		if (c->size)
			memcpy(c->bytes, bytes, c->size);
		if (t->first)
			t->last->next = c;
		else
			t->first = c;
		t->last = c;
		bytes += c->size;
		size -= c->size;
	} while (size);
	pthread_cond_signal(&t->more);
	r = t->code;
	if (r < 0 && err)
		*err = t->err;
	pthread_mutex_unlock(&t->lock);
	return r;
}

int perf_write_push_records(struct perf_write *w, const void *records, size_t size, struct err *err)
{
	return size ? push(w, JOB_RECORDS, records, size, err) : 0;
}

int perf_write_push_ring(struct perf_write *w, const struct iovec *pieces, int nr, struct err *err)
{
	int r = 0;

	for (int i = 0; i < nr && r == 0; i++)
		if (pieces[i].iov_len)
			r = push(w, JOB_RING, pieces[i].iov_base, pieces[i].iov_len, err);
	return r;
}

int perf_write_push_flush(struct perf_write *w, struct err *err)
{
	static const uint8_t none[1];

	return push(w, JOB_FLUSH, none, 0, err);
}

uint64_t perf_write_thread_bytes(const struct perf_write *w)
{
	struct perf_write_thread *t = w->thread;
	uint64_t bytes;

	pthread_mutex_lock(&t->lock);
	bytes = t->bytes;
	pthread_mutex_unlock(&t->lock);
	return bytes;
}

void perf_write_join(struct perf_write *w)
{
	struct perf_write_thread *t = w->thread;

	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->end = true;
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->id, NULL);
	w->thread_code = t->code;
	w->thread_err = t->err;
	while (t->spare) {
		struct chunk *c = t->spare;

		t->spare = c->next;
		free(c);
	}
	pthread_cond_destroy(&t->room);
	pthread_cond_destroy(&t->more);
	pthread_mutex_destroy(&t->lock);
	w->thread = NULL;
	free(t);
}
