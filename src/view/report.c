/* SPDX-License-Identifier: MIT */
#include "view/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/filter.h"
#include "view/account.h"
#include "view/frame_text.h"
#include "view/hint.h"
#include "view/report_priv.h"

#define RED "\033[31m"
#define GREEN "\033[32m"
#define PLAIN "\033[m"
#define HOT_PERCENT 5.0
#define WARM_PERCENT 0.5
#define ROWS_LEAST 5             /* of a table, however many there are */
#define SYMBOL_COLUMNS 24        /* what is kept for the last column of a terminal */

unsigned report_dims(const struct report_options *o)
{
	unsigned by = sort_dims(&o->spec);

	if (o->filter.comms)
		by |= PROFILE_BY_COMM;
	if (o->filter.nr_pids)
		by |= PROFILE_BY_PID;
	if (o->filter.nr_tids)
		by |= PROFILE_BY_TID;
	if (o->children || o->callgraph.mode != CALLGRAPH_HIDDEN)
		by |= PROFILE_BY_STACK;
	if (o->full)
		by |= PROFILE_BY_ADDR;
	return by;
}

uint32_t report_extras(const struct report_options *o, struct extra out[EXTRAS_MAX])
{
	uint32_t nr = sort_extras(&o->spec, o->time_quantum_ns, out);

	if (o->sockets && !sort_has(&o->spec, COLUMN_SOCKET))
		out[nr++] = (struct extra){ .kind = EXTRA_SOCKET };
	if (o->exclude_other && !sort_has(&o->spec, COLUMN_PARENT))
		out[nr++] = (struct extra){ .kind = EXTRA_PARENT };
	return nr;
}

/* --- filters ------------------------------------------------------------------------- */

static uint32_t socket_of(const struct profile *profile, const struct profile_entry *e)
{
	for (uint32_t i = 0; i < profile->nr_extras; i++)
		if (profile->extra_list[i].kind == EXTRA_SOCKET)
			return (uint32_t)profile_extra(profile, e->extra, i);
	return UINT32_MAX;
}

static bool has_parent(const struct profile *profile, const struct profile_entry *e)
{
	for (uint32_t i = 0; i < profile->nr_extras; i++)
		if (profile->extra_list[i].kind == EXTRA_PARENT)
			return profile_extra_text(profile, e->extra, i) != NULL;
	return false;
}

static bool passes(const struct profile *profile, const struct profile_entry *e, const void *arg)
{
	const struct report_options *o = arg;
	const char *name = profile->frames[e->leaf].name;

	if (!filter_entry(profile, e, &o->filter))
		return false;
	if (profile->frames[e->leaf].kernel ? o->hide_kernel : o->hide_user)
		return false;
	if (o->sym_part && (!name || !strstr(name, o->sym_part)))
		return false;
	if (o->exclude_other && !has_parent(profile, e))
		return false;
	return !o->sockets || socket_of(profile, e) == o->sockets[0];
}

/* --- columns -------------------------------------------------------------------------- */

