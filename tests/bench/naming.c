/* SPDX-License-Identifier: MIT */
/*
 * naming [-t] FILE [JOBS] <ADDRESSES: hexadecimal addresses of FILE in, and out what
 * `addr2line -afi -e FILE` prints for them: the address, then a line for each function
 * and a line for its file and line, innermost first.
 *
 * As a report does it, addresses are looked up in their order, each thread with
 * neighbours of its own; they are printed as they came.
 *
 * -t tells on standard error how many seconds, and seconds of processor time, the naming
 * took, from opening the file to the last address's frames: what is left is reading the list
 * and printing.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "symbols/symbols.h"

#define CHUNK 1024
#define FRAMES 256
#define JOBS_MAX 64

struct named { const struct source_frame *frames; uint32_t nr; };
struct query { uint64_t addr; uint32_t place; };

struct work {
	struct module *module;
	VEC(struct query) sorted;
	struct query *spare;
	struct named *named;             /* as sorted */
	uint32_t *order;                 /* place in the input -> in sorted */
	atomic_size_t next;
	atomic_int jobs;
	struct arena arenas[JOBS_MAX];
	size_t nr_chunks;
	pthread_mutex_t lock;            /* of what follows */
	pthread_cond_t turn;
	size_t written;
	bool failed;
};

/* --- in ----------------------------------------------------------------------------- */

