/* SPDX-License-Identifier: MIT */
#include "profile/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "profile/process_priv.h"

#define FORK_EXEC (1u << 13)     /* PERF_RECORD_MISC_FORK_EXEC: the fork of a task that ran already */
#define PROT_EXECUTE 4u
#define KSYMBOL_UNREGISTER 1u    /* PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER */
#define NONE32 UINT32_MAX

struct process_table *process_table_new(struct module_set *modules)
{
	struct process_table *t = mem_zalloc(sizeof(*t));

	arena_init(&t->arena);
	intern_init(&t->strings);
	t->modules = modules;
	t->nobody.pid = t->kernel.pid = NONE32;
	t->nobody.ppid = t->kernel.ppid = -1;
	t->nobody.index = t->kernel.index = NONE32;
	t->nobody.space = t->kernel.space = NONE32;
	return t;
}

void process_table_dissolve(struct process_table *t)
{
	vec_release(&t->images);
	vec_release(&t->tasks);
	map64_release(&t->by_tid);
	arena_release(&t->arena);
}

void process_changes_cut(struct process_table *t, size_t nr)
{
	size_t chunks = (nr + CHUNK_CHANGES - 1) / CHUNK_CHANGES;

	while (t->chunks.nr > chunks)
		free(t->chunks.v[--t->chunks.nr]);
	t->nr_changes = nr;
}

void process_table_free(struct process_table *t)
{
	if (!t)
		return;
	process_table_dissolve(t);
	process_changes_cut(t, 0);
	vec_release(&t->chunks);
	vec_release(&t->epochs);
	vec_release(&t->files);
	intern_release(&t->strings);
	free(t);
}

/* --- taking records in -------------------------------------------------------- */

static struct change *change_add(struct process_table *t, const struct record *record, int kind)
{
	size_t at = t->nr_changes++ % CHUNK_CHANGES;
	struct change *c;

	if (!at) {
		*vec_push(&t->chunks) = mem_alloc(sizeof(struct change_chunk));
		/* what has grown this far will fill most of one more */
		if (t->chunks.nr > 2)
			mem_populate(t->chunks.v[t->chunks.nr - 1], sizeof(struct change_chunk));
	}
	c = &t->chunks.v[t->chunks.nr - 1]->v[at];
	memset(c, 0, sizeof(*c));
	c->time_ns = record->id.time_ns;
	c->kind = kind;
	c->untimed = !record->id.event;
	return c;
}

static bool starts_with_any(const char *s, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (str_starts(s, *prefixes))
			return true;
	return false;
}

/* Memory that no file stands behind: code there is what a JIT wrote. */
static bool is_anonymous(const char *name)
{
	static const char *const prefixes[] = {
		"//anon", "/dev/zero", "/anon_hugepage", "[anon", "[stack", "/SYSV", "[heap]",
		/* of .NET and of Android's runtime; other memfds may hold a program that was run from them */
		"/memfd:doublemapper", "/memfd:jit-",
		NULL,
	};

	return !*name || starts_with_any(name, prefixes);
}

/*
 * The module a mapping is of. Executable anonymous memory has the name of the map
 * that its JIT may have written for it, as perf has it: /tmp/perf-PID.map.
 */
static struct module *map_module(struct process_table *t, const struct record_mmap *m,
				 bool is_kernel)
{
	const char *name = m->filename;
	enum module_kind kind = module_kind_of(name, is_kernel);

	if (kind == MODULE_KERNEL) {
		/* "[kernel.kallsyms]_text": behind the bracket stands the reference symbol */
		const char *end = strchr(name, ']');
		struct module *module;
		char *dso = end ? mem_strndup(name, (size_t)(end + 1 - name)) : mem_strdup(name);

		module = module_intern(t->modules, kind, dso, m->build_id, m->build_id_size);
		free(dso);
		if (end && end[1] && m->pgoff)
			module_set_kernel_ref(t->modules, end + 1, m->pgoff);
		return module;
	}
	if (!is_kernel && !m->build_id_size && is_anonymous(name)) {
		kind = MODULE_ANON;
		if (m->prot & PROT_EXECUTE)
			return module_jit_intern(t->modules, m->pid);
	}
	return module_intern(t->modules, kind, name, m->build_id, m->build_id_size);
}

