/* SPDX-License-Identifier: MIT */
#include "sched/stream.h"

#include <byteswap.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/progress.h"
#include "formats/tracepoint.h"
#include "profile/order.h"

#define STATES_KEPT 64u
#define RECENT_IDS 256u
/* common_flags (include/linux/trace_events.h): TRACE_FLAG_HARDIRQ, _SOFTIRQ */
#define FLAG_INTERRUPT (0x08 | 0x10)

enum field {
	FIELD_TASK, FIELD_COMM, FIELD_PRIO, FIELD_PREV, FIELD_PREV_COMM, FIELD_PREV_PRIO,
	FIELD_STATE, FIELD_AMOUNT, FIELD_FROM, FIELD_TO, FIELD_FLAGS,
	NR_FIELDS,
};

/* The fields of each kind by their names, as include/trace/events/sched.h has them. */
static const struct kind {
	const char *event;
	const char *names[NR_FIELDS];
} kinds[] = {
	[SCHED_SWITCH] = { "sched:sched_switch",
		{ "next_pid", "next_comm", "next_prio", "prev_pid", "prev_comm", "prev_prio", "prev_state" } },
	[SCHED_WAKING] = { "sched:sched_waking", { "pid", "comm", "prio" } },
	[SCHED_WAKEUP] = { "sched:sched_wakeup", { "pid", "comm", "prio" } },
	[SCHED_WAKEUP_NEW] = { "sched:sched_wakeup_new", { "pid", "comm", "prio" } },
	[SCHED_MIGRATE] = { "sched:sched_migrate_task",
		{ "pid", "comm", "prio", [FIELD_FROM] = "orig_cpu", [FIELD_TO] = "dest_cpu" } },
	[SCHED_FORK] = { "sched:sched_process_fork", { "child_pid", "child_comm" } },
	[SCHED_EXEC] = { "sched:sched_process_exec", { "pid" } },
	[SCHED_EXIT] = { "sched:sched_process_exit", { "pid", "comm", "prio" } },
	[SCHED_STAT_RUNTIME] = { "sched:sched_stat_runtime", { "pid", [FIELD_AMOUNT] = "runtime" } },
	[SCHED_STAT_WAIT] = { "sched:sched_stat_wait", { "pid", [FIELD_AMOUNT] = "delay" } },
	[SCHED_STAT_SLEEP] = { "sched:sched_stat_sleep", { "pid", [FIELD_AMOUNT] = "delay" } },
	[SCHED_STAT_IOWAIT] = { "sched:sched_stat_iowait", { "pid", [FIELD_AMOUNT] = "delay" } },
	[SCHED_STAT_BLOCKED] = { "sched:sched_stat_blocked", { "pid", [FIELD_AMOUNT] = "delay" } },
};

#define NR_EVENT_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* An event of the recording: what it is, and where its fields stand. */
struct layout {
	bool known;
	enum sched_kind kind;
	/*
	 * The quick way: nothing of variable size stands before the raw bytes, and all fields
	 * lie in their first `need` bytes. 0: the event's samples have to be decoded.
	 */
	uint32_t need;
	uint32_t raw_at;                 /* of the size of the raw bytes, in the record */
	struct tracepoint_field fields[NR_FIELDS];       /* size 0: it has none */
};

struct state_word { uint64_t value; char letter; bool preempted; };

struct stream {
	const struct perf_data *data;
	struct ordered *ordered;
	struct tracepoints *tracepoints;
	struct layout *layouts;          /* of data->events */
	bool has[SCHED_NR_KINDS], has_stacks;
	struct state_word states[STATES_KEPT];
	unsigned nr_states;
	struct decoder decoder;
	struct record record;
	struct { uint64_t id; uint32_t index; } recent[RECENT_IDS];      /* index + 1; 0: none */
	struct stream_account account;
};

/* --- what is recorded ------------------------------------------------------------------- */

static void find_quick_way(const struct stream *s, struct layout *l, const struct event_desc *event)
{
	uint32_t need = 0;

	/* what stands between CPU and raw bytes is counted in head_words, but for these */
	if (!l->known || s->data->swap || !event->is_plain || event->at_tid < 0 || event->at_time < 0 ||
	    event->at_cpu < 0 || (event->attr.sample_type & PERF_SAMPLE_CALLCHAIN) ||
	    !(event->attr.sample_type & PERF_SAMPLE_RAW))
		return;
	for (unsigned f = 0; f < NR_FIELDS; f++)
		if (l->fields[f].size && l->fields[f].offset + l->fields[f].size > need)
			need = l->fields[f].offset + l->fields[f].size;
	l->need = need;
	l->raw_at = (uint32_t)sizeof(struct perf_event_header) + event->head_words * 8u;
}

