/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/vec.h"
#include "symbols/cache.h"
#include "symbols/debug_file.h"
#include "symbols/dwarf.h"
#include "symbols/elf_file.h"
#include "symbols/elf_symbols.h"
#include "symbols/jit_file.h"
#include "symbols/kernel.h"
#include "symbols/kmod.h"
#include "symbols/names.h"
#include "symbols/packed.h"
#include "symbols/ranges.h"
#include "symbols/symbols.h"
#include "symbols/symtab.h"
#include "symbols/unwind_table.h"
#include "symbols/vdso.h"

/* A name that the recording itself carries. */
struct added {
	uint64_t start, end;
	const char *name;
};

struct jit_dump {
	const char *path;
	uint64_t mapped_ns;
};

struct module_priv {
	struct module_set *set;
	struct module *same_path;        /* the next one of this kind and path */
	bool is_guest;
	pthread_mutex_t lock;            /* opening, `added`, ranges and their names */
	atomic_bool opened;
	enum name_reason reason;         /* once opened: why there are no names at all */
	struct elf_file *file;           /* what is mapped; NULL if it cannot be had */
	struct elf_file *debug;          /* more names of it; NULL: none */
	struct names names;
	atomic_bool has_dwarf;           /* whether it was looked for */
	struct elf_file *dwarf_file;     /* a debug file that was opened for lines alone, or NULL */
	uint64_t dwarf_shift;            /* of the kernel: where it ran minus where it was linked */
	struct dwarf *dwarf;             /* NULL: none */
	struct ranges *ranges;           /* read when a name is missing */
	struct map64 range_names;        /* start -> const char * */
	_Atomic(struct unwind_table *) unwind;   /* made when a stack is unwound */
	struct arena arena;
	const struct pack_module *packed;        /* names that came with the recording, or NULL */
	struct packed *packed_names;     /* once opened */
	VEC(struct added) added;
	atomic_bool has_added;
	struct symtab *kmod;             /* of a kernel module's own file, when it was asked for */
	enum name_reason kmod_reason;
	uint64_t run_start;              /* of a kernel module; 0: not known */
	uint32_t jit_pid;                /* "/tmp/perf-PID.map"; 0: not a JIT's memory */
	VEC(struct jit_dump) jit_dumps;
	struct jit *jit;                 /* once opened; NULL: nothing was found */
};

struct module_set {
	struct symbol_options options;
	struct kernel *kernel;
	struct arena arena;
	VEC(struct module *) modules;
	struct intern keys;              /* kind and path -> index in heads */
	VEC(struct module *) heads;      /* first module of a key */
	struct module *host_kernel;      /* the first MODULE_KERNEL that is no guest's */
};

struct module_set *module_set_new(const struct symbol_options *options)
{
	struct module_set *set = mem_zalloc(sizeof(*set));

	if (options)
		set->options = *options;
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
	vec_release(&priv->jit_dumps);
	jit_free(priv->jit);
	pthread_mutex_destroy(&priv->lock);
}

void module_set_free(struct module_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->modules.nr; i++)
		module_release(set->modules.v[i]);
	vec_release(&set->modules);
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

/* "ext4" of "[ext4]" and of "/lib/modules/.../ext4.ko.xz". */
static char *kmod_name(struct arena *arena, const char *path)
{
	const char *last = last_part(path);
	char *name = arena_strdup(arena, *last == '[' ? last + 1 : last);

	name[strcspn(name, ".]")] = '\0';
	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	return name;
}

static const char *short_name_of(struct arena *arena, enum module_kind kind, const char *path)
{
	struct str text = STR_INIT;
	const char *name;

	switch (kind) {
	case MODULE_KMOD:
		str_addf(&text, "[%s]", kmod_name(arena, path));
		name = arena_strdup(arena, text.p);
		str_release(&text);
		return name;
	case MODULE_ANON:
		return str_starts(path, "//anon") ? "[anon]" : last_part(path);
	default:
		return path[0] == '[' ? path : last_part(path);
	}
}

