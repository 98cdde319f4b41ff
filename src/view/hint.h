/* SPDX-License-Identifier: MIT */
/*
 * hint: the command to type next.
 */
#ifndef VIEW_HINT_H
#define VIEW_HINT_H

#include <stdio.h>

#include "profile/profile.h"

/*
 * Write the line that names the command which annotates the function that most of the
 * first event's samples lie in; nothing where there is none that has a name, or where
 * the recording came through a pipe.
 */
void hint_annotate(const struct profile *profile, FILE *out);

#endif