static void lay_out(struct stream *s, struct layout *l, const struct event_desc *event)
{
	const char *text = tracepoint_name(s->tracepoints, event->attr.config);

	if (event->attr.type != PERF_TYPE_TRACEPOINT || !text)
		return;
	for (size_t k = 0; k < NR_EVENT_KINDS; k++) {
		if (!kinds[k].event || strcmp(kinds[k].event, text) != 0)
			continue;
		l->known = true;
		l->kind = (enum sched_kind)k;
		for (unsigned f = 0; f < NR_FIELDS; f++)
			if (kinds[k].names[f] &&
			    !tracepoint_field_find(s->tracepoints, event->attr.config,
						   kinds[k].names[f], &l->fields[f]))
				l->fields[f].size = 0;
		if (!tracepoint_field_find(s->tracepoints, event->attr.config, "common_flags",
					   &l->fields[FIELD_FLAGS]))
			l->fields[FIELD_FLAGS].size = 0;
		l->known = l->fields[FIELD_TASK].size != 0 &&
			   (k != SCHED_SWITCH || l->fields[FIELD_PREV].size != 0);
		s->has[k] |= l->known;
		find_quick_way(s, l, event);
		s->has_stacks |= event->attr.sample_type & PERF_SAMPLE_CALLCHAIN;
	}
}

static int no_switches(const struct perf_data *data, struct err *err)
{
	for (uint32_t i = 0; i < data->events.nr && !data->tracing_data; i++)
		if (data->events.v[i].attr.type == PERF_TYPE_TRACEPOINT)
			return err_set(err, ENOENT, "'%s' has events of tracepoints, but what describes them is "
				       "missing: it stands at a recording's end, so the file was cut short or "
				       "damaged, and nothing can be told from it", data->path);
	return err_set(err, ENOENT, "'%s' has no sched:sched_switch events; sonde sched record makes such a "
		       "recording", data->path);
}

int stream_new(struct stream **out, const struct perf_data *data, struct err *err)
{
	struct stream *s = mem_zalloc(sizeof(*s));
	int r = tracepoints_new(&s->tracepoints, data, err);

	s->data = data;
	s->account.unfinished = data->unfinished;
	s->layouts = mem_zalloc((data->events.nr + 1) * sizeof(*s->layouts));
	for (uint32_t i = 0; i < data->events.nr && s->tracepoints && !r; i++)
		lay_out(s, &s->layouts[i], &data->events.v[i]);
	if (!r && !s->has[SCHED_SWITCH])
		r = no_switches(data, err);
	if (r < 0) {
		stream_free(s);
		return r;
	}
	s->ordered = ordered_new(data);
	decoder_init(&s->decoder, &data->events, data->swap);
	*out = s;
	return 0;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	if (s->ordered)
		decoder_release(&s->decoder);
	ordered_free(s->ordered);
	tracepoints_free(s->tracepoints);
	free(s->layouts);
	free(s);
}

/* --- fields ----------------------------------------------------------------------------- */

static uint64_t number(const void *bytes, uint32_t size, bool swap)
{
	uint64_t n8;
	uint32_t n4;
	uint16_t n2;

	switch (size) {
	case 8:
		memcpy(&n8, bytes, 8);
		return swap ? bswap_64(n8) : n8;
	case 4:
		memcpy(&n4, bytes, 4);
		return swap ? bswap_32(n4) : n4;
	case 2:
		memcpy(&n2, bytes, 2);
		return swap ? bswap_16(n2) : n2;
	case 1:
		return *(const uint8_t *)bytes;
	default:
		return 0;
	}
}

static uint64_t get(const struct stream *s, const struct layout *l, enum field f,
		    const struct sample *sample)
{
	const struct tracepoint_field *at = &l->fields[f];

	if (!at->size || at->offset > sample->raw_size || at->size > sample->raw_size - at->offset)
		return 0;
	return number((const uint8_t *)sample->raw + at->offset, at->size, s->data->swap);
}

static void get_comm(const struct stream *s, const struct layout *l, enum field f,
		     const struct sample *sample, char *out)
{
	const struct tracepoint_field *at = &l->fields[f];
	const void *bytes;
	uint32_t size;

	*out = '\0';
	if (!at->size)
		return;
	bytes = tracepoint_field_bytes(at, sample->raw, sample->raw_size, s->data->swap, &size);
	if (!bytes)
		return;
	if (size > SCHED_COMM_MAX - 1)
		size = SCHED_COMM_MAX - 1;
	memcpy(out, bytes, size);
	out[size] = '\0';
}

