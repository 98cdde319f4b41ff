/* SPDX-License-Identifier: MIT */
/*
 * symbols: what is this address?
 *
 * A module is one thing that code is mapped from: an ELF file, the kernel, a
 * kernel module, the vdso, an anonymous region.  The same module is the same
 * pointer however many processes map it.  Modules are opened when the first
 * address in them is asked for, and stay open until the set is freed.
 *
 *	run_addr    address in the process          (sample's ip)
 *	file_off    byte in the file                run_addr - mapping.start + mapping.pgoff
 *	elf_addr    address in the ELF file's own   module_elf_addr(file_off), from the
 *	            virtual space (st_value)        program headers, not the sections
 *
 * For the kernel and its modules elf_addr is the run address itself: kallsyms
 * speaks in run addresses.
 *
 * No name is not an error: the reason is data (enum name_reason).
 *
 * Threads: module_intern, module_add_symbol and module_set_kernel_ref by one
 * thread, before the first lookup of that module; lookups by any, at once (a lock
 * is taken inside when a module is opened and when a name is demangled).
 */
#ifndef SYMBOLS_SYMBOLS_H
#define SYMBOLS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "formats/pack.h"

/* The numbers stand in files: see formats/pack.h. */
enum module_kind {
	MODULE_FILE,             /* an ELF file at a path */
	MODULE_KERNEL,           /* the kernel's own text */
	MODULE_KMOD,             /* a kernel module: path or [name] */
	MODULE_VDSO,
	MODULE_ANON,             /* //anon, [heap], [stack], JIT code */
	MODULE_BPF,              /* a BPF program or trampoline (KSYMBOL record) */
};

enum name_reason {
	NAME_OK,
	NAME_NO_MAP,             /* no mapping at that address and time */
	NAME_NO_FILE,            /* the mapped file cannot be opened here */
	NAME_FILE_CHANGED,       /* its build-id is not the recording's */
	NAME_NOT_ELF,
	NAME_STRIPPED,           /* the file has no symbols at all */
	NAME_NO_SYMBOL,          /* it has, but none covers the address */
	NAME_ANON,               /* anonymous memory: JIT code without a map, or data */
	NAME_KERNEL_HIDDEN,      /* kptr_restrict or no right to read kallsyms */
	NAME_KERNEL_OTHER,       /* the recording is of another kernel */
	NAME_KERNEL_ADDR,        /* a kernel address outside of all known kernel text */
	NAME_JIT_NO_MAP,         /* executable anonymous memory, and no file with its names */
	NAME_JIT_REFUSED,        /* there is one, but it is a link or another user's */
	NAME_JIT_UNKNOWN,        /* there is one, but it has nothing at the address */
	NAME_NOT_CODE,           /* the memory there may not be executed: a broken call chain */
	NAME_REASON_COUNT,
};

/* One sentence each: what it is, and what to do about it. */
const char *name_reason_text(enum name_reason reason);
const char *name_reason_advice(enum name_reason reason);

struct symbol {
	const char *name;        /* borrowed from the module; demangled if asked; NULL: none */
	uint64_t start, end;     /* elf_addr, end exclusive */
	enum name_reason reason; /* NAME_OK if name */
	bool is_range;           /* name is "FILE+0xSTART": a stripped function, known by its extent */
};

struct symbol_options {
	const char *symfs;       /* prefix for file paths, or NULL */
	const char *debug_dir;   /* a folder like /usr/lib/debug, looked into first, or NULL */
	const char *vmlinux;     /* -k, or NULL */
	const char *kallsyms;    /* --kallsyms, or NULL: /proc/kallsyms */
	const char *modules;     /* /proc/modules by default */
	const char *os_release;  /* the recording's, or NULL: tells a kernel without build-id */
	uint64_t recording_ns;   /* the recording's first sample, as its header has it; 0: not known */
	int debuginfod_ms;       /* to wait for $DEBUGINFOD_URLS, in all; 0: 3 s, negative: ask no one */
	bool no_demangle;
	bool soon;               /* names will be asked for: a recording may get them ready meanwhile */
	unsigned jobs;           /* threads that may read a recording; 0: as many as cores */
	bool lasting;            /* what JITs write meanwhile is asked for: module_set_renew */
	bool jit_code;           /* keep the code that jitdumps hold, for module_jit_code */
};

