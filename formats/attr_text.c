/* SPDX-License-Identifier: MIT */
#include "formats/attr_text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>

struct bit_name {
	uint64_t bit;
	const char *name;
};

static const struct bit_name sample_types[] = {
	{ PERF_SAMPLE_IP, "IP" }, { PERF_SAMPLE_TID, "TID" }, { PERF_SAMPLE_TIME, "TIME" },
	{ PERF_SAMPLE_ADDR, "ADDR" }, { PERF_SAMPLE_READ, "READ" },
	{ PERF_SAMPLE_CALLCHAIN, "CALLCHAIN" }, { PERF_SAMPLE_ID, "ID" },
	{ PERF_SAMPLE_CPU, "CPU" }, { PERF_SAMPLE_PERIOD, "PERIOD" },
	{ PERF_SAMPLE_STREAM_ID, "STREAM_ID" }, { PERF_SAMPLE_RAW, "RAW" },
	{ PERF_SAMPLE_BRANCH_STACK, "BRANCH_STACK" }, { PERF_SAMPLE_REGS_USER, "REGS_USER" },
	{ PERF_SAMPLE_STACK_USER, "STACK_USER" }, { PERF_SAMPLE_IDENTIFIER, "IDENTIFIER" },
	{ PERF_SAMPLE_REGS_INTR, "REGS_INTR" }, { PERF_SAMPLE_DATA_SRC, "DATA_SRC" },
	{ PERF_SAMPLE_WEIGHT, "WEIGHT" }, { PERF_SAMPLE_PHYS_ADDR, "PHYS_ADDR" },
	{ PERF_SAMPLE_AUX, "AUX" }, { PERF_SAMPLE_CGROUP, "CGROUP" },
	{ PERF_SAMPLE_DATA_PAGE_SIZE, "DATA_PAGE_SIZE" },
	{ PERF_SAMPLE_CODE_PAGE_SIZE, "CODE_PAGE_SIZE" },
	{ PERF_SAMPLE_WEIGHT_STRUCT, "WEIGHT_STRUCT" }, { PERF_SAMPLE_TRANSACTION, "TRANSACTION" },
	{ 0, NULL },
};

static const struct bit_name read_formats[] = {
	{ PERF_FORMAT_TOTAL_TIME_ENABLED, "TOTAL_TIME_ENABLED" },
	{ PERF_FORMAT_TOTAL_TIME_RUNNING, "TOTAL_TIME_RUNNING" }, { PERF_FORMAT_ID, "ID" },
	{ PERF_FORMAT_GROUP, "GROUP" }, { 1u << 4, "LOST" }, { 0, NULL },
};

static const struct bit_name branch_types[] = {
	{ PERF_SAMPLE_BRANCH_USER, "USER" }, { PERF_SAMPLE_BRANCH_KERNEL, "KERNEL" },
	{ PERF_SAMPLE_BRANCH_HV, "HV" }, { PERF_SAMPLE_BRANCH_ANY, "ANY" },
	{ PERF_SAMPLE_BRANCH_ANY_CALL, "ANY_CALL" }, { PERF_SAMPLE_BRANCH_ANY_RETURN, "ANY_RETURN" },
	{ PERF_SAMPLE_BRANCH_IND_CALL, "IND_CALL" }, { PERF_SAMPLE_BRANCH_ABORT_TX, "ABORT_TX" },
	{ PERF_SAMPLE_BRANCH_IN_TX, "IN_TX" }, { PERF_SAMPLE_BRANCH_NO_TX, "NO_TX" },
	{ PERF_SAMPLE_BRANCH_COND, "COND" }, { PERF_SAMPLE_BRANCH_CALL_STACK, "CALL_STACK" },
	{ PERF_SAMPLE_BRANCH_IND_JUMP, "IND_JUMP" }, { PERF_SAMPLE_BRANCH_CALL, "CALL" },
	{ PERF_SAMPLE_BRANCH_NO_FLAGS, "NO_FLAGS" }, { PERF_SAMPLE_BRANCH_NO_CYCLES, "NO_CYCLES" },
	{ PERF_SAMPLE_BRANCH_TYPE_SAVE, "TYPE_SAVE" }, { PERF_SAMPLE_BRANCH_HW_INDEX, "HW_INDEX" },
	{ 0, NULL },
};

