/* SPDX-License-Identifier: MIT */
/* Files of the kernel and its modules that hold lines, or names that kallsyms has not. */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "symbols/debug_file.h"
#include "symbols/dwarf.h"
#include "symbols/kmod.h"
#include "symbols/module_priv.h"
#include "symbols/unpack.h"

/* A file that is a module's, by its build-id, and has debug information. Takes over `path`'s text. */
static struct elf_file *take(const struct module *module, struct str *path)
{
	struct elf_file *file = NULL;
	GElf_Shdr shdr;

	if (unpack_elf_open(&file, path->p) < 0)
		file = NULL;
	if (file && (!build_id_equal(file->build_id, file->build_id_size, module->build_id,
				     module->build_id_size) ||
		     !elf_file_section(file, ".debug_info", &shdr))) {
		elf_file_free(file);
		file = NULL;
	}
	str_clear(path);
	return file;
}

static struct elf_file *find_by_id(const struct module *module, const char *dir)
{
	struct str path = STR_INIT;
	struct elf_file *file;

	str_add(&path, dir);
	debug_file_add_id(&path, module->build_id, module->build_id_size);
	str_add(&path, ".debug");
	file = take(module, &path);
	str_release(&path);
	return file;
}

/* "/lib/modules/6.1.0/kernel/fs/ext4.ko" of "....ko.xz". */
static int plain_length(const char *path)
{
	static const char *const packings[] = { ".xz", ".zst", ".gz" };
	size_t len = strlen(path);

	for (size_t i = 0; i < sizeof(packings) / sizeof(packings[0]); i++)
		if (str_ends(path, packings[i]))
			len -= strlen(packings[i]);
	return (int)len;
}

/* The file that .gnu_debuglink of the module's own names, opened as `take` does. */
static struct elf_file *find_by_link(const struct module *module, const char *root)
{
	struct elf_file *own, *linked = NULL, *file = NULL;
	struct str path = STR_INIT;

	str_addf(&path, "%s%s", root, module->path);
	if (unpack_elf_open(&own, path.p) == 0) {
		linked = debug_file_find(own, module->path, *root ? root : NULL);
		elf_file_free(own);
	}
	str_clear(&path);
	if (linked) {
		str_add(&path, linked->path);
		elf_file_free(linked);
		file = take(module, &path);
	}
	str_release(&path);
	return file;
}

static struct elf_file *find_below(const struct module *module, const char *root)
{
	static const char *const forms[] = {
		"%s/usr/lib/debug%.*s", "%s/usr/lib/debug%.*s.debug", "%s%.*s.debug",
	};
	struct str path = STR_INIT;
	struct elf_file *file;

	str_addf(&path, "%s/usr/lib/debug", root);
	file = find_by_id(module, path.p);
	str_clear(&path);
	if (!file && module->path[0] == '/') {
		str_addf(&path, "%s%s", root, module->path);
		file = take(module, &path);
	}
	for (size_t i = 0; !file && module->path[0] == '/' && i < sizeof(forms) / sizeof(forms[0]); i++) {
		str_addf(&path, forms[i], root, plain_length(module->path), module->path);
		file = take(module, &path);
	}
	str_release(&path);
	return file || module->path[0] != '/' ? file : find_by_link(module, root);
}

struct elf_file *module_kmod_debug(struct module *module)
{
	const struct symbol_options *options = &module->priv->set->options;
	struct elf_file *file = NULL;

	if (module->build_id_size < 2)
		return NULL;
	if (options->debug_dir && *options->debug_dir)
		file = find_by_id(module, options->debug_dir);
	if (!file && options->symfs && *options->symfs)
		file = find_below(module, options->symfs);
	return file ? file : find_below(module, "");
}

static void open_kmod(struct module *module)
{
	struct module_priv *priv = module->priv;

	if (!priv->run_start)
		return;
	priv->dwarf_file = module_kmod_debug(module);
	if (!priv->dwarf_file)
		return;
	if (kmod_relocate(priv->dwarf_file, priv->run_start))
		priv->dwarf = dwarf_new(priv->dwarf_file, &priv->lock, module->path,
					priv->set->options.no_demangle);
	else
		log_debug("'%s' has relocations that are not known here: no lines of it",
			  priv->dwarf_file->path);
}

void module_open_kernel_dwarf(struct module *module)
{
	struct module_priv *priv = module->priv;
	const struct module *kernel = priv->set->host_kernel;
	struct elf_file *vmlinux;

	if (module->kind == MODULE_KMOD) {
		open_kmod(module);
		return;
	}
	if (priv->is_guest || !kernel)
		return;
	vmlinux = kernel_debug(priv->set->kernel, kernel->build_id, kernel->build_id_size,
			       &priv->dwarf_shift);
	if (vmlinux)
		priv->dwarf = dwarf_new(vmlinux, &priv->lock, vmlinux->path,
					priv->set->options.no_demangle);
}
