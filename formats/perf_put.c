/* SPDX-License-Identifier: MIT */
#include "formats/perf_write_priv.h"

#include <string.h>

void perf_put_u32(struct str *out, uint32_t v)
{
	str_addn(out, &v, sizeof(v));
}

void perf_put_u64(struct str *out, uint64_t v)
{
	str_addn(out, &v, sizeof(v));
}

void perf_put_zeros(struct str *out, size_t n)
{
	static const uint8_t zeros[64];

	str_addn(out, zeros, n);
}

void perf_put_string(struct str *out, const char *s)
{
	size_t len = strlen(s) + 1, room = (len + 63) / 64 * 64;

	perf_put_u32(out, (uint32_t)room);
	str_addn(out, s, len);
	perf_put_zeros(out, room - len);
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
	perf_put_zeros(out, room - (len - 1));
}
