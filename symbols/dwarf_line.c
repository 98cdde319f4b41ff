/* SPDX-License-Identifier: MIT */
/* Line programs -> rows. DWARF 5, 6.2; DWARF 4 has the older header. See dwarf_priv.h. */
#include <dwarf.h>
#include <stdlib.h>

#include "base/sort_runs.h"
#include "base/str.h"
#include "symbols/dwarf_priv.h"

#define FORMATS_MAX 32
#define LNCT_LLVM_SOURCE 0x2001   /* LLVM 9, llvm/BinaryFormat/Dwarf.def */

struct program {
	struct dw_unit *unit;            /* for sizes of forms and for strings */
	struct dw_lines *lines;
	struct dw_cursor c;
	uint8_t version, address_size, offset_size;
	uint8_t min_inst, max_ops, line_range, opcode_base;
	int8_t line_base;
	uint8_t steps[256];              /* of special opcodes, less opcode_base */
	int16_t line_steps[256];
	uint8_t lengths[256];            /* arguments of standard opcodes */
	VEC(const char *) dirs;
	VEC(struct dw_path) files;
};

struct state { uint64_t addr; uint32_t file, line, op; };

/* --- the tables of directories and files ------------------------------------------ */

static const char *take_string(struct dw_cursor *c)
{
	const uint8_t *nul = memchr(c->p, 0, (size_t)(c->end - c->p));
	const char *text = (const char *)c->p;

	if (!nul) {
		c->bad = true;
		return NULL;
	}
	c->p = nul + 1;
	return text;
}

static void add_file(struct program *p, const char *name, uint64_t dir, const char *source)
{
	*vec_push(&p->files) = (struct dw_path){
		.name = name,
		/* empty where only others of the unit's files are embedded */
		.source = source && *source ? source : NULL,
		.dir = dir < p->dirs.nr ? p->dirs.v[dir] : NULL,
	};
}

/* DWARF 4, 6.2.4: strings; directory 0 is that of the compilation. */
static void read_names_4(struct program *p)
{
	const char *name;

	*vec_push(&p->dirs) = NULL;
	while ((name = take_string(&p->c)) && *name)
		*vec_push(&p->dirs) = name;
	while ((name = take_string(&p->c)) && *name) {
		uint64_t dir = dw_uleb(&p->c);

		dw_uleb(&p->c);  /* time */
		dw_uleb(&p->c);  /* size */
		add_file(p, name, dir, NULL);
	}
}

struct format { uint16_t content, form; };
struct entry { const char *name, *source; uint64_t dir; };

static unsigned read_formats(struct program *p, struct format *formats)
{
	unsigned nr = dw_u8(&p->c);

	if (nr > FORMATS_MAX)
		p->c.bad = true;
	for (unsigned i = 0; i < nr && !p->c.bad; i++) {
		formats[i].content = (uint16_t)dw_uleb(&p->c);
		formats[i].form = (uint16_t)dw_uleb(&p->c);
		/* entries of no bytes could be without end */
		if (dw_form_size(p->unit, formats[i].form) == 0)
			p->c.bad = true;
	}
	return p->c.bad ? 0 : nr;
}

static void read_entry_5(struct program *p, const struct dw_unit *sizes,
			 const struct format *formats, unsigned nr, struct entry *out)
{
	*out = (struct entry){ 0 };
	for (unsigned i = 0; i < nr && !p->c.bad; i++) {
		struct dw_attr attr = { .form = formats[i].form, .size = -1 };
		struct dw_abbrevs one = { .attrs = { &attr, 1, 1 } };
		struct dw_value value;

		uint16_t content = formats[i].content;
		bool is_text = content == DW_LNCT_path || content == LNCT_LLVM_SOURCE;
		const char *text;

		if (!is_text && content != DW_LNCT_directory_index) {
			dw_form_skip(&p->c, sizes, formats[i].form);
			continue;
		}
		if (is_text && formats[i].form == DW_FORM_string) {
			text = take_string(&p->c);
		} else {
			dw_value_read(&p->c, sizes, &one, 0, &value);
			text = is_text ? dw_string(sizes, &value) : NULL;
		}
		if (content == DW_LNCT_path)
			out->name = text;
		else if (is_text)
			out->source = text;
		else
			out->dir = value.u;
	}
}

/* DWARF 5, 6.2.4.1. */
static void read_names_5(struct program *p)
{
	/* as in .debug_info, but for the width of offsets, which is the program's own */
	const struct dw_unit sizes = {
		.file = p->unit->file,
		.version = 5,
		.address_size = p->address_size,
		.offset_size = p->offset_size,
		.str_offsets_base = p->unit->str_offsets_base,
	};
	struct format formats[FORMATS_MAX];
	struct entry entry;
	uint64_t count;
	unsigned nr = read_formats(p, formats);

	count = dw_uleb(&p->c);
	for (uint64_t i = 0; i < count && nr && !p->c.bad; i++) {
		read_entry_5(p, &sizes, formats, nr, &entry);
		*vec_push(&p->dirs) = entry.name;
	}
	nr = read_formats(p, formats);
	count = dw_uleb(&p->c);
	for (uint64_t i = 0; i < count && nr && !p->c.bad; i++) {
		read_entry_5(p, &sizes, formats, nr, &entry);
		add_file(p, entry.name, entry.dir, entry.source);
	}
}

