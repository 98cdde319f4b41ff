/* SPDX-License-Identifier: MIT */
/*
 * ring: the buffer that the kernel fills and we empty (perf_event_open(2), "MMAP layout").
 *
 *	page 0: data_head, data_tail | data pages, a power of two, records wrap around
 *	            |          '-- ours: moved with release order after reading
 *	            '-- the kernel's: read with acquire order before reading
 *
 * Nothing is locked and nothing is copied: ring_peek points at the bytes, in two
 * pieces where they wrap; they stay valid until ring_consume.  Records are
 * aligned to 8, so a record's header never wraps but its body may.
 */
#ifndef ENGINE_RING_H
#define ENGINE_RING_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct ring {
	struct perf_event_mmap_page *page;       /* NULL: not mapped */
	uint8_t *data;
	uint64_t bytes;                          /* of data; a power of two */
	bool latest;                             /* the kernel overwrites; nothing is consumed */
	int fd, cpu;                             /* borrowed fd of the event it belongs to */
	uint64_t last_ns, lost;                  /* the last sample taken from it, and LOST so far */
};

/*
 * Map `bytes` of data (a power of two, pages). `latest`: read-only, by which the kernel
 * knows to overwrite the oldest (its event has write_backward). Returns 0 or a negative
 * errno of mmap.
 */
int ring_open(struct ring *ring, int fd, int cpu, uint64_t bytes, bool latest);
void ring_close(struct ring *ring);

/*
 * At how many bytes in a ring of `bytes` the kernel is to wake us: late enough for few wakes,
 * and early enough for most of the ring to be left until we come.
 */
uint32_t ring_wakeup_bytes(uint64_t bytes);

/* What the kernel has written and we have not consumed. Returns its size. */
uint64_t ring_peek(const struct ring *ring, struct iovec pieces[2], int *nr);

/* Give the first `bytes` of it back to the kernel. */
void ring_consume(struct ring *ring, uint64_t bytes);

/* The record that stands `at` bytes behind the first one not consumed. */
static inline const struct perf_event_header *ring_header(const struct ring *ring, uint64_t at)
{
	uint64_t pos = ring->page->data_tail + at;

	return (const void *)(ring->data + (pos & (ring->bytes - 1)));
}

/* The aligned word `offset` bytes into that record. */
static inline uint64_t ring_word(const struct ring *ring, uint64_t at, uint32_t offset)
{
	uint64_t pos = ring->page->data_tail + at + offset;

	return *(const uint64_t *)(const void *)(ring->data + (pos & (ring->bytes - 1)));
}

/* Copy that record's `size` bytes out, for those few that are looked into. */
void ring_copy(const struct ring *ring, uint64_t at, void *to, size_t size);

#endif
