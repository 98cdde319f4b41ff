/* SPDX-License-Identifier: MIT */
#include "symbols/dwarf.h"

#include <dwarf.h>
#include <stdlib.h>

#include "symbols/debug_file.h"
#include "symbols/demangle.h"
#include "symbols/dwarf_priv.h"
#include "symbols/index.h"

#define CHAIN_MAX 256            /* functions inlined into one another */

static const char *const debug_info[] = { ".debug_info", ".zdebug_info" };

static bool has_debug_info(struct elf_file *file)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(file->elf, scn)))
		for (size_t i = 0; i < sizeof(debug_info) / sizeof(debug_info[0]); i++)
			if (gelf_getshdr(scn, &shdr) && shdr.sh_type != SHT_NOBITS &&
			    strcmp(elf_file_section_name(file, &shdr), debug_info[i]) == 0)
				return true;
	return false;
}

/* Which file's tables they are, besides the build-id. */
static uint64_t fingerprint(struct elf_file *file, const struct elf_file *alt)
{
	uint64_t hash = elf_file_hash(file);

	return alt && alt->path ? index_hash_file(hash, alt->path) : hash;
}

static void set_units(struct dwarf *dwarf, uint32_t nr)
{
	dwarf->nr_units = nr;
	dwarf->codes = mem_zalloc((nr + 1) * sizeof(*dwarf->codes));
}

/* Read the sections and units, if that was not done. Under the lock and that of the ELF file. */
static bool load(struct dwarf *dwarf)
{
	if (dwarf->loaded)
		return dwarf->is_readable;
	dwarf->loaded = true;
	if (!dw_file_init(&dwarf->main, dwarf, dwarf->main.elf, false))
		return false;
	/* the units' own strings may be there */
	dw_take_alt(dwarf, dwarf->alt_elf);
	dwarf->alt_elf = NULL;
	for (size_t i = 0; i < dwarf->main.units.nr; i++)
		dw_unit_read(&dwarf->main.units.v[i]);
	if (!dwarf->codes)
		set_units(dwarf, (uint32_t)dwarf->main.units.nr);
	return dwarf->is_readable = true;
}

static struct dwarf *make(struct elf_file *file, pthread_mutex_t *elf_lock, const char *path,
			  bool no_demangle)
{
	struct dwarf *dwarf = mem_zalloc(sizeof(*dwarf));

	dwarf->main.elf = file;
	dwarf->elf_lock = elf_lock;
	dwarf->path = mem_strdup(path);
	dwarf->no_demangle = no_demangle;
	pthread_mutex_init(&dwarf->lock, NULL);
	pthread_mutex_init(&dwarf->text_lock, NULL);
	for (int i = 0; i < DW_LOCKS; i++)
		pthread_mutex_init(&dwarf->unit_locks[i], NULL);
	intern_init(&dwarf->texts);
	return dwarf;
}

static void use_kept(struct dwarf *dwarf, struct dw_kept *kept)
{
	dwarf->kept = kept;
	set_units(dwarf, dw_kept_units(kept, &dwarf->index));
	atomic_store(&dwarf->indexed, true);
}

struct dwarf *dwarf_of_index(struct index *index, bool no_demangle)
{
	struct dw_kept *kept = dw_kept_new(index, no_demangle);
	struct dwarf *dwarf;

	if (!kept)
		return NULL;
	dwarf = make(NULL, NULL, "", no_demangle);
	dwarf->loaded = true;
	use_kept(dwarf, kept);
	return dwarf;
}

struct dwarf *dwarf_new(struct elf_file *file, pthread_mutex_t *elf_lock, const char *path,
			bool no_demangle)
{
	struct dw_kept *kept;
	struct dwarf *dwarf;

	if (!has_debug_info(file))
		return NULL;
	dwarf = make(file, elf_lock, path, no_demangle);
	dwarf->alt_elf = debug_file_alt(file);
	dwarf->print = fingerprint(file, dwarf->alt_elf);
	kept = dw_kept_open(file, dwarf->print, no_demangle);
	if (kept) {
		use_kept(dwarf, kept);
	} else if (!load(dwarf)) {
		dwarf_free(dwarf);
		return NULL;
	}
	return dwarf;
}

