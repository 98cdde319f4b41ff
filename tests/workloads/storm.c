/* SPDX-License-Identifier: MIT */
/*
 * storm WHAT [N [ARG]]: much of what a recorder has to follow, and then an end with status 0.
 *
 *	forks N         N processes, 50 at a time, each of which touches 10 new pages
 *	threads N       N threads that live at the same time; each touches 10 new pages
 *	crowd N         N threads that live until standard input ends; says so when they are there
 *	dlopen N LIB    the library is loaded, called by its symbol storm_touch and unloaded N times
 *	exec N          a thread that is not the main one calls exec: of this program, with N - 1;
 *	                each program touches 10 new pages before
 *	reuse N         processes of the names reuse-0, reuse-1, ... to reuse-(N-1), each with the
 *	                pid of the one before where the kernel lets us choose it (ns_last_pid), each
 *	                touching 100 new pages; prints how many had that pid
 *	pages N         N new pages are touched
 *	zombie          a child ends and is not waited for; prints its pid, and then as wait does
 *	wait            reads standard input to its end
 *
 * Pages that are touched for the first time are page faults: events whose number is known.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 10
#define AT_ONCE 50

static char **words;
static unsigned long number;
static pthread_barrier_t barrier;

__attribute__((noinline)) static void touch(unsigned long nr)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	volatile char *pages = mmap(NULL, nr * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				    -1, 0);

	if (pages == MAP_FAILED)
		_exit(3);
	madvise((void *)(uintptr_t)pages, nr * size, MADV_NOHUGEPAGE);
	for (unsigned long i = 0; i < nr; i++)
		pages[i * size] = 1;
	munmap((void *)(uintptr_t)pages, nr * size);
}

static pid_t start(void)
{
	pid_t pid = fork();

	if (pid < 0)
		exit(4);
	return pid;
}

static void reap(void)
{
	int status;

	if (wait(&status) < 0 || status)
		exit(5);
}

static int forks(void)
{
	unsigned long running = 0;

	for (unsigned long i = 0; i < number; i++) {
		if (start() == 0) {
			touch(PAGES);
			_exit(0);
		}
		if (++running == AT_ONCE) {
			reap();
			running--;
		}
	}
	while (running--)
		reap();
	return 0;
}

static void *live(void *arg)
{
	touch(PAGES);
	pthread_barrier_wait(&barrier);
	return arg;
}

static int threads(void)
{
	pthread_t *ids = calloc(number, sizeof(*ids));
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	pthread_barrier_init(&barrier, NULL, (unsigned)number);
	for (unsigned long i = 0; i < number; i++)
		if (!ids || pthread_create(&ids[i], &attr, live, NULL) != 0)
			return 4;
	for (unsigned long i = 0; i < number; i++)
		pthread_join(ids[i], NULL);
	free(ids);
	return 0;
}

static void *stay(void *arg)
{
	pthread_barrier_wait(&barrier);
	pause();
	return arg;
}

static int crowd(void)
{
	pthread_attr_t attr;
	pthread_t id;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	pthread_barrier_init(&barrier, NULL, (unsigned)number + 1);
	for (unsigned long i = 0; i < number; i++)
		if (pthread_create(&id, &attr, stay, NULL) != 0)
			return 4;
	pthread_barrier_wait(&barrier);
	puts("ready");
	fflush(stdout);
	return 0;
}

static int load(const char *path)
{
	for (unsigned long i = 0; i < number; i++) {
		void *library = dlopen(path, RTLD_NOW);
		void (*call)(void);

		if (!library)
			return 4;
		*(void **)&call = dlsym(library, "storm_touch");
		if (!call)
			return 4;
		call();
		dlclose(library);
	}
	return 0;
}

static void *exec_again(void *arg)
{
	char left[24];

	snprintf(left, sizeof(left), "%lu", number - 1);
	execl("/proc/self/exe", words[0], words[1], left, NULL);
	_exit(4);
	return arg;
}

static int exec_in_thread(void)
{
	pthread_t id;

	touch(PAGES);
	if (!number)
		return 0;
	if (pthread_create(&id, NULL, exec_again, NULL) != 0)
		return 4;
	for (;;)
		pause();
}

/* The next process shall have this pid. */
static void ask_for(pid_t pid)
{
	FILE *file = fopen("/proc/sys/kernel/ns_last_pid", "we");

	if (!file)
		return;
	fprintf(file, "%d", (int)pid - 1);
	fclose(file);
}

static int reuse(void)
{
	unsigned long same = 0;
	pid_t first = 0;

	for (unsigned long i = 0; i < number; i++) {
		char name[24];
		pid_t pid;

		if (first)
			ask_for(first);
		snprintf(name, sizeof(name), "reuse-%u", (unsigned)i % 1000000000);
		pid = start();
		if (pid == 0) {
			prctl(PR_SET_NAME, name, 0, 0, 0);
			touch(100);
			_exit(0);
		}
		reap();
		same += pid == first;
		first = first ? first : pid;
	}
	printf("%lu\n", same);
	return 0;
}

static int zombie(void)
{
	pid_t pid = start();
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0)
		return 4;
	printf("%d\n", (int)pid);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char c;

	words = argv;
	number = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	if (strcmp(what, "forks") == 0)
		return forks();
	if (strcmp(what, "threads") == 0)
		return threads();
	if (strcmp(what, "dlopen") == 0 && argc > 3)
		return load(argv[3]);
	if (strcmp(what, "exec") == 0)
		return exec_in_thread();
	if (strcmp(what, "reuse") == 0)
		return reuse();
	if (strcmp(what, "pages") == 0)
		return touch(number), 0;
	if (strcmp(what, "crowd") == 0 && crowd() != 0)
		return 4;
	if (strcmp(what, "wait") == 0 || strcmp(what, "crowd") == 0 || (strcmp(what, "zombie") == 0 && zombie() == 0)) {
		while (read(STDIN_FILENO, &c, 1) == 1)
			;
		return 0;
	}
	fprintf(stderr, "usage: storm forks|threads|crowd|dlopen|exec|reuse|pages|zombie|wait [N [LIB]]\n");
	return 129;
}
