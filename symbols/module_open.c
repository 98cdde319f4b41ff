/* SPDX-License-Identifier: MIT */
/* Modules being opened: the file that ran, its names, or why there are none. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/str.h"
#include "symbols/cache.h"
#include "symbols/debug_file.h"
#include "symbols/debuginfod.h"
#include "symbols/jit_file.h"
#include "symbols/module_priv.h"
#include "symbols/unpack.h"
#include "symbols/vdso.h"

static bool is_changed(const struct module *module, const struct elf_file *file)
{
	return module->build_id_size &&
	       !build_id_equal(module->build_id, module->build_id_size, file->build_id,
			       file->build_id_size);
}

/* After those of the debug file, which has all of them, if the file has been stripped. */
static enum name_reason load_symbols(struct module_priv *priv)
{
	unsigned options = priv->set->options.no_demangle ? SYMTAB_NO_DEMANGLE : 0;

	names_open(&priv->names, priv->file, priv->debug, options);
	return symtab_count(priv->names.symbols) || symtab_count(priv->names.plt) ? NAME_OK :
										    NAME_STRIPPED;
}

/* Open the file at the mapping's path; "(deleted)" is what /proc/PID/maps adds. */
enum name_reason module_open_path(struct module *module)
{
	const char *symfs = module->priv->set->options.symfs;
	size_t len = strlen(module->path);
	bool deleted = str_ends(module->path, " (deleted)");
	struct str path = STR_INIT;
	int ret;

	if (deleted)
		len -= strlen(" (deleted)");
	if (symfs)
		str_add(&path, symfs);
	str_addn(&path, module->path, len);
	ret = module->kind == MODULE_KMOD ? unpack_elf_open(&module->priv->file, path.p) :
					    elf_file_open(&module->priv->file, path.p);
	str_release(&path);
	if (ret < 0)
		return ret == -ENOEXEC ? NAME_NOT_ELF : NAME_NO_FILE;
	if (is_changed(module, module->priv->file) || (deleted && !module->build_id_size)) {
		elf_file_free(module->priv->file);
		module->priv->file = NULL;
		return NAME_FILE_CHANGED;
	}
	return NAME_OK;
}

void module_copy_name(char name[64], const char *path, uint64_t recording_ns)
{
	snprintf(name, 64, "at-%016llx-%llu", (unsigned long long)hash_bytes(path, strlen(path)),
		 (unsigned long long)recording_ns);
}

/* The copy that record kept of what would not be found again (engine/keep.h). */
static bool open_kept(struct module *module)
{
	uint64_t recording_ns = module->priv->set->options.recording_ns;
	struct str path = STR_INIT;
	struct elf_file *file;
	char name[64];
	int fd;

	if (module->build_id_size)
		cache_build_id_name(name, module->build_id, module->build_id_size);
	else if (recording_ns)
		module_copy_name(name, module->path, recording_ns);
	else
		return false;
	fd = cache_get(CACHE_FILES, name, NULL);
	if (fd < 0)
		return false;
	close(fd);               /* it is there, and ours */
	cache_folder(&path);
	str_addf(&path, "/%s/%s", cache_kind_name(CACHE_FILES), name);
	if (elf_file_open(&file, path.p) < 0)
		file = NULL;
	str_release(&path);
	if (file && is_changed(module, file)) {
		elf_file_free(file);
		file = NULL;
	}
	module->priv->file = file;
	return file;
}

static struct elf_file *find_debug_here(struct module *module)
{
	const struct symbol_options *options = &module->priv->set->options;
	struct elf_file *file = module->priv->file, *found = NULL;

	if (options->debug_dir && *options->debug_dir)
		found = debug_file_in(file, module->path, options->debug_dir);
	return found ? found : debug_file_find(file, module->path, options->symfs);
}

static struct elf_file *find_debug_there(struct module *module)
{
	const struct elf_file *file = module->priv->file;

	return debuginfod_find(DEBUGINFOD_DEBUG, file->build_id, file->build_id_size);
}

struct elf_file *module_find_debug(struct module *module)
{
	struct elf_file *found = find_debug_here(module);

	return found ? found : find_debug_there(module);
}

