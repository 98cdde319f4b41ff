/* SPDX-License-Identifier: MIT */
#include "engine/host.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "base/cpus.h"
#include "base/mem.h"
#include "base/vec.h"
#include "engine/target.h"

#define CPU_DIR "/sys/devices/system/cpu"
#define CACHES_MOST 16

static void set_string(struct perf_write *w, enum perf_feature feature, const char *text)
{
	struct str s = STR_INIT;

	perf_put_string(&s, text);
	perf_write_feature(w, feature, s.p, s.len);
	str_release(&s);
}

/* Value of the first "key : value" line of a file, or false. */
static bool find_value(const char *path, const char *key, char *value, size_t size)
{
	FILE *file = fopen(path, "re");
	char line[1024];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		const char *at = line + strlen(key);

		if (!str_starts(line, key))
			continue;
		at += strspn(at, " \t");
		if (*at != ':')
			continue;
		at++;
		at += strspn(at, " \t");
		snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
		found = true;
	}
	if (file)
		fclose(file);
	return found;
}

static void set_cpu_description(struct perf_write *w)
{
	/* The key differs by architecture. */
	static const char *const keys[] = { "model name", "Processor", "cpu model", "cpu", "uarch",
					    "Hardware" };
	char value[512];

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (!find_value("/proc/cpuinfo", keys[i], value, sizeof(value)))
			continue;
		set_string(w, FEATURE_CPUDESC, value);
		return;
	}
}

/* "vendor,family,model,stepping" on x86, the MIDR on arm64. */
static void set_cpu_id(struct perf_write *w)
{
	char text[128];
#if defined(__x86_64__) || defined(__i386__)
	unsigned int a, b, c, d, family, model;
	char vendor[13];

	if (!__get_cpuid(0, &a, &b, &c, &d))
		return;
	memcpy(vendor, &b, 4);
	memcpy(vendor + 4, &d, 4);
	memcpy(vendor + 8, &c, 4);
	vendor[12] = '\0';
	if (!__get_cpuid(1, &a, &b, &c, &d))
		return;
	family = a >> 8 & 0xf;
	model = a >> 4 & 0xf;
	if (family == 0xf)
		family += a >> 20 & 0xff;
	if (family >= 0x6)
		model += (a >> 16 & 0xf) << 4;
	snprintf(text, sizeof(text), "%s,%u,%u,%u", vendor, family, model, a & 0xf);
#else
	if (read_line(CPU_DIR "/cpu0/regs/identification/midr_el1", text, sizeof(text)) < 0)
		return;
#endif
	set_string(w, FEATURE_CPUID, text);
}

static void set_memory(struct perf_write *w)
{
	char value[64];
	struct str s = STR_INIT;

	if (!find_value("/proc/meminfo", "MemTotal", value, sizeof(value)))
		return;
	perf_put_u64(&s, strtoull(value, NULL, 10));
	perf_write_feature(w, FEATURE_TOTAL_MEM, s.p, s.len);
	str_release(&s);
}

static void set_command_line(struct perf_write *w, char *const *argv)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	struct str s = STR_INIT;
	uint32_t nr = 0;

	self[n > 0 ? n : 0] = '\0';
	while (argv[nr])
		nr++;
	perf_put_u32(&s, nr + 1);
	perf_put_string(&s, n > 0 ? self : "sonde");
	for (uint32_t i = 0; i < nr; i++)
		perf_put_string(&s, argv[i]);
	perf_write_feature(w, FEATURE_CMDLINE, s.p, s.len);
	str_release(&s);
}

static uint32_t cpus_available(void)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);

	return n > 0 ? (uint32_t)n : 1;
}

static void set_cpu_count(struct perf_write *w)
{
	struct str s = STR_INIT;

	perf_put_u32(&s, cpus_available());
	perf_put_u32(&s, cpus_online());
	perf_write_feature(w, FEATURE_NRCPUS, s.p, s.len);
	str_release(&s);
}

