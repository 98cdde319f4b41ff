/* SPDX-License-Identifier: MIT */
#include "view/diff.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/vec.h"
#include "view/line.h"

#define KEY_COLUMNS 24           /* what is kept for the last column of a terminal */

enum part {
	PART_BASELINE, PART_BASE_SAMPLES, PART_BASE_PERIOD,
	PART_VALUE, PART_INTERVAL, PART_RATIO, PART_MARK, PART_SAMPLES, PART_PERIOD, PART_FORMULA,
	PART_KEY, PART_PATH,
};

struct cell { enum part part; unsigned file, key, width; };

struct table {
	const struct diff_view *view;
	const struct diff *diff;
	const struct diff_event *event;
	VEC(struct cell) cells;
	struct line line;
	struct str text;                 /* of the cell at hand */
	FILE *out;
};

/* --- what is shown --------------------------------------------------------------------- */

static double share(const struct diff_event *e, const struct diff_row *row, unsigned file)
{
	const struct tally *total = &e->totals[file];

	return total->period ? (double)row->tallies[file].period / (double)total->period : 0;
}

bool diff_shows(const struct diff_view *v, const struct diff *d, const struct diff_event *e,
		const struct diff_row *row)
{
	bool real = false, large = false;

	if (v->baseline_only && !row->tallies[0].samples)
		return false;
	for (unsigned f = 0; f < d->nr_files; f++) {
		real |= f && row->differences[f].real;
		large |= share(e, row, f) * 100 >= v->percent_limit;
	}
	return large && (real || !v->real_only);
}

static bool has_file(const struct table *t, unsigned file)
{
	return t->event->totals[file].samples != 0;
}

/* Nothing to compare: the row is of a third file. */
static bool in_neither(const struct diff_row *row, unsigned file)
{
	return !row->tallies[0].samples && !row->tallies[file].samples;
}

static void list_cells(struct table *t)
{
	const struct diff_options *o = &t->diff->options;
	const struct diff_view *v = t->view;

	*vec_push(&t->cells) = (struct cell){ PART_BASELINE };
	if (v->samples)
		*vec_push(&t->cells) = (struct cell){ PART_BASE_SAMPLES };
	if (v->period)
		*vec_push(&t->cells) = (struct cell){ PART_BASE_PERIOD };
	for (unsigned f = 1; f < t->diff->nr_files; f++) {
		if (!has_file(t, f))
			continue;
		*vec_push(&t->cells) = (struct cell){ PART_VALUE, f };
		*vec_push(&t->cells) = (struct cell){ PART_INTERVAL, f };
		if (o->compute == DIFF_DELTA || o->compute == DIFF_DELTA_ABS)
			*vec_push(&t->cells) = (struct cell){ PART_RATIO, f };
		*vec_push(&t->cells) = (struct cell){ PART_MARK, f };
		if (v->samples)
			*vec_push(&t->cells) = (struct cell){ PART_SAMPLES, f };
		if (v->period)
			*vec_push(&t->cells) = (struct cell){ PART_PERIOD, f };
		if (v->formula)
			*vec_push(&t->cells) = (struct cell){ PART_FORMULA, f };
	}
	for (unsigned k = 0; k < t->diff->nr_keys; k++)
		*vec_push(&t->cells) = (struct cell){ PART_KEY, 0, k };
	if (o->by_path)
		*vec_push(&t->cells) = (struct cell){ PART_PATH };
}

static bool is_name(const struct cell *c)
{
	return c->part == PART_KEY || c->part == PART_PATH;
}

/* --- titles --------------------------------------------------------------------------------- */

static const char *const value_titles[] = {
	[DIFF_DELTA_ABS] = "Delta Abs", [DIFF_DELTA] = "Delta", [DIFF_RATIO] = "Ratio",
	[DIFF_WDIFF] = "Weighted diff",
};

