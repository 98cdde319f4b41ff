/* SPDX-License-Identifier: MIT */
/*
 * masks: which CPUs' rings each thread of a recording empties, and where it runs (--threads).
 *
 *	"0,2-3/2-3:1/1"     thread 0: rings of 0, 2, 3, runs on 2 or 3
 *	                    thread 1: ring of 1, runs on 1
 *	cpu, core,          one thread for each group of the CPUs that are watched, which
 *	package, numa       runs on that group's CPUs
 *
 * In: the text, later the CPUs that are watched.  Out: a mask for each thread, in which
 * each of these CPUs is once.  The form of the text is that of perf record --threads
 * (tools/perf/Documentation/perf-record.txt of Linux 6.1); but a watched CPU that is in
 * no mask is an error here, since nobody would empty its ring.
 */
#ifndef ENGINE_MASKS_H
#define ENGINE_MASKS_H

#include "base/err.h"
#include "base/vec.h"
#include "engine/target.h"

enum masks_kind { MASKS_NONE, MASKS_GIVEN, MASKS_CPU, MASKS_CORE, MASKS_PACKAGE, MASKS_NUMA };

struct mask {
	cpu_vec cpus;                    /* whose rings it empties */
	cpu_vec on;                      /* where it runs; not empty */
};

struct masks {
	enum masks_kind kind;            /* NONE: there are no threads; zero-initialised */
	struct mask *v;                  /* of GIVEN, or once they are settled */
	size_t nr, cap;
};

/*
 * Take the text behind --threads; NULL and "" are "cpu". What *masks was before is released.
 * -EINVAL for what is no such text, and for a CPU in two masks.
 */
int masks_parse(struct masks *masks, const char *spec, struct err *err);

/*
 * The masks for these CPUs into *out, which is the caller's to release. CPUs that are not
 * watched are left out of given masks. -EINVAL for a mask that is empty then, and for a CPU
 * that is in none. `sysfs` NULL is "/sys".
 */
int masks_settle(const struct masks *masks, const cpu_vec *watched, const char *sysfs,
		 struct masks *out, struct err *err);

void masks_release(struct masks *masks);

#endif
