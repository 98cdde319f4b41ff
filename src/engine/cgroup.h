/* SPDX-License-Identifier: MIT */
/*
 * cgroup: open a control group by the name people use for it.
 *
 * The name is the path below the mount of the perf_event controller (cgroup v1)
 * or of the unified hierarchy (v2), which always has it; "/" is the root.
 */
#ifndef ENGINE_CGROUP_H
#define ENGINE_CGROUP_H

#include "base/err.h"

/* A file descriptor for perf_event_open's PERF_FLAG_PID_CGROUP, or -errno. */
int cgroup_open(const char *name, struct err *err);

#endif
