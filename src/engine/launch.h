/* SPDX-License-Identifier: MIT */
/*
 * launch: a command with counters on it, started as cheaply as can be.
 *
 * workload forks and lets the child wait on a pipe while the parent opens events
 * on it.  For counting, the child can open them on itself:
 *
 *	sonde                      child (same memory, same file table)
 *	clone VM|FILES|VFORK ---->
 *	   sleeps                  before_exec(): perf_event_open(pid 0), clock
 *	                           execvp -> new memory, own files; O_CLOEXEC closes
 *	   goes on <---------------  there, and what was opened stays open here
 *
 * No page tables are copied, nobody waits on a pipe, and no switch of tasks comes
 * between the two.  Linux makes the files private at exec (unshare_files() in
 * begin_new_exec(), fs/exec.c).  The process must have only one thread.
 */
#ifndef ENGINE_LAUNCH_H
#define ENGINE_LAUNCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct launch {
	pid_t pid;
	bool exec_failed;        /* the error is the command's: status 127 or 126 */
	uint64_t start_ns;       /* CLOCK_MONOTONIC just before exec */
};

/*
 * Run argv (NULL-terminated) with the signal mask `mask` and default handlers.
 * before_exec runs in the child, on this process's memory and files; its failure
 * keeps the command from running. NULL: nothing to do. Returns 0 when the command
 * runs, else the negative errno and a message; nothing is left behind then.
 */
int launch_start(struct launch *launch, char **argv, const sigset_t *mask,
		 int (*before_exec)(void *arg, struct err *err), void *arg, struct err *err);

uint64_t launch_clock_ns(void);

#endif
