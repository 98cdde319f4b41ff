/* SPDX-License-Identifier: MIT */
#include "symbols/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"

static const char *const kinds[CACHE_KINDS] = { "index", "files", "maps" };
static const char limit_name[] = "limit";

/* A draft whose writer is gone. */
#define STALE_S 3600

static pthread_mutex_t total_lock = PTHREAD_MUTEX_INITIALIZER;
static bool total_known;
static uint64_t total;                   /* bytes in the cache, by this process's last look */

const char *cache_kind_name(enum cache_kind kind)
{
	return (unsigned)kind < CACHE_KINDS ? kinds[kind] : "";
}

/* The XDG base directory specification: a relative path is to be ignored. */
static bool base_folder(struct str *out, bool *is_home)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	*is_home = !xdg || xdg[0] != '/';
	if (!*is_home)
		str_add(out, xdg);
	else if (home && home[0] == '/')
		str_addf(out, "%s/.cache", home);
	return out->len > 0;
}

bool cache_folder(struct str *out)
{
	bool is_home;

	str_clear(out);
	if (!base_folder(out, &is_home))
		return false;
	str_add(out, "/sonde");
	return true;
}

/* Ours, and nobody else may write to it. */
static int check_owner(int fd, mode_t type, struct stat *st)
{
	if (fstat(fd, st) < 0)
		return -errno;
	if ((st->st_mode & S_IFMT) != type)
		return -EINVAL;
	if (st->st_uid != geteuid() || (st->st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	return 0;
}

static int open_folder(int at, const char *name, bool create, bool ours)
{
	struct stat st;
	int fd, ret;

	if (create && mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	/* What is above the cache may be a link: that is the user's own affair. */
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (ours ? O_NOFOLLOW : 0));
	if (fd < 0)
		return -errno;
	ret = ours ? check_owner(fd, S_IFDIR, &st) : 0;
	if (ret < 0)
		close(fd);
	return ret < 0 ? ret : fd;
}

/*
 * The folder ~/.cache may have to be made; what is above it is there. Root does not
 * make one in the home of another user.
 */
static int open_base(bool create)
{
	struct str base = STR_INIT, parent = STR_INIT;
	struct stat st;
	bool is_home;
	int fd;

	if (!base_folder(&base, &is_home)) {
		str_release(&base);
		return -ENOENT;
	}
	fd = open_folder(AT_FDCWD, base.p, false, false);
	if (fd == -ENOENT && create) {
		char *slash = strrchr(base.p, '/');

		str_addn(&parent, base.p, (size_t)(slash - base.p));
		if (stat(parent.len ? parent.p : "/", &st) == 0 && st.st_uid == geteuid())
			fd = open_folder(AT_FDCWD, base.p, true, false);
		else
			fd = -EPERM;
	}
	if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_uid != geteuid())) {
		close(fd);
		fd = -EPERM;
	}
	str_release(&base);
	str_release(&parent);
	return fd;
}

static int open_cache(bool create)
{
	int base = open_base(create), fd;

	if (base < 0)
		return base;
	fd = open_folder(base, "sonde", create, true);
	close(base);
	return fd;
}

static int open_kind(enum cache_kind kind, bool create)
{
	int cache = open_cache(create), fd;

	if (cache < 0)
		return cache;
	fd = open_folder(cache, kinds[kind], create, true);
	close(cache);
	return fd;
}

static bool is_plain_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') && strlen(name) < 150;
}

static int open_entry(int dir_fd, const char *name, struct stat *st)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int ret = fd < 0 ? -errno : check_owner(fd, S_IFREG, st);

	if (ret < 0 && fd >= 0)
		close(fd);
	return ret < 0 ? ret : fd;
}

int cache_get(enum cache_kind kind, const char *name, uint64_t *size)
{
	static const struct timespec now[2] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } };
	struct stat st;
	int dir_fd, fd;

	if (!is_plain_name(name))
		return -EINVAL;
	dir_fd = open_kind(kind, false);
	if (dir_fd < 0)
		return dir_fd;
	fd = open_entry(dir_fd, name, &st);
	close(dir_fd);
	if (fd < 0)
		return fd;
	futimens(fd, now);
	if (size)
		*size = (uint64_t)st.st_size;
	return fd;
}

