/* SPDX-License-Identifier: MIT */
#include "symbols/elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"

#define NOTES_MAX ((uint64_t)1 << 20)
#define LOADS_MAX 4096
#define PAGE_MAX 65536           /* largest page that segments are aligned to in the file */
/* What a compressed section may say it opens to. */
#define OPENED_MAX ((uint64_t)1 << 31)
#define DEFLATE_MAX 1032         /* zlib's best: 258 bytes out of two bits */

int regular_file_open(const char *path, uint64_t *size)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EACCES;
	}
	if (size)
		*size = (uint64_t)st.st_size;
	return fd;
}

int build_id_from_notes(const void *notes, size_t size, bool swap, uint8_t build_id[20])
{
	const uint8_t *p = notes;
	size_t at = 0;

	while (size - at >= 12) {
		uint32_t words[3];       /* namesz, descsz, type */
		uint64_t name, desc, next;

		memcpy(words, p + at, sizeof(words));
		for (int i = 0; swap && i < 3; i++)
			words[i] = __builtin_bswap32(words[i]);
		name = at + 12;
		desc = name + (((uint64_t)words[0] + 3) & ~3ull);
		next = desc + (((uint64_t)words[1] + 3) & ~3ull);
		if (desc > size || desc + words[1] > size)
			return 0;
		if (words[2] == NT_GNU_BUILD_ID && words[0] == 4 && words[1] &&
		    memcmp(p + name, "GNU", 4) == 0) {
			uint32_t n = words[1] < 20 ? words[1] : 20;

			memcpy(build_id, p + desc, n);
			return (int)n;
		}
		if (next > size)
			return 0;
		at = (size_t)next;
	}
	return 0;
}

bool build_id_equal(const uint8_t *a, uint8_t size_a, const uint8_t *b, uint8_t size_b)
{
	for (uint8_t i = 0; i < size_a || i < size_b; i++)
		if ((i < size_a ? a[i] : 0) != (i < size_b ? b[i] : 0))
			return false;
	return size_a && size_b;
}

/* The build-id among the notes at one place of the file. */
static int notes_at(Elf *elf, uint64_t offset, uint64_t size, bool swap, uint8_t build_id[20])
{
	Elf_Data *data;

	if (!size || size > NOTES_MAX)
		return 0;
	data = elf_getdata_rawchunk(elf, (int64_t)offset, size, ELF_T_BYTE);
	return data && data->d_buf ? build_id_from_notes(data->d_buf, data->d_size, swap, build_id)
				   : 0;
}

/*
 * Program headers first: they stand at the file's start. A separate debug file's
 * may point at what was taken out, hence the sections afterwards.
 */
static int build_id_of(Elf *elf, bool swap, uint8_t build_id[20])
{
	Elf_Scn *scn = NULL;
	GElf_Phdr phdr;
	GElf_Shdr shdr;
	size_t n = 0;
	int size = 0;

	elf_getphdrnum(elf, &n);
	for (size_t i = 0; i < n && i < LOADS_MAX && !size; i++)
		if (gelf_getphdr(elf, (int)i, &phdr) && phdr.p_type == PT_NOTE)
			size = notes_at(elf, phdr.p_offset, phdr.p_filesz, swap, build_id);
	while (!size && (scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_NOTE)
			size = notes_at(elf, shdr.sh_offset, shdr.sh_size, swap, build_id);
	return size;
}

static bool host_order(const unsigned char *ident)
{
	return ident[EI_DATA] == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB
									     : ELFDATA2MSB);
}

static void load_segments(struct elf_file *file)
{
	GElf_Phdr phdr;
	size_t n = 0;

	elf_getphdrnum(file->elf, &n);
	if (n > LOADS_MAX)
		n = LOADS_MAX;
	file->loads = mem_zalloc(n * sizeof(*file->loads));
	for (size_t i = 0; i < n; i++) {
		struct elf_segment *load = &file->loads[file->nr_loads];

		if (!gelf_getphdr(file->elf, (int)i, &phdr) || phdr.p_type != PT_LOAD)
			continue;
		if (phdr.p_vaddr + phdr.p_memsz < phdr.p_vaddr ||
		    phdr.p_offset + phdr.p_filesz < phdr.p_offset)
			continue;
		load->vaddr = phdr.p_vaddr;
		load->memsz = phdr.p_memsz;
		load->offset = phdr.p_offset;
		load->filesz = phdr.p_filesz;
		load->exec = phdr.p_flags & PF_X;
		load->write = phdr.p_flags & PF_W;
		file->nr_loads++;
	}
}

