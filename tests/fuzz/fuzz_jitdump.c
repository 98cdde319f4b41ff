/* SPDX-License-Identifier: MIT */
/* A jitdump. */
#include "symbols/jit.h"
#include "tests/fuzz/fuzz.h"

struct input {
	const uint8_t *bytes;
	size_t size;
};

static ssize_t read_input(void *arg, void *to, size_t size, uint64_t offset)
{
	const struct input *in = arg;

	if (offset >= in->size)
		return 0;
	size = size < in->size - offset ? size : in->size - offset;
	memcpy(to, in->bytes + offset, size);
	return (ssize_t)size;
}

static void look(const struct jit *jit, uint64_t addr, uint64_t time_ns)
{
	const struct jit_code *code = jit_find(jit, addr, time_ns);
	const char *file;
	uint32_t line;

	if (!code)
		return;
	fuzz_assert(code->start <= addr && addr < code->end && *code->name);
	fuzz_assert(code->eh_frame_hdr_size <= code->nr_unwinding_bytes || !code->unwinding);
	if (jit_line(code, addr, &file, &line))
		fuzz_assert(strlen(file) < 1 << 20 && line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input in = { bytes, size };
	struct jit *jit = jit_new();
	size_t nr;

	jit_add_dump(jit, read_input, &in, size & 1 ? 1000 : 0, NULL);
	jit_finish(jit);
	for (size_t i = 0; i + 8 <= size && i < 512; i += 8) {
		uint64_t addr;

		memcpy(&addr, bytes + i, 8);
		look(jit, addr, 0);
		look(jit, addr + 8, addr);
	}
	jit_changes(jit, &nr);
	jit_free(jit);
	return 0;
}
