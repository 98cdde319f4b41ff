/* SPDX-License-Identifier: MIT */
/*
 * What stands behind --filter: checked against a tracepoint with fields of each kind, and,
 * behind a NUL, against the text of a format file.
 */
#include "engine/event.h"
#include "engine/tracefs.h"
#include "tests/fuzz/fuzz.h"

static const char fields[] =
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	"\tfield:char next_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
	"\tfield:int prio;\toffset:24;\tsize:4;\tsigned:1;\n"
	"\tfield:u64 n;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:const char * p;\toffset:40;\tsize:8;\tsigned:0;\n"
	"\tfield:__data_loc char[] name;\toffset:48;\tsize:4;\tsigned:0;\n";

static void check(const char *filter, const char *text)
{
	struct tracefs_format format = { 0 };
	struct err err = ERR_INIT;
	int r;

	tracefs_format_parse(text, &format);
	r = event_filter_check(filter, "sched:x", &format, &err);
	fuzz_assert(r <= 0);
	if (r < 0)
		fuzz_assert(err.msg[0]);
	tracefs_format_release(&format);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *at = bytes, *end = bytes + size;
	char *filter = fuzz_string(&at, end), *text = fuzz_string(&at, end);

	if (filter)
		check(filter, fields);
	if (text)
		check(filter, text);
	free(filter);
	free(text);
	return 0;
}
