/* SPDX-License-Identifier: MIT */
#include "engine/pmu.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#define DEVICES "bus/event_source/devices"

void pmu_set_init(struct pmu_set *set, const char *sysfs)
{
	memset(set, 0, sizeof(*set));
	set->sysfs = sysfs ? sysfs : "/sys";
}

struct pmu_set *pmu_set_here(void)
{
	static struct pmu_set here;

	if (!here.sysfs)
		pmu_set_init(&here, NULL);
	return &here;
}

static void pmu_free(struct pmu *pmu)
{
	for (uint32_t i = 0; i < pmu->nr_formats; i++)
		free(pmu->formats[i].name);
	for (uint32_t i = 0; i < pmu->nr_aliases; i++) {
		free(pmu->aliases[i].name);
		free(pmu->aliases[i].terms);
		free(pmu->aliases[i].unit);
	}
	free(pmu->formats);
	free(pmu->aliases);
	free(pmu->name);
	free(pmu->cpus);
	free(pmu->path);
	free(pmu);
}

void pmu_set_release(struct pmu_set *set)
{
	for (uint32_t i = 0; i < set->nr; i++)
		pmu_free(set->v[i]);
	free(set->v);
	set->v = NULL;
	set->nr = set->cap = 0;
}

static struct pmu *set_add(struct pmu_set *set, struct pmu *pmu)
{
	if (set->nr == set->cap) {
		set->cap = set->cap ? set->cap * 2 : 8;
		set->v = mem_realloc_array(set->v, set->cap, sizeof(*set->v));
	}
	set->v[set->nr++] = pmu;
	return pmu;
}

static bool core_name(const char *name)
{
	return strcmp(name, "cpu") == 0 || str_starts(name, "cpum_c") || str_starts(name, "armv");
}

/*
 * Core PMUs have a CPU's name on x86 and s390; elsewhere (big.LITTLE, hybrid) the
 * kernel gives those that cover a set of like CPUs a `cpus` file, where uncore
 * PMUs have `cpumask` (tools/perf's pmu.c relies on the same; Linux 5.13).
 */
static struct pmu *pmu_load(struct pmu_set *set, const char *name)
{
	char path[512], text[4096];
	struct pmu *pmu;
	uint64_t type;
	int fd;

	if (strchr(name, '/') || name[0] == '.' || !name[0] ||
	    snprintf(path, sizeof(path), "%s/" DEVICES "/%s", set->sysfs, name) >=
		    (int)sizeof(path))
		return NULL;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (file_read_small_at(fd, "type", text, sizeof(text)) <= 0 || str_u64(text, &type) < 0 ||
	    type > UINT32_MAX) {
		close(fd);
		return NULL;
	}
	pmu = mem_zalloc(sizeof(*pmu));
	pmu->name = mem_strdup(name);
	pmu->path = mem_strdup(path);
	pmu->type = (uint32_t)type;
	if (file_read_small_at(fd, "cpus", text, sizeof(text)) > 0)
		pmu->has_cpus = true;
	else
		file_read_small_at(fd, "cpumask", text, sizeof(text));
	close(fd);
	if (text[0])
		pmu->cpus = mem_strdup(text);
	pmu->core = pmu->has_cpus || core_name(name);
	return pmu;
}

struct pmu *pmu_set_find(struct pmu_set *set, const char *name)
{
	struct pmu *pmu;

	for (uint32_t i = 0; i < set->nr; i++)
		if (strcmp(set->v[i]->name, name) == 0)
			return set->v[i];
	if (set->scanned)
		return NULL;
	pmu = pmu_load(set, name);
	return pmu ? set_add(set, pmu) : NULL;
}

static int by_name(const void *a, const void *b)
{
	const struct pmu *const *x = a, *const *y = b;

	return strverscmp((*x)->name, (*y)->name);
}