/* The same for what was mapped under the name before, as most is. */
static struct module *known_module(struct process_table *t, const struct record_mmap *m,
				   bool is_kernel, uint32_t name)
{
	size_t nr = module_set_made(t->modules);
	struct known_file *known;
	struct module *module;

	while (t->files.nr <= name)
		*vec_push(&t->files) = (struct known_file){ 0 };
	known = &t->files.v[name];
	if (known->module && !is_kernel && known->nr_modules == nr &&
	    known->module->build_id_size == m->build_id_size &&
	    memcmp(known->module->build_id, m->build_id, m->build_id_size) == 0)
		return known->module;
	module = map_module(t, m, is_kernel);
	if (!is_kernel && module->kind == MODULE_FILE)
		*known = (struct known_file){ module, module_set_made(t->modules) };
	return module;
}

/*
 * JITs that write a jitdump map its first page as code, once, so that it is found in
 * the recording (tools/perf/Documentation/jitdump-specification.txt, "marker").
 */
static void note_jit_dump(struct process_table *t, const struct record *record)
{
	const struct record_mmap *m = &record->mmap;
	const struct event_desc *event = record->id.event;
	const char *slash = strrchr(m->filename, '/'), *digits;
	bool monotonic = event && event->attr.use_clockid && event->attr.clockid == CLOCK_MONOTONIC;

	if (!slash || !str_starts(slash, "/jit-") || !(m->prot & PROT_EXECUTE))
		return;
	digits = slash + strlen("/jit-");
	if (strspn(digits, "0123456789") == 0 ||
	    strcmp(digits + strspn(digits, "0123456789"), ".dump") != 0)
		return;
	module_add_jit_dump(module_jit_intern(t->modules, m->pid), m->filename,
			    monotonic ? 0 : record->id.time_ns);
}

static void add_map(struct process_table *t, const struct record *record)
{
	const struct record_mmap *m = &record->mmap;
	unsigned mode = record->misc & PERF_RECORD_MISC_CPUMODE_MASK;
	bool is_kernel = mode == PERF_RECORD_MISC_KERNEL || m->pid == NONE32;
	uint32_t name = intern_id(&t->strings, m->filename);
	struct change *c;

	/* Code of guests is not told apart from the host's by address: leave it out. */
	if (!m->len || mode == PERF_RECORD_MISC_GUEST_KERNEL || mode == PERF_RECORD_MISC_GUEST_USER)
		return;
	c = change_add(t, record, CHANGE_MAP);
	c->pid = is_kernel ? NONE32 : m->pid;
	c->tid = m->tid;
	c->map = (struct mapping){ .start = m->start, .end = m->start + m->len, .pgoff = m->pgoff,
				   .from_ns = record->id.time_ns, .prot = m->prot,
				   .flags = m->flags, .filename = intern_str(&t->strings, name) };
	c->map.module = known_module(t, m, is_kernel, name);
	if (c->map.module->kind == MODULE_KMOD)
		module_set_run_start(c->map.module, m->start);
	if (!is_kernel)
		note_jit_dump(t, record);
}

static void add_ksymbol(struct process_table *t, const struct record *record)
{
	const struct record_ksymbol *k = &record->ksymbol;
	struct change *c;

	if (!k->len || k->flags & KSYMBOL_UNREGISTER || k->addr + k->len < k->addr)
		return;
	c = change_add(t, record, CHANGE_MAP);
	c->pid = NONE32;
	c->map = (struct mapping){ .start = k->addr, .end = k->addr + k->len, .pgoff = k->addr,
				   .from_ns = record->id.time_ns, .prot = PROT_EXECUTE };
	c->map.filename = intern_str(&t->strings, intern_id(&t->strings, k->name));
	c->map.module = module_intern(t->modules, MODULE_BPF, k->name, NULL, 0);
	module_add_symbol(c->map.module, k->name, k->addr, k->len);
}

