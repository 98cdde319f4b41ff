/* SPDX-License-Identifier: MIT */
/* What units became, kept in the index of the file's build-id. See dwarf_priv.h. */
#include <stdlib.h>

#include "base/log.h"
#include "symbols/demangle.h"
#include "symbols/dwarf_priv.h"
#include "symbols/index.h"

/* To be raised when what is in the tables changes. */
#define LINES_VERSION 1
/* Debug sections that are as soon read as an index of them. */
#define WORTH_BYTES (128 << 10)

#define KIND      INDEX_TAG('l', 'i', 'n', 'e')
#define COVER     INDEX_TAG('c', 'o', 'v', 'r')
#define UNITS     INDEX_TAG('u', 'n', 'i', 't')
#define ROWS      INDEX_TAG('r', 'o', 'w', 's')
#define SEGMENTS  INDEX_TAG('s', 'e', 'g', 's')
#define SCOPES    INDEX_TAG('s', 'c', 'o', 'p')
#define ORIGINS   INDEX_TAG('o', 'r', 'i', 'g')
#define FILES     INDEX_TAG('f', 'i', 'l', 'e')
#define TEXT      INDEX_TAG('t', 'e', 'x', 't')
#define STARTS    INDEX_TAG('t', 'o', 'f', 'f')
#define SLOTS     INDEX_TAG('s', 'l', 'o', 't')

/* Elements of one table that are a unit's. */
struct part { uint32_t first, nr; };

/* Origins and files are numbers of texts. A unit that was not read is not there. */
struct kept_unit {
	struct part rows, segments, scopes, origins, files;
	uint32_t is_there, from_zero;
};

struct dw_kept {
	struct index *index;
	const struct dw_segment *cover;
	const struct kept_unit *units;
	const struct dw_row *rows;
	const struct dw_segment *segments;
	const struct dw_scope *scopes;
	const uint32_t *origins, *files, *starts, *slots;
	const char *text;
	size_t nr_cover, nr_units, nr_rows, nr_segments, nr_scopes, nr_origins, nr_files;
	size_t nr_text, nr_starts, nr_slots;
	bool no_demangle;
	_Atomic(const char *) *shown;    /* by text: what is shown for it, if that was asked for */
};

/* --- reading: what stands in elements is checked where it is used ------------------ */

static bool open_tables(struct dw_kept *k)
{
	const struct index *x = k->index;

	k->cover = index_section(x, COVER, sizeof(*k->cover), &k->nr_cover);
	k->units = index_section(x, UNITS, sizeof(*k->units), &k->nr_units);
	k->rows = index_section(x, ROWS, sizeof(*k->rows), &k->nr_rows);
	k->segments = index_section(x, SEGMENTS, sizeof(*k->segments), &k->nr_segments);
	k->scopes = index_section(x, SCOPES, sizeof(*k->scopes), &k->nr_scopes);
	k->origins = index_section(x, ORIGINS, sizeof(*k->origins), &k->nr_origins);
	k->files = index_section(x, FILES, sizeof(*k->files), &k->nr_files);
	k->text = index_section(x, TEXT, 1, &k->nr_text);
	k->starts = index_section(x, STARTS, sizeof(*k->starts), &k->nr_starts);
	k->slots = index_section(x, SLOTS, sizeof(*k->slots), &k->nr_slots);
	return k->cover && k->units && k->rows && k->segments && k->scopes && k->origins &&
	       k->files && k->text && k->starts && k->slots && k->nr_units <= UINT32_MAX &&
	       /* so that every text ends, and a search for one does */
	       k->nr_text && !k->text[k->nr_text - 1] && k->nr_slots &&
	       !(k->nr_slots & (k->nr_slots - 1));
}

/* The units' parts of a table lie in it one behind the other. */
static bool is_next(const struct part *part, size_t *end, size_t nr)
{
	if (part->first != *end || part->nr > nr - *end)
		return false;
	*end += part->nr;
	return true;
}

static bool units_fit(const struct dw_kept *k)
{
	size_t rows = 0, segments = 0, scopes = 0, origins = 0, files = 0;

	for (size_t i = 0; i < k->nr_units; i++) {
		const struct kept_unit *u = &k->units[i];

		if (u->is_there &&
		    (!is_next(&u->rows, &rows, k->nr_rows) ||
		     !is_next(&u->segments, &segments, k->nr_segments) ||
		     !is_next(&u->scopes, &scopes, k->nr_scopes) ||
		     !is_next(&u->origins, &origins, k->nr_origins) ||
		     !is_next(&u->files, &files, k->nr_files)))
			return false;
	}
	return true;
}

