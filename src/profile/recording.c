/* SPDX-License-Identifier: MIT */
#include "profile/recording.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpus.h"
#include "base/mem.h"
#include "base/progress.h"
#include "profile/pack.h"

#define WARM_BYTES (16u << 20)

/*
 * Build-ids stand in a section of the file, per path, and are wanted when the
 * mapping with that path is seen: make the modules known first.
 */
static void state_build_ids(struct recording *rec)
{
	for (uint32_t i = 0; i < rec->data->nr_build_ids; i++) {
		const struct build_id_entry *b = &rec->data->build_ids[i];
		unsigned mode = b->misc & PERF_RECORD_MISC_CPUMODE_MASK;
		bool is_kernel = mode == PERF_RECORD_MISC_KERNEL;

		if (mode == PERF_RECORD_MISC_GUEST_KERNEL || mode == PERF_RECORD_MISC_GUEST_USER)
			continue;
		module_intern(rec->modules, module_kind_of(b->filename, is_kernel), b->filename,
			      b->build_id, b->size);
	}
}

static void note_losses(struct recording *rec, const struct record *r)
{
	struct profile_account *a = &rec->account;

	switch (r->type) {
	case PERF_RECORD_LOST:
		a->lost_records++;
		a->lost_events += r->lost.lost;
		break;
	case PERF_RECORD_LOST_SAMPLES:
		a->lost_samples += r->lost_samples.lost;
		if (r->id.event)
			rec->lost_by_event[r->id.event->index] += r->lost_samples.lost;
		break;
	case PERF_RECORD_THROTTLE:
		a->throttles++;
		break;
	case PERF_RECORD_AUX:
		a->aux_bytes += r->aux.size;
		break;
	case PERF_RECORD_CGROUP:
		*map64_put(&rec->cgroups, r->cgroup.id, NULL) =
			intern_id(&rec->cgroup_paths, r->cgroup.path);
		break;
	case RECORD_HEADER_BUILD_ID:
		module_intern(rec->modules,
			      module_kind_of(r->build_id.filename,
					     (r->build_id.misc & PERF_RECORD_MISC_CPUMODE_MASK) ==
						     PERF_RECORD_MISC_KERNEL),
			      r->build_id.filename, r->build_id.build_id, r->build_id.size);
		break;
	default:
		if (!record_type_name(r->type))
			a->unknown_records++;
		break;
	}
}

static void note_values(struct recording *rec, struct decoder *decoder, const uint8_t *bytes)
{
	struct record record;

	if (record_decode(decoder, bytes, &record, NULL) == 0 && reads_is_split(&record.sample))
		read_carries_add(&rec->carries, &rec->data->events, &record.sample);
}

static void take_other(struct recording *rec, struct decoder *decoder, const uint8_t *bytes)
{
	uint32_t type = record_header(bytes, rec->data->swap).type;
	struct record record;

	rec->nr_by_type[type < 255 ? type : 255]++;
	if (record_decode(decoder, bytes, &record, NULL) < 0) {
		rec->account.bad_records++;
		return;
	}
	process_table_add(rec->processes, &record);
	note_losses(rec, &record);
}

static void walk_block(struct recording *rec, struct decoder *decoder, const struct block *block)
{
	bool swap = rec->data->swap;
	const uint8_t *bytes;
	size_t at = 0;

	rec->nr_samples += block->nr_samples;
	rec->nr_by_type[PERF_RECORD_SAMPLE] += block->nr_samples;
	for (uint32_t i = 0; i < block->nr_others; i++)
		take_other(rec, decoder, block->bytes + block->others[i]);
	if (!rec->samples_values)
		return;
	read_carries_block(&rec->carries, block);
	while ((bytes = block_record(block, swap, &at)))
		if (record_header(bytes, swap).type == PERF_RECORD_SAMPLE)
			note_values(rec, decoder, bytes);
}

static void keep_damages(struct recording *rec, const struct blocks *blocks)
{
	uint32_t nr, opened = rec->data->nr_damages;
	const struct damage *found = blocks_damages(blocks, &nr);

	rec->damages = mem_alloc(((size_t)nr + opened) * sizeof(*rec->damages));
	if (opened)
		memcpy(rec->damages, rec->data->damages, opened * sizeof(*rec->damages));
	if (nr)
		memcpy(rec->damages + opened, found, nr * sizeof(*rec->damages));
	rec->account.damages = rec->damages;
	rec->account.nr_damages = nr + opened;
}

static void *warm(void *modules)
{
	module_set_warm(modules);
	return NULL;
}

