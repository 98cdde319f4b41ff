/* SPDX-License-Identifier: MIT */
/*
 * dwarf: an address -> its line of source, and the functions that were inlined there.
 *
 *	.debug_info  --unit headers--> which unit covers an address (once, at first use)
 *	a unit       --when an address in it is first asked for-->
 *		rows      | addr | file, line |             sorted; from .debug_line
 *		segments  | addr | innermost scope |        sorted; nested ranges laid flat
 *		scopes    function or inlined call -> the scope around it
 *
 * DWARF 2 to 5, of 32 and 64 bits, in either byte order; what dwz moved into another
 * file (.gnu_debugaltlink); split DWARF in .dwo files and in .dwp; compressed sections.
 *
 * The sections are read here and not by libdw: its handles belong to one thread (0.188),
 * keep what they read for ever, and walk a unit's tree of scopes for each address.
 * A unit's tables are a tenth of its DWARF, and a look-up in them is two binary searches.
 *
 * Input is hostile: every offset is checked, chains of references are bounded, and the
 * work for a file is bounded by its size however its parts refer to one another.
 *
 * Threads: any; a unit is read under a lock by the first that wants it.
 *
 * Sources: DWARF 5 standard (sections are cited in the code); for what GCC and dwz did
 * before it, https://gcc.gnu.org/wiki/DebugFission and the DWARF 4 extensions in dwarf.h.
 */
#ifndef SYMBOLS_DWARF_H
#define SYMBOLS_DWARF_H

#include <pthread.h>

#include "symbols/elf_file.h"

struct dwarf;

/*
 * Use the debug information in `file`, borrowed. `path` is where the program is, beside
 * which .dwo and .dwp files are looked for, too. NULL if there is none. `elf_lock` guards
 * the file, and is the caller's now; sections are read under it later.
 */
struct dwarf *dwarf_new(struct elf_file *file, pthread_mutex_t *elf_lock, const char *path,
			bool no_demangle);
void dwarf_free(struct dwarf *dwarf);

/* What an index has, which is taken over, and nothing else: for tests. NULL: no lines in it. */
struct index;
struct dwarf *dwarf_of_index(struct index *index, bool no_demangle);

/*
 * Keep in the index (symbols/index.h) what was read of a file with build-id: what is there
 * needs not be read the next time. Nobody may look up meanwhile.
 */
void dwarf_keep(struct dwarf *dwarf);

/* See module_lines. */
uint32_t dwarf_find(struct dwarf *dwarf, uint64_t elf_addr, struct source_frame *out, uint32_t max);

/* See module_source. */
const char *dwarf_source(struct dwarf *dwarf, const char *file);

#endif
