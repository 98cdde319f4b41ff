/* SPDX-License-Identifier: MIT */
/*
 * elf_symbols: the names an ELF file holds -> symtab.
 *
 * Taken are functions, ifuncs and objects, and labels without a type in sections
 * of code or data; not taken are undefined, absolute and thread-local ones,
 * symbols of sections that are not in memory, mapping symbols ($x, $d, $t, $a) and
 * local labels (.L).  Sizes are believed only up to the end of the section.
 */
#ifndef SYMBOLS_ELF_SYMBOLS_H
#define SYMBOLS_ELF_SYMBOLS_H

#include "symbols/elf_file.h"
#include "symbols/symtab.h"

/*
 * Add the symbols of .symtab, and those of .dynsym if they may be more. Names are borrowed from `file`. Returns
 * how many were added.
 */
uint32_t elf_symbols_add(struct symtab *tab, struct elf_file *file);

/*
 * Add "NAME@plt" for the entries of the file's procedure linkage tables (plt.c).
 * `main` (finished, may be NULL) names the resolvers of ifuncs that have no symbol.
 */
uint32_t elf_plt_add(struct symtab *tab, struct elf_file *file, const struct symtab *main);

#endif
