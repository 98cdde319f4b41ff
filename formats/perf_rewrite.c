/* SPDX-License-Identifier: MIT */
#include "formats/perf_rewrite.h"

#include <byteswap.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "formats/pack.h"
#include "formats/perf_data_priv.h"

#define EVENT_TYPES_AT 56                /* in the file's header: u64 offset, u64 size */
#define HEADER_BYTES 104

int perf_rewrite_check(const struct perf_data *data, uint64_t *event_types_off,
		       uint64_t *event_types_size, struct err *err)
{
	struct region r;

	if (data->is_pipe)
		return err_set(err, EOPNOTSUPP, "'%s' is a recording in pipe format, which has no place "
			       "for names; record with -o FILE", data->path);
	if (data->is_directory)
		return err_set(err, EOPNOTSUPP, "'%s' is a recording in directory format, which is several "
			       "files; record with -o FILE, without --threads", data->path);
	r = perf_data_region(data, EVENT_TYPES_AT, 16, NULL);
	*event_types_off = region_u64(&r);
	*event_types_size = region_u64(&r);
	if (data->pack.present)
		pack_header(data->pack.bytes, data->pack.size, event_types_off, event_types_size);
	return 0;
}

static int write_all(int fd, const void *bytes, uint64_t size, struct err *err)
{
	const char *at = bytes;

	while (size) {
		ssize_t n = write(fd, at, size < 1u << 24 ? (size_t)size : 1u << 24);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, errno, "cannot write: %s", strerror(errno));
		at += n;
		size -= (uint64_t)n;
	}
	return 0;
}

int perf_rewrite(const struct perf_data *data, const void *section, size_t size, int fd,
		 struct err *err)
{
	const uint8_t *map = data->priv->map;
	uint8_t header[HEADER_BYTES];
	/*
	 * data->file_size ends before a section that is there. Nothing comes between: where a
	 * file was cut off, zeros would make whole what is not.
	 */
	uint64_t end = data->file_size, place[2] = { end, size };
	int r;

	if (end < HEADER_BYTES)
		return err_set(err, EBADMSG, "'%s' is cut off in its header", data->path);
	memcpy(header, map, sizeof(header));
	for (int i = 0; i < 2; i++)
		place[i] = data->swap ? bswap_64(place[i]) : place[i];
	memcpy(header + EVENT_TYPES_AT, place, sizeof(place));
	r = write_all(fd, header, sizeof(header), err);
	if (!r)
		r = write_all(fd, map + sizeof(header), end - sizeof(header), err);
	return r ? r : write_all(fd, section, size, err);
}
