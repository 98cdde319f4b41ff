/* SPDX-License-Identifier: MIT */
/*
 * header: what a recording says of its origin, as `# name : value` lines between
 * two rulers, in the words that perf uses (report --header, script --header).
 */
#ifndef VIEW_HEADER_H
#define VIEW_HEADER_H

#include <stdio.h>

#include "formats/perf_data.h"

/* With `all`, the build-ids too. */
void header_write(const struct perf_data *data, bool all, FILE *out);

#endif
