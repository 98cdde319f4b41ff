/* SPDX-License-Identifier: MIT */
#include "profile/sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct {
	const char *name, *alias;
	unsigned dims;
} columns[COLUMN_COUNT] = {
	[COLUMN_CHILDREN] = { "overhead_children", NULL, 0 },
	[COLUMN_OVERHEAD] = { "overhead", NULL, 0 },
	[COLUMN_SYS] = { "overhead_sys", NULL, 0 },
	[COLUMN_USER] = { "overhead_us", NULL, 0 },
	[COLUMN_SAMPLES] = { "sample", "samples", 0 },
	[COLUMN_PERIOD] = { "period", NULL, 0 },
	[COLUMN_COMM] = { "comm", NULL, PROFILE_BY_COMM },
	/* perf's key pid is the thread's number, and the last name it had */
	[COLUMN_PID] = { "pid", NULL, PROFILE_BY_PID | PROFILE_BY_TID },
	[COLUMN_TID] = { "tid", NULL, PROFILE_BY_PID | PROFILE_BY_TID },
	[COLUMN_TGID] = { "tgid", NULL, PROFILE_BY_PID },
	[COLUMN_CPU] = { "cpu", NULL, PROFILE_BY_CPU },
	[COLUMN_DSO] = { "dso", NULL, 0 },
	[COLUMN_SYM] = { "symbol", "sym", 0 },
	[COLUMN_SYMOFF] = { "symoff", NULL, PROFILE_BY_ADDR },
	[COLUMN_SOCKET] = { "socket", NULL, 0 },
	[COLUMN_NODE] = { "node", NULL, 0 },
	[COLUMN_TIME] = { "time", NULL, 0 },
	[COLUMN_WEIGHT] = { "weight", NULL, 0 },
	[COLUMN_LOCAL_WEIGHT] = { "local_weight", NULL, 0 },
	[COLUMN_CGROUP] = { "cgroup", NULL, 0 },
	[COLUMN_PARENT] = { "parent", NULL, PROFILE_BY_STACK },
	[COLUMN_TRACE] = { "trace", NULL, 0 },
};

#define KEYS "comm, pid, tid, tgid, cpu, socket, node, dso, sym, symoff, parent, cgroup, time, weight, " \
	"local_weight, trace, fields of tracepoints, overhead, overhead_children, overhead_sys, " \
	"overhead_us, sample, period"

/* Keys of perf report 6.1 that are not known here. */
static const char *const foreign[] = {
	"overhead_guest_sys", "overhead_guest_us", "srcline", "srcfile",
	"transaction", "symbol_size", "dso_size", "trace_fields",
	"cgroup_id", "ipc_null", "code_page_size", "local_ins_lat", "ins_lat",
	"local_p_stage_cyc", "p_stage_cyc", "addr", "dso_from", "dso_to", "symbol_from",
	"symbol_to", "mispredict", "abort", "in_tx", "cycles", "srcline_from", "srcline_to",
	"ipc_lbr", "addr_from", "addr_to", "symbol_daddr", "dso_daddr", "locked", "tlb", "mem",
	"snoop", "dcacheline", "symbol_iaddr", "phys_daddr", "data_page_size", "blocked",
	NULL
};

bool column_is_key(enum column column)
{
	return column >= COLUMN_COMM;
}

bool column_is_percent(enum column column)
{
	return column <= COLUMN_USER;
}

bool column_is_field(enum column column)
{
	return column >= COLUMN_FIELD;
}

bool column_is_number(enum column column)
{
	return column >= COLUMN_SOCKET && column <= COLUMN_LOCAL_WEIGHT;
}

const char *column_name(enum column column)
{
	return column_is_field(column) ? "field" : columns[column].name;
}

const char *sort_column_name(const struct sort_spec *spec, enum column column)
{
	return column_is_field(column) ? spec->fields[column - COLUMN_FIELD] : columns[column].name;
}

static bool has(const enum column *list, unsigned nr, enum column column)
{
	for (unsigned i = 0; i < nr; i++)
		if (list[i] == column)
			return true;
	return false;
}

