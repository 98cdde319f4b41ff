/* SPDX-License-Identifier: MIT */
#include "profile/filter.h"

#include <string.h>

static bool in_numbers(const uint32_t *v, uint32_t nr, uint32_t n)
{
	if (!nr)
		return true;
	for (uint32_t i = 0; i < nr; i++)
		if (v[i] == n)
			return true;
	return false;
}

static bool in_times(const struct profile_query *q, uint64_t time_ns)
{
	if (!q->nr_times)
		return true;
	for (uint32_t i = 0; i < q->nr_times; i++)
		if (time_ns >= q->times[i].from_ns && time_ns <= q->times[i].to_ns)
			return true;
	return false;
}

static bool in_names(const char **names, const char *name)
{
	if (!names)
		return true;
	for (; name && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

bool filter_sample(const struct profile_query *q, const struct sample *s)
{
	return in_numbers(q->pids, q->nr_pids, s->pid) && in_numbers(q->tids, q->nr_tids, s->tid) &&
	       in_numbers(q->cpus, q->nr_cpus, s->cpu) && in_times(q, s->time_ns);
}

bool filter_comm(const struct profile_query *q, const struct process_table *processes,
		 uint32_t comm)
{
	char buf[16];

	return !q->comms || in_names(q->comms, process_comm_str(processes, comm, buf));
}

bool filter_leaf(const struct profile_query *q, const struct place *leaf)
{
	const char *path = leaf->module ? leaf->module->path : "[unknown]";
	const char *name = leaf->module ? leaf->module->short_name : "[unknown]";

	return (in_names(q->dsos, path) || in_names(q->dsos, name)) &&
	       in_names(q->syms, leaf->symbol.name);
}
