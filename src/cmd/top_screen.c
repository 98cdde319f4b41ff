/* SPDX-License-Identifier: MIT */
/* sonde top on a screen. */
#include "cmd/explore_run.h"
#include "cmd/top_priv.h"

struct looker {
	struct top *top;
	struct explore *explore;
	bool frozen;
};

static int look(void *arg, struct err *err)
{
	struct looker *l = arg;
	int r;

	if (l->frozen)
		return 0;
	r = top_step(l->top, err);
	if (!r)
		explore_show(l->explore, l->top->profile);
	return r;
}

static int annotate(void *arg, const struct profile *profile, const struct profile_frame *frame,
		    uint32_t event, bool source, struct str *out, struct err *err)
{
	const struct looker *l = arg;
	struct annotate_options options = l->top->annotate;

	options.model.no_lines = !source;
	return explore_annotate(&options, &l->top->sources, profile, frame, event, out, err);
}

static void freeze(void *arg, bool frozen)
{
	struct looker *l = arg;

	l->frozen = frozen;
}

static void set_zero(void *arg, bool zero)
{
	struct looker *l = arg;

	l->top->zero = zero;
}

static void add_state(void *arg, struct str *out)
{
	const struct looker *l = arg;

	top_add_head(l->top, out);
	if (live_ended(l->top->live))
		str_add(out, "  ended");
}

int top_screen(struct top *t, struct err *err)
{
	struct looker l = { .top = t };
	struct explore_calls calls = { .arg = &l, .annotate = annotate, .freeze = freeze,
				       .zero = set_zero, .state = add_state };
	struct explore_run run = { .look = look, .arg = &l, .delay_s = t->delay_s };
	int r;

	l.explore = run.explore = explore_new(&t->view, &calls, true);
	explore_show(l.explore, t->profile);
	r = explore_run(&run, err);
	explore_free(l.explore);
	return r;
}
