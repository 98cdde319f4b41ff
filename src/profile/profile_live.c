/* SPDX-License-Identifier: MIT */
/*
 * A profile that goes on: see profile_add and profile_fade.
 *
 * Counts fade, and entries that come to nothing go.  What only they led to goes later, all
 * at once: when there is twice as much as was kept the last time, what is still led to is
 * put together anew and the rest is dropped.  So memory follows what is shown, and the work
 * is shared by as much counting as made it necessary.
 *
 *	entries -> stacks -> frames -> modules <- mappings <- tasks that are alive
 *	        -> sets of values -> texts
 *	        -> commands' names <- tasks that are alive
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/extra.h"
#include "profile/profile_priv.h"

#define SPARE 1024u              /* fewer are not worth the work */
#define MODULES_SPARE 32u        /* new ones between two looks: one may hold many megabytes */

/* --- what is not led to any more ---------------------------------------------------------- */

struct renewal {
	struct profile *p;
	struct profile_frame *frames;    /* as they were */
	struct profile_stack *stacks;
	uint64_t *values;
	uint32_t *frame_of;              /* of what they were, what they are now + 1; 0: not used yet */
};

static uint32_t keep_frame(struct renewal *r, uint32_t frame)
{
	if (!r->frame_of[frame])
		r->frame_of[frame] = named_put_frame(&r->p->priv->named, &r->frames[frame]) + 1;
	return r->frame_of[frame] - 1;
}

static uint32_t keep_stack(struct renewal *r, uint32_t stack)
{
	const struct profile_stack *s = &r->stacks[stack];
	uint32_t *frames = mem_alloc(s->nr * sizeof(*frames)), made;

	for (uint32_t i = 0; i < s->nr; i++)
		frames[i] = keep_frame(r, s->frames[i]);
	made = named_stack(&r->p->priv->named, frames, s->nr);
	r->p->priv->named.stacks.v[made].truncated |= s->truncated;
	free(frames);
	return made;
}

/* Texts are renewed already. */
static uint32_t keep_set(struct renewal *r, uint32_t set)
{
	struct profile *p = r->p;
	uint64_t values[EXTRAS_MAX];

	for (uint32_t i = 0; i < p->nr_extras; i++) {
		const struct extra *extra = &p->extra_list[i];

		values[i] = r->values[(size_t)set * p->nr_extras + i];
		if (!extra_is_frame(extra->kind))
			continue;
		values[i] = keep_frame(r, (uint32_t)values[i]);
		if (extra->of_module || extra->of_line)
			values[i] = profile_first_frame(p, (uint32_t)values[i], extra->of_line);
	}
	return profile_put_set(p, values);
}

static void keep_texts(struct renewal *r)
{
	struct profile_priv *priv = r->p->priv;
	size_t nr = r->p->nr_extras ? priv->extra_values.nr / r->p->nr_extras : 0;
	bool *used = mem_zalloc(nr + 1);

	for (size_t i = 0; i < priv->named.entries.nr && nr; i++)
		used[priv->named.entries.v[i].extra] = true;
	if (nr)
		extras_renew(priv->query.extras, r->values, used, nr);
	free(used);
}

/* Put stacks, frames and sets together anew, out of those that entries have. */
static void renew(struct profile *p)
{
	struct profile_priv *priv = p->priv;
	struct arena arena = priv->named.arena;
	struct renewal r = { .p = p, .frames = priv->named.frames.v, .stacks = priv->named.stacks.v,
			     .values = priv->extra_values.v };

	r.frame_of = mem_zalloc((priv->named.frames.nr + 1) * sizeof(*r.frame_of));
	keep_texts(&r);
	arena_init(&priv->named.arena);
	memset(&priv->named.frames, 0, sizeof(priv->named.frames));
	memset(&priv->named.stacks, 0, sizeof(priv->named.stacks));
	memset(&priv->extra_values, 0, sizeof(priv->extra_values));
	map64_release(&priv->named.frame_ids);
	map64_release(&priv->named.stack_ids);
	map64_release(&priv->extra_ids);
	map64_release(&priv->module_frames);
	lines_free(priv->lines);
	priv->lines = lines_new(priv->query.full_paths);
	for (size_t i = 0; i < priv->named.entries.nr; i++) {
		struct profile_entry *e = &priv->named.entries.v[i];

		e->leaf = keep_frame(&r, e->leaf);
		e->stack = keep_stack(&r, e->stack);
		if (p->nr_extras)
			e->extra = keep_set(&r, e->extra);
	}
	free(r.frames);
	free(r.stacks);
	free(r.values);
	free(r.frame_of);
	arena_release(&arena);
}

static void renew_if_due(struct profile *p)
{
	struct profile_priv *priv = p->priv;

	if (priv->named.frames.nr < priv->due_frames && priv->named.stacks.nr < priv->due_stacks &&
	    priv->extra_values.nr < priv->due_sets)
		return;
	renew(p);
	priv->due_frames = 2 * priv->named.frames.nr + SPARE;
	priv->due_stacks = 2 * priv->named.stacks.nr + SPARE;
	priv->due_sets = 2 * priv->extra_values.nr + SPARE;
}

