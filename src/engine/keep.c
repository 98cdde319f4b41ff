/* SPDX-License-Identifier: MIT */
#include "engine/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "symbols/cache.h"
#include "symbols/jit_file.h"
#include "symbols/symbols.h"

/* Descriptors held at most, of what the process may have. */
#define HELD_SHARE 4
#define HELD_MOST 1024

struct held {
	char *path;
	int fd;
	uint32_t pid;
	bool elsewhere;                  /* the path never led to it */
	bool has_id;                     /* the recording has its build-id already */
	bool is_dump;
};

/* How far a map had grown when all samples before a time had been seen. */
struct mark {
	uint64_t at, from_ns;
};

struct jit_process {
	uint32_t pid;
	int fd;
	bool elsewhere;
	uint64_t size, last_ns;          /* at the last tick */
	VEC(struct mark) marks;
};

struct keep {
	struct map64 seen;               /* hash of path and identity */
	struct map64 by_pid;             /* pid -> jits + 1 */
	VEC(struct held) held;
	VEC(struct jit_process) jits;
	size_t most;
};

struct keep *keep_new(void)
{
	struct keep *k = mem_zalloc(sizeof(*k));
	struct rlimit limit;

	k->most = HELD_MOST;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / HELD_SHARE < k->most)
		k->most = limit.rlim_cur / HELD_SHARE;
	return k;
}

void keep_free(struct keep *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->held.nr; i++) {
		close(k->held.v[i].fd);
		free(k->held.v[i].path);
	}
	for (size_t i = 0; i < k->jits.nr; i++) {
		if (k->jits.v[i].fd >= 0)
			close(k->jits.v[i].fd);
		vec_release(&k->jits.v[i].marks);
	}
	vec_release(&k->held);
	vec_release(&k->jits);
	map64_release(&k->seen);
	map64_release(&k->by_pid);
	free(k);
}

/* --- binaries ------------------------------------------------------------------- */

/* A mapping of executable memory of a process, of either record. */
struct seen {
	uint32_t pid;
	uint64_t start, end, ino;        /* ino 0: not known */
	uint8_t build_id_size, build_id[20];
	const char *path;
};

static bool take(const void *record, struct seen *out)
{
	const struct perf_event_header *header = record;
	const struct raw_mmap2 *m = record;
	const struct raw_mmap *m1 = record;

	if (header->misc & PERF_RECORD_MISC_MMAP_DATA ||
	    (header->misc & PERF_RECORD_MISC_CPUMODE_MASK) != PERF_RECORD_MISC_USER)
		return false;
	*out = (struct seen){ .pid = m->pid, .start = m->addr, .end = m->addr + m->len };
	if (header->type == PERF_RECORD_MMAP) {
		out->path = m1->filename;
		return true;
	}
	if (header->type != PERF_RECORD_MMAP2 || !(m->prot & PROT_EXEC))
		return false;
	out->path = m->filename;
	if (!(header->misc & PERF_RECORD_MISC_MMAP_BUILD_ID)) {
		out->ino = m->ino;
	} else if (m->build_id_size <= 20) {
		out->build_id_size = m->build_id_size;
		memcpy(out->build_id, m->build_id, m->build_id_size);
	}
	return true;
}

static int id_of(int fd, uint8_t build_id[20])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return build_id_read(path, build_id);
}

/* Build-ids in records are filled up to 20 bytes with zeros. */
static bool same_id(const struct seen *s, const uint8_t *id, int size)
{
	static const uint8_t zeros[20];

	return size > 0 && size <= s->build_id_size && memcmp(id, s->build_id, (size_t)size) == 0 &&
	       memcmp(s->build_id + size, zeros, (size_t)(s->build_id_size - size)) == 0;
}

/* Whether the open file is the one that was mapped, as far as the record tells. */
static bool is_it(const struct seen *s, int fd)
{
	uint8_t id[20];
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	if (s->build_id_size)
		return same_id(s, id, id_of(fd, id));
	return !s->ino || st.st_ino == s->ino;
}

/* In the process's own view: the mapping itself, else the path below its root. */
static int open_there(const struct seen *s)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/map_files/%llx-%llx", s->pid,
		 (unsigned long long)s->start, (unsigned long long)s->end);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && is_it(s, fd))
		return fd;
	if (fd >= 0)
		close(fd);
	fd = jit_file_open_binary(s->pid, s->path);
	if (fd < 0 || is_it(s, fd))
		return fd;
	close(fd);
	return -ESTALE;
}

