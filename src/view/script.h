/* SPDX-License-Identifier: MIT */
/*
 * script: samples as text, one after the other, in perf script's format (that of
 * Linux 6.1), because people's scripts parse it.
 *
 *	comm  tid [cpu] time:  period event:  ip sym+off (dso)
 *	comm  tid [cpu] time: event: trace fields
 *
 * With call chains the frames follow, one per line behind a tab, then a blank line.
 * An address of a user frame in a chain is shown as the offset in its file (start
 * of the mapping taken off, pgoff added), elsewhere as it is in memory.
 */
#ifndef VIEW_SCRIPT_H
#define VIEW_SCRIPT_H

#include <stdio.h>

#include "profile/recording.h"

enum script_field {
	FIELD_COMM = 1 << 0,
	FIELD_TID = 1 << 1,
	FIELD_PID = 1 << 2,
	FIELD_TIME = 1 << 3,
	FIELD_CPU = 1 << 4,
	FIELD_EVENT = 1 << 5,
	FIELD_TRACE = 1 << 6,
	FIELD_IP = 1 << 7,
	FIELD_SYM = 1 << 8,
	FIELD_DSO = 1 << 9,
	FIELD_ADDR = 1 << 10,
	FIELD_SYMOFF = 1 << 11,
	FIELD_PERIOD = 1 << 12,
	FIELD_BRSTACK = 1 << 13,
	FIELD_BRSTACKSYM = 1 << 14,
	FIELD_WEIGHT = 1 << 15,
	FIELD_PHYS_ADDR = 1 << 16,
	FIELD_MISC = 1 << 17,
	FIELD_DATA_PAGE_SIZE = 1 << 18,
	FIELD_CODE_PAGE_SIZE = 1 << 19,
	FIELD_INS_LAT = 1 << 20,
	FIELD_IREGS = 1 << 21,
	FIELD_UREGS = 1 << 22,
	FIELD_BRSTACKOFF = 1 << 23,
	FIELD_DATA_SRC = 1 << 24,
	FIELD_BPF_OUTPUT = 1 << 25,
	FIELD_TOD = 1 << 26,
	FIELD_CGROUP = 1 << 27,
	FIELD_RETIRE_LAT = 1 << 28,
	FIELD_DSOFF = 1 << 29,
	FIELD_SRCLINE = 1 << 30,
};

struct script_options {
	const char *fields;      /* -F: "a,b", "+a,-b", "trace:a,b"; NULL: by event type */
	bool hide_chain;         /* -G */
	bool inlines;            /* chains with what was inlined */
	bool ns, reltime, deltatime;
	uint32_t max_stack;      /* 0: all */
	const struct profile_query *filter;      /* NULL: everything */
	const char **stop_at;    /* --stop-bt: chains end with these functions; or NULL */
	bool show_tasks, show_mmaps, show_lost, show_switches, show_namespaces, show_bpf, show_rounds;
	bool show_cgroups, show_text_pokes;
	const char *switch_on, *switch_off;      /* events between which samples are printed; or NULL */
	bool show_on_off;                        /* print these two as well */
	bool full_path;                          /* srcline with folders */
	FILE **outs;                             /* for each event's samples; NULL: all to one */
};

struct script;

/* All arguments are borrowed until script_free. -EINVAL for a field that is not known or not there. */
int script_new(struct script **out, const struct recording *recording,
	       const struct script_options *options, struct err *err);
void script_free(struct script *script);

/* Add how unwinding went for the samples that were written. */
void script_account(const struct script *script, struct profile_account *account);

/* How many samples of an event were written. */
uint64_t script_samples(const struct script *script, uint32_t event);

/*
 * Write one record, if the options show its kind. Records come in the order of time. A
 * sample that stands for several (profile/reads.h) is left as the last of them. Text is
 * kept back until there is much of it, or script_flush.
 */
void script_write(struct script *script, struct record *record, FILE *out);
void script_flush(struct script *script, FILE *out);

#endif
