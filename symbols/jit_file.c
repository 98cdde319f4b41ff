/* SPDX-License-Identifier: MIT */
#include "symbols/jit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdatomic.h>
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

/* The user ids that a process runs with, which /proc/PID's owner does not always tell. */
static bool find_users(uint32_t pid, uint32_t users[4])
{
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	file = pid ? fopen(path, "re") : NULL;
	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "Uid: %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32,
			       &users[0], &users[1], &users[2], &users[3]) == 4;
	if (file)
		fclose(file);
	return found;
}

enum owner {
	OWNER_TRUSTED,                   /* root, who reads it, or the process's user */
	OWNER_UNKNOWN,                   /* another, and the process is not here any more */
	OWNER_WRONG,                     /* another than the process's */
};

static enum owner judge_owner(uid_t owner, uint32_t pid)
{
	uint32_t users[4];

	if (owner == 0 || owner == geteuid())
		return OWNER_TRUSTED;
	if (!find_users(pid, users))
		return OWNER_UNKNOWN;
	for (unsigned i = 0; i < 4; i++)
		if (users[i] == owner)
			return OWNER_TRUSTED;
	return OWNER_WRONG;
}

static int judge(const struct stat *st, uint32_t pid)
{
	enum owner owner;

	if (!S_ISREG(st->st_mode))
		return -EINVAL;
	if (st->st_nlink > 1 || st->st_mode & S_IWOTH)
		return -EPERM;
	owner = judge_owner(st->st_uid, pid);
	return owner == OWNER_WRONG || (owner == OWNER_UNKNOWN && geteuid() != 0) ? -EPERM : 0;
}

static int believe(int fd, uint32_t pid)
{
	struct stat st;
	int ret;

	if (fd < 0)
		return -errno;
	ret = fstat(fd, &st) < 0 ? -errno : judge(&st, pid);
	if (ret == 0)
		return fd;
	close(fd);
	return ret;
}

int jit_file_open(const char *path, uint32_t pid)
{
	return believe(open(path, OPEN_FLAGS), pid);
}

static int open_in(uint32_t pid, const char *path)
{
	struct open_how how = { .flags = OPEN_FLAGS, .resolve = RESOLVE_IN_ROOT };
	char root[64];
	int root_fd, fd, code;

	snprintf(root, sizeof(root), "/proc/%u/root", pid);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return -1;
	/* Linux 5.6; before that there is no safe way through another's folders. */
	fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	code = errno;
	close(root_fd);
	errno = code;
	return fd;
}

int jit_file_open_in(uint32_t pid, const char *path)
{
	return believe(open_in(pid, path), pid);
}

int jit_file_open_binary(uint32_t pid, const char *path)
{
	int fd = open_in(pid, path);

	return fd < 0 ? -errno : fd;
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
		log_info("'%s' is not believed: it is a link, others may write to it, or it belongs "
			 "to another user than the process", f->path.p);
	}
	return false;
}

/* Root is given names that nobody vouches for, and told so: once, further ones under -v. */
static void warn_of_owner(const struct finding *f, uint32_t pid)
{
	static atomic_bool warned;
	struct stat st;

	if (fstat(f->fd, &st) < 0 || judge_owner(st.st_uid, pid) != OWNER_UNKNOWN)
		return;
	(atomic_exchange(&warned, true) ? log_info : log_note)(
		"names of process %u are from '%s', which belongs to user %u: nothing proves any more "
		"that the process was theirs", pid, f->path.p, (unsigned)st.st_uid);
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
		/* a process of that number here has nothing to do with it */
		if (try(f, jit_file_open(f->path.p, 0)))
			return;
		str_clear(&f->path);
	}
	str_add(&f->path, path);
	if (try(f, jit_file_open(path, origin->pid)))
		return;
	if (is_elsewhere(origin->pid))
		try(f, jit_file_open_in(origin->pid, own_path));
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
	warn_of_owner(&f, origin->pid);
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
	warn_of_owner(&f, origin->pid);
	ret = jit_add_dump(jit, read_fd, &f.fd, mapped_ns, &err);
	if (ret < 0)
		log_info("'%s': %s; what stands before it is used", f.path.p, err.msg);
	close(f.fd);
	str_release(&f.path);
	return NAME_OK;
}
