/* SPDX-License-Identifier: MIT */
/* sonde sched live: delays and task times as they happen, counted in the kernel. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/sched.h"
#include "view/sched_live.h"

#define REFRESH_MS 1000u

struct live_command {
	const char *duration;
	unsigned interval_ms, top;
	bool json, quiet;
	int verbose;
	/* worked out */
	double duration_s;               /* 0: until Ctrl-C */
	bool screen;                     /* a terminal, painted anew each second */
	/* where it stands */
	struct sched_live *live;
	struct live_snapshot before;
	uint64_t began_ns, at_ns;
};

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int settle(struct live_command *c, struct err *err)
{
	char *end;

	if (c->duration) {
		c->duration_s = strtod(c->duration, &end);
		if (end == c->duration || (*end && strcmp(end, "s") != 0) || !(c->duration_s > 0 && c->duration_s < 1e9))
			return err_set(err, EINVAL, "--duration takes seconds, as in 10 or 0.5, not '%s'", c->duration);
	}
	if (c->interval_ms && c->interval_ms < 10)
		return err_set(err, EINVAL, "-I %u: intervals are 10 ms at least", c->interval_ms);
	c->screen = !c->interval_ms && !c->json && isatty(STDOUT_FILENO);
	return 0;
}

static unsigned screen_rows(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 ? 0 : size.ws_row;
}

/* Read what was counted since the last time, and show it. */
static int show(const struct live_command *c, const struct live_snapshot *now, uint64_t time_ns)
{
	struct live_interval interval = {
		.from_s = (double)(c->at_ns - c->began_ns) / 1e9, .to_s = (double)(time_ns - c->began_ns) / 1e9,
		.kernel_switches = now->kernel_switches - c->before.kernel_switches, .top = c->top,
	};
	struct live_snapshot difference = *now;
	size_t size = now->nr_tasks * sizeof(*now->tasks);

	difference.tasks = malloc(size + 1);
	if (!difference.tasks)
		return -ENOMEM;
	if (size)
		memcpy(difference.tasks, now->tasks, size);
	sched_live_subtract(&difference, &c->before);
	interval.screen_rows = c->screen ? screen_rows() : 0;
	interval.totals = difference.totals;
	interval.tasks = difference.tasks;
	interval.nr_tasks = difference.nr_tasks;
	if (c->screen)
		fputs("\033[H\033[2J", stdout);
	if (c->json)
		sched_live_json(&interval, stdout);
	else
		sched_live_text(&interval, stdout);
	live_snapshot_release(&difference);
	return fflush(stdout) ? -errno : 0;
}

static void sleep_until(uint64_t ns)
{
	struct timespec at = { .tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* One more interval. */
static int step(struct live_command *c, struct err *err)
{
	struct live_snapshot now;
	uint64_t time_ns;
	int r;

	time_ns = now_ns();
	r = sched_live_read(c->live, &now, err);
	if (r < 0)
		return r;
	r = show(c, &now, time_ns);
	live_snapshot_release(&c->before);
	c->before = now;
	c->at_ns = time_ns;
	return r < 0 ? err_set(err, -r, "cannot write standard output: %s", strerror(-r)) : 0;
}

static int watch(struct live_command *c, struct err *err)
{
	uint64_t step_ns = (c->interval_ms ? c->interval_ms : REFRESH_MS) * UINT64_C(1000000), next;
	uint64_t end = c->duration_s > 0 ? c->began_ns + (uint64_t)(c->duration_s * 1e9) : UINT64_MAX;
	/* on no terminal and without -I there is one interval: all of it */
	bool whole = !c->screen && !c->interval_ms;
	int r = 0;

	for (next = c->began_ns + step_ns; !stop && r == 0; next += step_ns) {
		if (whole || next >= end) {
			sleep_until(end);
			break;
		}
		sleep_until(next);
		if (!stop)
			r = step(c, err);
	}
	return r == 0 ? step(c, err) : r;
}

static int live(struct live_command *c, struct err *err)
{
	struct sigaction action = { .sa_handler = on_signal };
	int r;

	cmd_quiet(c->quiet);
	log_set_level(c->verbose > 1 ? LOG_DEBUG : c->verbose ? LOG_INFO : LOG_NOTE);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	r = sched_live_open(&c->live, err);
	if (r < 0)
		return r;
	/* from here on: what was counted while the three programs were attached is taken off */
	c->began_ns = c->at_ns = now_ns();
	r = sched_live_read(c->live, &c->before, err);
	if (r == 0)
		r = watch(c, err);
	live_snapshot_release(&c->before);
	sched_live_close(c->live);
	return r;
}

static int run(int argc, char **argv)
{
	struct live_command c = { .top = 20, .quiet = sched_common.quiet, .verbose = sched_common.verbose };
	const struct opt opts[] = {
		OPT_STRING(0, "duration", &c.duration, "S", "end after so many seconds (at Ctrl-C)"),
		OPT_UINT('I', "interval", &c.interval_ms, "MS", "print an interval after the other, so many milliseconds each"),
		OPT_UINT(0, "top", &c.top, "N", "show at most N tasks, those that waited most (20)"),
		OPT_SWITCH('j', "json", &c.json, "as JSON, an object a line for each interval, with all tasks"),
		OPT_SWITCH('q', "quiet", &c.quiet, "say nothing of fall-backs on standard error"),
		OPT_COUNT('v', "verbose", &c.verbose, "say more; -vv shows what libbpf says"),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status = cmd_options(&cmd_sched_live, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);

	if (status >= 0)
		return status;
	if (words)
		err_set(&err, EINVAL, "'%s' is one word too many; live watches the whole system", argv[0]);
	if (err.code || settle(&c, &err) < 0) {
		cmd_error("sched live", &err);
		return EXIT_USAGE;
	}
	status = live(&c, &err) < 0;
	if (status)
		cmd_error("sched live", &err);
	return status;
}

const struct command cmd_sched_live = {
	.name = "sched live",
	.summary = "delays and task times as they happen, counted in the kernel",
	.usage = "[options]",
	.run = run,
	.confine = CONFINE_EXEC,
};
