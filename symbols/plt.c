/* SPDX-License-Identifier: MIT */
/*
 * plt: names for the entries of procedure linkage tables.
 *
 *	.plt     jmp *slot      .got.plt  slot: ....    .rela.plt  slot -> foo
 *
 * Rather than count entries and relocations side by side, which differs between
 * linkers and their options (.plt, .plt.sec, .plt.got, with and without a header),
 * each entry's jump is decoded, and its GOT slot looked up in the relocations. What is
 * left of a section, its header that calls the dynamic linker and the stubs behind
 * .plt.sec, has the section's name.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/vec.h"
#include "symbols/elf_symbols.h"

#define PLT_BYTES_MAX ((size_t)16 << 20)

struct plt_entry {
	uint64_t addr;
	uint32_t size;
	bool named;
	uint32_t next;           /* + 1: another entry of the same slot */
};

struct plt {
	struct elf_file *file;
	const struct arch *arch;
	const struct symtab *main;
	struct symtab *tab;
	uint64_t got;
	VEC(struct plt_entry) entries;
	struct map64 slots;      /* GOT slot -> entry + 1 */
	uint32_t added;
};

static uint64_t section_addr(struct elf_file *file, const char *name)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, &shdr) &&
		    strcmp(elf_file_section_name(file, &shdr), name) == 0)
			return shdr.sh_addr;
	return 0;
}

static void find_entries(struct plt *plt, const char *name)
{
	GElf_Shdr shdr;
	Elf_Data *data = elf_file_section(plt->file, name, &shdr);
	size_t first = plt->entries.nr, size, entry_size;
	const uint8_t *code;

	if (!data || data->d_size > PLT_BYTES_MAX)
		return;
	code = data->d_buf;
	size = data->d_size;
	entry_size = shdr.sh_entsize >= 8 && shdr.sh_entsize <= 64 ? (size_t)shdr.sh_entsize
								   : plt->arch->plt_entry_size;
	for (size_t at = 0; at < size; at += plt->arch->plt_align) {
		uint64_t addr = shdr.sh_addr + at, slot, *head;
		struct plt_entry *entry;

		if (!plt->arch->plt_slot(code + at, size - at, addr, plt->got, &slot))
			continue;
		if (plt->entries.nr > first) {
			struct plt_entry *last = &plt->entries.v[plt->entries.nr - 1];

			if (addr - last->addr < last->size)
				last->size = (uint32_t)(addr - last->addr);
		}
		head = map64_put(&plt->slots, slot, NULL);
		entry = vec_push(&plt->entries);
		entry->addr = addr;
		entry->size = (uint32_t)(size - at < entry_size ? size - at : entry_size);
		entry->named = false;
		entry->next = (uint32_t)*head;
		*head = plt->entries.nr;
	}
}

static void name_slot(struct plt *plt, uint64_t slot, const char *name)
{
	const uint64_t *head = map64_find(&plt->slots, slot);
	struct str full = STR_INIT;

	if (!head || !name || !*name)
		return;
	str_addf(&full, "%s@plt", name);
	for (uint64_t i = *head; i; i = plt->entries.v[i - 1].next) {
		struct plt_entry *entry = &plt->entries.v[i - 1];

		if (!entry->named)
			plt->added += symtab_add_name(plt->tab, entry->addr, entry->size, full.p,
						      SYMTAB_GLOBAL);
		entry->named = true;
	}
	str_release(&full);
}

/* An IRELATIVE relocation names no symbol but the address of its resolver. */
static const char *resolver_name(const struct plt *plt, uint64_t addr)
{
	struct symtab_hit hit;

	return plt->main && symtab_find(plt->main, addr, &hit) && hit.start == addr ? hit.name
										    : NULL;
}

