/* SPDX-License-Identifier: MIT */
/*
 * fuzz: what the harnesses of tests/fuzz have in common.
 *
 * A harness is one file, fuzz_NAME.c, with LLVMFuzzerTestOneInput: hostile bytes in,
 * no result; only a crash, a sanitizer's finding, a hang or a giant allocation is a
 * failure.  It is linked twice: with libFuzzer (make fuzz T=NAME), and with replay.c,
 * which runs what is kept in tests/fuzz/corpus/NAME (make check).
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
/* A harness that has something to set up defines it; libFuzzer and replay.c call it once. */
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

/*
 * libtraceevent 1.7 forgets pieces of formats that it cannot parse.  That is its to
 * mend, and bounded by the size of the format.
 */
#define FUZZ_LIBTRACEEVENT_LEAKS \
	const char *__lsan_default_suppressions(void); \
	const char *__lsan_default_suppressions(void) { return "leak:libtraceevent.so\n"; }

/* What a harness finds wrong by itself, seen as a crash. */
#define fuzz_assert(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what); \
			abort(); \
		} \
	} while (0)

/* A path that never is a file. */
#define NO_FILE "/nonexistent/fuzz"

/* A file in memory with these bytes; its path goes to `path`. Close the result after use. */
static inline int fuzz_file(const void *bytes, size_t size, char path[32])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) {
		perror("memfd");
		exit(2);
	}
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/* Where text goes that nobody reads: every byte is looked at, none is kept. */
static inline FILE *fuzz_sink(void)
{
	static FILE *sink;

	if (!sink)
		sink = fopen("/dev/null", "w");
	if (!sink)
		exit(2);
	return sink;
}

/* The next piece of the input up to a NUL, as a string that the caller frees; NULL at the end. */
static inline char *fuzz_string(const uint8_t **at, const uint8_t *end)
{
	size_t room = (size_t)(end - *at), len = strnlen((const char *)*at, room);
	char *s;

	if (!room)
		return NULL;
	s = malloc(len + 1);
	if (!s)
		exit(2);
	memcpy(s, *at, len);
	s[len] = '\0';
	*at += len < room ? len + 1 : len;
	return s;
}

#endif
