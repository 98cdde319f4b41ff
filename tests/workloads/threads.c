/* SPDX-License-Identifier: MIT */
/*
 * threads [N [SECONDS]]: N threads named worker-1 to worker-N, each of which uses
 * one CPU as far as it gets it, in spin_worker.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct timespec end;

__attribute__((noinline)) static void spin_worker(void)
{
	for (uint64_t n = 100000; n;) {
		n--;
		__asm__ volatile("" : "+r"(n));
	}
}

static void *worker(void *arg)
{
	struct timespec now;
	char name[16];

	snprintf(name, sizeof(name), "worker-%u", (unsigned)(uintptr_t)arg);
	pthread_setname_np(pthread_self(), name);
	do {
		spin_worker();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec ||
		 (now.tv_sec == end.tv_sec && now.tv_nsec < end.tv_nsec));
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned nr = argc > 1 ? (unsigned)atoi(argv[1]) : 2;
	double seconds = argc > 2 ? atof(argv[2]) : 1.0;
	pthread_t *threads = calloc(nr ? nr : 1, sizeof(*threads));

	if (!threads)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (time_t)seconds;
	end.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
	if (end.tv_nsec >= 1000000000) {
		end.tv_nsec -= 1000000000;
		end.tv_sec++;
	}
	for (unsigned i = 0; i < nr; i++)
		if (pthread_create(&threads[i], NULL, worker, (void *)(uintptr_t)(i + 1)))
			return 1;
	for (unsigned i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return 0;
}
