/* SPDX-License-Identifier: MIT */
/*
 * frames: how the callers of a program's code can be found.
 *
 * In: a command or processes.  Out: frame pointers, if nearly all code of their programs
 * keeps one (their unwind tables tell), or else unwinding.  The choice is said
 * (base/log.h).
 */
#ifndef ENGINE_FRAMES_H
#define ENGINE_FRAMES_H

#include "engine/attr.h"
#include "engine/target.h"

/* What --call-graph auto comes to: CALLGRAPH_FP or CALLGRAPH_UNWIND. `command` may be NULL. */
enum callgraph_mode frames_choose(const struct target *target, char *const *command);

/* How much of the code of the ELF file at `path` keeps a frame pointer, in 1/1000; -1: no telling. */
int frames_kept(const char *path);

#endif
