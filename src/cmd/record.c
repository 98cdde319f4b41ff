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
#include "cmd/record_options.h"
#include "cmd/sampling.h"

#define EXIT_LOST 3                      /* --strict */

static struct {
	struct sampling s;
	struct record_wishes wishes;
	bool timestamps, quiet;
	bool all_build_ids, strict_freq, time_range, strict;
	struct control control;
	bool has_control;
	int verbose;
	const char *caller;              /* the command that records in between, or NULL */
} rec;

static int take_level(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	uint64_t level = 1;

	(void)opt;
	if (unset)
		level = 0;
	else if (arg && (str_u64(arg, &level) < 0 || level < 1 || level > 22))
		return err_set(err, EINVAL, "-z takes a level from 1 to 22, not '%s'", arg);
	rec.s.o.compress_level = (int)level;
	return 0;
}

static int take_max_size(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)opt;
	if (unset || str_size(arg, &rec.s.o.max_bytes, NULL) < 0 || !rec.s.o.max_bytes)
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
		rec.s.o.attr.use_clockid = false;
		return 0;
	}
	rec.s.o.attr.use_clockid = true;
	if (str_u64(arg, &n) == 0 && n <= INT32_MAX) {
		rec.s.o.attr.clockid = (int32_t)n;
		return 0;
	}
	if (strncasecmp(name, "CLOCK_", 6) == 0)
		name += 6;
	for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		if (strcasecmp(name, clocks[i].name) != 0)
			continue;
		rec.s.o.attr.clockid = clocks[i].id;
		return 0;
	}
	return err_set(err, EINVAL, "-k takes monotonic, monotonic_raw, realtime, boottime or tai, "
		       "not '%s'", arg);
}

static int take_delay(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)opt;
	return duty_parse(&rec.s.o.duty, unset ? "0" : arg, err);
}

static int take_control(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	int ret;

	(void)opt;
	if (rec.has_control)
		control_close(&rec.control);
	rec.has_control = false;
	rec.s.o.control = NULL;
	if (unset)
		return 0;
	ret = control_open(&rec.control, arg, err);
	rec.has_control = ret == 0;
	rec.s.o.control = ret == 0 ? &rec.control : NULL;
	return ret;
}

static int take_affinity(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)opt;
	if (unset)
		rec.s.o.affinity = AFFINITY_ANY;
	else if (strcmp(arg, "cpu") == 0)
		rec.s.o.affinity = AFFINITY_CPU;
	else if (strcmp(arg, "node") == 0)
		rec.s.o.affinity = AFFINITY_NODE;
	else
		return err_set(err, EINVAL, "--affinity takes node or cpu, not '%s'", arg);
	return 0;
}

