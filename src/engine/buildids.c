/* SPDX-License-Identifier: MIT */
#include "engine/buildids.h"

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "formats/perf_write.h"
#include "symbols/symbols.h"

struct known {
	uint8_t size, build_id[20];
};

struct entry {
	uint32_t name;                   /* in names */
	uint16_t misc;
	pid_t pid;                       /* that mapped it, for reading it late; 0: stated */
	uint64_t ino;
	struct known id;
};

struct buildids {
	struct intern names;
	VEC(struct entry) entries;
	struct map64 by_key;             /* hash of (name, id) -> entry + 1 */
	VEC(struct known) files;
	struct map64 by_file;            /* hash of (dev, ino) or name -> files + 1 */
};

struct buildids *buildids_new(void)
{
	struct buildids *ids = mem_zalloc(sizeof(*ids));

	intern_init(&ids->names);
	return ids;
}

void buildids_free(struct buildids *ids)
{
	if (!ids)
		return;
	intern_release(&ids->names);
	vec_release(&ids->entries);
	vec_release(&ids->files);
	map64_release(&ids->by_key);
	map64_release(&ids->by_file);
	free(ids);
}

bool buildids_is_file(const char *path)
{
	return path[0] == '/' && path[1] != '/' && !str_starts(path, "/dev/") &&
	       !str_starts(path, "/memfd:") && !str_starts(path, "/SYSV") &&
	       !str_ends(path, " (deleted)");
}

static uint8_t read_as(const char *path, uint64_t ino, uint8_t build_id[20])
{
	struct stat st;
	int n;

	/* The name may lead to another file by now, or in another namespace. */
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || (ino && st.st_ino != ino))
		return 0;
	n = build_id_read(path, build_id);
	return n > 0 ? (uint8_t)n : 0;
}

uint8_t buildids_of_file(struct buildids *ids, pid_t pid, const char *path, uint32_t maj,
			 uint32_t min, uint64_t ino, uint8_t build_id[20])
{
	uint64_t key = ino ? hash_mix((uint64_t)maj << 32 | min, ino) : hash_bytes(path, strlen(path));
	struct known *known;
	uint64_t *slot;
	bool added;

	if (!buildids_is_file(path))
		return 0;
	slot = map64_put(&ids->by_file, key, &added);
	if (added) {
		struct str in_root = STR_INIT;

		known = vec_push(&ids->files);
		memset(known, 0, sizeof(*known));
		*slot = ids->files.nr;
		str_addf(&in_root, "/proc/%d/root%s", pid, path);
		if (pid > 0)
			known->size = read_as(in_root.p, ino, known->build_id);
		if (!known->size)
			known->size = read_as(path, ino, known->build_id);
		str_release(&in_root);
	}
	known = &ids->files.v[*slot - 1];
	memcpy(build_id, known->build_id, sizeof(known->build_id));
	return known->size;
}

static void add(struct buildids *ids, uint16_t misc, const char *name, const struct known *id,
		pid_t pid, uint64_t ino)
{
	uint32_t name_id = intern_id(&ids->names, name);
	uint64_t *slot;
	bool added;

	slot = map64_put(&ids->by_key,
			 hash_mix(name_id, id->size ? hash_bytes(id->build_id, id->size) : ino),
			 &added);
	if (!added)
		return;
	*vec_push(&ids->entries) = (struct entry){ name_id, misc, pid, ino, *id };
	*slot = ids->entries.nr;
}

void buildids_state(struct buildids *ids, uint16_t misc, const char *name,
		    const uint8_t *build_id, uint8_t size)
{
	struct known id = { .size = size > 20 ? 20 : size };

	memcpy(id.build_id, build_id, id.size);
	add(ids, misc, name, &id, 0, 0);
}

void buildids_note(struct buildids *ids, const void *record)
{
	const struct raw_mmap2 *m = record;
	const struct raw_mmap *m1 = record;
	struct known id = { 0 };

	if (m->header.misc & PERF_RECORD_MISC_MMAP_DATA ||
	    (m->header.misc & PERF_RECORD_MISC_CPUMODE_MASK) != PERF_RECORD_MISC_USER)
		return;
	if (m->header.type == PERF_RECORD_MMAP && buildids_is_file(m1->filename)) {
		add(ids, PERF_RECORD_MISC_USER, m1->filename, &id, (pid_t)m1->pid, 0);
	} else if (m->header.type == PERF_RECORD_MMAP2 && (m->prot & PROT_EXEC) &&
		   buildids_is_file(m->filename)) {
		bool has_id = m->header.misc & PERF_RECORD_MISC_MMAP_BUILD_ID;

		if (has_id) {
			id.size = m->build_id_size > 20 ? 20 : m->build_id_size;
			memcpy(id.build_id, m->build_id, id.size);
		}
		add(ids, PERF_RECORD_MISC_USER, m->filename, &id, (pid_t)m->pid,
		    has_id ? 0 : m->ino);
	}
}

void buildids_section(struct buildids *ids, struct str *out)
{
	for (size_t i = 0; i < ids->entries.nr; i++) {
		struct entry *e = &ids->entries.v[i];
		const char *name = intern_str(&ids->names, e->name);

		if (!e->id.size)
			e->id.size = buildids_of_file(ids, e->pid, name, 0, 0, e->ino, e->id.build_id);
		if (e->id.size)
			perf_put_build_id(out, e->misc, -1, e->id.build_id, e->id.size, name);
	}
}
