/* SPDX-License-Identifier: MIT */
/* sonde sched record: sonde record with the events of the scheduler, so that none is lost. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpus.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "cmd/sched.h"
#include "engine/tracefs.h"

/*
 * Events without which there is no model come first; of the others, those that the kernel
 * has. sched_stat_wait and its like are there with CONFIG_SCHEDSTATS and happen only with
 * kernel.sched_schedstats=1.
 */
static const struct { const char *event; bool needed; } events[] = {
	{ "sched_switch", true },
	{ "sched_waking", false },
	{ "sched_wakeup", true },
	{ "sched_wakeup_new", false },
	{ "sched_migrate_task", false },
	{ "sched_process_fork", false },
	{ "sched_process_exec", false },
	{ "sched_process_exit", false },
	{ "sched_stat_runtime", false },
	{ "sched_stat_wait", false },
	{ "sched_stat_sleep", false },
	{ "sched_stat_iowait", false },
	{ "sched_stat_blocked", false },
};

struct record_command {
	const char *output, *ring, *clock, *callgraph, *max_size, *cpus, *pids, *level, *realtime;
	bool graph, all_cpus, no_build_ids, compress, quiet, no_realtime, no_bpf;
	unsigned delay_ms;
	int verbose;
};

struct line { VEC(char *) words; };

static void add(struct line *line, const char *word)
{
	*vec_push(&line->words) = mem_strdup(word);
}

static void add_option(struct line *line, const char *name, const char *value)
{
	if (!value)
		return;
	add(line, name);
	add(line, value);
}

static void add_events(struct line *line, const char *tracefs)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct str s = STR_INIT;

		str_addf(&s, "%s/events/sched/%s/id", tracefs, events[i].event);
		if (events[i].needed || access(s.p, F_OK) == 0) {
			str_clear(&s);
			str_addf(&s, "sched:%s", events[i].event);
			add_option(line, "-e", s.p);
		}
		str_release(&s);
	}
}

/*
 * Rings for a tenth of a second at 1.5 million events a second and CPU. All told, with those
 * of BPF, no more than 256 MB.
 */
static void add_ring(struct line *line, const char *asked)
{
	unsigned mb = 16, cpus = cpus_online();
	char text[16];

	for (; mb > 2 && 2 * (uint64_t)mb * cpus > 256; mb /= 2)
		;
	if (!asked && geteuid() != 0)
		return;
	snprintf(text, sizeof(text), "%uM", mb);
	add_option(line, "-m", asked ? asked : text);
}

static void add_options(struct line *line, const struct record_command *c)
{
	char delay[16];

	add_option(line, "-o", c->output);
	/* what programs of the kernel can read (engine/tap.h) */
	add_option(line, "-k", c->clock ? c->clock : "monotonic");
	if (!c->no_bpf)
		add(line, "--tap");
	add_option(line, "--call-graph", c->callgraph ? c->callgraph : c->graph ? "fp" : NULL);
	add_option(line, "--max-size", c->max_size);
	add_option(line, "-p", c->pids);
	add_option(line, "-C", c->cpus);
	snprintf(delay, sizeof(delay), "%u", c->delay_ms);
	add_option(line, "-D", c->delay_ms ? delay : NULL);
	if (c->compress) {
		struct str level = STR_INIT;

		str_addf(&level, "-z%s", c->level ? c->level : "");
		add(line, level.p);
		str_release(&level);
	}
	if (c->no_build_ids)
		add(line, "-B");
	if (c->quiet)
		add(line, "-q");
	for (int i = 0; i < c->verbose; i++)
		add(line, "-v");
}

static int take_level(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct record_command *c = opt->value;

	(void)err;
	c->compress = !unset;
	c->level = arg;
	return 0;
}

/* Whether we may empty rings at realtime priority: not in every container may root. */
static bool may_be_realtime(void)
{
	struct sched_param param = { .sched_priority = 1 }, usual = { 0 };

	if (geteuid() != 0 || sched_setscheduler(0, SCHED_FIFO, &param) < 0) {
		log_info("rings are emptied at the ordinary priority, which loses events on a busy machine: "
			 "realtime priority takes root and CAP_SYS_NICE");
		return false;
	}
	sched_setscheduler(0, SCHED_OTHER, &usual);
	return true;
}

