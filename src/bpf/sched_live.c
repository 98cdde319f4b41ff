/* SPDX-License-Identifier: MIT */
#include "bpf/sched_live.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

#define INSTEAD "sonde sched record, then sonde sched latency, goes without"

#ifndef SONDE_BPF

bool sched_live_is_built(void)
{
	return false;
}

int sched_live_open(struct sched_live **out, struct err *err)
{
	(void)out;
	return err_set(err, ENOSYS, "this sonde was built without BPF (clang and libbpf were missing); "
		       INSTEAD);
}

void sched_live_close(struct sched_live *live)
{
	(void)live;
}

int sched_live_read(struct sched_live *live, struct live_snapshot *out, struct err *err)
{
	(void)live;
	(void)out;
	return err_set(err, ENOSYS, "this sonde was built without BPF");
}

#else

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "engine/bpf_words.h"
#include "engine/rights.h"

/* sched_live.bpf.c, compiled, as bytes. */
static const unsigned char program[] __attribute__((aligned(8))) = {
#include "sched_live.skel.h"
};

#define MOST_LINKS 3
#define MOST_BETWEEN 4
#define MOST_TRIES 20

struct sched_live {
	struct bpf_object *object;
	struct bpf_link *links[MOST_LINKS];
	int totals_fd, tasks_fd, control_fd;
	unsigned nr_links, nr_cpus;
	uint32_t epoch;
	struct live_totals *per_cpu;
};

bool sched_live_is_built(void)
{
	return true;
}

static int explain(int code, const char *what, struct err *err)
{
	bool bpf = rights_hold(CAP_BPF) || rights_hold(CAP_SYS_ADMIN), perfmon = rights_hold_perfmon();

	if ((code == EPERM || code == EACCES) && bpf && perfmon)
		return err_set(err, code, "cannot %s the BPF program: %s, though the rights are there: a "
			       "seccomp profile, a security module or a user namespace forbids it; "
			       INSTEAD, what, strerror(code));
	if (code == EPERM || code == EACCES)
		return err_set(err, code, "cannot %s the BPF program: this process lacks %s; run it as root, "
			       "or first `sudo setcap cap_bpf,cap_perfmon+ep $(command -v sonde)`; "
			       INSTEAD, what,
			       bpf ? "CAP_PERFMON" : perfmon ? "CAP_BPF" : "CAP_BPF and CAP_PERFMON");
	if (code == ENOSYS)
		return err_set(err, code, "cannot %s the BPF program: there is no bpf() here: a kernel "
			       "built without CONFIG_BPF_SYSCALL, or a sandbox that hides it; " INSTEAD,
			       what);
	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
		return err_set(err, ENOTSUP, "cannot %s the BPF program: this kernel does not describe itself "
			       "(/sys/kernel/btf/vmlinux, CONFIG_DEBUG_INFO_BTF); " INSTEAD, what);
	return err_set(err, code, "cannot %s the BPF program: %s (-vv tells more); " INSTEAD, what,
		       strerror(code));
}

static int attach(struct sched_live *live, struct err *err)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, live->object) {
		if (live->nr_links == MOST_LINKS)
			break;
		live->links[live->nr_links] = bpf_program__attach(p);
		if (!live->links[live->nr_links])
			return explain(errno, "attach", err);
		live->nr_links++;
	}
	return 0;
}

static int open_program(struct sched_live *live, struct err *err)
{
	int nr_cpus, r;

	live->object = bpf_object__open_mem(program, sizeof(program), NULL);
	if (!live->object)
		return explain(errno, "read", err);
	r = bpf_object__load(live->object);
	if (r < 0)
		return explain(-r, "load", err);
	live->totals_fd = bpf_object__find_map_fd_by_name(live->object, "totals");
	live->tasks_fd = bpf_object__find_map_fd_by_name(live->object, "tasks");
	live->control_fd = bpf_object__find_map_fd_by_name(live->object, "control");
	nr_cpus = libbpf_num_possible_cpus();
	if (nr_cpus <= 0)
		return explain(-nr_cpus, "size", err);
	live->nr_cpus = (unsigned)nr_cpus;
	live->per_cpu = mem_zalloc(live->nr_cpus * sizeof(*live->per_cpu));
	return attach(live, err);
}

