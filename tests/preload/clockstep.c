/* SPDX-License-Identifier: MIT */
/*
 * clockstep.so, for LD_PRELOAD: the wall clock (CLOCK_REALTIME) goes an hour back each time it is
 * read, and every third time a day ahead, as a clock that is set while the program runs.
 */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *ts)
{
	static int reads;
	int r = (int)syscall(SYS_clock_gettime, id, ts);

	if (r == 0 && id == CLOCK_REALTIME) {
		reads++;
		ts->tv_sec += reads / 3 * 86400 - reads * 3600;
	}
	return r;
}

time_t time(time_t *to)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(CLOCK_REALTIME, &ts);
	if (to)
		*to = ts.tv_sec;
	return ts.tv_sec;
}
