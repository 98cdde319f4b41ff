/* SPDX-License-Identifier: MIT */
/*
 * deeds THREADS CHILDREN N [GO DONE]: each of THREADS threads and CHILDREN child
 * processes makes N write system calls to /dev/null and touches N new pages. It
 * waits for a byte from the FIFO `GO` before, and writes one to `DONE` after and
 * waits for another byte. It makes no other write calls: messages go by writev.
 *
 * Prints what it did: "writes=W".
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static long times;
static int null_fd;

static void *deeds(void *arg)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	volatile char *pages;

	pages = mmap(NULL, (size_t)times * size + 1, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		exit(1);
	for (long i = 0; i < times; i++) {
		pages[(size_t)i * size] = 1;
		if (write(null_fd, "x", 1) != 1)
			exit(1);
	}
	return arg;
}

static void say(int fd, char *text, size_t n)
{
	struct iovec part = { text, n };

	if (writev(fd, &part, 1) < 0)
		exit(1);
}

static void run(long threads, long children)
{
	pthread_t ids[64];

	for (long i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, deeds, NULL))
			exit(1);
	for (long i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	for (long i = 0; i < children; i++) {
		pid_t pid = fork();

		if (pid < 0)
			exit(1);
		if (!pid) {
			deeds(NULL);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	long threads = argc > 1 ? atol(argv[1]) : 1, children = argc > 2 ? atol(argv[2]) : 0;
	int go = -1, done = -1, n;
	char text[64], c;

	times = argc > 3 ? atol(argv[3]) : 1000;
	null_fd = open("/dev/null", O_WRONLY);
	if (null_fd < 0 || threads > 64)
		return 1;
	if (argc > 5) {
		go = open(argv[4], O_RDWR);
		done = open(argv[5], O_RDWR);
		if (go < 0 || done < 0 || read(go, &c, 1) != 1)
			return 1;
	}
	run(threads, children);
	if (done >= 0) {
		char newline[] = "\n";

		say(done, newline, 1);
		if (read(go, &c, 1) != 1)
			return 1;
	}
	n = snprintf(text, sizeof(text), "writes=%ld\n", (threads + children) * times);
	say(STDOUT_FILENO, text, (size_t)n);
	return 0;
}
