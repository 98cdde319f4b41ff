/* SPDX-License-Identifier: MIT */
/*
 * lines: source lines and inlined functions of a profile's frames, each address asked
 * for once.
 *
 * Strings are the modules' or the table's and live as long as these. For one thread.
 */
#ifndef PROFILE_LINES_H
#define PROFILE_LINES_H

#include "profile/profile.h"

struct lines;

/* `full_paths`: files with their directories. */
struct lines *lines_new(bool full_paths);
void lines_free(struct lines *lines);

/* What stands at an address, innermost first, as module_lines has it; borrowed. */
const struct source_frame *lines_find(struct lines *lines, struct module *module, uint64_t elf_addr,
				      uint32_t *nr);

/*
 * "burn.c:17"; where that is not known as perf has it: "burn+12" or "libc.so.6[1ab78]".
 * Equal texts are one pointer. A caller's line is that of the call.
 */
const char *lines_of_frame(struct lines *lines, const struct profile_frame *frame);
/* "burn.c", or "[unknown]". */
const char *lines_file_of_frame(struct lines *lines, const struct profile_frame *frame);

#endif
