/* SPDX-License-Identifier: MIT */
#include "profile/extra.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "formats/perf_data_priv.h"
#include "formats/tracepoint.h"

#define MEM_HOPS (UINT64_C(7) << 43)      /* mem_hops of union perf_mem_data_src, Linux 5.16 */
#define RAW_MAX 65536u
#define CPUS_MAX 65536u
#define LINE_BYTES 64u           /* of data that moves between caches; perf takes the host's */

struct extras {
	struct extra v[EXTRAS_MAX];
	uint32_t nr;
	const struct perf_data *data;
	struct tracepoints *points;
	struct tracepoint_field *fields; /* [extra * nr_events + event]; size 0: has it not */
	uint32_t *sockets, *nodes;       /* of each CPU */
	uint32_t nr_sockets, nr_nodes;
	struct intern texts;
};

bool extra_is_text(enum extra_kind kind)
{
	return kind >= EXTRA_CGROUP;
}

bool extra_is_frame(enum extra_kind kind)
{
	return kind == EXTRA_FROM_FRAME || kind == EXTRA_DATA_FRAME;
}

/* An extra that needs what formats/tracepoint reads. */
static bool is_of_tracepoint(enum extra_kind kind)
{
	return kind == EXTRA_TRACE || kind == EXTRA_RAW_TRACE || kind == EXTRA_FIELD;
}

const char *extras_text(const struct extras *x, uint64_t value)
{
	return value == EXTRA_UNKNOWN ? NULL : intern_str(&x->texts, (uint32_t)value);
}

unsigned extras_field_width(const struct extras *x, uint32_t extra, uint32_t event)
{
	const struct tracepoint_field *field = &x->fields[(size_t)extra * x->data->events.nr + event];
	/* "0x" and two digits for a byte */
	unsigned n = field->string || !field->size ? field->size : field->size * 2 + 2;

	return n < 256 ? n : 256;
}

/* --- the machine's topology ------------------------------------------------------------- */

static void skip_strings(struct region *r)
{
	uint32_t nr = region_u32(r);

	for (uint32_t i = 0; i < nr && !r->bad; i++)
		region_bytes(r, region_u32(r));
}

/* CPU_TOPOLOGY: siblings' lists of cores and of threads, then core and socket of each CPU. */
static void read_sockets(struct extras *x)
{
	const struct feature_section *s = &x->data->features[FEATURE_CPU_TOPOLOGY];
	uint32_t nr = x->data->nr_cpus_avail;
	struct region r;

	if (!s->present || !s->bytes || nr > CPUS_MAX)
		return;
	r = (struct region){ s->bytes, s->bytes + s->size, x->data->swap, false };
	skip_strings(&r);
	skip_strings(&r);
	x->sockets = mem_realloc_array(NULL, nr + 1, sizeof(*x->sockets));
	for (uint32_t cpu = 0; cpu < nr && !r.bad; cpu++) {
		uint32_t socket;

		region_u32(&r);
		socket = region_u32(&r);
		if (!r.bad)
			x->sockets[x->nr_sockets++] = socket;
	}
}

static void set_node(struct extras *x, uint32_t node, const char *list)
{
	char *end;

	while (*list) {
		unsigned long from = strtoul(list, &end, 10), to = from;

		if (end == list)
			return;
		if (*end == '-')
			to = strtoul(end + 1, &end, 10);
		for (; from <= to && from < x->nr_nodes; from++)
			x->nodes[from] = node;
		list = *end == ',' ? end + 1 : end;
		if (*end && *end != ',')
			return;
	}
}

/* NUMA_TOPOLOGY: node, memory and free memory in kB, list of CPUs; of each. */
static void read_nodes(struct extras *x)
{
	const struct feature_section *s = &x->data->features[FEATURE_NUMA_TOPOLOGY];
	struct arena arena;
	struct region r;
	uint32_t nr;

	if (!s->present || !s->bytes || x->data->nr_cpus_avail > CPUS_MAX)
		return;
	r = (struct region){ s->bytes, s->bytes + s->size, x->data->swap, false };
	x->nr_nodes = x->data->nr_cpus_avail;
	x->nodes = mem_realloc_array(NULL, x->nr_nodes + 1, sizeof(*x->nodes));
	memset(x->nodes, 0xff, x->nr_nodes * sizeof(*x->nodes));
	arena_init(&arena);
	nr = region_u32(&r);
	for (uint32_t i = 0; i < nr && !r.bad; i++) {
		uint32_t node = region_u32(&r);
		const char *list;

		region_u64(&r);
		region_u64(&r);
		list = region_string(&r, &arena);
		if (list)
			set_node(x, node, list);
	}
	arena_release(&arena);
}

