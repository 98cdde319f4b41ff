/* SPDX-License-Identifier: MIT */
/* sonde annotate: where in a function the time went. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "cmd/cmd.h"
#include "cmd/query.h"
#include "cmd/values.h"
#include "view/account.h"
#include "view/annotate_data.h"

#define LIMIT_PERCENT 0.5

struct annotate {
	struct query_options query;
	struct annotate_options view;
	struct sources_options sources;
	const char *html;                /* file of the page, or NULL */
	const char *symbol, *syntax, *percent, *limit_text, *least_text, *color;
	double limit;                    /* of the event's period; symbols below it are not shown */
	bool stdio, json, group, no_group, modules, ignore_vmlinux, skip_missing, demangle_kernel, source;
};

/* What is at work while listings are written. */
struct run {
	const struct annotate *options;
	const struct profile *profile;
	struct hots hots;
	struct branches branches;
	struct codes *codes;
	struct sources *sources;
	FILE *out;
	struct str notes;                /* of the page */
	bool said_skid;
	const struct module *said_missing;       /* whose code it was last said cannot be had */
	uint32_t nr_shown, nr_missing, nr_below;
};

#define NO_DATA_TYPES "types of the data that instructions touch are not told; source lines are"

static int refuse(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	static const struct { const char *name, *why; } reasons[] = {
		{ "tui", "there is no such screen here; --stdio is text, --html FILE a page to look around in" },
		{ "gtk", "there is no such screen here; --stdio is text, --html FILE a page to look around in" },
		{ "objdump", "sonde disassembles by itself and starts no other program" },
		{ "itrace", "traces of the processor (Intel PT and the like) are not decoded" },
		{ "dump-raw-trace", "sonde script -D shows the recording's records" },
	};

	(void)arg;
	(void)unset;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(opt->long_name, reasons[i].name) == 0)
			return err_set(err, EOPNOTSUPP, "--%s: %s", opt->long_name, reasons[i].why);
	return err_set(err, EOPNOTSUPP, "--%s is not there", opt->long_name);
}

static int take_demangle(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct annotate *a = opt->value;

	(void)arg;
	(void)err;
	a->query.no_demangle = unset;
	return 0;
}

/* --- what follows from several options ---------------------------------------------------- */

static int parse_terminal(struct annotate *a, struct err *err)
{
	const char *when = a->color ? a->color : "auto", *term = getenv("TERM");

	a->view.width = (unsigned)cmd_columns(stdout, 0);
	if (strcmp(when, "always") == 0)
		a->view.color = true;
	else if (strcmp(when, "auto") == 0)
		a->view.color = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 &&
				!getenv("NO_COLOR");
	else if (strcmp(when, "never") != 0)
		return err_set(err, EINVAL, "--stdio-color takes always, never or auto, not '%s'", when);
	return 0;
}

static int settle(struct annotate *a, struct err *err)
{
	int e = value_percent(a->limit_text, "--percent-limit", INFINITY, &a->limit, err);
	int type;

	if (!e)
		e = value_percent(a->least_text, "--min-percent", INFINITY, &a->view.min_percent, err);
	if (!e)
		e = parse_terminal(a, err);
	if (!e)
		e = value_syntax(a->syntax, &a->view.model.syntax, err);
	if (!e && a->percent) {
		type = percent_type_find(a->percent);
		if (type < 0)
			e = err_set(err, EINVAL, "--percent-type takes local-period, local-hits, global-period or "
				    "global-hits, not '%s'", a->percent);
		else
			a->view.model.percent = (enum percent_type)type;
	}
	if (!e && a->view.samples && a->view.period)
		e = err_set(err, EINVAL, "only one of -n and --show-total-period can be");
	if (!e && a->sources.source_dir && access(a->sources.source_dir, X_OK) < 0)
		e = err_set(err, errno, "--source-dir '%s': %s", a->sources.source_dir, strerror(errno));
	if (!e && a->sources.prefix_strip && !a->sources.prefix)
		e = err_set(err, EINVAL, "--prefix-strip takes folders off before --prefix is put there: it "
			    "needs --prefix");
	if (!e && (a->json + (a->html != NULL) + a->view.brief > 1))
		e = err_set(err, EINVAL, "only one of -j, --html and --stdio2 can be");
	if (!e && (a->json || a->html) && (a->view.samples || a->view.period || a->view.print_line))
		e = err_set(err, EINVAL, "%s has percentages, counts and lines in one: leave out -n, "
			    "--show-total-period and -l", a->json ? "-j" : "--html");
	if (!e && a->modules && a->query.vmlinux)
		e = err_set(err, EINVAL, VALUE_MODULES_AND_VMLINUX);
	a->view.model.no_lines = !a->source && !a->view.print_line;
	return e;
}

