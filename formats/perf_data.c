/* SPDX-License-Identifier: MIT */
#include "formats/perf_data.h"

#include <byteswap.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "formats/event_name.h"
#include "formats/pack.h"
#include "formats/perf_data_priv.h"

const char perf_data_default_path[] = "perf.data";

#define MAGIC_1 0x454c494646524550ull    /* "PERFFILE" read as little-endian */
#define MAGIC_2 0x32454c4946524550ull    /* "PERFILE2" */
#define PIPE_HEADER_BYTES 16
#define FILE_HEADER_BYTES 104
#define ATTR_SIZE_VER0 64                /* PERF_ATTR_SIZE_VER0 */
#define ATTR_BYTES_MAX (65536u + 16)        /* a kernel takes a page, which may be this large */
#define EVENTS_MAX 65536
#define TEXT_EVENTS_MAX 256              /* of what looks like an event's name */

/* --- regions ------------------------------------------------------------------ */

const uint8_t *region_bytes(struct region *r, uint64_t n)
{
	const uint8_t *p = r->at;

	if (r->bad || n > (uint64_t)(r->end - r->at)) {
		r->bad = true;
		return NULL;
	}
	r->at += n;
	return p;
}

uint16_t region_u16(struct region *r)
{
	const uint8_t *p = region_bytes(r, 2);
	uint16_t v = 0;

	if (p)
		memcpy(&v, p, 2);
	return r->swap ? bswap_16(v) : v;
}

uint32_t region_u32(struct region *r)
{
	const uint8_t *p = region_bytes(r, 4);
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, 4);
	return r->swap ? bswap_32(v) : v;
}

uint64_t region_u64(struct region *r)
{
	const uint8_t *p = region_bytes(r, 8);
	uint64_t v = 0;

	if (p)
		memcpy(&v, p, 8);
	return r->swap ? bswap_64(v) : v;
}

const char *region_string(struct region *r, struct arena *arena)
{
	uint32_t room = region_u32(r);
	const uint8_t *p = region_bytes(r, room);

	return p ? arena_strndup(arena, (const char *)p, room) : NULL;
}

struct region perf_data_region(const struct perf_data *data, uint64_t off, uint64_t size, bool *cut)
{
	const uint8_t *map = data->priv->map;
	/* where names were packed into it, the file that they were packed into */
	uint64_t end = data->file_size, from = off < end ? off : end;
	uint64_t len = size < end - from ? size : end - from;

	if (cut)
		*cut = from != off || len != size;
	return (struct region){ map + from, map + from + len, data->swap, false };
}

void perf_data_add_damage(struct perf_data *data, uint64_t off, uint64_t skipped, const char *fmt,
			  ...)
{
	struct damage *d = vec_push(&data->priv->damages);
	va_list ap;

	d->file_off = off;
	d->skipped_bytes = skipped;
	va_start(ap, fmt);
	vsnprintf(d->what, sizeof(d->what), fmt, ap);
	va_end(ap);
}

/* --- attrs -------------------------------------------------------------------- */

static uint8_t bits_reversed(uint8_t b)
{
	b = (uint8_t)(b >> 4 | b << 4);
	b = (uint8_t)((b & 0xcc) >> 2 | (b & 0x33) << 2);
	return (uint8_t)((b & 0xaa) >> 1 | (b & 0x55) << 1);
}

/*
 * The fields of struct perf_event_attr are u64 but for the pairs below; the flags
 * word is a bit field, which a machine of the other byte order lays out from the
 * other end, so that the bits of each byte are mirrored.
 */
