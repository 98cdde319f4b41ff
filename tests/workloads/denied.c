/* SPDX-License-Identifier: MIT */
/*
 * denied ERRNO CALL[,CALL...] CMD [ARG...]: run CMD where these system calls fail with
 * that errno (a number; 38 is ENOSYS, a kernel without them; 1 is EPERM, a container's
 * filter). CALL is perf_event_open, bpf, process_vm_readv or ptrace.
 *
 * denied may: what the kernel lets this process open, in a line: "user", "kernel"
 * (both of its own) and "system", those that are refused left out.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned nr;
} calls[] = {
	{ "perf_event_open", __NR_perf_event_open },
	{ "bpf", __NR_bpf },
	{ "process_vm_readv", __NR_process_vm_readv },
	{ "ptrace", __NR_ptrace },
};

#define MOST (sizeof(calls) / sizeof(*calls))

static int may_open(int user_only, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_TASK_CLOCK,
		.exclude_kernel = (unsigned)user_only & 1, .exclude_hv = (unsigned)user_only & 1,
	};
	long fd = syscall(__NR_perf_event_open, &attr, cpu >= 0 ? -1 : 0, cpu, -1, 0);

	if (fd >= 0)
		close((int)fd);
	return fd >= 0;
}

static int may(void)
{
	printf("%s%s%s\n", may_open(1, -1) ? "user " : "", may_open(0, -1) ? "kernel " : "",
	       may_open(0, 0) ? "system " : "");
	return 0;
}

/* The filter's jumps: each call that is named goes to the last instruction but one. */
static unsigned short add_calls(struct sock_filter *filter, char *names, unsigned code)
{
	unsigned nrs[MOST], n = 0;
	unsigned short len = 0;

	for (char *name; (name = strsep(&names, ","));) {
		size_t i = 0;

		while (i < MOST && strcmp(calls[i].name, name))
			i++;
		if (i == MOST || n == MOST)
			return 0;
		nrs[n++] = calls[i].nr;
	}
	filter[len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						     offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < n; i++)
		filter[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nrs[i],
							     (unsigned char)(n - i), 0);
	filter[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO |
						     (code & SECCOMP_RET_DATA));
	return len;
}

int main(int argc, char **argv)
{
	unsigned code = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
	struct sock_filter filter[MOST + 3];
	struct sock_fprog program = { 0, filter };

	if (argc == 2 && strcmp(argv[1], "may") == 0)
		return may();
	program.len = argc > 3 && code ? add_calls(filter, argv[2], code) : 0;
	if (!program.len) {
		fprintf(stderr, "usage: denied ERRNO CALL[,CALL...] CMD [ARG...] | denied may\n");
		return 129;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		fprintf(stderr, "denied: cannot install the filter: %s\n", strerror(errno));
		return 125;
	}
	execvp(argv[3], argv + 3);
	fprintf(stderr, "denied: %s: %s\n", argv[3], strerror(errno));
	return 127;
}
