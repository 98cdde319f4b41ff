/* SPDX-License-Identifier: MIT */
#include "engine/live_code.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/capability.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "symbols/debug_file.h"
#include "symbols/vdso.h"

/* How long the samples of a round wait for tables, as long as there is room meanwhile. */
#define WAIT_MS 2000
#define LOOK_MS 5
/* So many files are read as they are mapped; on a busy system only those that are met with. */
#define AHEAD_MAX 64

struct live_file {
	const char *path;
	uint32_t pid;                    /* in whose root it was first seen */
	atomic_bool ready;
	bool taken;                      /* the thread has it, or has had it */
	struct elf_file *elf;            /* once ready; NULL: not to be had */
	struct elf_file *debug;          /* its separate debug file, or NULL */
	struct unwind_table *table;
	struct live_file *next;          /* in the line of those to be read */
};

struct live_map {
	uint64_t start, end, pgoff;
	struct live_file *file;          /* NULL: anonymous */
	bool exec;
};

struct live_image {
	uint32_t pid;
	uint64_t from_ns, space;
	VEC(struct live_map) maps;       /* sorted, not overlapping */
	struct live_image *before;       /* what ran until from_ns, until the round ends */
	bool ended;
};

struct change {
	uint64_t time_ns, seq;
	uint32_t type, pid, ppid;
	struct live_map map;
};

struct live_code {
	struct map64 images;             /* pid -> struct live_image * */
	struct map64 files;              /* hash of device, inode and path -> struct live_file * */
	struct arena arena;              /* files and their paths */
	VEC(struct live_file *) all;
	VEC(struct change) changes;
	VEC(uint32_t) swept;             /* pids with something to forget */
	uint64_t seq, spaces;
	bool waited;                     /* in this round, in vain */
	bool (*room)(void *arg);         /* whether a round may wait still */
	void *room_arg;
	pthread_t reader;
	pthread_mutex_t lock;            /* the line, `urgent`, `taken`, `stop` */
	pthread_cond_t wanted, made;
	struct live_file *first, *last;
	struct live_file *urgent;        /* a sample waits for it; NULL: none does */
	bool stop;
};

/* --- the thread that makes tables ------------------------------------------------------- */

/* The file, and its table if there is one to be had. */
static void file_read(struct live_file *file)
{
	struct str path = STR_INIT;

	if (strcmp(file->path, "[vdso]") == 0) {
		if (vdso_open(&file->elf) < 0)
			file->elf = NULL;
	} else {
		/* as that process sees it: it may be in a container */
		str_addf(&path, "/proc/%u/root%s", file->pid, file->path);
		if (elf_file_open(&file->elf, path.p) < 0 &&
		    elf_file_open(&file->elf, file->path) < 0)
			file->elf = NULL;
	}
	/* what was taken out of it may hold its .debug_frame */
	if (file->elf && !file->elf->swap && file->elf->path && !elf_file_has_symtab(file->elf))
		file->debug = debug_file_find(file->elf, file->path, NULL);
	if (file->elf && !file->elf->swap)
		file->table = unwind_table_open(file->elf, file->debug);
	str_release(&path);
}

