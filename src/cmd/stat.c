/* SPDX-License-Identifier: MIT */
/*
 * sonde stat: count events of a command, of processes or of the whole machine.
 */
#include "cmd/stat.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/cmd.h"
#include "engine/launch.h"
#include "engine/output.h"
#include "engine/pmu.h"

static struct stat_options o = {
	.log_fd = -1,
	.runs = 1,
	.scale = true,
	.big_num = true,
	.inherit = true,
};

/* Options that exclude each other are told by which label they set. */
static const char *label_option;

static int no_unset(const struct opt *opt, struct err *err)
{
	return err_set(err, EINVAL, "there is no --no-%s", opt->long_name);
}

static int take_event(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	return unset ? no_unset(opt, err) : event_parse(&o.events, arg, NULL, err);
}

static int take_filter(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	return unset ? no_unset(opt, err) : event_filter(&o.events, arg, NULL, err);
}

static int take_label(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	static const struct {
		const char *option;
		enum stat_labels labels;
	} names[] = {
		{ "no-aggr", STAT_LABEL_CPU }, { "per-core", STAT_LABEL_CORE },
		{ "per-cluster", STAT_LABEL_CLUSTER }, { "per-cache", STAT_LABEL_CACHE },
		{ "per-die", STAT_LABEL_DIE },
		{ "per-socket", STAT_LABEL_SOCKET }, { "per-node", STAT_LABEL_NODE },
		{ "per-thread", STAT_LABEL_THREAD },
	};
	uint64_t level = 0;

	if (unset)
		return no_unset(opt, err);
	if (label_option && strcmp(label_option, opt->long_name) != 0)
		return err_set(err, EINVAL, "--%s and --%s exclude each other", label_option,
			       opt->long_name);
	if (arg && (str_u64(arg + (arg[0] == 'L' || arg[0] == 'l'), &level) < 0 || level < 1 ||
		    level > 4))
		return err_set(err, EINVAL, "--per-cache takes a level such as L2, not '%s'", arg);
	o.cache_level = (int)level;
	label_option = opt->long_name;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].option, opt->long_name) == 0)
			o.labels = names[i].labels;
	o.per_thread = o.labels == STAT_LABEL_THREAD;
	return 0;
}

static int take_no_inherit(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)opt, (void)arg, (void)err;
	o.inherit = unset;
	return 0;
}

static void use_metric(const struct stat_metric *metric, struct err *err, int *result)
{
	char *text = stat_metric_events(metric, !o.metric_no_group);
	struct stat_metric_use use = { metric, o.events.nr, 0 };

	/* Topdown's four share one group of events. */
	for (size_t i = 0; i < o.metrics.nr && !o.metric_no_merge; i++) {
		const struct stat_metric_use *other = &o.metrics.v[i];
		char *known = stat_metric_events(other->metric, !o.metric_no_group);

		if (strcmp(known, text) == 0) {
			use.first = other->first;
			use.end = other->end;
		}
		free(known);
	}
	if (!use.end) {
		*result = event_parse(&o.events, text, NULL, err);
		use.end = o.events.nr;
	}
	free(text);
	if (*result >= 0)
		*vec_push(&o.metrics) = use;
}

static int unknown_metric(const char *name, size_t len, struct err *err)
{
	const char *names[64], *near;
	const struct stat_metric *m;
	char *word = mem_strndup(name, len);
	uint32_t n = 0;

	for (; (m = stat_metric_at(n)) && n < 63; n++)
		names[n] = m->name;
	names[n] = NULL;
	near = str_nearest(word, names);
	if (near)
		err_set(err, EINVAL, "there is no metric '%s'; did you mean '%s'?", word, near);
	else
		err_set(err, EINVAL, "there is no metric '%s'; `sonde list metric` shows what there "
			"is", word);
	free(word);
	return -EINVAL;
}

/* Options that stand behind -M say how its events are counted, too. */
static int take_metrics(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	if (unset)
		return no_unset(opt, err);
	if (!*arg)
		return err_set(err, EINVAL, "-M takes names of metrics; `sonde list metric` shows them");
	str_addf(&o.metric_names, "%s%s", o.metric_names.len ? "," : "", arg);
	return 0;
}

