/* SPDX-License-Identifier: MIT */
/* What follows from several of sonde report's options. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd/report_priv.h"
#include "cmd/values.h"
#include "view/screen.h"

#define LINES_DEFAULT 24u
#define LINES_AROUND 13u         /* of a plain report, above and below the rows */
#define ROWS_LEAST 7u

/* --- perf's options that are not here --------------------------------------------------- */

static const struct { const char *name, *why; } refused[] = {
	{ "gtk", "there is no such window here; --tui is a screen on the terminal, --stdio text" },
	{ "demangle-kernel", "the kernel's names are shown as it has them" },
	{ "disassembler-style", "report does not disassemble; sonde annotate does" },
	{ "asm-raw", "report does not disassemble; sonde annotate does" },
	{ "source", "report shows no source; sonde annotate does" },
	{ "objdump", "report does not disassemble; sonde annotate does, without objdump" },
	{ "prefix", "report shows no source; sonde annotate does" },
	{ "prefix-strip", "report shows no source; sonde annotate does" },
	{ "percent-type", "it is of annotated instructions; sonde annotate shows these" },
	{ "samples", "it is of a screen on which rows can be opened; sonde script shows samples" },
	{ "itrace", "hardware traces (AUX) are not decoded here" },
	{ "stitch-lbr", "chains of LBR are shown as they were recorded" },
	{ "branch-history", "branches do not continue chains here; -b shows them as rows" },
	{ "total-cycles", "blocks of branches are not disassembled here; -b -s symbol_from,symbol_to,cycles "
	  "shows cycles by branch" },
	{ "show-ref-call-graph", "an event shows the chains that were recorded with it" },
	{ "switch-on", "take --time with the times that sonde script shows for the event" },
	{ "switch-off", "take --time with the times that sonde script shows for the event" },
	{ "show-on-off-events", "there is no --switch-on here; take --time" },
};

int report_refuse(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)arg;
	if (unset)
		return 0;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strcmp(opt->long_name, refused[i].name) == 0)
			return err_set(err, EOPNOTSUPP, "--%s is not supported: %s", opt->long_name,
				       refused[i].why);
	return err_set(err, EOPNOTSUPP, "--%s is not supported", opt->long_name);
}

/* --- what follows from several options ---------------------------------------------------- */

static int parse_color(struct report *r, struct err *err)
{
	const char *when = r->color ? r->color : "auto", *term = getenv("TERM");

	if (strcmp(when, "always") == 0)
		r->view.color = true;
	else if (strcmp(when, "auto") == 0)
		r->view.color = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 &&
				!getenv("NO_COLOR");
	else if (strcmp(when, "never") != 0)
		return err_set(err, EINVAL, "--stdio-color takes always, never or auto, not '%s'", when);
	return 0;
}

/*
 * A run that asks for no layout of its own is to need no scrolling on a terminal: as many
 * rows as there is room for, without chains.
 */
static void fit_terminal(struct report *r)
{
	struct winsize size;

	if (r->view.separator || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	r->view.width = size.ws_col >= 40 ? size.ws_col : 40;
	if (r->stdio || r->graph_given || r->inverted || r->limit || r->view.hierarchy || r->query.quiet ||
	    r->query.verbose || r->json || r->csv)
		return;
	r->height = size.ws_row ? size.ws_row : LINES_DEFAULT;
	r->view.max_rows = r->height > LINES_AROUND + ROWS_LEAST ? r->height - LINES_AROUND : ROWS_LEAST;
}

/* "100ms" -> nanoseconds; perf's units. */
static int parse_quantum(struct report *r, struct err *err)
{
	static const struct { const char *unit; uint64_t ns; } units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
	};
	char *end = NULL;
	unsigned long long n;

	r->view.time_quantum_ns = 100000000;
	if (!r->quantum)
		return 0;
	errno = 0;
	n = strtoull(r->quantum, &end, 10);
	for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (end == r->quantum || errno || r->quantum[0] == '-' || strcmp(end, units[i].unit) != 0)
			continue;
		if (!n || n > UINT64_MAX / units[i].ns)
			break;
		r->view.time_quantum_ns = n * units[i].ns;
		return 0;
	}
	return err_set(err, EINVAL, "--time-quantum takes a number with ns, us, ms or s, as in 10ms, not "
		       "'%s'", r->quantum);
}

static int parse_lists(struct report *r, struct err *err)
{
	uint32_t nr = 0;
	int e = query_numbers(&r->query.arena, r->widths, "-w", false, &r->view.widths,
			      &r->view.nr_widths, err);

	for (uint32_t i = 0; !e && i < r->view.nr_widths; i++)
		if (r->view.widths[i] > 1000)
			e = err_set(err, EINVAL, "-w: a column of %u is wider than any screen",
				    r->view.widths[i]);
	if (!e)
		e = query_numbers(&r->query.arena, r->socket, "--socket-filter", false, &r->view.sockets,
				  &nr, err);
	if (!e && nr > 1)
		e = err_set(err, EINVAL, "--socket-filter takes one socket, not '%s'", r->socket);
	return e;
}

/* -p takes a pattern of its own; the key parent alone has perf's, for system calls and faults. */
static int parse_patterns(struct report *r, struct err *err)
{
	int e = value_pattern(r->parent ? r->parent : "^sys_|^do_page_fault", "-p", &r->parent_pattern, err);

	if (!e)
		e = value_pattern(r->ignore_callees, "--ignore-callees", &r->callees_pattern, err);
	r->wish.parent = r->parent != NULL;
	return e;
}