void pmu_set_scan(struct pmu_set *set)
{
	char path[512];
	struct dirent *entry;
	DIR *dir;

	if (set->scanned)
		return;
	snprintf(path, sizeof(path), "%s/" DEVICES, set->sysfs);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			pmu_set_find(set, entry->d_name);
	if (dir)
		closedir(dir);
	if (set->nr)
		qsort(set->v, set->nr, sizeof(*set->v), by_name);
	set->scanned = true;
}

/* Is there a PMU that may be a CPU's own? Tells by names as far as that goes. */
static bool may_have_core(const struct pmu_set *set)
{
	static const char *const others[] = { "software", "tracepoint", "breakpoint", "kprobe",
					      "uprobe", "msr", "power", "uncore_", "cstate_" };
	char path[512], file[600];
	struct dirent *entry;
	bool may = false;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/" DEVICES, set->sysfs);
	dir = opendir(path);
	while (dir && !may && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		size_t i = 0;

		while (i < sizeof(others) / sizeof(others[0]) && !str_starts(name, others[i]))
			i++;
		if (name[0] == '.' || i < sizeof(others) / sizeof(others[0]))
			continue;
		may = core_name(name) ||
		      (snprintf(file, sizeof(file), "%s/%s/cpus", path, name) < (int)sizeof(file) &&
		       access(file, F_OK) == 0);
	}
	if (dir)
		closedir(dir);
	return may;
}

uint32_t pmu_set_hybrid(struct pmu_set *set)
{
	char path[512];

	if (set->counted)
		return set->kinds;
	set->counted = true;
	snprintf(path, sizeof(path), "%s/" DEVICES "/cpu", set->sysfs);
	if (access(path, F_OK) == 0)
		return set->kinds = 1;
	if (!may_have_core(set))
		return set->kinds = 0;
	pmu_set_scan(set);
	for (uint32_t i = 0; i < set->nr; i++)
		set->kinds += set->v[i]->core;
	return set->kinds;
}

struct pmu *pmu_set_core(struct pmu_set *set, uint32_t n)
{
	struct pmu *cpu;

	if (n >= pmu_set_hybrid(set))
		return NULL;
	cpu = set->kinds == 1 ? pmu_set_find(set, "cpu") : NULL;
	if (cpu)
		return cpu;
	pmu_set_scan(set);
	/* By type number: the kernel registers the bigger kind of CPU first. */
	for (uint32_t i = 0; i < set->nr; i++) {
		uint32_t before = 0;

		for (uint32_t j = 0; j < set->nr; j++)
			before += set->v[j]->core && set->v[j]->type < set->v[i]->type;
		if (set->v[i]->core && before == n)
			return set->v[i];
	}
	return NULL;
}

/* `name` without an _NUMBER (or _hex, as memory channels have) behind it. */
static size_t stem_len(const char *name)
{
	size_t len = strlen(name), n = len;

	while (n && isdigit((unsigned char)name[n - 1]))
		n--;
	if (n == len)
		return len;
	return n && name[n - 1] == '_' ? n - 1 : n;
}

bool pmu_matches(const struct pmu *pmu, const char *pattern)
{
	const char *name = pmu->name;

	for (int i = 0; i < 2; i++) {
		size_t stem = stem_len(name);

		if (strcmp(name, pattern) == 0 || (str_is_glob(pattern) && str_glob(pattern, name)))
			return true;
		if (!pmu->core && strlen(pattern) == stem && strncmp(name, pattern, stem) == 0)
			return true;
		if (!str_starts(name, "uncore_"))
			break;
		name += strlen("uncore_");
	}
	return false;
}

