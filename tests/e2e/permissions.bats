#!/usr/bin/env bats
# Who may do what: as root, as a user at each perf_event_paranoid, with single capabilities,
# with little locked memory, under seccomp. What can be done is done; for what cannot, one
# line says what is missing and the grant that helps, and that grant does help.
#
# kernel.perf_event_paranoid is the machine's: it is changed under a lock, and put back.

load common

# shellcheck disable=SC2034
SETTINGS="perf_event_paranoid perf_event_mlock_kb kptr_restrict"
LOCK=/run/lock/sonde-tests-settings
# a user of whom nothing else runs: locked memory is counted by user
USER_ID=54987

setup_file()
{
	[[ $(id -u) == 0 ]] || return 0
	LAB=$(mktemp -d /tmp/sonde-rights-XXXXXX)
	export LAB
	chmod 755 "$LAB"
	cp "$SONDE" "$WORKLOADS/denied" "$WORKLOADS/burn" "$LAB"
	mkdir "$LAB/home"
	chown $USER_ID "$LAB/home"
	settings_take
}

teardown_file()
{
	[[ -z ${LAB:-} ]] || settings_give_back
	rm -rf "${LAB:-/nonexistent}"
}

# What was there before is kept in the lock's file: a test that was killed is made good
# by the next one.
settings_take()
{
	local s

	mkdir -p "${LOCK%/*}"
	(
		flock 9
		if [[ ! -s $LOCK ]]; then
			for s in $SETTINGS; do
				echo "$s $(</proc/sys/kernel/$s)"
			done >$LOCK
		fi
	) 9>>$LOCK
}

settings_give_back()
{
	local s value

	while read -r s value; do
		echo "$value" >"/proc/sys/kernel/$s"
	done <$LOCK
	: >$LOCK
}

setup()
{
	[[ $(id -u) == 0 ]] || skip "only root may change settings and users"
	need setpriv
	as_user true 2>/dev/null || skip "setpriv does not work here"
	cd "$LAB/home" || return 1
	export HOME=$LAB/home
	exec 9>>$LOCK
	flock 9
	paranoid 2 2>/dev/null || skip "settings of the kernel cannot be changed here"
}

teardown()
{
	[[ ! -s ${LOCK} ]] || while read -r s value; do
		echo "$value" >"/proc/sys/kernel/$s"
	done <$LOCK
	exec 9>&-
}

paranoid()
{
	[[ $(</proc/sys/kernel/perf_event_paranoid) == "$1" ]] ||
		echo "$1" >/proc/sys/kernel/perf_event_paranoid
}

# as_user COMMAND...; as_user_with CAPS COMMAND...: with these capabilities, "+perfmon,+bpf"
as_user()
{
	setpriv --reuid=$USER_ID --regid=$USER_ID --clear-groups "$@"
}

as_user_with()
{
	local caps=$1

	shift
	as_user --inh-caps="$caps" --ambient-caps="$caps" "$@"
}

need_caps()
{
	as_user_with "$1" true 2>/dev/null || skip "setpriv does not know $1"
}

# act COMMAND WORD...: one of the table's commands; what it says goes to the file said.
act()
{
	local command=$1 sonde

	shift
	rm -f x x.old
	sonde=("$@" "$LAB/sonde")
	case $command in
	stat) "${sonde[@]}" stat -e task-clock,page-faults true ;;
	stat-a) "${sonde[@]}" stat -a -e task-clock true ;;
	record) "${sonde[@]}" record -e cpu-clock -o x true ;;
	record-k) "${sonde[@]}" record -e cpu-clock:k -o x true ;;
	record-a) "${sonde[@]}" record -a -e cpu-clock -o x true ;;
	record-p) "${sonde[@]}" record -e cpu-clock -p $$ -o x true ;;
	top) "${sonde[@]}" top --stdio -d 0.1 -e cpu-clock | grep -m 1 . >row && return
		return 1 ;;
	point) "${sonde[@]}" stat -e sched:sched_switch true ;;
	record-point) "${sonde[@]}" record -e sched:sched_switch -o x true ;;
	sched) "${sonde[@]}" sched record -o x true ;;
	live) "${sonde[@]}" sched live --duration 0.05 ;;
	list) "${sonde[@]}" list 'sched:*' ;;
	esac >out 2>said
}

