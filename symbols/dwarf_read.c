/* SPDX-License-Identifier: MIT */
/* DWARF's bytes: forms, abbreviations, strings, addresses, range lists. See dwarf_priv.h. */
#include <dwarf.h>
#include <stdlib.h>

#include "symbols/dwarf_priv.h"

#define ATTRS_MAX 4096
/* Newer than the dwarf.h of elfutils 0.188, or left out of it. */
#define FORM_GNU_ADDR_INDEX 0x1f01
#define FORM_GNU_STR_INDEX 0x1f02

uint64_t dw_uleb_long(struct dw_cursor *c)
{
	uint64_t v = 0;
	unsigned shift = 0;

	while (c->p < c->end) {
		uint8_t byte = *c->p++;

		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
		shift += 7;
	}
	c->bad = true;
	return 0;
}

int64_t dw_sleb(struct dw_cursor *c)
{
	uint64_t v = 0;
	unsigned shift = 0;

	while (c->p < c->end) {
		uint8_t byte = *c->p++;

		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
		if (!(byte & 0x80)) {
			if (shift < 64 && (byte & 0x40))
				v |= ~0ull << shift;
			return (int64_t)v;
		}
	}
	c->bad = true;
	return 0;
}

bool dw_spend(struct dw_file *file, uint64_t n)
{
	int64_t cost = n > INT32_MAX ? INT32_MAX : (int64_t)n;

	return atomic_fetch_sub_explicit(&file->budget, cost, memory_order_relaxed) > cost;
}

struct dw_cursor dw_at(const struct dw_file *file, enum dw_section section, uint64_t offset)
{
	static const uint8_t nothing[1];
	const struct dw_bytes *bytes = &file->section[section];
	const uint8_t *p = bytes->p ? bytes->p : nothing;
	uint64_t size = bytes->p ? bytes->size : 0, at = offset < size ? offset : size;

	return (struct dw_cursor){
		.p = p + at,
		.end = p + size,
		.swap = file->swap,
		.bad = offset > bytes->size,
	};
}

/* --- forms: DWARF 5, 7.5.5 and 7.5.6 ---------------------------------------------- */

int dw_form_size(const struct dw_unit *unit, uint16_t form)
{
	switch (form) {
	case DW_FORM_flag_present:
	case DW_FORM_implicit_const:
		return 0;
	case DW_FORM_data1:
	case DW_FORM_ref1:
	case DW_FORM_flag:
	case DW_FORM_strx1:
	case DW_FORM_addrx1:
		return 1;
	case DW_FORM_data2:
	case DW_FORM_ref2:
	case DW_FORM_strx2:
	case DW_FORM_addrx2:
		return 2;
	case DW_FORM_strx3:
	case DW_FORM_addrx3:
		return 3;
	case DW_FORM_data4:
	case DW_FORM_ref4:
	case DW_FORM_strx4:
	case DW_FORM_addrx4:
	case DW_FORM_ref_sup4:
		return 4;
	case DW_FORM_data8:
	case DW_FORM_ref8:
	case DW_FORM_ref_sig8:
	case DW_FORM_ref_sup8:
		return 8;
	case DW_FORM_data16:
		return 16;
	case DW_FORM_addr:
		return unit->address_size;
	case DW_FORM_ref_addr:
		return unit->version == 2 ? unit->address_size : unit->offset_size;
	case DW_FORM_strp:
	case DW_FORM_line_strp:
	case DW_FORM_sec_offset:
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_GNU_strp_alt:
		return unit->offset_size;
	default:
		return -1;
	}
}

