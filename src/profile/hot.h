/* SPDX-License-Identifier: MIT */
/*
 * hot: which instructions of which functions the samples hit.
 *
 * In: a profile counted with PROFILE_BY_ADDR.  Out: its functions, each with the
 * sampled addresses in it and what each event counted there.  Only where a sample was
 * taken counts, not who called: chains play no part.  Samples without a symbol are in no
 * function and are left out (the profile's account tells of them).
 */
#ifndef PROFILE_HOT_H
#define PROFILE_HOT_H

#include "profile/profile.h"

struct hot_site {
	uint64_t elf_addr;
	uint32_t event;
	uint64_t samples, period;
};

struct hot_symbol {
	struct module *module;
	const char *name;                /* as the profile's frames have it */
	uint64_t start, end;             /* elf_addr, end exclusive */
	bool kernel;
	const struct hot_site *sites;    /* by address, then event; each pair once */
	uint32_t nr_sites;
	const struct profile_total *totals;      /* per event */
};

struct hots {
	struct hot_symbol *v;            /* in the order in which they were met */
	uint32_t nr;
	struct hot_site *sites;
	struct profile_total *totals;
};

/* The profile must outlive it. */
void hots_build(struct hots *hots, const struct profile *profile);
void hots_release(struct hots *hots);

/*
 * Indices of the functions that have samples of one of `events`, those with the largest
 * period of the first event first, then of the second. Returns their number; the caller
 * frees *out.
 */
uint32_t hots_sort(const struct hots *hots, const uint32_t *events, uint32_t nr_events, uint32_t **out);

#endif
