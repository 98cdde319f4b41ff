/* SPDX-License-Identifier: MIT */
/*
 * sonde record: sample programs into a perf.data file.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "engine/event.h"
#include "engine/frames.h"
#include "engine/recorder.h"

#define DEFAULT_FREQ 4000
#define EXIT_LOST 3                      /* --strict */
#define MAX_RATE "/proc/sys/kernel/perf_event_max_sample_rate"

static struct {
	struct recorder_options o;
	struct event_list events;
	bool graph, no_inherit, timestamps, any_branch, quiet, given_freq;
	bool all_build_ids, strict_freq, time_range, strict;
	struct control control;
	bool has_control;
	uint64_t period;
	bool given_period;
	int verbose;
	const char *caller;              /* the command that records in between, or NULL */
} rec;

static int64_t max_rate(void)
{
	return read_number(MAX_RATE, 0);
}

static int take_event(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)opt;
	if (unset)
		return err_set(err, EINVAL, "there is no --no-event");
	return event_parse(&rec.events, arg, NULL, err);
}

static int take_filter(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)opt;
	if (unset)
		return err_set(err, EINVAL, "there is no --no-filter");
	if (!rec.events.nr)
		return err_set(err, EINVAL, "--filter '%s' stands before any -e; it belongs behind the "
			       "tracepoint that it filters", arg);
	return event_filter(&rec.events, arg, NULL, err);
}

static int take_freq(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	int64_t most = max_rate();
	uint64_t freq;

	(void)opt;
	if (unset)
		return err_set(err, EINVAL, "there is no --no-freq");
	if (strcmp(arg, "max") == 0) {
		if (most <= 0)
			return err_set(err, EINVAL, "-F max: cannot read " MAX_RATE);
		freq = (uint64_t)most;
	} else if (str_u64(arg, &freq) < 0 || !freq) {
		return err_set(err, EINVAL, "-F takes samples per second, such as 99, or max, not '%s'",
			       arg);
	}
	if (most > 0 && freq > (uint64_t)most)
		return err_set(err, EINVAL, "-F %" PRIu64 " is above this machine's limit of %" PRId64
			       " samples per second (sysctl kernel.perf_event_max_sample_rate); "
			       "try -F max", freq, most);
	rec.o.attr.freq = freq;
	rec.given_freq = true;
	return 0;
}

static int take_callgraph(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)opt;
	if (unset) {
		rec.o.attr.callgraph = CALLGRAPH_NONE;
		return 0;
	}
	return attr_parse_callgraph(arg, &rec.o.attr, err);
}

static int take_branches(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)opt;
	if (unset)
		return err_set(err, EINVAL, "there is no --no-branch-filter");
	return attr_parse_branches(arg, &rec.o.attr, err);
}

/* -m: pages, or a size with a unit; the kernel takes powers of two. */
static int take_ring(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE), n, bytes;
	bool is_size;

	(void)opt;
	if (unset || strchr(arg, ','))
		return err_set(err, EINVAL, "-m takes one size: AUX areas (the part behind a comma) are "
			       "not recorded");
	if (str_size(arg, &n, &is_size) < 0 || !n || n > 1ull << 32)
		return err_set(err, EINVAL, "-m takes a number of pages or a size such as 4M, not '%s'",
			       arg);
	n = is_size ? n : n * page_size;
	for (bytes = page_size; bytes < n; bytes *= 2)
		;
	if (bytes != n)
		log_note("rings have to be a power of two: -m %s is taken as %" PRIu64 " KB", arg,
			 bytes >> 10);
	rec.o.ring_bytes = bytes;
	return 0;
}

static int take_level(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	uint64_t level = 1;

	(void)opt;
	if (unset)
		level = 0;
	else if (arg && (str_u64(arg, &level) < 0 || level < 1 || level > 22))
		return err_set(err, EINVAL, "-z takes a level from 1 to 22, not '%s'", arg);
	rec.o.compress_level = (int)level;
	return 0;
}