static void hold(struct keep *k, const struct seen *s, int fd, bool elsewhere, bool is_dump)
{
	if (k->held.nr >= k->most) {
		close(fd);
		return;
	}
	*vec_push(&k->held) = (struct held){
		.path = mem_strdup(s->path), .fd = fd, .pid = s->pid, .elsewhere = elsewhere,
		.has_id = s->build_id_size > 0, .is_dump = is_dump,
	};
}

static bool copy_by_id(const char *path, int fd, const uint8_t *id, int size)
{
	char name[41];
	int ret;

	cache_build_id_name(name, id, (uint8_t)size);
	ret = cache_copy(CACHE_FILES, name, fd);
	if (ret < 0)
		log_debug("cannot keep a copy of '%s': %s", path, strerror(-ret));
	else
		log_info("kept a copy of '%s', which a report would not find", path);
	return ret == 0;
}

static void copy_now(struct keep *k, const struct seen *s, int fd)
{
	uint8_t id[20];
	int size = id_of(fd, id);

	if (size <= 0) {
		hold(k, s, fd, true, false);     /* it has no other name than its path and time */
		return;
	}
	copy_by_id(s->path, fd, id, size);
	close(fd);
}

static void note_file(struct keep *k, const struct seen *s)
{
	uint64_t id = s->build_id_size ? hash_bytes(s->build_id, s->build_id_size) : s->ino;
	bool added;
	int fd;

	map64_put(&k->seen, hash_mix(hash_bytes(s->path, strlen(s->path)), id), &added);
	if (!added)
		return;
	fd = open(s->path, O_PATH | O_CLOEXEC);
	if (fd >= 0 && is_it(s, fd)) {
		hold(k, s, fd, false, false);
		return;
	}
	if (fd >= 0)
		close(fd);
	fd = open_there(s);
	if (fd >= 0)
		copy_now(k, s, fd);
	else
		log_debug("'%s' of process %u cannot be had: %s", s->path, s->pid, strerror(-fd));
}

/* --- JITs ------------------------------------------------------------------------- */

static bool is_jit_memory(const char *path)
{
	return str_starts(path, "//anon") || str_starts(path, "/memfd:") || !*path ||
	       str_starts(path, "/dev/zero") || str_starts(path, "/anon_hugepage");
}

static bool is_dump(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && str_starts(slash, "/jit-") && str_ends(slash, ".dump");
}

static void note_jit(struct keep *k, const struct seen *s)
{
	bool added;
	uint64_t *slot = map64_put(&k->by_pid, s->pid, &added);

	if (!added || k->jits.nr >= k->most)
		return;
	*vec_push(&k->jits) = (struct jit_process){ .pid = s->pid, .fd = -1 };
	*slot = k->jits.nr;
}

static void note_dump(struct keep *k, const struct seen *s)
{
	bool added, elsewhere = false;
	int fd;

	map64_put(&k->seen, hash_mix(hash_bytes(s->path, strlen(s->path)), s->pid), &added);
	if (!added)
		return;
	fd = jit_file_open(s->path, s->pid);
	if (fd < 0 || !is_it(s, fd)) {
		if (fd >= 0)
			close(fd);
		elsewhere = true;
		fd = jit_file_open_in(s->pid, s->path);
	}
	if (fd >= 0)
		hold(k, s, fd, elsewhere, true);
}

void keep_note(struct keep *k, const void *record)
{
	struct seen s;

	if (!take(record, &s))
		return;
	if (is_jit_memory(s.path))
		note_jit(k, &s);
	else if (is_dump(s.path))
		note_dump(k, &s);
	else if (buildids_is_file(s.path) && !str_starts(s.path, "/proc/"))
		note_file(k, &s);
}

/* A JIT's map of its own root. */
static void open_map(struct jit_process *jit)
{
	char path[64];
	struct stat ours, theirs;

	snprintf(path, sizeof(path), "/tmp/perf-%u.map", jit_file_own_pid(jit->pid));
	jit->fd = jit_file_open_in(jit->pid, path);
	if (jit->fd < 0)
		return;
	snprintf(path, sizeof(path), "/tmp/perf-%u.map", jit->pid);
	jit->elsewhere = fstat(jit->fd, &theirs) < 0 || lstat(path, &ours) < 0 ||
			 ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev;
}

