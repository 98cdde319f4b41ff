/* SPDX-License-Identifier: MIT */
/* sonde script: the samples of a recording as text. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/query.h"
#include "profile/order.h"
#include "profile/recording.h"
#include "view/account.h"
#include "view/header.h"
#include "view/script.h"
#include "view/script_fields.h"

#define OUT_BYTES (1 << 16)

struct script_command {
	struct query_options query;
	struct script_options options;
	bool header, header_only, dump, unsorted;
};

/* -D: every record as it stands in the file, in time unless asked otherwise. */
static int dump(const struct perf_data *data, bool sorted, FILE *out, struct err *err)
{
	struct ordered *records = sorted ? ordered_new(data) : ordered_new_unsorted(data);
	struct record record;
	uint64_t off;
	int r;

	while ((r = ordered_next(records, &record, &off, err)) > 0 && !ferror(out))
		script_dump(&record, off, data->path, out);
	ordered_free(records);
	return r;
}

static int write_records(struct script_command *c, struct recording *recording, FILE *out,
			 struct err *err)
{
	struct ordered *records;
	struct script *script;
	struct record record;
	int r = script_new(&script, recording, &c->options, err);

	if (r < 0)
		return r;
	records = ordered_new(recording->data);
	while ((r = ordered_next(records, &record, NULL, err)) > 0 && !ferror(out))
		script_write(script, &record, out);
	ordered_free(records);
	script_account(script, &recording->account);
	script_free(script);
	return r;
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
	if (c->header || c->header_only)
		header_write(data, c->query.verbose > 0, stdout);
	if (c->header_only) {
		perf_data_close(data);
		return 0;
	}
	r = recording_load(&recording, data, &query.symbols, err);
	if (!r) {
		r = c->dump ? dump(data, !c->unsorted, stdout, err) :
			      write_records(c, &recording, stdout, err);
		if (fflush(stdout) && errno != EPIPE && !r)
			r = err_set(err, errno, "cannot write standard output: %s", strerror(errno));
		if (!r && !c->query.quiet)
			account_write(&recording.account, "sonde: ", ACCOUNT_LOSSES, stderr);
		recording_release(&recording);
	}
	perf_data_close(data);
	return r;
}

static int run(int argc, char **argv)
{
	struct script_command c = { 0 };
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
		OPT_SECTION("What to print"),
		OPT_STRING('F', "fields", &o->fields, "[TYPE:]FIELD[,FIELD...]",
			   "comm tid pid time cpu event trace ip sym dso addr symoff period brstack "
			   "brstacksym weight phys_addr misc data_page_size code_page_size ins_lat "
			   "iregs uregs; +FIELD adds, -FIELD takes away; TYPE is hw, sw, trace or raw"),
		OPT_SWITCH('G', "hide-call-graph", &o->hide_chain, "one line a sample, no call chains"),
		OPT_UINT(0, "max-stack", &c.query.max_stack, "N", "at most N frames from the leaf"),
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
		OPT_SWITCH(0, "show-round-event", &o->show_rounds, "FINISHED_ROUND records too"),
		OPT_SWITCH('D', "dump-raw-trace", &c.dump, "every record as bytes, in time"),
		OPT_SWITCH(0, "dump-unsorted-raw-trace", &c.unsorted, "the same in the file's order"),
		OPT_SWITCH('q', "quiet", &c.query.quiet, "say nothing of losses on standard error"),
		OPT_COUNT('v', "verbose", &c.query.verbose, "say more"),
		OPT_SECTION("Symbols"),
		QUERY_SYMBOL_OPTIONS(&c.query),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status = cmd_options(&cmd_script, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);

	if (status >= 0)
		return status;
	if (words) {
		err_set(&err, EINVAL, "'%s' is not an option; sonde runs no scripts of other languages, its text is for pipes",
			argv[0]);
		cmd_error("script", &err);
		return EXIT_USAGE;
	}
	cmd_quiet(c.query.quiet);
	c.dump |= c.unsorted;
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
};