static void swap_attr(struct perf_event_attr *attr)
{
	uint8_t *flags = (uint8_t *)&attr->read_format + 8;
	unsigned precise;

	attr->type = bswap_32(attr->type);
	attr->size = bswap_32(attr->size);
	attr->config = bswap_64(attr->config);
	attr->sample_period = bswap_64(attr->sample_period);
	attr->sample_type = bswap_64(attr->sample_type);
	attr->read_format = bswap_64(attr->read_format);
	for (int i = 0; i < 8; i++)
		flags[i] = bits_reversed(flags[i]);
	precise = attr->precise_ip;
	attr->precise_ip = (precise >> 1 | precise << 1) & 3;
	attr->wakeup_events = bswap_32(attr->wakeup_events);
	attr->bp_type = bswap_32(attr->bp_type);
	attr->config1 = bswap_64(attr->config1);
	attr->config2 = bswap_64(attr->config2);
	attr->branch_sample_type = bswap_64(attr->branch_sample_type);
	attr->sample_regs_user = bswap_64(attr->sample_regs_user);
	attr->sample_stack_user = bswap_32(attr->sample_stack_user);
	attr->clockid = (int32_t)bswap_32((uint32_t)attr->clockid);
	attr->sample_regs_intr = bswap_64(attr->sample_regs_intr);
	attr->aux_watermark = bswap_32(attr->aux_watermark);
	attr->sample_max_stack = bswap_16(attr->sample_max_stack);
	attr->aux_sample_size = bswap_32(attr->aux_sample_size);
	attr->sig_data = bswap_64(attr->sig_data);
}

void perf_data_decode_attr(const struct perf_data *data, const uint8_t *bytes, uint64_t size,
			   struct perf_event_attr *attr)
{
	uint32_t own;

	memset(attr, 0, sizeof(*attr));
	if (size > sizeof(*attr))
		size = sizeof(*attr);
	memcpy(attr, bytes, size);
	if (data->swap)
		swap_attr(attr);
	/* attr.size may say less than the room it stands in; 0 means the first version */
	own = attr->size ? attr->size : ATTR_SIZE_VER0;
	if (own < size && own >= ATTR_SIZE_VER0)
		memset((uint8_t *)attr + own, 0, size - own);
}

struct event_desc *perf_data_add_event(struct perf_data *data, const struct perf_event_attr *attr)
{
	struct event_set *set = &data->events;
	struct event_desc *event;

	set->v = mem_realloc_array(set->v, (size_t)set->nr + 1, sizeof(*set->v));
	event = &set->v[set->nr];
	memset(event, 0, sizeof(*event));
	event->attr = *attr;
	event->index = event->leader = set->nr++;
	event->nr_members = 1;
	event->scale = 1.0;
	return event;
}

static void set_ids(struct perf_data *data, struct event_desc *event, struct region ids)
{
	uint64_t nr = (uint64_t)(ids.end - ids.at) / 8;

	(void)data;
	if (nr > UINT32_MAX)
		nr = UINT32_MAX;
	free(event->ids);
	event->ids = mem_alloc(nr * sizeof(*event->ids));
	event->nr_ids = (uint32_t)nr;
	for (uint32_t i = 0; i < nr; i++)
		event->ids[i] = region_u64(&ids);
}

static void name_from_attr(struct event_desc *event)
{
	struct str name = STR_INIT;

	event_name_add(&name, &event->attr);
	event->name = str_take(&name);
}

/* --- seekable files ---------------------------------------------------------- */

struct file_header {
	uint64_t size, attr_size;
	struct { uint64_t off, size; } attrs, data, event_types;
	uint64_t features[FEATURE_MAX / 64];
};

static void read_header(const struct perf_data *data, struct file_header *h)
{
	struct region r = perf_data_region(data, 8, FILE_HEADER_BYTES - 8, NULL);

	h->size = region_u64(&r);
	h->attr_size = region_u64(&r);
	h->attrs.off = region_u64(&r);
	h->attrs.size = region_u64(&r);
	h->data.off = region_u64(&r);
	h->data.size = region_u64(&r);
	h->event_types.off = region_u64(&r);
	h->event_types.size = region_u64(&r);
	for (int i = 0; i < FEATURE_MAX / 64; i++)
		h->features[i] = region_u64(&r);
	/*
	 * The bitmap is made of longs. A 32-bit machine of the other byte order
	 * swapped its halves; every recorder since 2.6.34 sets HOSTNAME, by which
	 * that is seen (perf's own reader does the same).
	 */
	if (data->swap && !(h->features[0] >> FEATURE_HOSTNAME & 1))
		for (int i = 0; i < FEATURE_MAX / 64; i++)
			h->features[i] = h->features[i] >> 32 | h->features[i] << 32;
}

