/* SPDX-License-Identifier: MIT */
#include "symbols/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "symbols/cache.h"

#define LIBRARY "libdebuginfod.so.1"
#define THREADS_MOST 4
#define FILES_MOST 4096          /* that a process asks for */

/* As in elfutils/debuginfod.h, which need not be there to build. */
struct client;
typedef int progress_fn(struct client *client, long done, long total);

static struct {
	struct client *(*begin)(void);
	void (*end)(struct client *client);
	void (*set_progress)(struct client *client, progress_fn *progress);
	int (*find[2])(struct client *client, const unsigned char *build_id, int size, char **path);
	int (*find_source)(struct client *client, const unsigned char *build_id, int size,
			   const char *name, char **path);
} lib;

enum { KIND_SOURCE = DEBUGINFOD_BINARY + 1 };
enum state { WAITING, RUNNING, DONE };

struct job {
	unsigned kind;                   /* enum debuginfod_kind, or KIND_SOURCE */
	enum state state;
	uint8_t size, build_id[20];
	bool late;                       /* it may be there, but had not come by the deadline */
	char *name;                      /* of a source file */
	char *path;                      /* once DONE: in the library's cache; NULL: not to be had */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	VEC(struct job *) jobs;
	pthread_t threads[THREADS_MOST];
	unsigned nr_threads, nr_idle;
	bool opened, usable, begun, told;
	int wait_ms;
	struct timespec deadline;        /* once begun */
	atomic_bool stop;
} d = { .lock = PTHREAD_MUTEX_INITIALIZER };

bool debuginfod_is_on(void)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	return urls && urls[strspn(urls, " ")];
}

void debuginfod_set_wait(int ms)
{
	pthread_mutex_lock(&d.lock);
	d.wait_ms = ms;
	pthread_mutex_unlock(&d.lock);
}

static const char *const kind_names[] = { "debuginfo", "executable", "source" };

/* --- the library's cache -------------------------------------------------------- */

/* debuginfod_find_debuginfo(3), "ENVIRONMENT VARIABLES" and "FILES". */
static bool cache_of_library(struct str *path)
{
	const char *own = getenv("DEBUGINFOD_CACHE_PATH"), *home = getenv("HOME");
	const char *xdg = getenv("XDG_CACHE_HOME");
	struct stat st;

	str_clear(path);
	if (own && *own) {
		str_add(path, own);
		return true;
	}
	if (home && *home) {
		str_addf(path, "%s/.debuginfod_client_cache", home);
		if (stat(path->p, &st) == 0)
			return true;
		str_clear(path);
	}
	if (xdg && *xdg)
		str_addf(path, "%s/debuginfod_client", xdg);
	else if (home && *home)
		str_addf(path, "%s/.cache/debuginfod_client", home);
	return path->len;
}

static struct elf_file *open_if_it(const char *path, const uint8_t *build_id, uint8_t size)
{
	struct elf_file *file;

	if (elf_file_open(&file, path) < 0)
		return NULL;
	if (build_id_equal(file->build_id, file->build_id_size, build_id, size))
		return file;
	log_debug("'%s' is not the file that is looked for: its build-id differs", path);
	elf_file_free(file);
	return NULL;
}

static bool cached_path(struct str *path, unsigned kind, const uint8_t *build_id,
			uint8_t size)
{
	char id[41];

	cache_build_id_name(id, build_id, size);
	if (!cache_of_library(path))
		return false;
	str_addf(path, "/%s/%s", id, kind_names[kind]);
	return true;
}

static struct elf_file *find_cached(enum debuginfod_kind kind, const uint8_t *build_id, uint8_t size)
{
	struct elf_file *file = NULL;
	struct str path = STR_INIT;

	if (cached_path(&path, kind, build_id, size))
		file = open_if_it(path.p, build_id, size);
	str_release(&path);
	return file;
}

/*
 * A transfer that was broken off leaves an empty file, by which the library (0.188) says for
 * ten minutes that no server has it. That no one has said.
 */
static void forget_refusal(const struct job *job)
{
	struct str path = STR_INIT;
	struct stat st;

	/* a source file's name there is not documented: the ten minutes have to pass */
	if (!job->name && cached_path(&path, job->kind, job->build_id, job->size) &&
	    lstat(path.p, &st) == 0 && S_ISREG(st.st_mode) && !st.st_size)
		unlink(path.p);
	str_release(&path);
}

