/* SPDX-License-Identifier: MIT */
#include "view/script_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "view/script_parts.h"

static const struct {
	const char *name;
	uint64_t field;
	uint64_t needs;          /* sample_type bits, any of them; 0: nothing */
	const char *needs_name;
} fields[] = {
	{ "comm", FIELD_COMM, 0, NULL },
	{ "tid", FIELD_TID, PERF_SAMPLE_TID, "TID" },
	{ "pid", FIELD_PID, PERF_SAMPLE_TID, "TID" },
	{ "time", FIELD_TIME, PERF_SAMPLE_TIME, "TIME" },
	{ "tod", FIELD_TOD, PERF_SAMPLE_TIME, "TIME" },
	{ "cpu", FIELD_CPU, PERF_SAMPLE_CPU, "CPU" },
	{ "event", FIELD_EVENT, 0, NULL },
	{ "trace", FIELD_TRACE, PERF_SAMPLE_RAW, "RAW" },
	{ "ip", FIELD_IP, PERF_SAMPLE_IP, "IP" },
	{ "sym", FIELD_SYM, 0, NULL },
	{ "dso", FIELD_DSO, 0, NULL },
	{ "dsoff", FIELD_DSO | FIELD_DSOFF, 0, NULL },
	{ "addr", FIELD_ADDR, PERF_SAMPLE_ADDR, "ADDR" },
	{ "symoff", FIELD_SYMOFF, 0, NULL },
	{ "srcline", FIELD_SRCLINE, PERF_SAMPLE_IP, "IP" },
	{ "period", FIELD_PERIOD, 0, NULL },     /* without it all have the same */
	{ "brstack", FIELD_BRSTACK, PERF_SAMPLE_BRANCH_STACK, "branch stacks" },
	{ "brstacksym", FIELD_BRSTACKSYM, PERF_SAMPLE_BRANCH_STACK, "branch stacks" },
	{ "brstackoff", FIELD_BRSTACKOFF, PERF_SAMPLE_BRANCH_STACK, "branch stacks" },
	{ "data_src", FIELD_DATA_SRC, PERF_SAMPLE_DATA_SRC, "DATA_SRC" },
	{ "weight", FIELD_WEIGHT, PERF_SAMPLE_WEIGHT_TYPE, "WEIGHT" },
	{ "phys_addr", FIELD_PHYS_ADDR, PERF_SAMPLE_PHYS_ADDR, "PHYS_ADDR" },
	{ "misc", FIELD_MISC, 0, NULL },
	{ "data_page_size", FIELD_DATA_PAGE_SIZE, PERF_SAMPLE_DATA_PAGE_SIZE, "DATA_PAGE_SIZE" },
	{ "code_page_size", FIELD_CODE_PAGE_SIZE, PERF_SAMPLE_CODE_PAGE_SIZE, "CODE_PAGE_SIZE" },
	{ "ins_lat", FIELD_INS_LAT, PERF_SAMPLE_WEIGHT_STRUCT, "WEIGHT_STRUCT" },
	{ "retire_lat", FIELD_RETIRE_LAT, PERF_SAMPLE_WEIGHT_STRUCT, "WEIGHT_STRUCT" },
	{ "iregs", FIELD_IREGS, PERF_SAMPLE_REGS_INTR, "IREGS" },
	{ "uregs", FIELD_UREGS, PERF_SAMPLE_REGS_USER, "UREGS" },
	{ "insn", FIELD_INSN, PERF_SAMPLE_IP, "IP" },
	{ "insnlen", FIELD_INSNLEN, PERF_SAMPLE_IP, "IP" },
	{ "bpf-output", FIELD_BPF_OUTPUT, PERF_SAMPLE_RAW, "RAW" },
	{ "cgroup", FIELD_CGROUP, PERF_SAMPLE_CGROUP, "CGROUP" },
};
#define NR_FIELDS (sizeof(fields) / sizeof(fields[0]))

