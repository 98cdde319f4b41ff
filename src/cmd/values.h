/* SPDX-License-Identifier: MIT */
/*
 * values: what options of several commands take, read the same way in all of them.
 *
 * Each returns 0 or -EINVAL with a message that names the option; of a text that is NULL,
 * an option that was not given, nothing follows.
 */
#ifndef CMD_VALUES_H
#define CMD_VALUES_H

#include <regex.h>
#include <stdbool.h>

#include "base/err.h"
#include "symbols/disasm.h"

/* Of -m with -k, which exclude each other. */
#define VALUE_MODULES_AND_VMLINUX \
	"-m does not go with -k: a vmlinux has no modules in it. Without -k modules are those of the " \
	"running kernel"

/* A percentage from 0 to `most`. */
int value_percent(const char *text, const char *option, double most, double *out, struct err *err);

/* --percentage: relative or absolute. */
int value_relative(const char *text, bool *relative, struct err *err);

/* -M: att or intel. */
int value_syntax(const char *text, enum disasm_syntax *syntax, struct err *err);

/* An extended regular expression, for regfree; after an error it is all zero. */
int value_pattern(const char *text, const char *option, regex_t *pattern, struct err *err);

#endif
