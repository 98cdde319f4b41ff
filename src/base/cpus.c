/* SPDX-License-Identifier: MIT */
#include "base/cpus.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

/* Larger than any kernel's NR_CPUS: x86's most is 8192, others' are less. */
#define CPUS_MOST 65536

unsigned cpus_online(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (unsigned)n : 1;
}

/* The kernel says EINVAL to a set that is too small for its own. */
static unsigned allowed(void)
{
	unsigned n = 0;

	for (int cpus = CPU_SETSIZE; !n && cpus <= CPUS_MOST; cpus *= 2) {
		size_t size = CPU_ALLOC_SIZE(cpus);
		cpu_set_t *set = CPU_ALLOC(cpus);
		int r = set ? sched_getaffinity(0, size, set) : -1;

		if (r == 0)
			n = (unsigned)CPU_COUNT_S(size, set);
		CPU_FREE(set);
		if (r < 0 && errno != EINVAL)
			break;
	}
	return n ? n : cpus_online();
}

unsigned cpus_threads(unsigned asked, unsigned most)
{
	unsigned n = asked ? asked : allowed();

	return n < most ? n : most;
}
