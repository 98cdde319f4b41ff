/* SPDX-License-Identifier: MIT */
#include "profile/tasks.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "profile/order.h"

#define NONE UINT32_MAX

/* What a process has mapped. */
struct space { VEC(struct task_map) maps; };

struct tasks_priv {
	VEC(struct task) tasks;
	VEC(struct space) spaces;
	struct map64 by_tid;             /* -> index into tasks */
	struct map64 by_pid;             /* -> index into spaces */
	struct intern names;
};

static const char *keep(struct tasks_priv *p, const char *text)
{
	return intern_str(&p->names, intern_id(&p->names, text));
}

static struct space *space_of(struct tasks_priv *p, uint32_t pid)
{
	bool added;
	uint64_t *slot = map64_put(&p->by_pid, pid, &added);

	if (added) {
		*slot = p->spaces.nr;
		*vec_push(&p->spaces) = (struct space){ 0 };
	}
	return &p->spaces.v[*slot];
}

/* The thread's place; a thread brings the first one of its process. Pointers hold until the next. */
static struct task *task_of(struct tasks_priv *p, uint32_t pid, uint32_t tid)
{
	bool added;
	uint64_t *slot;

	if (pid != tid && pid != NONE)
		task_of(p, pid, pid);
	slot = map64_put(&p->by_tid, tid, &added);
	if (added) {
		*slot = p->tasks.nr;
		*vec_push(&p->tasks) = (struct task){ .pid = pid, .tid = tid, .ppid = -1 };
	}
	return &p->tasks.v[*slot];
}

/* --- maps ------------------------------------------------------------------------------- */

