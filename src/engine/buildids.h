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

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

/* As in linux/perf_event.h, PERF_RECORD_MMAP and PERF_RECORD_MMAP2. */
struct raw_mmap {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	char filename[];
};

struct raw_mmap2 {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	union {
		struct {
			uint32_t maj, min;
			uint64_t ino, ino_generation;
		};
		struct {
			uint8_t build_id_size, reserved[3];
			uint8_t build_id[20];
		};
	};
	uint32_t prot, flags;
	char filename[];
};

struct buildids;

struct buildids *buildids_new(void);
void buildids_free(struct buildids *ids);

/* Things in brackets and slashes-slashes are no files; "a (deleted)" is gone. */
bool buildids_is_file(const char *path);

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
