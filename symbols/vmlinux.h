/* SPDX-License-Identifier: MIT */
/*
 * vmlinux: the recorded kernel's names on a machine that runs another, or hides them.
 *
 * Believed is only what has the recording's build-id, so without one nothing is found.
 * Looked at, below symfs first if that is given:
 *
 *	/usr/lib/debug/.build-id/ab/cdef....debug          distributions' debug packages
 *	DIR/.build-id/ab/cdef....debug                     DIR of --debug-dir
 *	/usr/lib/debug/{boot/,lib/modules/RELEASE/,}vmlinux[-RELEASE]
 *	/boot/vmlinux-RELEASE, /lib/modules/RELEASE/{,build/}vmlinux
 *	~/.debug/.build-id/ab/cdef..../{vmlinux,elf}       kept by perf
 *	~/.debug/.build-id/ab/cdef..../kallsyms            likewise
 */
#ifndef SYMBOLS_VMLINUX_H
#define SYMBOLS_VMLINUX_H

#include "base/str.h"
#include "symbols/elf_file.h"

/* The vmlinux, which the caller frees, or NULL; by the options' symfs, debug_dir and os_release. */
struct elf_file *vmlinux_find(const uint8_t *build_id, uint8_t size,
			      const struct symbol_options *options);

/* Where the file's symbol table has a symbol of this name; 0: nowhere. */
uint64_t vmlinux_symbol(struct elf_file *vmlinux, const char *name);

/* The path of the kallsyms that perf kept of that kernel. */
bool vmlinux_kept_kallsyms(const uint8_t *build_id, uint8_t size, struct str *path);

#endif
