/* SPDX-License-Identifier: MIT */
/*
 * fallback: what to do when the kernel says no.
 *
 * In: the errno of perf_event_open for one event.  Out: the events changed so
 * that another try makes sense, said in one line (base/log) where what is
 * recorded changes; or a whole message why there is none.
 *
 *	ENOENT EOPNOTSUPP ENODEV   no such counter: less precise, then cpu-clock if
 *	                           nobody asked for this event by name
 *	EINVAL                     an older kernel: newest attr bits go first
 *	EACCES EPERM               user space only, or the one grant that is missing
 *	EMFILE                     a higher RLIMIT_NOFILE
 */
#ifndef ENGINE_FALLBACK_H
#define ENGINE_FALLBACK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/event.h"

struct fallback {
	bool default_event;              /* events[0] is our choice, not the user's */
	bool per_cpu;                    /* CPUs are watched */
	uint64_t nr_fds;                 /* how many the whole takes */
	uint32_t dropped;                /* attr bits tried without so far */
	bool raised;                     /* RLIMIT_NOFILE */
	int64_t user_only;               /* the perf_event_paranoid that keeps the kernel out, or 0 */
};

/*
 * Answer to `code` (positive errno) from opening events->v[index] on thread
 * `tid` and `cpu`. 1: changed, try again from the start; or a negative errno.
 */
int fallback_try(struct fallback *f, struct event_list *events, uint32_t index, int code,
		 pid_t tid, int cpu, struct err *err);

/* When all are open: say what they do without. Where nothing opens, the error is enough. */
void fallback_say(const struct fallback *f);

#endif