static const struct { const char *title; unsigned width; } titles[COLUMN_COUNT] = {
	[COLUMN_CHILDREN] = { "Children", 8 },
	[COLUMN_OVERHEAD] = { "Overhead", 8 },
	[COLUMN_SYS] = { "sys", 8 },
	[COLUMN_USER] = { "usr", 8 },
	[COLUMN_GUEST_SYS] = { "guest sys", 9 },
	[COLUMN_GUEST_USER] = { "guest usr", 9 },
	[COLUMN_SAMPLES] = { "Samples", 12 },
	[COLUMN_PERIOD] = { "Period", 12 },
	[COLUMN_COMM] = { "Command", 7 },
	[COLUMN_PID] = { "    Pid:Command", 15 },
	[COLUMN_TID] = { "    Tid:Command", 15 },
	[COLUMN_TGID] = { "   Tgid:Command", 15 },
	[COLUMN_CPU] = { "CPU", 3 },
	[COLUMN_DSO] = { "Shared Object", 13 },
	[COLUMN_SYM] = { "Symbol", 6 },
	[COLUMN_SYMOFF] = { "Symbol+Offset", 13 },
	[COLUMN_ADDR] = { "Address", 7 },
	[COLUMN_SYM_SIZE] = { "Symbol size", 11 },
	[COLUMN_DSO_SIZE] = { "DSO size", 8 },
	[COLUMN_LINE] = { "Source:Line", 11 },
	[COLUMN_FILE] = { "Source File", 11 },
	[COLUMN_LINE_FROM] = { "From Source:Line", 16 },
	[COLUMN_LINE_TO] = { "To Source:Line", 14 },
	[COLUMN_SOCKET] = { "Socket", 6 },
	[COLUMN_NODE] = { "Node", 4 },
	[COLUMN_TIME] = { "Time", 12 },
	[COLUMN_WEIGHT] = { "Weight", 12 },
	[COLUMN_LOCAL_WEIGHT] = { "Local Weight", 12 },
	[COLUMN_INS_LAT] = { "INSTR Latency", 13 },
	[COLUMN_LOCAL_INS_LAT] = { "Local INSTR Latency", 19 },
	[COLUMN_P_STAGE] = { "Pipeline Stage Cycle", 20 },
	[COLUMN_LOCAL_P_STAGE] = { "Local Pipeline Stage Cycle", 26 },
	[COLUMN_TRANSACTION] = { "Transaction", 11 },
	[COLUMN_CODE_PAGE] = { "Code Page Size", 14 },
	[COLUMN_DATA_PAGE] = { "Data Page Size", 14 },
	[COLUMN_DATA_LINE] = { "Data Cacheline", 14 },
	[COLUMN_PHYS_DATA] = { "Data Physical Address", 21 },
	[COLUMN_MEM] = { "Memory access", 13 },
	[COLUMN_SNOOP] = { "Snoop", 5 },
	[COLUMN_TLB] = { "TLB access", 10 },
	[COLUMN_LOCKED] = { "Locked", 6 },
	[COLUMN_BLOCKED] = { "Blocked", 7 },
	[COLUMN_MISPREDICT] = { "Branch Mispredicted", 19 },
	[COLUMN_IN_TX] = { "Branch in transaction", 21 },
	[COLUMN_ABORT] = { "Transaction abort", 17 },
	[COLUMN_CYCLES] = { "Basic Block Cycles", 18 },
	[COLUMN_ADDR_FROM] = { "Source Address", 14 },
	[COLUMN_ADDR_TO] = { "Target Address", 14 },
	[COLUMN_SYM_FROM] = { "Source Symbol", 13 },
	[COLUMN_DSO_FROM] = { "Source Shared Object", 20 },
	[COLUMN_SYM_DATA] = { "Data Symbol", 11 },
	[COLUMN_DSO_DATA] = { "Data Object", 11 },
	[COLUMN_SYM_TO] = { "Target Symbol", 13 },
	[COLUMN_DSO_TO] = { "Target Shared Object", 20 },
	[COLUMN_CGROUP] = { "Cgroup", 6 },
	[COLUMN_PARENT] = { "Parent symbol", 13 },
	[COLUMN_TRACE] = { "Trace output", 12 },
};

const char *section_title(const struct section *s, enum column column)
{
	if (column == COLUMN_OVERHEAD && sort_has(&s->options->spec, COLUMN_CHILDREN))
		return "Self";
	if (column_is_field(column)) {
		const char *name = sort_column_name(&s->options->spec, column), *dot = strrchr(name, '.');

		return dot ? dot + 1 : name;
	}
	return titles[column].title;
}

unsigned section_value_width(const struct section *s, enum column column)
{
	return titles[column].width * s->nr_members;
}

