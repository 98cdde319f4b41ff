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

static struct elf_file *find_in(const char *dir, const uint8_t *build_id, uint8_t size)
{
	struct str path = STR_INIT;
	struct elf_file *file;

	str_add(&path, dir);
	debug_file_add_id(&path, build_id, size);
	str_add(&path, ".debug");
	file = open_if_it(path.p, build_id, size);
	str_release(&path);
	return file;
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
	file = find_in(path.p, build_id, size);
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

struct elf_file *vmlinux_find(const uint8_t *build_id, uint8_t size,
			      const struct symbol_options *options)
{
	const char *release = options->os_release;
	struct elf_file *file = NULL;

	if (size < 2)
		return NULL;
	if (options->debug_dir && *options->debug_dir)
		file = find_in(options->debug_dir, build_id, size);
	if (!file && options->symfs && *options->symfs)
		file = find_below(options->symfs, build_id, size, release);
	if (!file)
		file = find_below("", build_id, size, release);
	if (!file)
		file = find_kept(build_id, size);
	return file;
}

uint64_t vmlinux_symbol(struct elf_file *vmlinux, const char *name)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(vmlinux->elf, scn))) {
		Elf_Data *data;
		size_t n;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_SYMTAB || !shdr.sh_entsize)
			continue;
		data = elf_file_data(scn);
		n = data ? data->d_size / shdr.sh_entsize : 0;
		for (size_t i = 1; i < n && i < INT32_MAX; i++) {
			const char *text;
			GElf_Sym sym;

			if (!gelf_getsym(data, (int)i, &sym) || !sym.st_value)
				continue;
			text = elf_strptr(vmlinux->elf, shdr.sh_link, sym.st_name);
			if (text && strcmp(text, name) == 0)
				return sym.st_value;
		}
	}
	return 0;
}

bool vmlinux_kept_kallsyms(const uint8_t *build_id, uint8_t size, struct str *path)
{
	str_clear(path);
	if (!kept_folder(path, build_id, size))
		return false;
	str_add(path, "/kallsyms");
	return access(path->p, R_OK) == 0;
}
