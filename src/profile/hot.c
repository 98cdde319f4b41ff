/* SPDX-License-Identifier: MIT */
#include "profile/hot.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "profile/tree.h"

/* A site on its way to its symbol. */
struct found {
	uint32_t symbol;
	struct hot_site site;
};

static int by_place(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->symbol != y->symbol)
		return x->symbol < y->symbol ? -1 : 1;
	if (x->site.elf_addr != y->site.elf_addr)
		return x->site.elf_addr < y->site.elf_addr ? -1 : 1;
	return (x->site.event > y->site.event) - (x->site.event < y->site.event);
}

static void add_symbol(struct hot_symbol *out, const struct profile_frame *frame)
{
	struct symbol symbol;

	*out = (struct hot_symbol){
		.module = frame->module, .name = frame->name, .kernel = frame->kernel,
		.start = frame->sym_start, .end = frame->sym_start,
	};
	module_symbol(frame->module, frame->elf_addr, &symbol);
	if (symbol.name && symbol.start == frame->sym_start)
		out->end = symbol.end;
}

/* Sort the sites to their symbols, and make one of those that are alike. */
static void lay_out(struct hots *h, struct found *found, size_t nr)
{
	size_t used = 0;

	if (nr)
		qsort(found, nr, sizeof(*found), by_place);
	h->sites = mem_zalloc((nr + 1) * sizeof(*h->sites));
	for (size_t i = 0; i < nr; i++) {
		struct hot_symbol *symbol = &h->v[found[i].symbol];

		if (i && by_place(&found[i], &found[i - 1]) == 0) {
			h->sites[used - 1].samples += found[i].site.samples;
			h->sites[used - 1].period += found[i].site.period;
			continue;
		}
		if (!symbol->nr_sites)
			symbol->sites = &h->sites[used];
		symbol->nr_sites++;
		h->sites[used++] = found[i].site;
	}
}

void hots_build(struct hots *h, const struct profile *p)
{
	uint32_t *ids = mem_alloc((p->nr_frames + 1) * sizeof(*ids)), nr_events = p->data->events.nr;
	struct tuple_table table = { 0 };
	VEC(struct hot_symbol) symbols = { 0 };
	VEC(struct found) found = { 0 };

	for (uint32_t i = 0; i < p->nr_frames; i++) {
		const struct profile_frame *f = &p->frames[i];

		ids[i] = UINT32_MAX;
		if (!f->module || !f->name || f->is_inline)
			continue;
		ids[i] = tuple_id(&table, (uint64_t)(uintptr_t)f->module, f->sym_start,
				  (uint64_t)(uintptr_t)f->name);
		if (ids[i] == symbols.nr)
			add_symbol(vec_push(&symbols), f);
	}
	*h = (struct hots){ .v = symbols.v, .nr = (uint32_t)symbols.nr };
	h->totals = mem_zalloc(((size_t)h->nr * nr_events + 1) * sizeof(*h->totals));
	for (size_t i = 0; i < p->nr_entries; i++) {
		const struct profile_entry *e = &p->entries[i];
		uint32_t symbol = ids[e->leaf];
		struct profile_total *total;

		if (symbol == UINT32_MAX)
			continue;
		total = &h->totals[(size_t)symbol * nr_events + e->event];
		total->samples += e->samples;
		total->period += e->period;
		*vec_push(&found) = (struct found){ symbol, {
			p->frames[e->leaf].elf_addr, e->event, e->samples, e->period } };
	}
	for (uint32_t i = 0; i < h->nr; i++)
		h->v[i].totals = &h->totals[(size_t)i * nr_events];
	lay_out(h, found.v, found.nr);
	vec_release(&found);
	tuple_table_release(&table);
	free(ids);
}

void hots_release(struct hots *h)
{
	free(h->v);
	free(h->sites);
	free(h->totals);
	*h = (struct hots){ 0 };
}

struct order {
	const struct hots *hots;
	const uint32_t *events;
	uint32_t nr_events;
};

static int by_period(const void *a, const void *b, void *arg)
{
	const struct order *o = arg;
	const struct hot_symbol *x = &o->hots->v[*(const uint32_t *)a];
	const struct hot_symbol *y = &o->hots->v[*(const uint32_t *)b];

	for (uint32_t e = 0; e < o->nr_events; e++) {
		const struct profile_total *p = &x->totals[o->events[e]], *q = &y->totals[o->events[e]];

		if (p->period != q->period)
			return p->period > q->period ? -1 : 1;
		if (p->samples != q->samples)
			return p->samples > q->samples ? -1 : 1;
	}
	return strcmp(x->name, y->name);
}

uint32_t hots_sort(const struct hots *h, const uint32_t *events, uint32_t nr_events, uint32_t **out)
{
	uint32_t nr = 0, *order = mem_alloc((h->nr + 1) * sizeof(*order));

	for (uint32_t i = 0; i < h->nr; i++)
		for (uint32_t e = 0; e < nr_events; e++)
			if (h->v[i].totals[events[e]].samples) {
				order[nr++] = i;
				break;
			}
	qsort_r(order, nr, sizeof(*order), by_period, &(struct order){ h, events, nr_events });
	*out = order;
	return nr;
}
