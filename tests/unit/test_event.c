/* SPDX-License-Identifier: MIT */
/* Event texts against tests/attr/NAME.golden, on the machines of tests/attr/fixtures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "engine/event.h"
#include "engine/event_legacy.h"
#include "engine/tracefs.h"

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void make_file(const char *root, const char *path, const char *content)
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
	assert_non_null(out);
	fprintf(out, "%s\n", content);
	fclose(out);
	str_release(&full);
}

/* Lay the fixture out as files below `root`. */
static void make_machine(const char *root, const char *name)
{
	char path[128], *text, *save = NULL;

	snprintf(path, sizeof(path), "tests/attr/fixtures/%s.txt", name);
	text = file_read_all(path, 1 << 20, NULL);
	assert_non_null(text);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *tab = strchr(line, '\t');

		assert_non_null(tab);
		*tab = '\0';
		make_file(root, line, tab + 1);
	}
	free(text);
}

static void add_excludes(struct str *s, const struct perf_event_attr *attr)
{
	str_addf(s, " %s%s%s%s%s%s", attr->exclude_user ? "u" : "", attr->exclude_kernel ? "k" : "",
		 attr->exclude_hv ? "h" : "", attr->exclude_guest ? "g" : "",
		 attr->exclude_host ? "o" : "", attr->exclude_idle ? "i" : "");
	if (s->p[s->len - 1] == ' ')
		str_addc(s, '-');
}

static void add_event(struct str *s, const struct event *event, uint32_t index)
{
	const struct perf_event_attr *attr = &event->attr;
	bool breakpoint = attr->type == PERF_TYPE_BREAKPOINT;

	str_addf(s, "  %s %s %u %#" PRIx64, event->name, event->pmu, attr->type,
		 (uint64_t)attr->config);
	if (attr->config1)
		str_addf(s, " config1=%#" PRIx64, (uint64_t)attr->config1);
	if (attr->config2)
		str_addf(s, " config2=%#" PRIx64, (uint64_t)attr->config2);
	add_excludes(s, attr);
	if (breakpoint)
		str_addf(s, " bp=%u", attr->bp_type);
	assert_int_equal(attr->precise_ip, event->precise);
	assert_int_equal(attr->size, sizeof(*attr));
	if (event->precise)
		str_addf(s, " precise=%d", event->precise);
	if (event->precise_max)
		str_add(s, " precise=max");
	if (event->leader != index)
		str_addf(s, " leader=%u", event->leader);
	assert_int_equal(attr->pinned, event->pinned);
	assert_int_equal(attr->exclusive, event->exclusive);
	str_add(s, event->pinned ? " pinned" : "");
	str_add(s, event->exclusive ? " exclusive" : "");
	str_add(s, event->sample_read ? " S" : "");
	str_add(s, event->weak ? " weak" : "");
	if (event->unit)
		str_addf(s, " unit=%s", event->unit);
	if (event->scale != 1.0)
		str_addf(s, " scale=%g", event->scale);
	if (event->cpus)
		str_addf(s, " cpus=%s", event->cpus);
	if (event->has_period && !attr->freq)
		str_addf(s, " period=%" PRIu64, (uint64_t)attr->sample_period);
	if (event->has_freq && attr->freq)
		str_addf(s, " freq=%" PRIu64, (uint64_t)attr->sample_freq);
	if (event->tool)
		str_addf(s, " tool=%d", event->tool);
	if (event->call_graph)
		str_addf(s, " call-graph=%s", event->call_graph);
	if (event->stack_size)
		str_addf(s, " stack-size=%u", event->stack_size);
	if (event->max_stack)
		str_addf(s, " max-stack=%d", event->max_stack);
	if (event->time >= 0)
		str_addf(s, " time=%d", event->time);
	if (event->inherit >= 0)
		str_addf(s, " inherit=%d", event->inherit);
	str_addc(s, '\n');
}