void process_table_add(struct process_table *t, const struct record *record)
{
	struct change *c;

	switch (record->type) {
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		add_map(t, record);
		break;
	case PERF_RECORD_KSYMBOL:
		add_ksymbol(t, record);
		break;
	case PERF_RECORD_COMM:
		c = change_add(t, record, CHANGE_COMM);
		c->pid = record->comm.pid;
		c->tid = record->comm.tid;
		c->exec = record->comm.exec;
		c->comm = intern_id(&t->strings, record->comm.comm);
		break;
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		c = change_add(t, record,
			       record->type == PERF_RECORD_FORK ? CHANGE_FORK : CHANGE_EXIT);
		c->pid = record->task.pid;
		c->tid = record->task.tid;
		c->ppid = record->task.ppid;
		c->ptid = record->task.ptid;
		/* what ran before the recording began has its mappings told one by one */
		c->inherit = (record->id.time_ns || !record->id.event) &&
			     !(record->misc & FORK_EXEC);
		break;
	default:
		break;
	}
}

/* --- building -------------------------------------------------------------------- */

static struct task *task_find(const struct process_table *t, uint32_t tid)
{
	uint64_t *index = map64_find(&t->by_tid, tid);

	return index ? t->tasks.v[*index] : NULL;
}

static struct task *task_get(struct process_table *t, uint32_t tid)
{
	bool added;
	uint64_t *index = map64_put(&t->by_tid, tid, &added);

	if (added) {
		*index = t->tasks.nr;
		*vec_push(&t->tasks) = arena_zalloc(&t->arena, sizeof(struct task));
	}
	return t->tasks.v[*index];
}

/* `v`, or a larger copy if it is full. What it was stays in the arena: less than the copy. */
static void *room_for_one(struct process_table *t, void *v, uint32_t nr, uint32_t *cap, size_t size)
{
	void *larger;

	if (nr < *cap)
		return v;
	*cap = *cap ? *cap * 2 : 2;
	larger = arena_alloc(&t->arena, *cap * size);
	if (nr)
		memcpy(larger, v, nr * size);
	return larger;
}

static struct image *image_new(struct process_table *t, struct task *task, uint32_t pid,
			       uint64_t from_ns)
{
	struct image *image = arena_zalloc(&t->arena, sizeof(*image));

	image->pid = pid;
	image->ppid = -1;
	image->from_ns = from_ns;
	image->index = (uint32_t)t->images.nr;
	*vec_push(&t->images) = image;
	task->images.v = room_for_one(t, task->images.v, task->images.nr, &task->images.cap,
				      sizeof(*task->images.v));
	task->images.v[task->images.nr++] = image;
	return image;
}

/* The image a change of `pid` belongs to now; a new one after an exit. */
static struct image *image_now(struct process_table *t, uint32_t pid, uint64_t time_ns)
{
	struct task *task = task_get(t, pid);
	struct image *last = task->images.nr ? task->images.v[task->images.nr - 1] : NULL;

	if (!last || last->exited)
		return image_new(t, task, pid, last ? time_ns : 0);
	return last;
}

static void comm_set(struct process_table *t, uint32_t tid, uint64_t time_ns, uint32_t comm)
{
	struct task *task = task_get(t, tid);

	task->comms.v = room_for_one(t, task->comms.v, task->comms.nr, &task->comms.cap,
				     sizeof(*task->comms.v));
	task->comms.v[task->comms.nr++] = (struct comm_change){ time_ns, comm };
}

static void apply_comm(struct process_table *t, const struct change *c)
{
	comm_set(t, c->tid, c->time_ns, c->comm);
	if (c->exec && (c->time_ns || c->untimed)) {
		struct task *task = task_get(t, c->pid);
		struct image *old = task->images.nr ? task->images.v[task->images.nr - 1] : NULL;
		struct image *image = image_new(t, task, c->pid, c->time_ns);

		image->before = old;
		if (old)
			image->ppid = old->ppid;
	}
}