void keep_tick(struct keep *k, uint64_t last_ns)
{
	for (size_t i = 0; i < k->jits.nr; i++) {
		struct jit_process *jit = &k->jits.v[i];
		struct stat st;

		if (jit->fd < 0)
			open_map(jit);
		if (jit->fd < 0 || fstat(jit->fd, &st) < 0)
			continue;
		/* What stood there at the first look may be as old as the process. */
		if ((uint64_t)st.st_size > jit->size && jit->last_ns)
			*vec_push(&jit->marks) = (struct mark){ jit->size, jit->last_ns };
		jit->size = (uint64_t)st.st_size;
		jit->last_ns = last_ns ? last_ns : jit->last_ns;
	}
}

static bool write_str(int fd, const struct str *text)
{
	for (size_t done = 0; done < text->len;) {
		ssize_t n = write(fd, text->p + done, text->len - done);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/*
 * The map's text with a line "# TIME" before what came after that time. A line that was
 * half written then began before it.
 */
static void copy_text(const struct jit_process *jit, uint64_t most, struct str *out)
{
	FILE *file = file_of(fcntl(jit->fd, F_DUPFD_CLOEXEC, 3), "r");
	char *line = NULL;
	size_t room = 0, mark = 0;
	uint64_t at = 0;
	ssize_t n;

	if (!file)
		return;
	rewind(file);
	/* its owner may write on for ever */
	while (at < most && (n = getline(&line, &room, file)) > 0) {
		for (; mark < jit->marks.nr && jit->marks.v[mark].at <= at; mark++)
			str_addf(out, "# %llu\n", (unsigned long long)jit->marks.v[mark].from_ns);
		str_addn(out, line, (size_t)n);
		at += (uint64_t)n;
	}
	free(line);
	fclose(file);
}

static void copy_map(const struct jit_process *jit, uint64_t first_ns)
{
	struct cache_draft draft;
	struct str text = STR_INIT;
	char name[64];
	struct stat st;

	if (fstat(jit->fd, &st) < 0 || !st.st_size)
		return;
	jit_file_copy_name(name, jit->pid, first_ns, "map");
	if (cache_begin(&draft, CACHE_MAPS, name, (uint64_t)st.st_size) < 0)
		return;
	copy_text(jit, (uint64_t)st.st_size, &text);
	if (write_str(draft.fd, &text))
		cache_keep(&draft);
	else
		cache_drop(&draft);
	str_release(&text);
}

/* --- the end ------------------------------------------------------------------------ */

/* Does the path still lead there? */
static bool is_in_place(const struct held *h)
{
	struct stat there, held;

	return !h->elsewhere && stat(h->path, &there) == 0 && fstat(h->fd, &held) == 0 &&
	       there.st_ino == held.st_ino && there.st_dev == held.st_dev;
}

/* What O_PATH holds can be read by this way only. */
static int reopen(const struct held *h)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", h->fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static void finish_held(struct held *h, uint64_t first_ns, struct buildids *ids)
{
	uint8_t id[20];
	char name[64];
	int size, fd;

	if (is_in_place(h))
		return;
	fd = reopen(h);
	if (fd < 0)
		return;
	size = h->is_dump ? 0 : id_of(fd, id);
	if (size > 0) {
		if (!h->has_id && ids)
			buildids_state(ids, PERF_RECORD_MISC_USER, h->path, id, (uint8_t)size);
		copy_by_id(h->path, fd, id, size);
	} else if (first_ns) {
		if (h->is_dump)
			jit_file_copy_name(name, h->pid, first_ns, "dump");
		else
			module_copy_name(name, h->path, first_ns);
		cache_copy(h->is_dump ? CACHE_MAPS : CACHE_FILES, name, fd);
	}
	close(fd);
}

/*
 * A map that a report would not find as it is now: of another root, of a process that has
 * ended and whose number may come again, with marks; or another user's, which may be gone or
 * somebody else's by then.
 */
static bool has_to_be_copied(const struct jit_process *jit)
{
	struct stat st;

	return jit->fd >= 0 && (jit->elsewhere || jit->marks.nr || kill((pid_t)jit->pid, 0) < 0 ||
				(fstat(jit->fd, &st) == 0 && st.st_uid != geteuid()));
}

void keep_finish(struct keep *k, uint64_t first_ns, struct buildids *ids)
{
	for (size_t i = 0; i < k->held.nr; i++)
		finish_held(&k->held.v[i], first_ns, ids);
	keep_tick(k, 0);
	for (size_t i = 0; i < k->jits.nr && first_ns; i++)
		if (has_to_be_copied(&k->jits.v[i]))
			copy_map(&k->jits.v[i], first_ns);
}
