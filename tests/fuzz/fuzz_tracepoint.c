/* SPDX-License-Identifier: MIT */
/*
 * The section that describes tracepoints, and the raw bytes of a sample:
 *	u16 id | u16 size of raw | raw | section
 */
#include "formats/tracepoint.h"
#include "tests/fuzz/fuzz.h"

FUZZ_LIBTRACEEVENT_LEAKS

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct event_desc event = { .attr = { .type = PERF_TYPE_TRACEPOINT } };
	struct perf_data data = { .path = "fuzz" };
	struct sample sample = { .event = &event, .cpu = 1, .pid = 2, .tid = 2, .time_ns = 3 };
	struct tracepoints *t;
	struct str text = STR_INIT;
	uint16_t id, raw;

	if (size < 4)
		return 0;
	memcpy(&id, bytes, 2);
	memcpy(&raw, bytes + 2, 2);
	if (raw > size - 4)
		raw = (uint16_t)(size - 4);
	sample.raw = bytes + 4;
	sample.raw_size = raw;
	event.attr.config = id;
	data.tracing_data = bytes + 4 + raw;
	data.tracing_data_size = size - 4 - raw;
	if (tracepoints_new(&t, &data, NULL) == 0) {
		tracepoint_name(t, id);
		tracepoint_print(t, &text, &sample);
		tracepoints_free(t);
	}
	str_release(&text);
	return 0;
}
