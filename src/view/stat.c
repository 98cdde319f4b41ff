/* SPDX-License-Identifier: MIT */
#include "view/stat.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* Widths as perf stat has them, for eyes and scripts that know them. */
#define VALUE_WIDTH 18
#define NAME_WIDTH 25
#define METRIC_COLUMN 33

static bool is_clock(const struct event *event)
{
	return event->attr.type == PERF_TYPE_SOFTWARE && !event->tool &&
	       (event->attr.config == PERF_COUNT_SW_TASK_CLOCK ||
		event->attr.config == PERF_COUNT_SW_CPU_CLOCK);
}

const char *stat_unit(const struct event *event)
{
	if (event->tool)
		return "ns";
	if (is_clock(event))
		return "msec";
	return event->unit ? event->unit : "";
}

double stat_scale(const struct event *event, double count)
{
	if (is_clock(event))
		return count / 1e6;
	return count * event->scale;
}

const char *stat_number(double value, int digits, bool big_num, char buf[64])
{
	char plain[64], *p, *out = buf;
	size_t whole;

	snprintf(plain, sizeof(plain), "%.*f", digits, value);
	if (!big_num) {
		memcpy(buf, plain, sizeof(plain));
		return buf;
	}
	p = plain;
	if (*p == '-')
		*out++ = *p++;
	whole = strcspn(p, ".");
	for (size_t i = 0; p[i] && out < buf + 62; i++) {
		if (i && i < whole && (whole - i) % 3 == 0)
			*out++ = ',';
		*out++ = p[i];
	}
	*out = '\0';
	return buf;
}

/*
 * By Newton's rule from above, until it stops falling. libm has it too, but
 * `sonde stat true` would pay for loading one more library.
 */
static double square_root(double x)
{
	double root = x > 1 ? x : 1, next;

	if (x <= 0)
		return 0;
	while ((next = (root + x / root) / 2) < root)
		root = next;
	return root;
}

static bool is_whole(double value)
{
	return value > -9e15 && value < 9e15 && value == (double)(int64_t)value;
}

void stat_mean(const double *v, uint32_t nr, double *mean, double *deviation)
{
	double m = 0, squares = 0;

	/* Welford's running form, which does not lose small differences of large sums. */
	for (uint32_t i = 0; i < nr; i++) {
		double delta = v[i] - m;

		m += delta / (i + 1);
		squares += delta * (v[i] - m);
	}
	*mean = m;
	*deviation = nr > 1 ? square_root(squares / (nr - 1) / nr) : 0;
}

/* Digits behind the point of a row's value. */
static int value_digits(const struct stat_row *row)
{
	if (is_clock(row->event))
		return 2;
	return row->event->scale != 1.0 && !is_whole(row->value) ? 2 : 0;
}

static const char *value_text(const struct stat_row *row, bool big_num, char buf[64])
{
	switch (row->state) {
	case STAT_NOT_SUPPORTED:
		return "<not supported>";
	case STAT_NOT_COUNTED:
		return "<not counted>";
	default:
		return stat_number(row->value, value_digits(row), big_num, buf);
	}
}

static double percent_running(const struct stat_row *row)
{
	return row->enabled_ns ? 100.0 * (double)row->running_ns / (double)row->enabled_ns : 100.0;
}

static int label_width(enum stat_labels labels)
{
	switch (labels) {
	case STAT_LABEL_CPU:
		return 10;
	case STAT_LABEL_CORE:
		return 15;
	case STAT_LABEL_CLUSTER:
		return 16;
	case STAT_LABEL_CACHE:
		return 18;
	case STAT_LABEL_DIE:
		return 12;
	case STAT_LABEL_SOCKET:
	case STAT_LABEL_NODE:
		return 6;
	case STAT_LABEL_THREAD:
		return 25;
	default:
		return 0;
	}
}

