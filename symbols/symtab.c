/* SPDX-License-Identifier: MIT */
#include "symbols/symtab.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/vec.h"
#include "symbols/demangle.h"
#include "symbols/index.h"

#define STRINGS_MAX 8
#define NO_ENTRY UINT32_MAX

/* 24 bytes: programs have a million of these. */
struct entry {
	uint64_t start;
	uint32_t size;           /* cut at 4 GB; no function is larger */
	uint32_t name;           /* offset in strings[] */
	uint32_t order;          /* in which they were added */
	uint8_t strings;
	uint8_t flags;
};

/* From `start` to the next segment's start, `entry` is the name. */
struct segment {
	uint64_t start;
	uint32_t entry;
};

struct symtab {
	unsigned options;
	struct {
		const char *base;
		size_t size;     /* up to and with the last NUL */
	} strings[STRINGS_MAX];
	int nr_strings;
	struct str own;          /* names that were copied; strings[own_number] once finished */
	int own_number;
	VEC(struct entry) entries;
	VEC(struct segment) segments;
	bool is_loaded;          /* entries, segments and strings are an index's */
	struct entry *saved;     /* for an index: entries whose names are in saved_names */
	struct str saved_names;

	pthread_mutex_t lock;    /* guards what follows */
	struct map64 shown;      /* entry -> const char * */
	struct arena arena;
};

struct symtab *symtab_new(unsigned options)
{
	struct symtab *tab = mem_zalloc(sizeof(*tab));

	tab->options = options;
	tab->own = tab->saved_names = (struct str)STR_INIT;
	tab->own_number = -1;
	pthread_mutex_init(&tab->lock, NULL);
	arena_init(&tab->arena);
	return tab;
}

void symtab_free(struct symtab *tab)
{
	if (!tab)
		return;
	if (!tab->is_loaded) {
		vec_release(&tab->entries);
		vec_release(&tab->segments);
	}
	symtab_saved(tab);
	map64_release(&tab->shown);
	arena_release(&tab->arena);
	str_release(&tab->own);
	pthread_mutex_destroy(&tab->lock);
	free(tab);
}

int symtab_add_strings(struct symtab *tab, const char *base, size_t size)
{
	const char *last = size ? memrchr(base, '\0', size) : NULL;

	if (tab->nr_strings == STRINGS_MAX || size > UINT32_MAX)
		return -1;
	tab->strings[tab->nr_strings].base = base;
	tab->strings[tab->nr_strings].size = last ? (size_t)(last - base) + 1 : 0;
	return tab->nr_strings++;
}

static const char *entry_name(const struct symtab *tab, const struct entry *entry)
{
	if (entry->strings == tab->own_number)
		return tab->own.p + entry->name;
	return tab->strings[entry->strings].base + entry->name;
}

static bool add_entry(struct symtab *tab, uint64_t start, uint64_t size, int strings,
		      uint32_t name, unsigned flags)
{
	struct entry *entry;

	if (size > UINT32_MAX)
		size = UINT32_MAX;
	if (size > UINT64_MAX - start)
		size = UINT64_MAX - start;
	if (!size || tab->entries.nr >= NO_ENTRY - 1)
		return false;
	entry = vec_push(&tab->entries);
	*entry = (struct entry){
		.start = start,
		.size = (uint32_t)size,
		.name = name,
		.order = (uint32_t)tab->entries.nr - 1,
		.strings = (uint8_t)strings,
		.flags = (uint8_t)flags,
	};
	return true;
}

bool symtab_add(struct symtab *tab, uint64_t start, uint64_t size, int strings, uint64_t name,
		unsigned flags)
{
	if (strings < 0 || strings >= tab->nr_strings || name >= tab->strings[strings].size ||
	    !tab->strings[strings].base[name])
		return false;
	return add_entry(tab, start, size, strings, (uint32_t)name, flags);
}

bool symtab_add_name(struct symtab *tab, uint64_t start, uint64_t size, const char *name,
		     unsigned flags)
{
	uint32_t at = (uint32_t)tab->own.len;

	if (!*name || tab->own.len + strlen(name) >= UINT32_MAX)
		return false;
	if (tab->own_number < 0) {
		if (tab->nr_strings == STRINGS_MAX)
			return false;
		tab->own_number = tab->nr_strings++;
	}
	if (!add_entry(tab, start, size, tab->own_number, at, flags))
		return false;
	str_addn(&tab->own, name, strlen(name) + 1);
	return true;
}

static unsigned underscores(const char *name)
{
	return (unsigned)strspn(name, "_");
}

