/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <byteswap.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "formats/record.h"
#include "tests/unit/records.h"

/* Two events with ids 7 and 8. */
static void events_make(struct event_set *set)
{
	memset(set, 0, sizeof(*set));
	set->v = mem_zalloc(2 * sizeof(*set->v));
	set->nr = 2;
	for (uint32_t i = 0; i < 2; i++) {
		set->v[i].attr = test_attr();
		set->v[i].name = mem_strdup(i ? "b" : "a");
		set->v[i].ids = mem_alloc(8);
		set->v[i].ids[0] = 7 + i;
		set->v[i].nr_ids = 1;
	}
	assert_int_equal(event_set_index(set, NULL), 0);
}

static void sample_fields(void **state)
{
	const uint64_t ips[] = { PERF_CONTEXT_USER, 0x1000, 0x2000 };
	struct event_set set;
	struct decoder d;
	struct record r;
	struct str s = STR_INIT;

	(void)state;
	events_make(&set);
	decoder_init(&d, &set, false);
	put_sample(&s, PERF_RECORD_MISC_USER, 0x1000, 11, 12, 123456789, 8, 3, 250, 3, ips);
	assert_int_equal(record_decode(&d, (uint8_t *)s.p, &r, NULL), 0);
	assert_int_equal(r.type, PERF_RECORD_SAMPLE);
	assert_string_equal(r.sample.event->name, "b");
	assert_int_equal(r.sample.ip, 0x1000);
	assert_int_equal(r.sample.pid, 11);
	assert_int_equal(r.sample.tid, 12);
	assert_int_equal(r.sample.time_ns, 123456789);
	assert_int_equal(r.sample.cpu, 3);
	assert_int_equal(r.sample.period, 250);
	assert_int_equal(r.sample.cpumode, PERF_RECORD_MISC_USER);
	assert_int_equal(r.sample.nr_ips, 3);
	assert_int_equal(r.sample.ips[2], 0x2000);
	assert_int_equal(r.id.time_ns, 123456789);
	str_release(&s);
	decoder_release(&d);
	event_set_release(&set);
}

static void sample_of_unknown_id(void **state)
{
	struct event_set set;
	struct decoder d;
	struct record r;
	struct err err = ERR_INIT;
	struct str s = STR_INIT;

	(void)state;
	events_make(&set);
	decoder_init(&d, &set, false);
	put_sample(&s, 0, 1, 1, 1, 1, 99, 0, 1, 0, NULL);
	assert_int_equal(record_decode(&d, (uint8_t *)s.p, &r, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "does not list"));
	str_release(&s);
	decoder_release(&d);
	event_set_release(&set);
}

/* A chain that says it is longer than its record, by little and by overflow. */
static void chain_beyond_record(void **state)
{
	static const uint64_t lies[] = { 4, 1u << 13, 1ull << 61, UINT64_MAX };
	const uint64_t ips[] = { 1, 2, 3 };
	struct event_set set;
	struct decoder d;
	struct record r;

	(void)state;
	events_make(&set);
	decoder_init(&d, &set, false);
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct str s = STR_INIT;

		put_sample(&s, 0, 1, 1, 1, 1, 7, 0, 1, 3, ips);
		memcpy(s.p + 8 + 6 * 8, &lies[i], 8);
		assert_int_equal(record_decode(&d, (uint8_t *)s.p, &r, NULL), -EBADMSG);
		str_release(&s);
	}
	decoder_release(&d);
	event_set_release(&set);
}

static void mmap2_and_trailer(void **state)
{
	struct event_set set;
	struct decoder d;
	struct record r;
	struct str s = STR_INIT;

	(void)state;
	events_make(&set);
	decoder_init(&d, &set, false);
	put_mmap(&s, PERF_RECORD_MISC_USER, 42, 0x400000, 0x3000, 0x1000, "/usr/bin/true", 555, 8);
	assert_int_equal(record_decode(&d, (uint8_t *)s.p, &r, NULL), 0);
	assert_int_equal(r.mmap.pid, 42);
	assert_int_equal(r.mmap.start, 0x400000);
	assert_int_equal(r.mmap.len, 0x3000);
	assert_int_equal(r.mmap.pgoff, 0x1000);
	assert_true(r.mmap.has_inode);
	assert_int_equal(r.mmap.ino, 4711);
	assert_int_equal(r.mmap.prot, 5);
	assert_string_equal(r.mmap.filename, "/usr/bin/true");
	assert_int_equal(r.id.time_ns, 555);
	assert_string_equal(r.id.event->name, "b");
	str_release(&s);
	decoder_release(&d);
	event_set_release(&set);
}

