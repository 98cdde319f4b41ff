/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "symbols/debuginfod.h"
#include "symbols/dwarf.h"
#include "symbols/jit.h"
#include "symbols/module_priv.h"
#include "symbols/unwind_table.h"

struct module_set *module_set_new(const struct symbol_options *options)
{
	struct module_set *set = mem_zalloc(sizeof(*set));

	if (options)
		set->options = *options;
	debuginfod_set_wait(set->options.debuginfod_ms);
	set->kernel = kernel_new(&set->options);
	arena_init(&set->arena);
	intern_init(&set->keys);
	return set;
}

static void module_release(struct module *module)
{
	struct module_priv *priv = module->priv;

	dwarf_free(priv->dwarf);
	elf_file_free(priv->dwarf_file);
	packed_free(priv->packed_names);
	ranges_free(priv->ranges);
	unwind_table_free(atomic_load(&priv->unwind));
	map64_release(&priv->range_names);
	arena_release(&priv->arena);
	names_release(&priv->names);
	symtab_free(priv->kmod);
	elf_file_free(priv->debug);
	elf_file_free(priv->file);
	vec_release(&priv->added);
	for (size_t i = 0; i < priv->jit_dumps.nr; i++)
		free(priv->jit_dumps.v[i].path);
	vec_release(&priv->jit_dumps);
	jit_free(priv->jit);
	free(priv->path);
	free(priv->short_name);
	pthread_mutex_destroy(&priv->lock);
}

void module_set_keep(struct module_set *set)
{
	for (size_t i = 0; i < set->modules.nr; i++)
		dwarf_keep(set->modules.v[i]->priv->dwarf);
}

void module_set_free(struct module_set *set)
{
	if (!set)
		return;
	debuginfod_stop();
	module_set_keep(set);
	for (size_t i = 0; i < set->modules.nr; i++)
		if (set->modules.v[i]->priv->path)
			module_release(set->modules.v[i]);
	vec_release(&set->modules);
	vec_release(&set->spare);
	vec_release(&set->heads);
	intern_release(&set->keys);
	kernel_free(set->kernel);
	arena_release(&set->arena);
	free(set);
}

uint32_t module_set_count(const struct module_set *set)
{
	return (uint32_t)set->modules.nr;
}

size_t module_set_made(const struct module_set *set)
{
	return set->nr_made;
}

struct module *module_set_at(const struct module_set *set, uint32_t index)
{
	return index < set->modules.nr ? set->modules.v[index] : NULL;
}

void module_set_kernel_ref(struct module_set *set, const char *symbol, uint64_t run_addr)
{
	kernel_set_ref(set->kernel, symbol, run_addr);
}

/* --- names of modules ------------------------------------------------------- */

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* "[ext4]" of "[ext4]" and of "/lib/modules/.../ext4.ko.xz". */
static char *kmod_name(const char *path)
{
	const char *last = last_part(path);
	struct str name = STR_INIT;

	last += *last == '[';
	str_addc(&name, '[');
	for (size_t i = 0; last[i] && !strchr(".]", last[i]); i++)
		str_addc(&name, last[i] == '-' ? '_' : last[i]);
	str_addc(&name, ']');
	return str_take(&name);
}

static char *short_name_of(enum module_kind kind, const char *path)
{
	struct str text = STR_INIT;
	unsigned pid;

	switch (kind) {
	case MODULE_KMOD:
		return kmod_name(path);
	case MODULE_ANON:
		if (sscanf(path, "/tmp/perf-%u.map", &pid) == 1) {
			str_addf(&text, "[JIT] tid %u", pid);
			return str_take(&text);
		}
		return mem_strdup(str_starts(path, "//anon") ? "[anon]" : last_part(path));
	default:
		return mem_strdup(path[0] == '[' ? path : last_part(path));
	}
}

/* "[kernel.kallsyms]_text" also names the reference symbol: that is not the module's. */
static size_t plain_length(enum module_kind kind, const char *path)
{
	const char *close = strchr(path, ']');

	return kind == MODULE_KERNEL && path[0] == '[' && close ? (size_t)(close - path) + 1
							       : strlen(path);
}

static bool is_kernel_module_name(const char *name)
{
	const char *last = last_part(name), *dot = strstr(last, ".ko");

	if (name[0] == '[')
		return true;
	return dot && (!dot[3] || dot[3] == '.');
}

enum module_kind module_kind_of(const char *name, bool is_kernel)
{
	static const char *const anon[] = {
		"//", "[heap]", "[stack", "[anon", "/SYSV", "/dev/zero", "anon_inode:",
		"/anon_hugepage", "socket:", "inode:", "[vsyscall]", "[uprobes]", "[vvar",
	};