struct dw_kept *dw_kept_new(struct index *index, bool no_demangle)
{
	struct dw_kept *k = index ? mem_zalloc(sizeof(*k)) : NULL;

	if (!k)
		return NULL;
	k->index = index;
	k->no_demangle = no_demangle;
	if (!open_tables(k) || !units_fit(k)) {
		dw_kept_free(k);
		return NULL;
	}
	if (!no_demangle)
		k->shown = mem_zalloc((k->nr_starts + 1) * sizeof(*k->shown));
	return k;
}

struct dw_kept *dw_kept_open(const struct elf_file *elf, uint64_t print, bool no_demangle)
{
	return dw_kept_new(index_open(elf->build_id, elf->build_id_size, KIND, print), no_demangle);
}

void dw_kept_free(struct dw_kept *k)
{
	if (!k)
		return;
	index_close(k->index);
	free(k->shown);
	free(k);
}

uint32_t dw_kept_units(const struct dw_kept *k, dw_segments *cover)
{
	/* borrowed: without room to grow */
	cover->v = (struct dw_segment *)(uintptr_t)k->cover;
	cover->nr = k->nr_cover;
	return (uint32_t)k->nr_units;
}

struct dw_code *dw_kept_code(const struct dw_kept *k, uint32_t unit)
{
	const struct kept_unit *u = unit < k->nr_units ? &k->units[unit] : NULL;
	struct dw_code *code;

	if (!u || !u->is_there)
		return NULL;
	code = mem_zalloc(sizeof(*code));
	code->is_kept = true;
	code->lines.rows.v = (struct dw_row *)(uintptr_t)(k->rows + u->rows.first);
	code->lines.rows.nr = u->rows.nr;
	code->lines.nr_files = u->files.nr;
	code->lines.from_zero = u->from_zero;
	code->segments.v = (struct dw_segment *)(uintptr_t)(k->segments + u->segments.first);
	code->segments.nr = u->segments.nr;
	code->scopes.v = (struct dw_scope *)(uintptr_t)(k->scopes + u->scopes.first);
	code->scopes.nr = u->scopes.nr;
	code->origins.nr = u->origins.nr;
	code->kept_origins = k->origins + u->origins.first;
	code->kept_files = k->files + u->files.first;
	return code;
}

static const char *text_at(const struct dw_kept *k, uint32_t text)
{
	return text < k->nr_starts && k->starts[text] < k->nr_text ? k->text + k->starts[text] : NULL;
}

const char *dw_kept_file(const struct dw_kept *k, const struct dw_code *code, uint32_t file)
{
	uint32_t i = code->lines.from_zero ? file : file - 1;

	return i < code->lines.nr_files ? text_at(k, code->kept_files[i]) : NULL;
}

const char *dw_kept_name(struct dwarf *dwarf, const struct dw_code *code, uint32_t origin)
{
	const struct dw_kept *k = dwarf->kept;
	uint32_t text = origin < code->origins.nr ? code->kept_origins[origin] : UINT32_MAX;
	const char *raw = text_at(k, text), *shown;
	char *plain;

	if (!raw || k->no_demangle)
		return raw;
	shown = atomic_load_explicit(&k->shown[text], memory_order_acquire);
	if (shown)
		return shown;
	plain = demangle_wants(raw) ? demangle(raw) : NULL;
	shown = plain ? dw_text(dwarf, plain) : raw;
	free(plain);
	atomic_store_explicit(&k->shown[text], shown, memory_order_release);
	return shown;
}

const char *dw_kept_find(const struct dw_kept *k, const char *text)
{
	size_t at = hash_bytes(text, strlen(text)) & (k->nr_slots - 1);

	for (size_t i = 0; i < k->nr_slots && k->slots[at]; i++) {
		const char *found = text_at(k, k->slots[at] - 1);

		if (found && strcmp(found, text) == 0)
			return found;
		at = (at + 1) & (k->nr_slots - 1);
	}
	return NULL;
}

/* --- writing ----------------------------------------------------------------------- */

