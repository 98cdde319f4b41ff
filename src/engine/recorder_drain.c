/* SPDX-License-Identifier: MIT */
/* A round: what all rings hold goes to the file, and its headers are looked at on the way. */
#include "engine/recorder_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

/* Room in a ring is given back after at most this much. */
#define WRITE_MOST (512u << 10)

/* What interrupts within one another put in a ring is in disorder, by far less than this. */
#define STEP_NS 10000000u

struct tally {
	uint64_t own, samples, lost, lost_from_ns, lost_to_ns, throttled, first_ns, last_ns;
	uint64_t newest_ns;              /* of the sample that came last */
	uint64_t back_ns;                /* how far the clock went back, at most */
	uint64_t end_ns;                 /* the latest time of a record that is no sample */
};

static bool is_broken(const struct recorder *r, const struct perf_event_header *header)
{
	return header->type == PERF_RECORD_MMAP2 && !r->has_build_ids &&
	       header->misc & PERF_RECORD_MISC_MMAP_BUILD_ID;
}

void recorder_mend(const struct recorder *r, struct perf_event_header *header)
{
	if (is_broken(r, header))
		header->misc = (uint16_t)(header->misc & ~PERF_RECORD_MISC_MMAP_BUILD_ID);
}

/* What is mapped. Those who keep it are one for all who drain. */
static void note_mapping(struct drainer *d, const struct ring *ring, uint64_t at, uint16_t size)
{
	struct recorder *r = d->r;

	if (r->o->no_build_ids && !r->keep)
		return;
	ring_copy(ring, at, d->record, size);
	recorder_mend(r, (void *)d->record);
	recorder_lock(r, &r->notes);
	if (!r->o->no_build_ids)
		buildids_note(r->buildids, d->record);
	if (r->keep)
		keep_note(r->keep, d->record);
	recorder_unlock(r, &r->notes);
}

static void look_at_sample(const struct recorder *r, const struct ring *ring, uint64_t at,
			   struct tally *tally)
{
	uint64_t time = ring_word(ring, at, r->time_offset);

	tally->samples++;
	tally->newest_ns = time;
	if (!tally->first_ns || time < tally->first_ns)
		tally->first_ns = time;
	if (time > tally->last_ns)
		tally->last_ns = time;
	else if (tally->last_ns - time > STEP_NS && tally->last_ns - time > tally->back_ns)
		tally->back_ns = tally->last_ns - time;
}

/*
 * The record is written when there is room again: the loss began behind the sample before,
 * unless the clock was set back in between.
 */
static void look_at_loss(struct tally *tally, const struct ring *ring, uint64_t lost, uint64_t time)
{
	uint64_t before = tally->samples ? tally->newest_ns : ring->last_ns;

	tally->lost += lost;
	if (time > tally->lost_to_ns)
		tally->lost_to_ns = time;
	if (before && before < time)
		time = before;
	if (!tally->lost_from_ns || time < tally->lost_from_ns)
		tally->lost_from_ns = time;
}

static void look_at_other(struct drainer *d, const struct ring *ring, uint64_t at,
			  const struct perf_event_header *header, struct tally *tally)
{
	struct recorder *r = d->r;
	uint64_t time;

	if (r->time_from_end && header->size > r->time_from_end) {
		time = ring_word(ring, at, header->size - r->time_from_end);
		if (time > tally->end_ns)
			tally->end_ns = time;
	}
	switch (header->type) {
	case PERF_RECORD_LOST:
		/* its time behind pid and tid, which all records end with */
		look_at_loss(tally, ring, ring_word(ring, at, 16), ring_word(ring, at, 32));
		break;
	case PERF_RECORD_THROTTLE:
		tally->throttled++;
		break;
	case PERF_RECORD_FORK:           /* followed into the next file, so by one drainer */
		if (r->follow)           /* pid and ppid; threads have that of their process */
			map64_put(&r->kin, (uint32_t)ring_word(ring, at, 8), NULL);
		break;
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		note_mapping(d, ring, at, header->size);
		break;
	}
}

