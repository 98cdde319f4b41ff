/* SPDX-License-Identifier: MIT */
/*
 * replay: run a harness over files that are kept, without libFuzzer.
 *
 *	fuzz_NAME PATH...               files, and folders of files
 *	fuzz_NAME --damage FILE...      each file cut before each of its bytes, and with
 *	                                each byte turned over
 *
 * Prints one line per PATH, as TAP has them.  An input that hangs ends the process
 * after HANG_S seconds; what crashes is named on standard error.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

#define HANG_S 30
#define BYTES_MAX (64 << 20)

static char current[4096];
static char how[64];

static void name_current(int sig)
{
	char line[4400];
	int n = snprintf(line, sizeof(line), "\n%s on %s%s\n",
			 sig == SIGALRM ? "hangs" : "crashes", current, how);

	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		_exit(2);
	signal(sig, SIG_DFL);
	raise(sig);
}

static void run(const uint8_t *bytes, size_t size)
{
	/* on the heap and exactly as long as it is, so that ASan sees a byte too far */
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		exit(2);
	memcpy(copy, bytes, size);
	alarm(HANG_S);
	LLVMFuzzerTestOneInput(copy, size);
	alarm(0);
	free(copy);
}

static uint8_t *load(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *bytes;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > BYTES_MAX) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(2);
	}
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes || read(fd, bytes, (size_t)st.st_size) != st.st_size)
		exit(2);
	close(fd);
	*size = (size_t)st.st_size;
	return bytes;
}

static unsigned replay_file(const char *path)
{
	size_t size;
	uint8_t *bytes;

	snprintf(current, sizeof(current), "%s", path);
	bytes = load(path, &size);
	run(bytes, size);
	free(bytes);
	return 1;
}

static unsigned replay(const char *path)
{
	struct dirent **names;
	unsigned done = 0;
	int nr = scandir(path, &names, NULL, alphasort);

	if (nr < 0)
		return replay_file(path);
	for (int i = 0; i < nr; i++) {
		char full[2048];

		snprintf(full, sizeof(full), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			done += replay_file(full);
		free(names[i]);
	}
	free(names);
	return done;
}

static unsigned damage(const char *path)
{
	static const uint8_t turned[] = { 0xff };
	size_t size;
	uint8_t *bytes = load(path, &size);
	unsigned done = 0;

	snprintf(current, sizeof(current), "%s", path);
	for (size_t i = 0; i < size; i++, done++) {
		snprintf(how, sizeof(how), ", cut to %zu bytes", i);
		run(bytes, i);
	}
	for (size_t i = 0; i < size; i++) {
		for (size_t j = 0; j < sizeof(turned); j++, done++) {
			snprintf(how, sizeof(how), ", byte %zu ^ %#x", i, turned[j]);
			bytes[i] ^= turned[j];
			run(bytes, size);
			bytes[i] ^= turned[j];
		}
	}
	free(bytes);
	return done;
}

int main(int argc, char **argv)
{
	bool damaged = argc > 1 && strcmp(argv[1], "--damage") == 0;

	signal(SIGALRM, name_current);
	signal(SIGABRT, name_current);
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = damaged ? 2 : 1; i < argc; i++) {
		unsigned done = damaged ? damage(argv[i]) : replay(argv[i]);

		printf("%s: %u inputs%s\n", argv[i], done, damaged ? ", damaged at every byte" : "");
	}
	return 0;
}
