/* SPDX-License-Identifier: MIT */
/*
 * count: samples -> distinct raw stacks with counts, on several threads.
 *
 * A raw entry is what cannot be told apart before naming: the event, the asked
 * dimensions, the space and epoch that give addresses their meaning, and the raw
 * chain as recorded.  Each thread counts into its own table; tables are merged at
 * the end.  Nothing here knows of symbols.
 */
#ifndef PROFILE_COUNT_H
#define PROFILE_COUNT_H

#include "base/arena.h"
#include "base/hash.h"
#include "profile/recording.h"

/* What is hashed, the words that the pointers lead to and not the pointers. */
struct raw_key {
	uint32_t event, comm, pid, tid, cpu;
	uint32_t space, epoch;
	uint32_t nr_ips;
	uint32_t cpumode;
	uint32_t nr_extra;
	uint64_t ip;
	const u64_una *ips;              /* the chain, marks and all; it may lie in the file */
	const uint64_t *extra;           /* words of extras */
};

struct raw_entry {
	struct hash128 hash;             /* entries of one hash are the same */
	const struct raw_key *key;
	uint64_t first_ns;               /* time of one sample of it */
	uint64_t samples, period;
	double squares;                  /* of the periods, summed */
	uint32_t image;                  /* of the sample at first_ns; others are of the same space */
};

struct raw_slot;

struct raw_table {
	struct arena arena;
	struct raw_entry *v;
	uint32_t nr, cap;
	struct raw_slot *slots;
	uint32_t nr_slots;
	bool has_words;                  /* keys lead to words in the arena */
};

void raw_table_init(struct raw_table *table);
void raw_table_release(struct raw_table *table);

/* What a thread counted beside the entries. */
struct count_result {
	struct raw_table table;
	struct profile_account account;
	struct profile_total *totals;    /* per event */
	bool has_chains;
};

/*
 * Count all samples of the recording that pass the query's filters on pid, tid, cpu,
 * comm and time. `out->totals` is the caller's to free, the table its to release.
 */
int count_samples(const struct recording *recording, const struct profile_query *query,
		  struct count_result *out, struct err *err);

/* One sample of those that were counted: which entry of the table it is of. */
typedef void count_seen_fn(void *arg, uint32_t raw, const struct sample *sample);

/*
 * Go through the same samples once more, in the order of time, with the table that counting
 * them made (merged, of a query without extras and branches). `sample` is for the call alone.
 */
int count_again(const struct recording *recording, const struct profile_query *query,
		const struct raw_table *table, count_seen_fn *seen, void *arg, struct err *err);

/* Add what was counted of samples: no more than that is in the account of a count_result. */
void count_add_account(struct profile_account *to, const struct profile_account *from);

#endif
