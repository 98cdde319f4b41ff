/* SPDX-License-Identifier: MIT */
/*
 * extra: dimensions of a sample that few reports ask for, beside those of enum profile_dim.
 *
 *	sample --extras_add--> words behind the raw key's chain    (counting, on any thread)
 *	words --extras_name--> a value for each extra              (naming, on one)
 *
 * While samples are counted, an extra is bytes of the sample as they are: a number, or a
 * tracepoint's fields.  What cannot be told apart by them is one raw entry; only that is
 * put into words.  Values are numbers, or numbers of texts, as extra_is_text says.
 */
#ifndef PROFILE_EXTRA_H
#define PROFILE_EXTRA_H

#include "profile/recording.h"

enum extra_kind {
	/* numbers */
	EXTRA_TIME,              /* of the sample, rounded down to quantum_ns */
	EXTRA_SOCKET, EXTRA_NODE,        /* of its CPU; EXTRA_UNKNOWN where the file does not tell */
	EXTRA_WEIGHT, EXTRA_INS_LAT, EXTRA_P_STAGE,
	EXTRA_TRANSACTION,
	EXTRA_CODE_PAGE, EXTRA_DATA_PAGE,        /* bytes */
	EXTRA_DATA_ADDR, EXTRA_DATA_LINE, EXTRA_PHYS_ADDR,       /* data; its 64-byte line */
	EXTRA_MEM_OP, EXTRA_MEM_LEVEL, EXTRA_MEM_SNOOP, EXTRA_MEM_TLB, EXTRA_MEM_LOCK,
	EXTRA_MEM_BLOCK,         /* bits of data_src that one of them is made of */
	/* of a branch (profile_query.branches); numbers */
	EXTRA_BRANCH_PREDICTED,  /* enum branch_predicted */
	EXTRA_BRANCH_TX, EXTRA_BRANCH_ABORT,     /* 0 or 1 */
	EXTRA_BRANCH_CYCLES,
	/* frames: an index into profile.frames, of which the symbol or the module counts */
	EXTRA_FROM_FRAME, EXTRA_DATA_FRAME,
	/* texts */
	EXTRA_CGROUP,            /* its path */
	EXTRA_TRACE,             /* a tracepoint's fields as its format prints them */
	EXTRA_RAW_TRACE,         /* the same as NAME=VALUE, whatever its format says */
	EXTRA_FIELD,             /* one of them, `name` as "FIELD" or "EVENT.FIELD" */
	EXTRA_PARENT,            /* the function that `parent` of the query matches */
};

enum branch_predicted { BRANCH_NOT_KNOWN, BRANCH_PREDICTED, BRANCH_MISSED };

#define EXTRAS_MAX 48
#define EXTRA_UNKNOWN UINT64_MAX

struct extra {
	enum extra_kind kind;
	const char *name;
	uint64_t quantum_ns;
	bool of_module, of_line; /* frames of one module, or of one source line, are one */
};

struct extras;

/* Prepare for a recording; `list` is copied, its names are borrowed. */
int extras_new(struct extras **out, const struct extra *list, uint32_t nr,
	       const struct perf_data *data, struct err *err);
void extras_free(struct extras *extras);

/* Does some extra need all of the sample decoded? */
bool extras_need_all(const struct extras *extras);

/*
 * Append the words of a sample, or of one of its branches; returns their number. There is
 * room for extras_room() of them.
 */
uint32_t extras_add(const struct extras *extras, const struct sample *sample,
		    const struct sample_branch *branch, uint64_t *words);
size_t extras_room(const struct extras *extras);

/*
 * From words to values, one for each extra. `parent` is the text for EXTRA_PARENT, or
 * NULL. Not for use by two threads at once.
 */
void extras_name(struct extras *extras, const struct recording *recording, uint32_t event,
		 const uint64_t *words, const char *parent, uint64_t *values);

/*
 * Of `nr` sets of values, keep the texts of those that are `used` and drop the others: in
 * those sets, values that are texts are replaced.
 */
void extras_renew(struct extras *extras, uint64_t *values, const bool *used, size_t nr);

bool extra_is_text(enum extra_kind kind);
bool extra_is_frame(enum extra_kind kind);       /* values are addresses until profile.c makes them frames */
/* Append what a tracepoint's sample tells, as EXTRA_TRACE does, or as EXTRA_RAW_TRACE. */
struct tracepoints;
void extra_add_trace(struct tracepoints *points, struct str *out, const struct sample *sample, bool as_fields);

/* The text of a value, NULL where there was nothing to tell; lives as long as the extras. */
const char *extras_text(const struct extras *extras, uint64_t value);

/* The most columns that a field's values take in an event: characters, or digits; 0: has it not. */
unsigned extras_field_width(const struct extras *extras, uint32_t extra, uint32_t event);

/* Is "FIELD" or "EVENT.FIELD" a field of some tracepoint of the recording? */
bool extras_has_field(const struct perf_data *data, const char *name);

#endif
