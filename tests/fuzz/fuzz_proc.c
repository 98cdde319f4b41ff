/* SPDX-License-Identifier: MIT */
/*
 * Files of /proc as a recording begins, whose lines hold names that processes choose:
 *	u8 what samples hold, status, NUL, maps, NUL, kallsyms, NUL, modules
 * Each record that comes of them has to be one: whole, aligned, its name ended.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "engine/synth.h"
#include "formats/record.h"
#include "tests/fuzz/fuzz.h"

#define NR_FILES 4

static char root[] = "/tmp/sonde-fuzz.XXXXXX";
static const char *const folders[] = { "70", "70/task", "70/task/70" };
static const char *const files[NR_FILES] = { "70/task/70/status", "70/task/70/maps", "kallsyms",
					     "modules" };
static int fds[NR_FILES];

static void remove_root(void)
{
	char path[64];

	for (size_t i = 0; i < NR_FILES; i++) {
		snprintf(path, sizeof(path), "%s/%s", root, files[i]);
		unlink(path);
	}
	for (size_t i = 3; i-- > 0;) {
		snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
		rmdir(path);
	}
	rmdir(root);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[64], target[32];

	(void)argc;
	(void)argv;
	if (!mkdtemp(root) || atexit(remove_root) != 0)
		exit(2);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
		if (mkdir(path, 0700) < 0)
			exit(2);
	}
	for (size_t i = 0; i < NR_FILES; i++) {
		fds[i] = fuzz_file("", 0, target);
		snprintf(path, sizeof(path), "%s/%s", root, files[i]);
		if (symlink(target, path) < 0)
			exit(2);
	}
	return 0;
}

struct taken {
	struct event_desc event;
	struct decoder decoder;
};

static int take(void *arg, const void *record, size_t size, struct err *err)
{
	struct taken *t = arg;
	struct record out;

	(void)err;
	fuzz_assert(size % 8 == 0 && size >= 8 && record_header(record, false).size == size);
	fuzz_assert(record_decode(&t->decoder, record, &out, NULL) == 0);
	if (out.type == PERF_RECORD_MMAP || out.type == PERF_RECORD_MMAP2)
		fuzz_assert(out.mmap.filename[0] && strlen(out.mmap.filename) < 4096);
	else if (out.type == PERF_RECORD_COMM)
		fuzz_assert(strlen(out.comm.comm) < 16);
	else
		fuzz_assert(out.type == PERF_RECORD_FORK);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct thread_id thread = { 70, 70 };
	static char name[] = "fuzz";
	const uint8_t *at = bytes + 1, *end = bytes + size;
	struct taken t = { .event = { .name = name } };
	struct event_set events = { .v = &t.event, .nr = 1 };
	struct synth synth = { .sink = take, .arg = &t, .buildids = buildids_new(), .proc = root };
	struct perf_event_attr *attr = &t.event.attr;

	if (!size) {
		buildids_free(synth.buildids);
		return 0;
	}
	attr->sample_type = PERF_SAMPLE_IP | (bytes[0] & 1 ? PERF_SAMPLE_TID : 0) |
			    (bytes[0] & 2 ? PERF_SAMPLE_TIME : 0) | (bytes[0] & 4 ? PERF_SAMPLE_CPU : 0) |
			    (bytes[0] & 8 ? PERF_SAMPLE_STREAM_ID : 0);
	attr->sample_id_all = 1;
	synth.sample_type = attr->sample_type;
	synth.mmap_data = bytes[0] & 16;
	for (size_t i = 0; i < NR_FILES; i++) {
		size_t n = strnlen((const char *)at, (size_t)(end - at));

		if (i == NR_FILES - 1)
			n = (size_t)(end - at);
		if (ftruncate(fds[i], 0) < 0 || pwrite(fds[i], at, n, 0) != (ssize_t)n)
			exit(2);
		at += n < (size_t)(end - at) ? n + 1 : n;
	}
	decoder_init(&t.decoder, &events, false);
	synth_threads(&synth, &thread, 1, NULL);
	synth_kernel(&synth, NULL);
	decoder_release(&t.decoder);
	buildids_free(synth.buildids);
	return 0;
}
