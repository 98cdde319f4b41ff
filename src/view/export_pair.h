/* SPDX-License-Identifier: MIT */
/*
 * export_pair: two profiles as one source, whose samples tell which of the two they are of.
 *
 * Events are matched by name, and binaries go by the last part of their path, so that
 * two builds of a program can be laid over one another.
 */
#ifndef VIEW_EXPORT_PAIR_H
#define VIEW_EXPORT_PAIR_H

#include "view/export.h"

struct export_pair {
	struct export_source source;
	struct export_view views[2];
	uint32_t *events[2];             /* [event of a view]: the pair's */
	const char **names;              /* of the pair's events; the views' */
	uint32_t *frames;                /* of the last sample of the second that was handed out */
	uint32_t cap_frames;
};

/* A sample's frames live until the next call. The pair lives as long as both profiles. */
void export_pair_init(struct export_pair *pair, const struct profile *before, const struct profile *after);
void export_pair_release(struct export_pair *pair);

#endif
