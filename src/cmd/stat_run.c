/* SPDX-License-Identifier: MIT */
/* One run: open, start, wait, read. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/stat.h"
#include "engine/hotplug.h"
#include "engine/launch.h"
#include "engine/workload.h"

/* Processes without a pidfd (before Linux 5.3) and threads are looked at so often. */
#define LOOK_MS 100

static volatile sig_atomic_t stop_signal, stop_count, from_process;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (sig == SIGCHLD)
		return;
	stop_signal = sig;
	stop_count++;
	/* The terminal signals the command too; another process means only us. */
	from_process = info->si_code <= 0;
}

/* Signals come in only while the run waits, in ppoll. */
static void catch_signals(struct stat_session *s)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };
	sigset_t block;

	sigemptyset(&block);
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		struct sigaction was;

		/* Ignored (nohup) stays ignored. */
		if (caught[i] != SIGCHLD && sigaction(caught[i], NULL, &was) == 0 &&
		    was.sa_handler == SIG_IGN)
			continue;
		sigaction(caught[i], &action, NULL);
		sigaddset(&block, caught[i]);
	}
	sigprocmask(SIG_BLOCK, &block, &s->unblocked);
}

static void set_cgroup(struct counting_event *event, const struct cgroup *group)
{
	event->cgroup = group ? group->name : NULL;
	event->cgroup_fd = group ? group->fd : -1;
}

static int set_cgroups(struct stat_session *s, struct err *err)
{
	uint32_t nr = s->counting.nr_events;
	const struct cgroup **of = mem_zalloc((nr + 1) * sizeof(*of));
	int r = cgroup_assign(&s->cgroups, s->o->cgroups, of, nr, err);

	for (uint32_t i = 0; i < nr && r == 0; i++)
		set_cgroup(&s->counting.events[i], of[i]);
	free(of);
	return r;
}

/* --for-each-cgroup: all events again for each. */
static int multiply_cgroups(struct stat_session *s, struct err *err)
{
	uint32_t nr = s->counting.nr_events, out = 0;
	struct counting_event *events = NULL;

	for (const char *list = s->o->each_cgroup; *list;) {
		size_t len = strcspn(list, ",");
		const struct cgroup *group = cgroup_find(&s->cgroups, list, len, err);

		if (!group) {
			free(events);
			return -err->code;
		}
		events = mem_realloc_array(events, out + nr, sizeof(*events));
		for (uint32_t i = 0; i < nr; i++) {
			events[out] = s->counting.events[i];
			set_cgroup(&events[out++], group);
		}
		list += len + (list[len] == ',');
	}
	free(s->counting.events);
	s->counting.events = events;
	s->counting.nr_events = out;
	return 0;
}

static void make_events(struct stat_session *s, struct counting *c)
{
	c->nr_events = s->o->events.nr;
	c->events = mem_zalloc(c->nr_events * sizeof(*c->events));
	for (uint32_t i = 0; i < c->nr_events; i++) {
		c->events[i].event = &s->o->events.v[i];
		c->events[i].cgroup_fd = -1;
	}
}

static bool needs_all_cpus(const struct event_list *events)
{
	for (uint32_t i = 0; i < events->nr; i++)
		if (events->v[i].cpus && !events->v[i].core_pmu)
			return true;
	return false;
}

/* -a --per-thread: every thread there is, each on its own. */
static int all_threads(struct stat_session *s, struct err *err)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	if (!dir)
		return err_set(err, errno, "cannot read /proc: %s", strerror(errno));
	/* A process that ends while it is looked at is no failure. */
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			task_threads(atoi(entry->d_name), &s->threads);
	closedir(dir);
	return 0;
}

static int find_threads(struct stat_session *s, struct err *err)
{
	int r = s->o->per_thread && !target_is_tasks(&s->o->target) ?
		all_threads(s, err) : target_threads(&s->o->target, &s->threads, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < s->threads.nr; i++)
		*vec_push(&s->tids) = s->threads.v[i].tid;
	return 0;
}

