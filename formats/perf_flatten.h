/* SPDX-License-Identifier: MIT */
/*
 * perf_flatten: a recording in pipe or directory format, or compressed, as one ordinary
 * perf.data file with the same events, features and records.
 *
 *	stream: ATTR FEATURE ... records        header events features
 *	                                  -->   records
 *	folder: data data.0 data.1 ...          (its own copy of what the stream said of itself)
 *
 * What only a stream needs (HEADER_ATTR, HEADER_FEATURE, ...) is left out.  A folder's
 * files are in an order each; without the marks of rounds their reader sorts by time.
 */
#ifndef FORMATS_PERF_FLATTEN_H
#define FORMATS_PERF_FLATTEN_H

#include "formats/perf_data.h"

/*
 * Write the copy to `fd`, an empty regular file, which is closed. -EOPNOTSUPP for the
 * other byte order and for hardware traces (AUX), which stand outside of records.
 */
int perf_flatten(const struct perf_data *data, int fd, const char *path, struct err *err);

#endif
