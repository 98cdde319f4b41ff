/* SPDX-License-Identifier: MIT */
#include "formats/record.h"

#include <byteswap.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define SCRATCH_WORDS (65536 / 8 + 8)
#define NONE32 UINT32_MAX

/* Names that linux/perf_event.h of an older build machine may lack. */
#define SAMPLE_READ_LOST (1u << 4)               /* PERF_FORMAT_LOST, Linux 6.0 */
#define BRANCH_HW_INDEX (1u << 17)               /* PERF_SAMPLE_BRANCH_HW_INDEX, 5.7 */
#define BRANCH_COUNTERS (1u << 19)               /* PERF_SAMPLE_BRANCH_COUNTERS, 6.8 */
#define MISC_BUILD_ID_SIZE (1u << 15)            /* PERF_RECORD_MISC_BUILD_ID_SIZE, tools */
#define RECORD_AUX_OUTPUT_HW_ID 21               /* Linux 5.16 */

static const char *const kernel_names[] = {
	[PERF_RECORD_MMAP] = "MMAP",
	[PERF_RECORD_LOST] = "LOST",
	[PERF_RECORD_COMM] = "COMM",
	[PERF_RECORD_EXIT] = "EXIT",
	[PERF_RECORD_THROTTLE] = "THROTTLE",
	[PERF_RECORD_UNTHROTTLE] = "UNTHROTTLE",
	[PERF_RECORD_FORK] = "FORK",
	[PERF_RECORD_READ] = "READ",
	[PERF_RECORD_SAMPLE] = "SAMPLE",
	[PERF_RECORD_MMAP2] = "MMAP2",
	[PERF_RECORD_AUX] = "AUX",
	[PERF_RECORD_ITRACE_START] = "ITRACE_START",
	[PERF_RECORD_LOST_SAMPLES] = "LOST_SAMPLES",
	[PERF_RECORD_SWITCH] = "SWITCH",
	[PERF_RECORD_SWITCH_CPU_WIDE] = "SWITCH_CPU_WIDE",
	[PERF_RECORD_NAMESPACES] = "NAMESPACES",
	[PERF_RECORD_KSYMBOL] = "KSYMBOL",
	[PERF_RECORD_BPF_EVENT] = "BPF_EVENT",
	[PERF_RECORD_CGROUP] = "CGROUP",
	[PERF_RECORD_TEXT_POKE] = "TEXT_POKE",
	[RECORD_AUX_OUTPUT_HW_ID] = "AUX_OUTPUT_HW_ID",
};

static const char *const user_names[] = {
	"ATTR", "EVENT_TYPE", "TRACING_DATA", "BUILD_ID", "FINISHED_ROUND", "ID_INDEX",
	"AUXTRACE_INFO", "AUXTRACE", "AUXTRACE_ERROR", "THREAD_MAP", "CPU_MAP", "STAT_CONFIG",
	"STAT", "STAT_ROUND", "EVENT_UPDATE", "TIME_CONV", "FEATURE", "COMPRESSED",
	"FINISHED_INIT", "COMPRESSED2", "BPF_METADATA", "SCHEDSTAT_CPU", "SCHEDSTAT_DOMAIN",
};

const char *record_type_name(uint32_t type)
{
	if (type < sizeof(kernel_names) / sizeof(kernel_names[0]))
		return kernel_names[type];
	if (type >= RECORD_HEADER_ATTR && type < RECORD_USER_MAX)
		return user_names[type - RECORD_HEADER_ATTR];
	return NULL;
}

/* --- events ---------------------------------------------------------------- */

/* Words before PERF_SAMPLE_ID in a sample, or -1 when it holds no id. */
static int sample_id_pos(uint64_t type)
{
	if (type & PERF_SAMPLE_IDENTIFIER)
		return 0;
	if (!(type & PERF_SAMPLE_ID))
		return -1;
	return !!(type & PERF_SAMPLE_IP) + !!(type & PERF_SAMPLE_TID) + !!(type & PERF_SAMPLE_TIME) +
	       !!(type & PERF_SAMPLE_ADDR);
}

/* Words from the id to a side-band record's end, the id's own included, or -1. */
static int trailer_id_pos(uint64_t type)
{
	if (type & PERF_SAMPLE_IDENTIFIER)
		return 1;
	if (!(type & PERF_SAMPLE_ID))
		return -1;
	return 1 + !!(type & PERF_SAMPLE_CPU) + !!(type & PERF_SAMPLE_STREAM_ID);
}

