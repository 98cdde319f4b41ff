/* SPDX-License-Identifier: MIT */
/*
 * pack: the names that a recording needs, gathered for the journey, and put back.
 *
 *	recording --pack_gather--> section (formats/pack) ... on another machine:
 *	section --pack_states--> modules that have names without their files
 *
 * Gathered is what samples and their call chains hit, as it is named here and now: for
 * each such module the symbols, and the segments by which its addresses are counted.
 */
#ifndef PROFILE_PACK_H
#define PROFILE_PACK_H

#include "profile/profile.h"

struct pack_stats {
	uint32_t nr_modules, nr_symbols;
	uint64_t named, unnamed;         /* distinct addresses */
};

/*
 * Append the section for `profile`, which was loaded with PROFILE_BY_STACK,
 * PROFILE_BY_ADDR and symbols.no_demangle, without filters.
 */
void pack_gather(struct str *section, const struct profile *profile, struct pack_stats *stats);

/*
 * Make the modules of the recording's section known, with their names. The returned
 * pack is to be freed after the modules; NULL if the recording has none.
 */
struct pack *pack_state(const struct perf_data *data, struct module_set *modules);

#endif
