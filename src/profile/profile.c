/* SPDX-License-Identifier: MIT */
#include "profile/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/extra.h"
#include "profile/filter.h"
#include "profile/lines.h"
#include "profile/profile_priv.h"
#include "profile/text.h"

uint64_t profile_extra(const struct profile *p, uint32_t set, uint32_t extra)
{
	return p->priv->extra_values.v[(size_t)set * p->nr_extras + extra];
}

const char *profile_extra_text(const struct profile *p, uint32_t set, uint32_t extra)
{
	return extras_text(p->priv->query.extras, profile_extra(p, set, extra));
}

unsigned profile_field_width(const struct profile *p, uint32_t extra, uint32_t event)
{
	return extras_field_width(p->priv->query.extras, extra, event);
}

void profile_publish(struct profile *p)
{
	p->frames = p->priv->named.frames.v;
	p->nr_frames = (uint32_t)p->priv->named.frames.nr;
	p->stacks = p->priv->named.stacks.v;
	p->nr_stacks = (uint32_t)p->priv->named.stacks.nr;
	p->entries = p->priv->named.entries.v;
	p->nr_entries = p->priv->named.entries.nr;
}

/* --- text --------------------------------------------------------------------------------- */

const char *profile_keep_name(struct profile *p, const char *name, size_t len)
{
	return arena_strndup(&p->priv->arena, name, len);
}

static void leave_out(struct profile *p, const struct raw_entry *raw)
{
	p->account.filtered += raw->samples;
	p->totals[raw->key->event].samples -= raw->samples;
	p->totals[raw->key->event].period -= raw->period;
}

void profile_add_stack(struct profile *p, const struct raw_entry *raw, struct text_place *const *stack,
		       uint32_t nr)
{
	const struct profile_query *q = &p->priv->query;
	struct named *named = &p->priv->named;
	uint32_t ids[FRAMES_MAX], leaf;
	struct text_place *top = stack[0];

	/* a recording's sample lies in the function that others were inlined into */
	for (uint32_t i = 0; i + 1 < nr && stack[i]->is_inline; i++)
		top = stack[i + 1];
	if (!filter_leaf(q, &top->place) || (q->named_only && !top->place.symbol.name)) {
		leave_out(p, raw);
		return;
	}
	nr = nr < FRAMES_MAX ? nr : FRAMES_MAX;
	for (uint32_t i = 0; i < nr; i++)
		ids[i] = stack[i]->is_inline ?
			 named_inline_frame(named, &stack[i]->place, stack[i]->place.symbol.name) :
			 named_frame(named, &stack[i]->place);
	leaf = top->is_inline ? ids[0] : named_frame(named, &top->place);
	naming_add(p, named, p->priv->text_resolver, raw, leaf, ids, nr);
}

/* Instead of a recording's records. */
static int load_text(struct profile *p, struct err *err)
{
	struct recording *rec = &p->priv->recording;

	if (p->priv->query.by & PROFILE_BY_ADDR)
		return err_set(err, ENOTSUP, "'%s' is text: it tells the names of functions, and no addresses",
			       p->data->path);
	for (uint32_t i = 0; i < p->nr_extras; i++)
		if (extra_is_frame(p->extra_list[i].kind))
			return err_set(err, ENOTSUP, "'%s' is text: it tells no addresses that rows could be told apart "
				       "by", p->data->path);
	rec->data = p->data;
	rec->modules = p->modules = module_set_new(&p->priv->query.symbols);
	rec->processes = p->processes = process_table_new(p->modules);
	p->priv->text_resolver = resolver_new(p->processes);
	p->totals = mem_zalloc((p->data->events.nr + 1) * sizeof(*p->totals));
	text_count(p, &p->priv->query, p->priv->query.extras);
	process_table_freeze(p->processes);
	resolver_free(p->priv->text_resolver);
	profile_publish(p);
	return 0;
}

/* --- all of it ---------------------------------------------------------------------------- */

static int load_extras(struct profile *p, struct err *err)
{
	const struct profile_query *q = &p->priv->query;

	if (!q->nr_extras)
		return 0;
	p->extra_list = q->extra_list;
	p->nr_extras = q->nr_extras < EXTRAS_MAX ? q->nr_extras : EXTRAS_MAX;
	return extras_new(&p->priv->query.extras, q->extra_list, p->nr_extras, p->data, err);
}

