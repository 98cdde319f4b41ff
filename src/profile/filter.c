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

bool filter_any(const struct profile_query *q)
{
	return q->nr_pids || q->nr_tids || q->nr_cpus || q->nr_times || q->comms;
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

static bool leaf_passes(const struct profile_query *q, const struct module *module,
			const char *symbol)
{
	const char *path = module ? module->path : "[unknown]";
	const char *name = module ? module->short_name : "[unknown]";

	return (in_names(q->dsos, path) || in_names(q->dsos, name)) && in_names(q->syms, symbol);
}

bool filter_leaf(const struct profile_query *q, const struct place *leaf)
{
	return leaf_passes(q, leaf->module, leaf->symbol.name);
}

bool filter_entry(const struct profile *profile, const struct profile_entry *e, const void *query)
{
	const struct profile_query *q = query;
	const struct profile_frame *leaf = &profile->frames[e->leaf];

	return filter_comm(q, profile->processes, e->comm) && in_numbers(q->pids, q->nr_pids, e->pid) &&
	       in_numbers(q->tids, q->nr_tids, e->tid) && leaf_passes(q, leaf->module, leaf->name);
}