bool cache_has(enum cache_kind kind, const char *name)
{
	int fd = cache_get(kind, name, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* --- the limit ------------------------------------------------------------- */

uint64_t cache_limit(void)
{
	int cache = open_cache(false), fd;
	uint64_t bytes = CACHE_LIMIT_DEFAULT;
	char text[32] = "";
	struct stat st;
	ssize_t n;

	if (cache < 0)
		return bytes;
	fd = open_entry(cache, limit_name, &st);
	close(cache);
	if (fd < 0)
		return bytes;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n > 0) {
		text[strcspn(text, "\n")] = '\0';
		str_u64(text, &bytes);
	}
	return bytes;
}

struct kept {
	enum cache_kind kind;
	char *name;
	uint64_t bytes;
	struct timespec used;
	bool draft;
};

typedef VEC(struct kept) kept_vec;

static void kept_release(kept_vec *all)
{
	for (size_t i = 0; i < all->nr; i++)
		free(all->v[i].name);
	vec_release(all);
}

static int last_used_first(const void *pa, const void *pb)
{
	const struct kept *a = pa, *b = pb;

	if (a->used.tv_sec != b->used.tv_sec)
		return a->used.tv_sec > b->used.tv_sec ? -1 : 1;
	if (a->used.tv_nsec != b->used.tv_nsec)
		return a->used.tv_nsec > b->used.tv_nsec ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void read_kind(enum cache_kind kind, kept_vec *all)
{
	int fd = open_kind(kind, false);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode))
			continue;
		*vec_push(all) = (struct kept){
			.kind = kind,
			.name = mem_strdup(entry->d_name),
			.bytes = (uint64_t)st.st_blocks * 512,
			.used = st.st_atim,
			.draft = str_ends(entry->d_name, ".tmp"),
		};
	}
	closedir(dir);
}

static void read_all(kept_vec *all)
{
	for (int kind = 0; kind < CACHE_KINDS; kind++)
		read_kind((enum cache_kind)kind, all);
	if (all->nr)
		qsort(all->v, all->nr, sizeof(*all->v), last_used_first);
}

static bool delete(const struct kept *kept)
{
	int dir_fd = open_kind(kept->kind, false);
	bool done = dir_fd >= 0 && unlinkat(dir_fd, kept->name, 0) == 0;

	if (dir_fd >= 0)
		close(dir_fd);
	return done;
}

/* Delete from the end of the list until it fits with some room to spare; under the lock. */
static void evict(uint64_t limit)
{
	kept_vec all = { 0 };
	uint64_t sum = 0;
	time_t now = time(NULL);

	read_all(&all);
	for (size_t i = 0; i < all.nr; i++) {
		struct kept *kept = &all.v[i];

		if (kept->draft && kept->used.tv_sec + STALE_S < now && delete(kept))
			kept->bytes = 0;
		sum += kept->bytes;
	}
	for (size_t i = all.nr; i-- > 0 && sum > limit;) {
		struct kept *kept = &all.v[i];

		if (kept->draft || !kept->bytes || !delete(kept))
			continue;
		log_debug("cache: %s/%s makes room", kinds[kept->kind], kept->name);
		sum -= kept->bytes;
	}
	total = sum;
	total_known = true;
	kept_release(&all);
}

static void take_in(uint64_t bytes)
{
	uint64_t limit = cache_limit();

	pthread_mutex_lock(&total_lock);
	total += bytes;
	if (!total_known)
		evict(limit);            /* the first look: it counts what is there */
	else if (total > limit)
		evict(limit - limit / 10);
	pthread_mutex_unlock(&total_lock);
}

int cache_set_limit(uint64_t bytes, struct err *err)
{
	struct str folder = STR_INIT;
	char text[32], temporary[64];
	int cache = open_cache(true), fd = -1, ret = cache < 0 ? cache : 0;

	snprintf(temporary, sizeof(temporary), "%s.%d.tmp", limit_name, (int)getpid());
	if (ret == 0) {
		fd = openat(cache, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			    0600);
		ret = fd < 0 ? -errno : 0;
	}
	if (ret == 0) {
		int len = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)bytes);

		if (write(fd, text, (size_t)len) != len || renameat(cache, temporary, cache,
								     limit_name) < 0)
			ret = -errno;
	}
	if (fd >= 0)
		close(fd);
	if (cache >= 0)
		close(cache);
	if (ret < 0) {
		cache_folder(&folder);
		err_set(err, -ret, "cannot set the limit of the cache '%s': %s", folder.p,
			ret == -EPERM ? "the folder belongs to another user, or others may write to it"
				      : strerror(-ret));
		str_release(&folder);
		return ret;
	}
	pthread_mutex_lock(&total_lock);
	evict(bytes);
	pthread_mutex_unlock(&total_lock);
	return 0;
}

/* --- writing ---------------------------------------------------------------- */

