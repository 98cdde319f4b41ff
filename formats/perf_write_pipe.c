/* SPDX-License-Identifier: MIT */
/* The preamble of a pipe: attrs, features and tracing data as records. */
#include "formats/perf_write_priv.h"

#include <errno.h>
#include <string.h>

static void put_record(struct str *out, uint32_t type, size_t body)
{
	struct perf_event_header header = { .type = type,
					    .size = (uint16_t)(sizeof(header) + body) };

	str_addn(out, &header, sizeof(header));
}

static int put_attr(struct str *s, const struct perf_write_event *event, uint32_t nr_events,
		    struct err *err)
{
	size_t most = (RECORD_SIZE_MAX - sizeof(struct perf_event_header) - sizeof(*event->attr)) /
		      sizeof(uint64_t);
	uint32_t nr_ids = event->nr_ids;

	/* A lone event needs no ids to be told from others. */
	if (nr_ids > most && nr_events > 1)
		return err_set(err, E2BIG,
			       "event '%s' has %u counters, a pipe has room for %zu; "
			       "write to a file (-o FILE) instead", event->name, nr_ids, most);
	if (nr_ids > most)
		nr_ids = (uint32_t)most;
	put_record(s, RECORD_HEADER_ATTR, sizeof(*event->attr) + nr_ids * sizeof(uint64_t));
	str_addn(s, event->attr, sizeof(*event->attr));
	str_addn(s, event->ids, nr_ids * sizeof(uint64_t));
	return 0;
}

/* EVENT_UPDATE (perf_record_event_update): type 0 unit, 1 scale, 2 name. */
static void put_update(struct str *s, const struct perf_write_event *event, uint64_t type,
		       const char *text)
{
	size_t len = strnlen(text, 4000) + 1, room = (len + 7) / 8 * 8;

	put_record(s, RECORD_EVENT_UPDATE, 16 + room);
	perf_put_u64(s, type);
	perf_put_u64(s, event->ids[0]);
	str_addn(s, text, len - 1);
	while (room-- > len - 1)
		str_addc(s, '\0');
}

static void put_updates(struct str *s, const struct perf_write_event *event)
{
	if (!event->nr_ids)
		return;
	put_update(s, event, 2, event->name);
	if (event->unit)
		put_update(s, event, 0, event->unit);
	if (event->scale != 1.0) {
		put_record(s, RECORD_EVENT_UPDATE, 24);
		perf_put_u64(s, 1);
		perf_put_u64(s, event->ids[0]);
		str_addn(s, &event->scale, sizeof(event->scale));
	}
}

static void put_feature(struct str *s, int feature, const struct str *bytes)
{
	size_t room = (bytes->len + 7) / 8 * 8;

	/* One too long for a record (65,535 bytes) can only be left out. */
	if (room + 16 > RECORD_SIZE_MAX)
		return;
	put_record(s, RECORD_HEADER_FEATURE, 8 + room);
	perf_put_u64(s, (uint64_t)feature);
	str_addn(s, bytes->p, bytes->len);
	perf_put_zeros(s, room - bytes->len);
}

/* HEADER_TRACING_DATA: the data stands behind the record, not in it. */
static void put_tracing_data(struct str *s, const struct str *bytes)
{
	size_t room = (bytes->len + 7) / 8 * 8;

	put_record(s, RECORD_HEADER_TRACING_DATA, 4);
	perf_put_u32(s, (uint32_t)room);
	str_addn(s, bytes->p, bytes->len);
	perf_put_zeros(s, room - bytes->len);
}

int perf_write_put_preamble(struct perf_write *w, const struct perf_write_event *events,
			    uint32_t nr, struct str *out, struct err *err)
{
	int r = 0;

	str_addn(out, "PERFILE2", 8);
	perf_put_u64(out, 16);
	for (uint32_t i = 0; i < nr && r == 0; i++)
		r = put_attr(out, &events[i], nr, err);
	for (int i = 0; i < FEATURE_MAX; i++)
		if (w->features[i].present && i != FEATURE_TRACING_DATA && i != FEATURE_BUILD_ID)
			put_feature(out, i, &w->features[i].bytes);
	for (uint32_t i = 0; i < nr; i++)
		put_updates(out, &events[i]);
	if (w->features[FEATURE_TRACING_DATA].present)
		put_tracing_data(out, &w->features[FEATURE_TRACING_DATA].bytes);
	return r;
}