static int take_realtime(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	uint64_t priority = 0;

	(void)opt;
	if (!unset && (str_u64(arg, &priority) < 0 || priority < 1 || priority > 99))
		return err_set(err, EINVAL, "-r takes a priority from 1 to 99, not '%s'", arg);
	rec.o.realtime = (int)priority;
	return 0;
}

static int take_max_size(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)opt;
	if (unset || str_size(arg, &rec.o.max_bytes, NULL) < 0 || !rec.o.max_bytes)
		return err_set(err, EINVAL, "--max-size takes a size such as 100M, not '%s'",
			       arg ? arg : "");
	return 0;
}

static int take_clock(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	static const struct {
		const char *name;
		int32_t id;
	} clocks[] = {
		{ "monotonic", CLOCK_MONOTONIC }, { "mono", CLOCK_MONOTONIC },
		{ "monotonic_raw", CLOCK_MONOTONIC_RAW }, { "raw", CLOCK_MONOTONIC_RAW },
		{ "realtime", CLOCK_REALTIME }, { "real", CLOCK_REALTIME },
		{ "boottime", CLOCK_BOOTTIME }, { "boot", CLOCK_BOOTTIME },
		{ "tai", CLOCK_TAI },
	};
	const char *name = arg;
	uint64_t n;

	(void)opt;
	if (unset) {
		rec.o.attr.use_clockid = false;
		return 0;
	}
	rec.o.attr.use_clockid = true;
	if (str_u64(arg, &n) == 0 && n <= INT32_MAX) {
		rec.o.attr.clockid = (int32_t)n;
		return 0;
	}
	if (strncasecmp(name, "CLOCK_", 6) == 0)
		name += 6;
	for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		if (strcasecmp(name, clocks[i].name) != 0)
			continue;
		rec.o.attr.clockid = clocks[i].id;
		return 0;
	}
	return err_set(err, EINVAL, "-k takes monotonic, monotonic_raw, realtime, boottime or tai, "
		       "not '%s'", arg);
}

static int take_delay(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)opt;
	return duty_parse(&rec.o.duty, unset ? "0" : arg, err);
}

static int take_control(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	int ret;

	(void)opt;
	if (rec.has_control)
		control_close(&rec.control);
	rec.has_control = false;
	rec.o.control = NULL;
	if (unset)
		return 0;
	ret = control_open(&rec.control, arg, err);
	rec.has_control = ret == 0;
	rec.o.control = ret == 0 ? &rec.control : NULL;
	return ret;
}

/* A number and one of the letters: its place among them, or -EINVAL. */
static int take_unit(const char *text, const char *letters, uint64_t *n)
{
	char number[24];
	size_t len = strspn(text, "0123456789");
	const char *unit = text[len] ? strchr(letters, text[len]) : NULL;

	if (!unit || text[len + 1] || len >= sizeof(number))
		return -EINVAL;
	snprintf(number, sizeof(number), "%.*s", (int)len, text);
	return str_u64(number, n) < 0 || !*n || *n > UINT32_MAX ? -EINVAL : (int)(unit - letters);
}

/* --switch-output: perf's letters, in which 1M is a size and 1m is a minute. */
static int take_switch(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	static const uint64_t ms[] = { 1000, 60000, 3600000, 86400000 };
	uint64_t n;
	int unit;

	(void)opt;
	memset(&rec.o.next_file, 0, offsetof(struct recorder_next_file, files));
	if (unset)
		return 0;
	rec.o.next_file.on = !arg || strcmp(arg, "signal") == 0;
	if (rec.o.next_file.on)
		return 0;
	unit = take_unit(arg, "BKMG", &n);
	if (unit >= 0) {
		rec.o.next_file.bytes = n << (10 * unit);
		return 0;
	}
	unit = take_unit(arg, "smhd", &n);
	if (unit >= 0) {
		rec.o.next_file.ms = n * ms[unit];
		return 0;
	}
	return err_set(err, EINVAL, "--switch-output takes signal, a size such as 100M (B, K, M, G) or a "
		       "time such as 30s (s, m, h, d), not '%s'", arg);
}

