/* SPDX-License-Identifier: MIT */
/*
 * sonde doctor: what this machine lets this user measure, and for what is
 * missing the one smallest change that would give it.
 *
 * Each check is tried and not looked up where that can be: a container may
 * forbid what the settings allow.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <dlfcn.h>

#include "base/cpus.h"
#include "base/file.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "engine/counting.h"
#include "engine/event.h"
#include "engine/event_legacy.h"
#include "engine/pfm.h"
#include "engine/pmu.h"
#include "engine/rights.h"
#include "engine/target.h"
#include "engine/tracefs.h"

#define WIDTH 96
#define COLUMN 26

enum state { YES, PARTLY, NO };

struct finding {
	enum state state;
	struct str found;        /* what there is */
	struct str fix;          /* the smallest change; empty: nothing to change, or no way */
};

static struct finding *now;
static bool json;

static void found(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void found(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_addvf(&now->found, fmt, ap);
	va_end(ap);
}

static void fix(enum state state, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fix(enum state state, const char *fmt, ...)
{
	va_list ap;

	now->state = state;
	va_start(ap, fmt);
	str_addvf(&now->fix, fmt, ap);
	va_end(ap);
}

static bool is_root(void)
{
	return geteuid() == 0;
}

static int try_event(uint32_t type, uint64_t config, bool kernel, bool sample, bool system)
{
	struct perf_event_attr attr = { .type = type, .config = config,
					.exclude_kernel = !kernel, .exclude_hv = !kernel };

	if (sample)
		attr.sample_period = 1000003;
	return counting_probe_attr(&attr, system ? -1 : 0, system ? 0 : -1);
}

static int64_t paranoid(void)
{
	return read_number("/proc/sys/kernel/perf_event_paranoid", -2);
}

static void check_kernel(void)
{
	struct utsname u;

	if (uname(&u) == 0)
		found("%s %s, %u CPUs, %s", u.sysname, u.release, cpus_online(),
		      u.machine);
	if (is_root())
		found(", as root");
	else
		found(", as uid %u", geteuid());
}

static void check_syscall(void)
{
	int code = try_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, false, false, false);

	if (!code) {
		found("software events of own programs");
		return;
	}
	found("perf_event_open: %s", strerror(code));
	if (code == ENOSYS)
		fix(NO, "a kernel with CONFIG_PERF_EVENTS");
	else if (paranoid() > 2)
		fix(NO, "sudo sysctl kernel.perf_event_paranoid=2");
	else
		fix(NO, "start the container with a seccomp profile that allows perf_event_open, or "
		    "with --cap-add PERFMON");
}

/* Is it perf_event_paranoid? Else what was said of perf events holds for this, too. */
static bool setting_forbids(int64_t most)
{
	now->state = NO;
	return paranoid() > most && !rights_hold_perfmon() &&
	       try_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, false, false, false) == 0;
}

static void check_kernel_part(void)
{
	int code = try_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, true, false, false);

	found("perf_event_paranoid is %" PRId64, paranoid());
	if (!code) {
		found(", and the kernel's part is open to this user");
		return;
	}
	if (setting_forbids(1))
		fix(NO, "sudo sysctl kernel.perf_event_paranoid=1");
}

static void check_system(void)
{
	int code = try_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, true, false, true);

	if (!code) {
		found("-a and -C work");
		return;
	}
	found("-a and -C: %s", strerror(code));
	if (setting_forbids(0))
		fix(NO, "sudo sysctl kernel.perf_event_paranoid=0");
}

/* --- the PMU -------------------------------------------------------------------- */

static void name_pmus(void)
{
	struct pmu *pmu;

	for (uint32_t i = 0; (pmu = pmu_set_core(pmu_set_here(), i)); i++)
		found("%s%s", i ? ", " : "", pmu->name);
}

static int try_cycles(void)
{
	return try_event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, false, false, false);
}

static bool has_pmu(void)
{
	return try_cycles() != ENOENT;
}

/* Why nothing at all may be opened, which stands under "perf events" already; or 0. */
static int closed(void)
{
	int code = try_cycles();

	return code == EPERM || code == EACCES || code == ENOSYS ? code : 0;
}

static void check_pmu(void)
{
	struct str yes = STR_INIT, no = STR_INIT;
	const struct event_legacy *l;
	size_t nr_yes = 0;

	if (closed()) {
		found("not known (perf_event_open: %s)", strerror(closed()));
		now->state = NO;
		return;
	}
	if (!has_pmu()) {
		found("none: cycles, instructions and cache events cannot be counted");
		fix(NO, "in a virtual machine, have the host expose one (QEMU: -cpu host,pmu=on; "
		    "clouds: a metal instance type); -e cpu-clock and software events go without");
		return;
	}
	name_pmus();
	for (size_t i = 0; (l = event_legacy_at(i)); i++) {
		bool ok;

		if (l->type != PERF_TYPE_HARDWARE)
			continue;
		ok = try_event(l->type, l->config, false, false, false) == 0;
		nr_yes += ok;
		str_addf(ok ? &yes : &no, " %s", l->alias ? l->alias : l->name);
	}
	found("; counts%s", nr_yes ? yes.p : " nothing");
	if (no.len)
		found("; has no%s", no.p);
	if (!nr_yes)
		now->state = NO;
	str_release(&yes);
	str_release(&no);
}

