/* SPDX-License-Identifier: MIT */
/* Folded text of others, read and written again. */
#include "formats/folded.h"
#include "tests/fuzz/fuzz.h"

static void read_one(const uint8_t *bytes, size_t size, bool reverse)
{
	struct label_table labels;
	struct stack_tree tree;
	FILE *in = fmemopen((void *)(uintptr_t)bytes, size, "r");

	fuzz_assert(in);
	stack_tree_init(&tree);
	label_table_init(&labels);
	if (folded_read(&tree, &labels, reverse, in, NULL) == 0)
		folded_write(&tree, &labels, STACK_SAMPLES, fuzz_sink(), NULL);
	stack_tree_release(&tree);
	label_table_release(&labels);
	fclose(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (!size)
		return 0;
	read_one(bytes, size, false);
	read_one(bytes, size, true);
	return 0;
}
