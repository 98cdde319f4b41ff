/* SPDX-License-Identifier: MIT */
/*
 * duty: when to sample, as -D says it.
 *
 *	500             off until half a second has passed
 *	10-20,30-40     on from the 10th to the 20th millisecond and from the 30th to the 40th
 *	-1              off until somebody switches it on (--control)
 *
 * Pure: text into steps, and the time until the next.
 */
#ifndef ENGINE_DUTY_H
#define ENGINE_DUTY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/vec.h"

struct duty_step {
	int64_t at_ms;                   /* since the start */
	bool on;
};

struct duty {
	bool delayed;                    /* off at the start */
	VEC(struct duty_step) steps;     /* in order of time */
};

/* Zero-initialised is "always on". -EINVAL with a message; `duty` is released then. */
int duty_parse(struct duty *duty, const char *text, struct err *err);
void duty_release(struct duty *duty);

#endif