static void check_sampling(void)
{
	int code = try_event(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, false, true, false);
	struct perf_event_attr branch = {
		.type = PERF_TYPE_HARDWARE, .config = PERF_COUNT_HW_CPU_CYCLES, .sample_period = 1000003,
		.sample_type = PERF_SAMPLE_BRANCH_STACK, .exclude_kernel = 1, .exclude_hv = 1,
		.branch_sample_type = PERF_SAMPLE_BRANCH_ANY | PERF_SAMPLE_BRANCH_USER,
	};
	struct perf_event_attr precise = {
		.type = PERF_TYPE_HARDWARE, .config = PERF_COUNT_HW_CPU_CYCLES, .sample_period = 1000003,
		.precise_ip = 1, .exclude_kernel = 1, .exclude_hv = 1,
	};

	if (closed()) {
		found("not known (perf_event_open: %s)", strerror(closed()));
		now->state = NO;
		return;
	}
	if (code) {
		found("by cpu-clock only (cycles: %s)", strerror(code));
		now->state = has_pmu() ? NO : PARTLY;
		return;
	}
	found("by cycles");
	found(counting_probe_attr(&precise, 0, -1) == 0 ? ", precise (:p)" : ", not precise (:p)");
	found(counting_probe_attr(&branch, 0, -1) == 0 ? ", with branch records (-b)" : ", no branch records (-b)");
}

static void check_watchdog(void)
{
	if (read_number("/proc/sys/kernel/nmi_watchdog", 0) <= 0 || !has_pmu()) {
		found("all counters are free");
		return;
	}
	found("the NMI watchdog holds one");
	fix(PARTLY, "sudo sysctl kernel.nmi_watchdog=0");
}

/* --- limits ----------------------------------------------------------------------- */

static void check_rate(void)
{
	int64_t rate = read_number("/proc/sys/kernel/perf_event_max_sample_rate", -1);
	int64_t percent = read_number("/proc/sys/kernel/perf_cpu_time_max_percent", -1);

	if (rate < 0) {
		found("not known");
		now->state = NO;
		return;
	}
	found("%" PRId64 " samples a second (perf_event_max_sample_rate)", rate);
	if (percent > 0)
		found(", lowered when they take more than %" PRId64 " %% of a CPU", percent);
	if (rate < 4000)
		fix(PARTLY, "sudo sysctl kernel.perf_event_max_sample_rate=100000");
}

static void check_mlock(void)
{
	int64_t kb = read_number("/proc/sys/kernel/perf_event_mlock_kb", 516);
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (rights_hold(CAP_IPC_LOCK)) {
		found(is_root() ? "not limited for root" : "not limited with CAP_IPC_LOCK");
		return;
	}
	found("%" PRId64 " KB a CPU (perf_event_mlock_kb)", kb);
	if (limit.rlim_cur == RLIM_INFINITY)
		found(" and no further limit");
	else
		found(" and %" PRIu64 " KB for all (ulimit -l)", (uint64_t)limit.rlim_cur / 1024);
	if (kb < 516)
		fix(PARTLY, "sudo sysctl kernel.perf_event_mlock_kb=516");
}

static void check_files(void)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	found("%" PRIu64 " at once", (uint64_t)limit.rlim_cur);
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > limit.rlim_cur)
		found(", raised to %" PRIu64 " where many events need it", (uint64_t)limit.rlim_max);
	if (!is_root() && limit.rlim_max < 8192)
		fix(PARTLY, "ulimit -Hn 65536, or LimitNOFILE= of the service");
}

/* --- the kernel's names and places ------------------------------------------------ */

static void check_symbols(void)
{
	char text[4096], grant[96], *line, *save = NULL;
	bool any = false;

	if (file_read_small("/proc/kallsyms", text, sizeof(text)) <= 0) {
		found("/proc/kallsyms cannot be read");
		fix(NO, "a kernel with CONFIG_KALLSYMS");
		return;
	}
	for (line = strtok_r(text, "\n", &save); line && !any; line = strtok_r(NULL, "\n", &save))
		any = strtoull(line, NULL, 16) != 0;
	found("kptr_restrict is %" PRId64, read_number("/proc/sys/kernel/kptr_restrict", -1));
	if (any) {
		found(", and addresses are shown to this user");
		return;
	}
	found(", and addresses are hidden: the kernel's part of call chains has no names");
	rights_kallsyms_grant(grant);
	fix(NO, "%s", grant);
}