/* The kernel may set the build-id bit for an event that did not ask for build-ids. */
static void stray_build_id_bit(void **state)
{
	struct event_set set;
	struct decoder d;
	struct record r;
	struct str s = STR_INIT;

	(void)state;
	events_make(&set);
	decoder_init(&d, &set, false);
	put_mmap(&s, PERF_RECORD_MISC_USER | PERF_RECORD_MISC_MMAP_BUILD_ID, 42, 0x400000, 0x3000, 0,
		 "/usr/bin/true", 555, 8);
	assert_int_equal(record_decode(&d, (uint8_t *)s.p, &r, NULL), 0);
	assert_int_equal(r.mmap.build_id_size, 0);
	assert_int_equal(r.mmap.ino, 4711);
	set.v[1].attr.build_id = 1;
	assert_int_equal(event_set_index(&set, NULL), 0);
	assert_int_equal(record_decode(&d, (uint8_t *)s.p, &r, NULL), 0);
	assert_int_equal(r.mmap.build_id_size, 8);
	str_release(&s);
	decoder_release(&d);
	event_set_release(&set);
}

/* A name without an end inside the record must not run on into the trailer. */
static void name_without_end(void **state)
{
	struct event_set set;
	struct decoder d;
	struct record r;
	struct str s = STR_INIT;
	size_t at;

	(void)state;
	events_make(&set);
	decoder_init(&d, &set, false);
	at = begin(&s, PERF_RECORD_COMM, 0);
	put32(&s, 5);
	put32(&s, 6);
	str_addn(&s, "AAAAAAAA", 8);
	put_trailer(&s, 0x41414141, 0x41414141, 1, 7, 0);
	finish(&s, at);
	assert_int_equal(record_decode(&d, (uint8_t *)s.p, &r, NULL), 0);
	assert_string_equal(r.comm.comm, "AAAAAAAA");
	str_release(&s);
	decoder_release(&d);
	event_set_release(&set);
}

/* The same sample as a machine of the other byte order would have written it. */
static void other_byte_order(void **state)
{
	const uint64_t ips[] = { PERF_CONTEXT_KERNEL, 0xffffffff81000010 };
	struct event_set set;
	struct decoder d;
	struct record r;
	struct str s = STR_INIT, w = STR_INIT;
	uint64_t words[13];

	(void)state;
	events_make(&set);
	decoder_init(&d, &set, true);
	put_sample(&s, PERF_RECORD_MISC_KERNEL, 0xffffffff81000010, 0x11, 0x12, 77, 8, 1, 9, 2, ips);
	assert_int_equal(s.len, 8 + 9 * 8);
	put32(&w, bswap_32(PERF_RECORD_SAMPLE));
	put16(&w, bswap_16(PERF_RECORD_MISC_KERNEL));
	put16(&w, bswap_16((uint16_t)s.len));
	memcpy(words, s.p + 8, s.len - 8);
	for (size_t i = 0; i < (s.len - 8) / 8; i++) {
		if (i == 1 || i == 4) { /* pid, tid and cpu, res are two u32 each */
			put32(&w, bswap_32((uint32_t)words[i]));
			put32(&w, bswap_32((uint32_t)(words[i] >> 32)));
		} else {
			put64(&w, bswap_64(words[i]));
		}
	}
	assert_int_equal(record_decode(&d, (uint8_t *)w.p, &r, NULL), 0);
	assert_string_equal(r.sample.event->name, "b");
	assert_int_equal(r.sample.pid, 0x11);
	assert_int_equal(r.sample.tid, 0x12);
	assert_int_equal(r.sample.cpu, 1);
	assert_int_equal(r.sample.nr_ips, 2);
	assert_true(r.sample.ips[1] == 0xffffffff81000010);
	str_release(&s);
	str_release(&w);
	decoder_release(&d);
	event_set_release(&set);
}

/* Every length a record can be cut to is refused or read within its bounds (ASan watches). */
static void every_cut(void **state)
{
	const uint64_t ips[] = { 1, 2, 3 };
	struct event_set set;
	struct decoder d;
	struct record r;
	struct str s = STR_INIT;

	(void)state;
	events_make(&set);
	decoder_init(&d, &set, false);
	put_sample(&s, 0, 1, 1, 1, 1, 7, 0, 1, 3, ips);
	for (uint16_t cut = 8; cut < s.len; cut += 4) {
		uint8_t *exact = mem_dup(s.p, cut);

		memcpy(exact + 6, &cut, 2);
		assert_true(record_decode(&d, exact, &r, NULL) < 0);
		free(exact);
	}
	str_release(&s);
	decoder_release(&d);
	event_set_release(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample_fields),
		cmocka_unit_test(sample_of_unknown_id),
		cmocka_unit_test(chain_beyond_record),
		cmocka_unit_test(mmap2_and_trailer),
		cmocka_unit_test(stray_build_id_bit),
		cmocka_unit_test(name_without_end),
		cmocka_unit_test(other_byte_order),
		cmocka_unit_test(every_cut),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
