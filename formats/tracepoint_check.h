/* SPDX-License-Identifier: MIT */
/*
 * tracepoint_check: is this text the description of a tracepoint?
 *
 *	name: sched_wakeup
 *	ID: 318
 *	format:
 *		field:unsigned short common_type;	offset:0;	size:2;	signed:0;
 *		...
 *
 *	print fmt: "comm=%s pid=%d", REC->comm, REC->pid
 *
 * (kernel/trace/trace_events.c, f_show, of Linux 6.12.)  libtraceevent, which makes
 * text of samples, was written for what a kernel says: it follows null pointers and
 * reads beyond its buffer when a description out of a file is damaged or meant to harm.
 * So nothing reaches it that is not what a kernel writes, down to the grammar of
 * the expressions behind `print fmt:`; and before a sample is printed, every length,
 * index and divisor is checked that comes out of its bytes.
 */
#ifndef FORMATS_TRACEPOINT_CHECK_H
#define FORMATS_TRACEPOINT_CHECK_H

#include <stdbool.h>

/* Whether the text, which ends with NUL, can be given to libtraceevent. */
bool tracepoint_check(const char *text);

/* No length or index that passes is above this; an element has at most 8 bytes. */
#define TRACEPOINT_LENGTH_MAX 65536u

/*
 * Whether the fields lie within the sample's `size` bytes, and what its print format
 * does with them stays within TRACEPOINT_LENGTH_MAX elements of where a 16-bit offset
 * in the sample can point.
 */
struct tep_event;
bool tracepoint_check_sample(struct tep_event *event, const void *raw, unsigned size);

#endif
