/* SPDX-License-Identifier: MIT */
/*
 * record: the records of perf_events, decoded in one place for rings and files.
 *
 * In: the bytes of one whole record (struct perf_event_header and what follows,
 * as in linux/perf_event.h, "enum perf_event_type", and for the types from 64 on
 * as perf's tools write them), in host or foreign byte order, at any alignment.
 * Out: plain structs whose pointers borrow from those bytes (or, for foreign
 * byte order, from the decoder's scratch, until its next call).
 *
 *	+--------+------+------+--------------------------+-----------+
 *	| type   | misc | size | body by type             | sample_id |
 *	| u32    | u16  | u16  |                          | (if       |
 *	|        |      |      |                          | sample_id_all)
 *	+--------+------+------+--------------------------+-----------+
 *
 * Every size and count is checked against the record's size before use: a record
 * that contradicts itself is -EBADMSG and nothing of it is believed.
 *
 * Threads: a struct decoder belongs to one thread; struct event_set is read-only
 * once the recording is open.
 */
#ifndef FORMATS_RECORD_H
#define FORMATS_RECORD_H

#include <byteswap.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

/* Words inside a record stand at any alignment. */
typedef uint64_t __attribute__((aligned(1), may_alias)) u64_una;
typedef uint32_t __attribute__((aligned(1), may_alias)) u32_una;
typedef uint16_t __attribute__((aligned(1), may_alias)) u16_una;

/* Records of perf's tools (tools/lib/perf/include/perf/event.h of Linux 6.12). */
enum record_user_type {
	RECORD_HEADER_ATTR = 64,
	RECORD_HEADER_EVENT_TYPE = 65,
	RECORD_HEADER_TRACING_DATA = 66,
	RECORD_HEADER_BUILD_ID = 67,
	RECORD_FINISHED_ROUND = 68,
	RECORD_ID_INDEX = 69,
	RECORD_AUXTRACE_INFO = 70,
	RECORD_AUXTRACE = 71,
	RECORD_AUXTRACE_ERROR = 72,
	RECORD_THREAD_MAP = 73,
	RECORD_CPU_MAP = 74,
	RECORD_STAT_CONFIG = 75,
	RECORD_STAT = 76,
	RECORD_STAT_ROUND = 77,
	RECORD_EVENT_UPDATE = 78,
	RECORD_TIME_CONV = 79,
	RECORD_HEADER_FEATURE = 80,
	RECORD_COMPRESSED = 81,
	RECORD_FINISHED_INIT = 82,
	RECORD_COMPRESSED2 = 83,
	RECORD_BPF_METADATA = 84,
	RECORD_SCHEDSTAT_CPU = 85,
	RECORD_SCHEDSTAT_DOMAIN = 86,
	RECORD_USER_MAX = 87,
};

/* "SAMPLE", "MMAP2", ... or NULL for a type that is not known. */
const char *record_type_name(uint32_t type);

/* One event of a recording. Words are in host order; all memory is the set's. */
struct event_desc {
	struct perf_event_attr attr;     /* zero behind what the file's attr has */
	char *name;                      /* as the user or perf wrote it; never NULL */
	uint64_t *ids;
	uint32_t nr_ids;
	uint32_t index;                  /* place in the set */
	uint32_t leader;                 /* index of the group's leader, own index if none */
	uint32_t nr_members;             /* of the group, on the leader; 1 without a group */
	const char *group_name;          /* on the leader; NULL: none was given. The recording's */
	char *unit;                      /* EVENT_UPDATE; NULL if none */
	double scale;                    /* EVENT_UPDATE; 1.0 if none */
	/*
	 * Where words stand in a sample's body, in u64, -1 where they do not; used when
	 * `is_plain`: no word of variable size before the call chain, nothing behind it
	 * that counting needs. See event_set_index.
	 */
	bool is_plain;
	int8_t at_ip, at_tid, at_time, at_cpu, at_period;
	uint8_t head_words;              /* up to the call chain */
};

struct event_set {
	struct event_desc *v;
	uint32_t nr;
	struct map64 *by_id;             /* sample id -> index; see event_set_index */
	int id_pos;                      /* where in a sample the id stands, in u64; -1: unknown */
	int is_pos;                      /* where from a side-band record's end, in u64; -1: unknown */
	bool sample_id_all;
	bool build_ids;                  /* some event has attr.build_id */
};

/* Build by_id, id_pos, is_pos after the events are complete or changed. */
int event_set_index(struct event_set *set, struct err *err);
void event_set_release(struct event_set *set);

/* The event an id belongs to, or NULL. */
const struct event_desc *event_set_find(const struct event_set *set, uint64_t id);

/*
 * One value of a PERF_SAMPLE_READ. `id` and `lost` are 0 when the format has
 * them not.
 */
struct read_value {
	uint64_t value, id, lost;
};

struct sample_branch {
	uint64_t from, to;
	uint64_t flags;                  /* struct perf_branch_entry's third word, host order */
};

struct sample {
	uint64_t sample_type;            /* which of the fields below are there */
	const struct event_desc *event;
	uint16_t misc;
	uint8_t cpumode;                 /* PERF_RECORD_MISC_KERNEL, _USER, ... */
	uint32_t pid, tid, cpu;          /* -1 where not sampled */
	uint64_t ip, time_ns, addr, id, stream_id, period;

	uint64_t read_format, time_enabled, time_running;
	uint32_t nr_values;
	const struct read_value *values; /* the decoder's, until its next call */

	uint64_t nr_ips;                 /* PERF_SAMPLE_CALLCHAIN, with PERF_CONTEXT_ marks */
	const u64_una *ips;

	uint32_t raw_size;
	const void *raw;                 /* in the file's byte order */

