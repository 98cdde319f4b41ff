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
#include "base/vec.h"
#include "symbols/symbols.h"

#define CHUNK 1024
#define FRAMES 256
#define JOBS_MAX 64
#define DIGIT_BITS 12

/* Neighbours that are named alike share the frames. */
struct named { const struct source_frame *frames; uint32_t nr; };
struct query { uint64_t addr; uint32_t place; };

struct work {
	struct module *module;
	struct module_set *set;
	VEC(uint64_t) addrs;             /* as they came */
	struct query *sorted;
	struct named *named;             /* as they came */
	atomic_size_t next;
	atomic_int jobs;
	struct arena arenas[JOBS_MAX];
	size_t nr_chunks;
	pthread_mutex_t lock;            /* of what follows */
	pthread_cond_t turn;
	size_t written;
	bool failed;
};

/* An array that will be written all over. */
static void *dense(size_t nr, size_t size)
{
	void *p = mem_realloc_array(NULL, nr, size);

	mem_populate(p, nr * size);
	return p;
}

/* --- in ----------------------------------------------------------------------------- */

static signed char digits[256];

static void make_digits(void)
{
	memset(digits, -1, sizeof(digits));
	for (int i = 0; i < 10; i++)
		digits['0' + i] = (signed char)i;
	for (int i = 0; i < 6; i++)
		digits['a' + i] = digits['A' + i] = (signed char)(10 + i);
}

static void read_addresses(struct work *w)
{
	static unsigned char buffer[1 << 18];
	uint64_t addr = 0;
	bool any = false;
	ssize_t n;

	make_digits();
	while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0) {
		const unsigned char *p = buffer, *end = buffer + n;

		while (p < end) {
			for (int digit; p < end && (digit = digits[*p]) >= 0; p++) {
				addr = addr << 4 | (uint64_t)digit;
				any = true;
			}
			if (p < end && *p++ == '\n' && any) {
				*vec_push(&w->addrs) = addr;
				addr = 0;
				any = false;
			}
		}
	}
}

/* By twelve bits at a time, and not by those that are the same in all. */
static void sort_queries(struct work *w)
{
	size_t nr = w->addrs.nr, at[1 << DIGIT_BITS];
	struct query *from = dense(nr, sizeof(*from)), *to = dense(nr, sizeof(*to)), *other;
	uint64_t differ = 0;

	for (size_t i = 0; i < nr; i++) {
		from[i] = (struct query){ w->addrs.v[i], (uint32_t)i };
		differ |= from[i].addr ^ from[0].addr;
	}
	for (unsigned shift = 0; shift < 64 && differ >> shift; shift += DIGIT_BITS) {
		uint64_t mask = (1 << DIGIT_BITS) - 1;
		size_t sum = 0;

		if (!(differ >> shift & mask))
			continue;
		memset(at, 0, sizeof(at));
		for (size_t i = 0; i < nr; i++)
			at[from[i].addr >> shift & mask]++;
		for (size_t i = 0; i <= mask; i++) {
			size_t n = at[i];

			at[i] = sum;
			sum += n;
		}
		for (size_t i = 0; i < nr; i++)
			to[at[from[i].addr >> shift & mask]++] = from[i];
		other = from;
		from = to;
		to = other;
	}
	free(to);
	w->sorted = from;
}

/* --- naming ------------------------------------------------------------------------- */

static bool same_frames(const struct named *named, const struct source_frame *frames, uint32_t nr)
{
	bool same = named->nr == nr;

	for (uint32_t i = 0; i < nr && same; i++)
		same = named->frames[i].name == frames[i].name &&
		       named->frames[i].file == frames[i].file &&
		       named->frames[i].line == frames[i].line;
	return same;
}

static void *find(void *arg)
{
	struct work *w = arg;
	struct arena *arena = &w->arenas[atomic_fetch_add(&w->jobs, 1)];
	struct source_frame frames[FRAMES];
	struct named last = { 0 };
	struct symbol symbol;
	size_t chunk;

	while ((chunk = atomic_fetch_add(&w->next, 1)) < w->nr_chunks) {
		for (size_t i = chunk * CHUNK; i < w->addrs.nr && i < (chunk + 1) * CHUNK; i++) {
			uint64_t addr = w->sorted[i].addr;
			uint32_t nr = module_lines(w->module, addr, frames, FRAMES);

			if (!nr)
				frames[nr++] = (struct source_frame){ 0 };
			if (!frames[nr - 1].name) {
				module_symbol(w->module, addr, &symbol);
				frames[nr - 1].name = symbol.name;
			}
			if (!same_frames(&last, frames, nr))
				last = (struct named){
					arena_dup(arena, frames, nr * sizeof(*frames)), nr };
			w->named[w->sorted[i].place] = last;
		}
	}
	return NULL;
}

/* --- out ---------------------------------------------------------------------------- */

static char *put(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	to[len] = '\n';
	return to + len + 1;
}

/* "FILE:LINE" and the end of the line. */
static char *put_place(char *to, const char *file, size_t len, uint32_t line)
{
	char number[12], *p = number + sizeof(number);

	memcpy(to, file, len);
	to += len;
	*to++ = ':';
	do {
		*--p = (char)('0' + line % 10);
		line /= 10;
	} while (line);
	return put(to, p, (size_t)(number + sizeof(number) - p));
}

