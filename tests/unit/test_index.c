/* SPDX-License-Identifier: MIT */
/* index and cache: what is kept comes back, what is not ours or damaged does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "symbols/cache.h"
#include "symbols/index.h"
#include "symbols/symbols.h"

static char dir[] = "/tmp/test_index.XXXXXX";
static const uint8_t id[20] = { 0xab, 0xcd, 0xef, 1, 2, 3 };

#define ONE INDEX_TAG('o', 'n', 'e', ' ')
#define TWO INDEX_TAG('t', 'w', 'o', ' ')

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? setenv("XDG_CACHE_HOME", dir, 1) : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static int purge(void **state)
{
	(void)state;
	cache_set_limit(CACHE_LIMIT_DEFAULT, NULL);
	return cache_purge(NULL, NULL, NULL);
}

static void path_of(struct str *path, const char *below)
{
	str_clear(path);
	str_addf(path, "%s/sonde/%s", dir, below);
}

static int write_index(uint64_t fingerprint, uint32_t first)
{
	uint32_t numbers[3] = { first, 2, 3 };
	struct index_draft draft = { .build_id_size = 20, .kind = INDEX_SYMS,
				     .fingerprint = fingerprint };

	memcpy(draft.build_id, id, 20);
	index_add(&draft, ONE, 4, numbers, 3);
	index_add(&draft, TWO, 1, "text", 5);
	return index_write(&draft);
}

static void test_comes_back(void **state)
{
	const uint32_t *numbers;
	struct index *index;
	size_t nr;

	(void)state;
	assert_null(index_open(id, 20, INDEX_SYMS, 7));
	assert_int_equal(write_index(7, 1), 0);
	index = index_open(id, 20, INDEX_SYMS, 7);
	assert_non_null(index);
	numbers = index_section(index, ONE, 4, &nr);
	assert_int_equal(nr, 3);
	assert_int_equal(numbers[0] + numbers[1] + numbers[2], 6);
	assert_string_equal(index_section(index, TWO, 1, &nr), "text");
	assert_int_equal(nr, 5);
	assert_null(index_section(index, ONE, 8, &nr));
	assert_null(index_section(index, INDEX_SYMS, 1, &nr));
	index_close(index);
	assert_null(index_open(id, 20, INDEX_SYMS, 8));          /* another fingerprint */
	assert_null(index_open(id, 20, ONE, 7));                 /* another kind */
	assert_null(index_open(id, 19, INDEX_SYMS, 7));
}

static void test_newest_stays(void **state)
{
	struct index *old, *new;
	size_t nr;

	(void)state;
	assert_int_equal(write_index(7, 1), 0);
	old = index_open(id, 20, INDEX_SYMS, 7);
	assert_int_equal(write_index(7, 100), 0);
	new = index_open(id, 20, INDEX_SYMS, 7);
	/* who has the old one open goes on with it */
	assert_int_equal(*(const uint32_t *)index_section(old, ONE, 4, &nr), 1);
	assert_int_equal(*(const uint32_t *)index_section(new, ONE, 4, &nr), 100);
	index_close(old);
	index_close(new);
}

/* Writers at once, and readers meanwhile: each index that opens is one that was written. */
static void test_two_writers(void **state)
{
	pid_t children[3];
	size_t nr;

	(void)state;
	for (int c = 0; c < 3; c++) {
		children[c] = fork();
		if (children[c] == 0) {
			int bad = 0;

			for (uint32_t i = 0; i < 100; i++)
				bad |= write_index(7, (uint32_t)c) != 0;
			_exit(bad);
		}
	}
	for (int i = 0; i < 300; i++) {
		struct index *index = index_open(id, 20, INDEX_SYMS, 7);

		if (!index)
			continue;
		assert_true(*(const uint32_t *)index_section(index, ONE, 4, &nr) < 3);
		index_close(index);
	}
	for (int c = 0; c < 3; c++) {
		int status;

		waitpid(children[c], &status, 0);
		assert_int_equal(status, 0);
	}
}

