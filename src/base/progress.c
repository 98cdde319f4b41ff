/* SPDX-License-Identifier: MIT */
#include "base/progress.h"

#include <stddef.h>

static progress_sink *progress_to;
static void *progress_arg;

void progress_set_sink(progress_sink *sink, void *arg)
{
	progress_to = sink;
	progress_arg = arg;
}

void progress(const char *what, uint64_t done, uint64_t total)
{
	if (progress_to)
		progress_to(what, done, total, progress_arg);
}
