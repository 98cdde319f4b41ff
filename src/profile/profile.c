/* SPDX-License-Identifier: MIT */
#include "profile/profile.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/progress.h"
#include "profile/count.h"
#include "profile/extra.h"
#include "profile/filter.h"
#include "profile/profile_priv.h"
#include "profile/resolve.h"
#include "profile/text.h"

#define NONE32 UINT32_MAX
#define FRAMES_MAX (65536 / 8)
#define WAITING_MAX (1u << 16)           /* addresses resolved before their lines are looked up */

/* --- frames, stacks and entries, each distinct one once -------------------------------- */

/*
 * Which frame it is: by its symbol; without one, by its module; where nothing is mapped,
 * or when asked for, by its address. What was inlined: one for each name in a module.
 */
static uint64_t frame_key(const struct profile *p, const struct profile_frame *f)
{
	bool by_addr = p->priv->query.by & PROFILE_BY_ADDR;
	uint64_t key = f->is_inline ?
			       hash_mix((uint64_t)(uintptr_t)f->name, (uint64_t)(uintptr_t)f->module + f->kernel) :
			       hash_mix((uint64_t)(uintptr_t)f->module,
					hash_mix(f->sym_start, (uint64_t)f->kernel << 1 | !f->name));

	return by_addr || (!f->module && !f->is_inline) ? hash_mix(key, f->elf_addr) : key;
}

uint32_t profile_put_frame(struct profile *p, const struct profile_frame *frame)
{
	bool added;
	uint64_t *slot = map64_put(&p->priv->frame_ids, frame_key(p, frame), &added);

	if (added) {
		*slot = p->priv->frames.nr;
		*vec_push(&p->priv->frames) = *frame;
	}
	return (uint32_t)*slot;
}

static uint32_t frame_of(struct profile *p, struct place *place)
{
	struct profile_frame f = {
		.module = place->module,
		.name = place->symbol.name,
		.reason = place->symbol.name ? NAME_OK : place->symbol.reason,
		.kernel = place->kernel,
		.sym_start = place->symbol.name ? place->symbol.start : 0,
		.elf_addr = place->elf_addr,
		.run_addr = place->run_addr,
		.is_return = place->is_return,
		.sym_bytes = place->symbol.name ? place->symbol.end - place->symbol.start : 0,
		.map_bytes = place->map ? place->map->end - place->map->start : 0,
	};

	if (!place->tag)
		place->tag = profile_put_frame(p, &f) + 1;
	return place->tag - 1;
}

/* A function that was inlined at a place. */
static uint32_t inline_frame_of(struct profile *p, const struct place *place, const char *name)
{
	return profile_put_frame(p, &(struct profile_frame){
		.module = place->module,
		.name = name,
		.kernel = place->kernel,
		.sym_start = place->symbol.start,
		.elf_addr = place->elf_addr,
		.run_addr = place->run_addr,
		.is_inline = true,
	});
}

uint32_t profile_put_stack(struct profile *p, const uint32_t *frames, uint32_t nr)
{
	uint64_t key = hash_bytes(frames, (size_t)nr * sizeof(*frames));
	bool added;
	uint64_t *slot = map64_put(&p->priv->stack_ids, key, &added);

	if (added) {
		*slot = p->priv->stacks.nr;
		*vec_push(&p->priv->stacks) = (struct profile_stack){
			.frames = arena_dup(&p->priv->arena, frames, (size_t)nr * sizeof(*frames)),
			.nr = nr,
		};
	}
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

/* An address that comes without a mode: whose is it? */
static bool is_of_kernel(const struct profile *p, const struct image *image, uint64_t addr, uint64_t ns)
{
	return addr >> 63 || (!image_find(image, addr, ns) && process_kernel_find(p->processes, addr, ns));
}

static uint32_t frame_at(struct profile *p, struct resolver *resolver, const struct image *image,
			 uint64_t addr, uint64_t ns)
{
	return frame_of(p, resolve(resolver, image, addr, ns, is_of_kernel(p, image, addr, ns), false));
}

uint32_t profile_first_frame(struct profile *p, uint32_t frame, bool of_line)
{
	const struct profile_frame *f = &p->priv->frames.v[frame];
	const void *of = of_line ? (const void *)lines_of_frame(p->priv->lines, f) : f->module;
	bool added;
	uint64_t *slot = map64_put(&p->priv->module_frames, (uint64_t)(uintptr_t)of, &added);

	if (added)
		*slot = frame;
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
			values[i] = profile_first_frame(p, (uint32_t)values[i],
							p->extra_list[i].of_line);
	}
	return profile_put_set(p, values);
}

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

uint64_t profile_entry_key(const struct profile_entry *e)
{
	uint32_t dims[] = { e->event, e->comm, e->pid, e->tid, e->cpu, e->leaf, e->stack, e->extra };

	return hash_bytes(dims, sizeof(dims));
}

