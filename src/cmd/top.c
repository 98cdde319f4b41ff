/* SPDX-License-Identifier: MIT */
/* sonde top: where the time goes now. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/top_priv.h"
#include "cmd/values.h"
#include "view/screen.h"

#define ROWS_DEFAULT 20u
#define LINES_AROUND 12u         /* of a table on a terminal, above and below the rows */
#define ROWS_LEAST 5u

static volatile sig_atomic_t stop;

static void take_stop(int signal)
{
	(void)signal;
	stop = 1;
}

/* --- options ------------------------------------------------------------------------ */

static bool is_record_mode(const char *word)
{
	static const char *const modes[] = { "fp", "dwarf", "lbr", "unwind", "auto" };

	for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(word, modes[i]) == 0)
			return true;
	return false;
}

/* How chains are recorded, then how they are shown: "dwarf,16384,caller,2". */
static int take_callgraph(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct top *t = opt->value;
	struct str record = STR_INIT, show = STR_INIT;
	char *copy, *rest, *word;
	uint64_t bytes;
	int r = 0;

	if (unset) {
		t->s.graph = false;
		t->s.o.attr.callgraph = CALLGRAPH_NONE;
		return 0;
	}
	t->s.graph = true;
	copy = rest = mem_strdup(arg);
	while ((word = strsep(&rest, ","))) {
		if (is_record_mode(word) && !record.len) {
			str_add(&record, word);
			/* of what is recorded, only a stack's size is that large */
			if ((word = rest) && str_u64(strsep(&rest, ","), &bytes) == 0 && bytes > 100)
				str_addf(&record, ",%s", word);
			else if (word)
				str_addf(&show, "%s%s", show.len ? "," : "", word);
		} else if (*word) {
			str_addf(&show, "%s%s", show.len ? "," : "", word);
		}
	}
	if (record.len)
		r = attr_parse_callgraph(record.p, &t->s.o.attr, err);
	if (!r && show.len)
		r = callgraph_parse(&t->view.callgraph, show.p, err);
	str_release(&record);
	str_release(&show);
	free(copy);
	return r;
}

static int parse_delay(struct top *t, struct err *err)
{
	char *end;

	t->delay_s = 2;
	if (!t->delay_text)
		return 0;
	t->delay_s = strtod(t->delay_text, &end);
	if (end == t->delay_text || *end || !(t->delay_s >= 0.01) || t->delay_s > 86400)
		return err_set(err, EINVAL, "-d takes seconds between two looks, as in 2 or 0.5, not '%s'",
			       t->delay_text);
	return 0;
}

static int parse_limits(struct top *t, struct err *err)
{
	int r = value_percent(t->limit, "--percent-limit", INFINITY, &t->view.percent_limit, err);

	if (!r && t->limit)
		t->view.callgraph.min_percent = t->view.percent_limit;
	if (!r)
		r = value_relative(t->percentage, &t->view.relative, err);
	if (!r)
		r = value_syntax(t->syntax, &t->annotate.model.syntax, err);
	if (!r)
		r = query_numbers(&t->query.arena, t->widths, "-w", false, &t->view.widths,
				  &t->view.nr_widths, err);
	return r;
}

static bool all_tracepoints(const struct event_list *events)
{
	for (uint32_t i = 0; i < events->nr; i++)
		if (events->v[i].attr.type != PERF_TYPE_TRACEPOINT)
			return false;
	return events->nr != 0;
}

/* What samples will hold besides what there always is. */
static uint64_t sampled(const struct top *t)
{
	const struct attr_options *a = &t->s.o.attr;

	return PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU |
	       (t->s.graph ? PERF_SAMPLE_CALLCHAIN : 0) |
	       (a->branch_type ? PERF_SAMPLE_BRANCH_STACK : 0) |
	       (a->cgroups ? PERF_SAMPLE_CGROUP : 0) |
	       (all_tracepoints(&t->s.events) ? PERF_SAMPLE_RAW : 0);
}

static bool any_field(const char *word, void *arg)
{
	(void)arg;
	return strchr("abcdefghijklmnopqrstuvwxyz_", *word) != NULL;
}

