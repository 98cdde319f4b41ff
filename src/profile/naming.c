/* SPDX-License-Identifier: MIT */
/*
 * naming: raw entries -> frames, stacks and entries, on several threads.
 *
 * Each thread has a part of the raw entries, a resolver and tables of its own. Parts are
 * ranges, and their tables are merged in their order: numbers are those that one thread
 * would have given, however many there are.
 *
 *	raw   |------ a ------|------ b ------|
 *	      resolver, named  resolver, named
 *	            '------ merged ----'
 */
#include <pthread.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpus.h"
#include "base/mem.h"
#include "base/progress.h"
#include "profile/extra.h"
#include "profile/filter.h"
#include "profile/lines.h"
#include "profile/profile_priv.h"

#define WAITING_MAX (1u << 16)           /* addresses resolved before their lines are looked up */
#define THREADS_MAX 64u
#define PART_MIN 4096u                   /* raw entries that are worth a thread */

/* An address that comes without a mode: whose is it? */
static bool is_of_kernel(const struct profile *p, const struct image *image, uint64_t addr, uint64_t ns)
{
	return addr >> 63 || (!image_find(image, addr, ns) && process_kernel_find(p->processes, addr, ns));
}

static uint32_t frame_at(struct profile *p, struct resolver *resolver, const struct image *image,
			 uint64_t addr, uint64_t ns)
{
	return named_frame(&p->priv->named, resolve(resolver, image, addr, ns, is_of_kernel(p, image, addr, ns), false));
}

uint32_t profile_first_frame(struct profile *p, uint32_t frame, bool of_line)
{
	const struct profile_frame *f = &p->priv->named.frames.v[frame];
	const void *of = of_line ? (const void *)lines_of_frame(p->priv->lines, f) : f->module;
	bool added;
	uint64_t *slot = map64_put(&p->priv->module_frames, (uint64_t)(uintptr_t)of, &added);

	if (added)
		*slot = frame;
	return (uint32_t)*slot;
}

uint32_t profile_put_set(struct profile *p, const uint64_t *values)
{
	bool added;
	uint64_t *slot = map64_put(&p->priv->extra_ids, hash_bytes(values, p->nr_extras * sizeof(*values)),
				   &added);

	if (added) {
		*slot = p->priv->extra_values.nr / p->nr_extras;
		for (uint32_t i = 0; i < p->nr_extras; i++)
			*vec_push(&p->priv->extra_values) = values[i];
	}
	return (uint32_t)*slot;
}

/* The number of the set of values that a raw entry's extras have. */
static uint32_t extra_of(struct profile *p, struct resolver *resolver, const struct raw_entry *raw,
			 const char *parent)
{
	const struct raw_key *k = raw->key;
	const struct image *image = process_image_at(p->processes, raw->image);
	uint64_t values[EXTRAS_MAX];

	if (!p->nr_extras)
		return 0;
	extras_name(p->priv->query.extras, &p->priv->recording, k->event, k->extra, parent,
		    values);
	for (uint32_t i = 0; i < p->nr_extras; i++) {
		if (!extra_is_frame(p->extra_list[i].kind))
			continue;
		values[i] = frame_at(p, resolver, image, values[i], raw->first_ns);
		if (p->extra_list[i].of_module || p->extra_list[i].of_line)
			values[i] = profile_first_frame(p, (uint32_t)values[i], p->extra_list[i].of_line);
	}
	return profile_put_set(p, values);
}

/* The first function from the leaf on that the pattern for parents matches, or NULL. */
static const char *parent_of(const struct profile *p, const struct named *named, const uint32_t *frames,
			     uint32_t nr)
{
	const struct re_pattern_buffer *pattern = p->priv->query.parent;

	for (uint32_t i = 0; pattern && i < nr; i++) {
		const char *name = named->frames.v[frames[i]].name;

		if (name && regexec(pattern, name, 0, NULL, 0) == 0)
			return name;
	}
	return NULL;
}

/* How many frames from the leaf on are callees of a function whose callees do not matter. */
static uint32_t without_callees(const struct profile *p, const struct named *named, const uint32_t *frames,
			     uint32_t nr)
{
	const struct re_pattern_buffer *pattern = p->priv->query.ignore_callees;

	for (uint32_t i = nr; pattern && i-- > 1;) {
		const char *name = named->frames.v[frames[i]].name;

		if (name && regexec(pattern, name, 0, NULL, 0) == 0)
			return i;
	}
	return 0;
}

static struct profile_entry entry_of(const struct raw_entry *raw)
{
	const struct raw_key *k = raw->key;
	struct profile_entry e = {
		.event = k->event, .comm = k->comm, .pid = k->pid, .tid = k->tid, .cpu = k->cpu,
		.samples = raw->samples, .period = raw->period, .squares = raw->squares,
	};