	if (str_starts(name, "[kernel.") || str_starts(name, "[guest.kernel."))
		return MODULE_KERNEL;
	if (is_kernel && str_starts(name, "bpf_"))
		return MODULE_BPF;
	if (is_kernel)
		return is_kernel_module_name(name) ? MODULE_KMOD : MODULE_KERNEL;
	if (str_starts(name, "[vdso"))
		return MODULE_VDSO;
	for (size_t i = 0; i < sizeof(anon) / sizeof(anon[0]); i++)
		if (str_starts(name, anon[i]))
			return MODULE_ANON;
	return name[0] == '[' || !name[0] ? MODULE_ANON : MODULE_FILE;
}

/* --- the set ---------------------------------------------------------------- */

static void set_build_id(struct module *module, const uint8_t *build_id, uint8_t size)
{
	module->build_id_size = size < sizeof(module->build_id) ? size : sizeof(module->build_id);
	memcpy(module->build_id, build_id, module->build_id_size);
}

/* Memory of one that was forgotten, with its number, or new. */
static struct module *module_alloc(struct module_set *set)
{
	struct module *module = set->spare.nr ? set->spare.v[--set->spare.nr] : NULL;

	set->nr_made++;
	if (module)
		return module;
	module = arena_zalloc(&set->arena, sizeof(*module));
	module->priv = arena_zalloc(&set->arena, sizeof(*module->priv));
	module->index = (uint32_t)set->modules.nr;
	*vec_push(&set->modules) = module;
	return module;
}

/* `path` is taken over. */
static struct module *module_new(struct module_set *set, enum module_kind kind, char *path)
{
	struct module *module = module_alloc(set);

	module->kind = kind;
	module->path = module->priv->path = path;
	module->short_name = module->priv->short_name = short_name_of(kind, path);
	module->is_64bit = true;
	module->priv->set = set;
	arena_init(&module->priv->arena);
	module->priv->is_guest = str_starts(path, "[guest.");
	pthread_mutex_init(&module->priv->lock, NULL);
	if (kind == MODULE_KERNEL && !module->priv->is_guest && !set->host_kernel)
		set->host_kernel = module;
	return module;
}

/* Of the modules with this path: the one with this build-id, or one that may take it on. */
static struct module *find_same(struct module *head, const uint8_t *build_id, uint8_t size)
{
	struct module *unstated = NULL;

	if (!size)
		return head;
	for (struct module *m = head; m; m = m->priv->same_path) {
		if (build_id_equal(m->build_id, m->build_id_size, build_id, size))
			return m;
		if (!m->build_id_size && !atomic_load(&m->priv->opened))
			unstated = m;
	}
	if (unstated)
		set_build_id(unstated, build_id, size);
	return unstated;
}

/* The number in `heads` of a kind and path. */
static uint32_t key_of(struct module_set *set, enum module_kind kind, const char *path, size_t length)
{
	struct str key = STR_INIT;
	uint32_t id;

	str_addf(&key, "%d", (int)kind);
	str_addn(&key, path, length);
	id = intern_id(&set->keys, key.p);
	str_release(&key);
	if (id == set->heads.nr)
		*vec_push(&set->heads) = NULL;
	return id;
}

struct module *module_intern(struct module_set *set, enum module_kind kind, const char *path,
			     const uint8_t *build_id, uint8_t build_id_size)
{
	size_t length = plain_length(kind, path);
	uint8_t size = build_id ? build_id_size : 0;
	struct module *module;
	uint32_t id = key_of(set, kind, path, length);

	module = find_same(set->heads.v[id], build_id, size);
	if (module)
		return module;
	module = module_new(set, kind, mem_strndup(path, length));
	if (size)
		set_build_id(module, build_id, size);
	module->priv->same_path = set->heads.v[id];
	set->heads.v[id] = module;
	return module;
}

/* --- forgetting ------------------------------------------------------------- */

static bool may_go(const struct module *module)
{
	return module->priv->path && !module->is_held &&
	       (module->kind == MODULE_FILE || module->kind == MODULE_ANON);
}

static void forget(struct module_set *set, struct module *module)
{
	struct module_priv *priv = module->priv;
	uint32_t index = module->index;

	dwarf_keep(priv->dwarf);
	module_release(module);
	memset(priv, 0, sizeof(*priv));
	*module = (struct module){ .index = index, .priv = priv };
	*vec_push(&set->spare) = module;
}

uint32_t module_set_forget(struct module_set *set, const bool *used)
{
	for (size_t i = 0; i < set->modules.nr; i++)
		if (!used[i] && may_go(set->modules.v[i]))
			forget(set, set->modules.v[i]);
	intern_release(&set->keys);
	intern_init(&set->keys);
	set->heads.nr = 0;
	for (size_t i = 0; i < set->modules.nr; i++) {
		struct module *module = set->modules.v[i];
		uint32_t id;

		if (!module->priv->path)
			continue;
		id = key_of(set, module->kind, module->path, strlen(module->path));
		module->priv->same_path = set->heads.v[id];
		set->heads.v[id] = module;
	}
	return (uint32_t)(set->modules.nr - set->spare.nr);
}
