/* SPDX-License-Identifier: MIT */
/* Debug information that is in other files: .dwo, .dwp, dwz's. See dwarf_priv.h. */
#include <dwarf.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "symbols/debug_file.h"
#include "symbols/dwarf_priv.h"

#define COLUMNS_MAX 16

/* --- opening ---------------------------------------------------------------------- */

/* Take the file over; NULL if it has no units. Under the dwarf's lock. */
static struct dw_file *add_other(struct dwarf *dwarf, struct elf_file *elf, bool dwo)
{
	struct dw_file *file = mem_zalloc(sizeof(*file));

	file->owns_elf = true;
	if (!dw_file_init(file, dwarf, elf, dwo)) {
		dw_file_release(file);
		free(file);
		return NULL;
	}
	file->next = dwarf->others;
	dwarf->others = file;
	return file;
}

void dw_take_alt(struct dwarf *dwarf, struct elf_file *elf)
{
	if (!elf)
		return;
	dwarf->main.alt = add_other(dwarf, elf, false);
	for (size_t i = 0; dwarf->main.alt && i < dwarf->main.alt->units.nr; i++)
		dw_unit_read(&dwarf->main.alt->units.v[i]);
}

/* --- .dwp: DWARF 5, 7.3.5 --------------------------------------------------------- */

/* What a unit has of each section; the columns of versions 2 (GNU) and 5 differ. */
struct share { uint64_t offset[DW_SECTIONS]; };

static int section_of_column(uint64_t version, uint64_t column)
{
	switch (column) {
	case 1: return DW_INFO;
	case 3: return DW_ABBREV;
	case 4: return DW_LINE;
	case 6: return DW_STR_OFFSETS;
	case 8: return version == 5 ? DW_RNGLISTS : -1;
	default: return -1;
	}
}

/* The hash table's row for the id, counted from 1; 0: none. */
static uint64_t row_of_id(const struct dw_file *file, uint64_t slots, uint64_t id)
{
	uint64_t at = id & (slots - 1), step = (id >> 32 & (slots - 1)) | 1;

	for (uint64_t i = 0; i < slots; i++) {
		struct dw_cursor c = dw_at(file, DW_CU_INDEX, 16 + 8 * at);
		uint64_t found = dw_uint(&c, 8), row;

		c = dw_at(file, DW_CU_INDEX, 16 + 8 * slots + 4 * at);
		row = dw_uint(&c, 4);
		if (c.bad || !row)
			return 0;
		if (found == id)
			return row;
		at = (at + step) & (slots - 1);
	}
	return 0;
}

static bool find_share(const struct dw_file *file, uint64_t id, struct share *out)
{
	struct dw_cursor c = dw_at(file, DW_CU_INDEX, 0);
	uint64_t version = dw_uint(&c, 4), columns = dw_uint(&c, 4), units = dw_uint(&c, 4);
	uint64_t slots = dw_uint(&c, 4), row, names;

	if (file->swap ? (version >> 16) == 5 : (version & 0xffff) == 5)
		version = 5;
	if (c.bad || !slots || (slots & (slots - 1)) || columns > COLUMNS_MAX ||
	    slots > file->section[DW_CU_INDEX].size / 12)
		return false;
	row = row_of_id(file, slots, id);
	if (!row || row > units)
		return false;
	memset(out, 0, sizeof(*out));
	names = 16 + 12 * slots;
	for (uint64_t i = 0; i < columns; i++) {
		struct dw_cursor name = dw_at(file, DW_CU_INDEX, names + 4 * i);
		struct dw_cursor offset = dw_at(file, DW_CU_INDEX, names + 4 * (row * columns + i));
		int section = section_of_column(version, dw_uint(&name, 4));
		uint64_t at = dw_uint(&offset, 4);

		if (name.bad || offset.bad)
			return false;
		if (section >= 0)
			out->offset[section] = at;
	}
	return true;
}

static struct dw_unit *unit_in_dwp(struct dw_file *dwp, uint64_t id)
{
	struct share share;
	struct dw_unit *unit;