int cache_begin(struct cache_draft *draft, enum cache_kind kind, const char *name, uint64_t size)
{
	static unsigned counter;
	uint64_t limit = cache_limit();

	if (!is_plain_name(name))
		return -EINVAL;
	if (size > limit / 4)
		return -EFBIG;
	draft->kind = kind;
	snprintf(draft->name, sizeof(draft->name), "%s", name);
	snprintf(draft->temporary, sizeof(draft->temporary), "%s.%d.%u.tmp", draft->name,
		 (int)getpid(), __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED));
	draft->dir_fd = open_kind(kind, true);
	if (draft->dir_fd < 0)
		return draft->dir_fd;
	draft->fd = openat(draft->dir_fd, draft->temporary,
			   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (draft->fd < 0) {
		int ret = -errno;

		close(draft->dir_fd);
		return ret;
	}
	return 0;
}

void cache_drop(struct cache_draft *draft)
{
	unlinkat(draft->dir_fd, draft->temporary, 0);
	close(draft->fd);
	close(draft->dir_fd);
}

int cache_keep(struct cache_draft *draft)
{
	struct stat st;

	if (fstat(draft->fd, &st) < 0 ||
	    renameat(draft->dir_fd, draft->temporary, draft->dir_fd, draft->name) < 0) {
		int ret = -errno;

		cache_drop(draft);
		return ret;
	}
	close(draft->fd);
	close(draft->dir_fd);
	take_in((uint64_t)st.st_size);
	return 0;
}

static int copy_bytes(int from, int to)
{
	char buf[65536];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(from, buf, sizeof(buf), at)) > 0) {
		for (ssize_t done = 0, w; done < n; done += w) {
			w = write(to, buf + done, (size_t)(n - done));
			if (w <= 0)
				return w < 0 ? -errno : -ENOSPC;
		}
		at += n;
	}
	return n < 0 ? -errno : 0;
}

int cache_copy(enum cache_kind kind, const char *name, int fd)
{
	struct cache_draft draft;
	struct stat st;
	int ret;

	if (cache_has(kind, name))
		return 0;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	ret = cache_begin(&draft, kind, name, (uint64_t)st.st_size);
	if (ret < 0)
		return ret;
	ret = copy_bytes(fd, draft.fd);
	if (ret == 0)
		return cache_keep(&draft);
	cache_drop(&draft);
	return ret;
}

/* --- for the command ---------------------------------------------------------- */

/* A cache that is not there is empty; one that is not ours is an error. */
static int check_cache(struct err *err)
{
	struct str folder = STR_INIT;
	int fd = open_cache(false);

	if (fd >= 0)
		close(fd);
	if (fd >= 0 || fd == -ENOENT)
		return 0;
	cache_folder(&folder);
	err_set(err, -fd, "cannot use the cache '%s': %s", folder.p,
		fd == -EPERM ? "it belongs to another user, or others may write to it" :
		fd == -ELOOP || fd == -ENOTDIR ? "it is not a folder" : strerror(-fd));
	str_release(&folder);
	return fd;
}

int cache_list(void (*tell)(const struct cache_entry *entry, void *arg), void *arg,
	       struct err *err)
{
	kept_vec all = { 0 };
	int ret = check_cache(err);

	if (ret < 0)
		return ret;
	read_all(&all);
	for (size_t i = 0; i < all.nr; i++) {
		const struct kept *kept = &all.v[i];

		if (!kept->draft)
			tell(&(struct cache_entry){ kept->kind, kept->name, kept->bytes,
						    kept->used }, arg);
	}
	kept_release(&all);
	return 0;
}

int cache_purge(uint64_t *nr, uint64_t *bytes, struct err *err)
{
	kept_vec all = { 0 };
	uint64_t files = 0, sum = 0;
	int ret = check_cache(err);

	if (ret < 0)
		return ret;
	read_all(&all);
	for (size_t i = 0; i < all.nr; i++) {
		if (!delete(&all.v[i]))
			continue;
		files++;
		sum += all.v[i].bytes;
	}
	kept_release(&all);
	pthread_mutex_lock(&total_lock);
	total_known = false;
	pthread_mutex_unlock(&total_lock);
	if (nr)
		*nr = files;
	if (bytes)
		*bytes = sum;
	return 0;
}

void cache_build_id_name(char name[41], const uint8_t *build_id, uint8_t size)
{
	for (uint8_t i = 0; i < size && i < 20; i++)
		snprintf(name + 2 * i, 3, "%02x", build_id[i]);
	name[2 * (size < 20 ? size : 20)] = '\0';
}
