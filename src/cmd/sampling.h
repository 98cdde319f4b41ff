/* SPDX-License-Identifier: MIT */
/*
 * sampling: the options that commands share which sample (record, top).
 */
#ifndef CMD_SAMPLING_H
#define CMD_SAMPLING_H

#include "base/opt.h"
#include "engine/event.h"
#include "engine/recorder.h"

struct sampling {
	struct recorder_options o;
	struct event_list events;
	uint64_t period;
	bool graph, no_inherit, any_branch, given_freq, given_period;
};

/* Each has a struct sampling for its value. */
opt_fn sampling_take_event, sampling_take_filter, sampling_take_freq, sampling_take_callgraph,
	sampling_take_branches, sampling_take_ring, sampling_take_realtime;

#define SAMPLING_WHAT_OPTIONS(s) \
	OPT_CALL('e', "event", s, "EVENT", "these events (see sonde list); cycles if none is given", \
		 sampling_take_event, 0), \
	OPT_CALL(0, "filter", s, "FILTER", "of the tracepoints before it, only those with such fields", \
		 sampling_take_filter, 0), \
	OPT_CALL('F', "freq", s, "N|max", "so many samples a second (4000)", sampling_take_freq, 0), \
	{ .kind = OPT_KIND_U64, .short_name = 'c', .long_name = "count", .value = &(s)->period, \
	  .arg_name = "N", .help = "a sample each N events", .given = &(s)->given_period }

#define SAMPLING_WHOM_OPTIONS(s) \
	OPT_STRING('p', "pid", &(s)->o.target.pids, "PID[,PID...]", "these processes, all threads"), \
	OPT_STRING('t', "tid", &(s)->o.target.tids, "TID[,TID...]", "these threads"), \
	OPT_STRING('u', "uid", &(s)->o.target.user, "USER", "all processes of a user"), \
	OPT_SWITCH('a', "all-cpus", &(s)->o.target.all_cpus, "the whole system"), \
	OPT_STRING('C', "cpu", &(s)->o.target.cpus, "LIST", "all that runs on these CPUs, such as 0,2-3"), \
	OPT_SWITCH('i', "no-inherit", &(s)->no_inherit, "not what the watched ones start")

#define SAMPLING_BRANCH_OPTIONS(s) \
	OPT_SWITCH('b', "branch-any", &(s)->any_branch, "the latest branches taken"), \
	OPT_CALL('j', "branch-filter", s, "FILTER[,FILTER...]", \
		 "the latest branches of a kind: any any_call any_ret ind_call call cond u k ...", \
		 sampling_take_branches, 0)

#define SAMPLING_RING_OPTIONS(s) \
	OPT_CALL('m', "mmap-pages", s, "PAGES|SIZE", "of each CPU's ring", sampling_take_ring, 0), \
	OPT_CALL('r', "realtime", s, "PRIO", "empty the rings at this SCHED_FIFO priority", \
		 sampling_take_realtime, 0)

#define SAMPLING_SELF_OPTION(s) \
	OPT_SWITCH(0, "with-self", &(s)->o.with_self, "where CPUs are watched: what sonde itself does, too")

/* What the options mean together, as far as they are about samples. */
int sampling_settle(struct sampling *sampling, struct err *err);
/* And whom to watch and by which event where none was named; o.command is set. */
int sampling_choose(struct sampling *sampling, struct err *err);

#endif
