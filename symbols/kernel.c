/* SPDX-License-Identifier: MIT */
#include "symbols/kernel.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "formats/kallsyms.h"
#include "symbols/elf_file.h"
#include "symbols/elf_symbols.h"
#include "symbols/kernel_priv.h"
#include "symbols/vmlinux.h"

#define PAGE 4096

static const char running_kallsyms[] = "/proc/kallsyms";

struct kernel *kernel_new(const struct symbol_options *options)
{
	struct kernel *kernel = mem_zalloc(sizeof(*kernel));

	kernel->options = options;
	pthread_mutex_init(&kernel->lock, NULL);
	intern_init(&kernel->names);
	return kernel;
}

static void forget(struct kernel *kernel)
{
	symtab_free(kernel->own);
	symtab_free(kernel->made);
	kernel->own = kernel->made = NULL;
	for (size_t i = 0; i < kernel->mods.nr; i++)
		symtab_free(kernel->mods.v[i].tab);
	vec_release(&kernel->mods);
	intern_release(&kernel->names);
	index_close(kernel->index);
	kernel->index = NULL;
}

void kernel_free(struct kernel *kernel)
{
	forget(kernel);
	elf_file_free(kernel->vmlinux);
	elf_file_free(kernel->debug);
	free(kernel->ref_symbol);
	pthread_mutex_destroy(&kernel->lock);
	free(kernel);
}

void kernel_set_ref(struct kernel *kernel, const char *symbol, uint64_t run_addr)
{
	/* it may be told again while another thread is reading the names */
	pthread_mutex_lock(&kernel->lock);
	if (!kernel->opened) {
		free(kernel->ref_symbol);
		kernel->ref_symbol = symbol && *symbol ? mem_strdup(symbol) : NULL;
		kernel->ref_addr = run_addr;
	}
	pthread_mutex_unlock(&kernel->lock);
}

static unsigned table_options(const struct kernel *kernel)
{
	return kernel->options->no_demangle ? SYMTAB_NO_DEMANGLE : 0;
}

/* The kernel writes '_' where a file's name has '-'. */
static void add_plain(struct str *plain, const char *name)
{
	for (; *name; name++)
		str_addc(plain, *name == '-' ? '_' : *name);
}

struct kmod *kernel_module_of(struct kernel *kernel, const char *name)
{
	struct str plain = STR_INIT;
	uint32_t id;

	add_plain(&plain, name);
	id = intern_id(&kernel->names, plain.p);
	str_release(&plain);
	if (id == kernel->mods.nr)
		*vec_push(&kernel->mods) = (struct kmod){
			.name = intern_str(&kernel->names, id),
		};
	return &kernel->mods.v[id];
}

static void read_modules(struct kernel *kernel)
{
	const char *path = kernel->options->modules ? kernel->options->modules : "/proc/modules";
	struct modules_line line;
	size_t size;
	char *text, *at;

	if (kallsyms_read(path, &text, &size, NULL) < 0)
		return;                  /* a kernel without modules has no such file */
	at = text;
	while (modules_next(&at, text + size, &line))
		if (line.addr && line.addr + line.size > line.addr)
			kernel_module_of(kernel, line.name)->end = line.addr + line.size;
	free(text);
}

/*
 * The kinds of symbols perf takes (code and data, not read-only data), so that
 * ends, which are the next symbol's start, are the same.
 */
static bool is_wanted(const struct kallsyms_line *line)
{
	return strchr("TWDB", toupper((unsigned char)line->type)) && line->name[0] != '$';
}

static unsigned bind_of(char type)
{
	if (type == 'W')
		return SYMTAB_WEAK;
	return isupper((unsigned char)type) ? SYMTAB_GLOBAL : SYMTAB_LOCAL;
}

static struct symtab *table_new(const struct kernel *kernel)
{
	return symtab_new(SYMTAB_LAST_WINS | table_options(kernel));
}

static void table_finish(struct symtab *tab)
{
	if (!tab)
		return;
	symtab_end_last(tab, PAGE);
	symtab_finish(tab);
}

/* Code of the run time; of BPF: programs and trampolines, where not recorded. */
static bool is_made(const struct kallsyms_line *line)
{
	return line->module && (str_starts(line->module, "__builtin__") ||
				strcmp(line->module, "bpf") == 0);
}