/* Compare one text with its lines; a message's line has only to be its start. */
static bool check_text(const char *text, const char *want, const struct event_env *env)
{
	struct event_list list = { 0 };
	struct str got = STR_INIT;
	struct err err = ERR_INIT;
	bool ok;

	if (event_parse(&list, text, env, &err) < 0) {
		str_addf(&got, "  ! %s\n", err.msg);
		assert_int_equal(list.nr, 0);
		ok = str_starts(want, "  ! ") && strncmp(got.p, want, strlen(want) - 1) == 0;
	} else {
		for (uint32_t i = 0; i < list.nr; i++)
			add_event(&got, &list.v[i], i);
		ok = strcmp(got.p, want) == 0;
	}
	if (!ok)
		print_error("-e %s\nexpected\n%sgot\n%s", text, want, got.p);
	event_list_release(&list);
	str_release(&got);
	return ok;
}

static void check_golden(const char *name)
{
	char root[] = "/tmp/sonde-test-XXXXXX", path[128], sysfs[64], tracefs[64];
	struct event_env env = { sysfs, tracefs };
	struct str want = STR_INIT;
	char *text, *line, *event = NULL;
	int failed = 0, checked = 0;

	assert_non_null(mkdtemp(root));
	snprintf(sysfs, sizeof(sysfs), "%s/sys", root);
	snprintf(tracefs, sizeof(tracefs), "%s/tracing", root);
	make_machine(root, name);
	snprintf(path, sizeof(path), "tests/attr/%s.golden", name);
	text = file_read_all(path, 1 << 20, NULL);
	assert_non_null(text);
	/* strtok would swallow nothing but empty lines, of which there are none. */
	for (char *save = NULL, *next = text;; next = NULL) {
		line = strtok_r(next, "\n", &save);
		if (line && line[0] == ' ') {
			str_addf(&want, "%s\n", line);
			continue;
		}
		if (event) {
			failed += !check_text(event, want.p, &env);
			checked++;
		}
		str_clear(&want);
		event = line && line[0] != '#' ? line : NULL;
		if (!line)
			break;
	}
	free(text);
	str_release(&want);
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	assert_true(checked > 2);
	assert_int_equal(failed, 0);
}

static void golden(void **state)
{
	check_golden(*state);
}

static void keeps_the_list_on_failure(void **state)
{
	struct event_list list = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(event_parse(&list, "cs,faults", NULL, NULL), 0);
	assert_true(event_parse(&list, "cs,nonsense_event_name", NULL, &err) < 0);
	assert_int_equal(list.nr, 2);
	assert_string_equal(list.v[1].name, "faults");
	event_list_release(&list);
}

/* Every customary name of a cache event is read back as the config it stands for. */
static void cache_names_round_trip(void **state)
{
	uint64_t want, got;
	char name[64];
	size_t i;

	(void)state;
	for (i = 0; event_legacy_cache_at(i, name, &want); i++) {
		assert_true(event_legacy_cache(name, strlen(name), &got));
		assert_int_equal(got, want);
	}
	/* Three ops for L1d, LL, dTLB, node; two for L1i; one for iTLB, bpu; hits and misses. */
	assert_int_equal(i, 2 * (4 * 3 + 2 + 2));
}

static const char format_text[] =
	"name: sched_switch\nID: 314\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	"\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
	"\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
	"\tfield:__data_loc char[] name;\toffset:28;\tsize:4;\tsigned:0;\n"
	"\tfield:const char * filename;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned long args[6];\toffset:40;\tsize:48;\tsigned:0;\n\n"
	"print fmt: \"%s\", REC->prev_comm\n";

static void reads_a_format(void **state)
{
	struct tracefs_format format;

	(void)state;
	tracefs_format_parse(format_text, &format);
	assert_int_equal(format.nr, 7);
	assert_string_equal(format.v[2].name, "prev_comm");
	assert_string_equal(format.v[2].type, "char[16]");
	assert_true(format.v[2].is_string);
	assert_int_equal(format.v[2].size, 16);
	assert_string_equal(format.v[3].type, "pid_t");
	assert_int_equal(format.v[3].offset, 24);
	assert_true(format.v[3].is_signed);
	assert_false(format.v[3].is_string);
	assert_true(format.v[4].is_dynamic && format.v[4].is_string);
	assert_string_equal(format.v[5].name, "filename");
	assert_true(format.v[5].is_string);
	assert_string_equal(format.v[6].name, "args");
	assert_true(format.v[6].is_array && !format.v[6].is_string);
	assert_string_equal(format.print, "\"%s\", REC->prev_comm");
	tracefs_format_release(&format);
}