/* "[kernel.kallsyms]_text" also names the reference symbol: that is not the module's. */
static const char *plain_path(struct arena *arena, enum module_kind kind, const char *path)
{
	const char *close = strchr(path, ']');

	if (kind == MODULE_KERNEL && path[0] == '[' && close)
		return arena_strndup(arena, path, (size_t)(close - path) + 1);
	return arena_strdup(arena, path);
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

static struct module *module_new(struct module_set *set, enum module_kind kind, const char *path)
{
	struct module *module = arena_zalloc(&set->arena, sizeof(*module));

	module->kind = kind;
	module->path = path;
	module->short_name = short_name_of(&set->arena, kind, path);
	module->index = (uint32_t)set->modules.nr;
	module->is_64bit = true;
	module->priv = arena_zalloc(&set->arena, sizeof(*module->priv));
	module->priv->set = set;
	arena_init(&module->priv->arena);
	module->priv->is_guest = str_starts(path, "[guest.");
	pthread_mutex_init(&module->priv->lock, NULL);
	*vec_push(&set->modules) = module;
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

struct module *module_intern(struct module_set *set, enum module_kind kind, const char *path,
			     const uint8_t *build_id, uint8_t build_id_size)
{
	const char *plain = plain_path(&set->arena, kind, path);
	uint8_t size = build_id ? build_id_size : 0;
	struct str key = STR_INIT;
	struct module *module;
	uint32_t id;

	str_addf(&key, "%d", (int)kind);
	str_add(&key, plain);
	id = intern_id(&set->keys, key.p);
	str_release(&key);
	if (id == set->heads.nr)
		*vec_push(&set->heads) = NULL;
	module = find_same(set->heads.v[id], build_id, size);
	if (module)
		return module;
	module = module_new(set, kind, plain);
	if (size)
		set_build_id(module, build_id, size);
	module->priv->same_path = set->heads.v[id];
	set->heads.v[id] = module;
	return module;
}

/* --- opening ---------------------------------------------------------------- */

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
static enum name_reason open_path(struct module *module)
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
	ret = elf_file_open(&module->priv->file, path.p);
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

static struct elf_file *find_debug(struct module *module)
{
	const struct symbol_options *options = &module->priv->set->options;
	struct elf_file *file = module->priv->file, *found = NULL;

	if (options->debug_dir && *options->debug_dir)
		found = debug_file_in(file, module->path, options->debug_dir);
	return found ? found : debug_file_find(file, module->path, options->symfs);
}

static enum name_reason open_file(struct module *module)
{
	struct module_priv *priv = module->priv;
	enum name_reason reason;

	/* What the path leads to now was another file then. */
	if (!module->build_id_size && open_kept(module))
		reason = NAME_OK;
	else
		reason = open_path(module);
	if (reason != NAME_OK && !open_kept(module))
		priv->file = debug_file_cached(module->build_id, module->build_id_size);
	if (!priv->file)
		priv->file = debug_file_binary(module->build_id, module->build_id_size,
					       priv->set->options.debug_dir);
	if (!priv->file)
		return reason;
	module->is_64bit = priv->file->is_64bit;
	if (!elf_file_has_symtab(priv->file))
		priv->debug = find_debug(module);
	return load_symbols(priv);
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

/* A perf map and jitdumps may both be there: all names are taken. */
static enum name_reason open_jit(struct module_priv *priv)
{
	const struct symbol_options *options = &priv->set->options;
	struct jit_origin origin = { priv->jit_pid, options->symfs, options->recording_ns };
	struct jit *jit = jit_new();
	enum name_reason reason = jit_file_map(jit, &origin);

	for (size_t i = 0; i < priv->jit_dumps.nr; i++) {
		const struct jit_dump *dump = &priv->jit_dumps.v[i];
		enum name_reason other = jit_file_dump(jit, &origin, dump->path, dump->mapped_ns);

		if (reason != NAME_OK)
			reason = other;
	}
	jit_finish(jit);
	if (reason == NAME_OK) {
		priv->jit = jit;
		return NAME_JIT_UNKNOWN;
	}
	jit_free(jit);
	return reason;
}

static void module_open(struct module *module)
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

void module_add_jit_dump(struct module *module, const char *path, uint64_t mapped_ns)
{
	struct module_priv *priv = module->priv;

	/* Some map it twice: once to write, once as the mark. */
	for (size_t i = 0; i < priv->jit_dumps.nr; i++)
		if (strcmp(priv->jit_dumps.v[i].path, path) == 0)
			return;
	*vec_push(&priv->jit_dumps) = (struct jit_dump){
		arena_strdup(&priv->set->arena, path), mapped_ns,
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

/* --- looking up ------------------------------------------------------------- */

void module_set_packed(struct module *module, const struct pack_module *packed)
{
	module->priv->packed = packed;
	module->is_64bit = packed->is_64bit;
}

/* Whether the names found here are of what was recorded, and not only of its path. */
static bool is_sure(const struct module *module)
{
	const struct module_priv *priv = module->priv;
	const struct symbol_options *options = &priv->set->options;
	const struct module *kernel = priv->set->host_kernel;

	if (module->kind == MODULE_KERNEL || module->kind == MODULE_KMOD)
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
	if (module->kind != MODULE_KERNEL && module->kind != MODULE_KMOD)
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
		table = unwind_table_new(priv->file, priv->debug);
		atomic_store_explicit(&priv->unwind, table, memory_order_release);
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
			reason = open_path(module);
		/* Without a build-id it may be of any build. */
		if (priv->file && !module->build_id_size) {
			elf_file_free(priv->file);
			priv->file = NULL;
			reason = NAME_FILE_CHANGED;
		}
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
	struct elf_file *vmlinux = kernel_vmlinux(priv->set->kernel, &priv->dwarf_shift);
	const char *path;

	if (module->kind == MODULE_KERNEL) {
		if (vmlinux)
			priv->dwarf = dwarf_new(vmlinux, options->vmlinux, options->no_demangle);
		return;
	}
	priv->dwarf_shift = 0;
	path = priv->file->path ? priv->file->path : module->path;
	priv->dwarf = dwarf_new(priv->file, path, options->no_demangle);
	if (priv->dwarf)
		return;
	/* a file with all its symbols had no need of one for names */
	if (!priv->debug)
		priv->dwarf_file = find_debug(module);
	if (priv->debug || priv->dwarf_file)
		priv->dwarf = dwarf_new(priv->debug ? priv->debug : priv->dwarf_file, path,
					options->no_demangle);
}

uint32_t module_lines(struct module *module, uint64_t elf_addr, struct source_frame *out,
		      uint32_t max)
{
	struct module_priv *priv = module->priv;

	module_open(module);
	if (module->kind != MODULE_KERNEL && (!priv->file || priv->file->type == ET_REL))
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
