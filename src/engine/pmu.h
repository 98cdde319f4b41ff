/* SPDX-License-Identifier: MIT */
/*
 * pmu: what the kernel says of its PMUs in sysfs.
 *
 * <sysfs>/bus/event_source/devices/NAME has the type number, `format/` (where
 * each field of a term lies in the attr's config words), `events/` (aliases with
 * scale and unit) and `cpumask` or `cpus`.  See the kernel's
 * Documentation/ABI/testing/sysfs-bus-event_source-devices-{format,events}.
 *
 * Nothing is read before it is asked for: finding one PMU reads that one; its
 * formats and aliases come when a term needs them.  A struct pmu lives until
 * pmu_set_release, a format or alias until the next one of its PMU is looked up.
 * One thread.
 */
#ifndef ENGINE_PMU_H
#define ENGINE_PMU_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct pmu_format {
	char *name;
	int word;                /* 0: config, 1: config1, 2: config2, 3: config3 */
	uint64_t bits;           /* which bits of the word, value's lowest first */
};

struct pmu_alias {
	char *name;
	char *terms;             /* "event=0x3c,umask=0x01" */
	char *unit;              /* or NULL */
	double scale;            /* 1.0 where none is stated */
	bool snapshot, per_pkg;
};

struct pmu {
	char *name;
	uint32_t type;
	char *cpus;              /* text of cpumask or cpus, or NULL */
	bool core;               /* counts a CPU's own events, so it can follow a task */
	bool has_cpus;           /* `cpus`: a core PMU of only some of the CPUs (hybrid) */
	bool absent;             /* not in sysfs: the architecture's formats, for the CPU's name */
	char *path;              /* its folder; NULL when absent */
	struct pmu_format *formats;
	struct pmu_alias *aliases;
	uint32_t nr_formats, nr_aliases;
	bool have_formats, have_aliases;
};

struct pmu_set {
	const char *sysfs;
	struct pmu **v;
	uint32_t nr, cap;
	bool scanned, counted;
	uint32_t kinds;
};

/* `sysfs` is borrowed; NULL is "/sys". Reads nothing. */
void pmu_set_init(struct pmu_set *set, const char *sysfs);
void pmu_set_release(struct pmu_set *set);

/*
 * This machine's, shared by all who ask, so that nothing is read twice. Not to
 * be released.
 */
struct pmu_set *pmu_set_here(void);

/* Find one PMU by its exact name, or NULL. */
struct pmu *pmu_set_find(struct pmu_set *set, const char *name);

/* Read the names of all PMUs, sorted; afterwards set->v has them all. */
void pmu_set_scan(struct pmu_set *set);

/*
 * The n-th core PMU, or NULL. A machine whose CPUs are alike has one; hybrid x86
 * has cpu_core and cpu_atom; big.LITTLE has one for each kind of CPU.
 */
struct pmu *pmu_set_core(struct pmu_set *set, uint32_t n);

/*
 * How many kinds of CPU have PMUs of their own: 0 or 1 where all CPUs are alike.
 * Costs one look on a machine that has a PMU named cpu, and reading the names of
 * the folders where there is none.
 */
uint32_t pmu_set_hybrid(struct pmu_set *set);

/*
 * Does what a user wrote before the slash name this PMU: its name, a glob, or a
 * name without "uncore_" in front or _NUMBER behind (perf-list(1))?
 */
bool pmu_matches(const struct pmu *pmu, const char *pattern);

/* Find a format field, or NULL. */
const struct pmu_format *pmu_format_find(struct pmu *pmu, const char *name, size_t len);
void pmu_formats_load(struct pmu *pmu);

/* Find an alias by exact name, reading only its files; NULL if there is none. */
const struct pmu_alias *pmu_alias_find(struct pmu *pmu, const char *name, size_t len);
void pmu_aliases_load(struct pmu *pmu);

/* Put `value` where the format says. -ERANGE and a message if it does not fit. */
int pmu_format_store(const struct pmu *pmu, const struct pmu_format *format, uint64_t value,
		     struct perf_event_attr *attr, struct err *err);

/* The most that fits. */
uint64_t pmu_format_max(const struct pmu_format *format);

#endif
