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

#endif
