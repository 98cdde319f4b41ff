/* SPDX-License-Identifier: MIT */
/*
 * sonde flame: a recording as a flame graph; or record and draw in one step.
 *
 *	sonde flame -i FILE                 draws what is there
 *	sonde flame -F 99 -ag -- sleep 5    records, then draws
 *
 * Record's options are handed on to sonde record as they are; which ones were given,
 * or a command, tells the two ways apart.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "base/vec.h"
#include "cmd/cmd.h"
#include "cmd/outfile.h"
#include "cmd/query.h"
#include "engine/output.h"
#include "formats/flame_page.h"
#include "formats/svg.h"
#include "profile/extra.h"
#include "view/account.h"
#include "view/export.h"
#include "view/fold.h"

#define PAGE_BUCKETS 200          /* columns of the strip of time */

struct flame {
	struct query_options query;
	struct fold_options fold;
	struct svg_options svg;
	struct str subtitle;
	const char *folded, *output, *colors, *event, *min_width, *pids, *tids, *cpus;
	bool reverse, graph, html;
	VEC(char *) record, events;      /* options for sonde record; those with -e apart */
};

/* --- options ------------------------------------------------------------------------------ */

static int hand_on(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct flame *f = opt->value;
	struct str word = STR_INIT;

	(void)err;
	if (opt->long_name)
		str_addf(&word, "--%s%s", unset ? "no-" : "", opt->long_name);
	else
		str_addf(&word, "-%c", opt->short_name);
	*vec_push(&f->record) = str_take(&word);
	if (arg)
		*vec_push(&f->record) = mem_strdup(arg);
	return 0;
}

/* -e: what is recorded; or, of a recording, what is drawn. */
static int take_event(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct flame *f = opt->value;

	(void)unset;
	(void)err;
	f->event = arg;
	*vec_push(&f->events) = mem_strdup("-e");
	*vec_push(&f->events) = mem_strdup(arg ? arg : "");
	return 0;
}

static int parse_flame(struct flame *f, struct err *err)
{
	char *end;
	int r = 0;

	f->html |= f->output && (str_ends(f->output, ".html") || str_ends(f->output, ".htm"));
	if (f->html && f->folded)
		return err_set(err, EINVAL, "a page is drawn of a recording; --folded makes an SVG picture");
	if (f->html && (f->reverse || f->svg.inverted || f->colors || f->svg.width || f->min_width))
		return err_set(err, EINVAL, "--reverse, --inverted, --colors, --width and --min-width are of "
			       "the SVG picture; the page is turned and coloured by who looks at it");
	f->svg.min_width = 0.1;
	if (f->min_width) {
		f->svg.min_width = strtod(f->min_width, &end);
		if (end == f->min_width || *end || !(f->svg.min_width >= 0))
			return err_set(err, EINVAL, "--min-width takes pixels, not '%s'", f->min_width);
	}
	if (f->svg.width && (f->svg.width < 100 || f->svg.width > 100000))
		return err_set(err, EINVAL, "--width takes 100 to 100000 pixels, not '%u'", f->svg.width);
	if (f->colors)
		r = svg_colors_parse(f->colors, &f->svg.colors, err);
	return r;
}

/* --- drawing ------------------------------------------------------------------------------ */

static const char *output_of(const struct flame *f)
{
	return f->output ? f->output : f->html ? "flame.html" : "flame.svg";
}

static int end_output(const struct flame *f, struct outfile *file, int r, struct err *err)
{
	r = outfile_end(file, r, err);
	if (!r && strcmp(file->path, "-") != 0 && !f->query.quiet) {
		printf("%s\n", file->path);
		fflush(stdout);
	}
	return r;
}

static int draw_tree(struct flame *f, const struct stack_tree *tree,
		     const struct label_table *labels, struct err *err)
{
	struct outfile file;
	int r = outfile_open(&file, output_of(f), err);

	if (r < 0)
		return r;
	return end_output(f, &file, svg_write(tree, labels, &f->svg, file.out, err), err);
}

