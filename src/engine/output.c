/* SPDX-License-Identifier: MIT */
#include "engine/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define LINKS_MOST 40

static int cannot_write(const char *path, int code, struct err *err)
{
	return err_set(err, code, "cannot write '%s': %s%s", path, strerror(code),
		       code == EACCES || code == EROFS ? "; -o names another file" : "");
}

static int terminal(struct err *err)
{
	return err_set(err, EINVAL, "'-o -' would write binary data to a terminal; redirect it into a "
		       "file or a pipe");
}

static int open_stdout(struct output *out, struct err *err)
{
	struct stat st;
	int flags;

	if (isatty(STDOUT_FILENO))
		return terminal(err);
	out->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (out->fd < 0 || fstat(out->fd, &st) < 0)
		return cannot_write("-", errno, err);
	/* Even a regular file is written as a stream: it may be open for appending. */
	out->is_pipe = true;
	flags = fcntl(out->fd, F_GETFL);
	if (flags >= 0 && flags & O_NONBLOCK)
		fcntl(out->fd, F_SETFL, flags & ~O_NONBLOCK);
	return 0;
}

static bool is_to_end(void)
{
	sigset_t waiting;

	return sigpending(&waiting) == 0 && (sigismember(&waiting, SIGINT) == 1 ||
					     sigismember(&waiting, SIGTERM) == 1 ||
					     sigismember(&waiting, SIGHUP) == 1);
}

/*
 * A FIFO can be written when somebody reads. Signals come through a descriptor, which nobody
 * looks at here: in a plain open(2) nothing but SIGKILL would end the wait.
 */
static int open_fifo(const char *path)
{
	const struct timespec moment = { .tv_nsec = 20000000 };
	int fd;

	while ((fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) < 0 && errno == ENXIO) {
		if (is_to_end()) {
			errno = EINTR;
			return -1;
		}
		nanosleep(&moment, NULL);
	}
	if (fd >= 0)
		fcntl(fd, F_SETFL, O_WRONLY);
	return fd;
}

/* FIFOs, /dev/null and the like: 1 if it was one. */
static int open_special(struct output *out, const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode) || output_is_folder(out->file))
		return 0;
	if (S_ISDIR(st.st_mode))
		return cannot_write(path, EISDIR, err);
	out->fd = S_ISFIFO(st.st_mode) ? open_fifo(path) : open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (out->fd < 0)
		return cannot_write(path, errno, err);
	/* What came in its place meanwhile, a stranger's link perhaps, is not written into. */
	if (fstat(out->fd, &st) < 0 || S_ISREG(st.st_mode)) {
		close(out->fd);
		out->fd = -1;
		return cannot_write(path, ELOOP, err);
	}
	out->is_pipe = !S_ISBLK(st.st_mode) && lseek(out->fd, 0, SEEK_SET) < 0;
	return 1;
}

/*
 * Follow links in the last part of `path`, each of which has to be ours or root's.
 * What a stranger's link points at would otherwise be moved away and replaced.
 */
static int follow_links(const char *path, bool parts, struct str *file, struct err *err)
{
	str_add(file, path);
	for (int i = 0; i < LINKS_MOST; i++) {
		char to[PATH_MAX], *slash;
		struct stat st;
		ssize_t n;

		/* with a slash at its end lstat would follow a link; and NAME.old stands beside NAME */
		if (str_ends(file->p, "/") && !parts)
			return cannot_write(path, EISDIR, err);
		while (file->len > 1 && file->p[file->len - 1] == '/')
			file->p[--file->len] = '\0';
		if (lstat(file->p, &st) < 0)
			return errno == ENOENT ? 0 : cannot_write(path, errno, err);
		if (!S_ISLNK(st.st_mode))
			return 0;
		if (st.st_uid != geteuid() && st.st_uid != 0)
			return err_set(err, ELOOP,
				       "cannot write '%s': it is a symbolic link of another user "
				       "(uid %u), which is not followed", path, st.st_uid);
		n = readlink(file->p, to, sizeof(to) - 1);
		if (n < 0)
			return cannot_write(path, errno, err);
		to[n] = '\0';
		slash = strrchr(file->p, '/');
		if (to[0] == '/' || !slash) {
			str_clear(file);
		} else {
			file->len = (size_t)(slash + 1 - file->p);
			file->p[file->len] = '\0';
		}
		str_add(file, to);
	}
	return cannot_write(path, ELOOP, err);
}

