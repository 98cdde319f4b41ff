/* SPDX-License-Identifier: MIT */
/*
 * perf_write: perf.data files and pipes, written.  (Reading: formats/perf_data.)
 *
 *	header | ids | attrs | features known at the start | data ...... | table | features known
 *	   '--- data size, feature bits ----------------------------------^          at the end
 *
 * In a perf.data file the feature table stands right behind the data section and
 * the sections it points at may stand anywhere; so those known at the start are
 * laid before the data, and only the small table has to move while data grows.
 * It moves without ever being away: data goes on behind it, and when the next table
 * is in place, the old one becomes the inside of the FINISHED_ROUND record before
 * it, which nobody looks into.
 *
 *	... records | ROUND | table                             header: data ends here ^
 *	... records | ROUND | table | more records | ROUND | table     (not yet seen)
 *	... records | ROUND   (old) | more records | ROUND | table             here ^
 *
 * So a file whose writer was killed at any time has all its events and features
 * and is readable to the last flush.
 *
 * In directory format the file "data" has what is written first and last, and files of
 * records, data.0 and so on, have what came meanwhile, each by a writer of its own:
 *
 *	data      header | ids | attrs | features | records | table | features
 *	data.N    records
 *
 * Rounds end nothing there, since the files are not in step: perf would take what it has read
 * of one for all there is up to then.  The data of "data" comes to rest at FINISHED_INIT.
 *
 * A pipe gets the same as a stream of records (HEADER_ATTR, HEADER_FEATURE,
 * EVENT_UPDATE, HEADER_TRACING_DATA, then the data).
 *
 * When the disk is full the file is cut to its last whole record and
 * perf_write_finish still closes it: what was written before stays readable.
 *
 * Formats: tools/perf/Documentation/perf.data-file-format.txt,
 * perf.data-directory-format.txt and tools/perf/util/header.c of Linux 6.1.  Not for use by two threads at once (one of its own
 * is its own business).
 */
#ifndef FORMATS_PERF_WRITE_H
#define FORMATS_PERF_WRITE_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"
#include "base/str.h"
#include "formats/perf_data.h"

struct perf_write;

struct perf_write_event {
	const struct perf_event_attr *attr;
	const char *name;
	const uint64_t *ids;             /* borrowed until perf_write_start returns */
	uint32_t nr_ids;
	const char *unit;                /* NULL: none */
	double scale;                    /* 1.0: none */
};

/*
 * Start on an open file (empty) or pipe. `path` is for messages and is copied.
 * The fd is the writer's: perf_write_free closes it. Never NULL.
 */
struct perf_write *perf_write_new(int fd, bool is_pipe, const char *path);

/*
 * One of the files of records in directory format. It is started already, takes no features,
 * and a flush leaves no record in it.
 */
struct perf_write *perf_write_new_part(int fd, const char *path);

/* Before perf_write_start of "data": there will be parts. */
void perf_write_expect_parts(struct perf_write *w);

/* Before perf_write_finish of "data": what a finished part tells goes into what it tells. */
void perf_write_adopt(struct perf_write *w, const struct perf_write *part);

/*
 * Compress what perf_write_ring takes (zstd, level 1 to 22), before
 * perf_write_start. `largest` is the most bytes handed over by one call.
 */
int perf_write_compress(struct perf_write *w, int level, size_t largest, struct err *err);

/*
 * After perf_write_start: let a thread do the rest, so that none of the calls below waits for
 * the compression. Their errors are then those of earlier calls, and perf_write_kept is
 * not known. Where there is no thread to be had nothing changes.
 */
void perf_write_threaded(struct perf_write *w);

/*
 * Set a feature section to these bytes (copied). Before perf_write_start it is
 * one of those known at the start, after it one of those at the end. On a pipe
 * a late one is dropped, but for the build-ids, which become records.
 */
void perf_write_feature(struct perf_write *w, enum perf_feature feature, const void *bytes,
			size_t size);

/* Write header, events, features. EVENT_DESC is made here. */
int perf_write_start(struct perf_write *w, const struct perf_write_event *events, uint32_t nr,
		     struct err *err);

/*
 * Append whole records, buffered (`size` a multiple of 8). perf_write_ring takes
 * them in up to two pieces straight from a ring and does not keep them.
 * Errors: errno of the write; nothing more is taken after one.
 */
int perf_write_records(struct perf_write *w, const void *records, size_t size, struct err *err);
int perf_write_ring(struct perf_write *w, const struct iovec *pieces, int nr, struct err *err);

/* Of the bytes that a failed perf_write_ring was given: how many are in the file all the same. */
uint64_t perf_write_kept(const struct perf_write *w);

/*
 * End a round (RECORD_FINISHED_ROUND: each ring has been emptied once since the
 * last one) and make what was taken so far readable, also for perf and after
 * SIGKILL. Does nothing when nothing came.
 */
int perf_write_flush(struct perf_write *w, struct err *err);

/*
 * Write what is known at the end and close the book. May be called after a
 * failed write: then the file is closed at its last whole record.
 */
int perf_write_finish(struct perf_write *w, struct err *err);

uint64_t perf_write_bytes(const struct perf_write *w);       /* written so far, all told */
uint64_t perf_write_raw_bytes(const struct perf_write *w);   /* of ring data before compression */
uint64_t perf_write_ring_bytes(const struct perf_write *w);  /* of ring data as written */
/* Whether all that was appended and kept can be read; once it is finished. */
bool perf_write_is_sure(const struct perf_write *w);
/* What the longest write took; once it is finished. */
uint64_t perf_write_longest_ns(const struct perf_write *w);
void perf_write_free(struct perf_write *w);

/* Pieces of feature sections, in host byte order, appended to `out`. */
void perf_put_u32(struct str *out, uint32_t v);
void perf_put_u64(struct str *out, uint64_t v);
/* u32 length of what follows, the string, zeros up to a multiple of 64. */
void perf_put_string(struct str *out, const char *s);
/* An entry of the BUILD_ID section. misc: PERF_RECORD_MISC_KERNEL or _USER. */
void perf_put_build_id(struct str *out, uint16_t misc, int32_t pid, const uint8_t *build_id,
		       uint8_t size, const char *filename);

#endif
