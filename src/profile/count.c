/* SPDX-License-Identifier: MIT */
#include "profile/count.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "profile/filter.h"

#define NONE32 UINT32_MAX
#define THREADS_MAX 64u
#define CHAIN_MAX (65536 / 8)
#define DEFAULT_MAX_STACK 127u   /* kernel.perf_event_max_stack */

/* --- table ------------------------------------------------------------------------ */

void raw_table_init(struct raw_table *t)
{
	memset(t, 0, sizeof(*t));
	arena_init(&t->arena);
}

void raw_table_release(struct raw_table *t)
{
	arena_release(&t->arena);
	free(t->v);
	free(t->slots);
	raw_table_init(t);
}

static size_t key_bytes(const struct raw_key *key)
{
	return sizeof(*key) + (size_t)key->nr_ips * 8;
}

static void table_grow(struct raw_table *t)
{
	t->nr_slots = t->nr_slots ? t->nr_slots * 2 : 1024;
	free(t->slots);
	t->slots = mem_zalloc((size_t)t->nr_slots * sizeof(*t->slots));
	for (uint32_t i = 0; i < t->nr; i++) {
		uint32_t s = (uint32_t)t->v[i].hash & (t->nr_slots - 1);

		while (t->slots[s])
			s = (s + 1) & (t->nr_slots - 1);
		t->slots[s] = i + 1;
	}
}

/* The entry for `key`, added with a copy of it when new. */
static struct raw_entry *table_get(struct raw_table *t, const struct raw_key *key, uint64_t hash)
{
	uint32_t s;
	struct raw_entry *e;

	if (t->nr * 2 >= t->nr_slots)
		table_grow(t);
	s = (uint32_t)hash & (t->nr_slots - 1);
	for (; t->slots[s]; s = (s + 1) & (t->nr_slots - 1)) {
		e = &t->v[t->slots[s] - 1];
		if (e->hash == hash && e->key->nr_ips == key->nr_ips &&
		    memcmp(e->key, key, key_bytes(key)) == 0)
			return e;
	}
	if (t->nr == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 512;
		t->v = mem_realloc_array(t->v, t->cap, sizeof(*t->v));
	}
	e = &t->v[t->nr++];
	*e = (struct raw_entry){ .key = arena_dup(&t->arena, key, key_bytes(key)), .hash = hash };
	t->slots[s] = t->nr;
	return e;
}

static void table_merge(struct raw_table *into, const struct raw_table *from)
{
	for (uint32_t i = 0; i < from->nr; i++) {
		const struct raw_entry *e = &from->v[i];
		struct raw_entry *to = table_get(into, e->key, e->hash);

		if (!to->samples || e->first_ns < to->first_ns)
			to->first_ns = e->first_ns;
		to->samples += e->samples;
		to->period += e->period;
	}
}

/* --- one thread ------------------------------------------------------------------------ */

/* Shared by the threads: where the next block comes from. */
struct feed {
	const struct perf_data *data;
	const struct process_table *processes;
	const struct profile_query *query;
	struct blocks *blocks;
	pthread_mutex_t lock;
	int failed;
	struct err err;
};

struct worker {
	struct feed *feed;
	struct count_result out;
	pthread_t thread;
	struct decoder decoder;
	struct raw_key *key;             /* room for the longest chain */
};

static void note_time(struct profile_account *a, uint64_t time_ns)
{
	if (!time_ns)
		return;
	if (!a->first_ns || time_ns < a->first_ns)
		a->first_ns = time_ns;
	if (time_ns > a->last_ns)
		a->last_ns = time_ns;
}

/* Is a chain as long as the kernel would make it, so that it may have gone on? */
static bool is_cut(const struct sample *s)
{
	uint64_t max = s->event->attr.sample_max_stack ? s->event->attr.sample_max_stack :
							  DEFAULT_MAX_STACK;

	return s->nr_ips >= max;
}

static void count_one(struct worker *w, const struct sample *s)
{
	const struct profile_query *q = w->feed->query;
	struct profile_account *a = &w->out.account;
	struct raw_key *key = w->key;
	const struct image *image;
	struct raw_entry *e;
	uint32_t comm = NONE32;

	a->samples++;
	note_time(a, s->time_ns);
	if (!filter_sample(q, w->feed->processes, s, &comm)) {
		a->filtered++;
		return;
	}
	image = process_image(w->feed->processes, s->pid, s->time_ns);
	*key = (struct raw_key){
		.event = s->event->index,
		.comm = q->by & PROFILE_BY_COMM ? comm : NONE32,
		.pid = q->by & PROFILE_BY_PID ? s->pid : NONE32,
		.tid = q->by & PROFILE_BY_TID ? s->tid : NONE32,
		.cpu = q->by & PROFILE_BY_CPU ? s->cpu : NONE32,
		.image = image_index(image),
		.epoch = image_epoch(image, s->time_ns),
		.cpumode = s->cpumode,
		.ip = s->ip,
	};
	a->stack_dumps += s->stack_size != 0;
	if (s->nr_ips) {
		w->out.has_chains = true;
		a->truncated_stacks += is_cut(s);
	}
	if ((q->by & PROFILE_BY_STACK) && s->nr_ips) {
		key->nr_ips = (uint32_t)s->nr_ips;
		memcpy(key->ips, s->ips, (size_t)s->nr_ips * 8);
	}
	e = table_get(&w->out.table, key, hash_bytes(key, key_bytes(key)));
	if (!e->samples)
		e->first_ns = s->time_ns;
	e->samples++;
	e->period += s->period;
	w->out.totals[key->event].samples++;
	w->out.totals[key->event].period += s->period;
}

