/* SPDX-License-Identifier: MIT */
/*
 * elf_file: an ELF file opened with care.
 *
 * Paths come from recordings, so only regular files are opened, without waiting
 * (a FIFO would block, a device would act).  The file is mapped by libelf and its
 * descriptor closed again: thousands of modules may be open.
 *
 * Threads: an elf_file belongs to one thread at a time, as libelf does.
 */
#ifndef SYMBOLS_ELF_FILE_H
#define SYMBOLS_ELF_FILE_H

#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>

#include "symbols/symbols.h"

/* A PT_LOAD program header. */
struct elf_segment {
	uint64_t vaddr, memsz, offset, filesz;
	bool exec, write;
};

struct elf_file {
	Elf *elf;
	void *image;             /* of elf_file_memory: freed with the file */
	const char *raw;         /* the whole file's bytes, or NULL */
	size_t raw_size;
	char *path;              /* where it was opened; NULL: in memory */
	bool is_64bit, swap;     /* swap: not in the host's byte order */
	uint16_t machine, type;  /* EM_, ET_ */
	struct elf_segment *loads;
	uint32_t nr_loads;
	uint8_t build_id_size, build_id[20];
};

/*
 * Open the file at `path`. Returns 0, the negative errno of open, -EACCES for
 * what is not a regular file, or -ENOEXEC for what is not ELF.
 */
int elf_file_open(struct elf_file **out, const char *path);

/* The same, so that sections' data may be written to; the file stays as it is. */
int elf_file_open_private(struct elf_file **out, const char *path);

/* The same over bytes in memory, which become the file's in every case. */
int elf_file_memory(struct elf_file **out, void *image, size_t size);

void elf_file_free(struct elf_file *file);

/* file_off -> elf_addr by the PT_LOADs; false if none holds it. */
bool elf_file_addr(const struct elf_file *file, uint64_t file_off, uint64_t *elf_addr);

/* The PT_LOAD that elf_addr lies in, or NULL. */
const struct elf_segment *elf_file_segment(const struct elf_file *file, uint64_t elf_addr);

/* Copy bytes of the file as they stand there; false if it is not that long. Any thread. */
bool elf_file_read(const struct elf_file *file, uint64_t file_off, void *out, size_t size);

/* The section of this name that has data in the file, opened if compressed; NULL if none. */
Elf_Data *elf_file_section(struct elf_file *file, const char *name, GElf_Shdr *shdr);

/* The same of the form before SHF_COMPRESSED: ".zdebug_frame". */
Elf_Data *elf_file_old_section(struct elf_file *file, const char *name, GElf_Shdr *shdr);

/* Whether it has a symbol table of its own, and not only that of the dynamic linker. */
bool elf_file_has_symtab(const struct elf_file *file);

/* A section's data, opened if compressed; NULL if it has none. */
Elf_Data *elf_file_data(Elf_Scn *scn);

/* The section's name, or "". */
const char *elf_file_section_name(struct elf_file *file, const GElf_Shdr *shdr);

/* Of all sections' type, place and size: a stripped file has its build-id still. */
uint64_t elf_file_hash(const struct elf_file *file);

/* Whether two build-ids are one: recordings pad short ones with zeros to 20 bytes. */
bool build_id_equal(const uint8_t *a, uint8_t size_a, const uint8_t *b, uint8_t size_b);

/* Open a regular file for reading: a descriptor or a negative errno. */
int regular_file_open(const char *path, uint64_t *size);

#endif