/* rename, where `to` may be of the other kind, or a folder with a recording in it. */
static int rename_over(const char *from, const char *to)
{
	if (rename(from, to) == 0)
		return 0;
	/* a folder over a file, a file over a folder, a folder over one that is not empty */
	if (errno == ENOTDIR)
		unlink(to);
	else if (errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST)
		output_remove_folder(to);
	return rename(from, to) < 0 ? -errno : 0;
}

/* Keep what is there as NAME.old; an empty file is not worth it. */
static int keep_previous(struct output *out, struct err *err)
{
	struct str old = STR_INIT;
	struct stat st;
	int r = 0;

	if (lstat(out->file, &st) < 0)
		return 0;
	if (st.st_size == 0 && S_ISREG(st.st_mode))
		return unlink(out->file) < 0 ? cannot_write(out->path, errno, err) : 0;
	str_addf(&old, "%s.old", out->file);
	r = rename_over(out->file, old.p);
	if (r < 0)
		err_set(err, -r, "cannot keep the previous '%s' as '%s': %s", out->path, old.p, strerror(-r));
	else
		out->kept_old = true;
	str_release(&old);
	return r;
}

void output_give_to_caller(int fd)
{
	const char *uid_text = getenv("SUDO_UID"), *gid_text = getenv("SUDO_GID");
	uint64_t uid, gid;

	if (geteuid() != 0 || !uid_text || !gid_text || str_u64(uid_text, &uid) < 0 ||
	    str_u64(gid_text, &gid) < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return;
	/* A file system that does not know owners is no reason to fail. */
	if (fchown(fd, (uid_t)uid, (gid_t)gid) < 0)
		return;
}

static bool can_be_parts(const char *path)
{
	struct stat st;

	return strcmp(path, "-") != 0 &&
	       (stat(path, &st) < 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

static int not_in_parts(const char *path, struct err *err)
{
	return err_set(err, EINVAL, "'%s' cannot be a folder, in which each thread has a file of its own "
		       "(--threads); -o names another", path);
}

static int check(const char *path, bool folder_too, bool parts, struct err *err)
{
	struct str file = STR_INIT;
	struct stat st;
	char *slash;
	int r;

	if (strcmp(path, "-") == 0)
		return isatty(STDOUT_FILENO) ? terminal(err) : 0;
	r = follow_links(path, parts, &file, err);
	if (r == 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	    !(folder_too && output_is_folder(file.p)))
		r = cannot_write(path, EISDIR, err);
	slash = strrchr(file.p, '/');
	if (slash)
		slash[slash == file.p] = '\0';
	/* What is no regular file is opened as it is; for the others a new one is made. */
	if (r == 0 && (stat(path, &st) < 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) &&
	    access(slash ? file.p : ".", W_OK | X_OK) < 0)
		r = cannot_write(path, errno, err);
	str_release(&file);
	return r;
}

int output_check(const char *path, struct err *err)
{
	return check(path, false, false, err);
}

int output_check_recording(const char *path, bool parts, struct err *err)
{
	if (parts && !can_be_parts(path))
		return not_in_parts(path, err);
	return check(path, true, parts, err);
}

/* Find where it will really be, and move away what is there: 1 if it is open already. */
static int begin(struct output *out, const char *path, bool parts, struct err *err)
{
	struct str file = STR_INIT;
	int r;

	*out = (struct output)OUTPUT_NONE;
	out->path = mem_strdup(path);
	if (strcmp(path, "-") == 0) {
		r = open_stdout(out, err);
		return r < 0 ? r : 1;
	}
	r = follow_links(path, parts, &file, err);
	out->file = str_take(&file);
	if (r == 0)
		r = open_special(out, path, err);
	if (r == 0)
		return keep_previous(out, err);
	free(out->file);
	out->file = NULL;
	return r;
}

int output_open(struct output *out, const char *path, struct err *err)
{
	int r = begin(out, path, false, err);

	if (r)
		return r < 0 ? r : 0;
	out->fd = open(out->file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out->fd < 0) {
		r = cannot_write(path, errno, err);
		output_abandon(out);
		return r;
	}
	output_give_to_caller(out->fd);
	return 0;
}

/* Make the folder, and open it, if it is still ours. */
static int make_folder(struct output *out)
{
	struct stat st;
	int fd;

	if (mkdir(out->file, 0700) < 0)
		return -errno;
	fd = open(out->file, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		int code = -errno;

		rmdir(out->file);
		return code;
	}
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid()) {
		close(fd);
		return -EPERM;
	}
	out->dir_fd = fd;
	return 0;
}

int output_open_parts(struct output *out, const char *path, struct err *err)
{
	int r;

	*out = (struct output)OUTPUT_NONE;
	r = can_be_parts(path) ? begin(out, path, true, err) : not_in_parts(path, err);
	if (r > 0) {                     /* what it is has just changed */
		close(out->fd);
		out->fd = -1;
		return not_in_parts(path, err);
	}
	if (r == 0) {
		r = make_folder(out);
		if (r == 0) {
			out->fd = output_create_in(out->dir_fd, "data");
			r = out->fd < 0 ? out->fd : 0;
		}
		if (r < 0) {
			cannot_write(path, -r, err);
			output_abandon(out);
		}
	}
	if (r == 0)
		output_give_to_caller(out->dir_fd);
	return r;
}

/* "2026112109415903": local time, to the hundredth of a second. */
static void add_stamp(struct str *name, uint64_t hundredths)
{
	time_t seconds = (time_t)(hundredths / 100);
	struct tm tm;
	char text[32];

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y%m%d%H%M%S", &tm);
	str_addf(name, ".%s%02u", text, (unsigned)(hundredths % 100));
}

int output_stamp(struct output *out, char **name, struct err *err)
{
	struct str file = STR_INIT, shown = STR_INIT;
	struct timespec now;
	uint64_t hundredths;
	struct stat st;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	hundredths = (uint64_t)now.tv_sec * 100 + (uint64_t)now.tv_nsec / 10000000;
	for (;; hundredths++) {
		str_clear(&file);
		str_add(&file, out->file);
		add_stamp(&file, hundredths);
		if (lstat(file.p, &st) < 0)
			break;
	}
	/* Not over one that came in between: a link is taken to be the name, and not followed. */
	if (link(out->file, file.p) == 0)
		unlink(out->file);
	else if (errno == EEXIST || rename(out->file, file.p) < 0)
		r = err_set(err, errno, "cannot rename '%s' to '%s': %s", out->path, file.p,
			    strerror(errno));
	if (r == 0) {
		free(out->file);
		out->file = str_take(&file);
		str_add(&shown, out->path);
		add_stamp(&shown, hundredths);
		*name = str_take(&shown);
	}
	str_release(&file);
	return r;
}

void output_abandon(struct output *out)
{
	struct str old = STR_INIT;

	if (!out->file)
		return;
	if (out->dir_fd >= 0) {
		output_remove_parts(out);
		rmdir(out->file);
	} else if (out->fd >= 0) {
		unlink(out->file);
	}
	if (out->kept_old) {
		str_addf(&old, "%s.old", out->file);
		/* Best effort: the file is still there under its other name. */
		if (rename(old.p, out->file) == 0)
			out->kept_old = false;
		str_release(&old);
	}
}

void output_release(struct output *out)
{
	free(out->path);
	free(out->file);
	out->path = out->file = NULL;
	if (out->dir_fd >= 0)
		close(out->dir_fd);
	out->dir_fd = -1;
}