/* The file on this machine, and its debug file if it needs one. Under the lock. */
static void look_for_file(struct module *module)
{
	struct module_priv *priv = module->priv;

	if (priv->looked_for)
		return;
	priv->looked_for = true;
	/* What the path leads to now was another file then. */
	if (!module->build_id_size && open_kept(module))
		priv->found = NAME_OK;
	else
		priv->found = module_open_path(module);
	if (priv->found != NAME_OK && !open_kept(module))
		priv->file = debug_file_cached(module->build_id, module->build_id_size);
	if (!priv->file)
		priv->file = debug_file_binary(module->build_id, module->build_id_size,
					       priv->set->options.debug_dir);
	if (priv->file && !elf_file_has_symtab(priv->file))
		priv->debug = find_debug_here(module);
}

static enum name_reason open_file(struct module *module)
{
	struct module_priv *priv = module->priv;

	look_for_file(module);
	if (!priv->file)
		priv->file = debuginfod_find(DEBUGINFOD_BINARY, module->build_id,
					     module->build_id_size);
	if (!priv->file)
		return priv->found;
	module->is_64bit = priv->file->is_64bit;
	if (!elf_file_has_symtab(priv->file) && !priv->debug)
		priv->debug = find_debug_there(module);
	return load_symbols(priv);
}

bool module_soon_helps(void)
{
	return debuginfod_is_on();
}

void module_soon(struct module *module)
{
	struct module_priv *priv = module->priv;

	if (module->kind != MODULE_FILE || !debuginfod_is_on())
		return;
	pthread_mutex_lock(&priv->lock);
	if (!atomic_load(&priv->opened) && !priv->looked_for) {
		look_for_file(module);
		if (!priv->file)
			debuginfod_ask(DEBUGINFOD_BINARY, module->build_id, module->build_id_size);
		if (!priv->file)
			debuginfod_ask(DEBUGINFOD_DEBUG, module->build_id, module->build_id_size);
		else if (!priv->debug && !elf_file_has_symtab(priv->file))
			debuginfod_ask(DEBUGINFOD_DEBUG, priv->file->build_id,
				       priv->file->build_id_size);
	}
	pthread_mutex_unlock(&priv->lock);
}

/* The running kernel's vdso is the recording's if the build-ids agree, or the releases. */
static enum name_reason open_vdso(struct module *module)
{
	const char *release = module->priv->set->options.os_release;
	struct utsname name;

	if (vdso_open(&module->priv->file) < 0)
		return NAME_NO_FILE;
	if (is_changed(module, module->priv->file) ||
	    (!module->build_id_size && release && uname(&name) == 0 &&
	     strcmp(name.release, release) != 0)) {
		elf_file_free(module->priv->file);
		module->priv->file = NULL;
		return NAME_FILE_CHANGED;
	}
	return load_symbols(module->priv);
}

static enum name_reason open_kernel(struct module *module)
{
	const struct module *kernel = module->priv->set->host_kernel;

	if (module->priv->is_guest)
		return NAME_KERNEL_OTHER;
	return kernel_open(module->priv->set->kernel, kernel ? kernel->build_id : NULL,
			   kernel ? kernel->build_id_size : 0);
}

static struct jit_origin origin_of(const struct module_priv *priv)
{
	const struct symbol_options *options = &priv->set->options;

	return (struct jit_origin){ priv->jit_pid, options->symfs, options->recording_ns };
}

/* Of all files that tell a JIT's names as they are now; 0: there are none. */
static uint64_t stamp_jit(const struct module_priv *priv)
{
	struct jit_origin origin = origin_of(priv);
	uint64_t stamp = jit_file_stamp(&origin, NULL);

	for (size_t i = 0; i < priv->jit_dumps.nr; i++) {
		uint64_t one = jit_file_stamp(&origin, priv->jit_dumps.v[i].path);

		if (one)
			stamp = hash_mix(stamp, one) | 1;
	}
	return stamp;
}

/* A perf map and jitdumps may both be there: all names are taken. */
static enum name_reason read_jit(const struct module_priv *priv, struct jit *jit)
{
	struct jit_origin origin = origin_of(priv);
	enum name_reason reason = jit_file_map(jit, &origin);

	if (priv->set->options.jit_code)
		jit_keep_code(jit);
	for (size_t i = 0; i < priv->jit_dumps.nr; i++) {
		const struct jit_dump *dump = &priv->jit_dumps.v[i];
		enum name_reason other = jit_file_dump(jit, &origin, dump->path, dump->mapped_ns);

		if (reason != NAME_OK)
			reason = other;
	}
	jit_finish(jit);
	return reason;
}

