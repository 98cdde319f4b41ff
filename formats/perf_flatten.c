/* SPDX-License-Identifier: MIT */
#include "formats/perf_flatten.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "formats/perf_write.h"

/* Sections that the writer makes itself, or that are not true of the copy. */
static bool is_own(unsigned feature)
{
	return feature == FEATURE_EVENT_DESC || feature == FEATURE_COMPRESSED ||
	       feature == FEATURE_DIR_FORMAT || feature == FEATURE_TRACING_DATA;
}

static void copy_features(struct perf_write *w, const struct perf_data *data)
{
	for (unsigned f = 1; f < FEATURE_MAX; f++)
		if (data->features[f].present && data->features[f].bytes && !is_own(f))
			perf_write_feature(w, (enum perf_feature)f, data->features[f].bytes,
					   data->features[f].size);
	if (data->tracing_data)
		perf_write_feature(w, FEATURE_TRACING_DATA, data->tracing_data, data->tracing_data_size);
}

static int start(struct perf_write *w, const struct perf_data *data, struct err *err)
{
	struct perf_write_event *events = mem_zalloc((data->events.nr + 1) * sizeof(*events));
	int r;

	for (uint32_t i = 0; i < data->events.nr; i++) {
		const struct event_desc *e = &data->events.v[i];

		events[i] = (struct perf_write_event){
			.attr = &e->attr, .name = e->name, .ids = e->ids, .nr_ids = e->nr_ids,
			.unit = e->unit, .scale = e->scale,
		};
	}
	r = perf_write_start(w, events, data->events.nr, err);
	free(events);
	return r;
}

static bool is_kept(const struct perf_data *data, uint32_t type)
{
	switch (type) {
	case RECORD_HEADER_ATTR:
	case RECORD_HEADER_EVENT_TYPE:
	case RECORD_HEADER_TRACING_DATA:
	case RECORD_HEADER_FEATURE:
		return false;
	case RECORD_FINISHED_ROUND:
		return !data->is_directory;
	default:
		return true;
	}
}

static int copy_records(struct perf_write *w, const struct perf_data *data, struct err *err)
{
	struct blocks *blocks = blocks_new(data);
	struct block block;
	int r;

	while ((r = blocks_next(blocks, &block, err)) > 0) {
		const uint8_t *bytes;
		size_t at = 0;

		r = 0;
		while (!r && (bytes = block_record(&block, false, &at))) {
			struct perf_event_header h = record_header(bytes, false);

			if (is_kept(data, h.type))
				r = perf_write_records(w, bytes, h.size, err);
		}
		block_release(&block);
		if (r < 0)
			break;
	}
	blocks_free(blocks);
	return r;
}

int perf_flatten(const struct perf_data *data, int fd, const char *path, struct err *err)
{
	struct perf_write *w = perf_write_new(fd, false, path);
	int r = 0;

	if (data->swap)
		r = err_set(err, EOPNOTSUPP, "'%s' is of a machine with the other byte order", data->path);
	else if (data->features[FEATURE_AUXTRACE].present)
		r = err_set(err, EOPNOTSUPP, "'%s' holds hardware traces (AUX)", data->path);
	copy_features(w, data);
	if (!r)
		r = start(w, data, err);
	if (!r)
		r = copy_records(w, data, err);
	if (!r)
		r = perf_write_finish(w, err);
	perf_write_free(w);
	return r;
}
