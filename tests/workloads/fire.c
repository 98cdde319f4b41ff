/* SPDX-License-Identifier: MIT */
/*
 * fire CPU ROUNDS: a process whose page faults are counted to the last one, for who attaches to it.
 *
 * Prints the pid of a child that waits, on that CPU. For each of the numbers of ROUNDS (such as
 * 100,5000) it reads a line from standard input, the child makes at least so many page faults and
 * waits again, and "." is printed. One line more, and the child ends; how many page faults it
 * had since it waited first is printed then. They are counted by a counter (perf_event_open(2))
 * that outlives it.
 */
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 256

/* Pages are given back and come anew: no more memory is used for more faults. */
static void make_faults(volatile char *pages, size_t page_size, uint64_t nr)
{
	while (nr) {
		uint64_t n = nr < PAGES ? nr : PAGES;

		madvise((void *)(uintptr_t)pages, PAGES * page_size, MADV_DONTNEED);
		for (uint64_t i = 0; i < n; i++)
			pages[i * page_size] = 1;
		nr -= n;
	}
}

/* As many faults as each number that comes says. */
static void be_child(int orders, int done, int cpu)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, PAGES * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	cpu_set_t set;
	uint64_t nr = 1;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "fire", 0, 0, 0);
	if (pages == MAP_FAILED || sched_setaffinity(0, sizeof(set), &set) < 0)
		_exit(1);
	madvise(pages, PAGES * page_size, MADV_NOHUGEPAGE);
	do {
		make_faults(pages, page_size, nr);
		if (write(done, ".", 1) != 1)
			_exit(1);
	} while (read(orders, &nr, sizeof(nr)) == (ssize_t)sizeof(nr));
	_exit(0);
}

static int open_counter(pid_t pid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS,
		.exclude_kernel = geteuid() != 0,
		.exclude_hv = geteuid() != 0,
	};

	return (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* It sleeps: nothing will happen until it is woken. */
static bool sleeps(pid_t pid)
{
	char path[64], line[256] = "";
	FILE *file;
	char *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return true;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	state = strrchr(line, ')');
	return state && state[1] == ' ' && state[2] == 'S';
}

static void wait_for(int done, pid_t pid)
{
	char c;

	if (read(done, &c, 1) != 1)
		exit(1);
	while (!sleeps(pid))
		usleep(1000);
}

static void read_line(void)
{
	char c;

	do {
		if (read(STDIN_FILENO, &c, 1) != 1)
			exit(1);
	} while (c != '\n');
}

int main(int argc, char **argv)
{
	int orders[2], done[2], fd, status;
	uint64_t count;
	pid_t pid;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 3 || pipe(orders) < 0 || pipe(done) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		close(orders[1]);
		be_child(orders[0], done[1], atoi(argv[1]));
	}
	close(done[1]);
	wait_for(done[0], pid);
	fd = open_counter(pid);
	if (pid < 0 || fd < 0)
		return 1;
	printf("%d\n", (int)pid);
	for (char *at = argv[2], *end; *at; at = *end ? end + 1 : end) {
		uint64_t nr = strtoul(at, &end, 10);

		read_line();
		if (write(orders[1], &nr, sizeof(nr)) != (ssize_t)sizeof(nr))
			return 1;
		wait_for(done[0], pid);
		puts(".");
	}
	read_line();
	close(orders[1]);
	if (waitpid(pid, &status, 0) != pid || status || read(fd, &count, sizeof(count)) != sizeof(count))
		return 1;
	printf("%llu\n", (unsigned long long)count);
	return 0;
}