/* REL relocations keep their addend in the word they change. */
static uint64_t word_at(struct plt *plt, uint64_t addr)
{
	const struct elf_segment *load = elf_file_segment(plt->file, addr);
	size_t size = plt->file->is_64bit ? 8 : 4;
	uint64_t offset;
	Elf_Data *data;
	uint32_t word = 0;
	uint64_t wide = 0;

	if (!load || addr - load->vaddr > load->filesz ||
	    load->filesz - (addr - load->vaddr) < size)
		return 0;
	offset = load->offset + (addr - load->vaddr);
	data = elf_getdata_rawchunk(plt->file->elf, (int64_t)offset, size,
				    size == 8 ? ELF_T_XWORD : ELF_T_WORD);
	if (!data || !data->d_buf || data->d_size < size)
		return 0;
	if (size == 8)
		memcpy(&wide, data->d_buf, 8);
	else
		memcpy(&word, data->d_buf, 4);
	return size == 8 ? wide : word;
}

static void name_by_relocations(struct plt *plt, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Scn *symbols_scn = elf_getscn(plt->file->elf, shdr->sh_link);
	Elf_Data *data = elf_file_data(scn), *symbols;
	GElf_Shdr symbols_shdr = { 0 };
	bool rela = shdr->sh_type == SHT_RELA;
	size_t size = gelf_fsize(plt->file->elf, rela ? ELF_T_RELA : ELF_T_REL, 1, EV_CURRENT);
	size_t n = data && size ? data->d_size / size : 0;

	symbols = symbols_scn && shdr->sh_link && gelf_getshdr(symbols_scn, &symbols_shdr)
			  ? elf_file_data(symbols_scn) : NULL;
	for (size_t i = 0; i < n && i < INT32_MAX; i++) {
		GElf_Rela r = { 0 };
		GElf_Rel rel;
		GElf_Sym sym;

		if (rela) {
			if (!gelf_getrela(data, (int)i, &r))
				continue;
		} else {
			if (!gelf_getrel(data, (int)i, &rel))
				continue;
			r.r_offset = rel.r_offset;
			r.r_info = rel.r_info;
		}
		if (!map64_find(&plt->slots, r.r_offset))
			continue;
		if (plt->arch->reloc_irelative &&
		    GELF_R_TYPE(r.r_info) == plt->arch->reloc_irelative) {
			uint64_t at = rela ? (uint64_t)r.r_addend : word_at(plt, r.r_offset);

			name_slot(plt, r.r_offset, resolver_name(plt, at));
		} else if (symbols && GELF_R_SYM(r.r_info) < INT32_MAX &&
			   gelf_getsym(symbols, (int)GELF_R_SYM(r.r_info), &sym)) {
			name_slot(plt, r.r_offset,
				  elf_strptr(plt->file->elf, symbols_shdr.sh_link, sym.st_name));
		}
	}
}

/* Entries start later or are global, so they win over this one (symtab.h). */
static void name_section(struct plt *plt, const char *name)
{
	GElf_Shdr shdr;

	if (elf_file_section(plt->file, name, &shdr))
		plt->added += symtab_add_name(plt->tab, shdr.sh_addr, shdr.sh_size, name, SYMTAB_LOCAL);
}

uint32_t elf_plt_add(struct symtab *tab, struct elf_file *file, const struct symtab *main)
{
	static const char *const sections[] = { ".plt", ".plt.sec", ".plt.got", ".iplt" };
	struct plt plt = { .file = file, .tab = tab, .main = main };
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	plt.arch = arch_of_machine(file->machine, file->is_64bit);
	if (!plt.arch->plt_slot)
		return 0;
	plt.got = section_addr(file, ".got.plt");
	if (!plt.got)
		plt.got = section_addr(file, ".got");
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		find_entries(&plt, sections[i]);
	while (plt.entries.nr && (scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, &shdr) && (shdr.sh_flags & SHF_ALLOC) &&
		    (shdr.sh_type == SHT_RELA || shdr.sh_type == SHT_REL))
			name_by_relocations(&plt, scn, &shdr);
	for (size_t i = 0; plt.added && i < sizeof(sections) / sizeof(sections[0]); i++)
		name_section(&plt, sections[i]);
	vec_release(&plt.entries);
	map64_release(&plt.slots);
	return plt.added;
}
