/* SPDX-License-Identifier: MIT */
/* record_sample: the body of PERF_RECORD_SAMPLE, in the order of linux/perf_event.h. */
#include <errno.h>

#include "base/hash.h"
#include "base/mem.h"
#include "formats/record_priv.h"

/* Names that linux/perf_event.h of an older build machine may lack. */
#define SAMPLE_READ_LOST (1u << 4)               /* PERF_FORMAT_LOST, Linux 6.0 */
#define BRANCH_HW_INDEX (1u << 17)               /* PERF_SAMPLE_BRANCH_HW_INDEX, 5.7 */
#define BRANCH_COUNTERS (1u << 19)               /* PERF_SAMPLE_BRANCH_COUNTERS, 6.8 */

const u64_una *get_words(struct decoder *d, struct cursor *c, uint64_t nr)
{
	const u64_una *words;
	uint64_t *out;

	if (nr > 65536 / 8)
		c->bad = true;
	words = get_bytes(c, c->bad ? 0 : nr * 8);
	if (c->bad)
		return NULL;
	if (!c->swap)
		return words;
	if (d->scratch_used + nr > SCRATCH_WORDS) {
		c->bad = true;
		return NULL;
	}
	out = d->scratch + d->scratch_used;
	d->scratch_used += nr;
	for (uint64_t i = 0; i < nr; i++)
		out[i] = bswap_64(words[i]);
	return (const u64_una *)out;
}

/* struct read_format of perf_event_open(2), "Reading results". */
const struct read_value *get_read(struct decoder *d, struct cursor *c, uint64_t format,
				  uint32_t *nr_values, uint64_t *enabled, uint64_t *running)
{
	bool group = format & PERF_FORMAT_GROUP;
	uint64_t nr = 1, single = 0;

	*nr_values = 0;
	*enabled = *running = 0;
	if (group)
		nr = get64(c);
	else
		single = get64(c);
	if (format & PERF_FORMAT_TOTAL_TIME_ENABLED)
		*enabled = get64(c);
	if (format & PERF_FORMAT_TOTAL_TIME_RUNNING)
		*running = get64(c);
	/* each of a group's has a word at least */
	if (group && nr > (uint64_t)(c->end - c->at) / 8)
		c->bad = true;
	if (c->bad)
		return d->values;
	if (nr > d->values_cap) {
		d->values_cap = nr < 64 ? 64 : nr;
		d->values = mem_realloc_array(d->values, d->values_cap, sizeof(*d->values));
	}
	for (uint64_t i = 0; i < nr && !c->bad; i++) {
		struct read_value v = { .value = group ? get64(c) : single };

		if (format & PERF_FORMAT_ID)
			v.id = get64(c);
		if (format & SAMPLE_READ_LOST)
			v.lost = get64(c);
		d->values[(*nr_values)++] = v;
	}
	return d->values;
}

/*
 * The flags word of struct perf_branch_entry is a bit field, laid out from the
 * other end on a big-endian machine (linux/perf_event.h): field by field.
 */
static uint64_t branch_flags_from_be(uint64_t be)
{
	static const struct { uint8_t be_shift, le_shift, bits; } fields[] = {
		{ 63, 0, 1 }, { 62, 1, 1 }, { 61, 2, 1 }, { 60, 3, 1 }, { 44, 4, 16 },
		{ 40, 20, 4 }, { 38, 24, 2 }, { 34, 26, 4 }, { 31, 30, 3 },
	};
	uint64_t le = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		le |= (be >> fields[i].be_shift & ((1ull << fields[i].bits) - 1))
		      << fields[i].le_shift;
	return le;
}

static void get_branches(struct decoder *d, struct cursor *c, struct sample *s)
{
	uint64_t branch_type = s->event->attr.branch_sample_type;

	s->nr_branches = get64(c);
	if (branch_type & BRANCH_HW_INDEX)
		s->hw_idx = get64(c);
	if (s->nr_branches > 65536 / 24) {
		c->bad = true;
		return;
	}
	s->branches = get_words(d, c, s->nr_branches * 3);
	if (c->swap && s->branches) {
		uint64_t *words = d->scratch + d->scratch_used - s->nr_branches * 3;

		for (uint64_t i = 0; i < s->nr_branches; i++)
			words[i * 3 + 2] = branch_flags_from_be(words[i * 3 + 2]);
	}
	if (branch_type & BRANCH_COUNTERS)
		get_bytes(c, s->nr_branches * 8);
}

static void get_weight(struct cursor *c, struct sample *s)
{
	uint64_t w = get64(c);

	s->weight = w;
	if (s->sample_type & PERF_SAMPLE_WEIGHT_STRUCT) {
		/* union perf_sample_weight: u32 var1_dw, u16 var2_w, u16 var3_w */
		s->weight = c->swap ? w >> 32 : w & UINT32_MAX;
		s->ins_lat = (uint16_t)(c->swap ? w >> 16 : w >> 32);
		s->weight3 = (uint16_t)(c->swap ? w : w >> 48);
	}
}

