/* SPDX-License-Identifier: MIT */
/* What a row shows under a column, and which of two rows comes first by it: see sort.h. */
#include <inttypes.h>
#include <string.h>

#include "profile/sort.h"

uint64_t hist_value(const struct hist *hist, enum column column)
{
	switch (column) {
	case COLUMN_CHILDREN: return hist->children;
	case COLUMN_OVERHEAD: return hist->period;
	case COLUMN_SYS: return hist->period_kernel;
	case COLUMN_USER: return hist->period_user;
	case COLUMN_SAMPLES: return hist->samples;
	case COLUMN_PERIOD: return hist->period;
	default: return 0;
	}
}

const char *hist_comm(const struct hists *h, const struct hist *hist)
{
	return profile_comm(h->profile, h->tree.groups[hist->group].comm);
}

/* Behind a number stands the last name that the thread had. */
const char *hist_last_comm(const struct hists *h, const struct hist *hist, bool of_process)
{
	const struct group *group = &h->tree.groups[hist->group];
	uint32_t tid = of_process ? group->pid : group->tid;

	if (!h->profile->processes)
		return hist_comm(h, hist);
	return profile_comm(h->profile,
			    process_comm(h->profile->processes, group->pid, tid, UINT64_MAX));
}

const char *hist_dso(const struct hists *h, const struct hist *hist, bool full)
{
	const struct module *m = h->profile->frames[hist->frame].module;

	return !m ? "[unknown]" : full ? m->path : m->short_name;
}

static int compare_u32(uint32_t a, uint32_t b)
{
	/* as signed numbers: -1, "not known", comes first */
	return ((int32_t)a > (int32_t)b) - ((int32_t)a < (int32_t)b);
}

static int compare_syms(const struct profile_frame *a, const struct profile_frame *b)
{
	if (!a->name || !b->name) {
		if (a->name || b->name)
			return a->name ? -1 : 1;
		return (a->elf_addr > b->elf_addr) - (a->elf_addr < b->elf_addr);
	}
	return strcmp(a->name, b->name);
}

int hist_compare(const struct hists *h, const struct hist *a, const struct hist *b,
		 enum column column)
{
	const struct group *ga = &h->tree.groups[a->group], *gb = &h->tree.groups[b->group];
	uint64_t x, y;

	switch (column) {
	case COLUMN_COMM:
		return strcmp(hist_comm(h, a), hist_comm(h, b));
	case COLUMN_PID:
	case COLUMN_TID:
		return compare_u32(ga->tid, gb->tid);
	case COLUMN_TGID:
		return compare_u32(ga->pid, gb->pid);
	case COLUMN_CPU:
		return compare_u32(ga->cpu, gb->cpu);
	case COLUMN_DSO:
		return strcmp(hist_dso(h, a, false), hist_dso(h, b, false));
	case COLUMN_SYM:
		return compare_syms(&h->profile->frames[a->frame], &h->profile->frames[b->frame]);
	default:
		x = hist_value(a, column);
		y = hist_value(b, column);
		if (x != y || column != COLUMN_CHILDREN || !h->options.depth_order)
			return (x < y) - (x > y);
		if (h->options.order == TREE_CALLERS_FIRST)
			return (a->depth < b->depth) - (a->depth > b->depth);
		return (a->depth > b->depth) - (a->depth < b->depth);
	}
}

/* "0x00007f12..." of 16 digits; zero without 0x, as printf("%#.16llx") has it. */
static void add_symbol(struct str *s, const struct hists *h, const struct hist *hist, bool full)
{
	const struct profile_frame *f = &h->profile->frames[hist->frame];

	if (full)
		str_addf(s, "%#018" PRIx64 " ", f->run_addr);
	str_addf(s, "[%c] ", f->kernel ? 'k' : '.');
	if (f->name)
		str_add(s, f->name);
	else if (h->options.by_addr)
		str_addf(s, "%#.16" PRIx64, f->module ? f->elf_addr : f->run_addr);
	else
		str_add(s, "[unknown]");
	if (f->is_inline)
		str_add(s, " (inlined)");
}

void hist_add_key(struct str *s, const struct hists *h, const struct hist *hist,
		  enum column column, bool full)
{
	const struct group *group = &h->tree.groups[hist->group];

	switch (column) {
	case COLUMN_COMM:
		str_add(s, hist_comm(h, hist));
		break;
	case COLUMN_PID:
	case COLUMN_TID:
		str_addf(s, "%7d:%s", (int)group->tid, hist_last_comm(h, hist, false));
		break;
	case COLUMN_TGID:
		str_addf(s, "%7d:%s", (int)group->pid, hist_last_comm(h, hist, true));
		break;
	case COLUMN_CPU:
		str_addf(s, group->cpu == UINT32_MAX ? "  ?" : "%03u", group->cpu);
		break;
	case COLUMN_DSO:
		str_add(s, hist_dso(h, hist, full));
		break;
	case COLUMN_SYM:
		add_symbol(s, h, hist, full);
		break;
	default:
		break;
	}
}