/* Fields of perf's that are not here, and why. */
static const struct { const char *name, *why; } absent[] = {
#define OF_TRACES "it is decoded from a processor's trace (Intel PT, CoreSight), which sonde does not do"
#define OF_CODE "it needs the instructions, which sonde script does not print; see sonde annotate"
	{ "flags", OF_TRACES }, { "callindent", OF_TRACES }, { "ipc", OF_TRACES },
	{ "synth", OF_TRACES },
	{ "disasm", OF_CODE },
	{ "brstackinsn", OF_CODE }, { "brstackinsnlen", OF_CODE }, { "brstackdisasm", OF_CODE },
	{ "srccode", "source code is not printed here; see sonde annotate" },
	{ "metric", "metrics are reckoned by sonde stat, not from samples" },
	{ "machine_pid", "sonde reads no recordings with guests merged into them" },
	{ "vcpu", "sonde reads no recordings with guests merged into them" },
	{ "brcntr", "counters of branch records are not read" },
#undef OF_TRACES
#undef OF_CODE
};
#define NR_ABSENT (sizeof(absent) / sizeof(absent[0]))

#define TASK_FIELDS (FIELD_COMM | FIELD_TID | FIELD_CPU | FIELD_TIME | FIELD_EVENT)
#define PLACE_FIELDS (FIELD_IP | FIELD_SYM | FIELD_SYMOFF | FIELD_DSO)

/* Event types as -F TYPE: names them. */
enum { TYPE_HW = 1, TYPE_SW = 2, TYPE_TRACE = 4, TYPE_RAW = 8, TYPE_OTHER = 16, TYPE_ALL = 31 };

static unsigned type_of(const struct perf_event_attr *attr)
{
	switch (attr->type) {
	case PERF_TYPE_HARDWARE:
	case PERF_TYPE_HW_CACHE:
		return TYPE_HW;
	case PERF_TYPE_SOFTWARE:
		return TYPE_SW;
	case PERF_TYPE_TRACEPOINT:
		return TYPE_TRACE;
	case PERF_TYPE_RAW:
		return TYPE_RAW;
	default:
		return TYPE_OTHER;
	}
}

static bool is_bpf_output(const struct perf_event_attr *attr)
{
	return attr->type == PERF_TYPE_SOFTWARE && attr->config == PERF_COUNT_SW_BPF_OUTPUT;
}

static uint64_t default_fields(const struct perf_event_attr *attr, bool chains)
{
	if (is_bpf_output(attr))
		return TASK_FIELDS | PLACE_FIELDS | FIELD_PERIOD | FIELD_BPF_OUTPUT;
	switch (type_of(attr)) {
	case TYPE_TRACE:
		return TASK_FIELDS | FIELD_TRACE | (chains ? PLACE_FIELDS : 0);
	case TYPE_RAW:
		return TASK_FIELDS | PLACE_FIELDS | FIELD_PERIOD | FIELD_ADDR | FIELD_DATA_SRC |
		       FIELD_WEIGHT | FIELD_INS_LAT | FIELD_PHYS_ADDR | FIELD_DATA_PAGE_SIZE |
		       FIELD_CODE_PAGE_SIZE;
	default:
		return TASK_FIELDS | PLACE_FIELDS | FIELD_PERIOD;
	}
}

static int type_prefix(const char *text, const char **rest, unsigned *types, struct err *err)
{
	static const struct { const char *name; unsigned type; } prefixes[] = {
		{ "hw:", TYPE_HW }, { "sw:", TYPE_SW }, { "trace:", TYPE_TRACE }, { "raw:", TYPE_RAW },
	};

	*rest = text;
	*types = TYPE_ALL;
	if (!strchr(text, ':'))
		return 0;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (str_starts(text, prefixes[i].name)) {
			*types = prefixes[i].type;
			*rest = text + strlen(prefixes[i].name);
			return 0;
		}
	}
	return err_set(err, EINVAL, "-F: '%.*s' is no type of event; hw, sw, trace and raw are",
		       (int)strcspn(text, ":"), text);
}

static int find_field(const char *name, uint64_t *field, struct err *err)
{
	const char *names[NR_FIELDS + 1] = { NULL }, *near;

	for (size_t i = 0; i < NR_FIELDS; i++) {
		names[i] = fields[i].name;
		if (strcmp(name, names[i]) == 0) {
			*field = fields[i].field;
			return 0;
		}
	}
	for (size_t i = 0; i < NR_ABSENT; i++)
		if (strcmp(name, absent[i].name) == 0)
			return err_set(err, EOPNOTSUPP, "-F: '%s' cannot be printed: %s", name,
				       absent[i].why);
	near = str_nearest(name, names);
	return err_set(err, EINVAL, "-F: no field '%s'%s%s%s", name, near ? "; did you mean '" : "",
		       near ? near : "", near ? "'?" : "; `sonde script -h` lists the fields");
}

