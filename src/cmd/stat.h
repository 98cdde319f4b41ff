/* SPDX-License-Identifier: MIT */
/*
 * stat: what the files of `sonde stat` share. Not for others.
 *
 *	stat.c           options, and what becomes of them
 *	stat_run.c       one run: open, start, wait, read
 *	stat_rows.c      cells of counters -> rows for the view
 *	stat_output.c    heads, rows and feet in the chosen form
 *	stat_compare.c   --compare
 */
#ifndef CMD_STAT_H
#define CMD_STAT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/str.h"
#include "engine/cgroup.h"
#include "engine/counting.h"
#include "engine/event.h"
#include "engine/target.h"
#include "engine/topology.h"
#include "view/stat.h"

#define STAT_FOREVER 0

struct stat_metric_use {
	const struct stat_metric *metric;
	uint32_t first, end;             /* its events in the list */
};

struct stat_options {
	struct target target;
	struct event_list events;
	VEC(struct stat_metric_use) metrics;
	const char *output, *pre, *post, *control, *cgroups, *each_cgroup, *compare, *with;
	const char *separator, *delay_text;
	struct str metric_names;         /* what -M named, until all options are known */
	int detail, verbose;
	int log_fd;
	int64_t delay_ms;                /* -1: until --control enables */
	unsigned runs, interval_ms, interval_count, timeout_ms;
	bool runs_given;
	bool table, interval_clear, summary, append, null, scale, big_num, json, metric_only, quiet;
	bool inherit, all_user, all_kernel, per_thread, no_merge, topdown, no_aggr;
	bool group, sync, no_csv_summary, metric_no_group, metric_no_merge, metric_no_threshold;
	unsigned topdown_level;
	bool topdown_level_given;
	enum stat_labels labels;
	int cache_level;
	char **argv;                     /* the command, or NULL */
};

/* What one line of the output adds up: the same event of several PMUs is one. */
struct stat_line {
	uint32_t first;                  /* index in counting.events */
	uint32_t cgroup;                 /* 0: none, else index + 1 */
	VEC(uint32_t) parts;
};

/* A group of CPUs or a thread that has lines of its own. */
struct stat_place {
	struct topology_place place;
	char *label;
	int members;
};

struct stat_sum {
	double value;                    /* the kernel's figure, scaled for multiplexing */
	uint64_t enabled, running;
	bool supported, opened;
};

struct stat_session {
	struct stat_options *o;
	struct err *err;
	FILE *out;
	sigset_t unblocked;              /* the mask the command gets */

	cpu_vec cpus, all_cpus;
	thread_vec threads;
	VEC(pid_t) tids;
	struct cgroup_set cgroups;

	struct counting counting;
	struct counting_cell *before;    /* readings at the last interval */
	uint64_t before_user_ns, before_system_ns;
	VEC(struct stat_line) lines;
	VEC(struct stat_place) places;
	VEC(char *) names;               /* shown ones that are made here */
	uint32_t *place_of_cell;

	/* This run. */
	uint64_t start_ns, last_ns, end_ns;              /* last_ns: the last interval's end */
	bool intervals_over;
	uint64_t system_user_ns, system_system_ns;       /* /proc/stat at the start */
	pid_t child;
	int wait_status;
	struct rusage usage;
	bool child_ended;
	int exec_status;                 /* 127, 126 when the command could not be run */
	uint64_t user_ns, system_ns;

	/* All runs: [run][line * places + place], and the seconds. */
	VEC(double) history;
	VEC(double) seconds, user_seconds, system_seconds;
	struct stat_sum *total;          /* summed over the runs */
	int status;                      /* exit status so far */
	bool interrupted;
	bool head_done;
	bool disabled;                   /* --control or -D keep the counters off */
	int control_fd, ack_fd;
	int hotplug_fd;                  /* CPUs that come and go; -1: not told, or no CPUs are watched */
};

/* stat_run.c */
int stat_setup(struct stat_session *s, struct err *err);
int stat_run_once(struct stat_session *s, struct err *err);
int stat_finished_status(const struct stat_session *s);

/* stat_cpus.c */
struct counting_spec stat_spec(const struct stat_session *s, bool on_exec);
/* Count on where a CPU has come back; s->hotplug_fd is readable. */
void stat_follow_cpus(struct stat_session *s);

/* stat_rows.c */
void stat_plan(struct stat_session *s);
void stat_plan_release(struct stat_session *s);

/* Sum the cells into `sums` (lines x places); deltas since the last call if `delta`. */
void stat_sums(struct stat_session *s, bool delta, uint64_t wall_ns, struct stat_sum *sums);

/* Turn sums into rows (new array, freed by the caller with free). */
struct stat_row *stat_rows(struct stat_session *s, const struct stat_sum *sums, double wall_ns,
			   bool noise, uint32_t *nr);
void stat_keep_run(struct stat_session *s, const struct stat_sum *sums);

/* stat_output.c */
void stat_output_interval(struct stat_session *s, const struct stat_sum *sums, double at_s,
			  double wall_ns);
void stat_output_final(struct stat_session *s, const struct stat_sum *sums, double wall_ns);
void stat_output_verbose(struct stat_session *s);

/* stat_compare.c */
int stat_compare_run(struct stat_session *s, struct err *err);

#endif
