/* SPDX-License-Identifier: MIT */
/*
 * resolve: a run address of a process at a time -> module and symbol.
 *
 * In: a frozen process table.  Out: places, each kept once: an address in a file however
 * many processes map it, one in other memory per space and epoch.  So run_addr and map
 * are those of one of the addresses that a place stands for.  The pointers in a place
 * live as long as the table and its modules.
 *
 * What was inlined at a place is looked up only when it is asked for, by resolver_lines
 * for all places at once, or by place_lines.
 *
 * A resolver belongs to one thread; resolver_lines has some of its own.
 */
#ifndef PROFILE_RESOLVE_H
#define PROFILE_RESOLVE_H

#include "profile/process.h"

struct place {
	const struct mapping *map;       /* NULL: nothing mapped there */
	struct module *module;           /* map's, or NULL */
	struct symbol symbol;            /* name NULL: symbol.reason tells why */
	uint64_t run_addr;
	uint64_t elf_addr;               /* run_addr where there is no module */
	const struct source_frame *lines;        /* innermost first, the symbol itself last */
	uint32_t tag;                    /* the caller's, to remember what it made of it; 0 when new */
	bool kernel, is_return;
	bool has_lines;                  /* whether lines and nr_lines were looked up */
	uint8_t nr_lines;
};

struct resolver;

struct resolver *resolver_new(const struct process_table *table);
void resolver_free(struct resolver *resolver);
/* Before the first look-up: all user addresses in no mapping are one place. */
void resolver_join_unmapped(struct resolver *resolver);

/*
 * `is_kernel` as the sample's cpumode or the chain's PERF_CONTEXT_ mark says.
 * `is_return` for an address that a call returns to: the place is looked up one
 * byte earlier, in the calling instruction, and run_addr stays as it is. (The
 * only minus one.)
 */
struct place *resolve(struct resolver *resolver, const struct image *image, uint64_t addr,
			    uint64_t time_ns, bool is_kernel, bool is_return);

/* The lines of a place: looked up if they were not yet. Returns nr_lines. */
uint32_t place_lines(struct resolver *resolver, struct place *place);

/* Look up the lines of all places that are new since the last time, with `jobs` threads. */
void resolver_lines(struct resolver *resolver, unsigned jobs);

/*
 * One frame of a sample's callchain, marks taken out, as perf understands them.
 * Returns the number of frames written (<= max): ips[i] is the address, kernel
 * [i] whether it was recorded in kernel mode. With *first_is_ip true the chain's
 * first entry is the sampled instruction and all others are return addresses.
 */
struct chain_frame {
	uint64_t ip;
	bool kernel, is_return;
};
uint32_t chain_frames(const u64_una *ips, uint64_t nr, uint8_t cpumode, struct chain_frame *out,
		      uint32_t max);

#endif
