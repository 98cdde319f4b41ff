/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "formats/event_name.h"
#include "formats/perf_data.h"
#include "tests/unit/records.h"

/* Ten samples, a minute apart, for one or two events. */
static void samples_make(struct str *data, unsigned nr_events)
{
	for (unsigned i = 0; i < 10; i++)
		put_sample(data, PERF_RECORD_MISC_USER, 0x1000 + i, 5, 5, 60ull * i, 7 + i % nr_events,
			   0, 1, 0, NULL);
}

static int open_bytes(struct perf_data **out, const struct str *file, size_t n, struct err *err)
{
	char path[32];
	int r;

	write_temp(path, file->p, n);
	r = perf_data_open(out, path, err);
	unlink(path);
	return r;
}

static unsigned count(const struct perf_data *data, uint32_t type, unsigned *nr_damages)
{
	struct blocks *blocks = blocks_new(data);
	struct block block;
	uint32_t damages;
	unsigned n = 0;

	while (blocks_next(blocks, &block, NULL) > 0) {
		const uint8_t *bytes;
		size_t at = 0;

		while ((bytes = block_record(&block, data->swap, &at)))
			n += record_header(bytes, data->swap).type == type;
		block_release(&block);
	}
	blocks_damages(blocks, &damages);
	*nr_damages = damages;
	blocks_free(blocks);
	return n;
}

static void whole_file(void **state)
{
	struct str data = STR_INIT, file = STR_INIT;
	struct perf_data *d;
	unsigned damages;

	(void)state;
	samples_make(&data, 2);
	put_file(&file, 2, &data, data.len);
	assert_int_equal(open_bytes(&d, &file, file.len, NULL), 0);
	assert_int_equal(d->events.nr, 2);
	assert_string_equal(d->events.v[0].name, "cpu-clock");
	assert_string_equal(d->events.v[1].name, "page-faults");
	assert_string_equal(d->hostname, "box");
	assert_false(d->unfinished);
	assert_int_equal(count(d, PERF_RECORD_SAMPLE, &damages), 10);
	assert_int_equal(damages, 0);
	perf_data_close(d);
	str_release(&data);
	str_release(&file);
}

/*
 * Cut at every byte: an error or a recording with the samples that are whole,
 * and never more; what is missing is told.
 */
static void cut_at_every_byte(void **state)
{
	struct str data = STR_INIT, file = STR_INIT;
	size_t data_at = 104 + 8 + sizeof(struct perf_event_attr) + 16, one;

	(void)state;
	samples_make(&data, 1);
	one = data.len / 10;
	put_file(&file, 1, &data, data.len);
	for (size_t n = 0; n < file.len; n++) {
		struct perf_data *d;
		struct err err = ERR_INIT;
		unsigned damages, expected;
		int r = open_bytes(&d, &file, n, &err);

		if (r < 0) {
			assert_true(err.msg[0] && !strchr(err.msg, '\n'));
			assert_true(n < data_at);
			continue;
		}
		expected = n < data_at ? 0 : (unsigned)((n - data_at) / one);
		expected = expected > 10 ? 10 : expected;
		assert_int_equal(count(d, PERF_RECORD_SAMPLE, &damages), expected);
		assert_true(damages || d->nr_damages || d->unfinished);
		perf_data_close(d);
	}
	str_release(&data);
	str_release(&file);
}

/* One sample's size is overwritten: the nine others are found. */
static void damage_in_the_middle(void **state)
{
	struct str data = STR_INIT, file = STR_INIT;
	struct perf_data *d;
	unsigned damages;
	size_t one;

	(void)state;
	samples_make(&data, 1);
	one = data.len / 10;
	memset(data.p + 3 * one + 6, 0, 2);
	put_file(&file, 1, &data, data.len);
	assert_int_equal(open_bytes(&d, &file, file.len, NULL), 0);
	assert_int_equal(count(d, PERF_RECORD_SAMPLE, &damages), 9);
	assert_int_equal(damages, 1);
	perf_data_close(d);
	str_release(&data);
	str_release(&file);
}