static void add_label(struct str *line, const struct stat_row *row, const struct stat_style *style)
{
	int width = label_width(style->labels);

	if (!row->label)
		return;
	if (style->labels == STAT_LABEL_THREAD) {
		const char *dash = strrchr(row->label, '-');
		struct str comm = STR_INIT, safe = STR_INIT;

		str_addn(&comm, row->label, (size_t)(dash - row->label));
		str_add_safe(&safe, comm.p);
		str_addf(line, "%16s%-9s ", safe.p, dash);
		str_release(&comm);
		str_release(&safe);
		return;
	}
	str_addf(line, "%-*s ", width, row->label);
	if (row->members)
		str_addf(line, "%4d ", row->members);
}

static void add_derived(struct str *line, const struct stat_derived *d)
{
	if (d->percent)
		str_addf(line, "# %*.*f%%  %s", 7, d->digits, d->value, d->unit);
	else
		str_addf(line, "# %8.*f %s", d->digits, d->value, d->unit);
}

/* Spaces up to a column that is counted from `from`. */
static void pad_to(struct str *line, size_t from, size_t column)
{
	do
		str_addc(line, ' ');
	while (line->len - from < column);
}

static void cut_blanks(struct str *line)
{
	while (line->len && line->p[line->len - 1] == ' ')
		line->p[--line->len] = '\0';
}

/* Columns behind the names, counted from where names begin. */
struct layout { size_t metric, tail; };

static bool is_scaled(const struct stat_row *row)
{
	return row->state == STAT_COUNTED && row->running_ns != row->enabled_ns;
}

/* perf's columns; where the terminal has no room for them, as near as the rows allow. */
static struct layout layout_of(const struct stat_row *rows, uint32_t nr, const struct stat_style *style)
{
	struct layout layout = { METRIC_COLUMN, METRIC_COLUMN + 36 };
	size_t name = 0, derived = 0, behind = 0, head = VALUE_WIDTH + 6;
	struct str text = STR_INIT;

	for (uint32_t i = 0; i < nr && style->width; i++) {
		const struct stat_row *row = &rows[i];
		size_t tail = (row->has_noise ? 14u : 0) + (is_scaled(row) ? 9u : 0), n = strlen(row->name);

		name = n > name ? n : name;
		behind = tail > behind ? tail : behind;
		for (int d = 0; d < row->nr_derived; d++) {
			str_clear(&text);
			add_derived(&text, &row->derived[d]);
			derived = text.len > derived ? text.len : derived;
		}
		if (row->cgroup)
			name = METRIC_COLUMN;
	}
	str_release(&text);
	if (style->has_interval)
		head += 17;
	if (nr && rows[0].label)
		head += (size_t)label_width(style->labels) + 1 + (rows[0].members ? 5 : 0);
	if (head + (behind ? layout.tail + behind : layout.metric + derived) <= style->width || !style->width)
		return layout;
	layout.metric = name + 1 < METRIC_COLUMN ? name + 1 : METRIC_COLUMN;
	layout.tail = layout.metric + derived + 1;
	return layout;
}

static void add_tail(struct str *line, size_t from, const struct stat_row *row, size_t column)
{
	double percent = percent_running(row);

	if (row->has_noise && row->state == STAT_COUNTED) {
		pad_to(line, from, column);
		str_addf(line, "( +-%6.2f%% )", row->noise);
	}
	/* A figure that was scaled up says from how much. */
	if (is_scaled(row)) {
		pad_to(line, from, column + (row->has_noise ? 14 : 0));
		str_addf(line, "(%.2f%%)", percent);
	}
}

static void print_text_row(FILE *out, const struct stat_row *row, const struct stat_style *style,
			   const struct layout *layout)
{
	struct str line = STR_INIT;
	size_t name_at;
	char buf[64];

	if (style->has_interval)
		str_addf(&line, "%16.9f ", style->interval_s);
	add_label(&line, row, style);
	str_addf(&line, "%*s %-4s ", VALUE_WIDTH, value_text(row, style->big_num, buf),
		 stat_unit(row->event));
	name_at = line.len;
	str_add_safe(&line, row->name);
	if (row->cgroup) {
		pad_to(&line, name_at, NAME_WIDTH);
		str_addc(&line, ' ');
		str_add_safe(&line, row->cgroup);
	}
	for (int i = 0; i < row->nr_derived; i++) {
		if (i) {
			fprintf(out, "%s\n", line.p);
			str_clear(&line);
			str_addf(&line, "%*s", (int)name_at, "");
		}
		pad_to(&line, name_at, layout->metric);
		add_derived(&line, &row->derived[i]);
	}
	add_tail(&line, name_at, row, layout->tail);
	cut_blanks(&line);
	fprintf(out, "%s\n", line.p);
	str_release(&line);
}

