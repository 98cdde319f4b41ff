/* SPDX-License-Identifier: MIT */
/*
 * What sonde pack does, and what reads its result:
 *	u8 0, section              the names by themselves
 *	u8 1, perf.data            a file or a stream, written anew with names
 *	u8 2, u16 a, u16 b, data.0 of a bytes, data.1 of b bytes, data      a folder
 * A copy that was made has to open again, with the events that the first one had.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "formats/pack.h"
#include "formats/perf_flatten.h"
#include "formats/perf_rewrite.h"
#include "profile/pack.h"
#include "profile/recording.h"
#include "symbols/packed.h"
#include "tests/fuzz/fuzz.h"

FUZZ_LIBTRACEEVENT_LEAKS

static const struct symbol_options symbols = {
	.symfs = NO_FILE, .vmlinux = NULL, .kallsyms = NO_FILE, .modules = NO_FILE, .no_demangle = true,
};

static const char *const parts[] = { "data.0", "data.1", "data" };
static char folder[] = "/tmp/sonde-fuzz.XXXXXX";

static void remove_folder(void)
{
	for (size_t i = 0; i < 3; i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
		unlink(path);
	}
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (!mkdtemp(folder) || atexit(remove_folder) != 0)
		exit(2);
	return 0;
}

/* --- names by themselves ------------------------------------------------------------------- */

static void find_all(const struct pack_module *m)
{
	struct packed *packed = packed_new(m, m->kind & 1);
	struct symbol s;
	uint64_t addr;

	for (uint32_t i = 0; i < m->nr_symbols && i < 64; i++)
		if (packed_find(packed, m->symbols[i].start, &s))
			fuzz_assert(s.name && s.start <= m->symbols[i].start && m->symbols[i].start < s.end);
	for (uint64_t at = 0; at < 0x4000; at += 0x155) {
		packed_find(packed, at, &s);
		packed_addr(packed, at, &addr);
	}
	packed_free(packed);
}

/* What was read is written, and read once more, the same. */
static void see_section(const uint8_t *bytes, size_t size)
{
	struct pack *pack = pack_parse(bytes, size), *again;
	struct str out = STR_INIT;

	pack_begin(&out, 0, 0);
	for (uint32_t i = 0; i < pack->nr_modules; i++) {
		find_all(&pack->modules[i]);
		pack_add(&out, &pack->modules[i]);
	}
	again = pack_parse((const uint8_t *)out.p, out.len);
	fuzz_assert(!again->damaged && again->nr_modules == pack->nr_modules);
	for (uint32_t i = 0; i < again->nr_modules; i++) {
		const struct pack_module *a = &pack->modules[i], *b = &again->modules[i];

		fuzz_assert(strcmp(a->path, b->path) == 0 && a->nr_symbols == b->nr_symbols);
		fuzz_assert(a->nr_segments == b->nr_segments && a->build_id_size == b->build_id_size);
		for (uint32_t n = 0; n < a->nr_symbols; n++)
			fuzz_assert(strcmp(a->strings + a->symbols[n].name, b->strings + b->symbols[n].name) == 0);
	}
	str_release(&out);
	pack_free(again);
	pack_free(pack);
}

/* --- recordings ------------------------------------------------------------------------------ */

/* The recording as an ordinary file; NULL: it cannot be one. */
static struct perf_data *flatten(struct perf_data *data)
{
	char path[32];
	int fd = fuzz_file("", 0, path), held = dup(fd);
	struct perf_data *flat = NULL;
	int r = perf_flatten(data, fd, path, NULL);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
	if (r == 0 && perf_data_open(&flat, path, NULL) == 0)
		fuzz_assert(flat->events.nr == data->events.nr && !flat->is_directory && !flat->is_pipe);
	else
		flat = NULL;
	close(held);
	return flat;
}

static void put_names(struct perf_data *data)
{
	struct profile_query query = { .by = PROFILE_BY_STACK | PROFILE_BY_ADDR, .symbols = symbols,
				       .jobs = 1 };
	uint64_t types_off, types_size;
	struct str section = STR_INIT;
	struct perf_data *packed;
	struct profile *profile;
	struct pack_stats stats;
	uint32_t nr;
	char path[32];
	int fd;

	if (perf_rewrite_check(data, &types_off, &types_size, NULL) < 0) {
		perf_data_close(data);
		return;
	}
	if (profile_load(&profile, data, &query, NULL) < 0)
		return;
	pack_begin(&section, types_off, types_size);
	pack_gather(&section, profile, &stats);
	nr = profile->data->events.nr;
	fd = fuzz_file("", 0, path);
	if (perf_rewrite(profile->data, section.p, section.len, fd, NULL) == 0) {
		fuzz_assert(perf_data_open(&packed, path, NULL) == 0);
		fuzz_assert(packed->events.nr == nr && packed->pack.present);
		query.symbols.no_demangle = false;
		profile_free(profile);
		if (profile_load(&profile, packed, &query, NULL) < 0)
			profile = NULL;
	}
	str_release(&section);
	profile_free(profile);
	close(fd);
}

static void see_recording(const char *path)
{
	struct perf_data *data, *flat;

	if (perf_data_open(&data, path, NULL) < 0)
		return;
	if (data->is_pipe || data->is_directory) {
		flat = flatten(data);
		perf_data_close(data);
		data = flat;
	}
	if (data)
		put_names(data);
}

static void see_folder(const uint8_t *bytes, size_t size)
{
	uint16_t sizes[2];
	int fds[3];

	if (size < sizeof(sizes))
		return;
	memcpy(sizes, bytes, sizeof(sizes));
	bytes += sizeof(sizes);
	size -= sizeof(sizes);
	for (size_t i = 0; i < 3; i++) {
		size_t n = i < 2 && sizes[i] < size ? sizes[i] : size;
		char target[32], path[64];

		fds[i] = fuzz_file(bytes, n, target);
		snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
		unlink(path);
		if (symlink(target, path) < 0)
			exit(2);
		bytes += n;
		size -= n;
	}
	see_recording(folder);
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[32];
	int fd;

	if (!size)
		return 0;
	switch (bytes[0]) {
	case 0:
		see_section(bytes + 1, size - 1);
		break;
	case 1:
		fd = fuzz_file(bytes + 1, size - 1, path);
		see_recording(path);
		close(fd);
		break;
	case 2:
		see_folder(bytes + 1, size - 1);
		break;
	default:
		break;
	}
	return 0;
}
