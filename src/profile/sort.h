/* SPDX-License-Identifier: MIT */
/*
 * sort: sort keys, and the rows (hists) that they make of a profile.
 *
 * A row is what has equal keys: a group (command, thread, CPU) and a frame part
 * (symbol, or module, or nothing).  Self counts are of the samples that ended
 * there.  Children counts are of the samples whose stack passes through it, each
 * once however often it stands in the stack.
 *
 *	-s / -F text --sort_parse--> struct sort_spec --hists_build--> rows, sorted
 *
 * Children counts come out of the call tree: a row gets the total of each node that
 * is the first of its kind on the way from the root, so that no stack is walked.
 */
#ifndef PROFILE_SORT_H
#define PROFILE_SORT_H

#include "base/str.h"
#include "profile/extra.h"
#include "profile/profile.h"
#include "profile/tree.h"

#define SORT_FIELDS_MAX 24
#define SORT_FIELD_NAME_MAX 64
#define SORT_COLUMNS_MAX 96

enum column {
	COLUMN_CHILDREN, COLUMN_OVERHEAD, COLUMN_SYS, COLUMN_USER, COLUMN_GUEST_SYS,
	COLUMN_GUEST_USER, COLUMN_SAMPLES, COLUMN_PERIOD,
	/* keys */
	COLUMN_COMM, COLUMN_PID, COLUMN_TID, COLUMN_TGID, COLUMN_CPU, COLUMN_DSO, COLUMN_SYM,
	COLUMN_SYMOFF,
	COLUMN_ADDR, COLUMN_SYM_SIZE, COLUMN_DSO_SIZE, COLUMN_LINE, COLUMN_FILE,
	/* keys that are extras of the profile: numbers */
	COLUMN_SOCKET, COLUMN_NODE, COLUMN_TIME, COLUMN_WEIGHT, COLUMN_LOCAL_WEIGHT, COLUMN_INS_LAT,
	COLUMN_LOCAL_INS_LAT, COLUMN_P_STAGE, COLUMN_LOCAL_P_STAGE, COLUMN_TRANSACTION,
	COLUMN_CODE_PAGE, COLUMN_DATA_PAGE, COLUMN_DATA_LINE, COLUMN_PHYS_DATA, COLUMN_MEM,
	COLUMN_SNOOP, COLUMN_TLB, COLUMN_LOCKED, COLUMN_BLOCKED, COLUMN_MISPREDICT, COLUMN_IN_TX,
	COLUMN_ABORT, COLUMN_CYCLES,
	/* frames; those TO are of the sampled one, which is where a branch went to */
	COLUMN_SYM_FROM, COLUMN_ADDR_FROM, COLUMN_LINE_FROM, COLUMN_DSO_FROM, COLUMN_SYM_DATA, COLUMN_DSO_DATA,
	COLUMN_SYM_TO, COLUMN_ADDR_TO, COLUMN_LINE_TO, COLUMN_DSO_TO,
	/* texts */
	COLUMN_CGROUP, COLUMN_PARENT, COLUMN_TRACE,
	COLUMN_FIELD,                    /* the first of SORT_FIELDS_MAX: fields of tracepoints */
	COLUMN_COUNT = COLUMN_FIELD + SORT_FIELDS_MAX,
};

struct sort_spec {
	enum column output[SORT_COLUMNS_MAX], order[SORT_COLUMNS_MAX];
	unsigned nr_output, nr_order;
	char fields[SORT_FIELDS_MAX][SORT_FIELD_NAME_MAX];
	unsigned nr_fields;
	bool nanoseconds;                /* the key time shows all nine places */
	bool raw_trace;                  /* the key trace shows fields as they are */
	bool comm_first, sym_first;      /* the first key of a list without -F; see view/callgraph */
};

struct sort_wish {
	const char *sort, *fields;       /* -s and -F, or NULL */
	bool children, samples, period, cpu_utilization;
	bool parent;                     /* the key parent, too */
	bool branches;                   /* rows are of branches: their keys, and their defaults */
	bool memory;                     /* the defaults of --mem-mode */
	bool raw_trace, nanoseconds;
	bool guest;                      /* with cpu_utilization that of guests, too */
	/* Is this a tracepoint's field? NULL: there are none. */
	bool (*is_field)(const char *word, void *arg);
	void *is_field_arg;
};

/* Errors name the key and what there is; keys that perf has and Sonde has not say so. */
int sort_parse(struct sort_spec *spec, const struct sort_wish *wish, struct err *err);

/* `sampled`: the sample_type bits of all events. Errors name a key that none of them has. */
int sort_check(const struct sort_spec *spec, uint64_t sampled, struct err *err);