void dw_code_free(struct dw_code *code)
{
	if (!code)
		return;
	if (!code->is_kept) {
		dw_lines_release(&code->lines);
		vec_release(&code->scopes);
		vec_release(&code->origins);
		vec_release(&code->segments);
	}
	free(code);
}

void dwarf_free(struct dwarf *dwarf)
{
	struct dw_file *next;

	if (!dwarf)
		return;
	for (struct dw_file *file = dwarf->others; file; file = next) {
		next = file->next;
		dw_file_release(file);
		free(file);
	}
	for (uint32_t i = 0; i < dwarf->nr_units; i++)
		dw_code_free(atomic_load(&dwarf->codes[i]));
	free(dwarf->codes);
	if (dwarf->loaded && dwarf->main.dwarf)
		dw_file_release(&dwarf->main);
	elf_file_free(dwarf->alt_elf);
	if (!dwarf->kept)
		vec_release(&dwarf->index);
	dw_kept_free(dwarf->kept);
	intern_release(&dwarf->texts);
	map64_release(&dwarf->embedded);
	for (int i = 0; i < DW_LOCKS; i++)
		pthread_mutex_destroy(&dwarf->unit_locks[i]);
	pthread_mutex_destroy(&dwarf->lock);
	pthread_mutex_destroy(&dwarf->text_lock);
	free((char *)(uintptr_t)dwarf->path);
	free(dwarf);
}

void dwarf_keep(struct dwarf *dwarf)
{
	if (dwarf)
		dw_kept_write(dwarf);
}

const char *dw_text(struct dwarf *dwarf, const char *text)
{
	const char *kept = dwarf->kept ? dw_kept_find(dwarf->kept, text) : NULL;

	if (kept)
		return kept;
	pthread_mutex_lock(&dwarf->text_lock);
	kept = intern_str(&dwarf->texts, intern_id(&dwarf->texts, text));
	pthread_mutex_unlock(&dwarf->text_lock);
	return kept;
}

const char *dw_text_of(struct dwarf *dwarf, const char *file, const char *source)
{
	const char *kept, *of_index = dwarf->kept ? dw_kept_find(dwarf->kept, file) : NULL;
	uint32_t id;

	pthread_mutex_lock(&dwarf->text_lock);
	id = intern_id(&dwarf->texts, file);
	kept = intern_str(&dwarf->texts, id);
	*map64_put(&dwarf->embedded, id, NULL) = (uint64_t)(uintptr_t)source;
	pthread_mutex_unlock(&dwarf->text_lock);
	return of_index ? of_index : kept;
}

const char *dwarf_source(struct dwarf *dwarf, const char *file)
{
	const uint64_t *slot;

	pthread_mutex_lock(&dwarf->text_lock);
	slot = map64_find(&dwarf->embedded, intern_id(&dwarf->texts, file));
	pthread_mutex_unlock(&dwarf->text_lock);
	return slot ? (const char *)(uintptr_t)*slot : NULL;
}

/* --- which unit ------------------------------------------------------------------- */

struct indexing { dw_pieces pieces; uint32_t unit; };

static bool add_piece(void *arg, uint64_t start, uint64_t end)
{
	struct indexing *x = arg;

	if (start && start < end)
		*vec_push(&x->pieces) = (struct dw_piece){ start, end, 0, x->unit };
	return true;
}

/* Where a unit does not say what it covers, its lines do. */
static void add_lines(struct indexing *x, struct dw_unit *unit)
{
	struct dw_lines lines = { 0 };
	uint64_t start = 0;

	dw_lines_read(&lines, unit);
	for (size_t i = 0; i < lines.rows.nr; i++) {
		const struct dw_row *row = &lines.rows.v[i];

		if (!start)
			start = row->addr;
		if (row->file != DW_NOWHERE)
			continue;
		add_piece(x, start, row->addr);
		start = 0;
	}
	dw_lines_release(&lines);
}

