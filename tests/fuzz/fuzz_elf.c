/* SPDX-License-Identifier: MIT */
/* An ELF file: its build-id, its symbols all over, once more as a vmlinux, and as a kernel module. */
#include "symbols/symbols.h"
#include "tests/fuzz/fuzz.h"

#define STEPS 64

static void look_up(struct module *module, size_t size)
{
	static const uint64_t edges[] = { 0, 1, 0x400000, 0x401000, 0xffffffff81000000, INT64_MAX,
					  UINT64_MAX };
	size_t length = 0;
	struct symbol symbol;

	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		module_symbol(module, edges[i], &symbol);
		module_elf_addr(module, edges[i]);
	}
	for (size_t i = 0; i <= STEPS; i++) {
		module_symbol(module, module_elf_addr(module, i * size / STEPS), &symbol);
		if (symbol.name) {
			length += strlen(symbol.name);
			fuzz_assert(symbol.reason == NAME_OK);
			fuzz_assert(symbol.start <= symbol.end);
		} else {
			fuzz_assert(symbol.reason != NAME_OK);
		}
	}
	fuzz_assert(length < (1 << 26));
}

/* As a module, whose debug information is relocated; packed it may be, too. */
static void look_up_lines(struct module *module)
{
	const uint64_t start = 0xffffffffc0400000;
	struct source_frame frames[8];

	module_set_run_start(module, start);
	for (uint64_t at = 0; at < 256; at += 8) {
		uint32_t nr = module_lines(module, start + at, frames, 8);

		fuzz_assert(nr <= 8);
	}
	look_up(module, 256);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[32];
	int fd = fuzz_file(bytes, size, path);
	struct symbol_options options = { .vmlinux = path, .modules = NO_FILE };
	struct module_set *set = module_set_new(&options);
	uint8_t id[20];
	int n;

	n = build_id_read(path, id);
	fuzz_assert(n <= 20);
	look_up(module_intern(set, MODULE_FILE, path, n > 0 ? id : NULL, n > 0 ? (uint8_t)n : 0), size);
	look_up(module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]", NULL, 0), size);
	if (n > 0)
		look_up_lines(module_intern(set, MODULE_KMOD, path, id, (uint8_t)n));
	module_set_free(set);
	close(fd);

	n = build_id_from_notes(bytes, size, false, id);
	fuzz_assert(n <= 20);
	n = build_id_from_notes(bytes, size, true, id);
	fuzz_assert(n <= 20);
	return 0;
}