/* name,group,...: a group's name stands for all its metrics. */
static int add_metrics(const char *arg, struct err *err)
{
	int r = 0;

	while (*arg && r >= 0) {
		size_t len = strcspn(arg, ",");
		const struct stat_metric *metric = stat_metric_find(arg, len);
		bool any = metric != NULL;

		if (metric)
			use_metric(metric, err, &r);
		for (uint32_t i = 0; !metric && r >= 0 && stat_metric_at(i); i++) {
			const struct stat_metric *m = stat_metric_at(i);

			if (strlen(m->group) != len || strncmp(m->group, arg, len) != 0)
				continue;
			use_metric(m, err, &r);
			any = true;
		}
		if (!any)
			return unknown_metric(arg, len, err);
		arg += len + (arg[len] == ',');
	}
	return r;
}

#define NO_BPF_COUNTERS "sonde counts with the kernel's perf events; sonde sched live and record --tap use BPF"
#define NAME_THE_PMU "name its PMU in the event, as in -e cpu_core/cycles/ (sonde list pmu)"

static const struct opt opts[] = {
	OPT_SECTION("What to count"),
	OPT_CALL('e', "event", NULL, "EVENT", "events, as sonde list shows them; , between several, "
		 "{} around groups", take_event, 0),
	OPT_CALL(0, "filter", NULL, "FILTER", "filter of the tracepoints of the -e before it",
		 take_filter, 0),
	OPT_CALL('M', "metrics", NULL, "NAME", "metrics or groups of them (sonde list metric)",
		 take_metrics, 0),
	OPT_SWITCH(0, "metric-no-group", &o.metric_no_group, "with -M: its events each on their own, not in "
		   "a group"),
	OPT_SWITCH(0, "metric-no-merge", &o.metric_no_merge, "with -M: each metric has events of its own"),
	OPT_SWITCH(0, "metric-no-threshold", &o.metric_no_threshold, "accepted: metrics are shown without "
		   "thresholds"),
	OPT_SWITCH(0, "topdown", &o.topdown, "where the CPU's slots go, level 1 of top-down analysis"),
	{ .kind = OPT_KIND_UINT, .long_name = "td-level", .value = &o.topdown_level, .arg_name = "N",
	  .help = "of --topdown: 1, or 0 for all there are, which is the same", .given = &o.topdown_level_given },
	OPT_SWITCH('g', "group", &o.group, "all events in one group: counted at the same times or not at all"),
	OPT_COUNT('d', "detailed", &o.detail, "more of the caches; twice and thrice for yet more"),
	OPT_SWITCH('n', "null", &o.null, "count nothing, only take the time"),
	OPT_SWITCH(0, "all-user", &o.all_user, "count in user space only"),
	OPT_SWITCH(0, "all-kernel", &o.all_kernel, "count in the kernel only"),
	OPT_SECTION("Whom to watch"),
	OPT_STRING('p', "pid", &o.target.pids, "PID", "processes, with all their threads"),
	OPT_STRING('t', "tid", &o.target.tids, "TID", "single threads"),
	OPT_SWITCH('a', "all-cpus", &o.target.all_cpus, "the whole machine"),
	OPT_STRING('C', "cpu", &o.target.cpus, "CPU", "these CPUs: 0,2-3"),
	OPT_CALL('i', "no-inherit", NULL, NULL, "not the children that are started from now on",
		 take_no_inherit, OPT_ARG_NONE),
	OPT_SWITCH(0, "inherit", &o.inherit, "their children too (this is the default)"),
	OPT_STRING('G', "cgroup", &o.cgroups, "NAME", "cgroups: one for all events, or one for each"),
	OPT_STRING(0, "for-each-cgroup", &o.each_cgroup, "NAME", "all events again for each of these"),
	OPT_SECTION("When, and how often"),
	OPT_STRING('D', "delay", &o.delay_text, "MS", "start counting so late; -1: when --control says"),
	OPT_UINT(0, "timeout", &o.timeout_ms, "MS", "end after so long (the command gets SIGTERM)"),
	OPT_UINT('I', "interval-print", &o.interval_ms, "MS", "print what came in each such interval"),
	OPT_UINT(0, "interval-count", &o.interval_count, "N", "so many intervals"),
	OPT_SWITCH(0, "interval-clear", &o.interval_clear, "clear the screen for each"),
	OPT_SWITCH(0, "summary", &o.summary, "the total after the intervals"),
	{ .kind = OPT_KIND_UINT, .short_name = 'r', .long_name = "repeat", .value = &o.runs,
	  .arg_name = "N", .help = "run the command N times, print the mean (0: for ever)",
	  .given = &o.runs_given },
	OPT_SWITCH(0, "table", &o.table, "with -r: the time of each run"),
	OPT_SWITCH('S', "sync", &o.sync, "write all files to their disks (sync) before each run"),
	OPT_STRING(0, "pre", &o.pre, "CMD", "run this before each run"),
	OPT_STRING(0, "post", &o.post, "CMD", "run this after each run"),
	OPT_STRING(0, "control", &o.control, "fd:N[,M]|fifo:F[,F]",
		   "take enable, disable, ping and stop from there"),
	OPT_SECTION("Comparing"),
	OPT_STRING(0, "compare", &o.compare, "CMD", "run this and --with's in turn, tell what differs"),
	OPT_STRING(0, "with", &o.with, "CMD", "the other command of --compare"),
	OPT_SECTION("How to add up"),
	OPT_CALL('A', "no-aggr", NULL, NULL, "a line for each CPU", take_label, OPT_ARG_NONE),
	OPT_CALL(0, "per-core", NULL, NULL, "a line for each core", take_label, OPT_ARG_NONE),
	OPT_CALL(0, "per-cluster", NULL, NULL, "a line for each cluster of cores", take_label,
		 OPT_ARG_NONE),
	OPT_CALL(0, "per-cache", NULL, "LEVEL", "a line for each cache; of the last level if none is "
		 "named", take_label, OPT_ARG_OPTIONAL),
	OPT_CALL(0, "per-die", NULL, NULL, "a line for each die", take_label, OPT_ARG_NONE),
	OPT_CALL(0, "per-socket", NULL, NULL, "a line for each socket", take_label, OPT_ARG_NONE),
	OPT_CALL(0, "per-node", NULL, NULL, "a line for each NUMA node", take_label, OPT_ARG_NONE),
	OPT_CALL(0, "per-thread", NULL, NULL, "a line for each thread", take_label, OPT_ARG_NONE),
	OPT_SWITCH(0, "no-merge", &o.no_merge, "a line for each PMU of the same kind"),
	OPT_SWITCH('c', "scale", &o.scale, "make up for time without a counter (the default)"),
	OPT_SECTION("What to print"),
	OPT_STRING('x', "field-separator", &o.separator, "SEP", "fields with SEP between them"),
	OPT_SWITCH(0, "no-csv-summary", &o.no_csv_summary, "with -x and --summary: the total without the "
		   "field 'summary'"),
	OPT_SWITCH('j', "json-output", &o.json, "a JSON object a line"),
	OPT_STRING('o', "output", &o.output, "FILE", "to FILE, not to standard error"),
	OPT_SWITCH(0, "append", &o.append, "with -o: behind what it holds"),
	{ .kind = OPT_KIND_UINT, .long_name = "log-fd", .value = &o.log_fd, .arg_name = "FD",
	  .help = "to this open file" },
	OPT_SWITCH('B', "big-num", &o.big_num, "commas in large numbers (the default)"),
	OPT_SWITCH(0, "metric-only", &o.metric_only, "only derived values and metrics"),
	OPT_COUNT('v', "verbose", &o.verbose, "the counters as they were read"),
	OPT_SWITCH('q', "quiet", &o.quiet, "print no counts"),
	OPT_REFUSE('T', "transaction", "name the events, where the PMU has them: -e "
		   "cpu/tx-start/,cpu/cycles-t/,cpu/cycles-ct/ (sonde list pmu)"),
	OPT_REFUSE(0, "smi-cost", "sonde does not switch freeze_on_smi; -e msr/smi/,msr/aperf/ counts the SMIs"),
	OPT_REFUSE(0, "iostat", "sonde knows no layout of root ports; name the events of the uncore "
		   "PMUs (sonde list pmu)"),
	OPT_REFUSE(0, "cputype", NAME_THE_PMU),
	OPT_REFUSE(0, "hybrid-merge", "an event of two kinds of cores is two lines, as they do not count alike"),
	OPT_REFUSE(0, "percore-show-thread", "the counts of a core's threads are not added up twice; --per-core "
		   "adds them up, -A shows them"),
	OPT_REFUSE('b', "bpf-prog", NO_BPF_COUNTERS),
	OPT_REFUSE(0, "bpf-counters", NO_BPF_COUNTERS),
	OPT_REFUSE(0, "bpf-attr-map", NO_BPF_COUNTERS),
	OPT_END,
};

