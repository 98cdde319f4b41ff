/* SPDX-License-Identifier: MIT */
#include "profile/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/progress.h"
#include "profile/extra.h"
#include "profile/filter.h"

#define NONE32 UINT32_MAX
#define FIRST_ADDR 0x1000u
#define FRAMES_MAX 8192u

struct text_count {
	struct profile *profile;
	const struct profile_query *query;
	struct extras *extras;
	struct arena arena;
	struct intern keys;              /* kind, binary, name -> number of its place */
	VEC(struct text_place *) places;
	VEC(struct text_place *) stack;
	struct str key;
	struct map64 threads;            /* pid, tid -> its last comm + 1 */
	uint64_t *words;                 /* of extras */
};

static struct module *module_of(struct text_count *t, const struct stack_text_frame *f)
{
	struct module_set *set = t->profile->modules;
	enum module_kind kind = MODULE_FILE;
	const char *path;

	if (!f->module.p) {
		/* folded text says of a function that it is a kernel's, or made at run time, and no more */
		if (f->kind == LABEL_KERNEL && f->name.p)
			return module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]", NULL, 0);
		return f->kind == LABEL_JIT ? module_intern(set, MODULE_ANON, "[JIT]", NULL, 0) : NULL;
	}
	path = arena_strndup(&t->arena, f->module.p, f->module.len);
	if (f->kind == LABEL_JIT)
		kind = MODULE_ANON;
	else if (f->kind == LABEL_KERNEL || str_starts(path, "[vdso"))
		kind = module_kind_of(path, f->kind == LABEL_KERNEL);
	return module_intern(set, kind, path, NULL, 0);
}

static struct text_place *place_of(struct text_count *t, const struct stack_text_frame *f)
{
	struct text_place *p;
	uint32_t id;

	str_clear(&t->key);
	str_addc(&t->key, (char)f->kind);
	str_addn(&t->key, f->module.p ? f->module.p : "", f->module.len);
	str_addc(&t->key, '\n');
	str_addn(&t->key, f->name.p ? f->name.p : "", f->name.len);
	id = intern_idn(&t->keys, t->key.p, t->key.len);
	if (id < t->places.nr)
		return t->places.v[id];
	p = arena_alloc(&t->arena, sizeof(*p));
	memset(p, 0, sizeof(*p));
	p->is_inline = f->kind == LABEL_INLINE;
	p->place.module = p->is_inline ? NULL : module_of(t, f);
	p->place.kernel = f->kind == LABEL_KERNEL;
	p->place.elf_addr = p->place.run_addr = FIRST_ADDR + 16 * (uint64_t)id;
	if (f->name.p) {
		p->place.symbol.name = profile_keep_name(t->profile, f->name.p, f->name.len);
		p->place.symbol.start = p->place.elf_addr;
		p->place.symbol.end = p->place.elf_addr + 16;
	} else {
		/* all that have no name in a binary, or anywhere, are one */
		p->place.symbol.reason = p->place.module ? NAME_NO_SYMBOL : NAME_NO_MAP;
		if (!p->place.module)
			p->place.elf_addr = p->place.run_addr = 0;
	}
	*vec_push(&t->places) = p;
	return p;
}

/* Leaf first, cut and thinned as the query wants it. */
static void make_stack(struct text_count *t, const struct stack_text_sample *s)
{
	uint32_t most = t->query->max_stack && t->query->max_stack < FRAMES_MAX ? t->query->max_stack : FRAMES_MAX;
	bool chain = t->query->by & PROFILE_BY_STACK, whole = false;
	uint32_t nr = 0;

	t->stack.nr = 0;
	/* a chain is counted in functions that are not inlined, as in a recording */
	for (uint32_t i = 0; i < s->nr_frames && nr < most && !whole; i++) {
		struct text_place *p = place_of(t, &s->frames[i]);

		if (p->is_inline && (t->query->no_inline || !chain) && i + 1 < s->nr_frames)
			continue;
		*vec_push(&t->stack) = p;
		nr += !p->is_inline;
		whole = !chain;
	}
	/* what was inlined is in the binary of what it was inlined into */
	for (size_t i = t->stack.nr; i-- > 1;)
		if (t->stack.v[i - 1]->is_inline && !t->stack.v[i - 1]->place.module)
			t->stack.v[i - 1]->place.module = t->stack.v[i]->place.module;
}

