/* SPDX-License-Identifier: MIT */
/*
 * script_parts: fields of a sample that few recordings have, as perf script prints them.
 * Each appends to a line; none looks anything up.
 */
#ifndef VIEW_SCRIPT_PARTS_H
#define VIEW_SCRIPT_PARTS_H

#include "arch/arch.h"
#include "base/str.h"
#include "formats/perf_data.h"

/* Sampled registers. `arch` may be NULL. */
void script_add_regs(struct str *out, const struct arch *arch, uint64_t abi, uint64_t mask,
		     const u64_una *regs);

/*
 * What memory was accessed and what it took (union perf_mem_data_src). *width is that of
 * the widest so far, to which the others are padded.
 */
void script_add_data_src(struct str *out, uint64_t data_src, size_t *width);

/* What a BPF program wrote, as bytes and, if it is one, as a string. */
void script_add_bpf_output(struct str *out, const struct sample *sample);

/* "4K", "2M", or "N/A" for 0. */
void script_add_page_size(struct str *out, uint64_t bytes);

/* What ties the recording's clock to the time of day; false if it does not tell. */
struct day_clock { uint64_t wall_ns, clock_ns; };
bool script_day_clock(const struct perf_data *data, struct day_clock *out);
/* "2020-09-13 12:26:41.123456 ", in the local zone; nine digits with `ns`. */
void script_add_time_of_day(struct str *out, const struct day_clock *clock, uint64_t time_ns,
			    bool ns);

/* "COND", "CALL", ... of the flags of a branch; "" where it is not told. */
const char *script_branch_type(uint64_t flags);
/* The flags of a branch: "/P/-/-/12/COND ". */
void script_add_branch_flags(struct str *out, uint64_t flags);

#endif
