/* SPDX-License-Identifier: MIT */
/* What was lost, and where that is told. */
#include "engine/recorder_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* LOST_SAMPLES for what a counter says it lost, with its own id, its CPU, and until when. */
static int write_lost(struct recorder *r, size_t event, size_t cpu, uint64_t lost, struct err *err)
{
	uint64_t type = r->events->v[event].attr.sample_type, id = counters_id(&r->counters, event, cpu);
	struct {
		struct perf_event_header header;
		uint64_t words[8];
	} d = { .header = { .type = PERF_RECORD_LOST_SAMPLES } };
	const struct {
		uint64_t bit, word;
	} trailer[] = {
		{ PERF_SAMPLE_TID, 0 },
		{ PERF_SAMPLE_TIME, r->last_ns },
		{ PERF_SAMPLE_ID, id },
		{ PERF_SAMPLE_STREAM_ID, id },
		{ PERF_SAMPLE_CPU, (uint64_t)r->counters.cpus.v[cpu] },
		{ PERF_SAMPLE_IDENTIFIER, id },
	};
	size_t nr = 0;

	d.words[nr++] = lost;
	for (size_t i = 0; i < sizeof(trailer) / sizeof(*trailer); i++)
		if (type & trailer[i].bit)
			d.words[nr++] = trailer[i].word;
	d.header.size = (uint16_t)(sizeof(d.header) + nr * sizeof(*d.words));
	return perf_write_records(r->writer, &d, d.header.size, err);
}

static void remember(struct recorder_result *result, const char *event, int cpu, uint64_t lost)
{
	for (size_t i = 0; i < result->nr_losses; i++) {
		struct recorder_loss *known = &result->losses[i];

		if (known->cpu != cpu || strcmp(known->event, event) != 0)
			continue;
		known->lost += lost;
		return;
	}
	result->losses = mem_realloc_array(result->losses, result->nr_losses + 1,
					   sizeof(*result->losses));
	result->losses[result->nr_losses++] = (struct recorder_loss){ mem_strdup(event), cpu, lost };
}

/* What an event lost on a CPU since the last file. */
static uint64_t lost_since(struct recorder *r, size_t event, size_t cpu)
{
	struct counters *c = &r->counters;
	uint64_t all = 0, *before = &r->lost_before[event * c->cpus.nr + cpu], lost;

	for (size_t t = 0; t < c->threads.nr; t++)
		all += counters_lost(c, event, cpu, t);
	lost = all - *before;
	*before = all;
	return lost;
}

int recorder_write_lost(struct recorder *r, struct err *err)
{
	struct counters *c = &r->counters;
	int ret = 0;

	if (!r->lost_before)
		r->lost_before = mem_zalloc(r->events->nr * c->cpus.nr * sizeof(*r->lost_before));
	for (size_t e = 0; e < r->events->nr && ret == 0; e++) {
		for (size_t cpu = 0; cpu < c->cpus.nr && ret == 0; cpu++) {
			uint64_t lost = lost_since(r, e, cpu);

			if (!lost)
				continue;
			r->result->lost_samples += lost;
			remember(r->result, r->events->v[e].name, c->cpus.v[cpu], lost);
			ret = write_lost(r, e, cpu, lost, err);
		}
	}
	return ret;
}

void recorder_result_release(struct recorder_result *result)
{
	for (size_t i = 0; i < result->nr_losses; i++)
		free(result->losses[i].event);
	free(result->losses);
	free(result->path);
	memset(result, 0, sizeof(*result));
}