static int read_attrs(struct perf_data *data, const struct file_header *h, struct err *err)
{
	/* ids do not share bytes: events that all name the same ones would take them many times */
	uint64_t each = h->attr_size, nr, room = data->file_size;
	bool cut;
	struct region r = perf_data_region(data, h->attrs.off, h->attrs.size, &cut);

	if (each < ATTR_SIZE_VER0 + 16 || each > ATTR_BYTES_MAX)
		return err_set(err, EBADMSG,
			       "'%s': its header says that an event attribute has %" PRIu64 " bytes; the file is damaged",
			       data->path, each);
	nr = (uint64_t)(r.end - r.at) / each;
	if (cut)
		perf_data_add_damage(data, data->file_size, 0, "the file ends within the events");
	if (nr > EVENTS_MAX)
		return err_set(err, EBADMSG, "'%s': %" PRIu64 " events in its header; the file is damaged",
			       data->path, nr);
	if (!nr)
		return err_set(err, EBADMSG, "'%s' holds no events; %s", data->path,
			       cut ? "it was cut off in its header" : "its header is damaged");
	for (uint64_t i = 0; i < nr; i++) {
		struct region e = { r.at + i * each, r.at + (i + 1) * each, data->swap, false };
		const uint8_t *bytes = region_bytes(&e, each - 16);
		struct perf_event_attr attr;
		struct event_desc *event;
		uint64_t off, size;

		perf_data_decode_attr(data, bytes, each - 16, &attr);
		event = perf_data_add_event(data, &attr);
		off = region_u64(&e);
		size = region_u64(&e);
		if (size > room) {
			perf_data_add_damage(data, off, 0, "event %" PRIu64 " has more ids than the file has room for",
					     i);
			size = 0;
		}
		room -= size;
		set_ids(data, event, perf_data_region(data, off, size, NULL));
	}
	return 0;
}

/* Names of old recorders: {u64 config, char name[64]} per tracepoint or so. */
static void read_event_types(struct perf_data *data, const struct file_header *h)
{
	struct region r = perf_data_region(data, h->event_types.off, h->event_types.size, NULL);

	while (r.end - r.at >= 72) {
		uint64_t config = region_u64(&r);
		const char *name = (const char *)region_bytes(&r, 64);

		for (uint32_t i = 0; i < data->events.nr; i++) {
			struct event_desc *event = &data->events.v[i];

			if (event->attr.config == config && !event->name &&
			    event->attr.type == PERF_TYPE_TRACEPOINT)
				event->name = mem_strndup(name, 64);
		}
	}
}

/*
 * Names that were packed into the file hang on the same place of the header. They are
 * the end of the file and no part of the recording; what stood there before them is told
 * by themselves.
 */
static void read_pack(struct perf_data *data, struct file_header *h)
{
	struct region r = perf_data_region(data, h->event_types.off, h->event_types.size, NULL);
	uint64_t off, size;

	if (!pack_header(r.at, (uint64_t)(r.end - r.at), &off, &size))
		return;
	data->pack = (struct feature_section){ true, r.at, (uint64_t)(r.end - r.at),
					       h->event_types.off };
	data->file_size = h->event_types.off;
	h->event_types.off = off;
	h->event_types.size = size;
}

static void read_features(struct perf_data *data, const struct file_header *h)
{
	uint64_t end = h->data.off + h->data.size;
	struct region table;
	unsigned nr = 0;
	bool cut;

	for (unsigned f = 0; f < FEATURE_MAX; f++)
		nr += h->features[f / 64] >> (f % 64) & 1;
	if (end < h->data.off)
		return;
	table = perf_data_region(data, end, (uint64_t)nr * 16, &cut);
	if (cut)
		perf_data_add_damage(data, data->file_size, 0,
				     "the file ends within its feature sections");
	for (unsigned f = 0; f < FEATURE_MAX; f++) {
		uint64_t off, size;
		struct region r;

		if (!(h->features[f / 64] >> (f % 64) & 1))
			continue;
		off = region_u64(&table);
		size = region_u64(&table);
		if (table.bad)
			return;
		r = perf_data_region(data, off, size, &cut);
		if (cut)
			perf_data_add_damage(data, off, size, "feature section %u goes past the end of the file",
					     f);
		perf_data_feature(data, f, r, off);
	}
}

