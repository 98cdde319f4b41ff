/* SPDX-License-Identifier: MIT */
/*
 * dump_user: what a record of perf's own tools (ID_INDEX, EVENT_UPDATE, THREAD_MAP, CPU_MAP;
 * tools/lib/perf/include/perf/event.h of Linux 6.12) says, behind its name.
 */
#ifndef VIEW_DUMP_USER_H
#define VIEW_DUMP_USER_H

#include "base/str.h"
#include "formats/record.h"

/* Append the record in words and the line's end. `swap`: its bytes are in the other order. */
void dump_add_user(struct str *out, const struct record *record, bool swap);

#endif