static void checks_filters(void **state)
{
	static const char *const good[] = {
		"prev_pid > 100", "prev_pid==0x10&&prev_comm ~ \"a*\"", "!(prev_pid == -1)",
		"(prev_pid & 1) || COMM == 'x'", "name != \"\"", "CPU < 2", "common_pid != 5",
		"filename.ustring ~ '/proc*'", "!!(prev_pid>=1)",
	};
	/* The text, the column of the caret, the reason's start. */
	static const struct {
		const char *text;
		int column;
		const char *why;
	} bad[] = {
		{ "prev_pd > 1", 0, "there is no field 'prev_pd'; did you mean 'prev_pid'?" },
		{ "prev_pid 1", 9, "one of ==" },
		{ "prev_pid > x", 11, "a number is expected" },
		{ "prev_pid > 1x", 12, "this is no digit" },
		{ "prev_comm > 1", 10, "a text can be compared" },
		{ "prev_comm == x", 13, "this field is a text; quote" },
		{ "prev_comm == \"x", 13, "the closing quote" },
		{ "prev_pid ~ \"a\"", 9, "~ is for texts" },
		{ "prev_pid == \"a\"", 12, "this field is a number" },
		{ "(prev_pid == 1", 0, "this parenthesis is not closed" },
		{ "prev_pid == 1)", 13, "there is no parenthesis" },
		{ "prev_pid == 1 & prev_pid", 14, "&& or ||" },
		{ "prev_pid == 1 && ", 17, "a field's name" },
		{ "", 0, "a field's name" },
		{ "prev_pid == 99999999999999999999", 12, "the number does not fit" },
	};
	struct tracefs_format format;
	struct err err = ERR_INIT;

	(void)state;
	tracefs_format_parse(format_text, &format);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (event_filter_check(good[i], "sched:sched_switch", &format, &err) != 0)
			fail_msg("%s: %s", good[i], err.msg);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct str want = STR_INIT;

		assert_int_equal(event_filter_check(bad[i].text, "s:x", &format, &err), -EINVAL);
		str_addf(&want, "the filter for 's:x' is wrong:\n  %s\n  %*s^ %s", bad[i].text,
			 bad[i].column, "", bad[i].why);
		if (!str_starts(err.msg, want.p))
			fail_msg("expected %s\ngot %s", want.p, err.msg);
		assert_non_null(strstr(err.msg, "fields: prev_comm(text) prev_pid"));
		str_release(&want);
	}
	tracefs_format_release(&format);
}

/* One that was asked for by its number has no name to look the fields up by, whatever it is called. */
static void filters_only_what_is_named(void **state)
{
	static const char *const texts[] = { "tracepoint/config=1/", "tracepoint/config=1,name=foo/" };
	char root[] = "/tmp/sonde-test-XXXXXX", sysfs[64];
	struct event_env env = { sysfs, root };

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(sysfs, sizeof(sysfs), "%s/sys", root);
	make_file(root, "sys/bus/event_source/devices/tracepoint/type", "2");
	for (size_t i = 0; i < 2; i++) {
		struct event_list list = { 0 };
		struct err err = ERR_INIT;

		assert_int_equal(event_parse(&list, texts[i], &env, &err), 0);
		assert_int_equal(list.v[0].attr.type, PERF_TYPE_TRACEPOINT);
		assert_int_equal(event_filter(&list, "common_pid == 3", &env, &err), -EINVAL);
		assert_non_null(strstr(err.msg, i ? "'foo'" : "tracepoint/config=1/"));
		assert_null(list.v[0].filter);
		event_list_release(&list);
	}
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#define GOLDEN(name) { "golden " name, golden, NULL, NULL, (void *)(uintptr_t)name }

int main(void)
{
	const struct CMUnitTest tests[] = {
		GOLDEN("x86"), GOLDEN("hybrid"), GOLDEN("arm64"), GOLDEN("biglittle"),
		GOLDEN("nopmu"), cmocka_unit_test(keeps_the_list_on_failure),
		cmocka_unit_test(cache_names_round_trip), cmocka_unit_test(reads_a_format),
		cmocka_unit_test(checks_filters),
		cmocka_unit_test(filters_only_what_is_named),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