/* Every byte set to 0 and to 255: no crash, and never more than a few samples too many. */
static void flip_every_byte(void **state)
{
	struct str data = STR_INIT, file = STR_INIT;

	(void)state;
	samples_make(&data, 1);
	put_file(&file, 1, &data, data.len);
	for (size_t n = 0; n < file.len * 2; n++) {
		char *byte = file.p + n / 2, old = *byte;
		struct perf_data *d;
		unsigned damages;

		*byte = n % 2 ? '\0' : '\xff';
		if (open_bytes(&d, &file, file.len, NULL) == 0) {
			assert_true(count(d, PERF_RECORD_SAMPLE, &damages) <= 10);
			perf_data_close(d);
		}
		*byte = old;
	}
	str_release(&data);
	str_release(&file);
}

/* 32 MB of equal records become one compressed record of some KB: they come in blocks. */
static void compressed_record_stands_for_much(void **state)
{
	const size_t each = 4096, nr = 8192;
	struct str raw = STR_INIT, data = STR_INIT, file = STR_INIT;
	size_t room = 60000, size, at, seen = 0;
	struct perf_data *d = NULL;
	struct block block;
	struct blocks *blocks;
	char path[32], *packed = mem_alloc(room), *zeros = mem_zalloc(each);

	(void)state;
	for (size_t i = 0; i < nr; i++) {
		put32(&raw, 200);
		put16(&raw, 0);
		put16(&raw, (uint16_t)each);
		str_addn(&raw, zeros, each - 8);
	}
	size = ZSTD_compress(packed, room, raw.p, raw.len, 3);
	assert_false(ZSTD_isError(size));
	at = begin(&data, RECORD_COMPRESSED, 0);
	str_addn(&data, packed, size);
	finish(&data, at);
	put_file(&file, 1, &data, data.len);
	write_temp(path, file.p, file.len);
	assert_int_equal(perf_data_open(&d, path, NULL), 0);
	unlink(path);
	blocks = blocks_new(d);
	while (blocks_next(blocks, &block, NULL) > 0) {
		assert_true(block.size <= 2 << 20);
		at = 0;
		while (block_record(&block, d->swap, &at))
			seen++;
		block_release(&block);
	}
	assert_int_equal(seen, nr);
	blocks_free(blocks);
	perf_data_close(d);
	str_release(&raw);
	str_release(&data);
	str_release(&file);
	free(packed);
	free(zeros);
}

/* A thousand events whose ids all are the whole file: they are not copied a thousand times. */
static void events_share_their_ids(void **state)
{
	const unsigned nr_events = 1000;
	struct str data = STR_INIT, file = STR_INIT;
	struct perf_data *d = NULL;
	uint64_t ids = 0, from = 0;
	char path[32];

	(void)state;
	samples_make(&data, 1);
	put_file(&file, nr_events, &data, data.len);
	for (unsigned i = 0; i < nr_events; i++) {
		size_t at = 104 + 8 * nr_events + (i + 1) * (sizeof(struct perf_event_attr) + 16) - 16;
		uint64_t size = file.len;

		memcpy(file.p + at, &from, 8);
		memcpy(file.p + at + 8, &size, 8);
	}
	write_temp(path, file.p, file.len);
	assert_int_equal(perf_data_open(&d, path, NULL), 0);
	unlink(path);
	for (uint32_t i = 0; i < d->events.nr; i++)
		ids += d->events.v[i].nr_ids;
	assert_true(ids <= file.len / 8);
	assert_true(d->nr_damages > 0);
	perf_data_close(d);
	str_release(&data);
	str_release(&file);
}

