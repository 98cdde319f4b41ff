/* SPDX-License-Identifier: MIT */
#include "symbols/dwarf.h"

#include <dwarf.h>
#include <stdlib.h>

#include "symbols/demangle.h"
#include "symbols/dwarf_priv.h"

#define CHAIN_MAX 256            /* functions inlined into one another */

struct dwarf *dwarf_new(struct elf_file *file, const char *path, bool no_demangle)
{
	struct dwarf *dwarf = mem_zalloc(sizeof(*dwarf));

	if (!dw_file_init(&dwarf->main, dwarf, file, false)) {
		dw_file_release(&dwarf->main);
		free(dwarf);
		return NULL;
	}
	dwarf->path = mem_strdup(path);
	dwarf->no_demangle = no_demangle;
	pthread_mutex_init(&dwarf->lock, NULL);
	pthread_mutex_init(&dwarf->text_lock, NULL);
	for (int i = 0; i < DW_LOCKS; i++)
		pthread_mutex_init(&dwarf->unit_locks[i], NULL);
	intern_init(&dwarf->texts);
	return dwarf;
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
	dw_file_release(&dwarf->main);
	vec_release(&dwarf->index);
	intern_release(&dwarf->texts);
	map64_release(&dwarf->embedded);
	for (int i = 0; i < DW_LOCKS; i++)
		pthread_mutex_destroy(&dwarf->unit_locks[i]);
	pthread_mutex_destroy(&dwarf->lock);
	pthread_mutex_destroy(&dwarf->text_lock);
	free((char *)(uintptr_t)dwarf->path);
	free(dwarf);
}

const char *dw_text(struct dwarf *dwarf, const char *text)
{
	const char *kept;

	pthread_mutex_lock(&dwarf->text_lock);
	kept = intern_str(&dwarf->texts, intern_id(&dwarf->texts, text));
	pthread_mutex_unlock(&dwarf->text_lock);
	return kept;
}

const char *dw_text_of(struct dwarf *dwarf, const char *file, const char *source)
{
	const char *kept;
	uint32_t id;

	pthread_mutex_lock(&dwarf->text_lock);
	id = intern_id(&dwarf->texts, file);
	kept = intern_str(&dwarf->texts, id);
	*map64_put(&dwarf->embedded, id, NULL) = (uint64_t)(uintptr_t)source;
	pthread_mutex_unlock(&dwarf->text_lock);
	return kept;
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

	/* the units' own strings may be there */
	dw_open_alt(dwarf);
	for (size_t i = 0; i < dwarf->main.units.nr; i++) {
		struct dw_unit *unit = &dwarf->main.units.v[i];

		dw_unit_read(unit);
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

static struct dw_unit *unit_of(struct dwarf *dwarf, uint64_t addr)
{
	uint32_t id;

	if (!atomic_load_explicit(&dwarf->indexed, memory_order_acquire)) {
		pthread_mutex_lock(&dwarf->lock);
		if (!atomic_load(&dwarf->indexed))
			build_index(dwarf);
		atomic_store_explicit(&dwarf->indexed, true, memory_order_release);
		pthread_mutex_unlock(&dwarf->lock);
	}
	id = dw_segment_at(&dwarf->index, addr);
	return id == DW_NOWHERE ? NULL : &dwarf->main.units.v[id];
}

/* --- which line and which functions ----------------------------------------------- */

static struct dw_code *code_of(struct dwarf *dwarf, struct dw_unit *unit)
{
	struct dw_code *code = atomic_load_explicit(&unit->code, memory_order_acquire);
	pthread_mutex_t *lock = &dwarf->unit_locks[(size_t)(unit - dwarf->main.units.v) % DW_LOCKS];
	struct dw_unit *entries;

	if (code)
		return code;
	pthread_mutex_lock(lock);
	code = atomic_load(&unit->code);
	if (!code) {
		code = mem_zalloc(sizeof(*code));
		dw_lines_read(&code->lines, unit);
		entries = dw_split_unit(dwarf, unit);
		if (entries)
			dw_scopes_read(code, entries);
		atomic_store_explicit(&unit->code, code, memory_order_release);
	}
	pthread_mutex_unlock(lock);
	return code;
}

static const struct dw_row *row_at(const struct dw_lines *lines, uint64_t addr)
{
	size_t low = 0, high = lines->rows.nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (lines->rows.v[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low && lines->rows.v[low - 1].file != DW_NOWHERE ? &lines->rows.v[low - 1] : NULL;
}

static const char *shown_name(struct dwarf *dwarf, struct dw_origin *origin)
{
	const char *shown = atomic_load_explicit(&origin->shown, memory_order_acquire);
	char *plain;

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
	struct dw_unit *unit = unit_of(dwarf, addr);
	struct source_frame at = { 0 };
	const struct dw_row *row;
	struct dw_code *code;
	uint32_t scope, nr = 0;

	if (!unit || !max)
		return 0;
	code = code_of(dwarf, unit);
	row = row_at(&code->lines, addr);
	scope = dw_segment_at(&code->segments, addr);
	if (!row && scope == DW_NOWHERE)
		return 0;
	if (row) {
		at.file = dw_lines_file(dwarf, &code->lines, row->file);
		at.line = row->line;
	}
	while (scope != DW_NOWHERE && nr < max && nr < CHAIN_MAX) {
		const struct dw_scope *s = &code->scopes.v[scope];

		at.name = shown_name(dwarf, &code->origins.v[s->origin]);
		out[nr++] = at;
		at.file = dw_lines_file(dwarf, &code->lines, s->call_file);
		at.line = s->call_line;
		scope = s->parent;
	}
	if (!nr)
		out[nr++] = at;
	return nr;
}
