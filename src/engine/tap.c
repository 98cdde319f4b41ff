/* SPDX-License-Identifier: MIT */
#include "engine/tap.h"

#include <errno.h>

#ifndef SONDE_BPF

struct tap *tap_open(const struct counters *counters, uint64_t bytes, struct err *err)
{
	(void)counters;
	(void)bytes;
	err_set(err, ENOSYS, "this sonde was built without BPF (clang and libbpf were missing)");
	return NULL;
}

void tap_close(struct tap *tap)
{
	(void)tap;
}

bool tap_takes(const struct tap *tap, size_t event)
{
	(void)tap;
	(void)event;
	return false;
}

void tap_switch(struct tap *tap, bool on)
{
	(void)tap;
	(void)on;
}

int tap_fd(const struct tap *tap, size_t cpu)
{
	(void)tap;
	(void)cpu;
	return -1;
}

uint64_t tap_written(const struct tap *tap, size_t cpu)
{
	(void)tap;
	(void)cpu;
	return 0;
}

uint64_t tap_taken(const struct tap *tap, size_t cpu)
{
	(void)tap;
	(void)cpu;
	return 0;
}

size_t tap_read(struct tap *tap, size_t cpu, uint64_t until, uint8_t *to, size_t room)
{
	(void)tap;
	(void)cpu;
	(void)until;
	(void)to;
	(void)room;
	return 0;
}

uint64_t tap_lost(struct tap *tap, size_t event, size_t cpu)
{
	(void)tap;
	(void)event;
	(void)cpu;
	return 0;
}

uint64_t tap_missed(const struct tap *tap, size_t event)
{
	(void)tap;
	(void)event;
	return 0;
}

#else

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/bpf_words.h"
#include "engine/tap_types.h"
#include "engine/tracefs.h"

/* tap.bpf.c, compiled, as bytes. */
static const unsigned char program[] __attribute__((aligned(8))) = {
#include "tap.skel.h"
};

/*
 * Hit with interrupts off, and often: kernel/sched/core.c and fair.c, under the run queue's lock.
 * Not sched_wakeup and sched_waking: where a task wakes itself (try_to_wake_up, p == current)
 * interrupts are on, and what comes in one while the program runs is passed over. That was one
 * event in a million.
 */
static const char *const hot[] = { "sched:sched_switch", "sched:sched_stat_runtime" };

/* struct sample in tap.bpf.c up to the fields. */
#define SAMPLE_HEAD 60
#define RAW_AT 52

struct tap_ring {
	int fd;
	uint64_t *tail;                  /* ours, a page */
	uint64_t *head;                  /* the kernel's page, with the data behind it, twice */
	uint64_t bytes;
};

struct tap {
	struct bpf_object *object;
	const struct counters *counters;
	size_t events[TAP_EVENTS];
	int programs[TAP_EVENTS];
	unsigned nr_events, nr_possible;
	struct tap_cpu *per_cpu;
	int cpus_fd;
	volatile uint32_t *on;           /* the programs' own */
	uint64_t misses[TAP_EVENTS];     /* counted by the kernel when it was switched on */
	uint64_t missed[TAP_EVENTS];     /* up to when it was last switched off */
	struct tap_ring *rings;          /* as counters->cpus */
};

/* --- which ---------------------------------------------------------------------- */

/* From where on the kernel counts programs that it passes over (trace_call_bpf). */
static bool counts_misses(void)
{
	struct utsname uts;
	int major, minor;

	return uname(&uts) == 0 && sscanf(uts.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 7));
}

/* Pids in samples are those of our namespace, the program's are the machine's. */
static bool in_first_pid_namespace(void)
{
	const ino_t first = 0xEFFFFFFC;  /* PROC_PID_INIT_INO, include/linux/proc_ns.h */
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == first;
}

static bool is_led(const struct event_list *l, size_t index)
{
	for (size_t i = 0; i < l->nr; i++)
		if (i != index && l->v[i].leader == index)
			return true;
	return l->v[index].leader != index;
}

static bool is_for_us(const struct event_list *l, size_t index)
{
	const struct event *e = &l->v[index];
	const struct perf_event_attr *attr = &e->attr;
	bool is_hot = false;

	for (size_t i = 0; i < sizeof(hot) / sizeof(*hot); i++)
		is_hot |= strcmp(e->name, hot[i]) == 0;
	return is_hot && attr->type == PERF_TYPE_TRACEPOINT && attr->sample_type == TAP_SAMPLE_TYPE &&
	       attr->sample_period == 1 && !attr->freq && !attr->write_backward && !e->filter &&
	       !attr->exclude_kernel && attr->use_clockid && attr->clockid == CLOCK_MONOTONIC &&
	       !is_led(l, index);
}

