/* SPDX-License-Identifier: MIT */
/* What the files of perf_write share; nobody else includes this. */
#ifndef FORMATS_PERF_WRITE_PRIV_H
#define FORMATS_PERF_WRITE_PRIV_H

#include <zstd.h>

#include "formats/perf_write.h"

#define FEATURE_WORDS (FEATURE_MAX / 64)
#define RECORD_SIZE_MAX 65528u

/* tools/perf/util/header.h: perf_file_section, perf_file_header; no padding in either. */
struct file_section {
	uint64_t offset, size;
};

struct file_header {
	char magic[8];
	uint64_t size, attr_size;
	struct file_section attrs, data, event_types;
	uint64_t features[FEATURE_WORDS];
};

struct feature {
	struct str bytes;
	uint64_t offset;                 /* 0: not in the file yet */
	bool present;
};

struct perf_write {
	int fd;
	bool is_pipe, started, failed, at_rest, finished, cannot_reserve;
	bool unsure;                     /* what was appended need not be in the file */
	bool is_part;                    /* records and nothing else */
	uint32_t rest_type;              /* of the records that the data comes to rest at */
	char *path;
	struct file_header header;
	struct feature features[FEATURE_MAX];
	uint64_t at;                     /* end of what is in the file's data section */
	uint64_t old_round;              /* the FINISHED_ROUND before, to be made longer */
	size_t table_size;
	uint64_t reserved;               /* up to here the disk has room for sure */
	uint64_t bytes, raw_bytes, ring_bytes, kept;
	uint64_t longest_ns;             /* that a write took */
	uint8_t *buffer;
	size_t buffered;
	ZSTD_CCtx *zstd;
	uint8_t *packed;                 /* one COMPRESSED record */
	size_t largest;
	int level;
	struct perf_write_thread *thread;        /* NULL: without */
	int thread_code;                 /* what its thread failed with */
	struct err thread_err;
};

/* The same without a thread. */
int perf_write_records_now(struct perf_write *w, const void *records, size_t size, struct err *err);
int perf_write_ring_now(struct perf_write *w, const struct iovec *pieces, int nr, struct err *err);
int perf_write_flush_now(struct perf_write *w, struct err *err);

/* perf_write_thread.c: with one; and its end, after which there is none. */
int perf_write_push_records(struct perf_write *w, const void *records, size_t size, struct err *err);
int perf_write_push_ring(struct perf_write *w, const struct iovec *pieces, int nr, struct err *err);
int perf_write_push_flush(struct perf_write *w, struct err *err);
uint64_t perf_write_thread_bytes(const struct perf_write *w);
void perf_write_join(struct perf_write *w);

/* Append pieces (whole records, or a compressed one) to the data. */
int perf_write_append(struct perf_write *w, const struct iovec *pieces, int nr, struct err *err);

/* Drop `n` bytes from the front of the pieces. */
void perf_write_advance(struct iovec **v, int *nr, size_t n);

/* perf_write_zstd.c: compress pieces into COMPRESSED records; the COMPRESSED section. */
int perf_write_packed(struct perf_write *w, const struct iovec *pieces, int nr, struct err *err);
void perf_write_put_compressed(struct perf_write *w, struct str *out);

/* perf_write_pipe.c: what stands before the data of a pipe. */
int perf_write_put_preamble(struct perf_write *w, const struct perf_write_event *events,
			    uint32_t nr, struct str *out, struct err *err);

/* perf_put.c */
void perf_put_zeros(struct str *out, size_t n);

#endif