int sched_live_open(struct sched_live **out, struct err *err)
{
	struct sched_live *live = mem_zalloc(sizeof(*live));
	int r;

	bpf_words_to_log();
	r = open_program(live, err);
	if (r < 0)
		sched_live_close(live);
	else
		*out = live;
	return r;
}

void sched_live_close(struct sched_live *live)
{
	if (!live)
		return;
	while (live->nr_links)
		bpf_link__destroy(live->links[--live->nr_links]);
	bpf_object__close(live->object);
	free(live->per_cpu);
	free(live);
}

static int read_totals(struct sched_live *live, struct live_totals *out, struct err *err)
{
	uint32_t zero = 0;

	memset(out, 0, sizeof(*out));
	if (bpf_map_lookup_elem(live->totals_fd, &zero, live->per_cpu) < 0)
		return err_set(err, errno, "cannot read the BPF program's counts: %s", strerror(errno));
	/* all of it is sums of one type */
	for (unsigned cpu = 0; cpu < live->nr_cpus; cpu++) {
		const unsigned long long *from = (const void *)&live->per_cpu[cpu];
		unsigned long long *to = (void *)out;

		for (size_t i = 0; i < sizeof(*out) / sizeof(*to); i++)
			to[i] += from[i];
	}
	return 0;
}

static uint64_t kernel_count(void)
{
	FILE *f = fopen("/proc/stat", "re");
	char *line = NULL;
	uint64_t n = 0;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0)
		if (sscanf(line, "ctxt %" SCNu64, &n) == 1)
			break;
	free(line);
	if (f)
		fclose(f);
	return n;
}

/*
 * Both counts of one moment: who reads them may be thrown out between the two readings,
 * which shows by what the kernel counts meanwhile.
 */
static int read_counts(struct sched_live *live, struct live_snapshot *out, struct err *err)
{
	uint64_t before, after;
	int r;

	for (int tries = 0;; tries++) {
		before = kernel_count();
		r = read_totals(live, &out->totals, err);
		after = kernel_count();
		if (r < 0 || after - before <= MOST_BETWEEN || tries == MOST_TRIES)
			break;
	}
	out->kernel_switches = before + (after - before) / 2;
	return r;
}

static void read_tasks(struct sched_live *live, struct live_snapshot *out)
{
	VEC(struct live_task_counts) tasks = { 0 };
	VEC(uint32_t) dead = { 0 };
	uint32_t key, *last = NULL;
	struct live_task task;

	while (tasks.nr < LIVE_TASKS && bpf_map_get_next_key(live->tasks_fd, last, &key) == 0) {
		last = &key;
		if (bpf_map_lookup_elem(live->tasks_fd, &key, &task) < 0)
			continue;
		if (task.dead)
			*vec_push(&dead) = key;
		/* of an earlier epoch: nothing came to an end in this one */
		if (task.epoch != live->epoch)
			task.max_ns = 0;
		*vec_push(&tasks) = (struct live_task_counts){ key, task };
	}
	for (size_t i = 0; i < dead.nr; i++)
		bpf_map_delete_elem(live->tasks_fd, &dead.v[i]);
	vec_release(&dead);
	out->tasks = tasks.v;
	out->nr_tasks = (uint32_t)tasks.nr;
}

int sched_live_read(struct sched_live *live, struct live_snapshot *out, struct err *err)
{
	uint32_t zero = 0, next = live->epoch + 1;
	int r = read_counts(live, out, err);

	out->tasks = NULL;
	out->nr_tasks = 0;
	if (r < 0)
		return r;
	read_tasks(live, out);
	live->epoch = next;
	bpf_map_update_elem(live->control_fd, &zero, &next, BPF_ANY);
	return 0;
}

#endif

void live_snapshot_release(struct live_snapshot *snapshot)
{
	free(snapshot->tasks);
	memset(snapshot, 0, sizeof(*snapshot));
}
