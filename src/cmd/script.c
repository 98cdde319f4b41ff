/* SPDX-License-Identifier: MIT */
/* sonde script: the samples of a recording as text. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/query.h"
#include "profile/order.h"
#include "profile/recording.h"
#include "view/account.h"
#include "view/dump.h"
#include "view/header.h"
#include "view/script.h"
#include "view/script_fields.h"

#define OUT_BYTES (1 << 16)

struct script_command {
	struct query_options query;
	struct script_options options;
	const char *stop_at;
	struct event_file *files;        /* --per-event-dump, one for each event; or NULL */
	FILE **outs;
	bool header, header_only, dump, unsorted, per_event, demangle;
};

/* --- a file for each event -------------------------------------------------------------- */

struct event_file {
	char *path;
	FILE *file;
};

/* perf.data -> perf.data.cpu-clock.dump; a slash in an event's name would be a folder. */
static char *event_path(const struct perf_data *data, const char *event)
{
	struct str path = STR_INIT;
	size_t from;

	str_addf(&path, "%s.", strcmp(data->path, "-") == 0 ? "perf.data" : data->path);
	from = path.len;
	str_add_safe(&path, event);
	for (char *p = path.p + from; *p; p++)
		if (*p == '/')
			*p = '_';
	str_add(&path, ".dump");
	return str_take(&path);
}

static int open_files(struct script_command *c, const struct perf_data *data, struct err *err)
{
	uint32_t nr = data->events.nr;

	c->files = mem_zalloc(nr * sizeof(*c->files));
	c->outs = mem_zalloc(nr * sizeof(*c->outs));
	for (uint32_t i = 0; i < nr; i++) {
		struct event_file *f = &c->files[i];
		int fd;

		f->path = event_path(data, data->events.v[i].name);
		fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
		f->file = file_of(fd, "w");
		if (!f->file)
			return err_set(err, errno, "cannot write '%s': %s", f->path, strerror(errno));
		c->outs[i] = f->file;
	}
	c->options.outs = c->outs;
	return 0;
}

static int close_files(struct script_command *c, uint32_t nr, const struct script *script,
		       struct err *err)
{
	int r = 0;

	for (uint32_t i = 0; c->files && i < nr; i++) {
		struct event_file *f = &c->files[i];
		long size = f->file ? ftell(f->file) : 0;

		if (f->file && fclose(f->file) && !r)
			r = err_set(err, errno, "cannot write '%s': %s", f->path, strerror(errno));
		if (!r && f->file && script)
			printf("[ sonde script: Wrote %.3f MB %s (%" PRIu64 " samples) ]\n",
			       (double)size / 1024 / 1024, f->path, script_samples(script, i));
		free(f->path);
	}
	free(c->files);
	free(c->outs);
	return r;
}

static int write_records(struct script_command *c, struct recording *recording, FILE *out,
			 struct err *err)
{
	const struct perf_data *data = recording->data;
	struct ordered *records;
	struct script *script = NULL;
	struct dump *raw = c->dump ? dump_new(recording) : NULL;
	struct record record;
	uint64_t off;
	int r = c->per_event ? open_files(c, data, err) : 0, closed;

	if (!r)
		r = script_new(&script, recording, &c->options, err);
	if (!r) {
		records = c->unsorted ? ordered_new_unsorted(data) : ordered_new(data);
		if (!raw)
			ordered_place_rounds(records);
		while ((r = ordered_next(records, &record, &off, err)) > 0 && !ferror(out)) {
			if (raw) {
				script_flush(script, out);
				dump_write(raw, &record, off, out);
			}
			script_write(script, &record, out);
		}
		script_flush(script, out);
		ordered_free(records);
		script_account(script, &recording->account);
	}
	closed = close_files(c, data->events.nr, r ? NULL : script, r ? NULL : err);
	script_free(script);
	dump_free(raw);
	return r ? r : closed;
}

