/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/capability.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/hotplug.h"
#include "engine/recorder_priv.h"
#include "engine/synth.h"

/*
 * How long samples lie in a ring while they come: what a killed recorder loses at most.
 * After some looks that found nothing (0.5, 1 and 2 s apart) none is made until a ring has
 * filled to its watermark (engine/attr): who watches what sleeps, sleeps.
 */
#define TICK_MS 500
#define QUIET_TICKS 3
/* Whoever reads a pipe waits for what comes now and then, too. */
#define PIPE_TICK_MS 8000
/* After the first Ctrl-C the command may still end by itself. */
#define GRACE_MS 1000

int64_t recorder_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* --- meanwhile: signals ------------------------------------------------------- */

static int catch_signals(struct recorder *r, struct err *err)
{
	static const int enders[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction hup;
	sigset_t mask, block;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGUSR2);
	for (size_t i = 0; i < sizeof(enders) / sizeof(*enders); i++) {
		/* nohup asks not to be ended by SIGHUP. */
		if (enders[i] == SIGHUP && sigaction(SIGHUP, NULL, &hup) == 0 &&
		    hup.sa_handler == SIG_IGN)
			continue;
		sigaddset(&mask, enders[i]);
	}
	block = mask;
	/* A reader that goes away is an error of write, to be told as such. */
	sigaddset(&block, SIGPIPE);
	/* Past `ulimit -f` likewise. */
	sigaddset(&block, SIGXFSZ);
	sigprocmask(SIG_BLOCK, &block, &r->old_mask);
	r->masked = true;
	r->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->signal_fd < 0 || r->epoll_fd < 0)
		return err_set(err, errno, "cannot wait for events: %s", strerror(errno));
	return 0;
}

/* Signals caught meanwhile are ours; let the caller's mask see none of them. */
static void release_signals(struct recorder *r)
{
	static const struct timespec zero;
	sigset_t pipe;

	if (!r->masked)
		return;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigaddset(&pipe, SIGXFSZ);
	sigaddset(&pipe, SIGCHLD);
	sigaddset(&pipe, SIGUSR2);
	while (sigtimedwait(&pipe, NULL, &zero) > 0)
		;
	sigprocmask(SIG_SETMASK, &r->old_mask, NULL);
	if (r->signal_fd >= 0)
		close(r->signal_fd);
	if (r->epoll_fd >= 0)
		close(r->epoll_fd);
}

static bool command_is_watched(const struct recorder *r)
{
	return r->workload.pid && target_is_none(&r->o->target);
}

static void take_ender(struct recorder *r, const struct signalfd_siginfo *info)
{
	r->signals++;
	/* A terminal sends to the command as well; kill(1) only to us: pass it on. */
	if (r->workload.pid && !r->workload.ended && info->ssi_code <= 0)
		kill(r->workload.pid, (int)info->ssi_signo);
	if (command_is_watched(r) && r->signals == 1 && !r->workload.ended)
		r->stop_at_ms = recorder_now_ms() + GRACE_MS;
	else
		r->stop = true;
}

static void take_signals(struct recorder *r)
{
	struct signalfd_siginfo info;

	while (read(r->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGUSR2)
			r->want_snapshot = true;
		else if (info.ssi_signo != SIGCHLD)
			take_ender(r, &info);
		else if (r->workload.pid && workload_exited(&r->workload))
			r->stop = true;
	}
}

/* --- meanwhile: the loop ------------------------------------------------------ */

static int watch(struct recorder *r, struct err *err)
{
	struct epoll_event event = { .events = EPOLLIN };

	/*
	 * Rings by edge: all are emptied whenever anything happens, and an event whose
	 * task has ended hangs up for ever, though others still write to its ring.
	 */
	if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, r->signal_fd, &event) < 0)
		return err_set(err, errno, "epoll: %s", strerror(errno));
	if (r->o->control && epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, r->o->control->fd, &event) < 0)
		return err_set(err, errno, "--control: cannot wait for commands: %s", strerror(errno));
	if (r->hotplug_fd >= 0 && epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, r->hotplug_fd, &event) < 0)
		return err_set(err, errno, "epoll: %s", strerror(errno));
	if (r->crew && recorder_watch_crew(r, err) < 0)
		return -err->code;
	for (size_t i = 0; i < r->counters.cpus.nr && !r->crew; i++) {
		event.events = EPOLLIN | EPOLLET;
		if (r->counters.rings[i].page &&
		    epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, r->counters.rings[i].fd, &event) < 0)
			return err_set(err, errno, "epoll: %s", strerror(errno));
	}
	if (r->mapwatch && mapwatch_poll(r->mapwatch, r->epoll_fd) < 0)
		log_debug("mappings are seen with the samples only: %s", strerror(errno));
	return recorder_watch_tap(r, err);
}

