/* SPDX-License-Identifier: MIT */
/* script_place: addresses and call chains in words. */
#include <inttypes.h>
#include <string.h>

#include "view/script_priv.h"

#define TEXTS_BYTES_MAX ((size_t)128 << 20)

/* What a kept text is of, mixed into its key. */
enum { KEY_PLACE = 4 };

/* Set in a frame's fields where its caller was unwound. */
#define FRAME_UNWOUND (UINT64_C(1) << 63)

struct text {
	size_t len;
	char text[];
};

/* In the place of a text: its key came once so far. */
#define SEEN_ONCE 1

/* Append the text kept under `key`; false if there is none. */
static bool add_kept(struct script *s, uint64_t key)
{
	uint64_t *slot = map64_find(&s->text_of, key);
	const struct text *t = slot && *slot != SEEN_ONCE ? (const struct text *)(uintptr_t)*slot : NULL;

	if (t)
		str_addn(&s->line, t->text, t->len);
	return t;
}

/* Keep what stands on the line from `from` on, when it comes the second time: many come once. */
static void keep(struct script *s, uint64_t key, size_t from)
{
	size_t len = s->line.len - from;
	uint64_t *slot;
	struct text *t;
	bool added;

	if (s->texts.total + s->text_of.cap * sizeof(*s->text_of.slots) > TEXTS_BYTES_MAX) {
		map64_release(&s->text_of);
		arena_release(&s->texts);
	}
	slot = map64_put(&s->text_of, key, &added);
	if (added) {
		*slot = SEEN_ONCE;
		return;
	}
	t = arena_alloc(&s->texts, sizeof(*t) + len);
	t->len = len;
	memcpy(t->text, s->line.p + from, len);
	*slot = (uint64_t)(uintptr_t)t;
}

/* The offset in the file for user code, the address itself elsewhere. */
static uint64_t shown_addr(const struct place *place)
{
	if (!place->map || place->kernel || place->module->kind == MODULE_ANON)
		return place->run_addr;
	return place->run_addr - place->map->start + place->map->pgoff;
}

/* Is the file of a kernel module among those that the recording states a build-id for? */
static bool is_stated(const struct perf_data *data, const struct module *m)
{
	for (uint32_t i = 0; i < data->nr_build_ids; i++)
		if (strcmp(data->build_ids[i].filename, m->path) == 0)
			return true;
	return false;
}

static void add_dso(struct script *s, const struct place *place, uint64_t fields)
{
	const struct module *m = place->module;
	struct str *out = &s->line;
	/* perf has the path of a kernel module from the list of build-ids, and from nowhere else */
	bool by_name = m && m->kind == MODULE_KMOD && !is_stated(s->recording->data, m);

	str_addc(out, '(');
	str_add_safe(out, !m ? "[unknown]" : by_name ? m->short_name : m->path);
	if (m && (fields & FIELD_DSOFF))
		str_addf(out, "+0x%" PRIx64, shown_addr(place));
	str_addc(out, ')');
}

static void add_symbol(struct str *out, const struct place *place, bool offset)
{
	if (!place->symbol.name) {
		str_add(out, "[unknown]");
		return;
	}
	str_add_safe(out, place->symbol.name);
	if (offset)
		str_addf(out, "+0x%" PRIx64, place->elf_addr - place->symbol.start);
}

void script_add_place(struct script *s, const struct place *place, uint64_t fields)
{
	struct str *out = &s->line;

	if (fields & FIELD_SYM) {
		str_addc(out, ' ');
		add_symbol(out, place, fields & FIELD_SYMOFF);
	}
	if (fields & (FIELD_DSO | FIELD_DSOFF)) {
		str_addc(out, ' ');
		add_dso(s, place, fields);
	}
}