int stat_setup(struct stat_session *s, struct err *err)
{
	int r = 0;

	catch_signals(s);
	make_events(s, &s->counting);
	if (s->o->each_cgroup)
		r = multiply_cgroups(s, err);
	else if (s->o->cgroups)
		r = set_cgroups(s, err);
	if (r < 0)
		return r;
	if (target_is_cpus(&s->o->target) && !s->o->per_thread)
		return target_cpus(&s->o->target, &s->cpus, err);
	if (needs_all_cpus(&s->o->events)) {
		struct target all = { .all_cpus = true };

		r = target_cpus(&all, &s->all_cpus, err);
	}
	if (r == 0 && (target_is_tasks(&s->o->target) || s->o->per_thread))
		return find_threads(s, err);
	*vec_push(&s->tids) = 0;
	return r;
}

static int open_counters(struct stat_session *s, bool on_exec, struct err *err)
{
	struct counting_spec spec = stat_spec(s, on_exec);

	return counting_open(&s->counting, &spec, err);
}

/* Runs in the child, which shares our memory: see launch.h. */
static int open_in_child(void *arg, struct err *err)
{
	struct stat_session *s = arg;

	return open_counters(s, !s->disabled, err);
}

static int shell(const char *command, const char *what, struct err *err)
{
	int status = system(command); /* NOLINT(cert-env33-c): what --pre and --post are for */

	if (status == 0)
		return 0;
	if (WIFEXITED(status))
		return err_set(err, ECANCELED, "%s '%s' ended with status %d", what, command,
			       WEXITSTATUS(status));
	return err_set(err, ECANCELED, "%s '%s' did not end by itself", what, command);
}

/* --- times that no counter has ---------------------------------------------- */

/* "cpu  user nice system idle ...", in ticks, of all CPUs: proc(5). */
static void system_times(uint64_t *user_ns, uint64_t *system_ns)
{
	uint64_t user, nice_user, system_time, tick = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
	char text[512];

	*user_ns = *system_ns = 0;
	if (file_read_small("/proc/stat", text, sizeof(text)) <= 0 ||
	    sscanf(text, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64, &user, &nice_user,
		   &system_time) != 3)
		return;
	*user_ns = (user + nice_user) * tick;
	*system_ns = system_time * tick;
}

/* utime and stime of a whole process, fields 14 and 15 of /proc/PID/stat. */
static void task_times(pid_t pid, uint64_t *user_ns, uint64_t *system_ns)
{
	uint64_t user, system_time, tick = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
	char path[64], text[1024], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (file_read_small(path, text, sizeof(text)) <= 0 || !(p = strrchr(text, ')')) ||
	    sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
		   &user, &system_time) != 2)
		return;
	*user_ns += user * tick;
	*system_ns += system_time * tick;
}

static bool wants_times(const struct stat_session *s)
{
	for (uint32_t i = 0; i < s->o->events.nr; i++)
		if (s->o->events.v[i].tool > EVENT_TOOL_DURATION)
			return true;
	return false;
}

static uint64_t timeval_ns(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_usec * 1000u;
}

static void measured_times(struct stat_session *s, uint64_t *user, uint64_t *system_ns)
{
	*user = *system_ns = 0;
	if (s->cpus.nr) {
		system_times(user, system_ns);
	} else if (s->child && s->child_ended) {
		*user = timeval_ns(&s->usage.ru_utime);
		*system_ns = timeval_ns(&s->usage.ru_stime);
	} else if (s->child) {
		task_times(s->child, user, system_ns);
	} else {
		for (size_t i = 0; i < s->threads.nr; i++)
			if (!i || s->threads.v[i].pid != s->threads.v[i - 1].pid)
				task_times(s->threads.v[i].pid, user, system_ns);
	}
}

/* Ticks are coarser than rusage; a time never goes back. */
static void update_times(struct stat_session *s)
{
	uint64_t user, system_ns;

	if (!wants_times(s))
		return;
	measured_times(s, &user, &system_ns);
	user = user > s->system_user_ns ? user - s->system_user_ns : 0;
	system_ns = system_ns > s->system_system_ns ? system_ns - s->system_system_ns : 0;
	s->user_ns = user > s->user_ns ? user : s->user_ns;
	s->system_ns = system_ns > s->system_ns ? system_ns : s->system_ns;
}

/* --- waiting ------------------------------------------------------------------ */

struct waiter {
	struct pollfd *polls;
	nfds_t nr, first_pidfd;
	bool control, has_pidfds;
	uint64_t timeout_at, interval_at, delay_at;      /* 0: none */
	unsigned intervals;
};

