/* SPDX-License-Identifier: MIT */
#include "sched/select.h"

#include <string.h>

bool select_number(const uint32_t *list, uint32_t nr, uint32_t n)
{
	for (uint32_t i = 0; i < nr; i++)
		if (list[i] == n)
			return true;
	return !nr;
}

bool select_cpu(const struct profile_query *q, uint32_t cpu)
{
	return select_number(q->cpus, q->nr_cpus, cpu);
}

bool select_time(const struct profile_query *q, uint64_t time_ns)
{
	for (uint32_t i = 0; i < q->nr_times; i++)
		if (time_ns >= q->times[i].from_ns && time_ns <= q->times[i].to_ns)
			return true;
	return !q->nr_times;
}

bool select_task(const struct profile_query *q, const struct sched_task *t)
{
	bool comm = !q->comms;

	for (const char **c = q->comms; !comm && *c; c++)
		comm = strcmp(*c, t->comm) == 0;
	return comm && select_number(q->tids, q->nr_tids, t->tid) &&
	       select_number(q->pids, q->nr_pids, t->pid != SCHED_NONE ? t->pid : t->tid);
}

uint64_t select_within(const struct profile_query *q, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t sum = 0;

	if (from_ns >= to_ns)
		return 0;
	if (!q->nr_times)
		return to_ns - from_ns;
	for (uint32_t i = 0; i < q->nr_times; i++) {
		uint64_t from = q->times[i].from_ns > from_ns ? q->times[i].from_ns : from_ns;
		uint64_t to = q->times[i].to_ns < to_ns ? q->times[i].to_ns : to_ns;

		sum += to > from ? to - from : 0;
	}
	return sum;
}