struct pen {
	struct str *out;
	const char *equals, *between;
	bool any;
};

static void name(struct pen *pen, const char *field)
{
	if (pen->any)
		str_add(pen->out, pen->between);
	pen->any = true;
	str_add(pen->out, field);
	str_add(pen->out, pen->equals);
}

static void number(struct pen *pen, const char *field, uint64_t value)
{
	if (!value)
		return;
	name(pen, field);
	str_addf(pen->out, "%" PRIu64, value);
}

static void hex(struct pen *pen, const char *field, uint64_t value)
{
	if (!value)
		return;
	name(pen, field);
	str_addf(pen->out, "0x%" PRIx64, value);
}

static void bits(struct pen *pen, const char *field, uint64_t value, const struct bit_name *names)
{
	bool any = false;

	if (!value)
		return;
	name(pen, field);
	for (; names->name; names++) {
		if (!(value & names->bit))
			continue;
		str_addf(pen->out, "%s%s", any ? "|" : "", names->name);
		any = true;
		value &= ~names->bit;
	}
	if (value)
		str_addf(pen->out, "%s0x%" PRIx64, any ? "|" : "", value);
}

#define FLAG(field) number(pen, #field, attr->field)

static void flags(struct pen *pen, const struct perf_event_attr *attr)
{
	FLAG(disabled);
	FLAG(inherit);
	FLAG(pinned);
	FLAG(exclusive);
	FLAG(exclude_user);
	FLAG(exclude_kernel);
	FLAG(exclude_hv);
	FLAG(exclude_idle);
	FLAG(mmap);
	FLAG(comm);
	FLAG(freq);
	FLAG(inherit_stat);
	FLAG(enable_on_exec);
	FLAG(task);
	FLAG(watermark);
	FLAG(precise_ip);
	FLAG(mmap_data);
	FLAG(sample_id_all);
	FLAG(exclude_host);
	FLAG(exclude_guest);
	FLAG(exclude_callchain_kernel);
	FLAG(exclude_callchain_user);
	FLAG(mmap2);
	FLAG(comm_exec);
	FLAG(use_clockid);
	FLAG(context_switch);
	FLAG(write_backward);
	FLAG(namespaces);
	FLAG(ksymbol);
	FLAG(bpf_event);
	FLAG(aux_output);
	FLAG(cgroup);
	FLAG(text_poke);
	FLAG(build_id);
	FLAG(inherit_thread);
	FLAG(remove_on_exec);
	FLAG(sigtrap);
}

void attr_text_add(struct str *out, const struct perf_event_attr *attr, const char *equals,
		   const char *between)
{
	struct pen text = { out, equals, between, false }, *pen = &text;

	number(pen, "type", attr->type);
	number(pen, "size", attr->size);
	hex(pen, "config", attr->config);
	number(pen, "{ sample_period, sample_freq }", attr->sample_period);
	bits(pen, "sample_type", attr->sample_type, sample_types);
	bits(pen, "read_format", attr->read_format, read_formats);
	flags(pen, attr);
	number(pen, "{ wakeup_events, wakeup_watermark }", attr->wakeup_events);
	hex(pen, "bp_type", attr->bp_type);
	hex(pen, "{ bp_addr, config1 }", attr->config1);
	hex(pen, "{ bp_len, config2 }", attr->config2);
	bits(pen, "branch_sample_type", attr->branch_sample_type, branch_types);
	hex(pen, "sample_regs_user", attr->sample_regs_user);
	number(pen, "sample_stack_user", attr->sample_stack_user);
	number(pen, "clockid", (uint64_t)(uint32_t)attr->clockid);
	hex(pen, "sample_regs_intr", attr->sample_regs_intr);
	number(pen, "aux_watermark", attr->aux_watermark);
	number(pen, "sample_max_stack", attr->sample_max_stack);
	number(pen, "aux_sample_size", attr->aux_sample_size);
	number(pen, "sig_data", attr->sig_data);
}
