/* SPDX-License-Identifier: MIT */
/* A unit's tree of entries -> its functions, and what was inlined where. See dwarf_priv.h. */
#include <dwarf.h>
#include <stdlib.h>

#include "base/sort_runs.h"
#include "symbols/dwarf_priv.h"

#define DEPTH_MAX 4096
#define ORIGINS_MAX 16           /* references from a function to its declaration */

struct walk {
	struct dw_code *code;
	struct dw_unit *unit;
	struct dw_abbrevs *abbrevs;
	struct dw_cursor c;
	struct map64 origin_ids;         /* (section, offset) -> place in code->origins */
	dw_pieces pieces;
	VEC(uint32_t) open;              /* scope at each depth of the tree */
};

/* What an entry of a function or an inlined call says. */
struct entry {
	struct dw_value low, high, ranges, origin, name, linkage;
	uint64_t call_file, call_line;
};

/* --- what it is called ------------------------------------------------------------- */

static void take(struct entry *e, uint16_t name, const struct dw_value *v)
{
	switch (name) {
	case DW_AT_low_pc:
		e->low = *v;
		break;
	case DW_AT_high_pc:
		e->high = *v;
		break;
	case DW_AT_ranges:
		e->ranges = *v;
		break;
	case DW_AT_abstract_origin:
	case DW_AT_specification:
		e->origin = *v;
		break;
	case DW_AT_name:
		e->name = *v;
		break;
	case DW_AT_linkage_name:
	case DW_AT_MIPS_linkage_name:
		e->linkage = *v;
		break;
	case DW_AT_call_file:
		e->call_file = v->u;
		break;
	case DW_AT_call_line:
		e->call_line = v->u;
		break;
	default:
		break;
	}
}

static void read_entry(struct dw_cursor *c, const struct dw_unit *unit,
		       const struct dw_abbrevs *abbrevs, const struct dw_abbrev *a,
		       struct entry *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < a->nr && !c->bad; i++) {
		const struct dw_attr *attr = &abbrevs->attrs.v[a->first + i];
		struct dw_value value;

		switch (attr->name) {
		case DW_AT_low_pc:
		case DW_AT_high_pc:
		case DW_AT_ranges:
		case DW_AT_abstract_origin:
		case DW_AT_specification:
		case DW_AT_name:
		case DW_AT_linkage_name:
		case DW_AT_MIPS_linkage_name:
		case DW_AT_call_file:
		case DW_AT_call_line:
			dw_value_read(c, unit, abbrevs, a->first + i, &value);
			take(out, attr->name, &value);
			break;
		default:
			dw_attr_skip(c, unit, attr);
		}
	}
}

/*
 * The linker's name from the entry on along its references, or else the first plain one:
 * a constructor's own says which of its variants it is, its declaration's does not.
 */
static const char *name_of(struct dw_unit *unit, const struct entry *first)
{
	const char *name = NULL, *linkage = NULL;
	struct entry e = *first;

	for (int i = 0; i < ORIGINS_MAX; i++) {
		struct dw_abbrevs *abbrevs;
		const struct dw_abbrev *a;
		struct dw_cursor c;
		uint64_t offset;

		linkage = e.linkage.form ? dw_string(unit, &e.linkage) : NULL;
		if (linkage)
			return linkage;
		if (!name && e.name.form)
			name = dw_string(unit, &e.name);
		if (!e.origin.form || !(unit = dw_reference(unit, &e.origin, &offset)))
			break;
		abbrevs = dw_abbrevs_get(unit);
		c = dw_at(unit->file, DW_INFO, offset);
		c.end = unit->file->section[DW_INFO].p + unit->end;
		a = dw_abbrev_find(abbrevs, dw_uleb(&c));
		if (!a || c.bad)
			break;
		read_entry(&c, unit, abbrevs, a, &e);
	}
	return name;
}