/* --- which functions ---------------------------------------------------------------------- */

static bool in_list(const char **list, const char *name)
{
	for (; list && *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static bool is_wanted(const struct run *r, const struct profile_query *query,
		      const struct hot_symbol *symbol)
{
	const struct annotate *o = r->options;

	if (o->symbol && strcmp(symbol->name, o->symbol) != 0)
		return false;
	return !query->dsos || in_list(query->dsos, symbol->module->short_name) ||
	       in_list(query->dsos, symbol->module->path);
}

/* The binary without names in which most samples lie, and why it has none; NULL if all have. */
static const struct profile_frame *most_unnamed(const struct profile *p, double *percent)
{
	uint64_t *sums = mem_zalloc((module_set_count(p->modules) + 1) * sizeof(*sums)), all = 0;
	const struct profile_frame *best = NULL;

	for (size_t i = 0; i < p->nr_entries; i++) {
		const struct profile_frame *f = &p->frames[p->entries[i].leaf];

		all += p->entries[i].samples;
		if (f->name || !f->module)
			continue;
		sums[f->module->index] += p->entries[i].samples;
		if (!best || sums[f->module->index] > sums[best->module->index])
			best = f;
	}
	*percent = best && all ? 100.0 * (double)sums[best->module->index] / (double)all : 0;
	free(sums);
	return best;
}

/* Why nothing is to be shown. */
static int nothing_found(const struct run *r, const struct profile_query *query, struct err *err)
{
	const char *symbol = r->options->symbol, *near, **names;
	const struct profile_frame *unnamed;
	double percent;
	int e;

	if (!r->profile->account.samples)
		return err_set(err, ENOENT, "the recording has no samples");
	unnamed = most_unnamed(r->profile, &percent);
	if (unnamed && percent >= 1 && !query->dsos &&
	    (!symbol || !codes_has_symbol(r->profile->modules, symbol)))
		return err_set(err, ENOENT, "%s%s%s, and %.0f %% of the samples lie in '%s' without a name: %s; %s",
			       symbol ? "no function '" : "no sample lies in a function that has a name",
			       symbol ? symbol : "", symbol ? "' is known here" : "", percent,
			       unnamed->module->path, name_reason_text(unnamed->reason),
			       name_reason_advice(unnamed->reason));
	if (!symbol)
		return err_set(err, ENOENT, query->dsos ? "no sample lies in a named function of '%s'" :
			       "no sample lies in a function that has a name; sonde report tells why",
			       r->options->query.dsos);
	names = mem_alloc((r->hots.nr + 1) * sizeof(*names));
	for (uint32_t i = 0; i < r->hots.nr; i++)
		names[i] = r->hots.v[i].name;
	names[r->hots.nr] = NULL;
	near = str_nearest(symbol, names);
	if (codes_has_symbol(r->profile->modules, symbol))
		e = err_set(err, ENOENT, "no sample lies in '%s'%s; sonde report lists the functions that have "
			    "some", symbol, query->dsos ? " of the binaries of -d" : "");
	else
		e = err_set(err, ENOENT, "no binary in the recording has a function '%s'; %s%s%ssonde report "
			    "lists those that have samples", symbol, near ? "did you mean '" : "",
			    near ? near : "", near ? "'? " : "");
	free(names);
	return e;
}

/* --- listings ----------------------------------------------------------------------------- */

/* A remark on what is shown: a comment in the text, a note on the page, nothing in JSON. */
static void __attribute__((format(printf, 2, 3))) remark(struct run *r, const char *fmt, ...)
{
	struct str text = STR_INIT, safe = STR_INIT;
	va_list ap;

	if (r->options->json || r->options->query.quiet)
		return;
	va_start(ap, fmt);
	str_addvf(&text, fmt, ap);
	va_end(ap);
	str_add_safe(&safe, text.p);
	if (r->options->html)
		str_addf(&r->notes, "%s\n", safe.p);
	else
		fprintf(r->out, "# %s\n", safe.p);
	str_release(&text);
	str_release(&safe);
}

static void say_skid(struct run *r, const uint32_t *events, uint32_t nr)
{
	for (uint32_t e = 0; e < nr && !r->said_skid; e++) {
		const struct event_desc *event = &r->profile->data->events.v[events[e]];

		if (!annotate_skids(&event->attr))
			continue;
		remark(r, "%s is not a precise event: a sample lies on the instruction after the one that took "
		       "the time, or later", event->name);
		r->said_skid = true;
	}
}

static int show_symbol(struct run *r, const struct hot_symbol *symbol, const uint32_t *events,
		       uint32_t nr_events, struct err *err)
{
	struct annotation a;
	int e = annotation_build(&a, r->codes, r->profile, symbol, events, nr_events,
				 &r->options->view.model, err);

	if (e < 0) {
		r->nr_missing++;
		return e;
	}
	annotation_add_branches(&a, &r->branches);
	if (r->options->json) {
		annotate_json_function(&a, r->nr_shown, r->out);
	} else if (r->options->html) {
		annotate_html_function(&r->options->view, r->sources, &a, r->nr_shown, r->out);
	} else {
		if (r->nr_shown)
			fputc('\n', r->out);
		annotate_write(&r->options->view, r->sources, &a, r->out);
	}
	annotation_release(&a);
	r->nr_shown++;
	say_skid(r, events, nr_events);
	return 0;
}

static int show_events(struct run *r, const struct profile_query *query, const uint32_t *events,
		       uint32_t nr_events, struct err *err)
{
	const struct annotate *o = r->options;
	uint32_t *order, nr = hots_sort(&r->hots, events, nr_events, &order);
	uint64_t all = r->profile->totals[events[0]].period;
	struct err why = ERR_INIT;
	int e = 0;

	for (uint32_t i = 0; i < nr && !e; i++) {
		const struct hot_symbol *symbol = &r->hots.v[order[i]];
		double percent = all ? 100.0 * (double)symbol->totals[events[0]].period / (double)all : 0;

		if (!is_wanted(r, query, symbol))
			continue;
		if (!o->symbol && percent < o->limit) {
			r->nr_below++;
			continue;
		}
		if (show_symbol(r, symbol, events, nr_events, &why) == 0)
			continue;
		/* what was asked for by name has to be shown */
		if (o->symbol && !o->skip_missing)
			e = err_set(err, why.code, "%s", why.msg);
		else if (!o->skip_missing && r->said_missing != symbol->module)
			log_note("%s", why.msg);
		r->said_missing = symbol->module;
	}
	free(order);
	return e;
}

static int show_all(struct run *r, const struct profile_query *query, struct err *err)
{
	const struct annotate *o = r->options;
	const struct event_set *set = &r->profile->data->events;
	bool any_group = false;
	int e = 0;

	for (uint32_t i = 0; i < set->nr; i++)
		any_group |= set->v[i].nr_members > 1;
	for (uint32_t i = 0; i < set->nr && !e; i++) {
		uint32_t events[ANNOTATION_EVENTS_MAX], nr = 0;
		bool all = o->group && !any_group, grouped = all || (!o->no_group && any_group);

		if (grouped && (all ? i : set->v[i].leader != i))
			continue;
		for (uint32_t j = i; j < set->nr && nr < ANNOTATION_EVENTS_MAX; j++)
			if (j == i || (grouped && (all || set->v[j].leader == i)))
				events[nr++] = j;
		e = show_events(r, query, events, nr, err);
	}
	if (!e && !r->nr_shown && !r->nr_missing && !r->nr_below)
		e = nothing_found(r, query, err);
	if (!e && r->nr_below)
		remark(r, "%u function%s under %g %% not shown; --percent-limit 0 shows all", r->nr_below,
		       r->nr_below == 1 ? "" : "s", o->limit);
	if (!e && r->nr_missing && r->nr_shown && !o->skip_missing)
		remark(r, "%u function%s cannot be shown for want of %s code", r->nr_missing,
		       r->nr_missing == 1 ? "" : "s", r->nr_missing == 1 ? "its" : "their");
	if (!e && !r->nr_shown && r->nr_missing)
		e = err_set(err, ENOENT, "none of the functions with samples can be annotated");
	return e;
}

/* Where the page goes: what is there is replaced only once there is something to show. */
static int open_page(struct run *r, struct err *err)
{
	const char *path = r->options->html;

	if (r->options->json)
		annotate_json_head(r->out);
	if (!path)
		return 0;
	r->out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	if (!r->out) {
		int code = errno;

		r->out = stdout;
		return err_set(err, code, "cannot write the page '%s': %s", path, strerror(code));
	}
	annotate_html_head("sonde annotate", r->out);
	return 0;
}

static int finish(struct run *r, int e, struct err *err)
{
	const struct annotate *o = r->options;
	int code = 0;

	if (o->json)
		annotate_json_foot(r->nr_missing, r->nr_below, r->out);
	if (o->html && !e)
		annotate_html_foot(r->notes.p, r->out);
	if (!e && !o->query.quiet && !o->json && !o->html)
		account_write(&r->profile->account, "# ", ACCOUNT_LOSSES, r->out);
	if (r->out != stdout) {
		code = ferror(r->out) ? EIO : 0;
		if (fclose(r->out) && !code)
			code = errno;
		/* half a page is none */
		if (e || code)
			unlink(o->html);
		if (!e && code)
			e = err_set(err, code, "cannot write the page '%s': %s", o->html, strerror(code));
		if (!e && !o->query.quiet)
			printf("%s\n", o->html);
	}
	if (fflush(stdout) && errno != EPIPE && !e)
		e = err_set(err, errno, "cannot write standard output: %s", strerror(errno));
	str_release(&r->notes);
	return e;
}

static int annotate(const struct annotate *o, struct query_options *options, struct err *err)
{
	struct codes_options codes = { .ignore_vmlinux = o->ignore_vmlinux };
	struct profile_query query, asked;
	struct run r = { .options = o, .out = stdout, .notes = STR_INIT };
	struct perf_data *data;
	struct profile *profile;
	int e = disasm_check(err);

	if (e < 0)
		return e;
	e = query_open(options, &query, &data, err);
	if (e < 0)
		return e;
	asked = query;
	query.by = PROFILE_BY_ADDR;
	query.symbols.jit_code = true;
	query.dsos = NULL;               /* percentages are of all that was recorded */
	cmd_progress_begin(options->quiet);
	e = profile_load(&profile, data, &query, err);
	cmd_progress_end();
	if (e < 0)
		return e;
	r.profile = profile;
	hots_build(&r.hots, profile);
	r.codes = codes_new(&codes);
	r.sources = o->source ? sources_new(&o->sources) : NULL;
	e = branches_load(&r.branches, profile, &query, err);
	if (!e)
		e = open_page(&r, err);
	if (!e)
		e = show_all(&r, &asked, err);
	e = finish(&r, e, err);
	sources_free(r.sources);
	codes_free(r.codes);
	branches_release(&r.branches);
	hots_release(&r.hots);
	profile_free(profile);
	return e;
}

static int run(int argc, char **argv)
{
	static char buffer[1 << 16];
	struct annotate a = { .source = true, .limit = LIMIT_PERCENT };
	const struct opt opts[] = {
		OPT_SECTION("Input"),
		QUERY_INPUT_OPTIONS(&a.query),
		OPT_SECTION("Which functions"),
		OPT_STRING('s', "symbol", &a.symbol, "SYMBOL", "this one; the word SYMBOL alone says the same"),
		OPT_STRING('d', "dsos", &a.query.dsos, "DSO[,DSO...]", "only of these binaries"),
		OPT_STRING(0, "percent-limit", &a.limit_text, "PERCENT", "none with less than PERCENT of the "
			   "recording (0.5)"),
		OPT_SWITCH(0, "skip-missing", &a.skip_missing, "not a word on those whose code cannot be had"),
		OPT_SECTION("Which samples"),
		QUERY_TASK_OPTIONS(&a.query),
		QUERY_WHEN_OPTIONS(&a.query),
		OPT_SECTION("Instructions"),
		OPT_STRING('M', "disassembler-style", &a.syntax, "att|intel", "syntax of x86 instructions (att)"),
		OPT_SWITCH(0, "asm-raw", &a.view.asm_raw, "with their bytes"),
		OPT_STRING(0, "min-percent", &a.least_text, "PERCENT", "only instructions with at least PERCENT"),
		OPT_SECTION("Numbers"),
		OPT_SWITCH('n', "show-nr-samples", &a.view.samples, "numbers of samples for percentages"),
		OPT_SWITCH(0, "show-total-period", &a.view.period, "sums of periods for percentages"),
		OPT_STRING(0, "percent-type", &a.percent, "TYPE", "local-period: of the function's period; "
			   "global-period: of the recording's; local-hits and global-hits: of samples (local-period)"),
		OPT_SWITCH(0, "group", &a.group, "all events side by side, as those of a group always are"),
		OPT_SWITCH(0, "no-group", &a.no_group, "a listing for each event of a group"),
		OPT_SECTION("Source"),
		OPT_SWITCH(0, "source", &a.source, "source lines between the instructions (on)"),
		OPT_SWITCH('l', "print-line", &a.view.print_line, "source lines by weight first, and file and line "
			   "behind instructions"),
		OPT_SWITCH('P', "full-paths", &a.view.full_paths, "whole paths of source files"),
		OPT_STRING(0, "prefix", &a.sources.prefix, "DIR", "put DIR before absolute paths of source files"),
		OPT_UINT(0, "prefix-strip", &a.sources.prefix_strip, "N", "after taking N folders off them"),
		OPT_STRING(0, "source-dir", &a.sources.source_dir, "DIR", "look for source files below DIR, too"),
		OPT_SECTION("Output"),
		OPT_SWITCH(0, "stdio", &a.stdio, "as text, with addresses (this is the default)"),
		OPT_SWITCH(0, "stdio2", &a.view.brief, "as text, with offsets, and jumps drawn in the margin"),
		OPT_SWITCH('j', "json", &a.json, "as JSON, for programs"),
		OPT_STRING(0, "html", &a.html, "FILE", "as a page for a browser: source and instructions side by "
			   "side, one file that needs no network; - is standard output"),
		OPT_STRING(0, "stdio-color", &a.color, "WHEN", "colours always, never or auto: on a terminal (auto)"),
		OPT_SWITCH('q', "quiet", &a.query.quiet, "listings alone"),
		OPT_COUNT('v', "verbose", &a.query.verbose, "remarks on what was opened"),
		OPT_CALL(0, "tui", &a, NULL, "refused: there is no such screen", refuse, OPT_ARG_NONE),
		OPT_CALL(0, "gtk", &a, NULL, "refused: there is no such screen", refuse, OPT_ARG_NONE),
		OPT_CALL(0, "objdump", &a, "PATH", "refused: no other program disassembles", refuse, 0),
		OPT_CALL(0, "itrace", &a, "OPTS", "refused: processor traces are not decoded", refuse,
			 OPT_ARG_OPTIONAL),
		OPT_CALL('D', "dump-raw-trace", &a, NULL, "refused: that is sonde script -D", refuse, OPT_ARG_NONE),
		OPT_REFUSE(0, "data-type", NO_DATA_TYPES),
		OPT_REFUSE(0, "type-stat", NO_DATA_TYPES),
		OPT_REFUSE(0, "insn-stat", NO_DATA_TYPES),
		OPT_REFUSE(0, "code-with-type", NO_DATA_TYPES),
		OPT_REFUSE(0, "skip-empty", "events side by side keep their columns; --no-group shows them apart"),
		OPT_REFUSE(0, "addr2line", "sonde reads the lines of source by itself and starts no other program"),
		OPT_SECTION("Symbols and code"),
		QUERY_SYMBOL_OPTIONS(&a.query),
		OPT_CALL(0, "demangle", &a, NULL, "C++ and Rust names as in the source (on)", take_demangle,
			 OPT_ARG_NONE),
		OPT_SWITCH(0, "demangle-kernel", &a.demangle_kernel, "the kernel's, too, as they always are"),
		OPT_SWITCH(0, "ignore-vmlinux", &a.ignore_vmlinux, "do not look for a vmlinux"),
		OPT_SWITCH('m', "modules", &a.modules, "kernel modules of the running kernel, as always without -k"),
		QUERY_JOBS_OPTION(&a.query, 0),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status;

	status = cmd_options(&cmd_annotate, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);
	if (status >= 0)
		return status;
	if (words > 1 || (words && a.symbol)) {
		err_set(&err, EINVAL, "'%s' is one word too many: annotate takes one symbol", argv[words - 1]);
		cmd_error("annotate", &err);
		return EXIT_USAGE;
	}
	if (words)
		a.symbol = argv[0];
	if (settle(&a, &err) < 0) {
		cmd_error("annotate", &err);
		return EXIT_USAGE;
	}
	cmd_quiet(a.query.quiet);
	if (a.query.verbose)
		log_set_level(LOG_INFO);
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	status = annotate(&a, &a.query, &err) < 0;
	if (status) {
		fflush(stdout);
		cmd_error("annotate", &err);
	}
	query_release(&a.query);
	return status;
}

const struct command cmd_annotate = {
	.name = "annotate",
	.summary = "show which instructions and lines of a function took the time",
	.usage = "[options] [SYMBOL]",
	.run = run,
	.confine = CONFINE_READ,
};
