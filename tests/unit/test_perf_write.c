/* SPDX-License-Identifier: MIT */
/*
 * perf_write: the bytes of a file by their offsets, as perf.data-file-format.txt
 * states them, and what stays of it when it is cut off or the disk is full.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zstd.h>

#include "base/mem.h"
#include "formats/perf_write.h"

static const uint64_t ids[2] = { 71, 72 };
static const struct perf_event_attr attr = { .type = 1, .size = sizeof(attr), .sample_type = 7 };
static const struct perf_write_event event = { &attr, "cpu-clock", ids, 2, NULL, 1.0 };

/* One 16-byte record of a type that is only a header and a word. */
struct word_record {
	struct perf_event_header header;
	uint64_t word;
};

static struct word_record word_record(uint64_t word)
{
	return (struct word_record){ { 9, 0, 16 }, word };
}

static int memory_file(void)
{
	int fd = memfd_create("perf.data", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static struct perf_write *start(int fd, bool pipe)
{
	struct perf_write *w = perf_write_new(dup(fd), pipe, "x");
	struct err err = ERR_INIT;
	struct str s = STR_INIT;

	perf_put_string(&s, "host");
	perf_write_feature(w, FEATURE_HOSTNAME, s.p, s.len);
	str_release(&s);
	assert_int_equal(perf_write_start(w, &event, 1, &err), 0);
	return w;
}

static uint64_t u64_at(int fd, uint64_t at)
{
	uint64_t v = 0;

	assert_int_equal(pread(fd, &v, sizeof(v), (off_t)at), sizeof(v));
	return v;
}

/* Header words by their place: magic 0, size 8, attr_size 16, attrs 24+32, data 40+48, features 72. */
static void test_file_layout(void **state)
{
	int fd = memory_file();
	struct perf_write *w = start(fd, false);
	struct word_record r = word_record(42);
	struct err err = ERR_INIT;
	uint64_t attrs, data, table;
	char host[5];

	(void)state;
	assert_int_equal(perf_write_records(w, &r, sizeof(r), &err), 0);
	assert_int_equal(perf_write_finish(w, &err), 0);
	assert_int_equal(u64_at(fd, 0), 0x32454c4946524550);     /* "PERFILE2" */
	assert_int_equal(u64_at(fd, 8), 104);
	assert_int_equal(u64_at(fd, 16), sizeof(attr) + 16);
	attrs = u64_at(fd, 24);
	assert_int_equal(u64_at(fd, 32), sizeof(attr) + 16);
	assert_int_equal(u64_at(fd, attrs + sizeof(attr) + 8), 16);      /* two ids */
	assert_int_equal(u64_at(fd, u64_at(fd, attrs + sizeof(attr))), 71);
	assert_int_equal(u64_at(fd, u64_at(fd, attrs + sizeof(attr)) + 8), 72);
	data = u64_at(fd, 40);
	assert_int_equal(data % 8, 0);
	/* A first round that covers the first table of two entries, the record, the last round. */
	assert_int_equal(u64_at(fd, 48), 8 + 32 + 16 + 8);
	assert_int_equal(u64_at(fd, data), 68 | (8 + 32ull) << 48);
	assert_int_equal(u64_at(fd, data + 40 + 8), 42);
	assert_int_equal(u64_at(fd, data + 40 + 16), 68 | 8ull << 48);
	assert_int_equal(u64_at(fd, 72), 1u << 3 | 1u << 12);    /* HOSTNAME, EVENT_DESC */
	table = data + 64;
	assert_int_equal(u64_at(fd, table + 8), 4 + 64);
	assert_int_equal(pread(fd, host, 5, (off_t)u64_at(fd, table) + 4), 5);
	assert_string_equal(host, "host");
	assert_int_equal(lseek(fd, 0, SEEK_END), (off_t)table + 2 * 16);
	perf_write_free(w);
	close(fd);
}

/* Walk the data as the header names it: rounds and, in order, the words 1, 2, ... */
static uint64_t walk(int fd)
{
	uint64_t at = u64_at(fd, 40), end = at + u64_at(fd, 48), last = 0;

	while (at < end) {
		struct perf_event_header h;

		assert_int_equal(pread(fd, &h, sizeof(h), (off_t)at), sizeof(h));
		assert_true(h.type == 68 || h.type == 9);
		assert_true(h.size >= 8 && h.size % 8 == 0);
		if (h.type == 9)
			assert_int_equal(u64_at(fd, at + 8), ++last);
		at += h.size;
	}
	assert_int_equal(at, end);
	/* HOSTNAME's section, from the table behind the data */
	assert_int_equal(u64_at(fd, 72), 1u << 3 | 1u << 12);
	assert_int_equal(u64_at(fd, end + 8), 4 + 64);
	return last;
}

/* At any time, as it stands, the file has its data up to the last flush and its features. */
static void test_readable_while_it_grows(void **state)
{
	int fd = memory_file();
	struct perf_write *w = start(fd, false);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(walk(fd), 0);
	for (uint64_t i = 1; i <= 50; i++) {
		struct word_record r = word_record(i);
		struct iovec piece = { &r, sizeof(r) };

		assert_int_equal(perf_write_ring(w, &piece, 1, &err), 0);
		assert_int_equal(walk(fd), i - 1);
		assert_int_equal(perf_write_flush(w, &err), 0);
		assert_int_equal(walk(fd), i);
		assert_int_equal(perf_write_flush(w, &err), 0);
		assert_int_equal(walk(fd), i);
	}
	assert_int_equal(perf_write_finish(w, &err), 0);
	assert_int_equal(walk(fd), 50);
	perf_write_free(w);
	close(fd);
}

/*
 * In directory format: "data" says so (DIR_FORMAT, version 1) and has no FINISHED_ROUND (68) but
 * FINISHED_INIT (82), a part has records and nothing else.
 */
static void test_directory(void **state)
{
	int fd = memory_file(), part_fd = memory_file();
	struct perf_write *w = perf_write_new(dup(fd), false, "x");
	struct perf_write *part = perf_write_new_part(dup(part_fd), "x/data.0");
	struct word_record r = word_record(7), r2 = word_record(8);
	struct iovec pieces[2] = { { &r, sizeof(r) }, { &r2, sizeof(r2) } };
	struct err err = ERR_INIT;
	uint64_t data, table;

	(void)state;
	perf_write_expect_parts(w);
	assert_int_equal(perf_write_start(w, &event, 1, &err), 0);
	assert_int_equal(perf_write_ring(part, pieces, 2, &err), 0);
	assert_int_equal(perf_write_flush(part, &err), 0);
	assert_int_equal(lseek(part_fd, 0, SEEK_END), 32);
	assert_int_equal(perf_write_ring(part, pieces, 1, &err), 0);
	assert_int_equal(perf_write_finish(part, &err), 0);
	assert_int_equal(perf_write_bytes(part), 48);
	assert_int_equal(lseek(part_fd, 0, SEEK_END), 48);
	assert_int_equal(u64_at(part_fd, 8), 7);
	assert_int_equal(u64_at(part_fd, 24), 8);
	assert_int_equal(u64_at(part_fd, 40), 7);
	perf_write_adopt(w, part);
	assert_int_equal(perf_write_raw_bytes(w), 48);
	assert_int_equal(perf_write_ring_bytes(w), 48);
	assert_int_equal(perf_write_finish(w, &err), 0);
	data = u64_at(fd, 40);
	assert_int_equal(u64_at(fd, 72), 1u << 12 | 1u << 24);   /* EVENT_DESC, DIR_FORMAT */
	assert_int_equal(u64_at(fd, 48), 8 + 32 + 8);
	assert_int_equal(u64_at(fd, data), 82 | (8 + 32ull) << 48);
	assert_int_equal(u64_at(fd, data + 40), 82 | 8ull << 48);
	table = data + 48;
	assert_int_equal(u64_at(fd, table + 24), 8);
	assert_int_equal(u64_at(fd, u64_at(fd, table + 16)), 1);
	perf_write_free(part);
	perf_write_free(w);
	close(part_fd);
	close(fd);
}

/* A file size limit in the place of a full disk: whole records stay, and a table. */
static void test_no_more_room(void **state)
{
	enum { NR = 20000 };
	struct word_record *records = mem_alloc(NR * sizeof(*records));
	struct rlimit old, limit;
	char path[] = "/tmp/test_perf_write.XXXXXX";
	int fd = mkstemp(path);
	struct iovec pieces[2] = { { records, NR / 2 * 16 + 8 },
				   { (char *)records + NR / 2 * 16 + 8, NR / 2 * 16 - 8 } };
	struct err err = ERR_INIT;
	struct perf_write *w;
	uint64_t data, size;

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	for (uint64_t i = 0; i < NR; i++)
		records[i] = word_record(i + 1);
	w = start(fd, false);
	data = u64_at(fd, 40);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = 200003;
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(perf_write_ring(w, pieces, 2, &err), -EFBIG);
	assert_int_equal(perf_write_finish(w, &err), 0);
	setrlimit(RLIMIT_FSIZE, &old);
	size = walk(fd) * 16;
	assert_int_equal(size, perf_write_kept(w));
	assert_in_range(size, 180000, 200003 - data);
	perf_write_free(w);
	close(fd);
	free(records);
}

/* COMPRESSED records are multiples of 8 long and unpack one by one to what went in. */
static void compressed(bool threaded)
{
	enum { NR = 30000 };
	struct word_record *records = mem_alloc(NR * sizeof(*records));
	uint8_t *out = mem_alloc(NR * 16 + 1);
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_outBuffer to = { out, NR * 16 + 1, 0 };
	int fd = memory_file(), seen = 0;
	struct perf_write *w = perf_write_new(dup(fd), false, "x");
	struct err err = ERR_INIT;
	uint64_t at, end;

	for (uint64_t i = 0; i < NR; i++)
		records[i] = word_record(i * i * 2654435761u);
	assert_int_equal(perf_write_compress(w, 3, 1 << 19, &err), 0);
	assert_int_equal(perf_write_start(w, &event, 1, &err), 0);
	if (threaded)
		perf_write_threaded(w);
	for (int i = 0; i < NR; i += 1000) {
		struct iovec pieces[2] = { { records + i, 16 * 300 + 8 },
					   { (char *)(records + i) + 16 * 300 + 8, 16 * 700 - 8 } };

		assert_int_equal(perf_write_ring(w, pieces, 2, &err), 0);
	}
	assert_int_equal(perf_write_finish(w, &err), 0);
	at = u64_at(fd, 40);
	end = at + u64_at(fd, 48);
	while (at < end) {
		struct perf_event_header h;
		uint8_t packed[65536];
		ZSTD_inBuffer from = { packed, 0, 0 };

		assert_int_equal(pread(fd, &h, sizeof(h), (off_t)at), sizeof(h));
		if (h.type == 68) {
			at += h.size;
			continue;
		}
		assert_int_equal(h.type, 81);
		assert_int_equal(h.size % 8, 0);
		from.size = h.size - sizeof(h);
		assert_int_equal(pread(fd, packed, from.size, (off_t)at + 8), from.size);
		while (from.pos < from.size)
			assert_false(ZSTD_isError(ZSTD_decompressStream(z, &to, &from)));
		at += h.size;
		seen++;
	}
	assert_int_equal(at, end);
	assert_true(seen >= NR / 1000);
	assert_int_equal(to.pos, NR * 16);
	assert_memory_equal(out, records, NR * 16);
	perf_write_free(w);
	ZSTD_freeDStream(z);
	close(fd);
	free(out);
	free(records);
}

/* A pipe: 16 bytes of header, HEADER_ATTR with the ids, and so on, then the data. */
static void test_pipe(void **state)
{
	int fds[2];
	struct word_record r = word_record(42);
	struct err err = ERR_INIT;
	struct perf_event_header h;
	uint8_t bytes[16384];
	struct perf_write *w;
	uint64_t id;
	ssize_t n;
	int type_seen[128] = { 0 };

	(void)state;
	assert_int_equal(pipe(fds), 0);
	w = start(fds[1], true);
	assert_int_equal(perf_write_records(w, &r, sizeof(r), &err), 0);
	assert_int_equal(perf_write_finish(w, &err), 0);
	perf_write_free(w);
	n = read(fds[0], bytes, sizeof(bytes));
	assert_memory_equal(bytes, "PERFILE2\x10\0\0\0\0\0\0\0", 16);
	memcpy(&h, bytes + 16, sizeof(h));
	assert_int_equal(h.type, 64);
	assert_int_equal(h.size, 8 + sizeof(attr) + 16);
	memcpy(&id, bytes + 16 + 8 + sizeof(attr) + 8, 8);
	assert_int_equal(id, 72);
	for (ssize_t at = 16; at < n; at += h.size) {
		memcpy(&h, bytes + at, sizeof(h));
		assert_int_equal(h.size % 8, 0);
		assert_true(h.size >= 8 && h.type < 128);
		type_seen[h.type]++;
	}
	assert_int_equal(type_seen[64], 1);
	assert_int_equal(type_seen[80], 2);      /* HOSTNAME, EVENT_DESC */
	assert_int_equal(type_seen[78], 1);      /* the event's name */
	assert_int_equal(type_seen[9], 1);
	close(fds[0]);
	close(fds[1]);
}

static void test_reader_gone(void **state)
{
	struct err err = ERR_INIT;
	struct perf_write *w;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	w = perf_write_new(fds[1], true, "-");
	assert_int_equal(perf_write_start(w, &event, 1, &err), -EPIPE);
	assert_non_null(strstr(err.msg, "'-'"));
	perf_write_free(w);
}

static void test_compressed(void **state)
{
	(void)state;
	compressed(false);
}

static void test_compressed_by_a_thread(void **state)
{
	(void)state;
	compressed(true);
}

/* What the thread cannot write is told, at the latest at the end. */
static void test_thread_cannot_write(void **state)
{
	struct word_record *records = mem_zalloc(4096 * sizeof(*records));
	struct err err = ERR_INIT;
	struct perf_write *w;
	int ends[2], r = 0;

	(void)state;
	for (int i = 0; i < 4096; i++)
		records[i] = word_record((uint64_t)i * 0x9e3779b97f4a7c15ull);
	assert_int_equal(pipe(ends), 0);
	w = perf_write_new(ends[1], true, "x");
	assert_int_equal(perf_write_compress(w, 1, 1 << 19, &err), 0);
	assert_int_equal(perf_write_start(w, &event, 1, &err), 0);
	perf_write_threaded(w);
	close(ends[0]);
	/* far more than the queue takes */
	for (int i = 0; i < 400 && r == 0; i++)
		r = perf_write_ring(w, &(struct iovec){ records, 4096 * sizeof(*records) }, 1, &err);
	assert_int_equal(r, -EPIPE);
	assert_non_null(strstr(err.msg, "cannot write 'x'"));
	err = (struct err)ERR_INIT;
	assert_int_equal(perf_write_finish(w, &err), -EPIPE);
	assert_non_null(strstr(err.msg, "cannot write 'x'"));
	perf_write_free(w);
	free(records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_layout),
		cmocka_unit_test(test_readable_while_it_grows),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_no_more_room),
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_compressed_by_a_thread),
		cmocka_unit_test(test_thread_cannot_write),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_reader_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