static void note_mapping(void *arg, const void *record)
{
	struct recorder *r = arg;

	recorder_lock(r, &r->notes);
	if (r->keep)
		keep_note(r->keep, record);
	recorder_unlock(r, &r->notes);
	if (r->stacks)
		stacks_expect(r->stacks, record);
}

/* Look at new mappings; true if there was nothing else to wake for. */
static bool look_at_mappings(struct recorder *r, const struct epoll_event *events, int n)
{
	int wait = r->mapwatch ? mapwatch_wait_ms(r->mapwatch) : -1;
	int nr = 0;

	for (int i = 0; i < n; i++)
		nr += r->mapwatch && events[i].data.ptr == r->mapwatch;
	if (nr || wait == 0)
		mapwatch_take(r->mapwatch, note_mapping, r);
	return n == 0 ? wait >= 0 : nr && nr == n;
}

/* Whether any sample says where in which file something was: else no file need be kept. */
static bool samples_places(const struct event_list *l)
{
	const uint64_t places = PERF_SAMPLE_IP | PERF_SAMPLE_ADDR | PERF_SAMPLE_CALLCHAIN |
				PERF_SAMPLE_BRANCH_STACK | PERF_SAMPLE_STACK_USER | PERF_SAMPLE_AUX;

	for (size_t i = 0; i < l->nr; i++)
		if (l->v[i].attr.sample_type & places)
			return true;
	return false;
}

/* How long to wait, for -1 or some milliseconds that are left. */
static int wait_ms(const struct recorder *r, int64_t left)
{
	int looks = r->mapwatch ? mapwatch_wait_ms(r->mapwatch) : -1;

	if (looks >= 0 && (left < 0 || left > looks))
		left = looks;
	return left > INT_MAX ? INT_MAX : (int)left;
}

/* When -D switches next. */
static int64_t next_step_ms(const struct recorder *r)
{
	if (r->next_step >= r->o->duty.steps.nr)
		return INT64_MAX;
	return r->started_ms + r->o->duty.steps.v[r->next_step].at_ms;
}

static void take_steps(struct recorder *r)
{
	while (recorder_now_ms() >= next_step_ms(r)) {
		bool on = r->o->duty.steps.v[r->next_step++].on;

		recorder_switch(r, on);
		log_info("sampling switched %s (-D)", on ? "on" : "off");
	}
}

int recorder_tick_ms(unsigned idle_rounds)
{
	return idle_rounds < QUIET_TICKS ? TICK_MS << idle_rounds : -1;
}

/*
 * Until when to wait although nobody wakes us. Ends of tasks do: their events hang up, which
 * wakes all who wait for their ring (perf_event_exit_event in Linux's kernel/events/core.c).
 */
static int64_t tick_until_ms(const struct recorder *r)
{
	if (r->o->overwrite || r->crew)
		return INT64_MAX;
	if (recorder_tick_ms(r->idle_rounds) >= 0)
		return recorder_now_ms() + recorder_tick_ms(r->idle_rounds);
	return r->output.is_pipe ? recorder_now_ms() + PIPE_TICK_MS : INT64_MAX;
}

static void wait_for_something(struct recorder *r)
{
	struct epoll_event events[64];
	int64_t until = tick_until_ms(r), left;
	int n;

	if (next_step_ms(r) < until)
		until = next_step_ms(r);
	if (r->stop_at_ms >= 0 && r->stop_at_ms < until)
		until = r->stop_at_ms;
	if (recorder_file_until_ms(r) < until)
		until = recorder_file_until_ms(r);
	do {
		left = until == INT64_MAX ? -1 : until - recorder_now_ms();
		if (until != INT64_MAX && left < 0)
			left = 0;
		n = epoll_wait(r->epoll_fd, events, 64, wait_ms(r, left));
	} while (look_at_mappings(r, events, n) && (left > 0 || until == INT64_MAX));
	if (n < 0 && errno != EINTR)
		log_debug("epoll_wait: %s", strerror(errno));
	take_signals(r);
}

/* So that those who are watched cannot keep us from emptying what they fill. */
int recorder_raise_priority(const struct recorder *r, struct err *err)
{
	struct sched_param param = { .sched_priority = r->o->realtime };

	if (!r->o->realtime)
		return 0;
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) == 0)
		return 0;
	return err_set(err, errno, "cannot run at realtime priority %d: %s; it takes root or "
		       "CAP_SYS_NICE", r->o->realtime, strerror(errno));
}