/* Inlined calls of one function share its origin, by where that is written. */
static uint32_t origin_of(struct walk *w, const struct entry *e, bool is_inlined)
{
	struct dw_unit *to = NULL;
	uint64_t offset, *slot;
	bool added = true;
	uint32_t id = (uint32_t)w->code->origins.nr;

	if (is_inlined && e->origin.form && (to = dw_reference(w->unit, &e->origin, &offset))) {
		slot = map64_put(&w->origin_ids, offset << 1 | (to->file != w->unit->file), &added);
		if (!added)
			return (uint32_t)*slot;
		*slot = id;
	}
	*vec_push(&w->code->origins) = (struct dw_origin){ .raw = name_of(w->unit, e) };
	return id;
}

/* --- where it is ------------------------------------------------------------------ */

struct adding { struct walk *w; uint32_t depth, id; };

static bool add_piece(void *arg, uint64_t start, uint64_t end)
{
	struct adding *a = arg;

	if (start && start < end)
		*vec_push(&a->w->pieces) = (struct dw_piece){ start, end, a->depth, a->id };
	return true;
}

static void add_pieces(struct walk *w, const struct entry *e, uint32_t depth, uint32_t id)
{
	struct adding adding = { w, depth, id };
	uint64_t low, high;

	if (e->ranges.form) {
		dw_ranges(w->unit, e->ranges.form, e->ranges.u, add_piece, &adding);
		return;
	}
	if (!e->low.form || !e->high.form || !dw_address(w->unit, &e->low, &low))
		return;
	if (!dw_is_address_form(e->high.form))
		high = low + e->high.u;
	else if (!dw_address(w->unit, &e->high, &high))
		return;
	add_piece(&adding, low, high);
}

static void take_scope(struct walk *w, const struct dw_abbrev *a)
{
	uint32_t depth = (uint32_t)w->open.nr, id = (uint32_t)w->code->scopes.nr;
	bool is_inlined = a->tag == DW_TAG_inlined_subroutine;
	struct entry e;
	uint32_t parent = depth && is_inlined ? w->open.v[depth - 1] : DW_NOWHERE;
	size_t before = w->pieces.nr;

	read_entry(&w->c, w->unit, w->abbrevs, a, &e);
	add_pieces(w, &e, depth, id);
	if (w->pieces.nr == before)
		return;          /* a declaration, or inlined everywhere: no code of its own */
	*vec_push(&w->code->scopes) = (struct dw_scope){
		.parent = parent,
		.origin = origin_of(w, &e, is_inlined),
		.call_file = (uint32_t)e.call_file,
		.call_line = (uint32_t)e.call_line,
	};
}

/* --- the tree --------------------------------------------------------------------- */

/* Entries that have no code below them. */
static bool is_barren(const struct dw_unit *unit, uint16_t tag)
{
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return unit->is_c;
	case DW_TAG_enumeration_type:
	case DW_TAG_array_type:
	case DW_TAG_subroutine_type:
	case DW_TAG_call_site:
	case DW_TAG_GNU_call_site:
	case DW_TAG_formal_parameter:
	case DW_TAG_variable:
	case DW_TAG_GNU_formal_parameter_pack:
	case DW_TAG_GNU_template_parameter_pack:
		return true;
	default:
		return false;
	}
}

/* Read the entry's attributes; go behind what is below it, if that can be done at once. */
static bool skip_entry(struct walk *w, const struct dw_abbrev *a)
{
	const uint8_t *info = w->unit->file->section[DW_INFO].p;
	struct dw_value value = { 0 };

	if (a->sibling < 0 || !is_barren(w->unit, a->tag)) {
		dw_abbrev_skip(&w->c, w->unit, w->abbrevs, a);
		return false;
	}
	if (a->before_sibling >= 0)
		dw_skip(&w->c, (uint64_t)a->before_sibling);
	else
		for (uint32_t i = 0; i < (uint32_t)a->sibling; i++)
			dw_attr_skip(&w->c, w->unit, &w->abbrevs->attrs.v[a->first + i]);
	dw_value_read(&w->c, w->unit, w->abbrevs, a->first + (uint32_t)a->sibling, &value);
	value.u += w->unit->offset;
	/* only forward: else a file could send us round in circles */
	if (w->c.bad || value.u > w->unit->end || info + value.u <= w->c.p) {
		w->c.bad = true;
		return false;
	}
	w->c.p = info + value.u;
	return true;
}

