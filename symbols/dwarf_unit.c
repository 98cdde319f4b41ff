/* SPDX-License-Identifier: MIT */
/* The units of .debug_info, and what their first entries say. See dwarf_priv.h. */
#include <dwarf.h>
#include <stdlib.h>

#include "symbols/dwarf_priv.h"
#include "symbols/index.h"

/* How often a file may be read over, by parts of it that refer to one another. */
#define BUDGET_TIMES 8
#define BUDGET_LEAST (1 << 20)

/* DWARF 5, 7.5.1. Returns false where no unit can be read any more. */
static bool read_header(struct dw_file *file, struct dw_cursor *c, struct dw_unit *out)
{
	const uint8_t *start = file->section[DW_INFO].p, *end = c->end;
	struct dw_unit unit = { .file = file, .offset = (uint64_t)(c->p - start), .offset_size = 4 };
	uint64_t length = dw_uint(c, 4);

	if (length == UINT32_MAX) {
		unit.offset_size = 8;
		length = dw_uint(c, 8);
	}
	if (c->bad || length > (uint64_t)(end - c->p))
		return false;
	unit.end = (uint64_t)(c->p - start) + length;
	c->end = start + unit.end;
	unit.version = (uint8_t)dw_uint(c, 2);
	unit.type = DW_UT_compile;
	if (unit.version >= 5) {
		unit.type = dw_u8(c);
		unit.address_size = dw_u8(c);
		unit.abbrev_offset = dw_uint(c, unit.offset_size);
	} else {
		unit.abbrev_offset = dw_uint(c, unit.offset_size);
		unit.address_size = dw_u8(c);
	}
	if (unit.type == DW_UT_skeleton || unit.type == DW_UT_split_compile)
		unit.dwo_id = dw_uint(c, 8);
	else if (unit.type == DW_UT_type || unit.type == DW_UT_split_type)
		dw_skip(c, 8 + (uint64_t)unit.offset_size);
	unit.die = (uint64_t)(c->p - start);
	if (c->bad || unit.version < 2 || unit.version > 5 ||
	    (unit.address_size != 4 && unit.address_size != 8))
		unit.type = 0;   /* nothing of it will be looked at */
	*out = unit;
	c->p = start + unit.end;
	c->end = end;
	c->bad = false;
	return true;
}

static void read_headers(struct dw_file *file)
{
	struct dw_cursor c = dw_at(file, DW_INFO, 0);
	struct dw_unit unit;

	while (c.p < c.end && read_header(file, &c, &unit))
		*vec_push(&file->units) = unit;
	vec_trim(&file->units);
}

bool dw_file_init(struct dw_file *file, struct dwarf *dwarf, struct elf_file *elf, bool dwo)
{
	uint64_t size = 0;

	file->dwarf = dwarf;
	file->elf = elf;
	file->swap = elf->swap;
	pthread_mutex_init(&file->lock, NULL);
	dw_sections_load(file, dwo);
	for (int i = 0; i < DW_SECTIONS; i++)
		size += file->section[i].size;
	atomic_init(&file->budget, (int64_t)(size * BUDGET_TIMES + BUDGET_LEAST));
	if (!file->section[DW_INFO].p || !file->section[DW_ABBREV].p)
		return false;
	read_headers(file);
	return file->units.nr > 0;
}

void dw_file_release(struct dw_file *file)
{
	const struct map64_slot *slot;

	vec_release(&file->units);
	for (size_t i = 0; (slot = map64_next(&file->abbrevs, &i));)
		dw_abbrevs_free((struct dw_abbrevs *)(uintptr_t)slot->value);
	map64_release(&file->abbrevs);
	pthread_mutex_destroy(&file->lock);
	index_close(file->index);
	if (file->owns_elf)
		elf_file_free(file->elf);
}

struct dw_unit *dw_unit_at(struct dw_file *file, uint64_t offset)
{
	size_t low = 0, high = file->units.nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (file->units.v[mid].offset <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || offset >= file->units.v[low - 1].end || !file->units.v[low - 1].type)
		return NULL;
	return &file->units.v[low - 1];
}