static uint32_t event_of(const struct profile *p, const struct stack_text_sample *s)
{
	const char *name = s->event.p ? s->event.p : "samples";
	size_t len = s->event.p ? s->event.len : strlen(name);

	for (uint32_t i = 0; i < p->data->events.nr; i++) {
		const char *known = p->data->events.v[i].name;

		if (strncmp(known, name, len) == 0 && !known[len])
			return i;
	}
	return 0;
}

/* The table of processes tells a thread's name where there is no sample at hand: as records would. */
static void name_thread(struct text_count *t, const struct stack_text_sample *s, uint32_t comm)
{
	struct record r = { .type = PERF_RECORD_COMM };
	uint64_t *last;

	if (s->tid == NONE32)
		return;
	last = map64_put(&t->threads, (uint64_t)s->pid << 32 | s->tid, NULL);
	if (*last == comm + 1)
		return;
	*last = comm + 1;
	r.comm.pid = r.id.pid = s->pid;
	r.comm.tid = r.id.tid = s->tid;
	r.id.time_ns = s->time_ns;
	r.comm.comm = profile_comm(t->profile, comm);
	process_table_add(t->profile->processes, &r);
}

static void count_time(struct profile_account *a, const struct stack_text_sample *s)
{
	if (!s->has_time)
		return;
	if (!a->first_ns || s->time_ns < a->first_ns)
		a->first_ns = s->time_ns;
	if (s->time_ns > a->last_ns)
		a->last_ns = s->time_ns;
}

static void count_sample(struct text_count *t, const struct stack_text_sample *s)
{
	struct profile *p = t->profile;
	unsigned by = t->query->by;
	uint32_t event = event_of(p, s);
	uint32_t comm = process_comm_id(p->processes, s->comm.p, s->comm.len);
	struct sample sample = {
		.sample_type = p->data->events.v[event].attr.sample_type, .event = &p->data->events.v[event],
		.pid = s->pid, .tid = s->tid, .cpu = s->cpu, .time_ns = s->time_ns, .period = s->period,
	};
	struct raw_key key = {
		.event = event, .comm = by & PROFILE_BY_COMM ? comm : NONE32, .pid = by & PROFILE_BY_PID ? s->pid : NONE32,
		.tid = by & PROFILE_BY_TID ? s->tid : NONE32, .cpu = by & PROFILE_BY_CPU ? s->cpu : NONE32,
		.cpumode = PERF_RECORD_MISC_USER, .extra = t->words,
	};
	struct raw_entry raw = { .key = &key, .first_ns = s->time_ns, .samples = s->samples, .period = s->period };

	p->account.samples += s->samples;
	if (!filter_sample(t->query, &sample) || !filter_comm(t->query, p->processes, comm)) {
		p->account.filtered += s->samples;
		return;
	}
	count_time(&p->account, s);
	name_thread(t, s, comm);
	p->totals[event].samples += s->samples;
	p->totals[event].period += s->period;
	/* of samples that are told together each has its part of the period */
	raw.squares = s->samples ? (double)s->period / (double)s->samples * (double)s->period : 0;
	if (s->frames[0].kind == LABEL_KERNEL)
		key.cpumode = PERF_RECORD_MISC_KERNEL;
	if (t->extras)
		key.nr_extra = extras_add(t->extras, &sample, NULL, t->words);
	p->has_chains |= s->nr_frames > 1;
	make_stack(t, s);
	profile_add_stack(p, &raw, t->stack.v, (uint32_t)t->stack.nr);
}

void text_count(struct profile *p, const struct profile_query *query, struct extras *extras)
{
	struct text_count t = { .profile = p, .query = query, .extras = extras, .key = STR_INIT };
	const char *from = p->data->text.bytes;
	struct stack_text_sample sample;
	struct stack_text text;
	unsigned n = 0;

	arena_init(&t.arena);
	intern_init(&t.keys);
	if (extras)
		t.words = mem_zalloc(extras_room(extras) * sizeof(*t.words) + sizeof(*t.words));
	stack_text_init(&text, p->data->text.form, from, p->data->text.size);
	while (stack_text_next(&text, &sample)) {
		count_sample(&t, &sample);
		if (!(n++ & 1023))
			progress("reading", (uint64_t)(text.at - from), p->data->text.size);
	}
	stack_text_release(&text);
	free(t.words);
	vec_release(&t.places);
	vec_release(&t.stack);
	str_release(&t.key);
	map64_release(&t.threads);
	intern_release(&t.keys);
	arena_release(&t.arena);
}
