/* SPDX-License-Identifier: MIT */
/*
 * sched_file: recordings of the scheduler as kernels of different ages and machines make them,
 * put together byte by byte.
 *
 * The descriptions are those of the kernel's include/trace/events/sched.h at the versions named
 * in sched_forms; where the fields stand is written down a second time, for the raw bytes.
 * Everything is in the byte order of the form. Event 0 is sched_switch, 1 is sched_wakeup.
 */
#ifndef TESTS_UNIT_SCHED_FILE_H
#define TESTS_UNIT_SCHED_FILE_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

#define SWITCH_ID 318u
#define WAKEUP_ID 321u
#define SWITCH_EVENT 7u          /* ids of the perf events */
#define WAKEUP_EVENT 8u

struct sched_form {
	const char *kernel;
	bool big;
	uint8_t long_size;
	const char *switch_format, *wakeup_format;
	/* where the fields stand */
	uint8_t raw_switch, raw_wakeup;          /* bytes in all */
	uint8_t prev_comm, prev_pid, prev_prio, prev_state, next_comm, next_pid, next_prio;
	uint8_t comm, pid, prio, success;        /* of sched_wakeup; success 0: it has none */
	uint64_t preempted;                      /* state of one that was thrown out in the kernel */
	bool tells_preempted, tells_states;
};

#define FIELD(type, offset, size, sign) \
	"\tfield:" type ";\toffset:" #offset ";\tsize:" #size ";\tsigned:" #sign ";\n"
#define HEAD(name, id) "name: " name "\nID: " id "\nformat:\n" \
	FIELD("unsigned short common_type", 0, 2, 0) FIELD("unsigned char common_flags", 2, 1, 0) \
	FIELD("unsigned char common_preempt_count", 3, 1, 0) FIELD("int common_pid", 4, 4, 1)
#define SWITCH_WORDS "print fmt: \"prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s"
#define SWITCH_REST " ==> next_comm=%s next_pid=%d next_prio=%d\", REC->prev_comm, REC->prev_pid, REC->prev_prio, "
#define SWITCH_END ", REC->next_comm, REC->next_pid, REC->next_prio\n"

/* 2.6.32: a lock depth among the common fields, states without "+", success of the wake-up. */
static const char switch_2_6_32[] =
	HEAD("sched_switch", "318") FIELD("int common_lock_depth", 8, 4, 1) "\n"
	FIELD("char prev_comm[TASK_COMM_LEN]", 12, 16, 1) FIELD("pid_t prev_pid", 28, 4, 1)
	FIELD("int prev_prio", 32, 4, 1) FIELD("long prev_state", 40, 8, 1)
	FIELD("char next_comm[TASK_COMM_LEN]", 48, 16, 1) FIELD("pid_t next_pid", 64, 4, 1)
	FIELD("int next_prio", 68, 4, 1) "\n"
	SWITCH_WORDS SWITCH_REST
	"REC->prev_state ? __print_flags(REC->prev_state, \"|\", { 1, \"S\"} , { 2, \"D\" }, { 4, \"T\" }, "
	"{ 8, \"t\" }, { 16, \"Z\" }, { 32, \"X\" }, { 64, \"x\" }, { 128, \"W\" }) : \"R\"" SWITCH_END;
static const char wakeup_2_6_32[] =
	HEAD("sched_wakeup", "321") FIELD("int common_lock_depth", 8, 4, 1) "\n"
	FIELD("char comm[TASK_COMM_LEN]", 12, 16, 1) FIELD("pid_t pid", 28, 4, 1)
	FIELD("int prio", 32, 4, 1) FIELD("int success", 36, 4, 1) FIELD("int cpu", 40, 4, 1) "\n"
	"print fmt: \"task %s:%d [%d] success=%d [%03d]\", REC->comm, REC->pid, REC->prio, REC->success, "
	"REC->cpu\n";

/* 3.10 on a machine of 32 bits: the state is a word of 4 bytes, "+" from 1024 on. */
static const char switch_3_10[] =
	HEAD("sched_switch", "318") "\n"
	FIELD("char prev_comm[16]", 8, 16, 1) FIELD("pid_t prev_pid", 24, 4, 1)
	FIELD("int prev_prio", 28, 4, 1) FIELD("long prev_state", 32, 4, 1)
	FIELD("char next_comm[16]", 36, 16, 1) FIELD("pid_t next_pid", 52, 4, 1)
	FIELD("int next_prio", 56, 4, 1) "\n"
	SWITCH_WORDS "%s" SWITCH_REST
	"REC->prev_state & (1024-1) ? __print_flags(REC->prev_state & (1024-1), \"|\", { 1, \"S\"} , "
	"{ 2, \"D\" }, { 4, \"T\" }, { 8, \"t\" }, { 16, \"Z\" }, { 32, \"X\" }, { 64, \"x\" }, { 128, \"K\" }, "
	"{ 256, \"W\" }, { 512, \"P\" }) : \"R\", REC->prev_state & 1024 ? \"+\" : \"\"" SWITCH_END;