/* Rule 3 of the header: negative if `a` is the better name. */
static int compare_worth(const struct symtab *tab, const struct entry *a, const struct entry *b)
{
	const char *name_a, *name_b;
	size_t len_a, len_b;
	int diff;

	if (tab->options & SYMTAB_LAST_WINS)
		return a->order > b->order ? -1 : 1;
	diff = (a->flags & SYMTAB_UNSIZED) - (b->flags & SYMTAB_UNSIZED);
	if (diff)
		return diff;
	diff = (a->flags & SYMTAB_UNTYPED) - (b->flags & SYMTAB_UNTYPED);
	if (diff)
		return diff;
	diff = (b->flags & SYMTAB_BIND_MASK) - (a->flags & SYMTAB_BIND_MASK);
	if (diff)
		return diff;
	name_a = entry_name(tab, a);
	name_b = entry_name(tab, b);
	diff = (int)underscores(name_a) - (int)underscores(name_b);
	if (diff)
		return diff;
	len_a = strlen(name_a);
	len_b = strlen(name_b);
	if (len_a != len_b)
		return len_a > len_b ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

static int compare_entries(const void *pa, const void *pb, void *arg)
{
	const struct entry *a = pa, *b = pb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a == b)
		return 0;
	return compare_worth(arg, a, b);
}

/* One start, [from, to) best first: keep the best, and behind it the longest if that is longer. */
static size_t keep_best(struct entry *v, size_t from, size_t to, size_t out)
{
	struct entry best = v[from], longest = v[from];

	for (size_t i = from + 1; i < to; i++)
		if (!(v[i].flags & SYMTAB_UNSIZED) && v[i].size > longest.size)
			longest = v[i];
	/* The longest stands first, so that the best, coming later, covers its start. */
	if (longest.size > best.size && !(best.flags & SYMTAB_UNSIZED))
		v[out++] = longest;
	v[out++] = best;
	return out;
}

static void drop_aliases(struct symtab *tab)
{
	struct entry *v = tab->entries.v;
	size_t out = 0;

	for (size_t from = 0, to; from < tab->entries.nr; from = to) {
		for (to = from + 1; to < tab->entries.nr && v[to].start == v[from].start; to++)
			;
		out = keep_best(v, from, to, out);
	}
	tab->entries.nr = out;
}

/* Drop unsized symbols that start inside a sized one, and end the others at the next symbol. */
static void fit_unsized(struct symtab *tab)
{
	struct entry *v = tab->entries.v;
	uint64_t covered = 0;    /* sized symbols so far reach to here */
	size_t out = 0;

	for (size_t i = 0; i < tab->entries.nr; i++) {
		if (!(v[i].flags & SYMTAB_UNSIZED)) {
			if (v[i].start + v[i].size > covered)
				covered = v[i].start + v[i].size;
		} else if (v[i].start < covered) {
			continue;
		}
		v[out++] = v[i];
	}
	tab->entries.nr = out;
	for (size_t i = 0; i + 1 < out; i++)
		if ((v[i].flags & SYMTAB_UNSIZED) && v[i + 1].start - v[i].start < v[i].size)
			v[i].size = (uint32_t)(v[i + 1].start - v[i].start);
}

static void segment_at(struct symtab *tab, uint64_t start, uint32_t entry)
{
	struct segment *last = tab->segments.nr ? &tab->segments.v[tab->segments.nr - 1] : NULL;

	if (last && last->start == start)
		last->entry = entry;
	else
		*vec_push(&tab->segments) = (struct segment){ start, entry };
}

static uint64_t entry_end(const struct symtab *tab, uint32_t index)
{
	return tab->entries.v[index].start + tab->entries.v[index].size;
}

/*
 * Lay nested ranges flat. `open` holds the entries that are not over yet, each
 * ending before the one below it: an entry that is outlived by a later one can
 * never be seen again and is taken out.
 */
static void flatten(struct symtab *tab)
{
	VEC(uint32_t) open = { 0 };

	for (uint32_t i = 0; i <= tab->entries.nr; i++) {
		bool last = i == tab->entries.nr;

		while (open.nr) {
			uint64_t end = entry_end(tab, open.v[open.nr - 1]);

			if (!last && end > tab->entries.v[i].start)
				break;
			open.nr--;
			segment_at(tab, end, open.nr ? open.v[open.nr - 1] : NO_ENTRY);
		}
		if (last)
			break;
		while (open.nr && entry_end(tab, open.v[open.nr - 1]) <= entry_end(tab, i))
			open.nr--;
		*vec_push(&open) = i;
		segment_at(tab, tab->entries.v[i].start, i);
	}
	vec_release(&open);
}

void symtab_end_last(struct symtab *tab, uint64_t page)
{
	uint64_t last = 0;

	for (size_t i = 0; i < tab->entries.nr; i++)
		if (tab->entries.v[i].start > last)
			last = tab->entries.v[i].start;
	for (size_t i = 0; i < tab->entries.nr; i++) {
		struct entry *entry = &tab->entries.v[i];
		uint64_t room = page - (last - 1) % page - 1 + page;

		if (entry->start == last && (entry->flags & SYMTAB_OPEN) &&
		    room < entry->size)
			entry->size = (uint32_t)room;
	}
}

/* kallsyms is in order but for names of one address, and other tables may be. */
static bool is_by_start(const struct symtab *tab)
{
	for (size_t i = 1; i < tab->entries.nr; i++)
		if (tab->entries.v[i - 1].start > tab->entries.v[i].start)
			return false;
	return true;
}

