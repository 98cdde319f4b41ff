/* SPDX-License-Identifier: MIT */
#include "symbols/packed.h"

#include <stdlib.h>

#include "base/mem.h"
#include "symbols/symtab.h"

struct packed {
	const struct pack_module *module;
	struct symtab *names;
};

/*
 * Of two that start at one address and both are there, the shorter one wins where they
 * overlap, else it would not have been packed: it is added last.
 */
struct packed *packed_new(const struct pack_module *m, bool no_demangle)
{
	struct packed *p = mem_zalloc(sizeof(*p));
	int strings;

	p->module = m;
	p->names = symtab_new(SYMTAB_LAST_WINS | (no_demangle ? SYMTAB_NO_DEMANGLE : 0));
	strings = symtab_add_strings(p->names, m->strings, m->strings_size);
	for (uint32_t i = 0; i < m->nr_symbols; i++)
		symtab_add(p->names, m->symbols[i].start, m->symbols[i].end - m->symbols[i].start,
			   strings, m->symbols[i].name, SYMTAB_GLOBAL);
	symtab_finish(p->names);
	return p;
}

void packed_free(struct packed *p)
{
	if (!p)
		return;
	symtab_free(p->names);
	free(p);
}

/* As they are packed: by start, the longer one first. */
static int by_place(const void *x, const void *y)
{
	const struct pack_symbol *a = x, *b = y;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->end < b->end) - (a->end > b->end);
}

bool packed_find(struct packed *p, uint64_t elf_addr, struct symbol *out)
{
	struct pack_symbol key;
	const struct pack_symbol *found;
	struct symtab_hit hit;

	if (!symtab_find(p->names, elf_addr, &hit))
		return false;
	key = (struct pack_symbol){ .start = hit.start, .end = hit.end };
	found = bsearch(&key, p->module->symbols, p->module->nr_symbols, sizeof(key), by_place);
	*out = (struct symbol){
		.name = symtab_name(p->names, &hit),
		.start = hit.start,
		.end = hit.end,
		.is_range = found && (found->flags & PACK_SYMBOL_RANGE),
	};
	return true;
}

bool packed_addr(const struct packed *p, uint64_t file_off, uint64_t *elf_addr)
{
	for (uint32_t i = 0; i < p->module->nr_segments; i++) {
		const struct pack_segment *s = &p->module->segments[i];

		if (file_off >= s->offset && file_off - s->offset < s->filesz) {
			*elf_addr = file_off - s->offset + s->vaddr;
			return true;
		}
	}
	return false;
}
