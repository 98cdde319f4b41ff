/* SPDX-License-Identifier: MIT */
/*
 * fire ROUNDS: page faults whose number is known exactly, for who attaches to it.
 *
 * Twice it prints its pid and reads a line from standard input, and then for each of the numbers of
 * ROUNDS (such as 100,5000) makes as many page faults, prints how many page faults it had since
 * those lines, and reads a line.  It ends at once then: between the lines there is no page
 * fault but those.  They are counted by a counter of its own (perf_event_open(2)).
 */
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGES 256

static volatile char *pages;
static size_t page_size;

static int open_counter(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS,
		.disabled = 1,
		.exclude_kernel = geteuid() != 0,
		.exclude_hv = geteuid() != 0,
	};

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Pages are given back and come anew: no more memory is used for more faults. */
static void fire(unsigned long nr)
{
	while (nr) {
		unsigned long n = nr < PAGES ? nr : PAGES;

		madvise((void *)(uintptr_t)pages, PAGES * page_size, MADV_DONTNEED);
		for (unsigned long i = 0; i < n; i++)
			pages[i * page_size] = 1;
		nr -= n;
	}
}

static void say(unsigned long n)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "%lu\n", n);

	if (write(STDOUT_FILENO, line, (size_t)len) != len)
		_exit(1);
}

static void read_line(void)
{
	char c;

	do {
		if (read(STDIN_FILENO, &c, 1) != 1)
			_exit(1);
	} while (c != '\n');
}

int main(int argc, char **argv)
{
	int fd = open_counter();
	uint64_t count = 0;
	char *at, *end;

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	pages = mmap(NULL, PAGES * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (argc != 2 || fd < 0 || pages == MAP_FAILED)
		return 1;
	madvise((void *)(uintptr_t)pages, PAGES * page_size, MADV_NOHUGEPAGE);
	/* Everything once, so that nothing of this is new afterwards. */
	for (int i = 0; i < 2; i++) {
		ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
		fire(2);
		ioctl(fd, PERF_EVENT_IOC_RESET, 0);
		if (read(fd, &count, sizeof(count)) != sizeof(count))
			return 1;
		say((unsigned long)getpid());
		read_line();
	}
	for (at = argv[1]; *at; at = *end ? end + 1 : end) {
		fire(strtoul(at, &end, 10));
		if (read(fd, &count, sizeof(count)) != sizeof(count))
			return 1;
		say(count);
		read_line();
	}
	_exit(0);
}