/*
 * A field of separated values: the separator and line ends inside become '_'. Names of
 * tasks and groups are others', and -x often ends on a terminal.
 */
static void add_field(struct str *line, const char *field, const char *separator)
{
	struct str flat = STR_INIT, cell = STR_INIT;
	size_t n = strlen(separator);

	for (; *field; field++)
		str_addc(&flat, *field == '\n' || *field == '\r' ? '_' : *field);
	str_add_cell(&cell, flat.p);
	for (const char *text = cell.p; *text;) {
		bool between = n && strncmp(text, separator, n) == 0;

		str_addc(line, between ? '_' : *text);
		text += between ? n : 1;
	}
	str_release(&flat);
	str_release(&cell);
}

/*
 * perf escapes nothing: with "-x," the name cpu/event=1,umask=2/ makes more
 * fields than there are.  The name is put in double quotes in that case, as
 * RFC 4180 has it.
 */
static void add_name(struct str *line, const char *name, const char *separator)
{
	if (*separator && strstr(name, separator) && !strpbrk(name, "\"\n\r")) {
		str_addc(line, '"');
		str_add_cell(line, name);
		str_addc(line, '"');
	} else {
		add_field(line, name, separator);
	}
}

static void add_csv_head(struct str *line, const struct stat_row *row,
			 const struct stat_style *style)
{
	const char *sep = style->separator;

	if (style->has_interval)
		str_addf(line, "%16.9f%s", style->interval_s, sep);
	else if (style->summary)
		str_addf(line, "%16s%s", "summary", sep);
	if (row->label) {
		add_field(line, row->label, sep);
		str_add(line, sep);
		if (row->members)
			str_addf(line, "%d%s", row->members, sep);
	}
}

static void add_csv_derived(struct str *line, const struct stat_derived *d, const char *sep)
{
	str_addf(line, "%.*f%s", d->digits < 2 ? 2 : d->digits, d->value, sep);
	if (d->percent)
		str_add(line, "% ");
	str_add(line, d->unit);
}

static void print_csv_row(FILE *out, const struct stat_row *row, const struct stat_style *style)
{
	const char *sep = style->separator;
	struct str line = STR_INIT;
	char buf[64];

	add_csv_head(&line, row, style);
	str_addf(&line, "%s%s%s%s", value_text(row, false, buf), sep, stat_unit(row->event), sep);
	add_name(&line, row->name, sep);
	str_add(&line, sep);
	if (row->cgroup) {
		add_field(&line, row->cgroup, sep);
		str_add(&line, sep);
	}
	if (row->has_noise)
		str_addf(&line, "%.2f%%%s", row->noise, sep);
	str_addf(&line, "%" PRIu64 "%s%.2f%s", row->running_ns, sep, percent_running(row),
		 sep);
	if (row->nr_derived)
		add_csv_derived(&line, &row->derived[0], sep);
	else
		str_add(&line, sep);
	fprintf(out, "%s\n", line.p);
	for (int i = 1; i < row->nr_derived; i++) {
		/* A further value has a line of its own with the other fields empty. */
		str_clear(&line);
		add_csv_head(&line, row, style);
		for (int f = 0; f < 5 + !!row->cgroup + row->has_noise; f++)
			str_add(&line, sep);
		add_csv_derived(&line, &row->derived[i], sep);
		fprintf(out, "%s\n", line.p);
	}
	str_release(&line);
}

