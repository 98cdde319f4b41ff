/* SPDX-License-Identifier: MIT */
/*
 * tap: the scheduler's busiest tracepoints, sampled at a third of the cost.
 *
 * Linux takes a thousand or two of instructions to bring a tracepoint into a ring of
 * perf_event_open.  A BPF program at the tracepoint writes the very same record into a
 * BPF ring with far fewer.  So, where that can be had, the event's counters are opened (the
 * file needs their ids) but never switched on, and what they would have written comes
 * from here:
 *
 *	tracepoint --> perf_event, off       ids, attr
 *	     '-------> tap.bpf.c --> a ring for each CPU --> tap_read --> the file
 *
 * It is for events on whole CPUs, with TAP_SAMPLE_TYPE (no stacks), without a filter, in
 * CLOCK_MONOTONIC, at tracepoints that are hit with interrupts off: common_flags says no more
 * than that, and no second program of the kind comes in between.  What all the same is lost
 * is counted: for want of room by event and CPU, with a PERF_RECORD_LOST in its place; and for
 * another tracing program of somebody else's that was running (bpf_prog_active, counted from
 * Linux 6.7 on, which is needed therefore) by event.
 *
 * Takes CAP_BPF and CAP_PERFMON, or root.  One thread.
 */
#ifndef ENGINE_TAP_H
#define ENGINE_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/counters.h"

#define TAP_SAMPLE_TYPE (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD | \
			 PERF_SAMPLE_RAW | PERF_SAMPLE_IDENTIFIER)

struct tap;

/*
 * Take over those of the opened events that can be; each CPU gets a ring of `bytes` (a power
 * of two, pages). Nothing comes before tap_switch. NULL and the reason in `err` when it
 * cannot be had, or no event is one for it.
 */
struct tap *tap_open(const struct counters *counters, uint64_t bytes, struct err *err);

/* When nothing more is to come and the counters are closed or off. NULL is allowed. */
void tap_close(struct tap *tap);

/* Whether an event comes from here. */
bool tap_takes(const struct tap *tap, size_t event);

/* Of all that it takes. NULL is allowed. */
void tap_switch(struct tap *tap, bool on);

/* Readable when much has come on counters->cpus.v[cpu]; -1: it has no ring. Borrowed. */
int tap_fd(const struct tap *tap, size_t cpu);

/* Bytes written so far on a CPU: up to where to read. */
uint64_t tap_written(const struct tap *tap, size_t cpu);

/* Bytes taken so far. */
uint64_t tap_taken(const struct tap *tap, size_t cpu);

/*
 * Take whole records that were written before `until`, as many as fit `room` (64 KB or more).
 * Returns their size, 0: no more. The ring has room again at once.
 */
size_t tap_read(struct tap *tap, size_t cpu, uint64_t until, uint8_t *to, size_t room);

/* Of an event on a CPU: what found no room. */
uint64_t tap_lost(struct tap *tap, size_t event, size_t cpu);

/* Of an event on whatever CPU: what came while another program was running. */
uint64_t tap_missed(const struct tap *tap, size_t event);

#endif
