/* SPDX-License-Identifier: MIT */
/*
 * sonde version: what this program is and what is built into it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bpf/sched_live.h"
#include "cmd/cmd.h"
#include "engine/pfm.h"

/* "libelf 0.188, libdw 0.188," one a line. */
static void print_libraries(const char *list)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		if (n)
			printf("  %.*s\n", (int)n, list);
		list += n;
		list += strspn(list, ", ");
	}
}

static int run_version(int argc, char **argv)
{
	static bool build_options;
	static const struct opt opts[] = {
		OPT_SWITCH(0, "build-options", &build_options, "also say how it was compiled"),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int nr_words, status;

	status = cmd_options(&cmd_version, opts, OPT_PARSE_ANYWHERE, argc, argv, &nr_words);
	if (status >= 0)
		return status;
	if (nr_words) {
		err_set(&err, EINVAL, "version takes no argument, and here is '%s'", argv[0]);
		cmd_error("version", &err);
		return EXIT_USAGE;
	}
	printf("sonde %s\nbuilt with\n", SONDE_VERSION);
	print_libraries(SONDE_LIBRARIES);
	/* Loaded when an event's name needs it, so it is this machine's that counts. */
	if (pfm_version())
		printf("  %s\n", pfm_version());
	printf("  %s\n", sched_live_is_built() ? "BPF: sched live" : "no BPF (clang or libbpf was missing): no sched live");
	if (build_options) {
		printf("compiler\n  %s\n", __VERSION__);
#ifdef __SANITIZE_ADDRESS__
		printf("checked by\n  AddressSanitizer and UBSan\n");
#endif
	}
	return 0;
}

const struct command cmd_version = {
	.name = "version",
	.summary = "show the version and what is built in",
	.usage = "[options]",
	.run = run_version,
};
