/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

ssize_t file_read_small_at(int dir_fd, const char *path, char *buf, size_t size)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0)
		return -errno;
	/* One read is the rule for these files, but not a promise. */
	do {
		n = read(fd, buf + len, size - 1 - len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			break;
		len += (size_t)n;
	} while (len < size - 1 && (!len || buf[len - 1] != '\n'));
	if (n < 0) {
		n = -errno;
		close(fd);
		buf[0] = '\0';
		return n;
	}
	close(fd);
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return (ssize_t)len;
}

ssize_t file_read_small(const char *path, char *buf, size_t size)
{
	return file_read_small_at(AT_FDCWD, path, buf, size);
}

int file_temporary(void)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir && *dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		fd = memfd_create("sonde", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

FILE *file_of(int fd, const char *mode)
{
	FILE *file = fd < 0 ? NULL : fdopen(fd, mode);
	int code = errno;

	if (!file && fd >= 0) {
		close(fd);
		errno = code;
	}
	return file;
}

char *file_read_all(const char *path, size_t most, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct str text = STR_INIT;
	char part[16384];
	ssize_t n;

	if (fd < 0)
		return NULL;
	while (text.len < most) {
		size_t want = most - text.len;

		n = read(fd, part, want < sizeof(part) ? want : sizeof(part));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		str_addn(&text, part, (size_t)n);
	}
	if (text.len < most && n < 0) {
		int code = errno;

		close(fd);
		str_release(&text);
		errno = code;
		return NULL;
	}
	close(fd);
	if (len)
		*len = text.len;
	return str_take(&text);
}
