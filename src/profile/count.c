/* SPDX-License-Identifier: MIT */
#include "profile/count.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpus.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/progress.h"
#include "profile/extra.h"
#include "profile/filter.h"
#include "profile/order.h"
#include "profile/user_stack.h"
#include "profile/who.h"

#define NONE32 UINT32_MAX
#define THREADS_MAX 64u
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

/* A row of its own for each: counting touches one line of cache per sample. */
#define ENTRY_BYTES sizeof(struct raw_entry)
_Static_assert(sizeof(struct raw_entry) == 64, "an entry is a line of cache");

struct raw_slot {
	uint32_t tag;            /* the hash's upper half */
	uint32_t index;          /* of the entry + 1, or 0 */
};

static uint32_t slot_of(const struct raw_table *t, struct hash128 hash)
{
	return (uint32_t)hash.lo & (t->nr_slots - 1);
}

static void slots_grow(struct raw_table *t)
{
	t->nr_slots = t->nr_slots ? t->nr_slots * 2 : 1024;
	free(t->slots);
	t->slots = mem_zalloc_dense((size_t)t->nr_slots * sizeof(*t->slots));
	for (uint32_t i = 0; i < t->nr; i++) {
		uint32_t s = slot_of(t, t->v[i].hash);

		while (t->slots[s].index)
			s = (s + 1) & (t->nr_slots - 1);
		t->slots[s] = (struct raw_slot){ (uint32_t)t->v[i].hash.hi, i + 1 };
	}
}

static void entries_grow(struct raw_table *t)
{
	uint32_t cap = t->cap ? t->cap * 2 : 512;
	struct raw_entry *v = aligned_alloc(ENTRY_BYTES, cap * ENTRY_BYTES);

	if (!v)
		mem_fail(cap * ENTRY_BYTES);
	mem_huge(v, cap * ENTRY_BYTES);
	if (t->nr)
		memcpy(v, t->v, t->nr * ENTRY_BYTES);
	free(t->v);
	t->v = v;
	t->cap = cap;
}

/* A new entry without a key, its slot being free. */
static struct raw_entry *table_add(struct raw_table *t, uint32_t slot, uint64_t lo, uint64_t hi)
{
	struct raw_entry *e;

	if (t->nr == t->cap)
		entries_grow(t);
	e = &t->v[t->nr++];
	memset(e, 0, sizeof(*e));
	e->hash.lo = lo;
	e->hash.hi = hi;
	t->slots[slot] = (struct raw_slot){ (uint32_t)hi, t->nr };
	return e;
}

/* The slot of the entry with that hash, or the free one where it belongs; there is one. */
static inline uint32_t table_probe(const struct raw_table *t, uint64_t lo, uint64_t hi)
{
	uint32_t mask = t->nr_slots - 1, s, index;

	for (s = (uint32_t)lo & mask; (index = t->slots[s].index); s = (s + 1) & mask) {
		const struct raw_entry *e = &t->v[index - 1];

		if (t->slots[s].tag == (uint32_t)hi && e->hash.lo == lo && e->hash.hi == hi)
			break;
	}
	return s;
}

/* The entry with that hash, or a new one without a key. */
static inline struct raw_entry *table_get(struct raw_table *t, uint64_t lo, uint64_t hi)
{
	uint32_t s;

	if (t->nr * 2 >= t->nr_slots)
		slots_grow(t);
	s = table_probe(t, lo, hi);
	return t->slots[s].index ? &t->v[t->slots[s].index - 1] : table_add(t, s, lo, hi);
}

/* The place of the entry with that hash, or NONE32. */
static uint32_t table_find(const struct raw_table *t, struct hash128 hash)
{
	uint32_t index = t->nr_slots ? t->slots[table_probe(t, hash.lo, hash.hi)].index : 0;

	return index ? index - 1 : NONE32;
}

/* Have the lines of cache on their way that table_get will look at. */
static void table_fetch_slot(const struct raw_table *t, struct hash128 hash)
{
	if (t->nr_slots)
		__builtin_prefetch(&t->slots[slot_of(t, hash)]);
}

