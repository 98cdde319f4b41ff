/* SPDX-License-Identifier: MIT */
#include "engine/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
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

bool cgroup_mount(char *path, size_t size)
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

static int open_group(const char *name, struct err *err)
{
	char mount[1024];
	struct str path = STR_INIT;
	int fd;

	if (!cgroup_mount(mount, sizeof(mount)))
		return err_set(err, ENOENT, "cannot watch cgroup '%s': no cgroup filesystem is "
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

const struct cgroup *cgroup_find(struct cgroup_set *set, const char *name, size_t len, struct err *err)
{
	struct cgroup *group;
	char *copy;
	int fd;

	for (size_t i = 0; i < set->v.nr; i++)
		if (strlen(set->v.v[i]->name) == len && strncmp(set->v.v[i]->name, name, len) == 0)
			return set->v.v[i];
	copy = mem_strndup(name, len);
	fd = open_group(copy, err);
	if (fd < 0) {
		free(copy);
		return NULL;
	}
	group = mem_zalloc(sizeof(*group));
	*group = (struct cgroup){ copy, fd };
	*vec_push(&set->v) = group;
	return group;
}

int cgroup_assign(struct cgroup_set *set, const char *list, const struct cgroup **of, uint32_t nr,
		  struct err *err)
{
	bool one = !strchr(list, ',');

	for (uint32_t i = 0; i < nr; i++) {
		size_t len = strcspn(list, ",");

		of[i] = len ? cgroup_find(set, list, len, err) : NULL;
		if (len && !of[i])
			return -err->code;
		if (!one)
			list += len + (list[len] == ',');
	}
	if (!one && *list)
		return err_set(err, EINVAL, "-G names more cgroups than there are events; -e stands "
			       "in front of it");
	return 0;
}

void cgroup_set_release(struct cgroup_set *set)
{
	for (size_t i = 0; i < set->v.nr; i++) {
		free(set->v.v[i]->name);
		close(set->v.v[i]->fd);
		free(set->v.v[i]);
	}
	vec_release(&set->v);
}
