/* SPDX-License-Identifier: MIT */
#include "symbols/relocs.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"

#define RELOCS_MAX 4000000u

struct relocs {
	struct map64 names;              /* slot -> const char * */
};

static void take(struct relocs *r, struct elf_file *file, Elf_Data *symbols, size_t strings,
		 uint64_t slot, uint64_t info)
{
	const char *name;
	GElf_Sym sym;

	if (!GELF_R_SYM(info) || !gelf_getsym(symbols, (int)GELF_R_SYM(info), &sym))
		return;
	name = elf_strptr(file->elf, strings, sym.st_name);
	if (name && *name)
		*map64_put(&r->names, slot, NULL) = (uint64_t)(uintptr_t)name;
}

static void read_section(struct relocs *r, struct elf_file *file, Elf_Scn *scn,
			 const GElf_Shdr *shdr)
{
	Elf_Scn *sym_scn = elf_getscn(file->elf, shdr->sh_link);
	Elf_Data *data = elf_getdata(scn, NULL), *symbols = sym_scn ? elf_getdata(sym_scn, NULL) : NULL;
	GElf_Shdr sym_shdr;
	size_t n;

	if (!data || !data->d_buf || !symbols || !symbols->d_buf || !gelf_getshdr(sym_scn, &sym_shdr) ||
	    sym_shdr.sh_type != SHT_DYNSYM || !shdr->sh_entsize)
		return;
	n = data->d_size / shdr->sh_entsize;
	for (size_t i = 0; i < n && i < RELOCS_MAX; i++) {
		GElf_Rela rela;
		GElf_Rel rel;

		if (shdr->sh_type == SHT_RELA && gelf_getrela(data, (int)i, &rela))
			take(r, file, symbols, sym_shdr.sh_link, rela.r_offset, rela.r_info);
		else if (shdr->sh_type == SHT_REL && gelf_getrel(data, (int)i, &rel))
			take(r, file, symbols, sym_shdr.sh_link, rel.r_offset, rel.r_info);
	}
}

struct relocs *relocs_new(struct elf_file *file)
{
	struct relocs *r = mem_zalloc(sizeof(*r));
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	if (file->type == ET_REL)
		return r;
	while ((scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, &shdr) && (shdr.sh_type == SHT_RELA || shdr.sh_type == SHT_REL) &&
		    (shdr.sh_flags & SHF_ALLOC))
			read_section(r, file, scn, &shdr);
	return r;
}

void relocs_free(struct relocs *r)
{
	if (!r)
		return;
	map64_release(&r->names);
	free(r);
}

const char *relocs_find(const struct relocs *r, uint64_t elf_addr)
{
	const uint64_t *slot = map64_find(&r->names, elf_addr);

	return slot ? (const char *)(uintptr_t)*slot : NULL;
}
