// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The scheduler, counted in the kernel.
 *
 * Kernel structs are declared here with the few fields that are read; where they stand is
 * settled when the program is loaded (CO-RE), so the build needs no vmlinux.h.
 */
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "sched_live_types.h"

#define TASK_STATES 0xff         /* include/linux/sched.h: what lies above is not a sleep */

struct task_struct {
	int pid, tgid;
	int exit_state;
	unsigned int __state;
	char comm[LIVE_COMM];
} __attribute__((preserve_access_index));

/* Before Linux 5.14. */
struct task_struct___before_5_14 {
	long state;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct live_totals);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LIVE_TASKS);
	__type(key, __u32);
	__type(value, struct live_task);
} tasks SEC(".maps");

/* [0]: the epoch, which the reader moves on. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} control SEC(".maps");

static __always_inline struct live_totals *totals_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&totals, &zero);
}

/* Room for a task's counts, made if it is new; NULL when the table is full. */
static __always_inline struct live_task *task_of(__u32 tid, struct live_totals *sum)
{
	struct live_task *t = bpf_map_lookup_elem(&tasks, &tid);
	struct live_task fresh = {};

	if (t)
		return t;
	bpf_map_update_elem(&tasks, &tid, &fresh, BPF_NOEXIST);
	t = bpf_map_lookup_elem(&tasks, &tid);
	if (!t)
		sum->no_room++;
	return t;
}

static __always_inline void name(struct live_task *t, struct task_struct *p)
{
	t->tgid = p->tgid;
	bpf_core_read(t->comm, sizeof(t->comm), &p->comm);
}

static __always_inline long state_of(struct task_struct *p)
{
	struct task_struct___before_5_14 *old = (void *)p;

	if (bpf_core_field_exists(p->__state))
		return p->__state;
	return BPF_CORE_READ(old, state);
}

static __always_inline __u32 log2_of(__u64 us)
{
	__u32 n = 0;

#pragma unroll
	for (int shift = 16; shift; shift >>= 1) {
		if (us >> shift) {
			us >>= shift;
			n += shift;
		}
	}
	return n & (LIVE_LOG2 - 1);
}

static __always_inline int woken(struct task_struct *p)
{
	struct live_totals *sum = totals_here();
	struct live_task *t;

	if (!sum)
		return 0;
	sum->wakeups++;
	t = task_of(p->pid, sum);
	if (!t || t->in_ns || t->ready_ns)
		return 0;
	t->ready_ns = bpf_ktime_get_ns();
	t->reason = LIVE_WOKEN;
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *p)
{
	return woken(p);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *p)
{
	return woken(p);
}

static __always_inline void leaves(struct task_struct *p, int preempt, struct live_totals *sum, __u64 now)
{
	struct live_task *t = task_of(p->pid, sum);

	if (!t)
		return;
	if (t->in_ns)
		t->run_ns += now - t->in_ns;
	t->in_ns = 0;
	t->ready_ns = 0;
	name(t, p);
	if (p->exit_state) {
		t->dead = 1;
	} else if (preempt || !(state_of(p) & TASK_STATES)) {
		t->ready_ns = now;
		t->reason = LIVE_THROWN;
	}
}

static __always_inline void starts(struct task_struct *p, struct live_totals *sum, __u64 now)
{
	struct live_task *t = task_of(p->pid, sum);
	__u32 zero = 0, *epoch = bpf_map_lookup_elem(&control, &zero), reason;
	__u64 delay;

	if (!t || !epoch)
		return;
	t->switches++;
	t->in_ns = now;
	t->dead = 0;
	name(t, p);
	if (t->epoch != *epoch) {
		t->epoch = *epoch;
		t->max_ns = 0;
	}
	/* the clock of another CPU may be a little ahead */
	if (!t->ready_ns || t->ready_ns > now)
		return;
	delay = now - t->ready_ns;
	t->ready_ns = 0;
	t->delays++;
	t->delay_ns += delay;
	if (delay > t->max_ns)
		t->max_ns = delay;
	reason = t->reason & 1;
	sum->delays[reason]++;
	sum->delay_ns[reason] += delay;
	sum->log2_us[reason][log2_of(delay / 1000)]++;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, _Bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct live_totals *sum = totals_here();
	__u64 now = bpf_ktime_get_ns();

	if (!sum)
		return 0;
	sum->switches++;
	if (sum->came && sum->came != (__u32)prev->pid + 1ull)
		sum->unseen++;
	sum->came = (__u32)next->pid + 1ull;
	if (prev->pid)
		leaves(prev, preempt, sum, now);
	if (next->pid)
		starts(next, sum, now);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