/* "\n  file.c:12"; the binary and the address where that is not known. */
static void add_source(struct script *s, const struct place *place, const struct source_frame *at)
{
	struct str *out = &s->line;
	const char *last;

	if (!place->module)
		return;
	str_add(out, "\n  ");
	if (at && at->file && at->line) {
		last = strrchr(at->file, '/');
		str_add_safe(out, s->options.full_path || !last ? at->file : last + 1);
		str_addf(out, ":%u", at->line);
	} else {
		str_add_safe(out, place->module->short_name);
		str_addf(out, "[%" PRIx64 "]", place->elf_addr);
	}
}

/* The line of the place itself, or of the outermost call if what it calls is shown, too. */
static void add_place_source(struct script *s, struct place *place, bool inlines)
{
	uint32_t nr = place_lines(s->resolver, place);

	add_source(s, place, nr ? &place->lines[inlines ? nr - 1 : 0] : NULL);
}

static bool is_listed(const char *const *names, const char *name)
{
	for (; name && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* What was inlined at a place, innermost first; perf states no module for it. */
static void add_inlines(struct script *s, const struct place *place, uint64_t addr, uint64_t fields)
{
	struct str *out = &s->line;

	for (uint32_t i = 0; i + 1 < place->nr_lines; i++) {
		if (!place->lines[i].name)
			continue;
		str_addc(out, '\t');
		str_add_hex(out, addr, 16, ' ');
		if (fields & FIELD_SYM) {
			str_addc(out, ' ');
			str_add_safe(out, place->lines[i].name);
			if (fields & FIELD_SYMOFF)
				str_addf(out, "+0x%" PRIx64, place->elf_addr - place->symbol.start);
		}
		if (fields & FIELD_SRCLINE)
			add_source(s, place, &place->lines[i]);
		str_add(out, " (inlined)\n");
	}
}

static void put_frame(struct script *s, struct place *found, bool unwound, uint64_t fields)
{
	bool inlines = s->options.inlines && found->symbol.name &&
		       place_lines(s->resolver, found) > 1;
	struct place place = *found;

	/* Callers that were unwound are shown, as perf does, by an address in the call. */
	if (unwound) {
		place.run_addr--;
		place.elf_addr--;
	}
	if (inlines)
		add_inlines(s, &place, shown_addr(&place), fields);
	str_addc(&s->line, '\t');
	str_add_hex(&s->line, shown_addr(&place), 16, ' ');
	script_add_place(s, &place, fields);
	if (fields & FIELD_SRCLINE)
		add_place_source(s, found, inlines);
	str_addc(&s->line, '\n');
}

/* A line of a chain. Chains differ more than the places in them: each is put into words once. */
static void add_frame(struct script *s, struct place *place, bool unwound, uint64_t fields)
{
	uint64_t as = fields | (unwound ? FRAME_UNWOUND : 0);
	size_t from = s->line.len;

	if (place->tag && s->frames.v[place->tag - 1].fields == as) {
		const struct frame_text *f = &s->frames.v[place->tag - 1];

		str_addn(&s->line, f->text, f->len);
		return;
	}
	put_frame(s, place, unwound, fields);
	if (!place->tag) {
		size_t len = s->line.len - from;

		*vec_push(&s->frames) = (struct frame_text){
			.text = arena_dup(&s->frame_texts, s->line.p + from, len),
			.len = (uint32_t)len, .fields = as,
		};
		place->tag = (uint32_t)s->frames.nr;
	}
}

static void add_chain(struct script *s, const struct sample *sample, const struct who *who,
		      const struct user_chain *chain, uint64_t fields)
{
	uint32_t max = s->options.max_stack && s->options.max_stack < CHAIN_MAX ?
			       s->options.max_stack : CHAIN_MAX;
	uint64_t key = hash_mix(hash_bytes(chain->ips, (size_t)chain->nr * 8),
				hash_mix((uint64_t)who->space << 32 | sample->cpumode,
					 (uint64_t)who->epoch << 32 | (uint32_t)fields) +
					 chain->unwound_from);
	size_t from = s->line.len;
	uint32_t nr, head;

	if (add_kept(s, key))
		return;
	head = chain_frames(chain->ips, chain->unwound_from, sample->cpumode, s->chain, max);
	nr = chain_frames(chain->ips, chain->nr, sample->cpumode, s->chain, max);
	str_addc(&s->line, '\n');
	for (uint32_t i = 0; i < nr; i++) {
		const struct chain_frame *f = &s->chain[i];
		struct place *place = resolve(s->resolver, who->image, f->ip, sample->time_ns, f->kernel,
					      f->is_return);

		add_frame(s, place, i >= head && f->is_return, fields);
		if (s->options.stop_at && place->symbol.name &&
		    is_listed(s->options.stop_at, place->symbol.name))
			break;
	}
	keep(s, key, from);
}

/* Faults name what they point at. */
static bool addr_has_symbol(const struct perf_event_attr *attr)
{
	return attr->type == PERF_TYPE_SOFTWARE &&
	       (attr->config == PERF_COUNT_SW_PAGE_FAULTS ||
		attr->config == PERF_COUNT_SW_PAGE_FAULTS_MIN ||
		attr->config == PERF_COUNT_SW_PAGE_FAULTS_MAJ);
}

void script_add_addr(struct script *s, const struct sample *sample, const struct image *image,
		     uint64_t fields)
{
	bool kernel = sample->cpumode == PERF_RECORD_MISC_KERNEL && sample->addr >> 63;

	str_addf(&s->line, "%16" PRIx64, sample->addr);
	if (addr_has_symbol(&sample->event->attr))
		script_add_place(s, resolve(s->resolver, image, sample->addr, sample->time_ns, kernel, false),
			  fields);
}

void script_add_branches(struct script *s, const struct sample *sample, const struct image *image,
			 uint64_t fields)
{
	struct str *out = &s->line;

	for (uint64_t i = 0; i < sample->nr_branches; i++) {
		const u64_una *b = sample->branches + i * 3;

		for (int end = 0; end < 2; end++) {
			const struct place *place = resolve(s->resolver, image, b[end],
							    sample->time_ns, b[end] >> 63, false);

			if (end)
				str_addc(out, '/');
			else if (!(fields & FIELD_BRSTACKSYM))
				str_addc(out, ' ');
			if (fields & FIELD_BRSTACKSYM)
				add_symbol(out, place, true);
			else
				str_addf(out, "0x%" PRIx64, fields & FIELD_BRSTACKOFF ?
					 shown_addr(place) : (uint64_t)b[end]);
			if (fields & FIELD_DSO)
				add_dso(s, place, 0);
		}
		script_add_branch_flags(out, b[2]);
	}
}

void script_add_ip(struct script *s, const struct sample *sample, const struct who *who,
		   uint64_t fields, bool chain)
{
	const struct image *image = who->image;
	bool kernel = sample->cpumode == PERF_RECORD_MISC_KERNEL;
	uint64_t key = hash_mix(hash_mix(sample->ip, KEY_PLACE + kernel),
				hash_mix((uint64_t)who->space << 32 | (uint32_t)fields, who->epoch));
	size_t from = s->line.len;
	struct place *place;

	if (chain) {
		struct user_chain words;

		user_stack_chain(s->stacks, sample, image, &words);
		if (words.has_stop)
			s->unwind_stops[words.stop]++;
		else if (sample->stack_size && user_stack_wanted(sample->event))
			s->stack_dumps++;
		if (words.nr) {
			add_chain(s, sample, who, &words, fields);
			return;
		}
	}
	if (add_kept(s, key))
		return;
	place = resolve(s->resolver, image, sample->ip, sample->time_ns, kernel, false);
	str_addc(&s->line, ' ');
	str_add_hex(&s->line, sample->ip, 16, ' ');
	script_add_place(s, place, fields);
	if (fields & FIELD_SRCLINE)
		add_place_source(s, place, false);
	keep(s, key, from);
}

