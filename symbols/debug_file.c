/* SPDX-License-Identifier: MIT */
#include "symbols/debug_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "symbols/debuginfod.h"
#include "symbols/unpack.h"

static const char debug_dir[] = "/usr/lib/debug";

static struct elf_file *open_if_same(const char *path, const uint8_t *build_id, uint8_t size)
{
	struct elf_file *found;

	if (elf_file_open(&found, path) < 0)
		return NULL;
	if (build_id_equal(found->build_id, found->build_id_size, build_id, size))
		return found;
	log_debug("'%s' is not the file that is looked for: its build-id differs", path);
	elf_file_free(found);
	return NULL;
}

void debug_file_add_id(struct str *path, const uint8_t *build_id, uint8_t size)
{
	str_addf(path, "/.build-id/%02x/", build_id[0]);
	for (uint8_t i = 1; i < size; i++)
		str_addf(path, "%02x", build_id[i]);
}

static struct elf_file *find_by_build_id(const struct elf_file *file, const char *root)
{
	struct str path = STR_INIT;
	struct elf_file *found;

	if (file->build_id_size < 2)
		return NULL;
	str_addf(&path, "%s%s", root, debug_dir);
	debug_file_add_id(&path, file->build_id, file->build_id_size);
	str_add(&path, ".debug");
	found = open_if_same(path.p, file->build_id, file->build_id_size);
	str_release(&path);
	return found;
}

static bool file_crc(const char *path, uint32_t *crc)
{
	unsigned char buf[65536];
	int fd = regular_file_open(path, NULL);
	ssize_t n;

	if (fd < 0)
		return false;
	*crc = (uint32_t)crc32(0, NULL, 0);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		*crc = (uint32_t)crc32(*crc, buf, (unsigned)n);
	close(fd);
	return n == 0;
}

static struct elf_file *open_linked(const struct elf_file *file, const char *path, uint32_t crc)
{
	struct elf_file *found;
	uint32_t have;

	if (file->build_id_size)
		return open_if_same(path, file->build_id, file->build_id_size);
	if (!file_crc(path, &have) || have != crc || elf_file_open(&found, path) < 0)
		return NULL;
	return found;
}

/* The name in .gnu_debuglink, which is a file's name and no path, and its checksum. */
static const char *debug_link(struct elf_file *file, uint32_t *crc)
{
	GElf_Shdr shdr;
	Elf_Data *data = elf_file_section(file, ".gnu_debuglink", &shdr);
	const char *name;
	size_t len;

	if (!data)
		return NULL;
	name = data->d_buf;
	len = strnlen(name, data->d_size);
	if (!len || ((len + 4) & ~(size_t)3) + 4 > data->d_size || strchr(name, '/'))
		return NULL;
	memcpy(crc, name + ((len + 4) & ~(size_t)3), 4);
	if (file->swap)
		*crc = __builtin_bswap32(*crc);
	return name;
}

static struct elf_file *find_by_link(struct elf_file *file, const char *path, const char *root)
{
	static const char *const forms[] = { "%.*s/%s", "%.*s/.debug/%s" };
	uint32_t crc;
	const char *name = debug_link(file, &crc), *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash - path) : 0;
	struct elf_file *found = NULL;
	struct str at = STR_INIT;

	if (!name || !slash)
		return NULL;
	for (int i = 0; i < 2 && !found; i++) {
		str_clear(&at);
		str_add(&at, root);
		str_addf(&at, forms[i], dir_len, path, name);
		found = open_linked(file, at.p, crc);
	}
	if (!found) {
		str_clear(&at);
		str_addf(&at, "%s%s%.*s/%s", root, debug_dir, dir_len, path, name);
		found = open_linked(file, at.p, crc);
	}
	str_release(&at);
	return found;
}

static struct elf_file *find_below(struct elf_file *file, const char *path, const char *root)
{
	struct elf_file *found = find_by_build_id(file, root);

	return found ? found : find_by_link(file, path, root);
}

struct elf_file *debug_file_find(struct elf_file *file, const char *path, const char *symfs)
{
	struct elf_file *found = NULL;

	if (symfs && *symfs)
		found = find_below(file, path, symfs);
	return found ? found : find_below(file, path, "");
}

struct elf_file *debug_file_mini(struct elf_file *file)
{
	GElf_Shdr shdr;
	Elf_Data *data = elf_file_section(file, ".gnu_debugdata", &shdr);
	struct elf_file *mini;
	size_t size;
	char *image;

	if (!data)
		return NULL;
	image = unpack(data->d_buf, data->d_size, &size);
	if (!image || elf_file_memory(&mini, image, size) < 0)
		return NULL;
	return mini;
}

/* Where dwz put what programs share, and the build-id or checksum that tells which is meant. */
struct alt_link {
	const char *name;
	const uint8_t *id;
	size_t id_size;
	bool is_sup;             /* by .debug_sup: the file that is meant has the checksum there, too */
};