static int run(int argc, char **argv);

const struct command cmd_stat = {
	.name = "stat",
	.summary = "count events of a command, a process or the whole machine",
	.usage = "[options] [--] [CMD [ARG...]]",
	.run = run,
};

static bool has_alias(const char *name)
{
	struct pmu *core = pmu_set_core(pmu_set_here(), 0);

	return core && pmu_alias_find(core, name, strlen(name));
}

/* perf's choice: perf-stat(1). */
static int default_events(struct err *err)
{
	struct str text = STR_INIT;
	int r;

	str_add(&text, target_is_cpus(&o.target) ? "cpu-clock" : "task-clock");
	str_add(&text, ",context-switches,cpu-migrations,page-faults,cycles");
	if (has_alias("stalled-cycles-frontend"))
		str_add(&text, ",stalled-cycles-frontend");
	if (has_alias("stalled-cycles-backend"))
		str_add(&text, ",stalled-cycles-backend");
	str_add(&text, ",instructions,branches,branch-misses");
	r = event_parse(&o.events, text.p, NULL, err);
	str_release(&text);
	return r;
}

static int add_events(struct err *err)
{
	static const char *const details[] = {
		"L1-dcache-loads,L1-dcache-load-misses,LLC-loads,LLC-load-misses",
		("L1-icache-loads,L1-icache-load-misses,dTLB-loads,dTLB-load-misses,iTLB-loads,"
		 "iTLB-load-misses"),
		"L1-dcache-prefetches,L1-dcache-prefetch-misses",
	};
	int r = 0;

	if (o.null) {
		if (o.events.nr || o.topdown || o.metric_names.len)
			return err_set(err, EINVAL, "-n counts nothing, so it cannot go with -e, -M "
				       "or --topdown");
		return 0;
	}
	if (o.topdown) {
		if (!has_alias("topdown-retiring"))
			return err_set(err, EOPNOTSUPP, "--topdown: this CPU's PMU exports no topdown "
				       "events; -M stall comes nearest (sonde list metric)");
		r = add_metrics("topdown", err);
	}
	if (r == 0 && o.metric_names.len)
		r = add_metrics(o.metric_names.p, err);
	if (r == 0 && !o.events.nr)
		r = default_events(err);
	for (int i = 0; i < o.detail && i < 3 && r == 0; i++)
		r = event_parse(&o.events, details[i], NULL, err);
	for (uint32_t i = 0; i < o.events.nr; i++) {
		if (!o.all_user && !o.all_kernel)
			break;
		o.events.v[i].attr.exclude_kernel = o.all_user;
		o.events.v[i].attr.exclude_hv = true;
		o.events.v[i].attr.exclude_user = o.all_kernel;
		o.events.v[i].modifiers_given = true;
	}
	for (uint32_t i = 0; i < o.events.nr && o.group; i++)
		o.events.v[i].leader = 0;
	return r;
}