/* Of a form that is not always as long. */
static void skip_varying(struct dw_cursor *c, const struct dw_unit *unit, uint16_t form)
{
	const uint8_t *nul;

	switch (form) {
	case DW_FORM_string:
		nul = memchr(c->p, 0, (size_t)(c->end - c->p));
		dw_skip(c, nul ? (uint64_t)(nul - c->p) + 1 : UINT64_MAX);
		break;
	case DW_FORM_block1:
		dw_skip(c, dw_u8(c));
		break;
	case DW_FORM_block2:
		dw_skip(c, dw_uint(c, 2));
		break;
	case DW_FORM_block4:
		dw_skip(c, dw_uint(c, 4));
		break;
	case DW_FORM_block:
	case DW_FORM_exprloc:
		dw_skip(c, dw_uleb(c));
		break;
	case DW_FORM_indirect:
		form = (uint16_t)dw_uleb(c);
		if (form == DW_FORM_indirect || form == DW_FORM_implicit_const)
			c->bad = true;
		else
			dw_form_skip(c, unit, form);
		break;
	case DW_FORM_sdata:
	case DW_FORM_udata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case FORM_GNU_ADDR_INDEX:
	case FORM_GNU_STR_INDEX:
		dw_uleb(c);
		break;
	default:
		c->bad = true;   /* of unknown length: nothing behind it can be read */
		c->p = c->end;
		break;
	}
}

void dw_form_skip(struct dw_cursor *c, const struct dw_unit *unit, uint16_t form)
{
	int size = dw_form_size(unit, form);

	if (size >= 0)
		dw_skip(c, (uint64_t)size);
	else
		skip_varying(c, unit, form);
}

void dw_attr_skip(struct dw_cursor *c, const struct dw_unit *unit, const struct dw_attr *attr)
{
	if (attr->size >= 0)
		dw_skip(c, (uint64_t)attr->size);
	else
		skip_varying(c, unit, attr->form);
}

void dw_value_read(struct dw_cursor *c, const struct dw_unit *unit,
		   const struct dw_abbrevs *abbrevs, uint32_t attr, struct dw_value *out)
{
	const struct dw_attr *a = &abbrevs->attrs.v[attr];
	uint16_t form = a->form;
	int size;

	if (form == DW_FORM_indirect) {
		form = (uint16_t)dw_uleb(c);
		if (form == DW_FORM_indirect || form == DW_FORM_implicit_const) {
			c->bad = true;
			form = 0;
		}
	}
	*out = (struct dw_value){ .form = form, .p = c->p };
	if (a->size > 0 && a->size <= 8) {
		out->u = dw_uint(c, (unsigned)a->size);
		return;
	}
	switch (form) {
	case DW_FORM_implicit_const:
		out->u = (uint64_t)abbrevs->constants.v[a->constant];
		return;
	case DW_FORM_flag_present:
		out->u = 1;
		return;
	case DW_FORM_sdata:
		out->u = (uint64_t)dw_sleb(c);
		return;
	case DW_FORM_udata:
	case DW_FORM_ref_udata:
	case DW_FORM_strx:
	case DW_FORM_addrx:
	case DW_FORM_loclistx:
	case DW_FORM_rnglistx:
	case FORM_GNU_ADDR_INDEX:
	case FORM_GNU_STR_INDEX:
		out->u = dw_uleb(c);
		return;
	default:
		size = dw_form_size(unit, form);
		if (size >= 0 && size <= 8)
			out->u = dw_uint(c, (unsigned)size);
		else
			dw_form_skip(c, unit, form);
	}
}

void dw_attrs_skip(struct dw_cursor *c, const struct dw_unit *unit,
		   const struct dw_abbrevs *abbrevs, const struct dw_abbrev *abbrev)
{
	for (uint32_t i = 0; i < abbrev->nr && !c->bad; i++)
		dw_attr_skip(c, unit, &abbrevs->attrs.v[abbrev->first + i]);
}

/* --- abbreviations: DWARF 5, 7.5.3 ------------------------------------------------ */

static void add_attr(const struct dw_unit *unit, struct dw_abbrevs *t, struct dw_abbrev *a,
		     struct dw_attr attr)
{
	if (attr.name == DW_AT_sibling && a->nr < INT8_MAX) {
		a->sibling = (int8_t)a->nr;
		a->before_sibling = a->size;
	}
	attr.size = dw_form_size(unit, attr.form);
	a->size = attr.size < 0 || a->size < 0 ? -1 : a->size + attr.size;
	if (attr.name == DW_AT_low_pc || attr.name == DW_AT_ranges)
		a->is_scope = a->tag == DW_TAG_subprogram || a->tag == DW_TAG_inlined_subroutine ||
			      a->tag == DW_TAG_entry_point;
	*vec_push(&t->attrs) = attr;
	a->nr++;
}

