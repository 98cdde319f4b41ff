/* SPDX-License-Identifier: MIT */
/* vdso: the code that the kernel maps into every process, as our own process has it. */
#ifndef SYMBOLS_VDSO_H
#define SYMBOLS_VDSO_H

#include "symbols/elf_file.h"

/* A copy of our vdso. 0, or -ENOENT where there is none. */
int vdso_open(struct elf_file **out);

#endif
