/* SPDX-License-Identifier: MIT */
/*
 * record_options: those of record whose meaning takes more than a value to hold, and perf's that
 * are refused.
 *
 * In: what stood on the command line.  Out: the sampling's options, its events and whom it
 * watches, settled in two steps: before its events are known to be all, and then.
 */
#ifndef CMD_RECORD_OPTIONS_H
#define CMD_RECORD_OPTIONS_H

#include "base/opt.h"
#include "base/str.h"
#include "cmd/sampling.h"
#include "engine/cgroup.h"

struct record_wishes {
	struct sampling *s;              /* the caller's */
	struct str cgroups;              /* the lists of all -G, one behind the other */
	struct cgroup_set groups;
	uint64_t map_ms;
	bool has_map_ms;
	bool list_regs;                  /* no recording: print what registers there are */
	bool group, build_id_mmap, no_build_id_mmap;
	bool dry_run;
};

/* Each has a struct record_wishes for its value. */
opt_fn record_take_user_regs, record_take_intr_regs, record_take_cgroup, record_take_synth,
	record_take_build_id_mmap;

#define RECORD_MORE_WHAT_OPTIONS(w) \
	OPT_SWITCH(0, "group", &(w)->group, "all events as one group, on and off together")

#define RECORD_MORE_WHOM_OPTIONS(w, sampling) \
	OPT_CALL('G', "cgroup", w, "NAME[,NAME...]", \
		 "on whole CPUs: the event before it only in this cgroup; one name is for all", \
		 record_take_cgroup, 0), \
	OPT_SWITCH(0, "per-thread", &(sampling)->o.target.per_thread, \
		   "a ring for each thread that is there, and not what it starts"), \
	OPT_SWITCH(0, "exclude-perf", &(sampling)->o.without_self, \
		   "nothing of sonde itself, which only events of the scheduler tell of")

#define RECORD_MORE_SAMPLE_OPTIONS(w, sampling) \
	OPT_CALL(0, "user-regs", w, "LIST|?", "registers of user code (all); ? lists them", \
		 record_take_user_regs, OPT_ARG_OPTIONAL), \
	OPT_CALL('I', "intr-regs", w, "LIST|?", "registers at the interrupt (all); ? lists them", \
		 record_take_intr_regs, OPT_ARG_OPTIONAL), \
	OPT_SWITCH(0, "running-time", &(sampling)->o.attr.running_time, \
		   "beside the values of :S how long they were counted"), \
	OPT_SWITCH(0, "sample-identifier", &(sampling)->o.attr.identifier, \
		   "the event's id, also where there is one event only"), \
	OPT_SWITCH(0, "no-bpf-event", &(sampling)->o.attr.no_bpf, "no records of BPF programs"), \
	OPT_CALL(0, "synth", w, "no|all|task|mmap|cgroup", \
		 "of what is there at the start, describe only this (all)", record_take_synth, 0), \
	{ .kind = OPT_KIND_U64, .long_name = "proc-map-timeout", .value = &(w)->map_ms, \
	  .arg_name = "MS", .help = "look at what a process has mapped no longer than this", \
	  .given = &(w)->has_map_ms }

#define RECORD_MORE_OUTPUT_OPTIONS(w) \
	OPT_CALL(0, "buildid-mmap", w, NULL, \
		 "build-ids in the records of mappings (always, where the kernel can)", \
		 record_take_build_id_mmap, OPT_ARG_NONE), \
	OPT_SWITCH(0, "dry-run", &(w)->dry_run, "look at the command line and do nothing else")

#define RECORD_NO_AUX "areas of hardware traces (AUX: Intel PT, ARM CoreSight) are not recorded"
#define RECORD_NO_CLANG "-e takes no source of BPF programs, so that none is compiled"
#define RECORD_NO_OFF_CPU "that is not sampled; `sonde sched record` records every wait, and `sonde sched " \
	"waits` and `timehist` tell how long and why"

/* The first ones are of perf 6.1, the last ones of later versions. */
#define RECORD_REFUSED_OPTIONS \
	OPT_REFUSE(0, "aio", "writes go to the page cache and do not wait for the disk"), \
	OPT_REFUSE(0, "tail-synthesize", "what runs is described when a file is begun; --overwrite does it " \
		   "when it is written"), \
	OPT_REFUSE(0, "switch-output-event", "a file ends at a signal, a size or a time (--switch-output)"), \
	OPT_REFUSE('S', "snapshot", RECORD_NO_AUX "; --overwrite keeps the latest samples until SIGUSR2"), \
	OPT_REFUSE(0, "aux-sample", RECORD_NO_AUX), \
	OPT_REFUSE(0, "kcore", "the kernel's code is not copied; on this machine `sonde annotate` reads " \
		   "/proc/kcore itself"), \
	OPT_REFUSE(0, "mmap-flush", "rings are emptied when an eighth of them is full or something has lain " \
		   "there for half a second; -m sets their size"), \
	OPT_REFUSE(0, "num-thread-synthesize", "one thread describes what runs; --synth=task leaves out what " \
		   "takes long of it"), \
	OPT_REFUSE(0, "off-cpu", RECORD_NO_OFF_CPU), \
	OPT_REFUSE(0, "vmlinux", "record looks up no symbols; -k FILE of report, annotate and the others " \
		   "names the kernel's"), \
	OPT_REFUSE(0, "debuginfod", "record downloads nothing; report, annotate and the others ask the " \
		   "servers in DEBUGINFOD_URLS"), \
	OPT_REFUSE(0, "clang-path", RECORD_NO_CLANG), \
	OPT_REFUSE(0, "clang-opt", RECORD_NO_CLANG), \
	OPT_REFUSE(0, "setup-filter", "filters are the kernel's (--filter), not pinned BPF programs"), \
	OPT_REFUSE(0, "off-cpu-thresh", RECORD_NO_OFF_CPU), \
	OPT_REFUSE(0, "latency", "samples are not weighted by how much runs beside them; `sonde sched " \
		   "record` tells what tasks waited for")

/* What goes together, before sampling_choose. */
int record_settle_wishes(struct record_wishes *w, struct err *err);
/* And once all events and whom to watch are known, after it. */
int record_settle_events(struct record_wishes *w, struct err *err);

/* The registers that samples can hold, a line, to standard output. -ENOTSUP with a message. */
int record_print_regs(struct err *err);

void record_wishes_release(struct record_wishes *w);

#endif