static void watch(struct waiter *w, int fd)
{
	w->polls = mem_realloc_array(w->polls, w->nr + 1, sizeof(*w->polls));
	w->polls[w->nr++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

/* Ends of the processes behind -p show in their pidfds. */
static void watch_tasks(struct stat_session *s, struct waiter *w)
{
	if (!s->threads.nr || s->child)
		return;
	w->has_pidfds = !s->o->target.tids;
	for (size_t i = 0; i < s->threads.nr && w->has_pidfds; i++) {
		int fd;

		if (s->threads.v[i].pid != s->threads.v[i].tid)
			continue;
		fd = (int)syscall(SYS_pidfd_open, s->threads.v[i].pid, 0);
		if (fd < 0)
			w->has_pidfds = errno == ESRCH;
		else
			watch(w, fd);
	}
}

static bool task_alive(pid_t tid)
{
	char path[32], text[512], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (file_read_small(path, text, sizeof(text)) <= 0)
		return false;
	p = strrchr(text, ')');
	return !p || (p[2] != 'Z' && p[2] != 'X');
}

static bool tasks_ended(const struct stat_session *s, const struct waiter *w)
{
	if (w->has_pidfds) {
		for (nfds_t i = w->first_pidfd; i < w->nr; i++)
			if (w->polls[i].fd >= 0)
				return false;
		return true;
	}
	for (size_t i = 0; i < s->threads.nr; i++)
		if (task_alive(s->threads.v[i].tid))
			return false;
	return true;
}

static void reap(struct stat_session *s)
{
	pid_t r;

	if (!s->child || s->child_ended)
		return;
	r = wait4(s->child, &s->wait_status, WNOHANG, &s->usage);
	if (r == s->child || (r < 0 && errno == ECHILD)) {
		s->child_ended = true;
		s->end_ns = launch_clock_ns();
	}
}

static void tell_control(struct stat_session *s)
{
	static const char ack[] = "ack\n";

	if (s->ack_fd >= 0 && write(s->ack_fd, ack, sizeof(ack)) < 0)
		log_note("cannot write to the --control ack file: %s", strerror(errno));
}

/* One command a line: enable, disable, ping, stop. Returns true to stop. */
static bool do_control(struct stat_session *s, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (!line[0])
		return false;
	if (strcmp(line, "enable") == 0) {
		counting_enable(&s->counting);
		log_note("Events enabled");
	} else if (strcmp(line, "disable") == 0) {
		counting_disable(&s->counting);
		log_note("Events disabled");
	} else if (strcmp(line, "stop") == 0) {
		tell_control(s);
		return true;
	} else if (strcmp(line, "ping") != 0) {
		log_note("--control: '%s' is none of enable, disable, ping and stop", line);
		return false;
	}
	tell_control(s);
	return false;
}

static bool read_control(struct stat_session *s)
{
	char text[256], *save = NULL;
	ssize_t n = read(s->control_fd, text, sizeof(text) - 1);
	bool stop = false;

	if (n == 0) {
		s->control_fd = -1;
		return false;
	}
	if (n < 0)
		return false;
	text[n] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line && !stop;
	     line = strtok_r(NULL, "\n", &save))
		stop = do_control(s, line);
	return stop;
}

/* Print what came since the last interval. */
static void take_interval(struct stat_session *s, uint64_t now)
{
	uint64_t wall = now - s->last_ns;
	struct stat_sum *sums = mem_realloc_array(NULL, s->lines.nr * s->places.nr, sizeof(*sums));

	counting_read(&s->counting);
	update_times(s);
	stat_sums(s, true, wall, sums);
	stat_output_interval(s, sums, (double)(now - s->start_ns) / 1e9, (double)wall);
	s->last_ns = now;
	free(sums);
}

static struct timespec *until(const struct waiter *w, bool look, uint64_t now,
			      struct timespec *room)
{
	const uint64_t ends[] = { w->timeout_at, w->interval_at, w->delay_at,
				  look ? now + LOOK_MS * 1000000u : 0 };
	uint64_t next = 0;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends[i] && (!next || ends[i] < next))
			next = ends[i];
	if (!next)
		return NULL;
	next = next > now ? next - now : 0;
	room->tv_sec = (time_t)(next / 1000000000u);
	room->tv_nsec = (long)(next % 1000000000u);
	return room;
}