static void walk(struct walk *w)
{
	while (w->c.p < w->c.end && !w->c.bad) {
		uint64_t code = dw_uleb(&w->c);
		const struct dw_abbrev *a;
		uint32_t scope, before;
		bool skipped = false;
		size_t depth;

		if (!code) {
			w->open.nr -= w->open.nr > 0;
			continue;
		}
		a = dw_abbrev_find(w->abbrevs, code);
		if (!a)
			return;
		before = (uint32_t)w->code->scopes.nr;
		if (a->is_scope)
			take_scope(w, a);
		else if (!a->has_children)
			dw_abbrev_skip(&w->c, w->unit, w->abbrevs, a);
		else
			skipped = skip_entry(w, a);
		if (!a->has_children || skipped)
			continue;
		depth = w->open.nr;
		if (depth >= DEPTH_MAX)
			return;
		scope = depth ? w->open.v[depth - 1] : DW_NOWHERE;
		*vec_push(&w->open) = w->code->scopes.nr > before ? before : scope;
	}
}

void dw_scopes_read(struct dw_code *code, struct dw_unit *unit)
{
	struct walk w = { .code = code, .unit = unit };

	w.abbrevs = dw_abbrevs_get(unit);
	w.c = dw_at(unit->file, DW_INFO, unit->die);
	w.c.end = unit->file->section[DW_INFO].p + unit->end;
	walk(&w);
	dw_flatten(&w.pieces, &code->segments);
	map64_release(&w.origin_ids);
	vec_release(&w.open);
	vec_release(&w.pieces);
}

/* --- laying flat ------------------------------------------------------------------ */

static bool is_before(const struct dw_piece *a, const struct dw_piece *b)
{
	if (a->start != b->start)
		return a->start < b->start;
	return a->depth != b->depth ? a->depth < b->depth : a->id < b->id;
}

/* What is inlined into a function mostly stands in order. */
SORT_RUNS(sort_pieces, struct dw_piece, is_before)

static void add_segment(dw_segments *out, uint64_t start, uint32_t id)
{
	struct dw_segment *last = out->nr ? &out->v[out->nr - 1] : NULL;

	if (last && last->start == start)
		last->id = id;
	else if (!last || last->id != id)
		*vec_push(out) = (struct dw_segment){ start, id };
}

void dw_flatten(dw_pieces *pieces, dw_segments *out)
{
	VEC(uint32_t) open = { 0 };      /* not over yet; the innermost is the last */
	struct dw_piece *v;

	pieces->v = v = sort_pieces(pieces->v, pieces->nr);
	pieces->cap = pieces->nr;
	for (size_t i = 0; i <= pieces->nr; i++) {
		uint64_t start = i < pieces->nr ? v[i].start : UINT64_MAX;

		while (open.nr && v[open.v[open.nr - 1]].end <= start) {
			uint64_t end = v[open.v[open.nr - 1]].end;

			/* what ends with it, or should have ended before */
			while (open.nr && v[open.v[open.nr - 1]].end <= end)
				open.nr--;
			add_segment(out, end, open.nr ? v[open.v[open.nr - 1]].id : DW_NOWHERE);
		}
		if (i == pieces->nr)
			break;
		add_segment(out, start, v[i].id);
		*vec_push(&open) = (uint32_t)i;
	}
	vec_release(&open);
}

size_t dw_segment_place(const dw_segments *segments, uint64_t addr)
{
	const struct dw_segment *v = segments->v;
	size_t nr = segments->nr;

	if (!nr || v->start > addr)
		return SIZE_MAX;
	/* without jumps: which way a step goes cannot be foreseen */
	while (nr > 1) {
		size_t half = nr / 2;

		v += v[half].start <= addr ? half : 0;
		nr -= half;
	}
	return (size_t)(v - segments->v);
}

uint32_t dw_segment_at(const dw_segments *segments, uint64_t addr)
{
	size_t place = dw_segment_place(segments, addr);

	return place < segments->nr ? segments->v[place].id : DW_NOWHERE;
}
