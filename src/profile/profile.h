/* SPDX-License-Identifier: MIT */
/*
 * profile: a recording, counted.
 *
 *	perf_data --blocks--> side-band -> process table (frozen)
 *	                 '--> samples   -> entries: (event, comm, pid, ..., leaf, stack) -> counts
 *	                                   stacks: each distinct one named once
 *
 * Samples are not sorted and not kept: each is hashed to an entry and two numbers
 * move.  Everything a view shows (report, fold, flame) is made from the entries;
 * only views that list samples in time read the file again.
 *
 * Memory is the profile's and lives until profile_free; views only read it.
 */
#ifndef PROFILE_PROFILE_H
#define PROFILE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "formats/perf_data.h"
#include "profile/process.h"
#include "symbols/unwind.h"

/* Dimensions that an entry keeps apart; what is not asked for is merged. */
enum profile_dim {
	PROFILE_BY_COMM = 1,
	PROFILE_BY_PID = 2,
	PROFILE_BY_TID = 4,
	PROFILE_BY_CPU = 8,
	PROFILE_BY_STACK = 16,   /* call chains; without it a stack is the leaf alone */
	PROFILE_BY_ADDR = 32,    /* the leaf's address, not only its symbol */
};

/* An interval of time, both ends included. */
struct time_range { uint64_t from_ns, to_ns; };

struct extra;
struct extras;
struct re_pattern_buffer;

struct profile_query {
	unsigned by;                     /* enum profile_dim */
	struct symbol_options symbols;
	/* Filters; an empty list passes everything. Names are compared whole. */
	const char **comms, **dsos, **syms;      /* NULL-terminated or NULL */
	const uint32_t *pids, *tids, *cpus;
	uint32_t nr_pids, nr_tids, nr_cpus;
	const struct time_range *times;
	uint32_t nr_times;
	uint32_t max_stack;              /* frames kept per chain, 0: all */
	unsigned jobs;                   /* threads; 0: as many as cores */
	bool named_only;                 /* leave out samples whose leaf has no name */
	bool join_unmapped;              /* frames in no mapping are one: their addresses are not asked for */
	bool no_inline;                  /* stacks without what was inlined */
	/* Further dimensions (profile/extra.h), and the pattern for the one named parent. */
	const struct extra *extra_list;
	uint32_t nr_extras;
	const struct re_pattern_buffer *parent;  /* a regex_t */
	/* Or NULL: a chain begins at the last function from the leaf on that this matches. */
	const struct re_pattern_buffer *ignore_callees;
	bool full_paths;                 /* source files with their directories */
	bool by_weight;                  /* a sample's weight is its period */
	bool branches;                   /* count branches in the place of samples: what they lead to */
	struct extras *extras;           /* profile_load's own */
	bool lasting;                    /* profile_add will follow */
	bool replaying;                  /* profile_replay will follow: no extras, no branches */
};

/* A function (or an unnamed address) as it stands in a call tree. */
struct profile_frame {
	struct module *module;           /* NULL: nothing was mapped there */
	const char *name;                /* NULL: unnamed, see reason */
	uint64_t sym_start;              /* elf_addr of the symbol; of the address if unnamed */
	uint64_t elf_addr;               /* only with PROFILE_BY_ADDR or unnamed */
	uint64_t run_addr;               /* one address where it was seen */
	uint64_t sym_bytes, map_bytes;   /* of the symbol, of its mapping; 0: not known */
	enum name_reason reason;
	bool kernel, is_return;          /* is_return: elf_addr is where a call returns to */
	bool is_inline;                  /* name was inlined into the next frame; sym_start is that one's */
};

struct profile_stack {
	const uint32_t *frames;          /* indices into profile.frames, leaf first */
	uint32_t nr;
	bool truncated;                  /* did not reach the end of the stack, as far as can be told */
};

struct profile_entry {
	uint32_t event;                  /* index into data->events */
	uint32_t comm;                   /* profile_comm(); ~0 without PROFILE_BY_COMM */
	uint32_t pid, tid, cpu;          /* ~0 where not asked for */
	uint32_t leaf;                   /* frame of the sample's ip */
	uint32_t stack;                  /* index into stacks */
	uint32_t extra;                  /* index of its values: profile_extra */
	uint64_t samples, period;
	double squares;                  /* sum of the samples' squared periods; see significance.h */
	/* period split by cpumode: who was running; what is none of a guest is a user's */
	uint64_t period_kernel, period_user, period_guest_kernel, period_guest_user;
};

