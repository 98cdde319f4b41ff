/* SPDX-License-Identifier: MIT */
/*
 * schedule CPU MS: tasks with a known schedule, all of them on one CPU, for MS milliseconds.
 *
 *	spinA spinB    compute all the time: they share what the others leave
 *	ping pong      hand a byte to and fro through two pipes, each then sleeping until its turn
 *	sleeper        every 10 ms a clock wakes it; it computes for 1 ms
 *	fifo           SCHED_FIFO: every 20 ms a clock wakes it; it computes for 2 ms, at once
 *	blocked        reads a pipe that `giver` writes to after 100 ms, again and again
 *	giver          sleeps for 100 ms, writes a byte
 *
 * Prints for each what it knows of itself, "NAME tid cpu_ns rounds", from its own clock
 * (CLOCK_THREAD_CPUTIME_ID).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000ll

static int64_t end_ns;
static int there[2], back[2], gift[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void compute(int64_t ns)
{
	int64_t until = now(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (now(CLOCK_THREAD_CPUTIME_ID) < until)
		;
}

static void sleep_until(int64_t ns)
{
	struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static long spin(void)
{
	long rounds = 0;

	for (; now(CLOCK_MONOTONIC) < end_ns; rounds++)
		compute(NS_PER_MS / 4);
	return rounds;
}

static long every(int64_t period_ns, int64_t work_ns)
{
	int64_t next = now(CLOCK_MONOTONIC);
	long rounds = 0;

	for (; next < end_ns; rounds++) {
		next += period_ns;
		sleep_until(next);
		compute(work_ns);
	}
	return rounds;
}

static long ping(void)
{
	long rounds = 0;
	char c = 0;

	for (; now(CLOCK_MONOTONIC) < end_ns; rounds++)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			break;
	close(there[1]);
	return rounds;
}

static long pong(void)
{
	long rounds = 0;
	char c;

	for (; read(there[0], &c, 1) == 1; rounds++)
		if (write(back[1], &c, 1) != 1)
			break;
	return rounds;
}

static long sleeper(void)
{
	return every(10 * NS_PER_MS, NS_PER_MS);
}

static long fifo(void)
{
	struct sched_param param = { .sched_priority = 10 };

	if (sched_setscheduler(0, SCHED_FIFO, &param) < 0)
		return -1;
	return every(20 * NS_PER_MS, 2 * NS_PER_MS);
}

static long blocked(void)
{
	long rounds = 0;
	char c;

	for (; read(gift[0], &c, 1) == 1; rounds++)
		;
	return rounds;
}

static long giver(void)
{
	long rounds = 0;
	char c = 0;

	for (; now(CLOCK_MONOTONIC) < end_ns; rounds++) {
		sleep_until(now(CLOCK_MONOTONIC) + 100 * NS_PER_MS);
		if (write(gift[1], &c, 1) != 1)
			break;
	}
	close(gift[1]);
	return rounds;
}

static const struct task { const char *name; long (*run)(void); } tasks[] = {
	{ "spinA", spin }, { "spinB", spin }, { "ping", ping }, { "pong", pong }, { "sleeper", sleeper },
	{ "fifo", fifo }, { "blocked", blocked }, { "giver", giver },
};

#define NR_TASKS (sizeof(tasks) / sizeof(tasks[0]))

static void *play(void *arg)
{
	const struct task *task = arg;
	long rounds;

	prctl(PR_SET_NAME, task->name);
	rounds = task->run();
	pthread_mutex_lock(&lock);
	printf("%s %ld %lld %ld\n", task->name, (long)syscall(SYS_gettid),
	       (long long)now(CLOCK_THREAD_CPUTIME_ID), rounds);
	pthread_mutex_unlock(&lock);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[NR_TASKS];
	cpu_set_t cpu;

	if (argc != 3 || pipe(there) < 0 || pipe(back) < 0 || pipe(gift) < 0)
		return 1;
	CPU_ZERO(&cpu);
	CPU_SET((unsigned)atoi(argv[1]), &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu) < 0)
		return 1;
	end_ns = now(CLOCK_MONOTONIC) + atoll(argv[2]) * NS_PER_MS;
	for (size_t i = 0; i < NR_TASKS; i++) {
		struct task *task = malloc(sizeof(*task));

		*task = tasks[i];
		if (pthread_create(&threads[i], NULL, play, task) != 0)
			return 1;
	}
	for (size_t i = 0; i < NR_TASKS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
