/* SPDX-License-Identifier: MIT */
/* What the files of module share; nobody else includes this. */
#ifndef SYMBOLS_MODULE_PRIV_H
#define SYMBOLS_MODULE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/vec.h"
#include "symbols/elf_file.h"
#include "symbols/kernel.h"
#include "symbols/names.h"
#include "symbols/packed.h"
#include "symbols/ranges.h"
#include "symbols/symbols.h"
#include "symbols/symtab.h"

/* A name that the recording itself carries. */
struct added {
	uint64_t start, end;
	const char *name;
};

struct jit_dump {
	char *path;
	uint64_t mapped_ns;
};

struct module_priv {
	struct module_set *set;
	char *path, *short_name;         /* the module's */
	struct module *same_path;        /* the next one of this kind and path */
	bool is_guest;
	pthread_mutex_t lock;            /* opening, `added`, ranges and their names */
	atomic_bool opened;
	bool looked_for;                 /* `file` was, and `debug`, on this machine */
	enum name_reason found;          /* once looked for: why there is no file */
	enum name_reason reason;         /* once opened: why there are no names at all */
	struct elf_file *file;           /* what is mapped; NULL if it cannot be had */
	struct elf_file *debug;          /* more names of it; NULL: none */
	struct names names;
	atomic_bool has_dwarf;           /* whether it was looked for */
	struct elf_file *dwarf_file;     /* a debug file that was opened for lines alone, or NULL */
	uint64_t dwarf_shift;            /* of the kernel: where it ran minus where it was linked */
	struct dwarf *dwarf;             /* NULL: none */
	struct ranges *ranges;           /* read when a name is missing */
	struct map64 range_names;        /* start -> const char * */
	_Atomic(struct unwind_table *) unwind;   /* made when a stack is unwound */
	struct arena arena;
	const struct pack_module *packed;        /* names that came with the recording, or NULL */
	struct packed *packed_names;     /* once opened */
	VEC(struct added) added;
	atomic_bool has_added;
	struct symtab *kmod;             /* of a kernel module's own file, when it was asked for */
	enum name_reason kmod_reason;
	uint64_t run_start;              /* of a kernel module; 0: not known */
	uint32_t jit_pid;                /* "/tmp/perf-PID.map"; 0: not a JIT's memory */
	VEC(struct jit_dump) jit_dumps;
	struct jit *jit;                 /* once opened; NULL: nothing was found */
	uint64_t jit_stamp;              /* of its files, when they were read; for module_set_renew */
	atomic_bool jit_missed;          /* there was no name for an address since */
};

struct module_set {
	struct symbol_options options;
	struct kernel *kernel;
	struct arena arena;
	VEC(struct module *) modules;
	struct intern keys;              /* kind and path -> index in heads */
	VEC(struct module *) heads;      /* first module of a key */
	size_t nr_made;
	VEC(struct module *) spare;      /* forgotten ones, whose numbers are free */
	struct module *host_kernel;      /* the first MODULE_KERNEL that is no guest's */
};

/* module_open.c: read what names there are, once. All look-ups begin with it. */
void module_open(struct module *module);

/* Open the file at the mapping's path into priv->file: NAME_OK, or why it is not to be had. */
enum name_reason module_open_path(struct module *module);

/* The separate debug file of priv->file, which the caller frees, or NULL. */
struct elf_file *module_find_debug(struct module *module);

/* module_kernel.c: lines of the kernel or a module of it into priv->dwarf. Under the lock. */
void module_open_kernel_dwarf(struct module *module);
/* A file of a kernel module with debug information, which the caller frees, or NULL. */
struct elf_file *module_kmod_debug(struct module *module);

#endif