static int open_seekable(struct perf_data *data, struct err *err)
{
	struct file_header h;
	int r;

	if (data->file_size < FILE_HEADER_BYTES)
		return err_set(err, EBADMSG, "'%s' is cut off in its header (%" PRIu64 " bytes)",
			       data->path, data->file_size);
	read_header(data, &h);
	read_pack(data, &h);
	r = read_attrs(data, &h, err);
	if (r < 0)
		return r;
	read_event_types(data, &h);
	data->data_off = h.data.off;
	data->data_size = h.data.size;
	if (h.data.off > data->file_size)
		return err_set(err, EBADMSG, "'%s' ends before its data begins", data->path);
	if (!h.data.size) {
		/* The recorder could not write the size; take what is there. */
		data->unfinished = true;
		data->data_size = data->file_size - h.data.off;
	} else if (h.data.size > data->file_size - h.data.off) {
		data->data_size = data->file_size - h.data.off;
		perf_data_add_damage(data, data->file_size,
				     h.data.size - data->data_size,
				     "the file is cut off: %" PRIu64 " bytes of its data are missing",
				     h.data.size - data->data_size);
	} else {
		bool any = false;

		for (int i = 0; i < FEATURE_MAX / 64; i++)
			any |= h.features[i] != 0;
		/*
		 * A recorder states its features when it closes the file. None, or
		 * no room for them, means that it did not; what it wrote after its
		 * last note of the size is data too.
		 */
		data->unfinished = !any || h.data.off + h.data.size == data->file_size;
		if (!any)
			data->data_size = data->file_size - h.data.off;
		else if (!data->unfinished)
			read_features(data, &h);
	}
	return 0;
}

/* --- pipes --------------------------------------------------------------------- */

static void pipe_attr(struct perf_data *data, struct region r)
{
	struct perf_event_attr attr;
	uint32_t size = 0;

	/* {attr, ids[]}: attr.size, the second u32, says where the ids begin */
	if (r.end - r.at < ATTR_SIZE_VER0 || data->events.nr >= EVENTS_MAX)
		return;
	memcpy(&size, r.at + 4, 4);
	size = data->swap ? bswap_32(size) : size;
	if (!size)
		size = ATTR_SIZE_VER0;
	if (size > (uint64_t)(r.end - r.at))
		return;
	perf_data_decode_attr(data, r.at, size, &attr);
	r.at += size;
	set_ids(data, perf_data_add_event(data, &attr), r);
}

static void pipe_event_type(struct perf_data *data, struct region r)
{
	uint64_t config = region_u64(&r);
	const char *name = (const char *)region_bytes(&r, 64);

	for (uint32_t i = 0; name && i < data->events.nr; i++) {
		struct event_desc *event = &data->events.v[i];

		if (event->attr.config == config && event->attr.type == PERF_TYPE_TRACEPOINT &&
		    !event->name)
			event->name = mem_strndup(name, 64);
	}
}

/* struct perf_record_event_update: u64 type, u64 id, then by type. */
static void pipe_event_update(struct perf_data *data, struct region r)
{
	enum { UPDATE_UNIT, UPDATE_SCALE, UPDATE_NAME };
	uint64_t type = region_u64(&r), id = region_u64(&r);
	struct event_desc *event = NULL;

	for (uint32_t i = 0; i < data->events.nr && !event; i++)
		for (uint32_t j = 0; j < data->events.v[i].nr_ids; j++)
			if (data->events.v[i].ids[j] == id)
				event = &data->events.v[i];
	if (!event || r.bad)
		return;
	if (type == UPDATE_NAME && r.at < r.end && *r.at) {
		free(event->name);
		event->name = mem_strndup((const char *)r.at, (size_t)(r.end - r.at));
	} else if (type == UPDATE_UNIT) {
		free(event->unit);
		event->unit = mem_strndup((const char *)r.at, (size_t)(r.end - r.at));
	} else if (type == UPDATE_SCALE) {
		uint64_t bits = region_u64(&r);

		memcpy(&event->scale, &bits, sizeof(event->scale));
	}
}

static void pipe_feature(struct perf_data *data, struct region r, uint64_t file_off)
{
	uint64_t feature = region_u64(&r);

	if (!r.bad && feature < FEATURE_MAX)
		perf_data_feature(data, (unsigned)feature, r, file_off + 16);
}

/*
 * What a seekable file has in its header stands in a pipe's records, most of it
 * before the first sample but not all: walk them once.
 */
