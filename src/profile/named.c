/* SPDX-License-Identifier: MIT */
#include "profile/named.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void named_init(struct named *n, const struct profile_query *query)
{
	memset(n, 0, sizeof(*n));
	arena_init(&n->arena);
	n->by_addr = query->by & PROFILE_BY_ADDR;
	n->join_unmapped = query->join_unmapped;
}

void named_release(struct named *n)
{
	vec_release(&n->frames);
	vec_release(&n->stacks);
	vec_release(&n->entries);
	map64_release(&n->frame_ids);
	map64_release(&n->stack_ids);
	map64_release(&n->entry_ids);
	arena_release(&n->arena);
}

/* --- frames ---------------------------------------------------------------------------- */

/*
 * Which frame it is: by its symbol; without one, by its module; where nothing is mapped,
 * or when asked for, by its address. An inlined one by its name in a module.
 */
static uint64_t frame_key(const struct named *n, const struct profile_frame *f)
{
	bool by_addr = n->by_addr || (!f->is_inline && !f->module && !n->join_unmapped);
	uint64_t key;

	if (f->is_inline)
		key = hash_mix((uint64_t)(uintptr_t)f->name,
			       (uint64_t)(uintptr_t)f->module + f->kernel);
	else
		key = hash_mix((uint64_t)(uintptr_t)f->module,
			       hash_mix(f->sym_start, (uint64_t)f->kernel << 1 | !f->name));
	return by_addr ? hash_mix(key, f->elf_addr) : key;
}

uint32_t named_put_frame(struct named *n, const struct profile_frame *f)
{
	bool added;
	uint64_t *slot = map64_put(&n->frame_ids, frame_key(n, f), &added);

	if (added) {
		*slot = n->frames.nr;
		*vec_push(&n->frames) = *f;
	}
	return (uint32_t)*slot;
}

static uint32_t place_frame(struct named *n, const struct place *place)
{
	bool has_name = place->symbol.name;
	struct profile_frame f = {
		.module = place->module,
		.name = place->symbol.name,
		.reason = has_name ? NAME_OK : place->symbol.reason,
		.kernel = place->kernel,
		.sym_start = has_name ? place->symbol.start : 0,
		.elf_addr = place->elf_addr,
		.run_addr = place->run_addr,
		.is_return = place->is_return,
		.sym_bytes = has_name ? place->symbol.end - place->symbol.start : 0,
		.map_bytes = place->map ? place->map->end - place->map->start : 0,
	};

	return named_put_frame(n, &f);
}

uint32_t named_frame(struct named *n, struct place *place)
{
	if (!place->tag)
		place->tag = place_frame(n, place) + 1;
	return place->tag - 1;
}

uint32_t named_inline_frame(struct named *n, const struct place *place, const char *name)
{
	struct profile_frame f = {
		.module = place->module,
		.name = name,
		.kernel = place->kernel,
		.sym_start = place->symbol.start,
		.elf_addr = place->elf_addr,
		.run_addr = place->run_addr,
		.is_inline = true,
	};

	return named_put_frame(n, &f);
}

/* --- stacks ----------------------------------------------------------------------------- */

/* The slot of a stack, and whether it is a new one, whose frames are to be set then. */
static struct profile_stack *stack_get(struct named *n, const uint32_t *frames, uint32_t nr,
				       uint32_t *id)
{
	bool added;
	uint64_t *slot = map64_put(&n->stack_ids, hash_bytes(frames, (size_t)nr * sizeof(*frames)), &added);
	struct profile_stack *stack = NULL;

	if (added) {
		*slot = n->stacks.nr;
		stack = vec_push(&n->stacks);
		*stack = (struct profile_stack){ .nr = nr };
	}
	*id = (uint32_t)*slot;
	return stack;
}

uint32_t named_stack(struct named *n, const uint32_t *frames, uint32_t nr)
{
	uint32_t id;
	struct profile_stack *fresh = stack_get(n, frames, nr, &id);

	if (fresh)
		fresh->frames = arena_dup(&n->arena, frames, (size_t)nr * sizeof(*frames));
	return id;
}

/* --- entries ---------------------------------------------------------------------------- */

static uint64_t entry_key(const struct profile_entry *e)
{
	uint32_t dims[] = { e->event, e->comm, e->pid, e->tid, e->cpu, e->leaf, e->stack, e->extra };

	return hash_bytes(dims, sizeof(dims));
}

uint32_t named_add(struct named *n, const struct profile_entry *entry)
{
	bool added;
	uint64_t *slot = map64_put(&n->entry_ids, entry_key(entry), &added);
	struct profile_entry *e;

	if (added) {
		*slot = n->entries.nr;
		*vec_push(&n->entries) = *entry;
		return (uint32_t)*slot;
	}
	e = &n->entries.v[*slot];
	e->samples += entry->samples;
	e->period += entry->period;
	e->squares += entry->squares;
	e->period_kernel += entry->period_kernel;
	e->period_user += entry->period_user;
	e->period_guest_kernel += entry->period_guest_kernel;
	e->period_guest_user += entry->period_guest_user;
	return (uint32_t)*slot;
}

void named_renew_entries(struct named *n)
{
	map64_release(&n->entry_ids);
	for (size_t i = 0; i < n->entries.nr; i++)
		*map64_put(&n->entry_ids, entry_key(&n->entries.v[i]), NULL) = i;
}

/* --- of several threads ------------------------------------------------------------------- */

/* Stacks of new frames in their place; `from` and its arena are given up. */
static uint32_t *merge_stacks(struct named *into, struct named *from, const uint32_t *frame_of)
{
	uint32_t *stack_of = mem_realloc_array(NULL, from->stacks.nr + 1, sizeof(*stack_of));

	for (size_t i = 0; i < from->stacks.nr; i++) {
		/* from's own copy */
		uint32_t *frames = (uint32_t *)(uintptr_t)from->stacks.v[i].frames;
		uint32_t nr = from->stacks.v[i].nr;
		struct profile_stack *fresh;

		for (uint32_t k = 0; k < nr; k++)
			frames[k] = frame_of[frames[k]];
		fresh = stack_get(into, frames, nr, &stack_of[i]);
		if (fresh)
			fresh->frames = frames;
	}
	arena_take(&into->arena, &from->arena);
	return stack_of;
}

void named_merge(struct named *into, struct named *from)
{
	uint32_t *frame_of = mem_realloc_array(NULL, from->frames.nr + 1, sizeof(*frame_of)), *stack_of;

	for (size_t i = 0; i < from->frames.nr; i++)
		frame_of[i] = named_put_frame(into, &from->frames.v[i]);
	stack_of = merge_stacks(into, from, frame_of);
	for (size_t i = 0; i < from->entries.nr; i++) {
		struct profile_entry e = from->entries.v[i];

		e.leaf = frame_of[e.leaf];
		e.stack = stack_of[e.stack];
		named_add(into, &e);
	}
	free(frame_of);
	free(stack_of);
	named_release(from);
}
