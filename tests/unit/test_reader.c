/* SPDX-License-Identifier: MIT */
/* What recorders of any age, width and byte order have written, put together by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <byteswap.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "profile/recording.h"
#include "tests/unit/records.h"

#define USER PERF_RECORD_MISC_USER
#define NR_SAMPLES 10u

/* The first ten samples of event 7, with ip 0x1000, 0x1001, ... */
static void put_samples(struct str *s)
{
	for (unsigned i = 0; i < NR_SAMPLES; i++)
		put_sample(s, USER, 0x1000 + i, 5, 6, 60ull * i, 7, 1, 3, 0, NULL);
}

static struct perf_data *open_bytes(const struct str *file)
{
	struct perf_data *d = NULL;
	struct err err = ERR_INIT;
	char path[32];

	write_temp(path, file->p, file->len);
	if (perf_data_open(&d, path, &err) < 0)
		fail_msg("%s", err.msg);
	unlink(path);
	return d;
}

/* All samples are there, with what put_samples wrote; returns the bytes that blocks had. */
static size_t check_samples(const struct perf_data *d, unsigned *nr_damages)
{
	struct blocks *blocks = blocks_new(d);
	struct decoder decoder;
	struct record r;
	struct block block;
	size_t bytes_seen = 0;
	unsigned n = 0;
	uint32_t damages;

	decoder_init(&decoder, &d->events, d->swap);
	while (blocks_next(blocks, &block, NULL) > 0) {
		const uint8_t *bytes;
		size_t at = 0;

		bytes_seen += block.size;
		while ((bytes = block_record(&block, d->swap, &at))) {
			if (record_header(bytes, d->swap).type != PERF_RECORD_SAMPLE)
				continue;
			assert_int_equal(record_decode(&decoder, bytes, &r, NULL), 0);
			assert_int_equal(r.sample.ip, 0x1000 + n);
			assert_int_equal(r.sample.pid, 5);
			assert_int_equal(r.sample.tid, 6);
			assert_int_equal(r.sample.time_ns, 60ull * n);
			assert_int_equal(r.sample.cpu, 1);
			assert_int_equal(r.sample.period, 3);
			n++;
		}
		block_release(&block);
	}
	blocks_damages(blocks, &damages);
	blocks_free(blocks);
	decoder_release(&decoder);
	assert_int_equal(n, NR_SAMPLES);
	if (nr_damages)
		*nr_damages = damages;
	else
		assert_int_equal(damages, 0);
	return bytes_seen;
}

/* --- byte orders and magics ----------------------------------------------------------- */

static bool be;

static void b16(struct str *s, uint16_t v) { put16(s, be ? bswap_16(v) : v); }
static void b32(struct str *s, uint32_t v) { put32(s, be ? bswap_32(v) : v); }
static void b64(struct str *s, uint64_t v) { put64(s, be ? bswap_64(v) : v); }

/*
 * A file of a machine of either order. The flags of its attr are a bit field: freq (bit 10)
 * and sample_id_all (bit 18) stand in bytes 1 and 2, in each at the third bit from the end
 * that the machine calls low.
 */
static void put_any_order(struct str *s, const char *magic, uint64_t attr_size)
{
	uint64_t data_at = 104 + 8 + attr_size + 16, each = 8 + 8 * 7;
	const char flags[8] = { 0, be ? 0x20 : 0x04, be ? 0x20 : 0x04 };
	size_t attr_at;

	str_addn(s, magic, 8);
	b64(s, 104);
	b64(s, attr_size + 16);
	b64(s, 112);
	b64(s, attr_size + 16);
	b64(s, data_at);
	b64(s, NR_SAMPLES * each);
	for (int i = 0; i < 6; i++)
		b64(s, 0);
	b64(s, 7);
	attr_at = s->len;
	b32(s, PERF_TYPE_SOFTWARE);
	b32(s, (uint32_t)attr_size);
	b64(s, PERF_COUNT_SW_PAGE_FAULTS);
	b64(s, 99);
	b64(s, TEST_SAMPLE_TYPE & ~(uint64_t)PERF_SAMPLE_CALLCHAIN);
	b64(s, 0);
	str_addn(s, flags, 8);
	while (s->len - attr_at < attr_size)
		str_addc(s, s->len - attr_at < 144 ? '\0' : 'x');
	b64(s, 104);
	b64(s, 8);
	for (unsigned i = 0; i < NR_SAMPLES; i++) {
		b32(s, PERF_RECORD_SAMPLE);
		b16(s, USER);
		b16(s, (uint16_t)each);
		b64(s, 0x1000 + i);
		b32(s, 5);
		b32(s, 6);
		b64(s, 60ull * i);
		b64(s, 7);
		b32(s, 1);
		b32(s, 0);
		b64(s, 3);
		b64(s, 0xabcdef);        /* more than the sample type says: not looked at */
	}
}

