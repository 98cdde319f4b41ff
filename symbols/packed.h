/* SPDX-License-Identifier: MIT */
/*
 * packed: look-ups in the names that travelled with a recording (formats/pack).
 *
 * Threads: one opens, any number look up.
 */
#ifndef SYMBOLS_PACKED_H
#define SYMBOLS_PACKED_H

#include "symbols/symbols.h"

struct packed;

/* `module` is borrowed. Never NULL. */
struct packed *packed_new(const struct pack_module *module, bool no_demangle);
void packed_free(struct packed *packed);

bool packed_find(struct packed *packed, uint64_t elf_addr, struct symbol *out);

/* file_off -> elf_addr by the segments; false if none holds it. */
bool packed_addr(const struct packed *packed, uint64_t file_off, uint64_t *elf_addr);

#endif
