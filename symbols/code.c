/* SPDX-License-Identifier: MIT */
#include "symbols/code.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "symbols/demangle.h"
#include "formats/kallsyms.h"
#include "symbols/elf_file.h"
#include "symbols/jit.h"
#include "symbols/relocs.h"

#define CODE_MAX ((uint64_t)64 << 20)    /* no function is that long */
#define MARKS_MAX 1000000u

/* A kernel image that code is read from: kcore or a vmlinux. */
struct kernel_file {
	struct elf_file *file;           /* a vmlinux; NULL: kcore */
	int fd;                          /* kcore; -1 */
	struct elf_segment *loads;
	uint32_t nr_loads;
	uint16_t machine;
	bool is_64bit, big_endian;
	char *path;
};

struct codes {
	struct codes_options options;
	struct kernel_file kernel;
	bool kernel_tried;
	struct str kernel_why;           /* why there is none */
	struct map64 relocs;             /* elf_file -> struct relocs */
};

struct codes *codes_new(const struct codes_options *options)
{
	struct codes *c = mem_zalloc(sizeof(*c));

	if (options)
		c->options = *options;
	c->kernel.fd = -1;
	c->kernel_why = (struct str)STR_INIT;
	return c;
}

void codes_free(struct codes *c)
{
	const struct map64_slot *slot;

	if (!c)
		return;
	for (size_t i = 0; (slot = map64_next(&c->relocs, &i));)
		relocs_free((struct relocs *)(uintptr_t)slot->value);
	map64_release(&c->relocs);
	elf_file_free(c->kernel.file);
	if (c->kernel.fd >= 0)
		close(c->kernel.fd);
	free(c->kernel.loads);
	free(c->kernel.path);
	str_release(&c->kernel_why);
	free(c);
}

void code_release(struct code *code)
{
	free(code->bytes);
	free(code->marks);
	*code = (struct code){ 0 };
}

