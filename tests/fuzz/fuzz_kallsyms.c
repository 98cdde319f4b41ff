/* SPDX-License-Identifier: MIT */
/* The text of /proc/kallsyms, a NUL, the text of /proc/modules. */
#include "formats/kallsyms.h"
#include "symbols/symbols.h"
#include "tests/fuzz/fuzz.h"

static void walk(char *text)
{
	char *at = text, *end = text + strlen(text);
	struct kallsyms_line line;
	size_t sum = 0;

	while (kallsyms_next(&at, end, &line)) {
		fuzz_assert(line.name && *line.name);
		sum += strlen(line.name) + (line.module ? strlen(line.module) : 0);
	}
	fuzz_assert(at <= end && sum <= (size_t)(end - text) + 32 * (size_t)(end - text));
}

static void walk_modules(char *text)
{
	char *at = text, *end = text + strlen(text);
	struct modules_line line;

	while (modules_next(&at, end, &line))
		fuzz_assert(line.name && strlen(line.name) <= (size_t)(end - text));
	fuzz_assert(at <= end);
}

static void look_up(const struct symbol_options *options)
{
	static const uint64_t addrs[] = { 0, 1, 0xffffffff81000000, 0xffffffff81000010,
					  0xffffffffc0200000, 0xffffffffc0200100, UINT64_MAX };
	struct module_set *set = module_set_new(options);
	struct module *kernel = module_intern(set, MODULE_KERNEL, "[kernel.kallsyms]", NULL, 0);
	struct module *kmod = module_intern(set, MODULE_KMOD, "[ext4]", NULL, 0);
	struct symbol symbol;

	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		module_symbol(kernel, addrs[i], &symbol);
		module_symbol(kmod, addrs[i], &symbol);
	}
	module_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *at = bytes, *end = bytes + size;
	char *text = fuzz_string(&at, end), *modules = fuzz_string(&at, end);
	char path[32], modules_path[32];
	int fd = fuzz_file(text ? text : "", text ? strlen(text) : 0, path);
	int modules_fd = fuzz_file(modules ? modules : "", modules ? strlen(modules) : 0,
				   modules_path);

	look_up(&(struct symbol_options){ .symfs = NO_FILE, .kallsyms = path,
					  .modules = modules_path });
	if (text)
		walk(text);
	if (modules)
		walk_modules(modules);
	close(fd);
	close(modules_fd);
	free(text);
	free(modules);
	return 0;
}
