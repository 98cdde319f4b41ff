/* SPDX-License-Identifier: MIT */
/*
 * jitdump: what a JIT wrote of its code, with times (jit-PID.dump).
 *
 *	header: "JiTD" | u32 version | u32 bytes of this header | u32 ELF machine | u32 0
 *	        | u32 pid | u64 time | u64 flags
 *	record: u32 type | u32 bytes | u64 time | by type:
 *	  LOAD       pid, tid | u64 vma, address, size, index | name, NUL | code
 *	  MOVE       pid, tid | u64 vma, old address, new address, size, index
 *	  DEBUG_INFO u64 address, lines | lines: u64 address, u32 line, u32 discriminator,
 *	             file, NUL     of the LOAD that comes next for that address
 *	  CLOSE      nothing
 *	  UNWINDING  u64 bytes, bytes of .eh_frame_hdr, mapped bytes | tables
 *	             of the LOAD that comes next
 *
 * (Linux tools/perf/Documentation/jitdump-specification.txt, version 2 of the text.)
 * In either byte order.  Files are large for the code in them, which is not read.
 * A record that does not fit ends the reading: what was read before stays good, and
 * the last record of a process that was killed is often half written.
 */
#ifndef FORMATS_JITDUMP_H
#define FORMATS_JITDUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define JITDUMP_ARCH_TIME 1ull           /* flag: times are the CPU's, not CLOCK_MONOTONIC's */

enum jitdump_type {
	JITDUMP_LOAD,
	JITDUMP_MOVE,
	JITDUMP_DEBUG_INFO,
	JITDUMP_CLOSE,
	JITDUMP_UNWINDING,
};

struct jitdump_record {
	uint32_t type;                   /* enum jitdump_type; others are passed over */
	uint64_t time_ns;
	uint64_t file_off;               /* of the record */
	uint32_t pid, tid;
	uint64_t addr, size, index;      /* LOAD, MOVE (where it is now), DEBUG_INFO (addr) */
	uint64_t old_addr;               /* MOVE */
	uint64_t code_off;               /* LOAD: of the code in the file */
	const char *name;                /* LOAD; until the next call */
	uint64_t nr_lines;               /* DEBUG_INFO: as stated; jitdump_line tells what is there */
	const uint8_t *bytes;            /* DEBUG_INFO: lines; UNWINDING: tables. Until the next call */
	size_t nr_bytes;
	uint64_t eh_frame_hdr_size, mapped_size;         /* UNWINDING */
};

struct jitdump_line {
	uint64_t addr;
	uint32_t line, discriminator;
	const char *file;                /* in the bytes; "\xff" for the one before is resolved */
};

/* Bytes of the file: like pread. */
typedef ssize_t jitdump_read(void *arg, void *to, size_t size, uint64_t offset);

struct jitdump {
	jitdump_read *read;
	void *arg;
	uint64_t at;
	uint8_t *buf;
	size_t room;
	bool swap;
	uint32_t version, machine, pid;
	uint64_t time_ns, flags;
};

/* Read the header; `read` is called by jitdump_next as well. Nothing to release on failure. */
int jitdump_open(struct jitdump *dump, jitdump_read *read, void *arg, struct err *err);
void jitdump_release(struct jitdump *dump);

/* The next record: 1; 0 at the end; -EBADMSG for one that does not fit, and for ever after. */
int jitdump_next(struct jitdump *dump, struct jitdump_record *out, struct err *err);

/* Lines of DEBUG_INFO bytes, from *at 0 on; `line` holds the one before. False at the end. */
bool jitdump_line(const uint8_t *bytes, size_t nr_bytes, bool swap, size_t *at,
		  struct jitdump_line *line);

#endif
