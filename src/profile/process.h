/* SPDX-License-Identifier: MIT */
/*
 * process: what was mapped at this address, in this process, at time t; and what
 * was this thread called?  A table that is versioned in time, built from the
 * side-band records (MMAP, MMAP2, COMM, FORK, EXIT, KSYMBOL) of the whole file,
 * then frozen.  After that samples may be looked up in any order, from any thread.
 *
 *	time --->
 *	pid 7   |--- image A (sh) -------| exec |---- image B (ls) ----| EXIT
 *	              |  fork                      ^
 *	pid 9         '--- image C: A as it was ---+--|  (then its own mappings)
 *
 *	image B   [libc       from t1 ................................
 *	          [plugin.so  from t2 ......) replaced at t3 by [other.so
 *	          '----------- epoch 0 -----'----- epoch 1 -------------
 *
 * An image is what runs under a pid from its fork or exec to the next exec, or to
 * the reuse of the pid.  A forked image does not copy its parent's mappings: it
 * points at the parent image and the time of the fork.
 *
 * An epoch of an image ends only when a mapping replaces another that held
 * something else; within one epoch an address has one meaning, so a raw call
 * chain needs to be resolved once per (image, epoch).  A sample that is older than
 * the mapping it lies in (the kernel writes per-CPU rings, so that order within a
 * round is not given) is looked up in what comes next.
 */
#ifndef PROFILE_PROCESS_H
#define PROFILE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/record.h"
#include "symbols/symbols.h"

struct mapping {
	uint64_t start, end, pgoff;      /* run_addr, end exclusive */
	uint64_t from_ns;                /* valid from here to the mapping that covers it */
	struct module *module;
	uint32_t prot, flags;            /* as mmap(2); prot 0: not recorded */
	const char *filename;            /* as recorded */
};

struct process_table;
struct image;

struct process_table *process_table_new(struct module_set *modules);
void process_table_free(struct process_table *table);

/*
 * Take one side-band record, in file order. Other types are ignored. Strings
 * are copied. Records may come in any order of time.
 */
void process_table_add(struct process_table *table, const struct record *record);

/* Sort and link everything. No add after, no lookup before. */
void process_table_freeze(struct process_table *table);

/*
 * For who watches live: before the first add, have the table remember what it was told,
 * so that it can be thawed: then more may be added, and it is to be frozen anew. Images
 * and mappings are new ones then; ids of comms stay, unless
 * they are renewed. What is of tasks that ended before
 * `before_ns`, and that nobody alive was forked from, is forgotten.
 */
void process_table_keep(struct process_table *table);
void process_table_thaw(struct process_table *table, uint64_t before_ns);
/* How many changes it remembers. */
size_t process_table_remembers(const struct process_table *table);

/*
 * While it is thawed: forget the names of tasks and files that nothing remembered has, but for
 * those of `comms`, which is given the ids that they have from now on.
 */
void process_table_renew_names(struct process_table *table, uint32_t *comms, size_t nr);
size_t process_table_names(const struct process_table *table);
/* While it is thawed: set used[index] of the modules that something remembered is mapped from. */
void process_table_mark_modules(struct process_table *table, bool *used);

/* The image that ran as `pid` at `time_ns`; an empty one for a pid never seen. Never NULL. */
const struct image *process_image(const struct process_table *table, uint32_t pid,
				  uint64_t time_ns);
/* The same, and for which times the answer holds: from *from_ns up to *to_ns, exclusive. */
const struct image *process_image_span(const struct process_table *table, uint32_t pid,
				       uint64_t time_ns, uint64_t *from_ns, uint64_t *to_ns);
/* The image with that index, or the empty one. */
const struct image *process_image_at(const struct process_table *table, uint32_t index);
uint32_t image_pid(const struct image *image);
/* Number of the image, from 0. */
uint32_t image_index(const struct image *image);
/*
 * Number of the image's space, from 0, and its epoch at a time: together with a raw chain,
 * a stack's key. Images of one space have the same mappings in the same order, whenever
 * that was: what an address means in an epoch of one it means in that epoch of another.
 */
uint32_t image_space(const struct image *image);
uint32_t image_epoch(const struct image *image, uint64_t time_ns);
/* The same, and for which times the answer holds: from *from_ns up to *to_ns, exclusive. */
uint32_t image_epoch_span(const struct image *image, uint64_t time_ns, uint64_t *from_ns,
			  uint64_t *to_ns);

/*
 * Names that a forked process tells, in a perf map of its own, of memory that it was
 * forked with (a server's worker that goes on to compile); NULL if it does not.
 */
struct module *image_jit(const struct image *image);

/* The user mapping over `addr` at `time_ns`, or NULL. */
const struct mapping *image_find(const struct image *image, uint64_t addr, uint64_t time_ns);

/* The kernel's text, a module or a BPF program over `addr`, or NULL. */
const struct mapping *process_kernel_find(const struct process_table *table, uint64_t addr,
					  uint64_t time_ns);

/* Whether the recorder could see where the kernel's text was: kptr_restrict may hide it. */
bool process_knows_kernel(const struct process_table *table);

/*
 * The comm of a thread at a time, as an id: equal names have equal ids. A thread
 * with no COMM record of its own has the name of its process; one of which
 * nothing is known has an id with PROCESS_COMM_TID set, which reads ":TID".
 */
#define PROCESS_COMM_TID 0x80000000u
uint32_t process_comm(const struct process_table *table, uint32_t pid, uint32_t tid,
		      uint64_t time_ns);
uint32_t process_comm_span(const struct process_table *table, uint32_t pid, uint32_t tid,
			   uint64_t time_ns, uint64_t *from_ns, uint64_t *to_ns);
/* The id of a name that no record tells: of text. By one thread. */
uint32_t process_comm_id(struct process_table *table, const char *name, size_t len);
/* The text of an id: the table's own, or written into buf. */
const char *process_comm_str(const struct process_table *table, uint32_t comm, char buf[16]);

/* The parent's pid of an image, or -1. */
int32_t image_ppid(const struct image *image);

#endif