static int open_pipe(struct perf_data *data, struct err *err)
{
	struct blocks *blocks;
	struct block block;
	int r;

	data->is_pipe = true;
	data->data_off = PIPE_HEADER_BYTES;
	data->data_size = data->file_size - PIPE_HEADER_BYTES;
	blocks = blocks_new(data);
	while ((r = blocks_next(blocks, &block, err)) > 0) {
		const uint8_t *bytes;
		size_t at = 0;

		while ((bytes = block_record(&block, data->swap, &at))) {
			struct perf_event_header h = record_header(bytes, data->swap);
			struct region body = { bytes + 8, bytes + h.size, data->swap, false };
			uint64_t off = block.file_off + (uint64_t)(bytes - block.bytes);

			if (h.type < RECORD_HEADER_ATTR || block.owned)
				continue;
			if (h.type == RECORD_HEADER_ATTR) {
				pipe_attr(data, body);
			} else if (h.type == RECORD_HEADER_EVENT_TYPE) {
				pipe_event_type(data, body);
			} else if (h.type == RECORD_EVENT_UPDATE) {
				pipe_event_update(data, body);
			} else if (h.type == RECORD_HEADER_FEATURE) {
				pipe_feature(data, body, off);
			} else if (h.type == RECORD_HEADER_TRACING_DATA) {
				struct region payload = perf_data_region(data, off + h.size,
									 region_u32(&body), NULL);

				perf_data_feature(data, FEATURE_TRACING_DATA, payload, off + h.size);
			}
		}
		block_release(&block);
	}
	blocks_free(blocks);
	if (r < 0)
		return r;
	if (!data->events.nr)
		return err_set(err, EBADMSG, "'%s' holds no events: the recorder wrote none, or it was cut off",
			       data->path);
	return 0;
}

/* --- opening -------------------------------------------------------------------- */

/* Copy what cannot be mapped (a pipe, a terminal) to a file without a name. */
static int spool(int fd, const char *path, struct err *err)
{
	static const size_t step = 1 << 20;
	int out = file_temporary(), r = 0;
	char *buf;

	if (out < 0)
		return err_set(err, -out, "cannot make a temporary file for '%s': %s", path,
			       strerror(-out));
	buf = mem_alloc(step);
	for (;;) {
		ssize_t n = read(fd, buf, step);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = err_set(err, errno, "cannot read '%s': %s", path, strerror(errno));
		if (n <= 0)
			break;
		for (ssize_t done = 0; done < n;) {
			ssize_t w = write(out, buf + done, (size_t)(n - done));

			if (w < 0 && errno == EINTR)
				continue;
			if (w < 0) {
				r = err_set(err, errno, "cannot keep what '%s' sends in a temporary file: %s; TMPDIR may name a folder with more room",
					    path, strerror(errno));
				goto out;
			}
			done += w;
		}
	}
out:
	free(buf);
	if (r < 0) {
		close(out);
		return r;
	}
	return out;
}

/* Map a regular file whole; an empty one is NULL. The descriptor stays the caller's. */
static int map_fd(int fd, const char *path, const uint8_t **map, uint64_t *size, struct err *err)
{
	struct stat st;
	void *p;

	*map = NULL;
	*size = 0;
	if (fstat(fd, &st) < 0)
		return err_set(err, errno, "cannot stat '%s': %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "'%s' is not a regular file", path);
	if (!st.st_size)
		return 0;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_set(err, errno, "cannot map '%s': %s", path, strerror(errno));
	*map = p;
	*size = (uint64_t)st.st_size;
	return 0;
}

/* The files data.0, data.1, ... beside "data" in a directory. */
static int map_parts(struct perf_data *data, int dir, struct err *err)
{
	for (unsigned i = 0;; i++) {
		struct data_part part;
		char name[32];
		int fd, r;

		snprintf(name, sizeof(name), "data.%u", i);
		fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd < 0 && errno == ENOENT)
			return 0;
		if (fd < 0)
			return err_set(err, errno, "cannot open '%s/%s': %s", data->path, name,
				       strerror(errno));
		r = map_fd(fd, name, &part.map, &part.size, err);
		close(fd);
		if (r < 0)
			return r;
		if (part.size)
			*vec_push(&data->priv->parts) = part;
	}
}

