/* SPDX-License-Identifier: MIT */
#include "view/jumps.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/vec.h"

#define LANES_MAX 8u

struct jump {
	uint32_t from, to, top, bottom;
};

struct jumps {
	struct jump *v;                  /* those that have a lane */
	uint32_t nr;
	unsigned nr_lanes;
	uint32_t *lanes;                 /* nr_lanes for each line: index of the jump there, + 1 */
};

static int by_span(const void *a, const void *b)
{
	const struct jump *x = a, *y = b;
	uint32_t p = x->bottom - x->top, q = y->bottom - y->top;

	if (p != q)
		return p < q ? -1 : 1;
	return (x->top > y->top) - (x->top < y->top);
}

/* A lane that no jump is in from top to bottom; LANES_MAX if none. */
static unsigned free_lane(const struct jumps *j, const struct jump *jump, unsigned most)
{
	for (unsigned lane = 0; lane < most; lane++) {
		uint32_t i = jump->top;

		while (i <= jump->bottom && !j->lanes[(size_t)i * LANES_MAX + lane])
			i++;
		if (i > jump->bottom)
			return lane;
	}
	return LANES_MAX;
}

struct jumps *jumps_new(const struct annotation *a, unsigned most)
{
	struct jumps *j = mem_zalloc(sizeof(*j));
	VEC(struct jump) all = { 0 };
	uint32_t used = 0;

	if (most > LANES_MAX)
		most = LANES_MAX;
	for (uint32_t i = 0; i < a->nr; i++) {
		uint32_t to = a->lines[i].jump;

		if (to != UINT32_MAX && to != i)
			*vec_push(&all) = (struct jump){ i, to, i < to ? i : to, i < to ? to : i };
	}
	if (all.nr)
		qsort(all.v, all.nr, sizeof(*all.v), by_span);
	j->lanes = mem_zalloc(((size_t)a->nr * LANES_MAX + 1) * sizeof(*j->lanes));
	for (size_t n = 0; n < all.nr; n++) {
		struct jump jump = all.v[n];
		unsigned lane = free_lane(j, &jump, most);

		if (lane == LANES_MAX)
			continue;
		all.v[used++] = jump;
		for (uint32_t i = jump.top; i <= jump.bottom; i++)
			j->lanes[(size_t)i * LANES_MAX + lane] = used;
		if (lane >= j->nr_lanes)
			j->nr_lanes = lane + 1;
	}
	j->v = all.v;
	j->nr = used;
	return j;
}

void jumps_free(struct jumps *j)
{
	if (!j)
		return;
	free(j->v);
	free(j->lanes);
	free(j);
}

unsigned jumps_columns(const struct jumps *j)
{
	return j->nr_lanes ? j->nr_lanes + 1 : 0;
}

void jumps_add(const struct jumps *j, uint32_t line, bool between, struct str *out)
{
	const uint32_t *lanes = &j->lanes[(size_t)line * LANES_MAX];
	bool across = false, arrives = false;

	if (!j->nr_lanes)
		return;
	for (unsigned lane = j->nr_lanes; lane-- > 0;) {
		const struct jump *jump = lanes[lane] ? &j->v[lanes[lane] - 1] : NULL;

		if (jump && between && line > jump->top) {
			str_add(out, "\xe2\x94\x82");            /* vertical */
		} else if (jump && !between && (line == jump->top || line == jump->bottom)) {
			str_add(out, line == jump->top ? "\xe2\x94\x8c" : "\xe2\x94\x94");
			across = true;
			arrives |= line == jump->to;
		} else if (jump && !between) {
			str_add(out, across ? "\xe2\x94\xbc" : "\xe2\x94\x82");
		} else {
			str_add(out, across ? "\xe2\x94\x80" : " ");
		}
	}
	str_add(out, arrives ? "\xe2\x96\xba" : across ? "\xe2\x94\x80" : " ");
}
