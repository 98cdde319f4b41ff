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
	const struct sched_account *account;
	const struct stream_account *stream;
};

void sched_latency_text(const struct sched_latency_view *view, FILE *out);
void sched_latency_csv(const struct sched_latency_view *view, FILE *out);
void sched_latency_json(const struct sched_latency_view *view, FILE *out);

#endif