/* What goes together where files follow one another or the latest is kept. */
static int settle_files(struct recorder_options *o, struct err *err)
{
	bool many = o->next_file.on || o->next_file.bytes || o->next_file.ms;

	if (many && strcmp(o->output, "-") == 0)
		return err_set(err, EINVAL, "--switch-output needs files; standard output is one stream "
			       "(-o names a file)");
	if (o->next_file.files && !many)
		return err_set(err, EINVAL, "--switch-max-files says how many files of --switch-output "
			       "are kept, which is not given");
	if (o->overwrite && o->attr.unbuffered)
		return err_set(err, EINVAL, "--overwrite keeps samples in the rings, --no-buffering writes "
			       "each at once; give one of them");
	if (o->overwrite && o->attr.per_thread_counts)
		return err_set(err, EINVAL, "--overwrite keeps the latest only, -s counts to the end; give "
			       "one of them");
	o->stamp_name |= many;
	return 0;
}

/* What the options mean together. */
static int settle(int nr_words, char **words, struct err *err)
{
	struct recorder_options *o = &rec.o;
	int64_t most = max_rate();
	struct stat st;

	if (rec.given_freq && rec.given_period)
		return err_set(err, EINVAL, "-F and -c exclude each other; give one of them");
	if (rec.given_period && !rec.period)
		return err_set(err, EINVAL, "-c 0 would never sample; give 1 or more");
	o->attr.period = rec.given_period ? rec.period : 0;
	if (!rec.timestamps)
		return err_set(err, EINVAL, "--no-timestamp cannot be had: samples are put in order by "
			       "their time");
	o->attr.default_freq = DEFAULT_FREQ;
	if (most > 0 && most < DEFAULT_FREQ) {
		o->attr.default_freq = (uint64_t)most;
		if (!rec.given_freq && !rec.given_period)
			log_note("sampling at %" PRId64 " Hz, this machine's limit "
				 "(kernel.perf_event_max_sample_rate)", most);
	}
	if (rec.graph && o->attr.callgraph == CALLGRAPH_NONE)
		o->attr.callgraph = CALLGRAPH_FP;
	if (o->attr.all_user && o->attr.all_kernel)
		return err_set(err, EINVAL, "--all-user and --all-kernel exclude each other");
	if (o->attr.kernel_chains && o->attr.user_chains)
		o->attr.kernel_chains = o->attr.user_chains = false;
	if (rec.any_branch && !o->attr.branch_type)
		o->attr.branch_type = PERF_SAMPLE_BRANCH_ANY;
	o->attr.inherit = !rec.no_inherit;
	o->attr.build_ids = !o->no_build_ids;
	if (!o->output)
		o->output = fstat(STDOUT_FILENO, &st) == 0 && S_ISFIFO(st.st_mode) ? "-" : "perf.data";
	if (settle_files(o, err) < 0)
		return -EINVAL;
	o->command = nr_words ? words : NULL;
	target_settle(&o->target);
	/* Nothing named: everything, until Ctrl-C. */
	if (!o->command && target_is_none(&o->target))
		o->target.all_cpus = true;
	if (o->attr.callgraph == CALLGRAPH_AUTO)
		o->attr.callgraph = frames_choose(&o->target, o->command);
	o->default_event = !rec.events.nr;
	if (o->default_event)
		return event_parse(&rec.events, "cycles:P", NULL, err);
	return 0;
}

static uint64_t nr_lost(const struct recorder_result *result)
{
	return result->lost_records > result->lost_samples ? result->lost_records : result->lost_samples;
}

/* CPUs that are named one by one. */
#define CPUS_MOST 16

/* "cycles: 12 on CPU 0, 3 on CPU 1" of the losses from `at` on that are of one event. */
static size_t say_event_losses(const struct recorder_result *result, size_t at)
{
	const char *event = result->losses[at].event;
	struct str line = STR_INIT;
	uint64_t others = 0;
	size_t i;

	str_add_safe(&line, event);
	for (i = at; i < result->nr_losses && strcmp(result->losses[i].event, event) == 0; i++) {
		if (i - at < CPUS_MOST)
			str_addf(&line, "%s %" PRIu64 " on CPU %d", i == at ? ":" : ",",
				 result->losses[i].lost, result->losses[i].cpu);
		else
			others += result->losses[i].lost;
	}
	if (others)
		str_addf(&line, ", %" PRIu64 " on others", others);
	fprintf(stderr, "sonde record: lost of %s\n", line.p);
	str_release(&line);
	return i;
}