static bool is_big_endian(const struct elf_file *file)
{
	return file->swap != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

/* --- of a file -------------------------------------------------------------------------- */

static int add_mark(const void *a, const void *b)
{
	const struct code_mark *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

/*
 * The mapping symbols $a, $t, $d and $x (ELF for the Arm architecture, 5.5.5), and
 * the low bit of a Thumb function's address where they were stripped.
 */
static void read_marks(struct elf_file *file, uint64_t start, uint64_t end, struct code *out)
{
	VEC(struct code_mark) marks = { 0 };
	struct code_mark before = { 0 };
	bool found_before = false;
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	GElf_Sym sym;

	while ((scn = elf_nextscn(file->elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &shdr) ||
		    (shdr.sh_type != SHT_SYMTAB && shdr.sh_type != SHT_DYNSYM) || !shdr.sh_entsize)
			continue;
		data = elf_getdata(scn, NULL);
		for (size_t i = 0; data && i < data->d_size / shdr.sh_entsize && gelf_getsym(data, (int)i, &sym);
		     i++) {
			const char *name = elf_strptr(file->elf, shdr.sh_link, sym.st_name);
			struct code_mark mark = { sym.st_value, name && name[0] == '$' ? name[1] : 0 };

			if (GELF_ST_TYPE(sym.st_info) == STT_FUNC && file->machine == EM_ARM) {
				mark.kind = sym.st_value & 1 ? 't' : 'a';
				mark.addr &= ~1ull;
			}
			if (!mark.kind || !strchr("atdx", mark.kind) || sym.st_shndx == SHN_UNDEF ||
			    mark.addr >= end)
				continue;
			if (mark.addr >= start && marks.nr < MARKS_MAX) {
				*vec_push(&marks) = mark;
			} else if (mark.addr < start && (!found_before || mark.addr > before.addr)) {
				before = mark;
				found_before = true;
			}
		}
	}
	if (found_before)
		*vec_push(&marks) = before;
	if (marks.nr)
		qsort(marks.v, marks.nr, sizeof(*marks.v), add_mark);
	out->marks = marks.v;
	out->nr_marks = marks.nr;
}

/* Copy what of [start, end) stands in the file. */
static bool copy_file(struct elf_file *file, uint64_t start, uint64_t end, struct code *out)
{
	const struct elf_segment *load = elf_file_segment(file, start);
	uint64_t most, at;
	Elf_Data *data;

	if (!load)
		return false;
	at = start - load->vaddr;
	if (at >= load->filesz)
		return false;
	most = load->filesz - at;
	if (end - start < most)
		most = end - start;
	data = elf_getdata_rawchunk(file->elf, (int64_t)(load->offset + at), most, ELF_T_BYTE);
	if (!data || !data->d_buf || !data->d_size)
		return false;
	out->size = data->d_size;
	out->bytes = mem_dup(data->d_buf, data->d_size);
	out->e_machine = file->machine;
	out->is_64bit = file->is_64bit;
	out->big_endian = is_big_endian(file);
	return true;
}

static int no_code(const struct module *module, enum name_reason reason, const char *name,
		   struct err *err)
{
	switch (reason) {
	case NAME_FILE_CHANGED:
		return err_set(err, ENOENT, "cannot annotate '%s': '%s' is no longer the file that was "
			       "recorded (its build-id differs); --symfs DIR takes the old one from below DIR",
			       name, module->path);
	case NAME_NOT_ELF:
		return err_set(err, ENOENT, "cannot annotate '%s': '%s' is not an ELF file", name,
			       module->path);
	case NAME_ANON:
		return err_set(err, ENOENT, "cannot annotate '%s': its code was in memory only (%s), and the "
			       "recording does not hold it; a jitdump would", name, module->path);
	default:
		return err_set(err, ENOENT, "cannot annotate '%s': '%s' cannot be opened here; --symfs DIR "
			       "looks below DIR", name, module->path);
	}
}

static int read_file(struct module *module, const struct module_image *image, uint64_t start,
		     uint64_t end, const char *name, struct code *out, struct err *err)
{
	if (!image->file)
		return no_code(module, image->reason, name, err);
	if (!copy_file(image->file, start, end, out))
		return err_set(err, ENOENT, "cannot annotate '%s': '%s' has no bytes at 0x%llx", name,
			       module->path, (unsigned long long)start);
	out->from = module->path;
	if (out->e_machine == EM_ARM || out->e_machine == EM_AARCH64) {
		read_marks(image->file, start, end, out);
		if (!out->nr_marks && image->debug)
			read_marks(image->debug, start, end, out);
	}
	return 0;
}

/* --- of a JIT --------------------------------------------------------------------------- */

static int read_jit(struct module *module, uint64_t start, uint64_t end, const char *name,
		    struct code *out, struct err *err)
{
	const struct jit_code *code = module_jit_code(module, start, UINT64_MAX);

	if (!code || !code->bytes || code->start != start || code->end < end)
		return no_code(module, NAME_ANON, name, err);
	if (strcmp(code->name, name) != 0)
		return err_set(err, ENOENT, "cannot annotate '%s': the JIT made '%s' of its memory later", name,
			       code->name);
	out->size = (size_t)(end - start);
	out->bytes = mem_dup(code->bytes, out->size);
	out->e_machine = code->machine;
	out->is_64bit = code->machine != EM_386 && code->machine != EM_ARM;
	out->big_endian = code->swap != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	out->from = "its jitdump";
	return 0;
}

/* --- of the kernel ---------------------------------------------------------------------- */

/* The program headers of /proc/kcore: its size is that of the address space, so no mapping. */
static bool open_kcore(struct codes *c)
{
	const char *path = c->options.kcore ? c->options.kcore : "/proc/kcore";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;

	if (fd < 0) {
		str_addf(&c->kernel_why, "%s: %s", path, strerror(errno));
		return false;
	}
	if (pread(fd, &ehdr, sizeof(ehdr), 0) != (ssize_t)sizeof(ehdr) ||
	    memcmp(ehdr.e_ident, ELFMAG, SELFMAG) != 0 || ehdr.e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr.e_phentsize != sizeof(phdr) || ehdr.e_phnum > 4096) {
		str_addf(&c->kernel_why, "%s has no 64-bit ELF header that can be read", path);
		close(fd);
		return false;
	}
	c->kernel.loads = mem_zalloc((ehdr.e_phnum + 1u) * sizeof(*c->kernel.loads));
	for (unsigned i = 0; i < ehdr.e_phnum; i++) {
		if (pread(fd, &phdr, sizeof(phdr), (off_t)(ehdr.e_phoff + i * sizeof(phdr))) !=
		    (ssize_t)sizeof(phdr))
			break;
		if (phdr.p_type == PT_LOAD && phdr.p_vaddr + phdr.p_memsz >= phdr.p_vaddr)
			c->kernel.loads[c->kernel.nr_loads++] = (struct elf_segment){
				.vaddr = phdr.p_vaddr, .memsz = phdr.p_memsz, .offset = phdr.p_offset,
				.filesz = phdr.p_filesz,
			};
	}
	c->kernel.fd = fd;
	c->kernel.machine = ehdr.e_machine;
	c->kernel.is_64bit = true;
	c->kernel.big_endian = ehdr.e_ident[EI_DATA] == ELFDATA2MSB;
	c->kernel.path = mem_strdup(path);
	return true;
}

/* Where distributions put an uncompressed kernel (as perf looks, tools/perf/util/symbol.c 6.12). */
static bool find_vmlinux(struct codes *c, const struct module *module)
{
	static const char *const places[] = {
		"/boot/vmlinux-%s", "/usr/lib/debug/boot/vmlinux-%s", "/lib/modules/%s/build/vmlinux",
		"/usr/lib/debug/lib/modules/%s/vmlinux", "/usr/lib/debug/boot/vmlinux-%s.debug",
	};
	const struct symbol_options *options = module_options(module);
	const char *release = options->os_release;
	struct utsname name;

	if (!release && uname(&name) == 0)
		release = name.release;
	for (size_t i = 0; release && i < sizeof(places) / sizeof(places[0]) && !c->kernel.file; i++) {
		struct str path = STR_INIT;
		struct elf_file *file;

		if (options->symfs)
			str_add(&path, options->symfs);
		str_addf(&path, places[i], release);
		if (elf_file_open(&file, path.p) == 0) {
			if (module->build_id_size &&
			    build_id_equal(module->build_id, module->build_id_size, file->build_id,
					   file->build_id_size)) {
				c->kernel.file = file;
				c->kernel.path = mem_strdup(path.p);
			} else {
				elf_file_free(file);
			}
		}
		str_release(&path);
	}
	return c->kernel.file != NULL;
}

static bool copy_kcore(const struct kernel_file *k, uint64_t start, uint64_t end, struct code *out)
{
	for (uint32_t i = 0; i < k->nr_loads; i++) {
		const struct elf_segment *load = &k->loads[i];
		ssize_t n;

		if (start < load->vaddr || start - load->vaddr >= load->filesz)
			continue;
		if (end - start > load->filesz - (start - load->vaddr))
			end = load->vaddr + load->filesz;
		out->bytes = mem_alloc((size_t)(end - start));
		n = pread(k->fd, out->bytes, (size_t)(end - start),
			  (off_t)(load->offset + (start - load->vaddr)));
		if (n <= 0) {
			free(out->bytes);
			out->bytes = NULL;
			return false;
		}
		out->size = (size_t)n;
		out->e_machine = k->machine;
		out->is_64bit = k->is_64bit;
		out->big_endian = k->big_endian;
		return true;
	}
	return false;
}

static int read_kernel(struct codes *c, struct module *module, const struct module_image *image,
		       uint64_t start, uint64_t end, const char *name, struct code *out, struct err *err)
{
	uint64_t shift = image->shift;
	bool done;

	if (image->reason != NAME_OK)
		return err_set(err, ENOENT, "cannot annotate '%s': %s; -k FILE takes the vmlinux of the "
			       "recorded kernel", name, name_reason_text(image->reason));
	if (image->file) {
		done = copy_file(image->file, start - shift, end - shift, out);
		out->from = module_options(module)->vmlinux;
		return done ? 0 : err_set(err, ENOENT, "cannot annotate '%s': '%s' has no bytes at 0x%llx",
					  name, out->from, (unsigned long long)(start - shift));
	}
	if (!c->kernel_tried) {
		c->kernel_tried = true;
		if (!(image->running && open_kcore(c)) && !c->options.ignore_vmlinux)
			find_vmlinux(c, module);
	}
	if (c->kernel.file)
		done = copy_file(c->kernel.file, start - shift, end - shift, out);
	else
		done = c->kernel.fd >= 0 && copy_kcore(&c->kernel, start - shift, end - shift, out);
	if (!done)
		return err_set(err, ENOENT, "cannot annotate '%s': the kernel's code cannot be read (%s); -k "
			       "FILE takes the vmlinux of the recorded kernel", name,
			       c->kernel_why.len ? c->kernel_why.p : "no image here holds that address");
	out->from = c->kernel.path;
	return 0;
}

int codes_read(struct codes *c, struct module *module, uint64_t start, uint64_t end,
	       const char *name, struct code *out, struct err *err)
{
	struct module_image image;
	int e;

	*out = (struct code){ .addr = start };
	if (end <= start)
		return err_set(err, ENOENT, "cannot annotate '%s': where it ends is not known here", name);
	if (end - start > CODE_MAX)
		return err_set(err, EINVAL, "cannot annotate '%s': its symbol covers %llu bytes", name,
			       (unsigned long long)(end - start));
	module_image(module, &image);
	switch (module->kind) {
	case MODULE_KERNEL:
	case MODULE_KMOD:
		e = read_kernel(c, module, &image, start, end, name, out, err);
		break;
	case MODULE_BPF:
		e = err_set(err, ENOENT, "cannot annotate '%s': the code of BPF programs is in no file", name);
		break;
	case MODULE_ANON:
		e = read_jit(module, start, end, name, out, err);
		break;
	default:
		e = read_file(module, &image, start, end, name, out, err);
		break;
	}
	return e;
}

/* --- names ------------------------------------------------------------------------------ */

static const char *slot_name(struct codes *c, struct module *module, uint64_t elf_addr)
{
	struct module_image image;
	bool added;
	uint64_t *slot;

	if (module->kind != MODULE_FILE && module->kind != MODULE_VDSO)
		return NULL;
	module_image(module, &image);
	if (!image.file)
		return NULL;
	slot = map64_put(&c->relocs, (uint64_t)(uintptr_t)image.file, &added);
	if (added)
		*slot = (uint64_t)(uintptr_t)relocs_new(image.file);
	return relocs_find((struct relocs *)(uintptr_t)*slot, elf_addr);
}

bool codes_name(struct codes *c, struct module *module, uint64_t elf_addr, struct str *out)
{
	const char *slot = slot_name(c, module, elf_addr);
	struct symbol symbol;

	if (slot) {
		str_addf(out, "%s@got", slot);
		return true;
	}
	module_symbol(module, elf_addr, &symbol);
	if (!symbol.name)
		return false;
	str_add(out, symbol.name);
	if (elf_addr != symbol.start)
		str_addf(out, "+0x%llx", (unsigned long long)(elf_addr - symbol.start));
	return true;
}

static bool is_named(const char *raw, const char *name)
{
	char *plain;
	bool same;

	if (strcmp(raw, name) == 0)
		return true;
	/* a mangled name has the plain one's words in it */
	plain = demangle_wants(raw) ? demangle(raw) : NULL;
	same = plain && strcmp(plain, name) == 0;
	free(plain);
	return same;
}

static bool file_has(struct elf_file *file, const char *name)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	GElf_Sym sym;

	while ((scn = elf_nextscn(file->elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &shdr) || !shdr.sh_entsize ||
		    (shdr.sh_type != SHT_SYMTAB && shdr.sh_type != SHT_DYNSYM))
			continue;
		data = elf_getdata(scn, NULL);
		for (size_t i = 0; data && i < data->d_size / shdr.sh_entsize && gelf_getsym(data, (int)i, &sym);
		     i++) {
			const char *raw = elf_strptr(file->elf, shdr.sh_link, sym.st_name);

			if (sym.st_shndx != SHN_UNDEF && raw && is_named(raw, name))
				return true;
		}
	}
	return false;
}

static bool running_kernel_has(const char *name)
{
	struct kallsyms_line line;
	bool found = false;
	char *text, *at;
	size_t size;

	if (kallsyms_read("/proc/kallsyms", &text, &size, NULL) < 0)
		return false;
	at = text;
	while (!found && kallsyms_next(&at, text + size, &line))
		found = strcmp(line.name, name) == 0;
	free(text);
	return found;
}

bool codes_has_symbol(struct module_set *set, const char *name)
{
	struct module_image image;

	for (uint32_t i = 0; i < module_set_count(set); i++) {
		struct module *module = module_set_at(set, i);

		if (!module->path)
			continue;
		module_image(module, &image);
		if ((image.file && file_has(image.file, name)) || (image.debug && file_has(image.debug, name)))
			return true;
		if (module->kind == MODULE_KERNEL && image.running && running_kernel_has(name))
			return true;
	}
	return false;
}