static uint64_t of_cpu(const uint32_t *table, uint32_t nr, uint32_t cpu)
{
	return cpu < nr && table[cpu] != UINT32_MAX ? table[cpu] : EXTRA_UNKNOWN;
}

/* --- tracepoints' fields ---------------------------------------------------------------- */

/* "EVENT.FIELD": is it of this event? EVENT is a whole name or, as in perf, a part of it. */
static const char *field_of(const struct event_desc *event, const char *name)
{
	const char *dot = strrchr(name, '.');
	char *part;
	bool same;

	if (event->attr.type != PERF_TYPE_TRACEPOINT)
		return NULL;
	if (!dot)
		return name;
	part = mem_strndup(name, (size_t)(dot - name));
	same = strstr(event->name, part) != NULL;
	free(part);
	return same ? dot + 1 : NULL;
}

static bool find_field(struct tracepoints *points, const struct event_desc *event,
		       const char *name, struct tracepoint_field *out)
{
	const char *field = field_of(event, name);

	return field && tracepoint_field_find(points, event->attr.config, field, out);
}

bool extras_has_field(const struct perf_data *data, const char *name)
{
	struct tracepoint_field field;
	struct tracepoints *points;
	bool found = false;

	if (tracepoints_new(&points, data, NULL) < 0)
		return false;
	for (uint32_t e = 0; !found && e < data->events.nr; e++)
		found = find_field(points, &data->events.v[e], name, &field);
	tracepoints_free(points);
	return found;
}

int extras_new(struct extras **out, const struct extra *list, uint32_t nr,
	       const struct perf_data *data, struct err *err)
{
	struct extras *x = mem_zalloc(sizeof(*x));
	bool points = false;
	int r = 0;

	x->data = data;
	x->nr = nr < EXTRAS_MAX ? nr : EXTRAS_MAX;
	intern_init(&x->texts);
	x->fields = mem_zalloc(((size_t)x->nr * data->events.nr + 1) * sizeof(*x->fields));
	for (uint32_t i = 0; i < x->nr; i++) {
		x->v[i] = list[i];
		points |= is_of_tracepoint(list[i].kind);
	}
	read_sockets(x);
	read_nodes(x);
	if (points)
		r = tracepoints_new(&x->points, data, err);
	if (r < 0) {
		extras_free(x);
		return r;
	}
	for (uint32_t i = 0; i < x->nr; i++)
		for (uint32_t e = 0; list[i].kind == EXTRA_FIELD && e < data->events.nr; e++)
			find_field(x->points, &data->events.v[e], list[i].name,
				   &x->fields[(size_t)i * data->events.nr + e]);
	*out = x;
	return 0;
}

void extras_free(struct extras *x)
{
	if (!x)
		return;
	tracepoints_free(x->points);
	free(x->fields);
	free(x->sockets);
	free(x->nodes);
	intern_release(&x->texts);
	free(x);
}

/* --- counting ------------------------------------------------------------------------------ */

bool extras_need_all(const struct extras *x)
{
	for (uint32_t i = 0; x && i < x->nr; i++)
		if (x->v[i].kind >= EXTRA_WEIGHT && x->v[i].kind != EXTRA_PARENT)
			return true;
	return false;
}

size_t extras_room(const struct extras *x)
{
	return x ? (size_t)x->nr * (2 + RAW_MAX / 8) : 0;
}

/* Bytes as words: their number, then they, with zeros at the end. */
static uint32_t add_bytes(uint64_t *words, const void *bytes, uint32_t n)
{
	uint32_t nr = n < RAW_MAX ? n : RAW_MAX;

	words[0] = nr;
	if (nr) {
		words[(nr + 7) / 8] = 0;
		memcpy(words + 1, bytes, nr);
	}
	return 1 + (nr + 7) / 8;
}

/* A number of the sample that is there if its bit is; 0 else. */
static uint64_t given(const struct sample *s, uint64_t bits, uint64_t value)
{
	return s->sample_type & bits ? value : 0;
}

