/* SPDX-License-Identifier: MIT */
/*
 * pack: names that travel inside a perf.data file.
 *
 *	header | ...... the recording as it was ...... | pack section
 *	   '-- event_types {offset, size} -----------------^
 *
 * perf has no place for what others want to add: it takes unknown feature bits when
 * it reads, but perf inject indexes a table of functions with them (header.c,
 * do_write_feat, Linux 6.1; it crashes with bits 63 and 255). So the section hangs on
 * the header's event_types, which perf has ignored since Linux 3.11 and writes as zero
 * ("event_types is ignored", perf.data-file-format.txt): all of perf reads the file as
 * if the section was not there. What stood there in an older recording is kept in the
 * section. All other bytes of the recording stay where and what they were.
 *
 *	section: "SONDEPAK" | u32 version | u32 bytes of this header | u64 offset, u64 size
 *	         of the recording's own event_types | records to the end of the section
 *	record:  u32 type | u32 zero | u64 size of what follows | that, filled up to 8
 *
 * A MODULE record begins a module, and what stands behind it is the module's. Types that
 * are not known are passed over, so there is room for lines and inlined functions; the
 * version grows only when an old reader could not go on. Numbers are little-endian.
 *
 * The section is input: all sizes and offsets are checked, and a damaged one gives what
 * is whole before the damage.
 */
#ifndef FORMATS_PACK_H
#define FORMATS_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

#define PACK_MAGIC "SONDEPAK"
#define PACK_VERSION 1
#define PACK_HEADER_BYTES 32

/* u64 start, u64 end, u32 offset of the name in strings, u32 flags. */
struct pack_symbol {
	uint64_t start, end;             /* addresses as symbols/symbols.h has them */
	uint32_t name, flags;
};

#define PACK_SYMBOL_RANGE 1              /* a stripped function, known by its extent */

/* A PT_LOAD: file offsets to addresses. Four u64. */
struct pack_segment { uint64_t vaddr, memsz, offset, filesz; };

struct pack_module {
	uint32_t kind;                   /* enum module_kind, in the order of version 1 */
	bool is_64bit;
	uint8_t build_id_size, build_id[20];
	const char *path;
	const struct pack_segment *segments;
	uint32_t nr_segments;
	const struct pack_symbol *symbols;
	uint32_t nr_symbols;
	const char *strings;             /* ends with a NUL; names as in the symbol table */
	size_t strings_size;
};

struct pack {
	struct pack_module *modules;
	uint32_t nr_modules;
	uint32_t nr_unknown;             /* records of newer versions, passed over */
	bool damaged;
	struct arena arena;
};

/* The recording's own event_types out of a section's header; false if it is none. */
bool pack_header(const uint8_t *bytes, uint64_t size, uint64_t *event_types_off,
		 uint64_t *event_types_size);

/*
 * Take a section apart; `bytes` are not needed any more afterwards. Never NULL. A section
 * of a newer version, or none at all, is damaged and has no modules.
 */
struct pack *pack_parse(const uint8_t *bytes, uint64_t size);
void pack_free(struct pack *pack);

/* Write a section: the header, then module after module. */
void pack_begin(struct str *out, uint64_t event_types_off, uint64_t event_types_size);
void pack_add(struct str *out, const struct pack_module *module);

#endif
