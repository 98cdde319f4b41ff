/* SPDX-License-Identifier: MIT */
#include "symbols/elf_symbols.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* What of a section header is asked for once per symbol. */
struct section {
	uint64_t addr, size;
	bool alloc, labels;      /* labels: one that holds code or data by its name */
};

struct loading {
	struct symtab *tab;
	struct elf_file *file;
	struct section *sections;
	size_t nr_sections;
	int strings;
	bool mapping_symbols;    /* the machine's ABI has them */
};

static void sections_read(struct loading *l)
{
	size_t n = 0;

	elf_getshdrnum(l->file->elf, &n);
	l->sections = mem_zalloc(n * sizeof(*l->sections));
	l->nr_sections = n;
	for (size_t i = 1; i < n; i++) {
		Elf_Scn *scn = elf_getscn(l->file->elf, i);
		struct section *section = &l->sections[i];
		GElf_Shdr shdr;
		const char *name;

		if (!scn || !gelf_getshdr(scn, &shdr))
			continue;
		name = elf_file_section_name(l->file, &shdr);
		section->addr = shdr.sh_addr;
		section->size = shdr.sh_size;
		section->alloc = shdr.sh_flags & SHF_ALLOC;
		section->labels = strstr(name, "text") || strstr(name, "data") ||
				  (shdr.sh_flags & SHF_EXECINSTR);
	}
}

/* ELF for the Arm Architecture, "Mapping symbols"; RISC-V ELF psABI, the same. */
static bool is_mapping_symbol(const char *name)
{
	return name[0] == '$' && name[1] && strchr("adtx", name[1]) &&
	       (!name[2] || name[2] == '.' || name[1] == 'x');
}

static bool is_wanted(const struct loading *l, const GElf_Sym *sym, const struct section *section,
		      const char *name)
{
	switch (GELF_ST_TYPE(sym->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
	case STT_OBJECT:
		return true;
	case STT_NOTYPE:
		if (GELF_ST_VISIBILITY(sym->st_other) == STV_INTERNAL ||
		    GELF_ST_VISIBILITY(sym->st_other) == STV_HIDDEN)
			return false;
		if (l->mapping_symbols && is_mapping_symbol(name))
			return false;
		return section && section->labels && !str_starts(name, ".L");
	default:
		return false;
	}
}

/* How far a symbol at `addr` can reach at most: to the end of what it lies in. */
static uint64_t room_at(const struct loading *l, const struct section *section, uint64_t addr)
{
	const struct elf_segment *load;

	if (section && addr >= section->addr && addr - section->addr < section->size)
		return section->size - (addr - section->addr);
	load = elf_file_segment(l->file, addr);
	return load ? load->memsz - (addr - load->vaddr) : 0;
}

static unsigned bind_of(const GElf_Sym *sym)
{
	switch (GELF_ST_BIND(sym->st_info)) {
	case STB_GLOBAL:
	case STB_GNU_UNIQUE:
		return SYMTAB_GLOBAL;
	case STB_WEAK:
		return SYMTAB_WEAK;
	default:
		return SYMTAB_LOCAL;
	}
}

static bool add_symbol(struct loading *l, const GElf_Sym *sym, GElf_Word xindex, const char *name)
{
	const struct section *section = NULL;
	uint64_t addr = sym->st_value, size = sym->st_size, room;
	size_t index = sym->st_shndx == SHN_XINDEX ? xindex : sym->st_shndx;
	unsigned flags = bind_of(sym);

	if (sym->st_shndx == SHN_UNDEF ||
	    (sym->st_shndx >= SHN_LORESERVE && sym->st_shndx != SHN_XINDEX))
		return false;
	if (index < l->nr_sections) {
		section = &l->sections[index];
		if (!section->alloc)
			return false;
	}
	if (!is_wanted(l, sym, section, name))
		return false;
	/* Bit 0 of a function's address says Thumb (ELF for the Arm Architecture). */
	if (l->file->machine == EM_ARM && GELF_ST_TYPE(sym->st_info) == STT_FUNC)
		addr &= ~1ull;
	room = room_at(l, section, addr);
	if (!size)
		flags |= SYMTAB_UNSIZED;
	if (!size || size > room)
		size = room;
	if (GELF_ST_TYPE(sym->st_info) == STT_NOTYPE)
		flags |= SYMTAB_UNTYPED;
	return symtab_add(l->tab, addr, size, l->strings, sym->st_name, flags);
}

static Elf_Data *xindex_data(struct loading *l, size_t symtab_index)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(l->file->elf, scn)))
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_SYMTAB_SHNDX &&
		    shdr.sh_link == symtab_index)
			return elf_file_data(scn);
	return NULL;
}

static uint32_t add_table(struct loading *l, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Scn *string_scn = elf_getscn(l->file->elf, shdr->sh_link);
	Elf_Data *data = elf_file_data(scn);
	Elf_Data *strings = string_scn ? elf_file_data(string_scn) : NULL;
	Elf_Data *xindex;
	size_t entry_size, n, names_end;
	const char *names, *last;
	uint32_t added = 0;

	if (!data || !strings)
		return 0;
	l->strings = symtab_add_strings(l->tab, strings->d_buf, strings->d_size);
	if (l->strings < 0)
		return 0;
	names = strings->d_buf;
	last = memrchr(names, '\0', strings->d_size);
	names_end = last ? (size_t)(last - names) : 0;
	xindex = xindex_data(l, elf_ndxscn(scn));
	entry_size = gelf_fsize(l->file->elf, ELF_T_SYM, 1, EV_CURRENT);
	n = entry_size ? data->d_size / entry_size : 0;
	if (n > INT32_MAX)
		n = INT32_MAX;
	for (size_t i = 1; i < n; i++) {
		GElf_Word section = SHN_UNDEF;
		GElf_Sym sym;

		if (gelf_getsymshndx(data, xindex, (int)i, &sym, &section) &&
		    sym.st_name < names_end)
			added += add_symbol(l, &sym, section, names + sym.st_name);
	}
	return added;
}

/*
 * .symtab holds what .dynsym holds, unless someone kept only some of its symbols:
 * then it is the smaller one, and both are read.
 */
uint32_t elf_symbols_add(struct symtab *tab, struct elf_file *file)
{
	struct loading l = { .tab = tab, .file = file };
	static const uint32_t types[] = { SHT_SYMTAB, SHT_DYNSYM };
	uint64_t bytes = 0;
	uint32_t added = 0;

	l.mapping_symbols = file->machine == EM_ARM || file->machine == EM_AARCH64 ||
			    file->machine == EM_RISCV;
	sections_read(&l);
	for (int i = 0; i < 2; i++) {
		Elf_Scn *scn = NULL;
		GElf_Shdr shdr;

		while ((scn = elf_nextscn(file->elf, scn))) {
			if (gelf_getshdr(scn, &shdr) && shdr.sh_type == types[i]) {
				if (shdr.sh_size > bytes || !added)
					added += add_table(&l, scn, &shdr);
				bytes = shdr.sh_size;
				break;
			}
		}
	}
	free(l.sections);
	return added;
}
