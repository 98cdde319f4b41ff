/* SPDX-License-Identifier: MIT */
/*
 * debug_file: the names that were taken out of a file, found again.
 *
 *	1. DEBUGDIR/.build-id/ab/cdef....debug            by the file's build-id
 *	2. DIR/NAME, DIR/.debug/NAME, DEBUGDIR/DIR/NAME   by .gnu_debuglink
 *	3. .gnu_debugdata                                 inside the file, xz
 *
 * DEBUGDIR is /usr/lib/debug, below symfs first if that is given.  What is found
 * by name is believed only if its build-id is the file's, or, where the file has
 * none, the checksum of .gnu_debuglink agrees (the GDB manual, "Debugging
 * Information in Separate Files" and "MiniDebugInfo").
 */
#ifndef SYMBOLS_DEBUG_FILE_H
#define SYMBOLS_DEBUG_FILE_H

#include "symbols/elf_file.h"

/*
 * The separate debug file of `file`, which was opened at `path`. `symfs` may be
 * NULL. The caller frees it; NULL if there is none.
 */
struct elf_file *debug_file_find(struct elf_file *file, const char *path, const char *symfs);

/*
 * The same in one folder, which is laid out as DEBUGDIR: DIR/.build-id/ab/cdef....debug, and
 * by .gnu_debuglink DIR/NAME and DIR/PATH/NAME.
 */
struct elf_file *debug_file_in(struct elf_file *file, const char *path, const char *dir);

/* The ELF file in .gnu_debugdata, or NULL. */
struct elf_file *debug_file_mini(struct elf_file *file);

/*
 * The file that dwz moved common debug information to: the name in .gnu_debugaltlink, or in
 * .debug_sup (DWARF 5, 7.3.6; with a checksum in place of a build-id),
 * relative to the file that has it, or the build-id that stands there, also of a debuginfod.
 */
struct elf_file *debug_file_alt(struct elf_file *file);

/* Append "/.build-id/ab/cdef...", where a folder of debug files has this build-id. */
void debug_file_add_id(struct str *path, const uint8_t *build_id, uint8_t size);

/*
 * A whole file by its build-id: DIR/.build-id/ab/cdef..., as distributions link them below
 * /usr/lib/debug and /usr/lib. `dir` may be NULL: the two only.
 */
struct elf_file *debug_file_binary(const uint8_t *build_id, uint8_t size, const char *dir);

/*
 * A whole file that perf kept under this build-id (~/.debug/.build-id, or
 * buildid.dir's default under root), or NULL.
 */
struct elf_file *debug_file_cached(const uint8_t *build_id, uint8_t size);

#endif