static const char *key_title(enum column column)
{
	switch (column) {
	case COLUMN_COMM: return "Command";
	case COLUMN_PID: return "    Pid:Command";
	case COLUMN_TID: return "    Tid:Command";
	case COLUMN_TGID: return "   Tgid:Command";
	case COLUMN_CPU: return "CPU";
	case COLUMN_DSO: return "Shared Object";
	default: return "Symbol";
	}
}

static void put_title(struct table *t, const struct cell *c)
{
	enum diff_compute compute = t->diff->options.compute;

	str_clear(&t->text);
	switch (c->part) {
	case PART_BASELINE: str_add(&t->text, "Baseline"); break;
	case PART_BASE_SAMPLES: str_add(&t->text, "Base samples"); break;
	case PART_BASE_PERIOD: str_add(&t->text, "Base period"); break;
	case PART_VALUE: str_add(&t->text, value_titles[compute]); break;
	case PART_INTERVAL:
		if (compute == DIFF_RATIO)
			str_addf(&t->text, "%g%% interval", t->diff->options.level * 100);
		else
			str_add(&t->text, "+-");
		break;
	case PART_RATIO: str_add(&t->text, "Ratio"); break;
	case PART_MARK: str_add(&t->text, "~"); return;
	case PART_SAMPLES: str_add(&t->text, "Samples"); break;
	case PART_PERIOD: str_add(&t->text, "Period"); break;
	case PART_FORMULA: str_add(&t->text, "Formula"); break;
	case PART_KEY:
		str_add(&t->text, key_title(t->diff->keys[c->key]));
		return;
	case PART_PATH: str_add(&t->text, "Call path, called function first"); return;
	}
	if (t->diff->nr_files > 2)
		str_addf(&t->text, "/%u", c->file);
}

/* --- cells ------------------------------------------------------------------------------------ */

/* perf shows a number of events as it is. */
static void put_amount(struct str *s, double amount, bool sign)
{
	str_addf(s, sign ? "%+.0f" : "%.0f", amount);
}

static void put_baseline(struct table *t, const struct diff_row *row)
{
	if (!row->tallies[0].samples)
		return;
	if (t->diff->options.absolute)
		put_amount(&t->text, (double)row->tallies[0].period, false);
	else
		str_addf(&t->text, t->view->separator ? "%.2f" : "%.2f%%", 100 * share(t->event, row, 0));
}

static void put_ratio(struct str *s, const struct difference *d, bool gone, int digits)
{
	if (isnan(d->ratio))
		str_add(s, "new");
	else if (gone)
		str_add(s, "gone");
	else
		str_addf(s, "%.*f", digits, d->ratio);
}

static void put_value(struct table *t, const struct diff_row *row, unsigned file)
{
	const struct difference *d = &row->differences[file];

	if (t->diff->options.compute == DIFF_RATIO)
		put_ratio(&t->text, d, !row->tallies[file].samples, 6);
	else if (diff_of_amounts(&t->diff->options))
		put_amount(&t->text, d->delta, true);
	else
		str_addf(&t->text, t->view->separator ? "%+.2f" : "%+.2f%%", 100 * d->delta);
}

/* The longer side of an interval that has two. */
static double half(const struct difference *d)
{
	return fmax(d->high - d->delta, d->delta - d->low);
}

static void put_interval(struct table *t, const struct difference *d)
{
	if (t->diff->options.compute != DIFF_RATIO && diff_of_amounts(&t->diff->options))
		put_amount(&t->text, half(d), false);
	else if (t->diff->options.compute != DIFF_RATIO)
		str_addf(&t->text, "%.2f", 100 * half(d));
	else if (!isnan(d->ratio) && isinf(d->ratio_high))
		str_addf(&t->text, "%.3f..", d->ratio_low);
	else if (!isnan(d->ratio))
		str_addf(&t->text, "%.3f..%.3f", d->ratio_low, d->ratio_high);
}