static void apply_fork(struct process_table *t, struct change *c)
{
	struct task *parent_thread = task_find(t, c->ptid);

	/* kept, because the parent may be forgotten before its child */
	if (!c->has_comm && parent_thread && parent_thread->comms.nr) {
		c->comm = parent_thread->comms.v[parent_thread->comms.nr - 1].comm;
		c->has_comm = true;
	}
	if (c->has_comm)
		comm_set(t, c->tid, c->time_ns, c->comm);
	if (c->pid != c->ppid) {
		struct image *parent = c->inherit ? image_now(t, c->ppid, c->time_ns) : NULL;
		struct task *task = task_get(t, c->pid);
		struct image *image;

		/* Told once more about a task that ran before: what is known of it stays. */
		if (!c->inherit && task->images.nr && !task->images.v[task->images.nr - 1]->exited)
			image = task->images.v[task->images.nr - 1];
		else
			image = image_new(t, task, c->pid, c->time_ns);
		if (parent != image)
			image->parent = parent;
		image->ppid = (int32_t)c->ppid;
	}
}

static void apply_map(struct process_table *t, struct change *c, uint32_t index)
{
	struct image *image = c->pid == NONE32 ? &t->kernel : image_now(t, c->pid, c->time_ns);

	c->next = 0;
	if (image->last_map)
		change_at(t, image->last_map - 1)->next = index + 1;
	else
		image->first_map = index + 1;
	image->last_map = index + 1;
	image->maps.nr++;
}

static void gather_maps(struct process_table *t, struct image *image)
{
	size_t n = 0;

	if (!image->maps.nr)
		return;
	image->maps.v = arena_alloc(&t->arena, image->maps.nr * sizeof(*image->maps.v));
	for (uint32_t at = image->first_map; at; at = change_at(t, at - 1)->next)
		image->maps.v[n++] = change_at(t, at - 1)->map;
}

struct turn { uint64_t time_ns; uint32_t change; };

static int by_time(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->change < y->change ? -1 : 1;
}

/* Thread names that stand for tasks nobody named. */
static void name_idle(struct process_table *t)
{
	struct task *idle = task_get(t, 0);

	if (!idle->comms.nr)
		comm_set(t, 0, 0, intern_id(&t->strings, "swapper"));
}

static void find_jit(struct process_table *t, struct image *image)
{
	bool inherits = false;
	struct module *own;

	for (const struct image *p = image->parent; p && !inherits; p = p->parent)
		for (size_t i = 0; i < p->maps.nr && !inherits; i++)
			inherits = module_is_jit(p->maps.v[i].module);
	if (!inherits || image->pid == image->parent->pid)
		return;
	own = module_jit_intern(t->modules, image->pid);
	image->jit = module_jit_has_names(own) ? own : NULL;
}

struct module *image_jit(const struct image *image)
{
	return image->jit;
}

static void apply(struct process_table *t, struct change *c, uint32_t index)
{
	struct task *task;

	switch (c->kind) {
	case CHANGE_MAP:
		apply_map(t, c, index);
		break;
	case CHANGE_COMM:
		apply_comm(t, c);
		break;
	case CHANGE_FORK:
		apply_fork(t, c);
		break;
	case CHANGE_EXIT:
		task = task_find(t, c->pid);
		if (c->pid == c->tid && task && task->images.nr)
			task->images.v[task->images.nr - 1]->exited = true;
		break;
	}
}

/*
 * The rings of the CPUs are read in turn, so that a change is not far from its place: it is
 * moved there.  A recording that is otherwise is told by how far that is. Within one time
 * the file's order stays.
 */
#define MOVES_PER_TURN 64

static bool sort_near(struct turn *v, size_t nr)
{
	size_t moves = 0, max = nr * MOVES_PER_TURN;

	for (size_t i = 1; i < nr && moves <= max; i++) {
		struct turn turn = v[i];
		size_t at = i;

		for (; at && v[at - 1].time_ns > turn.time_ns && moves <= max; at--, moves++)
			v[at] = v[at - 1];
		v[at] = turn;
	}
	return moves <= max;
}