/* What the program is to copy; false for a format that is not like that. */
static bool describe(const struct event *e, struct tap_event *out)
{
	const char *tracefs = tracefs_dir_quiet(), *colon = strchr(e->name, ':');
	struct tracefs_format format;
	char system[64];
	unsigned end = TAP_COMMON;
	bool good;

	snprintf(system, sizeof(system), "%.*s", (int)(colon - e->name), e->name);
	if (!tracefs || tracefs_format_read(tracefs, system, colon + 1, &format, NULL) < 0)
		return false;
	memset(out, 0, sizeof(*out));
	good = format.nr > 0;
	for (uint32_t i = 0; i < format.nr; i++) {
		const struct tracefs_field *f = &format.v[i];

		if (f->offset + f->size > end)
			end = f->offset + f->size;
		if (!f->is_dynamic)
			continue;
		good &= f->size == 4 && f->offset >= TAP_COMMON && f->offset % 4 == 0 && !out->has_text &&
			str_starts(f->type, "__data_loc");
		out->has_text = 1;
		out->text_word = (f->offset - TAP_COMMON) / 4;
	}
	tracefs_format_release(&format);
	if (!good || end % 4 || (end - TAP_COMMON) / 4 > TAP_WORDS)
		return false;
	out->id = (uint32_t)e->attr.config;
	out->words = (end - TAP_COMMON) / 4;
	end += out->has_text ? TAP_TEXT : 0;
	out->raw_bytes = ((end + 4 + 7) & ~7u) - 4;
	out->has_pad = out->raw_bytes > end;
	out->record_bytes = RAW_AT + out->raw_bytes;
	return true;
}

/* --- opening -------------------------------------------------------------------- */

static int explain(int code, const char *what, struct err *err)
{
	return err_set(err, code, "cannot %s the BPF program: %s", what, strerror(code));
}

static struct bpf_map *map_of(const struct tap *t, const char *end)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, t->object)
		if (str_ends(bpf_map__name(map), end))
			return map;
	return NULL;
}

static int load(struct tap *t, const struct tap_event *descriptions, uint64_t bytes, struct err *err)
{
	struct { struct tap_event events[TAP_EVENTS]; __u64 wake_bytes; } constants = {
		.wake_bytes = ring_wakeup_bytes(bytes),
	};
	struct bpf_map *rodata, *rings, *on;
	void *at;
	struct bpf_program *p;
	unsigned n = 0;
	int inner, ret;

	t->object = bpf_object__open_mem(program, sizeof(program), NULL);
	if (!t->object)
		return explain(errno, "read", err);
	rodata = map_of(t, ".rodata");
	rings = map_of(t, "rings");
	memcpy(constants.events, descriptions, t->nr_events * sizeof(*descriptions));
	if (!rodata || !rings || bpf_map__set_initial_value(rodata, &constants, sizeof(constants)) < 0)
		return explain(EINVAL, "read", err);
	bpf_object__for_each_program(p, t->object)
		bpf_program__set_autoload(p, n++ < t->nr_events);
	inner = bpf_map_create(BPF_MAP_TYPE_RINGBUF, NULL, 0, 0, (uint32_t)sysconf(_SC_PAGESIZE), NULL);
	if (inner < 0)
		return explain(errno, "make a ring for", err);
	ret = bpf_map__set_inner_map_fd(rings, inner);
	if (ret == 0)
		ret = bpf_map__set_max_entries(rings, t->nr_possible);
	if (ret == 0)
		ret = bpf_object__load(t->object);
	close(inner);
	if (ret < 0)
		return explain(-ret, "load", err);
	t->cpus_fd = bpf_map__fd(map_of(t, "cpus"));
	on = map_of(t, ".bss");
	/* the array of the programs' variables, of which `on` is the only one */
	at = on ? mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
		       bpf_map__fd(on), 0) : MAP_FAILED;
	if (at == MAP_FAILED)
		return explain(errno, "map the variables of", err);
	t->on = at;
	n = 0;
	bpf_object__for_each_program(p, t->object)
		if (n < t->nr_events)
			t->programs[n++] = bpf_program__fd(p);
	return 0;
}

