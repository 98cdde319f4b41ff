/* SPDX-License-Identifier: MIT */
/*
 * kernel_index: names of the running kernel, kept.
 *
 * The kernel makes the text of /proc/kallsyms anew each time it is read, a hundred
 * thousand lines or more.  What was made of it is kept under the kernel's build-id
 * (symbols/index.h), and holds as long as
 *
 *	the first function stands where it did       another boot may move all of them
 *	the same modules are loaded at their places  /proc/modules
 *
 * Who may not see addresses sees zeros in the place of the first function's, and then
 * nothing is looked up or kept.  Code that is made at run time comes and goes without
 * a trace in either: it is not kept, and kernel.c reads it when it is asked for.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "formats/kallsyms.h"
#include "symbols/elf_file.h"
#include "symbols/kernel_priv.h"

/* To be raised when what is in the tables, or which symbol wins, changes. */
#define KERNEL_VERSION 1
#define KIND INDEX_TAG('k', 's', 'y', 'm')
#define TAG_REFS INDEX_TAG('k', 'r', 'e', 'f')
#define TAG_MODULES INDEX_TAG('k', 'm', 'o', 'd')
#define TAG_NAMES INDEX_TAG('k', 'n', 'a', 'm')
#define SECTIONS_PER_TABLE 3
/* Before the first function there may be all variables of a CPU. */
#define HEAD_BYTES 262144

const char *const kernel_refs[REFS] = { [REF_TEXT] = "_text", [REF_STEXT] = "_stext" };

struct kept_module {
	uint64_t end;
	uint32_t name;           /* offset in TAG_NAMES */
	uint32_t table;          /* number of its table, or 0 */
};

/* The line of the first function, at most HEAD_BYTES in; "" if addresses are hidden. */
static void first_function(struct str *out)
{
	int fd = regular_file_open("/proc/kallsyms", NULL);
	struct str head = STR_INIT;
	struct kallsyms_line line;
	char buf[4096], *at, *end;
	ssize_t n;
	bool found = false;

	while (fd >= 0 && !found && head.len < HEAD_BYTES && (n = read(fd, buf, sizeof(buf))) > 0) {
		str_clear(out);
		str_addn(&head, buf, (size_t)n);
		/* whole lines of it; taken apart in a copy */
		str_addn(out, head.p, head.len);
		end = memrchr(out->p, '\n', out->len);
		at = out->p;
		while (end && !found && kallsyms_next(&at, end, &line))
			found = toupper((unsigned char)line.type) == 'T';
		if (found) {
			str_clear(&head);
			str_addf(&head, "%llx %s", (unsigned long long)line.addr, line.name);
			found = line.addr;
			break;
		}
	}
	str_clear(out);
	if (found)
		str_addn(out, head.p, head.len);
	str_release(&head);
	if (fd >= 0)
		close(fd);
}

/* Names, sizes and places; the other columns change all the time. */
static uint64_t hash_modules(uint64_t hash)
{
	struct modules_line line;
	char *text, *at;
	size_t size;

	if (kallsyms_read("/proc/modules", &text, &size, NULL) < 0)
		return hash;
	at = text;
	while (modules_next(&at, text + size, &line))
		hash = hash_mix(hash_mix(hash, hash_bytes(line.name, strlen(line.name))),
				hash_mix(line.size, line.addr));
	free(text);
	return hash;
}

struct kernel_print kernel_print_now(void)
{
	struct kernel_print print = { .build_id_size = 0 };
	struct str first = STR_INIT;

	first_function(&first);
	if (first.len) {
		print.build_id_size = build_id_read(NULL, print.build_id);
		print.fingerprint = hash_modules(hash_mix(KERNEL_VERSION,
							  hash_bytes(first.p, first.len)));
	}
	if (print.build_id_size < 2)
		print.build_id_size = 0;
	str_release(&first);
	return print;
}

/* --- loading ---------------------------------------------------------------------- */

static bool load_modules(struct kernel *kernel, unsigned options)
{
	size_t nr, size;
	const struct kept_module *v = index_section(kernel->index, TAG_MODULES, sizeof(*v), &nr);
	const char *names = index_section(kernel->index, TAG_NAMES, 1, &size);

	if (!v || !names)
		return false;
	for (size_t i = 0; i < nr; i++) {
		struct kmod *mod;

		if (v[i].name >= size || !memchr(names + v[i].name, 0, size - v[i].name))
			return false;
		mod = kernel_module_of(kernel, names + v[i].name);
		if (mod->tab)
			return false;
		mod->end = v[i].end;
		if (v[i].table && !(mod->tab = symtab_load(kernel->index, v[i].table, options)))
			return false;
	}
	return true;
}

bool kernel_index_load(struct kernel *kernel, const struct kernel_print *print)
{
	unsigned options = kernel->options->no_demangle ? SYMTAB_NO_DEMANGLE : 0;
	const uint64_t *refs;
	size_t nr;

	if (!print->build_id_size)
		return false;
	kernel->index = index_open(print->build_id, (uint8_t)print->build_id_size, KIND,
				   print->fingerprint);
	if (!kernel->index)
		return false;
	refs = index_section(kernel->index, TAG_REFS, sizeof(*refs), &nr);
	kernel->own = symtab_load(kernel->index, 0, options);
	if (!refs || nr != REFS || !kernel->own || !load_modules(kernel, options))
		return false;
	memcpy(kernel->refs, refs, sizeof(kernel->refs));
	return true;
}

/* --- saving ----------------------------------------------------------------------- */

void kernel_index_save(const struct kernel *kernel, const struct kernel_print *print)
{
	struct index_draft *draft;
	struct kept_module *modules;
	struct str names = STR_INIT;
	int ret;

	if (!print->build_id_size ||
	    kernel->mods.nr + 2 > INDEX_SECTIONS_MAX / SECTIONS_PER_TABLE)
		return;
	draft = mem_zalloc(sizeof(*draft));
	draft->build_id_size = (uint8_t)print->build_id_size;
	memcpy(draft->build_id, print->build_id, (size_t)print->build_id_size);
	draft->kind = KIND;
	draft->fingerprint = print->fingerprint;
	modules = mem_alloc((kernel->mods.nr + 1) * sizeof(*modules));
	symtab_save(kernel->own, draft, 0);
	for (size_t i = 0; i < kernel->mods.nr; i++) {
		const struct kmod *mod = &kernel->mods.v[i];

		modules[i] = (struct kept_module){ mod->end, (uint32_t)names.len,
						   mod->tab ? (uint32_t)i + 1 : 0 };
		str_addn(&names, mod->name, strlen(mod->name) + 1);
		if (mod->tab)
			symtab_save(mod->tab, draft, (unsigned)i + 1);
	}
	index_add(draft, TAG_REFS, sizeof(kernel->refs[0]), kernel->refs, REFS);
	index_add(draft, TAG_MODULES, sizeof(*modules), modules, kernel->mods.nr);
	index_add(draft, TAG_NAMES, 1, names.p, names.len);
	ret = index_write(draft);
	if (ret < 0)
		log_debug("no index of the kernel's names: %s", strerror(-ret));
	symtab_saved(kernel->own);
	for (size_t i = 0; i < kernel->mods.nr; i++)
		if (kernel->mods.v[i].tab)
			symtab_saved(kernel->mods.v[i].tab);
	str_release(&names);
	free(modules);
	free(draft);
}