static void table_fetch_entry(const struct raw_table *t, struct hash128 hash)
{
	uint32_t index = t->nr_slots ? t->slots[slot_of(t, hash)].index : 0;

	if (index)
		__builtin_prefetch(&t->v[index - 1], 1);
}

/* `from` is used up. Of its keys only those stay that are new, unless words are with them. */
static void table_merge(struct raw_table *into, struct raw_table *from)
{
	for (uint32_t i = 0; i < from->nr; i++) {
		const struct raw_entry *e = &from->v[i];
		struct raw_entry *to = table_get(into, e->hash.lo, e->hash.hi);

		if (!to->key)
			to->key = from->has_words ? e->key :
						    arena_dup(&into->arena, e->key, sizeof(*e->key));
		if (!to->samples || e->first_ns < to->first_ns) {
			to->first_ns = e->first_ns;
			to->image = e->image;
		}
		to->samples += e->samples;
		to->period += e->period;
		to->squares += e->squares;
	}
	if (from->has_words)
		arena_take(&into->arena, &from->arena);
	raw_table_release(from);
}

/* --- one thread ------------------------------------------------------------------------ */

/*
 * Shared by the threads: where the next block comes from.  The blocks that the
 * first pass found are dealt out from a counter; those of a compressed recording
 * are opened anew, one thread at a time.
 */
struct feed {
	const struct recording *recording;
	const struct profile_query *query;
	const struct block *list;
	size_t nr_list;
	atomic_size_t next;
	struct blocks *blocks;           /* NULL with a list */
	/* once more: what to tell of the table's entries, and whom */
	const struct raw_table *table;
	count_seen_fn *seen;
	void *seen_arg;
	pthread_mutex_t lock;
	int failed;
	struct err err;
};

/*
 * Looking an entry up waits for memory. So a sample is looked up when others have come
 * behind it, and its lines of cache are asked for before: the slot's at once, the
 * entry's half way.
 *
 *	settled -> | ... ENTRY_AHEAD ... | entry asked for | ... | slot asked for | <- hashed
 */
struct pending {
	struct hash128 hash;
	uint64_t time_ns, period;
	uint32_t image;
	struct raw_key key;
};

#define PENDING_MAX 32u          /* a power of two */
#define ENTRY_AHEAD 16u

struct worker {
	struct feed *feed;
	struct count_result out;
	pthread_t thread;
	struct decoder decoder;
	struct who_cache who;
	struct raw_key of_who[WHO_SLOTS];        /* what keys of a thread have in common */
	struct pending pending[PENDING_MAX];     /* a ring */
	unsigned laid, settled;          /* how many so far, wrapping */
	uint64_t *extra;                 /* words of the one that is counted now */
	bool filters;                    /* is there any to ask? */
	bool in_file;                    /* the block's words stay where they are, as they are */
	bool lasting;                    /* so do those of the chain that is counted now */
	struct record record;            /* for extras that need all of the sample */
	struct reads reads;
	bool need_all;
	struct user_stack *stacks;       /* made when a sample has a stack to unwind */
};

static const struct who *find_who(struct worker *w, const struct sample *s)
{
	struct who *who = who_of(&w->who, w->feed->recording->processes, s->pid, s->tid, s->time_ns);
	unsigned by = w->feed->query->by;
	struct raw_key *key;

	if (who->hash)
		return who;
	key = &w->of_who[who - w->who.v];
	*key = (struct raw_key){
		.comm = by & PROFILE_BY_COMM ? who->comm : NONE32,
		.pid = by & PROFILE_BY_PID ? s->pid : NONE32,
		.tid = by & PROFILE_BY_TID ? s->tid : NONE32,
		.cpu = NONE32,
		.space = who->space,
		.epoch = who->epoch,
	};
	who->hash = hash_mix(hash_mix((uint64_t)key->space << 32 | key->epoch, key->comm),
			     (uint64_t)key->pid << 32 | key->tid);
	return who;
}

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

/* The chain of a sample whose user part may have to be unwound first. */
static void chain_of(struct worker *w, const struct sample *s, const struct image *image,
		     struct user_chain *out)
{
	const struct perf_data *data = w->feed->recording->data;
	struct profile_account *a = &w->out.account;

