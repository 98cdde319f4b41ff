/* SPDX-License-Identifier: MIT */
/* output: which file is opened, which is kept, and which link is not followed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/output.h"

static char dir[] = "/tmp/test_output.XXXXXX";

static int setup(void **state)
{
	(void)state;
	unsetenv("SUDO_UID");
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void expect(const char *name, const char *text)
{
	FILE *file = fopen(name, "r");
	char line[64] = "";

	assert_non_null(file);
	(void)!fgets(line, sizeof(line), file);
	fclose(file);
	assert_string_equal(line, text);
}

static void finish(struct output *out, const char *text)
{
	assert_int_equal(write(out->fd, text, strlen(text)), strlen(text));
	close(out->fd);
	output_release(out);
}

static void test_keeps_the_previous(void **state)
{
	struct err err = ERR_INIT;
	struct output out;
	struct stat st;

	(void)state;
	umask(0);
	put("a", "first");
	assert_int_equal(output_open(&out, "a", &err), 0);
	assert_false(out.is_pipe);
	finish(&out, "second");
	expect("a", "second");
	expect("a.old", "first");
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(output_open(&out, "a", &err), 0);
	output_abandon(&out);
	finish(&out, "third");
	expect("a", "second");
	assert_int_equal(access("a.old", F_OK), -1);
}

static void test_links(void **state)
{
	struct err err = ERR_INIT;
	struct output out;
	struct stat st;

	(void)state;
	assert_int_equal(symlink("to", "mine"), 0);
	put("to", "before");
	assert_int_equal(output_open(&out, "mine", &err), 0);
	finish(&out, "after");
	expect("to", "after");
	expect("to.old", "before");
	assert_int_equal(lstat("mine", &st), 0);
	assert_true(S_ISLNK(st.st_mode));

	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(output_open(&out, "loop", &err), -ELOOP);
	output_release(&out);
	if (geteuid() != 0)
		return;
	put("victim", "precious");
	assert_int_equal(symlink("victim", "theirs"), 0);
	assert_int_equal(lchown("theirs", 12345, 12345), 0);
	assert_int_equal(output_open(&out, "theirs", &err), -ELOOP);
	output_release(&out);
	assert_int_equal(output_check("theirs", &err), -ELOOP);
	assert_non_null(strstr(err.msg, "another user (uid 12345)"));
	expect("victim", "precious");
	assert_int_equal(access("victim.old", F_OK), -1);
}

static void test_not_writable(void **state)
{
	struct err err = ERR_INIT;
	struct output out;

	(void)state;
	assert_int_equal(output_check("no/such/folder", &err), -ENOENT);
	assert_int_equal(output_check("/", &err), -EISDIR);
	assert_int_equal(output_open(&out, "/", &err), -EISDIR);
	output_release(&out);
	assert_int_equal(output_check("new", &err), 0);
	assert_int_equal(access("new", F_OK), -1);
	assert_int_equal(output_check("/dev/null", &err), 0);
}

/* In directory format: a folder with data and data.0, each of one line. */
static void make_parts(const char *path, const char *text)
{
	struct err err = ERR_INIT;
	struct output out;
	int part;

	assert_int_equal(output_check_recording(path, true, &err), 0);
	assert_int_equal(output_open_parts(&out, path, &err), 0);
	part = output_add_part(&out, &err);
	assert_true(part >= 0);
	assert_int_equal(write(part, text, strlen(text)), strlen(text));
	close(part);
	finish(&out, text);
}