static const char wakeup_3_10[] =
	HEAD("sched_wakeup", "321") "\n"
	FIELD("char comm[16]", 8, 16, 1) FIELD("pid_t pid", 24, 4, 1) FIELD("int prio", 28, 4, 1)
	FIELD("int success", 32, 4, 1) FIELD("int target_cpu", 36, 4, 1) "\n"
	"print fmt: \"comm=%s pid=%d prio=%d success=%d target_cpu=%03d\", REC->comm, REC->pid, REC->prio, "
	"REC->success, REC->target_cpu\n";

/* From 4.14 on: states are those that are reported (TASK_REPORT), "+" is the bit above them. */
#define REPORT "(((0x0000 | 0x0001 | 0x0002 | 0x0004 | 0x0008 | 0x0010 | 0x0020 | 0x0040) + 1) << 1)"
#define SWITCH_64 \
	FIELD("char prev_comm[16]", 8, 16, 0) FIELD("pid_t prev_pid", 24, 4, 1) \
	FIELD("int prev_prio", 28, 4, 1) FIELD("long prev_state", 32, 8, 1) \
	FIELD("char next_comm[16]", 40, 16, 0) FIELD("pid_t next_pid", 56, 4, 1) \
	FIELD("int next_prio", 60, 4, 1) "\n"
static const char switch_6[] =
	HEAD("sched_switch", "318") "\n" SWITCH_64
	SWITCH_WORDS "%s" SWITCH_REST
	"(REC->prev_state & (" REPORT " - 1)) ? __print_flags(REC->prev_state & (" REPORT " - 1), \"|\", "
	"{ 0x0001, \"S\" }, { 0x0002, \"D\" }, { 0x0004, \"T\" }, { 0x0008, \"t\" }, { 0x0010, \"X\" }, "
	"{ 0x0020, \"Z\" }, { 0x0040, \"P\" }, { 0x0080, \"I\" }) : \"R\", REC->prev_state & " REPORT
	" ? \"+\" : \"\"" SWITCH_END;
static const char wakeup_6[] =
	HEAD("sched_wakeup", "321") "\n"
	FIELD("char comm[16]", 8, 16, 0) FIELD("pid_t pid", 24, 4, 1) FIELD("int prio", 28, 4, 1)
	FIELD("int target_cpu", 32, 4, 1) "\n"
	"print fmt: \"comm=%s pid=%d prio=%d target_cpu=%03d\", REC->comm, REC->pid, REC->prio, REC->target_cpu\n";

/* One to come, that prints by a function that is not known: the numbers of states are. */
static const char switch_unknown_words[] =
	HEAD("sched_switch", "318") "\n" SWITCH_64
	"print fmt: \"%s\", sched_switch_text(REC, { 1, \"x\" })\n";

/* One that does not tell how a task left. */
static const char switch_no_state[] =
	HEAD("sched_switch", "318") "\n"
	FIELD("char prev_comm[16]", 8, 16, 0) FIELD("pid_t prev_pid", 24, 4, 1)
	FIELD("int prev_prio", 28, 4, 1)
	FIELD("char next_comm[16]", 40, 16, 0) FIELD("pid_t next_pid", 56, 4, 1)
	FIELD("int next_prio", 60, 4, 1) "\n"
	"print fmt: \"%d ==> %d\", REC->prev_pid, REC->next_pid\n";

#define PLACES_64 .raw_switch = 68, .raw_wakeup = 36, .prev_comm = 8, .prev_pid = 24, .prev_prio = 28, \
	.prev_state = 32, .next_comm = 40, .next_pid = 56, .next_prio = 60, .comm = 8, .pid = 24, .prio = 28