/* Index of the first map that ends behind `addr`. */
static size_t map_at(const struct space *s, uint64_t addr)
{
	size_t from = 0, to = s->maps.nr;

	while (from < to) {
		size_t mid = (from + to) / 2;

		if (s->maps.v[mid].end <= addr)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static void map_insert(struct space *s, size_t at, const struct task_map *map)
{
	vec_push(&s->maps);
	memmove(&s->maps.v[at + 1], &s->maps.v[at], (s->maps.nr - 1 - at) * sizeof(*map));
	s->maps.v[at] = *map;
}

/* Lay a map over what was there: of older ones stays what sticks out on either side. */
static void map_add(struct space *s, const struct task_map *map)
{
	size_t at = map_at(s, map->start), over;

	if (at < s->maps.nr && s->maps.v[at].start < map->start) {
		struct task_map right = s->maps.v[at];

		s->maps.v[at++].end = map->start;
		if (right.end > map->end) {
			right.pgoff += map->end - right.start;
			right.start = map->end;
			map_insert(s, at, &right);
		}
	}
	for (over = at; over < s->maps.nr && s->maps.v[over].end <= map->end; over++)
		;
	if (over < s->maps.nr)
		memmove(&s->maps.v[at], &s->maps.v[over], (s->maps.nr - over) * sizeof(*map));
	s->maps.nr -= over - at;
	if (at < s->maps.nr && s->maps.v[at].start < map->end) {
		s->maps.v[at].pgoff += map->end - s->maps.v[at].start;
		s->maps.v[at].start = map->end;
	}
	map_insert(s, at, map);
}

static void take_mmap(struct tasks_priv *p, const struct record *r)
{
	const struct record_mmap *m = &r->mmap;
	struct task_map map = { .start = m->start, .end = m->start + m->len, .pgoff = m->pgoff,
				.ino = m->has_inode ? m->ino : 0, .prot = m->prot, .flags = m->flags };

	task_of(p, m->pid, m->tid);
	if (map.end <= map.start || (r->misc & PERF_RECORD_MISC_CPUMODE_MASK) != PERF_RECORD_MISC_USER)
		return;
	map.filename = keep(p, m->filename);
	map_add(space_of(p, m->pid), &map);
}

static void take_fork(struct tasks_priv *p, const struct record *r)
{
	const struct record_task *f = &r->task;
	struct task child = { .pid = f->pid, .tid = f->tid, .ppid = (int32_t)f->ptid };
	size_t from, to;

	child.comm = task_of(p, f->ppid, f->ptid)->comm;
	*task_of(p, f->pid, f->tid) = child;
	/* a fork that the recorder made up for what ran already says so: its maps follow */
	if (f->pid == f->ppid || (r->misc & PERF_RECORD_MISC_FORK_EXEC))
		return;
	space_of(p, f->pid);
	from = (size_t)(space_of(p, f->ppid) - p->spaces.v);
	to = (size_t)(space_of(p, f->pid) - p->spaces.v);
	p->spaces.v[to].maps.nr = 0;
	vec_reserve(&p->spaces.v[to].maps, p->spaces.v[from].maps.nr);
	if (p->spaces.v[from].maps.nr)
		memcpy(p->spaces.v[to].maps.v, p->spaces.v[from].maps.v,
		       p->spaces.v[from].maps.nr * sizeof(struct task_map));
	p->spaces.v[to].maps.nr = p->spaces.v[from].maps.nr;
}

static void take(struct tasks_priv *p, const struct record *r)
{
	switch (r->type) {
	case PERF_RECORD_SAMPLE:
		if (r->sample.tid != NONE)
			task_of(p, r->sample.pid, r->sample.tid);
		break;
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		if (r->mmap.pid != NONE)
			take_mmap(p, r);
		break;
	case PERF_RECORD_COMM:
		task_of(p, r->comm.pid, r->comm.tid)->comm = keep(p, r->comm.comm);
		if (r->comm.exec)
			space_of(p, r->comm.pid)->maps.nr = 0;
		break;
	case PERF_RECORD_FORK:
		take_fork(p, r);
		break;
	default:
		break;
	}
}

/* --- the family --------------------------------------------------------------------------- */

static int by_tid(const void *x, const void *y, void *arg)
{
	const struct task *v = arg, *a = &v[*(const uint32_t *)x], *b = &v[*(const uint32_t *)y];

	return (a->tid > b->tid) - (a->tid < b->tid);
}

struct family {
	struct tasks_priv *p;
	struct tasks *out;
	uint32_t *sorted, *first, *next; /* by tid; children of each, by tid */
	bool *done;
};

/* Append a task and all below it, in depth. `todo` is empty before and after. */
static void append_family(struct family *f, uint32_t root)
{
	struct spot { uint32_t task, parent, depth; };
	VEC(struct spot) todo = { 0 };

	*vec_push(&todo) = (struct spot){ root, NONE, 0 };
	while (todo.nr) {
		struct spot at = todo.v[--todo.nr];
		struct task *t = &f->out->v[f->out->nr];
		size_t from;

		if (f->done[at.task])
			continue;
		f->done[at.task] = true;
		*t = f->p->tasks.v[at.task];
		t->parent = at.parent;
		t->depth = at.depth;
		from = todo.nr;
		for (uint32_t c = f->first[at.task]; c != NONE; c = f->next[c])
			*vec_push(&todo) = (struct spot){ c, f->out->nr, at.depth + 1 };
		/* taken from the end: turn the children round */
		for (size_t a = from, b = todo.nr; a + 1 < b; a++) {
			struct spot swap = todo.v[--b];

			todo.v[b] = todo.v[a];
			todo.v[a] = swap;
		}
		f->out->nr++;
	}
	vec_release(&todo);
}

static uint32_t parent_of(const struct tasks_priv *p, uint32_t i)
{
	const struct task *t = &p->tasks.v[i];
	const uint64_t *slot = t->ppid == -1 ? NULL : map64_find(&p->by_tid, (uint32_t)t->ppid);

	return slot && *slot != i ? (uint32_t)*slot : NONE;
}

static void arrange(struct tasks *out)
{
	struct tasks_priv *p = out->priv;
	uint32_t nr = (uint32_t)p->tasks.nr;
	struct family f = { .p = p, .out = out };

	out->v = mem_realloc_array(NULL, nr + 1, sizeof(*out->v));
	f.sorted = mem_realloc_array(NULL, nr + 1, sizeof(uint32_t));
	f.first = mem_realloc_array(NULL, nr + 1, sizeof(uint32_t));
	f.next = mem_realloc_array(NULL, nr + 1, sizeof(uint32_t));
	f.done = mem_zalloc(nr + 1);
	for (uint32_t i = 0; i < nr; i++) {
		f.sorted[i] = i;
		f.first[i] = f.next[i] = NONE;
	}
	qsort_r(f.sorted, nr, sizeof(uint32_t), by_tid, p->tasks.v);
	for (uint32_t i = nr; i-- > 0;) {
		uint32_t parent = parent_of(p, f.sorted[i]);

		if (parent != NONE) {
			f.next[f.sorted[i]] = f.first[parent];
			f.first[parent] = f.sorted[i];
		}
	}
	for (uint32_t i = 0; i < nr; i++)
		if (parent_of(p, f.sorted[i]) == NONE)
			append_family(&f, f.sorted[i]);
	/* who are their own ancestors */
	for (uint32_t i = 0; i < nr; i++)
		append_family(&f, f.sorted[i]);
	free(f.sorted);
	free(f.first);
	free(f.next);
	free(f.done);
}

int tasks_load(struct tasks **out, const struct perf_data *data, struct err *err)
{
	struct tasks *tasks = mem_zalloc(sizeof(*tasks));
	struct tasks_priv *p = mem_zalloc(sizeof(*p));
	struct ordered *ordered = ordered_new(data);
	struct record record;
	int r;

	tasks->priv = p;
	intern_init(&p->names);
	task_of(p, 0, 0)->comm = "swapper";
	while ((r = ordered_next(ordered, &record, NULL, err)) > 0)
		take(p, &record);
	ordered_free(ordered);
	if (r < 0) {
		tasks_free(tasks);
		return r;
	}
	arrange(tasks);
	for (uint32_t i = 0; i < tasks->nr; i++) {
		const uint64_t *slot = map64_find(&p->by_pid, tasks->v[i].pid);

		if (slot) {
			tasks->v[i].maps = p->spaces.v[*slot].maps.v;
			tasks->v[i].nr_maps = p->spaces.v[*slot].maps.nr;
		}
	}
	*out = tasks;
	return 0;
}

void tasks_free(struct tasks *tasks)
{
	struct tasks_priv *p;

	if (!tasks)
		return;
	p = tasks->priv;
	for (size_t i = 0; i < p->spaces.nr; i++)
		vec_release(&p->spaces.v[i].maps);
	vec_release(&p->spaces);
	vec_release(&p->tasks);
	map64_release(&p->by_tid);
	map64_release(&p->by_pid);
	intern_release(&p->names);
	free(p);
	free(tasks->v);
	free(tasks);
}

/* --- what threads counted ----------------------------------------------------------------- */

static void count_add(struct thread_counts *c, struct map64 *rows, const struct record *r)
{
	bool added;
	uint64_t *slot = map64_put(rows, (uint64_t)r->read.pid << 32 | r->read.tid, &added);

	if (added) {
		*slot = c->nr;
		if (!(c->nr & (c->nr - 1))) {
			size_t room = c->nr ? (size_t)c->nr * 2 : 1;

			c->rows = mem_realloc_array(c->rows, room, sizeof(*c->rows));
			c->value = mem_realloc_array(c->value, room, c->nr_events * sizeof(*c->value));
		}
		c->rows[c->nr].pid = r->read.pid;
		c->rows[c->nr].tid = r->read.tid;
		memset(&c->value[(size_t)c->nr * c->nr_events], 0, c->nr_events * sizeof(*c->value));
		c->nr++;
	}
	c->value[*slot * c->nr_events + r->id.event->index] += r->read.values[0].value;
}

int thread_counts_load(struct thread_counts *out, const struct perf_data *data, struct err *err)
{
	struct blocks *blocks = blocks_new(data);
	struct map64 rows = { 0 };
	struct decoder decoder;
	struct record record;
	struct block block;
	int r;

	*out = (struct thread_counts){ .nr_events = data->events.nr };
	decoder_init(&decoder, &data->events, data->swap);
	while ((r = blocks_next(blocks, &block, err)) > 0) {
		const uint8_t *bytes;
		size_t at = 0;

		while ((bytes = block_record(&block, data->swap, &at)))
			if (record_header(bytes, data->swap).type == PERF_RECORD_READ &&
			    record_decode(&decoder, bytes, &record, NULL) == 0 && record.id.event &&
			    record.read.nr_values)
				count_add(out, &rows, &record);
		block_release(&block);
	}
	decoder_release(&decoder);
	blocks_free(blocks);
	map64_release(&rows);
	if (r < 0)
		thread_counts_release(out);
	return r;
}

void thread_counts_release(struct thread_counts *c)
{
	free(c->rows);
	free(c->value);
	*c = (struct thread_counts){ 0 };
}