static void *read_files(void *arg)
{
	struct live_code *c = arg;
	struct live_file *file;

	/* others' binaries, by /proc/PID/root */
	capability_need(CAPABILITY_BIT(CAP_SYS_PTRACE));
	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		file = c->urgent ? c->urgent : c->first;
		if (!file) {
			pthread_cond_wait(&c->wanted, &c->lock);
			continue;
		}
		if (!c->urgent)
			c->first = file->next;
		c->urgent = NULL;
		if (file->taken)
			continue;
		file->taken = true;
		pthread_mutex_unlock(&c->lock);
		file_read(file);
		pthread_mutex_lock(&c->lock);
		atomic_store_explicit(&file->ready, true, memory_order_release);
		pthread_cond_broadcast(&c->made);
		if (!file->table)
			continue;
		/* for the next recording, when nobody waits for this one any more */
		pthread_mutex_unlock(&c->lock);
		unwind_table_keep(file->table, file->elf, file->debug);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static bool is_ready(const struct live_file *file)
{
	return atomic_load_explicit(&file->ready, memory_order_acquire);
}

/* Let the thread read a file next. Under the lock. */
static void ask_for(struct live_code *c, struct live_file *file)
{
	if (file->taken)
		return;
	c->urgent = file;
	pthread_cond_signal(&c->wanted);
}

static struct timespec from_now(long ms)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_nsec += ms % 1000 * 1000000;
	t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* Wait for the thread to have made a table. What is recorded meanwhile must find room. */
static bool wait_ready(struct live_code *c, struct live_file *file)
{
	if (is_ready(file))
		return true;
	pthread_mutex_lock(&c->lock);
	ask_for(c, file);
	for (int ms = 0; !c->waited && !is_ready(file); ms += LOOK_MS) {
		struct timespec until = from_now(LOOK_MS);

		pthread_cond_timedwait(&c->made, &c->lock, &until);
		if (ms >= WAIT_MS || !c->room(c->room_arg))
			c->waited = true;
	}
	pthread_mutex_unlock(&c->lock);
	return is_ready(file);
}

static struct live_file *file_of(struct live_code *c, const struct record_mmap *m)
{
	struct { uint64_t path; uint32_t maj, min; uint64_t ino; uint8_t id[BUILD_ID_MAX]; } key;
	struct live_file *file;
	uint64_t *slot;
	bool added;

	if (m->filename[0] != '/' && strcmp(m->filename, "[vdso]") != 0)
		return NULL;
	if (str_starts(m->filename, "//"))
		return NULL;
	memset(&key, 0, sizeof(key));
	key.path = hash_bytes(m->filename, strlen(m->filename));
	if (m->has_inode) {
		key.maj = m->maj;
		key.min = m->min;
		key.ino = m->ino;
	}
	memcpy(key.id, m->build_id, m->build_id_size);
	slot = map64_put(&c->files, hash_bytes(&key, sizeof(key)), &added);
	if (!added)
		return (struct live_file *)(uintptr_t)*slot;
	file = arena_zalloc(&c->arena, sizeof(*file));
	*slot = (uintptr_t)file;
	file->path = arena_strdup(&c->arena, m->filename);
	file->pid = m->pid;
	*vec_push(&c->all) = file;
	if (c->all.nr > AHEAD_MAX)
		return file;
	pthread_mutex_lock(&c->lock);
	if (c->first)
		c->last->next = file;
	else
		c->first = file;
	c->last = file;
	pthread_cond_signal(&c->wanted);
	pthread_mutex_unlock(&c->lock);
	return file;
}

int live_code_new(struct live_code **out, bool (*room)(void *arg), void *arg, struct err *err)
{
	struct live_code *c = mem_zalloc(sizeof(*c));
	int r;

	*out = NULL;
	c->room = room;
	c->room_arg = arg;
	arena_init(&c->arena);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->wanted, NULL);
	pthread_cond_init(&c->made, NULL);
	r = pthread_create(&c->reader, NULL, read_files, c);
	if (r) {
		arena_release(&c->arena);
		free(c);
		return err_set(err, r, "cannot start a thread for unwinding: %s", strerror(r));
	}
	*out = c;
	return 0;
}

static void image_free(struct live_image *image)
{
	while (image) {
		struct live_image *before = image->before;

		vec_release(&image->maps);
		free(image);
		image = before;
	}
}

void live_code_free(struct live_code *c)
{
	const struct map64_slot *slot;

	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->wanted);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->reader, NULL);
	for (size_t i = 0; (slot = map64_next(&c->images, &i));)
		image_free((struct live_image *)(uintptr_t)slot->value);
	for (size_t i = 0; i < c->all.nr; i++) {
		unwind_table_free(c->all.v[i]->table);
		elf_file_free(c->all.v[i]->debug);
		elf_file_free(c->all.v[i]->elf);
	}
	vec_release(&c->all);
	vec_release(&c->changes);
	vec_release(&c->swept);
	map64_release(&c->images);
	map64_release(&c->files);
	arena_release(&c->arena);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->wanted);
	pthread_cond_destroy(&c->made);
	free(c);
}