static void count_block(struct worker *w, const struct block *block)
{
	bool swap = w->feed->data->swap;
	const uint8_t *bytes;
	struct record record;
	size_t at = 0;

	while ((bytes = block_record(block, swap, &at))) {
		if (record_header(bytes, swap).type != PERF_RECORD_SAMPLE)
			continue;
		if (record_decode(&w->decoder, bytes, &record, NULL) < 0)
			w->out.account.bad_records++;
		else
			count_one(w, &record.sample);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct feed *feed = w->feed;

	for (;;) {
		struct block block;
		int r;

		pthread_mutex_lock(&feed->lock);
		r = feed->failed ? 0 : blocks_next(feed->blocks, &block, &feed->err);
		if (r < 0)
			feed->failed = r;
		pthread_mutex_unlock(&feed->lock);
		if (r <= 0)
			return NULL;
		count_block(w, &block);
		block_release(&block);
	}
}

static struct worker *worker_new(struct feed *feed)
{
	struct worker *w = mem_zalloc(sizeof(*w));

	w->feed = feed;
	w->key = mem_alloc(sizeof(*w->key) + CHAIN_MAX * sizeof(uint64_t));
	raw_table_init(&w->out.table);
	w->out.totals = mem_zalloc(feed->data->events.nr * sizeof(*w->out.totals));
	decoder_init(&w->decoder, &feed->data->events, feed->data->swap);
	return w;
}

static void add_account(struct profile_account *to, const struct profile_account *from)
{
	to->samples += from->samples;
	to->filtered += from->filtered;
	to->bad_records += from->bad_records;
	to->truncated_stacks += from->truncated_stacks;
	to->stack_dumps += from->stack_dumps;
	note_time(to, from->first_ns);
	note_time(to, from->last_ns);
}

/* Merge a worker's result into `out` and free the worker. The first one gives its table. */
static void worker_finish(struct worker *w, struct count_result *out, uint32_t nr_events)
{
	if (!out->totals) {
		*out = w->out;
	} else {
		table_merge(&out->table, &w->out.table);
		add_account(&out->account, &w->out.account);
		for (uint32_t i = 0; i < nr_events; i++) {
			out->totals[i].samples += w->out.totals[i].samples;
			out->totals[i].period += w->out.totals[i].period;
		}
		out->has_chains |= w->out.has_chains;
		raw_table_release(&w->out.table);
		free(w->out.totals);
	}
	decoder_release(&w->decoder);
	free(w->key);
	free(w);
}

static unsigned thread_count(const struct perf_data *data, const struct profile_query *query)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = query->jobs ? query->jobs : cores > 0 ? (unsigned)cores : 1;

	/* a small file is counted before a thread has started */
	if (!query->jobs && data->data_size < 4u << 20)
		n = 1;
	return n < THREADS_MAX ? n : THREADS_MAX;
}

int count_samples(const struct perf_data *data, const struct process_table *processes,
		  const struct profile_query *query, struct count_result *out, struct err *err)
{
	struct feed feed = { .data = data, .processes = processes, .query = query };
	unsigned n = thread_count(data, query), started = 1;
	struct worker *workers[THREADS_MAX];

	memset(out, 0, sizeof(*out));
	pthread_mutex_init(&feed.lock, NULL);
	feed.blocks = blocks_new(data);
	workers[0] = worker_new(&feed);
	for (; started < n; started++) {
		workers[started] = worker_new(&feed);
		if (pthread_create(&workers[started]->thread, NULL, work, workers[started]) != 0) {
			struct count_result none = { .totals = workers[0]->out.totals };

			worker_finish(workers[started], &none, 0);
			break;
		}
	}
	work(workers[0]);
	for (unsigned i = 1; i < started; i++)
		pthread_join(workers[i]->thread, NULL);
	for (unsigned i = 0; i < started; i++)
		worker_finish(workers[i], out, data->events.nr);
	blocks_free(feed.blocks);
	pthread_mutex_destroy(&feed.lock);
	if (feed.failed) {
		raw_table_release(&out->table);
		free(out->totals);
		memset(out, 0, sizeof(*out));
		return err_set(err, -feed.failed, "%s", feed.err.msg);
	}
	return 0;
}
