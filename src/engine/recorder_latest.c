/* SPDX-License-Identifier: MIT */
/*
 * The flight recorder (--overwrite): rings that nobody drains.
 *
 *	     data_head                            data_head at the dump before
 *	        |  newest ...            ... oldest  |
 *	...  free  [rec 9][rec 8][rec 7] ... [rec 3] [rec 2] ...
 *
 * With write_backward the kernel writes towards lower addresses, so that at data_head there
 * always begins a record, and behind it the one before.  At a dump the ring is stopped (what
 * comes meanwhile counts as lost), its records are found from the newest on and written from
 * the oldest on.  See perf_event_open(2), "write_backward" and PERF_EVENT_IOC_PAUSE_OUTPUT.
 */
#include "engine/recorder_priv.h"

#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

static void pause_all(const struct recorder *r, bool on)
{
	for (size_t i = 0; i < r->counters.cpus.nr; i++)
		if (r->counters.rings[i].page)
			ioctl(r->counters.rings[i].fd, PERF_EVENT_IOC_PAUSE_OUTPUT, on);
	/* Those that were at it have written their records when this returns. */
	if (on)
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

static const struct perf_event_header *at_position(const struct ring *ring, uint64_t pos)
{
	return (const void *)(ring->data + (pos & (ring->bytes - 1)));
}

static void add_position(struct recorder *r, size_t nr, uint64_t pos)
{
	if (nr == r->positions_cap) {
		r->positions_cap = r->positions_cap ? 2 * r->positions_cap : 4096;
		r->positions = mem_realloc_array(r->positions, r->positions_cap, sizeof(*r->positions));
	}
	r->positions[nr] = pos;
}

/* Where the records since `before` begin, newest first. Returns how many. */
static size_t find_records(struct recorder *r, const struct ring *ring, uint64_t head, uint64_t before)
{
	uint64_t most = before - head;
	size_t nr = 0;

	if (most > ring->bytes)
		most = ring->bytes;
	for (uint64_t at = 0; most - at >= sizeof(struct perf_event_header);) {
		uint16_t size = at_position(ring, head + at)->size;

		/* The oldest one is cut where the ring went round. */
		if (size < sizeof(struct perf_event_header) || size > most - at)
			break;
		add_position(r, nr++, head + at);
		at += size;
	}
	return nr;
}

static const uint8_t *whole(struct recorder *r, const struct ring *ring, uint64_t pos)
{
	struct drainer d = recorder_drainer(r);
	uint64_t start = pos & (ring->bytes - 1);
	uint16_t size = at_position(ring, pos)->size;

	if (start + size <= ring->bytes)
		return recorder_named(&d, ring->data + start);
	memcpy(r->record, ring->data + start, ring->bytes - start);
	memcpy(r->record + (ring->bytes - start), ring->data, size - (ring->bytes - start));
	return recorder_named(&d, r->record);
}

static int write_batch(struct recorder *r, struct ring *ring, size_t *size, struct err *err)
{
	struct iovec piece = { r->batch, *size };
	struct drainer d = recorder_drainer(r);
	int ret = *size ? perf_write_ring(r->writer, &piece, 1, err) : 0;

	recorder_count(&d, ring, r->batch, ret < 0 ? perf_write_kept(r->writer) : *size);
	*size = 0;
	return ret;
}

static int dump_ring(struct recorder *r, size_t i, uint64_t before, struct err *err)
{
	struct ring *ring = &r->counters.rings[i];
	struct drainer d = recorder_drainer(r);
	size_t nr = find_records(r, ring, r->heads[i], before), size = 0;
	int ret = 0;

	while (nr-- && ret == 0) {
		size += recorder_put(&d, whole(r, ring, r->positions[nr]), false, r->batch + size,
				     &r->result->own_samples);
		if (size > RECORDER_BATCH_BYTES - UINT16_MAX - 1)
			ret = write_batch(r, ring, &size, err);
	}
	return ret < 0 ? ret : write_batch(r, ring, &size, err);
}

/* Of samples with stacks: what was mapped has to be known before one is unwound. */
static void take_sideband(struct recorder *r, size_t i, uint64_t before)
{
	const struct ring *ring = &r->counters.rings[i];
	size_t nr = r->stacks ? find_records(r, ring, r->heads[i], before) : 0;

	while (nr--)
		if (at_position(ring, r->positions[nr])->type != PERF_RECORD_SAMPLE)
			stacks_take(r->stacks, whole(r, ring, r->positions[nr]));
}

static int dump_all(struct recorder *r, struct err *err)
{
	size_t nr = r->counters.cpus.nr;
	uint64_t *before = mem_realloc_array(NULL, nr, sizeof(*before));
	int ret = 0;

	memcpy(before, r->heads, nr * sizeof(*before));
	for (size_t i = 0; i < nr; i++)
		if (r->counters.rings[i].page)
			r->heads[i] = __atomic_load_n(&r->counters.rings[i].page->data_head,
						      __ATOMIC_ACQUIRE);
	for (size_t i = 0; i < nr; i++)
		if (r->counters.rings[i].page)
			take_sideband(r, i, before[i]);
	if (r->stacks)
		stacks_settle(r->stacks);
	for (size_t i = 0; i < nr && ret == 0; i++)
		if (r->counters.rings[i].page)
			ret = dump_ring(r, i, before[i], err);
	if (r->stacks)
		stacks_sweep(r->stacks);
	free(before);
	return ret;
}

int recorder_dump(struct recorder *r, struct err *err)
{
	int ret = recorder_synthesize_again(r, err);

	if (!r->heads)
		r->heads = mem_zalloc(r->counters.cpus.nr * sizeof(*r->heads));
	if (!r->batch)
		r->batch = mem_alloc(RECORDER_BATCH_BYTES);
	if (ret == 0) {
		pause_all(r, true);
		ret = dump_all(r, err);
		pause_all(r, false);
	}
	if (r->keep)
		keep_tick(r->keep, r->last_ns);
	return ret < 0 ? ret : perf_write_flush(r->writer, err);
}
