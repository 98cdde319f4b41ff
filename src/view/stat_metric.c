/* SPDX-License-Identifier: MIT */
/*
 * Derived values: those that stat shows by itself, and formulas for -M.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "view/stat.h"

#define CACHE(c, op, result) \
	(PERF_COUNT_HW_CACHE_##c | PERF_COUNT_HW_CACHE_OP_##op << 8 | \
	 PERF_COUNT_HW_CACHE_RESULT_##result << 16)

/* `part` over `whole`, shown at part: perf-stat(1), and tools/perf/util/stat-shadow.c */
static const struct ratio {
	uint32_t type;
	uint64_t part, whole;
	const char *unit;
	bool percent;
	int digits;
} ratios[] = {
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, PERF_COUNT_HW_CPU_CYCLES,
	  "insn per cycle", false, 2 },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES, PERF_COUNT_HW_BRANCH_INSTRUCTIONS,
	  "of all branches", true, 2 },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, PERF_COUNT_HW_CACHE_REFERENCES,
	  "of all cache refs", true, 2 },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_FRONTEND, PERF_COUNT_HW_CPU_CYCLES,
	  "frontend cycles idle", true, 2 },
	{ PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_BACKEND, PERF_COUNT_HW_CPU_CYCLES,
	  "backend cycles idle", true, 2 },
	{ PERF_TYPE_HW_CACHE, CACHE(L1D, READ, MISS), CACHE(L1D, READ, ACCESS),
	  "of all L1-dcache accesses", true, 2 },
	{ PERF_TYPE_HW_CACHE, CACHE(L1I, READ, MISS), CACHE(L1I, READ, ACCESS),
	  "of all L1-icache accesses", true, 2 },
	{ PERF_TYPE_HW_CACHE, CACHE(DTLB, READ, MISS), CACHE(DTLB, READ, ACCESS),
	  "of all dTLB cache accesses", true, 2 },
	{ PERF_TYPE_HW_CACHE, CACHE(ITLB, READ, MISS), CACHE(ITLB, READ, ACCESS),
	  "of all iTLB cache accesses", true, 2 },
	{ PERF_TYPE_HW_CACHE, CACHE(LL, READ, MISS), CACHE(LL, READ, ACCESS),
	  "of all LL-cache accesses", true, 2 },
};

/* On hybrid CPUs the upper half of config is the PMU; both sides must have the same. */
#define KIND(config) ((config) & UINT32_MAX)

static bool counts_same(const struct perf_event_attr *a, const struct perf_event_attr *b)
{
	return a->exclude_user == b->exclude_user && a->exclude_kernel == b->exclude_kernel &&
	       a->exclude_host == b->exclude_host && a->exclude_guest == b->exclude_guest;
}

/* The row of `row`'s group that counts type:config on the same side, or NULL. */
static const struct stat_row *sibling(const struct stat_row *rows, uint32_t nr,
				      const struct stat_row *row, uint32_t type, uint64_t config)
{
	for (uint32_t i = 0; i < nr; i++) {
		const struct perf_event_attr *attr = &rows[i].event->attr;

		if (rows[i].group == row->group && rows[i].state == STAT_COUNTED &&
		    !rows[i].event->tool && attr->type == type && KIND(attr->config) == config &&
		    (type == PERF_TYPE_SOFTWARE || attr->config >> 32 == row->event->attr.config >> 32) &&
		    (type == PERF_TYPE_SOFTWARE || counts_same(attr, &row->event->attr)))
			return &rows[i];
	}
	return NULL;
}

static void add(struct stat_row *row, double value, const char *unit, int digits, bool percent)
{
	if (row->nr_derived == STAT_DERIVED_MAX || !__builtin_isfinite(value))
		return;
	row->derived[row->nr_derived++] = (struct stat_derived){ value, unit, digits, percent };
}

static bool is_clock(const struct event *event)
{
	return strcmp(stat_unit(event), "msec") == 0;
}

