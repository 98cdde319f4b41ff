/* SPDX-License-Identifier: MIT */
/*
 * hotplug: CPUs that go offline and come back while we measure.
 *
 * The kernel takes the events of a CPU from it when it goes (perf_event_exit_cpu_context in
 * Linux's kernel/events/core.c) and does not put them back: their files stay open, and count
 * and write nothing any more.  It tells of both in uevents, which a socket hears that wakes
 * nobody otherwise; the kernel's word is taken only as a reason to look.
 */
#ifndef ENGINE_HOTPLUG_H
#define ENGINE_HOTPLUG_H

#include <stdbool.h>
#include <stddef.h>

struct hotplug_change {
	int cpu;
	bool online;
};

/* A socket that is readable when a CPU came or went, non-blocking; -errno. */
int hotplug_open(void);

/* The next change that is told there; false when there is none. */
bool hotplug_next(int fd, struct hotplug_change *change);

/* What a uevent of `size` bytes says ("online@/devices/system/cpu/cpu1"); false: no such thing. */
bool hotplug_parse(const char *text, size_t size, struct hotplug_change *change);

#endif