static void build_index(struct dwarf *dwarf)
{
	struct indexing x = { 0 };

	for (size_t i = 0; i < dwarf->main.units.nr; i++) {
		struct dw_unit *unit = &dwarf->main.units.v[i];

		if (!dw_unit_is_code(unit))
			continue;
		x.unit = (uint32_t)i;
		if (unit->has_ranges)
			dw_ranges(unit, unit->ranges_form, unit->ranges, add_piece, &x);
		else if (unit->high > unit->low)
			add_piece(&x, unit->low, unit->high);
		else if (unit->has_lines)
			add_lines(&x, unit);
	}
	dw_flatten(&x.pieces, &dwarf->index);
	vec_release(&x.pieces);
}

/*
 * The segment of the index at an address, which is mostly that of the thread's last one: a
 * guess that is as good for any index, since it is looked at before it is believed.
 */
static uint32_t cover_at(const dw_segments *index, uint64_t addr)
{
	static __thread size_t guess;
	const struct dw_segment *v = index->v;
	size_t at;

	if (guess + 1 < index->nr && v[guess].start <= addr && addr < v[guess + 1].start)
		return v[guess].id;
	at = dw_segment_place(index, addr);
	if (at >= index->nr)
		return DW_NOWHERE;
	guess = at;
	return v[at].id;
}

/* The unit that covers an address, by its number, or DW_NOWHERE. */
static uint32_t unit_of(struct dwarf *dwarf, uint64_t addr)
{
	uint32_t id;

	if (!atomic_load_explicit(&dwarf->indexed, memory_order_acquire)) {
		pthread_mutex_lock(&dwarf->lock);
		if (!atomic_load(&dwarf->indexed))
			build_index(dwarf);
		atomic_store_explicit(&dwarf->indexed, true, memory_order_release);
		pthread_mutex_unlock(&dwarf->lock);
	}
	id = cover_at(&dwarf->index, addr);
	return id < dwarf->nr_units ? id : DW_NOWHERE;
}

/* --- which line and which functions ----------------------------------------------- */

/* The unit's bytes; NULL if it is not there, as it may be where the index is not true. */
static struct dw_unit *unit_at(struct dwarf *dwarf, uint32_t id)
{
	pthread_mutex_lock(&dwarf->lock);
	if (!dwarf->loaded) {
		pthread_mutex_lock(dwarf->elf_lock);
		load(dwarf);
		pthread_mutex_unlock(dwarf->elf_lock);
	}
	pthread_mutex_unlock(&dwarf->lock);
	return dwarf->is_readable && id < dwarf->main.units.nr ? &dwarf->main.units.v[id] : NULL;
}

static struct dw_code *read_code(struct dwarf *dwarf, uint32_t id)
{
	struct dw_code *code = mem_zalloc(sizeof(*code));
	struct dw_unit *unit = unit_at(dwarf, id), *entries;

	if (!unit)
		return code;
	dw_lines_read(&code->lines, unit);
	entries = dw_split_unit(dwarf, unit);
	if (entries)
		dw_scopes_read(code, entries);
	code->is_passing = entries != unit || dw_lines_embed(&code->lines);
	if (!code->is_passing)
		atomic_fetch_add(&dwarf->nr_fresh, 1);
	return code;
}

static struct dw_code *code_of(struct dwarf *dwarf, uint32_t id)
{
	struct dw_code *code = atomic_load_explicit(&dwarf->codes[id], memory_order_acquire);
	pthread_mutex_t *lock = &dwarf->unit_locks[id % DW_LOCKS];

