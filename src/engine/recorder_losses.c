/* SPDX-License-Identifier: MIT */
/* What was lost, and where that is told. */
#include "engine/recorder_priv.h"

#include <stdlib.h>

#include "engine/synth.h"

/* LOST_SAMPLES for what each counter says it lost, for the event's own id. */
static int write_lost(struct recorder *r, size_t event, uint64_t lost, uint64_t id,
		      struct err *err)
{
	uint64_t sample_type = r->events->v[event].attr.sample_type;
	struct {
		struct perf_event_header header;
		uint64_t lost, trailer[8];
	} d = { .header = { .type = PERF_RECORD_LOST_SAMPLES } };
	size_t trailer = synth_trailer_size(sample_type);

	d.header.size = (uint16_t)(16 + trailer);
	d.lost = lost;
	if (sample_type & PERF_SAMPLE_IDENTIFIER)
		d.trailer[trailer / 8 - 1] = id;
	return perf_write_records(r->writer, &d, d.header.size, err);
}

int recorder_write_lost(struct recorder *r, struct err *err)
{
	struct counters *c = &r->counters;
	int ret = 0;

	for (size_t e = 0; e < r->events->nr && ret == 0; e++) {
		uint64_t lost = 0, *ids;
		uint32_t nr;

		for (size_t cpu = 0; cpu < c->cpus.nr; cpu++)
			for (size_t t = 0; t < c->threads.nr; t++)
				lost += counters_lost(c, e, cpu, t);
		r->result->lost_samples += lost;
		if (!lost)
			continue;
		ids = counters_ids(c, e, &nr);
		ret = write_lost(r, e, lost, nr ? ids[0] : 0, err);
		free(ids);
	}
	return ret;
}
