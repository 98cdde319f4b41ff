/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void (*failure_handler)(size_t size);

void mem_fail(size_t size)
{
	if (failure_handler)
		failure_handler(size);
	abort();
}

void mem_on_failure(void (*handler)(size_t size))
{
	failure_handler = handler;
}

void *mem_alloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		mem_fail(size);
	return p;
}

void *mem_zalloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		mem_fail(size);
	return p;
}

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23           /* Linux 5.14; before that it is refused, and nothing lost */
#endif
#define POPULATE_BYTES (64u << 10)       /* less is not worth the call */

void mem_huge(void *p, size_t size)
{
	uintptr_t page = 4096, from = (uintptr_t)p & ~(page - 1);
	uintptr_t to = ((uintptr_t)p + size) & ~(page - 1);

	if (size >= MEM_HUGE_BYTES - page)
		madvise((void *)from, to - from, MADV_HUGEPAGE);
}

void mem_populate(void *p, size_t size)
{
	uintptr_t page = 4096, from = ((uintptr_t)p + page - 1) & ~(page - 1);
	uintptr_t to = ((uintptr_t)p + size) & ~(page - 1);

	mem_huge(p, size);
	if (size >= POPULATE_BYTES && from < to)
		madvise((void *)from, to - from, MADV_POPULATE_WRITE);
}

void *mem_zalloc_dense(size_t size)
{
	void *p = mem_zalloc(size);

	mem_populate(p, size);
	return p;
}

void *mem_realloc_array(void *old, size_t nr, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(nr, size, &bytes))
		mem_fail(SIZE_MAX);
	p = realloc(old, bytes ? bytes : 1);
	if (!p)
		mem_fail(bytes);
	return p;
}

void *mem_dup(const void *src, size_t size)
{
	void *p = mem_alloc(size);

	if (size)
		memcpy(p, src, size);
	return p;
}

char *mem_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = mem_alloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

char *mem_strdup(const char *s)
{
	return mem_dup(s, strlen(s) + 1);
}
