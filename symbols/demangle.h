/* SPDX-License-Identifier: MIT */
/*
 * demangle: linker names -> names as the programmer wrote them.
 *
 * C++ (Itanium ABI), Rust (legacy and v0) and D, by libiberty; all other names
 * stay as they are.  As in perf's text, parameters are left out.  What stands
 * behind '@' (a version, "plt") is kept behind the demangled name.
 *
 * Names come from files: the result and the work for it are bounded, and a name
 * that grows beyond is not demangled.  Threads: any.
 */
#ifndef SYMBOLS_DEMANGLE_H
#define SYMBOLS_DEMANGLE_H

#include <stdbool.h>

#include "base/str.h"

/* Whether a name looks mangled: a cheap first look. */
bool demangle_wants(const char *name);

/* The demangled name, which the caller frees, or NULL. */
char *demangle(const char *name);

/*
 * Append a demangled name with <...> for its template arguments, for where room is scarce:
 * "std::vector<int, std::allocator<int> >::end" -> "std::vector<...>::end". Operators stay.
 */
void demangle_brief(struct str *out, const char *name);

#endif
