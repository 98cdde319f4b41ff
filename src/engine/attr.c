/* SPDX-License-Identifier: MIT */
#include "engine/attr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/mem.h"
#include "base/str.h"

#define STACK_BYTES_DEFAULT 8192
#define STACK_BYTES_UNWIND 65528         /* they are not kept */
/* A record has 16 bits for its size, and a multiple of 8 (perf_event_open(2)). */
#define STACK_BYTES_MAX 65528

static void set_rate(struct perf_event_attr *attr, const struct event *event,
		     const struct attr_options *o)
{
	bool each = attr->type == PERF_TYPE_TRACEPOINT || attr->type == PERF_TYPE_BREAKPOINT;

	if (event->has_period || event->has_freq) {
		attr->freq = event->has_freq;
	} else if (o->period) {
		attr->freq = 0;
		attr->sample_period = o->period;
	} else if (o->freq) {
		attr->freq = 1;
		attr->sample_freq = o->freq;
	} else if (each) {
		attr->freq = 0;
		attr->sample_period = 1;
	} else {
		attr->freq = 1;
		attr->sample_freq = o->default_freq;
	}
	if (o->no_samples) {
		attr->freq = 0;
		attr->sample_period = 0;
	}
}

static void set_callgraph(struct perf_event_attr *attr, const struct attr_options *o)
{
	if (o->callgraph == CALLGRAPH_NONE)
		return;
	attr->sample_type |= PERF_SAMPLE_CALLCHAIN;
	attr->exclude_callchain_user = o->kernel_chains;
	attr->exclude_callchain_kernel = o->user_chains;
	if (attr_has_stacks(o)) {
		/* The user half of the chain comes out of the copied stack. */
		attr->sample_type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
		attr->sample_regs_user |= o->user_regs;
		attr->sample_stack_user = o->stack_bytes;
		attr->exclude_callchain_user = 1;
	} else if (o->callgraph == CALLGRAPH_LBR && !attr->exclude_user) {
		attr->sample_type |= PERF_SAMPLE_BRANCH_STACK;
		attr->branch_sample_type = PERF_SAMPLE_BRANCH_USER | PERF_SAMPLE_BRANCH_CALL_STACK |
					   PERF_SAMPLE_BRANCH_NO_CYCLES |
					   PERF_SAMPLE_BRANCH_NO_FLAGS |
					   PERF_SAMPLE_BRANCH_HW_INDEX;
		attr->exclude_callchain_user = 1;
	}
}