struct module {
	enum module_kind kind;
	const char *path;        /* the mapping's name: "/usr/bin/x", "[vdso]", "[kernel.kallsyms]" */
	const char *short_name;  /* last part of the path; "[kernel.kallsyms]" as is */
	uint8_t build_id_size, build_id[20];         /* the recording's; size 0: not stated */
	uint32_t index;          /* place in the set, from 0 */
	bool is_64bit;           /* known once opened; true until then */
	bool is_held;            /* not to be forgotten: somebody outside remembers it */
	struct module_priv *priv;
};

struct module_set;

/* `options` may be NULL; its strings must outlive the set. Never NULL. */
struct module_set *module_set_new(const struct symbol_options *options);
void module_set_free(struct module_set *set);
uint32_t module_set_count(const struct module_set *set);
/* How many were ever made: those that were forgotten count, too. */
size_t module_set_made(const struct module_set *set);
/* Of one that was forgotten path is NULL. */
struct module *module_set_at(const struct module_set *set, uint32_t index);

/*
 * The module for (kind, path, build-id); made when new. build_id may be NULL.
 * A path whose build-id is first not stated and then is stays one module.
 */
struct module *module_intern(struct module_set *set, enum module_kind kind, const char *path,
			     const uint8_t *build_id, uint8_t build_id_size);

/*
 * While nobody looks up: forget the files and JITs' memory that are not used[index], and their
 * names; their numbers may be given to others. Returns how many modules are left.
 */
uint32_t module_set_forget(struct module_set *set, const bool *used);

/*
 * Which kind of module a mapping with this name is, by perf's conventions:
 * "[kernel.kallsyms]_text", "[guest.kernel...", "[vdso]", "//anon", "[heap]",
 * "/lib/modules/.../x.ko", ... `is_kernel` is the record's cpumode.
 */
enum module_kind module_kind_of(const char *mapping_name, bool is_kernel);

/*
 * Names of the module will be asked for: what has to come from a debuginfod is asked for
 * now, so that many modules are waited for at once. Nobody has to.
 */
void module_soon(struct module *module);
/* Whether that does anything. */
bool module_soon_helps(void);

/* file_off -> elf_addr by the program headers; file_off itself if it cannot be told. */
uint64_t module_elf_addr(struct module *module, uint64_t file_off);

/* The symbol that covers elf_addr; out->name NULL and a reason if none. */
void module_symbol(struct module *module, uint64_t elf_addr, struct symbol *out);
/* The same as it was at a time: code that is made at run time has names that change. */
void module_symbol_at(struct module *module, uint64_t elf_addr, uint64_t time_ns,
		      struct symbol *out);

/*
 * For memory of JITs, whose module is "/tmp/perf-PID.map" (module_jit_intern):
 * the process mapped a jitdump from `path` at mapped_ns on the recording's clock (0: that
 * clock is CLOCK_MONOTONIC). Before the first lookup.
 */
struct module *module_jit_intern(struct module_set *set, uint32_t pid);
/* Whether it is a JIT's memory; and, opening it, whether any names of it are known. */
bool module_is_jit(const struct module *module);
bool module_jit_has_names(struct module *module);
void module_add_jit_dump(struct module *module, const char *path, uint64_t mapped_ns);
/* The times at which names of a JIT's code changed, in order; opens the module. */
const uint64_t *module_jit_changes(struct module *module, size_t *nr);

/*
 * While nobody looks up, and with the option `lasting`: read the files of JITs' names again
 * that have changed since, of those modules where a name was missed. Names live on; what
 * module_lines and module_jit_code told of them does not. Returns whether there was any.
 */
bool module_set_renew(struct module_set *set);

struct jit_code;
/* The piece of code there (symbols/jit.h: lines, unwinding tables), or NULL. */
const struct jit_code *module_jit_code(struct module *module, uint64_t run_addr, uint64_t time_ns);

