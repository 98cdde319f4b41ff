/* SPDX-License-Identifier: MIT */
#include "formats/perf_map.h"

#include <string.h>

#include "base/str.h"

void perf_map_init(struct perf_map *map, char *text, size_t size)
{
	*map = (struct perf_map){ .at = text, .end = text + size };
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A number and the blanks behind it. */
static bool take_hex(char **at, uint64_t *value)
{
	char *p = *at, *digits;

	if (p[0] == '0' && (p[1] | 0x20) == 'x')
		p += 2;
	digits = p;
	for (*value = 0; hex_digit(*p) >= 0; p++) {
		if (*value >> 60)
			return false;
		*value = *value << 4 | (unsigned)hex_digit(*p);
	}
	if (p == digits || (*p != ' ' && *p != '\t'))
		return false;
	*at = p + strspn(p, " \t");
	return true;
}

static bool parse_line(char *line, struct perf_map_line *out)
{
	char *p = line + strspn(line, " \t");
	size_t len;

	if (!take_hex(&p, &out->start) || !take_hex(&p, &out->size))
		return false;
	len = strlen(p);
	if (len && p[len - 1] == '\r')
		p[--len] = '\0';
	out->name = p;
	return len && out->size && out->start + out->size > out->start;
}

bool perf_map_next(struct perf_map *map, struct perf_map_line *out)
{
	while (map->at < map->end) {
		char *line = map->at;
		char *newline = memchr(line, '\n', (size_t)(map->end - line));

		if (newline)
			*newline = '\0';
		map->at = newline ? newline + 1 : map->end;
		if (parse_line(line, out)) {
			out->from_ns = map->from_ns;
			return true;
		}
		if (!str_starts(line, "# ") || str_u64(line + 2, &map->from_ns) < 0)
			map->nr_bad += *line != '\0';
	}
	return false;
}