bool sort_has(const struct sort_spec *spec, enum column column)
{
	return has(spec->output, spec->nr_output, column) ||
	       has(spec->order, spec->nr_order, column);
}

static void drop(enum column *list, unsigned *nr, enum column column)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < *nr; i++)
		if (list[i] != column)
			list[kept++] = list[i];
	*nr = kept;
}

void sort_hide(struct sort_spec *spec, enum column column)
{
	drop(spec->output, &spec->nr_output, column);
}

unsigned sort_dims(const struct sort_spec *spec)
{
	unsigned dims = 0;

	for (unsigned c = 0; c < COLUMN_FIELD; c++)
		if (sort_has(spec, (enum column)c))
			dims |= columns[c].dims;
	return dims;
}

uint32_t sort_extras(const struct sort_spec *spec, uint64_t time_quantum_ns,
		     struct extra out[EXTRAS_MAX])
{
	static const struct { enum column column; enum extra_kind kind; } of[] = {
		{ COLUMN_SOCKET, EXTRA_SOCKET }, { COLUMN_NODE, EXTRA_NODE }, { COLUMN_TIME, EXTRA_TIME },
		{ COLUMN_CGROUP, EXTRA_CGROUP }, { COLUMN_PARENT, EXTRA_PARENT },
		{ COLUMN_TRACE, EXTRA_TRACE },
	};
	uint32_t nr = 0;

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		if (sort_has(spec, of[i].column))
			out[nr++] = (struct extra){ .kind = of[i].kind, .quantum_ns = time_quantum_ns };
	if (sort_has(spec, COLUMN_WEIGHT) || sort_has(spec, COLUMN_LOCAL_WEIGHT))
		out[nr++] = (struct extra){ .kind = EXTRA_WEIGHT };
	for (unsigned f = 0; f < spec->nr_fields; f++)
		out[nr++] = (struct extra){ .kind = EXTRA_FIELD, .name = spec->fields[f] };
	return nr;
}

/* The column of a tracepoint's field, made when new. */
static int field_column(struct sort_spec *spec, const char *word, enum column *out, struct err *err)
{
	unsigned f = 0;

	while (f < spec->nr_fields && strcmp(spec->fields[f], word) != 0)
		f++;
	if (f == SORT_FIELDS_MAX || strlen(word) >= SORT_FIELD_NAME_MAX)
		return err_set(err, E2BIG, "'%s': no more than %d fields of tracepoints can be keys, with "
			       "names under %d characters", word, SORT_FIELDS_MAX, SORT_FIELD_NAME_MAX);
	if (f == spec->nr_fields)
		strcpy(spec->fields[spec->nr_fields++], word);
	*out = (enum column)(COLUMN_FIELD + f);
	return 0;
}

static int find_column(struct sort_spec *spec, const struct sort_wish *wish, const char *word,
		       const char *option, enum column *out, struct err *err)
{
	const char *names[2 * COLUMN_FIELD + 1], *near;
	unsigned n = 0;

	for (unsigned c = 0; c < COLUMN_FIELD; c++) {
		names[n++] = columns[c].name;
		if (columns[c].alias)
			names[n++] = columns[c].alias;
		if (strcmp(word, columns[c].name) == 0 ||
		    (columns[c].alias && strcmp(word, columns[c].alias) == 0)) {
			*out = (enum column)c;
			return 0;
		}
	}
	names[n] = NULL;
	if (wish->is_field && wish->is_field(word, wish->is_field_arg))
		return field_column(spec, word, out, err);
	for (unsigned i = 0; foreign[i]; i++)
		if (strcmp(word, foreign[i]) == 0)
			return err_set(err, EOPNOTSUPP, "%s: the key '%s' is not supported yet; there are "
				       KEYS, option, word);
	near = str_nearest(word, names);
	if (near)
		return err_set(err, EINVAL, "%s: no key '%s'; did you mean '%s'?", option, word, near);
	return err_set(err, EINVAL, "%s: no key '%s'; there are " KEYS, option, word);
}

