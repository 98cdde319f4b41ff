/* SPDX-License-Identifier: MIT */
/*
 * select: which tasks, CPUs and times a query lets through; empty lists let all through.
 */
#ifndef SCHED_SELECT_H
#define SCHED_SELECT_H

#include "profile/profile.h"
#include "sched/model.h"

/* Whether n is in the list; true of an empty one. */
bool select_number(const uint32_t *list, uint32_t nr, uint32_t n);
bool select_cpu(const struct profile_query *query, uint32_t cpu);
bool select_time(const struct profile_query *query, uint64_t time_ns);
/* By pid, tid and the name that it has now. */
bool select_task(const struct profile_query *query, const struct sched_task *task);
/* How much of a span lies in the query's; 0 if it ends before it begins. */
uint64_t select_within(const struct profile_query *query, uint64_t from_ns, uint64_t to_ns);

#endif
