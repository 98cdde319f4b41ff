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
};

/* Keys of perf report 6.1 that are not known here. */
static const char *const foreign[] = {
	"overhead_guest_sys", "overhead_guest_us", "parent", "socket", "srcline", "srcfile",
	"local_weight", "weight", "transaction", "trace", "symbol_size", "dso_size", "cgroup",
	"cgroup_id", "ipc_null", "time", "code_page_size", "local_ins_lat", "ins_lat",
	"local_p_stage_cyc", "p_stage_cyc", "addr", "dso_from", "dso_to", "symbol_from",
	"symbol_to", "mispredict", "abort", "in_tx", "cycles", "srcline_from", "srcline_to",
	"ipc_lbr", "addr_from", "addr_to", "symbol_daddr", "dso_daddr", "locked", "tlb", "mem",
	"snoop", "dcacheline", "symbol_iaddr", "phys_daddr", "data_page_size", "blocked", "symoff",
	"node", NULL
};

bool column_is_key(enum column column)
{
	return column >= COLUMN_COMM;
}

bool column_is_percent(enum column column)
{
	return column <= COLUMN_USER;
}

const char *column_name(enum column column)
{
	return columns[column].name;
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

	for (unsigned c = 0; c < COLUMN_COUNT; c++)
		if (sort_has(spec, (enum column)c))
			dims |= columns[c].dims;
	return dims;
}

static int find_column(const char *word, const char *option, enum column *out, struct err *err)
{
	const char *names[2 * COLUMN_COUNT + 1], *near;
	unsigned n = 0;

	for (unsigned c = 0; c < COLUMN_COUNT; c++) {
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
	for (unsigned i = 0; foreign[i]; i++)
		if (strcmp(word, foreign[i]) == 0)
			return err_set(err, EOPNOTSUPP, "%s: the key '%s' is not supported yet; there are "
				       "comm, pid, tid, tgid, cpu, dso, sym, overhead, overhead_children, "
				       "overhead_sys, overhead_us, sample, period", option, word);
	near = str_nearest(word, names);
	if (near)
		return err_set(err, EINVAL, "%s: no key '%s'; did you mean '%s'?", option, word, near);
	return err_set(err, EINVAL, "%s: no key '%s'; there are comm, pid, tid, tgid, cpu, dso, sym, "
		       "overhead, overhead_children, overhead_sys, overhead_us, sample, period", option,
		       word);
}

static void push(enum column *list, unsigned *nr, enum column column)
{
	if (!has(list, *nr, column))
		list[(*nr)++] = column;
}

/* Append the keys of "a,b c" to a list; each column stands in it once. */
static int parse_list(const char *text, const char *option, enum column *list, unsigned *nr,
		      struct err *err)
{
	char *copy = mem_strdup(text), *rest = copy, *word;
	enum column column = COLUMN_OVERHEAD;
	int r = 0;

	while (!r && (word = strsep(&rest, ", "))) {
		if (!*word)
			continue;
		r = find_column(word, option, &column, err);
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
		r = fields && !add && !sort ? 0 : parse_list("comm,dso,sym", "-s", keys, &nr_keys, err);
	if (!r && sort)
		r = parse_list(sort + add_sort, "-s", keys, &nr_keys, err);
	if (!r && fields && !add) {
		r = parse_list(fields, "-F", spec->output, &spec->nr_output, err);
		if (!wish->children)
			drop(spec->output, &spec->nr_output, COLUMN_CHILDREN);
	}
	if (r < 0)
		return r;
	if (!fields || add)
		push_counts(spec, wish);
	if (add)
		r = parse_list(fields + 1, "-F", spec->output, &spec->nr_output, err);
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