bool column_is_key(enum column column);
bool column_is_percent(enum column column);      /* a part of the whole; else a plain count */
bool column_is_field(enum column column);
bool column_is_symbol(enum column column);       /* shows a function's name */
bool column_is_symoff(enum column column);       /* and where in it */
bool column_is_dso(enum column column);
bool column_is_line(enum column column);         /* a source line, or a file */
bool column_extra(enum column column, enum extra_kind *kind);   /* false: it is none of an extra */
const char *column_name(enum column column);     /* as typed */
const char *sort_column_name(const struct sort_spec *spec, enum column column);  /* of a field its own */
bool sort_has(const struct sort_spec *spec, enum column column);
void sort_hide(struct sort_spec *spec, enum column column);

/* The profile_dim bits that the keys need (PROFILE_BY_STACK is not among them). */
unsigned sort_dims(const struct sort_spec *spec);
/* The extras that the keys need; names are the spec's. Returns their number. */
uint32_t sort_extras(const struct sort_spec *spec, uint64_t time_quantum_ns,
		     struct extra out[EXTRAS_MAX]);

struct hist {
	uint32_t group;                  /* index into tree.groups */
	uint32_t frame;                  /* one frame that it stands for */
	uint32_t depth;                  /* frames of its longest chain */
	uint64_t samples, period, period_kernel, period_user, period_guest_kernel, period_guest_user;
	uint64_t children;               /* period */
};

struct hists_options {
	uint32_t event;
	bool children, by_addr;          /* by_addr: unnamed addresses are rows of their own */
	bool named_only;                 /* no rows for callers without a name */
	bool depth_order;                /* of equal Children, callers stand above what they call */
	enum tree_order order;
	entry_filter *filter;            /* or NULL; entries for which it is false are left out */
	const void *filter_arg;
};

struct hists {
	const struct profile *profile;
	struct sort_spec spec;
	struct hists_options options;
	struct call_tree tree;
	struct hist *v;
	uint32_t nr;
	uint32_t *sorted;                /* rows in order of the spec */
	uint64_t total;                  /* period that percentages are of */
	uint32_t *syms;                  /* symbol of each frame: the tree's labels */
	uint32_t *sym_frame, nr_syms;    /* a frame of each symbol */
	uint32_t *entry_hist;            /* row of each of tree.entries */
	uint32_t *node_hist;             /* row of each tree node's frame; UINT32_MAX for the first levels */
	bool *node_first;                /* no node of the same row above it */
};

/* Make the rows of one event. */
void hists_build(struct hists *hists, const struct profile *profile,
		 const struct sort_spec *spec, const struct hists_options *options);
void hists_release(struct hists *hists);

/*
 * Lay the rows of several events side by side: the first one gets those that only others
 * have, without counts, and is sorted anew, by event `by` first. Returns for each row of
 * it the rows of all, [row * nr + event], NULL where an event has it not; the caller frees.
 */
const struct hist **hists_join(struct hists *const *hists, uint32_t nr, uint32_t by);

/* Append what a row shows under a key column. `full`: whole paths, addresses. */
void hist_add_key(struct str *s, const struct hists *hists, const struct hist *hist,
		  enum column column, bool full);
uint64_t hist_value(const struct hist *hist, enum column column);

/* Which of two rows comes first by one column, as qsort has it. */
int hist_compare(const struct hists *hists, const struct hist *a, const struct hist *b,
		 enum column column);

/* What single keys of a row are: the names that are shown for them. */
const char *hist_comm(const struct hists *hists, const struct hist *hist);
/* The last name that the row's thread (or `of_process`, its process) had. */
const char *hist_last_comm(const struct hists *hists, const struct hist *hist, bool of_process);
/* The text of a key that is one of an extra; NULL if there was nothing to tell. */
const char *hist_text(const struct hists *hists, const struct hist *hist, enum column column);
/* How wide the column of a tracepoint's field is at the least; 0: the event has none. */
unsigned hist_field_width(const struct hists *hists, enum column column);
/* The value of a key that is a number of an extra; EXTRA_UNKNOWN if it is not known. */
bool column_is_number(enum column column);
bool column_is_word(enum column column);         /* a number that shows as words */
uint64_t hist_number(const struct hists *hists, const struct hist *hist, enum column column);
/* The source line or file under a column of such. */
const char *hist_line(const struct hists *hists, const struct hist *hist, enum column column);
const char *hist_dso(const struct hists *hists, const struct hist *hist, bool full);
/* The function's or the binary's name under a column of such; NULL without a name. */
const char *hist_name_of(const struct hists *hists, const struct hist *hist, enum column column);

#endif