/* Rows, segments and scopes go out as they are, unit by unit. */
struct writing {
	struct dwarf *dwarf;
	VEC(struct kept_unit) units;
	VEC(const struct dw_code *) codes;       /* of those units that are there */
	size_t nr_rows, nr_segments, nr_scopes;
	VEC(uint32_t) origins;
	VEC(uint32_t) files;
	VEC(char) used;                  /* by file of a unit */
	VEC(char) text;
	struct intern texts;
	uint32_t *starts, *slots, nr_slots;
};

static struct part next_part(size_t *sum, size_t nr)
{
	struct part part = { (uint32_t)*sum, (uint32_t)nr };

	*sum += nr;
	return part;
}

static uint32_t text_id(struct writing *w, const char *text)
{
	return text ? intern_id(&w->texts, text) : UINT32_MAX;
}

static void mark_file(struct writing *w, const struct dw_lines *lines, uint32_t file)
{
	uint32_t i = lines->from_zero ? file : file - 1;

	if (i < lines->nr_files)
		w->used.v[i] = 1;
}

/* Of the files of a unit, which are all headers it includes, a few have code. */
static struct part add_files(struct writing *w, struct dw_code *code)
{
	struct part part = { (uint32_t)w->files.nr, code->lines.nr_files };

	w->used.nr = 0;
	vec_reserve(&w->used, part.nr);
	if (part.nr)
		memset(w->used.v, 0, part.nr);
	for (size_t i = 0; i < code->lines.rows.nr; i++)
		mark_file(w, &code->lines, code->lines.rows.v[i].file);
	for (size_t i = 0; i < code->scopes.nr; i++)
		mark_file(w, &code->lines, code->scopes.v[i].call_file);
	vec_reserve(&w->files, part.nr);
	for (uint32_t i = 0; i < part.nr; i++)
		*vec_push(&w->files) = !w->used.v[i] ? UINT32_MAX :
			text_id(w, dw_code_file(w->dwarf, code, i + !code->lines.from_zero));
	return part;
}

static struct part add_origins(struct writing *w, const struct dw_code *code)
{
	struct part part = { (uint32_t)w->origins.nr, (uint32_t)code->origins.nr };

	vec_reserve(&w->origins, part.nr);
	for (uint32_t i = 0; i < part.nr; i++)
		*vec_push(&w->origins) = text_id(w, code->is_kept ?
						 text_at(w->dwarf->kept, code->kept_origins[i]) :
						 code->origins.v[i].raw);
	return part;
}

static void add_unit(struct writing *w, struct dw_code *code)
{
	struct kept_unit *u = vec_push(&w->units);

	*u = (struct kept_unit){ 0 };
	/* what a .dwo says depends on files that the fingerprint does not know */
	if (!code || code->is_passing)
		return;
	u->is_there = 1;
	u->from_zero = code->lines.from_zero;
	u->rows = next_part(&w->nr_rows, code->lines.rows.nr);
	u->segments = next_part(&w->nr_segments, code->segments.nr);
	u->scopes = next_part(&w->nr_scopes, code->scopes.nr);
	u->origins = add_origins(w, code);
	u->files = add_files(w, code);
	*vec_push(&w->codes) = code;
}

static void add_texts(struct writing *w)
{
	w->starts = mem_realloc_array(NULL, w->texts.nr + 1, sizeof(*w->starts));
	for (w->nr_slots = 64; w->nr_slots < w->texts.nr * 2; )
		w->nr_slots *= 2;
	w->slots = mem_zalloc(w->nr_slots * sizeof(*w->slots));
	for (uint32_t id = 0; id < w->texts.nr; id++) {
		const char *text = intern_str(&w->texts, id);
		size_t size = strlen(text) + 1, at = w->texts.hashes[id] & (w->nr_slots - 1);

		while (w->slots[at])
			at = (at + 1) & (w->nr_slots - 1);
		w->slots[at] = id + 1;
		w->starts[id] = (uint32_t)w->text.nr;
		vec_reserve(&w->text, size);
		memcpy(w->text.v + w->text.nr, text, size);
		w->text.nr += size;
	}
	if (!w->text.nr)
		*vec_push(&w->text) = '\0';
}

