/* SPDX-License-Identifier: MIT */
/*
 * relocs: what the dynamic linker writes where.
 *
 * Code that calls or reads through the GOT names a slot, and only the relocations
 * tell whose address comes to stand there.  In: an ELF file.  Out: slot -> name.
 */
#ifndef SYMBOLS_RELOCS_H
#define SYMBOLS_RELOCS_H

#include "symbols/elf_file.h"

struct relocs;

/* Read the file's dynamic relocations. Never NULL; names are borrowed from `file`. */
struct relocs *relocs_new(struct elf_file *file);
void relocs_free(struct relocs *relocs);

/* The symbol that the word at elf_addr is relocated by, or NULL. */
const char *relocs_find(const struct relocs *relocs, uint64_t elf_addr);

#endif
