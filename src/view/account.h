/* SPDX-License-Identifier: MIT */
/*
 * account: what is missing or doubtful in a profile, in words, with what to do.
 */
#ifndef VIEW_ACCOUNT_H
#define VIEW_ACCOUNT_H

#include <stdio.h>

#include "base/str.h"
#include "profile/profile.h"

enum account_part {
	ACCOUNT_LOSSES = 1,      /* lost, throttled, damaged, unfinished, skipped, unwinding cut short */
	ACCOUNT_NAMES = 2,       /* unnamed by reason, truncated stacks */
	ACCOUNT_ALL = 3,
};

/* Append "12,345 lost  3.2% unnamed", for a screen; what is not worth telling there is not. */
void account_add_brief(const struct profile_account *account, struct str *out);

/* Write a line for each fact, `prefix` before it. Returns the number of lines; 0 when all is well. */
unsigned account_write(const struct profile_account *account, const char *prefix,
		       enum account_part parts, FILE *out);

#endif
