/* SPDX-License-Identifier: MIT */
/*
 * export: a profile as the source that the writers of formats/export.h read from.
 */
#ifndef VIEW_EXPORT_H
#define VIEW_EXPORT_H

#include "formats/export.h"
#include "profile/profile.h"

struct export_view {
	struct export_source source;
	const struct profile *profile;
	char **names;                    /* of the frames without one: "[libfoo.so]"; NULL for others */
	uint32_t *events, *places;       /* exported events -> the profile's, and back */
	size_t *entries;                 /* of those events, indices into the profile's */
	struct str title;
};

/*
 * `event` is an index or FOLD_ALL_EVENTS: those with samples, the first if none has. `value`
 * is what formats with one number take. The view lives as long as the profile.
 */
void export_view_init(struct export_view *view, const struct profile *profile, uint32_t event,
		      enum stack_value value);
void export_view_release(struct export_view *view);

#endif
