/* SPDX-License-Identifier: MIT */
#include "profile/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"

/* --- gathering ------------------------------------------------------------------------ */

struct gathered {
	VEC(struct pack_symbol) symbols;
	struct str strings;
	struct intern names;             /* name -> offsets[id] in strings */
	VEC(uint32_t) offsets;
	bool wanted;                     /* a frame lies in it */
};

static void gathered_init(struct gathered *g)
{
	*g = (struct gathered){ .strings = STR_INIT };
	intern_init(&g->names);
}

static void gathered_release(struct gathered *g)
{
	vec_release(&g->symbols);
	vec_release(&g->offsets);
	str_release(&g->strings);
	intern_release(&g->names);
}

static uint32_t name_offset(struct gathered *g, const char *name)
{
	uint32_t id = intern_id(&g->names, name);

	if (id == g->offsets.nr) {
		*vec_push(&g->offsets) = (uint32_t)g->strings.len;
		str_addn(&g->strings, name, strlen(name) + 1);
	}
	return g->offsets.v[id];
}

static bool add_symbol(struct gathered *g, struct module *module, uint64_t elf_addr)
{
	struct symbol s;

	module_symbol(module, elf_addr, &s);
	if (!s.name || s.start >= s.end || g->strings.len > UINT32_MAX / 2)
		return false;
	*vec_push(&g->symbols) = (struct pack_symbol){
		.start = s.start, .end = s.end, .name = name_offset(g, s.name),
		.flags = s.is_range ? PACK_SYMBOL_RANGE : 0,
	};
	return true;
}

static int by_place(const void *x, const void *y)
{
	const struct pack_symbol *a = x, *b = y;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->end != b->end)
		return a->end < b->end ? 1 : -1;
	return (a->name > b->name) - (a->name < b->name);
}

static void drop_equal(struct gathered *g)
{
	size_t kept = 0;

	if (g->symbols.nr)
		qsort(g->symbols.v, g->symbols.nr, sizeof(*g->symbols.v), by_place);
	for (size_t i = 0; i < g->symbols.nr; i++)
		if (!kept || by_place(&g->symbols.v[kept - 1], &g->symbols.v[i]) != 0)
			g->symbols.v[kept++] = g->symbols.v[i];
	g->symbols.nr = kept;
}

static void put(struct str *section, struct module *module, struct gathered *g,
		struct pack_stats *stats)
{
	uint32_t nr = module_segments(module, NULL, 0);
	struct pack_segment *segments = mem_realloc_array(NULL, nr + 1, sizeof(*segments));
	struct pack_module m = {
		.kind = module->kind, .path = module->path, .is_64bit = module->is_64bit,
		.build_id_size = module->build_id_size, .segments = segments,
	};

	drop_equal(g);
	memcpy(m.build_id, module->build_id, module->build_id_size);
	m.nr_segments = module_segments(module, segments, nr);
	m.symbols = g->symbols.v;
	m.nr_symbols = (uint32_t)g->symbols.nr;
	m.strings = g->strings.p;
	m.strings_size = g->strings.len;
	pack_add(section, &m);
	stats->nr_modules++;
	stats->nr_symbols += m.nr_symbols;
	free(segments);
}

void pack_gather(struct str *section, const struct profile *profile, struct pack_stats *stats)
{
	uint32_t nr = module_set_count(profile->modules);
	struct gathered *all = mem_realloc_array(NULL, nr + 1, sizeof(*all));

	*stats = (struct pack_stats){ 0 };
	for (uint32_t i = 0; i < nr; i++)
		gathered_init(&all[i]);
	for (uint32_t i = 0; i < profile->nr_frames; i++) {
		const struct profile_frame *f = &profile->frames[i];
		struct gathered *g = f->module ? &all[f->module->index] : NULL;
		bool named = false;

		if (g) {
			g->wanted = true;
			/* a frame does not say whether it returns there: then it is the byte before */
			named = add_symbol(g, f->module, f->elf_addr);
			if (f->elf_addr)
				named |= add_symbol(g, f->module, f->elf_addr - 1);
		}
		stats->named += named;
		stats->unnamed += !named;
	}
	for (uint32_t i = 0; i < nr; i++) {
		if (all[i].wanted)
			put(section, module_set_at(profile->modules, i), &all[i], stats);
		gathered_release(&all[i]);
	}
	free(all);
}

/* --- putting back ------------------------------------------------------------------------ */

struct pack *pack_state(const struct perf_data *data, struct module_set *modules)
{
	struct pack *pack;

	if (!data->pack.present)
		return NULL;
	pack = pack_parse(data->pack.bytes, data->pack.size);
	if (pack->damaged)
		log_note("the names packed into '%s' are damaged or of a newer sonde; %s", data->path,
			 pack->nr_modules ? "those before the damage are used" : "they are not used");
	for (uint32_t i = 0; i < pack->nr_modules; i++) {
		const struct pack_module *m = &pack->modules[i];

		if (m->kind <= MODULE_BPF)
			module_set_packed(module_intern(modules, (enum module_kind)m->kind, m->path,
							m->build_id, m->build_id_size), m);
	}
	return pack;
}
