/* SPDX-License-Identifier: MIT */
/* process_image: an image's mappings put in order, and its epochs found: see process.h. */
#include <stdlib.h>

#include "profile/process_priv.h"

static int by_start(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->from_ns != y->from_ns)
		return x->from_ns < y->from_ns ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Do two mappings mean the same wherever both are? */
static bool same_meaning(const struct mapping *a, const struct mapping *b)
{
	return a->module == b->module && a->start - a->pgoff == b->start - b->pgoff;
}

/* Drop a mapping told again (mprotect makes the kernel tell it anew) with nothing between. */
static void drop_repeats(struct image *image)
{
	size_t kept = 0;

	for (size_t i = 0; i < image->maps.nr; i++) {
		const struct mapping *m = &image->maps.v[i], *last = &image->maps.v[kept - !!kept];

		if (kept && last->start == m->start && last->end == m->end && same_meaning(last, m) &&
		    (kept < 2 || image->max_end[kept - 2] <= m->start))
			continue;
		image->maps.v[kept] = *m;
		image->max_end[kept] = m->end;
		if (kept && image->max_end[kept - 1] > m->end)
			image->max_end[kept] = image->max_end[kept - 1];
		kept++;
	}
	image->maps.nr = kept;
}

/* An epoch begins where a mapping comes over one that means something else. */
static void find_epochs(struct process_table *t, struct image *image)
{
	for (size_t i = 0; i < image->maps.nr; i++) {
		const struct mapping *m = &image->maps.v[i];

		if (image->parent) {
			/* it may lie over any of the parent's: not worth finding out */
			*vec_push(&t->epochs) = m->from_ns;
			continue;
		}
		for (size_t j = i; j-- > 0 && image->max_end[j] > m->start;) {
			const struct mapping *other = &image->maps.v[j];

			if (other->end > m->start && !same_meaning(other, m)) {
				*vec_push(&t->epochs) =
					other->from_ns > m->from_ns ? other->from_ns : m->from_ns;
				break;
			}
		}
	}
}

static void add_changes(struct process_table *t, struct module *module)
{
	size_t nr;
	const uint64_t *changes = module_jit_changes(module, &nr);

	vec_reserve(&t->epochs, nr);
	for (size_t i = 0; i < nr; i++)
		t->epochs.v[t->epochs.nr++] = changes[i];
}

/* Or where a JIT used memory again, of this process or of one that it was forked from. */
static void add_jit_epochs(struct process_table *t, const struct image *image)
{
	VEC(struct module *) seen = { 0 };

	for (const struct image *i = image; i; i = i->parent) {
		for (size_t m = 0; m < i->maps.nr; m++) {
			struct module *module = i->maps.v[m].module;
			bool is_new = module->kind == MODULE_ANON;

			for (size_t s = 0; s < seen.nr && is_new; s++)
				is_new = seen.v[s] != module;
			if (!is_new)
				continue;
			*vec_push(&seen) = module;
			add_changes(t, module);
		}
	}
	vec_release(&seen);
}

/*
 * Between the COMM of an exec and its end the kernel still works for the old
 * program, whose addresses are on the user stack: they are in the old image.  The
 * last thing an exec maps is the vdso (fs/binfmt_elf.c, load_elf_binary); soon
 * after it, and before the new program maps its first library, it has returned.
 */
static void place_exec(struct process_table *t, struct image *image)
{
	uint64_t first = UINT64_MAX, vdso = 0, after = UINT64_MAX;

	for (size_t i = 0; i < image->maps.nr; i++) {
		const struct mapping *m = &image->maps.v[i];

		if (m->from_ns < first)
			first = m->from_ns;
		if (m->module->kind == MODULE_VDSO)
			vdso = m->from_ns;
	}
	for (size_t i = 0; i < image->maps.nr; i++)
		if (image->maps.v[i].from_ns > vdso && image->maps.v[i].from_ns < after)
			after = image->maps.v[i].from_ns;
	image->from_ns = vdso ? vdso : first;
	image->settled_ns = vdso && after != UINT64_MAX ? after : image->from_ns;
	*vec_push(&t->epochs) = image->settled_ns;
}

static void sort_maps(struct mapping *v, size_t nr)
{
	if (nr > 32) {
		qsort(v, nr, sizeof(*v), by_start);
		return;
	}
	for (size_t i = 1; i < nr; i++) {
		struct mapping m = v[i];
		size_t at = i;

		for (; at && by_start(&v[at - 1], &m) > 0; at--)
			v[at] = v[at - 1];
		v[at] = m;
	}
}

void process_image_freeze(struct process_table *t, struct image *image)
{
	t->epochs.nr = 0;
	if (image->maps.nr) {
		sort_maps(image->maps.v, image->maps.nr);
		if (image->before)
			place_exec(t, image);
		image->max_end = arena_alloc(&t->arena, image->maps.nr * sizeof(*image->max_end));
		drop_repeats(image);
		find_epochs(t, image);
	}
	add_jit_epochs(t, image);
	if (!t->epochs.nr)
		return;
	if (t->epochs.nr > 1)
		qsort(t->epochs.v, t->epochs.nr, sizeof(uint64_t), by_value);
	image->epochs.nr = t->epochs.nr;
	image->epochs.v = arena_dup(&t->arena, t->epochs.v, t->epochs.nr * sizeof(*image->epochs.v));
}
