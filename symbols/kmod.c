/* SPDX-License-Identifier: MIT */
#include "symbols/kmod.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define SECTIONS_MOST 65536u

/* Where each section ran, by its number; 0: it has no code. */
static uint64_t *lay_out(struct elf_file *file, uint64_t run_start, size_t nr)
{
	uint64_t *starts = mem_zalloc(nr * sizeof(*starts)), at = run_start;
	bool first_only = file->machine != EM_X86_64 && file->machine != EM_386;
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(file->elf, scn))) {
		uint64_t align;

		if (!gelf_getshdr(scn, &shdr) || !(shdr.sh_flags & SHF_ALLOC) ||
		    !(shdr.sh_flags & SHF_EXECINSTR) || shdr.sh_type == SHT_NOBITS ||
		    str_starts(elf_file_section_name(file, &shdr), ".init"))
			continue;
		align = shdr.sh_addralign && !(shdr.sh_addralign & (shdr.sh_addralign - 1)) ?
				shdr.sh_addralign : 1;
		at = (at + align - 1) & ~(align - 1);
		if (elf_ndxscn(scn) < nr)
			starts[elf_ndxscn(scn)] = at;
		at += shdr.sh_size;
		if (first_only && shdr.sh_size)
			break;
	}
	return starts;
}

static void add_symbol(struct symtab *tab, const GElf_Sym *sym, int strings,
		       const uint64_t *starts, size_t nr)
{
	unsigned type = GELF_ST_TYPE(sym->st_info), bind = GELF_ST_BIND(sym->st_info);
	unsigned flags = bind == STB_WEAK ? SYMTAB_WEAK : bind == STB_LOCAL ? SYMTAB_LOCAL :
									      SYMTAB_GLOBAL;

	if (sym->st_shndx >= nr || !starts[sym->st_shndx] ||
	    (type != STT_FUNC && type != STT_NOTYPE))
		return;
	if (type == STT_NOTYPE)
		flags |= SYMTAB_UNTYPED;
	if (!sym->st_size)
		flags |= SYMTAB_UNSIZED;
	symtab_add(tab, starts[sym->st_shndx] + sym->st_value,
		   sym->st_size ? sym->st_size : 4096, strings, sym->st_name, flags);
}

static void add_table(struct symtab *tab, struct elf_file *file, Elf_Scn *scn,
		      const GElf_Shdr *shdr, const uint64_t *starts, size_t nr)
{
	Elf_Data *data = elf_file_data(scn);
	Elf_Data *names = elf_file_data(elf_getscn(file->elf, shdr->sh_link));
	int strings;

	if (!data || !names || !shdr->sh_entsize)
		return;
	strings = symtab_add_strings(tab, names->d_buf, names->d_size);
	for (size_t i = 0; i < data->d_size / shdr->sh_entsize && i < INT32_MAX; i++) {
		GElf_Sym sym;

		if (gelf_getsym(data, (int)i, &sym))
			add_symbol(tab, &sym, strings, starts, nr);
	}
}

struct symtab *kmod_symbols(struct elf_file *file, uint64_t run_start, unsigned options)
{
	struct symtab *tab = symtab_new(options);
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	uint64_t *starts;
	size_t nr;

	if (file->type == ET_REL && elf_getshdrnum(file->elf, &nr) == 0 && nr <= SECTIONS_MOST) {
		starts = lay_out(file, run_start, nr);
		while ((scn = elf_nextscn(file->elf, scn)))
			if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_SYMTAB)
				add_table(tab, file, scn, &shdr, starts, nr);
		free(starts);
	}
	symtab_finish(tab);
	return tab;
}