static void put_formula(struct table *t, const struct diff_row *row, unsigned file)
{
	const struct diff_options *o = &t->diff->options;
	uint64_t a = row->tallies[0].period, b = row->tallies[file].period;

	if (o->compute == DIFF_RATIO)
		str_addf(&t->text, "%" PRIu64 " / %" PRIu64, b, a);
	else if (o->compute == DIFF_WDIFF)
		str_addf(&t->text, "(%" PRIu64 " * %g) - (%" PRIu64 " * %g)", b, o->weight_b, a,
			 o->weight_a);
	else if (o->absolute)
		str_addf(&t->text, "%" PRIu64 " - %" PRIu64, b, a);
	else
		str_addf(&t->text, "(%" PRIu64 " * 100 / %" PRIu64 ") - (%" PRIu64 " * 100 / %" PRIu64 ")",
			 b, t->event->totals[file].period, a, t->event->totals[0].period);
}

static void put_path(struct str *s, const char *path)
{
	const char *end = path + strlen(path), *from;

	for (; ; end = from - 1) {
		from = memrchr(path, DIFF_PATH_MARK, (size_t)(end - path));
		from = from ? from + 1 : path;
		str_addn(s, from, (size_t)(end - from));
		if (from == path)
			break;
		str_add(s, " <- ");
	}
}

static void put_cell(struct table *t, const struct diff_row *row, const struct cell *c)
{
	const struct difference *d = &row->differences[c->file];

	str_clear(&t->text);
	if (c->file && in_neither(row, c->file))
		return;
	switch (c->part) {
	case PART_BASELINE: put_baseline(t, row); break;
	case PART_BASE_SAMPLES:
	case PART_SAMPLES: str_addf(&t->text, "%" PRIu64, row->tallies[c->file].samples); break;
	case PART_BASE_PERIOD:
	case PART_PERIOD: str_addf(&t->text, "%" PRIu64, row->tallies[c->file].period); break;
	case PART_VALUE: put_value(t, row, c->file); break;
	case PART_INTERVAL: put_interval(t, d); break;
	case PART_RATIO: put_ratio(&t->text, d, !row->tallies[c->file].samples, 3); break;
	case PART_MARK: str_add(&t->text, d->real ? "" : "~"); break;
	case PART_FORMULA: put_formula(t, row, c->file); break;
	case PART_KEY: str_add(&t->text, row->keys[c->key]); break;
	case PART_PATH: put_path(&t->text, row->path); break;
	}
}

/* --- the table ------------------------------------------------------------------------------------ */

static void measure(struct table *t)
{
	for (size_t c = 0; c < t->cells.nr; c++) {
		struct cell *cell = &t->cells.v[c];

		put_title(t, cell);
		cell->width = line_columns(t->text.p);
		/* the last column, and too long to underline */
		if (cell->part == PART_PATH)
			continue;
		for (uint32_t i = 0; i < t->event->nr_rows; i++) {
			unsigned n;

			if (!diff_shows(t->view, t->diff, t->event, &t->event->rows[i]))
				continue;
			put_cell(t, &t->event->rows[i], cell);
			n = line_columns(t->text.p);
			if (n > cell->width)
				cell->width = n;
		}
		if (cell->part == PART_BASELINE && cell->width < 8)
			cell->width = 8;
	}
}

/* On a terminal the names before the last one give way, the widest first. */
static void squeeze(struct table *t)
{
	while (t->view->width) {
		unsigned sum = 2 + KEY_COLUMNS;
		struct cell *widest = NULL;

		for (size_t c = 0; c + 1 < t->cells.nr; c++) {
			struct cell *cell = &t->cells.v[c];

			sum += cell->width + 2;
			if (is_name(cell) && cell->width > 8 && (!widest || cell->width > widest->width))
				widest = cell;
		}
		if (sum <= t->view->width || !widest)
			return;
		widest->width--;
	}
}

