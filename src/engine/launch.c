/* SPDX-License-Identifier: MIT */
#include "engine/launch.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The child opens events, searches $PATH and writes messages; only touched pages cost. */
#define STACK_BYTES (256 * 1024)

struct child_args {
	struct launch *launch;
	char **argv;
	const sigset_t *mask;
	int (*before_exec)(void *arg, struct err *err);
	void *arg;
	int result;
	struct err err;
};

uint64_t launch_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int exec_failure(const char *name, int code, struct err *err)
{
	if (code == ENOENT && !strchr(name, '/'))
		return err_set(err, code, "cannot run '%s': command not found", name);
	return err_set(err, code, "cannot run '%s': %s", name, strerror(code));
}

/*
 * Runs on the parent's memory.  Handlers are the child's own copy (no
 * CLONE_SIGHAND), so they can be put back before signals are let in.
 */
static int child_main(void *arg)
{
	static const int handled[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD, SIGALRM };
	struct child_args *a = arg;
	struct rlimit files;
	bool have_limit = getrlimit(RLIMIT_NOFILE, &files) == 0;

	if (a->before_exec) {
		a->result = a->before_exec(a->arg, &a->err);
		/* Returning ends the child: clone's own code calls exit. */
		if (a->result < 0)
			return 1;
	}
	/* What many counters need is not what the command should be given. */
	if (have_limit) {
		struct rlimit now;

		if (getrlimit(RLIMIT_NOFILE, &now) == 0 && (now.rlim_cur != files.rlim_cur ||
							    now.rlim_max != files.rlim_max))
			setrlimit(RLIMIT_NOFILE, &files);
	}
	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++) {
		struct sigaction was;

		if (sigaction(handled[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN &&
		    was.sa_handler != SIG_DFL)
			signal(handled[i], SIG_DFL);
	}
	sigprocmask(SIG_SETMASK, a->mask, NULL);
	a->launch->start_ns = launch_clock_ns();
	execvp(a->argv[0], a->argv);
	a->launch->exec_failed = true;
	a->result = exec_failure(a->argv[0], errno, &a->err);
	return 1;
}

int launch_start(struct launch *launch, char **argv, const sigset_t *mask,
		 int (*before_exec)(void *arg, struct err *err), void *arg, struct err *err)
{
	static char stack[STACK_BYTES] __attribute__((aligned(64)));
	struct child_args a = { launch, argv, mask, before_exec, arg, 0, ERR_INIT };
	sigset_t all, was;
	pid_t pid;

	memset(launch, 0, sizeof(*launch));
	/* A handler must not run in the child while the memory is shared. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &was);
	pid = clone(child_main, stack + sizeof(stack),
		    CLONE_VM | CLONE_FILES | CLONE_VFORK | SIGCHLD, &a);
	if (pid < 0) {
		int code = errno;

		sigprocmask(SIG_SETMASK, &was, NULL);
		return err_set(err, code, "cannot start a process: %s", strerror(code));
	}
	sigprocmask(SIG_SETMASK, &was, NULL);
	launch->pid = pid;
	if (a.result >= 0)
		return 0;
	waitpid(pid, NULL, 0);
	return err_set(err, a.err.code, "%s", a.err.msg);
}
