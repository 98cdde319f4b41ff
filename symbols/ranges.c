/* SPDX-License-Identifier: MIT */
#include "symbols/ranges.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"

#define ENTRIES_MAX (1u << 24)

struct range {
	uint64_t start, end;
};

struct ranges {
	VEC(struct range) v;
};

struct reading {
	struct elf_file *file;
	const Elf_Data *data;
	uint64_t addr;           /* of the section */
	struct map64 encodings;  /* CIE's offset -> encoding of its FDEs' addresses */
};

static uint64_t read_uint(const struct reading *r, const uint8_t *p, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++) {
		bool little = (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) != r->file->swap;

		value |= (uint64_t)p[i] << 8 * (little ? i : size - 1 - i);
	}
	return value;
}

/* Bytes of a value in this encoding; 0 for those that are not used for code. */
static unsigned encoded_size(const struct reading *r, uint8_t encoding)
{
	switch (encoding & 0x0f) {
	case DW_EH_PE_absptr:
		return r->file->is_64bit ? 8 : 4;
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

/* LSB Core, "DWARF Exception Header Encoding". `place` is the value's own address. */
static bool decode(const struct reading *r, const uint8_t *p, uint8_t encoding, uint64_t place,
		   uint64_t *out)
{
	unsigned size = encoded_size(r, encoding);
	uint64_t value = read_uint(r, p, size);

	if ((encoding & 0x08) && size < 8 && value >> (size * 8 - 1))
		value |= ~0ull << size * 8;
	switch (encoding & 0xf0) {
	case 0:
		break;
	case DW_EH_PE_pcrel:
		value += place;
		break;
	default:
		return false;
	}
	*out = r->file->is_64bit ? value : (uint32_t)value;
	return true;
}

/* How the FDEs of a CIE write addresses: the byte that 'R' stands for. */
static uint8_t cie_encoding(const struct reading *r, const Dwarf_CIE *cie)
{
	const uint8_t *data = cie->augmentation_data;
	size_t left = cie->augmentation_data_size;
	const char *letter = cie->augmentation;

	if (!data || *letter != 'z')
		return DW_EH_PE_absptr;
	for (letter++; *letter; letter++) {
		size_t size;

		switch (*letter) {
		case 'R':
			return left ? *data : DW_EH_PE_omit;
		case 'L':
			size = 1;
			break;
		case 'P':
			size = left ? encoded_size(r, *data) : 0;
			if (!size)
				return DW_EH_PE_omit;
			size++;
			break;
		case 'S':
		case 'B':
		case 'G':
			size = 0;
			break;
		default:
			return DW_EH_PE_omit;
		}
		if (size > left)
			return DW_EH_PE_omit;
		data += size;
		left -= size;
	}
	return DW_EH_PE_absptr;
}

static bool fde_range(struct reading *r, const Dwarf_FDE *fde, struct range *out)
{
	const uint8_t *base = r->data->d_buf;
	const uint64_t *known = map64_find(&r->encodings, fde->CIE_pointer);
	uint8_t encoding = known ? (uint8_t)*known : DW_EH_PE_omit;
	unsigned size = encoded_size(r, encoding);
	uint64_t len;

	if (encoding == DW_EH_PE_omit || !size || fde->end < fde->start ||
	    (size_t)(fde->end - fde->start) < 2 * size)
		return false;
	if (!decode(r, fde->start, encoding, r->addr + (uint64_t)(fde->start - base),
		    &out->start))
		return false;
	len = read_uint(r, fde->start + size, size);
	out->end = out->start + len;
	return len && out->end > out->start;
}

static void read_entries(struct ranges *ranges, struct reading *r)
{
	const unsigned char *ident = (const unsigned char *)elf_getident(r->file->elf, NULL);
	Dwarf_Off at = 0, next;
	Dwarf_CFI_Entry entry;

	for (uint32_t i = 0; i < ENTRIES_MAX; i++, at = next) {
		int ret = dwarf_next_cfi(ident, (Elf_Data *)(uintptr_t)r->data, true, at, &next,
					 &entry);
		struct range range;

		if (ret > 0 || next <= at)
			break;
		if (ret < 0) {
			/* libdw stops at an entry it cannot read, and tells where the next is */
			if (next == (Dwarf_Off)-1)
				break;
			continue;
		}
		if (dwarf_cfi_cie_p(&entry))
			*map64_put(&r->encodings, at, NULL) = cie_encoding(r, &entry.cie);
		else if (fde_range(r, &entry.fde, &range))
			*vec_push(&ranges->v) = range;
	}
}

static int compare_ranges(const void *pa, const void *pb)
{
	const struct range *a = pa, *b = pb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->end < b->end ? 1 : a->end > b->end ? -1 : 0;
}

/* One address, one range: the first that starts keeps what it has. */
static void sort_out(struct ranges *ranges)
{
	size_t out = 0;

	if (ranges->v.nr > 1)
		qsort(ranges->v.v, ranges->v.nr, sizeof(*ranges->v.v), compare_ranges);
	for (size_t i = 0; i < ranges->v.nr; i++)
		if (!out || ranges->v.v[i].start >= ranges->v.v[out - 1].end)
			ranges->v.v[out++] = ranges->v.v[i];
	ranges->v.nr = out;
}

struct ranges *ranges_new(struct elf_file *file)
{
	struct ranges *ranges = mem_zalloc(sizeof(*ranges));
	struct reading r = { .file = file };
	GElf_Shdr shdr;

	r.data = elf_file_section(file, ".eh_frame", &shdr);
	if (r.data) {
		r.addr = shdr.sh_addr;
		read_entries(ranges, &r);
		sort_out(ranges);
	}
	map64_release(&r.encodings);
	return ranges;
}

void ranges_free(struct ranges *ranges)
{
	if (!ranges)
		return;
	vec_release(&ranges->v);
	free(ranges);
}

uint32_t ranges_count(const struct ranges *ranges)
{
	return (uint32_t)ranges->v.nr;
}

bool ranges_find(const struct ranges *ranges, uint64_t elf_addr, uint64_t *start, uint64_t *end)
{
	size_t low = 0, high = ranges->v.nr;
	const struct range *range;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ranges->v.v[mid].start <= elf_addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return false;
	range = &ranges->v.v[low - 1];
	if (elf_addr >= range->end)
		return false;
	*start = range->start;
	*end = range->end;
	return true;
}
