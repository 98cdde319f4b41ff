/* SPDX-License-Identifier: MIT */
/* sonde top on a screen. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/explore_run.h"
#include "cmd/top_priv.h"
#include "view/account.h"

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

/* Since it began. */
static void about(void *arg, struct str *out)
{
	const struct looker *l = arg;
	const struct profile_account *a = &l->top->profile->account;
	char *text = NULL, n[32];
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return;
	fprintf(file, "%s samples since the beginning. Of these:\n\n", str_commas(a->samples, n));
	if (!account_write(a, "", ACCOUNT_ALL, file))
		fputs("None was lost, and all lie in code that has a name.\n", file);
	fclose(file);
	str_addn(out, text, size);
	free(text);
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
	struct explore_calls calls = { .arg = &l, .annotate = annotate, .about = about, .freeze = freeze,
				       .zero = set_zero, .state = add_state };
	struct explore_run run = { .look = look, .arg = &l, .delay_s = t->delay_s };
	int r;

	l.explore = run.explore = explore_new(&t->view, &calls, true);
	explore_show(l.explore, t->profile);
	r = explore_run(&run, err);
	explore_free(l.explore);
	if (!r)
		account_write(&t->profile->account, "# ", ACCOUNT_ALL, stderr);
	return r;
}
