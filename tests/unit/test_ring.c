/* SPDX-License-Identifier: MIT */
/* ring: records that wrap around, in a ring made of ordinary memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "engine/ring.h"

#define BYTES 256u

static struct perf_event_mmap_page page;
static uint64_t data[BYTES / 8];

static struct ring new_ring(uint64_t head, uint64_t tail)
{
	memset(&page, 0, sizeof(page));
	page.data_head = head;
	page.data_tail = tail;
	for (uint64_t i = 0; i < BYTES / 8; i++)
		data[i] = i;
	return (struct ring){ .page = &page, .data = (uint8_t *)data, .bytes = BYTES };
}

static void test_empty(void **state)
{
	struct ring ring = new_ring(512, 512);
	struct iovec pieces[2];
	int nr;

	(void)state;
	assert_int_equal(ring_peek(&ring, pieces, &nr), 0);
	assert_int_equal(nr, 0);
}

static void test_one_piece(void **state)
{
	struct ring ring = new_ring(3 * 256 + 64, 3 * 256 + 16);
	struct iovec pieces[2];
	int nr;

	(void)state;
	assert_int_equal(ring_peek(&ring, pieces, &nr), 48);
	assert_int_equal(nr, 1);
	assert_ptr_equal(pieces[0].iov_base, &data[2]);
	assert_int_equal(pieces[0].iov_len, 48);
	ring_consume(&ring, 40);
	assert_int_equal(page.data_tail, 3 * 256 + 56);
	assert_int_equal(ring_peek(&ring, pieces, &nr), 8);
}

/* From word 29 to word 4 of the next round: 24 bytes, then 32. */
static void test_wrapped(void **state)
{
	struct ring ring = new_ring(256 + 32, 232);
	struct iovec pieces[2];
	uint64_t copy[7];
	int nr;

	(void)state;
	assert_int_equal(ring_peek(&ring, pieces, &nr), 56);
	assert_int_equal(nr, 2);
	assert_int_equal(pieces[0].iov_len, 24);
	assert_ptr_equal(pieces[1].iov_base, data);
	assert_int_equal(pieces[1].iov_len, 32);
	assert_int_equal(ring_word(&ring, 0, 0), 29);
	assert_int_equal(ring_word(&ring, 8, 16), 0);
	assert_ptr_equal(ring_header(&ring, 32), &data[1]);
	ring_copy(&ring, 0, copy, sizeof(copy));
	assert_int_equal(copy[2], 31);
	assert_int_equal(copy[3], 0);
	assert_int_equal(copy[6], 3);
}

static void test_full(void **state)
{
	struct ring ring = new_ring(256 + 8, 8);
	struct iovec pieces[2];
	int nr;

	(void)state;
	assert_int_equal(ring_peek(&ring, pieces, &nr), 256);
	assert_int_equal(pieces[0].iov_len, 248);
	assert_int_equal(pieces[1].iov_len, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_one_piece),
		cmocka_unit_test(test_wrapped),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