static int check_target(struct err *err)
{
	struct target *t = &o.target;
	bool cpus = t->all_cpus || t->cpus, tasks = t->pids || t->tids;

	if ((o.cgroups || o.each_cgroup) && !cpus && !tasks)
		t->all_cpus = cpus = true;
	if (tasks && cpus)
		return err_set(err, EINVAL, "-p and -t follow tasks, -a and -C whole CPUs; give one "
			       "kind");
	if ((o.cgroups && !o.cgroups[strspn(o.cgroups, ",")]) ||
	    (o.each_cgroup && !o.each_cgroup[strspn(o.each_cgroup, ",")]))
		return err_set(err, EINVAL, "%s '%s' names no cgroup", o.cgroups ? "-G" : "--for-each-cgroup",
			       o.cgroups ? o.cgroups : o.each_cgroup);
	if (o.cgroups && o.each_cgroup)
		return err_set(err, EINVAL, "-G and --for-each-cgroup exclude each other");
	if ((o.cgroups || o.each_cgroup) && tasks)
		return err_set(err, EINVAL, "cgroups are counted on whole CPUs, not with -p or -t");
	if (!o.argv && !cpus && !tasks)
		return err_set(err, EINVAL, "nothing to count: give a command, -p PID, or -a");
	if (o.labels && !o.per_thread && !cpus)
		return err_set(err, EINVAL, "--%s adds up by CPU, so it needs -a or -C", label_option);
	if (o.per_thread && !tasks && !t->all_cpus)
		return err_set(err, EINVAL, "--per-thread needs -p, -t or -a");
	if (o.per_thread && (o.cgroups || o.each_cgroup))
		return err_set(err, EINVAL, "--per-thread cannot go with cgroups");
	return 0;
}