/* Without `a` they are only passed over. */
static bool read_attrs(struct dw_cursor *c, const struct dw_unit *unit, struct dw_abbrevs *t,
		       struct dw_abbrev *a)
{
	for (uint32_t nr = 0; nr <= ATTRS_MAX; nr++) {
		uint64_t name = dw_uleb(c), form = dw_uleb(c);
		struct dw_attr attr = { .name = (uint16_t)name, .form = (uint16_t)form };

		if (form == DW_FORM_implicit_const) {
			int64_t constant = dw_sleb(c);

			attr.constant = (uint32_t)t->constants.nr;
			if (a)
				*vec_push(&t->constants) = constant;
		}
		if (c->bad || name > UINT16_MAX || form > UINT16_MAX)
			return false;
		if (!name && !form)
			return true;
		if (a)
			add_attr(unit, t, a, attr);
	}
	return false;
}

static void add_abbrev(struct dw_abbrevs *t, uint64_t code, const struct dw_abbrev *a)
{
	if (code != t->v.nr + 1 && !t->is_sparse) {
		t->is_sparse = true;
		for (size_t i = 0; i < t->v.nr; i++)
			*map64_put(&t->codes, i + 1, NULL) = i;
	}
	if (t->is_sparse)
		*map64_put(&t->codes, code, NULL) = t->v.nr;
	*vec_push(&t->v) = *a;
}

/* All of them, or only the one with the code `only` if that is not 0. */
static struct dw_abbrevs *read_abbrevs(const struct dw_unit *unit, uint64_t only)
{
	struct dw_cursor c = dw_at(unit->file, DW_ABBREV, unit->abbrev_offset);
	struct dw_abbrevs *t = mem_zalloc(sizeof(*t));
	const uint8_t *start = c.p;

	c.bad |= !dw_spend(unit->file, 0);
	while (!c.bad && c.p < c.end) {
		uint64_t code = dw_uleb(&c);
		bool wanted = !only || code == only;
		struct dw_abbrev a = { .sibling = -1, .first = (uint32_t)t->attrs.nr };

		if (!code || c.bad)
			break;
		a.tag = (uint16_t)dw_uleb(&c);
		a.has_children = dw_u8(&c);
		if (!read_attrs(&c, unit, t, wanted ? &a : NULL))
			break;
		if (wanted)
			add_abbrev(t, code, &a);
		if (code == only)
			break;
	}
	dw_spend(unit->file, (uint64_t)(c.p - start));
	return t;
}

struct dw_abbrevs *dw_abbrevs_get(struct dw_unit *unit)
{
	struct dw_abbrevs *t = atomic_load_explicit(&unit->abbrevs, memory_order_acquire);
	struct dw_file *file = unit->file;
	uint64_t key = unit->abbrev_offset << 8 | (uint64_t)(unit->version & 7) << 5 |
		       (uint64_t)(unit->offset_size == 8) << 4 | unit->address_size;
	uint64_t *slot;

	if (t)
		return t;
	pthread_mutex_lock(&file->lock);
	slot = map64_put(&file->abbrevs, key, NULL);
	if (!*slot)
		*slot = (uintptr_t)read_abbrevs(unit, 0);
	t = (struct dw_abbrevs *)(uintptr_t)*slot;
	atomic_store_explicit(&unit->abbrevs, t, memory_order_release);
	pthread_mutex_unlock(&file->lock);
	return t;
}

/*
 * The first entries of all units are read, and of most units nothing else: their
 * abbreviations, which hardly any two share, are not kept for that.
 */
struct dw_abbrevs *dw_abbrevs_of(struct dw_unit *unit, uint64_t code)
{
	struct dw_abbrevs *t = atomic_load_explicit(&unit->abbrevs, memory_order_acquire);