static const struct sched_form sched_forms[] = {
	{ "2.6.32", false, 8, switch_2_6_32, wakeup_2_6_32, .raw_switch = 76, .raw_wakeup = 44,
	  .prev_comm = 12, .prev_pid = 28, .prev_prio = 32, .prev_state = 40, .next_comm = 48,
	  .next_pid = 64, .next_prio = 68, .comm = 12, .pid = 28, .prio = 32, .success = 36,
	  .preempted = 0, .tells_states = true },
	{ "3.10, 32 bits", false, 4, switch_3_10, wakeup_3_10, .raw_switch = 60, .raw_wakeup = 44,
	  .prev_comm = 8, .prev_pid = 24, .prev_prio = 28, .prev_state = 32, .next_comm = 36,
	  .next_pid = 52, .next_prio = 56, .comm = 8, .pid = 24, .prio = 28, .success = 32,
	  .preempted = 1024, .tells_preempted = true, .tells_states = true },
	{ "6.1", false, 8, switch_6, wakeup_6, PLACES_64, .preempted = 0x100, .tells_preempted = true,
	  .tells_states = true },
	{ "6.1, big-endian", true, 8, switch_6, wakeup_6, PLACES_64, .preempted = 0x100,
	  .tells_preempted = true, .tells_states = true },
	{ "with words of its own", false, 8, switch_unknown_words, wakeup_6, PLACES_64, .preempted = 0,
	  .tells_states = true },
	{ "without states", false, 8, switch_no_state, wakeup_6, PLACES_64, .preempted = 0 },
};

#define NR_SCHED_FORMS (sizeof(sched_forms) / sizeof(sched_forms[0]))

/* --- bytes ------------------------------------------------------------------------------------ */

static inline void sf_set(uint8_t *to, const struct sched_form *f, uint64_t v, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		to[f->big ? size - 1 - i : i] = (uint8_t)(v >> 8 * i);
}

static inline void sf_put(struct str *s, const struct sched_form *f, uint64_t v, unsigned size)
{
	uint8_t bytes[8];

	sf_set(bytes, f, v, size);
	str_addn(s, bytes, size);
}

static inline size_t sf_begin(struct str *s, const struct sched_form *f, uint32_t type)
{
	size_t at = s->len;

	sf_put(s, f, type, 4);
	sf_put(s, f, 0, 4);
	return at;
}

static inline void sf_finish(struct str *s, const struct sched_form *f, size_t at)
{
	sf_set((uint8_t *)s->p + at + 6, f, s->len - at, 2);
}

#define SF_SAMPLE_TYPE (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_CPU | PERF_SAMPLE_RAW)

static inline void sf_sample(struct str *s, const struct sched_form *f, uint32_t tid, uint64_t time_ns,
			     uint32_t id, uint32_t cpu, const uint8_t *raw, uint32_t raw_size)
{
	size_t at = sf_begin(s, f, PERF_RECORD_SAMPLE);

	sf_put(s, f, tid, 4);
	sf_put(s, f, tid, 4);
	sf_put(s, f, time_ns, 8);
	sf_put(s, f, id, 8);
	sf_put(s, f, cpu, 4);
	sf_put(s, f, 0, 4);
	sf_put(s, f, raw_size, 4);
	str_addn(s, raw, raw_size);
	sf_finish(s, f, at);
}

static inline void sf_common(uint8_t *raw, const struct sched_form *f, uint16_t type, uint32_t pid)
{
	memset(raw, 0, 80);
	sf_set(raw, f, type, 2);
	sf_set(raw + 4, f, pid, 4);
}

static inline void sf_switch(struct str *s, const struct sched_form *f, uint64_t time_ns, uint32_t cpu,
			     const char *prev, uint32_t prev_tid, uint64_t state, const char *next,
			     uint32_t next_tid)
{
	uint8_t raw[80];

	sf_common(raw, f, SWITCH_ID, prev_tid);
	memcpy(raw + f->prev_comm, prev, strlen(prev));
	sf_set(raw + f->prev_pid, f, prev_tid, 4);
	sf_set(raw + f->prev_prio, f, 120, 4);
	sf_set(raw + f->prev_state, f, state, f->long_size);
	memcpy(raw + f->next_comm, next, strlen(next));
	sf_set(raw + f->next_pid, f, next_tid, 4);
	sf_set(raw + f->next_prio, f, 118, 4);
	sf_sample(s, f, prev_tid, time_ns, SWITCH_EVENT, cpu, raw, f->raw_switch);
}

static inline void sf_wakeup(struct str *s, const struct sched_form *f, uint64_t time_ns, uint32_t cpu,
			     uint32_t by, const char *comm, uint32_t tid)
{
	uint8_t raw[80];

	sf_common(raw, f, WAKEUP_ID, by);
	memcpy(raw + f->comm, comm, strlen(comm));
	sf_set(raw + f->pid, f, tid, 4);
	sf_set(raw + f->prio, f, 120, 4);
	if (f->success)
		sf_set(raw + f->success, f, 1, 4);
	sf_sample(s, f, by, time_ns, WAKEUP_EVENT, cpu, raw, f->raw_wakeup);
}