/* "PERFFILE" is of before 3.2 and the same in both orders; PERFILE2 is a number. */
static void both_magics_in_both_orders(void **state)
{
	static const struct { bool be; const char *magic; } cases[] = {
		{ false, "PERFILE2" }, { true, "2ELIFREP" }, { false, "PERFFILE" }, { true, "PERFFILE" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str file = STR_INIT;
		struct perf_data *d;

		be = cases[i].be;
		put_any_order(&file, cases[i].magic, 128);
		d = open_bytes(&file);
		assert_int_equal(d->swap, be);
		assert_int_equal(d->events.nr, 1);
		assert_string_equal(d->events.v[0].name, "page-faults:HG");
		assert_int_equal(d->events.v[0].attr.sample_freq, 99);
		assert_true(d->events.v[0].attr.freq && d->events.v[0].attr.sample_id_all);
		assert_false(d->events.v[0].attr.inherit || d->events.v[0].attr.mmap);
		check_samples(d, NULL);
		perf_data_close(d);
		str_release(&file);
	}
}

/* 64 bytes are the first version; 400 are of a kernel to come. */
static void attrs_of_any_size(void **state)
{
	static const uint64_t sizes[] = { 64, 72, 96, 112, 128, 136, 400, 4096 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) * 2; i++) {
		struct str file = STR_INIT;
		struct perf_data *d;

		be = i % 2;
		put_any_order(&file, be ? "2ELIFREP" : "PERFILE2", sizes[i / 2]);
		d = open_bytes(&file);
		assert_int_equal(d->events.v[0].attr.config, PERF_COUNT_SW_PAGE_FAULTS);
		check_samples(d, NULL);
		perf_data_close(d);
		str_release(&file);
	}
}

/* --- pipes ------------------------------------------------------------------------------ */

static void put_pipe_header(struct str *s)
{
	str_addn(s, "PERFILE2", 8);
	put64(s, 16);
}

static void put_pipe_attr(struct str *s, uint32_t attr_size)
{
	struct perf_event_attr attr = test_attr();
	size_t at = begin(s, RECORD_HEADER_ATTR, 0), from = s->len;

	attr.size = attr_size;
	str_addn(s, &attr, attr_size < sizeof(attr) ? attr_size : sizeof(attr));
	while (s->len - from < attr_size)
		str_addc(s, 'x');
	put64(s, 7);
	finish(s, at);
}

/* A record of `size` bytes in all. */
static void put_strange(struct str *s, uint32_t type, uint16_t size)
{
	size_t at = begin(s, type, 0);

	while (s->len - at < size)
		str_addc(s, 'z');
	finish(s, at);
}

static void put_feature(struct str *s, uint64_t feature)
{
	size_t at = begin(s, RECORD_HEADER_FEATURE, 0);

	put64(s, feature);
	put64(s, 4711);
	finish(s, at);
}

static void what_is_unknown_is_passed_over_and_counted(void **state)
{
	static const uint32_t attr_sizes[] = { 64, 136, 300 };
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(attr_sizes) / sizeof(attr_sizes[0]); i++) {
		struct str file = STR_INIT;
		struct recording rec;
		struct perf_data *d;

		put_pipe_header(&file);
		put_pipe_attr(&file, attr_sizes[i]);
		put_feature(&file, 77);
		put_feature(&file, 200);
		put_feature(&file, UINT64_MAX);
		put_strange(&file, 60, 24);      /* of a kernel to come */
		put_strange(&file, 180, 4000);   /* of a perf to come */
		put_samples(&file);
		put_strange(&file, 60, 8);
		d = open_bytes(&file);
		assert_true(d->is_pipe);
		check_samples(d, NULL);
		assert_int_equal(recording_load(&rec, d, NULL, &err), 0);
		assert_int_equal(rec.account.unknown_records, 3);
		assert_int_equal(rec.account.unknown_features, 2);
		assert_int_equal(rec.account.bad_records, 0);
		recording_release(&rec);
		perf_data_close(d);
		str_release(&file);
	}
}

/* --- what stands between records -------------------------------------------------------- */

