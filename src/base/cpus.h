/* SPDX-License-Identifier: MIT */
/*
 * cpus: how many processors there are, for us and in the machine.
 *
 * Threads: any.
 */
#ifndef BASE_CPUS_H
#define BASE_CPUS_H

/* Processors of the machine that are online; 1 if nobody says. */
unsigned cpus_online(void);

/*
 * As many threads as were asked for, 0: one for each processor that this process may run on
 * (sched_setaffinity(2), cpusets); at least 1, at most `most`.
 */
unsigned cpus_threads(unsigned asked, unsigned most);

#endif
