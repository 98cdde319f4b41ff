/* SPDX-License-Identifier: MIT */
/*
 * buildids: which file had which build-id while it was recorded.
 *
 * Filled from the MMAP and MMAP2 records on their way to the file, synthesised
 * ones and the kernel's; becomes the BUILD_ID feature at the end.  Each file is
 * read at most once (by device and inode, or by name where only that is known).
 */
#ifndef ENGINE_BUILDIDS_H
#define ENGINE_BUILDIDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

struct buildids;

struct buildids *buildids_new(void);
void buildids_free(struct buildids *ids);

/*
 * The build-id of a file mapped by `pid` (its own root folder is looked at first).
 * Returns its size, 0 if there is none or it cannot be read. maj, min, ino as in
 * /proc/PID/maps; ino 0: not known.
 */
uint8_t buildids_of_file(struct buildids *ids, pid_t pid, const char *path, uint32_t maj,
			 uint32_t min, uint64_t ino, uint8_t build_id[20]);

/* State that `name` has this id; misc: PERF_RECORD_MISC_KERNEL or _USER. */
void buildids_state(struct buildids *ids, uint16_t misc, const char *name,
		    const uint8_t *build_id, uint8_t size);

/* Look at a whole MMAP or MMAP2 record of executable memory. Others are ignored. */
void buildids_note(struct buildids *ids, const void *record);

/*
 * The BUILD_ID section: entries for all files stated or noted. Those noted
 * without an id are read now.
 */
void buildids_section(struct buildids *ids, struct str *out);

#endif