static void not_perf_data(void **state)
{
	static const struct { const char *bytes; const char *says; } cases[] = {
		{ "", "is empty" },
		{ "short", "is not perf.data" },
		{ "this is a text of more than sixteen bytes", "does not begin with PERFILE2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str file = STR_INIT;
		struct perf_data *d;
		struct err err = ERR_INIT;

		str_add(&file, cases[i].bytes);
		assert_int_equal(open_bytes(&d, &file, file.len, &err), -EBADMSG);
		assert_non_null(strstr(err.msg, cases[i].says));
		str_release(&file);
	}
}

/* perf record --threads: data with the header, data.N with records alone. */
static void directory_format(void **state)
{
	struct str data = STR_INIT, file = STR_INIT, more = STR_INIT;
	char dir[] = "/tmp/sonde-test-XXXXXX", path[64];
	struct perf_data *d;
	struct err err = ERR_INIT;
	unsigned damages;

	(void)state;
	samples_make(&data, 1);
	samples_make(&more, 1);
	put_file(&file, 1, &data, data.len);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(perf_data_open(&d, dir, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "directory"));
	for (int i = -1; i < 2; i++) {
		const struct str *s = i < 0 ? &file : &more;
		FILE *out;

		snprintf(path, sizeof(path), i < 0 ? "%s/data" : "%s/data.%d", dir, i);
		out = fopen(path, "w");
		assert_non_null(out);
		/* the second one is cut off within its last record */
		fwrite(s->p, 1, i == 1 ? s->len - 5 : s->len, out);
		fclose(out);
	}
	assert_int_equal(perf_data_open(&d, dir, NULL), 0);
	assert_int_equal(count(d, PERF_RECORD_SAMPLE, &damages), 29);
	assert_int_equal(damages, 1);
	perf_data_close(d);
	for (int i = -1; i < 2; i++) {
		snprintf(path, sizeof(path), i < 0 ? "%s/data" : "%s/data.%d", dir, i);
		unlink(path);
	}
	rmdir(dir);
	str_release(&data);
	str_release(&file);
	str_release(&more);
}

static void data_size_not_written(void **state)
{
	struct str data = STR_INIT, file = STR_INIT;
	struct perf_data *d;
	unsigned damages;

	(void)state;
	samples_make(&data, 1);
	put_file(&file, 1, &data, 0);
	/* the recorder was killed: no features behind the data */
	assert_int_equal(open_bytes(&d, &file, file.len - 16 - 68, NULL), 0);
	assert_true(d->unfinished);
	assert_int_equal(count(d, PERF_RECORD_SAMPLE, &damages), 10);
	assert_int_equal(damages, 0);
	perf_data_close(d);
	str_release(&data);
	str_release(&file);
}

/* Names as perf evlist shows them for these attrs. */
static void names_from_attrs(void **state)
{
	struct perf_event_attr a;
	struct str s = STR_INIT;

	(void)state;
	memset(&a, 0, sizeof(a));
	a.exclude_guest = 1;
	event_name_add(&s, &a);
	assert_string_equal(s.p, "cycles");
	str_clear(&s);
	a.exclude_kernel = a.exclude_hv = 1;
	a.exclude_guest = 0;
	event_name_add(&s, &a);
	assert_string_equal(s.p, "cycles:u");
	str_clear(&s);
	a.exclude_guest = 1;
	event_name_add(&s, &a);
	assert_string_equal(s.p, "cycles:uH");
	str_clear(&s);
	memset(&a, 0, sizeof(a));
	a.precise_ip = 3;
	event_name_add(&s, &a);
	assert_string_equal(s.p, "cycles:ppp");
	str_clear(&s);
	memset(&a, 0, sizeof(a));
	a.type = PERF_TYPE_SOFTWARE;
	a.config = PERF_COUNT_SW_DUMMY;
	event_name_add(&s, &a);
	assert_string_equal(s.p, "dummy:HG");
	str_clear(&s);
	a.type = PERF_TYPE_HW_CACHE;
	a.config = 2 | 0 << 8 | 1 << 16;
	a.exclude_guest = 1;
	event_name_add(&s, &a);
	assert_string_equal(s.p, "LLC-load-misses");
	str_release(&s);
}

/* --- scouts ------------------------------------------------------------------------ */

struct offsets { uint64_t *v; size_t nr, cap; };

#define SCOUTED_BYTES ((size_t)36 << 20)         /* room for four scouts */

/* n words; if they are to, they look like records of 16 bytes, and lead a scout astray. */
static void put_words(struct str *s, size_t n, bool lures)
{
	for (size_t i = 0; i < n; i++)
		put64(s, lures ? (uint64_t)16 << 48 | PERF_RECORD_SAMPLE : i);
}

/* Records of all sizes, with payloads and damage if `hurt`. Their places are noted. */
static void put_scouted(struct str *data, struct offsets *places, bool hurt, bool lures)
{
	uint32_t x = 1;

	while (data->len < SCOUTED_BYTES) {
		bool other, payload;
		size_t at;

		x = x * 1664525 + 1013904223;
		other = x >> 28 == 0;
		payload = hurt && x >> 20 == 77;
		*vec_push(places) = data->len;
		at = begin(data, payload ? RECORD_AUXTRACE : other ? PERF_RECORD_THROTTLE :
			   PERF_RECORD_SAMPLE, 0);
		if (payload)
			put64(data, 80000);
		if ((x >> 8) % 50 == 1)
			put_words(data, 5000 + (x >> 16) % 3000, lures);
		else
			put_words(data, 1 + (x >> 8) % 20, lures);
		finish(data, at);
		if (payload)
			put_words(data, 10000, lures);
		if (hurt && x >> 20 == 99)
			memset(data->p + at + 6, 0, 2);
	}
}

/* What a reading gives, in one number; the records' places into `places` if that is not NULL. */
static uint64_t read_scouted(const struct perf_data *d, unsigned jobs, struct offsets *places)
{
	struct blocks *blocks = blocks_new(d);
	const struct damage *damages;
	uint64_t hash = 0, seq = 0;
	struct block block;
	uint32_t nr;

	blocks_scout(blocks, jobs);
	while (blocks_next(blocks, &block, NULL) > 0) {
		uint32_t samples = 0, others = 0;
		const uint8_t *bytes;
		size_t at = 0;

		assert_int_equal(block.seq, seq++);
		while ((bytes = block_record(&block, false, &at))) {
			uint64_t off = block.file_off + (uint64_t)(bytes - block.bytes);

			hash = hash_mix(hash ^ off, record_header(bytes, false).type);
			if (places)
				*vec_push(places) = off - d->data_off;
			if (record_header(bytes, false).type == PERF_RECORD_SAMPLE)
				samples++;
			else
				assert_int_equal(block.others[others++], bytes - block.bytes);
		}
		assert_int_equal(block.nr_samples, samples);
		assert_int_equal(block.nr_others, others);
		block_release(&block);
	}
	damages = blocks_damages(blocks, &nr);
	for (uint32_t i = 0; i < nr; i++)
		hash = hash_mix(hash ^ damages[i].file_off, damages[i].skipped_bytes);
	blocks_free(blocks);
	return hash;
}

static void check_scouted(bool hurt, bool lures)
{
	struct offsets put = { 0 }, got = { 0 };
	struct str data = STR_INIT, file = STR_INIT;
	struct perf_data *d;
	struct blocks *left;
	struct block block;
	unsigned damages;
	uint64_t alone;

	put_scouted(&data, &put, hurt, lures);
	put_file(&file, 1, &data, data.len);
	assert_int_equal(open_bytes(&d, &file, file.len, NULL), 0);
	alone = read_scouted(d, 1, &got);
	if (!hurt) {
		assert_int_equal(got.nr, put.nr);
		assert_memory_equal(got.v, put.v, put.nr * sizeof(*put.v));
	} else {
		assert_true(count(d, RECORD_AUXTRACE, &damages) > 1);
		assert_true(damages > 1);
	}
	for (unsigned jobs = 2; jobs < 6; jobs++)
		assert_int_equal(read_scouted(d, jobs, NULL), alone);
	/* a reading that is given up */
	left = blocks_new(d);
	blocks_scout(left, 3);
	assert_int_equal(blocks_next(left, &block, NULL), 1);
	blocks_free(left);
	perf_data_close(d);
	vec_release(&put);
	vec_release(&got);
	str_release(&data);
	str_release(&file);
}

static void scouts_find_the_same(void **state)
{
	(void)state;
	check_scouted(false, false);
	check_scouted(false, true);
	check_scouted(true, false);
	check_scouted(true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_file),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(damage_in_the_middle),
		cmocka_unit_test(flip_every_byte),
		cmocka_unit_test(compressed_record_stands_for_much),
		cmocka_unit_test(scouts_find_the_same),
		cmocka_unit_test(events_share_their_ids),
		cmocka_unit_test(not_perf_data),
		cmocka_unit_test(directory_format),
		cmocka_unit_test(data_size_not_written),
		cmocka_unit_test(names_from_attrs),
	};

	return cmocka_run_group_tests_name("perf_data", tests, NULL, NULL);
}