/* States that all kernels have numbered so (include/linux/sched.h, from 2.6.0 to 6.18). */
static char numbered_state(uint64_t value)
{
	switch (value) {
	case 0:
		return 'R';
	case 1:
		return 'S';
	case 2:
		return 'D';
	case 4:
		return 'T';
	case 8:
		return 't';
	default:
		return '?';
	}
}

/* The letter of a state as this kernel's format prints it; asked once for each value. */
static struct state_word state_of(struct stream *s, const struct layout *l,
				  const struct sample *sample)
{
	const struct tracepoint_field *at = &l->fields[FIELD_STATE];
	uint64_t value = get(s, l, FIELD_STATE, sample);
	struct state_word word = { .value = value, .letter = numbered_state(value) };
	struct str text = STR_INIT;

	if (!at->size) {
		word.letter = '?';
		return word;
	}
	for (unsigned i = 0; i < s->nr_states; i++)
		if (s->states[i].value == value)
			return s->states[i];
	if (at->size && at->offset <= sample->raw_size && at->size <= sample->raw_size - at->offset)
		tracepoint_field_add(s->tracepoints, &text, at, (const uint8_t *)sample->raw + at->offset,
				     at->size);
	if (!text.len)
		str_addc(&text, word.letter);
	if ((text.p[0] >= 'A' && text.p[0] <= 'Z') || (text.p[0] >= 'a' && text.p[0] <= 'z'))
		word.letter = text.p[0];
	/* "R+"; in the text of older kernels "S|+" and the like */
	word.preempted = text.len && text.p[text.len - 1] == '+';
	if (word.preempted)
		word.letter = 'R';
	str_release(&text);
	if (s->nr_states < STATES_KEPT)
		s->states[s->nr_states++] = word;
	return word;
}

static bool fill(struct stream *s, const struct layout *l, const struct sample *sample,
		 struct sched_event *e)
{
	struct state_word state;

	e->kind = l->kind;
	e->time_ns = sample->time_ns;
	e->cpu = sample->cpu;
	e->pid = sample->pid;
	e->tid = sample->tid;
	e->task = (uint32_t)get(s, l, FIELD_TASK, sample);
	e->task_pid = e->parent_pid = SCHED_NONE;
	e->prio = (int32_t)get(s, l, FIELD_PRIO, sample);
	e->interrupt = get(s, l, FIELD_FLAGS, sample) & FLAG_INTERRUPT;
	get_comm(s, l, FIELD_COMM, sample, e->comm);
	e->prev_comm[0] = '\0';
	if (l->kind == SCHED_SWITCH) {
		e->prev = (uint32_t)get(s, l, FIELD_PREV, sample);
		e->prev_prio = (int32_t)get(s, l, FIELD_PREV_PRIO, sample);
		get_comm(s, l, FIELD_PREV_COMM, sample, e->prev_comm);
		state = state_of(s, l, sample);
		s->account.unknown_states += state.letter == '?';
		e->state = state.letter;
		e->preempted = state.preempted;
	} else if (l->kind == SCHED_MIGRATE) {
		e->from_cpu = (uint32_t)get(s, l, FIELD_FROM, sample);
		e->to_cpu = (uint32_t)get(s, l, FIELD_TO, sample);
	} else if (l->kind >= SCHED_STAT_RUNTIME) {
		e->amount = get(s, l, FIELD_AMOUNT, sample);
	}
	return true;
}

static bool from_sample(struct stream *s, const struct sample *sample, struct sched_event *e)
{
	const struct layout *l = &s->layouts[sample->event->index];

	if (!l->known)
		return false;
	if (!sample->raw || l->fields[FIELD_TASK].offset + 4 > sample->raw_size) {
		s->account.bad_samples++;
		return false;
	}
	e->sample = sample;
	return fill(s, l, sample, e);
}

/* --- the quick way ---------------------------------------------------------------------- */

static uint64_t word(const uint8_t *bytes, uint32_t at)
{
	return *(const u64_una *)(const void *)(bytes + at);
}

/* The layout of the event that a sample is of, or NULL. */
static const struct layout *layout_of(struct stream *s, const uint8_t *bytes, uint16_t size)
{
	const struct event_set *set = &s->data->events;
	const struct event_desc *event;
	uint32_t at = (uint32_t)sizeof(struct perf_event_header), slot;
	uint64_t id;

	if (set->nr == 1)
		return s->layouts;
	if (set->id_pos < 0 || size < at + (uint32_t)set->id_pos * 8 + 8)
		return NULL;
	id = word(bytes, at + (uint32_t)set->id_pos * 8);
	slot = (uint32_t)id % RECENT_IDS;
	if (s->recent[slot].id != id || !s->recent[slot].index) {
		event = event_set_find(set, id);
		if (!event)
			return NULL;
		s->recent[slot].id = id;
		s->recent[slot].index = event->index + 1;
	}
	return &s->layouts[s->recent[slot].index - 1];
}

