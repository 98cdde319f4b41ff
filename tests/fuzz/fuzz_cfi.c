/* SPDX-License-Identifier: MIT */
/*
 * Unwind tables and walks.  The input: two bytes that choose, then a .eh_frame, a
 * .debug_frame and a stack, laid into an ELF file of x86_64, i386 or aarch64.
 */
#include <elf.h>

#include "symbols/cfi.h"
#include "symbols/ranges.h"
#include "symbols/unwind.h"
#include "tests/fuzz/fuzz.h"

#define BASE 0x400000ull
#define WORDS 4096
#define STACK_AT 0x7ffd00001000ull

struct image {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;
	Elf64_Shdr shdrs[4];
	char names[64];
	uint8_t bytes[];
};

static struct elf_file *make_file(const uint8_t *bytes, size_t size, size_t eh, uint16_t machine)
{
	static const char names[] = "\0.eh_frame\0.debug_frame\0.shstrtab";
	struct image *im = calloc(1, sizeof(*im) + size);
	struct elf_file *file;

	if (!im)
		exit(2);
	memcpy(im->ehdr.e_ident, ELFMAG, SELFMAG);
	im->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	im->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	im->ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	im->ehdr.e_type = ET_DYN;
	im->ehdr.e_machine = machine;
	im->ehdr.e_version = EV_CURRENT;
	im->ehdr.e_entry = BASE;
	im->ehdr.e_phoff = offsetof(struct image, phdr);
	im->ehdr.e_shoff = offsetof(struct image, shdrs);
	im->ehdr.e_ehsize = sizeof(Elf64_Ehdr);
	im->ehdr.e_phentsize = sizeof(Elf64_Phdr);
	im->ehdr.e_phnum = 1;
	im->ehdr.e_shentsize = sizeof(Elf64_Shdr);
	im->ehdr.e_shnum = 4;
	im->ehdr.e_shstrndx = 3;
	im->phdr = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = BASE,
				 .p_filesz = sizeof(*im) + size, .p_memsz = sizeof(*im) + size };
	memcpy(im->names, names, sizeof(names));
	im->shdrs[1] = (Elf64_Shdr){ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC,
				     .sh_offset = sizeof(*im), .sh_addr = BASE + sizeof(*im),
				     .sh_size = eh };
	im->shdrs[2] = (Elf64_Shdr){ .sh_name = 11, .sh_type = SHT_PROGBITS,
				     .sh_offset = sizeof(*im) + eh, .sh_size = size - eh };
	im->shdrs[3] = (Elf64_Shdr){ .sh_name = 24, .sh_type = SHT_STRTAB,
				     .sh_offset = offsetof(struct image, names),
				     .sh_size = sizeof(im->names) };
	memcpy(im->bytes, bytes, size);
	fuzz_assert(elf_file_memory(&file, im, sizeof(*im) + size) == 0);
	return file;
}

struct world {
	const struct unwind_table *table;
	const struct elf_file *file;
};

static void code_at(void *arg, uint64_t addr, struct unwind_code *out)
{
	const struct world *w = arg;

	*out = (struct unwind_code){ .executable = addr >> 40 == 0, .table = w->table };
}

static bool read_at(void *arg, uint64_t addr, void *out, size_t size)
{
	const struct world *w = arg;

	return addr >= BASE && elf_file_read(w->file, addr - BASE, out, size);
}

static void walk(const struct world *w, const struct arch *arch, const uint8_t *stack, size_t size,
		 uint64_t ip)
{
	static uint64_t words[WORDS];
	struct unwinder *u = unwinder_new(arch);
	struct unwind_source source = {
		.stack = stack, .stack_start = arch->is_64bit ? STACK_AT : 0xff001000,
		.stack_size = size, .code = code_at, .read = read_at, .arg = (void *)(uintptr_t)w,
	};
	struct unwind_regs regs = { .known = (1ull << arch->nr_dwarf_regs) - 1 };
	enum unwind_stop stop;
	uint32_t nr;

	source.is_cut = size & 1;
	for (unsigned i = 0; i < arch->nr_dwarf_regs; i++)
		regs.v[i] = source.stack_start + i * 8;
	regs.v[arch->dwarf_sp] = source.stack_start;
	regs.v[arch->dwarf_ip] = ip;
	stop = unwind_walk(u, &source, &regs, words, WORDS, &nr);
	fuzz_assert(stop < UNWIND_STOP_COUNT);
	fuzz_assert(nr >= 2 && nr <= WORDS);
	unwinder_free(u);
}

#define STARTS 16

struct starts {
	uint64_t v[STARTS];
	unsigned nr;
};

static void note_start(const struct cfi_fde *fde, void *arg)
{
	struct starts *s = arg;

	fuzz_assert(fde->end > fde->start);
	if (s->nr + 3 <= STARTS) {
		s->v[s->nr++] = fde->start;
		s->v[s->nr++] = fde->start + (fde->end - fde->start) / 2;
		s->v[s->nr++] = fde->end - 1;
	}
}

/* Walks from code that the entries speak of. */
static void walk_all(const struct world *w, struct elf_file *file, const uint8_t *stack, size_t size)
{
	const struct arch *arch = arch_of_machine(file->machine, true);
	struct starts starts = { .nr = 0 };
	struct cfi cfi;

	for (int debug = 0; debug < 2; debug++) {
		if (!cfi_init(&cfi, file, debug))
			continue;
		cfi_each(&cfi, note_start, &starts);
		cfi_release(&cfi);
	}
	for (unsigned i = 0; i < starts.nr; i++)
		walk(w, arch, stack, size, starts.v[i]);
	walk(w, arch, stack, size, BASE + 100);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint16_t machines[] = { EM_X86_64, EM_AARCH64 };
	struct elf_file *file;
	struct unwind_table *table;
	struct ranges *ranges;
	struct world world;
	uint64_t start, end;
	size_t eh;

	if (size < 2)
		return 0;
	eh = (size - 2) * bytes[0] / 255;
	file = make_file(bytes + 2, size - 2, eh, machines[bytes[1] & 1]);
	table = unwind_table_new(file, bytes[1] & 2 ? file : NULL);
	world = (struct world){ table, file };
	fuzz_assert(unwind_table_frame_pointers(table) <= 1000);
	walk_all(&world, file, bytes + size - size / 3, size / 3);
	unwind_table_find(table, 0);
	unwind_table_find(table, UINT64_MAX);
	ranges = ranges_new(file);
	ranges_find(ranges, BASE, &start, &end);
	ranges_free(ranges);
	unwind_table_free(table);
	elf_file_free(file);
	return 0;
}