static bool samples_kernel(const struct event_set *events)
{
	for (uint32_t i = 0; i < events->nr; i++)
		if (!events->v[i].attr.exclude_kernel)
			return true;
	return false;
}

/*
 * This pass is for one thread: another one may read the kernel's names, of which the
 * mapping is told before the first sample. Not worth it for a small file. A pipe may
 * tell build-ids at its end.
 */
static void start_warming(struct recording *rec, bool wanted)
{
	if (!wanted || rec->is_warming || rec->data->is_pipe ||
	    rec->data->data_size < WARM_BYTES || !samples_kernel(&rec->data->events))
		return;
	rec->is_warming = pthread_create(&rec->warmer, NULL, warm, rec->modules) == 0;
}

/*
 * Values go on from block to block, so that a second reading has to have the same ones:
 * it has no scouts.
 */
static void start_scouts(const struct recording *rec, struct blocks *blocks, unsigned jobs)
{
	if (!rec->samples_values)
		blocks_scout(blocks, cpus_threads(jobs, UINT_MAX));
}

/* Side-band of all of it, and what is damaged; a block's records are not decoded but for that. */
static int walk_all(struct recording *rec, bool soon, unsigned jobs, struct err *err)
{
	struct blocks *blocks = blocks_new(rec->data);
	struct decoder decoder;
	struct block block;
	int r;

	decoder_init(&decoder, &rec->data->events, rec->data->swap);
	start_scouts(rec, blocks, jobs);
	while ((r = blocks_next(blocks, &block, err)) > 0) {
		walk_block(rec, &decoder, &block);
		start_warming(rec, soon);
		progress("reading", block.file_off - rec->data->data_off, rec->data->data_size);
		block_release(&block);
	}
	free(rec->damages);
	keep_damages(rec, blocks);
	process_table_freeze(rec->processes);
	decoder_release(&decoder);
	rec->blocks = blocks;
	return r;
}

int recording_load_lasting(struct recording *rec, const struct perf_data *data,
			   const struct symbol_options *symbols, bool lasting, struct err *err)
{
	struct symbol_options options = symbols ? *symbols : (struct symbol_options){ 0 };
	int r;

	memset(rec, 0, sizeof(*rec));
	rec->data = data;
	intern_init(&rec->cgroup_paths);
	rec->lost_by_event = mem_zalloc((data->events.nr + 1) * sizeof(*rec->lost_by_event));
	/* Kernel and vdso without a build-id: a recording of another release is told by that. */
	if (!options.os_release)
		options.os_release = data->os_release;
	options.recording_ns = data->first_sample_ns;
	rec->modules = module_set_new(&options);
	rec->processes = process_table_new(rec->modules);
	if (lasting)
		process_table_keep(rec->processes);
	rec->account.unfinished = data->unfinished;
	for (unsigned f = FEATURE_PMU_CAPS + 1; f < FEATURE_MAX; f++)
		rec->account.unknown_features += data->features[f].present;
	rec->samples_values = reads_any(&data->events);
	state_build_ids(rec);
	rec->pack = pack_state(data, rec->modules);
	r = walk_all(rec, options.soon, options.jobs, err);
	if (r < 0)
		recording_release(rec);
	return r;
}

int recording_load(struct recording *rec, const struct perf_data *data,
		   const struct symbol_options *symbols, struct err *err)
{
	return recording_load_lasting(rec, data, symbols, false, err);
}

int recording_thaw(struct recording *rec, uint64_t before_ns, struct err *err)
{
	if (rec->samples_values)
		return err_set(err, EOPNOTSUPP, "values that samples have read cannot be followed live");
	process_table_thaw(rec->processes, before_ns);
	return 0;
}

int recording_add(struct recording *rec, const struct perf_data *more, struct err *err)
{
	rec->data = more;
	blocks_free(rec->blocks);
	rec->blocks = NULL;
	return walk_all(rec, false, 1, err);
}

const char *recording_cgroup(const struct recording *rec, uint64_t id)
{
	const uint64_t *slot = map64_find(&rec->cgroups, id);

	return slot ? intern_str(&rec->cgroup_paths, (uint32_t)*slot) : NULL;
}

void recording_release(struct recording *rec)
{
	if (rec->is_warming)
		pthread_join(rec->warmer, NULL);
	process_table_free(rec->processes);
	module_set_free(rec->modules);
	pack_free(rec->pack);
	free(rec->damages);
	map64_release(&rec->cgroups);
	intern_release(&rec->cgroup_paths);
	free(rec->lost_by_event);
	read_carries_release(&rec->carries);
	blocks_free(rec->blocks);
	memset(rec, 0, sizeof(*rec));
}
