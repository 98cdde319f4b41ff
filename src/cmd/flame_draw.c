/* SPDX-License-Identifier: MIT */
#include "cmd/flame_draw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/browser.h"
#include "cmd/cmd.h"
#include "cmd/outfile.h"
#include "formats/flame_page.h"
#include "profile/extra.h"
#include "view/account.h"
#include "view/export_pair.h"
#include "view/flame_diff.h"

#define PAGE_BUCKETS 1000        /* of time, at most */

const char *flame_output(const struct flame_picture *f)
{
	return f->output ? f->output : f->svg_wanted ? "flame.svg" : "flame.html";
}

static int end_output(const struct flame_picture *f, struct outfile *file, int r, struct err *err)
{
	r = outfile_end(file, r, err);
	if (!r && strcmp(file->path, "-") != 0 && !f->query.quiet) {
		printf("%s\n", file->path);
		fflush(stdout);
	}
	if (!r && f->open)
		r = browser_open(file->path, err);
	return r;
}

static int draw_tree(struct flame_picture *f, const struct stack_tree *tree,
		     const struct label_table *labels, struct err *err)
{
	struct outfile file;
	int r = outfile_open(&file, flame_output(f), err);

	if (r < 0)
		return r;
	return end_output(f, &file, svg_write(tree, labels, &f->svg, file.out, err), err);
}

static int draw_folded_svg(struct flame_picture *f, struct err *err)
{
	bool from_stdin = strcmp(f->folded, "-") == 0;
	struct stack_tree tree;
	struct label_table labels;
	FILE *in = from_stdin ? stdin : fopen(f->folded, "re");
	int r;

	if (!in)
		return err_set(err, errno, "cannot open '%s': %s", f->folded, strerror(errno));
	stack_tree_init(&tree);
	label_table_init(&labels);
	r = folded_read(&tree, &labels, f->reverse, in, err);
	if (r < 0) {
		err_prefix(err, "'%s'", f->folded);
	} else {
		stack_tree_sum(&tree);
		stack_tree_sort(&tree, label_compare, &labels);
		r = draw_tree(f, &tree, &labels, err);
	}
	if (!from_stdin)
		fclose(in);
	stack_tree_release(&tree);
	label_table_release(&labels);
	return r;
}

static int choose_event(struct flame_picture *f, const struct profile *profile, struct err *err)
{
	uint32_t event = fold_default_event(profile);

	if (f->event)
		return fold_named_event(profile, f->event, &f->fold.event, err);
	f->fold.event = event;
	/* the page has them all */
	for (uint32_t i = 0; f->svg_wanted && i < profile->data->events.nr; i++) {
		if (i == event || !profile->totals[i].samples)
			continue;
		log_note("only event '%s' is drawn; --event NAME takes another",
			 profile->data->events.v[event].name);
		break;
	}
	return 0;
}

/* Samples of different periods weigh what they stand for; equal ones are counted. */
static void set_subtitle(struct flame_picture *f, const struct profile *profile)
{
	uint64_t lost = profile->account.lost_samples > profile->account.lost_events ?
			profile->account.lost_samples : profile->account.lost_events;
	const struct event_set *events = &profile->data->events;
	char n[32];

	if (f->svg.subtitle)
		return;
	if (f->fold.event < events->nr) {
		str_commas(profile->totals[f->fold.event].samples, n);
		str_addf(&f->subtitle, "%s samples of %s", n, events->v[f->fold.event].name);
	}
	if (lost)
		str_addf(&f->subtitle, ", %s lost", str_commas(lost, n));
	if (!profile->has_chains)
		str_add(&f->subtitle, ", recorded without call chains (-g)");
	f->svg.subtitle = f->subtitle.p;
}

