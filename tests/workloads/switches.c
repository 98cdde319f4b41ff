/* SPDX-License-Identifier: MIT */
/*
 * switches [N]: sleeps N times for a moment, and so gives its CPU away N times
 * more than `switches 0`.
 */
#include <stdlib.h>
#include <time.h>

__attribute__((noinline)) static void sleep_once(void)
{
	struct timespec moment = { 0, 50000 };

	nanosleep(&moment, NULL);
}

int main(int argc, char **argv)
{
	long nr = argc > 1 ? atol(argv[1]) : 1000;

	while (nr-- > 0)
		sleep_once();
	return 0;
}
