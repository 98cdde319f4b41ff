/* SPDX-License-Identifier: MIT */
/* kernel_priv: what kernel.c and kernel_index.c share. For them alone. */
#ifndef SYMBOLS_KERNEL_PRIV_H
#define SYMBOLS_KERNEL_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "base/vec.h"
#include "symbols/index.h"
#include "symbols/kernel.h"

struct kmod {
	const char *name;        /* with '_' for '-' */
	struct symtab *tab;      /* NULL: has no names */
	uint64_t end;            /* how far its code reaches; 0: not known */
};

/* Symbols that recorders refer to: kernel_index keeps where they are. */
enum { REF_TEXT, REF_STEXT, REFS };
extern const char *const kernel_refs[REFS];

struct kernel {
	const struct symbol_options *options;
	pthread_mutex_t lock;
	bool opened;
	enum name_reason reason;
	char *ref_symbol;
	uint64_t ref_addr;       /* the recording's */
	uint64_t own_ref_addr;   /* that of the names here; 0: has none */
	uint64_t refs[REFS];     /* where kernel_refs are; 0: not there */
	uint64_t shift;          /* recording's addresses minus ours */
	struct elf_file *vmlinux;
	struct elf_file *debug;  /* a vmlinux for its lines, where the names are from elsewhere */
	uint64_t debug_shift;    /* recording's addresses minus its */
	bool debug_looked_for;
	struct symtab *own;
	struct symtab *made;     /* [__builtin__ftrace] and the like: code made at run time */
	atomic_bool made_known;  /* false: not read yet, they are not in an index */
	struct intern names;     /* of modules -> index in mods */
	VEC(struct kmod) mods;
	struct index *index;     /* of the running kernel's names; tables lie in it */
};

struct kmod *kernel_module_of(struct kernel *kernel, const char *name);

/* What names of the running kernel an index may be of; no id: they cannot be kept. */
struct kernel_print {
	uint8_t build_id[20];
	int build_id_size;
	uint64_t fingerprint;
};

struct kernel_print kernel_print_now(void);

/* Take own, modules and refs from the index; false: there is none. */
bool kernel_index_load(struct kernel *kernel, const struct kernel_print *print);
void kernel_index_save(const struct kernel *kernel, const struct kernel_print *print);

#endif