static int open_ring(struct tap_ring *ring, uint64_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;

	ring->fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, NULL, 0, 0, (uint32_t)bytes, NULL);
	if (ring->fd < 0)
		return -errno;
	ring->bytes = bytes;
	/* kernel/bpf/ringbuf.c: the reader's page, the writer's, and the data twice in a row */
	p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	ring->tail = p;
	p = mmap(NULL, page + 2 * bytes, PROT_READ, MAP_SHARED, ring->fd, (off_t)page);
	if (p == MAP_FAILED)
		return -errno;
	ring->head = p;
	return 0;
}

static int open_rings(struct tap *t, uint64_t bytes, struct err *err)
{
	const struct counters *c = t->counters;
	int outer = bpf_map__fd(map_of(t, "rings"));

	for (size_t i = 0; i < c->cpus.nr; i++) {
		uint32_t cpu = (uint32_t)c->cpus.v[i];
		int ret;

		if (!c->rings[i].page)
			continue;
		ret = open_ring(&t->rings[i], bytes);
		if (ret == 0 && bpf_map_update_elem(outer, &cpu, &t->rings[i].fd, BPF_ANY) < 0)
			ret = -errno;
		if (ret < 0)
			return explain(-ret, "make a ring for", err);
	}
	return 0;
}

/* Whose samples they are, by CPU. */
static int set_ids(struct tap *t, struct err *err)
{
	const struct counters *c = t->counters;
	uint32_t zero = 0;

	for (size_t i = 0; i < c->cpus.nr; i++)
		for (unsigned n = 0; n < t->nr_events; n++)
			if (t->rings[i].fd >= 0)
				t->per_cpu[c->cpus.v[i]].ids[n] = counters_id(c, t->events[n], i);
	if (bpf_map_update_elem(t->cpus_fd, &zero, t->per_cpu, BPF_ANY) < 0)
		return explain(errno, "set up", err);
	return 0;
}

/* By any one of an event's counters the program is at the tracepoint, for all CPUs. */
static int attach(const struct tap *t, struct err *err)
{
	const struct counters *c = t->counters;

	for (unsigned n = 0; n < t->nr_events; n++) {
		int fd = -1;

		for (size_t i = 0; i < c->cpus.nr && fd < 0; i++)
			fd = *counters_fd(c, t->events[n], i, 0);
		if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, t->programs[n]) < 0)
			return explain(errno, "attach", err);
	}
	return 0;
}

static int choose(struct tap *t, struct tap_event *descriptions, struct err *err)
{
	const struct event_list *l = t->counters->events;
	bool wanted = false;

	for (size_t i = 0; i < l->nr && t->nr_events < TAP_EVENTS; i++) {
		if (!is_for_us(l, i))
			continue;
		wanted = true;
		if (describe(&l->v[i], &descriptions[t->nr_events]))
			t->events[t->nr_events++] = i;
	}
	if (!wanted)
		return err_set(err, ENOENT, "none of the events is one for it");
	if (!t->nr_events)
		return err_set(err, ENOTSUP, "the events' fields are not of the known kind");
	if (!counts_misses())
		return err_set(err, ENOTSUP, "before Linux 6.7 not all that it loses is counted");
	if (!in_first_pid_namespace())
		return err_set(err, ENOTSUP, "in a pid namespace it would see other pids");
	return 0;
}

struct tap *tap_open(const struct counters *counters, uint64_t bytes, struct err *err)
{
	struct tap *t = mem_zalloc(sizeof(*t));
	struct tap_event descriptions[TAP_EVENTS] = { 0 };
	int ret, nr_possible = libbpf_num_possible_cpus();

	bpf_words_to_log();
	t->counters = counters;
	t->rings = mem_zalloc((counters->cpus.nr + 1) * sizeof(*t->rings));
	for (size_t i = 0; i < counters->cpus.nr; i++)
		t->rings[i].fd = -1;
	t->nr_possible = nr_possible > 0 ? (unsigned)nr_possible : 1;
	t->per_cpu = mem_zalloc(t->nr_possible * sizeof(*t->per_cpu));
	ret = choose(t, descriptions, err);
	for (size_t i = 0; i < counters->cpus.nr && ret == 0; i++)
		if (counters->cpus.v[i] < 0 || (unsigned)counters->cpus.v[i] >= t->nr_possible)
			ret = explain(ENODEV, "place", err);
	if (ret == 0)
		ret = load(t, descriptions, bytes, err);
	if (ret == 0)
		ret = open_rings(t, bytes, err);
	if (ret == 0)
		ret = set_ids(t, err);
	if (ret == 0)
		ret = attach(t, err);
	if (ret == 0)
		return t;
	tap_close(t);
	return NULL;
}

