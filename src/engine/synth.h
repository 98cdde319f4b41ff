/* SPDX-License-Identifier: MIT */
/*
 * synth: side-band records for what was there before the recording began.
 *
 * The kernel reports only what changes.  For tasks that already run, FORK, COMM
 * and MMAP2 records are made from /proc, for the kernel and its modules MMAP
 * records from kallsyms and /proc/modules, as perf makes them.  They bear time 0,
 * "since ever", and are made after the side-band event was switched on: what
 * happens meanwhile comes through the rings with its true time, so that neither
 * tasks that appear nor tasks that go can make the picture wrong.
 *
 * A task that vanishes while it is read gives what could be read of it.
 */
#ifndef ENGINE_SYNTH_H
#define ENGINE_SYNTH_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/buildids.h"
#include "engine/target.h"

/* Takes one whole record, or fails with a message. */
typedef int synth_sink(void *arg, const void *record, size_t size, struct err *err);

struct synth {
	synth_sink *sink;
	void *arg;
	struct buildids *buildids;
	uint64_t sample_type;            /* of the first event: shape of the sample_id trailer */
	bool no_maps;                    /* of tasks: that they are, and not what they have mapped */
	unsigned map_ms;                 /* read a process's maps no longer than that; 0: to the end */
	uint32_t *cut;                   /* counts those that were not read to the end; or NULL */
	bool mmap_data;                  /* also what is not executable */
	bool build_ids;                  /* in MMAP2, where the kernel writes them so */
	const char *proc;                /* "/proc" */
	uint32_t *closed;                /* counts processes whose maps we may not read; or NULL */
	bool *kernel_hidden;             /* set where addresses of the kernel are; or NULL */
};

/* Bytes of sample_id that a record ends with under sample_id_all (perf_event_open(2)). */
size_t synth_trailer_size(uint64_t sample_type);

/* The kernel's text and its modules. Without the right to see addresses: nothing. */
int synth_kernel(const struct synth *s, struct err *err);

/* The BPF programs that are loaded, where they may be seen: KSYMBOL and BPF_EVENT records. */
int synth_bpf(const struct synth *s, struct err *err);

/*
 * The control groups there are below `mount` (engine/cgroup.h): CGROUP records, by whose ids
 * samples tell of theirs.
 */
int synth_cgroups(const struct synth *s, const char *mount, struct err *err);

/* All tasks of the system. */
int synth_all_tasks(const struct synth *s, struct err *err);

/* These threads (grouped by process), and the maps of their processes. */
int synth_threads(const struct synth *s, const struct thread_id *threads, size_t nr,
		  struct err *err);

#endif