	*out = (struct user_chain){ .ips = s->ips, .nr = (uint32_t)s->nr_ips };
	if (!user_stack_wanted(s->event))
		return;
	out->has_stop = user_stack_told(s, &out->stop);
	if (out->has_stop)
		a->unwind_stops[out->stop]++;
	if (out->has_stop || !s->stack_size)
		return;
	if (!w->stacks)
		w->stacks = user_stack_new(w->feed->recording->processes,
					   arch_find(data->arch ? data->arch : ""), data->swap);
	user_stack_chain(w->stacks, s, image, out);
	if (out->has_stop)
		a->unwind_stops[out->stop]++;
	else
		a->stack_dumps++;
}

/* What a key leads to stays where it is only if it lies in the file. */
static const struct raw_key *key_keep(struct worker *w, const struct raw_key *key)
{
	struct arena *arena = &w->out.table.arena;
	struct raw_key *kept = arena_dup(arena, key, sizeof(*key));

	w->out.table.has_words |= !w->lasting || key->nr_extra;
	if (!w->lasting && key->nr_ips)
		kept->ips = arena_dup(arena, (const void *)key->ips, (size_t)key->nr_ips * 8);
	if (key->nr_extra)
		kept->extra = arena_dup(arena, key->extra, (size_t)key->nr_extra * 8);
	return kept;
}

static void settle_one(struct worker *w)
{
	const struct pending *p = &w->pending[w->settled++ % PENDING_MAX];
	struct profile_total *total = &w->out.totals[p->key.event];
	struct raw_entry *e = table_get(&w->out.table, p->hash.lo, p->hash.hi);

	if (!e->key) {
		e->key = key_keep(w, &p->key);
		e->first_ns = p->time_ns;
		e->image = p->image;
	}
	e->samples++;
	e->period += p->period;
	e->squares += (double)p->period * (double)p->period;
	total->samples++;
	total->period += p->period;
}

static void settle_all(struct worker *w)
{
	while (w->settled != w->laid)
		settle_one(w);
}

static struct pending *next_pending(struct worker *w)
{
	return &w->pending[w->laid % PENDING_MAX];
}

static struct hash128 hash_of(const struct raw_key *key, uint64_t hash)
{
	struct hash128 h = hash_bytes128(key->ips, (size_t)key->nr_ips * 8);

	hash = hash_mix(hash ^ key->ip, (uint64_t)key->event << 32 | key->cpu);
	hash = hash_mix(hash, (uint64_t)key->nr_ips << 32 | key->cpumode);
	if (key->nr_extra)
		hash = hash_mix(hash, hash_bytes(key->extra, (size_t)key->nr_extra * 8));
	return (struct hash128){ hash_mix(h.lo, hash), h.hi + hash };
}

static bool is_filtered(const struct worker *w, const struct sample *s, const struct who *who)
{
	const struct feed *feed = w->feed;

	return w->filters && (!filter_sample(feed->query, s) ||
			      !filter_comm(feed->query, feed->recording->processes, who->comm));
}

/* The key of the next pending sample, complete but for its chain and ip. */
static inline struct raw_key *start_key(struct worker *w, const struct sample *s,
					const struct who *who)
{
	struct raw_key *key = &next_pending(w)->key;

	*key = w->of_who[who - w->who.v];
	key->event = s->event->index;
	if (w->feed->query->by & PROFILE_BY_CPU)
		key->cpu = s->cpu;
	return key;
}

static void tell_again(const struct feed *feed, struct hash128 hash, const struct sample *s)
{
	uint32_t raw = table_find(feed->table, hash);

	if (raw != NONE32)
		feed->seen(feed->seen_arg, raw, s);
}

/* Lay the sample by whose key and period stand in the next pending one. */
static inline void lay_by(struct worker *w, const struct sample *s, const struct who *who,
			  const struct sample_branch *branch)
{
	struct extras *extras = w->feed->query->extras;
	struct pending *p = next_pending(w);
	struct raw_key *key = &p->key;

	if (extras) {
		key->nr_extra = extras_add(extras, s, branch, w->extra);
		key->extra = w->extra;
	}
	p->time_ns = s->time_ns;
	p->image = image_index(who->image);
	p->hash = hash_of(key, who->hash);
	if (w->feed->seen) {
		tell_again(w->feed, p->hash, s);
		return;
	}
	table_fetch_slot(&w->out.table, p->hash);
	w->laid++;
	/* the next one may write over what this one leads to */
	if (!w->lasting || extras) {
		settle_all(w);
		return;
	}
	if (w->laid - w->settled > ENTRY_AHEAD)
		table_fetch_entry(&w->out.table,
				  w->pending[(w->laid - 1 - ENTRY_AHEAD) % PENDING_MAX].hash);
	if (w->laid - w->settled == PENDING_MAX)
		settle_one(w);
}