static int check_options(struct err *err)
{
	if (o.all_user && o.all_kernel)
		return err_set(err, EINVAL, "--all-user and --all-kernel exclude each other");
	if (o.output && o.log_fd >= 0)
		return err_set(err, EINVAL, "-o and --log-fd exclude each other");
	if (o.append && !o.output)
		return err_set(err, EINVAL, "--append needs -o");
	if (o.separator && o.json)
		return err_set(err, EINVAL, "-x and -j exclude each other");
	if (o.separator && !*o.separator)
		return err_set(err, EINVAL, "-x takes what stands between the fields, which cannot be nothing");
	if (o.separator && strcmp(o.separator, "\\t") == 0)
		o.separator = "\t";
	if (o.runs_given && !o.argv && !o.compare)
		return err_set(err, EINVAL, "-r repeats a command, and there is none");
	if (o.interval_ms && o.runs != 1 && o.runs_given)
		return err_set(err, EINVAL, "-I and -r exclude each other");
	if (o.interval_count && !o.interval_ms)
		return err_set(err, EINVAL, "--interval-count needs -I");
	if (o.summary && !o.interval_ms)
		return err_set(err, EINVAL, "--summary needs -I; without it the total is all there is");
	if (o.no_csv_summary && !(o.summary && o.separator))
		return err_set(err, EINVAL, "--no-csv-summary is about --summary with -x");
	if ((o.metric_no_group || o.metric_no_merge || o.metric_no_threshold) && !o.metric_names.len &&
	    !o.topdown)
		return err_set(err, EINVAL, "--metric-no-%s is about -M, which was not given",
			       o.metric_no_group ? "group" : o.metric_no_merge ? "merge" : "threshold");
	if (o.topdown_level_given && !o.topdown)
		return err_set(err, EINVAL, "--td-level is about --topdown, which was not given");
	if (o.topdown_level_given && o.topdown_level > 1)
		return err_set(err, EOPNOTSUPP, "--td-level %u: of top-down analysis there is level 1",
			       o.topdown_level);
	if (o.group && o.null)
		return err_set(err, EINVAL, "-n counts nothing, so there is nothing to group");
	if (o.table && o.runs == 1)
		return err_set(err, EINVAL, "--table needs -r");
	if (!o.compare != !o.with)
		return err_set(err, EINVAL, "--compare 'CMD A' and --with 'CMD B' go together");
	return 0;
}

static int take_delay(struct err *err)
{
	uint64_t ms;

	if (!o.delay_text)
		return 0;
	if (strcmp(o.delay_text, "-1") == 0)
		o.delay_ms = -1;
	else if (str_u64(o.delay_text, &ms) == 0 && ms <= INT32_MAX)
		o.delay_ms = (int64_t)ms;
	else
		return err_set(err, EINVAL, "-D takes milliseconds or -1, not '%s'", o.delay_text);
	if (o.delay_ms < 0 && !o.control)
		return err_set(err, EINVAL, "-D -1 waits for --control, and there is none");
	return 0;
}

