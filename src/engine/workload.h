/* SPDX-License-Identifier: MIT */
/*
 * workload: the command that is run under Sonde.
 *
 *	workload_fork      the child stands before exec, waiting on a pipe; its pid can
 *	                   be given to perf_event_open with enable_on_exec
 *	workload_start     let it exec; says why if it cannot
 *	workload_exited    after SIGCHLD: has it ended, and how?
 *
 * The child gets the signal mask and limits that were there at workload_fork.
 */
#ifndef ENGINE_WORKLOAD_H
#define ENGINE_WORKLOAD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

struct workload {
	pid_t pid;                       /* 0: none */
	int go_fd, error_fd;
	bool started, ended;
	int wait_status;                 /* of waitpid, once ended */
	const char *name;
};

/* The file that would be run as `name`, appended to `out`. Errors as workload_check. */
int workload_find(const char *name, struct str *out, struct err *err);

/*
 * Whether argv[0] can be run: 0, or -ENOENT, -EACCES, ... with a message. Lets a
 * typo be told before anything is opened or written.
 */
int workload_check(const char *name, struct err *err);

/*
 * Fork a child that will exec argv (NULL-terminated, borrowed) with `mask`, and with
 * stdout_fd as its standard output; -1: with ours.
 */
int workload_fork(struct workload *w, char **argv, const sigset_t *mask, int stdout_fd,
		  struct err *err);
int workload_start(struct workload *w, struct err *err);

/* Look (without waiting) or wait for its end. */
bool workload_exited(struct workload *w);
void workload_wait(struct workload *w);

/* 0..255 as a shell would give it: its exit status, or 128 + signal. */
int workload_exit_status(const struct workload *w);

/* Exit status for a command that could not be run: 127 not found, 126 otherwise. */
int workload_failure_status(int code);

/* End a child that still waits or runs, and reap it. */
void workload_kill(struct workload *w);

#endif