/* No byte of the header or the list of sections can be another without being noticed. */
static void test_damaged(void **state)
{
	struct str path = STR_INIT;
	uint64_t size;
	uint8_t *bytes;
	int fd, opened = 0;
	const uint32_t head = 72 + 2 * 24;

	(void)state;
	assert_int_equal(write_index(7, 1), 0);
	fd = cache_get(CACHE_INDEX, "abcdef0102030000000000000000000000000000-syms", &size);
	assert_true(fd >= 0);
	assert_int_equal(size, head + 16 + 8);
	bytes = mem_alloc(size);
	assert_int_equal(read(fd, bytes, size), size);
	close(fd);
	for (uint32_t i = 0; i < head; i++) {
		bytes[i] ^= 0x40;
		assert_null(index_open_memory(bytes, size, id, 20, INDEX_SYMS, 7));
		bytes[i] ^= 0x40;
	}
	for (size_t cut = 0; cut < size; cut++)
		opened += index_open_memory(bytes, cut, id, 20, INDEX_SYMS, 7) != NULL;
	assert_int_equal(opened, 0);
	free(bytes);
	str_release(&path);
}

static void test_links_are_not_followed(void **state)
{
	struct str path = STR_INIT, target = STR_INIT;
	struct cache_draft draft;

	(void)state;
	assert_int_equal(write_index(7, 1), 0);
	path_of(&path, "files");
	rmdir(path.p);
	str_addf(&target, "%s/elsewhere", dir);
	assert_int_equal(mkdir(target.p, 0700), 0);
	assert_int_equal(symlink(target.p, path.p), 0);
	assert_true(cache_begin(&draft, CACHE_FILES, "x", 10) < 0);
	assert_int_equal(unlink(path.p), 0);
	/* a link in the place of a file */
	path_of(&path, "index/0000-syms");
	assert_int_equal(symlink("/etc/passwd", path.p), 0);
	assert_true(cache_get(CACHE_INDEX, "0000-syms", NULL) < 0);
	assert_int_equal(unlink(path.p), 0);
	assert_true(cache_get(CACHE_INDEX, "../limit", NULL) < 0);
	str_release(&path);
	str_release(&target);
}

static void test_others_may_not_write(void **state)
{
	struct str path = STR_INIT;
	struct err err;

	(void)state;
	assert_int_equal(write_index(7, 1), 0);
	path_of(&path, "");
	assert_int_equal(chmod(path.p, 0777), 0);
	assert_null(index_open(id, 20, INDEX_SYMS, 7));
	assert_true(write_index(7, 1) < 0);
	assert_true(cache_purge(NULL, NULL, &err) < 0);
	assert_non_null(strstr(err.msg, "others may write"));
	assert_int_equal(chmod(path.p, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path.p, 12345, 12345), 0);
		assert_null(index_open(id, 20, INDEX_SYMS, 7));
		assert_int_equal(chown(path.p, 0, 0), 0);
	}
	str_release(&path);
}

static void put_file(const char *name, size_t size)
{
	struct cache_draft draft;
	char *bytes = mem_zalloc(size);

	memset(bytes, 'x', size);
	assert_int_equal(cache_begin(&draft, CACHE_FILES, name, size), 0);
	assert_int_equal(write(draft.fd, bytes, size), size);
	assert_int_equal(cache_keep(&draft), 0);
	free(bytes);
}

static void count_bytes(const struct cache_entry *entry, void *arg)
{
	*(uint64_t *)arg += entry->bytes;
}

/* What was not used for longest goes first. */
static void test_limit(void **state)
{
	uint64_t bytes = 0;
	char name[8];

	(void)state;
	assert_int_equal(cache_set_limit(1 << 20, NULL), 0);
	assert_int_equal(cache_limit(), 1 << 20);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		put_file(name, 100 << 10);
		assert_true(cache_has(CACHE_FILES, "f0"));       /* and so it was used */
	}
	assert_true(cache_has(CACHE_FILES, "f19"));
	assert_false(cache_has(CACHE_FILES, "f1"));
	assert_int_equal(cache_list(count_bytes, &bytes, NULL), 0);
	assert_in_range(bytes, 500 << 10, 1 << 20);
	assert_int_equal(cache_set_limit(250 << 10, NULL), 0);
	bytes = 0;
	cache_list(count_bytes, &bytes, NULL);
	assert_in_range(bytes, 100 << 10, 250 << 10);
}

