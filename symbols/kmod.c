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

		/* a debug file has the sections without their bytes: SHT_NOBITS */
		if (!gelf_getshdr(scn, &shdr) || !(shdr.sh_flags & SHF_ALLOC) ||
		    !(shdr.sh_flags & SHF_EXECINSTR) ||
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

/* --- debug information ------------------------------------------------------------ */

/* How many bytes a relocation of debug information writes, S + A; 0: not one that is known. */
static size_t reloc_width(uint16_t machine, uint32_t type)
{
	static const struct {
		uint16_t machine, type;
		uint8_t width;
	} known[] = {
		{ EM_X86_64, R_X86_64_64, 8 }, { EM_X86_64, R_X86_64_32, 4 },
		{ EM_X86_64, R_X86_64_32S, 4 }, { EM_386, R_386_32, 4 },
		{ EM_AARCH64, R_AARCH64_ABS64, 8 }, { EM_AARCH64, R_AARCH64_ABS32, 4 },
		{ EM_ARM, R_ARM_ABS32, 4 }, { EM_S390, R_390_64, 8 }, { EM_S390, R_390_32, 4 },
		{ EM_PPC64, R_PPC64_ADDR64, 8 }, { EM_PPC64, R_PPC64_ADDR32, 4 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].machine == machine && known[i].type == type)
			return known[i].width;
	return 0;
}

struct relocating {
	struct elf_file *file;
	Elf_Data *symbols, *target;
	const uint64_t *starts;          /* of sections; 0: not code, so offsets stay offsets */
	size_t nr;
};

static uint64_t get(const struct relocating *r, const uint8_t *at, size_t width)
{
	uint64_t v64;
	uint32_t v32;

	if (width == 8) {
		memcpy(&v64, at, 8);
		return r->file->swap ? __builtin_bswap64(v64) : v64;
	}
	memcpy(&v32, at, 4);
	return r->file->swap ? __builtin_bswap32(v32) : v32;
}

static void put(const struct relocating *r, uint8_t *at, size_t width, uint64_t value)
{
	if (width == 8) {
		value = r->file->swap ? __builtin_bswap64(value) : value;
		memcpy(at, &value, 8);
	} else {
		uint32_t v32 = r->file->swap ? __builtin_bswap32((uint32_t)value) : (uint32_t)value;

		memcpy(at, &v32, 4);
	}
}

/* False where the kind of relocation is not known. */
static bool relocate_one(const struct relocating *r, uint64_t offset, uint64_t info,
			 const int64_t *addend)
{
	size_t width = reloc_width(r->file->machine, (uint32_t)GELF_R_TYPE(info));
	uint64_t value;
	uint8_t *at;
	GElf_Sym sym;

	if (!GELF_R_TYPE(info))
		return true;             /* R_*_NONE */
	if (!width)
		return false;
	if (offset > r->target->d_size || width > r->target->d_size - offset ||
	    GELF_R_SYM(info) > INT32_MAX || !gelf_getsym(r->symbols, (int)GELF_R_SYM(info), &sym))
		return true;
	at = (uint8_t *)r->target->d_buf + offset;
	value = sym.st_value + (addend ? (uint64_t)*addend : get(r, at, width));
	if (sym.st_shndx < r->nr)
		value += r->starts[sym.st_shndx];
	put(r, at, width, value);
	return true;
}

static bool relocate_section(struct relocating *r, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_file_data(scn);
	size_t n = data && shdr->sh_entsize ? data->d_size / shdr->sh_entsize : 0;

	for (size_t i = 0; i < n && i < INT32_MAX; i++) {
		GElf_Rela rela;
		GElf_Rel rel;
		bool known = true;

		if (shdr->sh_type == SHT_RELA && gelf_getrela(data, (int)i, &rela))
			known = relocate_one(r, rela.r_offset, rela.r_info, &rela.r_addend);
		else if (shdr->sh_type == SHT_REL && gelf_getrel(data, (int)i, &rel))
			known = relocate_one(r, rel.r_offset, rel.r_info, NULL);
		if (!known)
			return false;
	}
	return true;
}

bool kmod_relocate(struct elf_file *file, uint64_t run_start)
{
	struct relocating r = { .file = file };
	bool done = file->type == ET_REL;
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr, to;
	uint64_t *starts;

	if (!done || elf_getshdrnum(file->elf, &r.nr) != 0 || r.nr > SECTIONS_MOST)
		return false;
	r.starts = starts = lay_out(file, run_start, r.nr);
	while (done && (scn = elf_nextscn(file->elf, scn))) {
		Elf_Scn *target, *symbols;

		if (!gelf_getshdr(scn, &shdr) ||
		    (shdr.sh_type != SHT_RELA && shdr.sh_type != SHT_REL))
			continue;
		target = elf_getscn(file->elf, shdr.sh_info);
		symbols = elf_getscn(file->elf, shdr.sh_link);
		if (!target || !symbols || target == scn || target == symbols ||
		    !gelf_getshdr(target, &to) || (to.sh_flags & SHF_ALLOC) ||
		    to.sh_type != SHT_PROGBITS)
			continue;
		r.target = elf_file_data(target);
		r.symbols = elf_file_data(symbols);
		/* what cannot be opened here another reader may open: not without this */
		done = to.sh_size == 0 || (r.target && r.symbols && relocate_section(&r, scn, &shdr));
	}
	free(starts);
	/* tables of it are of this load alone: none are to be kept under the build-id */
	file->build_id_size = 0;
	return done;
}