static void sort_range(struct symtab *tab, size_t from, size_t to)
{
	if (to - from > 1)
		qsort_r(tab->entries.v + from, to - from, sizeof(*tab->entries.v), compare_entries,
			tab);
}

static void sort_entries(struct symtab *tab)
{
	const struct entry *v = tab->entries.v;
	size_t from = 0;

	if (!is_by_start(tab)) {
		sort_range(tab, 0, tab->entries.nr);
		return;
	}
	for (size_t i = 1; i <= tab->entries.nr; i++) {
		if (i < tab->entries.nr && v[i].start == v[from].start)
			continue;
		sort_range(tab, from, i);
		from = i;
	}
}

void symtab_finish(struct symtab *tab)
{
	sort_entries(tab);
	drop_aliases(tab);
	fit_unsized(tab);
	flatten(tab);
}

uint32_t symtab_count(const struct symtab *tab)
{
	return (uint32_t)tab->entries.nr;
}

/* What comes from an index may have been damaged on the way. */
static bool is_sound(const struct symtab *tab, uint32_t index)
{
	return !tab->is_loaded ||
	       (index < tab->entries.nr && tab->entries.v[index].strings == 0 &&
		tab->entries.v[index].name < tab->strings[0].size);
}

bool symtab_find(const struct symtab *tab, uint64_t addr, struct symtab_hit *out)
{
	size_t low = 0, high = tab->segments.nr;
	const struct entry *entry;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (tab->segments.v[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || tab->segments.v[low - 1].entry == NO_ENTRY)
		return false;
	out->index = tab->segments.v[low - 1].entry;
	if (!is_sound(tab, out->index))
		return false;
	entry = &tab->entries.v[out->index];
	out->start = entry->start;
	out->end = entry->start + entry->size;
	out->name = entry_name(tab, entry);
	out->unsized = entry->flags & SYMTAB_UNSIZED;
	return true;
}

bool symtab_find_name(const struct symtab *tab, const char *name, uint64_t *start)
{
	for (size_t i = 0; i < tab->entries.nr; i++) {
		if (strcmp(entry_name(tab, &tab->entries.v[i]), name) == 0) {
			*start = tab->entries.v[i].start;
			return true;
		}
	}
	return false;
}

static uint32_t tag_of(char letter, unsigned number)
{
	return INDEX_TAG('s', letter, number & 0xff, number >> 8);
}

void symtab_save(struct symtab *tab, struct index_draft *draft, unsigned number)
{
	tab->saved = mem_realloc_array(tab->saved, tab->entries.nr + 1, sizeof(*tab->saved));
	str_clear(&tab->saved_names);
	for (size_t i = 0; i < tab->entries.nr; i++) {
		const char *name = entry_name(tab, &tab->entries.v[i]);

		tab->saved[i] = tab->entries.v[i];
		tab->saved[i].strings = 0;
		tab->saved[i].name = (uint32_t)tab->saved_names.len;
		str_addn(&tab->saved_names, name, strlen(name) + 1);
	}
	if (tab->saved_names.len > UINT32_MAX)
		return;
	index_add(draft, tag_of('e', number), sizeof(*tab->saved), tab->saved, tab->entries.nr);
	index_add(draft, tag_of('s', number), sizeof(*tab->segments.v), tab->segments.v,
		  tab->segments.nr);
	index_add(draft, tag_of('n', number), 1, tab->saved_names.p, tab->saved_names.len);
}

void symtab_saved(struct symtab *tab)
{
	free(tab->saved);
	tab->saved = NULL;
	str_release(&tab->saved_names);
}

struct symtab *symtab_load(const struct index *index, unsigned number, unsigned options)
{
	size_t nr_entries, nr_segments, size;
	const struct entry *entries = index_section(index, tag_of('e', number), sizeof(*entries),
						    &nr_entries);
	const struct segment *segments = index_section(index, tag_of('s', number),
						       sizeof(*segments), &nr_segments);
	const char *names = index_section(index, tag_of('n', number), 1, &size);
	struct symtab *tab;

	if (!entries || !segments || !names || nr_entries >= NO_ENTRY)
		return NULL;
	tab = symtab_new(options);
	tab->is_loaded = true;
	tab->entries.v = (struct entry *)(uintptr_t)entries;
	tab->entries.nr = nr_entries;
	tab->segments.v = (struct segment *)(uintptr_t)segments;
	tab->segments.nr = nr_segments;
	symtab_add_strings(tab, names, size);
	return tab;
}

const char *symtab_name(struct symtab *tab, const struct symtab_hit *hit)
{
	const char *shown;
	uint64_t *slot;
	bool added;

	if ((tab->options & SYMTAB_NO_DEMANGLE) || !demangle_wants(hit->name))
		return hit->name;
	pthread_mutex_lock(&tab->lock);
	slot = map64_put(&tab->shown, hit->index, &added);
	if (added) {
		char *plain = demangle(hit->name);

		*slot = (uintptr_t)(plain ? arena_strdup(&tab->arena, plain) : hit->name);
		free(plain);
	}
	shown = (const char *)(uintptr_t)*slot;
	pthread_mutex_unlock(&tab->lock);
	return shown;
}
