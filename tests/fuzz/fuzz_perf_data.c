/* SPDX-License-Identifier: MIT */
/* A whole perf.data file: opened, walked, counted, and printed as script and report do. */
#include "formats/folded.h"
#include "profile/order.h"
#include "profile/recording.h"
#include "tests/fuzz/fuzz.h"
#include "view/account.h"
#include "view/dump.h"
#include "view/fold.h"
#include "view/header.h"
#include "view/script.h"

FUZZ_LIBTRACEEVENT_LEAKS

/* Nothing of this machine is looked at: what is found has to be in the input. */
static const struct symbol_options symbols = {
	.symfs = NO_FILE, .vmlinux = NULL, .kallsyms = NO_FILE, .modules = NO_FILE,
};

static void print(const struct recording *recording)
{
	struct script_options options = { .show_tasks = true, .show_mmaps = true,
					  .show_lost = true, .show_switches = true,
					  .show_namespaces = true, .show_bpf = true,
					  .show_rounds = true };
	struct ordered *records;
	struct script *script;
	struct record record;
	struct dump *dump;
	uint64_t off;

	if (script_new(&script, recording, &options, NULL) < 0)
		return;
	records = ordered_new(recording->data);
	dump = dump_new(recording);
	while (ordered_next(records, &record, &off, NULL) > 0) {
		script_write(script, &record, fuzz_sink());
		dump_write(dump, &record, off, fuzz_sink());
	}
	dump_free(dump);
	ordered_free(records);
	script_free(script);
}

static void fold(struct profile *profile)
{
	struct fold_options options = { .event = FOLD_ALL_EVENTS, .by_event = true,
					.mark_kernel = true, .addrs = true };
	struct label_table labels;
	struct stack_tree tree;

	stack_tree_init(&tree);
	label_table_init(&labels);
	fold_profile(&tree, &labels, profile, &options);
	folded_write(&tree, &labels, STACK_SAMPLES, fuzz_sink(), NULL);
	stack_tree_release(&tree);
	label_table_release(&labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct profile_query query = { .by = PROFILE_BY_COMM | PROFILE_BY_STACK,
				       .symbols = symbols, .jobs = 1 };
	struct recording recording;
	struct profile *profile;
	struct perf_data *data;
	char path[32];
	int fd = fuzz_file(bytes, size, path);

	if (perf_data_open(&data, path, NULL) == 0) {
		header_write(data, true, fuzz_sink());
		if (recording_load(&recording, data, &symbols, NULL) == 0) {
			print(&recording);
			account_write(&recording.account, "", ACCOUNT_ALL, fuzz_sink());
			recording_release(&recording);
		}
		if (profile_load(&profile, data, &query, NULL) == 0) {
			fold(profile);
			profile_free(profile);
		}
	}
	close(fd);
	return 0;
}