void tap_close(struct tap *tap)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!tap)
		return;
	for (size_t i = 0; i < tap->counters->cpus.nr; i++) {
		struct tap_ring *ring = &tap->rings[i];

		if (ring->tail)
			munmap(ring->tail, page);
		if (ring->head)
			munmap(ring->head, page + 2 * ring->bytes);
		if (ring->fd >= 0)
			close(ring->fd);
	}
	if (tap->on)
		munmap((void *)(uintptr_t)tap->on, page);
	bpf_object__close(tap->object);
	free(tap->rings);
	free(tap->per_cpu);
	free(tap);
}

/* --- while it runs --------------------------------------------------------------- */

static int index_of(const struct tap *tap, size_t event)
{
	for (unsigned n = 0; n < tap->nr_events; n++)
		if (tap->events[n] == event)
			return (int)n;
	return -1;
}

bool tap_takes(const struct tap *tap, size_t event)
{
	return tap && index_of(tap, event) >= 0;
}

/* Passed over so far, whether it was on or not. */
static uint64_t misses(const struct tap *tap, unsigned n)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(tap->programs[n], &info, &size) < 0 ? 0 : info.recursion_misses;
}

/*
 * By a word in memory, and counted from here to there: the kernel keeps programs from running
 * while bpf(2) looks at a map, and what came meanwhile on that CPU would be a miss
 * (bpf_disable_instrumentation, kernel/bpf/syscall.c).
 */
void tap_switch(struct tap *tap, bool on)
{
	if (!tap || (*tap->on != 0) == on)
		return;
	if (!on)
		*tap->on = 0;
	for (unsigned n = 0; n < tap->nr_events; n++)
		if (on)
			tap->misses[n] = misses(tap, n);
		else
			tap->missed[n] += misses(tap, n) - tap->misses[n];
	if (on)
		*tap->on = 1;
}

int tap_fd(const struct tap *tap, size_t cpu)
{
	return tap->rings[cpu].fd;
}

uint64_t tap_written(const struct tap *tap, size_t cpu)
{
	const struct tap_ring *ring = &tap->rings[cpu];

	return ring->head ? __atomic_load_n(ring->head, __ATOMIC_ACQUIRE) : 0;
}

uint64_t tap_taken(const struct tap *tap, size_t cpu)
{
	return tap->rings[cpu].tail ? *tap->rings[cpu].tail : 0;
}

size_t tap_read(struct tap *tap, size_t cpu, uint64_t until, uint8_t *to, size_t room)
{
	struct tap_ring *ring = &tap->rings[cpu];
	const uint8_t *data = (const uint8_t *)ring->head + (size_t)sysconf(_SC_PAGESIZE);
	uint64_t at = ring->head ? *ring->tail : until;
	size_t size = 0;

	while (at < until) {
		const uint8_t *p = data + (at & (ring->bytes - 1));
		uint32_t word = __atomic_load_n((const uint32_t *)(const void *)p, __ATOMIC_ACQUIRE);
		uint32_t len = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		/* still being written, which takes no longer than the program runs */
		if (word & BPF_RINGBUF_BUSY_BIT || len > room - size)
			break;
		if (!(word & BPF_RINGBUF_DISCARD_BIT)) {
			memcpy(to + size, p + BPF_RINGBUF_HDR_SZ, len);
			size += len;
		}
		at += (len + BPF_RINGBUF_HDR_SZ + 7) & ~(uint64_t)7;
	}
	if (ring->tail)
		__atomic_store_n(ring->tail, at, __ATOMIC_RELEASE);
	return size;
}

uint64_t tap_lost(struct tap *tap, size_t event, size_t cpu)
{
	int n = index_of(tap, event), id = tap->counters->cpus.v[cpu];
	uint32_t zero = 0;

	if (n < 0 || bpf_map_lookup_elem(tap->cpus_fd, &zero, tap->per_cpu) < 0)
		return 0;
	return tap->per_cpu[id].lost[n];
}

uint64_t tap_missed(const struct tap *tap, size_t event)
{
	int n = index_of(tap, event);

	return n < 0 ? 0 : tap->missed[n] + (*tap->on ? misses(tap, (unsigned)n) - tap->misses[n] : 0);
}

#endif