static void get_user_stack(struct cursor *c, struct sample *s)
{
	s->stack_size = get64(c);
	if (!s->stack_size)
		return;
	s->stack = get_bytes(c, s->stack_size);
	s->stack_live = get64(c);
	if (s->stack_live > s->stack_size)
		s->stack_live = s->stack_size;
}

/* The rarer parts, behind the call chain, in the order of perf_event.h. */
static void get_sample_tail(struct decoder *d, struct cursor *c, struct sample *s)
{
	const struct perf_event_attr *attr = &s->event->attr;
	uint64_t type = s->sample_type;

	if (type & PERF_SAMPLE_RAW) {
		s->raw_size = get32(c);
		s->raw = get_bytes(c, s->raw_size);
	}
	if (type & PERF_SAMPLE_BRANCH_STACK)
		get_branches(d, c, s);
	if (type & PERF_SAMPLE_REGS_USER) {
		s->user_abi = get64(c);
		s->user_mask = s->user_abi ? attr->sample_regs_user : 0;
		s->user_regs = get_words(d, c, count_bits(s->user_mask));
	}
	if (type & PERF_SAMPLE_STACK_USER)
		get_user_stack(c, s);
	if (type & PERF_SAMPLE_WEIGHT_TYPE)
		get_weight(c, s);
	if (type & PERF_SAMPLE_DATA_SRC)
		s->data_src = get64(c);
	if (type & PERF_SAMPLE_TRANSACTION)
		s->transaction = get64(c);
	if (type & PERF_SAMPLE_REGS_INTR) {
		s->intr_abi = get64(c);
		s->intr_mask = s->intr_abi ? attr->sample_regs_intr : 0;
		s->intr_regs = get_words(d, c, count_bits(s->intr_mask));
	}
	if (type & PERF_SAMPLE_PHYS_ADDR)
		s->phys_addr = get64(c);
	if (type & PERF_SAMPLE_CGROUP)
		s->cgroup = get64(c);
	if (type & PERF_SAMPLE_DATA_PAGE_SIZE)
		s->data_page_size = get64(c);
	if (type & PERF_SAMPLE_CODE_PAGE_SIZE)
		s->code_page_size = get64(c);
	if (type & PERF_SAMPLE_AUX) {
		s->aux_size = get64(c);
		s->aux = get_bytes(c, s->aux_size);
	}
}

const struct event_desc *sample_event(struct decoder *d, const struct cursor *c)
{
	const struct event_set *set = d->events;
	struct cursor peek = *c;

	if (!set->nr)
		return NULL;
	if (set->nr == 1 || set->id_pos < 0)
		return &set->v[0];
	get_bytes(&peek, (uint64_t)set->id_pos * 8);
	return event_set_find(set, get64(&peek));
}

static void sample_clear(struct sample *s)
{
	memset(s, 0, sizeof(*s));
	s->pid = s->tid = s->cpu = NONE32;
	s->hw_idx = UINT64_MAX;
}

int decode_sample(struct decoder *d, struct cursor *c, struct record *out, struct err *err)
{
	struct sample *s = &out->sample;
	const struct event_desc *event = sample_event(d, c);
	uint64_t type;

	sample_clear(s);
	if (!event)
		return err_set(err, ENOENT, "SAMPLE of an event that the recording does not list");
	s->event = event;
	s->sample_type = type = event->attr.sample_type;
	s->misc = out->misc;
	s->cpumode = out->misc & PERF_RECORD_MISC_CPUMODE_MASK;
	s->period = event->attr.freq ? 1 : event->attr.sample_period;
	if (type & PERF_SAMPLE_IDENTIFIER)
		s->id = get64(c);
	if (type & PERF_SAMPLE_IP)
		s->ip = get64(c);
	if (type & PERF_SAMPLE_TID) {
		s->pid = get32(c);
		s->tid = get32(c);
	}
	if (type & PERF_SAMPLE_TIME)
		s->time_ns = get64(c);
	if (type & PERF_SAMPLE_ADDR)
		s->addr = get64(c);
	if (type & PERF_SAMPLE_ID)
		s->id = get64(c);
	if (type & PERF_SAMPLE_STREAM_ID)
		s->stream_id = get64(c);
	if (type & PERF_SAMPLE_CPU) {
		s->cpu = get32(c);
		get32(c);
	}
	if (type & PERF_SAMPLE_PERIOD)
		s->period = get64(c);
	if (type & PERF_SAMPLE_READ) {
		s->read_format = event->attr.read_format;
		s->values = get_read(d, c, s->read_format, &s->nr_values, &s->time_enabled,
				     &s->time_running);
	}
	if (type & PERF_SAMPLE_CALLCHAIN) {
		s->nr_ips = get64(c);
		s->ips = get_words(d, c, s->nr_ips);
	}
	get_sample_tail(d, c, s);
	out->id = (struct record_id){ .pid = s->pid, .tid = s->tid, .cpu = s->cpu,
				      .time_ns = s->time_ns, .id = s->id,
				      .stream_id = s->stream_id, .event = event };
	return 0;
}