static void say_losses(const struct recorder_result *result)
{
	uint64_t lost = nr_lost(result);
	struct str when = STR_INIT;

	if (result->throttled)
		log_info("the kernel throttled sampling %" PRIu64 " times", result->throttled);
	if (!lost)
		return;
	if (result->lost_to_ns)
		str_addf(&when, ", from %.3f to %.3f s after the first sample",
			 (double)result->lost_from_ns / 1e9, (double)result->lost_to_ns / 1e9);
	fprintf(stderr, "sonde record: lost %" PRIu64 " of %" PRIu64 " records (%.2f %%)%s; larger rings "
		"(-m), a lower rate (-F) or fewer events lose less\n", lost, result->samples + lost,
		100.0 * (double)lost / (double)(result->samples + lost), when.p);
	str_release(&when);
	for (size_t i = 0; i < result->nr_losses;)
		i = say_event_losses(result, i);
}

static void say_result(const struct recorder_result *result)
{
	struct str path = STR_INIT;

	if (rec.quiet || rec.caller || !result->written)
		return;
	say_losses(result);
	if (result->own_samples)
		log_info("%" PRIu64 " samples of sonde itself are left out; --with-self keeps them",
			 result->own_samples);
	str_add_safe(&path, result->path ? result->path : rec.o.output);
	if (result->files > 1)
		str_addf(&path, " and %" PRIu64 " before it", result->files - 1);
	fprintf(stderr, "[ sonde record: Captured and wrote %.3f MB %s (%" PRIu64 " samples) ]\n",
		(double)result->bytes / 1024 / 1024, path.p, result->samples);
	str_release(&path);
}

static void print_line(const char *line)
{
	puts(line);
	fflush(stdout);
}

static int exit_status(const struct recorder_result *result)
{
	if (result->exit_status || !rec.strict || !nr_lost(result))
		return result->exit_status;
	return EXIT_LOST;
}

static int record(void)
{
	struct recorder_result result;
	struct err err = ERR_INIT;
	int status, r = recorder_run(&rec.o, &rec.events, &result, &err);

	if (r < 0)
		cmd_error(rec.caller ? rec.caller : "record", &err);
	say_result(&result);
	if (r == 0)
		status = exit_status(&result);
	else if (result.command_failed)
		status = err.code == ENOENT ? 127 : 126;
	else
		status = 1;
	recorder_result_release(&result);
	return status;
}