	if (!find_share(dwp, id, &share))
		return NULL;
	unit = dw_unit_at(dwp, share.offset[DW_INFO]);
	if (!unit || unit->skeleton)
		return unit;
	unit->abbrev_offset += share.offset[DW_ABBREV];
	unit->str_offsets_base = share.offset[DW_STR_OFFSETS];
	if (unit->version >= 5) {
		unit->str_offsets_base += 2 * (uint64_t)unit->offset_size;
		unit->rnglists_base = share.offset[DW_RNGLISTS];
	}
	return unit;
}

/* --- .dwo -------------------------------------------------------------------------- */

static struct elf_file *open_dwo(struct dwarf *dwarf, const struct dw_unit *skeleton)
{
	const char *name = skeleton->dwo_name, *slash = strrchr(name, '/');
	const char *dir_end = strrchr(dwarf->path, '/');
	struct elf_file *elf = NULL;
	struct str path = STR_INIT;

	if (name[0] != '/' && skeleton->comp_dir)
		str_addf(&path, "%s/", skeleton->comp_dir);
	str_add(&path, name);
	/* a program that was moved together with its .dwo files */
	if (elf_file_open(&elf, path.p) < 0 && dir_end) {
		str_clear(&path);
		str_addn(&path, dwarf->path, (size_t)(dir_end - dwarf->path) + 1);
		str_add(&path, name[0] == '/' ? slash + 1 : name);
		if (elf_file_open(&elf, path.p) < 0 && slash) {
			str_clear(&path);
			str_addn(&path, dwarf->path, (size_t)(dir_end - dwarf->path) + 1);
			str_add(&path, slash + 1);
			if (elf_file_open(&elf, path.p) < 0)
				elf = NULL;
		}
	}
	if (!elf)
		log_debug("'%s': its debug information in '%s' is not there", dwarf->path, name);
	str_release(&path);
	return elf;
}

static struct dw_unit *unit_in_dwo(struct dwarf *dwarf, const struct dw_unit *skeleton)
{
	struct elf_file *elf = open_dwo(dwarf, skeleton);
	struct dw_file *file = elf ? add_other(dwarf, elf, true) : NULL;

	for (size_t i = 0; file && i < file->units.nr; i++) {
		struct dw_unit *unit = &file->units.v[i];

		if (!unit->type || unit->type == DW_UT_split_type)
			continue;
		if (unit->version >= 5)
			unit->rnglists_base = 0;
		/* before DWARF 5 the id is in the first entry */
		if (unit->version < 5)
			dw_unit_read(unit);
		if (unit->dwo_id == skeleton->dwo_id)
			return unit;
	}
	if (file)
		log_debug("'%s': '%s' is not of this program", dwarf->path, skeleton->dwo_name);
	return NULL;
}

static void look_for_dwp(struct dwarf *dwarf)
{
	struct str path = STR_INIT;
	struct elf_file *elf;

	if (dwarf->looked_for_dwp)
		return;
	dwarf->looked_for_dwp = true;
	str_addf(&path, "%s.dwp", dwarf->path);
	if (elf_file_open(&elf, path.p) < 0) {
		str_clear(&path);
		str_addf(&path, "%s.dwp", dwarf->main.elf->path ? dwarf->main.elf->path : "");
		if (elf_file_open(&elf, path.p) < 0)
			elf = NULL;
	}
	if (elf)
		dwarf->dwp = add_other(dwarf, elf, true);
	str_release(&path);
}

/* Behind the header of the range lists (DWARF 5, 7.28). */
static void set_rnglists_base(struct dw_unit *unit)
{
	if (unit->version >= 5)
		unit->rnglists_base += unit->offset_size == 8 ? 20 : 12;
}

struct dw_unit *dw_split_unit(struct dwarf *dwarf, struct dw_unit *unit)
{
	struct dw_unit *split = NULL;

	if (!unit->dwo_name)
		return unit;
	pthread_mutex_lock(&dwarf->lock);
	look_for_dwp(dwarf);
	if (dwarf->dwp)
		split = unit_in_dwp(dwarf->dwp, unit->dwo_id);
	if (!split)
		split = unit_in_dwo(dwarf, unit);
	/* two skeletons cannot have one unit */
	if (split && split->skeleton)
		split = NULL;
	if (split) {
		split->skeleton = unit;
		set_rnglists_base(split);
		dw_unit_read(split);
	}
	pthread_mutex_unlock(&dwarf->lock);
	return split;
}
