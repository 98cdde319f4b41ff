/* SPDX-License-Identifier: MIT */
/*
 * cgroup: open control groups by the names people use for them.
 *
 * The name is the path below the mount of the perf_event controller (cgroup v1)
 * or of the unified hierarchy (v2), which always has it; "/" is the root.
 */
#ifndef ENGINE_CGROUP_H
#define ENGINE_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

struct cgroup {
	char *name;
	int fd;                          /* for perf_event_open's PERF_FLAG_PID_CGROUP */
};

/* Those that were opened, each once; pointers to them hold until the set is released. */
struct cgroup_set {
	VEC(struct cgroup *) v;
};

/* The group of this name, opened if it is not yet; NULL with a message. */
const struct cgroup *cgroup_find(struct cgroup_set *set, const char *name, size_t len, struct err *err);

/*
 * -G a,b: the n-th of `nr` events is for the n-th group; one name is for all, "" for none (NULL).
 * More names than events are -EINVAL.
 */
int cgroup_assign(struct cgroup_set *set, const char *list, const struct cgroup **of, uint32_t nr,
		  struct err *err);

void cgroup_set_release(struct cgroup_set *set);

/* Where the hierarchy is mounted that events know; false: nowhere. */
bool cgroup_mount(char *path, size_t size);

#endif