static void look_at_record(struct drainer *d, const struct recorder *r, const struct ring *ring,
			   uint64_t at, const struct perf_event_header *header, struct tally *tally)
{
	if (header->type == PERF_RECORD_SAMPLE)
		look_at_sample(r, ring, at, tally);
	else
		look_at_other(d, ring, at, header, tally);
}

static bool can_be_set(const struct recorder *r)
{
	return r->o->attr.use_clockid &&
	       (r->o->attr.clockid == CLOCK_REALTIME || r->o->attr.clockid == CLOCK_TAI);
}

static void add_up(struct recorder *r, const struct tally *tally)
{
	r->result->samples += tally->samples;
	r->result->lost_records += tally->lost;
	r->result->throttled += tally->throttled;
	r->result->own_samples += tally->own;
	if (tally->lost && (!r->lost_from_ns || tally->lost_from_ns < r->lost_from_ns))
		r->lost_from_ns = tally->lost_from_ns;
	if (tally->lost_to_ns > r->lost_to_ns)
		r->lost_to_ns = tally->lost_to_ns;
	if (tally->end_ns > r->end_ns)
		r->end_ns = tally->end_ns;
	if (!tally->samples)
		return;
	if (tally->back_ns && can_be_set(r) && !r->said_step) {
		r->said_step = true;
		log_note("the clock was set back by %.3f s while recording: what came before and after "
			 "is not in order any more; with -k monotonic it would be",
			 (double)tally->back_ns / 1e9);
	}
	if (!r->has_time || tally->first_ns < r->first_ns)
		r->first_ns = tally->first_ns;
	if (tally->last_ns > r->last_ns)
		r->last_ns = tally->last_ns;
	if (r->last_ns > r->end_ns)
		r->end_ns = r->last_ns;
	r->has_time = true;
	if (!r->start_ns || tally->first_ns < r->start_ns)
		r->start_ns = tally->first_ns;
}

static void count(struct drainer *d, struct ring *ring, struct tally *tally)
{
	if (tally->samples && ring->last_ns > tally->first_ns + STEP_NS &&
	    ring->last_ns - tally->first_ns > tally->back_ns)
		tally->back_ns = ring->last_ns - tally->first_ns;
	ring->lost += tally->lost;
	if (tally->samples)
		ring->last_ns = tally->newest_ns;
	recorder_lock(d->r, &d->r->sums);
	add_up(d->r, tally);
	recorder_unlock(d->r, &d->r->sums);
}

void recorder_count(struct drainer *d, struct ring *ring, const uint8_t *bytes, uint64_t size)
{
	struct tally tally = { 0 };
	/* a ring that is all there is: nothing of it goes round */
	struct perf_event_mmap_page page = { .data_tail = 0 };
	struct ring linear = { .page = &page, .data = (uint8_t *)(uintptr_t)bytes,
			       .bytes = 1ull << 62, .last_ns = ring->last_ns };
	struct perf_event_header header;

	for (uint64_t at = 0; size - at >= sizeof(header); at += header.size) {
		memcpy(&header, bytes + at, sizeof(header));
		if (header.size < sizeof(header) || header.size > size - at)
			break;
		look_at_record(d, d->r, &linear, at, &header, &tally);
	}
	count(d, ring, &tally);
}

/* The first `size` bytes of the pieces. */
static int cut(struct iovec *pieces, int nr, uint64_t size)
{
	if (pieces[0].iov_len >= size) {
		pieces[0].iov_len = size;
		return 1;
	}
	if (nr > 1)
		pieces[1].iov_len = size - pieces[0].iov_len;
	return nr;
}

static bool is_own(const struct recorder *r, const struct ring *ring, uint64_t at,
		   const struct perf_event_header *header)
{
	if (header->type != PERF_RECORD_SAMPLE || !r->self ||
	    (uint32_t)ring_word(ring, at, r->pid_offset) != r->self)
		return false;
	return !r->spared.nr || !map64_find(&r->spared, ring_word(ring, at, sizeof(*header)));
}

bool recorder_is_own(const struct recorder *r, const uint8_t *record)
{
	struct perf_event_mmap_page page = { .data_tail = 0 };
	struct ring linear = { .page = &page, .data = (uint8_t *)(uintptr_t)record,
			       .bytes = 1ull << 62 };

	return is_own(r, &linear, 0, (const void *)record);
}