/* Each branch is a sample of its own, with a period of 1, as in perf. */
static void count_branches(struct worker *w, const struct who *who, const struct sample *s)
{
	uint64_t nr = s->sample_type & PERF_SAMPLE_BRANCH_STACK ? s->nr_branches : 0;

	w->out.account.samples += nr - 1;
	for (uint64_t i = 0; i < nr; i++) {
		struct sample_branch branch = {
			.from = s->branches[3 * i], .to = s->branches[3 * i + 1],
			.flags = s->branches[3 * i + 2],
		};

		start_key(w, s, who)->ip = branch.to;
		next_pending(w)->period = 1;
		lay_by(w, s, who, &branch);
	}
}

/* What perf's --mem-mode sorts and reckons by; an access without a weight counts once. */
static uint64_t sample_weight(const struct sample *s)
{
	bool has = s->sample_type & (PERF_SAMPLE_WEIGHT | PERF_SAMPLE_WEIGHT_STRUCT);

	return has && s->weight ? s->weight : 1;
}

static void count_one(struct worker *w, const struct sample *s)
{
	struct profile_account *a = &w->out.account;
	struct user_chain chain;
	const struct who *who;
	struct raw_key *key;

	a->samples++;
	note_time(a, s->time_ns);
	who = find_who(w, s);
	if (is_filtered(w, s, who)) {
		a->filtered++;
		return;
	}
	w->lasting = w->in_file;
	if (w->feed->query->branches) {
		count_branches(w, who, s);
		return;
	}
	if (w->feed->query->by & PROFILE_BY_STACK)
		chain_of(w, s, who->image, &chain);
	else
		chain = (struct user_chain){ .nr = (uint32_t)s->nr_ips };
	key = start_key(w, s, who);
	key->ips = chain.ips;
	key->nr_ips = chain.ips ? chain.nr : 0;
	key->cpumode = s->cpumode;
	key->ip = s->ip;
	next_pending(w)->period = w->feed->query->by_weight ? sample_weight(s) : s->period;
	if (chain.nr) {
		w->out.has_chains = true;
		a->truncated_stacks += !chain.has_stop && is_cut(s);
	}
	w->lasting &= !chain.unwound;
	lay_by(w, s, who, NULL);
}

/* One for each event that it stands for. */
static void count_sample(struct worker *w, struct sample *s)
{
	uint32_t at = 0;

	if (!reads_is_split(s)) {
		count_one(w, s);
		return;
	}
	while (reads_next(&w->reads, &w->feed->recording->data->events, s, &at))
		count_one(w, s);
}

/* Whether what was decoded in brief has a stack that is to be unwound. */
static bool needs_all(const struct worker *w, const struct sample *s)
{
	return s->stack_size && (w->feed->query->by & PROFILE_BY_STACK) &&
	       user_stack_wanted(s->event);
}

static void count_block(struct worker *w, const struct block *block)
{
	bool swap = w->feed->recording->data->swap;
	const uint8_t *bytes;
	struct sample sample;
	size_t at = 0;

	w->in_file = !block->owned && !swap;
	if (w->feed->recording->samples_values)
		reads_start(&w->reads, &w->feed->recording->carries, block);
	while ((bytes = block_record(block, swap, &at))) {
		if (record_header(bytes, swap).type != PERF_RECORD_SAMPLE)
			continue;
		if (!w->need_all && record_decode_brief(&w->decoder, bytes, &sample) < 0)
			w->out.account.bad_records++;
		else if (!w->need_all && !needs_all(w, &sample))
			count_sample(w, &sample);
		else if (record_decode(&w->decoder, bytes, &w->record, NULL) < 0)
			w->out.account.bad_records++;
		else
			count_sample(w, &w->record.sample);
	}
	settle_all(w);
}

