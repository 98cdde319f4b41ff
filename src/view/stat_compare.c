/* SPDX-License-Identifier: MIT */
/* Is the difference real? Medians, and the ratio's interval by bootstrap. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "view/stat.h"

#define RESAMPLES 10000

/* Fewer runs cannot tell: with 4 the extremes of the resamples are the data's own. */
#define RUNS_LEAST 5

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, uint32_t nr)
{
	qsort(v, nr, sizeof(*v), by_value);
	return nr % 2 ? v[nr / 2] : (v[nr / 2 - 1] + v[nr / 2]) / 2;
}

/* xorshift64*: good enough to draw runs, and the same on every machine. */
static uint32_t draw(uint64_t *state, uint32_t below)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((((*state * UINT64_C(2685821657736338717)) >> 32) * below) >> 32);
}

static double resampled(const double *v, uint32_t nr, double *room, uint64_t *state)
{
	for (uint32_t i = 0; i < nr; i++)
		room[i] = v[draw(state, nr)];
	return median(room, nr);
}

void stat_compare(const double *a, const double *b, uint32_t nr, struct stat_ratio *ratio)
{
	double *room = mem_realloc_array(NULL, nr ? nr : 1, sizeof(*room));
	double *ratios = mem_realloc_array(NULL, RESAMPLES, sizeof(*ratios));
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	uint32_t usable = 0;

	memset(ratio, 0, sizeof(*ratio));
	ratio->verdict = STAT_FEW;
	if (!nr)
		goto out;
	memcpy(room, a, nr * sizeof(*a));
	ratio->median_a = median(room, nr);
	memcpy(room, b, nr * sizeof(*b));
	ratio->median_b = median(room, nr);
	ratio->has_ratio = ratio->median_a > 0;
	if (ratio->has_ratio)
		ratio->ratio = ratio->median_b / ratio->median_a;
	for (uint32_t i = 0; i < RESAMPLES; i++) {
		double x = resampled(a, nr, room, &state), y = resampled(b, nr, room, &state);

		if (x > 0)
			ratios[usable++] = y / x;
	}
	/* A count that is 0 in many runs has no ratio worth an interval. */
	if (!ratio->has_ratio || usable < RESAMPLES * 39 / 40) {
		ratio->has_ratio = false;
		ratio->verdict = ratio->median_a == ratio->median_b ? STAT_SAME : STAT_FEW;
		goto out;
	}
	qsort(ratios, usable, sizeof(*ratios), by_value);
	ratio->low = ratios[usable / 40];
	ratio->high = ratios[usable - 1 - usable / 40];
	if (nr >= RUNS_LEAST)
		ratio->verdict = ratio->low > 1 ? STAT_MORE : ratio->high < 1 ? STAT_LESS :
				 STAT_SAME;
out:
	free(room);
	free(ratios);
}