static int record(const struct record_command *c, int nr_words, char **words)
{
	struct err err = ERR_INIT;
	const char *tracefs = tracefs_dir(NULL, &err);
	struct line line = { 0 };
	char **argv;
	int status;

	if (!tracefs) {
		cmd_error("sched record", &err);
		return 1;
	}
	add(&line, "record");
	if (!c->cpus && !c->pids)
		add(&line, "-a");
	add_events(&line, tracefs);
	add_ring(&line, c->ring);
	add_options(&line, c);
	if (!c->no_realtime)
		add_option(&line, "--realtime", c->realtime ? c->realtime : may_be_realtime() ? "1" : NULL);
	add(&line, "--lean");
	if (nr_words)
		add(&line, "--");
	/* record moves the words around: what is freed afterwards is another list of the same */
	argv = mem_realloc_array(NULL, line.words.nr + (size_t)nr_words + 1, sizeof(*argv));
	memcpy(argv, line.words.v, line.words.nr * sizeof(*argv));
	memcpy(argv + line.words.nr, words, (size_t)nr_words * sizeof(*argv));
	argv[line.words.nr + (size_t)nr_words] = NULL;
	status = cmd_record.run((int)line.words.nr + nr_words, argv);
	free(argv);
	for (size_t i = 0; i < line.words.nr; i++)
		free(line.words.v[i]);
	vec_release(&line.words);
	return status;
}

static int run(int argc, char **argv)
{
	struct record_command c = { 0 };
	const struct opt opts[] = {
		OPT_SECTION("Whom to watch (all CPUs, until the command ends or until Ctrl-C)"),
		OPT_SWITCH('a', "all-cpus", &c.all_cpus, "the whole system (always, without -C and -p)"),
		OPT_STRING('C', "cpu", &c.cpus, "LIST", "these CPUs alone: what wakes tasks from others is missed"),
		OPT_STRING('p', "pid", &c.pids, "PID[,PID...]", "these processes alone: likewise"),
		OPT_UINT('D', "delay", &c.delay_ms, "MS", "begin after so many milliseconds"),
		OPT_SECTION("What each event holds"),
		OPT_SWITCH('g', NULL, &c.graph, "call chains: where tasks went to sleep, and who woke them"),
		OPT_STRING(0, "call-graph", &c.callgraph, "MODE", "call chains: fp, dwarf[,STACK-BYTES], unwind[,STACK-BYTES], auto or lbr"),
		OPT_STRING('k', "clockid", &c.clock, "CLOCK", "times by another clock than monotonic"),
		OPT_SECTION("Where to"),
		OPT_STRING('o', "output", &c.output, "FILE", "write to FILE (perf.data); - is a pipe"),
		OPT_STRING('m', "mmap-pages", &c.ring, "PAGES|SIZE", "of each CPU's ring (16M)"),
		OPT_STRING('r', "realtime", &c.realtime, "PRIO", "empty the rings at this SCHED_FIFO priority (1, "
			   "for root)"),
		OPT_SWITCH(0, "no-bpf", &c.no_bpf, "all events through perf_event_open, which costs the watched "
			   "more"),
		OPT_SWITCH(0, "no-realtime", &c.no_realtime, "empty the rings at the ordinary priority"),
		OPT_CALL('z', "compression-level", &c, "LEVEL", "compress, at a level from 1 to 22 (1)",
			 take_level, OPT_ARG_OPTIONAL),
		OPT_STRING(0, "max-size", &c.max_size, "SIZE", "stop when the file is that large"),
		OPT_SWITCH('B', "no-buildid", &c.no_build_ids, "no build-ids"),
		OPT_SWITCH('q', "quiet", &c.quiet, "say nothing but errors"),
		OPT_COUNT('v', "verbose", &c.verbose, "say more; -vv shows the perf_event_attr"),
		OPT_REFUSE('e', "event", "the events are the scheduler's; sonde record -a -e 'sched:*' -e EVENT has "
			   "others beside them, and sonde sched reads that"),
		OPT_REFUSE(0, "filter", "who waits is told from every switch and wake-up; choose when reading, as "
			   "with timehist --comm"),
		OPT_REFUSE('F', "freq", "every switch and wake-up is recorded, and none is sampled"),
		OPT_REFUSE('c', "count", "every switch and wake-up is recorded, and none is sampled"),
		OPT_REFUSE('t', "tid", "-p takes processes, and timehist --tid shows threads of a recording"),
		OPT_REFUSE('u', "uid", "-p takes processes; sonde record -u USER -e 'sched:*' has those of a user"),
		OPT_REFUSE('G', "cgroup", "-p takes processes, and timehist shows some of a recording"),
		OPT_REFUSE('i', "no-inherit", "-p takes processes with their children"),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status;

	c.quiet = sched_common.quiet;
	c.verbose = sched_common.verbose;
	status = cmd_options(&cmd_sched_record, opts, 0, argc, argv, &words);
	if (status >= 0)
		return status;
	if (c.realtime && c.no_realtime) {
		err_set(&err, EINVAL, "-r and --no-realtime exclude each other; give one of them");
		cmd_error("sched record", &err);
		return EXIT_USAGE;
	}
	if (sched_common.input && !c.output)
		c.output = sched_common.input;
	return record(&c, words, argv);
}

const struct command cmd_sched_record = {
	.name = "sched record",
	.summary = "record the scheduler's events into a perf.data file",
	.usage = "[options] [--] [CMD [ARG...]]",
	.run = run,
};
