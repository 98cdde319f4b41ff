/* SPDX-License-Identifier: MIT */
/*
 * debuginfod: what is not on this machine, from the servers in $DEBUGINFOD_URLS.
 *
 *	ask    --> four threads, each with a client of libdebuginfod --> its cache
 *	find   <-- a file of its cache, which is looked into first; else waits until what was
 *	           asked for is there, or the deadline
 *
 * There is one deadline for the whole process, which begins with the first question to a
 * server: however many files are asked for, and whatever a server does, an answer is that
 * much later at most.  After it only the library's cache is looked into.
 *
 * Without $DEBUGINFOD_URLS nothing is done and nothing is opened.  The library is opened
 * with the first question (its libcurl has a hundred others below it); its cache, and
 * $DEBUGINFOD_CACHE_PATH and the other variables, are those of debuginfod_find_debuginfo(3).
 *
 * What comes is believed as far as its build-id is the one that was asked for, and is read
 * with the care that every file is.
 *
 * Threads: any. It is one for the process, as its deadline is.
 */
#ifndef SYMBOLS_DEBUGINFOD_H
#define SYMBOLS_DEBUGINFOD_H

#include "symbols/elf_file.h"

#define DEBUGINFOD_WAIT_MS 3000

enum debuginfod_kind {
	DEBUGINFOD_DEBUG,                /* the separate debug file, or dwz's */
	DEBUGINFOD_BINARY,               /* what was mapped */
};

/* Whether there is a server to ask. */
bool debuginfod_is_on(void);

/* Set the deadline, before the first question: 0: DEBUGINFOD_WAIT_MS, negative: ask no one. */
void debuginfod_set_wait(int ms);

/* Begin to fetch a file that debuginfod_find will be called for. */
void debuginfod_ask(enum debuginfod_kind kind, const uint8_t *build_id, uint8_t size);

/* The file, which the caller frees, or NULL. */
struct elf_file *debuginfod_find(enum debuginfod_kind kind, const uint8_t *build_id, uint8_t size);

/*
 * The path of a source file in the library's cache, which the caller frees, or NULL. `name` is
 * the absolute path that the debug information of the binary with this build-id has for it.
 * Nothing tells whether what comes is that file but the server.
 */
char *debuginfod_source(const uint8_t *build_id, uint8_t size, const char *name);

/* End what is still on its way, which takes a second at most. Safe where nothing began. */
void debuginfod_stop(void);

#endif
