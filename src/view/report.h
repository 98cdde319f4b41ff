/* SPDX-License-Identifier: MIT */
/*
 * report: the table of perf report --stdio.
 *
 *	# Samples: 4K of event 'cycles'
 *	# Event count (approx.): 123456
 *	#
 *	# Children      Self  Command  Shared Object  Symbol
 *	# ........  ........  .......  .............  ..........
 *	#
 *	    98.53%    98.53%  w        w              [.] burn
 *
 * A section for each event that has samples; at the end the account of what is
 * missing.
 */
#ifndef VIEW_REPORT_H
#define VIEW_REPORT_H

#include <stdio.h>

#include "profile/sort.h"
#include "view/callgraph.h"

struct report_options {
	struct sort_spec spec;
	bool children;
	struct callgraph_options callgraph;
	double percent_limit;
	const char *separator;           /* -t; NULL: columns are padded */
	bool quiet;                      /* rows alone */
	bool full;                       /* -v: whole paths, addresses */
	bool relative;                   /* percentages are of what passed the filters */
	bool color;
	unsigned width;                  /* of the terminal; 0: none */
	unsigned max_rows;               /* of all tables together; 0: all */
	bool chains_hidden;              /* say that there are chains to be seen with -g */
	uint64_t time_quantum_ns;        /* of the key time */
	bool named_only;                 /* -U: what has no name is left out */
	const uint32_t *widths;          /* -w: of the columns in turn; 0: as wide as need be */
	uint32_t nr_widths;
	bool groups, group_all;          /* events of a group side by side; all events as one group */
	unsigned group_sort;             /* by which event of a group rows are sorted */
	bool hierarchy;                  /* a level of rows for each key */
	bool show_empty;                 /* sections for events without samples, too */
	bool exclude_other;              /* -x: only samples with a parent */
	const uint32_t *sockets;         /* --socket-filter: only of this one */
	/* filters; percentages stay those of the whole without `relative` */
	struct profile_query filter;     /* by comms, dsos, syms, pids, tids: filter_entry */
	const char *sym_part;            /* a part of the symbol's name */
	bool hide_kernel, hide_user;     /* samples of the kernel's code, of other code */
	uint64_t min_samples;            /* no rows with fewer */
	const char *row_part;            /* only rows of functions with this in their name; or NULL */
	bool live;                       /* a table among others: no hints, no names' account */
};

/* The profile_dim bits that the report needs. */
unsigned report_dims(const struct report_options *options);
/* And the extras; names are the options'. Returns their number. */
uint32_t report_extras(const struct report_options *options, struct extra out[EXTRAS_MAX]);

/* The rows of one event, filtered; the caller releases them. And: is a row to be shown? */
void report_rows(const struct report_options *options, const struct profile *profile,
		 uint32_t event, struct hists *out);
bool report_shows(const struct report_options *options, const struct hists *hists,
		  const struct hist *hist);

/*
 * The events of the table that `event` begins, into out (room for all of them); 0 if it has no
 * samples, or stands in the table of another one.
 */
uint32_t report_table(const struct report_options *options, const struct profile *profile, uint32_t event,
		      uint32_t *out);

void report_write(const struct report_options *options, const struct profile *profile, FILE *out);

#endif
