/* SPDX-License-Identifier: MIT */
/* Look-ups in a module once it is open. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "symbols/dwarf.h"
#include "symbols/jit.h"
#include "symbols/kmod.h"
#include "symbols/module_priv.h"
#include "symbols/unwind_table.h"

void module_set_packed(struct module *module, const struct pack_module *packed)
{
	module->priv->packed = packed;
	module->is_64bit = packed->is_64bit;
}

static bool is_kernel(const struct module *module)
{
	return module->kind == MODULE_KERNEL || module->kind == MODULE_KMOD;
}

/* Whether the names found here are of what was recorded, and not only of its path. */
static bool is_sure(const struct module *module)
{
	const struct module_priv *priv = module->priv;
	const struct symbol_options *options = &priv->set->options;
	const struct module *kernel = priv->set->host_kernel;

	if (is_kernel(module))
		return priv->reason == NAME_OK && ((kernel && kernel->build_id_size) ||
						   options->vmlinux || options->kallsyms);
	return priv->file && module->build_id_size;
}

uint32_t module_segments(struct module *module, struct pack_segment *out, uint32_t max)
{
	const struct pack_module *packed = module->priv->packed;
	const struct elf_file *file;
	uint32_t nr;

	module_open(module);
	file = module->priv->file;
	if (packed && is_sure(module))
		packed = NULL;
	nr = packed ? packed->nr_segments : file ? file->nr_loads : 0;
	for (uint32_t i = 0; i < nr && i < max; i++)
		out[i] = packed ? packed->segments[i] : (struct pack_segment){
			file->loads[i].vaddr, file->loads[i].memsz, file->loads[i].offset,
			file->loads[i].filesz,
		};
	return nr;
}

const struct symbol_options *module_options(const struct module *module)
{
	return &module->priv->set->options;
}

void module_image(struct module *module, struct module_image *out)
{
	struct module_priv *priv = module->priv;

	module_open(module);
	*out = (struct module_image){ .file = priv->file, .debug = priv->debug, .reason = priv->reason };
	if (!is_kernel(module))
		return;
	out->file = kernel_vmlinux(priv->set->kernel, &out->shift);
	out->running = !out->file && priv->reason == NAME_OK && !priv->set->options.kallsyms &&
		       !priv->set->options.vmlinux;
}

uint64_t module_elf_addr(struct module *module, uint64_t file_off)
{
	uint64_t elf_addr;

	if (module->kind != MODULE_FILE && module->kind != MODULE_VDSO)
		return file_off;
	module_open(module);
	if (module->priv->packed_names && !is_sure(module) &&
	    packed_addr(module->priv->packed_names, file_off, &elf_addr))
		return elf_addr;
	if (module->priv->file && elf_file_addr(module->priv->file, file_off, &elf_addr))
		return elf_addr;
	return file_off;
}

const struct unwind_table *module_unwind_table(struct module *module)
{
	struct module_priv *priv = module->priv;
	struct unwind_table *table = atomic_load_explicit(&priv->unwind, memory_order_acquire);

	if (table || (module->kind != MODULE_FILE && module->kind != MODULE_VDSO))
		return table;
	module_open(module);
	if (!priv->file || priv->file->swap)
		return NULL;
	pthread_mutex_lock(&priv->lock);
	table = atomic_load(&priv->unwind);
	if (!table) {
		table = unwind_table_open(priv->file, priv->debug);
		atomic_store_explicit(&priv->unwind, table, memory_order_release);
		unwind_table_keep(table, priv->file, priv->debug);
	}
	pthread_mutex_unlock(&priv->lock);
	return table;
}

bool module_read(struct module *module, uint64_t elf_addr, void *out, size_t size)
{
	const struct elf_segment *load;
	uint64_t at;

	if (module->kind != MODULE_FILE && module->kind != MODULE_VDSO)
		return false;
	module_open(module);
	if (!module->priv->file)
		return false;
	load = elf_file_segment(module->priv->file, elf_addr);
	if (!load || load->write)
		return false;
	at = elf_addr - load->vaddr;
	return at < load->filesz && size <= load->filesz - at &&
	       elf_file_read(module->priv->file, load->offset + at, out, size);
}

void module_add_symbol(struct module *module, const char *name, uint64_t start, uint64_t len)
{
	struct module_priv *priv = module->priv;

	if (!len || start + len < start || !*name)
		return;
	pthread_mutex_lock(&priv->lock);
	*vec_push(&priv->added) = (struct added){
		.start = start,
		.end = start + len,
		.name = arena_strdup(&priv->set->arena, name),
	};
	atomic_store(&priv->has_added, true);
	pthread_mutex_unlock(&priv->lock);
}