# grant_of: the command that the one line names.
grant_of()
{
	sed -n 's/.*`\(sudo [^`]*\)`.*/\1/p' said | head -n 1
}

# check COMMAND STATUS WANT: did it become what is wanted?
#	all     done, and nothing was said of rights
#	user    done in user space, which a remark says, with the grant that opens the kernel
#	done+R  done, with a remark that R matches
#	R       status 1 and one line, which R matches and which is more than an errno
check()
{
	local command=$1 rc=$2 want=$3

	case $want in
	all)
		((rc == 0)) && ! grep -qE 'paranoid|rights|CAP_|setcap|denied|permitted' said &&
			{ [[ $command != record* || $command == record-p* ]] || ! events | grep -q ':.*u$'; }
		;;
	user)
		((rc == 0)) && [[ $(grep -c 'user space only.*perf_event_paranoid=1' said) == 1 ]] &&
			case $command in
			stat) grep -q 'task-clock:u' said ;;
			record*) events | grep -q ':u' ;;
			esac
		;;
	done+*)
		((rc == 0)) && grep -qE -- "${want#done+}" said
		;;
	*)
		((rc == 1)) && [[ $(wc -l <said) == 1 ]] && grep -q '^sonde ' said &&
			grep -qE -- "$want" said && [[ ! -e x ]]
		;;
	esac
}

has_bpf()
{
	"$LAB/sonde" version | grep -q 'BPF: sched live'
}

events()
{
	"$LAB/sonde" evlist -i x
}

# rows: lines "COMMAND OUTCOME" on standard input, all of the same circumstances.
rows()
{
	local command want rc bad=0

	while read -r command want; do
		[[ -n $command ]] || continue
		[[ $command != live ]] || has_bpf || continue
		rc=0
		act "$command" "$@" || rc=$?
		check "$command" $rc "$want" && continue
		echo "$* $command: wanted '$want', status $rc, said: $(<said)"
		bad=1
	done
	return $bad
}

# At 3 and 4 Linux does as at 2, and Debian's and Ubuntu's kernels refuse all.
own_at_3()
{
	paranoid "$1"
	if [[ $(as_user "$LAB/denied" may) == *user* ]]; then
		echo user
	else
		echo 'kernel.perf_event_paranoid=2`'
	fi
}

@test "rights: root may do all" {
	for level in 4 2 -1; do
		paranoid $level
		rows <<-END
			stat all
			stat-a all
			record all
			record-k all
			record-a all
			top all
		END
	done
}

@test "rights: a user at each perf_event_paranoid" {
	for level in 4 3 2 1 0 -1; do
		own=all kernel=all whole=all other='belongs to uid 0'
		((level < 2)) || own=user kernel='kernel.perf_event_paranoid=1`'
		((level < 3)) || own=$(own_at_3 $level)
		((level < 1)) || whole='kernel.perf_event_paranoid=0`'
		[[ $whole == all ]] && whole='done+sys_ptrace'
		paranoid $level
		rows as_user <<-END
			stat $own
			record $own
			record-k $kernel
			stat-a ${whole/done+sys_ptrace/all}
			record-a $whole
			top $whole
			record-p $other
			point mount -o remount,.*gid=$USER_ID /sys/kernel/tracing
			record-point mount -o remount,.*gid=$USER_ID /sys/kernel/tracing
			sched mount -o remount,.*gid=$USER_ID /sys/kernel/tracing
			list mount -o remount,.*gid=$USER_ID /sys/kernel/tracing
			live lacks CAP_BPF and CAP_PERFMON.*setcap cap_bpf,cap_perfmon.ep
		END
	done
}