	if (code)
		return code;
	pthread_mutex_lock(lock);
	code = atomic_load(&dwarf->codes[id]);
	if (!code && dwarf->kept)
		code = dw_kept_code(dwarf->kept, id);
	if (!code)
		code = read_code(dwarf, id);
	atomic_store_explicit(&dwarf->codes[id], code, memory_order_release);
	pthread_mutex_unlock(lock);
	return code;
}

/*
 * The row at an address: mostly the thread's last one or the next. A guess that is as good for
 * any unit, since it is looked at before it is believed.
 */
static const struct dw_row *row_at(const struct dw_lines *lines, uint64_t addr)
{
	static __thread size_t guess;
	const struct dw_row *v = lines->rows.v;
	size_t nr = lines->rows.nr;

	for (size_t at = guess; at < guess + 3 && at + 1 < nr && v[at].addr <= addr; at++) {
		if (addr < v[at + 1].addr) {
			guess = at;
			return v[at].file != DW_NOWHERE ? &v[at] : NULL;
		}
	}
	if (!nr || v->addr > addr)
		return NULL;
	while (nr > 1) {
		size_t half = nr / 2;

		v += v[half].addr <= addr ? half : 0;
		nr -= half;
	}
	guess = (size_t)(v - lines->rows.v);
	return v->file != DW_NOWHERE ? v : NULL;
}

/* The same for the innermost function. */
static uint32_t scope_at(const dw_segments *segments, uint64_t addr)
{
	static __thread size_t guess;
	const struct dw_segment *v = segments->v;
	size_t place;

	for (size_t at = guess; at < guess + 3 && at + 1 < segments->nr && v[at].start <= addr; at++) {
		if (addr < v[at + 1].start) {
			guess = at;
			return v[at].id;
		}
	}
	place = dw_segment_place(segments, addr);
	if (place >= segments->nr)
		return DW_NOWHERE;
	guess = place;
	return v[place].id;
}

const char *dw_code_file(struct dwarf *dwarf, struct dw_code *code, uint32_t file)
{
	return code->is_kept ? dw_kept_file(dwarf->kept, code, file) :
			       dw_lines_file(dwarf, &code->lines, file);
}

static const char *shown_name(struct dwarf *dwarf, const struct dw_code *code, uint32_t id)
{
	struct dw_origin *origin;
	const char *shown;
	char *plain;

	if (code->is_kept)
		return dw_kept_name(dwarf, code, id);
	origin = &code->origins.v[id];
	shown = atomic_load_explicit(&origin->shown, memory_order_acquire);
	if (shown || !origin->raw)
		return shown;
	plain = dwarf->no_demangle || !demangle_wants(origin->raw) ? NULL : demangle(origin->raw);
	shown = dw_text(dwarf, plain ? plain : origin->raw);
	free(plain);
	atomic_store_explicit(&origin->shown, shown, memory_order_release);
	return shown;
}

uint32_t dwarf_find(struct dwarf *dwarf, uint64_t addr, struct source_frame *out, uint32_t max)
{
	uint32_t unit = unit_of(dwarf, addr), scope, nr = 0;
	struct source_frame at = { 0 };
	const struct dw_row *row;
	struct dw_code *code;

	if (unit == DW_NOWHERE || !max)
		return 0;
	code = code_of(dwarf, unit);
	row = row_at(&code->lines, addr);
	scope = scope_at(&code->segments, addr);
	if (!row && scope == DW_NOWHERE)
		return 0;
	if (row) {
		at.file = dw_code_file(dwarf, code, row->file);
		at.line = row->line;
	}
	while (scope < code->scopes.nr && nr < max && nr < CHAIN_MAX) {
		const struct dw_scope *s = &code->scopes.v[scope];

		at.name = shown_name(dwarf, code, s->origin);
		out[nr++] = at;
		at.file = dw_code_file(dwarf, code, s->call_file);
		at.line = s->call_line;
		scope = s->parent;
	}
	if (!nr)
		out[nr++] = at;
	return nr;
}