/* Apply one comma-separated list to the events of its types; asked[] collects what was named. */
static int apply_list(const struct perf_data *data, char *list, unsigned types, uint64_t *out,
		      uint64_t *asked, struct err *err)
{
	char *save = NULL;
	bool replaced = false;

	for (char *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		char sign = *word == '+' || *word == '-' ? *word++ : 0;
		uint64_t field = 0;
		int r = find_field(word, &field, err);

		if (r < 0)
			return r;
		for (uint32_t i = 0; i < data->events.nr; i++) {
			if (!(type_of(&data->events.v[i].attr) & types))
				continue;
			if (!sign && !replaced)
				out[i] = asked[i] = 0;
			if (sign == '-') {
				out[i] &= ~field;
				asked[i] &= ~field;
			} else {
				out[i] |= field;
				asked[i] |= field;
			}
		}
		replaced |= !sign;
	}
	return 0;
}

static bool is_dummy(const struct perf_event_attr *attr)
{
	return attr->type == PERF_TYPE_SOFTWARE && attr->config == PERF_COUNT_SW_DUMMY;
}

static bool is_of_few(uint64_t field)
{
	return field == FIELD_TRACE || field == FIELD_BPF_OUTPUT;
}

/*
 * `any`: what some event of the recording samples. `lenient`: a recording with a processor's trace, whose
 * own event samples other things.
 */
static int check_event(const struct event_desc *event, uint64_t *out, uint64_t asked, uint64_t any,
		       bool lenient, struct err *err)
{
	if (is_dummy(&event->attr))      /* has no samples, but stands for the records beside them */
		return 0;
	for (size_t i = 0; i < NR_FIELDS; i++) {
		uint64_t field = fields[i].field;

		if (!(*out & field) || !fields[i].needs ||
		    (event->attr.sample_type & fields[i].needs))
			continue;
		/* what only some kinds of event have is not missed elsewhere */
		if ((asked & field) && lenient)
			continue;
		/* branch records are shown where there are any */
		if ((asked & field) && (fields[i].needs & any & PERF_SAMPLE_BRANCH_STACK))
			asked &= ~field;
		if ((asked & field) && !is_of_few(field))
			return err_set(err, EINVAL,
				       "samples for '%s' have no %s: cannot print '%s'; record with the option that adds it",
				       event->name, fields[i].needs_name, fields[i].name);
		*out &= ~field;
	}
	if (!is_bpf_output(&event->attr))
		*out &= ~FIELD_BPF_OUTPUT;
	/* names and modules are those of the ip, the address or the branches */
	if ((asked & FIELD_SRCLINE) && !(*out & FIELD_IP))
		return err_set(err, EINVAL, "-F: 'srcline' needs 'ip' beside it");
	if (!(*out & (FIELD_IP | FIELD_ADDR | FIELD_BRSTACK | FIELD_BRSTACKSYM | FIELD_BRSTACKOFF)) &&
	    (asked & (FIELD_SYM | FIELD_DSO | FIELD_SYMOFF)))
		return err_set(err, EINVAL, "-F: 'sym' and 'dso' need 'ip' or 'addr' beside them");
	return 0;
}

int script_fields(const struct perf_data *data, const char *text, uint64_t *out, struct err *err)
{
	uint64_t *asked = mem_zalloc(data->events.nr * sizeof(*asked));
	uint64_t any = 0;
	bool chains, tod = false;
	struct day_clock clock;
	int r = 0;

	for (uint32_t i = 0; i < data->events.nr; i++)
		any |= data->events.v[i].attr.sample_type;
	chains = any & PERF_SAMPLE_CALLCHAIN;
	for (uint32_t i = 0; i < data->events.nr; i++)
		out[i] = default_fields(&data->events.v[i].attr, chains);
	if (text) {
		const char *rest;
		unsigned types;

		r = type_prefix(text, &rest, &types, err);
		if (!r) {
			char *list = mem_strdup(rest);

			r = apply_list(data, list, types, out, asked, err);
			free(list);
		}
	}
	for (uint32_t i = 0; i < data->events.nr && !r; i++) {
		r = check_event(&data->events.v[i], &out[i], asked[i], any,
				data->features[FEATURE_AUXTRACE].present, err);
		tod |= (out[i] & FIELD_TOD) != 0;
	}
	if (!r && tod && !script_day_clock(data, &clock))
		r = err_set(err, EINVAL, "-F: 'tod' needs the time of day beside the recording's clock, "
			    "which this file does not state; perf record -k CLOCK_MONOTONIC writes it");
	free(asked);
	return r;
}
