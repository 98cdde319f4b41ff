/* SPDX-License-Identifier: MIT */
/*
 * filter: does a sample belong to what was asked for?
 */
#ifndef PROFILE_FILTER_H
#define PROFILE_FILTER_H

#include "profile/profile.h"
#include "profile/resolve.h"

/* Whether filter_sample or filter_comm can say no. */
bool filter_any(const struct profile_query *query);

/* By pid, tid, CPU and time. */
bool filter_sample(const struct profile_query *query, const struct sample *sample);

/* By the name of the thread. */
bool filter_comm(const struct profile_query *query, const struct process_table *processes,
		 uint32_t comm);

/* By the module and symbol of the sampled instruction. */
bool filter_leaf(const struct profile_query *query, const struct place *leaf);

/*
 * By all that an entry keeps: comm, pid and tid where the profile was counted by
 * them, and the leaf. `query` is a struct profile_query; as an entry_filter it leaves
 * samples out of rows that still count in the profile's totals.
 */
bool filter_entry(const struct profile *profile, const struct profile_entry *entry,
		  const void *query);

#endif