static int parse_keys(struct top *t, struct err *err)
{
	bool points = all_tracepoints(&t->s.events);
	int r;

	t->view.children = t->children && t->s.graph && !t->view.hierarchy;
	t->wish.children = t->view.children;
	t->wish.branches = t->s.o.attr.branch_type != 0;
	if (!t->wish.sort && !t->wish.fields && !t->wish.branches)
		t->wish.sort = points ? "trace" : "dso,sym";
	if (points)
		t->wish.is_field = any_field;
	r = sort_parse(&t->view.spec, &t->wish, err);
	if (!r)
		r = sort_check(&t->view.spec, sampled(t), err);
	if (!t->s.graph)
		t->view.callgraph.mode = CALLGRAPH_HIDDEN;
	if (!t->view.callgraph.order_given)
		t->view.callgraph.order = t->view.children ? TREE_CALLERS_FIRST : TREE_LEAF_FIRST;
	return r;
}

static int parse_names(struct top *t, struct err *err)
{
	struct profile_query *f = &t->view.filter;
	int r = query_names(&t->query.arena, t->query.comms, &f->comms, err);

	if (!r)
		r = query_names(&t->query.arena, t->query.dsos, &f->dsos, err);
	if (!r)
		r = query_names(&t->query.arena, t->query.syms, &f->syms, err);
	return r;
}

static int settle(struct top *t, struct err *err)
{
	int r = sampling_settle(&t->s, err);

	if (!r && t->tui && (t->stdio || t->view.hierarchy))
		r = err_set(err, EINVAL, "--tui is a screen, and %s is of text; take one of them",
			    t->stdio ? "--stdio" : "--hierarchy");
	if (!r && t->view.hierarchy && t->groups_given && t->groups)
		r = err_set(err, EINVAL, "--hierarchy shows events one after the other: leave out --group");
	if (!r && t->view.hide_kernel && t->view.hide_user)
		r = err_set(err, EINVAL, "-K and -U together hide everything");
	if (!r)
		r = parse_delay(t, err);
	if (!r)
		r = parse_limits(t, err);
	if (!r)
		r = value_pattern(t->ignore_callees, "--ignore-callees", &t->callees, err);
	if (!r)
		r = parse_names(t, err);
	if (!r)
		r = sampling_choose(&t->s, err);
	if (!r)
		r = parse_keys(t, err);
	if (t->ignore_vmlinux)
		t->query.vmlinux = NULL;
	t->view.full = t->query.verbose > 0;
	t->view.live = true;
	t->view.groups = t->groups && !t->view.hierarchy;
	t->view.group_all = t->groups_given;
	t->view.time_quantum_ns = 100000000;
	t->annotate.model.no_lines = !t->source;
	t->annotate.brief = true;
	return r;
}

/* --- tables ------------------------------------------------------------------------- */

static unsigned rows_of_terminal(void)
{
	int lines = cmd_lines(stdout, 0);

	if (lines <= 0)
		return ROWS_DEFAULT;
	return (unsigned)lines > LINES_AROUND + ROWS_LEAST ? (unsigned)lines - LINES_AROUND : ROWS_LEAST;
}

static void write_table(struct top *t, bool terminal)
{
	struct report_options view = t->view;
	struct str head = STR_INIT, safe = STR_INIT;
	char clock[16];
	time_t now = time(NULL);
	struct tm tm;

	view.max_rows = t->entries ? t->entries : rows_of_terminal();
	if (terminal)
		view.width = (unsigned)cmd_columns(stdout, 80);
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	top_add_head(t, &head);
	str_add_safe(&safe, head.p);
	if (terminal)
		fputs("\033[H\033[2J", stdout);
	printf("# sonde top %s  %s\n", clock, safe.p);
	report_write(&view, t->profile, stdout);
	fflush(stdout);
	str_release(&head);
	str_release(&safe);
}