static int record_loop(struct recorder *r, struct err *err)
{
	int ret = watch(r, err);

	while (ret == 0 && !r->stop) {
		wait_for_something(r);
		take_steps(r);
		recorder_follow_cpus(r);
		if (r->stop_at_ms >= 0 && recorder_now_ms() >= r->stop_at_ms)
			r->stop = true;
		if (target_is_tasks(&r->o->target) && counters_tasks_ended(&r->counters))
			r->stop = true;
		if (r->crew)
			ret = recorder_hear_crew(r, err);
		else if (!r->o->overwrite)
			ret = recorder_drain(r, err);
		if (ret == 0)
			ret = recorder_grow(r, err);
		if (ret == 0 && r->want_snapshot)
			ret = recorder_snapshot(r, err);
		else if (ret == 0 && !r->stop && recorder_file_is_full(r))
			ret = recorder_next_file(r, err);
		if (ret == 0)
			ret = recorder_obey(r, err);
	}
	return ret;
}

static int start(struct recorder *r, struct err *err)
{
	bool command = command_is_watched(r);
	int ret = 0;

	if (!command && !r->o->duty.delayed) {
		counters_enable(&r->counters);
		tap_switch(r->tap, true);
	}
	if (r->workload.pid)
		ret = workload_start(&r->workload, err);
	if (ret < 0)
		r->result->command_failed = true;
	r->started_ms = r->file_at_ms = recorder_now_ms();
	return ret;
}

/* --- after -------------------------------------------------------------------- */

static int finish(struct recorder *r, bool good, struct err *err)
{
	int ret = 0;

	tap_switch(r->tap, false);
	counters_disable(&r->counters);
	r->is_over = true;
	if (r->crew)
		ret = recorder_end_crew(r, err);
	else if (good)
		ret = r->o->overwrite ? recorder_dump(r, err) : recorder_drain(r, err);
	if (good)
		recorder_tell_stacks(r);
	return ret < 0 ? recorder_close_file(r, false, NULL), ret : recorder_close_file(r, good, err);
}