	switch (k->cpumode) {
	case PERF_RECORD_MISC_KERNEL: e.period_kernel = raw->period; break;
	case PERF_RECORD_MISC_GUEST_KERNEL: e.period_guest_kernel = raw->period; break;
	case PERF_RECORD_MISC_GUEST_USER: e.period_guest_user = raw->period; break;
	default: e.period_user = raw->period; break;
	}
	return e;
}

uint32_t naming_add(struct profile *p, struct named *named, struct resolver *resolver,
		    const struct raw_entry *raw, uint32_t leaf, const uint32_t *frames, uint32_t nr)
{
	uint32_t first = without_callees(p, named, frames, nr);
	struct profile_entry e = entry_of(raw);

	e.leaf = first ? frames[first] : leaf;
	e.stack = named_stack(named, frames + first, nr - first);
	e.extra = extra_of(p, resolver, raw, parent_of(p, named, frames, nr));
	return named_add(named, &e);
}

/* --- one thread ------------------------------------------------------------------------- */

struct naming {
	struct profile *p;
	struct resolver *resolver;
	struct named own, *named;        /* named: own, or the profile's */
	pthread_t thread;
	unsigned jobs;                   /* threads that look up lines */
	const struct raw_table *table;
	uint32_t from, to;               /* entries to name */
	uint32_t first;                  /* entry that lengths begin with */
	/* Raw entries whose addresses were resolved, and that wait for their lines. */
	VEC(struct place *) places;      /* of each entry its leaf, then its chain */
	VEC(uint32_t) lengths;           /* places of each entry; 0: it was left out */
	/* What goes to the profile's account at the end. */
	uint64_t unnamed[NAME_REASON_COUNT], filtered;
	struct profile_total *left_out;  /* per event */
};

static void leave_out(struct naming *n, const struct raw_entry *raw)
{
	struct profile_total *total = &n->left_out[raw->key->event];

	n->filtered += raw->samples;
	total->samples += raw->samples;
	total->period += raw->period;
}

static void resolve_entry(struct naming *n, const struct raw_entry *raw)
{
	const struct raw_key *k = raw->key;
	const struct profile_query *q = &n->p->priv->query;
	const struct image *image = process_image_at(n->p->processes, raw->image);
	uint64_t ns = raw->first_ns;
	bool kernel = q->branches ? is_of_kernel(n->p, image, k->ip, ns) :
				    k->cpumode == PERF_RECORD_MISC_KERNEL;
	struct place *leaf = resolve(n->resolver, image, k->ip, ns, kernel, false), **out;
	struct chain_frame chain[FRAMES_MAX];
	uint32_t nr;

	*vec_push(&n->lengths) = 0;
	if (!filter_leaf(q, leaf) || (q->named_only && !leaf->symbol.name)) {
		leave_out(n, raw);
		return;
	}
	if (!leaf->symbol.name)
		n->unnamed[leaf->symbol.reason] += raw->samples;
	nr = chain_frames(k->ips, k->nr_ips, (uint8_t)k->cpumode, chain,
			  q->max_stack && q->max_stack < FRAMES_MAX ? q->max_stack : FRAMES_MAX);
	vec_reserve(&n->places, nr + 1);
	*vec_push(&n->places) = leaf;
	out = n->places.v + n->places.nr;
	for (uint32_t i = 0; i < nr; i++) {
		const struct chain_frame *f = &chain[i];
		bool is_leaf = f->ip == k->ip && f->kernel == kernel && !f->is_return;

		out[i] = is_leaf ? leaf : resolve(n->resolver, image, f->ip, ns, f->kernel, f->is_return);
	}
	n->places.nr += nr;
	n->lengths.v[n->lengths.nr - 1] = nr + 1;
}

/* The frames of a place of a chain: what was inlined there, and then its symbol. */
static uint32_t add_frames(struct naming *n, struct place *place, uint32_t *ids, uint32_t nr)
{
	uint32_t nr_lines = 0;

	/* perf names inlined functions only where it has a symbol for what they are in */
	if (!n->p->priv->query.no_inline && place->symbol.name)
		nr_lines = place_lines(n->resolver, place);
	for (uint32_t i = 0; i + 1 < nr_lines && nr < FRAMES_MAX; i++)
		if (place->lines[i].name)
			ids[nr++] = named_inline_frame(n->named, place, place->lines[i].name);
	if (nr < FRAMES_MAX)
		ids[nr++] = named_frame(n->named, place);
	return nr;
}

static uint32_t name_entry(struct naming *n, const struct raw_entry *raw, struct place *const *places,
			   uint32_t nr_places)
{
	uint32_t ids[FRAMES_MAX], nr = 0, leaf = named_frame(n->named, places[0]);

	for (uint32_t i = 1; i < nr_places; i++)
		nr = add_frames(n, places[i], ids, nr);
	if (!nr)
		ids[nr++] = leaf;
	return naming_add(n->p, n->named, n->resolver, raw, leaf, ids, nr);
}