static void wait_s(double seconds)
{
	struct timespec left = { .tv_sec = (time_t)seconds };

	left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
	while (!stop && nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* So long, but not longer than those are there who are watched. */
static void wait_for_samples(const struct top *t)
{
	const double look_s = 0.2;

	for (double left = t->delay_s; left > 0 && !stop && !live_ended(t->live); left -= look_s)
		wait_s(left < look_s ? left : look_s);
}

static int watch(struct top *t, struct err *err)
{
	const char *term = getenv("TERM");
	bool terminal = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0, ended = false;
	int r = 0;

	while (!r && !stop && !ended && !ferror(stdout)) {
		wait_for_samples(t);
		ended = live_ended(t->live);
		r = top_step(t, err);
		if (!r)
			write_table(t, terminal);
	}
	if (ended)
		log_note("those that were watched have ended");
	return r;
}

static int top(struct top *t, struct err *err)
{
	struct sigaction action = { .sa_handler = take_stop };
	bool screen;
	int r = screen_choose(t->tui, t->stdio || t->view.hierarchy, &screen, err);

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (!r)
		r = top_begin(t, err);
	if (!r)
		r = screen ? top_screen(t, err) : watch(t, err);
	top_end(t);
	return r;
}

static int run(int argc, char **argv)
{
	struct top t = { .children = true, .source = true, .groups = true };
	const struct opt opts[] = {
		OPT_SECTION("What to sample"),
		SAMPLING_WHAT_OPTIONS(&t.s),
		SAMPLING_BRANCH_OPTIONS(&t.s),
		OPT_SECTION("Whom to watch (all CPUs, if nobody is named)"),
		SAMPLING_WHOM_OPTIONS(&t.s),
		SAMPLING_SELF_OPTION(&t.s),
		OPT_SECTION("How it is shown"),
		OPT_SWITCH(0, "stdio", &t.stdio, "as text, one table after the other, until Ctrl-C"),
		OPT_SWITCH(0, "tui", &t.tui, "on a screen to look around in (on a terminal)"),
		OPT_STRING('d', "delay", &t.delay_text, "SECONDS", "between two looks (2)"),
		OPT_SWITCH('z', "zero", &t.zero, "forget what came before at each look; else it fades"),
		OPT_UINT('E', "entries", &t.entries, "N", "rows of a table"),
		OPT_STRING('s', "sort", &t.wish.sort, "KEY[,KEY...]", "rows are told apart by these: comm, pid, "
			   "tid, cpu, dso, sym, symoff, srcline, parent, ... (dso,sym)"),
		OPT_STRING(0, "fields", &t.wish.fields, "KEY[,KEY...]", "columns: the keys of -s, and overhead, "
			   "overhead_children, overhead_sys, overhead_us, sample, period"),
		OPT_SWITCH('n', "show-nr-samples", &t.wish.samples, "a column with the number of samples"),
		OPT_SWITCH(0, "show-total-period", &t.wish.period, "a column with the sum of periods"),
		OPT_STRING('w', "column-widths", &t.widths, "N[,N...]", "columns of these widths, 0 for as wide "
			   "as need be"),
		OPT_SWITCH_GIVEN(0, "group", &t.groups, &t.groups_given, "events side by side: those of a group "
				 "{...} (on), or with --group all"),
		OPT_UINT(0, "group-sort-idx", &t.view.group_sort, "N", "sort by the N-th event of a group, from 0"),
		OPT_SWITCH(0, "hierarchy", &t.view.hierarchy, "a level of rows for each key (as text)"),
		OPT_SECTION("Call chains"),
		OPT_SWITCH('g', NULL, &t.s.graph, "call chains, by frame pointers"),
		OPT_CALL(0, "call-graph", &t, "MODE[,...]", "call chains: fp, dwarf[,STACK-BYTES], "
			 "unwind[,STACK-BYTES], auto or lbr; and how to show them, as in report -g",
			 take_callgraph, 0),
		OPT_SWITCH(0, "children", &t.children, "add to each function what it called (on, with chains)"),
		OPT_UINT(0, "max-stack", &t.query.max_stack, "N", "at most N frames from the leaf"),
		OPT_STRING(0, "ignore-callees", &t.ignore_callees, "REGEX", "chains begin at functions whose "
			   "name it matches"),
		OPT_SECTION("Which samples"),
		OPT_SWITCH('K', "hide_kernel_symbols", &t.view.hide_kernel, "not those in the kernel"),
		OPT_SWITCH('U', "hide_user_symbols", &t.view.hide_user, "not those in user space"),
		OPT_STRING(0, "comms", &t.query.comms, "COMM[,COMM...]", "only of these commands"),
		OPT_STRING(0, "dsos", &t.query.dsos, "DSO[,DSO...]", "only in these binaries"),
		OPT_STRING(0, "symbols", &t.query.syms, "SYM[,SYM...]", "only in these functions"),
		OPT_U64('f', "count-filter", &t.view.min_samples, "N", "only rows with at least N samples"),
		OPT_STRING(0, "percent-limit", &t.limit, "PERCENT", "no rows and chains below PERCENT"),
		OPT_STRING(0, "percentage", &t.percentage, "relative|absolute", "percentages of what passes the "
			   "filters, or of all (absolute)"),
		OPT_SECTION("How to sample"),
		SAMPLING_RING_OPTIONS(&t.s),
		OPT_SWITCH(0, "namespaces", &t.s.o.attr.namespaces, "records of namespaces"),
		OPT_SWITCH(0, "all-cgroups", &t.s.o.attr.cgroups, "control groups, for the key cgroup"),
		OPT_COUNT('v', "verbose", &t.query.verbose, "whole paths, addresses; more remarks"),
		OPT_SECTION("Symbols and annotation"),
		OPT_STRING('k', "vmlinux", &t.query.vmlinux, "FILE", "take kernel symbols from FILE"),
		OPT_SWITCH(0, "ignore-vmlinux", &t.ignore_vmlinux, "no vmlinux, even if -k names one"),
		OPT_STRING(0, "kallsyms", &t.query.kallsyms, "FILE", "take kernel symbols from a kallsyms file"),
		OPT_STRING('M', "disassembler-style", &t.syntax, "att|intel", "how instructions are written"),
		OPT_SWITCH(0, "source", &t.source, "source lines between instructions (on)"),
		OPT_SWITCH(0, "asm-raw", &t.annotate.asm_raw, "the bytes of instructions, too"),
		OPT_STRING(0, "prefix", &t.sources.prefix, "PREFIX", "stands before the paths of source files"),
		OPT_UINT(0, "prefix-strip", &t.sources.prefix_strip, "N", "take N folders off them first"),
		OPT_SWITCH(0, "raw-trace", &t.wish.raw_trace, "the key trace by the fields alone"),
		OPT_SWITCH(0, "force", &t.query.force, "accepted: nobody's ownership is looked at"),
		OPT_REFUSE('D', "dump-symtab", "sonde report -v shows symbols with their addresses"),
		OPT_REFUSE('G', "cgroup", "take --all-cgroups and -s cgroup to see them side by side"),
		OPT_REFUSE(0, "demangle-kernel", "the kernel's names are shown as it has them"),
		OPT_REFUSE(0, "no-bpf-event", "records of BPF programs are how their code gets names"),
		OPT_REFUSE(0, "num-thread-synthesize", "tasks that run already are read by one thread"),
		OPT_REFUSE(0, "objdump", "sonde disassembles by itself and starts no other program"),
		OPT_REFUSE(0, "overwrite", "rings are emptied by a thread of their own; -m makes them larger"),
		OPT_REFUSE(0, "proc-map-timeout", "maps of running processes are read whole"),
		OPT_REFUSE(0, "show-on-off-events", "there is no --switch-on here"),
		OPT_REFUSE(0, "switch-on", "sonde record and report --time show a part of a recording"),
		OPT_REFUSE(0, "switch-off", "sonde record and report --time show a part of a recording"),
		OPT_REFUSE(0, "stitch-lbr", "chains of LBR are shown as they were recorded"),
		OPT_REFUSE(0, "sym-annotate", "on the screen, Enter or a annotates the symbol under the bar"),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status;

	callgraph_defaults(&t.view.callgraph);
	cmd_quiet(false);
	status = cmd_options(&cmd_top, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);
	if (status < 0 && words) {
		err_set(&err, EINVAL, "'%s': top starts no commands; -p PID watches one that runs", argv[0]);
		status = EXIT_USAGE;
	} else if (status < 0) {
		log_set_level(t.query.verbose > 1 ? LOG_DEBUG : t.query.verbose ? LOG_INFO : LOG_NOTE);
		t.s.o.argv = argv;
		t.s.o.version = SONDE_VERSION;
		status = settle(&t, &err) < 0 ? EXIT_USAGE : top(&t, &err) < 0 ? 1 : 0;
	}
	if (err.code)
		cmd_error("top", &err);
	regfree(&t.callees);
	query_release(&t.query);
	event_list_release(&t.s.events);
	return status;
}

const struct command cmd_top = {
	.name = "top",
	.summary = "show where the time goes now",
	.usage = "[options]",
	.run = run,
	.confine = CONFINE_EXEC,
};
