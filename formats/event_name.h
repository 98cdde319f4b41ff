/* SPDX-License-Identifier: MIT */
/*
 * event_name: the name of an event from its struct perf_event_attr alone, for
 * recordings that do not carry names: "cycles:u", "L1-dcache-load-misses",
 * "page-faults", "raw 0x1c2".  The spellings and the suffix after the colon are
 * those that perf shows (man perf-list).
 */
#ifndef FORMATS_EVENT_NAME_H
#define FORMATS_EVENT_NAME_H

#include <linux/perf_event.h>

#include "base/str.h"

/* Append the name with its modifiers. Never fails: what is not known is shown in numbers. */
void event_name_add(struct str *out, const struct perf_event_attr *attr);

/* Append only the modifiers: "", ":u", ":ppp", ":uH", ... */
void event_name_add_modifiers(struct str *out, const struct perf_event_attr *attr);

#endif
