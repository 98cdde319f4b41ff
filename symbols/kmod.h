/* SPDX-License-Identifier: MIT */
/*
 * kmod: names of a kernel module out of its file, at the addresses where it ran.
 *
 * A .ko is a relocatable object: its sections have no addresses.  The kernel puts those
 * with code one behind the other, in the file's order and each aligned as it wants,
 * from the address on that /proc/modules shows; .init ones stand elsewhere (kernel/module/
 * main.c, layout_sections, Linux 6.1).  On machines where it makes tables of its own
 * between them (arm64's .plt, ppc64) only the first section is taken.
 */
#ifndef SYMBOLS_KMOD_H
#define SYMBOLS_KMOD_H

#include "symbols/elf_file.h"
#include "symbols/symtab.h"

/* A finished table of run addresses, names borrowed from `file`; empty if it is no module. */
struct symtab *kmod_symbols(struct elf_file *file, uint64_t run_start, unsigned options);

/*
 * Write into the file's debug information where its code ran, so that it can be read like
 * that of any program, with run addresses for its own. The file was opened with
 * elf_file_open_private or is in memory. False, and it is of no use, if it is no relocatable
 * object, or of a machine whose relocations are not known here. The file has no build-id
 * any more: what is read of it holds for this run_start alone.
 */
bool kmod_relocate(struct elf_file *file, uint64_t run_start);

#endif
