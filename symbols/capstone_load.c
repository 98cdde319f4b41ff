/* SPDX-License-Identifier: MIT */
#include "symbols/capstone_load.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#define TEXT(x) #x
#define NAME(major) "libcapstone.so." TEXT(major)
#define LIBRARY NAME(CS_API_MAJOR)

static struct capstone capstone;
static bool loaded;

static void load(void)
{
	const struct { const char *name; void **to; } functions[] = {
		{ "cs_open", (void **)&capstone.open },
		{ "cs_close", (void **)&capstone.close },
		{ "cs_option", (void **)&capstone.option },
		{ "cs_malloc", (void **)&capstone.malloc },
		{ "cs_free", (void **)&capstone.free },
		{ "cs_version", (void **)&capstone.version },
		{ "cs_insn_name", (void **)&capstone.insn_name },
		{ "cs_disasm_iter", (void **)&capstone.disasm_iter },
	};
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	loaded = library != NULL;
	for (size_t i = 0; loaded && i < sizeof(functions) / sizeof(functions[0]); i++) {
		*functions[i].to = dlsym(library, functions[i].name);
		loaded = *functions[i].to != NULL;
	}
}

const struct capstone *capstone_load(struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	if (loaded)
		return &capstone;
	err_set(err, ENOENT, "cannot disassemble: " LIBRARY " is not installed (Debian: libcapstone%d)",
		CS_API_MAJOR);
	return NULL;
}
