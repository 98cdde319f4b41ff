/* SPDX-License-Identifier: MIT */
#include "symbols/index.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "symbols/cache.h"
#include "symbols/elf_file.h"

#define ORDER_MARK 0x01020304u

static const char magic[8] = { 'S', 'O', 'N', 'D', 'E', 'I', 'D', 'X' };

struct section {
	uint32_t tag, element_size;
	uint64_t offset, bytes;
};

struct header {
	char magic[8];
	uint32_t version, order;
	uint32_t kind, nr_sections;
	uint64_t fingerprint, file_bytes;
	uint8_t build_id_size, build_id[20], zero[3];
	uint64_t hash;                   /* of the header before it and of the sections' list */
};

struct index {
	const uint8_t *bytes;
	size_t nr_bytes;
	const struct header *header;
	const struct section *sections;
	bool mapped;
};

static uint64_t header_hash(const struct header *header, const struct section *sections)
{
	return hash_mix(hash_bytes(header, offsetof(struct header, hash)),
			hash_bytes(sections, header->nr_sections * sizeof(*sections)));
}

static bool sections_fit(const struct index *index)
{
	for (uint32_t i = 0; i < index->header->nr_sections; i++) {
		const struct section *s = &index->sections[i];

		if (s->offset % 8 || s->offset > index->nr_bytes ||
		    s->bytes > index->nr_bytes - s->offset || !s->element_size ||
		    s->bytes % s->element_size)
			return false;
	}
	return true;
}

static bool is_whole(struct index *index, const uint8_t *build_id, uint8_t size, uint32_t kind,
		     uint64_t fingerprint)
{
	const struct header *h = (const void *)index->bytes;

	if (index->nr_bytes < sizeof(*h) || memcmp(h->magic, magic, sizeof(magic)) != 0 ||
	    h->version != INDEX_VERSION || h->order != ORDER_MARK || h->kind != kind ||
	    h->fingerprint != fingerprint || h->file_bytes != index->nr_bytes ||
	    h->build_id_size != size || memcmp(h->build_id, build_id, size) != 0 ||
	    h->nr_sections > INDEX_SECTIONS_MAX ||
	    h->nr_sections * sizeof(struct section) > index->nr_bytes - sizeof(*h))
		return false;
	index->header = h;
	index->sections = (const void *)(h + 1);
	return header_hash(h, index->sections) == h->hash && sections_fit(index);
}

static struct index *open_bytes(const void *bytes, size_t nr_bytes, bool mapped,
				const uint8_t *build_id, uint8_t size, uint32_t kind,
				uint64_t fingerprint)
{
	struct index *index = mem_zalloc(sizeof(*index));

	index->bytes = bytes;
	index->nr_bytes = nr_bytes;
	index->mapped = mapped;
	if (size >= 2 && size <= 20 && is_whole(index, build_id, size, kind, fingerprint))
		return index;
	index_close(index);
	return NULL;
}

struct index *index_open_memory(const void *bytes, size_t nr_bytes, const uint8_t *build_id,
				uint8_t size, uint32_t kind, uint64_t fingerprint)
{
	return open_bytes(bytes, nr_bytes, false, build_id, size, kind, fingerprint);
}

static void file_name(char name[48], const uint8_t *build_id, uint8_t size, uint32_t kind)
{
	cache_build_id_name(name, build_id, size);
	snprintf(name + strlen(name), 6, "-%c%c%c%c", kind & 0x7f, kind >> 8 & 0x7f,
		 kind >> 16 & 0x7f, kind >> 24 & 0x7f);
}

