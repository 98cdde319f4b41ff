/* SPDX-License-Identifier: MIT */
/*
 * What the kernel does not let us do, why, and the smallest grant that helps
 * (perf_event_open(2), "perf_event_related configuration files"; capabilities(7)).
 */
#ifndef ENGINE_RIGHTS_H
#define ENGINE_RIGHTS_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "base/capability.h"
#include "base/err.h"

/* For those who forbid themselves the call; made it is in src/engine alone. */
#define RIGHTS_PERF_CALL __NR_perf_event_open

#define PERF_PARANOID "/proc/sys/kernel/perf_event_paranoid"

/* An event that was refused with EACCES or EPERM. */
struct denial {
	const char *what;                /* "cannot count" */
	const char *name;                /* the event's */
	const struct perf_event_attr *attr;  /* as it was refused */
	bool whole_cpus;
	pid_t tid;                       /* whose events; 0 or less: our own, or a command's */
	int code;
};

/* Is a capability (CAP_...) in effect? One that the kernel does not know is not. */
bool rights_hold(int capability);

/* Capabilities that let any event be opened. */
bool rights_hold_perfmon(void);

/*
 * Does this kernel keep its own part from us, so that without it (exclude_kernel) the
 * event may be had? Not asked for a whole CPU or a tracepoint, whose rules are others.
 */
bool rights_only_user(const struct denial *denial);

/* The line for what cannot be had at all; returns -code. */
int rights_explain(const struct denial *denial, struct err *err);

/* The command that shows the kernel's addresses to this process, into buf. */
void rights_kallsyms_grant(char buf[96]);

/* What there is of perf_event_open where it is ENOSYS. */
#define RIGHTS_NO_PERF "there is no perf_event_open here: a kernel built without " \
		       "CONFIG_PERF_EVENTS, or a sandbox that hides it"

#endif
