/* SPDX-License-Identifier: MIT */
#include "profile/lines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

#define INLINES_MAX 64u          /* functions inlined into one another; what is over is cut */

struct found {
	uint32_t nr;
	struct source_frame frames[];
};

struct lines {
	struct arena arena;
	struct map64 found;              /* of (module, address): struct found * */
	struct intern texts;
	bool full_paths;
};

struct lines *lines_new(bool full_paths)
{
	struct lines *l = mem_zalloc(sizeof(*l));

	arena_init(&l->arena);
	intern_init(&l->texts);
	l->full_paths = full_paths;
	return l;
}

void lines_free(struct lines *l)
{
	if (!l)
		return;
	arena_release(&l->arena);
	map64_release(&l->found);
	intern_release(&l->texts);
	free(l);
}

const struct source_frame *lines_find(struct lines *l, struct module *module, uint64_t elf_addr,
				      uint32_t *nr)
{
	struct source_frame frames[INLINES_MAX];
	struct found *found;
	uint64_t *slot;
	bool added;

	*nr = 0;
	if (!module)
		return NULL;
	slot = map64_put(&l->found, hash_mix((uint64_t)(uintptr_t)module, elf_addr), &added);
	if (added) {
		uint32_t n = module_lines(module, elf_addr, frames, INLINES_MAX);

		found = arena_alloc(&l->arena, sizeof(*found) + n * sizeof(*frames));
		found->nr = n;
		memcpy(found->frames, frames, n * sizeof(*frames));
		*slot = (uint64_t)(uintptr_t)found;
	}
	found = (struct found *)(uintptr_t)*slot;
	*nr = found->nr;
	return found->frames;
}

static const struct source_frame *innermost(struct lines *l, const struct profile_frame *f)
{
	uint32_t nr;
	const struct source_frame *found = lines_find(l, f->module, f->elf_addr - f->is_return, &nr);

	return nr && found[0].file && found[0].line ? &found[0] : NULL;
}

static const char *shown(const struct lines *l, const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash && slash[1] && !l->full_paths ? slash + 1 : file;
}

static const char *text(struct lines *l, struct str *s)
{
	const char *kept = intern_str(&l->texts, intern_id(&l->texts, s->p));

	str_release(s);
	return kept;
}

const char *lines_of_frame(struct lines *l, const struct profile_frame *f)
{
	const struct source_frame *at = innermost(l, f);
	struct str s = STR_INIT;

	if (at)
		str_addf(&s, "%s:%" PRIu32, shown(l, at->file), at->line);
	else if (f->name)
		str_addf(&s, "%s+%" PRIu64, f->name, f->elf_addr - f->sym_start);
	else
		str_addf(&s, "%s[%" PRIx64 "]", f->module ? f->module->short_name : "[unknown]", f->elf_addr);
	return text(l, &s);
}

const char *lines_file_of_frame(struct lines *l, const struct profile_frame *f)
{
	const struct source_frame *at = innermost(l, f);
	struct str s = STR_INIT;

	str_add(&s, at ? shown(l, at->file) : "[unknown]");
	return text(l, &s);
}