void profile_take(struct profile *p, struct count_result *counted)
{
	/* of the samples; the recording's own part is there */
	count_add_account(&p->account, &counted->account);
	p->has_chains |= counted->has_chains;
	if (!p->totals)
		p->totals = mem_zalloc((p->data->events.nr + 1) * sizeof(*p->totals));
	for (uint32_t i = 0; i < p->data->events.nr; i++) {
		p->totals[i].samples += counted->totals[i].samples;
		p->totals[i].period += counted->totals[i].period;
	}
	free(counted->totals);
	naming_all(p, &counted->table);
	profile_publish(p);
	if (p->priv->query.replaying)
		p->priv->counted = counted->table;
	else
		raw_table_release(&counted->table);
}

static int load_records(struct profile *p, struct err *err)
{
	struct count_result counted;
	int r = count_samples(&p->priv->recording, &p->priv->query, &counted, err);

	if (r < 0)
		return r;
	profile_take(p, &counted);
	return 0;
}

int profile_load(struct profile **out, struct perf_data *data, const struct profile_query *query,
		 struct err *err)
{
	struct profile *p = mem_zalloc(sizeof(*p));
	int r;

	p->data = data;
	p->priv = mem_zalloc(sizeof(*p->priv));
	arena_init(&p->priv->arena);
	p->priv->query = *query;
	named_init(&p->priv->named, query);
	p->priv->lines = lines_new(query->full_paths);
	p->priv->query.extras = NULL;
	p->priv->query.symbols.soon = true;
	p->priv->query.symbols.lasting = query->lasting;
	p->priv->query.symbols.jobs = query->jobs;
	if (data->text.form) {
		r = load_extras(p, err);
		if (!r)
			r = load_text(p, err);
	} else {
		r = recording_load_lasting(&p->priv->recording, data, &p->priv->query.symbols,
					   query->lasting, err);
		if (!r) {
			p->modules = p->priv->recording.modules;
			p->processes = p->priv->recording.processes;
			p->account = p->priv->recording.account;
			r = load_extras(p, err);
		}
		if (!r)
			r = load_records(p, err);
	}
	if (r < 0)
		profile_free(p);
	else
		*out = p;
	return r;
}

/* --- replaying ------------------------------------------------------------------------ */

struct replay {
	const struct profile *profile;
	profile_sample_fn *fn;
	void *arg;
};

static void replay_one(void *arg, uint32_t raw, const struct sample *sample)
{
	const struct replay *replay = arg;
	uint32_t entry = replay->profile->priv->entry_of.v[raw];

	if (entry != UINT32_MAX)
		replay->fn(replay->arg, &replay->profile->entries[entry], sample);
}

int profile_replay(const struct profile *p, profile_sample_fn *fn, void *arg, struct err *err)
{
	struct replay replay = { .profile = p, .fn = fn, .arg = arg };

	return count_again(&p->priv->recording, &p->priv->query, &p->priv->counted, replay_one, &replay, err);
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	recording_release(&p->priv->recording);
	named_release(&p->priv->named);
	vec_release(&p->priv->entry_of);
	raw_table_release(&p->priv->counted);
	map64_release(&p->priv->module_frames);
	map64_release(&p->priv->extra_ids);
	vec_release(&p->priv->extra_values);
	extras_free(p->priv->query.extras);
	lines_free(p->priv->lines);
	arena_release(&p->priv->arena);
	free(p->totals);
	free(p->priv);
	perf_data_close(p->data);
	free(p);
}

/* Text has names of files, but not what lies where in them. */
static const char *text_name(const struct profile *p, uint32_t frame)
{
	return p->frames[frame].name ? p->frames[frame].name : "[unknown]";
}

const char *profile_line(const struct profile *p, uint32_t frame)
{
	if (p->data->text.form)
		return text_name(p, frame);
	return lines_of_frame(p->priv->lines, &p->frames[frame]);
}

const char *profile_file(const struct profile *p, uint32_t frame)
{
	if (p->data->text.form)
		return "[unknown]";
	return lines_file_of_frame(p->priv->lines, &p->frames[frame]);
}

const char *profile_comm(const struct profile *p, uint32_t comm)
{
	return process_comm_str(p->processes, comm, p->priv->comm_text);
}
