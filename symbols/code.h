/* SPDX-License-Identifier: MIT */
/*
 * code: the machine code of a function, and names for the addresses in it.
 *
 *	file, vdso       the file that was mapped, if it still is the one
 *	kernel, modules  -k's vmlinux; else /proc/kcore if the recorded kernel runs here
 *	                 (alternatives and jump labels as they are); else a vmlinux of the same
 *	                 build-id where distributions put it
 *	JIT              the jitdump, if the set's options keep its code; a perf map has none
 *	BPF              not to be had: no file holds it
 *
 * What is opened stays open until codes_free.  Threads: codes belong to one.
 */
#ifndef SYMBOLS_CODE_H
#define SYMBOLS_CODE_H

#include "base/str.h"
#include "symbols/symbols.h"

struct codes;

struct code {
	uint8_t *bytes;                  /* code_release frees them */
	uint64_t addr;                   /* elf_addr of bytes[0] */
	size_t size;
	uint16_t e_machine;
	bool is_64bit, big_endian;
	const char *from;                /* the file they were read from; the codes' */
	/* Arm: where data and the two kinds of code begin, in order of address. */
	struct code_mark { uint64_t addr; char kind; } *marks;   /* 'a' or 'x', 't', 'd' */
	size_t nr_marks;
};

struct codes_options {
	bool ignore_vmlinux;             /* do not look for one */
	const char *kcore;               /* NULL: /proc/kcore */
};

/* `options` may be NULL. Never NULL. */
struct codes *codes_new(const struct codes_options *options);
void codes_free(struct codes *codes);

/*
 * Read the code of `module` in [start, end), elf_addrs. Fewer bytes are given where the
 * file ends early. Errors: -ENOENT and why there is none; `name` is whose code it is, for
 * the message.
 */
int codes_read(struct codes *codes, struct module *module, uint64_t start, uint64_t end,
	       const char *name, struct code *out, struct err *err);
void code_release(struct code *code);

/*
 * Append what stands at an address of the module: "name" or "name+0x1f", "name@got" for a
 * slot that the dynamic linker fills. False, with nothing appended, where that is nothing.
 */
bool codes_name(struct codes *codes, struct module *module, uint64_t elf_addr, struct str *out);

/* Whether a file of the set, or the running kernel, has a symbol of this name (a slow look). */
bool codes_has_symbol(struct module_set *set, const char *name);

#endif