static int draw_folded(struct flame *f, struct err *err)
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

static int choose_event(struct flame *f, const struct profile *profile, struct err *err)
{
	uint32_t event = fold_default_event(profile);

	if (f->event)
		return fold_named_event(profile, f->event, &f->fold.event, err);
	f->fold.event = event;
	for (uint32_t i = 0; i < profile->data->events.nr; i++) {
		if (i == event || !profile->totals[i].samples)
			continue;
		log_note("only event '%s' is drawn; --event NAME takes another",
			 profile->data->events.v[event].name);
		break;
	}
	return 0;
}

/* Samples of different periods weigh what they stand for; equal ones are counted. */
static void set_subtitle(struct flame *f, const struct profile *profile)
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
static int draw_page(struct flame *f, const struct profile *profile, bool times, struct err *err)
{
	struct flame_page_options options = { .title = f->svg.title, .sub = f->svg.subtitle,
					      .nr_buckets = 1 };
	struct export_view view;
	struct outfile file;
	size_t size = 0;
	char *account = NULL;
	FILE *text = open_memstream(&account, &size);
	int r = outfile_open(&file, output_of(f), err);

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
	uint64_t span = data->last_sample_ns - data->first_sample_ns;

	query->by = PROFILE_BY_COMM | PROFILE_BY_PID | PROFILE_BY_TID | PROFILE_BY_STACK;
	if (data->last_sample_ns <= data->first_sample_ns)
		return false;
	*time = (struct extra){ .kind = EXTRA_TIME, .name = "time", .quantum_ns = span / PAGE_BUCKETS + 1 };
	query->extra_list = time;
	query->nr_extras = 1;
	return true;
}

static int draw_svg(struct flame *f, const struct profile *profile, struct err *err)
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

static int draw_recording(struct flame *f, struct err *err)
{
	struct profile_query query;
	struct perf_data *data;
	struct profile *profile;
	struct extra time;
	bool times = false;
	int r = query_open(&f->query, &query, &data, err);

	if (r < 0)
		return r;
	f->fold.leaf_first = f->reverse;
	f->fold.join_unknown = true;
	if (f->html)
		times = query_page(&query, &time, data);
	else
		query.by = fold_dims(&f->fold);
	r = profile_load(&profile, data, &query, err);
	if (r < 0)
		return r;
	r = choose_event(f, profile, err);
	if (!r)
		r = f->html ? draw_page(f, profile, times, err) : draw_svg(f, profile, err);
	if (!r && !f->query.quiet)
		account_write(&profile->account, "sonde: ", ACCOUNT_LOSSES, stderr);
	profile_free(profile);
	return r;
}

/* --- recording ------------------------------------------------------------------------------ */

static void remove_folder(const char *folder)
{
	static const char *const names[] = { "perf.data", "perf.data.old" };
	struct str path = STR_INIT;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		str_clear(&path);
		str_addf(&path, "%s/%s", folder, names[i]);
		unlink(path.p);
	}
	rmdir(folder);
	str_release(&path);
}

/*
 * Returns the exit status: record's own (the command's), or 1 when the picture failed.
 * A minute of recording is not thrown away for want of a picture.
 */