static void add_line(struct kernel *kernel, const struct kallsyms_line *line)
{
	struct symtab *tab = kernel->own;
	unsigned flags = bind_of(line->type) | SYMTAB_UNSIZED | SYMTAB_OPEN;
	uint64_t room = UINT64_MAX;

	if (is_made(line)) {
		tab = kernel->made;
	} else if (line->module) {
		struct kmod *mod = kernel_module_of(kernel, line->module);

		if (!mod->tab)
			mod->tab = table_new(kernel);
		tab = mod->tab;
		if (mod->end > line->addr) {
			room = mod->end - line->addr;
			flags &= ~(unsigned)SYMTAB_OPEN;
		}
	}
	/* copied: the text is more than twice as long as the names that are wanted of it */
	symtab_add_name(tab, line->addr, room, line->name, flags);
}

static void note_ref(struct kernel *kernel, const struct kallsyms_line *line)
{
	for (int i = 0; i < REFS; i++)
		if (!kernel->refs[i] && strcmp(line->name, kernel_refs[i]) == 0)
			kernel->refs[i] = line->addr;
	if (kernel->ref_symbol && !kernel->own_ref_addr &&
	    strcmp(line->name, kernel->ref_symbol) == 0)
		kernel->own_ref_addr = line->addr;
}

static enum name_reason read_kallsyms(struct kernel *kernel, const char *path)
{
	struct kallsyms_line line;
	size_t nr_seen = 0;
	struct err err;
	char *at, *text;
	size_t size;

	if (kallsyms_read(path, &text, &size, &err) < 0) {
		log_note("no kernel names: %s", err.msg);
		return NAME_KERNEL_HIDDEN;
	}
	read_modules(kernel);
	kernel->own = table_new(kernel);
	kernel->made = table_new(kernel);
	at = text;
	while (kallsyms_next(&at, text + size, &line)) {
		if (!line.addr || !is_wanted(&line))
			continue;
		nr_seen++;
		add_line(kernel, &line);
		if (!line.module)
			note_ref(kernel, &line);
	}
	free(text);
	kernel->made_known = true;
	table_finish(kernel->own);
	table_finish(kernel->made);
	for (size_t i = 0; i < kernel->mods.nr; i++)
		table_finish(kernel->mods.v[i].tab);
	return nr_seen ? NAME_OK : NAME_KERNEL_HIDDEN;
}

enum sameness { SAME, OTHER, UNKNOWN };

static enum sameness same_build_id(const uint8_t *a, uint8_t size_a, const uint8_t *b, int size_b)
{
	if (!size_a || size_b <= 0)
		return UNKNOWN;
	return build_id_equal(a, size_a, b, (uint8_t)size_b) ? SAME : OTHER;
}

static enum sameness running_kernel_is(const struct kernel *kernel, const uint8_t *build_id,
				       uint8_t build_id_size)
{
	uint8_t running[20];
	enum sameness same = same_build_id(build_id, build_id_size, running,
					   build_id_read(NULL, running));
	struct utsname name;

	if (same != UNKNOWN || !kernel->options->os_release || uname(&name) < 0)
		return same;
	return strcmp(name.release, kernel->options->os_release) == 0 ? UNKNOWN : OTHER;
}

/* Compare where the reference symbol is with where the recording saw it. */
static enum name_reason align(struct kernel *kernel, enum sameness same)
{
	if (!kernel->ref_symbol || !kernel->ref_addr)
		return NAME_OK;
	if (!kernel->own_ref_addr)
		return same == SAME ? NAME_OK : NAME_KERNEL_OTHER;
	kernel->shift = kernel->ref_addr - kernel->own_ref_addr;
	if (!kernel->shift)
		return NAME_OK;
	if (same != SAME)
		return NAME_KERNEL_OTHER;
	log_info("this kernel was booted again since the recording: its names are moved by %s0x%llx",
		 kernel->shift >> 63 ? "-" : "",
		 (unsigned long long)(kernel->shift >> 63 ? -kernel->shift : kernel->shift));
	return NAME_OK;
}

/* An index has the place of those symbols only that recorders are known to refer to. */
static bool take_ref(struct kernel *kernel)
{
	if (!kernel->ref_symbol)
		return true;
	for (int i = 0; i < REFS; i++) {
		if (strcmp(kernel->ref_symbol, kernel_refs[i]) != 0)
			continue;
		kernel->own_ref_addr = kernel->refs[i];
		return true;
	}
	return false;
}

static enum name_reason read_running(struct kernel *kernel)
{
	/* what modules and options name is not what runs */
	struct kernel_print print = kernel->options->modules ? (struct kernel_print){ .build_id_size = 0 }
							     : kernel_print_now();
	enum name_reason reason;

