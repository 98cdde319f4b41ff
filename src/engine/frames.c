/* SPDX-License-Identifier: MIT */
#include "engine/frames.h"

#include <stdio.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/workload.h"
#include "symbols/unwind_table.h"

/*
 * Functions without a frame of their own have none under either option, and prologues
 * come before it: programs built with frame pointers have 500 (small ones) to 950, without
 * below 200.
 */
#define KEPT 350

int frames_kept(const char *path)
{
	struct elf_file *file;
	struct unwind_table *table;
	int kept = -1;

	if (elf_file_open(&file, path) < 0)
		return -1;
	table = unwind_table_open(file, NULL);
	if (unwind_table_rows(table))
		kept = (int)unwind_table_frame_pointers(table);
	unwind_table_keep(table, file, NULL);
	unwind_table_free(table);
	elf_file_free(file);
	return kept;
}

static enum callgraph_mode choose_by(const char *path, const char *name)
{
	int kept = frames_kept(path);

	if (kept >= KEPT) {
		log_note("call chains of '%s' are taken by frame pointers, which it keeps "
			 "(--call-graph auto)", name);
		return CALLGRAPH_FP;
	}
	log_note(kept < 0 ? "call chains are unwound (--call-graph auto): '%s' does not tell whether it "
			    "keeps frame pointers" :
			    "call chains are unwound (--call-graph auto): '%s' keeps no frame pointers",
		 name);
	return CALLGRAPH_UNWIND;
}

static enum callgraph_mode choose_by_tasks(const struct target *target)
{
	enum callgraph_mode mode = CALLGRAPH_FP;
	thread_vec threads = { 0 };
	char path[64];
	pid_t last = -1;

	/* a process that is not there is told of by whoever opens its events */
	if (target_threads(target, &threads, NULL) < 0)
		return CALLGRAPH_UNWIND;
	for (size_t i = 0; i < threads.nr && mode == CALLGRAPH_FP; i++) {
		pid_t pid = threads.v[i].pid > 0 ? threads.v[i].pid : threads.v[i].tid;

		if (pid == last)
			continue;
		last = pid;
		snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
		mode = choose_by(path, path);
	}
	vec_release(&threads);
	return mode;
}

enum callgraph_mode frames_choose(const struct target *target, char *const *command)
{
	enum callgraph_mode mode = CALLGRAPH_UNWIND;
	struct str path = STR_INIT;

	if (!arch_host()->nr_dwarf_regs) {
		log_note("call chains are taken by frame pointers: stacks of this architecture are not "
			 "unwound (--call-graph auto)");
		return CALLGRAPH_FP;
	}
	if (target_is_tasks(target))
		return choose_by_tasks(target);
	if (target_is_cpus(target) || !command) {
		log_note("call chains are unwound (--call-graph auto): not all programs keep frame "
			 "pointers");
		return mode;
	}
	if (workload_find(command[0], &path, NULL) == 0)
		mode = choose_by(path.p, command[0]);
	str_release(&path);
	return mode;
}
