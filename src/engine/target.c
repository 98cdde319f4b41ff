/* SPDX-License-Identifier: MIT */
#include "engine/target.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define CPU_MOST 65536
#define LOOKS_MOST 20

bool target_is_cpus(const struct target *target)
{
	return target->all_cpus || target->cpus;
}

bool target_is_tasks(const struct target *target)
{
	return target->pids || target->tids || target->user;
}

bool target_is_none(const struct target *target)
{
	return !target_is_cpus(target) && !target_is_tasks(target);
}

void target_settle(struct target *target)
{
	const char *narrow = target->pids ? "-p" : target->tids ? "-t" : target->user ? "-u" : NULL;

	if (target->user && (target->pids || target->tids)) {
		log_note("%s is narrower than -u, which is ignored", narrow);
		target->user = NULL;
	}
	if (narrow && target->cpus) {
		log_note("%s is narrower than -C, which is ignored", narrow);
		target->cpus = NULL;
	}
	if (narrow && target->all_cpus) {
		log_note("%s is narrower than -a, which is ignored", narrow);
		target->all_cpus = false;
	}
}

int read_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, line, size - 1);
	if (n < 0) {
		n = -errno;
		close(fd);
		return (int)n;
	}
	close(fd);
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

int64_t read_number(const char *path, int64_t otherwise)
{
	char line[64], *end;
	long long n;

	if (read_line(path, line, sizeof(line)) < 0)
		return otherwise;
	n = strtoll(line, &end, 10);
	return end == line ? otherwise : n;
}

/* `known`: of CPU_MOST, those that are in `out`. */
static int cpu_add(cpu_vec *out, bool *known, long from, long to)
{
	if (from < 0 || to < from || to >= CPU_MOST)
		return -EINVAL;
	for (long cpu = from; cpu <= to; cpu++) {
		if (!known[cpu])
			*vec_push(out) = (int)cpu;
		known[cpu] = true;
	}
	return 0;
}

static int parse_cpus(const char *text, cpu_vec *out, bool *known)
{
	while (*text) {
		char *end;
		long from, to;

		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		from = to = strtol(text, &end, 10);
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return -EINVAL;
			to = strtol(end + 1, &end, 10);
		}
		if (cpu_add(out, known, from, to) < 0 || (*end && *end != ',') || (*end && !end[1]))
			return -EINVAL;
		text = *end ? end + 1 : end;
	}
	return out->nr ? 0 : -EINVAL;
}

int cpu_list_parse(const char *text, cpu_vec *out)
{
	bool *known = mem_zalloc(CPU_MOST * sizeof(*known));
	int r;

	for (size_t i = 0; i < out->nr; i++)
		known[out->v[i]] = true;
	r = parse_cpus(text, out, known);
	free(known);
	return r;
}

static int online_cpus(cpu_vec *out)
{
	char line[4096];

	if (read_line("/sys/devices/system/cpu/online", line, sizeof(line)) == 0 &&
	    cpu_list_parse(line, out) == 0)
		return 0;
	out->nr = 0;
	for (int cpu = 0, nr = (int)cpus_online(); cpu < nr; cpu++)
		*vec_push(out) = cpu;
	return 0;
}

int target_cpus(const struct target *target, cpu_vec *out, struct err *err)
{
	cpu_vec online = { 0 };
	int r = online_cpus(&online);

	if (r < 0)
		return err_set(err, -r, "cannot tell which CPUs are online: %s", strerror(-r));
	if (!target->cpus) {
		*out = online;
		return 0;
	}
	if (cpu_list_parse(target->cpus, out) < 0)
		r = err_set(err, EINVAL, "'%s' is not a list of CPUs such as 0,2-3", target->cpus);
	for (size_t i = 0; i < out->nr && r == 0; i++) {
		bool is_online = false;

		for (size_t j = 0; j < online.nr; j++)
			is_online |= online.v[j] == out->v[i];
		if (!is_online)
			r = err_set(err, ENODEV, "CPU %d of -C %s is not online", out->v[i],
				    target->cpus);
	}
	vec_release(&online);
	return r;
}

static bool thread_add(thread_vec *out, pid_t pid, pid_t tid)
{
	for (size_t i = out->nr; i-- > 0;)
		if (out->v[i].tid == tid)
			return false;
	*vec_push(out) = (struct thread_id){ pid, tid };
	return true;
}

