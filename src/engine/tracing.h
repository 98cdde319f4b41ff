/* SPDX-License-Identifier: MIT */
/*
 * tracing: the TRACING_DATA section, which tells how tracepoints' raw bytes read.
 *
 *	"\027\010\104tracing" "0.6\0" endian long_size u32:page_size
 *	"header_page\0" u64:size text  "header_event\0" u64:size text
 *	u32:0                                   (ftrace's own events: none)
 *	u32:systems { name\0 u32:events { u64:size format-text } }
 *	u32:0                                   (kallsyms: perf.data has its own)
 *	u32:size printk-formats  u64:size saved-command-lines
 *
 * (trace.dat(5) of version 6 without its options; tools/perf/util/trace-event-info.c
 * of Linux 6.1.)
 */
#ifndef ENGINE_TRACING_H
#define ENGINE_TRACING_H

#include "base/err.h"
#include "base/str.h"
#include "engine/event.h"

/* Append the section for the tracepoints among `events`; nothing if there are none. */
int tracing_data(const struct event_list *events, const char *tracefs, struct str *out,
		 struct err *err);

#endif
