/* SPDX-License-Identifier: MIT */
/*
 * perf_rewrite: a recording written anew with a pack section (formats/pack.h) behind it.
 *
 * All its bytes stay where and what they were, but for the header's event_types; a
 * section that it had is left out.
 */
#ifndef FORMATS_PERF_REWRITE_H
#define FORMATS_PERF_REWRITE_H

#include "formats/perf_data.h"

/*
 * May this recording get a section? -EOPNOTSUPP with a message for pipes and
 * directories, which have no place for it. Tells what event_types it has by itself.
 */
int perf_rewrite_check(const struct perf_data *data, uint64_t *event_types_off,
		       uint64_t *event_types_size, struct err *err);

/* Write it to `fd`, from the first byte to the last, in order. Errors: errno of write. */
int perf_rewrite(const struct perf_data *data, const void *section, size_t size, int fd,
		 struct err *err);

#endif