/* A signal for us: the command gets it as well if nobody else gave it. True to stop. */
static bool on_stop(struct stat_session *s)
{
	int sig = stop_signal;

	stop_signal = 0;
	s->interrupted = true;
	if (!s->child)
		return true;
	if (s->child_ended)
		return true;
	if (from_process || sig != SIGINT)
		kill(s->child, sig);
	/* Asked twice: the command does not listen. */
	return stop_count > 2;
}

static void on_times(struct stat_session *s, struct waiter *w, uint64_t now, bool *stop)
{
	if (w->delay_at && now >= w->delay_at) {
		counting_enable(&s->counting);
		s->disabled = false;
		w->delay_at = 0;
		log_note("Events enabled");
	}
	if (w->interval_at && now >= w->interval_at) {
		take_interval(s, now);
		w->intervals++;
		while (w->interval_at <= now)
			w->interval_at += (uint64_t)s->o->interval_ms * 1000000u;
		if (s->o->interval_count && w->intervals >= s->o->interval_count) {
			/* The command may go on; only the rows are over. */
			w->interval_at = 0;
			s->intervals_over = true;
			*stop = !s->child;
		}
	}
	if (w->timeout_at && now >= w->timeout_at)
		*stop = true;
}

static void wait_for_end(struct stat_session *s, struct waiter *w)
{
	bool stop = false;

	while (!stop) {
		struct timespec room;
		uint64_t now = launch_clock_ns();
		bool look = s->threads.nr && !s->child && !w->has_pidfds;
		int n;

		on_times(s, w, now, &stop);
		reap(s);
		if (stop || s->child_ended)
			break;
		if (s->threads.nr && !s->child && tasks_ended(s, w))
			break;
		n = ppoll(w->polls, w->nr, until(w, look, now, &room), &s->unblocked);
		if (stop_signal)
			stop = on_stop(s);
		for (nfds_t i = 0; n > 0 && i < w->nr; i++) {
			if (!w->polls[i].revents)
				continue;
			if (i == 0 && w->control) {
				stop |= read_control(s);
				if (s->control_fd < 0)
					w->polls[0].fd = -1;
			} else if (i < w->first_pidfd) {
				stat_follow_cpus(s);
			} else {
				/* One process fewer to wait for. */
				close(w->polls[i].fd);
				w->polls[i].fd = -1;
			}
		}
	}
}

/* The end of the time that was to be counted came before the command's. */
static void end_child(struct stat_session *s)
{
	if (!s->child || s->child_ended)
		return;
	kill(s->child, SIGTERM);
	while (wait4(s->child, &s->wait_status, 0, &s->usage) < 0 && errno == EINTR)
		;
	s->child_ended = true;
	s->end_ns = launch_clock_ns();
}

static void wait_run(struct stat_session *s)
{
	const struct stat_options *o = s->o;
	struct waiter w = { .control = s->control_fd >= 0 };
	uint64_t start = s->start_ns;

	if (w.control)
		watch(&w, s->control_fd);
	if (s->hotplug_fd >= 0)
		watch(&w, s->hotplug_fd);
	w.first_pidfd = w.nr;
	watch_tasks(s, &w);
	if (o->timeout_ms)
		w.timeout_at = start + (uint64_t)o->timeout_ms * 1000000u;
	if (o->interval_ms)
		w.interval_at = start + (uint64_t)o->interval_ms * 1000000u;
	if (s->disabled && o->delay_ms > 0)
		w.delay_at = start + (uint64_t)o->delay_ms * 1000000u;
	wait_for_end(s, &w);
	for (nfds_t i = w.first_pidfd; i < w.nr; i++)
		if (w.polls[i].fd >= 0)
			close(w.polls[i].fd);
	free(w.polls);
}

/* --- a run -------------------------------------------------------------------- */

static void forget_run(struct stat_session *s)
{
	s->child = 0;
	s->child_ended = false;
	s->wait_status = 0;
	s->start_ns = s->end_ns = 0;
	s->intervals_over = false;
	s->user_ns = s->system_ns = s->before_user_ns = s->before_system_ns = 0;
	s->disabled = s->o->delay_ms != 0;
	if (s->before)
		memset(s->before, 0, s->counting.nr_cells * sizeof(*s->before));
}

