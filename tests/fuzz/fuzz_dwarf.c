/* SPDX-License-Identifier: MIT */
/*
 * Debug information: the lines and inlined functions of a program, wherever its units
 * say that code is. Files beside it are not there, but the input is its own .dwo, too.
 */
#include <stdlib.h>

#include "symbols/dwarf.h"
#include "symbols/symbols.h"
#include "tests/fuzz/fuzz.h"

#define OWN_NUMBER 100          /* of the input as a file: what seeds name as their .dwo */
#define FRAMES 32
#define STEPS 256

static void look_up(struct dwarf *dwarf, uint64_t addr)
{
	struct source_frame frames[FRAMES];
	uint32_t nr = dwarf_find(dwarf, addr, frames, FRAMES);
	size_t length = 0;

	fuzz_assert(nr <= FRAMES);
	for (uint32_t i = 0; i < nr; i++) {
		length += frames[i].name ? strlen(frames[i].name) : 0;
		length += frames[i].file ? strlen(frames[i].file) : 0;
	}
	fuzz_assert(length < (1 << 26));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const uint64_t edges[] = { 0, 1, 0x401000, 0x1000, UINT32_MAX, UINT64_MAX };
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct elf_file *file;
	struct dwarf *dwarf;
	char path[32];
	int made = fuzz_file(bytes, size, path), fd = dup2(made, OWN_NUMBER);

	close(made);
	setenv("XDG_CACHE_HOME", "/dev/null", 1);        /* no index: the bytes themselves */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", OWN_NUMBER);
	if (elf_file_open(&file, path) < 0) {
		close(fd);
		return 0;
	}
	dwarf = dwarf_new(file, &lock, path, false);
	for (size_t i = 0; dwarf && i < sizeof(edges) / sizeof(edges[0]); i++)
		look_up(dwarf, edges[i]);
	for (uint32_t i = 0; dwarf && i < file->nr_loads; i++)
		for (uint64_t j = 0; j < STEPS; j++)
			look_up(dwarf, file->loads[i].vaddr + file->loads[i].filesz / STEPS * j + j);
	dwarf_free(dwarf);
	elf_file_free(file);
	close(fd);
	return 0;
}