/* 3 MB of a processor's trace, in which records seem to stand: not one byte is looked at. */
static void aux_data_is_one_step(void **state)
{
	const uint64_t size = 3 << 20;
	struct str data = STR_INIT, file = STR_INIT;
	struct perf_data *d;
	struct recording rec;
	struct err err = ERR_INIT;
	size_t at;

	(void)state;
	at = begin(&data, RECORD_AUXTRACE, 0);
	put64(&data, size);
	put64(&data, 0);
	put64(&data, 0);
	put32(&data, 0);
	put32(&data, 1);
	put32(&data, 0);
	put32(&data, 0);
	finish(&data, at);
	for (size_t end = data.len + size; data.len < end;) {
		size_t room = end - data.len;

		if (room >= 72)
			put_sample(&data, USER, 0xbad, 9, 9, 1, 7, 0, 1, 0, NULL);
		else
			str_addc(&data, '\0');
	}
	put_samples(&data);
	put_file(&file, 1, &data, data.len);
	d = open_bytes(&file);
	assert_true(check_samples(d, NULL) < 4096);
	assert_int_equal(recording_load(&rec, d, NULL, &err), 0);
	assert_int_equal(rec.nr_samples, NR_SAMPLES);
	recording_release(&rec);
	perf_data_close(d);
	str_release(&data);
	str_release(&file);
}

/* Records of 13 and of 65535 bytes, so that what follows stands at odd addresses. */
static void records_of_any_size_at_any_alignment(void **state)
{
	(void)state;
	for (uint16_t odd = 9; odd < 16; odd++) {
		struct str data = STR_INIT, file = STR_INIT;
		struct perf_data *d;

		put_strange(&data, 60, odd);
		put_strange(&data, 61, 65535);
		put_samples(&data);
		put_strange(&data, 61, 65535);
		put_file(&file, 1, &data, data.len);
		d = open_bytes(&file);
		check_samples(d, NULL);
		perf_data_close(d);
		str_release(&data);
		str_release(&file);
	}
}

/* --- compression -------------------------------------------------------------------------- */

/* One stream, flushed in the middle of a record: two records of either kind. */
static void both_kinds_of_compressed_record(void **state)
{
	static const uint32_t types[] = { RECORD_COMPRESSED, RECORD_COMPRESSED2 };
	struct str raw = STR_INIT;

	(void)state;
	put_samples(&raw);
	for (size_t t = 0; t < 2; t++) {
		struct str data = STR_INIT, file = STR_INIT;
		ZSTD_CStream *z = ZSTD_createCStream();
		size_t cuts[] = { 0, 100, raw.len };
		char room[4096];
		struct perf_data *d;

		ZSTD_initCStream(z, 3);
		for (int i = 0; i < 2; i++) {
			ZSTD_inBuffer in = { raw.p + cuts[i], cuts[i + 1] - cuts[i], 0 };
			ZSTD_outBuffer out = { room, sizeof(room), 0 };
			size_t at = begin(&data, types[t], 0);

			assert_int_equal(ZSTD_compressStream2(z, &out, &in, ZSTD_e_flush), 0);
			if (types[t] == RECORD_COMPRESSED2)
				put64(&data, out.pos);
			str_addn(&data, room, out.pos);
			/* COMPRESSED2 is padded, with anything */
			while (types[t] == RECORD_COMPRESSED2 && (data.len - at) % 8)
				str_addc(&data, 'p');
			finish(&data, at);
			put_round(&data);
		}
		ZSTD_freeCStream(z);
		put_file(&file, 1, &data, data.len);
		d = open_bytes(&file);
		check_samples(d, NULL);
		perf_data_close(d);
		str_release(&data);
		str_release(&file);
	}
	str_release(&raw);
}

/* --- damage ---------------------------------------------------------------------------------- */

/* Any length of anything between records: told where, and the samples behind it are there. */
static void reading_goes_on_behind_damage(void **state)
{
	(void)state;
	for (size_t n = 8; n <= 4096; n *= 2) {
		for (int fill = 0; fill < 3; fill++) {
			struct str data = STR_INIT, file = STR_INIT;
			struct blocks *blocks;
			struct block block;
			struct perf_data *d;
			unsigned damages;
			uint32_t nr;

			put_round(&data);
			for (size_t i = 0; i < n; i++)
				str_addc(&data, fill == 0 ? '\0' : fill == 1 ? '\xff' : (char)(i * 37));
			put_samples(&data);
			put_file(&file, 1, &data, data.len);
			d = open_bytes(&file);
			check_samples(d, &damages);
			assert_true(damages >= 1);
			blocks = blocks_new(d);
			while (blocks_next(blocks, &block, NULL) > 0)
				block_release(&block);
			assert_int_equal(blocks_damages(blocks, &nr)[0].file_off, d->data_off + 8);
			blocks_free(blocks);
			perf_data_close(d);
			str_release(&data);
			str_release(&file);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_magics_in_both_orders), cmocka_unit_test(attrs_of_any_size),
		cmocka_unit_test(what_is_unknown_is_passed_over_and_counted),
		cmocka_unit_test(aux_data_is_one_step),
		cmocka_unit_test(records_of_any_size_at_any_alignment),
		cmocka_unit_test(both_kinds_of_compressed_record),
		cmocka_unit_test(reading_goes_on_behind_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