/*
 * Between runs the last files are closed after the new ones are open: a
 * tracepoint whose last file goes away costs an RCU grace period.
 */
static void keep_cells(struct stat_session *s, struct counting *old)
{
	*old = s->counting;
	s->counting.cells = NULL;
	s->counting.nr_cells = s->counting.cap_cells = 0;
	s->counting.events = mem_dup(old->events, old->nr_events * sizeof(*old->events));
}

static int start_command(struct stat_session *s, struct err *err)
{
	bool on_cpus = s->cpus.nr || s->threads.nr;
	struct launch launch;
	int r = on_cpus ? open_counters(s, false, err) : 0;

	if (r < 0)
		return r;
	if (on_cpus && !s->disabled)
		counting_enable(&s->counting);
	r = launch_start(&launch, s->o->argv, &s->unblocked, on_cpus ? NULL : open_in_child, s,
			 err);
	if (r < 0) {
		if (launch.exec_failed)
			s->exec_status = workload_failure_status(-r);
		return r;
	}
	s->child = launch.pid;
	s->start_ns = launch.start_ns;
	return 0;
}

static int start_run(struct stat_session *s, struct err *err)
{
	int r;

	if (s->o->argv)
		return start_command(s, err);
	r = open_counters(s, false, err);
	if (r < 0)
		return r;
	if (!s->disabled)
		counting_enable(&s->counting);
	s->start_ns = launch_clock_ns();
	return 0;
}

static void finish_run(struct stat_session *s)
{
	struct stat_sum *sums;

	end_child(s);
	if (!s->child)
		s->end_ns = launch_clock_ns();
	if (!s->child || s->cpus.nr || s->threads.nr)
		counting_disable(&s->counting);
	counting_read(&s->counting);
	update_times(s);
	if (s->o->interval_ms && !s->intervals_over)
		take_interval(s, s->end_ns);
	sums = mem_realloc_array(NULL, s->lines.nr * s->places.nr, sizeof(*sums));
	stat_sums(s, false, s->end_ns - s->start_ns, sums);
	stat_keep_run(s, sums);
	*vec_push(&s->seconds) = (double)(s->end_ns - s->start_ns) / 1e9;
	*vec_push(&s->user_seconds) = (double)timeval_ns(&s->usage.ru_utime) / 1e9;
	*vec_push(&s->system_seconds) = (double)timeval_ns(&s->usage.ru_stime) / 1e9;
	free(sums);
}

static void close_hotplug(struct stat_session *s)
{
	if (s->hotplug_fd >= 0)
		close(s->hotplug_fd);
	s->hotplug_fd = -1;
}

int stat_run_once(struct stat_session *s, struct err *err)
{
	struct counting old = { 0 };
	int r;

	if (s->o->pre) {
		r = shell(s->o->pre, "--pre", err);
		if (r < 0)
			return r;
	}
	if (s->o->sync)
		sync();
	if (s->counting.nr_cells)
		keep_cells(s, &old);
	forget_run(s);
	if (wants_times(s) && !s->o->argv)
		measured_times(s, &s->system_user_ns, &s->system_system_ns);
	else if (wants_times(s) && s->cpus.nr)
		system_times(&s->system_user_ns, &s->system_system_ns);
	/* Before the counters: one that goes away in between is told of then. */
	s->hotplug_fd = s->cpus.nr ? hotplug_open() : -1;
	r = start_run(s, err);
	counting_release(&old);
	if (r < 0) {
		close_hotplug(s);
		return r;
	}
	if (!s->lines.nr)
		stat_plan(s);
	if (s->disabled && !s->head_done)
		log_note("Events disabled");
	s->last_ns = s->start_ns;
	wait_run(s);
	close_hotplug(s);
	finish_run(s);
	if (s->o->post)
		return shell(s->o->post, "--post", err);
	return 0;
}

int stat_finished_status(const struct stat_session *s)
{
	if (!s->child)
		return 0;
	return WIFSIGNALED(s->wait_status) ? 128 + WTERMSIG(s->wait_status) :
	       WEXITSTATUS(s->wait_status);
}
