/* SPDX-License-Identifier: MIT */
/* process_priv: what process.c (the table), process_image.c, process_space.c and process_lasting.c share.  Not for others. */
#ifndef PROFILE_PROCESS_PRIV_H
#define PROFILE_PROCESS_PRIV_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/vec.h"
#include "profile/process.h"

struct image {
	uint32_t pid, index, space;
	uint64_t layout;                 /* hash of its mappings and its parent's */
	int32_t ppid;
	uint64_t from_ns;
	const struct image *parent;      /* whose mappings it was forked with, or NULL */
	const struct image *before;      /* what an exec replaced, or NULL */
	uint64_t settled_ns;             /* from then on nothing of it can be left on the stack */
	bool exited;
	struct module *jit;              /* see image_jit */
	uint32_t first_map, last_map;    /* changes that are its mappings, +1, until they are gathered */
	/* In the table's arena. */
	struct { struct mapping *v; size_t nr; } maps;   /* when frozen: by start, then by time */
	uint64_t *max_end;               /* greatest end among maps[0..i] */
	struct { uint64_t *v; size_t nr; } epochs;       /* when each epoch after the first begins */
};

/* Side-band in the order of the file, until it is sorted by time. */
struct change {
	uint64_t time_ns;
	enum { CHANGE_MAP, CHANGE_COMM, CHANGE_FORK, CHANGE_EXIT } kind;
	bool exec, inherit;
	bool untimed;                    /* a recording without times: all is in file order */
	bool has_comm;                   /* of a fork: what its parent was called is known */
	uint32_t pid, tid;
	uint32_t next;                   /* the image's next mapping, +1 */
	union {
		struct { uint32_t ppid, ptid, comm; };
		struct mapping map;
	};
};

#define CHUNK_CHANGES 16384u             /* a power of two */

struct change_chunk { struct change v[CHUNK_CHANGES]; };

struct comm_change {
	uint64_t from_ns;
	uint32_t comm;
};

/* All images of a pid, or all names of a tid, in time; in the table's arena. */
struct task {
	struct { struct image **v; uint32_t nr, cap; } images;
	struct { struct comm_change *v; uint32_t nr, cap; } comms;
};

/* The module that a file name was of when it was mapped last. */
struct known_file {
	struct module *module;           /* NULL: nothing is known */
	size_t nr_modules;               /* had been made then: another one may be of the same path */
};

struct process_table {
	struct arena arena;
	struct module_set *modules;
	struct intern strings;           /* comms and file names */
	VEC(struct known_file) files;    /* by id of the name */
	VEC(struct change_chunk *) chunks;
	size_t nr_changes;
	VEC(uint64_t) epochs;            /* of the image that is being frozen */
	VEC(struct image *) images;
	VEC(struct task *) tasks;
	struct map64 by_tid;             /* tid (or pid) -> index into tasks */
	struct image kernel, nobody;
	const struct mapping *kernel_text;
	bool frozen, lasting;
};

static inline struct change *change_at(const struct process_table *t, size_t i)
{
	return &t->chunks.v[i / CHUNK_CHANGES]->v[i % CHUNK_CHANGES];
}

/* Forget all changes from the one at `nr` on. */
void process_changes_cut(struct process_table *table, size_t nr);

/* What a frozen table is made of, but for the strings and the changes. */
void process_table_dissolve(struct process_table *table);

/* Put the image's gathered mappings in order, and find its epochs. */
void process_image_freeze(struct process_table *table, struct image *image);

/*
 * Give the image the number of its space. `spaces` is what is known so far, empty at
 * first; it was done for parent and predecessor, and the mappings are still in time.
 */
void space_set(struct map64 *spaces, struct image *image);

#endif