static void apply_all(struct process_table *t)
{
	struct turn *turns = mem_alloc((t->nr_changes + 1) * sizeof(*turns));

	for (size_t i = 0; i < t->nr_changes; i++)
		turns[i] = (struct turn){ change_at(t, i)->time_ns, (uint32_t)i };
	if (!sort_near(turns, t->nr_changes))
		qsort(turns, t->nr_changes, sizeof(*turns), by_time);
	for (size_t i = 0; i < t->nr_changes; i++)
		apply(t, change_at(t, turns[i].change), turns[i].change);
	free(turns);
	for (size_t i = 0; i < t->images.nr; i++)
		gather_maps(t, t->images.v[i]);
	gather_maps(t, &t->kernel);
	if (!t->lasting)
		process_changes_cut(t, 0);
}

void process_table_freeze(struct process_table *t)
{
	struct map64 spaces = { 0 };

	apply_all(t);
	name_idle(t);
	for (size_t i = 0; i < t->images.nr; i++) {
		find_jit(t, t->images.v[i]);
		/* its mappings are in time here, and its parent has its space */
		space_set(&spaces, t->images.v[i]);
		process_image_freeze(t, t->images.v[i]);
	}
	map64_release(&spaces);
	process_image_freeze(t, &t->kernel);
	for (size_t i = 0; i < t->kernel.maps.nr; i++)
		if (t->kernel.maps.v[i].module->kind == MODULE_KERNEL)
			t->kernel_text = &t->kernel.maps.v[i];
	t->frozen = true;
}

/* --- looking up ------------------------------------------------------------------- */

const struct image *process_image_span(const struct process_table *t, uint32_t pid,
				       uint64_t time_ns, uint64_t *from_ns, uint64_t *to_ns)
{
	const struct task *task = task_find(t, pid);
	size_t lo = 0, hi;

	*from_ns = 0;
	*to_ns = UINT64_MAX;
	if (!task || !task->images.nr)
		return &t->nobody;
	/* the last image that began by then, or the first */
	for (hi = task->images.nr; hi - lo > 1;) {
		size_t mid = lo + (hi - lo) / 2;

		if (task->images.v[mid]->from_ns <= time_ns)
			lo = mid;
		else
			hi = mid;
	}
	if (lo)
		*from_ns = task->images.v[lo]->from_ns;
	if (hi < task->images.nr)
		*to_ns = task->images.v[hi]->from_ns;
	return task->images.v[lo];
}

const struct image *process_image(const struct process_table *t, uint32_t pid, uint64_t time_ns)
{
	uint64_t from, to;

	return process_image_span(t, pid, time_ns, &from, &to);
}

const struct image *process_image_at(const struct process_table *t, uint32_t index)
{
	return index < t->images.nr ? t->images.v[index] : &t->nobody;
}

uint32_t image_pid(const struct image *image)
{
	return image->pid;
}

int32_t image_ppid(const struct image *image)
{
	return image->ppid;
}

uint32_t image_index(const struct image *image)
{
	return image->index;
}

uint32_t image_space(const struct image *image)
{
	return image->space;
}

