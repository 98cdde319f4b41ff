/* SPDX-License-Identifier: MIT */
#include "symbols/cfi.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <string.h>

#define ENTRIES_MAX (1u << 24)

uint64_t cfi_uint(const struct cfi *cfi, const uint8_t *p, unsigned size)
{
	bool little = (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) != cfi->file->swap;
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)p[i] << 8 * (little ? i : size - 1 - i);
	return value;
}

uint64_t uleb_next(const uint8_t **p, const uint8_t *end)
{
	uint64_t value = 0;

	for (unsigned shift = 0; *p < end; shift += 7) {
		uint8_t byte = *(*p)++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return value;
}

int64_t sleb_next(const uint8_t **p, const uint8_t *end)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte = 0;

	while (*p < end) {
		byte = *(*p)++;
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
		if (!(byte & 0x80))
			break;
	}
	if (shift < 64 && (byte & 0x40))
		value |= ~0ull << shift;
	return (int64_t)value;
}

/* Bytes of a value in this encoding; 0 for those that are not used for code. */
static unsigned encoded_size(const struct cfi *cfi, uint8_t encoding)
{
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
		return cfi->file->is_64bit ? 8 : 4;
	case DW_EH_PE_udata2:
	case DW_EH_PE_sdata2:
		return 2;
	case DW_EH_PE_udata4:
	case DW_EH_PE_sdata4:
		return 4;
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		return 8;
	default:
		return 0;
	}
}

bool cfi_address(const struct cfi *cfi, const uint8_t **p, const uint8_t *end, uint8_t encoding,
		 uint64_t *out)
{
	unsigned size = encoded_size(cfi, encoding);
	uint64_t value;

	if (!size || (size_t)(end - *p) < size)
		return false;
	value = cfi_uint(cfi, *p, size);
	if ((encoding & 0x08) && size < 8 && value >> (size * 8 - 1))
		value |= ~0ull << size * 8;
	switch (encoding & 0xf0) {
	case 0:
		break;
	case DW_EH_PE_pcrel:
		value += cfi->addr + (uint64_t)(*p - (const uint8_t *)cfi->data->d_buf);
		break;
	default:
		return false;
	}
	*p += size;
	*out = cfi->file->is_64bit ? value : (uint32_t)value;
	return true;
}

/* What the letters of a CIE say (LSB Core, "The Common Information Entry Format"). */
static bool read_augmentation(const struct cfi *cfi, const Dwarf_CIE *from, struct cfi_cie *cie)
{
	const uint8_t *data = from->augmentation_data;
	size_t left = data ? from->augmentation_data_size : 0;
	const char *letter = from->augmentation;

	cie->encoding = DW_EH_PE_absptr;
	if (!letter || !*letter || strcmp(letter, "eh") == 0)
		return true;
	if (*letter != 'z')
		return false;
	cie->has_data = true;
	for (letter++; *letter; letter++) {
		size_t size = 0;

		switch (*letter) {
		case 'R':
			if (!left)
				return false;
			cie->encoding = *data;
			size = 1;
			break;
		case 'L':
			size = 1;
			break;
		case 'P':
			size = left ? encoded_size(cfi, *data) : 0;
			if (!size)
				return false;
			size++;
			break;
		case 'S':
			cie->is_signal = true;
			break;
		case 'B':                /* aarch64: signed with the B key */
		case 'G':                /* aarch64: memory tags */
			break;
		default:
			/* Unknown, but its size is: the rest of the letters cannot be placed. */
			return cie->encoding != DW_EH_PE_absptr;
		}
		if (size > left)
			return false;
		data += size;
		left -= size;
	}
	return true;
}

static struct cfi_cie *take_cie(struct cfi *cfi, Dwarf_Off at, const Dwarf_CIE *from)
{
	struct cfi_cie *cie = arena_zalloc(&cfi->arena, sizeof(*cie));
	bool good;

	cie->code_align = from->code_alignment_factor;
	cie->data_align = from->data_alignment_factor;
	cie->ra_column = from->return_address_register;
	cie->program = from->initial_instructions;
	cie->program_end = from->initial_instructions_end;
	good = read_augmentation(cfi, from, cie) && cie->program_end >= cie->program;
	*map64_put(&cfi->cies, at, NULL) = good ? (uintptr_t)cie : 0;
	return good ? cie : NULL;
}

static const unsigned char *ident_of(const struct cfi *cfi)
{
	return (const unsigned char *)elf_getident(cfi->file->elf, NULL);
}

static int next_entry(const struct cfi *cfi, Dwarf_Off at, Dwarf_Off *next, Dwarf_CFI_Entry *entry)
{
	return dwarf_next_cfi(ident_of(cfi), (Elf_Data *)(uintptr_t)cfi->data, cfi->is_eh, at, next,
			      entry);
}

/* The CIE at an offset: .debug_frame may have it behind its FDEs. */
static struct cfi_cie *cie_at(struct cfi *cfi, Dwarf_Off at)
{
	const uint64_t *known = map64_find(&cfi->cies, at);
	Dwarf_CFI_Entry entry;
	Dwarf_Off next;