/* --- taking records ---------------------------------------------------------------------- */

void live_code_expect(struct live_code *c, const struct record *r)
{
	if ((r->type == PERF_RECORD_MMAP || r->type == PERF_RECORD_MMAP2) &&
	    (r->misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_USER &&
	    (r->mmap.prot & PROT_EXEC))
		file_of(c, &r->mmap);
}

void live_code_take(struct live_code *c, const struct record *r)
{
	struct change change = { .time_ns = r->id.time_ns, .seq = c->seq++, .type = r->type };

	switch (r->type) {
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		if ((r->misc & PERF_RECORD_MISC_CPUMODE_MASK) != PERF_RECORD_MISC_USER ||
		    r->mmap.start + r->mmap.len <= r->mmap.start)
			return;
		change.pid = r->mmap.pid;
		change.map = (struct live_map){
			.start = r->mmap.start, .end = r->mmap.start + r->mmap.len,
			.pgoff = r->mmap.pgoff, .exec = r->mmap.prot & PROT_EXEC,
			.file = file_of(c, &r->mmap),
		};
		break;
	case PERF_RECORD_FORK:
		if (r->task.pid == r->task.ppid)
			return;
		change.pid = r->task.pid;
		change.ppid = r->task.ppid;
		break;
	case PERF_RECORD_EXIT:
		if (r->task.pid != r->task.tid)
			return;
		change.pid = r->task.pid;
		break;
	case PERF_RECORD_COMM:
		if (!r->comm.exec)
			return;
		change.pid = r->comm.pid;
		break;
	default:
		return;
	}
	/* those that describe what was there before have no time */
	if (change.time_ns == UINT64_MAX)
		change.time_ns = 0;
	*vec_push(&c->changes) = change;
}

static struct live_image *image_of(const struct live_code *c, uint32_t pid)
{
	const uint64_t *slot = map64_find(&c->images, pid);

	return slot ? (struct live_image *)(uintptr_t)*slot : NULL;
}

/* A new image in the place of the one that ran under this pid until now. */
static struct live_image *image_new(struct live_code *c, uint32_t pid, uint64_t time_ns)
{
	struct live_image *image = mem_zalloc(sizeof(*image));
	uint64_t *slot = map64_put(&c->images, pid, NULL);

	image->pid = pid;
	image->from_ns = time_ns;
	image->space = c->spaces++;
	image->before = (struct live_image *)(uintptr_t)*slot;
	if (image->before)
		*vec_push(&c->swept) = pid;
	*slot = (uintptr_t)image;
	return image;
}

/* Index of the first mapping that ends behind addr. */
static size_t first_behind(const struct live_image *image, uint64_t addr)
{
	size_t lo = 0, hi = image->maps.nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (image->maps.v[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Put a mapping over what was there: pieces of it that stick out stay. */
static void add_map(struct live_code *c, struct live_image *image, const struct live_map *map)
{
	size_t from = first_behind(image, map->start), to = from;
	struct live_map pieces[3], *v;
	size_t n = 0;

	while (to < image->maps.nr && image->maps.v[to].start < map->end)
		to++;
	if (from < to && image->maps.v[from].start < map->start) {
		pieces[n] = image->maps.v[from];
		pieces[n++].end = map->start;
	}
	pieces[n++] = *map;
	if (from < to && image->maps.v[to - 1].end > map->end) {
		pieces[n] = image->maps.v[to - 1];
		pieces[n].pgoff += map->end - pieces[n].start;
		pieces[n++].start = map->end;
	}
	vec_reserve(&image->maps, n);
	v = image->maps.v;
	memmove(v + from + n, v + to, (image->maps.nr - to) * sizeof(*v));
	memcpy(v + from, pieces, n * sizeof(*v));
	image->maps.nr = image->maps.nr - (to - from) + n;
	image->space = c->spaces++;
}

static void apply(struct live_code *c, const struct change *change)
{
	struct live_image *image = image_of(c, change->pid), *parent;

	switch (change->type) {
	case PERF_RECORD_FORK:
		image = image_new(c, change->pid, change->time_ns);
		parent = image_of(c, change->ppid);
		if (parent && parent != image) {
			vec_reserve(&image->maps, parent->maps.nr);
			if (parent->maps.nr)
				memcpy(image->maps.v, parent->maps.v,
				       parent->maps.nr * sizeof(*image->maps.v));
			image->maps.nr = parent->maps.nr;
		}
		break;
	case PERF_RECORD_COMM:
		image_new(c, change->pid, change->time_ns);
		break;
	case PERF_RECORD_EXIT:
		if (image) {
			image->ended = true;
			*vec_push(&c->swept) = change->pid;
		}
		break;
	default:
		add_map(c, image ? image : image_new(c, change->pid, 0), &change->map);
	}
}

static int by_time(const void *pa, const void *pb)
{
	const struct change *a = pa, *b = pb;

	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

void live_code_settle(struct live_code *c)
{
	if (c->changes.nr > 1)
		qsort(c->changes.v, c->changes.nr, sizeof(*c->changes.v), by_time);
	for (size_t i = 0; i < c->changes.nr; i++)
		apply(c, &c->changes.v[i]);
	c->changes.nr = 0;
	c->waited = false;
}

void live_code_sweep(struct live_code *c)
{
	for (size_t i = 0; i < c->swept.nr; i++) {
		struct live_image *image = image_of(c, c->swept.v[i]);

		if (!image)
			continue;
		image_free(image->before);
		image->before = NULL;
		if (!image->ended)
			continue;
		image_free(image);
		*map64_put(&c->images, c->swept.v[i], NULL) = 0;
	}
	c->swept.nr = 0;
}

/* --- looking up -------------------------------------------------------------------------- */

const struct live_image *live_code_image(const struct live_code *c, uint32_t pid, uint64_t time_ns)
{
	const struct live_image *image = image_of(c, pid);

	while (image && image->before && image->from_ns > time_ns)
		image = image->before;
	return image;
}

uint64_t live_image_space(const struct live_image *image)
{
	return image->space;
}

static const struct live_map *map_at(const struct live_image *image, uint64_t addr)
{
	size_t i = first_behind(image, addr);

	return i < image->maps.nr && image->maps.v[i].start <= addr ? &image->maps.v[i] : NULL;
}

bool live_code_at(struct live_code *c, const struct live_image *image, uint64_t addr,
		  struct unwind_code *out)
{
	const struct live_map *map = map_at(image, addr);
	uint64_t elf_addr;

	*out = (struct unwind_code){ 0 };
	if (!map || !map->exec)
		return true;
	out->executable = true;
	if (!map->file)
		return true;
	if (!wait_ready(c, map->file))
		return false;
	if (map->file->elf && elf_file_addr(map->file->elf, addr - map->start + map->pgoff, &elf_addr)) {
		out->table = map->file->table;
		out->bias = addr - elf_addr;
	}
	return true;
}

bool live_code_read(struct live_code *c, const struct live_image *image, uint64_t addr, void *out,
		    size_t size)
{
	const struct live_map *map = map_at(image, addr);
	const struct elf_segment *load;
	uint64_t elf_addr, off;

	if (!map || !map->file || !wait_ready(c, map->file) || !map->file->elf)
		return false;
	off = addr - map->start + map->pgoff;
	if (!elf_file_addr(map->file->elf, off, &elf_addr))
		return false;
	load = elf_file_segment(map->file->elf, elf_addr);
	return load && !load->write && elf_file_read(map->file->elf, off, out, size);
}
