/* SPDX-License-Identifier: MIT */
#include "engine/synth.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define NAME_MOST 4096

/* One record under construction. */
struct draft {
	struct perf_event_header header;
	union {
		struct {
			uint32_t pid, tid;
			char comm[16];
		} comm;
		struct {
			uint32_t pid, ppid, tid, ptid;
			uint64_t time;
		} fork;
		struct {
			uint32_t pid, tid;
			uint64_t addr, len, pgoff;
			union {
				struct {
					uint32_t maj, min;
					uint64_t ino, ino_generation;
				};
				struct {
					uint8_t build_id_size, reserved[3];
					uint8_t build_id[20];
				};
			};
			uint32_t prot, flags;
			char filename[NAME_MOST + 8];
		} mmap2;
	};
	uint64_t trailer_room[8];
};

size_t synth_trailer_size(uint64_t sample_type)
{
	static const uint64_t bits[] = { PERF_SAMPLE_TID, PERF_SAMPLE_TIME, PERF_SAMPLE_ID,
					 PERF_SAMPLE_STREAM_ID, PERF_SAMPLE_CPU,
					 PERF_SAMPLE_IDENTIFIER };
	size_t size = 0;

	for (size_t i = 0; i < sizeof(bits) / sizeof(*bits); i++)
		size += sample_type & bits[i] ? 8 : 0;
	return size;
}

/* Close the draft behind `body` bytes (a multiple of 8): zeros for the trailer. */
static int give(const struct synth *s, struct draft *d, size_t body, struct err *err)
{
	size_t trailer = synth_trailer_size(s->sample_type);

	memset((uint8_t *)d + sizeof(d->header) + body, 0, trailer);
	d->header.size = (uint16_t)(sizeof(d->header) + body + trailer);
	return s->sink(s->arg, d, d->header.size, err);
}

/* A task that is gone is nothing to tell; that we can open no more files would hide all that follow. */
static int cannot_look(const char *path, int code, struct err *err)
{
	if (code != EMFILE && code != ENFILE && code != ENOMEM)
		return 0;
	return err_set(err, code, "cannot read %s: %s%s", path, strerror(code),
		       code == EMFILE ? "; raise 'ulimit -Hn'" : "");
}

/* What /proc/PID/status tells of a thread. */
struct task {
	pid_t pid, ppid, tid;
	char comm[16];
};

/* 1: here it is; 0: it is gone. */
static int read_task(const struct synth *s, pid_t pid, pid_t tid, struct task *task, struct err *err)
{
	char path[256], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%d/task/%d/status", s->proc, pid, tid);
	file = fopen(path, "re");
	if (!file)
		return cannot_look(path, errno, err);
	memset(task, 0, sizeof(*task));
	task->tid = tid;
	while (fgets(line, sizeof(line), file)) {
		if (str_starts(line, "Name:")) {
			const char *name = line + 5 + strspn(line + 5, " \t");

			snprintf(task->comm, sizeof(task->comm), "%.*s", (int)strcspn(name, "\n"), name);
		}
		sscanf(line, "Tgid: %d", &task->pid);
		sscanf(line, "PPid: %d", &task->ppid);
	}
	fclose(file);
	return task->pid != 0;
}

static int give_task(const struct synth *s, const struct task *task, struct err *err)
{
	bool main_thread = task->tid == task->pid;
	pid_t parent = main_thread ? task->ppid : task->pid;
	struct draft d = { .header = { .type = PERF_RECORD_FORK,
				       /* "not to be given its parent's maps" */
				       .misc = PERF_RECORD_MISC_FORK_EXEC } };
	int r;

	d.fork.pid = (uint32_t)task->pid;
	d.fork.tid = (uint32_t)task->tid;
	d.fork.ppid = d.fork.ptid = (uint32_t)parent;
	r = give(s, &d, sizeof(d.fork), err);
	if (r < 0)
		return r;
	memset(&d.header, 0, sizeof(d.header));
	d.header.type = PERF_RECORD_COMM;
	d.comm.pid = (uint32_t)task->pid;
	d.comm.tid = (uint32_t)task->tid;
	/* Names shorter than 8 take one word, as the kernel's own COMM records do. */
	memset(d.comm.comm, 0, sizeof(d.comm.comm));
	memcpy(d.comm.comm, task->comm, sizeof(task->comm));
	return give(s, &d, 8 + (strlen(task->comm) / 8 + 1) * 8, err);
}

/* A line of /proc/PID/maps (proc(5)). -EINVAL for what is not one. */
struct map_line {
	uint64_t start, end, pgoff, ino;
	uint32_t maj, min, prot, flags;
	const char *name;
};

static int parse_map_line(char *line, struct map_line *m)
{
	char perms[5] = "";
	int at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 "%n", &m->start,
		   &m->end, perms, &m->pgoff, &m->maj, &m->min, &m->ino, &at) < 7 || !at ||
	    m->end <= m->start)
		return -EINVAL;
	m->prot = (perms[0] == 'r' ? PROT_READ : 0) | (perms[1] == 'w' ? PROT_WRITE : 0) |
		  (perms[2] == 'x' ? PROT_EXEC : 0);
	m->flags = perms[3] == 's' ? MAP_SHARED : MAP_PRIVATE;
	m->name = line + at + strspn(line + at, " ");
	return 0;
}

