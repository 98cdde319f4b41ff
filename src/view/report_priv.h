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