/* Returns its place in entries. */
static uint32_t add_entry(struct profile *p, const struct raw_entry *raw, uint32_t leaf,
			  uint32_t stack, uint32_t extra)
{
	const struct raw_key *k = raw->key;
	const struct profile_entry made = {
		.event = k->event, .comm = k->comm, .pid = k->pid, .tid = k->tid, .cpu = k->cpu,
		.leaf = leaf, .stack = stack, .extra = extra,
	};
	bool added;
	uint64_t *slot = map64_put(&p->priv->entry_ids, profile_entry_key(&made), &added);
	struct profile_entry *e;

	if (added) {
		*slot = p->priv->entries.nr;
		*vec_push(&p->priv->entries) = made;
	}
	e = &p->priv->entries.v[*slot];
	e->samples += raw->samples;
	e->period += raw->period;
	e->squares += raw->squares;
	switch (k->cpumode) {
	case PERF_RECORD_MISC_KERNEL: e->period_kernel += raw->period; break;
	case PERF_RECORD_MISC_GUEST_KERNEL: e->period_guest_kernel += raw->period; break;
	case PERF_RECORD_MISC_GUEST_USER: e->period_guest_user += raw->period; break;
	default: e->period_user += raw->period; break;
	}
	return (uint32_t)*slot;
}

/* --- naming --------------------------------------------------------------------------- */

static void leave_out(struct profile *p, const struct raw_entry *raw)
{
	p->account.filtered += raw->samples;
	p->totals[raw->key->event].samples -= raw->samples;
	p->totals[raw->key->event].period -= raw->period;
}

/* The first function from the leaf on that the pattern for parents matches, or NULL. */
static const char *parent_of(const struct profile *p, const uint32_t *frames, uint32_t nr)
{
	const struct re_pattern_buffer *pattern = p->priv->query.parent;

	for (uint32_t i = 0; pattern && i < nr; i++) {
		const char *name = p->priv->frames.v[frames[i]].name;

		if (name && regexec(pattern, name, 0, NULL, 0) == 0)
			return name;
	}
	return NULL;
}

/* How many frames from the leaf on are callees of a function whose callees do not matter. */
static uint32_t without_callees(const struct profile *p, const uint32_t *frames, uint32_t nr)
{
	const struct re_pattern_buffer *pattern = p->priv->query.ignore_callees;

	for (uint32_t i = nr; pattern && i-- > 1;) {
		const char *name = p->priv->frames.v[frames[i]].name;

		if (name && regexec(pattern, name, 0, NULL, 0) == 0)
			return i;
	}
	return 0;
}

/*
 * What stood at each place of the last chains of a space and epoch, counted from the root:
 * most chains begin as the one before did, and a place is the same for the same address.
 */
#define TRAILS 16u
#define TRAIL_MAX 128u

struct trail {
	uint32_t space, epoch;
	struct chain_frame frames[TRAIL_MAX];
	struct place *places[TRAIL_MAX];         /* NULL: nothing is kept here */
};

/* Raw entries whose addresses were resolved, and that wait for their lines. */
struct naming {
	struct profile *p;
	struct resolver *resolver;
	struct trail trails[TRAILS];
	const struct raw_table *table;
	VEC(struct place *) places;      /* of each entry its leaf, then its chain */
	VEC(uint32_t) lengths;           /* places of each entry; 0: it was left out */
	uint32_t first;                  /* entry that lengths begin with */
};

static struct trail *trail_of(struct naming *n, uint32_t space, uint32_t epoch)
{
	struct trail *trail = &n->trails[(space + epoch) % TRAILS];

	if (trail->space != space || trail->epoch != epoch) {
		memset(trail->places, 0, sizeof(trail->places));
		trail->space = space;
		trail->epoch = epoch;
	}
	return trail;
}

/* The places of a chain, leaf first. */
static void resolve_chain(struct naming *n, const struct raw_entry *raw, const struct image *image,
			  const struct chain_frame *chain, uint32_t nr, struct place **out)
{
	uint64_t ns = raw->first_ns;
	struct trail *trail = trail_of(n, image_space(image), image_epoch(image, ns));

	for (uint32_t i = 0; i < nr; i++) {
		const struct chain_frame *f = &chain[i];
		uint32_t at = nr - 1 - i;
		bool kept = at < TRAIL_MAX && trail->places[at] && trail->frames[at].ip == f->ip &&
			    trail->frames[at].kernel == f->kernel &&
			    trail->frames[at].is_return == f->is_return;

		out[i] = kept ? trail->places[at] :
				resolve(n->resolver, image, f->ip, ns, f->kernel, f->is_return);
		if (at < TRAIL_MAX && !kept) {
			trail->frames[at] = *f;
			trail->places[at] = out[i];
		}
	}
}

