/* SPDX-License-Identifier: MIT */
/*
 * export: a profile as the source that the writers of formats/export.h read from.
 */
#ifndef VIEW_EXPORT_H
#define VIEW_EXPORT_H

#include "formats/export.h"
#include "profile/profile.h"
#include "view/moments.h"

struct export_view {
	struct export_source source;
	const struct profile *profile;
	char **names;                    /* of the frames without one: "[libfoo.so]"; NULL for others */
	uint32_t *events, *places;       /* exported events -> the profile's, and back */
	size_t *entries;                 /* of those events, indices into the profile's */
	struct str title;
	uint64_t first_ns, bucket_ns;    /* bucket_ns 0: times are not kept apart */
	struct moments moments;          /* samples, if has_moments; else they are the entries */
	bool has_moments;
};

/*
 * `event` is an index or FOLD_ALL_EVENTS: those with samples, the first if none has. `value`
 * is what formats with one number take. The view lives as long as the profile.
 */
void export_view_init(struct export_view *view, const struct profile *profile, uint32_t event,
		      enum stack_value value);
/*
 * The profile's first extra is EXTRA_TIME: samples get the number of their bucket, from
 * that of the first sample on. Returns how many buckets there are.
 */
uint32_t export_view_times(struct export_view *view);

/*
 * Each sample by itself, with its time and what its tracepoint told; the profile was loaded
 * as replaying. Those of a text, which tells no times, stay in numbers.
 */
int export_view_moments(struct export_view *view, struct err *err);

void export_view_release(struct export_view *view);

#endif
