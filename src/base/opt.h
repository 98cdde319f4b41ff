/* SPDX-License-Identifier: MIT */
/*
 * opt: command-line options from a table.
 *
 * What perf's users have in their fingers: -ns comm,dso is -n -s comm,dso; -F99
 * is -F 99; --call-graph=fp is --call-graph fp; a long name may be cut to any
 * prefix that only one option has; --no-NAME turns a switch off.  Options that
 * stand behind the first other word are the command's own (record, stat) unless
 * OPT_PARSE_ANYWHERE is given (report, script).  "--" ends the options.
 *
 *	const struct opt opts[] = {
 *		OPT_SECTION("What to sample"),
 *		OPT_STRING('o', "output", &path, "FILE", "write to FILE"),
 *		OPT_SWITCH('a', "all-cpus", &all, "the whole system"),
 *		OPT_END,
 *	};
 *
 * Every value points at the caller's storage; strings are borrowed from argv.
 * A table that is in use in another way than described fails an assertion.
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum opt_kind {
	OPT_KIND_END,
	OPT_KIND_SECTION,
	OPT_KIND_SWITCH,         /* bool *: set; --no-NAME clears */
	OPT_KIND_COUNT,          /* int *: counts up; --no-NAME makes it 0 */
	OPT_KIND_STRING,         /* const char ** */
	OPT_KIND_UINT,           /* unsigned * */
	OPT_KIND_U64,            /* uint64_t * */
	OPT_KIND_CALL,           /* fn(opt, arg, unset, err) */
};

enum opt_flag {
	OPT_ARG_OPTIONAL = 1,    /* --name[=arg], -n[arg]: never the next word */
	OPT_ARG_NEXT = 2,        /* the next word unless it is missing or starts with '-' */
	OPT_ARG_NONE = 4,        /* OPT_KIND_CALL without an argument */
	OPT_HIDDEN = 8,
};

struct opt;

/*
 * `arg` is NULL when no argument was given (OPT_ARG_OPTIONAL, _NEXT, _NONE) or
 * `unset` is true (--no-NAME). Returns 0 or a negative errno with err set.
 */
typedef int opt_fn(const struct opt *opt, const char *arg, bool unset, struct err *err);

struct opt {
	enum opt_kind kind;
	int short_name;          /* 0: none */
	const char *long_name;   /* NULL: none */
	void *value;
	const char *arg_name;    /* for the help; NULL: takes none */
	const char *help;
	unsigned flags;
	opt_fn *fn;
	bool *given;             /* may be NULL; set when the option was used */
};

#define OPT_END { .kind = OPT_KIND_END }
#define OPT_SECTION(text) { .kind = OPT_KIND_SECTION, .help = (text) }
#define OPT_SWITCH(s, l, ptr, text) \
	{ .kind = OPT_KIND_SWITCH, .short_name = (s), .long_name = (l), .value = (ptr), .help = (text) }
#define OPT_SWITCH_GIVEN(s, l, ptr, flag, text) \
	{ .kind = OPT_KIND_SWITCH, .short_name = (s), .long_name = (l), .value = (ptr), \
	  .help = (text), .given = (flag) }
#define OPT_COUNT(s, l, ptr, text) \
	{ .kind = OPT_KIND_COUNT, .short_name = (s), .long_name = (l), .value = (ptr), .help = (text) }
#define OPT_STRING(s, l, ptr, arg, text) \
	{ .kind = OPT_KIND_STRING, .short_name = (s), .long_name = (l), .value = (ptr), \
	  .arg_name = (arg), .help = (text) }
#define OPT_UINT(s, l, ptr, arg, text) \
	{ .kind = OPT_KIND_UINT, .short_name = (s), .long_name = (l), .value = (ptr), \
	  .arg_name = (arg), .help = (text) }
#define OPT_U64(s, l, ptr, arg, text) \
	{ .kind = OPT_KIND_U64, .short_name = (s), .long_name = (l), .value = (ptr), \
	  .arg_name = (arg), .help = (text) }
#define OPT_CALL(s, l, ptr, arg, text, call, more) \
	{ .kind = OPT_KIND_CALL, .short_name = (s), .long_name = (l), .value = (ptr), \
	  .arg_name = (arg), .help = (text), .fn = (call), .flags = (more) }

/*
 * perf's option that sonde does not have: hidden from the help, known all the same, and
 * refused with the reason `why` and not as unknown (-EOPNOTSUPP). --no-NAME is taken.
 */
#define OPT_REFUSE(s, l, why) \
	{ .kind = OPT_KIND_CALL, .short_name = (s), .long_name = (l), .help = (why), \
	  .flags = OPT_ARG_OPTIONAL | OPT_HIDDEN, .fn = opt_refuse }
opt_fn opt_refuse;

enum opt_parse_flag {
	OPT_PARSE_ANYWHERE = 1,  /* options may stand behind other words */
};

/*
 * Parse argv[1..argc-1]. The words that are not options are moved to the front
 * of argv (from argv[0] on) in their order and *nr_words is their number.
 * `argv[argc]` need not be NULL; argv[*nr_words] is set to NULL.
 * Returns 0; -EINVAL with a message (unknown option with the nearest name, a
 * missing or wrong argument); or 1 when -h or --help was asked for.
 */
int opt_parse(const struct opt *opts, unsigned flags, int argc, char **argv, int *nr_words,
	      struct err *err);

/* Print the options with their help, in sections, at most 80 columns wide. */
void opt_print(const struct opt *opts, FILE *out);

/* Print every option a line, "short<TAB>long<TAB>argument<TAB>help": for completion and tests. */
void opt_print_list(const struct opt *opts, FILE *out);

#endif
