/* SPDX-License-Identifier: MIT */
/*
 * stat: counts as text, as separated values and as JSON.
 *
 * In: rows, each one event in one group of CPUs, threads or cgroups, already
 * scaled.  Out: what `perf stat` prints for the same, so that scripts go on
 * working.  Pure: nothing is read or opened here.
 *
 *	rows --stat_derive--> rows with "insn per cycle" --stat_print_*--> FILE
 *
 * No output ever holds nan or inf: a ratio without a divisor is left out.
 */
#ifndef VIEW_STAT_H
#define VIEW_STAT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "engine/event.h"

enum stat_state { STAT_COUNTED, STAT_NOT_COUNTED, STAT_NOT_SUPPORTED };

struct stat_derived {
	double value;
	const char *unit;        /* NULL: there is none */
	int digits;              /* behind the point */
	bool percent;
};

#define STAT_DERIVED_MAX 3

struct stat_row {
	const struct event *event;
	const char *name;        /* as shown */
	const char *cgroup;      /* or NULL */
	const char *label;       /* "CPU0", "S0-D0", "comm-12"; NULL when all is one */
	int members;             /* CPUs behind the label; 0: not shown */
	uint32_t group;          /* rows that belong together: same label, same cgroup */
	enum stat_state state;
	double value;            /* in the event's unit */
	uint64_t running_ns, enabled_ns;
	bool has_noise;
	double noise;            /* -r: standard deviation of the mean, in percent of it */
	struct stat_derived derived[STAT_DERIVED_MAX];
	int nr_derived;
};

enum stat_labels {               /* what label stands for; the width and JSON's key */
	STAT_LABEL_NONE,
	STAT_LABEL_CPU,
	STAT_LABEL_CORE,
	STAT_LABEL_CLUSTER,
	STAT_LABEL_CACHE,
	STAT_LABEL_DIE,
	STAT_LABEL_SOCKET,
	STAT_LABEL_NODE,
	STAT_LABEL_THREAD,
};

struct stat_style {
	enum stat_labels labels;
	const char *separator;   /* -x, or NULL */
	bool json, big_num, metric_only;
	unsigned width;          /* columns that text has room for; 0: any, and perf's layout */
	bool summary;            /* with separator: the total behind intervals, marked as such */
	bool has_interval;
	double interval_s;       /* time stamp of these rows, with has_interval */
};

/* The unit a row's value is in: the PMU's, "msec" for clocks, "ns" for times, or "". */
const char *stat_unit(const struct event *event);

/* From the kernel's figure to the row's unit. */
double stat_scale(const struct event *event, double count);

/*
 * Fill the derived values that perf shows by itself (CPUs utilized, GHz, insn
 * per cycle, miss rates, per second). `wall_ns` is the time that passed.
 */
void stat_derive(struct stat_row *rows, uint32_t nr, double wall_ns);

void stat_print_rows(FILE *out, const struct stat_row *rows, uint32_t nr,
		     const struct stat_style *style);

/* The line of column names above intervals. */
void stat_print_interval_head(FILE *out, const struct stat_row *rows, uint32_t nr,
			      const struct stat_style *style);

/* --metric-only: names, then a line of values for each group. */
void stat_print_metrics(FILE *out, const struct stat_row *rows, uint32_t nr,
			const struct stat_style *style, bool head);

/* "%'.*f": with commas if big_num, into buf. */
const char *stat_number(double value, int digits, bool big_num, char buf[64]);

/* Mean, and standard deviation of the mean (sample variance by n-1, over the root of n). */
void stat_mean(const double *v, uint32_t nr, double *mean, double *deviation);

/* --- -M, --topdown: formulas over events ----------------------------------- */

struct stat_metric {
	const char *name, *group, *formula, *unit, *what;
	double factor;
};

const struct stat_metric *stat_metric_at(uint32_t i);
const struct stat_metric *stat_metric_find(const char *name, size_t len);

/* The events of the formula as -e text, "{a,b}:W" or, not grouped, "a,b". Caller frees. */
char *stat_metric_events(const struct stat_metric *metric, bool grouped);

/*
 * Compute a formula. lookup gives the value of an event's name and false where
 * there is none. False where a value is missing or a divisor is 0.
 */
bool stat_metric_compute(const struct stat_metric *metric,
			 bool (*lookup)(void *arg, const char *name, double *value), void *arg,
			 double *result);

/* --- --compare ------------------------------------------------------------- */

struct stat_ratio {
	double median_a, median_b;
	double ratio, low, high;         /* b / a and its 95 % interval */
	bool has_ratio;
	enum { STAT_SAME, STAT_LESS, STAT_MORE, STAT_FEW } verdict;      /* b against a */
};

/*
 * Ratio of medians with a bootstrap interval (percentile method, 10000 resamples
 * of both sides, a fixed seed so that equal input gives equal output).
 */
void stat_compare(const double *a, const double *b, uint32_t nr, struct stat_ratio *ratio);

#endif