static int put_units(const struct writing *w, struct index_writer *out)
{
	int ret = 0;

	for (size_t i = 0; i < w->codes.nr && ret == 0; i++)
		ret = index_put(out, w->codes.v[i]->lines.rows.v,
				w->codes.v[i]->lines.rows.nr * sizeof(struct dw_row));
	for (size_t i = 0; i < w->codes.nr && ret == 0; i++)
		ret = index_put(out, w->codes.v[i]->segments.v,
				w->codes.v[i]->segments.nr * sizeof(struct dw_segment));
	for (size_t i = 0; i < w->codes.nr && ret == 0; i++)
		ret = index_put(out, w->codes.v[i]->scopes.v,
				w->codes.v[i]->scopes.nr * sizeof(struct dw_scope));
	return ret;
}

/* Sections whose elements the draft has, from `first` on. */
static int put_sections(const struct index_draft *draft, uint32_t first, uint32_t end,
			struct index_writer *out)
{
	int ret = 0;

	for (uint32_t i = first; i < end && ret == 0; i++)
		ret = index_put(out, draft->sections[i].elements,
				draft->sections[i].nr * draft->sections[i].element_size);
	return ret;
}

static void write_out(const struct writing *w)
{
	const struct dwarf *dwarf = w->dwarf;
	struct index_draft draft = {
		.build_id_size = dwarf->main.elf->build_id_size, .kind = KIND,
		.fingerprint = dwarf->print,
	};
	struct index_writer out;
	int ret;

	memcpy(draft.build_id, dwarf->main.elf->build_id, draft.build_id_size);
	index_add(&draft, COVER, sizeof(*dwarf->index.v), dwarf->index.v, dwarf->index.nr);
	index_add(&draft, UNITS, sizeof(*w->units.v), w->units.v, w->units.nr);
	index_add(&draft, ROWS, sizeof(struct dw_row), NULL, w->nr_rows);
	index_add(&draft, SEGMENTS, sizeof(struct dw_segment), NULL, w->nr_segments);
	index_add(&draft, SCOPES, sizeof(struct dw_scope), NULL, w->nr_scopes);
	index_add(&draft, ORIGINS, sizeof(*w->origins.v), w->origins.v, w->origins.nr);
	index_add(&draft, FILES, sizeof(*w->files.v), w->files.v, w->files.nr);
	index_add(&draft, TEXT, 1, w->text.v, w->text.nr);
	index_add(&draft, STARTS, sizeof(*w->starts), w->starts, w->texts.nr);
	index_add(&draft, SLOTS, sizeof(*w->slots), w->slots, w->nr_slots);
	ret = index_begin(&out, &draft);
	if (ret == 0)
		ret = put_sections(&draft, 0, 2, &out);
	if (ret == 0)
		ret = put_units(w, &out);
	if (ret == 0)
		ret = put_sections(&draft, 5, draft.nr, &out);
	if (ret == 0)
		ret = index_end(&out);
	if (ret < 0)
		log_debug("no index of the lines of '%s': %s", dwarf->path, strerror(-ret));
}

static bool is_worth(const struct dwarf *dwarf)
{
	uint64_t size = 0;

	for (int i = 0; i < DW_SECTIONS; i++)
		size += dwarf->main.section[i].size;
	return atomic_load(&dwarf->nr_fresh) && dwarf->main.elf->build_id_size >= 2 &&
	       (dwarf->kept || size >= WORTH_BYTES);
}

void dw_kept_write(struct dwarf *dwarf)
{
	struct writing w = { .dwarf = dwarf };
	bool too_many = false;

	if (!is_worth(dwarf))
		return;
	atomic_store(&dwarf->nr_fresh, 0);
	intern_init(&w.texts);
	for (uint32_t i = 0; i < dwarf->nr_units && !too_many; i++) {
		struct dw_code *code = atomic_load(&dwarf->codes[i]);

		if (!code && dwarf->kept) {
			code = dw_kept_code(dwarf->kept, i);
			atomic_store(&dwarf->codes[i], code);
		}
		add_unit(&w, code);
		too_many = w.nr_rows > UINT32_MAX / 2 || w.nr_segments > UINT32_MAX / 2;
	}
	add_texts(&w);
	if (!too_many && w.text.nr < UINT32_MAX)
		write_out(&w);
	vec_release(&w.units);
	vec_release(&w.codes);
	vec_release(&w.origins);
	vec_release(&w.files);
	vec_release(&w.used);
	vec_release(&w.text);
	intern_release(&w.texts);
	free(w.starts);
	free(w.slots);
}