static void add_cell(struct table *t, const struct cell *c, bool last)
{
	const char *separator = t->view->separator;

	if (separator && is_name(c))
		line_add_cell(&t->line, t->text.p, separator);
	else if (separator)
		line_add(&t->line, t->text.p + strspn(t->text.p, " "));
	else if (last && is_name(c))
		line_add(&t->line, t->text.p);
	else if (is_name(c))
		line_add_left(&t->line, t->text.p, c->width);
	else
		line_add_right(&t->line, t->text.p, c->width);
}

static void write_cells(struct table *t, const char *begin, const struct diff_row *row)
{
	const char *separator = t->view->separator;

	line_add(&t->line, begin);
	for (size_t c = 0; c < t->cells.nr; c++) {
		const struct cell *cell = &t->cells.v[c];

		if (row)
			put_cell(t, row, cell);
		else
			put_title(t, cell);
		if (c)
			line_add(&t->line, separator ? separator : "  ");
		add_cell(t, cell, c + 1 == t->cells.nr);
	}
	line_end(&t->line, t->out);
}

static void write_dots(struct table *t)
{
	line_add(&t->line, "#");
	for (size_t c = 0; c < t->cells.nr; c++) {
		line_add(&t->line, c ? "  " : " ");
		for (unsigned i = 0; i < t->cells.v[c].width; i++)
			/* dots are not worth an ellipsis */
			if (!t->view->width || t->line.columns < t->view->width)
				line_add(&t->line, ".");
	}
	line_end(&t->line, t->out);
	line_add(&t->line, "#");
	line_end(&t->line, t->out);
}

static void write_head(struct table *t)
{
	const struct diff_options *o = &t->diff->options;
	struct str name = STR_INIT;
	char n[32];

	str_add_safe(&name, t->event->name);
	fprintf(t->out, "# Event '%s'%s\n#\n# Data files:\n", name.p, t->diff->options.children ?
		", each function with what it called" : "");
	for (unsigned f = 0; f < t->diff->nr_files; f++) {
		str_clear(&name);
		str_add_safe(&name, t->view->files[f]);
		fprintf(t->out, "#  [%u] %s%s: %s samples\n", f, name.p, f ? "" : " (Baseline)",
			str_commas(t->event->totals[f].samples, n));
	}
	if (o->compute == DIFF_RATIO)
		fprintf(t->out, "#\n# ~ noise: within what chance makes of %s rows (%g %% level)\n#\n",
			str_commas(t->event->nr_rows, n), o->level * 100);
	else
		fprintf(t->out, "#\n# +- %g %% interval of each row   ~ noise: within what chance makes "
			"of %s rows\n#\n", o->level * 100, str_commas(t->event->nr_rows, n));
	str_release(&name);
}

static void write_event(const struct diff_view *view, const struct diff *diff,
			const struct diff_event *event, FILE *out)
{
	struct table t = { .view = view, .diff = diff, .event = event, .text = STR_INIT,
			   .out = out };
	uint32_t shown = 0;

	line_init(&t.line, view->width);
	list_cells(&t);
	if (!view->separator) {
		measure(&t);
		squeeze(&t);
	}
	if (!view->quiet) {
		write_head(&t);
		write_cells(&t, "# ", NULL);
		if (!view->separator)
			write_dots(&t);
	}
	for (uint32_t i = 0; i < event->nr_rows; i++) {
		if (!diff_shows(view, diff, event, &event->rows[i]))
			continue;
		write_cells(&t, view->separator ? "" : "  ", &event->rows[i]);
		shown++;
	}
	if (!shown && !view->quiet)
		fputs(view->real_only ? "# No difference is more than noise.\n" : "# No rows.\n", out);
	line_release(&t.line);
	str_release(&t.text);
	vec_release(&t.cells);
}

void diff_write_text(const struct diff_view *view, const struct diff *diff, FILE *out)
{
	for (uint32_t i = 0; i < diff->nr_events; i++) {
		if (i)
			fputs("\n\n", out);
		write_event(view, diff, &diff->events[i], out);
	}
}