/* The most that the lines of an address's frames can take. */
static size_t frames_room(const struct named *named, size_t *names, size_t *files)
{
	size_t room = 0;

	for (uint32_t i = 0; i < named->nr; i++) {
		const struct source_frame *f = &named->frames[i];

		names[i] = f->name ? strlen(f->name) : 2;
		files[i] = f->file ? strlen(f->file) : 2;
		room += names[i] + files[i] + 16;
	}
	return room;
}

static char *put_frames(char *p, const struct named *named, const size_t *names,
			const size_t *files)
{
	for (uint32_t i = 0; i < named->nr; i++) {
		const struct source_frame *f = &named->frames[i];

		p = put(p, f->name ? f->name : "??", names[i]);
		if (f->line || !f->file)
			p = put_place(p, f->file ? f->file : "??", files[i], f->line);
		else
			p = put(put(p, f->file, files[i]) - 1, ":?", 2);
	}
	return p;
}

static char pairs[256][2];       /* a byte's two digits */

static void make_pairs(void)
{
	for (int i = 0; i < 256; i++) {
		pairs[i][0] = "0123456789abcdef"[i >> 4];
		pairs[i][1] = "0123456789abcdef"[i & 15];
	}
}

static char *put_addr(char *to, uint64_t addr)
{
	to[0] = '0';
	to[1] = 'x';
	for (int i = 0; i < 8; i++)
		memcpy(to + 2 + 2 * i, pairs[addr >> (56 - 8 * i) & 255], 2);
	to[18] = '\n';
	return to + 19;
}

static bool write_all(const char *p, size_t size)
{
	while (size) {
		ssize_t n = write(STDOUT_FILENO, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return true;
}

/* Have what will be printed soon in the processor's cache: it lies anywhere. */
static void look_ahead(const struct work *w, size_t i)
{
	size_t last = w->addrs.nr - 1;
	const struct named *soon = &w->named[i + 6 < last ? i + 6 : last];

	__builtin_prefetch(w->named[i + 12 < last ? i + 12 : last].frames);
	for (uint32_t j = 0; j < soon->nr; j++) {
		__builtin_prefetch(soon->frames[j].name);
		__builtin_prefetch(soon->frames[j].file);
	}
}

/* Out in the order of the input: gathered by all threads, written one after the other. */
static void *write_out(void *arg)
{
	struct work *w = arg;
	size_t chunk, names[FRAMES], files[FRAMES];
	VEC(char) out = { 0 };

	while ((chunk = atomic_fetch_add(&w->next, 1)) < w->nr_chunks) {
		size_t first = chunk * CHUNK, end = first + CHUNK;
		char *p;

		if (end > w->addrs.nr)
			end = w->addrs.nr;
		out.nr = 0;
		for (size_t i = first; i < end; i++) {
			look_ahead(w, i);
			vec_reserve(&out, frames_room(&w->named[i], names, files) + 32);
			p = put_addr(out.v + out.nr, w->addrs.v[i]);
			p = put_frames(p, &w->named[i], names, files);
			out.nr = (size_t)(p - out.v);
		}
		pthread_mutex_lock(&w->lock);
		while (w->written != chunk)
			pthread_cond_wait(&w->turn, &w->lock);
		w->failed |= !write_all(out.v, out.nr);
		w->written++;
		pthread_cond_broadcast(&w->turn);
		pthread_mutex_unlock(&w->lock);
	}
	vec_release(&out);
	return NULL;
}

/* The tables for the next time, while this time's answer goes out. */
static void *keep(void *arg)
{
	struct work *w = arg;

	module_set_keep(w->set);
	return NULL;
}

static void run(struct work *w, void *(*job)(void *), size_t nr_jobs)
{
	pthread_t threads[JOBS_MAX];
	size_t started = 0;

	atomic_store(&w->next, 0);
	atomic_store(&w->jobs, 0);
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

static void name_all(struct work *w, const char *path, size_t nr_jobs, bool tell)
{
	double start = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);

	w->module = module_intern(w->set, MODULE_FILE, path, NULL, 0);
	run(w, find, nr_jobs);
	if (tell)
		fprintf(stderr, "%.3f %.3f\n", seconds(CLOCK_MONOTONIC) - start,
			seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

static void print_all(struct work *w, size_t nr_jobs)
{
	bool keeps;
	pthread_t keeper;

	make_pairs();
	keeps = pthread_create(&keeper, NULL, keep, w) == 0;
	run(w, write_out, nr_jobs);
	if (keeps)
		pthread_join(keeper, NULL);
	else
		keep(w);
}

int main(int argc, char **argv)
{
	bool tell = argc > 1 && strcmp(argv[1], "-t") == 0;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct symbol_options options = { .no_demangle = true };
	struct work w = { .lock = PTHREAD_MUTEX_INITIALIZER, .turn = PTHREAD_COND_INITIALIZER };
	size_t nr_jobs;

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
	if (!w.addrs.nr)
		return 0;
	w.set = module_set_new(&options);
	w.nr_chunks = (w.addrs.nr + CHUNK - 1) / CHUNK;
	w.named = dense(w.addrs.nr, sizeof(*w.named));
	sort_queries(&w);
	name_all(&w, argv[1], nr_jobs, tell);
	print_all(&w, nr_jobs);
	/* what is left goes with the process */
	return w.failed;
}