static void test_folders(void **state)
{
	struct rlimit old, none;
	struct err err = ERR_INIT;
	struct output out;
	struct stat st;

	(void)state;
	umask(0);
	make_parts("f", "first");
	assert_int_equal(stat("f", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat("f/data.0", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* over each other, in every order */
	make_parts("f/", "second");
	expect("f/data", "second");
	expect("f.old/data.0", "first");
	make_parts("f", "third");
	expect("f/data.0", "third");
	expect("f.old/data", "second");
	assert_int_equal(output_check_recording("f", false, &err), 0);
	assert_int_equal(output_open(&out, "f", &err), 0);
	finish(&out, "fourth");
	expect("f", "fourth");
	expect("f.old/data", "third");
	make_parts("f", "fifth");
	expect("f/data", "fifth");
	expect("f.old", "fourth");
	/* and taken back */
	assert_int_equal(output_open_parts(&out, "f", &err), 0);
	close(output_add_part(&out, &err));
	output_abandon(&out);
	finish(&out, "sixth");
	expect("f/data", "fifth");
	assert_int_equal(access("f.old", F_OK), -1);
	/* also where no descriptor is left */
	assert_int_equal(output_open_parts(&out, "f", &err), 0);
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = (rlim_t)output_add_part(&out, &err) + 1;
	setrlimit(RLIMIT_NOFILE, &none);
	assert_int_equal(output_add_part(&out, &err), -EMFILE);
	output_abandon(&out);
	setrlimit(RLIMIT_NOFILE, &old);
	close((int)none.rlim_cur - 1);
	finish(&out, "seventh");
	expect("f/data", "fifth");
	assert_int_equal(output_check_recording("/dev/null", true, &err), -EINVAL);
	assert_int_equal(output_check_recording("-", true, &err), -EINVAL);
}

/* Only what is a recording and nothing else is moved. */
static void test_other_folders(void **state)
{
	static const char *const others[] = { "empty", "notes", "near", "deep" };
	struct err err = ERR_INIT;
	struct output out;

	(void)state;
	make_parts("notes", "kept");
	put("notes/notes", "precious");
	make_parts("near", "kept");
	put("near/data.0x", "precious");
	make_parts("deep", "kept");
	assert_int_equal(mkdir("deep/data.1", 0700), 0);
	assert_int_equal(mkdir("empty", 0700), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		assert_int_equal(output_check(others[i], &err), -EISDIR);
		for (int parts = 0; parts < 2; parts++) {
			assert_int_equal(output_check_recording(others[i], parts, &err), -EISDIR);
			assert_int_equal((parts ? output_open_parts : output_open)(&out, others[i], &err),
					 -EISDIR);
			output_release(&out);
		}
	}
	assert_int_equal(output_check_recording(".", true, &err), -EISDIR);
	expect("notes/notes", "precious");
	expect("near/data", "kept");
	/* nor what has come to stand in the way of it */
	make_parts("g", "here");
	assert_int_equal(rename("notes", "g.old"), 0);
	assert_true(output_open_parts(&out, "g", &err) < 0);
	assert_non_null(strstr(err.msg, "'g.old'"));
	output_release(&out);
	expect("g/data", "here");
	expect("g.old/notes", "precious");
}

static void test_pipes_and_devices(void **state)
{
	struct err err = ERR_INIT;
	struct output out;

	(void)state;
	assert_int_equal(output_open(&out, "/dev/null", &err), 0);
	assert_false(out.is_pipe);
	assert_null(out.file);
	finish(&out, "x");
}

static void test_owner_under_sudo(void **state)
{
	struct err err = ERR_INIT;
	struct output out;
	struct stat st;

	(void)state;
	if (geteuid() != 0) {
		print_message("only root can give files away: skipped\n");
		skip();
	}
	setenv("SUDO_UID", "12345", 1);
	setenv("SUDO_GID", "54321", 1);
	assert_int_equal(output_open(&out, "given", &err), 0);
	finish(&out, "x");
	assert_int_equal(stat("given", &st), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 54321);
	unsetenv("SUDO_UID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_the_previous),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_not_writable),
		cmocka_unit_test(test_folders),
		cmocka_unit_test(test_other_folders),
		cmocka_unit_test(test_pipes_and_devices),
		cmocka_unit_test(test_owner_under_sudo),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