/* The command has to end with us; a further signal makes it. */
static void end_workload(struct recorder *r, bool patient)
{
	struct workload *w = &r->workload;

	if (!w->pid || w->ended)
		return;
	if (!w->started || r->signal_fd < 0) {
		workload_kill(w);
		return;
	}
	if (!patient)
		kill(w->pid, SIGTERM);
	while (!workload_exited(w)) {
		struct epoll_event event;
		struct signalfd_siginfo info;

		epoll_wait(r->epoll_fd, &event, 1, 50);
		while (read(r->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
			if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGUSR2)
				kill(w->pid, patient ? (int)info.ssi_signo : SIGKILL);
	}
}

/* Where in a SAMPLE the pid and the time stand (perf_event_open(2)). */
void recorder_find_offsets(struct recorder *r)
{
	uint64_t type = r->events->v[0].attr.sample_type;

	r->pid_offset = sizeof(struct perf_event_header);
	r->pid_offset += type & PERF_SAMPLE_IDENTIFIER ? 8 : 0;
	r->pid_offset += type & PERF_SAMPLE_IP ? 8 : 0;
	r->time_offset = r->pid_offset + 8;
	/* perf_event_open(2), sample_id: what stands from the time on */
	r->time_from_end = 8 * (uint32_t)__builtin_popcountll(
		type & (PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |
			PERF_SAMPLE_IDENTIFIER));
	if (!r->o->with_self && target_is_cpus(&r->o->target))
		r->self = (uint32_t)getpid();
	/* Those of the scheduler tell of two tasks: who was here before, and who was woken. */
	for (size_t i = 0; i < r->events->nr && r->self && !r->o->without_self; i++) {
		uint64_t *ids;
		uint32_t nr;

		if (!str_starts(r->events->v[i].name, "sched:"))
			continue;
		if (!(type & PERF_SAMPLE_IDENTIFIER))    /* samples of one event alone */
			r->self = 0;
		ids = counters_ids(&r->counters, i, &nr);
		for (uint32_t j = 0; j < nr; j++)
			map64_put(&r->spared, ids[j], NULL);
		free(ids);
	}
}

/*
 * Files of others and the kernel's names are looked at as mappings come, and for each further
 * file. New events are opened where a CPU comes back, and for larger rings: once, at the first
 * loss, where -m and others do not forbid it. BPF programs are described with each file.
 */
void recorder_need_less(const struct recorder *r)
{
	const struct recorder_options *o = r->o;
	uint64_t need = CAPABILITY_BIT(CAP_SYS_PTRACE) | CAPABILITY_BIT(CAP_SYSLOG);

	if (target_is_cpus(&o->target) || recorder_may_grow(r))
		need |= CAPABILITY_BIT(CAP_PERFMON) | CAPABILITY_BIT(CAP_IPC_LOCK) |
			CAPABILITY_BIT(CAP_SYS_ADMIN);
	if (o->next_file.on || o->next_file.bytes || o->next_file.ms || o->overwrite)
		need |= CAPABILITY_BIT(CAP_BPF) | CAPABILITY_BIT(CAP_SYS_ADMIN);
	capability_need(need);
}

static int run(struct recorder *r, struct err *err)
{
	bool patient = false, crew_failed = false;
	int ret = catch_signals(r, err);

	/* Before the events: one that goes away in between is told of then. */
	r->hotplug_fd = hotplug_open();
	if (r->hotplug_fd < 0)
		log_debug("nobody tells of CPUs that come and go: %s", strerror(-r->hotplug_fd));
	if (ret == 0)
		ret = output_check_recording(r->o->output, r->o->threads.kind != MASKS_NONE, err);
	if (ret == 0 && r->o->command)
		/* what the command prints would stand among the records */
		ret = workload_fork(&r->workload, r->o->command, &r->old_mask,
				    strcmp(r->o->output, "-") == 0 ? STDERR_FILENO : -1, err);
	if (ret == 0)
		ret = recorder_open_counters(r, err);
	if (ret == 0)
		ret = recorder_open_writer(r, err);
	if (ret < 0) {
		if (r->output.file)
			output_abandon(&r->output);
		r->result->written = false;
		return ret;
	}
	if (!samples_places(r->events)) {
		keep_free(r->keep);
		r->keep = NULL;
	}
	recorder_find_offsets(r);
	recorder_open_affinity(r);
	recorder_open_tap(r);
	ret = recorder_raise_priority(r, err);
	if (ret == 0)
		ret = recorder_open_stacks(r, err);
	if (ret == 0)
		ret = recorder_synthesize(r, err);
	if (ret == 0)
		ret = perf_write_flush(r->writer, err);
	if (ret == 0 && (r->keep || r->stacks))
		r->mapwatch = mapwatch_new(&r->counters);
	if (ret == 0 && r->crew) {
		ret = recorder_start_crew(r, err);
		crew_failed = ret < 0;
	}
	if (ret == 0) {
		recorder_need_less(r);
		ret = start(r, err);
	}
	if (r->result->command_failed || crew_failed) {
		output_abandon(&r->output);
		r->result->written = false;
		return ret;
	}
	if (ret == 0)
		ret = record_loop(r, err);
	/* A program that was only watched need not die because a disk is full. */
	patient = ret < 0 && command_is_watched(r) && r->workload.started && !r->signals;
	if (ret < 0)
		finish(r, false, NULL);
	else
		ret = finish(r, true, err);
	if (patient && !workload_exited(&r->workload))
		log_note("recording stopped early; waiting for '%s' to end", r->o->command[0]);
	end_workload(r, patient);
	return ret;
}

int recorder_run(const struct recorder_options *options, struct event_list *events,
		 struct recorder_result *result, struct err *err)
{
	struct recorder r = { .o = options, .events = events, .result = result, .epoll_fd = -1,
			      .signal_fd = -1, .hotplug_fd = -1, .output = OUTPUT_NONE,
			      .started_ms = -1, .stop_at_ms = -1, .sums = PTHREAD_MUTEX_INITIALIZER,
			      .notes = PTHREAD_MUTEX_INITIALIZER };
	int ret = 0;

	memset(result, 0, sizeof(*result));
	if (options->command) {
		ret = workload_check(options->command[0], err);
		result->command_failed = ret < 0;
	}
	if (ret < 0)
		return ret;
	r.buildids = buildids_new();
	r.keep = options->no_copies ? NULL : keep_new();
	r.record = mem_alloc(UINT16_MAX + 1);
	ret = run(&r, err);
	workload_kill(&r.workload);
	recorder_close_affinity(&r);
	recorder_close_crew(&r);
	mapwatch_free(r.mapwatch);
	recorder_close_stacks(&r);
	if (r.lost_to_ns || result->lost_to_end) {
		result->lost_from_ns = r.lost_from_ns > r.start_ns ? r.lost_from_ns - r.start_ns : 0;
		result->lost_to_ns = r.lost_to_ns > r.start_ns ? r.lost_to_ns - r.start_ns : 0;
	}
	result->exit_status = workload_exit_status(&r.workload);
	recorder_close_tap(&r);
	counters_close(&r.counters);
	if (r.writer)
		perf_write_free(r.writer);
	else if (r.output.fd >= 0)
		close(r.output.fd);
	output_release(&r.output);
	release_signals(&r);
	if (r.hotplug_fd >= 0)
		close(r.hotplug_fd);
	map64_release(&r.spared);
	map64_release(&r.kin);
	for (size_t i = 0; i < r.names.nr; i++)
		free(r.names.v[i]);
	free(r.names.v);
	free(r.positions);
	free(r.heads);
	free(r.lost_before);
	buildids_free(r.buildids);
	keep_free(r.keep);
	free(r.record);
	return ret;
}
