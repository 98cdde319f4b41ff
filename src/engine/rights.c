/* SPDX-License-Identifier: MIT */
#include "engine/rights.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/target.h"

bool rights_hold(int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	return data[capability / 32].effective >> (capability % 32) & 1;
}

bool rights_hold_perfmon(void)
{
	return rights_hold(CAP_PERFMON) || rights_hold(CAP_SYS_ADMIN);
}

bool rights_only_user(const struct denial *denial)
{
	return !denial->attr->exclude_kernel && !denial->whole_cpus &&
	       denial->attr->type != PERF_TYPE_TRACEPOINT && read_number(PERF_PARANOID, 2) > 1;
}

static bool others_process(pid_t tid, uid_t *uid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", tid);
	if (tid <= 0 || stat(path, &st) < 0)
		return false;
	*uid = st.st_uid;
	return st.st_uid != geteuid();
}

/* No setting of the kernel's keeps a holder of the capability out. */
static int though_privileged(const struct denial *r, struct err *err)
{
	return err_set(err, r->code, "%s '%s': %s, though this %s: a seccomp profile, a security "
		       "module or a user namespace forbids perf_event_open; let the container's "
		       "seccomp profile allow it", r->what, r->name, strerror(r->code),
		       geteuid() == 0 ? "is root" : "process has CAP_PERFMON");
}

int rights_explain(const struct denial *r, struct err *err)
{
	int64_t paranoid = read_number(PERF_PARANOID, 2);
	uid_t uid;

	if (rights_hold_perfmon())
		return though_privileged(r, err);
	if (r->attr->type == PERF_TYPE_TRACEPOINT && paranoid > -1)
		return err_set(err, r->code, "%s '%s': tracepoints need CAP_PERFMON or `sudo sysctl "
			       "kernel.perf_event_paranoid=-1` (now %" PRId64 ")", r->what, r->name,
			       paranoid);
	if (r->whole_cpus && paranoid > 0)
		return err_set(err, r->code, "%s '%s' on whole CPUs: perf_event_paranoid is %" PRId64
			       "; `sudo sysctl kernel.perf_event_paranoid=0` allows it, and a command "
			       "or -p with a process of yours needs no grant", r->what, r->name,
			       paranoid);
	if (others_process(r->tid, &uid))
		return err_set(err, r->code, "%s '%s' of process %d: it belongs to uid %u; run sonde as "
			       "that user or with CAP_PERFMON", r->what, r->name, r->tid, uid);
	if (r->attr->namespaces)
		return err_set(err, r->code, "cannot record namespaces: --namespaces needs CAP_PERFMON");
	if (paranoid > 1 && !r->attr->exclude_kernel)
		return err_set(err, r->code, "%s '%s': perf_event_paranoid is %" PRId64 "; `sudo sysctl "
			       "kernel.perf_event_paranoid=1` opens the kernel's part, and ':u' does "
			       "without", r->what, r->name, paranoid);
	/* Debian and Android patch Linux so that 3 refuses what 2 allows; Ubuntu has a 4. */
	if (paranoid > 2)
		return err_set(err, r->code, "%s '%s': perf_event_paranoid is %" PRId64 ", which keeps "
			       "all but root out; `sudo sysctl kernel.perf_event_paranoid=2` opens "
			       "your own programs to you", r->what, r->name, paranoid);
	return err_set(err, r->code, "%s '%s': %s, though perf_event_paranoid is %" PRId64 ": a seccomp "
		       "profile or a security module forbids perf_event_open; let the container's "
		       "seccomp profile allow it", r->what, r->name, strerror(r->code), paranoid);
}

void rights_kallsyms_grant(char buf[96])
{
	bool restricted = read_number("/proc/sys/kernel/kptr_restrict", 1) > 0;
	bool open = read_number(PERF_PARANOID, 2) <= 1 || rights_hold(CAP_SYSLOG);

	/* kallsyms_show_value(): 1 asks for CAP_SYSLOG, and so does 0 where paranoid is above 1. */
	snprintf(buf, 96, "sudo sysctl%s%s", restricted || open ? " kernel.kptr_restrict=0" : "",
		 open ? "" : " kernel.perf_event_paranoid=1");
}