static int count_one(const char *system, const char *name, void *arg)
{
	(void)system, (void)name;
	++*(uint32_t *)arg;
	return 0;
}

static void check_tracefs(void)
{
	const char *dir = tracefs_dir_quiet();
	struct err err = ERR_INIT;
	uint32_t nr = 0;

	/* What it takes is told, not done: doctor changes nothing. */
	if (!dir) {
		char *grant = tracefs_grant();

		found("not readable at /sys/kernel/tracing");
		fix(NO, "%s", access("/sys/kernel/tracing", F_OK) < 0 ? "a kernel with CONFIG_TRACING" :
		    is_root() ? "mount -t tracefs nodev /sys/kernel/tracing" : grant);
		free(grant);
		return;
	}
	if (tracefs_each(dir, "*", "*", count_one, &nr, &err) < 0) {
		found("%s", err.msg);
		now->state = NO;
		return;
	}
	found("%u tracepoints in %s", nr, dir);
	if (!rights_hold_perfmon() && paranoid() > -1)
		fix(PARTLY, "sudo sysctl kernel.perf_event_paranoid=-1 (other users' tracepoints)");
}

static bool in_tracefs(const char *file)
{
	const char *dir = tracefs_dir_quiet();
	char path[256];

	if (!dir)
		return false;
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return access(path, F_OK) == 0;
}

static void check_dynamic(const char *what, const char *file, const char *config)
{
	char path[128];
	bool pmu;

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", what);
	pmu = access(path, F_OK) == 0;
	if (!pmu && !in_tracefs(file)) {
		found("this kernel has none");
		fix(NO, "a kernel with %s", config);
		return;
	}
	found("%s%s%s", in_tracefs(file) ? file : "", pmu && in_tracefs(file) ? " and " : "",
	      pmu ? "the PMU of that name" : "");
	if (!is_root())
		fix(NO, "run as root: adding probes is for it alone");
}

static void check_kprobes(void)
{
	check_dynamic("kprobe", "kprobe_events", "CONFIG_KPROBES and CONFIG_KPROBE_EVENTS");
}

static void check_uprobes(void)
{
	check_dynamic("uprobe", "uprobe_events", "CONFIG_UPROBE_EVENTS");
}

static void check_btf(void)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0) {
		found("/sys/kernel/btf/vmlinux");
		return;
	}
	found("no /sys/kernel/btf/vmlinux: BPF programs cannot be fitted to this kernel");
	fix(NO, "a kernel with CONFIG_DEBUG_INFO_BTF");
}

/* "r0 = 0; exit", as a perf_event program. */
static void check_bpf(void)
{
	static const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const char license[] = "GPL";
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_PERF_EVENT;
	attr.insns = (uint64_t)(uintptr_t)program;
	attr.insn_cnt = 2;
	attr.license = (uint64_t)(uintptr_t)license;
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd >= 0) {
		close(fd);
		found("programs can be loaded");
		return;
	}
	found("loading a program: %s", strerror(errno));
	if (errno == ENOSYS)
		fix(NO, "a kernel with CONFIG_BPF_SYSCALL");
	else if (errno == EINVAL)
		fix(NO, "a kernel with CONFIG_BPF_EVENTS");
	else if (rights_hold_perfmon() && (rights_hold(CAP_BPF) || rights_hold(CAP_SYS_ADMIN)))
		fix(NO, "a container whose seccomp profile allows bpf");
	else
		fix(NO, is_root() ? "a container with CAP_BPF and CAP_PERFMON" :
		    "sudo setcap cap_bpf,cap_perfmon+ep $(command -v sonde)");
}

/* --- names of code ---------------------------------------------------------------- */

static bool has_debug_info(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf;
	Elf_Scn *section = NULL;
	size_t names;
	bool has = false;

	if (fd < 0)
		return false;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_getshdrstrndx(elf, &names) == 0) {
		while (!has && (section = elf_nextscn(elf, section))) {
			GElf_Shdr header;
			const char *name = gelf_getshdr(section, &header) ?
					   elf_strptr(elf, names, header.sh_name) : NULL;

			has = name && strcmp(name, ".debug_info") == 0;
		}
	}
	elf_end(elf);
	close(fd);
	return has;
}

static void check_vmlinux(void)
{
	static const char *const places[] = {
		"/usr/lib/debug/boot/vmlinux-%s", "/usr/lib/debug/lib/modules/%s/vmlinux",
		"/lib/modules/%s/build/vmlinux", "/boot/vmlinux-%s", "/boot/vmlinux",
	};
	struct utsname u;
	char path[256];

	if (uname(&u) < 0)
		return;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-extra-args"
		snprintf(path, sizeof(path), places[i], u.release);
#pragma GCC diagnostic pop
		if (has_debug_info(path)) {
			found("%s", path);
			return;
		}
	}
	found("no vmlinux with DWARF: kernel functions have names, but no lines and variables");
	fix(NO, "install the kernel's debug package (Debian: linux-image-%s-dbg)", u.release);
}

