/* SPDX-License-Identifier: MIT */
/* The differences for other programs: CSV and JSON. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "view/diff.h"

#define JSON_VERSION 1

/* --- CSV ----------------------------------------------------------------------------------- */

static const char *factor_name(const struct diff *d)
{
	return diff_of_amounts(&d->options) ? "" : "_percent";
}

static void csv_head(struct str *s, const struct diff *d)
{
	str_addf(s, "event,baseline_percent,baseline_samples,baseline_period");
	for (unsigned f = 1; f < d->nr_files; f++)
		str_addf(s, ",%u_percent,%u_samples,%u_period,%u_delta%s,%u_low,%u_high,%u_ratio,%u_p,"
			 "%u_noise", f, f, f, f, factor_name(d), f, f, f, f, f);
	for (unsigned k = 0; k < d->nr_keys; k++)
		str_addf(s, ",%s", column_name(d->keys[k]));
	if (d->options.by_path)
		str_add(s, ",path");
	str_addc(s, '\n');
}

static double percent(const struct tally *row, const struct tally *total)
{
	return total->period ? 100.0 * (double)row->period / (double)total->period : 0;
}

/* Shares are shown in percent and points. */
static double unit(const struct diff *d)
{
	return diff_of_amounts(&d->options) ? 1 : 100;
}

static void csv_row(struct str *s, const struct diff *d, const struct diff_event *e,
		    const struct diff_row *row)
{
	str_add_csv(s, e->name);
	for (unsigned f = 0; f < d->nr_files; f++) {
		const struct difference *x = &row->differences[f];

		str_addf(s, ",%.6f,%" PRIu64 ",%" PRIu64, percent(&row->tallies[f], &e->totals[f]),
			 row->tallies[f].samples, row->tallies[f].period);
		if (!f)
			continue;
		if (!e->totals[f].samples || (!row->tallies[0].samples && !row->tallies[f].samples)) {
			str_add(s, ",,,,,,");
			continue;
		}
		str_addf(s, ",%.6f,%.6f,%.6f,", x->delta * unit(d), x->low * unit(d), x->high * unit(d));
		if (!isnan(x->ratio))
			str_addf(s, "%.6f", x->ratio);
		str_addf(s, ",%.4g,%d", x->p, !x->real);
	}
	for (unsigned k = 0; k < d->nr_keys; k++) {
		str_addc(s, ',');
		str_add_csv(s, row->keys[k] + strspn(row->keys[k], " "));
	}
	if (d->options.by_path) {
		struct str path = STR_INIT;

		str_add(&path, row->path);
		for (char *p = path.p; p < path.p + path.len; p++)
			if (*p == ';' || *p == DIFF_PATH_MARK)
				*p = *p == ';' ? ':' : ';';
		str_addc(s, ',');
		str_add_csv(s, path.p);
		str_release(&path);
	}
	str_addc(s, '\n');
}

void diff_write_csv(const struct diff_view *view, const struct diff *d, FILE *out)
{
	struct str s = STR_INIT;

	csv_head(&s, d);
	for (uint32_t i = 0; i < d->nr_events; i++) {
		for (uint32_t r = 0; r < d->events[i].nr_rows; r++) {
			if (!diff_shows(view, d, &d->events[i], &d->events[i].rows[r]))
				continue;
			csv_row(&s, d, &d->events[i], &d->events[i].rows[r]);
			fwrite(s.p, 1, s.len, out);
			str_clear(&s);
		}
	}
	fwrite(s.p, 1, s.len, out);
	str_release(&s);
}

/* --- JSON ----------------------------------------------------------------------------------- */

static void json_text(struct str *s, const char *text)
{
	str_addc(s, '"');
	str_add_json(s, text);
	str_addc(s, '"');
}

/* There is no infinity and no NaN in JSON. */
static void json_number(struct str *s, const char *name, double value)
{
	if (isfinite(value))
		str_addf(s, ", \"%s\": %.8g", name, value);
	else
		str_addf(s, ", \"%s\": null", name);
}

