/* SPDX-License-Identifier: MIT */
/*
 * dwarf_priv: what the files dwarf*.c share. For them alone.
 *
 *	dwarf_read.c    bytes, forms, abbreviations, strings, addresses, range lists
 *	dwarf_sections.c  the sections of a file, opened
 *	dwarf_unit.c    units of a file, and what their first entry says
 *	dwarf_split.c   .dwo, .dwp, and dwz's common file
 *	dwarf_kept.c    the tables of units, in an index
 *	dwarf_line.c    line programs -> rows
 *	dwarf_scope.c   trees of entries -> scopes and segments
 *	dwarf.c         which unit, which row, which scope
 */
#ifndef SYMBOLS_DWARF_PRIV_H
#define SYMBOLS_DWARF_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "symbols/dwarf.h"

/* --- bytes ------------------------------------------------------------------------ */

struct dw_bytes { const uint8_t *p; size_t size; };

/* Reading stops at `end`; what would go beyond reads as 0 and sets `bad`. */
struct dw_cursor {
	const uint8_t *p, *end;
	bool swap, bad;
};

static inline bool dw_left(struct dw_cursor *c, uint64_t n)
{
	if ((uint64_t)(c->end - c->p) >= n)
		return true;
	c->p = c->end;
	c->bad = true;
	return false;
}

static inline void dw_skip(struct dw_cursor *c, uint64_t n)
{
	if (dw_left(c, n))
		c->p += n;
}

static inline uint8_t dw_u8(struct dw_cursor *c)
{
	return dw_left(c, 1) ? *c->p++ : 0;
}