/* "0-7,32-35" -> a mask; false if it is not of that form. */
static bool parse_bits(const char *s, uint64_t *mask)
{
	*mask = 0;
	for (;;) {
		char *end;
		unsigned long from, to;

		if (!isdigit((unsigned char)*s))
			return false;
		from = to = strtoul(s, &end, 10);
		if (*end == '-') {
			s = end + 1;
			if (!isdigit((unsigned char)*s))
				return false;
			to = strtoul(s, &end, 10);
		}
		if (from > to || to > 63)
			return false;
		*mask |= (to - from == 63 ? UINT64_MAX : (UINT64_C(1) << (to - from + 1)) - 1)
			 << from;
		if (!*end)
			return true;
		if (*end != ',')
			return false;
		s = end + 1;
	}
}

static void format_add(struct pmu *pmu, const char *name, const char *text)
{
	static const char *const words[] = { "config:", "config1:", "config2:", "config3:" };
	struct pmu_format *format;
	uint64_t bits;

	for (int i = 0; i < 4; i++) {
		if (!str_starts(text, words[i]) || !parse_bits(text + strlen(words[i]), &bits))
			continue;
		pmu->formats = mem_realloc_array(pmu->formats, pmu->nr_formats + 1,
						 sizeof(*pmu->formats));
		format = &pmu->formats[pmu->nr_formats++];
		format->name = mem_strdup(name);
		format->word = i;
		format->bits = bits;
		return;
	}
}