/* The time the tasks ran, in ns; 0 when no clock was counted with them. */
static double clock_ns(const struct stat_row *rows, uint32_t nr, const struct stat_row *row)
{
	const struct stat_row *clock = sibling(rows, nr, row, PERF_TYPE_SOFTWARE,
					       PERF_COUNT_SW_TASK_CLOCK);

	if (!clock)
		clock = sibling(rows, nr, row, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
	return clock ? clock->value * 1e6 : 0;
}

static void add_rate(struct stat_row *row, double ns)
{
	static const struct {
		double least;
		const char *unit;
	} steps[] = { { 1e9, "G/sec" }, { 1e6, "M/sec" }, { 1e3, "K/sec" }, { 1, "/sec" } };
	double rate = row->value / (ns / 1e9);

	for (size_t i = 0; i < 4; i++) {
		if (rate < steps[i].least && i < 3)
			continue;
		add(row, rate / steps[i].least, steps[i].unit, 3, false);
		return;
	}
}

/* Cycles that nothing came of, for each instruction: the larger of the two stalls. */
static void add_stalled_per_insn(const struct stat_row *rows, uint32_t nr, struct stat_row *row)
{
	const struct stat_row *front = sibling(rows, nr, row, PERF_TYPE_HARDWARE,
					       PERF_COUNT_HW_STALLED_CYCLES_FRONTEND);
	const struct stat_row *back = sibling(rows, nr, row, PERF_TYPE_HARDWARE,
					      PERF_COUNT_HW_STALLED_CYCLES_BACKEND);
	double stalled = front ? front->value : 0;

	if (back && back->value > stalled)
		stalled = back->value;
	if (stalled > 0 && row->value > 0)
		add(row, stalled / row->value, "stalled cycles per insn", 2, false);
}

static bool add_ratio(const struct stat_row *rows, uint32_t nr, struct stat_row *row)
{
	const struct perf_event_attr *attr = &row->event->attr;

	for (size_t i = 0; i < sizeof(ratios) / sizeof(ratios[0]); i++) {
		const struct ratio *r = &ratios[i];
		const struct stat_row *whole;

		if (attr->type != r->type || KIND(attr->config) != r->part)
			continue;
		whole = sibling(rows, nr, row, r->type, r->whole);
		if (!whole || whole->value <= 0)
			return false;
		add(row, row->value / whole->value * (r->percent ? 100 : 1), r->unit, r->digits,
		    r->percent);
		if (r->part == PERF_COUNT_HW_INSTRUCTIONS && r->type == PERF_TYPE_HARDWARE)
			add_stalled_per_insn(rows, nr, row);
		return true;
	}
	return false;
}

void stat_derive(struct stat_row *rows, uint32_t nr, double wall_ns)
{
	for (uint32_t i = 0; i < nr; i++) {
		struct stat_row *row = &rows[i];
		const struct perf_event_attr *attr = &row->event->attr;
		double ns;

		if (row->state != STAT_COUNTED || row->event->tool)
			continue;
		if (is_clock(row->event)) {
			if (wall_ns > 0)
				add(row, row->value * 1e6 / wall_ns, "CPUs utilized", 3, false);
			continue;
		}
		if (add_ratio(rows, nr, row))
			continue;
		ns = clock_ns(rows, nr, row);
		if (ns <= 0)
			continue;
		if (attr->type == PERF_TYPE_HARDWARE && KIND(attr->config) == PERF_COUNT_HW_CPU_CYCLES)
			add(row, row->value / ns, "GHz", 3, false);
		else if (!stat_unit(row->event)[0])
			add_rate(row, ns);
	}
}

/*
 * The metrics. A formula has + - * / ( ) numbers and events' names, and spaces
 * around operators because names have dashes. Everything here is expressed in
 * events that any CPU can have; what a CPU has not is left out of the output.
 */
static const struct stat_metric metrics[] = {
	{ "IPC", "summary", "instructions / cycles", "IPC", "instructions per cycle", 1 },
	{ "CPI", "summary", "cycles / instructions", "CPI", "cycles per instruction", 1 },
	{ "GHz", "summary", "cycles / task-clock", "GHz", "cycles per nanosecond of running", 1 },
	{ "CPUs_utilized", "summary", "task-clock / duration_time", "CPUs utilized",
	  "running time over time passed", 1 },
	{ "branch_miss_rate", "branch", "branch-misses / branches", "% branch_miss_rate",
	  "branches that were mispredicted", 100 },
	{ "branch_mpki", "branch", "branch-misses / instructions", "branch_mpki",
	  "mispredicted branches per 1000 instructions", 1000 },
	{ "cache_miss_rate", "cache", "cache-misses / cache-references", "% cache_miss_rate",
	  "last level references that missed", 100 },
	{ "cache_mpki", "cache", "cache-misses / instructions", "cache_mpki",
	  "last level misses per 1000 instructions", 1000 },
	{ "l1d_miss_rate", "cache", "L1-dcache-load-misses / L1-dcache-loads", "% l1d_miss_rate",
	  "L1 data loads that missed", 100 },
	{ "l1d_mpki", "cache", "L1-dcache-load-misses / instructions", "l1d_mpki",
	  "L1 data load misses per 1000 instructions", 1000 },
	{ "llc_miss_rate", "cache", "LLC-load-misses / LLC-loads", "% llc_miss_rate",
	  "last level loads that missed", 100 },
	{ "dtlb_miss_rate", "tlb", "dTLB-load-misses / dTLB-loads", "% dtlb_miss_rate",
	  "data TLB loads that missed", 100 },
	{ "dtlb_mpki", "tlb", "dTLB-load-misses / instructions", "dtlb_mpki",
	  "data TLB load misses per 1000 instructions", 1000 },
	{ "itlb_mpki", "tlb", "iTLB-load-misses / instructions", "itlb_mpki",
	  "instruction TLB load misses per 1000 instructions", 1000 },
	{ "frontend_idle", "stall", "stalled-cycles-frontend / cycles", "% frontend_idle",
	  "cycles in which the front end delivered nothing", 100 },
	{ "backend_idle", "stall", "stalled-cycles-backend / cycles", "% backend_idle",
	  "cycles in which the back end retired nothing", 100 },
	{ "faults_per_sec", "system", "page-faults / task-clock", "faults_per_sec",
	  "page faults per second of running", 1e9 },
	{ "switches_per_sec", "system", "context-switches / task-clock", "switches_per_sec",
	  "context switches per second of running", 1e9 },
	/* Intel's level 1 from the PERF_METRICS register (Ice Lake on); slots leads the group. */
	{ "retiring", "topdown", "topdown-retiring / ( topdown-retiring + topdown-bad-spec + "
	  "topdown-fe-bound + topdown-be-bound ) + 0 * slots", "% retiring",
	  "slots that useful work went through", 100 },
	{ "bad_speculation", "topdown", "topdown-bad-spec / ( topdown-retiring + topdown-bad-spec "
	  "+ topdown-fe-bound + topdown-be-bound ) + 0 * slots", "% bad speculation",
	  "slots lost to wrong guesses", 100 },
	{ "frontend_bound", "topdown", "topdown-fe-bound / ( topdown-retiring + topdown-bad-spec "
	  "+ topdown-fe-bound + topdown-be-bound ) + 0 * slots", "% frontend bound",
	  "slots that the front end left empty", 100 },
	{ "backend_bound", "topdown", "topdown-be-bound / ( topdown-retiring + topdown-bad-spec "
	  "+ topdown-fe-bound + topdown-be-bound ) + 0 * slots", "% backend bound",
	  "slots that waited for the back end", 100 },
};

const struct stat_metric *stat_metric_at(uint32_t i)
{
	return i < sizeof(metrics) / sizeof(metrics[0]) ? &metrics[i] : NULL;
}

const struct stat_metric *stat_metric_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		if (strlen(metrics[i].name) == len && strncasecmp(metrics[i].name, name, len) == 0)
			return &metrics[i];
	return NULL;
}