static int record_and_draw(struct flame *f, char **words, int nr_words, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	struct str folder = STR_INIT, path = STR_INIT;
	VEC(char *) argv = { 0 };
	struct stat st;
	bool keep = false;
	int status = 1;

	if (strcmp(output_of(f), "-") != 0 && output_check(output_of(f), err) < 0)
		return 1;
	str_addf(&folder, "%s/sonde-flame.XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(folder.p)) {
		err_set(err, errno, "cannot make a folder for the recording, '%s': %s", folder.p,
			strerror(errno));
		str_release(&folder);
		return 1;
	}
	str_addf(&path, "%s/perf.data", folder.p);
	*vec_push(&argv) = (char *)(uintptr_t)"record";
	if (f->query.quiet)
		*vec_push(&argv) = (char *)(uintptr_t)"-q";
	if (f->graph)
		*vec_push(&argv) = (char *)(uintptr_t)"-g";
	*vec_push(&argv) = (char *)(uintptr_t)"-o";
	*vec_push(&argv) = path.p;
	for (size_t i = 0; i < f->record.nr; i++)
		*vec_push(&argv) = f->record.v[i];
	for (size_t i = 0; i < f->events.nr; i++)
		*vec_push(&argv) = f->events.v[i];
	*vec_push(&argv) = (char *)(uintptr_t)"--";
	for (int i = 0; i < nr_words; i++)
		*vec_push(&argv) = words[i];
	*vec_push(&argv) = NULL;
	status = cmd_record_for("flame", (int)argv.nr - 1, argv.v);
	/* a command that fails was still recorded */
	if (stat(path.p, &st) == 0 && st.st_size > 0) {
		f->query.input = path.p;
		keep = draw_recording(f, err) < 0;
		if (keep) {
			log_note("the recording is kept: %s", path.p);
			status = status ? status : 1;
		}
	} else if (!status) {
		err_set(err, ENODATA, "nothing was recorded");
		status = 1;
	}
	if (!keep)
		remove_folder(folder.p);
	vec_release(&argv);
	str_release(&folder);
	str_release(&path);
	return status;
}

/* Of a recording these choose what is drawn, else whom to watch. */
static void settle_targets(struct flame *f)
{
	const struct { const char *option, *value; } targets[] = {
		{ "-p", f->pids }, { "-t", f->tids }, { "-C", f->cpus },
	};

	if (f->query.input) {
		f->query.pids = f->pids;
		f->query.tids = f->tids;
		f->query.cpus = f->cpus;
		return;
	}
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		if (!targets[i].value)
			continue;
		*vec_push(&f->record) = mem_strdup(targets[i].option);
		*vec_push(&f->record) = mem_strdup(targets[i].value);
	}
}

static int run_flame(struct flame *f, char **words, int nr_words, struct err *err)
{
	bool records;

	settle_targets(f);
	records = nr_words || f->record.nr;
	if (records && (f->query.input || f->folded)) {
		err_set(err, EINVAL, "with -i or --folded nothing is recorded: leave out '%s'",
			     nr_words ? words[0] : f->record.v[0]);
		return EXIT_USAGE;
	}
	if (f->query.input && f->folded) {
		err_set(err, EINVAL, "-i and --folded exclude each other");
		return EXIT_USAGE;
	}
	if (records) {
		f->event = NULL;         /* of several, the first with samples is drawn */
		return record_and_draw(f, words, nr_words, err);
	}
	if (f->folded)
		return draw_folded(f, err) < 0;
	return draw_recording(f, err) < 0;
}

#define HAND_ON(f, letter, name, arg, text) \
	OPT_CALL(letter, name, f, arg, text, hand_on, 0)
#define HAND_ON_SWITCH(f, letter, name, text) \
	OPT_CALL(letter, name, f, NULL, text, hand_on, OPT_ARG_NONE)