static inline uint64_t dw_uint3(const uint8_t *p, bool swap)
{
	return (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) != swap ?
		       (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 :
		       (uint64_t)p[2] | (uint64_t)p[1] << 8 | (uint64_t)p[0] << 16;
}

/* A number of 1, 2, 3, 4 or 8 bytes. */
static inline uint64_t dw_uint(struct dw_cursor *c, unsigned size)
{
	uint64_t v;
	uint32_t four;
	uint16_t two;

	if (!dw_left(c, size))
		return 0;
	c->p += size;
	switch (size) {
	case 1:
		return c->p[-1];
	case 2:
		memcpy(&two, c->p - 2, 2);
		return c->swap ? __builtin_bswap16(two) : two;
	case 4:
		memcpy(&four, c->p - 4, 4);
		return c->swap ? __builtin_bswap32(four) : four;
	case 8:
		memcpy(&v, c->p - 8, 8);
		return c->swap ? __builtin_bswap64(v) : v;
	default:
		return size == 3 ? dw_uint3(c->p - 3, c->swap) : 0;
	}
}

uint64_t dw_uleb_long(struct dw_cursor *c);

static inline uint64_t dw_uleb(struct dw_cursor *c)
{
	if (c->p < c->end && *c->p < 0x80)
		return *c->p++;
	return dw_uleb_long(c);
}

int64_t dw_sleb(struct dw_cursor *c);

/* --- files and units -------------------------------------------------------------- */

enum dw_section {
	DW_INFO, DW_ABBREV, DW_LINE, DW_STR, DW_LINE_STR, DW_STR_OFFSETS, DW_ADDR, DW_RANGES,
	DW_RNGLISTS, DW_CU_INDEX, DW_SECTIONS,
};

/* An abbreviation: the shape of entries. */
struct dw_abbrev {
	uint16_t tag;
	bool has_children;
	bool is_scope;           /* of a function or an inlined call, with a place for code */
	int8_t sibling;          /* which of its attributes is DW_AT_sibling, or -1 */
	int32_t before_sibling;  /* bytes of those before it if they are always as many; else -1 */
	int32_t size;            /* bytes of all attributes if they are always as many; else -1 */
	uint32_t first, nr;      /* in attrs */
};

/* size: of what stands in the entry, if always the same; else -1. */
struct dw_attr {
	uint16_t name, form;
	int32_t size;
	uint32_t constant;       /* DW_FORM_implicit_const's value is in constants, here */
};

struct dw_abbrevs {
	VEC(struct dw_abbrev) v;         /* of code i + 1, or as codes says */
	VEC(struct dw_attr) attrs;
	VEC(int64_t) constants;
	bool is_sparse;
	struct map64 codes;              /* if sparse: code -> place in v */
};

/* The debug sections of one file. */
struct dw_file {
	struct dwarf *dwarf;
	struct elf_file *elf;
	bool owns_elf, swap;
	struct dw_bytes section[DW_SECTIONS];
	struct index *index;             /* has those that are compressed in the file, or NULL */
	VEC(struct dw_unit) units;       /* by offset */
	struct dw_file *alt;             /* dwz's common file, or NULL */
	atomic_int_least64_t budget;     /* bytes that may still be read; see dw_spend */
	pthread_mutex_t lock;            /* guards abbrevs */
	struct map64 abbrevs;            /* offset -> struct dw_abbrevs * */
	struct dw_file *next;            /* of those that the dwarf opened */
};

/* What the unit's first entry says: offsets are into sections of unit->file. */
struct dw_unit {
	struct dw_file *file;
	uint64_t offset, die, end;       /* header, first entry, behind the last */
	uint64_t abbrev_offset;
	uint8_t version, type, address_size, offset_size;
	bool has_lines, has_low, has_ranges;
	bool is_c;                       /* of C: no functions inside of structures */
	uint16_t ranges_form;
	uint64_t lines, low, high, ranges;
	uint64_t str_offsets_base, addr_base, rnglists_base, ranges_base;
	const char *comp_dir, *dwo_name;
	uint64_t dwo_id;
	struct dw_unit *skeleton;        /* of a split unit: has the addresses and the lines */
	_Atomic(struct dw_abbrevs *) abbrevs;
};

/* --- what a unit becomes ---------------------------------------------------------- */

struct dw_row { uint64_t addr; uint32_t file, line; };   /* file DW_NOWHERE: no code */
#define DW_NOWHERE UINT32_MAX

struct dw_path {
	const char *dir, *name;
	const char *source;      /* its text, if that is embedded */
	_Atomic(const char *) shown;
};

struct dw_lines {
	VEC(struct dw_row) rows;
	struct dw_path *files;
	uint32_t nr_files;
	bool from_zero;          /* DWARF 5 numbers files from 0, all before from 1 */
	const char *comp_dir;
};

struct dw_scope {
	uint32_t parent;         /* scope around it, or DW_NOWHERE: a function of its own */
	uint32_t origin;
	uint32_t call_file, call_line;
};

/* A function, wherever it is inlined. */
struct dw_origin {
	const char *raw;
	_Atomic(const char *) shown;
};

/* A part of the addresses, for dw_flatten. */
struct dw_piece { uint64_t start, end; uint32_t depth, id; };
/* Until the next one; DW_NOWHERE: none. */
struct dw_segment { uint64_t start; uint32_t id, zero; };

typedef VEC(struct dw_piece) dw_pieces;
typedef VEC(struct dw_segment) dw_segments;

/* Rows, scopes and segments stand in files: see dwarf_kept.c, LINES_VERSION. */
struct dw_code {
	bool is_passing;         /* not for an index: of more files than this, or embedding source */
	bool is_kept;            /* tables are the index's; names and files are numbers of texts */
	const uint32_t *kept_origins, *kept_files;
	struct dw_lines lines;
	VEC(struct dw_scope) scopes;
	VEC(struct dw_origin) origins;
	dw_segments segments;
};

#define DW_LOCKS 64

struct dw_kept;

struct dwarf {
	struct dw_file main;
	pthread_mutex_t *elf_lock;       /* of main.elf: libelf is not to be used by two at once */
	struct elf_file *alt_elf;        /* dwz's common file until main has it */
	uint64_t print;                  /* what an index's tables depend on */
	struct dw_kept *kept;            /* NULL: there is no index */
	_Atomic(struct dw_code *) *codes;        /* by unit */
	uint32_t nr_units;
	atomic_uint nr_fresh;            /* units that were not in the index */
	bool loaded, is_readable;        /* main, once a unit is to be read; see dw_load */
	struct dw_file *others;          /* alt, .dwo and .dwp */
	const char *path;
	bool no_demangle;
	atomic_bool indexed;
	dw_segments index;               /* address -> unit of main */
	pthread_mutex_t lock;            /* index, others, looked */
	bool looked_for_dwp;
	struct dw_file *dwp;
	pthread_mutex_t unit_locks[DW_LOCKS];
	pthread_mutex_t text_lock;
	struct intern texts;
	struct map64 embedded;           /* id in texts of a file -> its text; text_lock */
	struct arena arena;
};

/* --- dwarf_read.c ----------------------------------------------------------------- */

struct dw_value {
	uint16_t form;
	uint64_t u;              /* number, offset, index */
	const uint8_t *p;        /* where DW_FORM_string starts */
};

/*
 * Account for n bytes read out of turn; false if more was read by now than a file that
 * is not made to waste time could ask for.
 */
bool dw_spend(struct dw_file *file, uint64_t n);

/* A cursor at `offset` of a section, to its end; empty if that is outside. */
struct dw_cursor dw_at(const struct dw_file *file, enum dw_section section, uint64_t offset);

/* All of the unit's abbreviations; they stay. */
struct dw_abbrevs *dw_abbrevs_get(struct dw_unit *unit);
/* Such as have the one with that code, for a look: to be given back. */
struct dw_abbrevs *dw_abbrevs_of(struct dw_unit *unit, uint64_t code);
void dw_abbrevs_put(const struct dw_unit *unit, struct dw_abbrevs *abbrevs);
void dw_abbrevs_free(struct dw_abbrevs *abbrevs);
const struct dw_abbrev *dw_abbrev_sparse(const struct dw_abbrevs *abbrevs, uint64_t code);

static inline const struct dw_abbrev *dw_abbrev_find(const struct dw_abbrevs *t, uint64_t code)
{
	if (t->is_sparse)
		return dw_abbrev_sparse(t, code);
	return code - 1 < t->v.nr ? &t->v.v[code - 1] : NULL;
}

void dw_value_read(struct dw_cursor *c, const struct dw_unit *unit, const struct dw_abbrevs *abbrevs,
		   uint32_t attr, struct dw_value *out);
void dw_form_skip(struct dw_cursor *c, const struct dw_unit *unit, uint16_t form);
void dw_attr_skip(struct dw_cursor *c, const struct dw_unit *unit, const struct dw_attr *attr);
void dw_attrs_skip(struct dw_cursor *c, const struct dw_unit *unit, const struct dw_abbrevs *abbrevs,
		   const struct dw_abbrev *abbrev);

static inline void dw_abbrev_skip(struct dw_cursor *c, const struct dw_unit *unit,
				  const struct dw_abbrevs *abbrevs, const struct dw_abbrev *abbrev)
{
	if (abbrev->size >= 0)
		dw_skip(c, (uint64_t)abbrev->size);
	else
		dw_attrs_skip(c, unit, abbrevs, abbrev);
}

/* Bytes of a form that is always as long in this unit, or -1. */
int dw_form_size(const struct dw_unit *unit, uint16_t form);

const char *dw_string(const struct dw_unit *unit, const struct dw_value *value);
bool dw_address(const struct dw_unit *unit, const struct dw_value *value, uint64_t *addr);
bool dw_is_address_form(uint16_t form);
/* The unit and the offset in its section that a reference points to; NULL if nowhere. */
struct dw_unit *dw_reference(struct dw_unit *unit, const struct dw_value *value, uint64_t *offset);

/* Give each range of a list to `add`; stops when it returns false. */
typedef bool dw_add_range(void *arg, uint64_t start, uint64_t end);
void dw_ranges(struct dw_unit *unit, uint16_t form, uint64_t value, dw_add_range *add, void *arg);

/* --- the others ------------------------------------------------------------------- */

/* Those of `elf` into file->section; `dwo`: those of split DWARF. */
void dw_sections_load(struct dw_file *file, bool dwo);
/* Read the sections and units of `elf`; `dwo`: those of split DWARF. false: no .debug_info. */
bool dw_file_init(struct dw_file *file, struct dwarf *dwarf, struct elf_file *elf, bool dwo);
void dw_file_release(struct dw_file *file);
/* Read what the unit's first entry says. */
void dw_unit_read(struct dw_unit *unit);
struct dw_unit *dw_unit_at(struct dw_file *file, uint64_t offset);
/* Whether the unit has code of its own, or may have. */
bool dw_unit_is_code(const struct dw_unit *unit);

/* The unit that has the entries of a skeleton; the unit itself if it is none, or NULL. */
struct dw_unit *dw_split_unit(struct dwarf *dwarf, struct dw_unit *unit);
/* Take over dwz's common file, which may be NULL. */
void dw_take_alt(struct dwarf *dwarf, struct elf_file *elf);

void dw_lines_read(struct dw_lines *lines, struct dw_unit *unit);
const char *dw_lines_file(struct dwarf *dwarf, struct dw_lines *lines, uint32_t file);
void dw_lines_release(struct dw_lines *lines);
/* Whether the text of any of its files is embedded. */
bool dw_lines_embed(const struct dw_lines *lines);

void dw_scopes_read(struct dw_code *code, struct dw_unit *unit);

/* Nested pieces laid flat: of those that cover an address, the deepest, then the last to start. */
void dw_flatten(dw_pieces *pieces, dw_segments *out);
/* The segment's place at addr, or SIZE_MAX; its id, or DW_NOWHERE. */
size_t dw_segment_place(const dw_segments *segments, uint64_t addr);
uint32_t dw_segment_at(const dw_segments *segments, uint64_t addr);

/* The path, made when it is first asked for, of one of a unit's files; NULL: not known. */
const char *dw_code_file(struct dwarf *dwarf, struct dw_code *code, uint32_t file);

/*
 * Tables out of the index of the file's build-id, or NULL. `print` tells what else they
 * depend on. dw_kept_new takes the index over, which may be NULL.
 */
struct index;
struct dw_kept *dw_kept_open(const struct elf_file *elf, uint64_t print, bool no_demangle);
struct dw_kept *dw_kept_new(struct index *index, bool no_demangle);
void dw_kept_free(struct dw_kept *kept);
/* Returns how many units there are, and which of them has an address (borrowed). */
uint32_t dw_kept_units(const struct dw_kept *kept, dw_segments *cover);
/* A unit's tables, which the caller frees, or NULL if it was not read. */
struct dw_code *dw_kept_code(const struct dw_kept *kept, uint32_t unit);
void dw_code_free(struct dw_code *code);
const char *dw_kept_file(const struct dw_kept *kept, const struct dw_code *code, uint32_t file);
const char *dw_kept_name(struct dwarf *dwarf, const struct dw_code *code, uint32_t origin);
/* The index's own copy of a text, or NULL. */
const char *dw_kept_find(const struct dw_kept *kept, const char *text);
/* Write all that was read, now and before. Nobody may look up meanwhile. */
void dw_kept_write(struct dwarf *dwarf);

/* A string that lives as long as the dwarf; one pointer for equal ones. */
const char *dw_text(struct dwarf *dwarf, const char *text);
/* The same for a file whose text is embedded. */
const char *dw_text_of(struct dwarf *dwarf, const char *file, const char *source);

#endif