# No capability does another's work: at perf_event_paranoid 2, which opens nothing else.
@test "rights: a user with single capabilities" {
	need_caps +perfmon,+bpf,+syslog,+sys_ptrace,+dac_read_search
	rows as_user_with +sys_ptrace <<-END
		stat user
		record user
		record-a kernel.perf_event_paranoid=0\`
		record-p user
	END
	rows as_user_with +bpf <<-END
		stat user
		stat-a kernel.perf_event_paranoid=0\`
		live lacks CAP_PERFMON;.*setcap cap_bpf,cap_perfmon.ep
	END
	rows as_user_with +dac_read_search <<-END
		point tracepoints need CAP_PERFMON or .sudo sysctl kernel.perf_event_paranoid=-1
		record-point tracepoints need CAP_PERFMON or .sudo sysctl kernel.perf_event_paranoid=-1
		list all
	END
	rows as_user_with +perfmon <<-END
		stat all
		stat-a all
		record-k done+hides its addresses.*sudo sysctl kernel.perf_event_paranoid=1
		record-a done+setcap cap_perfmon,cap_sys_ptrace.ep
		record-p done+hides its addresses
		top done+setcap cap_perfmon,cap_sys_ptrace.ep
		point mount -o remount,.*gid=$USER_ID
		live lacks CAP_BPF;.*setcap cap_bpf,cap_perfmon.ep
	END
	rows as_user_with +perfmon,+syslog,+sys_ptrace <<-END
		record all
		record-k all
		record-a all
		record-p all
		top all
	END
	rows as_user_with +perfmon,+dac_read_search <<-END
		point all
		record-point done+hides its addresses
	END
	rows as_user_with +perfmon,+bpf <<-END
		live all
	END
	# a container's root is a user
	rows setpriv --bounding-set=-perfmon,-sys_admin <<-END
		stat user
		record user
		stat-a kernel.perf_event_paranoid=0\`
	END
}

@test "rights: calls that a sandbox hides (ENOSYS) or forbids (EPERM)" {
	for who in root user; do
		no=("$LAB/denied")
		[[ $who == root ]] || no=(as_user "$LAB/denied")
		rows "${no[@]}" 38 perf_event_open <<-END
			stat no perf_event_open here: a kernel built without CONFIG_PERF_EVENTS, or a sandbox
			record no perf_event_open here: a kernel built without CONFIG_PERF_EVENTS, or a sandbox
			record-a no perf_event_open here: a kernel built without CONFIG_PERF_EVENTS, or a sandbox
			top no perf_event_open here: a kernel built without CONFIG_PERF_EVENTS, or a sandbox
		END
		rows "${no[@]}" 1 perf_event_open <<-END
			stat seccomp profile.*forbids perf_event_open
			record seccomp profile.*forbids perf_event_open
		END
		# nothing asks for these but what is named after them
		for code in 1 38; do
			rows "${no[@]}" $code bpf,process_vm_readv,ptrace <<-END
				stat $([[ $who == root ]] && echo all || echo user)
				record $([[ $who == root ]] && echo all || echo user)
			END
		done
	done
	rows "$LAB/denied" 1 perf_event_open <<-END
		record-a this is root: a seccomp profile
		top this is root: a seccomp profile
		point this is root: a seccomp profile
		sched this is root: a seccomp profile
		list all
	END
	rows "$LAB/denied" 1 bpf <<-END
		record-a all
		live though the rights are there: a seccomp profile
	END
	rows "$LAB/denied" 38 bpf <<-END
		record-a all
		live no bpf.. here: a kernel built without CONFIG_BPF_SYSCALL, or a sandbox
	END
}

@test "rights: little locked memory" {
	with_limit() { (ulimit -l "$1" && shift && "$@"); }
	rows with_limit 64 as_user <<-END
		stat user
		record user
	END
	as_user "$LAB/sonde" record -q -e cpu-clock -o x true
	# 4 MB for a CPU are more than the 516 KB that are free and the 64 KB together
	with_limit 64 as_user "$LAB/sonde" record -m 4M -e cpu-clock -o x "$LAB/burn" 0.05 2>said >/dev/null
	grep -qE "rings of [0-9]+ KB, not 4096 KB.*'ulimit -l' or perf_event_mlock_kb" said
	[[ $("$LAB/sonde" script -i x -F event | wc -l) -gt 0 ]]
	# a page of data and one of the ring's own for each CPU, and not even these
	page=$(($(getconf PAGESIZE) / 1024))
	echo $((2 * page)) >/proc/sys/kernel/perf_event_mlock_kb
	with_limit 0 as_user "$LAB/sonde" record -m 1M -e cpu-clock -o x "$LAB/burn" 0.05 2>said >/dev/null
	grep -qE "rings of $page KB, not 1024 KB.*'ulimit -l' or perf_event_mlock_kb" said
	with_limit 0 as_user "$LAB/sonde" record -e cpu-clock -o x "$LAB/burn" 0.05 2>said >/dev/null
	[[ $("$LAB/sonde" script -i x -F event | wc -l) -gt 0 ]]
	echo 0 >/proc/sys/kernel/perf_event_mlock_kb
	rows with_limit 0 as_user <<-END
		stat user
		record limit for locked memory is used up; raise 'ulimit -l' or /proc/sys/kernel/perf_event_mlock_kb
	END
	with_limit 64 as_user "$LAB/sonde" doctor >out
	grep -qE '^partly locked memory +0 KB a CPU .* 64 KB for all' out
	grep -q 'sudo sysctl kernel.perf_event_mlock_kb=516' out
}

@test "rights: a kernel that hides its addresses" {
	paranoid 1
	echo 1 >/proc/sys/kernel/kptr_restrict
	rows as_user <<-END
		record-k done+hides its addresses .*sudo sysctl kernel.kptr_restrict=0\`
		record done+hides its addresses .*sudo sysctl kernel.kptr_restrict=0\`
	END
	as_user "$LAB/sonde" doctor >out
	grep -qE '^no +kernel symbols +kptr_restrict is 1, and addresses are hidden' out
	grep -qE -- '-> sudo sysctl kernel.kptr_restrict=0$' out
	# what is sampled in user space alone does not miss them
	as_user "$LAB/sonde" record -q -e cpu-clock:u -o x true 2>said
	[[ ! -s said ]]
	as_user "$LAB/sonde" record -q -e cpu-clock:k -o x "$LAB/burn" 0.3 2>/dev/null
	if [[ $("$LAB/sonde" script -i x -F event | wc -l) -gt 0 ]]; then
		as_user "$LAB/sonde" report -i x >out 2>&1
		grep -q 'kptr_restrict' out
	fi
	echo 0 >/proc/sys/kernel/kptr_restrict
	rows as_user <<-END
		record-k all
	END
}

# The line is taken at its word: its command is run, and what was refused is done.
@test "rights: the grant that a line names is one that helps" {
	need_caps +perfmon
	helps() {
		local command=$1 rc=0 grant

		shift
		act "$command" "$@" || rc=$?
		grant=$(grant_of)
		echo "$command: '$grant'"
		[[ $grant == "sudo sysctl kernel."* || $grant == "sudo mount -o remount,"* ]]
		eval "${grant#sudo }" >/dev/null
		act "$command" "$@"
	}
	paranoid 2
	helps record-k as_user
	paranoid 2
	helps stat-a as_user
	paranoid 2
	helps record-a as_user
	paranoid 2
	helps record as_user
	events | grep -qv ':u'
	# tracefs may be mounted otherwise: as it was, and back
	was=$(stat -c 'mode=%a,gid=%g' /sys/kernel/tracing) || skip "no tracefs here"
	mountpoint -q /sys/kernel/tracing || skip "tracefs is not mounted"
	paranoid 2
	rc=0
	helps point as_user_with +perfmon && helps list as_user || rc=$?
	mount -o "remount,$was" /sys/kernel/tracing
	((rc == 0))
}

@test "rights: what doctor says is what the commands then do" {
	need_caps +perfmon
	says_doctor() { grep -qE "^$1 +$2" doctor || { echo "not '$1 $2' in:"; cat doctor; false; }; }
	for level in 2 1 0; do
		paranoid $level
		as_user "$LAB/sonde" doctor >doctor
		says_doctor yes "perf events"
		says_doctor "$( ((level < 2)) && echo yes || echo no)" "kernel side"
		says_doctor "$( ((level < 1)) && echo yes || echo no)" "whole system"
		says_doctor no "tracepoints"
		says_doctor no "BPF "
		((level < 2)) || grep -q 'sudo sysctl kernel.perf_event_paranoid=1$' doctor
		((level < 1)) || grep -q 'sudo sysctl kernel.perf_event_paranoid=0$' doctor
	done
	paranoid 2
	as_user_with +perfmon "$LAB/sonde" doctor >doctor
	says_doctor yes "kernel side"
	says_doctor yes "whole system"
	as_user "$LAB/denied" 1 perf_event_open "$LAB/sonde" doctor >doctor
	says_doctor no "perf events"
	says_doctor no "kernel side"
	# as it is wrapped
	[[ $(tr -s ' \n' '  ' <doctor) == *"seccomp profile that allows perf_event_open"* ]]
	# and not what would not help: kallsyms alone asks for a setting
	[[ $(grep -c 'sysctl kernel.perf_event_paranoid' doctor) == 1 ]]
	says_doctor no "hardware PMU +not known"
}
