/* SPDX-License-Identifier: MIT */
#include "formats/perf_write_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define BUFFER_SIZE (64u << 10)
/* The table's entries, rounded up to what file systems give out. */
#define TABLE_ROOM 8192u
#define RESERVE_STEP (4u << 20)

static const char magic[8] = "PERFILE2";

struct perf_write *perf_write_new(int fd, bool is_pipe, const char *path)
{
	struct perf_write *w = mem_zalloc(sizeof(*w));

	_Static_assert(sizeof(struct file_header) == 104, "as perf's tools write it");
	w->fd = fd;
	w->is_pipe = is_pipe;
	w->rest_type = RECORD_FINISHED_ROUND;
	w->path = mem_strdup(path);
	w->buffer = mem_alloc(BUFFER_SIZE);
	for (int i = 0; i < FEATURE_MAX; i++)
		w->features[i].bytes = (struct str)STR_INIT;
	return w;
}

struct perf_write *perf_write_new_part(int fd, const char *path)
{
	struct perf_write *w = perf_write_new(fd, false, path);

	w->is_part = w->started = true;
	return w;
}

void perf_write_expect_parts(struct perf_write *w)
{
	const uint64_t version = 1;      /* PERF_DIR_VERSION, tools/perf/util/data.h */

	perf_write_feature(w, FEATURE_DIR_FORMAT, &version, sizeof(version));
	w->rest_type = RECORD_FINISHED_INIT;
}

void perf_write_free(struct perf_write *w)
{
	if (!w)
		return;
	perf_write_join(w);
	for (int i = 0; i < FEATURE_MAX; i++)
		str_release(&w->features[i].bytes);
	if (w->fd >= 0)
		close(w->fd);
	ZSTD_freeCCtx(w->zstd);
	free(w->packed);
	free(w->buffer);
	free(w->path);
	free(w);
}

static int write_error(struct perf_write *w, int code, struct err *err)
{
	const char *advice = code == ENOSPC ? "; the disk is full"
			     : code == EDQUOT ? "; the disk quota is used up"
			     : code == EFBIG ? "; the file size limit (ulimit -f) is reached"
					     : "";

	w->failed = true;
	return err_set(err, code, "cannot write '%s': %s%s", w->path, strerror(code), advice);
}

