/* SPDX-License-Identifier: MIT */
/*
 * sonde flame: a recording as a flame graph; or record and draw in one step.
 *
 *	sonde flame -i FILE                 draws what is there
 *	sonde flame -F 99 -ag -- sleep 5    records, then draws
 *	sonde flame --diff BEFORE AFTER     draws what changed
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
#include "cmd/browser.h"
#include "cmd/cmd.h"
#include "cmd/flame_draw.h"
#include "engine/output.h"

struct flame {
	struct flame_picture picture;
	const char *colors, *min_width, *pids, *tids, *cpus;
	bool graph, html, svg, inverted, diff;
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
	f->picture.event = arg;
	*vec_push(&f->events) = mem_strdup("-e");
	*vec_push(&f->events) = mem_strdup(arg ? arg : "");
	return 0;
}

/* A name says what it is, --html and --svg say it whatever the name. */
static int choose_form(struct flame *f, struct err *err)
{
	const char *output = f->picture.output;

	if (f->html && f->svg)
		return err_set(err, EINVAL, "--html and --svg are two forms; one at a time");
	f->picture.svg_wanted = f->svg || (!f->html && output && str_ends(output, ".svg"));
	if (f->picture.open && output && strcmp(output, "-") == 0)
		return err_set(err, EINVAL, "--open opens a file; leave out -o - or name one");
	return 0;
}

static int parse_page(struct flame *f, struct err *err)
{
	if (f->picture.svg.width || f->min_width)
		return err_set(err, EINVAL, "--width and --min-width are of the SVG picture (--svg); the page is "
			       "as wide as its window");
	f->picture.view = f->picture.reverse ? FLAME_PAGE_CALLERS :
			  f->inverted ? FLAME_PAGE_ICICLE : FLAME_PAGE_FLAME;
	return f->colors ? flame_page_colors_parse(f->colors, &f->picture.colors, err) : 0;
}

static int parse_svg(struct flame *f, struct err *err)
{
	struct svg_options *svg = &f->picture.svg;
	char *end;

	svg->inverted = f->inverted;
	svg->min_width = 0.1;
	if (f->min_width) {
		svg->min_width = strtod(f->min_width, &end);
		if (end == f->min_width || *end || !(svg->min_width >= 0))
			return err_set(err, EINVAL, "--min-width takes pixels, not '%s'", f->min_width);
	}
	if (svg->width && (svg->width < 100 || svg->width > 100000))
		return err_set(err, EINVAL, "--width takes 100 to 100000 pixels, not '%u'", svg->width);
	return f->colors ? svg_colors_parse(f->colors, &svg->colors, err) : 0;
}

