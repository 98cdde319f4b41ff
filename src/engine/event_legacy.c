/* SPDX-License-Identifier: MIT */
#include "engine/event_legacy.h"

#include <ctype.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/event.h"

#define HW(n, a, c, w) { n, a, PERF_TYPE_HARDWARE, PERF_COUNT_HW_##c, w }
#define SW(n, a, c, w) { n, a, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_##c, w }
#define TOOL(n, c, w) { n, NULL, EVENT_LEGACY_TOOL, EVENT_TOOL_##c, w }

static const struct event_legacy events[] = {
	HW("cpu-cycles", "cycles", CPU_CYCLES, "cycles the CPU was running"),
	HW("instructions", NULL, INSTRUCTIONS, "instructions retired"),
	HW("cache-references", NULL, CACHE_REFERENCES, "last level cache accesses"),
	HW("cache-misses", NULL, CACHE_MISSES, "last level cache misses"),
	HW("branch-instructions", "branches", BRANCH_INSTRUCTIONS, "branches retired"),
	HW("branch-misses", NULL, BRANCH_MISSES, "mispredicted branches retired"),
	HW("bus-cycles", NULL, BUS_CYCLES, "bus cycles"),
	HW("stalled-cycles-frontend", "idle-cycles-frontend", STALLED_CYCLES_FRONTEND,
	   "cycles in which nothing was issued"),
	HW("stalled-cycles-backend", "idle-cycles-backend", STALLED_CYCLES_BACKEND,
	   "cycles in which nothing was retired"),
	HW("ref-cycles", NULL, REF_CPU_CYCLES, "cycles at a constant frequency"),

	SW("cpu-clock", NULL, CPU_CLOCK, "time, by the CPU's high resolution timer (ns)"),
	SW("task-clock", NULL, TASK_CLOCK, "time the task was running (ns)"),
	SW("page-faults", "faults", PAGE_FAULTS, "page faults, minor and major"),
	SW("context-switches", "cs", CONTEXT_SWITCHES, "switches away from the task"),
	SW("cpu-migrations", "migrations", CPU_MIGRATIONS, "moves of the task to another CPU"),
	SW("minor-faults", NULL, PAGE_FAULTS_MIN, "page faults that needed no I/O"),
	SW("major-faults", NULL, PAGE_FAULTS_MAJ, "page faults that needed I/O"),
	SW("alignment-faults", NULL, ALIGNMENT_FAULTS, "unaligned accesses the kernel had to mend"),
	SW("emulation-faults", NULL, EMULATION_FAULTS, "instructions the kernel had to emulate"),
	SW("dummy", NULL, DUMMY, "counts nothing; carries the records of processes and maps"),
	SW("bpf-output", NULL, BPF_OUTPUT, "what BPF programs write"),
	SW("cgroup-switches", NULL, CGROUP_SWITCHES, "switches to a task of another cgroup"),

	TOOL("duration_time", DURATION, "time between start and end (ns)"),
	TOOL("user_time", USER, "user time of the command, or of all CPUs (ns)"),
	TOOL("system_time", SYSTEM, "system time of the command, or of all CPUs (ns)"),
};

#define NR(a) (sizeof(a) / sizeof((a)[0]))

const struct event_legacy *event_legacy_at(size_t i)
{
	return i < NR(events) ? &events[i] : NULL;
}

static bool same(const char *a, const char *name, size_t len)
{
	return a && strncmp(a, name, len) == 0 && !a[len];
}

const struct event_legacy *event_legacy_find(const char *name, size_t len)
{
	for (size_t i = 0; i < NR(events); i++)
		if (same(events[i].name, name, len) || same(events[i].alias, name, len))
			return &events[i];
	return NULL;
}

enum { LOAD = 1, STORE = 2, PREFETCH = 4 };