static inline void sf_lost(struct str *s, const struct sched_form *f, uint64_t time_ns, uint32_t cpu,
			   uint64_t lost)
{
	size_t at = sf_begin(s, f, PERF_RECORD_LOST);

	sf_put(s, f, SWITCH_EVENT, 8);
	sf_put(s, f, lost, 8);
	sf_put(s, f, 0, 4);      /* the sample_id: pid, tid */
	sf_put(s, f, 0, 4);
	sf_put(s, f, time_ns, 8);
	sf_put(s, f, SWITCH_EVENT, 8);
	sf_put(s, f, cpu, 4);
	sf_put(s, f, 0, 4);
	sf_finish(s, f, at);
}

static inline void sf_round(struct str *s, const struct sched_form *f)
{
	sf_finish(s, f, sf_begin(s, f, 68));
}

/* --- the file --------------------------------------------------------------------------------- */

static inline void sf_piece(struct str *s, const struct sched_form *f, const char *text, unsigned width)
{
	sf_put(s, f, strlen(text), width);
	str_add(s, text);
}

/* trace.dat's head, version 6: perf keeps it in the feature TRACING_DATA. */
static inline void sf_tracing(struct str *s, const struct sched_form *f)
{
	str_addn(s, "\x17\x08\x44tracing" "0.6\0", 14);
	str_addc(s, f->big ? 1 : 0);
	str_addc(s, (char)f->long_size);
	sf_put(s, f, 4096, 4);
	str_addn(s, "header_page", 12);
	sf_put(s, f, 0, 8);
	str_addn(s, "header_event", 13);
	sf_put(s, f, 0, 8);
	sf_put(s, f, 0, 4);
	sf_put(s, f, 1, 4);
	str_addn(s, "sched", 6);
	sf_put(s, f, 2, 4);
	sf_piece(s, f, f->switch_format, 8);
	sf_piece(s, f, f->wakeup_format, 8);
	sf_put(s, f, 0, 4);      /* kallsyms */
	sf_put(s, f, 0, 4);      /* printk */
	while (s->len % 8)
		str_addc(s, '\0');
}

#define SF_ATTR 112u

static inline void sf_attr(struct str *s, const struct sched_form *f, uint64_t config, uint64_t ids_at)
{
	const unsigned id_all = 18;
	size_t at = s->len;

	sf_put(s, f, PERF_TYPE_TRACEPOINT, 4);
	sf_put(s, f, SF_ATTR, 4);
	sf_put(s, f, config, 8);
	sf_put(s, f, 1, 8);
	sf_put(s, f, SF_SAMPLE_TYPE, 8);
	sf_put(s, f, 0, 8);
	/* a machine of big endian fills bit fields from the other side */
	sf_put(s, f, (uint64_t)1 << (f->big ? 63 - id_all : id_all), 8);
	while (s->len < at + SF_ATTR)
		str_addc(s, '\0');
	sf_put(s, f, ids_at, 8);
	sf_put(s, f, 8, 8);
}

/* A recording of this form around the records `data`. */
static inline void sf_file(struct str *s, const struct sched_form *f, const struct str *data)
{
	const uint64_t attrs_at = 104 + 16, data_at = attrs_at + 2 * (SF_ATTR + 16);
	struct str tracing = STR_INIT;

	sf_tracing(&tracing, f);
	sf_put(s, f, UINT64_C(0x32454c4946524550), 8);   /* "PERFILE2" */
	sf_put(s, f, 104, 8);
	sf_put(s, f, SF_ATTR + 16, 8);
	sf_put(s, f, attrs_at, 8);
	sf_put(s, f, 2 * (SF_ATTR + 16), 8);
	sf_put(s, f, data_at, 8);
	sf_put(s, f, data->len, 8);
	sf_put(s, f, 0, 8);
	sf_put(s, f, 0, 8);
	/* TRACING_DATA and HOSTNAME, which every file has: by it readers know the order of bits */
	sf_put(s, f, 1u << 1 | 1u << 3, 8);
	sf_put(s, f, 0, 8);
	sf_put(s, f, 0, 8);
	sf_put(s, f, 0, 8);
	sf_put(s, f, SWITCH_EVENT, 8);
	sf_put(s, f, WAKEUP_EVENT, 8);
	sf_attr(s, f, SWITCH_ID, 104);
	sf_attr(s, f, WAKEUP_ID, 112);
	str_addn(s, data->p, data->len);
	sf_put(s, f, data_at + data->len + 32, 8);
	sf_put(s, f, tracing.len, 8);
	sf_put(s, f, data_at + data->len + 32 + tracing.len, 8);
	sf_put(s, f, 4 + 64, 8);
	str_addn(s, tracing.p, tracing.len);
	sf_put(s, f, 64, 4);
	str_add(s, "box");
	for (unsigned i = 3; i < 64; i++)
		str_addc(s, '\0');
	str_release(&tracing);
}

#endif