static void resolve_entry(struct naming *n, const struct raw_entry *raw)
{
	const struct raw_key *k = raw->key;
	struct profile *p = n->p;
	const struct profile_query *q = &p->priv->query;
	const struct image *image = process_image_at(p->processes, raw->image);
	bool kernel = q->branches ? is_of_kernel(p, image, k->ip, raw->first_ns) :
				    k->cpumode == PERF_RECORD_MISC_KERNEL;
	struct place *place = resolve(n->resolver, image, k->ip, raw->first_ns, kernel, false);
	struct chain_frame chain[FRAMES_MAX];
	uint32_t nr;

	*vec_push(&n->lengths) = 0;
	if (!filter_leaf(q, place) || (q->named_only && !place->symbol.name)) {
		leave_out(p, raw);
		return;
	}
	if (!place->symbol.name)
		p->account.unnamed[place->symbol.reason] += raw->samples;
	nr = chain_frames(k->ips, k->nr_ips, (uint8_t)k->cpumode, chain,
			  q->max_stack && q->max_stack < FRAMES_MAX ? q->max_stack : FRAMES_MAX);
	vec_reserve(&n->places, nr + 1);
	*vec_push(&n->places) = place;
	resolve_chain(n, raw, image, chain, nr, n->places.v + n->places.nr);
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
			ids[nr++] = inline_frame_of(n->p, place, place->lines[i].name);
	if (nr < FRAMES_MAX)
		ids[nr++] = frame_of(n->p, place);
	return nr;
}

static uint32_t name_entry(struct naming *n, const struct raw_entry *raw, struct place *const *places,
			   uint32_t nr_places)
{
	uint32_t ids[FRAMES_MAX], nr = 0, leaf = frame_of(n->p, places[0]), first;
	const char *parent;

	for (uint32_t i = 1; i < nr_places; i++)
		nr = add_frames(n, places[i], ids, nr);
	if (!nr)
		ids[nr++] = leaf;
	parent = parent_of(n->p, ids, nr);
	first = without_callees(n->p, ids, nr);
	if (first)
		leaf = ids[first];
	return add_entry(n->p, raw, leaf, profile_put_stack(n->p, ids + first, nr - first),
			 extra_of(n->p, n->resolver, raw, parent));
}

/* Lines are looked up for many places at once, because that is done by several threads. */
static void name_waiting(struct naming *n)
{
	struct place **places = n->places.v;

	if (!n->p->priv->query.no_inline && n->p->has_chains)
		resolver_lines(n->resolver, n->p->priv->query.jobs);
	for (size_t i = 0; i < n->lengths.nr; i++) {
		uint32_t entry = NONE32;

		if (n->lengths.v[i])
			entry = name_entry(n, &n->table->v[n->first + i], places, n->lengths.v[i]);
		if (n->p->priv->query.replaying)
			*vec_push(&n->p->priv->entry_of) = entry;
		places += n->lengths.v[i];
	}
	n->first += (uint32_t)n->lengths.nr;
	n->lengths.nr = n->places.nr = 0;
}

/* What servers have to be asked for is asked for before anything is waited for. */
static void ask_for_modules(const struct raw_table *table, const struct profile *p)
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

void profile_publish(struct profile *p)
{
	p->frames = p->priv->frames.v;
	p->nr_frames = (uint32_t)p->priv->frames.nr;
	p->stacks = p->priv->stacks.v;
	p->nr_stacks = (uint32_t)p->priv->stacks.nr;
	p->entries = p->priv->entries.v;
	p->nr_entries = p->priv->entries.nr;
}

static void name_all(struct profile *p, const struct raw_table *table)
{
	struct naming n = { .p = p, .resolver = resolver_new(p->processes), .table = table };

	if (module_soon_helps())
		ask_for_modules(table, p);
	for (uint32_t i = 0; i < table->nr; i++) {
		resolve_entry(&n, &table->v[i]);
		if (n.places.nr > WAITING_MAX)
			name_waiting(&n);
		if (!(i & 1023))
			progress("naming", i, table->nr);
	}
	name_waiting(&n);
	vec_release(&n.places);
	vec_release(&n.lengths);
	resolver_free(n.resolver);
	profile_publish(p);
}

/* --- text --------------------------------------------------------------------------------- */

const char *profile_keep_name(struct profile *p, const char *name, size_t len)
{
	return arena_strndup(&p->priv->arena, name, len);
}

void profile_add_stack(struct profile *p, const struct raw_entry *raw, struct text_place *const *stack,
		       uint32_t nr)
{
	const struct profile_query *q = &p->priv->query;
	uint32_t ids[FRAMES_MAX], leaf, first;
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
			 inline_frame_of(p, &stack[i]->place, stack[i]->place.symbol.name) :
			 frame_of(p, &stack[i]->place);
	leaf = top->is_inline ? ids[0] : frame_of(p, &top->place);
	first = without_callees(p, ids, nr);
	if (first)
		leaf = ids[first];
	add_entry(p, raw, leaf, profile_put_stack(p, ids + first, nr - first),
		  extra_of(p, p->priv->text_resolver, raw, parent_of(p, ids, nr)));
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
	name_all(p, &counted->table);
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

	if (entry != NONE32)
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
	vec_release(&p->priv->frames);
	vec_release(&p->priv->stacks);
	vec_release(&p->priv->entries);
	vec_release(&p->priv->entry_of);
	raw_table_release(&p->priv->counted);
	map64_release(&p->priv->frame_ids);
	map64_release(&p->priv->stack_ids);
	map64_release(&p->priv->entry_ids);
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
