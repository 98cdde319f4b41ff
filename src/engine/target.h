/* SPDX-License-Identifier: MIT */
/*
 * target: whom to watch.
 *
 * In: what stood behind -p, -t, -a, -C, -u, or a command's pid.  Out: the threads
 * and CPUs that events are opened on:
 *
 *	a command, -p, -t, -u   its threads x all online CPUs (inherited events need
 *	                        a ring per CPU; Linux refuses one for all of them)
 *	-a, -C                  thread -1 x the CPUs
 *	--per-thread            its threads x any CPU (-1), with a ring each
 *
 * Threads of a process come and go while it is looked at; target_threads looks
 * again until nothing is new, and what comes later is inherited from there.
 */
#ifndef ENGINE_TARGET_H
#define ENGINE_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/vec.h"

struct target {
	const char *pids;                /* "12,34" or NULL */
	const char *tids;
	const char *cpus;                /* "0,2-3" or NULL */
	const char *user;                /* name or number, or NULL */
	bool all_cpus;
	bool per_thread;                 /* of tasks or a command: a ring for each thread, on any CPU */
};

struct thread_id {
	pid_t pid, tid;                  /* pid -1: not known; tid -1: all threads */
};

typedef VEC(struct thread_id) thread_vec;
typedef VEC(int) cpu_vec;

/* Whether it is CPUs that are watched, with all that runs on them. */
bool target_is_cpus(const struct target *target);
bool target_is_tasks(const struct target *target);
bool target_is_none(const struct target *target);

/* Of kinds that exclude each other the narrower one holds, as in perf; that is said. */
void target_settle(struct target *target);

/*
 * The threads to watch. -ESRCH with a message that names the first process or
 * thread that does not exist; -EINVAL for text that is no list of numbers.
 */
int target_threads(const struct target *target, thread_vec *out, struct err *err);

/* The CPUs to watch: -C's list, or all that are online. */
int target_cpus(const struct target *target, cpu_vec *out, struct err *err);

/* "0-3,7" -> 0 1 2 3 7. -EINVAL for anything else. */
int cpu_list_parse(const char *text, cpu_vec *out);

/* All threads that `pid` has now. -ESRCH if there is no such process. */
int task_threads(pid_t pid, thread_vec *out);

/* First line of a small file such as those of sysfs and procfs, without its newline; -errno. */
int read_line(const char *path, char *line, size_t size);

/* The number in a file of /proc/sys or the like, or `otherwise`. */
int64_t read_number(const char *path, int64_t otherwise);

#endif
