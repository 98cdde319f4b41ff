/* SPDX-License-Identifier: MIT */
#include "engine/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int ring_open(struct ring *ring, int fd, int cpu, uint64_t bytes, bool latest)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, bytes + page_size, latest ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED,
		       fd, 0);

	memset(ring, 0, sizeof(*ring));
	if (p == MAP_FAILED)
		return -errno;
	ring->page = p;
	ring->data = (uint8_t *)p + page_size;
	ring->bytes = bytes;
	ring->fd = fd;
	ring->cpu = cpu;
	ring->latest = latest;
	return 0;
}

uint32_t ring_wakeup_bytes(uint64_t bytes)
{
	const uint64_t least = 128u << 10;
	uint64_t mark = bytes / 8 > least ? bytes / 8 : least;

	return (uint32_t)(mark < bytes / 2 ? mark : bytes / 2);
}

void ring_close(struct ring *ring)
{
	if (ring->page)
		munmap(ring->page, ring->bytes + (size_t)sysconf(_SC_PAGESIZE));
	ring->page = NULL;
}

uint64_t ring_peek(const struct ring *ring, struct iovec pieces[2], int *nr)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = ring->page->data_tail;
	uint64_t size = head - tail, first = ring->bytes - (tail & (ring->bytes - 1));

	*nr = 0;
	if (!size)
		return 0;
	if (first > size)
		first = size;
	pieces[(*nr)++] = (struct iovec){ ring->data + (tail & (ring->bytes - 1)), first };
	if (first < size)
		pieces[(*nr)++] = (struct iovec){ ring->data, size - first };
	return size;
}

void ring_consume(struct ring *ring, uint64_t bytes)
{
	__atomic_store_n(&ring->page->data_tail, ring->page->data_tail + bytes, __ATOMIC_RELEASE);
}

void ring_copy(const struct ring *ring, uint64_t at, void *to, size_t size)
{
	uint64_t pos = (ring->page->data_tail + at) & (ring->bytes - 1);
	uint64_t first = ring->bytes - pos;

	if (first > size)
		first = size;
	memcpy(to, ring->data + pos, first);
	memcpy((uint8_t *)to + first, ring->data, size - first);
}