/* The distinct lines that `file` holds for all CPUs: u32 count, strings. */
static uint32_t put_sibling_lists(struct str *out, const char *file, const char *older)
{
	VEC(char *) lists = { 0 };
	uint32_t nr = cpus_available();

	for (uint32_t cpu = 0; cpu < nr; cpu++) {
		char path[256], line[1024];
		bool known = false;

		snprintf(path, sizeof(path), CPU_DIR "/cpu%u/topology/%s", cpu, file);
		if (read_line(path, line, sizeof(line)) < 0) {
			snprintf(path, sizeof(path), CPU_DIR "/cpu%u/topology/%s", cpu, older);
			if (read_line(path, line, sizeof(line)) < 0)
				continue;
		}
		for (size_t i = 0; i < lists.nr; i++)
			known |= strcmp(lists.v[i], line) == 0;
		if (!known)
			*vec_push(&lists) = mem_strdup(line);
	}
	perf_put_u32(out, (uint32_t)lists.nr);
	for (size_t i = 0; i < lists.nr; i++) {
		perf_put_string(out, lists.v[i]);
		free(lists.v[i]);
	}
	nr = (uint32_t)lists.nr;
	vec_release(&lists);
	return nr;
}

static uint32_t topology_number(uint32_t cpu, const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), CPU_DIR "/cpu%u/topology/%s", cpu, file);
	return (uint32_t)read_number(path, -1);
}

static void set_topology(struct perf_write *w)
{
	uint32_t nr = cpus_available(), packages;
	struct str s = STR_INIT;

	packages = put_sibling_lists(&s, "package_cpus_list", "core_siblings_list");
	put_sibling_lists(&s, "core_cpus_list", "thread_siblings_list");
	for (uint32_t cpu = 0; cpu < nr; cpu++) {
		perf_put_u32(&s, topology_number(cpu, "core_id"));
		perf_put_u32(&s, topology_number(cpu, "physical_package_id"));
	}
	put_sibling_lists(&s, "die_cpus_list", "package_cpus_list");
	for (uint32_t cpu = 0; cpu < nr; cpu++)
		perf_put_u32(&s, topology_number(cpu, "die_id"));
	if (packages)
		perf_write_feature(w, FEATURE_CPU_TOPOLOGY, s.p, s.len);
	str_release(&s);
}

/* "Node 0 MemTotal:  24682416 kB" */
static uint64_t node_memory(uint32_t node, const char *what)
{
	char path[256], line[256], key[64];
	uint64_t kb = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/meminfo", node);
	snprintf(key, sizeof(key), "%s:", what);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, key);

		if (at)
			kb = strtoull(at + strlen(key), NULL, 10);
	}
	if (file)
		fclose(file);
	return kb;
}

static void set_numa(struct perf_write *w)
{
	cpu_vec nodes = { 0 };
	struct str s = STR_INIT;
	char line[1024];

	if (read_line("/sys/devices/system/node/online", line, sizeof(line)) < 0 ||
	    cpu_list_parse(line, &nodes) < 0)
		return;
	perf_put_u32(&s, (uint32_t)nodes.nr);
	for (size_t i = 0; i < nodes.nr; i++) {
		uint32_t node = (uint32_t)nodes.v[i];
		char path[256];

		perf_put_u32(&s, node);
		perf_put_u64(&s, node_memory(node, "MemTotal"));
		perf_put_u64(&s, node_memory(node, "MemFree"));
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/cpulist", node);
		perf_put_string(&s, read_line(path, line, sizeof(line)) < 0 ? "" : line);
	}
	perf_write_feature(w, FEATURE_NUMA_TOPOLOGY, s.p, s.len);
	str_release(&s);
	vec_release(&nodes);
}

