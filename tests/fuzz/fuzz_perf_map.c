/* SPDX-License-Identifier: MIT */
/* The text of a perf-PID.map; the last eight bytes are the addresses and times to ask for. */
#include "formats/perf_map.h"
#include "symbols/jit.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct jit *jit = jit_new();
	char *text = malloc(size + 1);
	size_t nr;

	memcpy(text, bytes, size);
	text[size] = '\0';
	jit_add_map(jit, text, size);
	jit_finish(jit);
	fuzz_assert(jit_count(jit) <= size / 5 + 1);
	for (size_t i = 0; i + 1 < size && i < 64; i++) {
		uint64_t addr = (uint64_t)bytes[i] << 8 | bytes[i + 1];
		const struct jit_code *code = jit_find(jit, addr, bytes[i]);

		fuzz_assert(!code || (code->start <= addr && addr < code->end && *code->name));
	}
	jit_find(jit, UINT64_MAX, 0);
	jit_changes(jit, &nr);
	jit_free(jit);
	return 0;
}