/*
 * A function and the line in it, as the compiler's debug information (DWARF) tells.
 * Frames stand innermost first: each but the last was inlined into the one behind it,
 * whose line is that of the call. Strings are the module's; equal ones are one pointer.
 */
struct source_frame {
	const char *name;        /* demangled if asked; NULL: not told, as in assembly */
	const char *file;        /* with its directory, as the compiler saw it; NULL: not known */
	uint32_t line;           /* 0: not known */
};

/*
 * Lines and inlined functions at elf_addr, into out (room for max). Returns how many:
 * 0 without debug information, or where it does not cover the address. A chain longer
 * than max is cut at its outer end.
 */
uint32_t module_lines(struct module *module, uint64_t elf_addr, struct source_frame *out,
		      uint32_t max);

/*
 * The text of a source file that module_lines told of, where the compiler put it into the debug
 * information (clang -gembed-source, DW_LNCT_LLVM_source); else NULL. The module's.
 */
const char *module_source(struct module *module, const char *file);

/*
 * Keep in the index (symbols/index.h) what was read of lines, so that it need not be read
 * again; module_set_free does it, too. No look-ups meanwhile.
 */
void module_set_keep(struct module_set *set);

/*
 * Tell the kernel module of the recording where its reference symbol ran
 * ("_text" or "_stext" of "[kernel.kallsyms]_text", the mapping's pgoff), so that
 * a kernel that KASLR put elsewhere is noticed. 0: not known.
 */
void module_set_kernel_ref(struct module_set *set, const char *symbol, uint64_t run_addr);

/*
 * Read the kernel's names, if a mapping of it is known, which takes as long as a
 * hundred thousand samples do; for a thread of one's own. Nobody has to.
 */
void module_set_warm(struct module_set *set);

/* Where a MODULE_KMOD ran: for names out of its file. Before the first lookup. */
void module_set_run_start(struct module *module, uint64_t run_addr);

/* Add a name the recording itself carries (KSYMBOL): code at [start, start+len). */
void module_add_symbol(struct module *module, const char *name, uint64_t start, uint64_t len);

/*
 * Give a module the names and segments that travelled with the recording; borrowed for
 * as long as the set lives. They are used where the module's own file is not there, is
 * not known to be the one that ran (no build-id), or names less. Before the first lookup.
 */
void module_set_packed(struct module *module, const struct pack_module *packed);

struct unwind_table;

/*
 * How to unwind from the module's code; NULL where its file cannot be had. Built when it
 * is first asked for; lives as long as the set.
 */
const struct unwind_table *module_unwind_table(struct module *module);

/* Copy `size` bytes that the module's file maps read-only at elf_addr. False: none there. */
bool module_read(struct module *module, uint64_t elf_addr, void *out, size_t size);

/* The module's PT_LOADs, written to out (room for max); returns how many there are. */
uint32_t module_segments(struct module *module, struct pack_segment *out, uint32_t max);

/* The name of a copy, in the cache, of a binary without build-id as it was recorded. */
void module_copy_name(char name[64], const char *path, uint64_t recording_ns);

/*
 * Where the module's code is to be read. Of a file and the vdso `file` is what was
 * mapped, NULL if it cannot be had (reason says why). Of the kernel it is the vmlinux of
 * -k, whose addresses are the recording's minus `shift`; without -k it is NULL, and
 * `running` says that the kernel that runs here is the one that was recorded.
 */
struct elf_file;

struct module_image {
	struct elf_file *file, *debug;   /* borrowed; debug may be NULL */
	enum name_reason reason;
	uint64_t shift;
	bool running;
};

void module_image(struct module *module, struct module_image *out);

/* The options that the module's set was made with; borrowed. */
const struct symbol_options *module_options(const struct module *module);

/*
 * Read the build-id note of the ELF file at `path` (bounded reads, regular files
 * only), or of the running kernel with path NULL (/sys/kernel/notes). Returns its
 * size (up to 20), 0 if it has none, or a negative errno.
 */
int build_id_read(const char *path, uint8_t build_id[20]);
/* The same from a note section's bytes. */
int build_id_from_notes(const void *notes, size_t size, bool swap, uint8_t build_id[20]);

#endif