/* Names of commands and files; the process table is thawed. False: nothing was done. */
static bool renew_names(struct profile *p)
{
	struct profile_priv *priv = p->priv;
	uint32_t *comms;

	if (process_table_names(p->processes) < priv->due_names)
		return false;
	comms = mem_alloc((priv->named.entries.nr + 1) * sizeof(*comms));
	for (size_t i = 0; i < priv->named.entries.nr; i++)
		comms[i] = priv->named.entries.v[i].comm;
	process_table_renew_names(p->processes, comms, priv->named.entries.nr);
	for (size_t i = 0; i < priv->named.entries.nr; i++)
		priv->named.entries.v[i].comm = comms[i];
	free(comms);
	priv->due_names = 2 * process_table_names(p->processes) + SPARE;
	return true;
}

/* Binaries that nothing is mapped from and no frame lies in, once some more have come. */
static bool forget_modules(struct profile *p)
{
	struct profile_priv *priv = p->priv;
	bool *used;

	if (module_set_made(p->modules) < priv->due_modules)
		return false;
	renew(p);
	used = mem_zalloc(module_set_count(p->modules) + 1);
	process_table_mark_modules(p->processes, used);
	for (size_t i = 0; i < priv->named.frames.nr; i++)
		if (priv->named.frames.v[i].module)
			used[priv->named.frames.v[i].module->index] = true;
	module_set_forget(p->modules, used);
	priv->due_modules = module_set_made(p->modules) + MODULES_SPARE;
	free(used);
	return true;
}

/* --- counting on -------------------------------------------------------------------------- */

static void index_entries(struct profile *p)
{
	struct profile_priv *priv = p->priv;

	named_renew_entries(&priv->named);
	memset(p->totals, 0, p->data->events.nr * sizeof(*p->totals));
	for (size_t i = 0; i < priv->named.entries.nr; i++) {
		struct profile_entry *e = &priv->named.entries.v[i];

		/* not faded by themselves: rows are to sum up to them */
		p->totals[e->event].samples += e->samples;
		p->totals[e->event].period += e->period;
	}
}

/* The recording tells its part anew, from its beginning on. */
static void renew_account(struct profile *p, uint64_t bad_before)
{
	const struct profile_account *a = &p->priv->recording.account;

	p->account.lost_records = a->lost_records;
	p->account.lost_events = a->lost_events;
	p->account.lost_samples = a->lost_samples;
	p->account.throttles = a->throttles;
	p->account.unknown_records = a->unknown_records;
	p->account.aux_bytes = a->aux_bytes;
	p->account.bad_records += a->bad_records - bad_before;
	p->account.damages = a->damages;
	p->account.nr_damages = a->nr_damages;
}

/* While the process table is thawed. */
static void forget(struct profile *p)
{
	bool renewed = renew_names(p);

	/* lines that a JIT told were remembered, too */
	if (module_set_renew(p->modules)) {
		renew(p);
		renewed = true;
	}
	if (forget_modules(p) || renewed)
		index_entries(p);
}

int profile_add(struct profile *p, struct perf_data *more, uint64_t before_ns, struct err *err)
{
	struct recording *rec = &p->priv->recording;
	uint64_t bad_before = rec->account.bad_records;
	struct count_result counted;
	int r = 0;

	if (more->events.nr != p->data->events.nr)
		r = err_set(err, EINVAL, "what was recorded later has other events");
	if (!r)
		r = recording_thaw(rec, before_ns, err);
	if (!r) {
		forget(p);
		r = recording_add(rec, more, err);
	}
	if (!r)
		r = count_samples(rec, &p->priv->query, &counted, err);
	if (!r) {
		renew_account(p, bad_before);
		profile_take(p, &counted);
	}
	profile_publish(p);
	blocks_free(rec->blocks);
	rec->blocks = NULL;
	rec->data = p->data;
	perf_data_close(more);
	return r;
}

/* --- fading --------------------------------------------------------------------------------- */

/* n as it is when `left` of `all` samples are left. */
static uint64_t faded(uint64_t n, uint64_t left, uint64_t all)
{
	return (uint64_t)((unsigned __int128)n * left / all);
}

static void fade_entry(struct profile_entry *e, uint64_t left)
{
	uint64_t all = e->samples;

	e->samples = left;
	e->period = faded(e->period, left, all);
	e->squares *= (double)left / (double)all;
	e->period_kernel = faded(e->period_kernel, left, all);
	e->period_user = faded(e->period_user, left, all);
	e->period_guest_kernel = faded(e->period_guest_kernel, left, all);
	e->period_guest_user = faded(e->period_guest_user, left, all);
}

/*
 * Most entries are of one sample, and there is no part of a sample: what is cut off one
 * entry is put to the next, so that of all of them together that part is left, and none
 * stays that is too little to be seen.
 */
static void fade_entries(struct profile *p, unsigned part, unsigned of)
{
	struct profile_priv *priv = p->priv;
	size_t kept = 0;

	if (priv->fade_of != of) {
		priv->fade_of = of;
		priv->fade_rest = of / 2;
	}
	for (size_t i = 0; i < priv->named.entries.nr; i++) {
		struct profile_entry *e = &priv->named.entries.v[i];
		unsigned __int128 left = (unsigned __int128)e->samples * part + priv->fade_rest;

		priv->fade_rest = (unsigned)(left % of);
		if (left < of)
			continue;
		fade_entry(e, (uint64_t)(left / of));
		priv->named.entries.v[kept++] = *e;
	}
	priv->named.entries.nr = kept;
}

void profile_fade(struct profile *p, unsigned part, unsigned of)
{
	fade_entries(p, part, of);
	renew_if_due(p);
	index_entries(p);
	profile_publish(p);
}