static const struct opt opts[] = {
	OPT_SECTION("What to sample"),
	OPT_CALL('e', "event", NULL, "EVENT", "these events (see sonde list); cycles if none is given",
		 take_event, 0),
	OPT_CALL(0, "filter", NULL, "FILTER", "of the tracepoints before it, only those with such fields",
		 take_filter, 0),
	OPT_CALL('F', "freq", NULL, "N|max", "so many samples a second (4000)", take_freq, 0),
	{ .kind = OPT_KIND_U64, .short_name = 'c', .long_name = "count", .value = &rec.period,
	  .arg_name = "N", .help = "a sample each N events", .given = &rec.given_period },
	OPT_SWITCH(0, "all-user", &rec.o.attr.all_user, "user space only"),
	OPT_SWITCH(0, "all-kernel", &rec.o.attr.all_kernel, "the kernel only"),
	OPT_SECTION("Whom to watch (a command, or else all CPUs until Ctrl-C)"),
	OPT_STRING('p', "pid", &rec.o.target.pids, "PID[,PID...]", "these processes, all threads"),
	OPT_STRING('t', "tid", &rec.o.target.tids, "TID[,TID...]", "these threads"),
	OPT_STRING('u', "uid", &rec.o.target.user, "USER", "all processes of a user"),
	OPT_SWITCH('a', "all-cpus", &rec.o.target.all_cpus, "the whole system"),
	OPT_STRING('C', "cpu", &rec.o.target.cpus, "LIST", "all that runs on these CPUs, such as 0,2-3"),
	OPT_SWITCH('i', "no-inherit", &rec.no_inherit, "not what the watched ones start"),
	OPT_CALL('D', "delay", NULL, "MS|MS-MS,...|-1",
		 "sample after so many milliseconds; between these; not before --control says so",
		 take_delay, 0),
	OPT_CALL(0, "control", NULL, "fd:CTL[,ACK]|fifo:CTL[,ACK]",
		 "take commands meanwhile: enable, disable, snapshot, ping, stop, evlist", take_control, 0),
	OPT_SWITCH(0, "with-self", &rec.o.with_self,
		   "where CPUs are watched: what sonde itself does, too"),
	OPT_SECTION("What each sample holds"),
	OPT_SWITCH('g', NULL, &rec.graph, "call chains, by frame pointers"),
	OPT_CALL(0, "call-graph", NULL, "MODE",
		 "call chains: fp, dwarf[,STACK-BYTES], unwind[,STACK-BYTES], auto or lbr", take_callgraph, 0),
	OPT_SWITCH(0, "kernel-callchains", &rec.o.attr.kernel_chains, "of chains, the kernel's part only"),
	OPT_SWITCH(0, "user-callchains", &rec.o.attr.user_chains, "of chains, the user's part only"),
	OPT_SWITCH('d', "data", &rec.o.attr.addresses, "data addresses"),
	OPT_SWITCH(0, "phys-data", &rec.o.attr.phys_addr, "physical data addresses"),
	OPT_SWITCH(0, "data-page-size", &rec.o.attr.data_page_size, "page size at the data address"),
	OPT_SWITCH(0, "code-page-size", &rec.o.attr.code_page_size, "page size at the instruction"),
	OPT_SWITCH('W', "weight", &rec.o.attr.weight, "weights (latencies)"),
	OPT_SWITCH(0, "transaction", &rec.o.attr.transaction, "flags of transactional memory"),
	OPT_SWITCH('P', "period", &rec.o.attr.sample_period, "the period, also where it is fixed"),
	OPT_SWITCH(0, "sample-cpu", &rec.o.attr.sample_cpu, "the CPU, also where tasks are watched"),
	OPT_SWITCH('T', "timestamp", &rec.timestamps, "the time (always)"),
	OPT_SWITCH('R', "raw-samples", &rec.o.attr.raw, "raw data of the PMU"),
	OPT_SWITCH('b', "branch-any", &rec.any_branch, "the latest branches taken"),
	OPT_CALL('j', "branch-filter", NULL, "FILTER[,FILTER...]",
		 "the latest branches of a kind: any any_call any_ret ind_call call cond u k ...",
		 take_branches, 0),
	OPT_SWITCH('s', "stat", &rec.o.attr.per_thread_counts, "counts for each thread that ends"),
	OPT_SWITCH('n', "no-samples", &rec.o.attr.no_samples, "no samples: count, and what tasks do"),
	OPT_SWITCH(0, "switch-events", &rec.o.attr.switches, "records of context switches"),
	OPT_SWITCH(0, "namespaces", &rec.o.attr.namespaces, "records of namespaces"),
	OPT_SWITCH(0, "all-cgroups", &rec.o.attr.cgroups, "records of control groups"),
	OPT_CALL('k', "clockid", NULL, "CLOCK", "times by another clock, such as monotonic", take_clock, 0),
	OPT_SECTION("Where to"),
	OPT_STRING('o', "output", &rec.o.output, "FILE",
		   "write to FILE (perf.data), the one before kept as FILE.old; - is a pipe"),
	OPT_CALL('z', "compression-level", NULL, "LEVEL", "compress, at a level from 1 to 22 (1)",
		 take_level, OPT_ARG_OPTIONAL),
	OPT_CALL(0, "max-size", NULL, "SIZE", "stop when the file is that large", take_max_size, 0),
	OPT_CALL(0, "switch-output", NULL, "signal|SIZE|TIME",
		 "go on with another file at SIGUSR2, at a size (100M) or after a time (30s)", take_switch,
		 OPT_ARG_OPTIONAL),
	OPT_U64(0, "switch-max-files", &rec.o.next_file.files, "N", "keep the latest N of these files"),
	{ .kind = OPT_KIND_U64, .long_name = "max-files", .value = &rec.o.next_file.files,
	  .arg_name = "N", .flags = OPT_HIDDEN, .help = "--switch-max-files" },
	OPT_SWITCH(0, "timestamp-filename", &rec.o.stamp_name, "put the time behind the file's name"),
	OPT_SWITCH(0, "overwrite", &rec.o.overwrite,
		   "keep the latest only, and write it at SIGUSR2 and at the end"),
	OPT_CALL('m', "mmap-pages", NULL, "PAGES|SIZE", "of each CPU's ring", take_ring, 0),
	OPT_CALL('r', "realtime", NULL, "PRIO", "empty the rings at this SCHED_FIFO priority",
		 take_realtime, 0),
	OPT_SWITCH(0, "no-buffering", &rec.o.attr.unbuffered, "write each sample as it comes"),
	OPT_SWITCH('B', "no-buildid", &rec.o.no_build_ids, "no build-ids"),
	OPT_SWITCH(0, "buildid-all", &rec.all_build_ids, "build-ids of all mapped files (always)"),
	OPT_SWITCH('N', "no-buildid-cache", &rec.o.no_copies,
		   "keep no copies of binaries that a report would not find"),
	OPT_SWITCH(0, "timestamp-boundary", &rec.time_range, "times of first and last sample (always)"),
	OPT_SWITCH(0, "strict-freq", &rec.strict_freq, "fail if the rate cannot be had (always)"),
	{ .kind = OPT_KIND_SWITCH, .long_name = "lean", .value = &rec.o.attr.lean, .flags = OPT_HIDDEN,
	  .help = "of tracepoints without the address" },
	OPT_SWITCH(0, "strict", &rec.strict, "exit with 3 if anything was lost"),
	OPT_SWITCH('q', "quiet", &rec.quiet, "say nothing but errors"),
	OPT_COUNT('v', "verbose", &rec.verbose, "say more; -vv shows the perf_event_attr"),
	OPT_END,
};

