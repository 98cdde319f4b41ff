/* SPDX-License-Identifier: MIT */
/*
 * The control groups' part of synth.h: CGROUP records for those that were made before the
 * recording began, as the kernel writes them when one is made (perf_event_cgroup in Linux's
 * kernel/events/core.c): the path below the hierarchy's root, and the id of the group, which
 * is the file handle of its folder (cgroup_id, kernfs_encode_fh).
 */
#include "engine/synth.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define PATH_MOST 4096

static bool id_of(const char *folder, uint64_t *id)
{
	struct {
		struct file_handle handle;
		uint64_t room[2];
	} h = { .handle = { .handle_bytes = sizeof(*id) } };
	int mount_id;

	if (name_to_handle_at(AT_FDCWD, folder, &h.handle, &mount_id, 0) < 0 ||
	    h.handle.handle_bytes != sizeof(*id))
		return false;
	memcpy(id, h.handle.f_handle, sizeof(*id));
	return true;
}

static int give_group(const struct synth *s, uint64_t id, const char *path, struct err *err)
{
	struct {
		struct perf_event_header header;
		uint64_t id;
		char path[PATH_MOST + 8];
		uint64_t trailer_room[8];
	} d;
	size_t len = strlen(path), room = (len / 8 + 1) * 8;

	if (len >= PATH_MOST)
		return 0;
	memset(&d, 0, sizeof(d));
	d.header.type = PERF_RECORD_CGROUP;
	d.header.size = (uint16_t)(offsetof(typeof(d), path) + room + synth_trailer_size(s->sample_type));
	d.id = id;
	memcpy(d.path, path, len);
	return s->sink(s->arg, &d, d.header.size, err);
}

typedef VEC(char *) folder_vec;

/* The folders in a folder; one that is gone, or that we may not look into, has none. */
static void add_folders(const char *mount, const char *path, folder_vec *out)
{
	struct str name = STR_INIT;
	struct dirent *entry;
	DIR *dir;

	str_addf(&name, "%s%s", mount, path);
	dir = opendir(name.p);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		str_clear(&name);
		str_addf(&name, "%s/%s", strcmp(path, "/") == 0 ? "" : path, entry->d_name);
		*vec_push(out) = mem_strdup(name.p);
	}
	if (dir)
		closedir(dir);
	str_release(&name);
}

int synth_cgroups(const struct synth *s, const char *mount, struct err *err)
{
	folder_vec left = { 0 };
	int r = 0;

	*vec_push(&left) = mem_strdup("/");
	while (left.nr) {
		char *path = left.v[--left.nr];
		struct str name = STR_INIT;
		uint64_t id;

		str_addf(&name, "%s%s", mount, path);
		if (r == 0 && id_of(name.p, &id))
			r = give_group(s, id, path, err);
		if (r == 0)
			add_folders(mount, path, &left);
		str_release(&name);
		free(path);
	}
	vec_release(&left);
	return r;
}
