/* SPDX-License-Identifier: MIT */
/*
 * process_space: which images are alike.
 *
 * Many processes are copies: a server forks a child for each connection, a make runs
 * one compiler a thousand times at the same addresses.  Two images are of one space when
 * their mappings, one after the other, are the same, and so is what they were forked
 * from, as far as it had come, and what their exec replaced.  When it was does not
 * matter: epochs are numbered, and in the same epoch of the same space an address has
 * one meaning (see process.h).  So a call chain is counted and named once per space.
 */
#include "profile/process_priv.h"

/* How many of its mappings an image had at a time. */
static uint64_t had_by(const struct image *image, uint64_t time_ns)
{
	uint64_t n = 0;

	for (size_t i = 0; i < image->maps.nr; i++)
		n += image->maps.v[i].from_ns <= time_ns;
	return n;
}

static uint64_t add_mapping(uint64_t h, const struct mapping *m, const struct mapping *before)
{
	/* at the same time or later, that makes a difference to epochs */
	uint64_t later = before && before->from_ns < m->from_ns;

	h = hash_mix(h, m->start);
	h = hash_mix(h, m->end);
	h = hash_mix(h, m->pgoff);
	h = hash_mix(h, (uintptr_t)m->module);
	return hash_mix(h, (uint64_t)m->prot << 33 | (uint64_t)m->flags << 1 | later);
}

/* Code that is written while it runs means something else from one time to the next. */
static bool has_jit(const struct image *image)
{
	size_t nr;

	for (; image; image = image->parent)
		for (size_t i = 0; i < image->maps.nr; i++)
			if (image->maps.v[i].module->kind == MODULE_ANON &&
			    module_jit_changes(image->maps.v[i].module, &nr) && nr)
				return true;
	return false;
}

void space_set(struct map64 *spaces, struct image *image)
{
	uint64_t h = image->maps.nr, *slot;
	bool added;

	if (image->parent)
		h = hash_mix(hash_mix(h, image->parent->layout),
			     had_by(image->parent, image->from_ns));
	for (size_t i = 0; i < image->maps.nr; i++)
		h = add_mapping(h, &image->maps.v[i], i ? &image->maps.v[i - 1] : NULL);
	if (image->jit || has_jit(image))
		h = hash_mix(h, image->index);
	image->layout = h;
	/* what came before that is not looked into any more: see image_find */
	if (image->before)
		h = hash_mix(h, image->before->layout);
	slot = map64_put(spaces, h, &added);
	if (added)
		*slot = spaces->nr - 1;
	image->space = (uint32_t)*slot;
}
