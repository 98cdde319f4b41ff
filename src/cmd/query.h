/* SPDX-License-Identifier: MIT */
/*
 * query: the options that all views of a recording share, and the query they make.
 */
#ifndef CMD_QUERY_H
#define CMD_QUERY_H

#include "base/arena.h"
#include "base/opt.h"
#include "profile/profile.h"

struct query_options {
	const char *input;
	const char *comms, *dsos, *syms, *pids, *tids, *cpus, *time;
	const char *symfs, *debug_dir, *vmlinux, *kallsyms, *debuginfod_timeout;
	unsigned max_stack, jobs;
	bool stacks_too;                 /* the command reads text of stacks as well */
	bool force, no_demangle, no_inline, quiet;
	int verbose;
	struct arena arena;              /* of the lists in the query */
};

#define QUERY_INPUT_OPTIONS(q) \
	OPT_STRING('i', "input", &(q)->input, "FILE", "read FILE; - is standard input (perf.data)"), \
	OPT_SWITCH('f', "force", &(q)->force, "accepted: sonde does not look at the file's owner")

#define QUERY_TASK_OPTIONS(q) \
	OPT_STRING(0, "pid", &(q)->pids, "PID[,PID...]", "only samples of these processes"), \
	OPT_STRING(0, "tid", &(q)->tids, "TID[,TID...]", "only samples of these threads")

#define QUERY_WHEN_OPTIONS(q) \
	OPT_STRING('C', "cpu", &(q)->cpus, "LIST", "only samples of these CPUs, as in 0-3,8"), \
	OPT_STRING(0, "time", &(q)->time, "FROM,TO", "only samples of a span: seconds as script " \
		   "shows them, either may be missing; or parts of the recording as in 10%/2 or " \
		   "0%-20%; several with spaces between")

#define QUERY_DEBUGINFOD_OPTION(q) \
	OPT_STRING(0, "debuginfod-timeout", &(q)->debuginfod_timeout, "SECONDS", "wait at most SECONDS " \
		   "in all for the servers in DEBUGINFOD_URLS (3); 0: do not ask them")

#define QUERY_SYMBOL_OPTIONS(q) \
	OPT_STRING(0, "symfs", &(q)->symfs, "DIR", "look for binaries below DIR"), \
	OPT_STRING(0, "debug-dir", &(q)->debug_dir, "DIR", "look for debug files in DIR first, laid out " \
		   "as /usr/lib/debug is"), \
	OPT_STRING('k', "vmlinux", &(q)->vmlinux, "FILE", "take kernel symbols from FILE"), \
	OPT_STRING(0, "kallsyms", &(q)->kallsyms, "FILE", "take kernel symbols from a kallsyms file"), \
	QUERY_DEBUGINFOD_OPTION(q), \
	OPT_SWITCH(0, "no-demangle", &(q)->no_demangle, "C++ and Rust names as they are in the file")

#define QUERY_NO_INLINE_OPTION(q) \
	OPT_SWITCH(0, "no-inline", &(q)->no_inline, "no frames for functions that were inlined")

#define QUERY_JOBS_OPTION(q, letter) \
	OPT_UINT(letter, "jobs", &(q)->jobs, "N", "count with N threads (as many as cores)")

/*
 * Split "a,b,c" into *out, NULL for NULL; "file://PATH" stands for the lines of a file.
 * Memory is the arena's; the list ends with NULL.
 */
int query_names(struct arena *arena, const char *list, const char ***out, struct err *err);

/*
 * Parse "1,2" or, with `ranges`, "0-3,8". `what` names the list in the message.
 * Memory is the arena's.
 */
int query_numbers(struct arena *arena, const char *list, const char *what, bool ranges,
		  const uint32_t **out, uint32_t *nr, struct err *err);

/* Parse --time. `data` gives the recording's span for the forms with %. */
int query_times(struct arena *arena, const char *text, const struct perf_data *data,
		const struct time_range **out, uint32_t *nr, struct err *err);

/*
 * What to read: -i's file; without it a recording that comes through a pipe on standard
 * input, else perf.data. What is no recording is left in the pipe for whom it is meant.
 */
const char *query_input(const char *input);

/*
 * Open the input and fill `query` from the options (by and max_stack are the
 * caller's to change later). On success *data is to be given to profile_load.
 */
int query_open(struct query_options *options, struct profile_query *query,
	       struct perf_data **data, struct err *err);
/* What of a recording that was only opened is damaged or missing, on standard error. */
void query_say_damages(const struct perf_data *data);
void query_release(struct query_options *options);

#endif
