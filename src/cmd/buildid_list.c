/* SPDX-License-Identifier: MIT */
/* sonde buildid-list: which builds of which binaries a recording is of. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/query.h"
#include "formats/kallsyms.h"
#include "profile/count.h"
#include "profile/recording.h"

#define ID_COLUMNS 40            /* a SHA-1 in hex; what has no build-id gets blanks */

struct buildid_list {
	const char *input;
	bool kernel, maps, hits, force;
	int verbose;
};

static void add_line(struct str *line, const uint8_t *id, unsigned size, const char *path)
{
	for (unsigned i = 0; i < size; i++)
		str_addf(line, "%02x", id[i]);
	if (path) {
		while (line->len < ID_COLUMNS)
			str_addc(line, ' ');
		str_addc(line, ' ');
		str_add_safe(line, path);
	}
}

static void write_line(const uint8_t *id, unsigned size, const char *path)
{
	struct str line = STR_INIT;

	add_line(&line, id, size, path);
	puts(line.p);
	str_release(&line);
}

/* --- which modules have samples ---------------------------------------------------------- */

/* As perf has it, what a sample was taken in counts and not what called that. */
static void mark(const struct recording *rec, const struct raw_entry *e, bool *hit)
{
	const struct image *image = process_image_at(rec->processes, e->image);
	const struct mapping *map = e->key->cpumode == PERF_RECORD_MISC_KERNEL ?
		process_kernel_find(rec->processes, e->key->ip, e->first_ns) :
		image_find(image, e->key->ip, e->first_ns);

	if (map && map->module)
		hit[map->module->index] = true;
}

static int find_hits(const struct recording *rec, bool *hit, struct err *err)
{
	struct profile_query query = { .by = 0 };
	struct count_result counted;
	int r = count_samples(rec, &query, &counted, err);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < counted.table.nr; i++)
		mark(rec, &counted.table.v[i], hit);
	raw_table_release(&counted.table);
	free(counted.totals);
	return 0;
}

/* --- lists --------------------------------------------------------------------------------- */

static int list_modules(const struct perf_data *data, struct err *err)
{
	/* what a hardware trace went through is not told by samples */
	bool all = data->features[FEATURE_AUXTRACE].present;
	struct symbol_options symbols = { 0 };
	struct recording rec;
	uint32_t nr = 0;
	bool *hit;
	int r = recording_load(&rec, data, &symbols, err);

	if (r < 0)
		return r;
	hit = mem_zalloc(module_set_count(rec.modules) + 1);
	if (!all)
		r = find_hits(&rec, hit, err);
	for (uint32_t i = 0; !r && i < module_set_count(rec.modules); i++) {
		const struct module *m = module_set_at(rec.modules, i);

		if (m->kind != MODULE_ANON && m->kind != MODULE_BPF && (all || hit[i])) {
			write_line(m->build_id, m->build_id_size, m->path);
			nr++;
		}
	}
	if (!r && !nr)
		log_note("'%s' has no sample in a binary that it names", data->path);
	free(hit);
	recording_release(&rec);
	return r;
}

/* perf writes an entry for each inode: containers have the same library many times. */
static void list_section(const struct perf_data *data)
{
	struct str line = STR_INIT;
	struct intern lines;

	intern_init(&lines);
	for (uint32_t i = 0; i < data->nr_build_ids; i++) {
		const struct build_id_entry *entry = &data->build_ids[i];
		uint32_t before = lines.nr;

		str_clear(&line);
		add_line(&line, entry->build_id, entry->size, entry->filename);
		if (intern_id(&lines, line.p) == before)
			puts(line.p);
	}
	intern_release(&lines);
	str_release(&line);
}

/*
 * A file names its binaries in a section; a pipe, and a recording whose build-ids stand
 * in its mappings, along the way. Of the latter only what has samples is listed, as by perf.
 */
static int list_recording(const struct buildid_list *b, struct err *err)
{
	struct perf_data *data;
	int r = perf_data_open(&data, query_input(b->input), err);

	if (r < 0)
		return r;
	if (b->hits || data->is_pipe || !data->nr_build_ids) {
		log_info("%s%s: the binaries with samples, by the mappings in it", data->path,
			 b->hits ? "" : " has no list of build-ids");
		r = list_modules(data, err);
	} else {
		log_info("%s: its own list of build-ids, %u entries", data->path, data->nr_build_ids);
		list_section(data);
	}
	if (!r)
		query_say_damages(data);
	perf_data_close(data);
	return r;
}

static bool is_elf(const char *path)
{
	char magic[4] = "";
	FILE *f = path && strcmp(path, "-") != 0 ? fopen(path, "re") : NULL;
	size_t n = f ? fread(magic, 1, sizeof(magic), f) : 0;

	if (f)
		fclose(f);
	return n == sizeof(magic) && memcmp(magic, "\177ELF", sizeof(magic)) == 0;
}