static void push(enum column *list, unsigned *nr, enum column column)
{
	if (!has(list, *nr, column))
		list[(*nr)++] = column;
}

/* Append the keys of "a,b c" to a list; each column stands in it once. */
static int parse_list(struct sort_spec *spec, const struct sort_wish *wish, const char *text,
		      const char *option, enum column *list, unsigned *nr, struct err *err)
{
	char *copy = mem_strdup(text), *rest = copy, *word;
	enum column column = COLUMN_OVERHEAD;
	int r = 0;

	while (!r && (word = strsep(&rest, ", "))) {
		if (!*word)
			continue;
		r = find_column(spec, wish, word, option, &column, err);
		if (!r)
			push(list, nr, column);
	}
	free(copy);
	return r;
}

/* The counts that come first where -F does not say otherwise. */
static void push_counts(struct sort_spec *spec, const struct sort_wish *wish)
{
	if (wish->children)
		push(spec->output, &spec->nr_output, COLUMN_CHILDREN);
	push(spec->output, &spec->nr_output, COLUMN_OVERHEAD);
	if (wish->cpu_utilization) {
		push(spec->output, &spec->nr_output, COLUMN_SYS);
		push(spec->output, &spec->nr_output, COLUMN_USER);
	}
	if (wish->samples)
		push(spec->output, &spec->nr_output, COLUMN_SAMPLES);
	if (wish->period)
		push(spec->output, &spec->nr_output, COLUMN_PERIOD);
}

/*
 * As perf has it: without -F, counts and then the keys of -s, rows in the order of
 * Children, Overhead and the keys; with -F alone, its columns, rows in their order;
 * with both, -F says what is shown and -s how rows are told apart; -F +X adds.
 */
int sort_parse(struct sort_spec *spec, const struct sort_wish *wish, struct err *err)
{
	const char *fields = wish->fields, *sort = wish->sort;
	enum column keys[SORT_COLUMNS_MAX];
	unsigned nr_keys = 0;
	bool add = fields && fields[0] == '+', add_sort = sort && sort[0] == '+';
	int r = 0;

	*spec = (struct sort_spec){ 0 };
	if (!sort || add_sort)
		r = fields && !add && !sort ? 0 :
			parse_list(spec, wish, "comm,dso,sym", "-s", keys, &nr_keys, err);
	if (!r && sort)
		r = parse_list(spec, wish, sort + add_sort, "-s", keys, &nr_keys, err);
	if (!r && wish->parent && (!fields || add || sort))
		push(keys, &nr_keys, COLUMN_PARENT);
	if (!r && fields && !add) {
		r = parse_list(spec, wish, fields, "-F", spec->output, &spec->nr_output, err);
		if (!wish->children)
			drop(spec->output, &spec->nr_output, COLUMN_CHILDREN);
	}
	if (r < 0)
		return r;
	if (!fields || add)
		push_counts(spec, wish);
	if (add)
		r = parse_list(spec, wish, fields + 1, "-F", spec->output, &spec->nr_output, err);
	for (unsigned i = 0; i < nr_keys; i++)
		if (!fields || add || sort)
			push(spec->output, &spec->nr_output, keys[i]);
	if (!fields || sort) {
		if (wish->children)
			push(spec->order, &spec->nr_order, COLUMN_CHILDREN);
		push(spec->order, &spec->nr_order, COLUMN_OVERHEAD);
	}
	for (unsigned i = 0; i < nr_keys; i++)
		push(spec->order, &spec->nr_order, keys[i]);
	for (unsigned i = 0; i < spec->nr_output; i++)
		push(spec->order, &spec->nr_order, spec->output[i]);
	spec->comm_first = !fields && nr_keys && keys[0] == COLUMN_COMM;
	spec->sym_first = !fields && nr_keys && keys[0] == COLUMN_SYM;
	if (!r && !spec->nr_output)
		r = err_set(err, EINVAL, "no columns are left to show: give keys to -s or -F");
	return r;
}
