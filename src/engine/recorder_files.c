/* SPDX-License-Identifier: MIT */
/*
 * One file after the other (--switch-output).
 *
 *	perf.data        being written
 *	perf.data.STAMP  closed; each has all that is needed to read it: what runs and is
 *	                 mapped when it begins is described in it as at a recording's start
 */
#include "engine/recorder_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

bool recorder_file_is_full(const struct recorder *r)
{
	const struct recorder_options *o = r->o;

	return (o->next_file.bytes && perf_write_bytes(r->writer) >= o->next_file.bytes) ||
	       recorder_now_ms() >= recorder_file_until_ms(r);
}

int64_t recorder_file_until_ms(const struct recorder *r)
{
	return r->o->next_file.ms ? r->file_at_ms + (int64_t)r->o->next_file.ms : INT64_MAX;
}

/* The oldest go where only so many shall stay. */
static void remove_oldest(struct recorder *r)
{
	if (!r->o->next_file.files || r->names.nr <= r->o->next_file.files)
		return;
	if (unlink(r->names.v[0]) < 0 && errno != ENOENT)
		log_note("cannot remove '%s': %s", r->names.v[0], strerror(errno));
	free(r->names.v[0]);
	r->names.nr--;
	memmove(r->names.v, r->names.v + 1, r->names.nr * sizeof(*r->names.v));
}

/* Its name for good. */
static int name_file(struct recorder *r, struct err *err)
{
	char *shown;
	int ret;

	free(r->result->path);
	r->result->path = NULL;
	if (!r->o->stamp_name || !r->output.file) {
		r->result->path = mem_strdup(r->o->output);
		return 0;
	}
	ret = output_stamp(&r->output, &shown, err);
	if (ret < 0)
		return ret;
	r->result->path = shown;
	*vec_push(&r->names) = mem_strdup(r->output.file);
	remove_oldest(r);
	return 0;
}

static void set_late_features(struct recorder *r)
{
	struct str s = STR_INIT;

	if (!r->o->no_build_ids) {
		buildids_section(r->buildids, &s);
		if (s.len)
			perf_write_feature(r->writer, FEATURE_BUILD_ID, s.p, s.len);
		str_clear(&s);
	}
	perf_put_u64(&s, r->first_ns);
	perf_put_u64(&s, r->last_ns);
	if (r->has_time)
		perf_write_feature(r->writer, FEATURE_SAMPLE_TIME, s.p, s.len);
	str_release(&s);
}

int recorder_close_file(struct recorder *r, bool good, struct err *err)
{
	int ret = good ? recorder_write_lost(r, err) : 0;

	if (r->keep)
		keep_finish(r->keep, r->has_time && !r->output.is_pipe ? r->first_ns : 0,
			    r->o->no_build_ids ? NULL : r->buildids);
	set_late_features(r);
	if (ret == 0)
		ret = perf_write_finish(r->writer, err);
	else
		perf_write_finish(r->writer, NULL);
	if (perf_write_longest_ns(r->writer) > r->result->longest_write_ns)
		r->result->longest_write_ns = perf_write_longest_ns(r->writer);
	r->result->unsure |= !perf_write_is_sure(r->writer);
	r->bytes_before += perf_write_bytes(r->writer);
	r->result->bytes = r->bytes_before;
	r->result->files++;
	if (name_file(r, ret == 0 ? err : NULL) < 0 && ret == 0)
		ret = -EIO;
	return ret;
}

/* What belongs to a file and not to the recording. */
static void begin_anew(struct recorder *r)
{
	perf_write_free(r->writer);
	r->writer = NULL;
	output_release(&r->output);
	r->output = (struct output)OUTPUT_NONE;
	buildids_free(r->buildids);
	r->buildids = buildids_new();
	if (r->keep) {
		keep_free(r->keep);
		r->keep = keep_new();
	}
	r->has_time = false;
	r->first_ns = r->last_ns = r->end_ns = 0;
	r->file_at_ms = recorder_now_ms();
}

int recorder_next_file(struct recorder *r, struct err *err)
{
	int ret = r->o->overwrite ? recorder_dump(r, err) : 0;

	if (ret == 0)
		ret = recorder_close_file(r, true, err);
	if (ret < 0)
		return ret;
	log_note("wrote %s", r->result->path);
	begin_anew(r);
	ret = recorder_open_writer(r, err);
	r->result->written = true;
	if (ret == 0 && !r->o->overwrite)
		ret = recorder_synthesize_again(r, err);
	return ret < 0 ? ret : perf_write_flush(r->writer, err);
}
