/* SPDX-License-Identifier: MIT */
/*
 * --hierarchy: rows within rows.
 *
 *	#       Overhead  Command / Shared Object / Symbol
 *	    92.34%        python3
 *	       65.04%        libpython3.11.so.1.0
 *	          10.13%        [.] gc_collect_main
 *
 * The rows that have the first key in common are one row with the sum of their counts;
 * below it stand, for each value of the next key, their parts.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "view/report_priv.h"

#define INDENT 3u

/* Rows that have all keys up to a level in common: [from, to) of an array. */
struct run {
	uint32_t from, to;
	struct hist sum;
};

struct levels {
	struct section *s;
	struct chain_drawer *drawer;
	enum column keys[SORT_COLUMNS_MAX], values[SORT_COLUMNS_MAX];
	unsigned nr_keys, nr_values;
	unsigned value_columns;          /* of all values of a line */
	enum column key;                 /* by which rows are being sorted */
};

static int compare_rows(const void *x, const void *y, void *arg)
{
	const struct levels *l = arg;
	const struct hists *h = &l->s->h;

	return hist_compare(h, &h->v[*(const uint32_t *)x], &h->v[*(const uint32_t *)y], l->key);
}

static int compare_runs(const void *x, const void *y, void *arg)
{
	const struct levels *l = arg;
	const struct run *a = x, *b = y;
	const struct sort_spec *spec = &l->s->options->spec;

	for (unsigned i = 0; i < spec->nr_order; i++) {
		uint64_t p, q;

		if (column_is_key(spec->order[i]))
			continue;
		p = hist_value(&a->sum, spec->order[i]);
		q = hist_value(&b->sum, spec->order[i]);
		if (p != q)
			return p < q ? 1 : -1;
	}
	return hist_compare(&l->s->h, &a->sum, &b->sum, l->key);
}

static void add(struct hist *to, const struct hist *from)
{
	to->samples += from->samples;
	to->period += from->period;
	to->period_kernel += from->period_kernel;
	to->period_user += from->period_user;
	to->period_guest_kernel += from->period_guest_kernel;
	to->period_guest_user += from->period_guest_user;
}

/* Sort rows by a key and sum up what is equal in it; the caller frees. */
static struct run *runs_make(struct levels *l, uint32_t *rows, uint32_t nr, unsigned level,
			     uint32_t *nr_runs)
{
	const struct hists *h = &l->s->h;
	struct run *runs = mem_zalloc((size_t)nr * sizeof(*runs));

	l->key = l->keys[level];
	qsort_r(rows, nr, sizeof(*rows), compare_rows, l);
	*nr_runs = 0;
	for (uint32_t i = 0; i < nr; i++) {
		struct run *run = *nr_runs ? &runs[*nr_runs - 1] : NULL;

		if (!run || compare_rows(&rows[run->from], &rows[i], l) != 0) {
			run = &runs[(*nr_runs)++];
			run->from = i;
			run->sum = h->v[rows[i]];
		} else {
			add(&run->sum, &h->v[rows[i]]);
		}
		run->to = i + 1;
	}
	qsort_r(runs, *nr_runs, sizeof(*runs), compare_runs, l);
	return runs;
}

static void write_run(struct levels *l, const struct run *run, unsigned level)
{
	struct section *s = l->s;
	const char *separator = s->options->separator;

	if (!separator)
		line_add_right(&s->line, "", level * INDENT);
	for (unsigned c = 0; c < l->nr_values; c++) {
		if (separator && c)
			line_add(&s->line, separator);
		else if (!separator)
			line_add(&s->line, "  ");
		section_add_values(s, &run->sum, l->values[c], section_value_width(s, l->values[c]));
	}
	if (separator)
		line_add(&s->line, separator);
	else
		line_add_right(&s->line, "", (l->nr_keys - 1) * INDENT + 2);
	section_add_key(s, &run->sum, l->keys[level], 0, true);
	line_end(&s->line, s->out);
}

static void write_level(struct levels *l, uint32_t *rows, uint32_t nr, unsigned level)
{
	uint32_t nr_runs;
	struct run *runs = runs_make(l, rows, nr, level, &nr_runs);

	for (uint32_t i = 0; i < nr_runs; i++) {
		struct run *run = &runs[i];

		if (!report_shows(l->s->options, &l->s->h, &run->sum))
			continue;
		write_run(l, run, level);
		if (level + 1 < l->nr_keys)
			write_level(l, rows + run->from, run->to - run->from, level + 1);
		else
			for (uint32_t r = run->from; r < run->to; r++)
				section_draw(l->s, l->drawer, rows[r]);
	}
	free(runs);
}

static void write_titles(struct levels *l)
{
	struct section *s = l->s;
	unsigned dots = 0;

	line_add(&s->line, "# ");
	line_add_right(&s->line, "", (l->nr_keys - 1) * INDENT);
	for (unsigned c = 0; c < l->nr_values; c++) {
		line_add_right(&s->line, section_title(s, l->values[c]),
			       section_value_width(s, l->values[c]));
		line_add(&s->line, "  ");
	}
	for (unsigned k = 0; k < l->nr_keys; k++) {
		const char *title = section_title(s, l->keys[k]);

		line_add(&s->line, k ? " / " : "");
		line_add(&s->line, title + strspn(title, " "));
		dots += (unsigned)strlen(title) + (k ? 3 : 0);
	}
	line_end(&s->line, s->out);
	line_add(&s->line, "# ");
	for (unsigned i = 0; i < l->value_columns - 2 + (l->nr_keys - 1) * INDENT; i++)
		line_add(&s->line, ".");
	line_add(&s->line, "  ");
	for (unsigned i = 0; i < dots; i++)
		line_add(&s->line, ".");
	line_end(&s->line, s->out);
	fputs("#\n", s->out);
}

void section_write_levels(struct section *s, struct chain_drawer *drawer)
{
	const struct sort_spec *spec = &s->options->spec;
	struct levels l = { .s = s, .drawer = drawer };
	uint32_t *rows = mem_realloc_array(NULL, s->h.nr + 1, sizeof(*rows));

	for (unsigned c = 0; c < spec->nr_output; c++) {
		if (column_is_key(spec->output[c])) {
			l.keys[l.nr_keys++] = spec->output[c];
			continue;
		}
		l.values[l.nr_values++] = spec->output[c];
		l.value_columns += section_value_width(s, spec->output[c]) + 2;
	}
	for (uint32_t i = 0; i < s->h.nr; i++)
		rows[i] = i;
	if (!s->options->quiet && !s->options->separator)
		write_titles(&l);
	if (l.nr_keys && s->h.nr)
		write_level(&l, rows, s->h.nr, 0);
	free(rows);
}