/* Open "data" in the directory `dir`, which is closed; returns its descriptor. */
static int open_directory(struct perf_data *data, int dir, struct err *err)
{
	int fd = openat(dir, "data", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r;

	data->is_directory = true;
	if (fd < 0) {
		r = err_set(err, errno, "'%s' is a directory, but no recording in directory format: cannot open its file 'data': %s",
			    data->path, strerror(errno));
	} else {
		r = map_parts(data, dir, err);
		if (r < 0)
			close(fd);
	}
	close(dir);
	return r < 0 ? r : fd;
}

static int map_file(struct perf_data *data, struct err *err)
{
	bool is_stdin = strcmp(data->path, "-") == 0;
	int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(data->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	int r = 0;

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ENOENT, "no file '%s'; `sonde record` makes one, -i names another",
			       data->path);
	if (fd < 0)
		return err_set(err, errno, "cannot open '%s': %s", data->path, strerror(errno));
	if (fstat(fd, &st) < 0) {
		r = err_set(err, errno, "cannot stat '%s': %s", data->path, strerror(errno));
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		fd = open_directory(data, fd, err);
		if (fd < 0)
			return fd;
		if (fstat(fd, &st) < 0)
			st.st_mtime = 0;
	} else if (!S_ISREG(st.st_mode)) {
		int file = spool(fd, data->path, err);

		if (file < 0) {
			r = file;
			goto out;
		}
		close(fd);
		fd = file;
	}
	data->created_s = (uint64_t)st.st_mtime;
	r = map_fd(fd, data->path, &data->priv->map, &data->priv->map_size, err);
	data->file_size = data->priv->map_size;
	if (!r && !data->file_size)
		r = err_set(err, EBADMSG, "'%s' is empty", data->path);
out:
	close(fd);
	return r;
}

/* Both magics in both byte orders; the first one reads the same in a file's own order. */
static int check_magic(struct perf_data *data, uint64_t *header_size, struct err *err)
{
	uint64_t magic, size;

	if (data->file_size < PIPE_HEADER_BYTES)
		return err_set(err, EBADMSG, "'%s' is not perf.data: it has only %" PRIu64 " bytes",
			       data->path, data->file_size);
	memcpy(&magic, data->priv->map, 8);
	memcpy(&size, data->priv->map + 8, 8);
	if (magic == MAGIC_1) {
		/* the magic of before 3.2 is a string; the header's size tells the order */
		data->swap = size != FILE_HEADER_BYTES && size != PIPE_HEADER_BYTES;
	} else if (magic == MAGIC_2) {
		data->swap = false;
	} else if (bswap_64(magic) == MAGIC_2) {
		data->swap = true;
	} else {
		return err_set(err, EBADMSG, "'%s' is not perf.data: it does not begin with PERFILE2",
			       data->path);
	}
	*header_size = data->swap ? bswap_64(size) : size;
	return 0;
}

static void name_events(struct perf_data *data)
{
	for (uint32_t i = 0; i < data->events.nr; i++)
		if (!data->events.v[i].name)
			name_from_attr(&data->events.v[i]);
}

/* --- text in the place of records ------------------------------------------------------------ */

static struct event_desc *text_event(struct perf_data *data, struct text_piece name)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE, .size = sizeof(attr),
					.sample_type = PERF_SAMPLE_IP };
	struct event_desc *event;

	if (!name.p)
		name = (struct text_piece){ "samples", strlen("samples") };
	for (uint32_t i = 0; i < data->events.nr; i++) {
		event = &data->events.v[i];
		if (strlen(event->name) == name.len && memcmp(event->name, name.p, name.len) == 0)
			return event;
	}
	if (data->events.nr >= TEXT_EVENTS_MAX)
		return &data->events.v[0];
	if (name.len >= 9 && memcmp(name.p, "cpu-clock", 9) == 0) {
		attr.type = PERF_TYPE_SOFTWARE;
		attr.config = PERF_COUNT_SW_CPU_CLOCK;
	} else if (name.len >= 10 && memcmp(name.p, "task-clock", 10) == 0) {
		attr.type = PERF_TYPE_SOFTWARE;
		attr.config = PERF_COUNT_SW_TASK_CLOCK;
	}
	event = perf_data_add_event(data, &attr);
	event->name = mem_strndup(name.p, name.len);
	return event;
}

