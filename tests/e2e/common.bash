# What the end-to-end tests share. SONDE, WORKLOADS, OUT and TOP come from tests/run.
# shellcheck shell=bash disable=SC2154

bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	if [[ ! -r /proc/sys/kernel/perf_event_paranoid ]]; then
		skip "this kernel has no perf_event_open"
	fi
}

# need COMMAND WHY-NOT
need()
{
	command -v "$1" >/dev/null || skip "${2:-$1 is not installed}"
}

need_root()
{
	[[ $(id -u) == 0 ]] || skip "only root may do this"
}

# The kernel's part of a program can be counted and sampled.
need_kernel()
{
	[[ $(id -u) == 0 || $(</proc/sys/kernel/perf_event_paranoid) -le 1 ]] ||
		skip "perf_event_paranoid does not let this user look at the kernel"
}

# perf_records ARG...: perf 6.1 aborts now and then where processes come and go.
perf_records()
{
	for _ in 1 2 3; do
		perf record -q "$@" >/dev/null 2>&1 && return
	done
	skip "perf record fails here"
}

# The system as a whole can be watched.
need_system()
{
	[[ $(id -u) == 0 || $(</proc/sys/kernel/perf_event_paranoid) -le 0 ]] ||
		skip "perf_event_paranoid does not let this user watch the system"
}

# wait_until COMMAND...: until it is so
wait_until()
{
	until "$@"; do sleep 0.02; done
}

# is_polling PID: it waits in ppoll, as stat does as soon as all is open and signals are heard
is_polling()
{
	local nr _

	read -r nr _ <"/proc/$1/syscall"
	[[ $nr == 271 || $nr == 73 ]]            # x86-64, arm64
}

need_syscall_files()
{
	[[ -r /proc/self/syscall && $(uname -m) =~ ^(x86_64|aarch64)$ ]] ||
		skip "no /proc/PID/syscall here, or its numbers are not known"
}

# has_tasks PID N: it has so many threads
has_tasks()
{
	local tasks=("/proc/$1/task"/*)

	((${#tasks[@]} == $2))
}

# fails STATUS COMMAND...: it ends with that status (or, with "any", one from 1 to
# 128 or 129), says one line on standard error and was not killed by a signal.
# shellcheck disable=SC2154
fails()
{
	local want=$1
	shift
	status=0
	"$@" >fails.out 2>fails.err || status=$?
	stderr=$(<fails.err)
	mapfile -t stderr_lines <fails.err
	echo "status $status, said: $stderr"
	if [[ $want == any ]]; then
		((status != 0 && (status < 128 || status == 129)))
	else
		[[ $status == "$want" ]]
	fi
	[[ ${#stderr_lines[@]} == 1 ]]
	[[ $stderr == sonde* ]]
}

# says PATTERN: the last line on standard error holds it (extended regex).
says()
{
	grep -qE -- "$1" <<<"$stderr"
}

samples()
{
	"$SONDE" script -F event "$@" 2>/dev/null | grep -c . || true
}

# The closing account of a report's samples (src/view/account.c), which perf's has not.
# shellcheck disable=SC2034
ACCOUNT='^# (Unnamed|Cut short|Not unwound|Lost|Throttled|Passed over|Damaged|Unfinished): '

# same_keys FILE KEYS [ARG...]: the rows of perf and of sonde, equal shares in whichever order.
same_keys()
{
	perf report --stdio -g none -i "$1" -s "${@:2}" 2>/dev/null | sed 's/ *$//' |
		grep -v '^#.*Tip\|^#$\|^$' | sort >perf.txt
	"$SONDE" report --stdio -g none -i "$1" -s "${@:2}" 2>/dev/null | sed 's/ *$//' |
		grep -v '^#$\|^$\|^# Where in the hottest' | grep -vE "$ACCOUNT" | sort >sonde.txt
	echo "keys ${*:2}: $(wc -l <perf.txt) lines"
	[[ $(wc -l <perf.txt) -gt 4 ]]
	diff perf.txt sonde.txt
}
