/* SPDX-License-Identifier: MIT */
/*
 * The scheduler's records, through the model and its views:
 *	u8 form (tests/unit/sched_file.h), u8 cut, records
 * Events and descriptions around them are whole, so that what is hostile is what they say. With
 * `cut`, the file ends that many bytes early.
 */
#include "sched/latency.h"
#include "sched/model.h"
#include "sched/stream.h"
#include "sched/timeline.h"
#include "sched/waits.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/sched_file.h"
#include "view/sched.h"

FUZZ_LIBTRACEEVENT_LEAKS

static void run(const struct perf_data *data, const struct sched_ops *ops, void *arg, struct sched_model **model,
		struct stream **stream)
{
	struct sched_event event;

	*model = NULL;
	if (stream_new(stream, data, NULL) < 0) {
		*stream = NULL;
		return;
	}
	*model = model_new(ops, arg);
	while (stream_next(*stream, &event, NULL) > 0)
		model_event(*model, &event);
	model_end(*model);
}

static void see_latency(const struct perf_data *data, const struct profile_query *filter)
{
	struct sched_latency_view view = { .hist_all = true, .hist_rows = true, .by_task = true };
	struct latency *latency = latency_new(filter, false);
	struct stream_account account;
	struct sched_model *model;
	struct stream *stream;

	run(data, &latency_ops, latency, &model, &stream);
	if (model && latency_rows(latency, true, NULL, LATENCY_ALL, &view.rows, &view.nr, NULL) == 0) {
		account = stream_account(stream);
		view.stream = &account;
		view.account = model_account(model);
		sched_latency_text(&view, fuzz_sink());
		sched_latency_csv(&view, fuzz_sink());
		sched_latency_json(&view, fuzz_sink());
	}
	latency_free(latency);
	model_free(model);
	stream_free(stream);
}

static void see_timehist(const struct perf_data *data, const struct profile_query *filter)
{
	struct sched_timehist_options options = {
		.filter = filter, .migrations = true, .wakeups = true, .next = true, .state = true,
		.show_prio = true, .summary = true, .out = fuzz_sink(),
	};
	struct sched_timehist *timehist = sched_timehist_new(&options);
	struct sched_model *model;
	struct stream *stream;

	run(data, &sched_timehist_ops, timehist, &model, &stream);
	if (model)
		sched_timehist_summary(timehist, model);
	sched_timehist_free(timehist);
	model_free(model);
	stream_free(stream);
}

static void see_map(const struct perf_data *data)
{
	struct sched_map_options options = { .compact = true, .out = fuzz_sink() };
	struct sched_map *map = sched_map_new(&options);
	struct sched_model *model;
	struct stream *stream;

	run(data, &sched_map_ops, map, &model, &stream);
	sched_map_free(map);
	model_free(model);
	stream_free(stream);
}

static void see_timeline(const struct perf_data *data, const struct profile_query *filter)
{
	struct timeline *timeline = timeline_new(filter, 1000);
	struct sched_model *model;
	struct stream *stream;

	run(data, &timeline_ops, timeline, &model, &stream);
	if (model) {
		sched_page_write(timeline, model, "fuzz", fuzz_sink());
		sched_trace_write(timeline, model, fuzz_sink());
	}
	timeline_free(timeline);
	model_free(model);
	stream_free(stream);
}

static void see_waits(const struct perf_data *data, const struct profile_query *filter)
{
	struct waits *waits = waits_new(filter, NULL, NULL);
	struct sched_waits_view view = { .top = 3 };
	struct stream_account account;
	struct sched_model *model;
	struct stream *stream;

	run(data, &waits_ops, waits, &model, &stream);
	if (model) {
		account = stream_account(stream);
		view.rows = waits_rows(waits, model, &view.nr);
		view.stream = &account;
		view.account = model_account(model);
		sched_waits_text(&view, fuzz_sink());
		sched_waits_json(&view, fuzz_sink());
	}
	waits_free(waits);
	model_free(model);
	stream_free(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct str records = STR_INIT, file = STR_INIT;
	struct profile_query filter = { 0 };
	struct perf_data *data;
	char path[32];
	int fd;

	if (size < 2)
		return 0;
	str_addn(&records, bytes + 2, size - 2);
	sf_file(&file, &sched_forms[bytes[0] % NR_SCHED_FORMS], &records);
	fd = fuzz_file(file.p, file.len > bytes[1] ? file.len - bytes[1] : file.len, path);
	if (perf_data_open(&data, path, NULL) == 0) {
		see_latency(data, &filter);
		see_timehist(data, &filter);
		see_map(data);
		see_timeline(data, &filter);
		see_waits(data, &filter);
		perf_data_close(data);
	}
	close(fd);
	str_release(&file);
	str_release(&records);
	return 0;
}