/* Drop `n` bytes from the front of the pieces. */
void perf_write_advance(struct iovec **v, int *nr, size_t n)
{
	while (*nr && n >= (*v)->iov_len) {
		n -= (*v)->iov_len;
		(*v)++;
		(*nr)--;
	}
	if (*nr) {
		(*v)->iov_base = (char *)(*v)->iov_base + n;
		(*v)->iov_len -= n;
	}
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Write all pieces at `offset` (a pipe: next). *done tells how far it came. */
static int write_pieces(struct perf_write *w, const struct iovec *pieces, int nr, uint64_t offset,
			size_t *done)
{
	struct iovec copy[4], *v = copy;
	uint64_t from_ns = now_ns(), took_ns;
	int ret = 0;

	memcpy(copy, pieces, (size_t)nr * sizeof(*pieces));
	*done = 0;
	perf_write_advance(&v, &nr, 0);
	while (nr) {
		ssize_t n = w->is_pipe ? writev(w->fd, v, nr)
				       : pwritev(w->fd, v, nr, (off_t)(offset + *done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			ret = n ? -errno : -EIO;
			break;
		}
		*done += (size_t)n;
		perf_write_advance(&v, &nr, (size_t)n);
	}
	took_ns = now_ns() - from_ns;
	if (took_ns > w->longest_ns)
		w->longest_ns = took_ns;
	return ret;
}

static int write_at(struct perf_write *w, const void *bytes, size_t size, uint64_t offset)
{
	struct iovec piece = { (void *)(uintptr_t)bytes, size };
	size_t done;

	return write_pieces(w, &piece, 1, offset, &done);
}

/* How many of the first `n` bytes of the pieces are whole records. */
static size_t whole_records(const struct iovec *v, int nr, size_t n)
{
	size_t whole = 0;

	for (;;) {
		struct perf_event_header header;
		uint8_t *to = (uint8_t *)&header;
		size_t at = whole, got = 0;

		for (int i = 0; i < nr && got < sizeof(header); i++) {
			size_t take;

			if (at >= v[i].iov_len) {
				at -= v[i].iov_len;
				continue;
			}
			take = v[i].iov_len - at;
			if (take > sizeof(header) - got)
				take = sizeof(header) - got;
			memcpy(to + got, (char *)v[i].iov_base + at, take);
			got += take;
			at = 0;
		}
		if (got < sizeof(header) || header.size < sizeof(header) || whole + header.size > n)
			return whole;
		whole += header.size;
	}
}

static int write_header(struct perf_write *w)
{
	w->header.data.size = w->at - w->header.data.offset;
	memset(w->header.features, 0, sizeof(w->header.features));
	for (int i = 0; i < FEATURE_MAX; i++)
		if (w->features[i].present && w->features[i].offset)
			w->header.features[i / 64] |= 1ull << i % 64;
	return write_at(w, &w->header, sizeof(w->header), 0);
}

/*
 * Make sure that `size` more bytes and the feature table behind them have room:
 * a disk must not fill up between the data and what makes it readable.
 */
static int reserve(struct perf_write *w, size_t size)
{
	const uint64_t need = w->at + size + TABLE_ROOM;

	if (w->is_pipe || w->cannot_reserve || need <= w->reserved)
		return 0;
	/* In large steps, or else, near the end, just as much as it takes. */
	if (fallocate(w->fd, FALLOC_FL_KEEP_SIZE, (off_t)w->at,
		      (off_t)(size + TABLE_ROOM + RESERVE_STEP)) == 0) {
		w->reserved = need + RESERVE_STEP;
		return 0;
	}
	if (errno == ENOSPC || errno == EDQUOT) {
		if (fallocate(w->fd, FALLOC_FL_KEEP_SIZE, (off_t)w->at,
			      (off_t)(size + TABLE_ROOM)) < 0)
			return -errno;
		w->reserved = need;
		return 0;
	}
	w->cannot_reserve = true;        /* not every file system can, nor /dev/null */
	return 0;
}

static int append_failed(struct perf_write *w, int code, struct err *err)
{
	if (!w->is_pipe && ftruncate(w->fd, (off_t)w->at) < 0)
		w->finished = w->unsure = true;
	return write_error(w, code, err);
}

/* Append `size` bytes of the pieces; after a failure as many as are whole records stay. */
static int append_bytes(struct perf_write *w, const struct iovec *pieces, int nr, size_t size,
			struct err *err)
{
	struct iovec part[2];
	size_t done, left = size;
	int r, n = 0;

	for (int i = 0; i < nr && left; i++, n++) {
		part[n] = pieces[i];
		if (part[n].iov_len > left)
			part[n].iov_len = left;
		left -= part[n].iov_len;
	}
	r = write_pieces(w, part, n, w->at, &done);
	if (r < 0 && !w->is_pipe)
		done = whole_records(part, n, done > TABLE_ROOM ? done - TABLE_ROOM : 0);
	else if (r < 0)
		done = whole_records(part, n, done);
	w->at += done;
	w->bytes += done;
	w->kept += done;
	return r < 0 ? append_failed(w, -r, err) : 0;
}

/* Go on behind the table, which stays valid until the next one is. */
static void leave_rest(struct perf_write *w)
{
	if (!w->at_rest)
		return;
	w->at_rest = false;
	w->old_round = w->at - sizeof(struct perf_event_header);
	w->at += w->table_size;
}

/* Append the pieces to the data, or what fits of them. */
int perf_write_append(struct perf_write *w, const struct iovec *pieces, int nr, struct err *err)
{
	struct iovec copy[2], *v = copy;
	int r;

	w->kept = 0;
	if (w->failed)
		return err_set(err, EIO, "cannot write '%s': an earlier write failed", w->path);
	leave_rest(w);
	memcpy(copy, pieces, (size_t)nr * sizeof(*pieces));
	perf_write_advance(&v, &nr, 0);
	while (nr) {
		size_t size = v[0].iov_len + (nr > 1 ? v[1].iov_len : 0);
		int full = 0;

		while (size && (r = reserve(w, size)) < 0) {
			full = r;
			size = whole_records(v, nr, size / 2);
		}
		if (!size)
			return append_failed(w, -full, err);
		r = append_bytes(w, v, nr, size, err);
		if (r < 0)
			return r;
		perf_write_advance(&v, &nr, size);
	}
	return 0;
}

static int empty_buffer(struct perf_write *w, struct err *err)
{
	struct iovec piece = { w->buffer, w->buffered };

	w->buffered = 0;
	return piece.iov_len ? perf_write_append(w, &piece, 1, err) : 0;
}

int perf_write_records_now(struct perf_write *w, const void *records, size_t size, struct err *err)
{
	int r;

	if (w->buffered + size > BUFFER_SIZE) {
		r = empty_buffer(w, err);
		if (r < 0)
			return r;
	}
	if (size > BUFFER_SIZE) {
		struct iovec piece = { (void *)(uintptr_t)records, size };

		return perf_write_append(w, &piece, 1, err);
	}
	memcpy(w->buffer + w->buffered, records, size);
	w->buffered += size;
	return 0;
}

int perf_write_ring_now(struct perf_write *w, const struct iovec *pieces, int nr, struct err *err)
{
	int r = empty_buffer(w, err);

	w->kept = 0;
	if (r < 0)
		return r;
	for (int i = 0; i < nr; i++)
		w->raw_bytes += pieces[i].iov_len;
	if (w->zstd)
		return perf_write_packed(w, pieces, nr, err);
	for (int i = 0; i < nr; i++)
		w->ring_bytes += pieces[i].iov_len;
	return perf_write_append(w, pieces, nr, err);
}

/*
 * Come to rest: a FINISHED_ROUND record ends the data and the table stands behind
 * it; then the round before is made long enough to cover its own table, and then
 * the header is moved on.  Whatever of this a kill leaves undone, the header names
 * data that is whole and a table that is there.
 */
static int come_to_rest(struct perf_write *w)
{
	struct perf_event_header round = { .type = w->rest_type, .size = sizeof(round) };
	struct { struct perf_event_header round; struct file_section table[FEATURE_MAX]; } end;
	size_t nr = 0, old_table = w->table_size;
	int r;

	for (int i = 0; i < FEATURE_MAX; i++)
		if (w->features[i].present && w->features[i].offset)
			end.table[nr++] = (struct file_section){ w->features[i].offset,
							     w->features[i].bytes.len };
	end.round = round;
	r = write_at(w, &end, sizeof(round) + nr * sizeof(*end.table), w->at);
	if (r < 0)
		return r;
	round.size = (uint16_t)(sizeof(round) + old_table);
	if (w->old_round)
		r = write_at(w, &round, sizeof(round), w->old_round);
	if (r < 0)
		return r;
	w->at += sizeof(round);
	w->bytes += sizeof(round) + nr * sizeof(*end.table);
	w->table_size = nr * sizeof(*end.table);
	w->at_rest = true;
	return write_header(w);
}

int perf_write_flush_now(struct perf_write *w, struct err *err)
{
	const struct perf_event_header round = { .type = RECORD_FINISHED_ROUND,
						 .size = sizeof(round) };
	int r;

	/* Nothing came since the last one. */
	if (w->at_rest && !w->buffered)
		return 0;
	if (w->is_pipe) {
		r = perf_write_records_now(w, &round, sizeof(round), err);
		return r < 0 ? r : empty_buffer(w, err);
	}
	r = empty_buffer(w, err);
	if (r == 0 && !w->is_part) {
		r = come_to_rest(w);
		r = r < 0 ? write_error(w, -r, err) : 0;
	}
	return r;
}

void perf_write_feature(struct perf_write *w, enum perf_feature feature, const void *bytes,
			size_t size)
{
	struct feature *f = &w->features[feature];

	perf_write_join(w);              /* it reads them; what comes now is the end */
	str_clear(&f->bytes);
	str_addn(&f->bytes, bytes, size);
	f->present = true;
	f->offset = 0;
}

static void make_event_desc(struct perf_write *w, const struct perf_write_event *events,
			    uint32_t nr)
{
	struct str s = STR_INIT;

	perf_put_u32(&s, nr);
	perf_put_u32(&s, sizeof(*events->attr));
	for (uint32_t i = 0; i < nr; i++) {
		str_addn(&s, events[i].attr, sizeof(*events[i].attr));
		perf_put_u32(&s, events[i].nr_ids);
		perf_put_string(&s, events[i].name);
		str_addn(&s, events[i].ids, events[i].nr_ids * sizeof(uint64_t));
	}
	perf_write_feature(w, FEATURE_EVENT_DESC, s.p, s.len);
	str_release(&s);
}

/* Everything before the data, in one piece of memory and one write. */
static int start_file(struct perf_write *w, const struct perf_write_event *events, uint32_t nr,
		      struct err *err)
{
	struct str s = STR_INIT;
	uint64_t ids_at = sizeof(w->header);
	int r;

	memcpy(w->header.magic, magic, sizeof(magic));
	w->header.size = sizeof(w->header);
	w->header.attr_size = sizeof(*events->attr) + sizeof(struct file_section);
	perf_put_zeros(&s, 64);
	perf_put_zeros(&s, sizeof(w->header) - 64);
	for (uint32_t i = 0; i < nr; i++)
		str_addn(&s, events[i].ids, events[i].nr_ids * sizeof(uint64_t));
	w->header.attrs = (struct file_section){ s.len, nr * w->header.attr_size };
	for (uint32_t i = 0; i < nr; i++) {
		struct file_section ids = { ids_at, events[i].nr_ids * sizeof(uint64_t) };

		str_addn(&s, events[i].attr, sizeof(*events[i].attr));
		str_addn(&s, &ids, sizeof(ids));
		ids_at += ids.size;
	}
	for (int i = 0; i < FEATURE_MAX; i++) {
		if (!w->features[i].present)
			continue;
		w->features[i].offset = s.len;
		str_addn(&s, w->features[i].bytes.p, w->features[i].bytes.len);
		perf_put_zeros(&s, (8 - s.len % 8) % 8);
	}
	w->header.data.offset = w->at = s.len;
	r = write_at(w, s.p, s.len, 0);
	w->bytes = s.len;
	str_release(&s);
	if (r == 0)
		r = reserve(w, 0);
	if (r == 0)
		r = come_to_rest(w);
	return r < 0 ? write_error(w, -r, err) : 0;
}

static int start_pipe(struct perf_write *w, const struct perf_write_event *events, uint32_t nr,
		      struct err *err)
{
	struct str s = STR_INIT;
	int r = perf_write_put_preamble(w, events, nr, &s, err);

	if (r == 0) {
		r = write_at(w, s.p, s.len, 0);
		w->bytes = s.len;
		if (r < 0)
			write_error(w, -r, err);
	}
	str_release(&s);
	return r;
}

int perf_write_start(struct perf_write *w, const struct perf_write_event *events, uint32_t nr,
		     struct err *err)
{
	struct str s = STR_INIT;

	make_event_desc(w, events, nr);
	if (w->zstd) {
		perf_write_put_compressed(w, &s);
		perf_write_feature(w, FEATURE_COMPRESSED, s.p, s.len);
		str_release(&s);
	}
	w->started = true;
	return w->is_pipe ? start_pipe(w, events, nr, err) : start_file(w, events, nr, err);
}

/* Late features stand behind the last table. */
static int write_late(struct perf_write *w)
{
	uint64_t at = w->at + sizeof(struct perf_event_header);
	int r = 0;

	for (int i = 0; i < FEATURE_MAX; i++)
		at += w->features[i].present ? sizeof(struct file_section) : 0;
	for (int i = 0; i < FEATURE_MAX && r == 0; i++) {
		struct feature *f = &w->features[i];

		if (!f->present || f->offset)
			continue;
		f->offset = at;
		r = write_at(w, f->bytes.p, f->bytes.len, at);
		at += f->bytes.len;
		w->bytes += f->bytes.len;
	}
	if (r == 0)
		r = come_to_rest(w);
	/* Give back what was reserved. Devices cannot be cut. */
	if (r == 0 && ftruncate(w->fd, (off_t)at) < 0 && errno != EINVAL)
		r = -errno;
	return r;
}

/* Without room for more: the features of the start alone. */
static void finish_without_late(struct perf_write *w)
{
	for (int i = 0; i < FEATURE_MAX; i++)
		if (w->features[i].offset > w->at)
			w->features[i].present = false;
	if (ftruncate(w->fd, (off_t)w->at) == 0 && come_to_rest(w) == 0)
		return;
	/* Not even that: at its last rest the file is whole. */
	w->finished = w->unsure = true;
}

static int finish_file(struct perf_write *w, struct err *err)
{
	struct str s = STR_INIT;
	int r = 0;

	if (w->is_part)
		return ftruncate(w->fd, (off_t)w->at) < 0 ? write_error(w, errno, err) : 0;
	leave_rest(w);
	if (w->zstd) {
		perf_write_put_compressed(w, &s);
		if (w->features[FEATURE_COMPRESSED].offset)
			r = write_at(w, s.p, s.len, w->features[FEATURE_COMPRESSED].offset);
		str_release(&s);
	}
	if (r == 0)
		r = write_late(w);
	if (r < 0) {
		finish_without_late(w);
		return write_error(w, -r, err);
	}
	return 0;
}

int perf_write_finish(struct perf_write *w, struct err *err)
{
	bool failed;
	int r;

	perf_write_join(w);
	r = w->thread_code;
	if (r < 0 && err)
		*err = w->thread_err;
	w->unsure |= r < 0;              /* what was queued behind the failure */
	failed = w->failed || r < 0;     /* finish as well as can be, and tell of the first error */
	if (w->finished || !w->started)
		return r;
	w->finished = true;
	if (w->is_pipe && !failed && w->features[FEATURE_BUILD_ID].present)
		r = perf_write_records_now(w, w->features[FEATURE_BUILD_ID].bytes.p,
				       w->features[FEATURE_BUILD_ID].bytes.len, err);
	if (!failed && r == 0)
		r = empty_buffer(w, err);
	if (!w->is_pipe) {
		/* After a failure the caller has the first error; this is best effort. */
		int r2 = finish_file(w, r == 0 && !failed ? err : NULL);

		r = r ? r : failed ? 0 : r2;
	}
	return r;
}

int perf_write_records(struct perf_write *w, const void *records, size_t size, struct err *err)
{
	return (w->thread ? perf_write_push_records : perf_write_records_now)(w, records, size, err);
}

int perf_write_ring(struct perf_write *w, const struct iovec *pieces, int nr, struct err *err)
{
	return (w->thread ? perf_write_push_ring : perf_write_ring_now)(w, pieces, nr, err);
}

int perf_write_flush(struct perf_write *w, struct err *err)
{
	return (w->thread ? perf_write_push_flush : perf_write_flush_now)(w, err);
}

uint64_t perf_write_kept(const struct perf_write *w)
{
	return !w->thread && w->failed ? w->kept : 0;
}

void perf_write_adopt(struct perf_write *w, const struct perf_write *part)
{
	w->raw_bytes += part->raw_bytes;
	w->ring_bytes += part->ring_bytes;
	w->unsure |= part->unsure;
	if (part->longest_ns > w->longest_ns)
		w->longest_ns = part->longest_ns;
}

uint64_t perf_write_bytes(const struct perf_write *w)
{
	return w->thread ? perf_write_thread_bytes(w) : w->bytes;
}

uint64_t perf_write_raw_bytes(const struct perf_write *w)
{
	return w->raw_bytes;
}

bool perf_write_is_sure(const struct perf_write *w)
{
	return !w->unsure;
}

uint64_t perf_write_longest_ns(const struct perf_write *w)
{
	return w->longest_ns;
}

uint64_t perf_write_ring_bytes(const struct perf_write *w)
{
	return w->ring_bytes;
}
