/* SPDX-License-Identifier: MIT */
/*
 * branches: how long pieces of straight code took, out of branch stacks.
 *
 *	entry i+1: from -> to ......... straight code ......... entry i: from -> to
 *	                   |<------------ a block ------------->|      cycles of entry i
 *
 * Two branches that follow one another in a stack have a block between them: from where
 * the older one went to where the newer one left. The newer one's `cycles` is the time
 * since the older one (struct perf_branch_entry, linux/perf_event.h); 0 is not known.
 */
#ifndef PROFILE_BRANCHES_H
#define PROFILE_BRANCHES_H

#include "profile/profile.h"

struct branch_block {
	struct module *module;
	uint64_t start, end;             /* elf_addr of the first instruction and of the branch */
	uint64_t count, cycles;
};

struct branches {
	struct branch_block *v;          /* by module's index, end; of equal ones the most frequent first */
	size_t nr;
};

/*
 * Read the recording again for its branch stacks; `query` filters samples by pid, tid, CPU
 * and time. Nothing is read where no event has them.
 */
int branches_load(struct branches *out, const struct profile *profile,
		  const struct profile_query *query, struct err *err);
void branches_release(struct branches *branches);

/* The blocks of a module that end in [start, end): the first, and how many. */
const struct branch_block *branches_find(const struct branches *branches, const struct module *module,
					 uint64_t start, uint64_t end, size_t *nr);

#endif