/* Which events there are, what their samples tell, and from when to when. */
static void open_text(struct perf_data *data)
{
	struct stack_text_sample sample;
	struct stack_text text;

	data->text.bytes = data->priv->map;
	data->text.size = data->priv->map_size;
	stack_text_init(&text, data->text.form, data->text.bytes, data->text.size);
	while (stack_text_next(&text, &sample)) {
		__u64 *type = &text_event(data, sample.event)->attr.sample_type;

		if (sample.tid != UINT32_MAX)
			*type |= PERF_SAMPLE_TID;
		if (sample.cpu != UINT32_MAX)
			*type |= PERF_SAMPLE_CPU;
		if (sample.has_period)
			*type |= PERF_SAMPLE_PERIOD;
		if (sample.nr_frames > 1)
			*type |= PERF_SAMPLE_CALLCHAIN;
		if (!sample.has_time)
			continue;
		*type |= PERF_SAMPLE_TIME;
		if (!data->first_sample_ns || sample.time_ns < data->first_sample_ns)
			data->first_sample_ns = sample.time_ns;
		if (sample.time_ns > data->last_sample_ns)
			data->last_sample_ns = sample.time_ns;
	}
	if (text.nr_odd)
		log_note("'%s': %" PRIu64 " lines are neither stacks nor samples", data->path, text.nr_odd);
	stack_text_release(&text);
}

/* Is it text of stacks? Which form goes to data->text. */
static bool is_text(struct perf_data *data)
{
	data->text.form = stack_text_recognise(data->priv->map, data->priv->map_size);
	return data->text.form != STACK_TEXT_NONE;
}

static int refuse_text(const struct perf_data *data, struct err *err)
{
	return err_set(err, EBADMSG, "'%s' is not perf.data but text (%s), which report, diff, flame, fold and "
		       "export read", data->path, data->text.form == STACK_TEXT_FOLDED ? "folded stacks" :
		       "as perf script prints it");
}

static int open_any(struct perf_data **out, const char *path, bool text_too, struct err *err)
{
	struct perf_data *data = mem_zalloc(sizeof(*data));
	uint64_t header_size = 0;
	int r;

	data->priv = mem_zalloc(sizeof(*data->priv));
	arena_init(&data->priv->arena);
	data->path = arena_strdup(&data->priv->arena, path);
	data->clockid = UINT64_MAX;
	r = map_file(data, err);
	if (!r && is_text(data)) {
		if (text_too)
			open_text(data);
		else
			r = refuse_text(data, err);
	} else if (!r) {
		r = check_magic(data, &header_size, err);
	}
	if (!r && !data->text.form)
		r = header_size == PIPE_HEADER_BYTES ? open_pipe(data, err) :
						       open_seekable(data, err);
	if (!r) {
		name_events(data);
		r = event_set_index(&data->events, err);
	}
	if (r < 0) {
		perf_data_close(data);
		return r;
	}
	if (data->events.v[0].attr.use_clockid)
		data->clockid = (uint64_t)data->events.v[0].attr.clockid;
	data->damages = data->priv->damages.v;
	data->nr_damages = (uint32_t)data->priv->damages.nr;
	data->build_ids = data->priv->build_ids.v;
	data->nr_build_ids = (uint32_t)data->priv->build_ids.nr;
	*out = data;
	return 0;
}

int perf_data_open(struct perf_data **out, const char *path, struct err *err)
{
	return open_any(out, path, false, err);
}

int perf_data_open_stacks(struct perf_data **out, const char *path, struct err *err)
{
	return open_any(out, path, true, err);
}

void perf_data_close(struct perf_data *data)
{
	if (!data)
		return;
	event_set_release(&data->events);
	if (data->priv->map)
		munmap((void *)(uintptr_t)data->priv->map, (size_t)data->priv->map_size);
	for (size_t i = 0; i < data->priv->parts.nr; i++)
		munmap((void *)(uintptr_t)data->priv->parts.v[i].map,
		       (size_t)data->priv->parts.v[i].size);
	vec_release(&data->priv->parts);
	vec_release(&data->priv->damages);
	vec_release(&data->priv->build_ids);
	arena_release(&data->priv->arena);
	free(data->priv);
	free(data);
}