static size_t word_len(const char *s)
{
	return strcspn(s, " ");
}

static bool is_event(const char *word)
{
	return isalpha((unsigned char)word[0]);
}

static bool in_list(const char *list, const char *word, size_t len)
{
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");

		if (n == len && strncmp(p, word, n) == 0)
			return true;
		p += n + (p[n] == ',');
	}
	return false;
}

char *stat_metric_events(const struct stat_metric *metric, bool grouped)
{
	struct str names = STR_INIT, text = STR_INIT;
	bool slots = strstr(metric->formula, " slots") != NULL;

	if (slots)
		str_add(&names, "slots");
	for (const char *s = metric->formula; *s; s += word_len(s), s += *s == ' ') {
		if (!is_event(s) || in_list(names.p, s, word_len(s)))
			continue;
		str_addf(&names, "%s%.*s", names.len ? "," : "", (int)word_len(s), s);
	}
	str_addf(&text, grouped ? "{%s}:W" : "%s", names.p);
	str_release(&names);
	return str_take(&text);
}

struct formula {
	const char *s;
	bool (*lookup)(void *arg, const char *name, double *value);
	void *arg;
	bool ok;
};

static double sum(struct formula *f);

static double factor(struct formula *f)
{
	size_t len = word_len(f->s);
	char word[128];
	double value = 0;

	if (len >= sizeof(word) || !len) {
		f->ok = false;
		return 0;
	}
	memcpy(word, f->s, len);
	word[len] = '\0';
	f->s += len + (f->s[len] == ' ');
	if (strcmp(word, "(") == 0) {
		value = sum(f);
		if (*f->s != ')')
			f->ok = false;
		else
			f->s += 1 + (f->s[1] == ' ');
	} else if (is_event(word)) {
		if (!f->lookup(f->arg, word, &value))
			f->ok = false;
	} else {
		value = strtod(word, NULL);
	}
	return value;
}

static double product(struct formula *f)
{
	double value = factor(f);

	while (f->ok && (*f->s == '*' || *f->s == '/')) {
		bool divide = *f->s == '/';
		double other;

		f->s += 2;
		other = factor(f);
		if (divide && other == 0)
			f->ok = false;
		else
			value = divide ? value / other : value * other;
	}
	return value;
}

static double sum(struct formula *f)
{
	double value = product(f);

	while (f->ok && (*f->s == '+' || *f->s == '-')) {
		bool minus = *f->s == '-';

		f->s += 2;
		value += (minus ? -1 : 1) * product(f);
	}
	return value;
}

bool stat_metric_compute(const struct stat_metric *metric,
			 bool (*lookup)(void *arg, const char *name, double *value), void *arg,
			 double *result)
{
	struct formula f = { metric->formula, lookup, arg, true };
	double value = sum(&f);

	if (!f.ok || *f.s || !__builtin_isfinite(value))
		return false;
	*result = value * metric->factor;
	return true;
}