static void check_debuginfod(void)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	void *lib = dlopen("libdebuginfod.so.1", RTLD_LAZY | RTLD_LOCAL);

	found("%s", lib ? "libdebuginfod is there" : "no libdebuginfod");
	if (lib)
		dlclose(lib);
	found(urls && urls[0] ? "; DEBUGINFOD_URLS is %s" : "; DEBUGINFOD_URLS is not set",
	      urls ? urls : "");
	if (!lib)
		fix(NO, "install libdebuginfod1");
	else if (!urls || !urls[0])
		fix(PARTLY, "export DEBUGINFOD_URLS=https://debuginfod.debian.net (or your "
		    "distribution's)");
}

static void check_pfm(void)
{
	const char *version = pfm_version();

	found("%s", version ? version : "not there: events have no names from processor manuals");
	if (!version)
		fix(NO, "install libpfm4");
}

static const struct {
	const char *name, *title;
	void (*check)(void);
} checks[] = {
	{ "kernel", "machine", check_kernel },
	{ "perf_events", "perf events", check_syscall },
	{ "kernel_events", "kernel side", check_kernel_part },
	{ "system_wide", "whole system", check_system },
	{ "pmu", "hardware PMU", check_pmu },
	{ "sampling", "sampling", check_sampling },
	{ "watchdog", "PMU's counters", check_watchdog },
	{ "sample_rate", "sample rate", check_rate },
	{ "mlock", "locked memory", check_mlock },
	{ "open_files", "open files", check_files },
	{ "kernel_symbols", "kernel symbols", check_symbols },
	{ "tracefs", "tracepoints", check_tracefs },
	{ "kprobes", "kprobes", check_kprobes },
	{ "uprobes", "uprobes", check_uprobes },
	{ "btf", "BTF", check_btf },
	{ "bpf", "BPF", check_bpf },
	{ "kernel_debug_info", "kernel debug info", check_vmlinux },
	{ "debuginfod", "debuginfod", check_debuginfod },
	{ "libpfm4", "event names", check_pfm },
};

static void print_finding(const char *title, const struct finding *f)
{
	static const char *const marks[] = { [YES] = "yes", [PARTLY] = "partly", [NO] = "no" };

	printf("%-6s %-*s ", marks[f->state], COLUMN - 8, title);
	cmd_wrap(stdout, f->found.p, COLUMN, COLUMN, cmd_columns(stdout, WIDTH));
	if (f->fix.len) {
		printf("%*s-> ", COLUMN, "");
		cmd_wrap(stdout, f->fix.p, COLUMN + 3, COLUMN + 3, cmd_columns(stdout, WIDTH));
	}
}

static void print_json(const char *name, const struct finding *f, bool first)
{
	static const char *const states[] = { [YES] = "yes", [PARTLY] = "partly", [NO] = "no" };
	struct str s = STR_INIT;

	str_addf(&s, "%s\n{\"check\": \"%s\", \"state\": \"%s\", \"found\": \"", first ? "" : ",",
		 name, states[f->state]);
	str_add_json(&s, f->found.p);
	str_addc(&s, '"');
	if (f->fix.len) {
		str_add(&s, ", \"fix\": \"");
		str_add_json(&s, f->fix.p);
		str_addc(&s, '"');
	}
	printf("%s}", s.p);
	str_release(&s);
}

static int run(int argc, char **argv)
{
	static const struct opt opts[] = {
		OPT_SWITCH('j', "json", &json, "as JSON"),
		OPT_END,
	};
	int nr_words, status = cmd_options(&cmd_doctor, opts, OPT_PARSE_ANYWHERE, argc, argv,
					   &nr_words);
	struct err err = ERR_INIT;

	if (status >= 0)
		return status;
	if (nr_words) {
		err_set(&err, EINVAL, "doctor takes no argument, and here is '%s'", argv[0]);
		cmd_error("doctor", &err);
		return EXIT_USAGE;
	}
	if (json)
		printf("[");
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct finding f = { YES, STR_INIT, STR_INIT };

		now = &f;
		checks[i].check();
		if (json)
			print_json(checks[i].name, &f, i == 0);
		else
			print_finding(checks[i].title, &f);
		str_release(&f.found);
		str_release(&f.fix);
	}
	if (json)
		printf("\n]\n");
	return 0;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "tell what this machine lets you measure, and how to get the rest",
	.usage = "[-j]",
	.run = run,
	.confine = CONFINE_EXEC,
};