/* 1: *e is filled; 0: nothing of ours; -1: it has to be decoded. */
static int quickly(struct stream *s, const uint8_t *bytes, uint16_t size, struct sched_event *e)
{
	const struct layout *l = s->data->swap ? NULL : layout_of(s, bytes, size);
	const struct event_desc *event;
	struct sample *sample = &s->record.sample;
	const uint8_t *body = bytes + sizeof(struct perf_event_header);

	if (!l || !l->known)
		return l ? 0 : -1;
	if (!l->need || size < l->raw_at + 4)
		return -1;
	sample->raw_size = *(const u32_una *)(const void *)(bytes + l->raw_at);
	if (sample->raw_size < l->need || sample->raw_size > size - l->raw_at - 4)
		return -1;
	event = &s->data->events.v[l - s->layouts];
	sample->raw = bytes + l->raw_at + 4;
	sample->time_ns = word(body, (uint32_t)event->at_time * 8);
	sample->pid = *(const u32_una *)(const void *)(body + event->at_tid * 8);
	sample->tid = *(const u32_una *)(const void *)(body + event->at_tid * 8 + 4);
	sample->cpu = *(const u32_una *)(const void *)(body + event->at_cpu * 8);
	e->sample = NULL;
	return fill(s, l, sample, e);
}

/* --- side-band -------------------------------------------------------------------------- */

static void copy_comm(char *to, const char *from)
{
	size_t n = from ? strnlen(from, SCHED_COMM_MAX - 1) : 0;

	if (n)
		memcpy(to, from, n);
	to[n] = '\0';
}

static bool from_sideband(struct stream *s, const struct record *r, struct sched_event *e)
{
	memset(e, 0, sizeof(*e));
	e->time_ns = r->id.time_ns;
	e->cpu = r->id.cpu;
	e->pid = r->id.pid;
	e->tid = r->id.tid;
	e->task_pid = e->parent_pid = SCHED_NONE;
	switch (r->type) {
	case PERF_RECORD_COMM:
		e->kind = SCHED_NAME;
		e->task = r->comm.tid;
		e->task_pid = r->comm.pid;
		copy_comm(e->comm, r->comm.comm);
		return true;
	case PERF_RECORD_FORK:
		/* those made up at the start tell who there is, not that it was made now */
		e->kind = r->task.time_ns ? SCHED_FORK : SCHED_NAME;
		e->task = r->task.tid;
		e->task_pid = r->task.pid;
		e->parent_pid = r->task.ppid;
		return true;
	case PERF_RECORD_EXIT:
		e->kind = SCHED_EXIT;
		e->task = r->task.tid;
		return true;
	case PERF_RECORD_LOST:
		e->kind = SCHED_LOST;
		e->amount = r->lost.lost;
		return true;
	case PERF_RECORD_LOST_SAMPLES:
		s->account.lost_samples += r->lost_samples.lost;
		return false;
	default:
		return false;
	}
}

int stream_next(struct stream *s, struct sched_event *out, struct err *err)
{
	const uint8_t *bytes;
	uint64_t off;
	int r;

	while ((r = ordered_next_raw(s->ordered, &bytes, &off, err)) > 0) {
		struct perf_event_header h = record_header(bytes, s->data->swap);
		int found = h.type == PERF_RECORD_SAMPLE ? quickly(s, bytes, h.size, out) : -1;

		if (!(++s->account.records & 0xffff))
			progress("reading", off - s->data->data_off, s->data->data_size);
		if (found > 0)
			return 1;
		if (!found)
			continue;
		if (record_decode(&s->decoder, bytes, &s->record, NULL) < 0)
			s->account.bad_samples += h.type == PERF_RECORD_SAMPLE;
		else if (h.type == PERF_RECORD_SAMPLE ? from_sample(s, &s->record.sample, out) :
							from_sideband(s, &s->record, out))
			return 1;
	}
	return r;
}

bool stream_has(const struct stream *s, enum sched_kind kind)
{
	return s->has[kind];
}

bool stream_has_stacks(const struct stream *s)
{
	return s->has_stacks;
}

struct stream_account stream_account(const struct stream *s)
{
	struct stream_account a = s->account;

	a.damages = ordered_damages(s->ordered, &a.nr_damages);
	return a;
}
