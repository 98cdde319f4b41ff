/* SPDX-License-Identifier: MIT */
/* COMPRESSED records: one zstd stream, flushed at the end of each record. */
#include "formats/perf_write_priv.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

#define COMPRESS_CHUNK (48u << 10)

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
	return perf_write_append(w, &(struct iovec){ w->packed, header.size }, 1, err);
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

int perf_write_packed(struct perf_write *w, const struct iovec *pieces, int nr,
			   struct err *err)
{
	struct iovec copy[2], *v = copy;
	uint64_t kept = 0;

	memcpy(copy, pieces, (size_t)nr * sizeof(*pieces));
	perf_write_advance(&v, &nr, 0);
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
		perf_write_advance(&v, &nr, COMPRESS_CHUNK - room);
	}
	return 0;
}

void perf_write_put_compressed(struct perf_write *w, struct str *s)
{
	uint64_t ratio = w->ring_bytes ? (w->raw_bytes + w->ring_bytes / 2) / w->ring_bytes : 0;

	perf_put_u32(s, 1);              /* version of this section */
	perf_put_u32(s, 1);              /* zstd */
	perf_put_u32(s, (uint32_t)w->level);
	perf_put_u32(s, (uint32_t)ratio);
	perf_put_u32(s, (uint32_t)w->largest);
}
