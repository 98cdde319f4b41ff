/* SPDX-License-Identifier: MIT */
/*
 * sizes FILE: what a recording's records take, in one line of numbers:
 *
 *	samples                                  how many
 *	bytes of a sample without its chain      the same in each run with the same options
 *	frames of a chain                        which are 8 bytes each, whoever writes them
 *	side-band records, bytes of one          that came while recording
 *	bytes of the file for each sample        all there is, also what ran before
 *	lost
 *
 * Records before FINISHED_INIT tell of what was there before: they are the file's and not
 * the work's.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "formats/perf_data.h"
#include "profile/order.h"

struct sizes {
	uint64_t samples, sample_bytes, frames, others, other_bytes, lost;
};

static void take(struct sizes *s, const struct perf_event_header *header, const struct record *record)
{
	switch (header->type) {
	case PERF_RECORD_SAMPLE:
		s->samples++;
		s->sample_bytes += header->size;
		s->frames += record->sample.nr_ips;
		break;
	case RECORD_FINISHED_INIT:
		s->others = s->other_bytes = 0;
		break;
	case PERF_RECORD_LOST:
		s->lost += record->lost.lost;
		break;
	default:
		if (header->type >= RECORD_HEADER_ATTR)
			break;
		s->others++;
		s->other_bytes += header->size;
	}
}

static int count(const struct perf_data *data, struct sizes *s, struct err *err)
{
	struct ordered *records = ordered_new_unsorted(data);
	struct record record;
	int r;

	while ((r = ordered_next(records, &record, NULL, err)) > 0) {
		struct perf_event_header header = record_header(record.bytes, data->swap);

		take(s, &header, &record);
	}
	ordered_free(records);
	return r;
}

static double each(uint64_t all, uint64_t nr)
{
	return nr ? (double)all / (double)nr : 0;
}

int main(int argc, char **argv)
{
	struct sizes s = { 0 };
	struct perf_data *data;
	struct err err = ERR_INIT;

	if (argc != 2) {
		fputs("usage: sizes FILE\n", stderr);
		return 2;
	}
	if (perf_data_open(&data, argv[1], &err) < 0 || count(data, &s, &err) < 0) {
		fprintf(stderr, "sizes: %s\n", err.msg);
		return 1;
	}
	printf("%" PRIu64 " %.2f %.2f %" PRIu64 " %.2f %.2f %" PRIu64 "\n", s.samples,
	       each(s.sample_bytes - 8 * s.frames, s.samples), each(s.frames, s.samples), s.others,
	       each(s.other_bytes, s.others), each(data->file_size, s.samples), s.lost);
	perf_data_close(data);
	return 0;
}
