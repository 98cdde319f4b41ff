/* SPDX-License-Identifier: MIT */
/*
 * sched: the scheduler's views as text, tables and pages.
 *
 * In: the model's tasks and what was counted from it (src/sched).  Out: bytes on a FILE *.
 * Columns that perf sched has stand where perf has them and are written as perf writes them.
 */
#ifndef VIEW_SCHED_H
#define VIEW_SCHED_H

#include <stdio.h>

#include "base/str.h"
#include "sched/latency.h"
#include "sched/model.h"
#include "sched/stream.h"

/* --- sched_text.c: what the views share ---------------------------------------------------- */

/* Append "comm", or ":tid" for a task without a name; made safe for terminals. */
void sched_add_comm(struct str *out, const struct sched_task *task);
/* Append "comm[tid]" or "comm[tid/pid]" as timehist names tasks; "<idle>" for idle. */
void sched_add_task(struct str *out, const struct sched_task *task);
/* Append seconds with six decimals, as perf: cut, not rounded. */
void sched_add_time(struct str *out, uint64_t time_ns, unsigned width);
/* Append milliseconds with three decimals. */
void sched_add_ms(struct str *out, uint64_t ns, unsigned width);

/* What the figures lack and what that means, a line each behind `prefix`. Returns their number. */
unsigned sched_account_write(const struct sched_account *model, const struct stream_account *stream,
			     const char *prefix, FILE *out);
/* The same as the inside of a JSON object. */
void sched_account_json(const struct sched_account *model, const struct stream_account *stream,
			struct str *out);

/* --- sched_latency.c ------------------------------------------------------------------------ */

struct sched_latency_view {
	const struct latency_row *rows;
	uint32_t nr;
	bool by_task;
	enum latency_which which;
	bool hist_all, hist_rows;
	unsigned width;                  /* columns there is room for; 0: any, and perf's layout */
	const struct sched_account *account;
	const struct stream_account *stream;
};

void sched_latency_text(const struct sched_latency_view *view, FILE *out);
void sched_latency_csv(const struct sched_latency_view *view, FILE *out);
void sched_latency_json(const struct sched_latency_view *view, FILE *out);

/* --- sched_stack.c -------------------------------------------------------------------------- */

struct recording;
struct sched_stacks;

#define SCHED_STACK_MAX 127u

/* Names for call chains. The recording is borrowed. */
struct sched_stacks *sched_stacks_new(const struct recording *recording);
void sched_stacks_free(struct sched_stacks *stacks);
/*
 * The functions of a sample's call chain from the leaf, without the scheduler's own; at most
 * `max` (up to SCHED_STACK_MAX). Names are borrowed for as long as the recording lives.
 */
uint32_t sched_stack_names(struct sched_stacks *stacks, const struct sample *sample,
			   const char **names, uint32_t max);

/* --- sched_timehist.c ------------------------------------------------------------------------ */

struct sched_timehist_options {
	const struct profile_query *filter;
	const uint32_t *prios;
	uint32_t nr_prios;
	bool migrations, wakeups, next, state, cpu_visual, idle_only, show_prio;
	bool summary, summary_only;
	bool has_waking;                 /* lines of wake-ups are sched_waking's */
	uint32_t nr_cpus;                /* columns of cpu_visual */
	unsigned width;                  /* columns there is room for; 0: any, and perf's layout */
	uint32_t max_stack;
	struct sched_stacks *stacks;     /* NULL: no call chains */
	FILE *out;
};

struct sched_timehist;
struct sched_timehist *sched_timehist_new(const struct sched_timehist_options *options);
void sched_timehist_free(struct sched_timehist *timehist);
/* For model_new, with the timehist as its arg. */
extern const struct sched_ops sched_timehist_ops;
void sched_timehist_heading(struct sched_timehist *timehist);
/* How many times on a CPU were shown, or counted for the summary. */
uint64_t sched_timehist_shown(const struct sched_timehist *timehist);
void sched_timehist_summary(struct sched_timehist *timehist, const struct sched_model *model);

/* --- sched_map.c ------------------------------------------------------------------------------ */

struct sched_map_options {
	bool compact, color;
	const char **names;              /* tasks that have letters, ended by NULL; NULL: all */
	bool part_of_name;               /* names may stand anywhere in a task's */
	const uint32_t *cpus, *color_cpus, *color_pids;
	uint32_t nr_cpus, nr_color_cpus, nr_color_pids;
	uint32_t nr_online;              /* columns from the start on; 0: as they are met */
	FILE *out;
};

struct sched_map;
struct sched_map *sched_map_new(const struct sched_map_options *options);
void sched_map_free(struct sched_map *map);
uint64_t sched_map_lines(const struct sched_map *map);
extern const struct sched_ops sched_map_ops;

/* --- sched_waits.c ---------------------------------------------------------------------------- */

struct waits_row;
struct wait_path;

struct sched_waits_view {
	const struct waits_row *rows;
	uint32_t nr, top;                /* at most so many wakers and waits of each */
	unsigned width;                  /* columns there is room for; 0: any */
	const struct sched_account *account;
	const struct stream_account *stream;
};

void sched_waits_text(const struct sched_waits_view *view, FILE *out);
void sched_waits_json(const struct sched_waits_view *view, FILE *out);

/* Stacks by number, as sched/waits.h wants them. */
struct sched_stack_ids;
struct sched_stack_ids *sched_stack_ids_new(struct sched_stacks *stacks);
void sched_stack_ids_free(struct sched_stack_ids *ids);
uint32_t sched_stack_id(void *ids, const struct sample *sample);
/* Paths as folded text, in microseconds: sleeper and its stack, --, the waker's upside down. */
void sched_waits_folded(const struct wait_path *paths, uint32_t nr, const struct sched_stack_ids *ids,
			FILE *out);

/* --- sched_page.c, sched_trace.c: the timeline -------------------------------------------------- */

struct timeline;

/* A self-contained page. `title` need not be safe. */
void sched_page_write(const struct timeline *timeline, const struct sched_model *model, const char *title,
		      FILE *out);
/* Chrome's trace events, as JSON. */
void sched_trace_write(const struct timeline *timeline, const struct sched_model *model, FILE *out);

#endif