	if (known)
		return (struct cfi_cie *)(uintptr_t)*known;
	if (cfi->is_eh || at >= cfi->data->d_size || next_entry(cfi, at, &next, &entry) != 0 ||
	    !dwarf_cfi_cie_p(&entry))
		return NULL;
	return take_cie(cfi, at, &entry.cie);
}

static bool take_fde(struct cfi *cfi, const Dwarf_FDE *from, struct cfi_fde *fde)
{
	const uint8_t *p = from->start, *end = from->end;
	uint64_t len;

	fde->cie = cie_at(cfi, from->CIE_pointer);
	if (!fde->cie || end < p || !cfi_address(cfi, &p, end, fde->cie->encoding, &fde->start) ||
	    !cfi_address(cfi, &p, end, fde->cie->encoding & 0x07, &len))
		return false;
	fde->end = fde->start + len;
	if (fde->end <= fde->start)
		return false;
	if (fde->cie->has_data) {
		len = uleb_next(&p, end);
		if (len > (size_t)(end - p))
			return false;
		p += len;
	}
	fde->program = p;
	fde->program_end = end;
	return true;
}

void cfi_each(struct cfi *cfi, cfi_fde_fn *fn, void *arg)
{
	Dwarf_Off at = 0, next;
	Dwarf_CFI_Entry entry;

	for (uint32_t i = 0; i < ENTRIES_MAX; i++, at = next) {
		int ret = next_entry(cfi, at, &next, &entry);
		struct cfi_fde fde;

		if (ret > 0 || next <= at)
			break;
		if (ret < 0) {
			/* libdw stops at an entry it cannot read, and tells where the next is */
			if (next == (Dwarf_Off)-1)
				break;
			continue;
		}
		if (dwarf_cfi_cie_p(&entry)) {
			if (!map64_find(&cfi->cies, at))
				take_cie(cfi, at, &entry.cie);
		} else if (take_fde(cfi, &entry.fde, &fde)) {
			fn(&fde, arg);
		}
	}
}

/* .eh_frame_hdr: version, three encodings, and the address of .eh_frame (LSB Core). */
static bool find_by_header(struct cfi *cfi)
{
	struct elf_file *file = cfi->file;
	const struct elf_segment *load;
	Elf_Data header = { 0 };
	const uint8_t *bytes, *p;
	size_t size, n = 0;
	GElf_Phdr phdr;
	uint64_t addr, off;

	bytes = (const uint8_t *)elf_rawfile(file->elf, &size);
	elf_getphdrnum(file->elf, &n);
	for (size_t i = 0; i < n && i < 256; i++) {
		if (!gelf_getphdr(file->elf, (int)i, &phdr) || phdr.p_type != PT_GNU_EH_FRAME)
			continue;
		if (!bytes || phdr.p_offset > size || phdr.p_filesz > size - phdr.p_offset ||
		    phdr.p_filesz < 8)
			return false;
		header.d_buf = (void *)(uintptr_t)(bytes + phdr.p_offset);
		header.d_size = phdr.p_filesz;
		cfi->data = &header;
		cfi->addr = phdr.p_vaddr;
		p = bytes + phdr.p_offset;
		if (*p != 1)
			return false;
		p += 4;
		if (!cfi_address(cfi, &p, p + phdr.p_filesz - 4, bytes[phdr.p_offset + 1], &addr))
			return false;
		load = elf_file_segment(file, addr);
		if (!load || addr - load->vaddr >= load->filesz)
			return false;
		off = addr - load->vaddr + load->offset;
		if (off >= size)
			return false;
		/* Up to the end of its segment; a length of 0 ends it before. */
		cfi->found = (Elf_Data){ .d_buf = (void *)(uintptr_t)(bytes + off),
					 .d_type = ELF_T_BYTE };
		cfi->found.d_size = load->filesz - (addr - load->vaddr);
		if (cfi->found.d_size > size - off)
			cfi->found.d_size = size - off;
		cfi->data = &cfi->found;
		cfi->addr = addr;
		return true;
	}
	return false;
}

bool cfi_init(struct cfi *cfi, struct elf_file *file, bool debug)
{
	GElf_Shdr shdr;

	memset(cfi, 0, sizeof(*cfi));
	cfi->file = file;
	cfi->is_eh = !debug;
	cfi->data = elf_file_section(file, debug ? ".debug_frame" : ".eh_frame", &shdr);
	if (!cfi->data && debug)
		cfi->data = elf_file_old_section(file, ".zdebug_frame", &shdr);
	if (cfi->data)
		cfi->addr = shdr.sh_addr;
	else if (debug || !find_by_header(cfi)) {
		cfi->data = NULL;
		return false;
	}
	arena_init(&cfi->arena);
	return true;
}

void cfi_release(struct cfi *cfi)
{
	map64_release(&cfi->cies);
	arena_release(&cfi->arena);
	memset(cfi, 0, sizeof(*cfi));
}
