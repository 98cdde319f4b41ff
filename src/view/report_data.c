/* SPDX-License-Identifier: MIT */
#include "view/report_data.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- what a column says, as named values -------------------------------------------------- */

enum value_kind { VALUE_NONE, VALUE_TEXT, VALUE_NUMBER, VALUE_PERCENT, VALUE_BOOL };

struct value {
	const char *name;
	enum value_kind kind;
	struct str text;
	uint64_t number;
	double percent;
};

#define VALUES_MAX 5

struct values {
	struct value v[VALUES_MAX];
	unsigned nr;
};

static struct value *push(struct values *values, const char *name, enum value_kind kind)
{
	struct value *v = &values->v[values->nr++];

	*v = (struct value){ .name = name, .kind = kind, .text = STR_INIT };
	return v;
}

static void push_text(struct values *values, const char *name, const char *text)
{
	struct value *v = push(values, name, text ? VALUE_TEXT : VALUE_NONE);

	if (text)
		str_add(&v->text, text);
}

static void push_number(struct values *values, const char *name, uint64_t number)
{
	push(values, name, VALUE_NUMBER)->number = number;
}

static void push_id(struct values *values, const char *name, uint32_t id)
{
	if (id == UINT32_MAX)
		push(values, name, VALUE_NONE);
	else
		push_number(values, name, id);
}

static void values_release(struct values *values)
{
	for (unsigned i = 0; i < values->nr; i++)
		str_release(&values->v[i].text);
	values->nr = 0;
}

static void symbol_values(struct values *values, const struct hists *h, const struct hist *hist)
{
	const struct profile_frame *f = &h->profile->frames[hist->frame];

	push_text(values, "sym", f->name);
	if (h->options.by_addr)
		str_addf(&push(values, "address", VALUE_TEXT)->text, "0x%" PRIx64, f->run_addr);
	push(values, "kernel", VALUE_BOOL)->number = f->kernel;
	push(values, "inlined", VALUE_BOOL)->number = f->is_inline;
}

static void key_values(struct values *values, const struct hists *h, const struct hist *hist,
		       enum column column)
{
	const struct group *group = &h->tree.groups[hist->group];
	const struct profile_frame *f;

	switch (column) {
	case COLUMN_COMM:
		push_text(values, "comm", hist_comm(h, hist));
		break;
	case COLUMN_PID:
	case COLUMN_TID:
		push_id(values, "pid", group->pid);
		push_id(values, "tid", group->tid);
		push_text(values, "thread", hist_last_comm(h, hist, false));
		break;
	case COLUMN_TGID:
		push_id(values, "tgid", group->pid);
		push_text(values, "process", hist_last_comm(h, hist, true));
		break;
	case COLUMN_CPU:
		push_id(values, "cpu", group->cpu);
		break;
	case COLUMN_DSO:
		push_text(values, "dso", hist_dso(h, hist, false));
		push_text(values, "dso_path", hist_dso(h, hist, true));
		break;
	case COLUMN_SYM:
		symbol_values(values, h, hist);
		break;
	case COLUMN_SYMOFF:
		f = &h->profile->frames[hist->frame];
		push_text(values, "symoff", f->name);
		push_number(values, "offset", f->name ? f->elf_addr - f->sym_start : f->elf_addr);
		break;
	case COLUMN_ADDR:
		str_addf(&push(values, "addr", VALUE_TEXT)->text, "0x%" PRIx64,
			 h->profile->frames[hist->frame].run_addr);
		break;
	case COLUMN_SYM_SIZE:
		push_number(values, "symbol_size", h->profile->frames[hist->frame].sym_bytes);
		break;
	case COLUMN_DSO_SIZE:
		push_number(values, "dso_size", h->profile->frames[hist->frame].map_bytes);
		break;
	default:
		if (column_is_line(column)) {
			push_text(values, column_name(column), hist_line(h, hist, column));
			break;
		}
		if (column_is_symbol(column) || column_is_dso(column)) {
			push_text(values, column_name(column), hist_name_of(h, hist, column));
			break;
		}
		if (column_is_symoff(column) || column_is_word(column)) {
			hist_add_key(&push(values, column_name(column), VALUE_TEXT)->text, h, hist, column,
				     false);
			break;
		}
		if (column_is_number(column)) {
			uint64_t n = hist_number(h, hist, column);

			push(values, sort_column_name(&h->spec, column), n == EXTRA_UNKNOWN ? VALUE_NONE :
			     VALUE_NUMBER)->number = n;
			break;
		}
		push_text(values, sort_column_name(&h->spec, column), hist_text(h, hist, column));
		break;
	}
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void column_values(struct values *values, const struct hists *h, const struct hist *hist,
			  enum column column)
{
	uint64_t n = hist_value(hist, column);

