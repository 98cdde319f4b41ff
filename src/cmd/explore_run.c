/* SPDX-License-Identifier: MIT */
#include "cmd/explore_run.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "view/screen.h"

#define PATIENCE_MS 1000         /* where nothing is to be looked at */
#define FIRST_LOOK_S 0.5         /* an empty screen tells nothing */

/* The latest remark that was not shown yet; from any thread. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char remark[512];

static void take_remark(enum log_level level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	pthread_mutex_lock(&lock);
	snprintf(remark, sizeof(remark), "%s", line);
	pthread_mutex_unlock(&lock);
}

static void say_remark(struct explore *explore)
{
	pthread_mutex_lock(&lock);
	if (remark[0])
		explore_say(explore, "%s", remark);
	remark[0] = '\0';
	pthread_mutex_unlock(&lock);
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Keys until it is time to look again: 1; 0 to leave. */
static int take_keys(struct explore_run *run, struct canvas *canvas, double until)
{
	for (;;) {
		double left = until - now_s();
		uint32_t key;

		say_remark(run->explore);
		screen_fit(canvas);
		explore_draw(run->explore, canvas);
		screen_show(canvas);
		if (run->look && left <= 0)
			return 1;
		key = screen_key(run->look ? (int)(left * 1000) + 1 : PATIENCE_MS);
		if (key != KEY_OF_NONE && !explore_key(run->explore, key))
			return 0;
	}
}

int explore_run(struct explore_run *run, struct err *err)
{
	struct canvas canvas;
	double delay;
	int r = screen_open(err);

	if (r < 0)
		return r;
	canvas_init(&canvas);
	log_set_sink(take_remark, NULL);
	delay = run->delay_s < FIRST_LOOK_S ? run->delay_s : FIRST_LOOK_S;
	while ((r = take_keys(run, &canvas, now_s() + delay)) > 0) {
		delay = run->delay_s;
		r = run->look(run->arg, err);
		if (r < 0)
			break;
	}
	screen_close();
	cmd_quiet(false);
	canvas_release(&canvas);
	return r;
}

static const struct hot_symbol *find_symbol(const struct hots *hots, const struct profile_frame *frame)
{
	for (uint32_t i = 0; i < hots->nr; i++) {
		const struct hot_symbol *s = &hots->v[i];

		/* the profile may have read the modules anew */
		if (strcmp(s->module->path, frame->module->path) == 0 && s->start == frame->sym_start)
			return s;
	}
	return NULL;
}

static int write_text(const struct annotate_options *options, struct sources *sources,
		      const struct annotation *a, struct str *out, struct err *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return err_set(err, errno, "cannot write to memory: %s", strerror(errno));
	annotate_write(options, sources, a, file);
	fclose(file);
	str_addn(out, text, size);
	free(text);
	return 0;
}

int explore_annotate(const struct annotate_options *options, const struct sources_options *from,
		     const struct profile *p, const struct profile_frame *frame, uint32_t event,
		     struct str *out, struct err *err)
{
	const struct hot_symbol *symbol;
	struct sources *sources = NULL;
	struct annotation a;
	struct codes *codes;
	struct hots hots;
	int r;

	hots_build(&hots, p);
	symbol = find_symbol(&hots, frame);
	if (!symbol || !symbol->totals[event].samples) {
		hots_release(&hots);
		return err_set(err, ENOENT, "no sample of this event lies in '%s' itself", frame->name);
	}
	codes = codes_new(NULL);
	r = annotation_build(&a, codes, p, symbol, &event, 1, &options->model, err);
	if (!r) {
		sources = options->model.no_lines ? NULL : sources_new(from);
		r = write_text(options, sources, &a, out, err);
		annotation_release(&a);
		sources_free(sources);
	}
	codes_free(codes);
	hots_release(&hots);
	return r;
}