/* --- threads that fetch ----------------------------------------------------------- */

static bool is_over(void)
{
	struct timespec now;

	if (atomic_load(&d.stop))
		return true;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > d.deadline.tv_sec ||
	       (now.tv_sec == d.deadline.tv_sec && now.tv_nsec >= d.deadline.tv_nsec);
}

/* The library asks several times a second; anything but 0 ends the transfer. */
static int on_progress(struct client *client, long done, long total)
{
	(void)client;
	(void)done;
	(void)total;
	return is_over();
}

static void fetch(struct client *client, struct job *job)
{
	char *path = NULL;
	char id[41];
	int fd = job->name ? lib.find_source(client, job->build_id, job->size, job->name, &path) :
			     lib.find[job->kind](client, job->build_id, job->size, &path);

	cache_build_id_name(id, job->build_id, job->size);
	if (fd >= 0) {
		close(fd);
		log_info("debuginfod has the %s of %s%s%s", kind_names[job->kind], id,
			 job->name ? ": " : "", job->name ? job->name : "");
	} else {
		path = NULL;
		if (is_over())
			forget_refusal(job);
		log_debug("debuginfod has no %s of %s: %s", kind_names[job->kind], id, strerror(-fd));
	}
	pthread_mutex_lock(&d.lock);
	/* the library's memory: free(3) is what its manual page names */
	job->path = path;
	job->late = !path && is_over();
	job->state = path || !atomic_load(&d.stop) ? DONE : WAITING;
	pthread_cond_broadcast(&d.changed);
	pthread_mutex_unlock(&d.lock);
}

static struct job *next_job(void)
{
	for (size_t i = 0; i < d.jobs.nr; i++)
		if (d.jobs.v[i]->state == WAITING)
			return d.jobs.v[i];
	return NULL;
}

static void *work(void *arg)
{
	struct client *client = lib.begin();
	struct job *job;

	(void)arg;
	if (client)
		lib.set_progress(client, on_progress);
	pthread_mutex_lock(&d.lock);
	while (client && !is_over()) {
		job = next_job();
		if (!job) {
			d.nr_idle++;
			pthread_cond_timedwait(&d.changed, &d.lock, &d.deadline);
			d.nr_idle--;
			continue;
		}
		job->state = RUNNING;
		pthread_mutex_unlock(&d.lock);
		fetch(client, job);
		pthread_mutex_lock(&d.lock);
	}
	pthread_mutex_unlock(&d.lock);
	if (client)
		lib.end(client);
	return NULL;
}

/* --- questions ---------------------------------------------------------------------- */

static bool open_library(void)
{
	const struct { const char *name; void **to; } functions[] = {
		{ "debuginfod_begin", (void **)&lib.begin },
		{ "debuginfod_end", (void **)&lib.end },
		{ "debuginfod_set_progressfn", (void **)&lib.set_progress },
		{ "debuginfod_find_debuginfo", (void **)&lib.find[DEBUGINFOD_DEBUG] },
		{ "debuginfod_find_executable", (void **)&lib.find[DEBUGINFOD_BINARY] },
		{ "debuginfod_find_source", (void **)&lib.find_source },
	};
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		log_note("DEBUGINFOD_URLS is set, and no server is asked: %s is not installed (Debian: "
			 "libdebuginfod1)", LIBRARY);
		return false;
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		*functions[i].to = dlsym(library, functions[i].name);
		if (!*functions[i].to)
			return false;
	}
	return true;
}

/* The clock runs from the first question on. Under the lock. */
static bool begin(void)
{
	int ms = d.wait_ms ? d.wait_ms : DEBUGINFOD_WAIT_MS;
	pthread_condattr_t attr;

	if (d.wait_ms < 0)
		return false;
	if (!d.opened) {
		d.opened = true;
		d.usable = open_library();
	}
	if (!d.usable || d.begun)
		return d.usable;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d.changed, &attr);
	pthread_condattr_destroy(&attr);
	clock_gettime(CLOCK_MONOTONIC, &d.deadline);
	d.deadline.tv_sec += ms / 1000;
	d.deadline.tv_nsec += ms % 1000 * 1000000;
	if (d.deadline.tv_nsec >= 1000000000) {
		d.deadline.tv_sec++;
		d.deadline.tv_nsec -= 1000000000;
	}
	d.begun = true;
	return true;
}

