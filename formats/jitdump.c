/* SPDX-License-Identifier: MIT */
#include "formats/jitdump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAGIC 0x4a695444u
#define HEADER_BYTES 40
#define PREFIX_BYTES 16
#define NAME_MOST 65536
#define TABLES_MOST ((size_t)64 << 20)   /* lines or unwinding tables of one function */

static uint32_t u32_at(const uint8_t *p, bool swap)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap32(v) : v;
}

static uint64_t u64_at(const uint8_t *p, bool swap)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return swap ? __builtin_bswap64(v) : v;
}

/* As much of `size` bytes as there is. */
static size_t read_most(struct jitdump *d, void *to, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = d->read(d->arg, (uint8_t *)to + done, size - done, offset + done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

int jitdump_open(struct jitdump *d, jitdump_read *read, void *arg, struct err *err)
{
	uint8_t h[HEADER_BYTES];
	uint32_t size;

	*d = (struct jitdump){ .read = read, .arg = arg };
	if (read_most(d, h, sizeof(h), 0) < sizeof(h))
		return err_set(err, EBADMSG, "not a jitdump: shorter than its header of %d bytes",
			       HEADER_BYTES);
	d->swap = u32_at(h, true) == MAGIC;
	if (!d->swap && u32_at(h, false) != MAGIC)
		return err_set(err, EBADMSG, "not a jitdump: it does not begin with 'JiTD'");
	d->version = u32_at(h + 4, d->swap);
	size = u32_at(h + 8, d->swap);
	if (d->version < 1 || d->version > 2 || size < HEADER_BYTES)
		return err_set(err, EBADMSG, "jitdump of version %" PRIu32 " with a header of %" PRIu32
			       " bytes; versions 1 and 2 are known", d->version, size);
	d->machine = u32_at(h + 12, d->swap);
	d->pid = u32_at(h + 20, d->swap);
	d->time_ns = u64_at(h + 24, d->swap);
	d->flags = u64_at(h + 32, d->swap);
	d->at = size;
	return 0;
}

void jitdump_release(struct jitdump *d)
{
	free(d->buf);
	d->buf = NULL;
	d->room = 0;
}

static bool parse_load(struct jitdump_record *r, const uint8_t *p, size_t have, bool swap)
{
	size_t len;

	if (have < 41)
		return false;
	r->pid = u32_at(p, swap);
	r->tid = u32_at(p + 4, swap);
	r->addr = u64_at(p + 16, swap);
	r->size = u64_at(p + 24, swap);
	r->index = u64_at(p + 32, swap);
	r->name = (const char *)p + 40;
	len = strnlen(r->name, have - 40);
	r->code_off = r->file_off + PREFIX_BYTES + 40 + len + 1;
	return len < have - 40;
}

static bool parse_move(struct jitdump_record *r, const uint8_t *p, size_t have, bool swap)
{
	if (have < 48)
		return false;
	r->pid = u32_at(p, swap);
	r->tid = u32_at(p + 4, swap);
	r->old_addr = u64_at(p + 16, swap);
	r->addr = u64_at(p + 24, swap);
	r->size = u64_at(p + 32, swap);
	r->index = u64_at(p + 40, swap);
	return true;
}

static bool parse_tables(struct jitdump_record *r, const uint8_t *p, size_t have, bool swap)
{
	size_t head = r->type == JITDUMP_DEBUG_INFO ? 16 : 24;

	if (have < head)
		return false;
	if (r->type == JITDUMP_DEBUG_INFO) {
		r->addr = u64_at(p, swap);
		r->nr_lines = u64_at(p + 8, swap);
		r->nr_bytes = have - head;
	} else {
		r->eh_frame_hdr_size = u64_at(p + 8, swap);
		r->mapped_size = u64_at(p + 16, swap);
		r->nr_bytes = have - head;
		/* filled up to a multiple of 8 behind what it says */
		if (u64_at(p, swap) < r->nr_bytes)
			r->nr_bytes = (size_t)u64_at(p, swap);
		if (r->eh_frame_hdr_size > r->nr_bytes)
			return false;
	}
	r->bytes = p + head;
	return true;
}

static bool parse(struct jitdump_record *r, const uint8_t *p, size_t have, bool swap)
{
	switch (r->type) {
	case JITDUMP_LOAD:
		return parse_load(r, p, have, swap);
	case JITDUMP_MOVE:
		return parse_move(r, p, have, swap);
	case JITDUMP_DEBUG_INFO:
	case JITDUMP_UNWINDING:
		return parse_tables(r, p, have, swap);
	default:
		return true;
	}
}

/* How much of a record's body is worth reading. */
static size_t wanted(uint32_t type, size_t body)
{
	size_t most = 0;

	if (type == JITDUMP_LOAD)
		most = 40 + NAME_MOST;
	else if (type == JITDUMP_MOVE)
		most = 48;
	else if (type == JITDUMP_DEBUG_INFO || type == JITDUMP_UNWINDING)
		most = TABLES_MOST;
	return body < most ? body : most;
}

/* Into the buffer, which grows with what is there and not with what is said to be. */
static size_t read_body(struct jitdump *d, size_t size, uint64_t offset)
{
	size_t have = 0;

	while (have < size) {
		size_t part = size - have < NAME_MOST ? size - have : NAME_MOST, n;

		if (d->room < have + part) {
			d->room = have + part > 2 * d->room ? have + part : 2 * d->room;
			d->buf = mem_realloc_array(d->buf, d->room, 1);
		}
		n = read_most(d, d->buf + have, part, offset + have);
		have += n;
		if (n < part)
			break;
	}
	return have;
}

int jitdump_next(struct jitdump *d, struct jitdump_record *out, struct err *err)
{
	uint8_t prefix[PREFIX_BYTES];
	size_t have = read_most(d, prefix, sizeof(prefix), d->at), body, want;
	uint32_t size;

	if (!have)
		return 0;
	*out = (struct jitdump_record){ .file_off = d->at };
	if (have < sizeof(prefix))
		return err_set(err, EBADMSG, "jitdump: cut off at byte %" PRIu64, d->at);
	out->type = u32_at(prefix, d->swap);
	size = u32_at(prefix + 4, d->swap);
	out->time_ns = u64_at(prefix + 8, d->swap);
	if (size < PREFIX_BYTES)
		return err_set(err, EBADMSG, "jitdump: the record at byte %" PRIu64 " says it has %"
			       PRIu32 " bytes; %d is the least", d->at, size, PREFIX_BYTES);
	body = size - PREFIX_BYTES;
	want = wanted(out->type, body);
	have = read_body(d, want, d->at + PREFIX_BYTES);
	/* Of a LOAD that is cut off in its code the name is whole: parse tells. */
	if ((have < want && out->type != JITDUMP_LOAD) || !parse(out, d->buf, have, d->swap))
		return err_set(err, EBADMSG, "jitdump: the record at byte %" PRIu64
			       " is cut off or contradicts itself", d->at);
	d->at += size;
	return 1;
}

bool jitdump_line(const uint8_t *bytes, size_t nr_bytes, bool swap, size_t *at,
		  struct jitdump_line *line)
{
	const char *file;
	size_t left, len;

	if (*at > nr_bytes || nr_bytes - *at < 17)
		return false;
	left = nr_bytes - *at - 16;
	file = (const char *)bytes + *at + 16;
	len = strnlen(file, left);
	if (len == left)
		return false;
	line->addr = u64_at(bytes + *at, swap);
	line->line = u32_at(bytes + *at + 8, swap);
	line->discriminator = u32_at(bytes + *at + 12, swap);
	if (strcmp(file, "\xff") != 0 || *at == 0)
		line->file = file;
	*at += 16 + len + 1;
	return true;
}