/* Add the threads seen in one look at /proc/PID/task. Returns how many were new. */
static int look_at_threads(pid_t pid, thread_vec *out)
{
	char path[64];
	struct dirent *entry;
	DIR *dir;
	int added = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			added += thread_add(out, pid, atoi(entry->d_name));
	closedir(dir);
	return added;
}

int task_threads(pid_t pid, thread_vec *out)
{
	bool seen = false;

	/* A thread started while the folder was read may be missing from it. */
	for (int i = 0; i < LOOKS_MOST; i++) {
		int n = look_at_threads(pid, out);

		if (n < 0)
			return seen ? 0 : n;
		seen = true;
		if (!n)
			break;
	}
	return 0;
}

/* Next number of a comma list; 0 at the end, -EINVAL for anything else. */
static int next_id(const char **text, pid_t *id)
{
	char *end;
	long n;

	if (!**text)
		return 0;
	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	errno = 0;
	n = strtol(*text, &end, 10);
	if ((*end && *end != ',') || (*end == ',' && !end[1]) || n <= 0 || n > INT32_MAX)
		return -EINVAL;
	*text = *end ? end + 1 : end;
	*id = (pid_t)n;
	return 1;
}

static int add_pids(const char *pids, thread_vec *out, struct err *err)
{
	const char *at = pids;
	pid_t pid;
	int r;

	while ((r = next_id(&at, &pid)) > 0) {
		r = task_threads(pid, out);
		if (r < 0)
			return err_set(err, -r, "cannot watch process %d: %s", pid,
				       r == -ESRCH ? "no such process" : strerror(-r));
	}
	/* no id at all is nobody to watch */
	return r < 0 || at == pids ?
		err_set(err, EINVAL, "'%s' is not a list of process ids such as 12,34", pids) : 0;
}

/* Tgid of a thread, or -ESRCH. */
static pid_t process_of(pid_t tid)
{
	char path[64], line[256];
	FILE *file;
	int pid = -ESRCH;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	file = fopen(path, "re");
	if (!file)
		return -ESRCH;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Tgid: %d", &pid) == 1)
			break;
	fclose(file);
	return pid;
}

static int add_tids(const char *tids, thread_vec *out, struct err *err)
{
	const char *at = tids;
	pid_t tid;
	int r;

	while ((r = next_id(&at, &tid)) > 0) {
		pid_t pid = process_of(tid);

		if (pid < 0)
			return err_set(err, ESRCH, "cannot watch thread %d: no such thread", tid);
		thread_add(out, pid, tid);
	}
	return r < 0 || at == tids ?
		err_set(err, EINVAL, "'%s' is not a list of thread ids such as 12,34", tids) : 0;
}

static int user_id(const char *user, uid_t *uid, struct err *err)
{
	struct passwd *entry = getpwnam(user);
	uint64_t n;

	if (entry)
		*uid = entry->pw_uid;
	else if (str_u64(user, &n) == 0 && n < UINT32_MAX)
		*uid = (uid_t)n;
	else
		return err_set(err, EINVAL, "there is no user '%s' here", user);
	return 0;
}

static int add_user(const char *user, thread_vec *out, struct err *err)
{
	struct dirent *entry;
	uid_t uid = 0;
	DIR *dir;
	int r = user_id(user, &uid, err);

	if (r < 0)
		return r;
	dir = opendir("/proc");
	if (!dir)
		return err_set(err, errno, "cannot read /proc: %s", strerror(errno));
	while ((entry = readdir(dir))) {
		char path[300];
		struct stat st;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s", entry->d_name);
		/* Sonde itself is not what was meant. */
		if (stat(path, &st) == 0 && st.st_uid == uid && atoi(entry->d_name) != getpid())
			task_threads(atoi(entry->d_name), out);
	}
	closedir(dir);
	return out->nr ? 0 : err_set(err, ESRCH, "user '%s' has no process to record", user);
}

int target_threads(const struct target *target, thread_vec *out, struct err *err)
{
	int r = 0;

	if (!target_is_tasks(target)) {
		*vec_push(out) = (struct thread_id){ -1, -1 };
		return 0;
	}
	if (target->pids)
		r = add_pids(target->pids, out, err);
	if (r == 0 && target->tids)
		r = add_tids(target->tids, out, err);
	if (r == 0 && target->user)
		r = add_user(target->user, out, err);
	return r;
}
