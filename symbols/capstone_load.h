/* SPDX-License-Identifier: MIT */
/*
 * capstone_load: capstone, when the first instruction is to be taken apart.
 *
 * The library has 77,000 addresses to relocate (capstone 4 on x86_64), which is half a
 * millisecond at the start of every command; so it is opened by who needs it.
 */
#ifndef SYMBOLS_CAPSTONE_LOAD_H
#define SYMBOLS_CAPSTONE_LOAD_H

#include <capstone/capstone.h>

#include "base/err.h"

/* Each is capstone's function cs_NAME; all are set, or none. */
struct capstone {
	__typeof__(cs_open) *open;
	__typeof__(cs_close) *close;
	__typeof__(cs_option) *option;
	__typeof__(cs_malloc) *malloc;
	__typeof__(cs_free) *free;
	__typeof__(cs_version) *version;
	__typeof__(cs_insn_name) *insn_name;
	__typeof__(cs_disasm_iter) *disasm_iter;
};

/* The library that this was compiled for, or NULL with a message. By any thread. */
const struct capstone *capstone_load(struct err *err);

#endif