static int take_threads(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)opt;
	if (!unset)
		return masks_parse(&rec.s.o.threads, arg, err);
	masks_release(&rec.s.o.threads);
	return 0;
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
	memset(&rec.s.o.next_file, 0, offsetof(struct recorder_next_file, files));
	if (unset)
		return 0;
	rec.s.o.next_file.on = !arg || strcmp(arg, "signal") == 0;
	if (rec.s.o.next_file.on)
		return 0;
	unit = take_unit(arg, "BKMG", &n);
	if (unit >= 0) {
		rec.s.o.next_file.bytes = n << (10 * unit);
		return 0;
	}
	unit = take_unit(arg, "smhd", &n);
	if (unit >= 0) {
		rec.s.o.next_file.ms = n * ms[unit];
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

/* What does not go together where several threads empty the rings. */
static int settle_threads(const struct recorder_options *o, struct err *err)
{
	const struct {
		bool given;
		const char *why;
	} others[] = {
		{ strcmp(o->output, "-") == 0, "writes a folder; standard output is one stream (-o names a "
		  "folder)" },
		{ o->overwrite, "empties the rings, in which --overwrite keeps the latest; give one of them" },
		{ o->next_file.on || o->next_file.bytes || o->next_file.ms, "writes one folder to the end; "
		  "--switch-output goes on with another file; give one of them" },
		{ o->stamp_name, "writes a folder, which --timestamp-filename does not rename; give one of "
		  "them" },
		{ o->affinity != AFFINITY_ANY, "says where each thread runs, --affinity where the only one "
		  "does; give one of them" },
		{ o->attr.callgraph == CALLGRAPH_UNWIND, "has no order of time between its threads, by which "
		  "--call-graph unwind knows what is mapped; --call-graph dwarf can be had" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others) && o->threads.kind != MASKS_NONE; i++)
		if (others[i].given)
			return err_set(err, EINVAL, "--threads %s", others[i].why);
	return 0;
}

/* What the options mean together. */
static int settle(int nr_words, char **words, struct err *err)
{
	struct recorder_options *o = &rec.s.o;
	struct stat st;

	if (!rec.timestamps)
		return err_set(err, EINVAL, "--no-timestamp cannot be had: samples are put in order by "
			       "their time");
	if (sampling_settle(&rec.s, err) < 0)
		return -EINVAL;
	if (o->attr.all_user && o->attr.all_kernel)
		return err_set(err, EINVAL, "--all-user and --all-kernel exclude each other");
	if (o->attr.kernel_chains && o->attr.user_chains)
		o->attr.kernel_chains = o->attr.user_chains = false;
	o->attr.build_ids = !o->no_build_ids && !rec.wishes.no_build_id_mmap;
	if (!o->output)
		o->output = fstat(STDOUT_FILENO, &st) == 0 && S_ISFIFO(st.st_mode) ? "-" : "perf.data";
	if (settle_files(o, err) < 0)
		return -EINVAL;
	if (settle_threads(o, err) < 0)
		return -EINVAL;
	o->command = nr_words ? words : NULL;
	if (record_settle_wishes(&rec.wishes, err) < 0 || sampling_choose(&rec.s, err) < 0)
		return -EINVAL;
	return record_settle_events(&rec.wishes, err);
}

static uint64_t nr_lost(const struct recorder_result *result)
{
	return result->lost_records > result->lost_samples ? result->lost_records : result->lost_samples;
}

/* A write that takes longer is one of a slow disk. */
#define SLOW_NS 200000000u

/* CPUs, or threads, that are named one by one. */
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
		const struct recorder_loss *loss = &result->losses[i];

		if (i - at >= CPUS_MOST && (loss->tid || loss->cpu >= 0)) {
			others += loss->lost;
			continue;
		}
		str_addf(&line, "%s %" PRIu64, i == at ? ":" : ",", loss->lost);
		if (loss->tid)
			str_addf(&line, " in thread %d", (int)loss->tid);
		else if (loss->cpu < 0)
			str_add(&line, " while another BPF program was running");
		else
			str_addf(&line, " on CPU %d", loss->cpu);
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
	struct str when = STR_INIT, advice = STR_INIT, line = STR_INIT;

	if (result->throttled)
		log_info("the kernel throttled sampling %" PRIu64 " times", result->throttled);
	if (!lost)
		return;
	if (result->lost_to_end)
		str_addf(&when, ", from %.3f s after the first sample on",
			 (double)result->lost_from_ns / 1e9);
	else if (result->lost_to_ns)
		str_addf(&when, ", from %.3f to %.3f s after the first sample",
			 (double)result->lost_from_ns / 1e9, (double)result->lost_to_ns / 1e9);
	/* Who waits for a disk does not empty rings. */
	if (result->longest_write_ns >= SLOW_NS)
		str_addf(&advice, "a single write to '%s' took %.3f s: a faster disk, -z or larger rings "
			 "(-m) lose less", rec.s.o.output, (double)result->longest_write_ns / 1e9);
	else
		str_add(&advice, "larger rings (-m), a lower rate (-F) or fewer events lose less");
	str_add_safe(&line, advice.p);
	fprintf(stderr, "sonde record: lost %" PRIu64 " of %" PRIu64 " records (%.2f %%)%s; %s\n", lost,
		result->samples + lost, 100.0 * (double)lost / (double)(result->samples + lost), when.p,
		line.p);
	str_release(&when);
	str_release(&advice);
	str_release(&line);
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
	str_add_safe(&path, result->path ? result->path : rec.s.o.output);
	if (result->files > 1)
		str_addf(&path, " and %" PRIu64 " before it", result->files - 1);
	fprintf(stderr, "[ sonde record: Captured and wrote %.3f MB %s (%s%" PRIu64 " samples) ]\n",
		(double)result->bytes / 1024 / 1024, path.p, result->unsure ? "at most " : "",
		result->samples);
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
	int status, r = recorder_run(&rec.s.o, &rec.s.events, &result, &err);

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
	SAMPLING_WHAT_OPTIONS(&rec.s),
	RECORD_MORE_WHAT_OPTIONS(&rec.wishes),
	OPT_SWITCH(0, "all-user", &rec.s.o.attr.all_user, "user space only"),
	OPT_SWITCH(0, "all-kernel", &rec.s.o.attr.all_kernel, "the kernel only"),
	OPT_SECTION("Whom to watch (a command, or else all CPUs until Ctrl-C)"),
	SAMPLING_WHOM_OPTIONS(&rec.s),
	RECORD_MORE_WHOM_OPTIONS(&rec.wishes, &rec.s),
	OPT_CALL('D', "delay", NULL, "MS|MS-MS,...|-1",
		 "sample after so many milliseconds; between these; not before --control says so",
		 take_delay, 0),
	OPT_CALL(0, "control", NULL, "fd:CTL[,ACK]|fifo:CTL[,ACK]",
		 "take commands meanwhile: enable, disable, snapshot, ping, stop, evlist", take_control, 0),
	SAMPLING_SELF_OPTION(&rec.s),
	OPT_SECTION("What each sample holds"),
	OPT_SWITCH('g', NULL, &rec.s.graph, "call chains, by frame pointers"),
	OPT_CALL(0, "call-graph", &rec.s, "MODE", "call chains: fp, dwarf[,STACK-BYTES], "
		 "unwind[,STACK-BYTES], auto or lbr", sampling_take_callgraph, 0),
	OPT_SWITCH(0, "kernel-callchains", &rec.s.o.attr.kernel_chains, "of chains, the kernel's part only"),
	OPT_SWITCH(0, "user-callchains", &rec.s.o.attr.user_chains, "of chains, the user's part only"),
	OPT_SWITCH('d', "data", &rec.s.o.attr.addresses, "data addresses"),
	OPT_SWITCH(0, "phys-data", &rec.s.o.attr.phys_addr, "physical data addresses"),
	OPT_SWITCH(0, "data-page-size", &rec.s.o.attr.data_page_size, "page size at the data address"),
	OPT_SWITCH(0, "code-page-size", &rec.s.o.attr.code_page_size, "page size at the instruction"),
	OPT_SWITCH('W', "weight", &rec.s.o.attr.weight, "weights (latencies)"),
	OPT_SWITCH(0, "transaction", &rec.s.o.attr.transaction, "flags of transactional memory"),
	OPT_SWITCH('P', "period", &rec.s.o.attr.sample_period, "the period, also where it is fixed"),
	OPT_SWITCH(0, "sample-cpu", &rec.s.o.attr.sample_cpu, "the CPU, also where tasks are watched"),
	OPT_SWITCH('T', "timestamp", &rec.timestamps, "the time (always)"),
	OPT_SWITCH('R', "raw-samples", &rec.s.o.attr.raw, "raw data of the PMU"),
	SAMPLING_BRANCH_OPTIONS(&rec.s),
	OPT_SWITCH('s', "stat", &rec.s.o.attr.per_thread_counts, "counts for each thread that ends"),
	OPT_SWITCH('n', "no-samples", &rec.s.o.attr.no_samples, "no samples: count, and what tasks do"),
	OPT_SWITCH(0, "switch-events", &rec.s.o.attr.switches, "records of context switches"),
	OPT_SWITCH(0, "namespaces", &rec.s.o.attr.namespaces, "records of namespaces"),
	OPT_SWITCH(0, "all-cgroups", &rec.s.o.attr.cgroups, "records of control groups"),
	RECORD_MORE_SAMPLE_OPTIONS(&rec.wishes, &rec.s),
	OPT_CALL('k', "clockid", NULL, "CLOCK", "times by another clock, such as monotonic", take_clock, 0),
	OPT_SECTION("Where to"),
	OPT_STRING('o', "output", &rec.s.o.output, "FILE",
		   "write to FILE (perf.data), the one before kept as FILE.old; - is a pipe"),
	OPT_CALL('z', "compression-level", NULL, "LEVEL", "compress, at a level from 1 to 22 (1)",
		 take_level, OPT_ARG_OPTIONAL),
	OPT_CALL(0, "max-size", NULL, "SIZE", "stop when the file is that large", take_max_size, 0),
	OPT_CALL(0, "switch-output", NULL, "signal|SIZE|TIME",
		 "go on with another file at SIGUSR2, at a size (100M) or after a time (30s)", take_switch,
		 OPT_ARG_OPTIONAL),
	OPT_U64(0, "switch-max-files", &rec.s.o.next_file.files, "N", "keep the latest N of these files"),
	{ .kind = OPT_KIND_U64, .long_name = "max-files", .value = &rec.s.o.next_file.files,
	  .arg_name = "N", .flags = OPT_HIDDEN, .help = "--switch-max-files" },
	OPT_SWITCH(0, "timestamp-filename", &rec.s.o.stamp_name, "put the time behind the file's name"),
	OPT_SWITCH(0, "overwrite", &rec.s.o.overwrite,
		   "keep the latest only, and write it at SIGUSR2 and at the end"),
	SAMPLING_RING_OPTIONS(&rec.s),
	OPT_SWITCH(0, "no-buffering", &rec.s.o.attr.unbuffered, "write each sample as it comes"),
	OPT_SWITCH('B', "no-buildid", &rec.s.o.no_build_ids, "no build-ids"),
	OPT_SWITCH(0, "buildid-all", &rec.all_build_ids, "build-ids of all mapped files (always)"),
	OPT_SWITCH('N', "no-buildid-cache", &rec.s.o.no_copies,
		   "keep no copies of binaries that a report would not find"),
	RECORD_MORE_OUTPUT_OPTIONS(&rec.wishes),
	OPT_SWITCH(0, "timestamp-boundary", &rec.time_range, "times of first and last sample (always)"),
	OPT_SWITCH(0, "strict-freq", &rec.strict_freq, "fail if the rate cannot be had (always)"),
	{ .kind = OPT_KIND_SWITCH, .long_name = "lean", .value = &rec.s.o.attr.lean, .flags = OPT_HIDDEN,
	  .help = "of tracepoints without the address" },
	{ .kind = OPT_KIND_SWITCH, .long_name = "tap", .value = &rec.s.o.tap, .flags = OPT_HIDDEN,
	  .help = "of the scheduler's busiest tracepoints by a BPF program, where it can be had" },
	OPT_CALL(0, "affinity", NULL, "node|cpu", "empty a ring on the CPU that fills it, or on its node",
		 take_affinity, 0),
	OPT_CALL(0, "threads", NULL, "cpu|core|package|numa|MASKS",
		 "empty the rings with several threads (one for each CPU), each into a file of its own",
		 take_threads, OPT_ARG_OPTIONAL),
	RECORD_REFUSED_OPTIONS,
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
	rec.wishes.s = &rec.s;
	rec.wishes.cgroups = (struct str)STR_INIT;
	if (caller)
		command.name = caller;
	/* opt moves words around; the file's header wants them as they were. */
	memcpy(line, argv, (size_t)argc * sizeof(*line));
	rec.s.o.argv = line;
	rec.s.o.version = SONDE_VERSION;
	rec.s.o.print = print_line;
	cmd_quiet(false);
	status = cmd_options(&command, opts, 0, argc, argv, &nr_words);
	if (status < 0) {
		cmd_quiet(rec.quiet);
		log_set_level(rec.verbose > 1 ? LOG_DEBUG : rec.verbose ? LOG_INFO : LOG_NOTE);
		if ((rec.wishes.list_regs ? record_print_regs(&err) : settle(nr_words, argv, &err)) < 0) {
			cmd_error(rec.caller ? rec.caller : "record", &err);
			status = EXIT_USAGE;
		} else {
			status = rec.wishes.list_regs || rec.wishes.dry_run ? 0 : record();
		}
	}
	if (rec.has_control)
		control_close(&rec.control);
	duty_release(&rec.s.o.duty);
	masks_release(&rec.s.o.threads);
	event_list_release(&rec.s.events);
	record_wishes_release(&rec.wishes);
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
