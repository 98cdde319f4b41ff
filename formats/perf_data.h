/* SPDX-License-Identifier: MIT */
/*
 * perf_data: perf.data files and pipes, read.  (Writing: formats/perf_write.)
 *
 *	seekable:  header | attrs+ids | data ................. | features
 *	pipe:      16-byte header | ATTR, FEATURE, ... records | data ... (one stream)
 *
 *	directory: "data", a seekable file, and data.0, data.1, ... with more records
 *
 * (tools/perf/Documentation/perf.data-file-format.txt and
 * perf.data-directory-format.txt of Linux 6.12; both magics "PERFFILE" and
 * "PERFILE2"; both byte orders.)
 *
 * A recording is opened once; its events and features are then plain data.  The
 * data section is handed out in blocks of whole records, in file order, as often
 * as asked; compressed records are opened on the way, so that a consumer sees
 * only plain ones.  A pipe or standard input is first copied to an unlinked file.
 *
 * Damage does not end the reading: what is whole up to it is given, its offset
 * is kept in a list, and reading goes on at the next place where records can be
 * recognised.
 *
 * Threads: perf_data is read-only after open, and each blocks belongs to one
 * thread; a struct block may be given to another.
 */
#ifndef FORMATS_PERF_DATA_H
#define FORMATS_PERF_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "formats/record.h"
#include "formats/stack_text.h"

/* Feature sections (tools/perf/util/header.h of Linux 6.12). */
enum perf_feature {
	FEATURE_TRACING_DATA = 1,
	FEATURE_BUILD_ID,
	FEATURE_HOSTNAME,
	FEATURE_OSRELEASE,
	FEATURE_VERSION,
	FEATURE_ARCH,
	FEATURE_NRCPUS,
	FEATURE_CPUDESC,
	FEATURE_CPUID,
	FEATURE_TOTAL_MEM,
	FEATURE_CMDLINE,
	FEATURE_EVENT_DESC,
	FEATURE_CPU_TOPOLOGY,
	FEATURE_NUMA_TOPOLOGY,
	FEATURE_BRANCH_STACK,
	FEATURE_PMU_MAPPINGS,
	FEATURE_GROUP_DESC,
	FEATURE_AUXTRACE,
	FEATURE_STAT,
	FEATURE_CACHE,
	FEATURE_SAMPLE_TIME,
	FEATURE_MEM_TOPOLOGY,
	FEATURE_CLOCKID,
	FEATURE_DIR_FORMAT,
	FEATURE_BPF_PROG_INFO,
	FEATURE_BPF_BTF,
	FEATURE_COMPRESSED,
	FEATURE_CPU_PMU_CAPS,
	FEATURE_CLOCK_DATA,
	FEATURE_HYBRID_TOPOLOGY,
	FEATURE_PMU_CAPS,
	FEATURE_MAX = 256,
};

/* A build-id that the recording states for a file. */
struct build_id_entry {
	const char *filename;
	uint8_t size, build_id[BUILD_ID_MAX];
	uint16_t misc;                   /* PERF_RECORD_MISC_KERNEL, _USER, ... */
	int32_t pid;
};

/* A feature section as it stands in the file; decoded ones are in perf_data too. */
struct feature_section {
	bool present;
	const uint8_t *bytes;            /* file's byte order */
	uint64_t size, file_off;
};

struct damage {
	uint64_t file_off;               /* of the first byte that cannot be used */
	uint64_t skipped_bytes;          /* up to the next record that can, or the end */
	char what[120];
};

struct perf_data {
	const char *path;                /* as given; "-" for standard input */
	bool swap;                       /* the other byte order */
	bool is_pipe;
	bool is_directory;               /* several files, each in an order of its own */
	bool unfinished;                 /* the recorder did not close it (killed) */
	uint64_t file_size, data_off, data_size;
	struct event_set events;

	/* features that are strings: NULL where the file has none */
	const char *hostname, *os_release, *version, *arch, *cpudesc, *cpuid;
	uint32_t nr_cpus_avail, nr_cpus_online;
	uint64_t total_mem_kb;
	const char **cmdline;            /* NULL-terminated, or NULL */
	uint64_t first_sample_ns, last_sample_ns;    /* 0 where not stated */
	uint64_t clockid, clockid_res_ns;            /* clockid is ~0 where not stated */
	uint64_t created_s;              /* st_mtime of the file */
	struct build_id_entry *build_ids;
	uint32_t nr_build_ids;
	struct feature_section features[FEATURE_MAX];
	struct feature_section pack;     /* names that travel with the file; see formats/pack.h */
	const uint8_t *tracing_data;     /* NULL where there is none */
	uint64_t tracing_data_size;

	struct { enum stack_text_form form; const void *bytes; uint64_t size; } text;   /* instead of records */
	struct damage *damages;          /* found while opening */
	uint32_t nr_damages;
	struct perf_data_priv *priv;
};

/*
 * Open the recording at `path` ("-": standard input). *out is the caller's to
 * close. Errors: the errno of open or read; -EBADMSG for a file that is not
 * perf.data or whose header is damaged; the message says which.
 */
int perf_data_open(struct perf_data **out, const char *path, struct err *err);

/*
 * The same, and text of stacks (formats/stack_text.h) as well: its events are those that
 * the text names, and it has no records, only `text`.
 */
int perf_data_open_stacks(struct perf_data **out, const char *path, struct err *err);

void perf_data_close(struct perf_data *data);

/* Whole records, one behind the other. `owned` is not NULL when bytes are its. */
struct block {
	const uint8_t *bytes;
	size_t size;
	uint64_t file_off;               /* of bytes[0]; of the compressed record if owned */
	uint64_t seq;                    /* 0, 1, 2, ... in file order */
	void *owned;
	/*
	 * Where those stand that are not samples, for who wants nothing else; borrowed from
	 * the struct blocks until its next, and not in its list.
	 */
	const uint32_t *others;
	uint32_t nr_others, nr_samples;
};

struct blocks;

/* Start over at the first record. Never NULL. */
struct blocks *blocks_new(const struct perf_data *data);

/*
 * Before the first blocks_next: let up to `jobs` threads, the caller's counted, find the
 * records. Blocks come as they would without.
 */
void blocks_scout(struct blocks *blocks, unsigned jobs);

/*
 * The next block (about 1 MB; a block is never empty). Returns 1; 0 at the end;
 * or a negative errno when reading cannot go on at all (decompression failed at
 * the start of the stream, I/O error). The block is released by the caller.
 */
int blocks_next(struct blocks *blocks, struct block *out, struct err *err);
void block_release(struct block *block);

/*
 * Once a reading is through, its blocks need not be found again: the list of those
 * that lie in the file as they are, or NULL if some were made (compression). Borrowed
 * until the next blocks_next.
 */
const struct block *blocks_list(const struct blocks *blocks, size_t *nr);

/* What was passed over so far in this reading; borrowed. */
const struct damage *blocks_damages(const struct blocks *blocks, uint32_t *nr);
void blocks_free(struct blocks *blocks);

/*
 * Step through a block: *at starts at 0. Points at the record at *at and moves
 * *at behind it, or NULL at the block's end. Sizes were checked by blocks_next.
 */
const uint8_t *block_record(const struct block *block, bool swap, size_t *at);

/* Default path to read: "perf.data". */
extern const char perf_data_default_path[];

#endif