static const char *json_key(enum stat_labels labels)
{
	static const char *const keys[] = {
		[STAT_LABEL_CORE] = "core", [STAT_LABEL_CLUSTER] = "cluster",
		[STAT_LABEL_CACHE] = "cache", [STAT_LABEL_DIE] = "die",
		[STAT_LABEL_SOCKET] = "socket", [STAT_LABEL_NODE] = "node",
		[STAT_LABEL_THREAD] = "thread", [STAT_LABEL_CPU] = "cpu",
	};

	return keys[labels];
}

static void json_text(struct str *line, const char *key, const char *text)
{
	str_addf(line, "\"%s\" : \"", key);
	str_add_json(line, text);
	str_add(line, "\", ");
}

static void json_head(struct str *line, const struct stat_row *row, const struct stat_style *style)
{
	str_addc(line, '{');
	if (style->has_interval)
		str_addf(line, "\"interval\" : %.9f, ", style->interval_s);
	if (row->label) {
		bool cpu = style->labels == STAT_LABEL_CPU;

		json_text(line, json_key(style->labels), row->label + (cpu ? 3 : 0));
	}
	if (row->members)
		str_addf(line, "\"aggregate-number\" : %d, ", row->members);
}

static void json_derived(struct str *line, const struct stat_derived *d)
{
	str_addf(line, "\"metric-value\" : %f, \"metric-unit\" : \"%s", d->value,
		 d->percent ? "% " : "");
	str_add_json(line, d->unit);
	str_add(line, "\"}");
}

static void print_json_row(FILE *out, const struct stat_row *row, const struct stat_style *style)
{
	static const struct stat_derived none = { 0, "", 0, false };
	struct str line = STR_INIT;
	char buf[64];

	json_head(&line, row, style);
	if (row->state == STAT_COUNTED)
		str_addf(&line, "\"counter-value\" : \"%f\", ", row->value);
	else
		json_text(&line, "counter-value", value_text(row, false, buf));
	json_text(&line, "unit", stat_unit(row->event));
	json_text(&line, "event", row->name);
	if (row->cgroup)
		json_text(&line, "cgroup", row->cgroup);
	if (row->has_noise)
		str_addf(&line, "\"variance\" : %.2f, ", row->noise);
	str_addf(&line, "\"event-runtime\" : %" PRIu64 ", \"pcnt-running\" : %.2f, ",
		 row->running_ns, percent_running(row));
	json_derived(&line, row->nr_derived ? &row->derived[0] : &none);
	fprintf(out, "%s\n", line.p);
	for (int i = 1; i < row->nr_derived; i++) {
		str_clear(&line);
		json_head(&line, row, style);
		json_derived(&line, &row->derived[i]);
		fprintf(out, "%s\n", line.p);
	}
	str_release(&line);
}

void stat_print_rows(FILE *out, const struct stat_row *rows, uint32_t nr,
		     const struct stat_style *style)
{
	struct layout layout = layout_of(rows, nr, style);

	for (uint32_t i = 0; i < nr; i++) {
		if (style->json)
			print_json_row(out, &rows[i], style);
		else if (style->separator)
			print_csv_row(out, &rows[i], style);
		else
			print_text_row(out, &rows[i], style, &layout);
	}
}

void stat_print_interval_head(FILE *out, const struct stat_row *rows, uint32_t nr,
			      const struct stat_style *style)
{
	static const char *const names[] = {
		[STAT_LABEL_NONE] = "", [STAT_LABEL_CPU] = "CPU", [STAT_LABEL_CORE] = "core",
		[STAT_LABEL_CLUSTER] = "cluster", [STAT_LABEL_CACHE] = "cache",
		[STAT_LABEL_DIE] = "die", [STAT_LABEL_SOCKET] = "socket", [STAT_LABEL_NODE] = "node",
		[STAT_LABEL_THREAD] = "thread",
	};
	bool members = nr && rows[0].members;

	if (style->json || style->separator)
		return;
	fprintf(out, "#%15s ", "time");
	if (style->labels)
		fprintf(out, "%-*s ", label_width(style->labels), names[style->labels]);
	fprintf(out, "%s%*s unit events\n", members ? "cpus " : "", VALUE_WIDTH, "counts");
}

