/* SPDX-License-Identifier: MIT */
/* Text of stacks: folded, and what perf script prints. All that is handed out lies in the text. */
#include "formats/stack_text.h"
#include "tests/fuzz/fuzz.h"

static const char *from, *to;

static void inside(struct text_piece t)
{
	fuzz_assert(!t.p || (t.p >= from && t.len <= (size_t)(to - t.p)));
}

static void read_as(enum stack_text_form form, const uint8_t *bytes, size_t size)
{
	struct stack_text_sample s;
	struct stack_text text;

	stack_text_init(&text, form, bytes, size);
	while (stack_text_next(&text, &s)) {
		inside(s.event);
		inside(s.comm);
		fuzz_assert(s.nr_frames);
		for (uint32_t i = 0; i < s.nr_frames; i++) {
			inside(s.frames[i].name);
			inside(s.frames[i].module);
			fuzz_assert(s.frames[i].name.p == NULL || s.frames[i].name.len < size);
		}
	}
	fuzz_assert(text.at == text.end);
	stack_text_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (!size)
		return 0;
	from = (const char *)bytes;
	to = from + size;
	stack_text_recognise(bytes, size);
	read_as(STACK_TEXT_FOLDED, bytes, size);
	read_as(STACK_TEXT_SCRIPT, bytes, size);
	return 0;
}
