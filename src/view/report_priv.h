/* SPDX-License-Identifier: MIT */
/* report_priv: a table of the report while it is written, between the files that write it. */
#ifndef VIEW_REPORT_PRIV_H
#define VIEW_REPORT_PRIV_H

#include "view/line.h"
#include "view/report.h"

struct section {
	const struct report_options *options;
	struct hists h;                  /* of a group: the leader's */
	struct hists **members;          /* of a group, the leader first; one without a group */
	struct hists *others;            /* members but the first */
	uint32_t nr_members;
	const struct hist **joint;       /* hists_join; NULL without a group */
	FILE *out;
	struct line line;
	unsigned widths[SORT_COLUMNS_MAX];
	uint32_t max_rows;               /* of this table; 0: all */
};

/* What is drawn below rows. */
struct chain_drawer {
	struct chains *chains;           /* NULL: nothing */
	struct chain_options cut;
	struct callgraph_page page;
};

/*
 * Make the rows of events, side by side if there are several, into `s`, of which all but this
 * is set. `own`, the options that it has, will not have columns that none of them fills.
 */
void section_load(struct section *s, struct report_options *own, const struct profile *profile,
		  const uint32_t *events, uint32_t nr);
void section_release(struct section *s);
/* Append "cycles", or for a group its name and its events. */
void section_add_event_names(const struct section *s, struct str *out);

/* Append a value of a row, one for each event, and for a key its text. */
void section_add_values(struct section *s, const struct hist *hist, enum column column,
			unsigned width);
void section_add_key(struct section *s, const struct hist *hist, enum column column, unsigned width,
		     bool last);
unsigned section_value_width(const struct section *s, enum column column);
const char *section_title(const struct section *s, enum column column);
bool section_shows(const struct section *s, const struct hist *hist);
/* The columns' widths; then, on a terminal, as narrow as need be. */
void section_measure(struct section *s);
void section_squeeze(struct section *s);
/* Append the titles, a row, to the line. */
void section_add_titles(struct section *s);
void section_add_row(struct section *s, const struct hist *hist);
void section_draw(struct section *s, struct chain_drawer *drawer, uint32_t row);

/* --hierarchy: titles and rows, a level for each key. */
void section_write_levels(struct section *s, struct chain_drawer *drawer);

#endif