static void test_switched_off(void **state)
{
	struct cache_draft draft;

	(void)state;
	assert_int_equal(write_index(7, 1), 0);
	assert_int_equal(cache_set_limit(0, NULL), 0);
	assert_null(index_open(id, 20, INDEX_SYMS, 7));
	assert_true(cache_begin(&draft, CACHE_FILES, "x", 10) < 0);
}

/* The path of the C library that this program runs with. */
static bool find_libc(char path[256])
{
	char line[512], *slash;
	FILE *file = fopen("/proc/self/maps", "r");
	bool found = false;

	while (!found && file && fgets(line, sizeof(line), file)) {
		slash = strchr(line, '/');
		if (!slash || !strstr(slash, "/libc.so.6"))
			continue;
		snprintf(path, 256, "%.*s", (int)strcspn(slash, "\n"), slash);
		found = true;
	}
	if (file)
		fclose(file);
	return found;
}

static uint64_t look_all_over(const char *path, uint64_t *nr_named)
{
	struct module_set *set = module_set_new(NULL);
	struct module *module = module_intern(set, MODULE_FILE, path, NULL, 0);
	uint64_t hash = 0;

	*nr_named = 0;
	for (uint64_t at = 0; at < 0x200000; at += 37) {
		struct symbol symbol;

		module_symbol(module, at, &symbol);
		hash = hash_mix(hash, symbol.start ^ symbol.end ^ symbol.reason);
		if (symbol.name)
			hash = hash_mix(hash, hash_bytes(symbol.name, strlen(symbol.name)));
		*nr_named += symbol.name != NULL;
	}
	module_set_free(set);
	return hash;
}

/* One of the cache's files, rewritten with a byte turned over; 0 at its end. */
static bool damage(const char *path, uint64_t at)
{
	FILE *file = fopen(path, "r+");
	int c = EOF;

	if (!file)
		return false;
	if (fseek(file, (long)at, SEEK_SET) == 0)
		c = fgetc(file);
	if (c != EOF && fseek(file, (long)at, SEEK_SET) == 0)
		fputc(c ^ 0xff, file);
	fclose(file);
	return c != EOF;
}

static char some_index[256];

static void remember(const struct cache_entry *entry, void *arg)
{
	struct str path = STR_INIT;

	(void)arg;
	path_of(&path, "index/");
	str_add(&path, entry->name);
	snprintf(some_index, sizeof(some_index), "%s", path.p);
	str_release(&path);
}

/* The C library's names are the same from the index, and nothing is read out of a damaged one's bounds. */
static void test_names_from_index(void **state)
{
	uint64_t parsed, nr, nr_parsed, bytes = 0;
	char path[256];

	(void)state;
	if (!find_libc(path)) {
		print_message("no libc.so.6 here\n");
		skip();
	}
	parsed = look_all_over(path, &nr_parsed);
	assert_true(nr_parsed > 10000);
	cache_list(count_bytes, &bytes, NULL);
	assert_true(bytes > 50000);
	assert_true(look_all_over(path, &nr) == parsed);
	assert_int_equal(nr, nr_parsed);
	cache_list(remember, NULL, NULL);
	for (uint64_t at = 72; damage(some_index, at); at = at * 2 + 1) {
		look_all_over(path, &nr);
		damage(some_index, at);
	}
	assert_true(look_all_over(path, &nr) == parsed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_comes_back, purge),
		cmocka_unit_test_setup(test_newest_stays, purge),
		cmocka_unit_test_setup(test_two_writers, purge),
		cmocka_unit_test_setup(test_damaged, purge),
		cmocka_unit_test_setup(test_links_are_not_followed, purge),
		cmocka_unit_test_setup(test_others_may_not_write, purge),
		cmocka_unit_test_setup(test_limit, purge),
		cmocka_unit_test_setup(test_switched_off, purge),
		cmocka_unit_test_setup(test_names_from_index, purge),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
