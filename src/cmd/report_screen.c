/* SPDX-License-Identifier: MIT */
/* sonde report on a screen. */
#include <stdlib.h>

#include "cmd/cmd.h"
#include "cmd/explore_run.h"
#include "cmd/report_priv.h"
#include "view/account.h"
#include "view/header.h"

struct looker {
	struct report *report;
	const struct profile *profile;
	struct profile *by_address;      /* made when the first function is annotated */
};

/* Count once more, by address and without chains: what annotate wants. */
static int count_addresses(struct looker *l, struct err *err)
{
	struct report *r = l->report;
	struct profile_query query;
	struct perf_data *data;
	int e;

	if (l->by_address)
		return 0;
	e = query_open(&r->query, &query, &data, err);
	if (e < 0)
		return e;
	query.by = PROFILE_BY_ADDR;
	query.symbols.jit_code = true;
	query.dsos = query.comms = query.syms = NULL;
	query.nr_pids = query.nr_tids = 0;
	query.by_weight = r->memory;
	return profile_load(&l->by_address, data, &query, err);
}

static int annotate(void *arg, const struct profile *profile, const struct profile_frame *frame,
		    uint32_t event, bool source, struct str *out, struct err *err)
{
	struct annotate_options options = { .brief = true, .model.no_lines = !source };
	struct sources_options sources = { .prefix = NULL };
	struct looker *l = arg;
	int e = count_addresses(l, err);

	(void)profile;
	if (e < 0)
		return e;
	return explore_annotate(&options, &sources, l->by_address, frame, event, out, err);
}

static void about(void *arg, struct str *out)
{
	const struct looker *l = arg;
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return;
	/* a page down nobody would find it */
	if (account_write(&l->profile->account, "", ACCOUNT_ALL, file))
		fputc('\n', file);
	header_write(l->profile->data, false, file);
	fclose(file);
	str_addn(out, text, size);
	free(text);
}

/* What the end of a written report tells. */
static void add_state(void *arg, struct str *out)
{
	const struct looker *l = arg;

	account_add_brief(&l->profile->account, out);
}

int report_screen(struct report *r, const struct profile *profile, struct err *err)
{
	struct looker l = { .report = r, .profile = profile };
	struct explore_calls calls = { .arg = &l, .annotate = annotate, .about = about, .state = add_state };
	struct explore_run run = { .explore = explore_new(&r->view, &calls, false) };
	int e;

	explore_show(run.explore, profile);
	e = explore_run(&run, err);
	explore_free(run.explore);
	if (!e)
		account_write(&profile->account, "# ", ACCOUNT_ALL, stderr);
	profile_free(l.by_address);
	return e;
}