static void set_pmus(struct perf_write *w)
{
	static const char devices[] = "/sys/bus/event_source/devices";
	DIR *dir = opendir(devices);
	struct str s = STR_INIT, entries = STR_INIT;
	struct dirent *entry;
	uint32_t nr = 0;

	while (dir && (entry = readdir(dir))) {
		char path[512];
		int64_t type;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/type", devices, entry->d_name);
		type = read_number(path, -1);
		if (type < 0)
			continue;
		perf_put_u32(&entries, (uint32_t)type);
		perf_put_string(&entries, entry->d_name);
		nr++;
	}
	if (dir)
		closedir(dir);
	perf_put_u32(&s, nr);
	str_addn(&s, entries.p, entries.len);
	if (nr)
		perf_write_feature(w, FEATURE_PMU_MAPPINGS, s.p, s.len);
	str_release(&entries);
	str_release(&s);
}

struct cache {
	uint32_t level, line_size, sets, ways;
	char type[32], size[32], map[256];
};

static bool read_cache(uint32_t cpu, uint32_t index, struct cache *cache)
{
	char base[128], path[256];
	const struct {
		const char *file;
		uint32_t *to;
	} numbers[] = { { "level", &cache->level },
			{ "coherency_line_size", &cache->line_size },
			{ "number_of_sets", &cache->sets },
			{ "ways_of_associativity", &cache->ways } };
	const struct {
		const char *file;
		char *to;
		size_t size;
	} texts[] = { { "type", cache->type, sizeof(cache->type) },
		      { "size", cache->size, sizeof(cache->size) },
		      { "shared_cpu_list", cache->map, sizeof(cache->map) } };

	memset(cache, 0, sizeof(*cache));
	snprintf(base, sizeof(base), CPU_DIR "/cpu%u/cache/index%u", cpu, index);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		int64_t n;

		snprintf(path, sizeof(path), "%s/%s", base, numbers[i].file);
		n = read_number(path, -1);
		if (n < 0 && i == 0)
			return false;
		*numbers[i].to = n < 0 ? 0 : (uint32_t)n;
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		snprintf(path, sizeof(path), "%s/%s", base, texts[i].file);
		if (read_line(path, texts[i].to, texts[i].size) < 0)
			return false;
	}
	return true;
}

static void set_caches(struct perf_write *w)
{
	VEC(struct cache) caches = { 0 };
	uint32_t nr = cpus_available();
	struct str s = STR_INIT;

	for (uint32_t cpu = 0; cpu < nr; cpu++) {
		for (uint32_t index = 0; index < CACHES_MOST; index++) {
			struct cache cache;
			bool known = false;

			if (!read_cache(cpu, index, &cache))
				break;
			for (size_t i = 0; i < caches.nr; i++)
				known |= caches.v[i].level == cache.level &&
					 strcmp(caches.v[i].type, cache.type) == 0 &&
					 strcmp(caches.v[i].map, cache.map) == 0;
			if (!known)
				*vec_push(&caches) = cache;
		}
	}
	perf_put_u32(&s, 1);             /* version of this section */
	perf_put_u32(&s, (uint32_t)caches.nr);
	for (size_t i = 0; i < caches.nr; i++) {
		const struct cache *cache = &caches.v[i];

		perf_put_u32(&s, cache->level);
		perf_put_u32(&s, cache->line_size);
		perf_put_u32(&s, cache->sets);
		perf_put_u32(&s, cache->ways);
		perf_put_string(&s, cache->type);
		perf_put_string(&s, cache->size);
		perf_put_string(&s, cache->map);
	}
	if (caches.nr)
		perf_write_feature(w, FEATURE_CACHE, s.p, s.len);
	str_release(&s);
	vec_release(&caches);
}

void host_features(struct perf_write *w, const char *version, char *const *argv)
{
	struct utsname uts;

	if (uname(&uts) == 0) {
		set_string(w, FEATURE_HOSTNAME, uts.nodename);
		set_string(w, FEATURE_OSRELEASE, uts.release);
		set_string(w, FEATURE_ARCH, uts.machine);
	}
	set_string(w, FEATURE_VERSION, version);
	set_cpu_count(w);
	set_cpu_description(w);
	set_cpu_id(w);
	set_memory(w);
	set_command_line(w, argv);
	set_topology(w);
	set_numa(w);
	set_pmus(w);
	set_caches(w);
}
