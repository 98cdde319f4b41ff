/* SPDX-License-Identifier: MIT */
#include "engine/topology.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "engine/target.h"

static int number(const char *sysfs, int cpu, const char *file)
{
	char path[512];
	int64_t n;

	snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%d/%s", sysfs, cpu, file);
	n = read_number(path, 0);
	/* A package that the firmware does not number is -1. */
	return n < 0 || n > INT32_MAX ? 0 : (int)n;
}

/* The CPU's folder has a link nodeN. */
static int node_of(const char *sysfs, int cpu)
{
	char path[512];
	struct dirent *entry;
	int node = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%d", sysfs, cpu);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (str_starts(entry->d_name, "node") && entry->d_name[4] >= '0' &&
		    entry->d_name[4] <= '9')
			node = atoi(entry->d_name + 4);
	if (dir)
		closedir(dir);
	return node;
}

/* A cache without an id (before Linux 4.11, many arm64) goes by its first CPU. */
static int cache_id(const char *sysfs, int cpu, int index)
{
	char path[512], text[256];

	snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%d/cache/index%d/id", sysfs, cpu,
		 index);
	if (file_read_small(path, text, sizeof(text)) > 0)
		return atoi(text);
	snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%d/cache/index%d/shared_cpu_list",
		 sysfs, cpu, index);
	return file_read_small(path, text, sizeof(text)) > 0 ? atoi(text) : cpu;
}

static void find_cache(const char *sysfs, int wanted, struct topology_place *place)
{
	for (int index = 0; index < 8; index++) {
		char file[64];
		int level;

		snprintf(file, sizeof(file), "cache/index%d/level", index);
		level = number(sysfs, place->cpu, file);
		if (!level)
			break;
		if (wanted ? level == wanted : level >= place->cache_level) {
			place->cache_level = level;
			place->cache = cache_id(sysfs, place->cpu, index);
		}
	}
}

void topology_find(const char *sysfs, int cpu, enum topology_level level, int cache_level,
		   struct topology_place *place)
{
	if (!sysfs)
		sysfs = "/sys";
	memset(place, 0, sizeof(*place));
	place->cpu = cpu;
	if (level == TOPOLOGY_NODE)
		place->node = node_of(sysfs, cpu);
	if (level != TOPOLOGY_NODE && level != TOPOLOGY_CPU)
		place->socket = number(sysfs, cpu, "topology/physical_package_id");
	if (level != TOPOLOGY_NODE && level != TOPOLOGY_CPU && level != TOPOLOGY_SOCKET)
		place->die = number(sysfs, cpu, "topology/die_id");
	if (level == TOPOLOGY_CORE)
		place->core = number(sysfs, cpu, "topology/core_id");
	if (level == TOPOLOGY_CLUSTER)
		place->cluster = number(sysfs, cpu, "topology/cluster_id");
	if (level == TOPOLOGY_CACHE)
		find_cache(sysfs, cache_level, place);
	if (level != TOPOLOGY_CPU)
		place->cpu = 0;
}

int topology_compare(const struct topology_place *a, const struct topology_place *b)
{
	const int x[] = { a->socket, a->die, a->cluster, a->cache, a->core, a->node, a->cpu };
	const int y[] = { b->socket, b->die, b->cluster, b->cache, b->core, b->node, b->cpu };

	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

void topology_label(const struct topology_place *place, enum topology_level level, char *buf,
		    size_t size)
{
	switch (level) {
	case TOPOLOGY_CPU:
		snprintf(buf, size, "CPU%d", place->cpu);
		break;
	case TOPOLOGY_CORE:
		snprintf(buf, size, "S%d-D%d-C%d", place->socket, place->die, place->core);
		break;
	case TOPOLOGY_CLUSTER:
		snprintf(buf, size, "S%d-D%d-CLS%d", place->socket, place->die, place->cluster);
		break;
	case TOPOLOGY_CACHE:
		snprintf(buf, size, "S%d-D%d-L%d-ID%d", place->socket, place->die,
			 place->cache_level, place->cache);
		break;
	case TOPOLOGY_DIE:
		snprintf(buf, size, "S%d-D%d", place->socket, place->die);
		break;
	case TOPOLOGY_SOCKET:
		snprintf(buf, size, "S%d", place->socket);
		break;
	case TOPOLOGY_NODE:
		snprintf(buf, size, "N%d", place->node);
		break;
	}
}
