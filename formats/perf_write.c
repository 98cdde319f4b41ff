/* SPDX-License-Identifier: MIT */
#include "formats/perf_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/mem.h"

#define BUFFER_SIZE (64u << 10)
#define COMPRESS_CHUNK (48u << 10)
#define FEATURE_WORDS (FEATURE_MAX / 64)
#define RECORD_SIZE_MAX 65528u
/* The table's entries, rounded up to what file systems give out. */
#define TABLE_ROOM 8192u
#define RESERVE_STEP (4u << 20)

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
	char *path;
	struct file_header header;
	struct feature features[FEATURE_MAX];
	uint64_t at;                     /* end of what is in the file's data section */
	uint64_t old_round;              /* the FINISHED_ROUND before, to be made longer */
	size_t table_size;
	uint64_t reserved;               /* up to here the disk has room for sure */
	uint64_t bytes, raw_bytes, ring_bytes, kept;
	uint8_t *buffer;
	size_t buffered;
	ZSTD_CCtx *zstd;
	uint8_t *packed;                 /* one COMPRESSED record */
	size_t largest;
	int level;
};

static const char magic[8] = "PERFILE2";

struct perf_write *perf_write_new(int fd, bool is_pipe, const char *path)
{
	struct perf_write *w = mem_zalloc(sizeof(*w));

	_Static_assert(sizeof(struct file_header) == 104, "as perf's tools write it");
	w->fd = fd;
	w->is_pipe = is_pipe;
	w->path = mem_strdup(path);
	w->buffer = mem_alloc(BUFFER_SIZE);
	for (int i = 0; i < FEATURE_MAX; i++)
		w->features[i].bytes = (struct str)STR_INIT;
	return w;
}