/* The newest that covers the address: the kernel uses addresses again. */
static bool find_added(struct module_priv *priv, uint64_t addr, struct symbol *out)
{
	bool found = false;

	if (!atomic_load(&priv->has_added))
		return false;
	pthread_mutex_lock(&priv->lock);
	for (size_t i = priv->added.nr; i > 0 && !found; i--) {
		const struct added *added = &priv->added.v[i - 1];

		if (addr < added->start || addr >= added->end)
			continue;
		out->name = added->name;
		out->start = added->start;
		out->end = added->end;
		found = true;
	}
	pthread_mutex_unlock(&priv->lock);
	return found;
}

static void show(struct symtab *tab, const struct symtab_hit *hit, struct symbol *out)
{
	out->name = symtab_name(tab, hit);
	out->start = hit->start;
	out->end = hit->end;
	out->reason = NAME_OK;
}

/* "libfoo.so+0x15b00" for the function that starts there. Under the lock. */
static const char *range_name(struct module *module, uint64_t start)
{
	struct module_priv *priv = module->priv;
	struct str name = STR_INIT;
	bool added;
	uint64_t *slot = map64_put(&priv->range_names, start, &added);

	if (added) {
		str_addf(&name, "%s+0x%llx", module->short_name, (unsigned long long)start);
		*slot = (uintptr_t)arena_strdup(&priv->arena, name.p);
		str_release(&name);
	}
	return (const char *)(uintptr_t)*slot;
}

/* The function around an address for which there is no symbol, or one that may not reach it. */
static bool find_range(struct module *module, uint64_t addr, const struct symtab_hit *unsized,
		       struct symbol *out)
{
	struct module_priv *priv = module->priv;
	bool found = false;

	if (!priv->file)
		return false;
	pthread_mutex_lock(&priv->lock);
	if (!priv->ranges)
		priv->ranges = names_ranges(&priv->names, priv->file);
	if (ranges_find(priv->ranges, addr, &out->start, &out->end) &&
	    (!unsized || unsized->start < out->start)) {
		out->name = range_name(module, out->start);
		out->reason = NAME_OK;
		out->is_range = true;
		found = true;
	}
	pthread_mutex_unlock(&priv->lock);
	return found;
}

static void file_symbol(struct module *module, uint64_t addr, struct symbol *out)
{
	struct module_priv *priv = module->priv;
	struct symtab_hit hit;

	if (priv->names.symbols && symtab_find(priv->names.symbols, addr, &hit)) {
		if (!hit.unsized || !find_range(module, addr, &hit, out))
			show(priv->names.symbols, &hit, out);
	} else if (priv->names.plt && symtab_find(priv->names.plt, addr, &hit)) {
		show(priv->names.plt, &hit, out);
	} else if (!find_range(module, addr, NULL, out)) {
		out->start = out->end = 0;
		out->reason = priv->reason == NAME_OK ? NAME_NO_SYMBOL : priv->reason;
	}
}

void module_set_run_start(struct module *module, uint64_t run_addr)
{
	module->priv->run_start = run_addr;
}

/* The file of a kernel module that is not loaded here, or not at that place. */
static const struct symtab *kmod_file(struct module *module, enum name_reason *why_not)
{
	struct module_priv *priv = module->priv;
	unsigned options = priv->set->options.no_demangle ? SYMTAB_NO_DEMANGLE : 0;

	pthread_mutex_lock(&priv->lock);
	if (!priv->kmod) {
		enum name_reason reason = NAME_NO_FILE;

		if (priv->run_start && module->path[0] == '/')
			reason = module_open_path(module);
		/* Without a build-id it may be of any build. */
		if (priv->file && !module->build_id_size) {
			elf_file_free(priv->file);
			priv->file = NULL;
			reason = NAME_FILE_CHANGED;
		}
		if (!priv->file && priv->run_start)
			priv->file = module_kmod_debug(module);
		if (priv->file)
			reason = NAME_OK;
		priv->kmod = priv->file ? kmod_symbols(priv->file, priv->run_start, options) :
					  symtab_new(0);
		priv->kmod_reason = reason == NAME_OK ? NAME_NO_SYMBOL : reason;
	}
	*why_not = priv->kmod_reason;
	pthread_mutex_unlock(&priv->lock);
	return priv->kmod;
}

static void kmod_symbol(struct module *module, uint64_t addr, struct symbol *out)
{
	struct kernel *kernel = module->priv->set->kernel;
	size_t len = strcspn(module->short_name + 1, "]");
	struct kernel_hit found;
	struct symtab_hit hit;
	const struct symtab *tab;
	char name[128];

	snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : 0),
		 module->short_name + 1);
	if (module->priv->reason == NAME_OK && kernel_module_find(kernel, name, addr, &found)) {
		show(found.tab, &found.hit, out);
		return;
	}
	if (module->priv->reason == NAME_OK && kernel_has_module(kernel, name)) {
		out->reason = NAME_NO_SYMBOL;
		return;
	}
	tab = kmod_file(module, &out->reason);
	if (symtab_find(tab, addr, &hit))
		show(module->priv->kmod, &hit, out);
	else if (out->reason == NAME_NO_FILE && module->priv->reason != NAME_OK)
		out->reason = module->priv->reason;
}

