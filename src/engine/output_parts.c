/* SPDX-License-Identifier: MIT */
/* Recordings in directory format: the folder's files, and no others. */
#include "engine/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

/* "data", "data.0", "data.12": what a recorder writes there. */
static bool is_file_of_it(const char *name)
{
	if (!str_starts(name, "data"))
		return false;
	name += strlen("data");
	return !*name || (*name == '.' && name[1] && !name[1 + strspn(name + 1, "0123456789")]);
}

/* Call each() for every name but . and ..; the descriptor stays the caller's. */
static int walk(int dir_fd, bool (*each)(int dir_fd, const char *name, void *arg), void *arg)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -EIO;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    !each(dir_fd, entry->d_name, arg))
			break;
	closedir(dir);
	return 0;
}

struct finding {
	bool has_data, has_other;
};

static bool look_at(int dir_fd, const char *name, void *arg)
{
	struct finding *finding = arg;
	struct stat st;

	if (!is_file_of_it(name) || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		finding->has_other = true;
	else if (strcmp(name, "data") == 0)
		finding->has_data = true;
	return !finding->has_other;
}

static int open_folder(const char *file)
{
	return open(file, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool output_is_folder(const char *file)
{
	struct finding finding = { 0 };
	int fd = open_folder(file), r;

	if (fd < 0)
		return false;
	r = walk(fd, look_at, &finding);
	close(fd);
	return r == 0 && finding.has_data && !finding.has_other;
}

static bool remove_one(int dir_fd, const char *name, void *arg)
{
	(void)arg;
	if (is_file_of_it(name))
		unlinkat(dir_fd, name, 0);
	return true;
}

int output_remove_folder(const char *file)
{
	int fd;

	if (!output_is_folder(file))
		return -ENOTDIR;
	fd = open_folder(file);
	if (fd < 0)
		return -errno;
	walk(fd, remove_one, NULL);
	close(fd);
	return rmdir(file) < 0 ? -errno : 0;
}

static void part_name(char name[32], unsigned part)
{
	snprintf(name, 32, "data.%u", part);
}

void output_remove_parts(struct output *out)
{
	char name[32];

	unlinkat(out->dir_fd, "data", 0);
	for (; out->nr_parts; out->nr_parts--) {
		part_name(name, out->nr_parts - 1);
		unlinkat(out->dir_fd, name, 0);
	}
}

int output_create_in(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	output_give_to_caller(fd);
	return fd;
}

int output_add_part(struct output *out, struct err *err)
{
	char name[32];
	int fd;

	part_name(name, out->nr_parts);
	fd = output_create_in(out->dir_fd, name);
	if (fd < 0)
		return err_set(err, -fd, "cannot write '%s/%s': %s", out->path, name, strerror(-fd));
	out->nr_parts++;
	return fd;
}