bool dw_unit_is_code(const struct dw_unit *unit)
{
	return unit->type == DW_UT_compile || unit->type == DW_UT_skeleton;
}

/* --- the first entry -------------------------------------------------------------- */

#ifndef DW_AT_GNU_ranges_base
#define DW_AT_GNU_ranges_base 0x2132
#endif

/* What can be told only when the unit's bases are known. */
struct late {
	struct dw_value name, comp_dir, dwo_name, low, high, ranges;
};

static void take_attr(struct dw_unit *unit, uint16_t name, const struct dw_value *v,
		      struct late *late)
{
	switch (name) {
	case DW_AT_stmt_list:
		unit->has_lines = true;
		unit->lines = v->u;
		break;
	case DW_AT_comp_dir:
		late->comp_dir = *v;
		break;
	case DW_AT_language:
		unit->is_c = v->u == DW_LANG_C89 || v->u == DW_LANG_C || v->u == DW_LANG_C99 ||
			     v->u == DW_LANG_C11;
		break;
	case DW_AT_low_pc:
		late->low = *v;
		break;
	case DW_AT_high_pc:
		late->high = *v;
		break;
	case DW_AT_ranges:
		late->ranges = *v;
		break;
	case DW_AT_str_offsets_base:
		unit->str_offsets_base = v->u;
		break;
	case DW_AT_addr_base:
	case DW_AT_GNU_addr_base:
		unit->addr_base = v->u;
		break;
	case DW_AT_rnglists_base:
		unit->rnglists_base = v->u;
		break;
	case DW_AT_GNU_ranges_base:
		unit->ranges_base = v->u;
		break;
	case DW_AT_dwo_name:
	case DW_AT_GNU_dwo_name:
		late->dwo_name = *v;
		break;
	case DW_AT_GNU_dwo_id:
		unit->dwo_id = v->u;
		break;
	default:
		break;
	}
}

static void settle(struct dw_unit *unit, const struct late *late)
{
	if (!unit->comp_dir)
		unit->comp_dir = dw_string(unit, &late->comp_dir);
	if (!unit->dwo_name)
		unit->dwo_name = dw_string(unit, &late->dwo_name);
	if (late->low.form && dw_address(unit, &late->low, &unit->low))
		unit->has_low = true;
	if (late->ranges.form) {
		unit->has_ranges = true;
		unit->ranges = late->ranges.u;
		unit->ranges_form = late->ranges.form;
	}
	if (!unit->has_low || !late->high.form)
		return;
	if (!dw_is_address_form(late->high.form))
		unit->high = unit->low + late->high.u;
	else if (!dw_address(unit, &late->high, &unit->high))
		unit->high = unit->low;
}

void dw_unit_read(struct dw_unit *unit)
{
	struct dw_cursor c = dw_at(unit->file, DW_INFO, unit->die);
	struct dw_abbrevs *abbrevs;
	const struct dw_abbrev *a;
	struct late late = { 0 };
	uint64_t code;

	if (!unit->type)
		return;
	c.end = unit->file->section[DW_INFO].p + unit->end;
	/* without DW_AT_str_offsets_base, as in .dwo: behind the header */
	if (unit->version >= 5 && !unit->str_offsets_base)
		unit->str_offsets_base = 2 * (uint64_t)unit->offset_size;
	code = dw_uleb(&c);
	abbrevs = dw_abbrevs_of(unit, code);
	a = dw_abbrev_find(abbrevs, code);
	if (!a || c.bad) {
		dw_abbrevs_put(unit, abbrevs);
		return;
	}
	if (a->tag == DW_TAG_partial_unit || a->tag == DW_TAG_type_unit)
		unit->type = DW_UT_partial;
	for (uint32_t i = 0; i < a->nr && !c.bad; i++) {
		struct dw_value value;

		dw_value_read(&c, unit, abbrevs, a->first + i, &value);
		take_attr(unit, abbrevs->attrs.v[a->first + i].name, &value, &late);
	}
	dw_abbrevs_put(unit, abbrevs);
	settle(unit, &late);
}