static int take(struct elf_file **out, Elf *elf, void *image)
{
	struct elf_file *file;
	GElf_Ehdr ehdr;

	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &ehdr)) {
		elf_end(elf);
		free(image);
		return -ENOEXEC;
	}
	file = mem_zalloc(sizeof(*file));
	file->elf = elf;
	file->image = image;
	file->raw = elf_rawfile(elf, &file->raw_size);
	file->is_64bit = ehdr.e_ident[EI_CLASS] == ELFCLASS64;
	file->swap = !host_order(ehdr.e_ident);
	file->machine = ehdr.e_machine;
	file->type = ehdr.e_type;
	load_segments(file);
	file->build_id_size = (uint8_t)build_id_of(elf, file->swap, file->build_id);
	*out = file;
	return 0;
}

static int open_by(struct elf_file **out, const char *path, Elf_Cmd command)
{
	int fd = regular_file_open(path, NULL);
	Elf *elf;
	int ret;

	if (fd < 0)
		return fd;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, command, NULL);
	/* Where mapping worked this costs nothing; otherwise it reads the file now. */
	if (elf && elf_kind(elf) == ELF_K_ELF && elf_cntl(elf, ELF_C_FDREAD) < 0)
		ret = -EIO;
	else
		ret = 0;
	close(fd);
	if (ret) {
		elf_end(elf);
		return ret;
	}
	ret = take(out, elf, NULL);
	if (ret == 0)
		(*out)->path = mem_strdup(path);
	return ret;
}

int elf_file_open(struct elf_file **out, const char *path)
{
	return open_by(out, path, ELF_C_READ_MMAP);
}

int elf_file_open_private(struct elf_file **out, const char *path)
{
	return open_by(out, path, ELF_C_READ_MMAP_PRIVATE);
}

int elf_file_memory(struct elf_file **out, void *image, size_t size)
{
	elf_version(EV_CURRENT);
	return take(out, elf_memory(image, size), image);
}

void elf_file_free(struct elf_file *file)
{
	if (!file)
		return;
	elf_end(file->elf);
	free(file->loads);
	free(file->image);
	free(file->path);
	free(file);
}

static bool holds(uint64_t start, uint64_t size, uint64_t x)
{
	return x >= start && x - start < size;
}

/*
 * Two segments may share a page of the file, which is then mapped twice: the
 * segment that names the byte comes first, code before data, and only then one
 * that holds it because mappings are made of whole pages.
 */
bool elf_file_addr(const struct elf_file *file, uint64_t file_off, uint64_t *elf_addr)
{
	const struct elf_segment *best = NULL;
	int best_worth = 0;

	for (uint32_t i = 0; i < file->nr_loads; i++) {
		const struct elf_segment *load = &file->loads[i];
		uint64_t from = load->offset & ~(uint64_t)(PAGE_MAX - 1);
		int worth;

		if (holds(load->offset, load->filesz, file_off))
			worth = load->exec ? 4 : 3;
		else if (holds(from, load->offset - from + load->filesz + PAGE_MAX, file_off))
			worth = load->exec ? 2 : 1;
		else
			continue;
		if (worth > best_worth) {
			best = load;
			best_worth = worth;
		}
	}
	if (!best)
		return false;
	*elf_addr = file_off - best->offset + best->vaddr;
	return true;
}

const struct elf_segment *elf_file_segment(const struct elf_file *file, uint64_t elf_addr)
{
	for (uint32_t i = 0; i < file->nr_loads; i++)
		if (holds(file->loads[i].vaddr, file->loads[i].memsz, elf_addr))
			return &file->loads[i];
	return NULL;
}

