/* SPDX-License-Identifier: MIT */
/* The filters of an explorer. */
#include "view/explore_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define NONE32 UINT32_MAX

/* The view's filters: as they were asked for, and narrower by what was zoomed into. */
void zoom_apply(struct explore *x)
{
	x->view.filter = x->base.filter;
	x->view.row_part = NULL;
	for (size_t i = 0; i < x->zooms.nr; i++) {
		const struct zoom *z = &x->zooms.v[i];

		switch (z->kind) {
		case ZOOM_DSO:
			x->one_dso[0] = z->text;
			x->view.filter.dsos = x->one_dso;
			break;
		case ZOOM_COMM:
			x->one_comm[0] = z->text;
			x->view.filter.comms = x->one_comm;
			break;
		case ZOOM_TID:
			x->one_tid = z->tid;
			x->view.filter.tids = &x->one_tid;
			x->view.filter.nr_tids = 1;
			break;
		case ZOOM_NAME:
			x->view.row_part = z->text;
			break;
		}
	}
}

static void take_off(struct explore *x, size_t at)
{
	free(x->zooms.v[at].text);
	memmove(&x->zooms.v[at], &x->zooms.v[at + 1], (x->zooms.nr - at - 1) * sizeof(*x->zooms.v));
	x->zooms.nr--;
}

void zoom_in(struct explore *x, enum zoom_kind kind, const char *text, uint32_t tid)
{
	/* one of a kind: the new one takes its place */
	for (size_t i = x->zooms.nr; i-- > 0;)
		if (x->zooms.v[i].kind == kind)
			take_off(x, i);
	*vec_push(&x->zooms) = (struct zoom){ .kind = kind, .text = mem_strdup(text ? text : ""), .tid = tid };
	explore_reload(x);
}

bool zoom_out(struct explore *x)
{
	if (!x->zooms.nr)
		return false;
	take_off(x, x->zooms.nr - 1);
	explore_reload(x);
	return true;
}

/* The key that zoomed in zooms out again. */
static bool undo(struct explore *x, enum zoom_kind kind)
{
	for (size_t i = 0; i < x->zooms.nr; i++) {
		if (x->zooms.v[i].kind != kind)
			continue;
		take_off(x, i);
		explore_reload(x);
		return true;
	}
	return false;
}

void zoom_dso(struct explore *x)
{
	const struct profile_frame *f = browser_frame(x->browser, browser_current(x->browser));

	if (undo(x, ZOOM_DSO) || !f)
		return;
	zoom_in(x, ZOOM_DSO, f->module ? f->module->path : "[unknown]", 0);
}

void zoom_kernel(struct explore *x)
{
	const struct profile *p = x->profile;

	if (undo(x, ZOOM_DSO))
		return;
	for (uint32_t i = 0; i < p->nr_frames; i++) {
		if (!p->frames[i].module || p->frames[i].module->kind != MODULE_KERNEL)
			continue;
		zoom_in(x, ZOOM_DSO, p->frames[i].module->path, 0);
		return;
	}
	explore_say(x, "There are no samples in the kernel");
}

/* --- threads -------------------------------------------------------------------------- */

struct task_sum { uint32_t tid, comm; uint64_t period; };

static int by_period(const void *a, const void *b)
{
	const struct task_sum *x = a, *y = b;

	if (x->period != y->period)
		return x->period < y->period ? 1 : -1;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

static struct task_sum *sum_tasks(const struct explore *x, size_t *nr)
{
	const struct profile *p = x->profile;
	VEC(struct task_sum) sums = { 0 };
	struct map64 ids = { 0 };
	bool added;

	for (size_t i = 0; i < p->nr_entries; i++) {
		const struct profile_entry *e = &p->entries[i];
		uint64_t *slot;

		if (e->event != x->event)
			continue;
		slot = map64_put(&ids, (uint64_t)e->tid << 32 | e->comm, &added);
		if (added) {
			*slot = sums.nr;
			*vec_push(&sums) = (struct task_sum){ .tid = e->tid, .comm = e->comm };
		}
		sums.v[*slot].period += e->period;
	}
	map64_release(&ids);
	if (sums.nr)
		qsort(sums.v, sums.nr, sizeof(*sums.v), by_period);
	*nr = sums.nr;
	return sums.v;
}

static void list_tasks(struct explore *x)
{
	uint64_t total = x->profile->totals[x->event].period;
	struct str text = STR_INIT;
	struct task_sum *sums;
	size_t nr;

	sums = sum_tasks(x, &nr);
	x->picks.nr = 0;
	for (size_t i = 0; i < nr; i++) {
		str_addf(&text, "%6.2f%%  ", total ? 100.0 * (double)sums[i].period / (double)total : 0);
		if (sums[i].tid != NONE32)
			str_addf(&text, "%7u  ", sums[i].tid);
		if (sums[i].comm != NONE32)
			str_add_safe(&text, profile_comm(x->profile, sums[i].comm));
		str_addc(&text, '\n');
		*vec_push(&x->picks) = sums[i].tid;
		*vec_push(&x->picks) = sums[i].comm;
	}
	free(sums);
	explore_text(x, MODE_PICK_TASK, "Which thread?", &text);
}

static void zoom_to(struct explore *x, uint32_t tid, uint32_t comm)
{
	const char *name = comm != NONE32 ? profile_comm(x->profile, comm) : "";

	if (tid != NONE32)
		zoom_in(x, ZOOM_TID, name, tid);
	else if (comm != NONE32)
		zoom_in(x, ZOOM_COMM, name, 0);
}

void zoom_pick_task(struct explore *x)
{
	size_t at = pager_cursor(x->pager) * 2;

	if (at + 1 < x->picks.nr)
		zoom_to(x, x->picks.v[at], x->picks.v[at + 1]);
}

void zoom_task(struct explore *x)
{
	const struct hists *h = browser_hists(x->browser);
	const struct item *item = browser_current(x->browser);
	const struct sort_spec *spec = &x->view.spec;
	const struct group *g;

	if (undo(x, ZOOM_TID) || undo(x, ZOOM_COMM) || !item)
		return;
	g = &h->tree.groups[h->v[item->row].group];
	if (sort_has(spec, COLUMN_TID))
		zoom_to(x, g->tid, g->comm);
	else if (sort_has(spec, COLUMN_COMM))
		zoom_to(x, NONE32, g->comm);
	else
		list_tasks(x);
}

/* --- in words ------------------------------------------------------------------------- */

void zoom_add_text(const struct explore *x, struct str *out)
{
	for (size_t i = 0; i < x->zooms.nr; i++) {
		const struct zoom *z = &x->zooms.v[i];

		switch (z->kind) {
		case ZOOM_DSO:
			str_addf(out, "  DSO: %s", strrchr(z->text, '/') ? strrchr(z->text, '/') + 1 : z->text);
			break;
		case ZOOM_COMM:
			str_addf(out, "  Command: %s", z->text);
			break;
		case ZOOM_TID:
			str_addf(out, "  Thread: %s(%u)", z->text, z->tid);
			break;
		case ZOOM_NAME:
			str_addf(out, "  Filter: %s", z->text);
			break;
		}
	}
}

void zoom_release(struct explore *x)
{
	while (x->zooms.nr)
		take_off(x, x->zooms.nr - 1);
	vec_release(&x->zooms);
}