/*
 * A column keeps its unit in all rows, so a rate is not put in thousands or
 * millions here, and it is headed by its event as there may be several.
 */
static double metric_column(struct str *head, const struct stat_row *row,
			    const struct stat_derived *d)
{
	static const struct {
		const char *unit;
		double factor;
	} rates[] = { { "/sec", 1 }, { "K/sec", 1e3 }, { "M/sec", 1e6 }, { "G/sec", 1e9 } };

	str_clear(head);
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		if (strcmp(d->unit, rates[i].unit) != 0)
			continue;
		str_add_safe(head, row->name);
		str_add(head, "/sec");
		return d->value * rates[i].factor;
	}
	str_addf(head, "%s%s", d->percent ? "% " : "", d->unit);
	return d->value;
}

/* One object: the time, the label, then the values. */
static void metric_json(FILE *out, const struct stat_row *rows, uint32_t nr,
			const struct stat_style *style)
{
	struct str line = STR_INIT, head = STR_INIT;
	bool first;

	json_head(&line, &rows[0], style);
	first = line.len == 1;
	if (!first)
		line.p[line.len -= 2] = '\0';
	for (uint32_t i = 0; i < nr; i++) {
		for (int d = 0; d < rows[i].nr_derived; d++) {
			double value = metric_column(&head, &rows[i], &rows[i].derived[d]);

			str_add(&line, first ? "\"" : ", \"");
			str_add_json(&line, head.p);
			str_addf(&line, "\" : \"%.*f\"", rows[i].derived[d].digits, value);
			first = false;
		}
	}
	fprintf(out, "%s}\n", line.p);
	str_release(&line);
	str_release(&head);
}

static void metric_label(struct str *line, const struct stat_row *row,
			 const struct stat_style *style, bool head)
{
	const char *sep = style->separator;

	if (sep && head) {
		if (style->has_interval)
			str_addf(line, "time%s", sep);
		else if (style->summary)
			str_addf(line, "summary%s", sep);
		if (row->label)
			str_addf(line, "%s%s", json_key(style->labels), sep);
		if (row->members)
			str_addf(line, "cpus%s", sep);
	} else if (sep) {
		add_csv_head(line, row, style);
	} else {
		if (style->has_interval)
			str_addf(line, "%16.9f ", style->interval_s);
		add_label(line, row, style);
		for (size_t i = 0; head && i < line->len; i++)
			line->p[i] = ' ';
	}
}

static void metric_line(FILE *out, const struct stat_row *rows, uint32_t nr,
			const struct stat_style *style, bool head)
{
	struct str line = STR_INIT, name = STR_INIT;
	const char *sep = style->separator;

	metric_label(&line, &rows[0], style, head);
	for (uint32_t i = 0; i < nr; i++) {
		for (int d = 0; d < rows[i].nr_derived; d++) {
			double value = metric_column(&name, &rows[i], &rows[i].derived[d]);
			int width = name.len < 10 ? 10 : (int)name.len;

			if (head && sep)
				add_field(&line, name.p, sep);
			if (head)
				str_addf(&line, "%*s%s", sep ? 0 : width, sep ? "" : name.p,
					 sep ? sep : " ");
			else
				str_addf(&line, "%*.*f%s", sep ? 0 : width,
					 rows[i].derived[d].digits, value, sep ? sep : " ");
		}
	}
	if (!sep)
		cut_blanks(&line);
	fprintf(out, "%s\n", line.p);
	str_release(&line);
	str_release(&name);
}

void stat_print_metrics(FILE *out, const struct stat_row *rows, uint32_t nr,
			const struct stat_style *style, bool head)
{
	for (uint32_t i = 0; i < nr;) {
		uint32_t end = i;

		while (end < nr && rows[end].group == rows[i].group)
			end++;
		if (style->json) {
			metric_json(out, rows + i, end - i, style);
		} else {
			if (head)
				metric_line(out, rows + i, end - i, style, true);
			metric_line(out, rows + i, end - i, style, false);
			head = false;
		}
		i = end;
	}
}
