/* SPDX-License-Identifier: MIT */
/*
 * event: from what people type behind -e to struct perf_event_attr.
 *
 * Pure: it reads event descriptions only below the folders of the given
 * event_env, opens no event and needs no privileges.  Grammar and names are
 * perf's (man perf-list).
 */
#ifndef ENGINE_EVENT_H
#define ENGINE_EVENT_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Where descriptions are looked up. NULL members mean this machine's. */
struct event_env {
	const char *sysfs;       /* "/sys": bus/event_source/devices, devices/system/cpu */
	const char *tracefs;     /* "/sys/kernel/tracing" or where it is mounted */
};

/* Values that no PMU counts; sonde stat measures them itself. */
enum event_tool {
	EVENT_TOOL_NONE,
	EVENT_TOOL_DURATION,     /* duration_time */
	EVENT_TOOL_USER,         /* user_time */
	EVENT_TOOL_SYSTEM,       /* system_time */
};

/*
 * attr holds what the text says and nothing else: sample_period, sample_freq and
 * freq stay 0 unless period= or freq= stood there (record then has tracepoints
 * and breakpoints sample each time); read_format, inherit, disabled and the like
 * are the opener's.  exclude_guest is set as perf sets it, except for PMUs that
 * are no CPU's (msr, uncore), which refuse it.
 */
struct event {
	struct perf_event_attr attr;     /* size, type, config*, exclude_*, precise_ip, ... set */
	char *name;              /* as perf would show it: "cycles:u", "sched:sched_switch" */
	char *pmu;               /* "cpu", "software", "tracepoint", ... never NULL */
	char *unit;              /* from the PMU's description, or NULL */
	double scale;            /* 1.0 where the PMU states none */
	char *cpus;              /* cpumask of an uncore PMU ("0,18"), or NULL */
	char *filter;            /* tracepoint filter (--filter), or NULL */
	char *event_text;        /* the piece of the -e text that made it */
	uint32_t leader;         /* index in the list of its group's leader, own index if none */
	bool sample_read;        /* modifier S */
	bool weak, exclusive, pinned;    /* modifiers W, e, D */
	bool has_period, has_freq;       /* period=, freq= was in the text */
	int precise;             /* 0..3 */
	bool precise_max;        /* modifier P */
	bool modifiers_given;    /* u, k or h stood in the text */
	enum event_tool tool;
	bool host_guest_given;   /* modifiers G or H */
	bool core_pmu;           /* a CPU's own PMU, so the event can follow a task */
	bool per_pkg, snapshot;  /* the PMU counts a package; the value is no running sum */
	const struct cgroup *cgroup;     /* -G: only in this one (engine/cgroup.h), borrowed; or NULL */
	uint32_t piece;          /* counts the texts given to event_parse's commas, for --filter */

	/* Terms that are for record; NULL, 0 or -1 where the text does not say. */
	char *call_graph;        /* call-graph=fp|dwarf|lbr|no */
	char *branch_type;       /* branch_type=any+u */
	uint32_t stack_size;     /* stack-size= */
	int max_stack;           /* max-stack= */
	int time, inherit;       /* time=0|1, inherit, no-inherit: -1, 0, 1 */
	bool percore;
};

struct event_list {
	struct event *v;
	uint32_t nr, cap;
};

/* Append the events of one -e argument. On failure the list is as before. */
int event_parse(struct event_list *list, const char *text, const struct event_env *env,
		struct err *err);
void event_list_release(struct event_list *list);

/*
 * Give the tracepoints of the last piece of the list (all that a glob made) a
 * filter; a second one is joined with &&. The syntax, the fields and the kinds of
 * the values are checked against the tracepoint's format; a message points at
 * the place (it has line breaks: the filter, the caret, the fields).
 */
int event_filter(struct event_list *list, const char *filter, const struct event_env *env,
		 struct err *err);

/* Check a filter's text against one tracepoint's format. */
struct tracefs_format;
int event_filter_check(const char *filter, const char *event_name,
		       const struct tracefs_format *format, struct err *err);

#endif
