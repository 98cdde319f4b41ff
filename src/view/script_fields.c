/* SPDX-License-Identifier: MIT */
#include "view/script_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const struct {
	unsigned field;
	uint64_t needs;          /* sample_type bits, any of them; 0: nothing */
	const char *needs_name;
} fields[] = {
	{ FIELD_COMM, 0, NULL },
	{ FIELD_TID, PERF_SAMPLE_TID, "TID" },
	{ FIELD_PID, PERF_SAMPLE_TID, "TID" },
	{ FIELD_TIME, PERF_SAMPLE_TIME, "TIME" },
	{ FIELD_CPU, PERF_SAMPLE_CPU, "CPU" },
	{ FIELD_EVENT, 0, NULL },
	{ FIELD_TRACE, PERF_SAMPLE_RAW, "RAW" },
	{ FIELD_IP, PERF_SAMPLE_IP, "IP" },
	{ FIELD_SYM, 0, NULL },
	{ FIELD_DSO, 0, NULL },
	{ FIELD_ADDR, PERF_SAMPLE_ADDR, "ADDR" },
	{ FIELD_SYMOFF, 0, NULL },
	{ FIELD_PERIOD, 0, NULL },       /* without it all have the same */
	{ FIELD_BRSTACK, PERF_SAMPLE_BRANCH_STACK, "branch stacks" },
	{ FIELD_BRSTACKSYM, PERF_SAMPLE_BRANCH_STACK, "branch stacks" },
	{ FIELD_WEIGHT, PERF_SAMPLE_WEIGHT_TYPE, "WEIGHT" },
	{ FIELD_PHYS_ADDR, PERF_SAMPLE_PHYS_ADDR, "PHYS_ADDR" },
	{ FIELD_MISC, 0, NULL },
	{ FIELD_DATA_PAGE_SIZE, PERF_SAMPLE_DATA_PAGE_SIZE, "DATA_PAGE_SIZE" },
	{ FIELD_CODE_PAGE_SIZE, PERF_SAMPLE_CODE_PAGE_SIZE, "CODE_PAGE_SIZE" },
	{ FIELD_INS_LAT, PERF_SAMPLE_WEIGHT_STRUCT, "WEIGHT_STRUCT" },
	{ FIELD_IREGS, PERF_SAMPLE_REGS_INTR, "IREGS" },
	{ FIELD_UREGS, PERF_SAMPLE_REGS_USER, "UREGS" },
};
#define NR_FIELDS (sizeof(fields) / sizeof(fields[0]))

/* In the order of `fields`. */
static const char *const names[NR_FIELDS + 1] = {
	"comm", "tid", "pid", "time", "cpu", "event", "trace", "ip", "sym", "dso", "addr",
	"symoff", "period", "brstack", "brstacksym", "weight", "phys_addr", "misc",
	"data_page_size", "code_page_size", "ins_lat", "iregs", "uregs", NULL,
};

#define TASK_FIELDS (FIELD_COMM | FIELD_TID | FIELD_CPU | FIELD_TIME | FIELD_EVENT)
#define PLACE_FIELDS (FIELD_IP | FIELD_SYM | FIELD_SYMOFF | FIELD_DSO)

/* Event types as -F TYPE: names them. */
enum { TYPE_HW = 1, TYPE_SW = 2, TYPE_TRACE = 4, TYPE_RAW = 8, TYPE_OTHER = 16, TYPE_ALL = 31 };

const char *const *script_field_names(void)
{
	return names;
}

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

static unsigned default_fields(const struct perf_event_attr *attr, bool chains)
{
	switch (type_of(attr)) {
	case TYPE_TRACE:
		return TASK_FIELDS | FIELD_TRACE | (chains ? PLACE_FIELDS : 0);
	case TYPE_RAW:
		return TASK_FIELDS | PLACE_FIELDS | FIELD_PERIOD | FIELD_ADDR | FIELD_WEIGHT |
		       FIELD_PHYS_ADDR | FIELD_DATA_PAGE_SIZE | FIELD_CODE_PAGE_SIZE;
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

static int find_field(const char *name, unsigned *field, struct err *err)
{
	const char *near;

	for (size_t i = 0; i < NR_FIELDS; i++) {
		if (strcmp(name, names[i]) == 0) {
			*field = fields[i].field;
			return 0;
		}
	}
	near = str_nearest(name, names);
	return err_set(err, EINVAL, "-F: no field '%s'%s%s%s", name, near ? "; did you mean '" : "",
		       near ? near : "", near ? "'?" : "; `sonde script -h` lists the fields");
}

/* Apply one comma-separated list to the events of its types; asked[] collects what was named. */
static int apply_list(const struct perf_data *data, char *list, unsigned types, unsigned *out,
		      unsigned *asked, struct err *err)
{
	char *save = NULL;
	bool replaced = false;

	for (char *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		char sign = *word == '+' || *word == '-' ? *word++ : 0;
		unsigned field = 0;
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

static int check_event(const struct event_desc *event, unsigned *out, unsigned asked,
		       struct err *err)
{
	for (size_t i = 0; i < NR_FIELDS; i++) {
		unsigned field = fields[i].field;

		if (!(*out & field) || !fields[i].needs ||
		    (event->attr.sample_type & fields[i].needs))
			continue;
		/* a field that only tracepoints have is not missed elsewhere */
		if ((asked & field) && field != FIELD_TRACE && !is_dummy(&event->attr))
			return err_set(err, EINVAL,
				       "samples for '%s' have no %s: cannot print '%s'; record with the option that adds it",
				       event->name, fields[i].needs_name, names[i]);
		*out &= ~field;
	}
	/* names and modules are those of the ip, the address or the branches */
	if (!(*out & (FIELD_IP | FIELD_ADDR | FIELD_BRSTACK | FIELD_BRSTACKSYM)) &&
	    (asked & (FIELD_SYM | FIELD_DSO | FIELD_SYMOFF)))
		return err_set(err, EINVAL, "-F: 'sym' and 'dso' need 'ip' or 'addr' beside them");
	return 0;
}

int script_fields(const struct perf_data *data, const char *text, unsigned *out, struct err *err)
{
	unsigned *asked = mem_zalloc(data->events.nr * sizeof(*asked));
	bool chains = false;
	int r = 0;

	for (uint32_t i = 0; i < data->events.nr; i++)
		chains |= (data->events.v[i].attr.sample_type & PERF_SAMPLE_CALLCHAIN) != 0;
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
	for (uint32_t i = 0; i < data->events.nr && !r; i++)
		r = check_event(&data->events.v[i], &out[i], asked[i], err);
	free(asked);
	return r;
}
