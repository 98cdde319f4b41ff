/* SPDX-License-Identifier: MIT */
/*
 * mem: allocation that does not return NULL.
 *
 * Sonde's buffers are small next to what it reads, so running out of memory is
 * answered in one place: mem_on_failure's handler, which src/cmd sets to finish
 * the open output, say so, and exit.  Sizes taken from a file are checked by the
 * parser before they come here; mem is not a validator.
 *
 * Threads: all functions may be called from any thread; the handler may run on
 * any of them.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *mem_zalloc(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));

/*
 * Memory that will be written all over, soon: its pages are there at once. (A table that is
 * probed before it is written would have each page twice, as zeros first.)
 */
void *mem_zalloc_dense(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void mem_populate(void *p, size_t size);
/*
 * Memory of MEM_HUGE_BYTES and more that will be written all over: it may come in pages of
 * that size, a five-hundredth as many, where the kernel has such (transparent_hugepage).
 */
#define MEM_HUGE_BYTES ((size_t)2 << 20)
void mem_huge(void *p, size_t size);

/* nr elements of `size` bytes each; the product is checked. NULL old means new. */
void *mem_realloc_array(void *old, size_t nr, size_t size) __attribute__((returns_nonnull));

char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
char *mem_strndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
void *mem_dup(const void *p, size_t size) __attribute__((malloc, returns_nonnull));

/* There are no `size` bytes to be had: call the handler. */
void mem_fail(size_t size) __attribute__((noreturn));

/* Called with the failed size when there is no memory; must not return. */
void mem_on_failure(void (*handler)(size_t size));

#endif
