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

/* Fields of a sample, as bits. */
#define FIELD_COMM (UINT64_C(1) << 0)
#define FIELD_TID (UINT64_C(1) << 1)
#define FIELD_PID (UINT64_C(1) << 2)
#define FIELD_TIME (UINT64_C(1) << 3)
#define FIELD_CPU (UINT64_C(1) << 4)
#define FIELD_EVENT (UINT64_C(1) << 5)
#define FIELD_TRACE (UINT64_C(1) << 6)
#define FIELD_IP (UINT64_C(1) << 7)
#define FIELD_SYM (UINT64_C(1) << 8)
#define FIELD_DSO (UINT64_C(1) << 9)
#define FIELD_ADDR (UINT64_C(1) << 10)
#define FIELD_SYMOFF (UINT64_C(1) << 11)
#define FIELD_PERIOD (UINT64_C(1) << 12)
#define FIELD_BRSTACK (UINT64_C(1) << 13)
#define FIELD_BRSTACKSYM (UINT64_C(1) << 14)
#define FIELD_WEIGHT (UINT64_C(1) << 15)
#define FIELD_PHYS_ADDR (UINT64_C(1) << 16)
#define FIELD_MISC (UINT64_C(1) << 17)
#define FIELD_DATA_PAGE_SIZE (UINT64_C(1) << 18)
#define FIELD_CODE_PAGE_SIZE (UINT64_C(1) << 19)
#define FIELD_INS_LAT (UINT64_C(1) << 20)
#define FIELD_IREGS (UINT64_C(1) << 21)
#define FIELD_UREGS (UINT64_C(1) << 22)
#define FIELD_BRSTACKOFF (UINT64_C(1) << 23)
#define FIELD_DATA_SRC (UINT64_C(1) << 24)
#define FIELD_BPF_OUTPUT (UINT64_C(1) << 25)
#define FIELD_TOD (UINT64_C(1) << 26)
#define FIELD_CGROUP (UINT64_C(1) << 27)
#define FIELD_RETIRE_LAT (UINT64_C(1) << 28)
#define FIELD_DSOFF (UINT64_C(1) << 29)
#define FIELD_SRCLINE (UINT64_C(1) << 30)
#define FIELD_INSN (UINT64_C(1) << 31)
#define FIELD_INSNLEN (UINT64_C(1) << 32)

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