static void lay_out(struct event_desc *event)
{
	static const struct { uint64_t bit; size_t field; } words[] = {
		{ PERF_SAMPLE_IDENTIFIER, 0 },
		{ PERF_SAMPLE_IP, offsetof(struct event_desc, at_ip) },
		{ PERF_SAMPLE_TID, offsetof(struct event_desc, at_tid) },
		{ PERF_SAMPLE_TIME, offsetof(struct event_desc, at_time) },
		{ PERF_SAMPLE_ADDR, 0 }, { PERF_SAMPLE_ID, 0 }, { PERF_SAMPLE_STREAM_ID, 0 },
		{ PERF_SAMPLE_CPU, offsetof(struct event_desc, at_cpu) },
		{ PERF_SAMPLE_PERIOD, offsetof(struct event_desc, at_period) },
	};
	uint64_t type = event->attr.sample_type;

	event->at_ip = event->at_tid = event->at_time = event->at_cpu = event->at_period = -1;
	event->head_words = 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!(type & words[i].bit))
			continue;
		if (words[i].field)
			*((int8_t *)event + words[i].field) = (int8_t)event->head_words;
		event->head_words++;
	}
	event->is_plain = !(type & (PERF_SAMPLE_READ | PERF_SAMPLE_STACK_USER));
}

int event_set_index(struct event_set *set, struct err *err)
{
	if (!set->by_id)
		set->by_id = mem_zalloc(sizeof(*set->by_id));
	map64_release(set->by_id);
	set->id_pos = set->is_pos = -1;
	set->sample_id_all = set->build_ids = false;
	for (uint32_t i = 0; i < set->nr; i++) {
		struct event_desc *event = &set->v[i];
		int pos = sample_id_pos(event->attr.sample_type);
		int is_pos = trailer_id_pos(event->attr.sample_type);

		if (i && (pos != set->id_pos || is_pos != set->is_pos))
			return err_set(err, EBADMSG,
				       "events '%s' and '%s' of the recording have their ids in different places, so that samples cannot be told apart",
				       set->v[0].name, event->name);
		set->id_pos = pos;
		set->is_pos = is_pos;
		set->sample_id_all |= event->attr.sample_id_all;
		set->build_ids |= event->attr.build_id;
		event->index = i;
		lay_out(event);
		for (uint32_t j = 0; j < event->nr_ids; j++)
			*map64_put(set->by_id, event->ids[j], NULL) = i;
	}
	return 0;
}

void event_set_release(struct event_set *set)
{
	for (uint32_t i = 0; i < set->nr; i++) {
		free(set->v[i].name);
		free(set->v[i].ids);
		free(set->v[i].unit);
	}
	free(set->v);
	if (set->by_id)
		map64_release(set->by_id);
	free(set->by_id);
	memset(set, 0, sizeof(*set));
}

const struct event_desc *event_set_find(const struct event_set *set, uint64_t id)
{
	uint64_t *index = set->by_id ? map64_find(set->by_id, id) : NULL;

	return index ? &set->v[*index] : NULL;
}

/* --- a cursor over one record ----------------------------------------------- */

struct cursor {
	const uint8_t *at, *end;
	bool swap, bad;          /* bad: something did not fit; all further reads give 0 */
};

static bool has(struct cursor *c, uint64_t n)
{
	if (!c->bad && (uint64_t)(c->end - c->at) >= n)
		return true;
	c->bad = true;
	return false;
}

static uint16_t get16(struct cursor *c)
{
	uint16_t v;

	if (!has(c, 2))
		return 0;
	memcpy(&v, c->at, 2);
	c->at += 2;
	return c->swap ? bswap_16(v) : v;
}

static uint32_t get32(struct cursor *c)
{
	uint32_t v;

	if (!has(c, 4))
		return 0;
	memcpy(&v, c->at, 4);
	c->at += 4;
	return c->swap ? bswap_32(v) : v;
}

static uint64_t get64(struct cursor *c)
{
	uint64_t v;

	if (!has(c, 8))
		return 0;
	memcpy(&v, c->at, 8);
	c->at += 8;
	return c->swap ? bswap_64(v) : v;
}

static const void *get_bytes(struct cursor *c, uint64_t n)
{
	const void *p = c->at;

	if (!has(c, n))
		return NULL;
	c->at += n;
	return p;
}

/* `nr` words, in place or swapped into the decoder's scratch. */
static const u64_una *get_words(struct decoder *d, struct cursor *c, uint64_t nr)
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