/* --- the header ------------------------------------------------------------------- */

static bool read_header(struct program *p)
{
	struct dw_cursor *c = &p->c;
	const uint8_t *program;
	uint64_t length;

	p->offset_size = 4;
	p->address_size = p->unit->address_size;
	length = dw_uint(c, 4);
	if (length == UINT32_MAX) {
		p->offset_size = 8;
		length = dw_uint(c, 8);
	}
	if (c->bad || length > (uint64_t)(c->end - c->p) || !dw_spend(p->unit->file, length))
		return false;
	c->end = c->p + length;
	p->version = (uint8_t)dw_uint(c, 2);
	if (p->version < 2 || p->version > 5)
		return false;
	if (p->version >= 5) {
		p->address_size = dw_u8(c);
		dw_u8(c);        /* size of segment selectors */
	}
	length = dw_uint(c, p->offset_size);
	if (c->bad || length > (uint64_t)(c->end - c->p) ||
	    (p->address_size != 4 && p->address_size != 8))
		return false;
	program = c->p + length;
	p->min_inst = dw_u8(c);
	p->max_ops = p->version >= 4 ? dw_u8(c) : 1;
	dw_u8(c);                /* default of is_stmt */
	p->line_base = (int8_t)dw_u8(c);
	p->line_range = dw_u8(c);
	p->opcode_base = dw_u8(c);
	for (unsigned i = 1; i < p->opcode_base; i++)
		p->lengths[i] = dw_u8(c);
	if (c->bad || !p->line_range || !p->max_ops || !p->opcode_base)
		return false;
	if (p->version >= 5)
		read_names_5(p);
	else
		read_names_4(p);
	for (unsigned i = 0; i < 256u - p->opcode_base; i++) {
		p->steps[i] = (uint8_t)(i / p->line_range);
		p->line_steps[i] = (int16_t)(p->line_base + (int)(i % p->line_range));
	}
	c->bad = false;
	c->p = program;
	p->lines->from_zero = p->version >= 5;
	return true;
}

/* --- the program ------------------------------------------------------------------ */

static void advance(const struct program *p, struct state *s, uint64_t n)
{
	if (p->max_ops == 1) {
		s->addr += n * p->min_inst;
		return;
	}
	s->addr += (s->op + n) / p->max_ops * p->min_inst;
	s->op = (uint32_t)((s->op + n) % p->max_ops);
}

static inline void emit(struct program *p, size_t sequence, const struct state *s, bool end)
{
	struct dw_row row = { s->addr, end ? DW_NOWHERE : s->file, s->line };
	struct dw_row *last;

	if (p->lines->rows.nr > sequence) {
		last = &p->lines->rows.v[p->lines->rows.nr - 1];
		/* of several rows at one address the last one counts */
		if (last->addr == row.addr && last->file != DW_NOWHERE) {
			*last = row;
			return;
		}
		if (last->file == row.file && last->line == row.line && last->addr < row.addr)
			return;
	}
	*vec_push(&p->lines->rows) = row;
}

/* Linkers leave code that they dropped at 0, or at one of the largest addresses. */
static bool is_dropped(const struct program *p, uint64_t addr)
{
	uint64_t largest = p->address_size == 8 ? UINT64_MAX : UINT32_MAX;

	return (addr == 0 && p->unit->file->dwarf->main.elf->type != ET_REL) || addr >= largest - 1;
}

/* What a sequence added is kept if it was code. Returns where the next one starts. */
static size_t end_sequence(struct program *p, size_t sequence)
{
	if (p->lines->rows.nr > sequence && is_dropped(p, p->lines->rows.v[sequence].addr))
		p->lines->rows.nr = sequence;
	return p->lines->rows.nr;
}

/* Returns whether the sequence is over. */
static bool extended(struct program *p, struct state *s, size_t sequence)
{
	struct dw_cursor *c = &p->c;
	uint64_t len = dw_uleb(c);
	const uint8_t *next;
	uint64_t dir;
	const char *name;

	if (c->bad || !len || len > (uint64_t)(c->end - c->p)) {
		c->bad |= len != 0;
		return false;
	}
	next = c->p + len;
	switch (dw_u8(c)) {
	case DW_LNE_end_sequence:
		emit(p, sequence, s, true);
		c->p = next;
		return true;
	case DW_LNE_set_address:
		if (len == 5 || len == 9)
			s->addr = dw_uint(c, (unsigned)len - 1);
		s->op = 0;
		break;
	case DW_LNE_define_file:
		name = take_string(c);
		dir = dw_uleb(c);
		if (name)
			add_file(p, name, dir, NULL);
		break;
	default:
		break;
	}
	c->p = next;
	return false;
}