static unsigned least_width(const struct section *s, enum column column)
{
	unsigned width, name;

	if (!column_is_key(column))
		return section_value_width(s, column);
	if (!column_is_field(column))
		return titles[column].width;
	width = hist_field_width(&s->h, column);
	name = (unsigned)strlen(section_title(s, column));
	return name > width ? name : width;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static uint64_t weight(const struct section *s, const struct hist *hist)
{
	return s->options->children ? hist->children : hist->period;
}

bool report_shows(const struct report_options *o, const struct hists *h, const struct hist *hist)
{
	const char *name = h->profile->frames[hist->frame].name;

	if (o->row_part && (!name || !strstr(name, o->row_part)))
		return false;
	return percent(o->children ? hist->children : hist->period, h->total) >= o->percent_limit &&
	       hist->samples >= o->min_samples;
}

bool section_shows(const struct section *s, const struct hist *hist)
{
	const struct hist **joint = s->joint ? s->joint + (size_t)(hist - s->h.v) * s->nr_members : NULL;

	if (!joint)
		return report_shows(s->options, &s->h, hist);
	for (uint32_t m = 0; m < s->nr_members; m++)
		if (joint[m] && report_shows(s->options, s->members[m], joint[m]))
			return true;
	return false;
}

/* Key columns are as wide as the widest of the rows that are shown. */
void section_measure(struct section *s)
{
	const struct sort_spec *spec = &s->options->spec;
	struct str text = STR_INIT;

	for (unsigned c = 0; c < spec->nr_output; c++) {
		unsigned width = least_width(s, spec->output[c]);

		for (uint32_t i = 0, rows = 0; column_is_key(spec->output[c]) && i < s->h.nr; i++) {
			const struct hist *hist = &s->h.v[s->h.sorted[i]];
			unsigned n;

			if (!section_shows(s, hist))
				continue;
			if (s->max_rows && rows++ == s->max_rows)
				break;
			str_clear(&text);
			hist_add_key(&text, &s->h, hist, spec->output[c], s->options->full);
			n = line_columns(text.p);
			if (n > width)
				width = n;
		}
		if (c < s->options->nr_widths && s->options->widths[c])
			width = s->options->widths[c];
		s->widths[c] = width;
	}
	str_release(&text);
}

/* On a terminal the columns before the last one give way, the widest first. */
void section_squeeze(struct section *s)
{
	const struct sort_spec *spec = &s->options->spec;
	unsigned nr = spec->nr_output, sum, widest;

	while (s->options->width && nr > 1) {
		sum = 2 + SYMBOL_COLUMNS;
		widest = nr;
		for (unsigned c = 0; c + 1 < nr; c++) {
			sum += s->widths[c] + 2;
			if (s->widths[c] > least_width(s, spec->output[c]) &&
			    (widest == nr || s->widths[c] > s->widths[widest]))
				widest = c;
		}
		if (sum <= s->options->width || widest == nr)
			return;
		s->widths[widest]--;
	}
}

/* --- rows ------------------------------------------------------------------------------ */

static void add_percent(struct section *s, double value, unsigned width)
{
	const char *color = !s->options->color ? NULL : value >= HOT_PERCENT ? RED
			    : value >= WARM_PERCENT ? GREEN : NULL;
	char buf[32];

	snprintf(buf, sizeof(buf), "%*.2f%%", width ? (int)width - 1 : 0, value);
	if (color)
		line_add_color(&s->line, color);
	line_add(&s->line, buf);
	if (color)
		line_add_color(&s->line, PLAIN);
}

void section_add_key(struct section *s, const struct hist *hist, enum column column, unsigned width,
		     bool last)
{
	const char *separator = s->options->separator;
	struct str text = STR_INIT;

	hist_add_key(&text, &s->h, hist, column, s->options->full);
	if (separator)
		line_add_cell(&s->line, text.p, separator);
	else if (column_is_field(column))
		line_add_right(&s->line, text.p, width);
	else if (last && !s->options->nr_widths)
		line_add(&s->line, text.p);
	else
		line_add_left(&s->line, text.p, width);
	str_release(&text);
}

static void add_value(struct section *s, const struct hists *h, const struct hist *hist,
		      enum column column, unsigned width)
{
	uint64_t value = hist ? hist_value(hist, column) : 0;
	char buf[32];

	if (column_is_percent(column)) {
		add_percent(s, percent(value, h->total), width);
	} else {
		snprintf(buf, sizeof(buf), "%*" PRIu64, (int)width, value);
		line_add(&s->line, buf);
	}
}

void section_add_values(struct section *s, const struct hist *hist, enum column column, unsigned width)
{
	const struct hist **joint = s->joint ? s->joint + (size_t)(hist - s->h.v) * s->nr_members : NULL;
	const char *separator = s->options->separator;
	unsigned own = titles[column].width * s->nr_members;

	if (!joint) {
		add_value(s, &s->h, hist, column, separator ? 0 : width);
		return;
	}
	if (!separator && width > own)
		line_add_right(&s->line, "", width - own);
	for (uint32_t m = 0; m < s->nr_members; m++) {
		/* a blank, as in perf: they are one field */
		if (separator && m)
			line_add(&s->line, " ");
		add_value(s, s->members[m], joint[m], column, separator ? 0 : titles[column].width);
	}
}

void section_add_row(struct section *s, const struct hist *hist)
{
	const struct sort_spec *spec = &s->options->spec;
	const char *separator = s->options->separator;

	for (unsigned c = 0; c < spec->nr_output; c++) {
		enum column column = spec->output[c];
		unsigned width = separator ? 0 : s->widths[c];

		if (separator && c)
			line_add(&s->line, separator);
		else if (!separator)
			line_add(&s->line, "  ");
		if (column_is_key(column))
			section_add_key(s, hist, column, width, c + 1 == spec->nr_output);
		else
			section_add_values(s, hist, column, width);
	}
}

void section_draw(struct section *s, struct chain_drawer *drawer, uint32_t row)
{
	const struct hist *hist = &s->h.v[row];
	double least = drawer->cut.relative ? 0 : drawer->cut.min_percent;

	/* no chain can weigh more than its row */
	if (!drawer->chains || percent(weight(s, hist), s->h.total) < least)
		return;
	callgraph_write(&drawer->page, &s->options->callgraph, &s->h,
			chains_build(drawer->chains, row, &drawer->cut));
}

static void write_rows(struct section *s, struct chain_drawer *drawer)
{
	uint32_t rows = 0, more = 0, next = 0;

	for (uint32_t i = 0; i < s->h.nr; i++) {
		uint32_t row = s->h.sorted[i];

		if (!section_shows(s, &s->h.v[row]))
			continue;
		if (s->max_rows && rows++ >= s->max_rows) {
			next = more++ ? next : row;
			continue;
		}
		section_add_row(s, &s->h.v[row]);
		line_end(&s->line, s->out);
		section_draw(s, drawer, row);
	}
	if (more && !s->options->live)
		fprintf(s->out, "# %" PRIu32 " more rows, the next with %.2f%%: --stdio shows all, and so does a "
			"pipe\n", more, percent(weight(s, &s->h.v[next]), s->h.total));
}

/* --- sections ---------------------------------------------------------------------------- */

void section_add_titles(struct section *s)
{
	const struct sort_spec *spec = &s->options->spec;
	const char *separator = s->options->separator;

	for (unsigned c = 0; c < spec->nr_output; c++) {
		const char *text = section_title(s, spec->output[c]);

		if (c)
			line_add(&s->line, separator ? separator : "  ");
		if (separator)
			line_add(&s->line, text + strspn(text, " "));
		else if (!column_is_key(spec->output[c]) || column_is_field(spec->output[c]))
			line_add_right(&s->line, text, s->widths[c]);
		else if (c + 1 == spec->nr_output)
			line_add(&s->line, text);
		else
			line_add_left(&s->line, text, s->widths[c]);
	}
}

static void write_titles(struct section *s)
{
	const struct sort_spec *spec = &s->options->spec;

	line_add(&s->line, "# ");
	section_add_titles(s);
	line_end(&s->line, s->out);
	if (s->options->separator)
		return;
	line_add(&s->line, "#");
	for (unsigned c = 0; c < spec->nr_output; c++) {
		line_add(&s->line, c ? "  " : " ");
		for (unsigned i = 0; i < s->widths[c]; i++) {
			/* dots are not worth an ellipsis */
			if (s->options->width && s->line.columns >= s->options->width)
				break;
			line_add(&s->line, ".");
		}
	}
	line_end(&s->line, s->out);
	line_add(&s->line, "#");
	line_end(&s->line, s->out);
}

/* 1645 -> "1K", as perf shortens counts here; under a thousand a blank stands for the unit. */
static void short_count(uint64_t n, char buf[32])
{
	static const char units[] = " KMGTPE";
	unsigned u = 0;

	for (; n >= 1000 && units[u + 1]; u++)
		n /= 1000;
	snprintf(buf, 32, "%" PRIu64 "%c", n, units[u]);
}

void section_add_event_names(const struct section *s, struct str *out)
{
	const struct event_desc *events = s->h.profile->data->events.v;
	const struct event_desc *leader = &events[s->members[0]->options.event];
	bool recorded = leader->nr_members == s->nr_members && s->nr_members > 1;

	if (recorded)
		str_addf(out, "%s { ", leader->group_name ? leader->group_name : "anon group");
	for (uint32_t m = 0; m < s->nr_members; m++)
		str_addf(out, "%s%s", m ? ", " : "", events[s->members[m]->options.event].name);
	if (recorded)
		str_add(out, " }");
}

static void write_section_head(struct section *s)
{
	const struct profile *p = s->h.profile;
	struct str names = STR_INIT, safe = STR_INIT;
	uint64_t samples = 0, period = 0;
	char buf[32];

	for (uint32_t m = 0; m < s->nr_members; m++) {
		const struct hists *h = s->members[m];

		if (s->options->relative) {
			samples += h->tree.nodes.nodes[STACK_TREE_ROOT].total_samples;
			period += h->tree.nodes.nodes[STACK_TREE_ROOT].total_period;
		} else {
			samples += p->totals[h->options.event].samples;
			period += p->totals[h->options.event].period;
		}
	}
	section_add_event_names(s, &names);
	str_add_safe(&safe, names.p);
	short_count(samples, buf);
	fprintf(s->out, "# Samples: %s of event%s '%s'\n", buf, s->nr_members > 1 ? "s" : "", safe.p);
	fprintf(s->out, "# Event count (approx.): %" PRIu64 "\n", period);
	if (s->options->sockets)
		fprintf(s->out, "# Processor Socket: %u\n", s->options->sockets[0]);
	fputs("#\n", s->out);
	str_release(&names);
	str_release(&safe);
}

void report_rows(const struct report_options *o, const struct profile *profile, uint32_t event,
		 struct hists *h)
{
	struct hists_options ho = { .event = event, .children = o->children, .by_addr = o->full,
				    .depth_order = o->callgraph.mode != CALLGRAPH_HIDDEN,
				    .order = o->callgraph.order, .filter = passes,
				    .filter_arg = o, .named_only = o->named_only };

	hists_build(h, profile, &o->spec, &ho);
	if (o->relative)
		h->total = h->tree.nodes.nodes[STACK_TREE_ROOT].total_period;
}

/* An event has no columns for the fields of others. */
static void hide_fields(struct section *s, struct report_options *own)
{
	for (unsigned c = s->options->spec.nr_output; c-- > 0;) {
		enum column column = s->options->spec.output[c];
		bool any = false;

		for (uint32_t m = 0; column_is_field(column) && m < s->nr_members; m++)
			any |= hist_field_width(s->members[m], column) != 0;
		if (column_is_field(column) && !any)
			sort_hide(&own->spec, column);
	}
}

static void write_table(struct section *s)
{
	const struct report_options *o = s->options;
	bool draws = o->callgraph.mode != CALLGRAPH_HIDDEN && s->h.profile->has_chains;
	struct chain_drawer drawer = {
		.chains = draws ? chains_new(&s->h) : NULL,
		.cut = { .relative = o->callgraph.mode == CALLGRAPH_FRACTAL,
			 .min_percent = o->callgraph.min_percent },
		.page = { .out = s->out, .separator = o->separator, .width = o->width,
			  .skip_first = o->spec.sym_first },
	};

	line_init(&s->line, o->width);
	if (!o->quiet)
		write_section_head(s);
	if (o->hierarchy) {
		section_write_levels(s, &drawer);
	} else {
		section_measure(s);
		section_squeeze(s);
		if (!o->quiet)
			write_titles(s);
		write_rows(s, &drawer);
	}
	fputs(o->max_rows ? "\n" : "\n\n", s->out);
	line_release(&s->line);
	chains_free(drawer.chains);
}

void section_load(struct section *s, struct report_options *own, const struct profile *profile,
		  const uint32_t *events, uint32_t nr)
{
	s->members = mem_zalloc(nr * sizeof(*s->members));
	s->others = mem_zalloc(nr * sizeof(*s->others));
	s->nr_members = nr;
	s->joint = NULL;
	for (uint32_t m = 0; m < nr; m++) {
		s->members[m] = m ? &s->others[m] : &s->h;
		report_rows(own, profile, events[m], s->members[m]);
	}
	if (nr > 1)
		s->joint = hists_join(s->members, nr, own->group_sort);
	hide_fields(s, own);
}

void section_release(struct section *s)
{
	for (uint32_t m = 0; m < s->nr_members; m++)
		hists_release(s->members[m]);
	free(s->joint);
	free(s->others);
	free(s->members);
	s->joint = NULL;
	s->others = NULL;
	s->members = NULL;
	s->nr_members = 0;
}

/* The table of one event, or of events side by side. */
static void write_section(const struct report_options *o, const struct profile *profile,
			  const uint32_t *events, uint32_t nr, uint32_t max_rows, FILE *out)
{
	struct report_options own = *o;
	struct section s = { .options = &own, .out = out, .max_rows = max_rows };

	section_load(&s, &own, profile, events, nr);
	write_table(&s);
	section_release(&s);
}

uint32_t report_table(const struct report_options *o, const struct profile *profile, uint32_t event,
		      uint32_t *out)
{
	const struct event_set *set = &profile->data->events;
	uint64_t samples = 0;
	uint32_t nr = 0;

	for (uint32_t i = 0; i < set->nr; i++) {
		bool all = o->groups && o->group_all;
		bool in = i == event || all || (o->groups && set->v[i].leader == event);

		if (!in || (all && !profile->totals[i].samples && !o->show_empty))
			continue;
		out[nr++] = i;
		samples += profile->totals[i].samples;
	}
	if (o->groups && (o->group_all ? nr && event != out[0] : set->v[event].leader != event))
		return 0;
	return samples || o->show_empty ? nr : 0;
}

/*
 * A column that would say the same in every row is said once above the table, unless
 * no key would be left. Callers may stand in other binaries than the sample does, so
 * with children only the command is such a column.
 */
static void say_once(struct report_options *o, enum column column, const char *what,
		     const char **names, FILE *out)
{
	const struct sort_spec *spec = &o->spec;
	struct str s = STR_INIT;
	unsigned keys = 0;

	for (unsigned i = 0; i < spec->nr_output; i++)
		keys += column_is_key(spec->output[i]) && spec->output[i] != column;
	if (!keys || !names || !names[0] || names[1] || !sort_has(spec, column))
		return;
	if (column != COLUMN_COMM && o->children)
		return;
	sort_hide(&o->spec, column);
	str_add_safe(&s, names[0]);
	if (!o->quiet)
		fprintf(out, "# %s: %s\n#\n", what, s.p);
	str_release(&s);
}

void report_write(const struct report_options *options, const struct profile *profile, FILE *out)
{
	const struct profile_account *a = &profile->account;
	struct report_options o = *options;
	uint32_t *events, tables = 0;

	say_once(&o, COLUMN_COMM, "comm", o.filter.comms, out);
	say_once(&o, COLUMN_DSO, "dso", o.filter.dsos, out);
	say_once(&o, COLUMN_SYM, "symbol", o.filter.syms, out);
	if (!o.quiet && (!o.max_rows || a->lost_samples))
		fprintf(out, "#\n# Total Lost Samples: %" PRIu64 "\n#\n", a->lost_samples);
	events = mem_zalloc((profile->data->events.nr + 1) * sizeof(*events));
	for (uint32_t i = 0; i < profile->data->events.nr; i++)
		tables += report_table(&o, profile, i, events) != 0;
	for (uint32_t i = 0; i < profile->data->events.nr; i++) {
		uint32_t nr = report_table(&o, profile, i, events);
		uint32_t most = tables ? o.max_rows / tables : 0;

		if (most < ROWS_LEAST)
			most = o.max_rows < ROWS_LEAST ? o.max_rows : ROWS_LEAST;
		if (nr)
			write_section(&o, profile, events, nr, most, out);
	}
	free(events);
	if (!tables && !o.quiet)
		fputs("# There are no samples to show.\n#\n", out);
	if (!o.quiet) {
		fputs("#\n", out);
		if (account_write(a, "# ", o.live ? ACCOUNT_LOSSES : ACCOUNT_ALL, out))
			fputs("#\n", out);
		if (o.live)
			return;
		if (tables && o.chains_hidden)
			fputs("# Who calls them: sonde report -g caller\n", out);
		if (tables && sort_has(&o.spec, COLUMN_SYM))
			hint_annotate(profile, out);
	}
}