/* A string that ends within the record, else a terminated copy of what there is. */
static const char *get_string(struct decoder *d, struct cursor *c)
{
	size_t room = c->bad ? 0 : (size_t)(c->end - c->at);
	const char *s = (const char *)c->at;
	size_t len = strnlen(s, room);

	if (len == room) {
		free(d->text);
		d->text = mem_strndup(s, len);
		c->at = c->end;
		return d->text;
	}
	c->at += len + 1;
	return s;
}

void decoder_init(struct decoder *decoder, const struct event_set *events, bool swap)
{
	memset(decoder, 0, sizeof(*decoder));
	decoder->events = events;
	decoder->swap = swap;
	if (swap)
		decoder->scratch = mem_alloc(SCRATCH_WORDS * sizeof(uint64_t));
}

void decoder_release(struct decoder *decoder)
{
	free(decoder->scratch);
	free(decoder->text);
	memset(decoder, 0, sizeof(*decoder));
}

struct perf_event_header record_header(const uint8_t *bytes, bool swap)
{
	struct perf_event_header h;

	memcpy(&h, bytes, sizeof(h));
	if (swap) {
		h.type = bswap_32(h.type);
		h.misc = bswap_16(h.misc);
		h.size = bswap_16(h.size);
	}
	return h;
}

/* --- samples ------------------------------------------------------------------ */