static int format_by_name(const void *a, const void *b)
{
	const struct pmu_format *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* One of the PMU's folders, or -1. */
static int open_folder(const struct pmu *pmu, const char *folder)
{
	char path[600];

	if (!pmu->path ||
	    snprintf(path, sizeof(path), "%s/%s", pmu->path, folder) >= (int)sizeof(path))
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Call fn(name) for each plain entry of a folder of the PMU. */
static void each_file(struct pmu *pmu, const char *folder,
		      void (*fn)(struct pmu *pmu, int fd, const char *name))
{
	int fd = open_folder(pmu, folder);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			fn(pmu, fd, entry->d_name);
	closedir(dir);
}

static void format_read(struct pmu *pmu, int fd, const char *name)
{
	char text[256];

	if (file_read_small_at(fd, name, text, sizeof(text)) > 0)
		format_add(pmu, name, text);
}

void pmu_formats_load(struct pmu *pmu)
{
	/*
	 * IA32_PERFEVTSELx, Intel SDM volume 3B, 20.2.1.1; AMD's PERF_CTL has the
	 * same fields. For a machine that shows no PMU, so that what people type
	 * is understood and can be called not supported rather than wrong.
	 */
	static const char *const x86[][2] = {
		{ "event", "config:0-7" }, { "umask", "config:8-15" }, { "edge", "config:18" },
		{ "pc", "config:19" }, { "any", "config:21" }, { "inv", "config:23" },
		{ "cmask", "config:24-31" },
	};

	if (pmu->have_formats)
		return;
	pmu->have_formats = true;
	for (size_t i = 0; pmu->absent && i < sizeof(x86) / sizeof(x86[0]); i++)
		format_add(pmu, x86[i][0], x86[i][1]);
	each_file(pmu, "format", format_read);
	if (pmu->nr_formats)
		qsort(pmu->formats, pmu->nr_formats, sizeof(*pmu->formats), format_by_name);
}

static bool same(const char *a, const char *name, size_t len)
{
	return strncmp(a, name, len) == 0 && !a[len];
}

const struct pmu_format *pmu_format_find(struct pmu *pmu, const char *name, size_t len)
{
	pmu_formats_load(pmu);
	for (uint32_t i = 0; i < pmu->nr_formats; i++)
		if (same(pmu->formats[i].name, name, len))
			return &pmu->formats[i];
	return NULL;
}

static const struct pmu_alias *alias_known(const struct pmu *pmu, const char *name, size_t len)
{
	for (uint32_t i = 0; i < pmu->nr_aliases; i++)
		if (same(pmu->aliases[i].name, name, len))
			return &pmu->aliases[i];
	return NULL;
}

/* One of the files beside an alias: events/NAME.scale and so on. */
static bool alias_file(int fd, const char *name, const char *suffix, char *text, size_t size)
{
	char path[300];

	if (snprintf(path, sizeof(path), "%s.%s", name, suffix) >= (int)sizeof(path))
		return false;
	return file_read_small_at(fd, path, text, size) >= 0;
}

static void alias_read(struct pmu *pmu, int fd, const char *name)
{
	static const char *const beside[] = { ".scale", ".unit", ".per-pkg", ".snapshot" };
	struct pmu_alias alias = { .scale = 1.0 };
	char text[4096];

	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
		if (str_ends(name, beside[i]))
			return;
	if (alias_known(pmu, name, strlen(name)) ||
	    file_read_small_at(fd, name, text, sizeof(text)) <= 0)
		return;
	alias.name = mem_strdup(name);
	alias.terms = mem_strdup(text);
	/* The kernel writes scales with a point whatever the user's locale. */
	if (alias_file(fd, name, "scale", text, sizeof(text))) {
		char *end;
		double scale = strtod(text, &end);

		if (end != text && scale > 0 && scale < 1e300)
			alias.scale = scale;
	}
	if (alias_file(fd, name, "unit", text, sizeof(text)) && text[0])
		alias.unit = mem_strdup(text);
	alias.per_pkg = alias_file(fd, name, "per-pkg", text, sizeof(text));
	alias.snapshot = alias_file(fd, name, "snapshot", text, sizeof(text));
	pmu->aliases = mem_realloc_array(pmu->aliases, pmu->nr_aliases + 1,
					 sizeof(*pmu->aliases));
	pmu->aliases[pmu->nr_aliases++] = alias;
}

const struct pmu_alias *pmu_alias_find(struct pmu *pmu, const char *name, size_t len)
{
	const struct pmu_alias *known = alias_known(pmu, name, len);
	char file[256];
	int fd;

	if (known || pmu->have_aliases || !len || len >= sizeof(file) ||
	    memchr(name, '/', len) || name[0] == '.')
		return known;
	memcpy(file, name, len);
	file[len] = '\0';
	fd = open_folder(pmu, "events");
	if (fd < 0)
		return NULL;
	alias_read(pmu, fd, file);
	close(fd);
	return alias_known(pmu, name, len);
}

static int alias_by_name(const void *a, const void *b)
{
	const struct pmu_alias *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

void pmu_aliases_load(struct pmu *pmu)
{
	if (pmu->have_aliases)
		return;
	each_file(pmu, "events", alias_read);
	pmu->have_aliases = true;
	if (pmu->nr_aliases)
		qsort(pmu->aliases, pmu->nr_aliases, sizeof(*pmu->aliases), alias_by_name);
}

uint64_t pmu_format_max(const struct pmu_format *format)
{
	int width = __builtin_popcountll(format->bits);

	return width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

int pmu_format_store(const struct pmu *pmu, const struct pmu_format *format, uint64_t value,
		     struct perf_event_attr *attr, struct err *err)
{
	uint64_t word = 0, max = pmu_format_max(format);

	if (value > max)
		return err_set(err, ERANGE,
			       "term '%s' of PMU '%s' takes at most %#" PRIx64 ", not %#" PRIx64,
			       format->name, pmu->name, max, value);
	for (uint64_t left = format->bits; left; left &= left - 1, value >>= 1)
		if (value & 1)
			word |= left & -left;
	switch (format->word) {
	case 0:
		attr->config = (attr->config & ~format->bits) | word;
		return 0;
	case 1:
		attr->config1 = (attr->config1 & ~format->bits) | word;
		return 0;
	case 2:
		attr->config2 = (attr->config2 & ~format->bits) | word;
		return 0;
	default:
		return err_set(err, ENOTSUP,
			       "term '%s' of PMU '%s' needs attr.config3, which this build's kernel "
			       "headers do not have", format->name, pmu->name);
	}
}
