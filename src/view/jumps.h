/* SPDX-License-Identifier: MIT */
/*
 * jumps: arrows from jumps to where they go, in the margin of a listing.
 *
 *	      mov
 *	+---> add         lane 0 is next to the text; a jump takes the innermost one that is
 *	| +-- jne         free all the way, short jumps first
 *	+-+-- jmp
 *
 * What finds no lane is not drawn.  In: an annotation.  Out: for each line a text that is
 * always as many columns wide.
 */
#ifndef VIEW_JUMPS_H
#define VIEW_JUMPS_H

#include "view/annotation.h"

struct jumps;

/* At most `most` lanes. Never NULL; the annotation must outlive it. */
struct jumps *jumps_new(const struct annotation *a, unsigned most);
void jumps_free(struct jumps *jumps);
unsigned jumps_columns(const struct jumps *jumps);

/* Append the margin of a line; `between`: of what stands above it and is no instruction. */
void jumps_add(const struct jumps *jumps, uint32_t line, bool between, struct str *out);

#endif
