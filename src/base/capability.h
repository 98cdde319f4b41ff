/* SPDX-License-Identifier: MIT */
/*
 * capability: what a thread may do beyond its user, and to give it up (capabilities(7)).
 *
 * Each thread has its own; a new one has those of the thread that made it.
 */
#ifndef BASE_CAPABILITY_H
#define BASE_CAPABILITY_H

#include <linux/capability.h>
#include <stdint.h>

/* Linux 5.8; the headers may be older. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

#define CAPABILITY_BIT(capability) (UINT64_C(1) << (capability))

/* Let the calling thread keep at most these, in all sets that it may lower; 0 or a negative errno. */
int capability_keep(uint64_t most);

/*
 * The same for a thread of ours that needs no more than these for its work, where they come
 * from the program's file (AT_SECURE). Those that root or a service manager gave stay: they may
 * be for the files that are written.
 */
void capability_need(uint64_t most);

#endif