/* The kernel writes a newline in a name as \012 there, but not in its records. */
static size_t copy_name(char *to, const char *from)
{
	size_t n = 0;

	while (*from && n < NAME_MOST - 1) {
		if (str_starts(from, "\\012")) {
			to[n++] = '\n';
			from += 4;
		} else {
			to[n++] = *from++;
		}
	}
	return n;
}

static int give_map(const struct synth *s, pid_t pid, const struct map_line *m, bool is_last,
		    struct err *err)
{
	struct draft d;
	size_t len;

	memset(&d.header, 0, sizeof(d.header));
	memset(&d.mmap2, 0, offsetof(struct draft, mmap2.filename) - offsetof(struct draft, mmap2));
	d.header.type = PERF_RECORD_MMAP2;
	d.header.misc = PERF_RECORD_MISC_USER;
	if (!(m->prot & PROT_EXEC))
		d.header.misc |= PERF_RECORD_MISC_MMAP_DATA;
	if (is_last)
		d.header.misc |= PERF_RECORD_MISC_PROC_MAP_PARSE_TIMEOUT;
	d.mmap2.pid = d.mmap2.tid = (uint32_t)pid;
	d.mmap2.addr = m->start;
	d.mmap2.len = m->end - m->start;
	d.mmap2.pgoff = m->pgoff;
	d.mmap2.prot = m->prot;
	d.mmap2.flags = m->flags;
	if (s->build_ids)
		d.mmap2.build_id_size = buildids_of_file(s->buildids, pid, m->name, m->maj, m->min,
							 m->ino, d.mmap2.build_id);
	if (d.mmap2.build_id_size) {
		d.header.misc |= PERF_RECORD_MISC_MMAP_BUILD_ID;
	} else {
		memset(d.mmap2.build_id, 0, sizeof(d.mmap2.build_id));
		d.mmap2.maj = m->maj;
		d.mmap2.min = m->min;
		d.mmap2.ino = m->ino;
	}
	len = copy_name(d.mmap2.filename, *m->name ? m->name : "//anon");
	memset(d.mmap2.filename + len, 0, 8);
	buildids_note(s->buildids, &d);
	return give(s, &d, offsetof(struct draft, mmap2.filename) - sizeof(d.header) +
		    (len / 8 + 1) * 8, err);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int give_maps(const struct synth *s, pid_t pid, pid_t tid, struct err *err)
{
	char path[256], *line = NULL;
	int64_t until = s->map_ms ? now_ms() + s->map_ms : INT64_MAX;
	bool is_late = false;
	size_t room = 0;
	ssize_t n;
	FILE *file;
	int r = 0;

	/* By way of a thread that is alive: the main one may have ended before others. */
	snprintf(path, sizeof(path), "%s/%d/task/%d/maps", s->proc, pid, tid);
	file = fopen(path, "re");
	if (!file && (errno == EACCES || errno == EPERM) && s->closed)
		++*s->closed;
	if (!file)
		return cannot_look(path, errno, err);
	while (r == 0 && !is_late && (n = getline(&line, &room, file)) > 0) {
		struct map_line m;

		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (parse_map_line(line, &m) < 0 || !(m.prot & PROT_EXEC || s->mmap_data))
			continue;
		/* the last record bears the mark of it, so there is one */
		is_late = s->map_ms && now_ms() > until;
		r = give_map(s, pid, &m, is_late, err);
	}
	if (is_late && s->cut)
		++*s->cut;
	free(line);
	fclose(file);
	return r;
}

/* Kernel threads have no maps: an empty file is soon read. */
static int give_process(const struct synth *s, pid_t pid, const struct thread_id *threads,
			size_t nr, struct err *err)
{
	pid_t alive = 0;
	int r = 0;

	for (size_t i = 0; i < nr && r == 0; i++) {
		struct task task;

		r = read_task(s, pid, threads[i].tid, &task, err);
		if (r <= 0)
			continue;
		r = give_task(s, &task, err);
		if (!alive || threads[i].tid != pid)
			alive = threads[i].tid;
	}
	return r < 0 || !alive || s->no_maps ? r : give_maps(s, pid, alive, err);
}

int synth_threads(const struct synth *s, const struct thread_id *threads, size_t nr,
		  struct err *err)
{
	int r = 0;

	for (size_t i = 0, n; i < nr && r == 0; i += n) {
		for (n = 1; i + n < nr && threads[i + n].pid == threads[i].pid; n++)
			;
		r = give_process(s, threads[i].pid, threads + i, n, err);
	}
	return r;
}

int synth_all_tasks(const struct synth *s, struct err *err)
{
	DIR *dir = opendir(s->proc);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return err_set(err, errno, "cannot read %s: %s", s->proc, strerror(errno));
	while (r == 0 && (entry = readdir(dir))) {
		thread_vec threads = { 0 };

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		r = task_threads(atoi(entry->d_name), &threads);
		r = r < 0 ? cannot_look(s->proc, -r, err) : synth_threads(s, threads.v, threads.nr, err);
		vec_release(&threads);
	}
	closedir(dir);
	return r;
}