/* dwz(1): a path, its NUL, and the build-id. */
static bool read_altlink(struct elf_file *file, struct alt_link *out)
{
	GElf_Shdr shdr;
	Elf_Data *data = elf_file_section(file, ".gnu_debugaltlink", &shdr);
	size_t len = data ? strnlen(data->d_buf, data->d_size) : 0;

	if (!len || len + 3 > data->d_size || data->d_size - len - 1 > 20)
		return false;
	*out = (struct alt_link){ data->d_buf, (const uint8_t *)data->d_buf + len + 1,
				  data->d_size - len - 1, false };
	return true;
}

/*
 * DWARF 5, 7.3.6: version, whether this is the supplementary file, a path (there empty), and
 * a checksum behind its size (ULEB128; as long as a build-id here, so of one byte).
 */
static bool read_sup(struct elf_file *file, bool is_supplementary, struct alt_link *out)
{
	GElf_Shdr shdr;
	Elf_Data *data = elf_file_section(file, ".debug_sup", &shdr);
	const uint8_t *bytes = data ? data->d_buf : NULL;
	bool big = (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) == file->swap;
	size_t size = data ? data->d_size : 0, len;

	if (size < 5 || bytes[2] != is_supplementary || bytes[big] != 5 || bytes[!big] != 0)
		return false;
	len = strnlen((const char *)bytes + 3, size - 3);
	if (len + 5 > size || bytes[len + 4] < 2 || bytes[len + 4] > 20 ||
	    bytes[len + 4] > size - len - 5)
		return false;
	*out = (struct alt_link){ (const char *)bytes + 3, bytes + len + 5, bytes[len + 4], true };
	return true;
}

static struct elf_file *open_alt(const char *path, const struct alt_link *link)
{
	struct elf_file *found;
	struct alt_link own;

	if (!link->is_sup)
		return open_if_same(path, link->id, (uint8_t)link->id_size);
	if (elf_file_open(&found, path) < 0)
		return NULL;
	if (read_sup(found, true, &own) && own.id_size == link->id_size &&
	    memcmp(own.id, link->id, own.id_size) == 0)
		return found;
	log_debug("'%s' is not the file that is looked for: its checksum differs", path);
	elf_file_free(found);
	return NULL;
}

struct elf_file *debug_file_alt(struct elf_file *file)
{
	struct elf_file *found = NULL;
	struct str path = STR_INIT;
	struct alt_link link;
	const char *slash;
	char *real;

	if (!read_altlink(file, &link) && (!read_sup(file, false, &link) || !*link.name))
		return NULL;
	real = link.name[0] != '/' && file->path ? realpath(file->path, NULL) : NULL;
	slash = real ? strrchr(real, '/') : NULL;
	if (slash)
		str_addf(&path, "%.*s/", (int)(slash - real), real);
	str_add(&path, link.name);
	found = open_alt(path.p, &link);
	if (!found) {
		str_clear(&path);
		str_add(&path, debug_dir);
		debug_file_add_id(&path, link.id, (uint8_t)link.id_size);
		str_add(&path, ".debug");
		found = open_alt(path.p, &link);
	}
	if (!found && !link.is_sup)
		found = debuginfod_find(DEBUGINFOD_DEBUG, link.id, (uint8_t)link.id_size);
	free(real);
	str_release(&path);
	return found;
}

struct elf_file *debug_file_cached(const uint8_t *build_id, uint8_t size)
{
	const char *home = getenv("HOME");
	struct str path = STR_INIT;
	struct elf_file *found;

	if (!home || !*home || size < 2)
		return NULL;
	str_addf(&path, "%s/.debug", home);
	debug_file_add_id(&path, build_id, size);
	str_add(&path, "/elf");
	found = open_if_same(path.p, build_id, size);
	str_release(&path);
	return found;
}

static struct elf_file *find_in(const char *dir, const char *suffix, const uint8_t *build_id,
				uint8_t size)
{
	struct str path = STR_INIT;
	struct elf_file *found;

	if (size < 2)
		return NULL;
	str_add(&path, dir);
	debug_file_add_id(&path, build_id, size);
	str_add(&path, suffix);
	found = open_if_same(path.p, build_id, size);
	str_release(&path);
	return found;
}

struct elf_file *debug_file_in(struct elf_file *file, const char *path, const char *dir)
{
	struct elf_file *found = find_in(dir, ".debug", file->build_id, file->build_id_size);
	const char *name, *slash = strrchr(path, '/');
	struct str at = STR_INIT;
	uint32_t crc;

	name = found ? NULL : debug_link(file, &crc);
	if (name) {
		str_addf(&at, "%s/%s", dir, name);
		found = open_linked(file, at.p, crc);
	}
	if (name && !found && slash) {
		str_clear(&at);
		str_addf(&at, "%s%.*s/%s", dir, (int)(slash - path), path, name);
		found = open_linked(file, at.p, crc);
	}
	str_release(&at);
	return found;
}

struct elf_file *debug_file_binary(const uint8_t *build_id, uint8_t size, const char *dir)
{
	struct elf_file *found = dir && *dir ? find_in(dir, "", build_id, size) : NULL;

	if (!found)
		found = find_in(debug_dir, "", build_id, size);
	return found ? found : find_in("/usr/lib", "", build_id, size);
}