/* Spellings as in perf-list(1); the first of each is the customary one. */
static const struct {
	const char *names[5];
	unsigned ops;            /* those that mean something for this cache */
} caches[] = {
	[PERF_COUNT_HW_CACHE_L1D] = { { "L1-dcache", "l1-d", "l1d", "L1-data" },
				      LOAD | STORE | PREFETCH },
	[PERF_COUNT_HW_CACHE_L1I] = { { "L1-icache", "l1-i", "l1i", "L1-instruction" },
				      LOAD | PREFETCH },
	[PERF_COUNT_HW_CACHE_LL] = { { "LLC", "L2" }, LOAD | STORE | PREFETCH },
	[PERF_COUNT_HW_CACHE_DTLB] = { { "dTLB", "d-tlb", "Data-TLB" }, LOAD | STORE | PREFETCH },
	[PERF_COUNT_HW_CACHE_ITLB] = { { "iTLB", "i-tlb", "Instruction-TLB" }, LOAD },
	[PERF_COUNT_HW_CACHE_BPU] = { { "branch", "branches", "bpu", "btb", "bpc" }, LOAD },
	[PERF_COUNT_HW_CACHE_NODE] = { { "node" }, LOAD | STORE | PREFETCH },
};

static const struct {
	const char *names[5];
	const char *plural;
} ops[] = {
	[PERF_COUNT_HW_CACHE_OP_READ] = { { "load", "loads", "read" }, "loads" },
	[PERF_COUNT_HW_CACHE_OP_WRITE] = { { "store", "stores", "write" }, "stores" },
	[PERF_COUNT_HW_CACHE_OP_PREFETCH] = { { "prefetch", "prefetches", "speculative-read",
						"speculative-load" }, "prefetches" },
};

static const char *const results[][5] = {
	[PERF_COUNT_HW_CACHE_RESULT_ACCESS] = { "refs", "Reference", "ops", "access" },
	[PERF_COUNT_HW_CACHE_RESULT_MISS] = { "misses", "miss" },
};

/* The length of the longest of five names that `s` starts with, as a whole word. */
static size_t word_match(const char *const names[5], const char *s, size_t len)
{
	size_t best = 0;

	for (int i = 0; i < 5 && names[i]; i++) {
		size_t n = strlen(names[i]);

		if (n <= len && n > best && strncasecmp(names[i], s, n) == 0 &&
		    (n == len || s[n] == '-'))
			best = n;
	}
	return best;
}

/* Take "-WORD" off *s if it is one of an op or a result; both at most once. */
static bool take_word(const char **s, size_t *len, int *op, int *result)
{
	size_t n = 0;

	if (!*len || **s != '-')
		return false;
	for (size_t i = 0; i < NR(ops) && *op < 0; i++) {
		n = word_match(ops[i].names, *s + 1, *len - 1);
		if (n) {
			*op = (int)i;
			break;
		}
	}
	for (size_t i = 0; i < NR(results) && !n && *result < 0; i++) {
		n = word_match(results[i], *s + 1, *len - 1);
		if (n) {
			*result = (int)i;
			break;
		}
	}
	if (!n)
		return false;
	*s += n + 1;
	*len -= n + 1;
	return true;
}

bool event_legacy_cache(const char *name, size_t len, uint64_t *config)
{
	for (size_t c = 0; c < NR(caches); c++) {
		size_t n = word_match(caches[c].names, name, len), rest = len - n;
		const char *s = name + n;
		int op = -1, result = -1;

		if (!n)
			continue;
		while (take_word(&s, &rest, &op, &result))
			;
		if (rest)
			continue;
		if (op < 0)
			op = PERF_COUNT_HW_CACHE_OP_READ;
		if (result < 0)
			result = PERF_COUNT_HW_CACHE_RESULT_ACCESS;
		if (!(caches[c].ops & 1u << op))
			return false;
		*config = c | (uint64_t)op << 8 | (uint64_t)result << 16;
		return true;
	}
	return false;
}

bool event_legacy_cache_at(size_t i, char buf[64], uint64_t *config)
{
	for (size_t c = 0; c < NR(caches); c++) {
		for (size_t o = 0; o < NR(ops); o++) {
			if (!(caches[c].ops & 1u << o))
				continue;
			for (size_t r = 0; r < 2; r++, i--) {
				if (i)
					continue;
				if (r)
					snprintf(buf, 64, "%s-%s-misses", caches[c].names[0],
						 ops[o].names[0]);
				else
					snprintf(buf, 64, "%s-%s", caches[c].names[0],
						 ops[o].plural);
				*config = c | o << 8 | r << 16;
				return true;
			}
		}
	}
	return false;
}
