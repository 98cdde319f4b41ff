/* SPDX-License-Identifier: MIT */
#include "cmd/secure.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/capability.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/rights.h"

/* LeakSanitizer stops the threads with ptrace, which the filter forbids. */
#ifdef __SANITIZE_ADDRESS__
#define WITH_FILTER false
#else
#define WITH_FILTER true
#endif

#define BIT CAPABILITY_BIT

/* With Linux 5.8 CAP_SYS_ADMIN is no longer what measuring takes. */
#define MEASURING (BIT(CAP_PERFMON) | BIT(CAP_BPF) | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYSLOG) | \
		   BIT(CAP_IPC_LOCK) | BIT(CAP_SYS_NICE) | BIT(CAP_SYS_RESOURCE))

/* Of root's: files of others, the kernel's names and code, and to give up being root. */
#define READING (BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) | \
		 BIT(CAP_CHOWN) | BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SYSLOG) | \
		 BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_PTRACE))

/* --- capabilities ----------------------------------------------------------------- */

void secure_drop_capabilities(void)
{
	int r = capability_keep(geteuid() == 0 ? READING : BIT(CAP_SYSLOG));

	if (r < 0)
		log_info("capabilities cannot be given up: %s", strerror(-r));
}

/* --- with capabilities from the program file ---------------------------------------- */

static const char *const variables[] = {
	"DEBUGINFOD_URLS", "DEBUGINFOD_CACHE_PATH", "DEBUGINFOD_IMA_CERT_PATH", "XDG_CACHE_HOME",
	"BROWSER", "TMPDIR", "TERMINFO", "TERMINFO_DIRS", "TERMCAP", "TERMPATH",
};

/* The home of who runs us, whatever $HOME says. */
static bool set_home(void)
{
	const char *home = getenv("HOME");
	struct passwd *pw = getpwuid(getuid());
	bool differs;

	if (!home)
		return false;
	differs = !pw || strcmp(home, pw->pw_dir) != 0;
	if (!pw)
		unsetenv("HOME");
	else if (differs)
		setenv("HOME", pw->pw_dir, 1);
	return differs;
}

static void forget_variables(void)
{
	struct str said = STR_INIT;

	for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
		if (!getenv(variables[i]))
			continue;
		str_addf(&said, "%s%s", said.len ? ", " : "", variables[i]);
		unsetenv(variables[i]);
	}
	if (set_home())
		str_addf(&said, "%sHOME", said.len ? ", " : "");
	if (said.len)
		log_note("this sonde has capabilities of its own and does not heed %s", said.p);
	str_release(&said);
}

int secure_start(struct err *err)
{
	uint64_t keep = MEASURING;
	int r;

	if (getuid() != geteuid() || getgid() != getegid())
		return err_set(err, EPERM, "sonde is installed setuid or setgid, which it is not made for; "
			       "take that away (chmod ug-s), and give it capabilities: setcap "
			       "cap_perfmon+ep");
	if (!getauxval(AT_SECURE))
		return 0;
	/* a kernel that has no CAP_PERFMON asks for CAP_SYS_ADMIN instead */
	if (prctl(PR_CAPBSET_READ, CAP_PERFMON, 0, 0, 0) < 0)
		keep |= BIT(CAP_SYS_ADMIN);
	r = capability_keep(keep);
	if (r < 0)
		return err_set(err, -r, "cannot give up capabilities: %s", strerror(-r));
	forget_variables();
	return 0;
}

/* --- system calls ------------------------------------------------------------------- */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define NR_MOST 0x3fffffffu              /* above are those of x32 */
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#define NR_MOST 0xffffffffu
#endif

#define NR_EXEC 2

/* What reading a recording never takes; the first are what measuring does not either. */
static const uint32_t forbidden[] = {
	__NR_execve, __NR_execveat,
	__NR_ptrace, __NR_process_vm_readv, __NR_process_vm_writev, RIGHTS_PERF_CALL, __NR_bpf,
	__NR_mount, __NR_umount2, __NR_pivot_root, __NR_chroot, __NR_setns, __NR_unshare,
	__NR_init_module, __NR_finit_module, __NR_delete_module, __NR_kexec_load, __NR_reboot,
	__NR_swapon, __NR_swapoff, __NR_settimeofday, __NR_clock_settime, __NR_clock_adjtime,
	__NR_add_key, __NR_request_key, __NR_keyctl, __NR_userfaultfd, __NR_open_by_handle_at,
	__NR_acct, __NR_quotactl,
#ifdef __NR_io_uring_setup
	__NR_io_uring_setup,
#endif
#ifdef __NR_kexec_file_load
	__NR_kexec_file_load,
#endif
};

#define NR_FORBIDDEN (sizeof(forbidden) / sizeof(*forbidden))

#ifdef ARCH
/* Everything of another architecture's table is refused: we make no such calls. */
static int forbid(size_t nr)
{
	struct sock_filter filter[NR_FORBIDDEN + 6];
	struct sock_fprog program = { .filter = filter };
	unsigned short n = 0;

	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, arch));
	filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 0,
						   (unsigned char)(nr + 3));
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, nr));
	filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NR_MOST,
						   (unsigned char)(nr + 1), 0);
	for (size_t i = 0; i < nr; i++)
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, forbidden[i],
							   (unsigned char)(nr - i), 0);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	program.len = n;
	/* SPEC_ALLOW: Linux before 5.16 slows down all that have a filter (Linux 4.17 has it) */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		    &program) == 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
		return 0;
	return -errno;
}
#else
static int forbid(size_t nr)
{
	(void)nr;
	return -ENOSYS;
}
#endif

void secure_confine(enum confine confine)
{
	int r;

	if (confine == CONFINE_NOT)
		return;
	if (confine == CONFINE_READ)
		secure_drop_capabilities();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		log_info("no_new_privs cannot be set: %s", strerror(errno));
	r = WITH_FILTER ? forbid(confine == CONFINE_READ ? NR_FORBIDDEN : NR_EXEC) : 0;
	if (r < 0)
		log_info("system calls that are not needed cannot be forbidden: %s", strerror(-r));
}
