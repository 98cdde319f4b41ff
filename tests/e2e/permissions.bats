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

# outcome COMMAND STATUS: what became of it, in a word.
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
