/* SPDX-License-Identifier: MIT */
#include "symbols/vdso.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <sys/auxv.h>

#include "base/mem.h"

#define VDSO_MAX ((uint64_t)1 << 20)

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The image's size, which nothing states: up to the last thing its headers name. */
static uint64_t image_size(const char *base)
{
	const ElfW(Ehdr) *ehdr = (const void *)base;
	const ElfW(Phdr) *phdr = (const void *)(base + ehdr->e_phoff);
	uint64_t size = ehdr->e_phoff + (uint64_t)ehdr->e_phnum * ehdr->e_phentsize;

	size = larger(size, ehdr->e_shoff + (uint64_t)ehdr->e_shnum * ehdr->e_shentsize);
	for (int i = 0; i < ehdr->e_phnum; i++)
		if (phdr[i].p_type == PT_LOAD)
			size = larger(size, phdr[i].p_offset + phdr[i].p_filesz);
	return size;
}

int vdso_open(struct elf_file **out)
{
	const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
	uint64_t size;

	if (!base)
		return -ENOENT;
	size = image_size(base);
	if (size > VDSO_MAX)
		return -ENOENT;
	return elf_file_memory(out, mem_dup(base, size), size);
}