static uint64_t memory_number(const struct sample *s, enum extra_kind kind)
{
	union perf_mem_data_src src = { .val = given(s, PERF_SAMPLE_DATA_SRC, s->data_src) };
	union perf_mem_data_src out = { .val = 0 };
	uint64_t addr = given(s, PERF_SAMPLE_ADDR, s->addr);

	switch (kind) {
	case EXTRA_DATA_ADDR: return addr;
	case EXTRA_DATA_LINE: return addr & ~(uint64_t)(LINE_BYTES - 1);
	case EXTRA_DATA_PAGE: return given(s, PERF_SAMPLE_DATA_PAGE_SIZE, s->data_page_size);
	case EXTRA_PHYS_ADDR: return given(s, PERF_SAMPLE_PHYS_ADDR, s->phys_addr);
	case EXTRA_MEM_LEVEL:
		out.mem_lvl = src.mem_lvl;
		out.mem_lvl_num = src.mem_lvl_num;
		out.mem_remote = src.mem_remote;
		out.val |= src.val & MEM_HOPS;
		out.mem_hops = src.mem_hops;
		break;
	case EXTRA_MEM_OP: out.mem_op = src.mem_op; break;
	case EXTRA_MEM_SNOOP:
		out.mem_snoop = src.mem_snoop;
		out.mem_snoopx = src.mem_snoopx;
		break;
	case EXTRA_MEM_TLB: out.mem_dtlb = src.mem_dtlb; break;
	case EXTRA_MEM_LOCK: out.mem_lock = src.mem_lock; break;
	default: out.mem_blk = src.mem_blk; break;
	}
	return out.val;
}

/* struct perf_branch_entry's third word: mispred, predicted, in_tx, abort, 16 bits of cycles. */
static uint64_t branch_number(const struct sample_branch *b, enum extra_kind kind)
{
	if (!b)
		return 0;
	switch (kind) {
	case EXTRA_BRANCH_PREDICTED:
		return b->flags & 2 ? BRANCH_PREDICTED : b->flags & 1 ? BRANCH_MISSED : BRANCH_NOT_KNOWN;
	case EXTRA_BRANCH_TX: return b->flags >> 2 & 1;
	case EXTRA_BRANCH_ABORT: return b->flags >> 3 & 1;
	case EXTRA_BRANCH_CYCLES: return b->flags >> 4 & 0xffff;
	default: return b->from;
	}
}

static uint64_t number(const struct extras *x, const struct extra *extra, const struct sample *s,
		       const struct sample_branch *branch)
{
	switch (extra->kind) {
	case EXTRA_TIME:
		return extra->quantum_ns ? s->time_ns / extra->quantum_ns * extra->quantum_ns : s->time_ns;
	case EXTRA_SOCKET: return of_cpu(x->sockets, x->nr_sockets, s->cpu);
	case EXTRA_NODE: return of_cpu(x->nodes, x->nr_nodes, s->cpu);
	case EXTRA_WEIGHT:
		return given(s, PERF_SAMPLE_WEIGHT | PERF_SAMPLE_WEIGHT_STRUCT, s->weight);
	case EXTRA_INS_LAT: return given(s, PERF_SAMPLE_WEIGHT_STRUCT, s->ins_lat);
	case EXTRA_P_STAGE: return given(s, PERF_SAMPLE_WEIGHT_STRUCT, s->weight3);
	case EXTRA_TRANSACTION: return given(s, PERF_SAMPLE_TRANSACTION, s->transaction);
	case EXTRA_CODE_PAGE: return given(s, PERF_SAMPLE_CODE_PAGE_SIZE, s->code_page_size);
	case EXTRA_CGROUP: return given(s, PERF_SAMPLE_CGROUP, s->cgroup);
	case EXTRA_DATA_FRAME: return given(s, PERF_SAMPLE_ADDR, s->addr);
	default:
		if (extra->kind >= EXTRA_BRANCH_PREDICTED)
			return branch_number(branch, extra->kind);
		return memory_number(s, extra->kind);
	}
}

