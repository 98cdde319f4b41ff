/* SPDX-License-Identifier: MIT */
#include "engine/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* "rw,perf_event,cpu": is the word one of the list's? */
static bool has_option(const char *options, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = options; (p = strstr(p, word)); p += n)
		if ((p == options || p[-1] == ',') && (!p[n] || p[n] == ','))
			return true;
	return false;
}

static bool find_mount(char *path, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	char buf[4096];
	struct mntent entry;
	bool found = false;

	while (mounts && getmntent_r(mounts, &entry, buf, sizeof(buf))) {
		if (strcmp(entry.mnt_type, "cgroup") == 0 &&
		    has_option(entry.mnt_opts, "perf_event")) {
			snprintf(path, size, "%s", entry.mnt_dir);
			found = true;
			break;
		}
		if (strcmp(entry.mnt_type, "cgroup2") == 0 && !found) {
			snprintf(path, size, "%s", entry.mnt_dir);
			found = true;
		}
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

int cgroup_open(const char *name, struct err *err)
{
	char mount[1024];
	struct str path = STR_INIT;
	int fd;

	if (!find_mount(mount, sizeof(mount)))
		return err_set(err, ENOENT, "cannot count in cgroup '%s': no cgroup filesystem is "
			       "mounted; `sudo mount -t cgroup2 none /sys/fs/cgroup` mounts it",
			       name);
	str_addf(&path, "%s/%s", mount, name);
	fd = open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = err_set(err, errno, "cannot open cgroup '%s' ('%s'): %s", name, path.p,
			     strerror(errno));
	str_release(&path);
	return fd;
}
