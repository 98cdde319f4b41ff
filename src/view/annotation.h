/* SPDX-License-Identifier: MIT */
/*
 * annotation: one function as its instructions, with what the samples say of each.
 *
 *	hot symbol --> code --> instructions --> counts per instruction and event
 *	                              '--> source lines and inlined functions
 *
 * In: a symbol of profile/hot and the code it stands in.  Out: plain arrays that the
 * text, the JSON and the page are written from.  A sample that points into the middle of
 * an instruction counts for that instruction.
 */
#ifndef VIEW_ANNOTATION_H
#define VIEW_ANNOTATION_H

#include "profile/branches.h"
#include "profile/hot.h"
#include "symbols/code.h"
#include "symbols/disasm.h"
#include "view/source.h"

#define ANNOTATION_EVENTS_MAX 32

enum percent_type {
	PERCENT_LOCAL_PERIOD,            /* of the function's */
	PERCENT_LOCAL_HITS,
	PERCENT_GLOBAL_PERIOD,           /* of the event's in the whole recording */
	PERCENT_GLOBAL_HITS,
};

/* "local-period", as --percent-type takes it; -1 if it is none of them. */
int percent_type_find(const char *name);
/* "local period", as headings have it. */
const char *percent_type_text(enum percent_type type);

struct annotation_options {
	enum disasm_syntax syntax;
	bool no_lines;                   /* no source: neither lines nor inlined functions */
	enum percent_type percent;
};

struct insn_line {
	struct insn insn;
	uint32_t first_frame, nr_frames; /* in annotation.frames: innermost first; 0: not known */
	uint32_t jump;                   /* line that it jumps to, or UINT32_MAX */
	bool is_jumped_to, starts_chain; /* starts_chain: other inlined functions than the line before */
	float cycles, ipc;               /* of the block that ends here; 0: not known */
};

struct annotation {
	const struct profile *profile;
	const struct hot_symbol *symbol;
	struct annotation_options options;
	struct code code;
	uint32_t events[ANNOTATION_EVENTS_MAX], nr_events;       /* one, or a group's members */
	struct insn_line *lines;
	uint32_t nr;
	struct profile_total *counts;    /* nr_events for each line */
	struct annot_frame { const char *name, *file; uint32_t line; } *frames;
	uint32_t nr_frames;
	uint32_t nr_raw;                 /* bytes that are no instruction */
	bool has_lines, has_cycles;
	struct codes *codes;
};

/*
 * Disassemble `symbol` and lay the samples of its events on it. The errors are those of
 * codes_read and disasm_new. The codes and the profile must outlive it.
 */
int annotation_build(struct annotation *a, struct codes *codes, const struct profile *profile,
		     const struct hot_symbol *symbol, const uint32_t *events, uint32_t nr_events,
		     const struct annotation_options *options, struct err *err);
void annotation_release(struct annotation *a);

/* Lay what branch stacks tell of blocks on the instructions that end them. */
void annotation_add_branches(struct annotation *a, const struct branches *branches);

/* Percent of a line for event number e of the annotation's; of a sum of lines. */
double annotation_percent(const struct annotation *a, uint32_t line, uint32_t e);
double annotation_percent_of(const struct annotation *a, const struct profile_total *sum, uint32_t e);
/* The line's largest among its events. */
double annotation_heat(const struct annotation *a, uint32_t line);
const struct profile_total *annotation_count(const struct annotation *a, uint32_t line, uint32_t e);

/* The hottest instruction of event e; UINT32_MAX if none has samples. */
uint32_t annotation_hottest(const struct annotation *a, uint32_t e);

/*
 * Append an instruction: "div    %ecx". Targets and data are named; `brief` has jumps inside
 * of the function as their offset and calls as the name alone.
 */
void annotation_text(const struct annotation *a, uint32_t line, bool brief, struct str *out);

/* Name of the event or group: "cycles", "anon group { cycles, instructions }". */
void annotation_event_name(const struct annotation *a, struct str *out);

/* Sums over source lines, the largest first. */
struct source_sum {
	const char *file;
	uint32_t line;
	struct profile_total counts[ANNOTATION_EVENTS_MAX];
};
uint32_t annotation_sum_lines(const struct annotation *a, struct source_sum **out);

#endif