static struct job *find_job(unsigned kind, const uint8_t *build_id, uint8_t size,
			    const char *name)
{
	for (size_t i = 0; i < d.jobs.nr; i++)
		if (d.jobs.v[i]->kind == kind && d.jobs.v[i]->size == size &&
		    memcmp(d.jobs.v[i]->build_id, build_id, size) == 0 &&
		    (!name || strcmp(d.jobs.v[i]->name, name) == 0))
			return d.jobs.v[i];
	return NULL;
}

/* The job for a file, new or old; NULL if no one is to be asked. Under the lock. */
static struct job *job_for(unsigned kind, const uint8_t *build_id, uint8_t size,
			   const char *name)
{
	struct job *job;

	if (!begin())
		return NULL;
	job = find_job(kind, build_id, size, name);
	if ((job && job->state != WAITING) || is_over() || d.jobs.nr >= FILES_MOST)
		return job;
	if (!job) {
		job = mem_zalloc(sizeof(*job));
		job->kind = kind;
		job->size = size;
		memcpy(job->build_id, build_id, size);
		job->name = name ? mem_strdup(name) : NULL;
		*vec_push(&d.jobs) = job;
	}
	if (!d.nr_idle && d.nr_threads < THREADS_MOST &&
	    pthread_create(&d.threads[d.nr_threads], NULL, work, NULL) == 0)
		d.nr_threads++;
	pthread_cond_broadcast(&d.changed);
	return job;
}

/* Build-ids of other lengths are padded in recordings: no server could know them. */
static bool can_ask(uint8_t size)
{
	return debuginfod_is_on() && size >= 8 && size <= 20;
}

void debuginfod_ask(enum debuginfod_kind kind, const uint8_t *build_id, uint8_t size)
{
	struct elf_file *cached;

	if (!can_ask(size))
		return;
	cached = find_cached(kind, build_id, size);
	if (cached) {
		elf_file_free(cached);
		return;
	}
	pthread_mutex_lock(&d.lock);
	job_for(kind, build_id, size, NULL);
	pthread_mutex_unlock(&d.lock);
}

static void tell_once(void)
{
	if (d.told)
		return;
	d.told = true;
	log_note("debuginfod did not answer, or not send all, within %g s: some names may be missing; "
		 "--debuginfod-timeout SECONDS waits longer",
		 (d.wait_ms ? d.wait_ms : DEBUGINFOD_WAIT_MS) / 1000.0);
}

/* The path of what was asked for, which the caller frees; NULL if it did not come. */
static char *wait_for(unsigned kind, const uint8_t *build_id, uint8_t size,
		      const char *name)
{
	char *path = NULL;
	struct job *job;

	pthread_mutex_lock(&d.lock);
	job = job_for(kind, build_id, size, name);
	while (job && job->state != DONE && !is_over())
		pthread_cond_timedwait(&d.changed, &d.lock, &d.deadline);
	if (d.begun && (!job || job->state != DONE || job->late))
		tell_once();
	if (job && job->state == DONE && job->path)
		path = mem_strdup(job->path);
	pthread_mutex_unlock(&d.lock);
	return path;
}

struct elf_file *debuginfod_find(enum debuginfod_kind kind, const uint8_t *build_id, uint8_t size)
{
	struct elf_file *file;
	char *path;

	if (!can_ask(size))
		return NULL;
	file = find_cached(kind, build_id, size);
	if (file)
		return file;
	path = wait_for(kind, build_id, size, NULL);
	file = path ? open_if_it(path, build_id, size) : NULL;
	free(path);
	return file;
}

char *debuginfod_source(const uint8_t *build_id, uint8_t size, const char *name)
{
	return can_ask(size) && *name == '/' ? wait_for(KIND_SOURCE, build_id, size, name) : NULL;
}

void debuginfod_stop(void)
{
	pthread_mutex_lock(&d.lock);
	atomic_store(&d.stop, true);
	if (d.begun)
		pthread_cond_broadcast(&d.changed);
	pthread_mutex_unlock(&d.lock);
	/* no one begins another thread once it is over */
	while (d.nr_threads)
		pthread_join(d.threads[--d.nr_threads], NULL);
	atomic_store(&d.stop, false);
}
