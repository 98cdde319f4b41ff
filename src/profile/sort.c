/* SPDX-License-Identifier: MIT */
#include "profile/sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define X(kind) .extra = (kind), .has_extra = true

static const struct column_desc {
	const char *name, *alias;
	unsigned dims;
	enum extra_kind extra;
	bool has_extra;
	bool of_branch;                  /* only with rows of branches */
	uint64_t needs;                  /* PERF_SAMPLE_ bits, of which an event must have one; 0: none */
} columns[COLUMN_COUNT] = {
	[COLUMN_CHILDREN] = { .name = "overhead_children" },
	[COLUMN_OVERHEAD] = { .name = "overhead" },
	[COLUMN_SYS] = { .name = "overhead_sys" },
	[COLUMN_USER] = { .name = "overhead_us" },
	[COLUMN_GUEST_SYS] = { .name = "overhead_guest_sys" },
	[COLUMN_GUEST_USER] = { .name = "overhead_guest_us" },
	[COLUMN_SAMPLES] = { .name = "sample", .alias = "samples" },
	[COLUMN_PERIOD] = { .name = "period" },
	[COLUMN_COMM] = { .name = "comm", .dims = PROFILE_BY_COMM },
	/* perf's key pid is the thread's number, and the last name it had */
	[COLUMN_PID] = { .name = "pid", .dims = PROFILE_BY_PID | PROFILE_BY_TID },
	[COLUMN_TID] = { .name = "tid", .dims = PROFILE_BY_PID | PROFILE_BY_TID },
	[COLUMN_TGID] = { .name = "tgid", .dims = PROFILE_BY_PID },
	[COLUMN_CPU] = { .name = "cpu", .dims = PROFILE_BY_CPU },
	[COLUMN_DSO] = { .name = "dso" },
	[COLUMN_SYM] = { .name = "symbol", .alias = "sym" },
	[COLUMN_SYMOFF] = { .name = "symoff", .dims = PROFILE_BY_ADDR },
	[COLUMN_ADDR] = { .name = "addr", .dims = PROFILE_BY_ADDR },
	[COLUMN_SYM_SIZE] = { .name = "symbol_size" },
	[COLUMN_DSO_SIZE] = { .name = "dso_size" },
	[COLUMN_LINE] = { .name = "srcline", .dims = PROFILE_BY_ADDR },
	[COLUMN_FILE] = { .name = "srcfile", .dims = PROFILE_BY_ADDR },
	[COLUMN_LINE_FROM] = { .name = "srcline_from", .dims = PROFILE_BY_ADDR, X(EXTRA_FROM_FRAME),
			       .of_branch = true },
	[COLUMN_LINE_TO] = { .name = "srcline_to", .dims = PROFILE_BY_ADDR, .of_branch = true },
	[COLUMN_SOCKET] = { .name = "socket", X(EXTRA_SOCKET) },
	[COLUMN_NODE] = { .name = "node", X(EXTRA_NODE) },
	[COLUMN_TIME] = { .name = "time", X(EXTRA_TIME) },
	[COLUMN_WEIGHT] = { .name = "weight", X(EXTRA_WEIGHT) },
	[COLUMN_LOCAL_WEIGHT] = { .name = "local_weight", X(EXTRA_WEIGHT) },
	[COLUMN_INS_LAT] = { .name = "ins_lat", X(EXTRA_INS_LAT), .needs = PERF_SAMPLE_WEIGHT_STRUCT },
	[COLUMN_LOCAL_INS_LAT] = { .name = "local_ins_lat", X(EXTRA_INS_LAT) },
	[COLUMN_P_STAGE] = { .name = "p_stage_cyc", X(EXTRA_P_STAGE), .needs = PERF_SAMPLE_WEIGHT_STRUCT },
	[COLUMN_LOCAL_P_STAGE] = { .name = "local_p_stage_cyc", X(EXTRA_P_STAGE) },
	[COLUMN_TRANSACTION] = { .name = "transaction", X(EXTRA_TRANSACTION), .needs = PERF_SAMPLE_TRANSACTION },
	[COLUMN_CODE_PAGE] = { .name = "code_page_size", X(EXTRA_CODE_PAGE), .needs = PERF_SAMPLE_CODE_PAGE_SIZE },
	[COLUMN_DATA_PAGE] = { .name = "data_page_size", X(EXTRA_DATA_PAGE), .needs = PERF_SAMPLE_DATA_PAGE_SIZE },
	[COLUMN_DATA_LINE] = { .name = "dcacheline", X(EXTRA_DATA_LINE), .needs = PERF_SAMPLE_ADDR },
	[COLUMN_PHYS_DATA] = { .name = "phys_daddr", X(EXTRA_PHYS_ADDR), .needs = PERF_SAMPLE_PHYS_ADDR },
	[COLUMN_MEM] = { .name = "mem", X(EXTRA_MEM_LEVEL), .needs = PERF_SAMPLE_DATA_SRC },
	[COLUMN_SNOOP] = { .name = "snoop", X(EXTRA_MEM_SNOOP), .needs = PERF_SAMPLE_DATA_SRC },
	[COLUMN_TLB] = { .name = "tlb", X(EXTRA_MEM_TLB), .needs = PERF_SAMPLE_DATA_SRC },
	[COLUMN_LOCKED] = { .name = "locked", X(EXTRA_MEM_LOCK), .needs = PERF_SAMPLE_DATA_SRC },
	[COLUMN_BLOCKED] = { .name = "blocked", X(EXTRA_MEM_BLOCK), .needs = PERF_SAMPLE_DATA_SRC },
	[COLUMN_MISPREDICT] = { .name = "mispredict", X(EXTRA_BRANCH_PREDICTED), .of_branch = true },
	[COLUMN_IN_TX] = { .name = "in_tx", X(EXTRA_BRANCH_TX), .of_branch = true },
	[COLUMN_ABORT] = { .name = "abort", X(EXTRA_BRANCH_ABORT), .of_branch = true },
	[COLUMN_CYCLES] = { .name = "cycles", X(EXTRA_BRANCH_CYCLES), .of_branch = true },
	[COLUMN_ADDR_FROM] = { .name = "addr_from", .dims = PROFILE_BY_ADDR, X(EXTRA_FROM_FRAME), .of_branch = true },
	[COLUMN_ADDR_TO] = { .name = "addr_to", .dims = PROFILE_BY_ADDR, .of_branch = true },
	[COLUMN_SYM_FROM] = { .name = "symbol_from", X(EXTRA_FROM_FRAME), .of_branch = true },
	[COLUMN_DSO_FROM] = { .name = "dso_from", X(EXTRA_FROM_FRAME), .of_branch = true },
	[COLUMN_SYM_DATA] = { .name = "symbol_daddr", X(EXTRA_DATA_FRAME), .needs = PERF_SAMPLE_ADDR },
	[COLUMN_DSO_DATA] = { .name = "dso_daddr", X(EXTRA_DATA_FRAME), .needs = PERF_SAMPLE_ADDR },
	[COLUMN_SYM_TO] = { .name = "symbol_to", .of_branch = true },
	[COLUMN_DSO_TO] = { .name = "dso_to", .of_branch = true },
	[COLUMN_CGROUP] = { .name = "cgroup", X(EXTRA_CGROUP) },
	[COLUMN_PARENT] = { .name = "parent", .dims = PROFILE_BY_STACK, X(EXTRA_PARENT) },
	[COLUMN_TRACE] = { .name = "trace", X(EXTRA_TRACE) },
};