	if (kernel_index_load(kernel, &print) && take_ref(kernel))
		return NAME_OK;
	forget(kernel);
	intern_init(&kernel->names);
	reason = read_kallsyms(kernel, running_kallsyms);
	if (reason == NAME_OK)
		kernel_index_save(kernel, &print);
	return reason;
}

static enum name_reason open_kallsyms(struct kernel *kernel, const uint8_t *build_id,
				      uint8_t build_id_size)
{
	enum sameness same = kernel->options->kallsyms
				     ? SAME : running_kernel_is(kernel, build_id, build_id_size);
	enum name_reason reason;

	if (same == OTHER)
		return NAME_KERNEL_OTHER;
	reason = kernel->options->kallsyms ? read_kallsyms(kernel, kernel->options->kallsyms)
					   : read_running(kernel);
	return reason == NAME_OK ? align(kernel, same) : reason;
}

static enum name_reason use_vmlinux(struct kernel *kernel)
{
	kernel->own = symtab_new(table_options(kernel));
	elf_symbols_add(kernel->own, kernel->vmlinux);
	if (kernel->ref_symbol)
		symtab_find_name(kernel->own, kernel->ref_symbol, &kernel->own_ref_addr);
	symtab_finish(kernel->own);
	if (!symtab_count(kernel->own))
		return NAME_STRIPPED;
	/* A vmlinux says where it was linked; KASLR moves it, so a shift is normal. */
	return align(kernel, SAME);
}

static enum name_reason open_vmlinux(struct kernel *kernel, const uint8_t *build_id,
				     uint8_t build_id_size)
{
	const char *path = kernel->options->vmlinux;
	int ret = elf_file_open(&kernel->vmlinux, path);

	if (ret < 0) {
		log_note("no kernel names: cannot open '%s': %s", path,
			 ret == -ENOEXEC ? "not an ELF file" : strerror(-ret));
		return ret == -ENOEXEC ? NAME_NOT_ELF : NAME_NO_FILE;
	}
	if (same_build_id(build_id, build_id_size, kernel->vmlinux->build_id,
			  kernel->vmlinux->build_id_size) == OTHER)
		return NAME_KERNEL_OTHER;
	return use_vmlinux(kernel);
}

/*
 * The recorded kernel does not run here, or is not to be read: look for its vmlinux, or
 * what perf kept. Where it ran has to be known, for nothing else tells KASLR's offset.
 */
static enum name_reason open_found(struct kernel *kernel, const uint8_t *build_id,
				   uint8_t build_id_size, enum name_reason why_not)
{
	struct str path = STR_INIT;
	enum name_reason reason = why_not;

	if (!kernel->ref_symbol || !kernel->ref_addr || kernel->options->kallsyms)
		return why_not;
	forget(kernel);
	intern_init(&kernel->names);
	kernel->own_ref_addr = kernel->shift = 0;
	kernel->vmlinux = vmlinux_find(build_id, build_id_size, kernel->options);
	if (kernel->vmlinux) {
		log_info("kernel names come from '%s'", kernel->vmlinux->path);
		reason = use_vmlinux(kernel);
	} else if (vmlinux_kept_kallsyms(build_id, build_id_size, &path)) {
		log_info("kernel names come from '%s'", path.p);
		reason = read_kallsyms(kernel, path.p);
		if (reason == NAME_OK)
			reason = align(kernel, SAME);
	}
	str_release(&path);
	return reason == NAME_OK && kernel->own_ref_addr ? NAME_OK : why_not;
}

enum name_reason kernel_open(struct kernel *kernel, const uint8_t *build_id,
			     uint8_t build_id_size)
{
	enum name_reason reason;

	pthread_mutex_lock(&kernel->lock);
	if (!kernel->opened) {
		kernel->reason = kernel->options->vmlinux
					 ? open_vmlinux(kernel, build_id, build_id_size)
					 : open_kallsyms(kernel, build_id, build_id_size);
		if (kernel->reason != NAME_OK && !kernel->options->vmlinux)
			kernel->reason = open_found(kernel, build_id, build_id_size,
						    kernel->reason);
		if (kernel->reason != NAME_OK)
			forget(kernel);
		kernel->opened = true;
	}
	reason = kernel->reason;
	pthread_mutex_unlock(&kernel->lock);
	return reason;
}

static bool has_lines(struct elf_file *file)
{
	GElf_Shdr shdr;

	return elf_file_section(file, ".debug_info", &shdr);
}

/* The running kernel's, if that was recorded, where the recording does not tell. */
static int running_id(const struct kernel *kernel, uint8_t running[20])
{
	if (kernel->reason != NAME_OK || kernel->options->kallsyms || kernel->options->vmlinux)
		return 0;
	return build_id_read(NULL, running);
}