/* The page has all events, threads and times, and its reader chooses. */
static int draw_page(struct flame_picture *f, const struct profile *profile, bool times, struct err *err)
{
	struct flame_page_options options = { .title = f->svg.title, .sub = f->svg.subtitle,
					      .nr_buckets = 1, .view = f->view, .colors = f->colors };
	struct export_view view;
	struct outfile file;
	size_t size = 0;
	char *account = NULL;
	FILE *text = open_memstream(&account, &size);
	int r = outfile_open(&file, flame_output(f), err);

	if (text) {
		account_write(&profile->account, "", ACCOUNT_ALL, text);
		fclose(text);
	}
	if (!r) {
		export_view_init(&view, profile, FOLD_ALL_EVENTS, STACK_SAMPLES);
		options.account = account;
		options.event = f->fold.event < profile->data->events.nr ? view.places[f->fold.event] : 0;
		if (times) {
			options.nr_buckets = export_view_times(&view);
			options.bucket_ns = view.bucket_ns;
		}
		r = end_output(f, &file, flame_page_write(&view.source, &options, file.out, err), err);
		export_view_release(&view);
	}
	free(account);
	return r;
}

/* What the page keeps apart; its strip of time needs a recording that tells how long it is. */
static bool query_page(struct profile_query *query, struct extra *time, const struct perf_data *data)
{
	uint64_t span = data->last_sample_ns - data->first_sample_ns, quantum = 1000000000;

	query->by = PROFILE_BY_COMM | PROFILE_BY_PID | PROFILE_BY_TID | PROFILE_BY_CPU | PROFILE_BY_STACK;
	if (data->last_sample_ns <= data->first_sample_ns)
		return false;
	/* a second is a whole number of them, or the other way round: the page shows parts of seconds */
	while (span / quantum >= PAGE_BUCKETS)
		quantum *= 2;
	while (quantum > 1 && span / (quantum / 2) < PAGE_BUCKETS)
		quantum /= 2;
	*time = (struct extra){ .kind = EXTRA_TIME, .name = "time", .quantum_ns = quantum };
	query->extra_list = time;
	query->nr_extras = 1;
	return true;
}

static int draw_svg(struct flame_picture *f, const struct profile *profile, struct err *err)
{
	struct label_table labels;
	struct stack_tree tree;
	int r;

	stack_tree_init(&tree);
	label_table_init(&labels);
	fold_profile(&tree, &labels, profile, &f->fold);
	set_subtitle(f, profile);
	r = draw_tree(f, &tree, &labels, err);
	stack_tree_release(&tree);
	label_table_release(&labels);
	return r;
}

static int draw_recording(struct flame_picture *f, struct err *err)
{
	struct profile_query query;
	struct perf_data *data;
	struct profile *profile;
	struct extra time;
	bool times = false;
	int r;

	f->query.stacks_too = true;
	if (f->folded && strcmp(f->folded, "-") != 0 && access(f->folded, R_OK) < 0)
		return err_set(err, errno, "cannot open '%s': %s", f->folded, strerror(errno));
	if (f->folded)
		f->query.input = f->folded;
	r = query_open(&f->query, &query, &data, err);
	if (r < 0)
		return r;
	f->fold.leaf_first = f->reverse;
	f->fold.join_unknown = true;
	if (!f->svg_wanted)
		times = query_page(&query, &time, data);
	else
		query.by = fold_dims(&f->fold);
	query.join_unmapped = f->svg_wanted && !f->fold.addrs;
	r = profile_load(&profile, data, &query, err);
	if (r < 0)
		return r;
	r = choose_event(f, profile, err);
	if (!r)
		r = f->svg_wanted ? draw_svg(f, profile, err) : draw_page(f, profile, times, err);
	if (!r && !f->query.quiet)
		account_write(&profile->account, "sonde: ", ACCOUNT_LOSSES, stderr);
	profile_free(profile);
	return r;
}

/* --- two recordings ------------------------------------------------------------------------- */

static int load_one(struct flame_picture *f, const char *path, struct profile **out, struct err *err)
{
	struct query_options options = f->query;
	struct profile_query query;
	struct perf_data *data;
	int r;

	options.input = path;
	options.stacks_too = true;
	r = query_open(&options, &query, &data, err);
	f->query.arena = options.arena;
	if (r < 0)
		return r;
	query.by = PROFILE_BY_COMM | PROFILE_BY_STACK;
	return profile_load(out, data, &query, err);
}