struct index *index_open(const uint8_t *build_id, uint8_t size, uint32_t kind,
			 uint64_t fingerprint)
{
	uint64_t nr_bytes;
	char name[48];
	void *bytes;
	int fd;

	if (size < 2 || size > 20)
		return NULL;
	file_name(name, build_id, size, kind);
	fd = cache_get(CACHE_INDEX, name, &nr_bytes);
	if (fd < 0)
		return NULL;
	bytes = nr_bytes < sizeof(struct header) ? MAP_FAILED :
		mmap(NULL, nr_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return NULL;
	return open_bytes(bytes, nr_bytes, true, build_id, size, kind, fingerprint);
}

void index_close(struct index *index)
{
	if (!index)
		return;
	if (index->mapped)
		munmap((void *)(uintptr_t)index->bytes, index->nr_bytes);
	free(index);
}

const void *index_section(const struct index *index, uint32_t tag, size_t element_size, size_t *nr)
{
	for (uint32_t i = 0; i < index->header->nr_sections; i++) {
		const struct section *s = &index->sections[i];

		if (s->tag != tag)
			continue;
		if (s->element_size != element_size)
			return NULL;
		*nr = s->bytes / element_size;
		return index->bytes + s->offset;
	}
	return NULL;
}

/* --- writing ---------------------------------------------------------------- */

void index_add(struct index_draft *draft, uint32_t tag, size_t element_size, const void *elements,
	       size_t nr)
{
	if (draft->nr == INDEX_SECTIONS_MAX)
		return;
	draft->sections[draft->nr].tag = tag;
	draft->sections[draft->nr].element_size = element_size;
	draft->sections[draft->nr].elements = elements;
	draft->sections[draft->nr++].nr = nr;
}

static int write_all(int fd, const void *bytes, size_t size)
{
	const char *p = bytes;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

static uint64_t section_bytes(const struct index_draft *draft, uint32_t section)
{
	return (uint64_t)draft->sections[section].nr * draft->sections[section].element_size;
}

static int write_head(int fd, const struct index_draft *draft, struct header *header)
{
	struct section *sections = mem_alloc((draft->nr + 1) * sizeof(*sections));
	uint64_t at = sizeof(*header) + draft->nr * sizeof(*sections);
	int ret;

	for (uint32_t i = 0; i < draft->nr; i++) {
		sections[i] = (struct section){
			draft->sections[i].tag, (uint32_t)draft->sections[i].element_size, at,
			section_bytes(draft, i),
		};
		at += (sections[i].bytes + 7) & ~(uint64_t)7;
	}
	header->hash = header_hash(header, sections);
	ret = write_all(fd, header, sizeof(*header));
	if (ret == 0)
		ret = write_all(fd, sections, draft->nr * sizeof(*sections));
	free(sections);
	return ret;
}

/* Pad what was written of a section, and go on to the next one that is not empty. */
static int next_section(struct index_writer *w)
{
	static const char zeros[8];
	int ret = 0;

	while (ret == 0 && !w->left && w->section < w->draft->nr) {
		ret = write_all(w->file.fd, zeros, -section_bytes(w->draft, w->section) & 7);
		if (++w->section < w->draft->nr)
			w->left = section_bytes(w->draft, w->section);
	}
	return ret;
}

static int dropped(struct index_writer *w, int ret)
{
	if (ret < 0)
		cache_drop(&w->file);
	return ret;
}

int index_begin(struct index_writer *w, const struct index_draft *draft)
{
	struct header header = {
		.version = INDEX_VERSION, .order = ORDER_MARK, .kind = draft->kind,
		.nr_sections = draft->nr, .fingerprint = draft->fingerprint,
		.build_id_size = draft->build_id_size,
	};
	uint64_t size = sizeof(header) + draft->nr * sizeof(struct section);
	char name[48];
	int ret;

	if (draft->build_id_size < 2 || draft->build_id_size > 20)
		return -EINVAL;
	for (uint32_t i = 0; i < draft->nr; i++)
		size += (section_bytes(draft, i) + 7) & ~(uint64_t)7;
	memcpy(header.magic, magic, sizeof(magic));
	memcpy(header.build_id, draft->build_id, draft->build_id_size);
	header.file_bytes = size;
	file_name(name, draft->build_id, draft->build_id_size, draft->kind);
	ret = cache_begin(&w->file, CACHE_INDEX, name, size);
	if (ret < 0)
		return ret;
	w->draft = draft;
	w->section = 0;
	w->left = draft->nr ? section_bytes(draft, 0) : 0;
	ret = write_head(w->file.fd, draft, &header);
	return dropped(w, ret < 0 ? ret : next_section(w));
}

int index_put(struct index_writer *w, const void *bytes, size_t size)
{
	const char *p = bytes;
	int ret = 0;

	while (size && ret == 0) {
		size_t n = size < w->left ? size : w->left;

		ret = n ? write_all(w->file.fd, p, n) : -EOVERFLOW;
		p += n;
		size -= n;
		w->left -= n;
		if (ret == 0)
			ret = next_section(w);
	}
	return dropped(w, ret);
}

int index_end(struct index_writer *w)
{
	return w->section < w->draft->nr ? dropped(w, -ENODATA) : cache_keep(&w->file);
}

void index_drop(struct index_writer *w)
{
	cache_drop(&w->file);
}

int index_write(const struct index_draft *draft)
{
	struct index_writer w;
	int ret = index_begin(&w, draft);

	for (uint32_t i = 0; i < draft->nr && ret == 0; i++)
		ret = index_put(&w, draft->sections[i].elements, section_bytes(draft, i));
	return ret == 0 ? index_end(&w) : ret;
}

uint64_t index_hash_file(uint64_t seed, const char *path)
{
	struct stat st;
	uint64_t facts[5] = { 0 };

	if (stat(path, &st) == 0) {
		facts[0] = (uint64_t)st.st_dev;
		facts[1] = (uint64_t)st.st_ino;
		facts[2] = (uint64_t)st.st_size;
		facts[3] = (uint64_t)st.st_mtim.tv_sec;
		facts[4] = (uint64_t)st.st_mtim.tv_nsec;
	}
	return hash_mix(hash_mix(seed, hash_bytes(path, strlen(path))),
			hash_bytes(facts, sizeof(facts)));
}

uint64_t index_fingerprint(const struct elf_file *file, const struct elf_file *debug,
			   uint64_t version)
{
	uint64_t hash = hash_mix(version, elf_file_hash(file));

	if (!debug)
		return hash;
	if (debug->path)
		hash = index_hash_file(hash, debug->path);
	return hash_mix(hash, elf_file_hash(debug));
}