/* Believed only if it is the recorded kernel's and it is known where that ran. */
static void look_for_debug(struct kernel *kernel, const uint8_t *build_id, uint8_t size)
{
	uint8_t running[20];
	uint64_t linked;
	int running_size;

	if (!kernel->ref_symbol || !kernel->ref_addr)
		return;
	if (!size) {
		running_size = running_id(kernel, running);
		build_id = running;
		size = running_size > 0 ? (uint8_t)running_size : 0;
	}
	kernel->debug = vmlinux_find(build_id, size, kernel->options);
	linked = kernel->debug ? vmlinux_symbol(kernel->debug, kernel->ref_symbol) : 0;
	if (!linked || !has_lines(kernel->debug)) {
		elf_file_free(kernel->debug);
		kernel->debug = NULL;
		return;
	}
	kernel->debug_shift = kernel->ref_addr - linked;
	log_info("kernel lines come from '%s'", kernel->debug->path);
}

struct elf_file *kernel_debug(struct kernel *kernel, const uint8_t *build_id, uint8_t size,
			      uint64_t *shift)
{
	struct elf_file *found;

	pthread_mutex_lock(&kernel->lock);
	if (!kernel->debug_looked_for) {
		kernel->debug_looked_for = true;
		if (kernel->reason == NAME_OK && kernel->vmlinux && has_lines(kernel->vmlinux))
			kernel->debug_shift = kernel->shift;
		else
			look_for_debug(kernel, build_id, size);
	}
	found = kernel->debug ? kernel->debug :
		kernel->reason == NAME_OK && kernel->vmlinux && has_lines(kernel->vmlinux) ?
		kernel->vmlinux : NULL;
	*shift = kernel->debug_shift;
	pthread_mutex_unlock(&kernel->lock);
	return found;
}

struct elf_file *kernel_vmlinux(const struct kernel *kernel, uint64_t *shift)
{
	*shift = kernel->shift;
	return kernel->reason == NAME_OK ? kernel->vmlinux : NULL;
}

/* Names out of an index come without those of code that was made at run time. */
static void know_made(struct kernel *kernel)
{
	struct kallsyms_line line;
	char *text, *at;
	size_t size;

	if (atomic_load_explicit(&kernel->made_known, memory_order_acquire))
		return;
	pthread_mutex_lock(&kernel->lock);
	if (!atomic_load(&kernel->made_known) && kernel->index &&
	    kallsyms_read(running_kallsyms, &text, &size, NULL) == 0) {
		kernel->made = table_new(kernel);
		at = text;
		while (kallsyms_next(&at, text + size, &line))
			if (line.addr && is_made(&line) && is_wanted(&line))
				add_line(kernel, &line);
		table_finish(kernel->made);
		free(text);
	}
	atomic_store_explicit(&kernel->made_known, true, memory_order_release);
	pthread_mutex_unlock(&kernel->lock);
}

bool kernel_find(struct kernel *kernel, uint64_t run_addr, struct kernel_hit *out)
{
	uint64_t addr = run_addr - kernel->shift;

	if (kernel->own && symtab_find(kernel->own, addr, &out->hit)) {
		out->tab = kernel->own;
		out->hit.start += kernel->shift;
		out->hit.end += kernel->shift;
		return true;
	}
	/* What is made at run time stands elsewhere after another boot. */
	if (!kernel->own || kernel->shift)
		return false;
	know_made(kernel);
	if (!kernel->made || !symtab_find(kernel->made, run_addr, &out->hit))
		return false;
	out->tab = kernel->made;
	return true;
}

static const struct kmod *find_module(const struct kernel *kernel, const char *name)
{
	const struct kmod *mod = NULL;
	struct str plain = STR_INIT;

	add_plain(&plain, name);
	for (uint32_t i = 0; !mod && i < kernel->mods.nr; i++)
		if (strcmp(kernel->mods.v[i].name, plain.p) == 0)
			mod = &kernel->mods.v[i];
	str_release(&plain);
	return mod;
}

bool kernel_has_module(const struct kernel *kernel, const char *name)
{
	return !kernel->shift && find_module(kernel, name);
}

bool kernel_module_find(const struct kernel *kernel, const char *name, uint64_t run_addr,
			struct kernel_hit *out)
{
	const struct kmod *mod = kernel->shift ? NULL : find_module(kernel, name);

	if (!mod || !mod->tab || !symtab_find(mod->tab, run_addr, &out->hit))
		return false;
	out->tab = mod->tab;
	return true;
}