static int parse_pretty(struct report *r, struct err *err)
{
	if (!r->pretty)
		return 0;
	if (!r->threads)
		return err_set(err, EINVAL, "--pretty is about the table of -T, which was not asked for");
	r->raw_counts = strcmp(r->pretty, "raw") == 0;
	if (!r->raw_counts && strcmp(r->pretty, "normal") != 0)
		return err_set(err, EINVAL, "--pretty takes normal or raw, not '%s'", r->pretty);
	return 0;
}

/* Outputs that exclude one another. */
static int check_outputs(const struct report *r, struct err *err)
{
	const char *data = r->json ? "-j" : "--csv", *lists = r->dump ? "records" : r->stats ? "--stats" : "--tasks and --mmaps";

	if (r->json + r->csv + (r->view.separator != NULL) > 1)
		return err_set(err, EINVAL, "only one of -j, --csv and -t can be");
	if ((r->json || r->csv) && (r->header || r->header_only))
		return err_set(err, EINVAL, "%s has no header in text: leave out --header", data);
	if (r->stats && (r->tasks || r->mmaps))
		return err_set(err, EINVAL, "--tasks and --mmaps do not go with --stats");
	if (r->dump && (r->stats || r->tasks || r->mmaps || r->json || r->csv || r->threads))
		return err_set(err, EINVAL, "-D goes alone");
	if ((r->json || r->csv) && (r->stats || r->tasks || r->mmaps || r->threads))
		return err_set(err, EINVAL, "%s has rows alone: it does not go with --stats, --tasks, --mmaps "
			       "and -T", data);
	if ((r->json || r->csv) && (r->view.hierarchy || (r->groups_given && r->groups)))
		return err_set(err, EINVAL, "%s has rows of their own for each event and set of keys: it does "
			       "not go with %s", data, r->view.hierarchy ? "--hierarchy" : "--group");
	if (r->view.hierarchy && r->groups_given && r->groups)
		return err_set(err, EINVAL, "--hierarchy shows events one after the other: leave out --group");
	if ((r->dump || r->stats || r->tasks || r->mmaps) && (r->query.comms || r->query.dsos || r->query.syms ||
						   r->query.pids || r->query.tids || r->query.cpus ||
						   r->query.time))
		return err_set(err, EINVAL, "%s are of the whole recording: leave out the filters", lists);
	return 0;
}

/* Why what was asked for is no matter of a screen; NULL: it may be one. */
static const char *only_text(const struct report *r)
{
	const struct { bool is; const char *name; } texts[] = {
		{ r->stdio, "--stdio" }, { r->json, "-j" }, { r->csv, "--csv" },
		{ r->view.separator != NULL, "-t" }, { r->header, "--header" },
		{ r->header_only, "--header-only" }, { r->dump, "-D" }, { r->stats, "--stats" },
		{ r->tasks, "--tasks" }, { r->mmaps, "--mmaps" }, { r->threads, "-T" },
		{ r->query.quiet, "-q" }, { r->view.hierarchy, "--hierarchy" },
		{ r->color != NULL, "--stdio-color" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].is)
			return texts[i].name;
	return NULL;
}

/* On a terminal there is a screen, as in perf, unless something asks for text. */
static int choose_screen(struct report *r, struct err *err)
{
	const char *text = only_text(r);

	if (r->tui && text)
		return err_set(err, EINVAL, "--tui is a screen, and %s is of text; take one of them", text);
	return screen_choose(r->tui, text != NULL, &r->screen, err);
}

int report_settle(struct report *r, struct err *err)
{
	struct sort_wish first = r->wish;
	struct sort_spec checked;
	int e = parse_patterns(r, err);

	/* whether branches were recorded is not known yet */
	first.branches = r->branches;
	/* what is no key may be a field of the recording's tracepoints */
	if (!e) {
		e = sort_parse(&checked, &first, err);
		r->late_keys = e == -EINVAL && (r->wish.sort || r->wish.fields);
		if (r->late_keys)
			e = 0;
	}
	if (!e)
		e = parse_quantum(r, err);
	if (!e)
		e = parse_lists(r, err);
	if (!e)
		e = value_percent(r->limit, "--percent-limit", INFINITY, &r->view.percent_limit, err);
	if (!e && r->limit)
		r->view.callgraph.min_percent = r->view.percent_limit;
	if (!e)
		e = value_relative(r->percentage, &r->view.relative, err);
	if (!e)
		e = parse_color(r, err);
	if (!e && r->view.separator && (!*r->view.separator || strcmp(r->view.separator, ".") == 0))
		e = err_set(err, EINVAL, "-t '%s': the separator cannot be %s", r->view.separator,
			    *r->view.separator ? "'.', which takes its place inside names" : "empty");
	if (!e && r->view.separator && strcmp(r->view.separator, "\\t") == 0)
		r->view.separator = "\t";
	if (!e)
		e = choose_screen(r, err);
	if (!r->screen)
		fit_terminal(r);
	if (!e)
		e = parse_pretty(r, err);
	if (!e)
		e = check_outputs(r, err);
	r->view.show_empty = !r->skip_empty;
	if (r->no_vmlinux)
		r->query.vmlinux = NULL;
	r->view.quiet = r->query.quiet;
	r->view.full = r->query.verbose > 0;
	return e;
}