/* What is missing or doubtful, by cause. */
struct profile_account {
	uint64_t samples, filtered;      /* samples read, of them left out by a filter */
	uint64_t lost_records, lost_events;      /* LOST: records, and the events they count */
	uint64_t lost_samples;           /* LOST_SAMPLES, PERF_FORMAT_LOST */
	uint64_t throttles;              /* THROTTLE records */
	uint64_t unknown_records;        /* types that are not known, skipped */
	uint32_t unknown_features;       /* sections of a kind that is not known, skipped */
	uint64_t bad_records;            /* that contradict themselves, skipped */
	uint64_t unnamed[NAME_REASON_COUNT];     /* samples whose leaf has no name, by reason */
	uint64_t truncated_stacks;       /* samples with one */
	uint64_t stack_dumps;            /* samples whose copied user stack could not be used */
	uint64_t unwind_stops[UNWIND_STOP_COUNT];        /* samples that were unwound, by their end */
	uint64_t aux_bytes;              /* skipped AUX data */
	const struct damage *damages;
	uint32_t nr_damages;
	bool unfinished;                 /* the recorder was killed */
	uint64_t first_ns, last_ns;      /* of the samples; 0 if they have no time */
};

/* Sums of one event. */
struct profile_total { uint64_t samples, period; };

struct profile {
	struct perf_data *data;
	struct module_set *modules;
	struct process_table *processes;
	const struct profile_frame *frames;
	uint32_t nr_frames;
	const struct profile_stack *stacks;
	uint32_t nr_stacks;
	const struct profile_entry *entries;
	size_t nr_entries;
	struct profile_total *totals;    /* one per event of data->events */
	const struct extra *extra_list;  /* the query's */
	uint32_t nr_extras;
	bool has_chains;                 /* any sample had a callchain */
	struct profile_account account;
	struct profile_priv *priv;
};

/*
 * Read and count the recording. `data` becomes the profile's, also on failure.
 * Damage in the file is not an error: see account. *out is the caller's.
 */
int profile_load(struct profile **out, struct perf_data *data, const struct profile_query *query,
		 struct err *err);
void profile_free(struct profile *profile);

/*
 * Watching live: count what was sampled since, in `more`, a recording of the same events;
 * the first one was loaded as lasting. `more` becomes the profile's, also on failure, and
 * data stays the first one. What tasks that ended before `before_ns` did is forgotten,
 * but for what was counted. Frames, stacks and entries may lie elsewhere afterwards.
 */
int profile_add(struct profile *profile, struct perf_data *more, uint64_t before_ns, struct err *err);

/*
 * Tell of each sample which entry it is counted in, in the order of time; a recording only
 * (of text no samples are known), loaded as replaying. `sample` is for the call alone.
 */
typedef void profile_sample_fn(void *arg, const struct profile_entry *entry, const struct sample *sample);
int profile_replay(const struct profile *profile, profile_sample_fn *fn, void *arg, struct err *err);

/*
 * Let all counts fade to `part` of `of` (rounded down; 0 clears them). Entries that come to
 * nothing go, and with them the stacks that only they had.
 */
void profile_fade(struct profile *profile, unsigned part, unsigned of);

/* The value of an extra for a set of them, and its text if extra_is_text. */
uint64_t profile_extra(const struct profile *profile, uint32_t set, uint32_t extra);
/* The text, or NULL where there was nothing to tell: no parent, no such field. */
const char *profile_extra_text(const struct profile *profile, uint32_t set, uint32_t extra);

/* The source line of a frame and its file (profile/lines.h). Not for two threads at once. */
const char *profile_line(const struct profile *profile, uint32_t frame);
const char *profile_file(const struct profile *profile, uint32_t frame);

/* Columns that values of a tracepoint's field may take, as perf reckons them; 0: no such field. */
unsigned profile_field_width(const struct profile *profile, uint32_t extra, uint32_t event);

const char *profile_comm(const struct profile *profile, uint32_t comm);

#endif
