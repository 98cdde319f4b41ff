/* SPDX-License-Identifier: MIT */
/*
 * topology: which core, die, socket, NUMA node and cache a CPU belongs to.
 *
 * Read from <sysfs>/devices/system/cpu and only for the level that is asked for
 * (Documentation/admin-guide/cputopology.rst).  What a machine does not say is 0,
 * as everything is on a machine with one of it.
 */
#ifndef ENGINE_TOPOLOGY_H
#define ENGINE_TOPOLOGY_H

#include <stddef.h>

enum topology_level {
	TOPOLOGY_CPU,
	TOPOLOGY_CORE,
	TOPOLOGY_CLUSTER,
	TOPOLOGY_CACHE,
	TOPOLOGY_DIE,
	TOPOLOGY_SOCKET,
	TOPOLOGY_NODE,
};

struct topology_place {
	int socket, die, cluster, core, node;
	int cache_level, cache;
	int cpu;
};

/*
 * Where `cpu` is, filled as far as `level` needs it. `cache_level` 0 is the last
 * one. `sysfs` NULL is "/sys".
 */
void topology_find(const char *sysfs, int cpu, enum topology_level level, int cache_level,
		   struct topology_place *place);

/* Order of two places on one level: by socket, die, core, ... */
int topology_compare(const struct topology_place *a, const struct topology_place *b);

/* As perf writes it: "CPU3", "S0-D0-C1", "S0-D0-CLS0", "S0-D0-L3-ID0", "S0-D0", "S0", "N0". */
void topology_label(const struct topology_place *place, enum topology_level level, char *buf,
		    size_t size);

#endif