static void json_path(struct str *s, const char *path)
{
	struct str name = STR_INIT;
	const char *end;

	str_add(s, ", \"path\": [");
	for (;; path = end + 1) {
		end = strchrnul(path, DIFF_PATH_MARK);
		str_clear(&name);
		str_addn(&name, path, (size_t)(end - path));
		json_text(s, name.p);
		if (!*end)
			break;
		str_add(s, ", ");
	}
	str_addc(s, ']');
	str_release(&name);
}

static void json_file(struct str *s, const struct diff *d, const struct diff_event *e,
		      const struct diff_row *row, unsigned f)
{
	const struct difference *x = &row->differences[f];

	str_addf(s, "%s{\"samples\": %" PRIu64 ", \"period\": %" PRIu64, f ? ", " : "",
		 row->tallies[f].samples, row->tallies[f].period);
	json_number(s, "percent", percent(&row->tallies[f], &e->totals[f]));
	if (f && e->totals[f].samples && (row->tallies[0].samples || row->tallies[f].samples)) {
		json_number(s, "delta", x->delta * unit(d));
		json_number(s, "low", x->low * unit(d));
		json_number(s, "high", x->high * unit(d));
		json_number(s, "ratio", x->ratio);
		if (diff_of_amounts(&d->options)) {
			json_number(s, "ratio_low", x->ratio_low);
			json_number(s, "ratio_high", x->ratio_high);
		}
		json_number(s, "p", x->p);
		str_addf(s, ", \"noise\": %s", x->real ? "false" : "true");
	}
	str_addc(s, '}');
}

static void json_row(struct str *s, const struct diff *d, const struct diff_event *e,
		     const struct diff_row *row)
{
	str_add(s, "{\"files\": [");
	for (unsigned f = 0; f < d->nr_files; f++)
		json_file(s, d, e, row, f);
	str_addc(s, ']');
	for (unsigned k = 0; k < d->nr_keys; k++) {
		str_addf(s, ", \"%s\": ", column_name(d->keys[k]));
		json_text(s, row->keys[k] + strspn(row->keys[k], " "));
	}
	if (d->options.by_path)
		json_path(s, row->path);
	str_addc(s, '}');
}

static void json_event(struct str *s, const struct diff_view *view, const struct diff *d,
		       const struct diff_event *e, FILE *out)
{
	const char *between = "\n  ";

	str_add(s, "{\"event\": ");
	json_text(s, e->name);
	str_add(s, ", \"totals\": [");
	for (unsigned f = 0; f < d->nr_files; f++)
		str_addf(s, "%s{\"samples\": %" PRIu64 ", \"period\": %" PRIu64 "}", f ? ", " : "",
			 e->totals[f].samples, e->totals[f].period);
	str_addf(s, "], \"rows_compared\": %" PRIu32 ", \"rows\": [", e->nr_rows);
	for (uint32_t i = 0; i < e->nr_rows; i++) {
		if (!diff_shows(view, d, e, &e->rows[i]))
			continue;
		str_add(s, between);
		between = ",\n  ";
		json_row(s, d, e, &e->rows[i]);
		fwrite(s->p, 1, s->len, out);
		str_clear(s);
	}
	str_add(s, "]}");
}

void diff_write_json(const struct diff_view *view, const struct diff *d, FILE *out)
{
	static const char *const computes[] = { "delta-abs", "delta", "ratio", "wdiff" };
	struct str s = STR_INIT;

	str_addf(&s, "{\"schema\": \"sonde-diff\", \"version\": %d, \"files\": [", JSON_VERSION);
	for (unsigned f = 0; f < d->nr_files; f++) {
		str_add(&s, f ? ", " : "");
		json_text(&s, view->files[f]);
	}
	str_addf(&s, "], \"compute\": \"%s\", \"of\": \"%s\", \"children\": %s, \"level\": %g, \"events\": [",
		 computes[d->options.compute], diff_of_amounts(&d->options) ? "amounts" : "shares",
		 d->options.children ? "true" : "false", d->options.level);
	for (uint32_t i = 0; i < d->nr_events; i++) {
		str_add(&s, i ? ",\n " : "\n ");
		json_event(&s, view, d, &d->events[i], out);
	}
	str_add(&s, "]}\n");
	fwrite(s.p, 1, s.len, out);
	str_release(&s);
}