/* The first whole records of a ring: those to write, and behind them those to leave out. */
struct run {
	uint64_t write, skip;
	bool broken;                     /* one record, to be mended */
	struct tally tally;
};

/* Look at the records in the next `most` bytes of a ring; -EIO for what is none. */
static int look_at_records(struct drainer *d, const struct ring *ring, uint64_t most,
			   struct run *run)
{
	const struct recorder *r = d->r;
	uint64_t at = 0;

	memset(run, 0, sizeof(*run));
	while (at < most && at < WRITE_MOST) {
		const struct perf_event_header *header = ring_header(ring, at);
		bool own;

		if (header->size < sizeof(*header) || header->size > most - at)
			return -EIO;
		own = is_own(r, ring, at, header);
		if (run->broken || (run->skip && !own))
			break;
		if (is_broken(r, header)) {
			if (at)
				break;
			run->broken = true;
		}
		if (own) {
			run->skip += header->size;
			run->tally.own++;
		} else {
			run->write += header->size;
			look_at_record(d, r, ring, at, header, &run->tally);
		}
		at += header->size;
	}
	return 0;
}

/* Write the first `size` bytes of a ring, and count them. */
static int write_run(struct drainer *d, struct ring *ring, struct iovec *pieces, int nr,
		     struct run *run, struct err *err)
{
	struct iovec mended = { d->record, run->write };
	int ret = 0;

	if (run->broken) {               /* in a ring only the kernel can write */
		ring_copy(ring, 0, d->record, run->write);
		recorder_mend(d->r, (void *)d->record);
		ret = perf_write_ring(d->writer, &mended, 1, err);
	} else if (run->write) {
		ret = perf_write_ring(d->writer, pieces, cut(pieces, nr, run->write), err);
	}
	if (ret < 0)
		look_at_records(d, ring, perf_write_kept(d->writer), run);
	count(d, ring, &run->tally);
	return ret;
}

int recorder_drain_ring(struct drainer *d, struct ring *ring, size_t index, struct err *err)
{
	struct iovec pieces[2];
	uint64_t left;
	int nr, ret, any = 0;

	if (!ring->page)
		return 0;
	/* No further than this look, or a busy ring would hold us. */
	left = ring_peek(ring, pieces, &nr);
	if (left)
		recorder_go_to(d->r, index);
	if (d->r->renames)
		return recorder_rewrite_ring(d, ring, err);
	while (left) {
		struct run run;

		if (look_at_records(d, ring, left, &run) < 0)
			return err_set(err, EIO, "the ring of CPU %d is damaged", ring->cpu);
		any |= run.write > 0;
		ret = write_run(d, ring, pieces, nr, &run, err);
		if (ret < 0)
			return ret;
		ring_consume(ring, run.write + run.skip);
		left -= run.write + run.skip;
		ring_peek(ring, pieces, &nr);
	}
	return any;
}

void recorder_mind_size(struct recorder *r, uint64_t bytes)
{
	if (!r->o->max_bytes || bytes < r->o->max_bytes || r->stop)
		return;
	log_note("the size limit of %" PRIu64 " bytes (--max-size) is reached", r->o->max_bytes);
	r->stop = true;
}

/* All rings once: a round. */
int recorder_drain(struct recorder *r, struct err *err)
{
	struct drainer d = recorder_drainer(r);
	bool any = false;
	int ret = 0;

	if (r->stacks) {
		ret = recorder_drain_stacks(r, err);
		any = ret > 0;
	}
	for (size_t i = 0; i < r->counters.cpus.nr && ret >= 0 && !r->stacks; i++) {
		ret = recorder_drain_ring(&d, &r->counters.rings[i], i, err);
		any |= ret > 0;
	}
	if (ret >= 0 && r->tap) {
		ret = recorder_drain_tap(r, err);
		any |= ret > 0;
	}
	if (r->keep)
		keep_tick(r->keep, r->last_ns);
	r->idle_rounds = any ? 0 : r->idle_rounds + 1;
	if (ret >= 0 && any)
		ret = perf_write_flush(r->writer, err);
	recorder_mind_size(r, r->bytes_before + perf_write_bytes(r->writer));
	return ret < 0 ? ret : 0;
}