static int run_as(const char *caller, int argc, char **argv)
{
	struct command command = cmd_record;
	char **line = mem_zalloc(((size_t)argc + 1) * sizeof(*line));
	struct err err = ERR_INIT;
	int nr_words, status;

	memset(&rec, 0, sizeof(rec));
	rec.timestamps = true;
	rec.caller = caller;
	if (caller)
		command.name = caller;
	/* opt moves words around; the file's header wants them as they were. */
	memcpy(line, argv, (size_t)argc * sizeof(*line));
	rec.o.argv = line;
	rec.o.version = SONDE_VERSION;
	rec.o.print = print_line;
	cmd_quiet(false);
	status = cmd_options(&command, opts, 0, argc, argv, &nr_words);
	if (status < 0) {
		cmd_quiet(rec.quiet);
		log_set_level(rec.verbose > 1 ? LOG_DEBUG : rec.verbose ? LOG_INFO : LOG_NOTE);
		if (settle(nr_words, argv, &err) < 0) {
			cmd_error(rec.caller ? rec.caller : "record", &err);
			status = EXIT_USAGE;
		} else {
			status = record();
		}
	}
	if (rec.has_control)
		control_close(&rec.control);
	duty_release(&rec.o.duty);
	event_list_release(&rec.events);
	free(line);
	return status;
}

static int run(int argc, char **argv)
{
	return run_as(NULL, argc, argv);
}

int cmd_record_for(const char *name, int argc, char **argv)
{
	return run_as(name, argc, argv);
}

const struct command cmd_record = {
	.name = "record",
	.summary = "sample programs into a perf.data file",
	.usage = "[options] [--] [CMD [ARG...]]",
	.run = run,
};