/* The event of the second that is the first's: the same name, or one alone in each. */
static int match_event(struct flame_picture *f, const struct profile *first, const struct profile *second,
		       struct fold_options *other, struct err *err)
{
	const struct event_set *events = &first->data->events;

	*other = f->fold;
	if (f->event) {
		int r = fold_named_event(first, f->event, &f->fold.event, err);

		return r < 0 ? r : fold_named_event(second, f->event, &other->event, err);
	}
	for (uint32_t i = 0; i < events->nr; i++) {
		f->fold.event = i;
		other->event = fold_find_event(second, events->v[i].name);
		if (first->totals[i].samples && other->event != FOLD_ALL_EVENTS && second->totals[other->event].samples)
			return 0;
	}
	return err_set(err, ENOENT, "'%s' and '%s' have no event in common that has samples in both", f->before,
		       f->after);
}

static int draw_diff_svg(struct flame_picture *f, const struct profile *first, const struct profile *second,
			 struct err *err)
{
	struct fold_options other;
	struct flame_diff diff;
	char a[32], b[32];
	int r = match_event(f, first, second, &other, err);

	if (r < 0)
		return r;
	flame_diff_init(&diff, first, &f->fold, second, &other);
	if (!f->svg.subtitle) {
		str_addf(&f->subtitle, "%s: %s samples before, %s after; red grew, blue shrank, grey is noise",
			 first->data->events.v[f->fold.event].name, str_commas(diff.before, a),
			 str_commas(diff.after, b));
		f->svg.subtitle = f->subtitle.p;
	}
	f->svg.changes = diff.changes;
	r = draw_tree(f, &diff.tree, &diff.labels, err);
	flame_diff_release(&diff);
	return r;
}

static char *both_accounts(struct flame_picture *f, const struct profile *first, const struct profile *second)
{
	struct str prefix = STR_INIT;
	char *account = NULL;
	size_t size = 0;
	FILE *text = open_memstream(&account, &size);

	if (!text)
		return NULL;
	str_addf(&prefix, "%s: ", f->before);
	account_write(&first->account, prefix.p, ACCOUNT_ALL, text);
	str_clear(&prefix);
	str_addf(&prefix, "%s: ", f->after);
	account_write(&second->account, prefix.p, ACCOUNT_ALL, text);
	fclose(text);
	str_release(&prefix);
	return account;
}

static int draw_diff_page(struct flame_picture *f, const struct profile *first, const struct profile *second,
			  struct err *err)
{
	struct flame_page_options options = {
		.title = f->svg.title, .sub = f->svg.subtitle, .nr_buckets = 1, .view = f->view,
		.colors = FLAME_PAGE_CHANGE, .files = { f->before, f->after },
	};
	struct fold_options other;
	struct export_pair pair;
	struct outfile file;
	char *account;
	int r = match_event(f, first, second, &other, err);

	if (!r)
		r = outfile_open(&file, flame_output(f), err);
	if (r < 0)
		return r;
	account = both_accounts(f, first, second);
	export_pair_init(&pair, first, second);
	options.account = account;
	options.event = pair.events[0][pair.views[0].places[f->fold.event]];
	r = end_output(f, &file, flame_page_write(&pair.source, &options, file.out, err), err);
	export_pair_release(&pair);
	free(account);
	return r;
}

static int draw_diff(struct flame_picture *f, struct err *err)
{
	struct profile *first, *second;
	int r = load_one(f, f->before, &first, err);

	if (r < 0)
		return r;
	r = load_one(f, f->after, &second, err);
	if (r < 0) {
		profile_free(first);
		return r;
	}
	f->fold.leaf_first = f->reverse;
	f->fold.join_unknown = true;
	r = f->svg_wanted ? draw_diff_svg(f, first, second, err) : draw_diff_page(f, first, second, err);
	profile_free(first);
	profile_free(second);
	return r;
}

int flame_draw(struct flame_picture *f, struct err *err)
{
	if (f->before)
		return draw_diff(f, err);
	return f->folded && f->svg_wanted ? draw_folded_svg(f, err) : draw_recording(f, err);
}
