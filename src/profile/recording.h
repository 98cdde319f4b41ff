/* SPDX-License-Identifier: MIT */
/*
 * recording: the first pass over a recording, shared by all that read samples.
 *
 * Walks every record once: the side-band becomes the process table (frozen), what
 * was lost is counted by cause, and the build-ids that the file states are laid
 * to their modules.  After it, samples may be read in any order.
 */
#ifndef PROFILE_RECORDING_H
#define PROFILE_RECORDING_H

#include <pthread.h>

#include "base/hash.h"
#include "profile/profile.h"
#include "profile/reads.h"

struct recording {
	const struct perf_data *data;
	struct module_set *modules;
	struct process_table *processes;
	struct pack *pack;               /* names that travelled with the file, or NULL */
	struct profile_account account;  /* all but what samples add */
	struct blocks *blocks;           /* the reading it was made from, at its end */
	struct damage *damages;          /* of opening and reading; account points here */
	bool samples_values;             /* some events have PERF_SAMPLE_READ */
	struct read_carries carries;     /* then: what counting by blocks needs */
	uint64_t nr_samples;             /* records; with values, more or fewer are counted */
	uint64_t *lost_by_event;         /* LOST_SAMPLES that tell of which event they are */
	struct map64 cgroups;            /* id -> number of its path */
	struct intern cgroup_paths;
	uint64_t nr_by_type[256];        /* records by type; [255]: higher ones */
	pthread_t warmer;                /* gets the kernel's names ready */
	bool is_warming;
};

/*
 * `data` is borrowed and must outlive the recording. On failure it holds nothing.
 * `lasting`: recording_add will follow.
 */
int recording_load(struct recording *recording, const struct perf_data *data,
		   const struct symbol_options *symbols, struct err *err);
int recording_load_lasting(struct recording *recording, const struct perf_data *data,
			   const struct symbol_options *symbols, bool lasting, struct err *err);
/*
 * Go on: thaw first, with the process table's process_table_thaw, and then add `more`, a
 * recording of the same events that was taken later and becomes the one that blocks are read
 * from. The first one was loaded as lasting. Values that samples have read
 * (PERF_SAMPLE_READ) are not carried over: -EOPNOTSUPP.
 */
int recording_thaw(struct recording *recording, uint64_t before_ns, struct err *err);
int recording_add(struct recording *recording, const struct perf_data *more, struct err *err);

/* The path of a cgroup, or NULL. */
const char *recording_cgroup(const struct recording *recording, uint64_t id);

void recording_release(struct recording *recording);

#endif
