/* SPDX-License-Identifier: MIT */
/* record_sideband: the bodies of all records but samples. */
#include <stdlib.h>

#include "base/mem.h"
#include "formats/record_priv.h"

#define MISC_BUILD_ID_SIZE (1u << 15)            /* PERF_RECORD_MISC_BUILD_ID_SIZE, tools */

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

/*
 * Take the sample_id off the record's end (struct sample_id of perf_event.h: TID,
 * TIME, ID, STREAM_ID, CPU, IDENTIFIER, each where the event samples it).
 */
void take_trailer(struct decoder *d, struct cursor *c, struct record_id *id)
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
	out->read.values = get_read(d, c, event ? event->attr.read_format : 0, &out->read.nr_values,
				    &out->read.time_enabled, &out->read.time_running);
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

bool decode_sideband(struct decoder *d, struct cursor *c, struct record *out)
{
	if (out->type >= sizeof(sideband) / sizeof(sideband[0]) || !sideband[out->type].fn)
		return false;
	if (sideband[out->type].trailer)
		take_trailer(d, c, &out->id);
	sideband[out->type].fn(d, c, out);
	return true;
}