/* 1 with a block, 0 when there are no more or another thread failed. */
static int next_block(struct feed *feed, struct block *out)
{
	int r;

	if (!feed->blocks) {
		size_t i = atomic_fetch_add(&feed->next, 1);

		if (i >= feed->nr_list)
			return 0;
		*out = feed->list[i];
		return 1;
	}
	pthread_mutex_lock(&feed->lock);
	r = feed->failed ? 0 : blocks_next(feed->blocks, out, &feed->err);
	if (r < 0)
		feed->failed = r;
	pthread_mutex_unlock(&feed->lock);
	return r > 0;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	const struct perf_data *data = w->feed->recording->data;
	struct block block;

	while (next_block(w->feed, &block)) {
		count_block(w, &block);
		progress("counting", block.file_off - data->data_off, data->data_size);
		block_release(&block);
	}
	return NULL;
}

static struct worker *worker_new(struct feed *feed)
{
	struct worker *w = mem_zalloc(sizeof(*w));

	w->feed = feed;
	w->extra = mem_alloc((extras_room(feed->query->extras) + 1) * sizeof(*w->extra));
	w->filters = filter_any(feed->query);
	w->need_all = feed->query->branches || feed->query->by_weight || extras_need_all(feed->query->extras);
	raw_table_init(&w->out.table);
	w->out.totals = mem_zalloc(feed->recording->data->events.nr * sizeof(*w->out.totals));
	decoder_init(&w->decoder, &feed->recording->data->events, feed->recording->data->swap);
	return w;
}

void count_add_account(struct profile_account *to, const struct profile_account *from)
{
	to->samples += from->samples;
	to->filtered += from->filtered;
	to->bad_records += from->bad_records;
	to->truncated_stacks += from->truncated_stacks;
	to->stack_dumps += from->stack_dumps;
	for (unsigned i = 0; i < UNWIND_STOP_COUNT; i++)
		to->unwind_stops[i] += from->unwind_stops[i];
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
		count_add_account(&out->account, &w->out.account);
		for (uint32_t i = 0; i < nr_events; i++) {
			out->totals[i].samples += w->out.totals[i].samples;
			out->totals[i].period += w->out.totals[i].period;
		}
		out->has_chains |= w->out.has_chains;
		free(w->out.totals);
	}
	user_stack_free(w->stacks);
	decoder_release(&w->decoder);
	reads_release(&w->reads);
	free(w->extra);
	free(w);
}

static unsigned thread_count(const struct perf_data *data, const struct profile_query *query)
{
	/* a small file is counted before a thread has started */
	if (!query->jobs && data->data_size < 4u << 20)
		return 1;
	return cpus_threads(query->jobs, THREADS_MAX);
}

int count_samples(const struct recording *recording, const struct profile_query *query,
		  struct count_result *out, struct err *err)
{
	struct feed feed = { .recording = recording, .query = query };
	unsigned n = thread_count(recording->data, query), started = 1;
	struct worker *workers[THREADS_MAX];

	memset(out, 0, sizeof(*out));
	pthread_mutex_init(&feed.lock, NULL);
	feed.list = blocks_list(recording->blocks, &feed.nr_list);
	if (!feed.list)
		feed.blocks = blocks_new(recording->data);
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
		worker_finish(workers[i], out, recording->data->events.nr);
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

int count_again(const struct recording *recording, const struct profile_query *query,
		const struct raw_table *table, count_seen_fn *seen, void *arg, struct err *err)
{
	struct feed feed = { .recording = recording, .query = query, .table = table, .seen = seen,
			     .seen_arg = arg };
	struct ordered *records = ordered_new(recording->data);
	struct worker *w = worker_new(&feed);
	struct count_result none = { .totals = w->out.totals };
	uint64_t off;
	int r;

	while ((r = ordered_next(records, &w->record, &off, err)) > 0) {
		if (w->record.type != PERF_RECORD_SAMPLE)
			continue;
		count_sample(w, &w->record.sample);
		progress("writing", off - recording->data->data_off, recording->data->data_size);
	}
	worker_finish(w, &none, 0);
	ordered_free(records);
	return r;
}