bool elf_file_read(const struct elf_file *file, uint64_t file_off, void *out, size_t size)
{
	if (!file->raw || file_off > file->raw_size || size > file->raw_size - file_off)
		return false;
	memcpy(out, file->raw + file_off, size);
	return true;
}

const char *elf_file_section_name(struct elf_file *file, const GElf_Shdr *shdr)
{
	const char *name = NULL;
	size_t strings;

	if (elf_getshdrstrndx(file->elf, &strings) == 0)
		name = elf_strptr(file->elf, strings, shdr->sh_name);
	return name ? name : "";
}

Elf_Data *elf_file_data(Elf_Scn *scn)
{
	GElf_Shdr shdr;
	GElf_Chdr chdr;
	Elf_Data *data;

	if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
		return NULL;
	if (shdr.sh_flags & SHF_COMPRESSED) {
		if (!gelf_getchdr(scn, &chdr) || chdr.ch_size > OPENED_MAX ||
		    chdr.ch_size / DEFLATE_MAX > shdr.sh_size ||
		    elf_compress(scn, 0, 0) < 0)
			return NULL;
	}
	data = elf_getdata(scn, NULL);
	return data && data->d_buf && data->d_size ? data : NULL;
}

/*
 * The older form of compressed sections, .zdebug_: "ZLIB", how many bytes it opens to in
 * eight of the big end first, and the stream.
 */
static bool open_old_form(Elf_Scn *scn)
{
	Elf_Data *raw = elf_rawdata(scn, NULL);
	uint64_t opened = 0;

	if (!raw || !raw->d_buf || raw->d_size < 12 || memcmp(raw->d_buf, "ZLIB", 4) != 0)
		return false;
	for (unsigned i = 0; i < 8; i++)
		opened = opened << 8 | ((const uint8_t *)raw->d_buf)[4 + i];
	return opened <= OPENED_MAX && opened / DEFLATE_MAX <= raw->d_size &&
	       elf_compress_gnu(scn, 0, 0) >= 0;
}

Elf_Data *elf_file_old_section(struct elf_file *file, const char *name, GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, shdr) && shdr->sh_type != SHT_NOBITS &&
		    strcmp(elf_file_section_name(file, shdr), name) == 0)
			return open_old_form(scn) ? elf_getdata(scn, NULL) : NULL;
	return NULL;
}

Elf_Data *elf_file_section(struct elf_file *file, const char *name, GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(file->elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, shdr) ||
		    strcmp(elf_file_section_name(file, shdr), name) != 0)
			continue;
		data = elf_file_data(scn);
		if (data)
			return data;
	}
	return NULL;
}

static int kernel_build_id(uint8_t build_id[20])
{
	uint8_t notes[65536];
	ssize_t size;
	int fd = regular_file_open("/sys/kernel/notes", NULL);

	if (fd < 0)
		return fd;
	size = read(fd, notes, sizeof(notes));
	close(fd);
	return size < 0 ? -EIO : build_id_from_notes(notes, (size_t)size, false, build_id);
}

int build_id_read(const char *path, uint8_t build_id[20])
{
	Elf *elf;
	GElf_Ehdr ehdr;
	int fd, size = -ENOEXEC;

	if (!path)
		return kernel_build_id(build_id);
	fd = regular_file_open(path, NULL);
	if (fd < 0)
		return fd;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &ehdr))
		size = build_id_of(elf, !host_order(ehdr.e_ident), build_id);
	elf_end(elf);
	close(fd);
	return size;
}

bool elf_file_has_symtab(const struct elf_file *file)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, &shdr) && shdr.sh_type == SHT_SYMTAB && shdr.sh_size)
			return true;
	return false;
}

uint64_t elf_file_hash(const struct elf_file *file)
{
	uint64_t hash = (uint64_t)file->type << 16 | file->machine;
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, &shdr))
			hash = hash_mix(hash_mix(hash, shdr.sh_type),
					hash_mix(shdr.sh_offset, shdr.sh_size));
	return hash;
}