static void standard(struct program *p, struct state *s, uint8_t op, size_t sequence)
{
	struct dw_cursor *c = &p->c;

	switch (op) {
	case DW_LNS_copy:
		emit(p, sequence, s, false);
		break;
	case DW_LNS_advance_pc:
		advance(p, s, dw_uleb(c));
		break;
	case DW_LNS_advance_line:
		s->line += (uint32_t)dw_sleb(c);
		break;
	case DW_LNS_set_file:
		s->file = (uint32_t)dw_uleb(c);
		break;
	case DW_LNS_const_add_pc:
		advance(p, s, (uint64_t)(255 - p->opcode_base) / p->line_range);
		break;
	case DW_LNS_fixed_advance_pc:
		s->addr += dw_uint(c, 2);
		s->op = 0;
		break;
	default: /* what it does is not about lines, or not known */
		for (unsigned i = 0; i < p->lengths[op]; i++)
			dw_uleb(c);
	}
}

static void run(struct program *p)
{
	const struct state initial = { .file = 1, .line = 1 };
	struct state s = initial;
	size_t sequence = 0;

	while (p->c.p < p->c.end && !p->c.bad) {
		uint8_t op = dw_u8(&p->c);

		if (op >= p->opcode_base) {
			op = (uint8_t)(op - p->opcode_base);
			advance(p, &s, p->steps[op]);
			s.line += (uint32_t)p->line_steps[op];
			emit(p, sequence, &s, false);
		} else if (op) {
			standard(p, &s, op, sequence);
		} else if (extended(p, &s, sequence)) {
			sequence = end_sequence(p, sequence);
			s = initial;
		}
	}
	p->lines->rows.nr = sequence;    /* one that does not end says nothing */
}

/* Ends before what starts at the same address. */
static bool is_before(const struct dw_row *a, const struct dw_row *b)
{
	if (a->addr != b->addr)
		return a->addr < b->addr;
	return a->file == DW_NOWHERE && b->file != DW_NOWHERE;
}

/* Sequences come in any order; most programs have them sorted. */
SORT_RUNS(sort_rows, struct dw_row, is_before)

void dw_lines_read(struct dw_lines *lines, struct dw_unit *unit)
{
	struct program p = { .unit = unit, .lines = lines };

	lines->comp_dir = unit->comp_dir;
	if (!unit->has_lines)
		return;
	p.c = dw_at(unit->file, DW_LINE, unit->lines);
	if (read_header(&p))
		run(&p);
	lines->rows.v = sort_rows(lines->rows.v, lines->rows.nr);
	lines->rows.cap = lines->rows.nr;
	lines->files = p.files.v;
	lines->nr_files = (uint32_t)p.files.nr;
	vec_release(&p.dirs);
}

void dw_lines_release(struct dw_lines *lines)
{
	vec_release(&lines->rows);
	free(lines->files);
}

bool dw_lines_embed(const struct dw_lines *lines)
{
	for (uint32_t i = 0; i < lines->nr_files; i++)
		if (lines->files[i].source)
			return true;
	return false;
}

static void add_dir(struct str *text, const char *dir)
{
	str_add(text, dir);
	str_addc(text, '/');
}

static const char *make_path(struct dwarf *dwarf, const struct dw_lines *lines,
			     struct dw_path *path)
{
	struct str text = STR_INIT;
	const char *shown;

	if (path->name[0] != '/') {
		/* in DWARF 5 directory 0 is that of the compilation, by name */
		if (lines->comp_dir && (!path->dir || path->dir[0] != '/') &&
		    (!path->dir || strcmp(path->dir, lines->comp_dir) != 0))
			add_dir(&text, lines->comp_dir);
		if (path->dir)
			add_dir(&text, path->dir);
	}
	str_add(&text, path->name);
	shown = path->source ? dw_text_of(dwarf, text.p, path->source) : dw_text(dwarf, text.p);
	atomic_store_explicit(&path->shown, shown, memory_order_release);
	str_release(&text);
	return shown;
}

const char *dw_lines_file(struct dwarf *dwarf, struct dw_lines *lines, uint32_t file)
{
	uint32_t i = lines->from_zero ? file : file - 1;
	struct dw_path *path = i < lines->nr_files ? &lines->files[i] : NULL;
	const char *shown;

	if (!path || !path->name)
		return NULL;
	shown = atomic_load_explicit(&path->shown, memory_order_acquire);
	return shown ? shown : make_path(dwarf, lines, path);
}