/* struct read_format of perf_event_open(2), "Reading results". */
static void get_read(struct cursor *c, uint64_t format, uint32_t *nr_values, uint64_t *enabled,
		     uint64_t *running, struct read_value *values)
{
	uint64_t nr = 1;
	bool group = format & PERF_FORMAT_GROUP;

	*enabled = *running = 0;
	if (group) {
		nr = get64(c);
		if (nr > 65536 / 8)
			c->bad = true;
	} else {
		values[0].value = get64(c);
	}
	if (format & PERF_FORMAT_TOTAL_TIME_ENABLED)
		*enabled = get64(c);
	if (format & PERF_FORMAT_TOTAL_TIME_RUNNING)
		*running = get64(c);
	*nr_values = 0;
	for (uint64_t i = 0; i < nr && !c->bad; i++) {
		struct read_value v = { .value = group ? get64(c) : values[0].value };

		if (format & PERF_FORMAT_ID)
			v.id = get64(c);
		if (format & SAMPLE_READ_LOST)
			v.lost = get64(c);
		if (i < READ_VALUES_MAX)
			values[(*nr_values)++] = v;
	}
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

static unsigned count_bits(uint64_t mask)
{
	return (unsigned)__builtin_popcountll(mask);
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

static const struct event_desc *sample_event(struct decoder *d, const struct cursor *c)
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
	/* All but the array of read values, which nr_values guards. */
	memset(s, 0, offsetof(struct sample, values));
	memset(&s->nr_ips, 0, sizeof(*s) - offsetof(struct sample, nr_ips));
	s->pid = s->tid = s->cpu = NONE32;
	s->ip = s->time_ns = s->addr = s->id = s->stream_id = 0;
	s->hw_idx = UINT64_MAX;
}

static int decode_sample(struct decoder *d, struct cursor *c, struct record *out, struct err *err)
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
		get_read(c, s->read_format, &s->nr_values, &s->time_enabled, &s->time_running,
			 s->values);
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

/* --- side band ------------------------------------------------------------------ */

/*
 * Take the sample_id off the record's end (struct sample_id of perf_event.h: TID,
 * TIME, ID, STREAM_ID, CPU, IDENTIFIER, each where the event samples it).
 */
static void take_trailer(struct decoder *d, struct cursor *c, struct record_id *id)
{
	const struct event_set *set = d->events;
	const struct event_desc *event = set->nr ? &set->v[0] : NULL;
	struct cursor t;
	uint64_t type, words;

	if (!event || !set->sample_id_all)
		return;
	if (set->nr > 1 && set->is_pos > 0 && (uint64_t)(c->end - c->at) >= (uint64_t)set->is_pos * 8) {
		struct cursor peek = { c->end - set->is_pos * 8, c->end, c->swap, false };
		const struct event_desc *own = event_set_find(set, get64(&peek));

		/* id 0 stands on what perf's own tools made up: take the first event */
		event = own ? own : event;
	}
	type = event->attr.sample_type;
	words = count_bits(type & (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID |
				   PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER));
	if ((uint64_t)(c->end - c->at) < words * 8)
		return;
	t = (struct cursor){ c->end - words * 8, c->end, c->swap, false };
	c->end = t.at;
	id->event = event;
	if (type & PERF_SAMPLE_TID) {
		id->pid = get32(&t);
		id->tid = get32(&t);
	}
	if (type & PERF_SAMPLE_TIME)
		id->time_ns = get64(&t);
	if (type & PERF_SAMPLE_ID)
		id->id = get64(&t);
	if (type & PERF_SAMPLE_STREAM_ID)
		id->stream_id = get64(&t);
	if (type & PERF_SAMPLE_CPU) {
		id->cpu = get32(&t);
		get32(&t);
	}
	if (type & PERF_SAMPLE_IDENTIFIER)
		id->id = get64(&t);
}

static void decode_mmap(struct decoder *d, struct cursor *c, struct record *out)
{
	struct record_mmap *m = &out->mmap;

	memset(m, 0, sizeof(*m));
	m->pid = get32(c);
	m->tid = get32(c);
	m->start = get64(c);
	m->len = get64(c);
	m->pgoff = get64(c);
	if (out->type == PERF_RECORD_MMAP2) {
		/*
		 * While another recorder asks for build-ids, the kernel sets this bit in
		 * records of events that did not, with an inode in them (Linux 5.12 to
		 * 6.18, perf_event_mmap_output: misc is not reset between events).
		 */
		if ((out->misc & PERF_RECORD_MISC_MMAP_BUILD_ID) && d->events->build_ids) {
			const uint8_t *p = get_bytes(c, 24);

			if (p && p[0] <= BUILD_ID_MAX) {
				m->build_id_size = p[0];
				memcpy(m->build_id, p + 4, BUILD_ID_MAX);
			}
		} else {
			m->has_inode = true;
			m->maj = get32(c);
			m->min = get32(c);
			m->ino = get64(c);
			m->ino_generation = get64(c);
		}
		m->prot = get32(c);
		m->flags = get32(c);
	} else if (!(out->misc & PERF_RECORD_MISC_MMAP_DATA)) {
		m->prot = 4; /* PROT_EXEC */
	}
	m->filename = get_string(d, c);
	/* A mapping cannot go over the end of the address space. */
	if (m->start + m->len < m->start)
		m->len = UINT64_MAX - m->start;
}

static void decode_comm(struct decoder *d, struct cursor *c, struct record *out)
{
	out->comm.pid = get32(c);
	out->comm.tid = get32(c);
	out->comm.exec = out->misc & PERF_RECORD_MISC_COMM_EXEC;
	out->comm.comm = get_string(d, c);
}

static void decode_task(struct decoder *d, struct cursor *c, struct record *out)
{
	(void)d;
	out->task.pid = get32(c);
	out->task.ppid = get32(c);
	out->task.tid = get32(c);
	out->task.ptid = get32(c);
	out->task.time_ns = get64(c);
}

static void decode_lost(struct decoder *d, struct cursor *c, struct record *out)
{
	(void)d;
	out->lost.id = get64(c);
	out->lost.lost = get64(c);
}

static void decode_lost_samples(struct decoder *d, struct cursor *c, struct record *out)
{
	(void)d;
	out->lost_samples.lost = get64(c);
}

static void decode_throttle(struct decoder *d, struct cursor *c, struct record *out)
{
	(void)d;
	out->throttle.time_ns = get64(c);
	out->throttle.id = get64(c);
	out->throttle.stream_id = get64(c);
}

static void decode_read(struct decoder *d, struct cursor *c, struct record *out)
{
	const struct event_desc *event = out->id.event ? out->id.event :
					 d->events->nr ? &d->events->v[0] : NULL;

	out->read.pid = get32(c);
	out->read.tid = get32(c);
	get_read(c, event ? event->attr.read_format : 0, &out->read.nr_values,
		 &out->read.time_enabled, &out->read.time_running, out->read.values);
}

static void decode_aux(struct decoder *d, struct cursor *c, struct record *out)
{
	(void)d;
	out->aux.offset = get64(c);
	out->aux.size = get64(c);
	out->aux.flags = get64(c);
}

static void decode_switch(struct decoder *d, struct cursor *c, struct record *out)
{
	(void)d;
	memset(&out->sw, 0, sizeof(out->sw));
	out->sw.out = out->misc & PERF_RECORD_MISC_SWITCH_OUT;
	out->sw.preempt = out->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT;
	if (out->type == PERF_RECORD_SWITCH_CPU_WIDE) {
		out->sw.next_prev_pid = get32(c);
		out->sw.next_prev_tid = get32(c);
	}
}

static void decode_namespaces(struct decoder *d, struct cursor *c, struct record *out)
{
	struct record_namespaces *n = &out->namespaces;
	uint64_t nr;

	(void)d;
	n->pid = get32(c);
	n->tid = get32(c);
	nr = get64(c);
	n->nr = 0;
	for (uint64_t i = 0; i < nr && !c->bad; i++) {
		uint64_t dev = get64(c), ino = get64(c);

		if (i < sizeof(n->ns) / sizeof(n->ns[0])) {
			n->ns[i].dev = dev;
			n->ns[i].ino = ino;
			n->nr++;
		}
	}
}

static void decode_ksymbol(struct decoder *d, struct cursor *c, struct record *out)
{
	out->ksymbol.addr = get64(c);
	out->ksymbol.len = get32(c);
	out->ksymbol.ksym_type = get16(c);
	out->ksymbol.flags = get16(c);
	out->ksymbol.name = get_string(d, c);
}

static void decode_bpf(struct decoder *d, struct cursor *c, struct record *out)
{
	const void *tag;

	(void)d;
	out->bpf.type = get16(c);
	out->bpf.flags = get16(c);
	out->bpf.id = get32(c);
	tag = get_bytes(c, 8);
	if (tag)
		memcpy(out->bpf.tag, tag, 8);
}

static void decode_cgroup(struct decoder *d, struct cursor *c, struct record *out)
{
	out->cgroup.id = get64(c);
	out->cgroup.path = get_string(d, c);
}

static void decode_text_poke(struct decoder *d, struct cursor *c, struct record *out)
{
	struct record_text_poke *p = &out->text_poke;

	(void)d;
	p->addr = get64(c);
	p->old_len = get16(c);
	p->new_len = get16(c);
	p->bytes = get_bytes(c, (uint64_t)p->old_len + p->new_len);
}

static void decode_auxtrace(struct decoder *d, struct cursor *c, struct record *out)
{
	(void)d;
	out->auxtrace.size = get64(c);
	out->auxtrace.offset = get64(c);
	out->auxtrace.reference = get64(c);
	out->auxtrace.idx = get32(c);
	out->auxtrace.tid = get32(c);
	out->auxtrace.cpu = get32(c);
}

/* struct perf_record_header_build_id: pid, 20 bytes + size + 3 spare, name. */
static void decode_build_id(struct decoder *d, struct cursor *c, struct record *out)
{
	struct record_build_id *b = &out->build_id;
	const uint8_t *p;

	memset(b, 0, sizeof(*b));
	b->pid = (int32_t)get32(c);
	b->misc = out->misc;
	p = get_bytes(c, 24);
	if (p) {
		b->size = out->misc & MISC_BUILD_ID_SIZE ? p[20] : BUILD_ID_MAX;
		if (b->size > BUILD_ID_MAX)
			b->size = BUILD_ID_MAX;
		memcpy(b->build_id, p, b->size);
	}
	b->filename = get_string(d, c);
}

typedef void decode_fn(struct decoder *d, struct cursor *c, struct record *out);

static const struct {
	decode_fn *fn;
	bool trailer;
} sideband[] = {
	[PERF_RECORD_MMAP] = { decode_mmap, true },
	[PERF_RECORD_MMAP2] = { decode_mmap, true },
	[PERF_RECORD_COMM] = { decode_comm, true },
	[PERF_RECORD_FORK] = { decode_task, true },
	[PERF_RECORD_EXIT] = { decode_task, true },
	[PERF_RECORD_LOST] = { decode_lost, true },
	[PERF_RECORD_LOST_SAMPLES] = { decode_lost_samples, true },
	[PERF_RECORD_THROTTLE] = { decode_throttle, true },
	[PERF_RECORD_UNTHROTTLE] = { decode_throttle, true },
	[PERF_RECORD_READ] = { decode_read, true },
	[PERF_RECORD_AUX] = { decode_aux, true },
	[PERF_RECORD_SWITCH] = { decode_switch, true },
	[PERF_RECORD_SWITCH_CPU_WIDE] = { decode_switch, true },
	[PERF_RECORD_NAMESPACES] = { decode_namespaces, true },
	[PERF_RECORD_KSYMBOL] = { decode_ksymbol, true },
	[PERF_RECORD_BPF_EVENT] = { decode_bpf, true },
	[PERF_RECORD_CGROUP] = { decode_cgroup, true },
	[PERF_RECORD_TEXT_POKE] = { decode_text_poke, true },
	[RECORD_AUXTRACE] = { decode_auxtrace, false },
	[RECORD_HEADER_BUILD_ID] = { decode_build_id, false },
};

int record_decode(struct decoder *decoder, const uint8_t *bytes, struct record *out,
		  struct err *err)
{
	struct perf_event_header h = record_header(bytes, decoder->swap);
	struct cursor c = { bytes + sizeof(h), bytes + h.size, decoder->swap, false };
	int r = 0;

	decoder->scratch_used = 0;
	out->type = h.type;
	out->misc = h.misc;
	out->size = h.size;
	out->bytes = bytes;
	out->id = (struct record_id){ .pid = NONE32, .tid = NONE32, .cpu = NONE32 };
	if (h.size < sizeof(h))
		return err_set(err, EBADMSG, "record of %u bytes, less than its own header", h.size);
	if (h.type == PERF_RECORD_SAMPLE) {
		r = decode_sample(decoder, &c, out, err);
	} else if (h.type < sizeof(sideband) / sizeof(sideband[0]) && sideband[h.type].fn) {
		if (sideband[h.type].trailer)
			take_trailer(decoder, &c, &out->id);
		sideband[h.type].fn(decoder, &c, out);
	} else if (h.type < RECORD_HEADER_ATTR) {
		take_trailer(decoder, &c, &out->id);
	}
	if (!r && c.bad)
		r = err_set(err, EBADMSG, "%s record of %u bytes: its fields go past its end",
			    record_type_name(h.type), h.size);
	return r;
}

int record_decode_brief(struct decoder *decoder, const uint8_t *bytes, struct sample *out)
{
	struct perf_event_header h = record_header(bytes, decoder->swap);
	struct cursor c = { bytes + sizeof(h), bytes + h.size, decoder->swap, false };
	const struct event_desc *event = sample_event(decoder, &c);
	const u64_una *words = (const u64_una *)c.at;
	uint64_t room = (uint64_t)(c.end - c.at) / 8;

	if (!event || !event->is_plain || decoder->swap) {
		struct record record;
		int r = record_decode(decoder, bytes, &record, NULL);

		if (!r)
			*out = record.sample;
		return r;
	}
	if (room < event->head_words)
		return -EBADMSG;
	out->event = event;
	out->cpumode = h.misc & PERF_RECORD_MISC_CPUMODE_MASK;
	out->ip = event->at_ip >= 0 ? words[event->at_ip] : 0;
	out->pid = event->at_tid >= 0 ? (uint32_t)words[event->at_tid] : NONE32;
	out->tid = event->at_tid >= 0 ? (uint32_t)(words[event->at_tid] >> 32) : NONE32;
	out->time_ns = event->at_time >= 0 ? words[event->at_time] : 0;
	out->cpu = event->at_cpu >= 0 ? (uint32_t)words[event->at_cpu] : NONE32;
	out->period = event->at_period >= 0 ? words[event->at_period] :
		      event->attr.freq ? 1 : event->attr.sample_period;
	out->nr_ips = out->stack_size = 0;
	if (event->attr.sample_type & PERF_SAMPLE_CALLCHAIN) {
		words += event->head_words;
		room -= event->head_words;
		if (!room || words[0] > room - 1)
			return -EBADMSG;
		out->nr_ips = words[0];
		out->ips = words + 1;
	}
	return 0;
}

uint64_t record_time(struct decoder *decoder, const uint8_t *bytes)
{
	struct perf_event_header h = record_header(bytes, decoder->swap);
	struct cursor c = { bytes + sizeof(h), bytes + h.size, decoder->swap, false };
	struct record_id id = { .time_ns = 0 };
	const struct event_desc *event;
	uint64_t type;

	if (h.type >= RECORD_HEADER_ATTR || h.size < sizeof(h))
		return 0;
	if (h.type != PERF_RECORD_SAMPLE) {
		take_trailer(decoder, &c, &id);
		return id.time_ns;
	}
	event = sample_event(decoder, &c);
	type = event ? event->attr.sample_type : 0;
	if (!(type & PERF_SAMPLE_TIME))
		return 0;
	get_bytes(&c, 8 * count_bits(type & (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP |
					     PERF_SAMPLE_TID)));
	return get64(&c);
}