/* The build-id of the ELF file at `path`, or with NULL of the kernel that runs. */
static int list_one(const char *path, struct err *err)
{
	uint8_t id[20];
	int size = build_id_read(path, id);

	if (size < 0)
		return err_set(err, -size, "cannot read %s: %s", path ? path : "/sys/kernel/notes",
			       strerror(-size));
	if (!size)
		return err_set(err, ENOENT, "%s%s has no build-id", path ? "" : "the kernel",
			       path ? path : "");
	write_line(id, (unsigned)size, NULL);
	return 0;
}

/* --- the kernel that runs, and its modules -------------------------------------------------- */

static void write_map(const uint8_t *id, int size, uint64_t from, uint64_t to, const char *name)
{
	struct str line = STR_INIT;

	add_line(&line, id, size > 0 ? (unsigned)size : 0, NULL);
	while (line.len < ID_COLUMNS)
		str_addc(&line, ' ');
	str_addf(&line, " %16" PRIx64 " %16" PRIx64 " ", from, to);
	str_add_safe(&line, name);
	puts(line.p);
	str_release(&line);
}

/* From _text to _etext. */
static int list_kernel_map(struct err *err)
{
	struct kallsyms_line line;
	uint64_t from = 0, to = 0;
	char *text, *at;
	uint8_t id[20];
	size_t size;
	int r = kallsyms_read("/proc/kallsyms", &text, &size, err);

	if (r < 0)
		return r;
	at = text;
	while (kallsyms_next(&at, text + size, &line)) {
		if (line.module)
			continue;
		if (!from && (strcmp(line.name, "_text") == 0 || strcmp(line.name, "_stext") == 0))
			from = line.addr;
		else if (strcmp(line.name, "_etext") == 0)
			to = line.addr;
	}
	free(text);
	if (!from)
		return err_set(err, EPERM, "the kernel hides its addresses: kernel.kptr_restrict (see "
			       "/proc/sys/kernel/kptr_restrict) leaves them to root");
	write_map(id, build_id_read(NULL, id), from, to, "[kernel.kallsyms]");
	return 0;
}

static int module_build_id(const char *name, uint8_t id[20])
{
	struct str path = STR_INIT;
	uint8_t notes[4096];
	size_t n = 0;
	FILE *f;

	str_addf(&path, "/sys/module/%s/notes/.note.gnu.build-id", name);
	f = fopen(path.p, "re");
	if (f) {
		n = fread(notes, 1, sizeof(notes), f);
		fclose(f);
	}
	str_release(&path);
	return n ? build_id_from_notes(notes, n, false, id) : 0;
}

static int list_maps(struct err *err)
{
	struct modules_line line;
	struct err none = ERR_INIT;
	char *text, *at;
	uint8_t id[20];
	size_t size;
	int r = list_kernel_map(err);

	/* a kernel without modules has no such file */
	if (r < 0 || kallsyms_read("/proc/modules", &text, &size, &none) < 0)
		return r;
	at = text;
	while (modules_next(&at, text + size, &line)) {
		struct str name = STR_INIT;

		str_addf(&name, "[%s]", line.name);
		write_map(id, module_build_id(line.name, id), line.addr, line.addr + line.size, name.p);
		str_release(&name);
	}
	free(text);
	return 0;
}

static int run(int argc, char **argv)
{
	struct buildid_list b = { 0 };
	const struct opt opts[] = {
		OPT_STRING('i', "input", &b.input, "FILE", "read FILE; - is standard input (perf.data); of "
			   "an ELF file its own build-id"),
		OPT_SWITCH('f', "force", &b.force, "accepted: sonde does not look at the file's owner"),
		OPT_SWITCH('H', "with-hits", &b.hits, "only binaries with samples in them"),
		OPT_SWITCH('k', "kernel", &b.kernel, "of the kernel that runs"),
		OPT_COUNT('v', "verbose", &b.verbose, "say where the list comes from"),
		OPT_SWITCH('m', "kernel-maps", &b.maps, "of the kernel that runs and of its modules, with "
			   "where they are"),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status = cmd_options(&cmd_buildid_list, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);

	if (status >= 0)
		return status;
	if (words) {
		err_set(&err, EINVAL, "'%s' is one word too many; the recording is given with -i", argv[0]);
		cmd_error("buildid-list", &err);
		return EXIT_USAGE;
	}
	cmd_quiet(false);
	if (b.verbose)
		log_set_level(b.verbose > 1 ? LOG_DEBUG : LOG_INFO);
	status = (b.maps ? list_maps(&err) : b.kernel ? list_one(NULL, &err) : is_elf(b.input) ? list_one(b.input, &err) :
		  list_recording(&b, &err)) < 0;
	if (fflush(stdout) && errno != EPIPE && !status)
		status = err_set(&err, errno, "cannot write standard output: %s", strerror(errno)) < 0;
	if (status)
		cmd_error("buildid-list", &err);
	return status;
}

const struct command cmd_buildid_list = {
	.name = "buildid-list",
	.summary = "list the build-ids of a recording's binaries",
	.usage = "[options]",
	.run = run,
	.confine = CONFINE_READ,
};