static enum name_reason open_jit(struct module_priv *priv)
{
	struct jit *jit = jit_new();
	enum name_reason reason;

	if (priv->set->options.lasting) {
		jit_keep_names(jit);
		/* before it is read: what is written meanwhile is read once more */
		priv->jit_stamp = stamp_jit(priv);
	}
	reason = read_jit(priv, jit);
	if (reason == NAME_OK) {
		priv->jit = jit;
		return NAME_JIT_UNKNOWN;
	}
	jit_free(jit);
	return reason;
}

/* A file that has gone, with its process, leaves the names that it told. */
static bool renew_jit(struct module_priv *priv)
{
	uint64_t stamp = stamp_jit(priv);

	if (!stamp || stamp == priv->jit_stamp)
		return false;
	if (!priv->jit) {
		priv->reason = open_jit(priv);
		return priv->jit;
	}
	priv->jit_stamp = stamp;
	jit_clear(priv->jit);
	read_jit(priv, priv->jit);
	return true;
}

bool module_set_renew(struct module_set *set)
{
	bool any = false;

	for (size_t i = 0; i < set->modules.nr; i++) {
		struct module_priv *priv = set->modules.v[i]->priv;

		if (priv->jit_pid && atomic_load(&priv->opened) && atomic_exchange(&priv->jit_missed, false))
			any |= renew_jit(priv);
	}
	return any;
}

void module_open(struct module *module)
{
	struct module_priv *priv = module->priv;

	if (atomic_load_explicit(&priv->opened, memory_order_acquire))
		return;
	pthread_mutex_lock(&priv->lock);
	if (!atomic_load(&priv->opened)) {
		switch (module->kind) {
		case MODULE_FILE:
			priv->reason = open_file(module);
			break;
		case MODULE_VDSO:
			priv->reason = open_vdso(module);
			break;
		case MODULE_KERNEL:
		case MODULE_KMOD:
			priv->reason = open_kernel(module);
			break;
		case MODULE_ANON:
			priv->reason = priv->jit_pid ? open_jit(priv) : NAME_ANON;
			break;
		case MODULE_BPF:
			priv->reason = NAME_KERNEL_ADDR;
			break;
		}
		if (priv->packed)
			priv->packed_names = packed_new(priv->packed,
							priv->set->options.no_demangle);
		atomic_store_explicit(&priv->opened, true, memory_order_release);
	}
	pthread_mutex_unlock(&priv->lock);
}

void module_set_warm(struct module_set *set)
{
	if (set->host_kernel)
		module_open(set->host_kernel);
}

/* --- memory of JITs ----------------------------------------------------------- */

struct module *module_jit_intern(struct module_set *set, uint32_t pid)
{
	struct module *module;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/perf-%u.map", pid);
	module = module_intern(set, MODULE_ANON, path, NULL, 0);
	module->priv->jit_pid = pid;
	return module;
}

bool module_is_jit(const struct module *module)
{
	return module->priv->jit_pid;
}

bool module_jit_has_names(struct module *module)
{
	module_open(module);
	if (module->priv->jit && jit_count(module->priv->jit))
		return true;
	atomic_store(&module->priv->jit_missed, true);
	return false;
}

void module_add_jit_dump(struct module *module, const char *path, uint64_t mapped_ns)
{
	struct module_priv *priv = module->priv;

	/* Some map it twice: once to write, once as the mark. */
	for (size_t i = 0; i < priv->jit_dumps.nr; i++)
		if (strcmp(priv->jit_dumps.v[i].path, path) == 0)
			return;
	*vec_push(&priv->jit_dumps) = (struct jit_dump){
		mem_strdup(path), mapped_ns,
	};
}

const uint64_t *module_jit_changes(struct module *module, size_t *nr)
{
	*nr = 0;
	if (!module->priv->jit_pid)
		return NULL;
	module_open(module);
	return module->priv->jit ? jit_changes(module->priv->jit, nr) : NULL;
}

const struct jit_code *module_jit_code(struct module *module, uint64_t run_addr, uint64_t time_ns)
{
	if (!module->priv->jit_pid)
		return NULL;
	module_open(module);
	return module->priv->jit ? jit_find(module->priv->jit, run_addr, time_ns) : NULL;
}