static void set_sample_type(struct perf_event_attr *attr, const struct event *event,
			    const struct attr_options *o)
{
	const struct {
		bool on;
		uint64_t bits;
	} parts[] = {
		{ true, PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME },
		/* The id at a fixed place tells which event a record is of. */
		{ o->nr_events > 1 || o->identifier, PERF_SAMPLE_IDENTIFIER },
		{ attr->freq || o->sample_period, PERF_SAMPLE_PERIOD },
		{ o->per_cpu || o->sample_cpu, PERF_SAMPLE_CPU },
		{ attr->type == PERF_TYPE_TRACEPOINT,
		  PERF_SAMPLE_RAW | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD },
		{ o->raw, PERF_SAMPLE_RAW | PERF_SAMPLE_CPU },
		{ o->addresses, PERF_SAMPLE_ADDR | PERF_SAMPLE_DATA_SRC },
		{ o->weight, PERF_SAMPLE_WEIGHT_STRUCT },
		{ o->transaction, PERF_SAMPLE_TRANSACTION },
		{ o->phys_addr, PERF_SAMPLE_PHYS_ADDR },
		{ o->data_page_size, PERF_SAMPLE_DATA_PAGE_SIZE | PERF_SAMPLE_ADDR },
		{ o->code_page_size, PERF_SAMPLE_CODE_PAGE_SIZE },
		{ o->cgroups, PERF_SAMPLE_CGROUP },
		{ event->sample_read, PERF_SAMPLE_READ },
		{ o->branch_type != 0, PERF_SAMPLE_BRANCH_STACK },
		{ o->asked_user_regs != 0, PERF_SAMPLE_REGS_USER },
		{ o->asked_intr_regs != 0, PERF_SAMPLE_REGS_INTR },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (parts[i].on)
			attr->sample_type |= parts[i].bits;
	if (o->lean && attr->type == PERF_TYPE_TRACEPOINT)
		attr->sample_type &= ~(uint64_t)PERF_SAMPLE_IP;
	attr->branch_sample_type = o->branch_type;
	attr->sample_regs_user = o->asked_user_regs;
	attr->sample_regs_intr = o->asked_intr_regs;
	set_callgraph(attr, o);
}

static void set_tracking(struct perf_event_attr *attr, const struct attr_options *o)
{
	attr->mmap = 1;
	attr->mmap2 = 1;
	attr->comm = 1;
	attr->comm_exec = 1;
	attr->task = 1;
	attr->ksymbol = 1;
	attr->bpf_event = !o->no_bpf;
	attr->build_id = o->build_ids;
	/* Unwinding reads tables that lie in mappings without code. */
	attr->mmap_data = o->addresses || o->data_page_size || attr_has_stacks(o);
	attr->context_switch = o->switches;
	attr->namespaces = o->namespaces;
	attr->cgroup = o->cgroups;
}

static bool is_dummy(const struct perf_event_attr *attr)
{
	return attr->type == PERF_TYPE_SOFTWARE && attr->config == PERF_COUNT_SW_DUMMY;
}

/* Who switches the event on: its leader, exec, the caller, or nobody has to. */
static void set_start(struct perf_event_attr *attr, const struct attr_options *o, bool member)
{
	if (member)
		return;
	if (is_dummy(attr)) {
		/*
		 * Side-band records have to flow before /proc is read, or what happens
		 * in between would be missed.
		 */
		attr->disabled = o->command;
		attr->enable_on_exec = o->command;
		return;
	}
	attr->disabled = 1;
	attr->enable_on_exec = o->command && !o->delayed;
}

/* The recorder unwinds all events or none, and chooses once. */
static int parse_term_callgraph(const char *text, struct attr_options *o, struct err *err)
{
	enum callgraph_mode all = o->callgraph;
	int r = attr_parse_callgraph(text, o, err);

	if (r == 0 && (o->callgraph == CALLGRAPH_UNWIND || o->callgraph == CALLGRAPH_AUTO) &&
	    all != o->callgraph)
		return err_set(err, EINVAL, "call-graph=%s holds for all events or none; give "
			       "--call-graph %s", text, text);
	return r;
}

/* Terms such as cycles/call-graph=dwarf,branch_type=any+u/. */
static int apply_terms(const struct event *event, struct attr_options *o, struct err *err)
{
	int r = 0;

	if (event->call_graph)
		r = parse_term_callgraph(event->call_graph, o, err);
	if (r == 0 && event->stack_size && event->stack_size <= STACK_BYTES_MAX)
		o->stack_bytes = (event->stack_size + 7) / 8 * 8;
	if (r == 0 && event->branch_type) {
		char *text = mem_strdup(event->branch_type);

		for (char *at = text; *at; at++)
			*at = *at == '+' ? ',' : *at;
		r = attr_parse_branches(text, o, err);
		free(text);
	}
	if (event->inherit >= 0)
		o->inherit = event->inherit;
	if (r == 0 && event->time == 0)
		r = err_set(err, EINVAL, "event '%s': time=0 cannot be had, samples are told apart by "
			    "their time", event->name);
	return r < 0 ? err_prefix(err, "event '%s'", event->name) : 0;
}

static void configure_dummy(struct perf_event_attr *attr, const struct attr_options *o)
{
	attr->sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME;
	if (!o->lean)
		attr->sample_type |= PERF_SAMPLE_IP;
	if (o->per_cpu || o->sample_cpu)
		attr->sample_type |= PERF_SAMPLE_CPU;
	if (o->nr_events > 1 || o->identifier)
		attr->sample_type |= PERF_SAMPLE_IDENTIFIER;
	attr->sample_period = 1;
	attr->freq = 0;
}

static void configure_sampling(struct event *event, const struct attr_options *o,
			       const struct event *leader)
{
	struct perf_event_attr *attr = &event->attr;

	if (o->all_user || o->all_kernel) {
		attr->exclude_kernel = o->all_user;
		attr->exclude_user = o->all_kernel;
	}
	if (event->precise_max && attr->type != PERF_TYPE_SOFTWARE &&
	    attr->type != PERF_TYPE_TRACEPOINT)
		attr->precise_ip = 3;
	set_rate(attr, event, o);
	set_sample_type(attr, event, o);
	if (event->max_stack > 0)
		attr->sample_max_stack = (uint16_t)event->max_stack;
	if (leader && leader->sample_read) {
		/* The leader's samples carry this one's count. */
		attr->freq = 0;
		attr->sample_period = 0;
		attr->read_format |= PERF_FORMAT_GROUP;
	}
	attr->inherit_stat = o->per_thread_counts;
	if (o->per_thread_counts || o->running_time)
		attr->read_format |= PERF_FORMAT_TOTAL_TIME_ENABLED |
				     PERF_FORMAT_TOTAL_TIME_RUNNING;
}

int attr_configure(struct event *event, const struct attr_options *options, bool tracking,
		   const struct event *leader, struct err *err)
{
	struct perf_event_attr *attr = &event->attr;
	struct attr_options own = *options;
	const struct attr_options *o = &own;
	int r = apply_terms(event, &own, err);

	if (r < 0)
		return r;
	if (o->asked_intr_regs && attr_has_stacks(o) && o->stack_bytes > ATTR_STACK_BEFORE_REGS)
		return err_set(err, EINVAL, "event '%s': with registers (-I) a sample can hold %u bytes of "
			       "stack at most", event->name, ATTR_STACK_BEFORE_REGS);
	attr->size = sizeof(*attr);
	attr->sample_id_all = 1;
	attr->inherit = o->inherit;
	attr->read_format = PERF_FORMAT_ID | PERF_FORMAT_LOST;
	if (event->sample_read)
		attr->read_format |= PERF_FORMAT_GROUP;
	attr->use_clockid = o->use_clockid;
	attr->clockid = o->use_clockid ? o->clockid : 0;
	if (o->overwrite) {
		attr->write_backward = 1;
		/* nobody waits for them to fill: wake as seldom as can be */
		attr->watermark = 1;
		attr->wakeup_watermark = UINT32_MAX;
	} else if (o->unbuffered) {
		attr->wakeup_events = 1;
	} else if (o->wakeup_bytes) {
		attr->watermark = 1;
		attr->wakeup_watermark = o->wakeup_bytes;
	}
	set_start(attr, o, leader != NULL);
	if (tracking)
		set_tracking(attr, o);
	if (is_dummy(attr))
		configure_dummy(attr, o);
	else
		configure_sampling(event, o, leader);
	return 0;
}

void attr_make_dummy(struct event *out)
{
	memset(out, 0, sizeof(*out));
	out->attr.type = PERF_TYPE_SOFTWARE;
	out->attr.config = PERF_COUNT_SW_DUMMY;
	out->name = mem_strdup("dummy:HG");
	out->pmu = mem_strdup("software");
	out->event_text = mem_strdup("dummy");
	out->scale = 1.0;
	out->time = out->inherit = -1;
}

uint64_t attr_user_regs(const char *machine)
{
	/* Registers that code can have at every moment: no segments, no vectors. */
	static const struct {
		const char *machine;
		uint64_t mask;
	} known[] = {
		{ "x86_64", 0xff0fff },          /* ax..sp, ip, flags, cs, ss, r8..r15 */
		{ "aarch64", 0x1ffffffff },      /* x0..x30, sp, pc */
		{ "riscv64", 0xffffffff },       /* pc, ra, sp, ..., t6 */
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(machine, known[i].machine) == 0)
			return known[i].mask;
	return 0;
}

/* Bit of the register whose name is text's first `len` characters, as perf matches it; -1: none. */
static int find_reg(const struct arch *arch, uint64_t all, const char *text, size_t len)
{
	for (unsigned i = 0; i < arch->nr_regs && i < 64; i++) {
		const char *name = all >> i & 1 ? arch_reg_name(arch, i) : NULL;

		if (name && strlen(name) == len && strncasecmp(name, text, len) == 0)
			return (int)i;
	}
	return -1;
}

void attr_list_regs(const char *machine, struct str *out)
{
	const struct arch *arch = arch_find(machine);
	uint64_t all = attr_user_regs(machine);

	for (unsigned i = 0; i < arch->nr_regs && i < 64; i++)
		if (all >> i & 1 && arch_reg_name(arch, i))
			str_addf(out, "%s%s", out->len ? " " : "", arch_reg_name(arch, i));
}

int attr_parse_regs(const char *text, const char *option, const char *machine, uint64_t *mask,
		    struct err *err)
{
	const struct arch *arch = arch_find(machine);
	uint64_t all = attr_user_regs(machine), found = 0;
	struct str names = STR_INIT;
	int r = 0;

	attr_list_regs(machine, &names);
	if (!names.len)
		r = err_set(err, ENOTSUP, "%s: the registers of %s have no names here", option, machine);
	for (size_t len; text && r == 0; text = text[len] ? text + len + 1 : NULL) {
		int reg = find_reg(arch, all, text, len = strcspn(text, ","));

		if (reg < 0)
			r = err_set(err, EINVAL, "%s: '%.*s' is no register; there are %s", option,
				    (int)len, text, names.p);
		else
			found |= 1ull << reg;
	}
	str_release(&names);
	if (r == 0)
		*mask = found ? found : all;
	return r;
}

bool attr_has_stacks(const struct attr_options *o)
{
	return o->callgraph == CALLGRAPH_DWARF || o->callgraph == CALLGRAPH_UNWIND;
}

/* The words behind which ",BYTES" may stand. */
static const struct callgraph_word {
	const char *word;
	enum callgraph_mode mode;
	uint32_t bytes;
} stack_words[] = {
	{ "dwarf", CALLGRAPH_DWARF, STACK_BYTES_DEFAULT },
	{ "unwind", CALLGRAPH_UNWIND, STACK_BYTES_UNWIND },
};

static const struct callgraph_word *stack_word(const char *text)
{
	for (size_t i = 0; i < sizeof(stack_words) / sizeof(*stack_words); i++) {
		size_t len = strlen(stack_words[i].word);

		if (strncmp(text, stack_words[i].word, len) == 0 && (!text[len] || text[len] == ','))
			return &stack_words[i];
	}
	return NULL;
}

int attr_parse_callgraph(const char *text, struct attr_options *o, struct err *err)
{
	const struct callgraph_word *word = stack_word(text);
	const char *comma = strchr(text, ',');
	uint64_t bytes = word ? word->bytes : 0;

	if (strcmp(text, "fp") == 0) {
		o->callgraph = CALLGRAPH_FP;
	} else if (strcmp(text, "lbr") == 0) {
		o->callgraph = CALLGRAPH_LBR;
	} else if (strcmp(text, "auto") == 0) {
		o->callgraph = CALLGRAPH_AUTO;
		o->stack_bytes = STACK_BYTES_UNWIND;
	} else if (word) {
		if (comma && (str_size(comma + 1, &bytes, NULL) < 0 || !bytes))
			return err_set(err, EINVAL, "--call-graph %s: '%s' is not a stack size",
				       text, comma + 1);
		bytes = (bytes + 7) / 8 * 8;
		if (bytes > STACK_BYTES_MAX)
			return err_set(err, EINVAL,
				       "--call-graph %s: a sample can hold %u bytes of stack at most",
				       text, STACK_BYTES_MAX);
		o->callgraph = word->mode;
		o->stack_bytes = (uint32_t)bytes;
	} else if (strcmp(text, "no") == 0 || strcmp(text, "none") == 0) {
		o->callgraph = CALLGRAPH_NONE;
	} else {
		return err_set(err, EINVAL,
			       "--call-graph takes fp, dwarf[,BYTES], unwind[,BYTES], auto or lbr, "
			       "not '%s'", text);
	}
	return 0;
}

static const struct bit_name {
	const char *name;
	uint64_t bit;
} branch_names[] = {
	{ "u", PERF_SAMPLE_BRANCH_USER },
	{ "k", PERF_SAMPLE_BRANCH_KERNEL },
	{ "hv", PERF_SAMPLE_BRANCH_HV },
	{ "any", PERF_SAMPLE_BRANCH_ANY },
	{ "any_call", PERF_SAMPLE_BRANCH_ANY_CALL },
	{ "any_ret", PERF_SAMPLE_BRANCH_ANY_RETURN },
	{ "ind_call", PERF_SAMPLE_BRANCH_IND_CALL },
	{ "abort_tx", PERF_SAMPLE_BRANCH_ABORT_TX },
	{ "in_tx", PERF_SAMPLE_BRANCH_IN_TX },
	{ "no_tx", PERF_SAMPLE_BRANCH_NO_TX },
	{ "cond", PERF_SAMPLE_BRANCH_COND },
	{ "ind_jmp", PERF_SAMPLE_BRANCH_IND_JUMP },
	{ "call", PERF_SAMPLE_BRANCH_CALL },
	{ "no_flags", PERF_SAMPLE_BRANCH_NO_FLAGS },
	{ "no_cycles", PERF_SAMPLE_BRANCH_NO_CYCLES },
	{ "save_type", PERF_SAMPLE_BRANCH_TYPE_SAVE },
	{ "stack", PERF_SAMPLE_BRANCH_CALL_STACK },
	{ "hw_index", PERF_SAMPLE_BRANCH_HW_INDEX },
	{ "priv", PERF_SAMPLE_BRANCH_PRIV_SAVE },
};

int attr_parse_branches(const char *text, struct attr_options *o, struct err *err)
{
	const uint64_t levels = PERF_SAMPLE_BRANCH_USER | PERF_SAMPLE_BRANCH_KERNEL |
				PERF_SAMPLE_BRANCH_HV;
	uint64_t bits = 0;

	for (const char *at = text; *at;) {
		size_t len = strcspn(at, ","), i;
		const size_t nr = sizeof(branch_names) / sizeof(*branch_names);

		for (i = 0; i < nr; i++)
			if (strlen(branch_names[i].name) == len &&
			    strncmp(branch_names[i].name, at, len) == 0)
				break;
		if (i == nr)
			return err_set(err, EINVAL,
				       "-j: '%.*s' is no branch filter; there are any, any_call, "
				       "any_ret, ind_call, ind_jmp, call, cond, in_tx, no_tx, "
				       "abort_tx, u, k, hv, no_flags, no_cycles, save_type, stack, "
				       "hw_index, priv", (int)len, at);
		bits |= branch_names[i].bit;
		at += len + (at[len] == ',');
	}
	/* Levels alone mean any branch there. */
	if (!(bits & ~levels))
		bits |= PERF_SAMPLE_BRANCH_ANY;
	o->branch_type = bits;
	return 0;
}
