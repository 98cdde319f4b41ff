/* SPDX-License-Identifier: MIT */
/*
 * ranges: where functions start and end, by the unwinding tables.
 *
 * Stripping takes names but not .eh_frame: each of its FDEs is the extent of one
 * function, or of a part of one.  So a stripped function still is one row of a
 * report, and a symbol without a size is kept from covering its neighbours.
 */
#ifndef SYMBOLS_RANGES_H
#define SYMBOLS_RANGES_H

#include "symbols/elf_file.h"

struct ranges;

/* Read the file's .eh_frame. Never NULL; empty if there is none or it is damaged. */
struct ranges *ranges_new(struct elf_file *file);
void ranges_free(struct ranges *ranges);

/* As symtab_save and symtab_load: the draft borrows from the ranges, these from the index. */
struct index;
struct index_draft;
void ranges_save(const struct ranges *ranges, struct index_draft *draft);
struct ranges *ranges_load(const struct index *index);

uint32_t ranges_count(const struct ranges *ranges);

/* The range that covers elf_addr. */
bool ranges_find(const struct ranges *ranges, uint64_t elf_addr, uint64_t *start, uint64_t *end);

#endif