static int script(struct script_command *c, struct err *err)
{
	static char buffer[OUT_BYTES];
	struct profile_query query;
	struct recording recording;
	struct perf_data *data;
	int r = query_open(&c->query, &query, &data, err);

	if (r < 0)
		return r;
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	c->options.filter = &query;
	c->options.max_stack = query.max_stack;
	r = query_names(&c->query.arena, c->stop_at, &c->options.stop_at, err);
	if (r < 0) {
		perf_data_close(data);
		return r;
	}
	if (c->header || c->header_only)
		header_write(data, c->query.verbose > 0, stdout);
	if (c->header_only) {
		perf_data_close(data);
		return 0;
	}
	query.symbols.soon = true;
	r = recording_load(&recording, data, &query.symbols, err);
	if (!r) {
		r = write_records(c, &recording, stdout, err);
		if (fflush(stdout) && errno != EPIPE && !r)
			r = err_set(err, errno, "cannot write standard output: %s", strerror(errno));
		if (!r && !c->query.quiet)
			account_write(&recording.account, "sonde: ", ACCOUNT_LOSSES, stderr);
		recording_release(&recording);
	}
	perf_data_close(data);
	return r;
}

#define NO_TRACES "sonde does not decode the traces of processors (Intel PT, CoreSight, SPE)"
#define NO_SCRIPTS "sonde runs no scripts of other languages; pipe its text into them"
#define NO_GUESTS "sonde reads no recordings of guests"
#define NO_CODE "sonde script does not print instructions; sonde annotate does"

#define REFUSED_OPTIONS \
	OPT_REFUSE('a', "all-cpus", NO_SCRIPTS), \
	OPT_REFUSE('g', "gen-script", NO_SCRIPTS), \
	OPT_REFUSE('l', "list", NO_SCRIPTS), \
	OPT_REFUSE('s', "script", NO_SCRIPTS), \
	OPT_REFUSE(0, "dlfilter", "sonde loads no filters; --time, --pid, --comms and grep choose"), \
	OPT_REFUSE(0, "dlarg", "sonde loads no filters; --time, --pid, --comms and grep choose"), \
	OPT_REFUSE(0, "list-dlfilters", "sonde loads no filters; --time, --pid, --comms and grep choose"), \
	OPT_REFUSE('d', "debug-mode", "what was lost or damaged is told at the end as it is"), \
	OPT_REFUSE('L', "Latency", "columns of latency are not printed; see sonde sched"), \
	OPT_REFUSE(0, "addr-range", "-S takes names of functions and no addresses"), \
	OPT_REFUSE(0, "call-trace", NO_TRACES), \
	OPT_REFUSE(0, "call-ret-trace", NO_TRACES), \
	OPT_REFUSE(0, "graph-function", NO_TRACES), \
	OPT_REFUSE(0, "insn-trace", NO_TRACES), \
	OPT_REFUSE(0, "itrace", NO_TRACES), \
	OPT_REFUSE(0, "xed", NO_CODE), \
	OPT_REFUSE(0, "max-blocks", NO_CODE), \
	OPT_REFUSE(0, "stitch-lbr", "call stacks of branch records are shown as recorded"), \
	OPT_REFUSE(0, "demangle-kernel", "names of the kernel are shown as the kernel has them"), \
	OPT_REFUSE(0, "show-kernel-path", "the kernel is [kernel.kallsyms], whatever file named it"), \
	OPT_REFUSE(0, "guest-code", NO_GUESTS), \
	OPT_REFUSE(0, "guestkallsyms", NO_GUESTS), \
	OPT_REFUSE(0, "guestmodules", NO_GUESTS), \
	OPT_REFUSE(0, "guestmount", NO_GUESTS), \
	OPT_REFUSE(0, "guestvmlinux", NO_GUESTS)

