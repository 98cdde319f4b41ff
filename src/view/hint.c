/* SPDX-License-Identifier: MIT */
#include "view/hint.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "profile/tree.h"

/* A word for a shell, in quotes where it needs them. */
static void add_word(struct str *s, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+@:,=";
	struct str safe = STR_INIT;

	str_add_safe(&safe, word);
	if (*safe.p && strspn(safe.p, plain) == safe.len) {
		str_add(s, safe.p);
	} else {
		str_addc(s, '\'');
		for (const char *p = safe.p; *p; p++)
			if (*p == '\'')
				str_add(s, "'\\''");
			else
				str_addc(s, *p);
		str_addc(s, '\'');
	}
	str_release(&safe);
}

/* A frame of the function with the largest sum of its own; NULL if none has a name. */
static const struct profile_frame *hottest(const struct profile *p)
{
	uint32_t nr, *syms = profile_symbols(p, false, &nr), event = 0, best = UINT32_MAX;
	uint64_t *sums = mem_zalloc((nr + 1) * sizeof(*sums));

	while (event < p->data->events.nr && !p->totals[event].samples)
		event++;
	for (size_t i = 0; i < p->nr_entries; i++) {
		const struct profile_entry *e = &p->entries[i];
		const struct profile_frame *f = &p->frames[e->leaf];

		if (e->event != event || !f->name || !f->module || f->is_inline ||
		    (f->module->kind != MODULE_FILE && f->module->kind != MODULE_KERNEL &&
		     f->module->kind != MODULE_KMOD))
			continue;
		sums[syms[e->leaf]] += e->period;
		if (best == UINT32_MAX || sums[syms[e->leaf]] > sums[syms[best]])
			best = e->leaf;
	}
	free(sums);
	free(syms);
	return best == UINT32_MAX ? NULL : &p->frames[best];
}

void hint_annotate(const struct profile *p, FILE *out)
{
	const struct profile_frame *frame;
	struct str s = STR_INIT;

	/* a file that annotate reads */
	if (!p->data->path || p->data->text.form || strcmp(p->data->path, "-") == 0)
		return;
	frame = hottest(p);
	if (!frame)
		return;
	str_add(&s, "# Where in the hottest function: sonde annotate ");
	if (strcmp(p->data->path, perf_data_default_path) != 0) {
		str_add(&s, "-i ");
		add_word(&s, p->data->path);
		str_addc(&s, ' ');
	}
	if (frame->name[0] == '-')
		str_add(&s, "-s ");
	add_word(&s, frame->name);
	fprintf(out, "%s\n#\n", s.p);
	str_release(&s);
}
