/* SPDX-License-Identifier: MIT */
/*
 * unpack: xz, zstd and gzip, opened into memory.
 *
 * In: bytes out of a file, which say by their first ones what they are.  Out: memory of the
 * caller's.  What opens to more than 256 MB is refused, and so is what is damaged.
 */
#ifndef SYMBOLS_UNPACK_H
#define SYMBOLS_UNPACK_H

#include <stddef.h>

struct elf_file;

/* New memory, or NULL for what is none of the three, damaged or too large. */
char *unpack(const void *bytes, size_t size, size_t *out_size);

/*
 * Open an ELF file, packed or not, so that its sections may be written to in memory. The
 * errors of elf_file_open; build-ids are not compared.
 */
int unpack_elf_open(struct elf_file **out, const char *path);

#endif