static void kernel_symbol(struct module *module, uint64_t addr, struct symbol *out)
{
	struct kernel_hit found;

	if (module->kind == MODULE_KMOD)
		kmod_symbol(module, addr, out);
	else if (module->priv->reason != NAME_OK)
		out->reason = module->priv->reason;
	else if (kernel_find(module->priv->set->kernel, addr, &found))
		show(found.tab, &found.hit, out);
	else
		out->reason = NAME_KERNEL_ADDR;
}

static void jit_symbol(struct module *module, uint64_t addr, uint64_t time_ns, struct symbol *out)
{
	const struct jit *jit = module->priv->jit;
	const struct jit_code *code = jit ? jit_find(jit, addr, time_ns) : NULL;

	if (!code) {
		atomic_store(&module->priv->jit_missed, true);
		out->reason = module->priv->reason;
		return;
	}
	out->name = code->name;
	out->start = code->start;
	out->end = code->end;
}

static void own_symbol(struct module *module, uint64_t elf_addr, uint64_t time_ns,
		       struct symbol *out)
{
	switch (module->kind) {
	case MODULE_FILE:
	case MODULE_VDSO:
		file_symbol(module, elf_addr, out);
		break;
	case MODULE_KERNEL:
	case MODULE_KMOD:
		kernel_symbol(module, elf_addr, out);
		break;
	case MODULE_ANON:
		jit_symbol(module, elf_addr, time_ns, out);
		break;
	case MODULE_BPF:
		out->reason = module->priv->reason;
		break;
	}
}

void module_symbol(struct module *module, uint64_t elf_addr, struct symbol *out)
{
	module_symbol_at(module, elf_addr, UINT64_MAX, out);
}

void module_symbol_at(struct module *module, uint64_t elf_addr, uint64_t time_ns,
		      struct symbol *out)
{
	struct symbol packed;
	struct packed *names;

	*out = (struct symbol){ 0 };
	if (find_added(module->priv, elf_addr, out))
		return;
	module_open(module);
	names = module->priv->packed_names;
	if (!names) {
		own_symbol(module, elf_addr, time_ns, out);
		return;
	}
	if (!is_sure(module) && packed_find(names, elf_addr, out))
		return;
	own_symbol(module, elf_addr, time_ns, out);
	/* The file may have lost names that it, or a debug package, had where it was packed. */
	if ((!out->name || out->is_range) && packed_find(names, elf_addr, &packed) &&
	    (!out->name || !packed.is_range))
		*out = packed;
}

/* --- lines ------------------------------------------------------------------------ */

/* The file's own debug information, else that of its debug file. Under the lock. */
static void open_dwarf(struct module *module)
{
	struct module_priv *priv = module->priv;
	const struct symbol_options *options = &priv->set->options;
	const char *path;

	if (is_kernel(module)) {
		module_open_kernel_dwarf(module);
		return;
	}
	path = priv->file->path ? priv->file->path : module->path;
	priv->dwarf = dwarf_new(priv->file, &priv->lock, path, options->no_demangle);
	if (priv->dwarf)
		return;
	/* a file with all its symbols had no need of one for names */
	if (!priv->debug)
		priv->dwarf_file = module_find_debug(module);
	if (priv->debug || priv->dwarf_file)
		priv->dwarf = dwarf_new(priv->debug ? priv->debug : priv->dwarf_file, &priv->lock,
					path, options->no_demangle);
}

/* Of code made at run time: what a jitdump tells, of the last code at the address. */
static uint32_t jit_lines(const struct jit *jit, uint64_t addr, struct source_frame *out)
{
	const struct jit_code *code = jit_find(jit, addr, UINT64_MAX);

	if (!code || !jit_line(code, addr, &out->file, &out->line))
		return 0;
	out->name = code->name;
	return 1;
}

const char *module_source(struct module *module, const char *file)
{
	struct module_priv *priv = module->priv;

	/* whoever has the file's name from module_lines has opened it */
	if (!atomic_load_explicit(&priv->has_dwarf, memory_order_acquire) || !priv->dwarf)
		return NULL;
	return dwarf_source(priv->dwarf, file);
}

uint32_t module_lines(struct module *module, uint64_t elf_addr, struct source_frame *out,
		      uint32_t max)
{
	struct module_priv *priv = module->priv;

	module_open(module);
	if (priv->jit)
		return max ? jit_lines(priv->jit, elf_addr, out) : 0;
	if (!is_kernel(module) && (!priv->file || priv->file->type == ET_REL))
		return 0;
	if (!atomic_load_explicit(&priv->has_dwarf, memory_order_acquire)) {
		pthread_mutex_lock(&priv->lock);
		if (!atomic_load(&priv->has_dwarf))
			open_dwarf(module);
		atomic_store_explicit(&priv->has_dwarf, true, memory_order_release);
		pthread_mutex_unlock(&priv->lock);
	}
	return priv->dwarf ? dwarf_find(priv->dwarf, elf_addr - priv->dwarf_shift, out, max) : 0;
}