static int run(int argc, char **argv)
{
	struct script_command c = { .options.inlines = true };
	struct script_options *o = &c.options;
	const struct opt opts[] = {
		OPT_SECTION("Input"),
		QUERY_INPUT_OPTIONS(&c.query),
		OPT_SECTION("Which samples"),
		OPT_STRING('c', "comms", &c.query.comms, "COMM[,COMM...]", "only of these commands"),
		OPT_STRING(0, "dsos", &c.query.dsos, "DSO[,DSO...]", "only in these binaries"),
		OPT_STRING('S', "symbols", &c.query.syms, "SYM[,SYM...]", "only in these functions"),
		QUERY_TASK_OPTIONS(&c.query),
		QUERY_WHEN_OPTIONS(&c.query),
		OPT_STRING(0, "switch-on", &o->switch_on, "EVENT", "nothing before this event"),
		OPT_STRING(0, "switch-off", &o->switch_off, "EVENT", "nothing from this event on"),
		OPT_SWITCH(0, "show-on-off-events", &o->show_on_off, "these two as well"),
		OPT_SECTION("What to print"),
		OPT_STRING('F', "fields", &o->fields, "[TYPE:]FIELD[,FIELD...]",
			   "comm tid pid time tod cpu event trace ip sym dso dsoff addr symoff srcline "
			   "period brstack brstacksym brstackoff data_src weight ins_lat retire_lat "
			   "phys_addr data_page_size code_page_size bpf-output cgroup misc iregs uregs insn "
			   "insnlen; +FIELD adds, -FIELD takes away; TYPE is hw, sw, trace or raw"),
		OPT_SWITCH('G', "hide-call-graph", &o->hide_chain, "one line a sample, no call chains"),
		OPT_UINT(0, "max-stack", &c.query.max_stack, "N", "at most N frames from the leaf"),
		OPT_STRING(0, "stop-bt", &c.stop_at, "SYM[,SYM...]", "call chains end with these functions"),
		OPT_SWITCH(0, "full-source-path", &o->full_path, "srcline with the folders of files"),
		OPT_SWITCH(0, "inline", &o->inlines, "lines for functions that were inlined (on, in call "
			   "chains)"),
		OPT_SWITCH(0, "ns", &o->ns, "times in nanoseconds"),
		OPT_SWITCH(0, "reltime", &o->reltime, "times from the first sample on"),
		OPT_SWITCH(0, "deltatime", &o->deltatime, "times since the sample before"),
		OPT_SWITCH(0, "header", &c.header, "the recording's header first"),
		OPT_SWITCH(0, "header-only", &c.header_only, "the recording's header and nothing else"),
		OPT_SWITCH('I', "show-info", &c.header, "the same as --header"),
		OPT_SWITCH(0, "show-task-events", &o->show_tasks, "COMM, FORK and EXIT records too"),
		OPT_SWITCH(0, "show-mmap-events", &o->show_mmaps, "MMAP and MMAP2 records too"),
		OPT_SWITCH(0, "show-lost-events", &o->show_lost, "LOST records too"),
		OPT_SWITCH(0, "show-switch-events", &o->show_switches, "SWITCH records too"),
		OPT_SWITCH(0, "show-namespace-events", &o->show_namespaces, "NAMESPACES records too"),
		OPT_SWITCH(0, "show-bpf-events", &o->show_bpf, "KSYMBOL and BPF_EVENT records too"),
		OPT_SWITCH(0, "show-cgroup-events", &o->show_cgroups, "CGROUP records too"),
		OPT_SWITCH(0, "show-text-poke-events", &o->show_text_pokes, "TEXT_POKE records too"),
		OPT_SWITCH(0, "show-round-events", &o->show_rounds, "FINISHED_ROUND records too"),
		OPT_SWITCH(0, "per-event-dump", &c.per_event, "each event to a file, INPUT.EVENT.dump"),
		OPT_SWITCH('D', "dump-raw-trace", &c.dump, "every record as bytes and in words, in time"),
		OPT_SWITCH(0, "dump-unsorted-raw-trace", &c.unsorted, "the same in the file's order"),
		OPT_SWITCH('q', "quiet", &c.query.quiet, "say nothing of losses on standard error"),
		OPT_COUNT('v', "verbose", &c.query.verbose, "say more"),
		OPT_SECTION("Symbols"),
		QUERY_SYMBOL_OPTIONS(&c.query),
		OPT_SWITCH(0, "demangle", &c.demangle, "C++ and Rust names as they are written (the default)"),
		REFUSED_OPTIONS,
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status = cmd_options(&cmd_script, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);

	if (status >= 0)
		return status;
	if (words) {
		if (strcmp(argv[0], "record") == 0)
			err_set(&err, EINVAL, "'record' is for perf's own scripts, which sonde does not run; sonde record records");
		else
			err_set(&err, EINVAL, "'%s' is no option, and sonde runs no scripts of other languages: its text is for pipes",
				argv[0]);
		cmd_error("script", &err);
		return EXIT_USAGE;
	}
	cmd_quiet(c.query.quiet);
	c.dump |= c.unsorted;
	c.query.no_demangle &= !c.demangle;
	status = script(&c, &err) < 0;
	if (status)
		cmd_error("script", &err);
	query_release(&c.query);
	return status;
}

const struct command cmd_script = {
	.name = "script",
	.summary = "print the samples of a recording, one after the other",
	.usage = "[options]",
	.run = run,
	.confine = CONFINE_READ,
};
