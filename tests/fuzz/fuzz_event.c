/* SPDX-License-Identifier: MIT */
/* What stands behind -e, a NUL, a filter; on the machine of tests/attr/fixtures/x86.txt. */
#include <ftw.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "engine/event.h"
#include "tests/fuzz/fuzz.h"

static char root[64], sysfs[80], tracefs[80];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void remove_machine(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_file(const char *path, const char *content)
{
	struct str full = STR_INIT;
	FILE *out;

	str_addf(&full, "%s/%s", root, path);
	for (char *p = full.p + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full.p, 0755);
		*p = '/';
	}
	out = fopen(full.p, "w");
	fuzz_assert(out);
	fprintf(out, "%s\n", content);
	fclose(out);
	str_release(&full);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *shm = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char *text = file_read_all("tests/attr/fixtures/x86.txt", 1 << 20, NULL), *save = NULL;

	(void)argc, (void)argv;
	if (!text) {
		fprintf(stderr, "run this from the top of the tree: no tests/attr/fixtures/x86.txt\n");
		exit(2);
	}
	snprintf(root, sizeof(root), "%s/fuzz-event-XXXXXX", shm);
	fuzz_assert(mkdtemp(root));
	atexit(remove_machine);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *tab = strchr(line, '\t');

		fuzz_assert(tab);
		*tab = '\0';
		make_file(line, tab + 1);
	}
	free(text);
	make_file("sys/bus/event_source/devices/tracepoint/type", "2");
	make_file("sys/bus/event_source/devices/software/type", "1");
	snprintf(sysfs, sizeof(sysfs), "%s/sys", root);
	snprintf(tracefs, sizeof(tracefs), "%s/tracing", root);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const struct event_env env = { sysfs, tracefs };
	const uint8_t *at = bytes, *end = bytes + size;
	char *text = fuzz_string(&at, end), *filter = fuzz_string(&at, end);
	struct event_list list = { 0 };
	struct err err = { 0, "" };

	if (text && event_parse(&list, text, &env, &err) < 0) {
		fuzz_assert(err.code > 0 && err.msg[0] && !list.nr);
	} else if (text) {
		for (uint32_t i = 0; i < list.nr; i++)
			fuzz_assert(list.v[i].name && list.v[i].pmu && list.v[i].leader <= i);
		if (filter)
			event_filter(&list, filter, &env, &err);
	}
	event_list_release(&list);
	free(text);
	free(filter);
	return 0;
}
