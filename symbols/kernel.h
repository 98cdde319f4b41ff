/* SPDX-License-Identifier: MIT */
/*
 * kernel: names of the kernel and its modules at run addresses.
 *
 * In: /proc/kallsyms and /proc/modules of the running kernel (or the files that
 * were named), or a vmlinux.  Before any name is given out, the kernel that runs
 * is compared with the recording's: by build-id where both are known, else by
 * release, and by where the reference symbol ran.  The same kernel booted again
 * with another KASLR offset is shifted; its modules cannot be.  The running kernel's
 * names are kept from one run to the next (kernel_index.c).
 *
 * Threads: kernel_open takes the lock; after it, any may look up.
 */
#ifndef SYMBOLS_KERNEL_H
#define SYMBOLS_KERNEL_H

#include "symbols/symbols.h"
#include "symbols/symtab.h"

struct kernel;

struct kernel *kernel_new(const struct symbol_options *options);
void kernel_free(struct kernel *kernel);

/* Where the recording says a symbol ran; before kernel_open. */
void kernel_set_ref(struct kernel *kernel, const char *symbol, uint64_t run_addr);

/*
 * Read the names, once. `build_id` is the recording's for the kernel (size 0: not
 * stated). NAME_OK, or why there are none.
 */
enum name_reason kernel_open(struct kernel *kernel, const uint8_t *build_id,
			     uint8_t build_id_size);

/* The vmlinux that -k named, once opened, or NULL; and the recording's addresses minus ours. */
struct elf_file *kernel_vmlinux(const struct kernel *kernel, uint64_t *shift);

/*
 * A vmlinux of the recorded kernel that has debug information, borrowed, and the recording's
 * addresses minus its own; or NULL. After kernel_open, with the same build-id.
 */
struct elf_file *kernel_debug(struct kernel *kernel, const uint8_t *build_id,
			      uint8_t build_id_size, uint64_t *shift);

/* A name that was found: for symtab_name. Addresses in it are run addresses. */
struct kernel_hit {
	struct symtab *tab;
	struct symtab_hit hit;
};

/* The symbol of the kernel itself at a run address. */
bool kernel_find(struct kernel *kernel, uint64_t run_addr, struct kernel_hit *out);

/* Whether a module ("ext4"; '-' and '_' are one) is loaded here. */
bool kernel_has_module(const struct kernel *kernel, const char *name);

/* The symbol of a module at a run address. */
bool kernel_module_find(const struct kernel *kernel, const char *name, uint64_t run_addr,
			struct kernel_hit *out);

#endif