#define KEYS "comm, pid, tid, tgid, cpu, socket, node, dso, sym, symoff, srcline, srcfile, addr, symbol_size, dso_size, " \
	"parent, cgroup, time, weight, local_weight, transaction, trace, fields of tracepoints, " \
	"overhead, overhead_children, overhead_sys, overhead_us, sample, period, and those of " \
	"branches and of memory accesses (sonde report -h)"

#define DEFAULT_KEYS "comm,dso,sym"
#define BRANCH_KEYS "comm,dso_from,symbol_from,symbol_to,cycles"
#define MEMORY_KEYS "local_weight,mem,sym,dso,symbol_daddr,dso_daddr,snoop,tlb,locked,blocked," \
	"local_ins_lat,local_p_stage_cyc"

/* Keys of perf report 6.1 that are not known here, and why. */
static const struct { const char *name, *why; } foreign[] = {
	{ "ipc_lbr", "blocks of branches are not disassembled here" },
	{ "ipc_null", "blocks of branches are not disassembled here" },
	{ "cgroup_id", "take cgroup, which is the name" },
	{ "symbol_iaddr", "take sym, which is the same function" },
};

bool column_is_key(enum column column)
{
	return column >= COLUMN_COMM;
}

bool column_is_percent(enum column column)
{
	return column <= COLUMN_GUEST_USER;
}

