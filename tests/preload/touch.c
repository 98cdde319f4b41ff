/* SPDX-License-Identifier: MIT */
/* touch.so, for `storm dlopen`: a library with a page fault in it. */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

__attribute__((visibility("default"))) void storm_touch(void);

void storm_touch(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	volatile char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return;
	page[0] = 1;
	munmap((void *)(uintptr_t)page, size);
}
