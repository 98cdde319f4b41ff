/* SPDX-License-Identifier: MIT */
/*
 * badwrite.so, for LD_PRELOAD: writes to files whose names begin with BADWRITE_PATH go wrong as
 * BADWRITE says, in words with commas between them:
 *
 *	short=N      no call writes more than N bytes
 *	eintr=N      every Nth call is interrupted (EINTR) before it has written anything
 *	after=N      behind N bytes all calls fail, the one at the border after what still fits
 *	beyond=N     calls that write behind byte N of the file fail, likewise
 *	errno=E      with this number (5, EIO)
 *	kill=N       the Nth call ends the process with SIGKILL when it is written up to a page's
 *	             border: only there does the kernel look for a signal (generic_perform_write)
 *	noalloc=1    there is no fallocate(2) here
 *	hold=1       calls wait as long as there is BADWRITE_HOLD; one that waits makes
 *	             BADWRITE_HOLD.held, so that others can wait for that
 *
 * All is counted, nothing is timed: the same run goes wrong at the same place.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long calls, written;

/* The number behind WORD= in BADWRITE; 0: it is not there. */
static unsigned long fault(const char *word)
{
	const char *at = getenv("BADWRITE");
	size_t len = strlen(word);

	while (at && *at) {
		if (strncmp(at, word, len) == 0 && at[len] == '=')
			return strtoul(at + len + 1, NULL, 10);
		at = strchr(at, ',');
		at += at != NULL;
	}
	return 0;
}

static bool is_meant(int fd)
{
	const char *path = getenv("BADWRITE_PATH");
	char link[64], name[4096];
	ssize_t n;

	if (!path)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof(name) - 1);
	return n >= (ssize_t)strlen(path) && strncmp(name, path, strlen(path)) == 0;
}

static void wait_for_release(void)
{
	const struct timespec moment = { 0, 2000000 };
	const char *hold = getenv("BADWRITE_HOLD");
	char held[4096];

	if (!fault("hold") || !hold || access(hold, F_OK) < 0)
		return;
	snprintf(held, sizeof(held), "%s.held", hold);
	close(open(held, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	while (access(hold, F_OK) == 0)
		nanosleep(&moment, NULL);
}

static ssize_t real_write(int fd, const void *bytes, size_t size, off_t at, bool has_offset)
{
	return has_offset ? syscall(SYS_pwrite64, fd, bytes, size, at)
			  : syscall(SYS_write, fd, bytes, size);
}

/* The border of a page near the middle; 0: there is none. */
static size_t half_of(size_t size, off_t at)
{
	off_t border = (at + (off_t)(size / 2)) / 4096 * 4096;

	return border > at ? (size_t)(border - at) : 0;
}

/* One call; with the lock held. */
static ssize_t bad_write(int fd, const char *bytes, size_t size, off_t at, bool has_offset)
{
	unsigned long n = ++calls, most = fault("short"), after = fault("after");
	unsigned long code = fault("errno"), beyond = fault("beyond");
	ssize_t ret;

	if (fault("eintr") && n % fault("eintr") == 0) {
		errno = EINTR;
		return -1;
	}
	if (fault("kill") == n) {
		real_write(fd, bytes, half_of(size, at), at, has_offset);
		kill(getpid(), SIGKILL);
	}
	if (most && size > most)
		size = most;
	if (after && written >= after) {
		errno = code ? (int)code : EIO;
		return -1;
	}
	if (beyond && has_offset && (unsigned long)at >= beyond) {
		errno = code ? (int)code : EIO;
		return -1;
	}
	if (beyond && has_offset && size > beyond - (unsigned long)at)
		size = beyond - (unsigned long)at;
	if (after && size > after - written)
		size = after - written;
	ret = real_write(fd, bytes, size, at, has_offset);
	written += ret > 0 ? (unsigned long)ret : 0;
	return ret;
}

static ssize_t write_one(int fd, const void *bytes, size_t size, off_t at, bool has_offset)
{
	ssize_t ret;

	if (!is_meant(fd))
		return real_write(fd, bytes, size, at, has_offset);
	wait_for_release();
	pthread_mutex_lock(&lock);
	ret = bad_write(fd, bytes, size, at, has_offset);
	pthread_mutex_unlock(&lock);
	return ret;
}

/* The pieces as one, so that a fault can lie anywhere. */
static ssize_t write_pieces(int fd, const struct iovec *v, int nr, off_t at, bool has_offset)
{
	size_t size = 0, put = 0;
	ssize_t ret;
	char *all;

	if (!is_meant(fd))
		return has_offset ? syscall(SYS_pwritev, fd, v, nr, at, 0) : syscall(SYS_writev, fd, v, nr);
	for (int i = 0; i < nr; i++)
		size += v[i].iov_len;
	all = malloc(size + 1);
	if (!all)
		abort();
	for (int i = 0; i < nr; i++) {
		memcpy(all + put, v[i].iov_base, v[i].iov_len);
		put += v[i].iov_len;
	}
	ret = write_one(fd, all, size, at, has_offset);
	free(all);
	return ret;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	return write_one(fd, bytes, size, 0, false);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	return write_one(fd, bytes, size, at, true);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
	return write_one(fd, bytes, size, at, true);
}

ssize_t writev(int fd, const struct iovec *v, int nr)
{
	return write_pieces(fd, v, nr, 0, false);
}

ssize_t pwritev(int fd, const struct iovec *v, int nr, off_t at)
{
	return write_pieces(fd, v, nr, at, true);
}

ssize_t pwritev64(int fd, const struct iovec *v, int nr, off64_t at)
{
	return write_pieces(fd, v, nr, at, true);
}

int fallocate(int fd, int mode, off_t at, off_t size)
{
	if (fault("noalloc") && is_meant(fd)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return (int)syscall(SYS_fallocate, fd, mode, at, size);
}

int fallocate64(int fd, int mode, off64_t at, off64_t size)
{
	return fallocate(fd, mode, at, size);
}