/* Lines are looked up for many places at once: neighbours, and by several threads. */
static void name_waiting(struct naming *n)
{
	struct place **places = n->places.v;

	if (!n->p->priv->query.no_inline && n->p->has_chains)
		resolver_lines(n->resolver, n->jobs);
	for (size_t i = 0; i < n->lengths.nr; i++) {
		uint32_t entry = UINT32_MAX;

		if (n->lengths.v[i])
			entry = name_entry(n, &n->table->v[n->first + i], places, n->lengths.v[i]);
		if (n->p->priv->query.replaying)
			*vec_push(&n->p->priv->entry_of) = entry;
		places += n->lengths.v[i];
	}
	n->first += (uint32_t)n->lengths.nr;
	n->lengths.nr = n->places.nr = 0;
}

static void *name_part(void *arg)
{
	struct naming *n = arg;

	n->first = n->from;
	for (uint32_t i = n->from; i < n->to; i++) {
		resolve_entry(n, &n->table->v[i]);
		if (n->places.nr > WAITING_MAX)
			name_waiting(n);
		if (!n->from && !(i & 1023))
			progress("naming", i, n->to);
	}
	name_waiting(n);
	vec_release(&n->places);
	vec_release(&n->lengths);
	return NULL;
}

/* --- all of them -------------------------------------------------------------------------- */

/* What servers have to be asked for is asked for before anything is waited for. */
static void ask_for_modules(const struct profile *p, const struct raw_table *table)
{
	for (uint32_t i = 0; i < table->nr; i++) {
		const struct raw_key *k = table->v[i].key;
		const struct image *image = process_image_at(p->processes, table->v[i].image);
		struct chain_frame chain[FRAMES_MAX];
		uint32_t nr = chain_frames(k->ips, k->nr_ips, (uint8_t)k->cpumode, chain, FRAMES_MAX);

		if (k->cpumode != PERF_RECORD_MISC_KERNEL)
			chain[nr < FRAMES_MAX ? nr++ : 0] = (struct chain_frame){ .ip = k->ip };
		for (uint32_t j = 0; j < nr; j++) {
			const struct mapping *map = chain[j].kernel ? NULL :
				image_find(image, chain[j].ip, table->v[i].first_ns);

			if (map)
				module_soon(map->module);
		}
	}
}

static unsigned thread_count(const struct profile *p, uint32_t nr)
{
	const struct profile_query *q = &p->priv->query;
	unsigned n = cpus_threads(q->jobs, THREADS_MAX);

	/* values of extras are numbered as they come, and so is entry_of */
	if (p->nr_extras || q->replaying)
		return 1;
	return n < nr / PART_MIN ? n : nr < 2 * PART_MIN ? 1 : nr / PART_MIN;
}

static struct naming *naming_new(struct profile *p, const struct raw_table *table, unsigned part,
				 unsigned parts)
{
	struct naming *n = mem_zalloc(sizeof(*n));

	n->p = p;
	n->table = table;
	n->from = (uint32_t)((uint64_t)table->nr * part / parts);
	n->to = (uint32_t)((uint64_t)table->nr * (part + 1) / parts);
	n->jobs = parts > 1 ? 1 : p->priv->query.jobs;
	n->resolver = resolver_new(p->processes);
	if (p->priv->query.join_unmapped)
		resolver_join_unmapped(n->resolver);
	named_init(&n->own, &p->priv->query);
	n->named = part ? &n->own : &p->priv->named;
	n->left_out = mem_zalloc((p->data->events.nr + 1) * sizeof(*n->left_out));
	return n;
}

/* Give to the profile what was named, and free. */
static void naming_finish(struct naming *n)
{
	struct profile *p = n->p;

	if (n->named == &n->own)
		named_merge(&p->priv->named, &n->own);
	for (unsigned i = 0; i < NAME_REASON_COUNT; i++)
		p->account.unnamed[i] += n->unnamed[i];
	p->account.filtered += n->filtered;
	for (uint32_t i = 0; i < p->data->events.nr; i++) {
		p->totals[i].samples -= n->left_out[i].samples;
		p->totals[i].period -= n->left_out[i].period;
	}
	resolver_free(n->resolver);
	named_release(&n->own);
	free(n->left_out);
	free(n);
}

void naming_all(struct profile *p, const struct raw_table *table)
{
	unsigned parts = thread_count(p, table->nr);
	struct naming *v[THREADS_MAX];
	bool started[THREADS_MAX] = { false };

	if (module_soon_helps())
		ask_for_modules(p, table);
	for (unsigned i = 0; i < parts; i++)
		v[i] = naming_new(p, table, i, parts);
	for (unsigned i = 1; i < parts; i++)
		started[i] = pthread_create(&v[i]->thread, NULL, name_part, v[i]) == 0;
	for (unsigned i = 0; i < parts; i++)
		if (!started[i])
			name_part(v[i]);
	for (unsigned i = 0; i < parts; i++) {
		if (started[i])
			pthread_join(v[i]->thread, NULL);
		naming_finish(v[i]);
	}
}
