/* SPDX-License-Identifier: MIT */
/*
 * take: the time and the memory that a command takes.
 *
 *	take FILE COMMAND...
 *
 * Runs COMMAND with standard output to /dev/null and appends to FILE, in one line:
 * seconds, seconds of processor time, peak resident KiB, and the peak of those KiB that
 * are not pages of files (anonymous: the rest can be dropped at any time). The first
 * peak is wait4's, of the command or the biggest of its children; the second is read
 * from /proc/PID/statm every millisecond or so, of the command alone. The exit status
 * is the command's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* proc_pid_statm(5): size, resident, shared (file and shmem), in pages. */
static long anon_pages(int fd)
{
	char buf[128];
	long size, resident, shared;
	ssize_t n = pread(fd, buf, sizeof(buf) - 1, 0);

	if (n <= 0)
		return 0;
	buf[n] = '\0';
	return sscanf(buf, "%ld %ld %ld", &size, &resident, &shared) == 3 ? resident - shared : 0;
}

int main(int argc, char **argv)
{
	long pages, peak = 0, page_kb = sysconf(_SC_PAGESIZE) / 1024;
	int fd, status, looks = 0;
	struct pollfd end = { .events = POLLIN };
	struct rusage used;
	char path[64];
	double start;
	FILE *file;
	pid_t pid;

	if (argc < 3 || !(file = fopen(argv[1], "ae"))) {
		fputs("usage: take FILE COMMAND...\n", stderr);
		return 125;
	}
	start = now();
	pid = fork();
	if (pid == 0) {
		fd = open("/dev/null", O_WRONLY);
		dup2(fd, STDOUT_FILENO);
		execvp(argv[2], argv + 2);
		fprintf(stderr, "take: cannot run '%s': %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	end.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	/* what takes long is looked at less often */
	while (end.fd >= 0 && poll(&end, 1, looks++ < 1000 ? 1 : 10) == 0) {
		pages = fd < 0 ? 0 : anon_pages(fd);
		if (pages > peak)
			peak = pages;
	}
	wait4(pid, &status, 0, &used);
	fprintf(file, "%.4f %.4f %ld %ld\n", now() - start,
		seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss, peak * page_kb);
	fclose(file);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
