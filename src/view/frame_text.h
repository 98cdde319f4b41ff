/* SPDX-License-Identifier: MIT */
/* frame_text: how a frame is called in reports and pictures. */
#ifndef VIEW_FRAME_TEXT_H
#define VIEW_FRAME_TEXT_H

#include "base/str.h"
#include "formats/stack_tree.h"
#include "profile/profile.h"

/* Last part of a module's name: "libc.so.6", "[kernel.kallsyms]"; "[unknown]" for NULL. */
const char *frame_module(const struct profile_frame *frame);

enum label_kind frame_kind(const struct profile_frame *frame);

/*
 * Append the name of a frame as stackcollapse-perf.pl writes it by default:
 * "[module]" or "[unknown]" where there is no symbol; else the symbol with ';' as
 * ':', without quotes and, unless it looks like a Go method, without what stands
 * behind the first '(' that does not open "(anonymous namespace)".
 */
void frame_add_folded(struct str *s, const struct profile_frame *frame, bool tidy, bool addrs);

#endif