uint32_t image_epoch_span(const struct image *image, uint64_t time_ns, uint64_t *from_ns,
			  uint64_t *to_ns)
{
	size_t lo = 0, hi = image->epochs.nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (image->epochs.v[mid] <= time_ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	*from_ns = lo ? image->epochs.v[lo - 1] : 0;
	*to_ns = lo < image->epochs.nr ? image->epochs.v[lo] : UINT64_MAX;
	return (uint32_t)lo;
}

uint32_t image_epoch(const struct image *image, uint64_t time_ns)
{
	uint64_t from, to;

	return image_epoch_span(image, time_ns, &from, &to);
}

/*
 * Among the image's own mappings over addr: the newest that was there at time_ns
 * in *then, and the oldest that came later in *later.
 */
static void find_own(const struct image *image, uint64_t addr, uint64_t time_ns,
		     const struct mapping **then, const struct mapping **later)
{
	size_t lo = 0, hi = image->maps.nr;

	*then = *later = NULL;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (image->maps.v[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (size_t i = lo; i-- > 0 && image->max_end[i] > addr;) {
		const struct mapping *m = &image->maps.v[i];

		if (m->end <= addr)
			continue;
		if (m->from_ns <= time_ns) {
			if (!*then || m->from_ns > (*then)->from_ns)
				*then = m;
		} else if (!*later || m->from_ns < (*later)->from_ns) {
			*later = m;
		}
	}
}

const struct mapping *image_find(const struct image *image, uint64_t addr, uint64_t time_ns)
{
	const struct image *before = time_ns < image->settled_ns ? image->before : NULL, *own = image;
	const struct mapping *own_later = NULL, *then, *later;

	/* Up the line of parents, each as it was when it was forked from. */
	for (; image; image = image->parent) {
		find_own(image, addr, time_ns, &then, &later);
		if (then)
			return then;
		/* what a parent mapped after the fork is not the child's */
		if (image == own)
			own_later = later;
		if (time_ns > image->from_ns)
			time_ns = image->from_ns;
	}
	return own_later || !before ? own_later : image_find(before, addr, time_ns);
}

const struct mapping *process_kernel_find(const struct process_table *t, uint64_t addr,
					  uint64_t time_ns)
{
	const struct mapping *then, *later;

	find_own(&t->kernel, addr, time_ns, &then, &later);
	if (then || later)
		return then ? then : later;
	/*
	 * The recorded length of the kernel is that of its .text; code of its init
	 * sections and trampolines stand behind it and in kallsyms too.
	 */
	return t->kernel_text && addr >= t->kernel_text->start ? t->kernel_text : NULL;
}

bool process_knows_kernel(const struct process_table *t)
{
	return t->kernel_text;
}

static bool comm_of(const struct process_table *t, uint32_t tid, uint64_t time_ns, uint32_t *comm,
		    uint64_t *from_ns, uint64_t *to_ns)
{
	const struct task *task = task_find(t, tid);
	size_t i;

	*from_ns = 0;
	*to_ns = UINT64_MAX;
	if (!task || !task->comms.nr)
		return false;
	for (i = task->comms.nr - 1; i > 0 && task->comms.v[i].from_ns > time_ns;)
		i--;
	if (i)
		*from_ns = task->comms.v[i].from_ns;
	if (i + 1 < task->comms.nr)
		*to_ns = task->comms.v[i + 1].from_ns;
	*comm = task->comms.v[i].comm;
	return true;
}

uint32_t process_comm_span(const struct process_table *t, uint32_t pid, uint32_t tid,
			   uint64_t time_ns, uint64_t *from_ns, uint64_t *to_ns)
{
	uint32_t comm;

	/* a thread that has given its number back (the last switch of a dead task): as perf has it */
	if (tid != NONE32 && (comm_of(t, tid, time_ns, &comm, from_ns, to_ns) ||
			      comm_of(t, pid, time_ns, &comm, from_ns, to_ns)))
		return comm;
	*from_ns = 0;
	*to_ns = UINT64_MAX;
	return PROCESS_COMM_TID | (tid & ~PROCESS_COMM_TID);
}

uint32_t process_comm(const struct process_table *t, uint32_t pid, uint32_t tid, uint64_t time_ns)
{
	uint64_t from, to;

	return process_comm_span(t, pid, tid, time_ns, &from, &to);
}

uint32_t process_comm_id(struct process_table *t, const char *name, size_t len)
{
	return intern_idn(&t->strings, name, len);
}

const char *process_comm_str(const struct process_table *t, uint32_t comm, char buf[16])
{
	if (!(comm & PROCESS_COMM_TID))
		return intern_str(&t->strings, comm);
	comm &= ~PROCESS_COMM_TID;
	snprintf(buf, 16, ":%d", comm == (NONE32 & ~PROCESS_COMM_TID) ? -1 : (int)comm);
	return buf;
}
