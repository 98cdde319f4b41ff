/* SPDX-License-Identifier: MIT */
/*
 * attr: from the options of record and an event to its perf_event_attr.
 *
 * Pure: it looks at nothing but its arguments.  What the running kernel lacks is
 * taken away again by engine/fallback when an event does not open.
 */
#ifndef ENGINE_ATTR_H
#define ENGINE_ATTR_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/event.h"

enum callgraph_mode {
	CALLGRAPH_NONE,
	CALLGRAPH_FP,
	CALLGRAPH_DWARF,
	CALLGRAPH_LBR,
	CALLGRAPH_UNWIND,                /* as dwarf, and unwound before it is written */
	CALLGRAPH_AUTO,                  /* not decided yet: fp or unwind (engine/frames.h) */
};

/*
 * Of stack at most where registers at the interrupt stand behind it: the kernel cuts the copy so
 * that what stands before fits into a record with it, but not what comes behind, and a size of
 * 16 bits is too small then (perf_sample_ustack_size and perf_prepare_sample in Linux 6.18's
 * kernel/events/core.c).  16 KB are left for a chain, a tracepoint's fields and registers.
 */
#define ATTR_STACK_BEFORE_REGS 49144u

struct attr_options {
	uint64_t freq;                   /* -F; 0: not given */
	uint64_t period;                 /* -c; 0: not given */
	uint64_t default_freq;           /* where neither is given and the event has none */
	enum callgraph_mode callgraph;
	uint32_t stack_bytes;            /* dwarf, unwind: of user stack per sample */
	uint64_t user_regs;              /* dwarf, unwind: attr_user_regs of this machine */
	uint64_t asked_user_regs, asked_intr_regs;   /* --user-regs, -I: of attr_parse_regs; 0: none */
	uint64_t branch_type;            /* PERF_SAMPLE_BRANCH_ bits of -b, -j; 0: none */
	bool per_cpu;                    /* CPUs are watched, not tasks: sample the CPU */
	bool inherit;                    /* what the watched tasks start is watched too */
	bool command;                    /* a command is watched, from its exec on */
	bool delayed;                    /* -D: the caller switches sampling on */
	bool overwrite;                  /* rings are written backwards and keep the latest */
	bool addresses;                  /* -d */
	bool weight;                     /* -W */
	bool transaction;
	bool phys_addr;                  /* --phys-data */
	bool data_page_size, code_page_size;
	bool raw;                        /* -R */
	bool sample_period;              /* -P */
	bool sample_cpu;
	bool per_thread_counts;          /* -s */
	bool no_samples;                 /* -n */
	bool running_time;               /* --running-time: times beside the values of :S */
	bool identifier;                 /* --sample-identifier, also where one event samples */
	bool switches;                   /* --switch-events */
	bool namespaces, cgroups;
	bool all_user, all_kernel;
	bool kernel_chains, user_chains; /* --kernel-callchains, --user-callchains */
	bool build_ids;                  /* have the kernel write them into MMAP2 */
	bool no_bpf;                     /* --no-bpf-event */
	bool lean;                       /* of tracepoints, what all have alike is left out: the ip */
	bool unbuffered;                 /* --no-buffering: wake for each sample */
	uint32_t wakeup_bytes;           /* in a ring: wake; 0: when it is half full */
	bool use_clockid;
	int32_t clockid;
	uint32_t nr_events;              /* that sample; more than one and records have their ids */
};

/*
 * Complete event->attr for sampling; what the event's own terms say goes before
 * the options (-EINVAL with a message where a term makes no sense). `tracking` marks the one event whose ring
 * gets the side-band records; `leader` is NULL or the leader of the event's group
 * when that is another event.
 */
int attr_configure(struct event *event, const struct attr_options *options, bool tracking,
		   const struct event *leader, struct err *err);

/*
 * PERF_REG_ mask of all general registers on `machine` (uname -m), as unwinding
 * needs them; 0 where it is not known.
 */
uint64_t attr_user_regs(const char *machine);

/*
 * "ax,R8" into PERF_REG_ bits of `machine`; NULL means all that samples can hold. -EINVAL with
 * a message that names those there are, -ENOTSUP where they are not known. `option` is named.
 */
int attr_parse_regs(const char *text, const char *option, const char *machine, uint64_t *mask,
		    struct err *err);

/* Their names, with a space between. */
struct str;
void attr_list_regs(const char *machine, struct str *out);

/* Whether samples hold registers and a copy of the user stack. */
bool attr_has_stacks(const struct attr_options *options);

/* An event that samples nothing and only carries side-band records. */
void attr_make_dummy(struct event *out);

/* "fp", "dwarf", "dwarf,16384", "unwind", "auto", "lbr" into options. -EINVAL with a message. */
int attr_parse_callgraph(const char *text, struct attr_options *options, struct err *err);

/* "any,u" and so on (-j) into options->branch_type. -EINVAL with a message. */
int attr_parse_branches(const char *text, struct attr_options *options, struct err *err);

#endif
