// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Samples of a tracepoint, put into a ring by the tracepoint's own program.
 *
 * The records are those that the kernel would write for an event with the sample_type that
 * tap.h names (perf_event_open(2), PERF_RECORD_SAMPLE and PERF_RECORD_LOST).  A program sees
 * the fields as the kernel has laid them out; in place of the eight bytes that all
 * tracepoints have in common stands a pointer (perf_trace_run_bpf_submit), so those are
 * made here.
 */
#include <linux/bpf.h>
#include <linux/perf_event.h>

#include <bpf/bpf_helpers.h>

#include "tap_types.h"

#define IRQS_OFF 1               /* common_flags: TRACE_FLAG_IRQS_OFF */

struct head {
	__u32 type;
	__u16 misc, size;
};

/* Of both records, in this order. */
struct stamp {
	__u32 pid, tid;
	__u64 time;
	__u32 cpu, reserved;
};

struct sample {
	struct head head;
	__u64 id;
	struct stamp stamp;
	__u64 period;
	__u32 raw_bytes;
	__u16 common_type;
	__u8 common_flags, common_preempt_count;
	__u32 common_pid;
	__u32 words[];
};

struct lost {
	struct head head;
	__u64 id, lost;
	struct stamp stamp;
	__u64 identifier;
};

const volatile struct tap_event events[TAP_EVENTS] = {};
const volatile __u64 wake_bytes = 1 << 20;
volatile __u32 on = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tap_cpu);
} cpus SEC(".maps");

/* A ring for each CPU, as large as tap.c makes them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_RINGBUF);
		__uint(max_entries, 4096);
	});
} rings SEC(".maps");

static __always_inline __u64 wakes(struct tap_cpu *here, __u32 bytes)
{
	here->unread += bytes;
	if (here->unread < wake_bytes)
		return BPF_RB_NO_WAKEUP;
	here->unread = 0;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void set_stamp(struct stamp *stamp, __u32 cpu)
{
	__u64 who = bpf_get_current_pid_tgid();

	stamp->pid = who >> 32;
	stamp->tid = (__u32)who;
	stamp->time = bpf_ktime_get_ns();
	stamp->cpu = cpu;
	stamp->reserved = 0;
}

/* Tell in the place where they are missing how many samples are. */
static __always_inline int tell_lost(struct tap_cpu *here, void *ring, __u64 id, __u32 cpu)
{
	struct lost *l = bpf_ringbuf_reserve(ring, sizeof(*l), 0);

	if (!l)
		return -1;
	l->head = (struct head){ PERF_RECORD_LOST, 0, sizeof(*l) };
	l->id = l->identifier = id;
	l->lost = here->untold;
	set_stamp(&l->stamp, cpu);
	here->untold = 0;
	bpf_ringbuf_submit(l, wakes(here, sizeof(*l)));
	return 0;
}

static __always_inline void copy_words(struct sample *s, const __u32 *fields, __u32 nr)
{
#pragma unroll
	for (int i = 0; i < TAP_WORDS; i++)
		if (i < nr)
			s->words[i] = fields[i];
}

/* A text that stands behind the fields: put it behind ours, its place into its word. */
static __always_inline void copy_text(struct sample *s, const void *ctx, __u32 words, __u32 at)
{
	char *text = (char *)&s->words[words];
	__u32 where = s->words[at];

	__builtin_memset(text, 0, TAP_TEXT);
	bpf_probe_read_kernel_str(text, TAP_TEXT, (const char *)ctx + (where & 0xffff));
	s->words[at] = (where & 0xffff0000) | (TAP_COMMON + 4 * words);
}

static __always_inline int take(const __u32 *ctx, __u32 n)
{
	__u32 zero = 0, cpu = bpf_get_smp_processor_id(), nr = events[n].words;
	struct tap_cpu *here = bpf_map_lookup_elem(&cpus, &zero);
	void *ring = bpf_map_lookup_elem(&rings, &cpu);
	struct sample *s;
	__u64 id;

	if (!on || !here || !ring)
		return 1;
	id = here->ids[n];
	if (!id)
		return 1;
	s = NULL;
	if (!here->untold || tell_lost(here, ring, id, cpu) == 0)
		s = bpf_ringbuf_reserve(ring, events[n].record_bytes, 0);
	if (!s) {
		here->lost[n]++;
		here->untold++;
		return 1;
	}
	s->head = (struct head){ PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL,
				 (__u16)events[n].record_bytes };
	s->id = id;
	set_stamp(&s->stamp, cpu);
	s->period = 1;
	s->raw_bytes = events[n].raw_bytes;
	s->common_type = (__u16)events[n].id;
	s->common_flags = IRQS_OFF;
	s->common_preempt_count = 0;
	s->common_pid = s->stamp.tid;
	copy_words(s, ctx + TAP_COMMON / 4, nr);
	if (events[n].has_text)
		copy_text(s, ctx, nr, events[n].text_word);
	if (events[n].has_pad)
		s->words[nr + (events[n].has_text ? TAP_TEXT / 4 : 0)] = 0;
	bpf_ringbuf_submit(s, wakes(here, events[n].record_bytes));
	return 1;                /* others may record it, too */
}

#define PROGRAM(n)                                              \
	SEC("tp")                                               \
	int tap_##n(void *ctx)                                  \
	{                                                       \
		return take(ctx, n);                            \
	}

PROGRAM(0)
PROGRAM(1)
PROGRAM(2)
PROGRAM(3)

char LICENSE[] SEC("license") = "Dual MIT/GPL";
