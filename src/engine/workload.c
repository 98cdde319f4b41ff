/* SPDX-License-Identifier: MIT */
#include "engine/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

static int cannot_run(const char *name, int code, struct err *err)
{
	return err_set(err, code, "cannot run '%s': %s", name,
		       code == ENOENT && !strchr(name, '/') ? "command not found" : strerror(code));
}

/* 0 if `path` can be executed; else a negative errno. */
static int check_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return access(path, X_OK) < 0 ? -errno : 0;
}

int workload_find(const char *name, struct str *out, struct err *err)
{
	const char *path = getenv("PATH");
	int worst = -ENOENT;

	if (!*name)
		return cannot_run(name, ENOENT, err);
	if (strchr(name, '/')) {
		int r = check_file(name);

		str_add(out, name);
		return r < 0 ? cannot_run(name, -r, err) : 0;
	}
	/* As execvp(3): the first that can be run; EACCES is told over ENOENT. */
	for (const char *at = path ? path : "/bin:/usr/bin";;) {
		size_t len = strcspn(at, ":");
		int r;

		str_clear(out);
		str_addn(out, at, len);
		str_addf(out, "%s%s", len ? "/" : "", name);
		r = check_file(out->p);
		if (r == 0)
			return 0;
		if (r == -EACCES)
			worst = r;
		if (!at[len])
			break;
		at += len + 1;
	}
	return cannot_run(name, -worst, err);
}

int workload_check(const char *name, struct err *err)
{
	struct str path = STR_INIT;
	int r = workload_find(name, &path, err);

	str_release(&path);
	return r;
}

static void run_child(int go_fd, int error_fd, char **argv, const sigset_t *mask, int stdout_fd)
{
	char go;
	int code;

	/* The pipe ends without a byte when the recorder has given up. */
	if (read(go_fd, &go, 1) != 1)
		_exit(1);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (stdout_fd >= 0)
		dup2(stdout_fd, STDOUT_FILENO);
	execvp(argv[0], argv);
	code = errno;
	if (write(error_fd, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(workload_failure_status(code));
}

int workload_fork(struct workload *w, char **argv, const sigset_t *mask, int stdout_fd,
		  struct err *err)
{
	int go[2], error[2];

	memset(w, 0, sizeof(*w));
	w->name = argv[0];
	if (pipe2(go, O_CLOEXEC) < 0)
		return err_set(err, errno, "cannot make a pipe: %s", strerror(errno));
	if (pipe2(error, O_CLOEXEC) < 0) {
		close(go[0]);
		close(go[1]);
		return err_set(err, errno, "cannot make a pipe: %s", strerror(errno));
	}
	w->pid = fork();
	if (w->pid == 0) {
		close(go[1]);
		close(error[0]);
		run_child(go[0], error[1], argv, mask, stdout_fd);
	}
	close(go[0]);
	close(error[1]);
	w->go_fd = go[1];
	w->error_fd = error[0];
	if (w->pid < 0) {
		w->pid = 0;
		close(w->go_fd);
		close(w->error_fd);
		return err_set(err, errno, "cannot start '%s': %s", argv[0], strerror(errno));
	}
	return 0;
}

int workload_start(struct workload *w, struct err *err)
{
	int code = 0;
	ssize_t n;

	w->started = true;
	if (write(w->go_fd, "g", 1) != 1)
		code = errno;
	close(w->go_fd);
	/* Ends with nothing to read when exec closes the child's end. */
	do {
		n = code ? 0 : read(w->error_fd, &code, sizeof(code));
	} while (n < 0 && errno == EINTR);
	close(w->error_fd);
	if (code) {
		workload_wait(w);
		return cannot_run(w->name, code, err);
	}
	return 0;
}

static bool reap(struct workload *w, int flags)
{
	pid_t pid;

	if (!w->pid || w->ended)
		return w->ended;
	do {
		pid = waitpid(w->pid, &w->wait_status, flags);
	} while (pid < 0 && errno == EINTR);
	w->ended = pid == w->pid || pid < 0;
	return w->ended;
}

bool workload_exited(struct workload *w)
{
	return reap(w, WNOHANG);
}

void workload_wait(struct workload *w)
{
	reap(w, 0);
}

int workload_exit_status(const struct workload *w)
{
	if (!w->pid || !w->ended)
		return 0;
	if (WIFSIGNALED(w->wait_status))
		return 128 + WTERMSIG(w->wait_status);
	return WEXITSTATUS(w->wait_status);
}

int workload_failure_status(int code)
{
	return code == ENOENT ? 127 : 126;
}

void workload_kill(struct workload *w)
{
	if (!w->pid || w->ended)
		return;
	if (!w->started) {
		close(w->go_fd);
		close(w->error_fd);
		w->started = true;
	} else {
		kill(w->pid, SIGTERM);
		kill(w->pid, SIGCONT);
	}
	workload_wait(w);
}
