/* SPDX-License-Identifier: MIT */
/*
 * records: perf records and recordings put together byte by byte, for tests.
 * Layouts as in linux/perf_event.h and perf.data-file-format.txt, written down here
 * a second time on purpose: the code under test is not used to make its own input.
 */
#ifndef TESTS_UNIT_RECORDS_H
#define TESTS_UNIT_RECORDS_H

#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

static inline void put16(struct str *s, uint16_t v) { str_addn(s, &v, 2); }
static inline void put32(struct str *s, uint32_t v) { str_addn(s, &v, 4); }
static inline void put64(struct str *s, uint64_t v) { str_addn(s, &v, 8); }

/* A string with its NUL, padded to 8 bytes. */
static inline void put_name(struct str *s, const char *name)
{
	size_t n = strlen(name) + 1;

	str_addn(s, name, n);
	while (n++ % 8)
		str_addc(s, '\0');
}

static inline size_t begin(struct str *s, uint32_t type, uint16_t misc)
{
	size_t at = s->len;

	put32(s, type);
	put16(s, misc);
	put16(s, 0);
	return at;
}

static inline void finish(struct str *s, size_t at)
{
	uint16_t size = (uint16_t)(s->len - at);

	memcpy(s->p + at + 6, &size, 2);
}

/* The sample_id of an event with sample_type TID|TIME|ID|CPU. */
static inline void put_trailer(struct str *s, uint32_t pid, uint32_t tid, uint64_t time_ns,
			       uint64_t id, uint32_t cpu)
{
	put32(s, pid);
	put32(s, tid);
	put64(s, time_ns);
	put64(s, id);
	put32(s, cpu);
	put32(s, 0);
}

#define TEST_SAMPLE_TYPE (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID | \
			  PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN)

static inline void put_sample(struct str *s, uint16_t misc, uint64_t ip, uint32_t pid, uint32_t tid,
			      uint64_t time_ns, uint64_t id, uint32_t cpu, uint64_t period,
			      uint64_t nr, const uint64_t *ips)
{
	size_t at = begin(s, PERF_RECORD_SAMPLE, misc);

	put64(s, ip);
	put32(s, pid);
	put32(s, tid);
	put64(s, time_ns);
	put64(s, id);
	put32(s, cpu);
	put32(s, 0);
	put64(s, period);
	put64(s, nr);
	for (uint64_t i = 0; i < nr; i++)
		put64(s, ips[i]);
	finish(s, at);
}

static inline void put_comm(struct str *s, uint16_t misc, uint32_t pid, uint32_t tid,
			    const char *comm, uint64_t time_ns, uint64_t id)
{
	size_t at = begin(s, PERF_RECORD_COMM, misc);

	put32(s, pid);
	put32(s, tid);
	put_name(s, comm);
	put_trailer(s, pid, tid, time_ns, id, 0);
	finish(s, at);
}

static inline void put_mmap(struct str *s, uint16_t misc, uint32_t pid, uint64_t start, uint64_t len,
			    uint64_t pgoff, const char *name, uint64_t time_ns, uint64_t id)
{
	size_t at = begin(s, PERF_RECORD_MMAP2, misc);

	put32(s, pid);
	put32(s, pid);
	put64(s, start);
	put64(s, len);
	put64(s, pgoff);
	put32(s, 8);             /* maj, min, inode, generation */
	put32(s, 1);
	put64(s, 4711);
	put64(s, 0);
	put32(s, 5);             /* PROT_READ | PROT_EXEC */
	put32(s, 2);             /* MAP_PRIVATE */
	put_name(s, name);
	put_trailer(s, pid, pid, time_ns, id, 0);
	finish(s, at);
}

static inline void put_task(struct str *s, uint32_t type, uint16_t misc, uint32_t pid, uint32_t ppid,
			    uint32_t tid, uint32_t ptid, uint64_t time_ns, uint64_t id)
{
	size_t at = begin(s, type, misc);

	put32(s, pid);
	put32(s, ppid);
	put32(s, tid);
	put32(s, ptid);
	put64(s, time_ns);
	put_trailer(s, pid, tid, time_ns, id, 0);
	finish(s, at);
}

static inline void put_round(struct str *s)
{
	finish(s, begin(s, 68, 0));
}

/* One event, id 7 unless nr_events is 2 (then 7 and 8). */
static inline struct perf_event_attr test_attr(void)
{
	struct perf_event_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.type = PERF_TYPE_SOFTWARE;
	attr.size = sizeof(attr);
	attr.config = PERF_COUNT_SW_CPU_CLOCK;
	attr.sample_type = TEST_SAMPLE_TYPE;
	attr.sample_freq = 99;
	attr.freq = 1;
	attr.sample_id_all = 1;
	attr.exclude_guest = 1;
	return attr;
}

/*
 * A seekable recording of `nr_events` events with ids 7, 8, ... around `data`, with one
 * feature (HOSTNAME "box"). data_size_said: what the header claims.
 */
static inline void put_file_of(struct str *s, const struct perf_event_attr *attrs,
			       unsigned nr_events, const struct str *data, uint64_t data_size_said)
{
	uint64_t ids_at = 104, attrs_at = ids_at + 8 * nr_events;
	uint64_t data_at = attrs_at + nr_events * (sizeof(*attrs) + 16);

	str_addn(s, "PERFILE2", 8);
	put64(s, 104);
	put64(s, sizeof(*attrs) + 16);
	put64(s, attrs_at);
	put64(s, nr_events * (sizeof(*attrs) + 16));
	put64(s, data_at);
	put64(s, data_size_said);
	put64(s, 0);
	put64(s, 0);
	put64(s, 1u << 3);       /* HOSTNAME */
	put64(s, 0);
	put64(s, 0);
	put64(s, 0);
	for (unsigned i = 0; i < nr_events; i++)
		put64(s, 7 + i);
	for (unsigned i = 0; i < nr_events; i++) {
		str_addn(s, &attrs[i], sizeof(attrs[i]));
		put64(s, ids_at + 8 * i);
		put64(s, 8);
	}
	str_addn(s, data->p, data->len);
	put64(s, data_at + data->len + 16);
	put64(s, 4 + 64);
	put32(s, 64);
	str_addn(s, "box\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32);
	str_addn(s, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32);
}

#define TEST_EVENTS_MAX 1000

/* The same with `nr_events` alike: cpu-clock, then page-faults. */
static inline void put_file(struct str *s, unsigned nr_events, const struct str *data,
			    uint64_t data_size_said)
{
	struct perf_event_attr attrs[TEST_EVENTS_MAX];

	for (unsigned i = 0; i < nr_events; i++) {
		attrs[i] = test_attr();
		attrs[i].config = i ? PERF_COUNT_SW_PAGE_FAULTS : PERF_COUNT_SW_CPU_CLOCK;
	}
	put_file_of(s, attrs, nr_events, data, data_size_said);
}

/* Write bytes to a fresh temporary file; its path in `path` (at least 32 bytes). */
static inline void write_temp(char *path, const void *bytes, size_t n)
{
	int fd;

	strcpy(path, "/tmp/sonde-test-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		perror(path);
	close(fd);
}

#endif