static uint32_t add_one(const struct extras *x, uint32_t i, const struct sample *s,
			const struct sample_branch *branch, uint64_t *words)
{
	const struct extra *extra = &x->v[i];
	const struct tracepoint_field *field;
	const void *bytes = NULL;
	uint32_t n = 0;
	bool is_point = s->event->attr.type == PERF_TYPE_TRACEPOINT;

	switch (extra->kind) {
	case EXTRA_TRACE:
	case EXTRA_RAW_TRACE:
		return is_point && (s->sample_type & PERF_SAMPLE_RAW) ?
			       add_bytes(words, s->raw, s->raw_size) : add_bytes(words, NULL, 0);
	case EXTRA_FIELD:
		field = &x->fields[(size_t)i * x->data->events.nr + s->event->index];
		if (field->size && (s->sample_type & PERF_SAMPLE_RAW))
			bytes = tracepoint_field_bytes(field, s->raw, s->raw_size, x->data->swap, &n);
		return add_bytes(words, bytes, bytes ? n : 0);
	case EXTRA_PARENT:
		return 0;
	default:
		words[0] = number(x, extra, s, branch);
		return 1;
	}
}

uint32_t extras_add(const struct extras *x, const struct sample *sample,
		    const struct sample_branch *branch, uint64_t *words)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < x->nr; i++)
		nr += add_one(x, i, sample, branch, words + nr);
	return nr;
}

/* --- naming -------------------------------------------------------------------------------- */

static uint64_t text(struct extras *x, const char *s)
{
	return intern_id(&x->texts, s);
}

void extra_add_trace(struct tracepoints *points, struct str *out, const struct sample *sample, bool as_fields)
{
	if (!(as_fields ? tracepoint_print_fields : tracepoint_print)(points, out, sample))
		str_add(out, "[no description in the recording]");
	while (out->len && (out->p[out->len - 1] == ' ' || out->p[out->len - 1] == '\n'))
		out->p[--out->len] = '\0';
}

static uint64_t trace_text(struct extras *x, uint32_t event, const void *raw, uint32_t size,
			   bool as_fields)
{
	struct sample sample = { .event = &x->data->events.v[event], .raw = raw, .raw_size = size };
	struct str s = STR_INIT;
	uint64_t id;

	if (!size)
		return EXTRA_UNKNOWN;
	extra_add_trace(x->points, &s, &sample, as_fields);
	id = text(x, s.p);
	str_release(&s);
	return id;
}

static uint64_t field_text(struct extras *x, uint32_t i, uint32_t event, const void *bytes, uint32_t n)
{
	struct str s = STR_INIT;
	uint64_t id;

	if (!n)
		return EXTRA_UNKNOWN;
	tracepoint_field_add(x->points, &s, &x->fields[(size_t)i * x->data->events.nr + event], bytes, n);
	id = text(x, s.p);
	str_release(&s);
	return id;
}

void extras_name(struct extras *x, const struct recording *rec, uint32_t event,
		 const uint64_t *words, const char *parent, uint64_t *values)
{
	for (uint32_t i = 0; i < x->nr; i++) {
		const char *path;

		switch (x->v[i].kind) {
		case EXTRA_CGROUP:
			path = recording_cgroup(rec, *words++);
			values[i] = path ? text(x, path) : EXTRA_UNKNOWN;
			break;
		case EXTRA_TRACE:
		case EXTRA_RAW_TRACE:
			values[i] = trace_text(x, event, words + 1, (uint32_t)words[0],
					       x->v[i].kind == EXTRA_RAW_TRACE);
			words += 1 + (words[0] + 7) / 8;
			break;
		case EXTRA_FIELD:
			values[i] = field_text(x, i, event, words + 1, (uint32_t)words[0]);
			words += 1 + (words[0] + 7) / 8;
			break;
		case EXTRA_PARENT:
			values[i] = parent ? text(x, parent) : EXTRA_UNKNOWN;
			break;
		default:
			values[i] = *words++;
			break;
		}
	}
}

void extras_renew(struct extras *x, uint64_t *values, const bool *used, size_t nr)
{
	struct intern old = x->texts;

	intern_init(&x->texts);
	for (size_t set = 0; set < nr; set++) {
		uint64_t *v = values + set * x->nr;

		for (uint32_t i = 0; i < x->nr && used[set]; i++)
			if (extra_is_text(x->v[i].kind) && v[i] != EXTRA_UNKNOWN)
				v[i] = text(x, intern_str(&old, (uint32_t)v[i]));
	}
	intern_release(&old);
}