	uint64_t nr_branches, hw_idx;    /* hw_idx is ~0 where not recorded */
	const u64_una *branches;         /* three words each, host order: from, to, flags */

	uint64_t user_abi, user_mask;    /* PERF_SAMPLE_REGS_ABI_..., attr's sample_regs_user */
	const u64_una *user_regs;        /* one word per bit of the mask, lowest first */
	uint64_t stack_size, stack_live; /* bytes copied, bytes of them that are stack */
	const void *stack;
	uint64_t intr_abi, intr_mask;
	const u64_una *intr_regs;

	uint64_t weight;                 /* PERF_SAMPLE_WEIGHT or var1_dw of _STRUCT */
	uint16_t ins_lat, weight3;       /* var2_w, var3_w of PERF_SAMPLE_WEIGHT_STRUCT */
	uint64_t data_src, transaction, phys_addr, cgroup, data_page_size, code_page_size;
	uint64_t aux_size;
	const void *aux;
};

/* A record's trailing sample_id, or a sample's own words. Fields not there are -1. */
struct record_id {
	uint32_t pid, tid, cpu;
	uint64_t time_ns, id, stream_id;
	const struct event_desc *event;  /* NULL: cannot be told */
};

#define BUILD_ID_MAX 20

struct record_mmap {                     /* MMAP and MMAP2 */
	uint32_t pid, tid;
	uint64_t start, len, pgoff;
	bool has_inode;                  /* MMAP2 without a build-id */
	uint32_t maj, min;
	uint64_t ino, ino_generation;
	uint8_t build_id_size;           /* 0: none */
	uint8_t build_id[BUILD_ID_MAX];
	uint32_t prot, flags;            /* 0 for MMAP; PROT_EXEC if not MMAP_DATA */
	const char *filename;
};

struct record_comm { uint32_t pid, tid; bool exec; const char *comm; };
struct record_task { uint32_t pid, ppid, tid, ptid; uint64_t time_ns; };  /* FORK, EXIT */
struct record_lost { uint64_t id, lost; };                               /* LOST */
struct record_lost_samples { uint64_t lost; };
struct record_throttle { uint64_t time_ns, id, stream_id; };
struct record_read { uint32_t pid, tid; uint32_t nr_values; uint64_t time_enabled, time_running;
		     const struct read_value *values; };
struct record_aux { uint64_t offset, size, flags; };
struct record_switch { bool out, preempt; uint32_t next_prev_pid, next_prev_tid; };
struct record_namespaces { uint32_t pid, tid; uint64_t nr; struct { uint64_t dev, ino; } ns[16]; };
struct record_ksymbol { uint64_t addr; uint32_t len; uint16_t ksym_type, flags; const char *name; };
struct record_bpf { uint16_t type, flags; uint32_t id; uint8_t tag[8]; };
struct record_cgroup { uint64_t id; const char *path; };
struct record_text_poke { uint64_t addr; uint16_t old_len, new_len; const uint8_t *bytes; };
struct record_auxtrace { uint64_t size, offset, reference; uint32_t idx, tid, cpu; };
struct record_build_id { int32_t pid; uint8_t size; uint8_t build_id[BUILD_ID_MAX]; uint16_t misc;
			 const char *filename; };

struct record {
	uint32_t type;
	uint16_t misc, size;
	const uint8_t *bytes;            /* the whole record, file's byte order */
	struct record_id id;             /* sample_id_all trailer; for SAMPLE its own words */
	union {
		struct sample sample;
		struct record_mmap mmap;
		struct record_comm comm;
		struct record_task task;
		struct record_lost lost;
		struct record_lost_samples lost_samples;
		struct record_throttle throttle;
		struct record_read read;
		struct record_aux aux;
		struct record_switch sw;
		struct record_namespaces namespaces;
		struct record_ksymbol ksymbol;
		struct record_bpf bpf;
		struct record_cgroup cgroup;
		struct record_text_poke text_poke;
		struct record_auxtrace auxtrace;
		struct record_build_id build_id;
	};
};

struct decoder {
	const struct event_set *events;
	bool swap;                       /* records are in the other byte order */
	uint64_t *scratch;               /* swapped arrays; 64 KB, made at need */
	size_t scratch_used;
	char *text;                      /* names that lack their final NUL */
	struct read_value *values;       /* of a PERF_SAMPLE_READ or a READ record */
	uint64_t values_cap;
};

void decoder_init(struct decoder *decoder, const struct event_set *events, bool swap);
void decoder_release(struct decoder *decoder);

/*
 * Decode the record at `bytes` (at least header.size bytes are there, which is
 * at least 8; record_header tells). Types that are not known leave only the
 * header's fields set and return 0. Returns -EBADMSG, with a message that names
 * the record's type and what does not fit, for one that contradicts itself, and
 * -ENOENT for a sample of an event that is not in the set.
 */
int record_decode(struct decoder *decoder, const uint8_t *bytes, struct record *out,
		  struct err *err);

/*
 * Decode of a sample what counting needs: event, cpumode, pid, tid, cpu, ip,
 * time_ns, period, ips and stack_size. The other fields are left as they are.
 * Errors as record_decode.
 */
int record_decode_brief(struct decoder *decoder, const uint8_t *bytes, struct sample *out);

/*
 * The time of a record alone, as record_decode would find it; 0 where it has none
 * or is damaged.
 */
uint64_t record_time(struct decoder *decoder, const uint8_t *bytes);

/* Header of a record in host order. Reads 8 bytes. */
static inline struct perf_event_header record_header(const uint8_t *bytes, bool swap)
{
	struct perf_event_header h;

	memcpy(&h, bytes, sizeof(h));
	if (swap) {
		h.type = bswap_32(h.type);
		h.misc = bswap_16(h.misc);
		h.size = bswap_16(h.size);
	}
	return h;
}

#endif