	return t ? t : read_abbrevs(unit, code);
}

void dw_abbrevs_put(const struct dw_unit *unit, struct dw_abbrevs *t)
{
	if (t != atomic_load_explicit(&unit->abbrevs, memory_order_relaxed))
		dw_abbrevs_free(t);
}

void dw_abbrevs_free(struct dw_abbrevs *t)
{
	vec_release(&t->v);
	vec_release(&t->attrs);
	vec_release(&t->constants);
	map64_release(&t->codes);
	free(t);
}

const struct dw_abbrev *dw_abbrev_sparse(const struct dw_abbrevs *t, uint64_t code)
{
	const uint64_t *at = map64_find(&t->codes, code);

	return at ? &t->v.v[*at] : NULL;
}

/* --- strings, addresses, references ----------------------------------------------- */

static const char *string_at(const struct dw_file *file, enum dw_section section, uint64_t offset)
{
	const struct dw_bytes *bytes = file ? &file->section[section] : NULL;

	if (!bytes || offset >= bytes->size ||
	    !memchr(bytes->p + offset, 0, bytes->size - (size_t)offset))
		return NULL;
	return (const char *)bytes->p + offset;
}

/* DWARF 5, 7.26. */
static const char *string_by_index(const struct dw_unit *unit, uint64_t index)
{
	struct dw_cursor c;
	uint64_t offset;

	if (index > UINT32_MAX)
		return NULL;
	c = dw_at(unit->file, DW_STR_OFFSETS,
		  unit->str_offsets_base + index * unit->offset_size);
	offset = dw_uint(&c, unit->offset_size);
	return c.bad ? NULL : string_at(unit->file, DW_STR, offset);
}

const char *dw_string(const struct dw_unit *unit, const struct dw_value *value)
{
	const struct dw_bytes *info = &unit->file->section[DW_INFO];

	switch (value->form) {
	case DW_FORM_string:
		return string_at(unit->file, DW_INFO, (uint64_t)(value->p - info->p));
	case DW_FORM_strp:
		return string_at(unit->file, DW_STR, value->u);
	case DW_FORM_line_strp:
		return string_at(unit->file, DW_LINE_STR, value->u);
	case DW_FORM_strp_sup:
	case DW_FORM_GNU_strp_alt:
		return string_at(unit->file->alt, DW_STR, value->u);
	case DW_FORM_strx:
	case DW_FORM_strx1:
	case DW_FORM_strx2:
	case DW_FORM_strx3:
	case DW_FORM_strx4:
	case FORM_GNU_STR_INDEX:
		return string_by_index(unit, value->u);
	default:
		return NULL;
	}
}

static bool address_by_index(const struct dw_unit *unit, uint64_t index, uint64_t *addr)
{
	const struct dw_unit *owner = unit->skeleton ? unit->skeleton : unit;
	struct dw_cursor c;

	if (index > UINT32_MAX)
		return false;
	c = dw_at(owner->file, DW_ADDR, owner->addr_base + index * owner->address_size);
	*addr = dw_uint(&c, owner->address_size);
	return !c.bad;
}

bool dw_is_address_form(uint16_t form)
{
	return form == DW_FORM_addr || form == DW_FORM_addrx || form == FORM_GNU_ADDR_INDEX ||
	       (form >= DW_FORM_addrx1 && form <= DW_FORM_addrx4);
}

bool dw_address(const struct dw_unit *unit, const struct dw_value *value, uint64_t *addr)
{
	if (value->form == DW_FORM_addr) {
		*addr = value->u;
		return true;
	}
	return dw_is_address_form(value->form) && address_by_index(unit, value->u, addr);
}

struct dw_unit *dw_reference(struct dw_unit *unit, const struct dw_value *value, uint64_t *offset)
{
	struct dw_file *file = unit->file;
	struct dw_unit *to;