	if (column_is_key(column))
		key_values(values, h, hist, column);
	else if (column_is_percent(column))
		push(values, sort_column_name(&h->spec, column), VALUE_PERCENT)->percent = percent(n, h->total);
	else
		push_number(values, sort_column_name(&h->spec, column), n);
}

/* pid and tid are one: what both say is said once. */
static bool repeated(const struct sort_spec *spec, unsigned c)
{
	for (unsigned i = 0; i < c; i++)
		if ((spec->output[i] == COLUMN_PID || spec->output[i] == COLUMN_TID) &&
		    (spec->output[c] == COLUMN_PID || spec->output[c] == COLUMN_TID))
			return true;
	return false;
}

/* --- JSON ---------------------------------------------------------------------------------- */

struct json {
	FILE *out;
	bool open[16];                   /* something stands in it already */
	unsigned depth;
};

static void json_text(struct json *j, const char *text)
{
	struct str s = STR_INIT;

	str_add_json(&s, text);
	fprintf(j->out, "\"%s\"", s.p);
	str_release(&s);
}

/* Begin a member of an object, or with name NULL an item of an array. */
static void json_next(struct json *j, const char *name)
{
	if (j->open[j->depth])
		fputs(", ", j->out);
	j->open[j->depth] = true;
	if (name) {
		json_text(j, name);
		fputs(": ", j->out);
	}
}

static void json_open(struct json *j, const char *name, char bracket)
{
	json_next(j, name);
	fputc(bracket, j->out);
	j->open[++j->depth] = false;
}

static void json_close(struct json *j, char bracket)
{
	fputc(bracket, j->out);
	j->depth--;
}

static void json_number(struct json *j, const char *name, uint64_t n)
{
	json_next(j, name);
	fprintf(j->out, "%" PRIu64, n);
}

static void json_bool(struct json *j, const char *name, bool yes)
{
	json_next(j, name);
	fputs(yes ? "true" : "false", j->out);
}

static void json_string(struct json *j, const char *name, const char *text)
{
	json_next(j, name);
	if (text)
		json_text(j, text);
	else
		fputs("null", j->out);
}

static void json_value(struct json *j, const struct value *v)
{
	json_next(j, v->name);
	switch (v->kind) {
	case VALUE_NONE: fputs("null", j->out); break;
	case VALUE_TEXT: json_text(j, v->text.p); break;
	case VALUE_NUMBER: fprintf(j->out, "%" PRIu64, v->number); break;
	case VALUE_PERCENT: fprintf(j->out, "%.6f", v->percent); break;
	case VALUE_BOOL: fputs(v->number ? "true" : "false", j->out); break;
	}
}

struct chain_page {
	struct json *json;
	const struct hists *h;
};

static void json_chain(const struct callgraph_path *path, void *arg)
{
	struct chain_page *page = arg;
	struct json *j = page->json;

	json_open(j, NULL, '{');
	json_number(j, "period", path->period);
	json_number(j, "samples", path->samples);
	json_open(j, "frames", '[');
	for (uint32_t i = 0; i < path->nr; i++) {
		struct str name = STR_INIT;

		callgraph_add_name(&name, page->h, path->syms[i]);
		json_string(j, NULL, name.p);
		str_release(&name);
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void json_row(struct json *j, const struct report_options *o, const struct hists *h,
		     const struct hist *hist)
{
	struct values values = { .nr = 0 };

	if (o->children)
		json_number(j, "children", hist->children);
	json_number(j, "period", hist->period);
	json_number(j, "samples", hist->samples);
	json_number(j, "period_kernel", hist->period_kernel);
	json_number(j, "period_user", hist->period_user);
	for (unsigned c = 0; c < o->spec.nr_output; c++) {
		if (column_is_key(o->spec.output[c]) && !repeated(&o->spec, c))
			key_values(&values, h, hist, o->spec.output[c]);
		for (unsigned i = 0; i < values.nr; i++)
			json_value(j, &values.v[i]);
		values_release(&values);
	}
}

static void json_event(struct json *j, const struct report_options *o,
		       const struct profile *profile, uint32_t event)
{
	bool draws = o->callgraph.mode != CALLGRAPH_HIDDEN && profile->has_chains;
	struct chain_options cut = { .relative = o->callgraph.mode == CALLGRAPH_FRACTAL,
				     .min_percent = o->callgraph.min_percent };
	struct chains *chains;
	struct hists h;
	struct chain_page page = { j, &h };
	const struct stack_node *root;

	report_rows(o, profile, event, &h);
	root = &h.tree.nodes.nodes[STACK_TREE_ROOT];
	json_open(j, NULL, '{');
	json_string(j, "event", profile->data->events.v[event].name);
	json_number(j, "samples", profile->totals[event].samples);
	json_number(j, "period", profile->totals[event].period);
	json_number(j, "shown_samples", root->total_samples);
	json_number(j, "shown_period", root->total_period);
	json_number(j, "percent_of", h.total);
	if (draws)
		json_string(j, "chain_order", o->callgraph.order == TREE_CALLERS_FIRST ? "caller" :
											  "callee");
	json_open(j, "rows", '[');
	chains = draws ? chains_new(&h) : NULL;
	for (uint32_t i = 0; i < h.nr; i++) {
		const struct hist *hist = &h.v[h.sorted[i]];

		if (!report_shows(o, &h, hist))
			continue;
		json_open(j, NULL, '{');
		fputs("\n", j->out);
		json_row(j, o, &h, hist);
		if (draws) {
			json_open(j, "chains", '[');
			callgraph_paths(&o->callgraph, &h, chains_build(chains, h.sorted[i], &cut),
					json_chain, &page);
			json_close(j, ']');
		}
		json_close(j, '}');
	}
	chains_free(chains);
	json_close(j, ']');
	json_close(j, '}');
	hists_release(&h);
}

static void json_damages(struct json *j, const struct profile_account *a)
{
	json_open(j, "damages", '[');
	for (uint32_t i = 0; i < a->nr_damages; i++) {
		json_open(j, NULL, '{');
		json_number(j, "offset", a->damages[i].file_off);
		json_number(j, "skipped_bytes", a->damages[i].skipped_bytes);
		json_string(j, "what", a->damages[i].what);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void json_account(struct json *j, const struct profile_account *a)
{
	json_open(j, "account", '{');
	json_number(j, "samples", a->samples);
	json_number(j, "filtered", a->filtered);
	json_number(j, "lost_records", a->lost_records);
	json_number(j, "lost_events", a->lost_events);
	json_number(j, "lost_samples", a->lost_samples);
	json_number(j, "throttles", a->throttles);
	json_number(j, "unknown_records", a->unknown_records);
	json_number(j, "bad_records", a->bad_records);
	json_number(j, "truncated_stacks", a->truncated_stacks);
	json_number(j, "stacks_not_unwound", a->stack_dumps);
	json_number(j, "aux_bytes", a->aux_bytes);
	json_bool(j, "unfinished", a->unfinished);
	json_number(j, "first_ns", a->first_ns);
	json_number(j, "last_ns", a->last_ns);
	json_open(j, "unnamed", '[');
	for (unsigned r = NAME_OK + 1; r < NAME_REASON_COUNT; r++) {
		if (!a->unnamed[r])
			continue;
		json_open(j, NULL, '{');
		json_number(j, "samples", a->unnamed[r]);
		json_string(j, "reason", name_reason_text((enum name_reason)r));
		json_string(j, "advice", name_reason_advice((enum name_reason)r));
		json_close(j, '}');
	}
	json_close(j, ']');
	json_damages(j, a);
	json_close(j, '}');
}

void report_json(const struct report_options *o, const struct profile *profile, FILE *out)
{
	struct json json = { .out = out }, *j = &json;

	fputc('{', out);
	json_string(j, "schema", "sonde-report");
	json_number(j, "version", REPORT_JSON_VERSION);
	json_string(j, "input", profile->data->path);
	json_open(j, "events", '[');
	for (uint32_t i = 0; i < profile->data->events.nr; i++)
		if (profile->totals[i].samples)
			json_event(j, o, profile, i);
	json_close(j, ']');
	fputs("\n", out);
	json_account(j, &profile->account);
	fputs("}\n", out);
}

/* --- CSV ------------------------------------------------------------------------------------ */

static void csv_text(const char *text, FILE *out)
{
	struct str s = STR_INIT;

	str_add_csv(&s, text);
	fputs(s.p, out);
	str_release(&s);
}

static void csv_value(const struct value *v, FILE *out)
{
	fputc(',', out);
	switch (v->kind) {
	case VALUE_NONE: break;
	case VALUE_TEXT: csv_text(v->text.p, out); break;
	case VALUE_NUMBER: fprintf(out, "%" PRIu64, v->number); break;
	case VALUE_PERCENT: fprintf(out, "%.6f", v->percent); break;
	case VALUE_BOOL: fputs(v->number ? "true" : "false", out); break;
	}
}

/* The names of key_values for a column. */
static const char *key_names(const struct sort_spec *spec, enum column column, bool by_addr)
{
	switch (column) {
	case COLUMN_PID:
	case COLUMN_TID: return "pid,tid,thread";
	case COLUMN_TGID: return "tgid,process";
	case COLUMN_DSO: return "dso,dso_path";
	case COLUMN_SYM: return by_addr ? "sym,address,kernel,inlined" : "sym,kernel,inlined";
	case COLUMN_SYMOFF: return "symoff,offset";
	default: return sort_column_name(spec, column);
	}
}

/* A tracepoint's fields are named by the recording. */
static void csv_column(const struct report_options *o, enum column column, FILE *out)
{
	fputc(',', out);
	if (column_is_field(column))
		csv_text(sort_column_name(&o->spec, column), out);
	else
		fputs(key_names(&o->spec, column, o->full), out);
}

static void csv_head(const struct report_options *o, FILE *out)
{
	fputs("event", out);
	for (unsigned c = 0; c < o->spec.nr_output; c++)
		if (!repeated(&o->spec, c))
			csv_column(o, o->spec.output[c], out);
	fputs("\r\n", out);
}

static void csv_row(const struct report_options *o, const struct hists *h, const struct hist *hist,
		    const char *event, FILE *out)
{
	struct values values = { .nr = 0 };

	csv_text(event, out);
	for (unsigned c = 0; c < o->spec.nr_output; c++) {
		if (repeated(&o->spec, c))
			continue;
		column_values(&values, h, hist, o->spec.output[c]);
		for (unsigned i = 0; i < values.nr; i++)
			csv_value(&values.v[i], out);
		values_release(&values);
	}
	fputs("\r\n", out);
}

void report_csv(const struct report_options *o, const struct profile *profile, FILE *out)
{
	csv_head(o, out);
	for (uint32_t e = 0; e < profile->data->events.nr; e++) {
		struct hists h;

		if (!profile->totals[e].samples)
			continue;
		report_rows(o, profile, e, &h);
		for (uint32_t i = 0; i < h.nr; i++) {
			const struct hist *hist = &h.v[h.sorted[i]];

			if (report_shows(o, &h, hist))
				csv_row(o, &h, hist, profile->data->events.v[e].name, out);
		}
		hists_release(&h);
	}
}