static int run(int argc, char **argv)
{
	struct flame f = { .graph = true, .subtitle = STR_INIT };
	const struct opt opts[] = {
		OPT_SECTION("Draw what was recorded"),
		QUERY_INPUT_OPTIONS(&f.query),
		OPT_STRING(0, "folded", &f.folded, "FILE", "draw folded text (\"root;caller;callee 12\")"),
		OPT_STRING(0, "comm", &f.query.comms, "COMM[,COMM...]", "only samples of these commands"),
		OPT_STRING(0, "time", &f.query.time, "FROM,TO", "only samples of a span; see sonde report -h"),
		OPT_UINT(0, "max-stack", &f.query.max_stack, "N", "at most N frames from the leaf"),
		OPT_SECTION("Both (with -i these choose what is drawn)"),
		OPT_CALL('e', "event", &f, "EVENT", "this event (of a recording, the first that has "
			 "samples)", take_event, 0),
		OPT_STRING('p', "pid", &f.pids, "PID[,PID...]", "these processes"),
		OPT_STRING('t', "tid", &f.tids, "TID[,TID...]", "these threads"),
		OPT_STRING('C', "cpu", &f.cpus, "LIST", "these CPUs"),
		OPT_SECTION("Or record now, as sonde record does"),
		OPT_SWITCH('g', NULL, &f.graph, "with call chains, which is the default here"),
		HAND_ON(&f, 'F', "freq", "HZ", "samples a second"),
		HAND_ON(&f, 'c', "count", "N", "a sample every N events"),
		HAND_ON(&f, 0, "call-graph", "MODE", "how call chains are recorded"),
		HAND_ON_SWITCH(&f, 'a', "all-cpus", "the whole system"),
		HAND_ON(&f, 0, "filter", "FILTER", "of a tracepoint, only those with such fields"),
		HAND_ON(&f, 'u', "uid", "USER", "processes of a user"),
		HAND_ON(&f, 'm', "mmap-pages", "PAGES", "size of the ring buffers"),
		HAND_ON(&f, 'D', "delay", "MS", "begin to sample after so many milliseconds"),
		OPT_SECTION("The picture"),
		OPT_SWITCH(0, "html", &f.html, "a page to look around in: threads, times, callers, a table "
			   "(also if FILE ends in .html)"),
		OPT_STRING('o', "output", &f.output, "FILE", "write to FILE; - is standard output (flame.svg or .html)"),
		OPT_STRING(0, "title", &f.svg.title, "TEXT", "title (Flame Graph)"),
		OPT_STRING(0, "subtitle", &f.svg.subtitle, "TEXT", "line under it (samples, event, losses)"),
		OPT_UINT(0, "width", &f.svg.width, "PIXELS", "width of the picture (1200)"),
		OPT_STRING(0, "min-width", &f.min_width, "PIXELS", "leave out boxes narrower than that (0.1)"),
		OPT_STRING(0, "colors", &f.colors, "NAME", "kind, hot, mem, io or grey"),
		OPT_SWITCH(0, "inverted", &f.svg.inverted, "roots at the top: an icicle graph"),
		OPT_SWITCH(0, "reverse", &f.reverse, "merge from the leaves: who calls the hot functions"),
		OPT_SWITCH(0, "full-names", &f.fold.untidy, "symbols with their arguments, as they are"),
		OPT_SWITCH('q', "quiet", &f.query.quiet, "do not print where the picture is, nor losses"),
		OPT_SECTION("Symbols"),
		QUERY_SYMBOL_OPTIONS(&f.query),
		QUERY_NO_INLINE_OPTION(&f.query),
		QUERY_JOBS_OPTION(&f.query, 'j'),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status = cmd_options(&cmd_flame, opts, 0, argc, argv, &words);

	if (status >= 0)
		return status;
	cmd_quiet(f.query.quiet);
	status = parse_flame(&f, &err) < 0 ? EXIT_USAGE : run_flame(&f, argv, words, &err);
	if (err.code)
		cmd_error("flame", &err);
	for (size_t i = 0; i < f.record.nr; i++)
		free(f.record.v[i]);
	for (size_t i = 0; i < f.events.nr; i++)
		free(f.events.v[i]);
	vec_release(&f.record);
	vec_release(&f.events);
	str_release(&f.subtitle);
	query_release(&f.query);
	return status;
}

const struct command cmd_flame = {
	.name = "flame",
	.summary = "draw a flame graph of a recording, or record and draw",
	.usage = "[options] [--] [CMD [ARG...]]",
	.run = run,
};