static int hex(int c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static void read_addresses(struct work *w)
{
	static char buffer[1 << 16];
	uint64_t addr = 0;
	bool any = false;
	size_t n;

	while ((n = fread(buffer, 1, sizeof(buffer), stdin)) > 0) {
		for (size_t i = 0; i < n; i++) {
			int digit = hex(buffer[i]);

			if (digit >= 0) {
				addr = addr << 4 | (uint64_t)digit;
				any = true;
			} else if (buffer[i] == '\n' && any) {
				uint32_t place = (uint32_t)w->sorted.nr;

				*vec_push(&w->sorted) = (struct query){ addr, place };
				addr = 0;
				any = false;
			}
		}
	}
}

/* By eight bits at a time. */
static void sort_queries(struct work *w)
{
	struct query *from = w->sorted.v, *to = w->spare, *other;

	for (unsigned shift = 0; shift < 64; shift += 8) {
		size_t at[256] = { 0 }, sum = 0;

		for (size_t i = 0; i < w->sorted.nr; i++)
			at[from[i].addr >> shift & 255]++;
		if (at[from[0].addr >> shift & 255] == w->sorted.nr)
			continue;
		for (int b = 0; b < 256; b++) {
			size_t n = at[b];

			at[b] = sum;
			sum += n;
		}
		for (size_t i = 0; i < w->sorted.nr; i++)
			to[at[from[i].addr >> shift & 255]++] = from[i];
		other = from;
		from = to;
		to = other;
	}
	w->spare = to;
	w->sorted.v = from;
}

/* --- work --------------------------------------------------------------------------- */

static void add_frames(struct str *s, uint64_t addr, const struct named *named)
{
	const struct source_frame *f = named->frames;

	str_add(s, "0x");
	str_add_hex(s, addr, 16, '0');
	for (uint32_t i = 0; i < named->nr; i++) {
		str_addc(s, '\n');
		str_add(s, f[i].name ? f[i].name : "??");
		str_addc(s, '\n');
		str_add(s, f[i].file ? f[i].file : "??");
		str_addc(s, ':');
		if (f[i].line)
			str_add_dec(s, f[i].line, 0, ' ');
		else
			str_addc(s, f[i].file ? '?' : '0');
	}
	str_addc(s, '\n');
}

static void *find(void *arg)
{
	struct work *w = arg;
	struct arena *arena = &w->arenas[atomic_fetch_add(&w->jobs, 1)];
	struct source_frame frames[FRAMES];
	struct symbol symbol;
	size_t chunk;

	while ((chunk = atomic_fetch_add(&w->next, 1)) < w->nr_chunks) {
		for (size_t i = chunk * CHUNK; i < w->sorted.nr && i < (chunk + 1) * CHUNK; i++) {
			uint64_t addr = w->sorted.v[i].addr;
			uint32_t nr = module_lines(w->module, addr, frames, FRAMES);

			if (!nr)
				frames[nr++] = (struct source_frame){ 0 };
			if (!frames[nr - 1].name) {
				module_symbol(w->module, addr, &symbol);
				frames[nr - 1].name = symbol.name;
			}
			w->named[i] = (struct named){
				arena_dup(arena, frames, nr * sizeof(*frames)), nr };
		}
	}
	return NULL;
}

/* Have what will be printed soon in the processor's cache: it lies anywhere. */
static void look_ahead(const struct work *w, size_t i)
{
	size_t last = w->sorted.nr - 1;
	const struct named *soon = &w->named[w->order[i + 4 < last ? i + 4 : last]];

	__builtin_prefetch(&w->named[w->order[i + 16 < last ? i + 16 : last]]);
	__builtin_prefetch(&w->sorted.v[w->order[i + 16 < last ? i + 16 : last]]);
	__builtin_prefetch(w->named[w->order[i + 8 < last ? i + 8 : last]].frames);
	for (uint32_t j = 0; j < soon->nr; j++) {
		__builtin_prefetch(soon->frames[j].name);
		__builtin_prefetch(soon->frames[j].file);
	}
}

/* Out in the order of the input: gathered by all threads, written one after the other. */
static void *write_out(void *arg)
{
	struct work *w = arg;
	struct str text = STR_INIT;
	size_t chunk;

	while ((chunk = atomic_fetch_add(&w->next, 1)) < w->nr_chunks) {
		str_clear(&text);
		for (size_t i = chunk * CHUNK; i < w->sorted.nr && i < (chunk + 1) * CHUNK; i++) {
			look_ahead(w, i);
			add_frames(&text, w->sorted.v[w->order[i]].addr, &w->named[w->order[i]]);
		}
		pthread_mutex_lock(&w->lock);
		while (w->written != chunk)
			pthread_cond_wait(&w->turn, &w->lock);
		w->failed |= fwrite(text.p, 1, text.len, stdout) != text.len;
		w->written++;
		pthread_cond_broadcast(&w->turn);
		pthread_mutex_unlock(&w->lock);
	}
	str_release(&text);
	return NULL;
}

static void run(struct work *w, void *(*job)(void *), size_t nr_jobs)
{
	pthread_t threads[JOBS_MAX];
	size_t started = 0;

	while (started + 1 < nr_jobs && pthread_create(&threads[started], NULL, job, w) == 0)
		started++;
	job(w);
	while (started)
		pthread_join(threads[--started], NULL);
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	bool tell = argc > 1 && strcmp(argv[1], "-t") == 0;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct symbol_options options = { .no_demangle = true };
	struct module_set *set = module_set_new(&options);
	size_t nr_jobs;
	double start, cpu;
	struct work w = { .lock = PTHREAD_MUTEX_INITIALIZER, .turn = PTHREAD_COND_INITIALIZER };

	argc -= tell;
	argv += tell;
	nr_jobs = argc > 2 ? strtoul(argv[2], NULL, 10) : cores > 0 ? (size_t)cores : 1;
	if (argc < 2 || !nr_jobs) {
		fprintf(stderr, "naming [-t] FILE [JOBS] <ADDRESSES\n");
		return 2;
	}
	if (nr_jobs > JOBS_MAX)
		nr_jobs = JOBS_MAX;
	for (int i = 0; i < JOBS_MAX; i++)
		arena_init(&w.arenas[i]);
	read_addresses(&w);
	if (!w.sorted.nr)
		return 0;
	w.nr_chunks = (w.sorted.nr + CHUNK - 1) / CHUNK;
	w.spare = mem_realloc_array(NULL, w.sorted.nr, sizeof(*w.spare));
	w.named = mem_realloc_array(NULL, w.sorted.nr, sizeof(*w.named));
	sort_queries(&w);
	start = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	w.module = module_intern(set, MODULE_FILE, argv[1], NULL, 0);
	run(&w, find, nr_jobs);
	if (tell)
		fprintf(stderr, "%.3f %.3f\n", seconds(CLOCK_MONOTONIC) - start,
			seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	w.order = mem_realloc_array(NULL, w.sorted.nr, sizeof(*w.order));
	for (size_t i = 0; i < w.sorted.nr; i++)
		w.order[w.sorted.v[i].place] = (uint32_t)i;
	atomic_store(&w.next, 0);
	run(&w, write_out, nr_jobs);
	module_set_keep(set);
	/* what is left goes with the process */
	return w.failed || fflush(stdout) ? 1 : 0;
}
