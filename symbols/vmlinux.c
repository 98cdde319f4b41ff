/* SPDX-License-Identifier: MIT */
#include "symbols/vmlinux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "symbols/debug_file.h"

static struct elf_file *open_if_it(const char *path, const uint8_t *build_id, uint8_t size)
{
	struct elf_file *file;

	if (elf_file_open(&file, path) < 0)
		return NULL;
	/* A debug package may hold no names of some builds. */
	if (build_id_equal(file->build_id, file->build_id_size, build_id, size) &&
	    elf_file_has_symtab(file))
		return file;
	elf_file_free(file);
	return NULL;
}

static struct elf_file *find_below(const char *root, const uint8_t *build_id, uint8_t size,
				   const char *release)
{
	static const char *const forms[] = {
		"%s/usr/lib/debug/boot/vmlinux-%s", "%s/usr/lib/debug/lib/modules/%s/vmlinux",
		"%s/usr/lib/debug/vmlinux-%s", "%s/boot/vmlinux-%s", "%s/lib/modules/%s/vmlinux",
		"%s/lib/modules/%s/build/vmlinux",
	};
	struct str path = STR_INIT;
	struct elf_file *file;

	str_addf(&path, "%s/usr/lib/debug", root);
	debug_file_add_id(&path, build_id, size);
	str_add(&path, ".debug");
	file = open_if_it(path.p, build_id, size);
	for (size_t i = 0; !file && release && *release && i < sizeof(forms) / sizeof(*forms); i++) {
		str_clear(&path);
		str_addf(&path, forms[i], root, release);
		file = open_if_it(path.p, build_id, size);
	}
	str_release(&path);
	return file;
}

static bool kept_folder(struct str *path, const uint8_t *build_id, uint8_t size)
{
	const char *home = getenv("HOME");

	if (!home || !*home || size < 2)
		return false;
	str_addf(path, "%s/.debug", home);
	debug_file_add_id(path, build_id, size);
	return true;
}

static struct elf_file *find_kept(const uint8_t *build_id, uint8_t size)
{
	static const char *const names[] = { "vmlinux", "elf" };
	struct elf_file *file = NULL;
	struct str path = STR_INIT;

	for (int i = 0; i < 2 && !file; i++) {
		str_clear(&path);
		if (!kept_folder(&path, build_id, size))
			break;
		str_addf(&path, "/%s", names[i]);
		file = open_if_it(path.p, build_id, size);
	}
	str_release(&path);
	return file;
}

struct elf_file *vmlinux_find(const uint8_t *build_id, uint8_t size, const char *release,
			      const char *symfs)
{
	struct elf_file *file = NULL;

	if (size < 2)
		return NULL;
	if (symfs && *symfs)
		file = find_below(symfs, build_id, size, release);
	if (!file)
		file = find_below("", build_id, size, release);
	if (!file)
		file = find_kept(build_id, size);
	if (file)
		log_info("kernel names come from '%s'", file->path);
	return file;
}

bool vmlinux_kept_kallsyms(const uint8_t *build_id, uint8_t size, struct str *path)
{
	str_clear(path);
	if (!kept_folder(path, build_id, size))
		return false;
	str_add(path, "/kallsyms");
	return access(path->p, R_OK) == 0;
}
