/* SPDX-License-Identifier: MIT */
/* The kernel's half of synth.h: where its text and its modules run. */
#include "engine/synth.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "symbols/symbols.h"

#define NAME_MOST 1024

struct kernel_text {
	uint64_t start, end, ref;
	const char *ref_name;            /* whose address `ref` is */
};

static int give_mmap(const struct synth *s, uint64_t start, uint64_t len, uint64_t pgoff,
		     const char *name, struct err *err)
{
	struct {
		struct perf_event_header header;
		uint32_t pid, tid;
		uint64_t addr, len, pgoff;
		char filename[NAME_MOST + 8];
		uint64_t trailer_room[8];
	} d;
	size_t room = (strnlen(name, NAME_MOST - 1) / 8 + 1) * 8;
	size_t trailer = synth_trailer_size(s->sample_type);

	memset(&d, 0, sizeof(d));
	d.header.type = PERF_RECORD_MMAP;
	d.header.misc = PERF_RECORD_MISC_KERNEL;
	d.pid = UINT32_MAX;
	d.addr = start;
	d.len = len;
	d.pgoff = pgoff;
	memcpy(d.filename, name, strnlen(name, NAME_MOST - 1));
	d.header.size = (uint16_t)(offsetof(typeof(d), filename) + room + trailer);
	return s->sink(s->arg, &d, d.header.size, err);
}

/* _text, _stext and _etext; kernels that hide addresses show zeros. */
static int read_kernel_text(const struct synth *s, struct kernel_text *text)
{
	uint64_t stext = 0, etext = 0, addr;
	char path[256], line[512], name[256], type;
	FILE *file;

	memset(text, 0, sizeof(*text));
	snprintf(path, sizeof(path), "%s/kallsyms", s->proc);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		const char *space = strchr(line, ' ');

		/* 100,000 lines: only those that may be one of ours are taken apart. */
		if (!space || !space[1] || space[2] != ' ' || space[3] != '_')
			goto next;
		if (sscanf(line, "%" SCNx64 " %c %255s", &addr, &type, name) != 3)
			goto next;
		if (strcmp(name, "_text") == 0)
			text->ref = addr;
		else if (strcmp(name, "_stext") == 0)
			stext = addr;
		else if (strcmp(name, "_etext") == 0)
			etext = addr;
		if (text->ref && stext && etext)
			break;
	next:
		/* Module symbols stand behind the kernel's own. */
		if (strchr(line, '['))
			break;
	}
	fclose(file);
	text->ref_name = text->ref ? "_text" : "_stext";
	text->start = stext && (!text->ref || stext < text->ref) ? stext : text->ref;
	text->ref = text->ref ? text->ref : stext;
	text->end = etext;
	return text->start ? 0 : -EACCES;
}

/* It stays where it is: a recording of many files reads kallsyms once. */
static int find_kernel_text(const struct synth *s, struct kernel_text *text)
{
	static struct kernel_text known;
	int r = 0;

	if (strcmp(s->proc, "/proc") != 0)
		return read_kernel_text(s, text);
	if (!known.start)
		r = read_kernel_text(s, &known);
	*text = known;
	return r;
}

/* Read up to `size` bytes; returns how many. */
static size_t read_whole(const char *path, void *to, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, to, size);

	if (fd >= 0)
		close(fd);
	return n > 0 ? (size_t)n : 0;
}

/* "kernel/net/foo_bar.ko.xz: deps" is where module foo_bar lies, dashes being underscores. */
static bool names_module(const char *path, const char *module)
{
	const char *base = strrchr(path, '/');
	size_t i;

	base = base ? base + 1 : path;
	for (i = 0; module[i]; i++)
		if ((base[i] == '-' ? '_' : base[i]) != (module[i] == '-' ? '_' : module[i]))
			return false;
	return strncmp(base + i, ".ko", 3) == 0;
}

/* The path of a module's file, or "[name]" if it cannot be told. */
static void module_path(const char *deps, const char *release, const char *module,
			struct str *path)
{
	str_clear(path);
	str_addf(path, "[%s]", module);
	for (const char *line = deps; line && *line;) {
		size_t len = strcspn(line, ":\n");
		char entry[NAME_MOST];

		snprintf(entry, sizeof(entry), "%.*s", (int)len, line);
		if (names_module(entry, module)) {
			str_clear(path);
			if (entry[0] != '/')
				str_addf(path, "/lib/modules/%s/", release);
			str_add(path, entry);
			return;
		}
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
}

static char *read_deps(const char *release)
{
	char path[512];
	const size_t most = 16u << 20;
	char *text = NULL;
	size_t n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	while (n < most && !feof(file) && !ferror(file)) {
		text = mem_realloc_array(text, n + 65536 + 1, 1);
		n += fread(text + n, 1, 65536, file);
	}
	fclose(file);
	if (text)
		text[n] = '\0';
	return text;
}

static void state_module_id(const struct synth *s, const char *module, const char *path)
{
	uint8_t notes[4096], id[20];
	char file[512];
	size_t n;
	int size;

	snprintf(file, sizeof(file), "/sys/module/%s/notes/.note.gnu.build-id", module);
	n = read_whole(file, notes, sizeof(notes));
	size = n ? build_id_from_notes(notes, n, false, id) : 0;
	if (size > 0)
		buildids_state(s->buildids, PERF_RECORD_MISC_KERNEL, path, id, (uint8_t)size);
}

static int give_modules(const struct synth *s, const char *release, struct err *err)
{
	char line[4096], name[256], file_name[256];
	struct str path = STR_INIT;
	char *deps;
	FILE *file;
	int r = 0;

	snprintf(file_name, sizeof(file_name), "%s/modules", s->proc);
	file = fopen(file_name, "re");
	if (!file)
		return 0;                /* a kernel without modules */
	deps = read_deps(release);
	while (r == 0 && fgets(line, sizeof(line), file)) {
		const char *hex = strstr(line, " 0x");
		uint64_t size, start;

		if (!hex || sscanf(line, "%255s %" SCNu64, name, &size) != 2 ||
		    sscanf(hex, " 0x%" SCNx64, &start) != 1 || !start)
			continue;
		module_path(deps, release, name, &path);
		r = give_mmap(s, start, size, 0, path.p, err);
		state_module_id(s, name, path.p);
	}
	str_release(&path);
	free(deps);
	fclose(file);
	return r;
}

int synth_kernel(const struct synth *s, struct err *err)
{
	struct kernel_text text;
	struct utsname uts;
	uint8_t id[20];
	char name[64];
	int r, size;

	size = build_id_read(NULL, id);
	if (size > 0)
		buildids_state(s->buildids, PERF_RECORD_MISC_KERNEL, "[kernel.kallsyms]", id,
			       (uint8_t)size);
	r = find_kernel_text(s, &text);
	if (r == -EMFILE || r == -ENFILE || r == -ENOMEM)
		return err_set(err, -r, "cannot read %s/kallsyms: %s", s->proc, strerror(-r));
	if (r < 0) {
		if (s->kernel_hidden)
			*s->kernel_hidden = true;
		return 0;
	}
	if (uname(&uts) < 0)
		return err_set(err, errno, "uname: %s", strerror(errno));
	if (text.end <= text.start)
		text.end = UINT64_MAX;   /* modules, which come later, cut their part out */
	snprintf(name, sizeof(name), "[kernel.kallsyms]%s", text.ref_name);
	r = give_mmap(s, text.start, text.end - text.start, text.ref, name, err);
	return r < 0 ? r : give_modules(s, uts.release, err);
}