	*offset = value->u;
	switch (value->form) {
	case DW_FORM_ref1:
	case DW_FORM_ref2:
	case DW_FORM_ref4:
	case DW_FORM_ref8:
	case DW_FORM_ref_udata:
		*offset += unit->offset;
		return *offset >= unit->die && *offset < unit->end ? unit : NULL;
	case DW_FORM_ref_addr:
		break;
	case DW_FORM_GNU_ref_alt:
	case DW_FORM_ref_sup4:
	case DW_FORM_ref_sup8:
		file = file->alt;
		break;
	default:
		return NULL;
	}
	to = file ? dw_unit_at(file, *offset) : NULL;
	return to && *offset >= to->die ? to : NULL;
}

/* --- range lists ------------------------------------------------------------------ */

static uint64_t base_of(const struct dw_unit *unit)
{
	return unit->skeleton ? unit->skeleton->low : unit->low;
}

/* DWARF 4, 2.17.3: pairs, ended by two zeros; the largest address sets a new base. */
static void ranges_4(struct dw_unit *unit, uint64_t offset, dw_add_range *add, void *arg)
{
	const struct dw_unit *owner = unit->skeleton ? unit->skeleton : unit;
	struct dw_cursor c = dw_at(owner->file, DW_RANGES, offset);
	uint64_t largest = unit->address_size == 8 ? UINT64_MAX : UINT32_MAX, base = base_of(unit);

	for (;;) {
		uint64_t start = dw_uint(&c, unit->address_size);
		uint64_t end = dw_uint(&c, unit->address_size);

		if (c.bad || (!start && !end) || !dw_spend(owner->file, 2))
			return;
		if (start == largest)
			base = end;
		else if (!add(arg, base + start, base + end))
			return;
	}
}

/* DWARF 5, 7.25. */
static void ranges_5(struct dw_unit *unit, uint64_t offset, dw_add_range *add, void *arg)
{
	struct dw_cursor c = dw_at(unit->file, DW_RNGLISTS, offset);
	uint64_t base = base_of(unit), start = 0, end = 0;

	while (!c.bad && dw_spend(unit->file, 1)) {
		uint8_t kind = dw_u8(&c);
		bool ok = true;

		switch (kind) {
		case DW_RLE_base_addressx:
			ok = address_by_index(unit, dw_uleb(&c), &base);
			break;
		case DW_RLE_startx_endx:
			ok = address_by_index(unit, dw_uleb(&c), &start) &&
			     address_by_index(unit, dw_uleb(&c), &end);
			break;
		case DW_RLE_startx_length:
			ok = address_by_index(unit, dw_uleb(&c), &start);
			end = start + dw_uleb(&c);
			break;
		case DW_RLE_offset_pair:
			start = base + dw_uleb(&c);
			end = base + dw_uleb(&c);
			break;
		case DW_RLE_base_address:
			base = dw_uint(&c, unit->address_size);
			break;
		case DW_RLE_start_end:
			start = dw_uint(&c, unit->address_size);
			end = dw_uint(&c, unit->address_size);
			break;
		case DW_RLE_start_length:
			start = dw_uint(&c, unit->address_size);
			end = start + dw_uleb(&c);
			break;
		default: /* DW_RLE_end_of_list, and what is not known */
			return;
		}
		if (!ok || c.bad)
			return;
		if (kind != DW_RLE_base_addressx && kind != DW_RLE_base_address &&
		    !add(arg, start, end))
			return;
	}
}

void dw_ranges(struct dw_unit *unit, uint16_t form, uint64_t value, dw_add_range *add, void *arg)
{
	struct dw_cursor c;

	if (unit->version < 5) {
		/* What split units say counts from where the skeleton says. */
		ranges_4(unit, value + (unit->skeleton ? unit->skeleton->ranges_base : 0), add, arg);
		return;
	}
	if (form == DW_FORM_rnglistx) {
		if (value > UINT32_MAX)
			return;
		c = dw_at(unit->file, DW_RNGLISTS,
			  unit->rnglists_base + value * unit->offset_size);
		value = unit->rnglists_base + dw_uint(&c, unit->offset_size);
		if (c.bad)
			return;
	}
	ranges_5(unit, value, add, arg);
}