bool column_is_field(enum column column)
{
	return column >= COLUMN_FIELD;
}

bool column_is_number(enum column column)
{
	return column >= COLUMN_SOCKET && column <= COLUMN_CYCLES;
}

bool column_is_symbol(enum column column)
{
	return column == COLUMN_SYM || column == COLUMN_SYM_TO || column == COLUMN_SYM_FROM ||
	       column == COLUMN_SYM_DATA;
}

bool column_is_symoff(enum column column)
{
	return column == COLUMN_SYMOFF || column == COLUMN_ADDR_FROM || column == COLUMN_ADDR_TO;
}

bool column_is_line(enum column column)
{
	return column == COLUMN_LINE || column == COLUMN_FILE || column == COLUMN_LINE_FROM ||
	       column == COLUMN_LINE_TO;
}

bool column_is_dso(enum column column)
{
	return column == COLUMN_DSO || column == COLUMN_DSO_TO || column == COLUMN_DSO_FROM ||
	       column == COLUMN_DSO_DATA;
}

int sort_check(const struct sort_spec *spec, uint64_t sampled, struct err *err)
{
	for (unsigned c = 0; c < COLUMN_FIELD; c++)
		if (columns[c].needs && !(columns[c].needs & sampled) && sort_has(spec, (enum column)c))
			return err_set(err, EINVAL, "the key '%s' cannot be had: no event of the recording "
				       "sampled it", columns[c].name);
	return 0;
}

bool column_extra(enum column column, enum extra_kind *kind)
{
	if (column_is_field(column))
		*kind = EXTRA_FIELD;
	else
		*kind = columns[column].extra;
	return column_is_field(column) || columns[column].has_extra;
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
	bool from_symbol = sort_has(spec, COLUMN_SYM_FROM) || sort_has(spec, COLUMN_ADDR_FROM);
	bool from_line = sort_has(spec, COLUMN_LINE_FROM);
	bool data_symbol = sort_has(spec, COLUMN_SYM_DATA);
	uint32_t nr = 0;

	for (unsigned c = 0; c < COLUMN_FIELD; c++) {
		enum extra_kind kind = columns[c].extra;
		bool new = columns[c].has_extra && sort_has(spec, (enum column)c);

		for (uint32_t i = 0; i < nr; i++)
			new &= out[i].kind != kind;
		if (!new)
			continue;
		if (kind == EXTRA_TRACE && spec->raw_trace)
			kind = EXTRA_RAW_TRACE;
		out[nr++] = (struct extra){
			.kind = kind, .quantum_ns = time_quantum_ns,
			.of_line = kind == EXTRA_FROM_FRAME && !from_symbol && from_line,
			.of_module = !(kind == EXTRA_FROM_FRAME ? from_symbol || from_line : data_symbol),
		};
	}
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
			if (columns[c].of_branch && !wish->branches)
				return err_set(err, EINVAL, "%s: the key '%s' is of branches: it needs a recording "
					       "with them (record -b) and no --no-branch-stack", option, word);
			*out = (enum column)c;
			return 0;
		}
	}
	names[n] = NULL;
	if (wish->is_field && wish->is_field(word, wish->is_field_arg))
		return field_column(spec, word, out, err);
	for (unsigned i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (strcmp(word, foreign[i].name) == 0)
			return err_set(err, EOPNOTSUPP, "%s: the key '%s' is not supported: %s", option, word,
				       foreign[i].why);
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
		if (wish->guest) {
			push(spec->output, &spec->nr_output, COLUMN_GUEST_SYS);
			push(spec->output, &spec->nr_output, COLUMN_GUEST_USER);
		}
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

	*spec = (struct sort_spec){ .raw_trace = wish->raw_trace,
				    .nanoseconds = wish->nanoseconds };
	if (!sort || add_sort)
		r = fields && !add && !sort ? 0 :
			parse_list(spec, wish, wish->branches ? BRANCH_KEYS : wish->memory ? MEMORY_KEYS :
				   DEFAULT_KEYS, "-s", keys, &nr_keys, err);
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
