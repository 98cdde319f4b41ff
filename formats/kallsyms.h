/* SPDX-License-Identifier: MIT */
/*
 * kallsyms: the text of /proc/kallsyms and /proc/modules, taken apart.
 *
 *	ffffffff81000000 T _stext
 *	ffffffffc0201000 t ext4_sync_fs	[ext4]
 *
 *	ext4 1130496 1 - Live 0xffffffffc0200000
 *
 * (kernel/kallsyms.c, s_show, and kernel/module/procfs.c, m_show, of Linux 6.12.)
 * Lines are taken apart in place: the text is the caller's, writable, and the
 * names point into it.  Lines that do not read as such are passed over.
 */
#ifndef FORMATS_KALLSYMS_H
#define FORMATS_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct kallsyms_line {
	uint64_t addr;           /* 0 where the kernel hides it (kptr_restrict) */
	char type;               /* as nm(1): 'T', 't', 'W', ... */
	char *name;
	const char *module;      /* "ext4", "bpf", "__builtin__ftrace"; NULL: the kernel itself */
};

struct modules_line {
	const char *name;
	uint64_t size;
	uint64_t addr;           /* 0 where the kernel hides it */
};

/*
 * Read such a file whole. *text is NUL-terminated and the caller's to free.
 * Returns 0, the negative errno of open or read, or -EFBIG above 512 MB.
 */
int kallsyms_read(const char *path, char **text, size_t *size, struct err *err);

/*
 * The next line from *at on, which moves behind it; `end` is the NUL that ends
 * the text. False when there are no more.
 */
bool kallsyms_next(char **at, char *end, struct kallsyms_line *out);
bool modules_next(char **at, char *end, struct modules_line *out);

#endif
