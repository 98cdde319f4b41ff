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
	int tool;                /* 0, or a value that no PMU counts: see event_tool in event.c */
};

struct event_list {
	struct event *v;
	uint32_t nr, cap;
};

/* Append the events of one -e argument. On failure the list is as before. */
int event_parse(struct event_list *list, const char *text, const struct event_env *env,
		struct err *err);
void event_list_release(struct event_list *list);

#endif
