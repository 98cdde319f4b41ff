/* SPDX-License-Identifier: MIT */
/*
 * counting: events that are counted and read, without rings or samples.
 *
 * In: events, each maybe for a cgroup, and whom to watch.  Out: one cell (a file
 * descriptor and its last reading) for each event x CPU or event x thread:
 *
 *	             a command      -p, -t              -a, -C, cgroups
 *	a core event  1 cell        a cell a thread     a cell a CPU
 *	an uncore     a cell for each CPU of its cpumask, whatever is watched
 *
 * An event that cannot be counted here keeps its place with the errno that says
 * why, so that the others go on.  What is tried before that:
 *
 *	EINVAL         without exclude_guest (older kernels, some PMUs)
 *	EACCES, EPERM  user space only, if perf_event_paranoid keeps the kernel closed
 *	EMFILE         a higher RLIMIT_NOFILE
 *	a group's leader that is not supported: its members count on their own
 *	a weak group (:W) that does not fit: all its events count on their own
 *
 * Each of these is said with log_note where the figure changes its meaning.
 * One thread; callable from launch's before_exec.
 */
#ifndef ENGINE_COUNTING_H
#define ENGINE_COUNTING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/event.h"

struct counting_spec {
	const int *cpus;                 /* NULL: follow tasks */
	const pid_t *tids;               /* with cpus NULL; 0 is the calling thread */
	uint32_t nr_cpus, nr_tids;
	const int *all_cpus;             /* online; for PMUs that only count CPUs */
	uint32_t nr_all_cpus;
	bool inherit;
	bool enable_on_exec;
};

struct counting_cell {
	int fd;                          /* -1: a thread that ended, a CPU that went away */
	int cpu;                         /* -1: the thread wherever it runs */
	int32_t thread;                  /* index in spec->tids, or -1 */
	bool grouped;                    /* opened in its leader's group */
	uint64_t value, enabled, running;        /* of the last counting_read */
	struct {
		uint64_t value, enabled, running;
	} before;                        /* of these: what was there before its CPU was offline */
};

struct counting_event {
	const struct event *event;       /* borrowed */
	int cgroup_fd;                   /* -1: none */
	const char *cgroup;              /* its name, or NULL */
	bool user_only;                  /* the fall-back of EACCES */
	bool whole_cpus;                 /* a task was asked for, the PMU can only count CPUs */
	int code;                        /* errno why it is not supported, or 0 */
	uint32_t first, nr;              /* its cells */
};

struct counting {
	struct counting_event *events;   /* same order as given */
	struct counting_cell *cells;
	uint32_t nr_events, nr_cells, cap_cells;
	bool on;                         /* by counting_enable */
	bool raised;
	bool exclude_guest_refused;
};

/*
 * Open `events` (the array is taken over, the names in it are borrowed). On
 * failure, which is one that stops all (no permission, no files left, every
 * thread has ended: -ESRCH), nothing is open and counting_release is still right.
 */
int counting_open(struct counting *counting, const struct counting_spec *spec, struct err *err);

void counting_enable(struct counting *counting);
void counting_disable(struct counting *counting);

/*
 * Open what counts all of a CPU anew, after it was offline (engine/hotplug.h): it goes on from
 * what it had. `spec` as it was opened by. Returns 0, or a negative errno by which some of
 * these cells stay where they are.
 */
int counting_reopen(struct counting *counting, const struct counting_spec *spec, int cpu);

/* Read all cells. A cell that cannot be read keeps what it had. */
void counting_read(struct counting *counting);

/* Close the files; readings stay. */
void counting_close(struct counting *counting);
void counting_release(struct counting *counting);

/*
 * Call last, before the process ends.  The last file of a tracepoint takes the
 * kernel an RCU grace period to close (perf_trace_event_unreg(), 20 to 40 ms each,
 * 13 s for syscalls:sys_enter_*).  If there are several, a child keeps them open
 * until this process is gone, and nobody waits for it.
 */
void counting_close_later(struct counting *counting);

/* Could this event be counted, by this user? 0, or the positive errno. */
int counting_probe(const struct event *event);

/* The same for an attr as it stands (but for size and disabled), without fall-backs. */
int counting_probe_attr(struct perf_event_attr *attr, pid_t pid, int cpu);

/* One sentence on why `event` is not supported here, for the end of the output. */
const char *counting_reason(const struct counting_event *event);

#endif