void perf_write_free(struct perf_write *w)
{
	if (!w)
		return;
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
static void advance(struct iovec **v, int *nr, size_t n)
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

/* Write all pieces at `offset` (a pipe: next). *done tells how far it came. */
static int write_pieces(struct perf_write *w, const struct iovec *pieces, int nr, uint64_t offset,
			size_t *done)
{
	struct iovec copy[4], *v = copy;

	memcpy(copy, pieces, (size_t)nr * sizeof(*pieces));
	*done = 0;
	advance(&v, &nr, 0);
	while (nr) {
		ssize_t n = w->is_pipe ? writev(w->fd, v, nr)
				       : pwritev(w->fd, v, nr, (off_t)(offset + *done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		*done += (size_t)n;
		advance(&v, &nr, (size_t)n);
	}
	return 0;
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
		w->finished = true;
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
static int append(struct perf_write *w, const struct iovec *pieces, int nr, struct err *err)
{
	struct iovec copy[2], *v = copy;
	int r;

	w->kept = 0;
	if (w->failed)
		return err_set(err, EIO, "cannot write '%s': an earlier write failed", w->path);
	leave_rest(w);
	memcpy(copy, pieces, (size_t)nr * sizeof(*pieces));
	advance(&v, &nr, 0);
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
		advance(&v, &nr, size);
	}
	return 0;
}

static int empty_buffer(struct perf_write *w, struct err *err)
{
	struct iovec piece = { w->buffer, w->buffered };

	w->buffered = 0;
	return piece.iov_len ? append(w, &piece, 1, err) : 0;
}

int perf_write_records(struct perf_write *w, const void *records, size_t size, struct err *err)
{
	int r;

	if (w->buffered + size > BUFFER_SIZE) {
		r = empty_buffer(w, err);
		if (r < 0)
			return r;
	}
	if (size > BUFFER_SIZE) {
		struct iovec piece = { (void *)(uintptr_t)records, size };

		return append(w, &piece, 1, err);
	}
	memcpy(w->buffer + w->buffered, records, size);
	w->buffered += size;
	return 0;
}

int perf_write_compress(struct perf_write *w, int level, size_t largest, struct err *err)
{
	if (level < 1 || level > ZSTD_maxCLevel())
		return err_set(err, EINVAL, "compression level %d is not in 1..%d", level,
			       ZSTD_maxCLevel());
	w->zstd = ZSTD_createCCtx();
	if (!w->zstd || ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, level)))
		return err_set(err, ENOMEM, "cannot set up zstd at level %d", level);
	w->level = level;
	w->packed = mem_alloc(RECORD_SIZE_MAX);
	w->largest = largest < 2 * COMPRESS_CHUNK ? 2 * COMPRESS_CHUNK : largest;
	return 0;
}

/* One COMPRESSED record with `size` bytes behind its header. */
static int write_packed(struct perf_write *w, size_t size, struct err *err)
{
	struct perf_event_header header = { .type = RECORD_COMPRESSED };
	size_t pad = (8 - size % 8) % 8;

	/*
	 * Records are multiples of 8 long, but COMPRESSED has no field for the true
	 * length.  Three zero bytes are an empty raw block to zstd (RFC 8878,
	 * 3.1.1.2), which may stand wherever a block has just been flushed: pad with
	 * as many of them as make the sum come out.
	 */
	for (pad *= 3; pad % 8 != (8 - size % 8) % 8; pad += 3)
		;
	pad %= 24;
	memset(w->packed + sizeof(header) + size, 0, pad);
	header.size = (uint16_t)(sizeof(header) + size + pad);
	memcpy(w->packed, &header, sizeof(header));
	w->ring_bytes += header.size;
	return append(w, &(struct iovec){ w->packed, header.size }, 1, err);
}

/* Compress up to COMPRESS_CHUNK bytes so that they can be unpacked from what is written. */
static int compress_chunk(struct perf_write *w, struct iovec *v, int nr, struct err *err)
{
	/* Room for the padding is kept; a full record needs none. */
	const size_t room = RECORD_SIZE_MAX - sizeof(struct perf_event_header);
	ZSTD_outBuffer out = { w->packed + sizeof(struct perf_event_header), room - 24, 0 };

	for (int i = 0; i < nr; i++) {
		ZSTD_inBuffer in = { v[i].iov_base, v[i].iov_len, 0 };
		ZSTD_EndDirective how = i == nr - 1 ? ZSTD_e_flush : ZSTD_e_continue;
		size_t left;

		do {
			left = ZSTD_compressStream2(w->zstd, &out, &in, how);
			if (ZSTD_isError(left))
				return err_set(err, EIO, "zstd cannot compress: %s",
					       ZSTD_getErrorName(left));
		} while (in.pos < in.size || (how == ZSTD_e_flush && left));
	}
	return write_packed(w, out.pos, err);
}

static int compress_pieces(struct perf_write *w, const struct iovec *pieces, int nr,
			   struct err *err)
{
	struct iovec copy[2], *v = copy;
	uint64_t kept = 0;

	memcpy(copy, pieces, (size_t)nr * sizeof(*pieces));
	advance(&v, &nr, 0);
	while (nr) {
		struct iovec chunk[2];
		size_t room = COMPRESS_CHUNK;
		int n = 0, r;

		for (int i = 0; i < nr && room; i++) {
			chunk[n] = v[i];
			if (chunk[n].iov_len > room)
				chunk[n].iov_len = room;
			room -= chunk[n++].iov_len;
		}
		r = compress_chunk(w, chunk, n, err);
		w->kept = r < 0 ? kept : 0;
		kept += COMPRESS_CHUNK - room;
		if (r < 0)
			return r;
		advance(&v, &nr, COMPRESS_CHUNK - room);
	}
	return 0;
}

int perf_write_ring(struct perf_write *w, const struct iovec *pieces, int nr, struct err *err)
{
	int r = empty_buffer(w, err);

	w->kept = 0;
	if (r < 0)
		return r;
	for (int i = 0; i < nr; i++)
		w->raw_bytes += pieces[i].iov_len;
	if (w->zstd)
		return compress_pieces(w, pieces, nr, err);
	for (int i = 0; i < nr; i++)
		w->ring_bytes += pieces[i].iov_len;
	return append(w, pieces, nr, err);
}

/*
 * Come to rest: a FINISHED_ROUND record ends the data and the table stands behind
 * it; then the round before is made long enough to cover its own table, and then
 * the header is moved on.  Whatever of this a kill leaves undone, the header names
 * data that is whole and a table that is there.
 */
static int come_to_rest(struct perf_write *w)
{
	struct perf_event_header round = { .type = RECORD_FINISHED_ROUND, .size = sizeof(round) };
	struct file_section table[FEATURE_MAX];
	size_t nr = 0, old_table = w->table_size;
	int r;

	for (int i = 0; i < FEATURE_MAX; i++)
		if (w->features[i].present && w->features[i].offset)
			table[nr++] = (struct file_section){ w->features[i].offset,
							     w->features[i].bytes.len };
	r = write_at(w, &round, sizeof(round), w->at);
	if (r == 0)
		r = write_at(w, table, nr * sizeof(*table), w->at + sizeof(round));
	if (r < 0)
		return r;
	round.size = (uint16_t)(sizeof(round) + old_table);
	if (w->old_round)
		r = write_at(w, &round, sizeof(round), w->old_round);
	if (r < 0)
		return r;
	w->at += sizeof(round);
	w->bytes += sizeof(round) + nr * sizeof(*table);
	w->table_size = nr * sizeof(*table);
	w->at_rest = true;
	return write_header(w);
}

int perf_write_flush(struct perf_write *w, struct err *err)
{
	const struct perf_event_header round = { .type = RECORD_FINISHED_ROUND,
						 .size = sizeof(round) };
	int r;

	/* Nothing came since the last one. */
	if (w->at_rest && !w->buffered)
		return 0;
	if (w->is_pipe) {
		r = perf_write_records(w, &round, sizeof(round), err);
		return r < 0 ? r : empty_buffer(w, err);
	}
	r = empty_buffer(w, err);
	if (r == 0) {
		r = come_to_rest(w);
		r = r < 0 ? write_error(w, -r, err) : 0;
	}
	return r;
}

void perf_write_feature(struct perf_write *w, enum perf_feature feature, const void *bytes,
			size_t size)
{
	struct feature *f = &w->features[feature];

	str_clear(&f->bytes);
	str_addn(&f->bytes, bytes, size);
	f->present = true;
	f->offset = 0;
}

void perf_put_u32(struct str *out, uint32_t v)
{
	str_addn(out, &v, sizeof(v));
}

void perf_put_u64(struct str *out, uint64_t v)
{
	str_addn(out, &v, sizeof(v));
}

static void put_zeros(struct str *out, size_t n)
{
	static const uint8_t zeros[64];

	str_addn(out, zeros, n);
}

void perf_put_string(struct str *out, const char *s)
{
	size_t len = strlen(s) + 1, room = (len + 63) / 64 * 64;

	perf_put_u32(out, (uint32_t)room);
	str_addn(out, s, len);
	put_zeros(out, room - len);
}

void perf_put_build_id(struct str *out, uint16_t misc, int32_t pid, const uint8_t *build_id,
		       uint8_t size, const char *filename)
{
	size_t len = strnlen(filename, 4096) + 1, room = (len + 63) / 64 * 64;
	struct perf_event_header header = {
		.type = RECORD_HEADER_BUILD_ID,
		/* bit 15: the size byte behind the id holds its length (Linux 5.12) */
		.misc = misc | 1u << 15,
		.size = (uint16_t)(sizeof(header) + 4 + 24 + room),
	};
	uint8_t id[24] = { 0 };

	size = size > BUILD_ID_MAX ? BUILD_ID_MAX : size;
	memcpy(id, build_id, size);
	id[20] = size;
	str_addn(out, &header, sizeof(header));
	str_addn(out, &pid, sizeof(pid));
	str_addn(out, id, sizeof(id));
	str_addn(out, filename, len - 1);
	put_zeros(out, room - (len - 1));
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

static void make_compressed(struct perf_write *w, struct str *s)
{
	uint64_t ratio = w->ring_bytes ? (w->raw_bytes + w->ring_bytes / 2) / w->ring_bytes : 0;

	perf_put_u32(s, 1);              /* version of this section */
	perf_put_u32(s, 1);              /* zstd */
	perf_put_u32(s, (uint32_t)w->level);
	perf_put_u32(s, (uint32_t)ratio);
	perf_put_u32(s, (uint32_t)w->largest);
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
	put_zeros(&s, 64);
	put_zeros(&s, sizeof(w->header) - 64);
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
		put_zeros(&s, (8 - s.len % 8) % 8);
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

static void put_record(struct str *out, uint32_t type, size_t body)
{
	struct perf_event_header header = { .type = type,
					    .size = (uint16_t)(sizeof(header) + body) };

	str_addn(out, &header, sizeof(header));
}

static int put_attr(struct str *s, const struct perf_write_event *event, uint32_t nr_events,
		    struct err *err)
{
	size_t most = (RECORD_SIZE_MAX - sizeof(struct perf_event_header) - sizeof(*event->attr)) /
		      sizeof(uint64_t);
	uint32_t nr_ids = event->nr_ids;

	/* A lone event needs no ids to be told from others. */
	if (nr_ids > most && nr_events > 1)
		return err_set(err, E2BIG,
			       "event '%s' has %u counters, a pipe has room for %zu; "
			       "write to a file (-o FILE) instead", event->name, nr_ids, most);
	if (nr_ids > most)
		nr_ids = (uint32_t)most;
	put_record(s, RECORD_HEADER_ATTR, sizeof(*event->attr) + nr_ids * sizeof(uint64_t));
	str_addn(s, event->attr, sizeof(*event->attr));
	str_addn(s, event->ids, nr_ids * sizeof(uint64_t));
	return 0;
}

/* EVENT_UPDATE (perf_record_event_update): type 0 unit, 1 scale, 2 name. */
static void put_update(struct str *s, const struct perf_write_event *event, uint64_t type,
		       const char *text)
{
	size_t len = strnlen(text, 4000) + 1, room = (len + 7) / 8 * 8;

	put_record(s, RECORD_EVENT_UPDATE, 16 + room);
	perf_put_u64(s, type);
	perf_put_u64(s, event->ids[0]);
	str_addn(s, text, len - 1);
	while (room-- > len - 1)
		str_addc(s, '\0');
}

static void put_updates(struct str *s, const struct perf_write_event *event)
{
	if (!event->nr_ids)
		return;
	put_update(s, event, 2, event->name);
	if (event->unit)
		put_update(s, event, 0, event->unit);
	if (event->scale != 1.0) {
		put_record(s, RECORD_EVENT_UPDATE, 24);
		perf_put_u64(s, 1);
		perf_put_u64(s, event->ids[0]);
		str_addn(s, &event->scale, sizeof(event->scale));
	}
}

static void put_feature(struct str *s, int feature, const struct str *bytes)
{
	size_t room = (bytes->len + 7) / 8 * 8;

	/* One too long for a record (65,535 bytes) can only be left out. */
	if (room + 16 > RECORD_SIZE_MAX)
		return;
	put_record(s, RECORD_HEADER_FEATURE, 8 + room);
	perf_put_u64(s, (uint64_t)feature);
	str_addn(s, bytes->p, bytes->len);
	put_zeros(s, room - bytes->len);
}

/* HEADER_TRACING_DATA: the data stands behind the record, not in it. */
static void put_tracing_data(struct str *s, const struct str *bytes)
{
	size_t room = (bytes->len + 7) / 8 * 8;

	put_record(s, RECORD_HEADER_TRACING_DATA, 4);
	perf_put_u32(s, (uint32_t)room);
	str_addn(s, bytes->p, bytes->len);
	put_zeros(s, room - bytes->len);
}

static int start_pipe(struct perf_write *w, const struct perf_write_event *events, uint32_t nr,
		      struct err *err)
{
	struct str s = STR_INIT;
	int r = 0;

	str_addn(&s, magic, sizeof(magic));
	perf_put_u64(&s, 16);
	for (uint32_t i = 0; i < nr && r == 0; i++)
		r = put_attr(&s, &events[i], nr, err);
	for (int i = 0; i < FEATURE_MAX; i++)
		if (w->features[i].present && i != FEATURE_TRACING_DATA && i != FEATURE_BUILD_ID)
			put_feature(&s, i, &w->features[i].bytes);
	for (uint32_t i = 0; i < nr; i++)
		put_updates(&s, &events[i]);
	if (w->features[FEATURE_TRACING_DATA].present)
		put_tracing_data(&s, &w->features[FEATURE_TRACING_DATA].bytes);
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
		make_compressed(w, &s);
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
	w->finished = true;
}

static int finish_file(struct perf_write *w, struct err *err)
{
	struct str s = STR_INIT;
	int r = 0;

	leave_rest(w);
	if (w->zstd) {
		make_compressed(w, &s);
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
	bool failed = w->failed;
	int r = 0;

	if (w->finished || !w->started)
		return 0;
	w->finished = true;
	if (w->is_pipe && !failed && w->features[FEATURE_BUILD_ID].present)
		r = perf_write_records(w, w->features[FEATURE_BUILD_ID].bytes.p,
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

uint64_t perf_write_kept(const struct perf_write *w)
{
	return w->failed ? w->kept : 0;
}

uint64_t perf_write_bytes(const struct perf_write *w)
{
	return w->bytes;
}

uint64_t perf_write_raw_bytes(const struct perf_write *w)
{
	return w->raw_bytes;
}

uint64_t perf_write_ring_bytes(const struct perf_write *w)
{
	return w->ring_bytes;
}
