/* SPDX-License-Identifier: MIT */
/*
 * faults [N]: N page faults more than `faults 0` has: N pages are mapped without
 * huge ones and written to once each.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

__attribute__((noinline)) static void touch_pages(volatile char *pages, size_t nr, size_t size)
{
	for (size_t i = 0; i < nr; i++)
		pages[i * size] = 1;
}

int main(int argc, char **argv)
{
	size_t nr = argc > 1 ? (size_t)atol(argv[1]) : 1000;
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *pages;

	if (!nr)
		return 0;
	pages = mmap(NULL, nr * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return 1;
	madvise(pages, nr * size, MADV_NOHUGEPAGE);
	touch_pages(pages, nr, size);
	return 0;
}
