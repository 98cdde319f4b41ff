/* SPDX-License-Identifier: MIT */
/* Progress on a terminal: late, seldom, and gone when the work is done. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/progress.h"
#include "cmd/cmd.h"

#define PATIENCE_NS 500000000ull         /* before the first word */
#define PAUSE_NS 100000000ull            /* between two */

static struct {
	pthread_mutex_t lock;
	uint64_t began_ns, shown_ns;
	bool shown;
} line = { .lock = PTHREAD_MUTEX_INITIALIZER };

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void show(const char *what, uint64_t done, uint64_t total, void *arg)
{
	uint64_t now = now_ns();

	(void)arg;
	/* who finds another thread at it goes on with its work */
	if (now - line.began_ns < PATIENCE_NS || pthread_mutex_trylock(&line.lock) != 0)
		return;
	if (!line.shown || now - line.shown_ns >= PAUSE_NS) {
		if (done > total)
			done = total;
		if (total)
			fprintf(stderr, "\r%s: %3u%%\033[K", what,
				(unsigned)(100.0 * (double)done / (double)total));
		else
			fprintf(stderr, "\r%s\033[K", what);
		fflush(stderr);
		line.shown = true;
		line.shown_ns = now;
	}
	pthread_mutex_unlock(&line.lock);
}

void cmd_progress_begin(bool quiet)
{
	const char *term = getenv("TERM");

	if (quiet || !isatty(STDERR_FILENO) || !term || strcmp(term, "dumb") == 0)
		return;
	line.began_ns = now_ns();
	line.shown = false;
	progress_set_sink(show, NULL);
}

void cmd_progress_end(void)
{
	progress_set_sink(NULL, NULL);
	if (line.shown)
		fputs("\r\033[K", stderr);
	line.shown = false;
}