static int open_control(struct stat_session *s, struct err *err)
{
	const char *text = o.control;
	char *copy, *comma;
	int r = 0;

	s->control_fd = s->ack_fd = -1;
	if (!text)
		return 0;
	copy = mem_strdup(text);
	comma = strchr(copy, ',');
	if (comma)
		*comma++ = '\0';
	if (str_starts(copy, "fd:")) {
		uint64_t in, ack = 0;

		if (str_u64(copy + 3, &in) < 0 || (comma && str_u64(comma, &ack) < 0) ||
		    fcntl((int)in, F_GETFD) < 0 || (comma && fcntl((int)ack, F_GETFD) < 0))
			r = err_set(err, EBADF, "--control '%s': these are not open files", text);
		s->control_fd = r ? -1 : (int)in;
		s->ack_fd = r || !comma ? -1 : (int)ack;
	} else if (str_starts(copy, "fifo:")) {
		s->control_fd = open(copy + 5, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (s->control_fd >= 0 && comma)
			s->ack_fd = open(comma, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (s->control_fd < 0 || (comma && s->ack_fd < 0))
			r = err_set(err, errno, "--control '%s': %s", text, strerror(errno));
	} else {
		r = err_set(err, EINVAL, "--control takes fd:N[,M] or fifo:FILE[,FILE], not '%s'", text);
	}
	free(copy);
	return r;
}

static int open_output(struct stat_session *s, struct err *err)
{
	int fd = o.log_fd >= 0 ? o.log_fd : STDERR_FILENO;
	time_t now = time(NULL);
	char text[64];
	bool made;

	if (!o.output) {
		/* A stream of its own, so that a table is one write and not twenty. */
		s->out = fdopen(fd, "w");
		if (!s->out)
			return err_set(err, errno, "cannot write to file descriptor %d: %s", fd,
				       strerror(errno));
		return 0;
	}
	made = access(o.output, F_OK) < 0;
	s->out = fopen(o.output, o.append ? "ae" : "we");
	if (!s->out)
		return err_set(err, errno, "cannot write '%s': %s", o.output, strerror(errno));
	if (made)
		output_give_to_caller(fileno(s->out));
	if (!o.json)
		fprintf(s->out, "# started on %s\n", ctime_r(&now, text));
	return 0;
}

static void print_final(struct stat_session *s)
{
	double mean, deviation;

	stat_mean(s->seconds.v, (uint32_t)s->seconds.nr, &mean, &deviation);
	/* Sums over the runs; stat_rows makes means of them. */
	stat_output_final(s, s->total, mean * 1e9);
}

static void forget_history(struct stat_session *s)
{
	s->history.nr = s->seconds.nr = s->user_seconds.nr = s->system_seconds.nr = 0;
	free(s->total);
	s->total = NULL;
}

static int run_all(struct stat_session *s, struct err *err)
{
	bool forever = o.runs_given && o.runs == STAT_FOREVER;
	int r;

	for (unsigned i = 0; (forever || i < o.runs) && !s->interrupted; i++) {
		r = stat_run_once(s, err);
		if (r < 0)
			return r;
		if (o.verbose)
			stat_output_verbose(s);
		if (forever) {
			print_final(s);
			forget_history(s);
		}
	}
	if (!forever && (!o.interval_ms || o.summary))
		print_final(s);
	return 0;
}

static void session_release(struct stat_session *s)
{
	stat_plan_release(s);
	vec_release(&s->cpus);
	vec_release(&s->all_cpus);
	vec_release(&s->threads);
	vec_release(&s->tids);
	cgroup_set_release(&s->cgroups);
	vec_release(&s->history);
	vec_release(&s->seconds);
	vec_release(&s->user_seconds);
	vec_release(&s->system_seconds);
	free(s->total);
	counting_close_later(&s->counting);
	counting_release(&s->counting);
	event_list_release(&o.events);
	str_release(&o.metric_names);
	vec_release(&o.metrics);
}

static int settle(int nr_words, char **words, struct err *err)
{
	int r;

	o.argv = nr_words ? words : NULL;
	r = check_options(err);
	if (!r && !o.compare)
		r = check_target(err);
	if (!r)
		r = take_delay(err);
	if (!r)
		r = add_events(err);
	return r;
}

static int fail(const struct err *err, int status)
{
	cmd_error("stat", err);
	return status;
}

/* perf stat's own words, where they are not programs of the user's. */
static void explain_word(const struct stat_session *s, struct err *err)
{
	const char *word = o.argv ? o.argv[0] : "";

	if (s->exec_status == 127 && (strcmp(word, "record") == 0 || strcmp(word, "report") == 0))
		err_set(err, ENOENT, "there is no sonde stat %s: counts are not kept in recordings; -o FILE "
			"keeps the table, -j and -x are for programs", word);
}

static int run(int argc, char **argv)
{
	struct stat_session s = { .o = &o, .control_fd = -1, .ack_fd = -1 };
	struct err err = ERR_INIT;
	int nr_words, status = cmd_options(&cmd_stat, opts, 0, argc, argv, &nr_words);

	if (status >= 0)
		return status;
	cmd_quiet(o.quiet);
	if (o.verbose)
		log_set_level(o.verbose > 1 ? LOG_DEBUG : LOG_INFO);
	if (settle(nr_words, argv, &err) < 0)
		return fail(&err, err.code == EINVAL ? EXIT_USAGE : 1);
	if (open_control(&s, &err) < 0 || open_output(&s, &err) < 0)
		return fail(&err, 1);
	if (o.compare) {
		status = stat_compare_run(&s, &err) < 0 ? fail(&err, s.exec_status ? s.exec_status : 1)
							: 0;
	} else if (stat_setup(&s, &err) < 0 || run_all(&s, &err) < 0) {
		explain_word(&s, &err);
		status = fail(&err, s.exec_status ? s.exec_status : 1);
	} else {
		status = stat_finished_status(&s);
	}
	if (fflush(s.out) != 0 || ferror(s.out)) {
		err_set(&err, errno, "cannot write the counts: %s", strerror(errno));
		status = fail(&err, status ? status : 1);
	}
	session_release(&s);
	return status;
}
