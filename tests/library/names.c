/* SPDX-License-Identifier: MIT */
/*
 * names FILE ADDRESS...: name addresses of an ELF file with libsonde-symbols.a alone.
 *
 * The whole of it: a set of modules, a module in it, an address in its own space. What
 * has no name has a reason.
 */
#include <stdio.h>
#include <stdlib.h>

#include "symbols/symbols.h"

static void show(struct module *module, uint64_t elf_addr)
{
	struct source_frame frames[16];
	struct symbol symbol;
	uint32_t nr = module_lines(module, elf_addr, frames, 16);

	module_symbol(module, elf_addr, &symbol);
	if (!symbol.name)
		printf("%#llx ? %s\n", (unsigned long long)elf_addr, name_reason_text(symbol.reason));
	else
		printf("%#llx %s+%#llx %s:%u\n", (unsigned long long)elf_addr, symbol.name,
		       (unsigned long long)(elf_addr - symbol.start),
		       nr && frames[0].file ? frames[0].file : "??", nr ? frames[0].line : 0);
}

int main(int argc, char **argv)
{
	struct module_set *set = module_set_new(NULL);
	struct module *module;

	if (argc < 2)
		return 2;
	module = module_intern(set, MODULE_FILE, argv[1], NULL, 0);
	for (int i = 2; i < argc; i++)
		show(module, strtoull(argv[i], NULL, 16));
	module_set_free(set);
	return 0;
}
