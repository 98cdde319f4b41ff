/* SPDX-License-Identifier: MIT */
/*
 * attr_text: a struct perf_event_attr in words: "type = 1, size = 136, config = 0x2,
 * { sample_period, sample_freq } = 99, sample_type = IP|TID|TIME, ...".  What is
 * zero is left out, as perf does in its headers and its evlist -v.
 */
#ifndef FORMATS_ATTR_TEXT_H
#define FORMATS_ATTR_TEXT_H

#include <linux/perf_event.h>

#include "base/str.h"

/* `equals` stands between name and value (" = ", ": "), `between` after each ("," or a line end). */
void attr_text_add(struct str *out, const struct perf_event_attr *attr, const char *equals,
		   const char *between);

#endif
