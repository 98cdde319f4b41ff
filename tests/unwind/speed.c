/* SPDX-License-Identifier: MIT */
/*
 * How fast user stacks are unwound: all samples of a recording (--call-graph dwarf), by one
 * thread, with decoding and without naming.
 *
 *	speed FILE [PASSES]
 *
 * Prints frames a second of the best pass, and of the first, which also makes the tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "arch/arch.h"
#include "profile/recording.h"
#include "profile/user_stack.h"

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static uint64_t pass(const struct recording *rec, struct user_stack *stacks, uint64_t *whole,
		     uint64_t *samples)
{
	struct blocks *blocks = blocks_new(rec->data);
	struct decoder decoder;
	struct record record;
	struct block block;
	uint64_t frames = 0;

	*whole = *samples = 0;
	decoder_init(&decoder, &rec->data->events, rec->data->swap);
	while (blocks_next(blocks, &block, NULL) > 0) {
		const uint8_t *bytes;
		size_t at = 0;

		while ((bytes = block_record(&block, rec->data->swap, &at))) {
			const struct sample *s = &record.sample;
			struct user_chain chain;

			if (record_header(bytes, rec->data->swap).type != PERF_RECORD_SAMPLE ||
			    record_decode(&decoder, bytes, &record, NULL) < 0)
				continue;
			user_stack_chain(stacks, s, process_image(rec->processes, s->pid, s->time_ns),
					 &chain);
			if (!chain.unwound)
				continue;
			frames += chain.nr - chain.unwound_from - 1;
			*whole += chain.stop == UNWIND_END;
			(*samples)++;
		}
		block_release(&block);
	}
	decoder_release(&decoder);
	blocks_free(blocks);
	return frames;
}

int main(int argc, char **argv)
{
	int passes = argc > 2 ? atoi(argv[2]) : 5;
	uint64_t frames = 0, whole = 0, samples = 0;
	struct perf_data *data;
	struct recording rec;
	struct user_stack *stacks;
	struct err err = ERR_INIT;
	double best = 0, first = 0;

	if (argc < 2 || perf_data_open(&data, argv[1], &err) < 0 ||
	    recording_load(&rec, data, NULL, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 2;
	}
	stacks = user_stack_new(rec.processes, arch_find(data->arch ? data->arch : ""), data->swap);
	for (int i = 0; i < passes; i++) {
		double start = now(), spent;

		frames = pass(&rec, stacks, &whole, &samples);
		spent = now() - start;
		if (!i)
			first = (double)frames / spent;
		if ((double)frames / spent > best)
			best = (double)frames / spent;
	}
	printf("%.2f million frames a second (%.2f with making the tables), %llu samples, "
	       "%llu frames, %.2f %% whole\n", best / 1e6, first / 1e6, (unsigned long long)samples,
	       (unsigned long long)frames, samples ? 100.0 * (double)whole / (double)samples : 0);
	user_stack_free(stacks);
	recording_release(&rec);
	perf_data_close(data);
	return 0;
}