static int parse_flame(struct flame *f, struct err *err)
{
	int r = choose_form(f, err);

	if (r < 0)
		return r;
	return f->picture.svg_wanted ? parse_svg(f, err) : parse_page(f, err);
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

/* A browser is the one thing that is started after a recording was read. */
static void only_read(const struct flame *f)
{
	if (f->picture.open)
		secure_drop_capabilities();
	else
		secure_confine(CONFINE_READ);
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

	if (strcmp(flame_output(&f->picture), "-") != 0 && output_check(flame_output(&f->picture), err) < 0)
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
	if (f->picture.query.quiet)
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
	only_read(f);
	/* a command that fails was still recorded */
	if (stat(path.p, &st) == 0 && st.st_size > 0) {
		f->picture.query.input = path.p;
		keep = flame_draw(&f->picture, err) < 0;
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

	if (f->picture.query.input) {
		f->picture.query.pids = f->pids;
		f->picture.query.tids = f->tids;
		f->picture.query.cpus = f->cpus;
		return;
	}
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		if (!targets[i].value)
			continue;
		*vec_push(&f->record) = mem_strdup(targets[i].option);
		*vec_push(&f->record) = mem_strdup(targets[i].value);
	}
}

/* The words are two recordings; without any, the last one and the one before, as sonde diff has it. */
static int draw_diff(struct flame *f, char **words, int nr_words, struct err *err)
{
	struct flame_picture *p = &f->picture;

	if (p->query.input || p->folded)
		err_set(err, EINVAL, "--diff takes two recordings as words: sonde flame --diff BEFORE AFTER");
	else if (nr_words && nr_words != 2)
		err_set(err, EINVAL, "--diff takes two recordings, not %d", nr_words);
	else if (f->record.nr)
		err_set(err, EINVAL, "with --diff nothing is recorded: leave out '%s'", f->record.v[0]);
	else if (f->colors)
		err_set(err, EINVAL, "--diff colours by change: leave out --colors");
	if (err->code)
		return EXIT_USAGE;
	p->before = nr_words ? words[0] : "perf.data.old";
	p->after = nr_words ? words[1] : "perf.data";
	p->query.pids = f->pids;
	p->query.tids = f->tids;
	p->query.cpus = f->cpus;
	only_read(f);
	return flame_draw(p, err) < 0;
}

static int run_flame(struct flame *f, char **words, int nr_words, struct err *err)
{
	bool records;

	if (f->picture.open && browser_check(err) < 0)
		return 1;
	if (f->diff)
		return draw_diff(f, words, nr_words, err);
	settle_targets(f);
	records = nr_words || f->record.nr;
	if (records && (f->picture.query.input || f->picture.folded)) {
		err_set(err, EINVAL, "with -i or --folded nothing is recorded: leave out '%s'",
			     nr_words ? words[0] : f->record.v[0]);
		return EXIT_USAGE;
	}
	if (f->picture.query.input && f->picture.folded) {
		err_set(err, EINVAL, "-i and --folded exclude each other");
		return EXIT_USAGE;
	}
	if (records) {
		f->picture.event = NULL;         /* of several, the first with samples is drawn */
		return record_and_draw(f, words, nr_words, err);
	}
	only_read(f);
	return flame_draw(&f->picture, err) < 0;
}

/* Options end where a command begins; but --diff has none, and they may stand behind its words. */
static int diff_options(const struct opt *opts, char **words, int *nr_words)
{
	VEC(char *) argv = { 0 };
	int status;

	*vec_push(&argv) = (char *)(uintptr_t)"flame";
	for (int i = 0; i < *nr_words; i++)
		*vec_push(&argv) = words[i];
	*vec_push(&argv) = NULL;
	status = cmd_options(&cmd_flame, opts, OPT_PARSE_ANYWHERE, (int)argv.nr - 1, argv.v, nr_words);
	for (int i = 0; status < 0 && i < *nr_words; i++)
		words[i] = argv.v[i];
	vec_release(&argv);
	return status;
}

#define HAND_ON(f, letter, name, arg, text) \
	OPT_CALL(letter, name, f, arg, text, hand_on, 0)
#define HAND_ON_SWITCH(f, letter, name, text) \
	OPT_CALL(letter, name, f, NULL, text, hand_on, OPT_ARG_NONE)

static int run(int argc, char **argv)
{
	struct flame f = { .graph = true, .picture.subtitle = STR_INIT };
	const struct opt opts[] = {
		OPT_SECTION("Draw what was recorded"),
		QUERY_INPUT_OPTIONS(&f.picture.query),
		OPT_STRING(0, "folded", &f.picture.folded, "FILE", "draw folded text (\"root;caller;callee 12\")"),
		OPT_SWITCH(0, "diff", &f.diff, "two recordings, BEFORE and AFTER: what changed, and what of it is "
			   "noise"),
		OPT_STRING(0, "comm", &f.picture.query.comms, "COMM[,COMM...]", "only samples of these commands"),
		OPT_STRING(0, "time", &f.picture.query.time, "FROM,TO", "only samples of a span; see sonde report -h"),
		OPT_UINT(0, "max-stack", &f.picture.query.max_stack, "N", "at most N frames from the leaf"),
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
		OPT_SWITCH(0, "svg", &f.svg, "the classic picture (also if FILE ends in .svg)"),
		OPT_SWITCH(0, "html", &f.html, "a page to look around in, whatever FILE ends in (the default)"),
		OPT_STRING('o', "output", &f.picture.output, "FILE", "write to FILE; - is standard output (flame.html or "
			   "flame.svg)"),
		OPT_SWITCH(0, "open", &f.picture.open, "open it in a browser: $BROWSER or xdg-open"),
		OPT_STRING(0, "title", &f.picture.svg.title, "TEXT", "title (Flame Graph)"),
		OPT_STRING(0, "subtitle", &f.picture.svg.subtitle, "TEXT", "line under it (samples, event, losses)"),
		OPT_UINT(0, "width", &f.picture.svg.width, "PIXELS", "SVG: width of the picture (1200)"),
		OPT_STRING(0, "min-width", &f.min_width, "PIXELS", "SVG: leave out boxes narrower than that (0.1)"),
		OPT_STRING(0, "colors", &f.colors, "NAME", "of a page kind, module, package or self; of "
			   "an SVG kind, hot, mem, io or grey"),
		OPT_SWITCH(0, "inverted", &f.inverted, "roots at the top: an icicle graph"),
		OPT_SWITCH(0, "reverse", &f.picture.reverse, "merge from the leaves: who calls the hot functions"),
		OPT_SWITCH(0, "full-names", &f.picture.fold.untidy, "SVG: symbols with their arguments, as they are"),
		OPT_SWITCH('q', "quiet", &f.picture.query.quiet, "do not print where the picture is, nor losses"),
		OPT_SECTION("Symbols"),
		QUERY_SYMBOL_OPTIONS(&f.picture.query),
		QUERY_NO_INLINE_OPTION(&f.picture.query),
		QUERY_JOBS_OPTION(&f.picture.query, 'j'),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status = cmd_options(&cmd_flame, opts, 0, argc, argv, &words);

	if (status < 0 && f.diff)
		status = diff_options(opts, argv, &words);
	if (status >= 0)
		return status;
	cmd_quiet(f.picture.query.quiet);
	status = parse_flame(&f, &err) < 0 ? EXIT_USAGE : run_flame(&f, argv, words, &err);
	if (err.code)
		cmd_error("flame", &err);
	for (size_t i = 0; i < f.record.nr; i++)
		free(f.record.v[i]);
	for (size_t i = 0; i < f.events.nr; i++)
		free(f.events.v[i]);
	vec_release(&f.record);
	vec_release(&f.events);
	str_release(&f.picture.subtitle);
	query_release(&f.picture.query);
	return status;
}

const struct command cmd_flame = {
	.name = "flame",
	.summary = "draw a flame graph of a recording, or record and draw",
	.usage = "[options] [--] [CMD [ARG...]]; or --diff BEFORE AFTER",
	.run = run,
};
