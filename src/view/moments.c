/* SPDX-License-Identifier: MIT */
#include "view/moments.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "formats/tracepoint.h"
#include "profile/extra.h"

struct loading {
	const struct profile *profile;
	const bool *wanted;
	struct moment *rows;
	size_t nr;                       /* room, reckoned from the entries */
	uint32_t *thread_of;             /* [entry], UINT32_MAX: not wanted */
	size_t *next, *end;              /* [thread]: its next row, and the one behind its last */
	struct tracepoints *points;
	FILE *texts;
	size_t texts_size;
	struct str text;
};

/* --- where each thread's rows go ---------------------------------------------------------- */

static int compare_tasks(const void *a, const void *b, void *arg)
{
	const struct profile *profile = ((const struct loading *)arg)->profile;
	const uint32_t *i = a, *j = b;

	return moments_compare_tasks(&profile->entries[*i], &profile->entries[*j]);
}

static void place_threads(struct loading *l)
{
	const struct profile *p = l->profile;
	uint32_t *order = mem_realloc_array(NULL, p->nr_entries + 1, sizeof(*order)), nr = 0, threads = 0;

	l->thread_of = mem_realloc_array(NULL, p->nr_entries + 1, sizeof(*l->thread_of));
	l->next = mem_realloc_array(NULL, p->nr_entries + 1, sizeof(*l->next));
	l->end = mem_realloc_array(NULL, p->nr_entries + 1, sizeof(*l->end));
	for (size_t i = 0; i < p->nr_entries; i++) {
		l->thread_of[i] = UINT32_MAX;
		if (l->wanted[p->entries[i].event])
			order[nr++] = (uint32_t)i;
	}
	qsort_r(order, nr, sizeof(*order), compare_tasks, l);
	for (uint32_t i = 0; i < nr; i++) {
		if (!i || compare_tasks(&order[i - 1], &order[i], l) != 0)
			l->next[threads++] = l->nr;
		l->thread_of[order[i]] = threads - 1;
		l->nr += p->entries[order[i]].samples;
		l->end[threads - 1] = l->nr;
	}
	free(order);
}

/* --- rows and texts -------------------------------------------------------------------------- */

static uint64_t add_text(struct loading *l, const struct sample *sample)
{
	uint64_t at = l->texts_size;

	if (!l->points || sample->event->attr.type != PERF_TYPE_TRACEPOINT ||
	    !(sample->sample_type & PERF_SAMPLE_RAW))
		return 0;
	str_clear(&l->text);
	extra_add_trace(l->points, &l->text, sample, false);
	fwrite(l->text.p, 1, l->text.len + 1, l->texts);
	l->texts_size += l->text.len + 1;
	return at;
}

static void add_row(void *arg, const struct profile_entry *entry, const struct sample *sample)
{
	struct loading *l = arg;
	size_t i = (size_t)(entry - l->profile->entries);
	uint32_t thread = l->thread_of[i];

	if (thread == UINT32_MAX || l->next[thread] == l->end[thread])
		return;
	l->rows[l->next[thread]++] = (struct moment){
		.time_ns = sample->sample_type & PERF_SAMPLE_TIME ? sample->time_ns : 0,
		.period = sample->period,
		.text = add_text(l, sample),
		.entry = (uint32_t)i,
	};
}

/* --- the files ------------------------------------------------------------------------------- */

static int cannot(int e, const char *what, struct err *err)
{
	return err_set(err, e, "cannot keep %s in a temporary file: %s; TMPDIR may name a folder with more room",
		       what, strerror(e));
}

/* Room for the rows. It is taken at once: a disk that is full later would end the program. */
static int map_rows(struct loading *l, struct err *err)
{
	size_t size = (l->nr + 1) * sizeof(*l->rows);
	int fd = file_temporary(), e = fd < 0 ? -fd : posix_fallocate(fd, 0, (off_t)size);

	if (!e) {
		l->rows = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (l->rows == MAP_FAILED) {
			l->rows = NULL;
			e = errno;
		}
	}
	if (fd >= 0)
		close(fd);
	return e ? cannot(e, "the times of samples", err) : 0;
}

static int open_texts(struct loading *l, struct err *err)
{
	int fd, r = tracepoints_new(&l->points, l->profile->data, err);

	if (r < 0 || !l->points)
		return r;
	fd = file_temporary();
	if (fd < 0)
		return cannot(-fd, "what tracepoints tell", err);
	l->texts = file_of(fd, "w+");
	if (!l->texts)
		return cannot(errno, "what tracepoints tell", err);
	fputc(0, l->texts);              /* so that none begins at 0 */
	l->texts_size = 1;
	return 0;
}

static int map_texts(const struct loading *l, struct moments *m, struct err *err)
{
	void *map;

	if (!l->texts)
		return 0;
	if (fflush(l->texts) != 0 || ferror(l->texts))
		return cannot(errno, "what tracepoints tell", err);
	map = mmap(NULL, l->texts_size, PROT_READ, MAP_PRIVATE, fileno(l->texts), 0);
	if (map == MAP_FAILED)
		return cannot(errno, "what tracepoints tell", err);
	m->texts = map;
	m->texts_size = l->texts_size;
	return 0;
}

/* Close the gaps that threads with fewer samples than reckoned leave: there should be none. */
static size_t join_rows(struct loading *l)
{
	size_t from = 0, kept = 0;

	for (uint32_t t = 0; from < l->nr; from = l->end[t++]) {
		memmove(&l->rows[kept], &l->rows[from], (l->next[t] - from) * sizeof(*l->rows));
		kept += l->next[t] - from;
	}
	return kept;
}

int moments_load(struct moments *m, const struct profile *profile, const bool *wanted, struct err *err)
{
	struct loading l = { .profile = profile, .wanted = wanted, .text = STR_INIT };
	int r;

	*m = (struct moments){ .nr = 0 };
	place_threads(&l);
	r = map_rows(&l, err);
	if (!r)
		r = open_texts(&l, err);
	if (!r)
		r = profile_replay(profile, add_row, &l, err);
	if (!r)
		r = map_texts(&l, m, err);
	if (!r) {
		m->v = l.rows;
		m->nr = join_rows(&l);
		m->room = l.nr;
	} else if (l.rows) {
		munmap(l.rows, (l.nr + 1) * sizeof(*l.rows));
	}
	if (l.texts)
		fclose(l.texts);
	tracepoints_free(l.points);
	free(l.thread_of);
	free(l.next);
	free(l.end);
	str_release(&l.text);
	return r;
}

void moments_release(struct moments *m)
{
	if (m->v)
		munmap(m->v, (m->room + 1) * sizeof(*m->v));
	if (m->texts)
		munmap(m->texts, m->texts_size);
	*m = (struct moments){ .nr = 0 };
}
