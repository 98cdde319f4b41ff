/* SPDX-License-Identifier: MIT */
#include "symbols/jit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "symbols/cache.h"

#define MAP_MOST ((size_t)512 << 20)
#define OPEN_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

void jit_file_copy_name(char name[64], uint32_t pid, uint64_t recording_ns, const char *what)
{
	snprintf(name, 64, "%u-%llu.%s", pid, (unsigned long long)recording_ns, what);
}

uint32_t jit_file_own_pid(uint32_t pid)
{
	char path[64], line[256];
	unsigned long own = pid;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		const char *last;

		if (!str_starts(line, "NSpid:"))
			continue;
		last = strrchr(line, '\t');
		if (last)
			own = strtoul(last, NULL, 10);
		break;
	}
	if (file)
		fclose(file);
	return own && own <= UINT32_MAX ? (uint32_t)own : pid;
}

static int believe(int fd, uid_t uid)
{
	struct stat st;
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		ret = -errno;
	else if (!S_ISREG(st.st_mode))
		ret = -EINVAL;
	else if (st.st_nlink > 1 || (st.st_uid != 0 && st.st_uid != geteuid() && geteuid() != 0 &&
				     st.st_uid != uid))
		ret = -EPERM;
	if (ret < 0)
		close(fd);
	return ret < 0 ? ret : fd;
}

int jit_file_open(const char *path, uid_t uid)
{
	return believe(open(path, OPEN_FLAGS), uid);
}

int jit_file_open_in(uint32_t pid, const char *path, uid_t uid)
{
	struct open_how how = { .flags = OPEN_FLAGS, .resolve = RESOLVE_IN_ROOT };
	char root[64];
	int root_fd, fd;

	snprintf(root, sizeof(root), "/proc/%u/root", pid);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -errno;
	/* Linux 5.6; before that there is no safe way through another's folders. */
	fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	close(root_fd);
	return believe(fd, uid);
}

/* Is PID here, and does it see other files or other numbers than we do? */
static bool is_elsewhere(uint32_t pid)
{
	char path[64];
	struct stat own, its;

	snprintf(path, sizeof(path), "/proc/%u/root/.", pid);
	if (stat(path, &its) < 0 || stat("/", &own) < 0)
		return false;
	if (own.st_dev != its.st_dev || own.st_ino != its.st_ino)
		return true;
	snprintf(path, sizeof(path), "/proc/%u/ns/mnt", pid);
	if (stat(path, &its) == 0 && stat("/proc/self/ns/mnt", &own) == 0 &&
	    own.st_ino != its.st_ino)
		return true;
	return jit_file_own_pid(pid) != pid;
}

static bool is_refusal(int ret)
{
	return ret == -EPERM || ret == -ELOOP || ret == -EINVAL || ret == -EACCES;
}

struct finding {
	int fd;
	bool refused;
	struct str path;
};

static bool try(struct finding *f, int fd)
{
	f->fd = fd;
	if (fd >= 0)
		return true;
	if (is_refusal(fd)) {
		f->refused = true;
		log_info("'%s' is not believed: it is a link or belongs to another user", f->path.p);
	}
	return false;
}

/* `path` is as recorded, own_path what the process itself may call it. */
static void find(struct finding *f, const struct jit_origin *origin, const char *what,
		 const char *path, const char *own_path)
{
	char copy[64];

	*f = (struct finding){ .fd = -1, .path = STR_INIT };
	if (origin->recording_ns) {
		jit_file_copy_name(copy, origin->pid, origin->recording_ns, what);
		str_add(&f->path, copy);
		f->fd = cache_get(CACHE_MAPS, copy, NULL);
		if (f->fd >= 0)
			return;
	}
	str_clear(&f->path);
	if (origin->symfs && *origin->symfs) {
		str_addf(&f->path, "%s%s", origin->symfs, path);
		if (try(f, jit_file_open(f->path.p, (uid_t)-1)))
			return;
		str_clear(&f->path);
	}
	str_add(&f->path, path);
	if (try(f, jit_file_open(path, (uid_t)-1)))
		return;
	if (is_elsewhere(origin->pid))
		try(f, jit_file_open_in(origin->pid, own_path, (uid_t)-1));
}

static enum name_reason not_found(struct finding *f)
{
	str_release(&f->path);
	return f->refused ? NAME_JIT_REFUSED : NAME_JIT_NO_MAP;
}

static char *read_text(int fd, size_t *size)
{
	struct str text = STR_INIT;
	char part[65536];
	ssize_t n;

	while (text.len < MAP_MOST && (n = read(fd, part, sizeof(part))) > 0)
		str_addn(&text, part, (size_t)n);
	*size = text.len;
	return text.len ? str_take(&text) : NULL;
}

static void find_map(struct finding *f, const struct jit_origin *origin)
{
	char path[64], own_path[64];

	snprintf(path, sizeof(path), "/tmp/perf-%u.map", origin->pid);
	snprintf(own_path, sizeof(own_path), "/tmp/perf-%u.map", jit_file_own_pid(origin->pid));
	find(f, origin, "map", path, own_path);
}

uint64_t jit_file_stamp(const struct jit_origin *origin, const char *dump)
{
	struct finding f;
	struct stat st;
	uint64_t stamp = 0;

	if (dump)
		find(&f, origin, "dump", dump, dump);
	else
		find_map(&f, origin);
	if (f.fd >= 0 && fstat(f.fd, &st) == 0) {
		stamp = hash_mix((uint64_t)st.st_dev, (uint64_t)st.st_ino);
		stamp = hash_mix(stamp, (uint64_t)st.st_size);
		stamp = hash_mix(stamp, (uint64_t)st.st_mtim.tv_sec * 1000000000 +
						(uint64_t)st.st_mtim.tv_nsec) | 1;
	}
	if (f.fd >= 0)
		close(f.fd);
	str_release(&f.path);
	return stamp;
}

enum name_reason jit_file_map(struct jit *jit, const struct jit_origin *origin)
{
	struct finding f;
	size_t size;
	char *text;

	find_map(&f, origin);
	if (f.fd < 0)
		return not_found(&f);
	text = read_text(f.fd, &size);
	close(f.fd);
	str_release(&f.path);
	if (!text)
		return NAME_JIT_NO_MAP;
	jit_add_map(jit, text, size);
	return NAME_OK;
}

static ssize_t read_fd(void *arg, void *to, size_t size, uint64_t offset)
{
	return offset > INT64_MAX ? 0 : pread(*(int *)arg, to, size, (off_t)offset);
}

enum name_reason jit_file_dump(struct jit *jit, const struct jit_origin *origin, const char *path,
			       uint64_t mapped_ns)
{
	struct finding f;
	struct err err;
	int ret;

	find(&f, origin, "dump", path, path);
	if (f.fd < 0)
		return not_found(&f);
	ret = jit_add_dump(jit, read_fd, &f.fd, mapped_ns, &err);
	if (ret < 0)
		log_info("'%s': %s; what stands before it is used", f.path.p, err.msg);
	close(f.fd);
	str_release(&f.path);
	return NAME_OK;
}
